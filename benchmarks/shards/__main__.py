"""JSON Lines to token shards: CPU seconds per token, beside two peers, in the same run.

    python benchmarks/shards --text TEXT.jsonl [--peers PYTHON] [--repeat 3]

Ours is the whole command, ``corpus export FILE -o DIR --format megatron --workers 1``: start of the
interpreter, checks, splits, two digests, ``.bin`` and ``.idx``, manifest. With ``--no-quick`` it is
what a plain installation does; without it, what the extra ``fast`` does. The peers run under
``--peers``, a Python with ``datatrove[processing,io]``, ``datasets`` and ``tiktoken``: datatrove's
DocumentTokenizer, and nanoGPT's preparation. All use GPT-2's vocabulary as this package ships it.
User and system time of the process and its children; of ``--repeat`` runs, taken in turns, the
least of each, because other work on the machine only adds. Without ``--text``, ``text.py`` makes
one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from corpus import tokens
from corpus.tokens import _ranks

HERE = Path(__file__).parent
BARS = {("datatrove", "plain"): 1.0, ("nanoGPT", "plain"): 0.6,
        ("datatrove", "fast"): 10.0, ("nanoGPT", "fast"): 6.0}  # fmt: skip
MOST_MEMORY = 300  # MB


class Run(NamedTuple):
    """One run: CPU seconds, MB of memory at most."""

    seconds: float
    megabytes: float


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--text", type=Path)
    parser.add_argument("--peers", default=sys.executable)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        text = given.text or made_text(folder)
        commands = {**ours(text, folder), **peers(given.peers, text, folder)}
        runs: dict[str, list[Run]] = {name: [] for name in commands}
        for number in range(given.repeat):
            for name, command in commands.items():
                out = folder / f"out-{name}-{number}"
                runs[name].append(measured([*command, str(out)]))
        count = counted(folder / f"out-plain-{given.repeat - 1}")
    best = {name: Run(*map(min, zip(*found, strict=True))) for name, found in runs.items()}
    print(f"{text.stat().st_size / 1e6:.1f} MB, {count:,} tokens, best of {given.repeat}")
    for name, run in best.items():
        speed = count / run.seconds / 1e6
        print(f"{name:10} {run.seconds:7.2f} CPU s  {speed:6.2f} M tokens/CPU s  "
              f"{run.megabytes:6.0f} MB")  # fmt: skip
    missed = 0
    for (peer, mine), bar in BARS.items():
        ratio = best[peer].seconds / best[mine].seconds
        missed += ratio < bar
        print(f"{mine} is {ratio:.2f} times as fast as {peer} (bar {bar:g})")
    worst = max(run.megabytes for name in ("plain", "fast") for run in runs[name])
    print(f"memory at most {worst:.0f} MB (bar {MOST_MEMORY})")
    return missed + (worst > MOST_MEMORY)


def ours(text: Path, folder: Path) -> dict[str, list[str]]:
    """The two commands of this program, less the output."""
    del folder
    command = [sys.executable, "-m", "corpus", "export", str(text), "--format", "megatron"]
    command += ["--workers", "1"]
    return {"plain": [*command, "--no-quick", "-o"], "fast": [*command, "-o"]}


def peers(python: str, text: Path, folder: Path) -> dict[str, list[str]]:
    """The peers' commands, less the output, and their vocabulary in the forms that they read."""
    vocabulary, ranks = folder / "tokenizer.json", folder / "gpt2.tiktoken"
    vocabulary.write_text(tokens.gpt2().json(), encoding="utf-8")
    ranks.write_bytes(_ranks.ranks_file(tokens.gpt2().engine.get_vocab()))
    return {
        "datatrove": [python, str(HERE / "datatrove_tokenize.py"), str(text), str(vocabulary)],
        "nanoGPT": [python, str(HERE / "nanogpt_prepare.py"), str(text), str(ranks)],
    }


def made_text(folder: Path) -> Path:
    """The documentation of this Python's packages."""
    path = folder / "text.jsonl"
    subprocess.run([sys.executable, str(HERE / "text.py"), str(path)], check=True)
    return path


def measured(command: list[str]) -> Run:
    """Run ``command`` to its end."""
    reader = "import resource,subprocess,sys; r=subprocess.run(sys.argv[1:],capture_output=True)\n"
    reader += "u=resource.getrusage(resource.RUSAGE_CHILDREN); print(u.ru_utime+u.ru_stime, "
    reader += "u.ru_maxrss/1024); sys.stderr.buffer.write(r.stderr); sys.exit(r.returncode)"
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    if command[0] != sys.executable:
        environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [sys.executable, "-c", reader, *command],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    seconds, megabytes = map(float, done.stdout.split())
    return Run(seconds, megabytes)


def counted(folder: Path) -> int:
    """The tokens of our export in ``folder``."""
    made = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return sum(shard["tokens"] for shard in made["shards"])


if __name__ == "__main__":
    sys.exit(main())
