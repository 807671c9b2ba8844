"""Put the promise to the test: nothing that was paid for is lost, and nothing is bought twice.

    python -m benchmarks.torture [--short] [--seed N] [--only NAME] [--count N] [--json FILE]

Prints one table, and each trial's own on standard error as it ends; the exit code is 1 if a claim
fails.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.torture import claims, disk, kills, mutations, overhead, power, resume, storm

Trial = Callable[[Path, int, int], list[claims.Claim]]


class Size(NamedTuple):
    """A trial and its N, in full and short."""

    trial: Trial
    full: int
    short: int


TRIALS = {
    "kills-direct": Size(partial(kills.kills, batch=False), 500, 25),
    "kills-batch": Size(partial(kills.kills, batch=True), 500, 25),
    "signals": Size(kills.signals, 200, 10),
    "disk-full": Size(disk.full, 50, 6),
    "mutations": Size(mutations.mutations, 1000, 100),
    "power-loss": Size(power.loss, 10, 5),
    "storm": Size(storm.storm, 1500, 600),
    "resume": Size(resume.resume, 100_000, 10_000),
    "overhead": Size(overhead.overhead, 2000, 500),
}


def main() -> int:
    """Run the trials that were asked for."""
    given = arguments()
    names = given.only or list(TRIALS)
    where = claims.environment(given.seed)
    found: list[claims.Claim] = []
    for name in names:
        size = TRIALS[name]
        count = given.count or (size.short if given.short else size.full)
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="torture-", dir=given.folder) as scratch:
            of_it = size.trial(Path(scratch), given.seed, count)
        took = time.monotonic() - began
        print(f"{name}: N={count}, {took:.0f} s", file=sys.stderr)
        print(claims.table(of_it), end="\n\n", file=sys.stderr, flush=True)
        found += of_it
    form = f"N={given.count}" if given.count else "short form" if given.short else "full form"
    print(f"{where}; {form}\n")
    print(claims.table(found))
    if given.json:
        claims.write(given.json, found, where)
    return int(any(claim.passed is False for claim in found))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture", description=__doc__)
    parser.add_argument("--short", action="store_true", help="small N: minutes, for CI")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=TRIALS, help="may be repeated")
    parser.add_argument("--count", type=int, help="N of every trial that runs")
    parser.add_argument("--folder", type=Path, help="where to work (default: the temporary folder)")
    parser.add_argument("--json", type=Path, help="write the table here as well")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
