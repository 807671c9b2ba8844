"""The training example: the same batches from every format, and a loss that falls."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from corpus import store
from readers.real_text import ROOT, rows

pytestmark = [pytest.mark.readers, pytest.mark.filterwarnings("ignore")]


def test_a_tiny_gpt_trains_alike_on_shards_and_on_parquet(tmp_path: Path) -> None:
    texts = ({"id": row.id, "text": row.text} for row in rows()[:600])
    store.write_rows(tmp_path / "in.jsonl", texts)
    job = [
        sys.executable,
        "-m",
        "corpus",
        "export",
        str(tmp_path / "in.jsonl"),
        "-o",
        str(tmp_path),
    ]
    job += ["--format", "megatron", "--format", "nanogpt", "--format", "parquet"]
    subprocess.run([*job, "--shard-tokens", "50000"], check=True, capture_output=True)
    script = ROOT / "examples" / "train_tiny" / "train.py"
    job = [sys.executable, str(script), str(tmp_path), "--steps", "40", "--batch", "2"]
    home = os.environ | {"HF_HOME": str(tmp_path / "home")}  # nothing is left in the user's
    done = subprocess.run(job, capture_output=True, text=True, check=False, env=home)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["equal_batches"] == 40
    assert len(set(told["ids"].values())) == 1
    first, last = told["loss_megatron"]
    assert last < first - 1
    assert told["loss_parquet"] == [first, last]
