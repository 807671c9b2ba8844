"""A large journal in a fresh process: the time and memory until a run knows what is answered.

*Scan* is opening the journal and finding which requests have no reply yet, by a query of this trial
that leaves the bodies on disk. *Replay* is what a build does: ``Model.answer`` over all requests,
each reply read from disk, checked and parsed.
"""

from __future__ import annotations

import hashlib
import json
import resource as usage
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.torture import filled, stand
from benchmarks.torture.claims import Claim

from corpus.model import Model
from corpus.model.journal import Journal

CHARACTERS = 6000  # of a reply
SCAN, MEMORY = 2.0, 300.0  # targets: seconds, MB
NAME = "journal.sqlite"


def resume(folder: Path, seed: int, count: int) -> list[Claim]:
    """``count`` replies of about 6 kB; scan and replay, each in a process of its own."""
    path = folder / NAME
    wanted = stand.requests(f"resume-{seed}", count)
    began = time.monotonic()
    with Journal(path) as journal:
        filled.fill(journal, wanted, CHARACTERS, at_a_time=2000)
    filling, held = time.monotonic() - began, path.stat().st_size
    scan = _fresh("scan", path, seed, count)
    replay = _fresh("replay", path, seed, count)
    whole = scan["missing"] == replay["missing"] == 0
    size = f"{held / 2**20:,.0f} MiB, filled at {count / filling:,.0f}/s"
    return [
        Claim("resume", f"journal opened, {count:,} keys looked up; no bodies read",
              f"<= {SCAN:.0f} s",
              f"{scan['seconds']:.2f} s ({size}); peak {scan['megabytes']:.0f} MB",
              whole and scan["seconds"] <= SCAN),
        Claim("resume", f"memory at its peak, replay of {count:,} requests",
              f"<= {MEMORY:.0f} MB",
              f"{replay['megabytes']:.0f} MB, of which the requests themselves and the imports "
              f"{replay['before']:.0f} MB", replay["megabytes"] <= MEMORY),
        Claim("resume", "replay: every reply read, checked and parsed", "-",
              f"{replay['seconds']:.1f} s, {count / replay['seconds']:,.0f}/s", None),
    ]  # fmt: skip


def _fresh(what: str, path: Path, seed: int, count: int) -> dict[str, float]:
    """What a process of its own measured."""
    command = [sys.executable, "-m", "benchmarks.torture.resume", what, str(path), str(seed)]
    run = subprocess.run([*command, str(count)], check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(run.stdout)
    return found


def main(what: str, path: str, seed: str, count: str) -> None:
    """Measure ``what`` and print it; seconds are those after the requests were made."""
    wanted = stand.requests(f"resume-{seed}", int(count))
    keys = [request.key for request in wanted]
    before, began = _peak(), time.perf_counter()
    work: Callable[[], int] = {
        "scan": lambda: _scan(Path(path), keys),
        "replay": lambda: _replay(Path(path), seed, int(count)),
    }[what]
    if what == "replay":
        del wanted, keys  # a build makes them as it goes
    missing = work()
    seconds = time.perf_counter() - began
    found = {"seconds": seconds, "missing": missing, "megabytes": _peak(), "before": before}
    sys.stdout.write(json.dumps(found))


def _scan(path: Path, keys: list[str]) -> int:
    """Open the journal and count the requests without a reply."""
    with Journal(path) as journal:
        return len(set(keys) - journal.submit(_answered).result())


def _answered(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT key FROM attempt WHERE state = 'ok'")}


def _replay(path: Path, seed: str, count: int) -> int:
    """Ask for everything, as a build does, and count what is not replayed."""
    replayed = 0
    check = hashlib.sha256()
    wanted = stand.requests(f"resume-{seed}", count)
    with Journal(path) as journal, Model(stand.writer("http://127.0.0.1:9"), journal) as model:
        for reply in model.answer(wanted):
            replayed += reply.replayed
            check.update(reply.text[:16].encode())
    return count - replayed


def _peak() -> float:
    """Megabytes of this process at its peak; ``ru_maxrss`` begins with the parent's on Linux."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = (line.split() for line in status.read_text().splitlines())
        return next(int(line[1]) for line in lines if line[0] == "VmHWM:") * 1024 / 1e6
    return usage.getrusage(usage.RUSAGE_SELF).ru_maxrss / 1e6  # bytes, on macOS


if __name__ == "__main__":
    main(*sys.argv[1:])
