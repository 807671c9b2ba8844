"""The training example: the same batches from every format, and a loss that falls."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import GPT2, ROOT, rows

from corpus import export
from corpus.formats import Row

pytestmark = [pytest.mark.readers, pytest.mark.filterwarnings("ignore")]


def test_a_tiny_gpt_trains_alike_on_shards_and_on_parquet(tmp_path: Path) -> None:
    given = [Row(row.id, "default", text=row.text) for row in rows()[:600]]
    names = ("megatron", "nanogpt", "parquet")
    export.publish(given, tmp_path, tokenizer=GPT2, formats=names, shard_tokens=50_000)
    script = ROOT / "examples" / "train_tiny" / "train.py"
    job = [sys.executable, str(script), str(tmp_path), "--steps", "40", "--batch", "2"]
    done = subprocess.run(job, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["equal_batches"] == 40
    assert len(set(told["ids"].values())) == 1
    first, last = told["loss_megatron"]
    assert last < first - 1
    assert told["loss_parquet"] == [first, last]
