"""One tool, one process, its cores, its clock: what ``runs`` starts.

    python -m benchmarks.dedup.measured TOOL FILE OUTPUT --documents N --threshold T --cores 1

Prints one JSON object: seconds of processor (user and system, all threads, children too) and of
the wall for three parts, reading, finding and writing, and the peak of resident memory while
finding, above what was resident with all texts read. Imports, and one run over 1,000 documents that
loads whatever is loaded or compiled on first use, are before the clock for every tool alike.
Reading is ``json`` line by line for every tool; writing is the rows that stay and a row for each
that is dropped.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

WARM = 1000


class Clock(NamedTuple):
    """Seconds of processor and of the wall, since some moment."""

    cpu: float
    wall: float

    @classmethod
    def now(cls) -> Clock:
        """The clock now."""
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return cls(sum(one.ru_utime + one.ru_stime for one in used), time.monotonic())

    def since(self, start: Clock) -> dict[str, float]:
        """What went by."""
        return {"cpu": self.cpu - start.cpu, "wall": self.wall - start.wall}


def main() -> None:
    """Measure what was asked for."""
    given = arguments()
    os.sched_setaffinity(0, {int(core) for core in given.cores.split(",")})  # before any import
    from benchmarks.dedup.tools import TOOLS

    run = TOOLS[given.tool].run
    start = Clock.now()
    rows = _read(given.file, given.documents)
    read = Clock.now().since(start)
    ids, texts = [row["id"] for row in rows], [row["text"] for row in rows]
    run(ids[:WARM], texts[:WARM], given.threshold)
    gc.collect()
    before = _fresh_peak()
    start = Clock.now()
    drops = run(ids, texts, given.threshold)
    found = Clock.now().since(start)
    peak = _memory("VmHWM") - before
    start = Clock.now()
    _write(given.output, rows, drops)
    wrote = Clock.now().since(start)
    parts = {"read": read, "find": found, "write": wrote}
    json.dump({**parts, "peak_bytes": peak, "documents": len(rows)}, sys.stdout)


def _read(file: Path, count: int) -> list[dict[str, Any]]:
    """The first rows of a file."""
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line, _ in zip(lines, range(count), strict=False)]


def _write(output: Path, rows: list[dict[str, Any]], drops: dict[str, Any]) -> None:
    """The rows that stay, and what is dropped for what."""
    output.mkdir(parents=True, exist_ok=True)
    with (output / "kept.jsonl").open("w", encoding="utf-8") as kept:
        for row in rows:
            if row["id"] not in drops:
                kept.write(json.dumps(row, ensure_ascii=False) + "\n")
    with (output / "duplicates.jsonl").open("w", encoding="utf-8") as dropped:
        for name, match in drops.items():
            original, similarity = match or (None, None)
            row = {"id": name, "original": original, "similarity": similarity}
            dropped.write(json.dumps(row) + "\n")


def _fresh_peak() -> int:
    """Forget the peak so far; what is resident now, in bytes."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _memory("VmRSS")


def _memory(what: str) -> int:
    """A line of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) * 1024


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dedup.measured")
    parser.add_argument("tool")
    parser.add_argument("file", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--documents", type=int, required=True)
    parser.add_argument("--threshold", type=float, required=True)
    parser.add_argument("--cores", required=True, help="the numbers of the cores, with commas")
    return parser.parse_args()


if __name__ == "__main__":
    main()
