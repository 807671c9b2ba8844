"""What this program itself costs per document, beside a server that answers at once.

Builds a corpus of N tiny documents against the stand-in, in a folder of its own, and prints wall
and CPU seconds per document of the whole build, then of a second run, replayed from the journal.

    python benchmarks/overhead.py --documents 2000
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from corpus.model import rehearsal

ROOT = Path(__file__).parent.parent
WORDS = 40  # of a document
KIND = """+++
stream = "documents"
what = "a note"
words = [40, 40]
[facets]
hand = ["one", "another", "a third"]
+++
A note in $hand hand, found among the papers of $person.
"""


def build(folder: Path, address: str, documents: int) -> tuple[float, float, dict[str, int]]:
    """Wall and CPU seconds of one build, and its counts."""
    tokens = documents * WORDS * 13 // 10
    command = [sys.executable, "-m", "corpus", "build", "--base-url", address, "--only"]
    command += ["documents", "--tokens", str(tokens), "--kinds", str(folder / "kinds"), "--yes"]
    command += ["--constitution", str(ROOT / "constitution"), "-o", str(folder / "out")]
    command += ["--model", rehearsal.MODEL]
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    made = json.loads((folder / "out" / "manifest.json").read_text())
    counts: dict[str, int] = made["counts"]["documents"]
    counts["calls"] = sum(stage["asked"] for stage in made["stages"])
    return wall, cpu, counts


def main() -> None:
    """Print the figures of a first and of a replayed build."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=2000)
    wanted = parser.parse_args().documents
    os.environ["ANTHROPIC_API_KEY"] = "rehearsal"
    with tempfile.TemporaryDirectory() as scratch, rehearsal.process() as address:
        folder = Path(scratch)
        (folder / "kinds").mkdir()
        shipped = sorted((ROOT / "src" / "corpus" / "kinds").glob("*.md"))
        for path in shipped:  # every shipped kind of documents becomes the tiny one
            if 'stream = "documents"' in path.read_text(encoding="utf-8"):
                (folder / "kinds" / path.name).write_text(KIND, encoding="utf-8")
        for name in ("first build", "replayed"):
            wall, cpu, counts = build(folder, address, wanted)
            planned, calls = counts["planned"], counts["calls"]
            print(
                f"{name}: {planned} documents written, {counts['kept']} kept, {calls} replies; "
                f"{wall:.1f} s wall, {cpu:.1f} s CPU: {1000 * wall / planned:.1f} ms wall and "
                f"{1000 * cpu / planned:.1f} ms CPU a document, {1000 * wall / calls:.2f} ms "
                f"wall a reply"
            )


if __name__ == "__main__":
    main()
