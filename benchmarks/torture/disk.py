"""A disk that is full, at many points: before a run, and in the middle of it with calls in flight.

A small file system is mounted (ext4 on a loop device, and tmpfs), and a ballast file leaves as much
room as the point wants. The client refuses to pay where it sees too little room, so most points
fill the disk behind its back, after some reply was acknowledged.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.torture import stand
from benchmarks.torture.claims import Claim, skipped

from corpus.errors import DiskError
from corpus.model.journal import Journal
from corpus.records import Request

NAME = "disk-full"
MEGABYTE = 2**20
SIZE = 8 * MEGABYTE  # of the file system
ASKED = 80  # requests of a point
WORDS = 300  # of a reply
FULL = DiskError.exit_code
SERVER = ("--latency", "0.03", "--batch-seconds", "0.1")


@dataclass
class Tally:
    """What all points came to."""

    first: Counter[int] = field(default_factory=Counter)  # exit codes when the disk filled
    again: Counter[int] = field(default_factory=Counter)  # on the disk that was still full
    ended: Counter[int] = field(default_factory=Counter)  # when there was room again
    acked: int = 0
    lost: int = 0
    missing: int = 0
    billed: int = 0
    unaccounted: int = 0
    uncovered: int = 0  # points where the ledger is above paid and possibly paid
    systems: Counter[str] = field(default_factory=Counter)


def full(folder: Path, seed: int, count: int) -> list[Claim]:
    """``count`` points, on each file system that can be mounted in turn."""
    chance, tally = stand.chance(seed), Tally()
    with ExitStack() as stack:
        disks = [
            disk
            for kind in ("ext4", "tmpfs")
            if (disk := stack.enter_context(mounted(folder / kind, kind))) is not None
        ]
        if not disks:
            return [skipped(NAME, "runs on a full disk", "no small file system can be mounted")]
        for number in range(count):
            disk = disks[number % len(disks)]
            tally.systems[disk.name] += 1
            ledger = folder / f"ledger-{number}.jsonl"
            with stand.server(ledger, *SERVER) as address:
                Point(disk, address, ledger, batch=number % 4 > 1, chance=chance).go(tally)
    return _claims(tally, count)


@contextmanager
def mounted(where: Path, kind: str) -> Iterator[Path | None]:
    """A small empty file system, or None where it cannot be had."""
    where.mkdir()
    image = where.with_suffix(".image")
    if kind == "ext4":
        with image.open("wb") as file:
            file.truncate(SIZE)
        commands = [
            ["mkfs.ext4", "-q", "-m", "0", str(image)],
            ["mount", "-o", "loop", str(image), str(where)],
        ]
    else:
        commands = [["mount", "-t", kind, "-o", f"size={SIZE}", kind, str(where)]]
    try:
        for command in commands:
            subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        yield None
        return
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], check=False)  # noqa: S607 - wherever it is


@dataclass
class Point:
    """One full disk."""

    disk: Path
    address: str
    ledger: Path
    batch: bool
    chance: random.Random
    acked: dict[str, str] = field(default_factory=dict)

    def go(self, tally: Tally) -> None:
        """Fill the disk before or during a run, run again, make room, run to the end."""
        wanted = stand.requests(self.ledger.stem, ASKED, words=WORDS)
        if self.chance.random() < 0.3:
            self._leave(self.chance.randrange(6 * MEGABYTE))
            child = self._start(wanted)
        else:
            child = self._start(wanted)
            self._wait(child)
            self._leave(self.chance.choice((0, 4096, 20_000, 100_000, 300_000)))
        tally.first[self._end(child)] += 1
        tally.again[self._end(self._start(wanted))] += 1
        self._ballast.unlink(missing_ok=True)
        tally.ended[self._end(self._start(wanted))] += 1
        self._count(tally, wanted)
        shutil.rmtree(self.disk / "out")

    @property
    def _ballast(self) -> Path:
        return self.disk / "ballast"

    @property
    def _path(self) -> Path:
        return self.disk / "out" / "journal.sqlite"

    def _start(self, wanted: list[Request]) -> stand.Child:
        who = stand.writer(self.address, concurrency=8, quiet=1.0)
        return stand.fork(stand.ask(self._path, who, wanted, batch=self.batch))

    def _end(self, child: stand.Child) -> int:
        code = child.end()
        self.acked.update(child.acknowledged())
        return code

    def _wait(self, child: stand.Child) -> None:
        """Until so many replies were acknowledged; by batch, for a moment."""
        if self.batch:
            child.listen(self.chance.uniform(0.0, 0.5))
            return
        until = self.chance.randrange(ASKED - 20)
        while sum(1 for _ in child.acknowledged()) < until and child.listen(0.002):
            pass

    def _leave(self, room: int) -> None:
        """Fill the disk but for so many bytes, at once and whatever else grows meanwhile."""
        with self._ballast.open("wb", buffering=0) as file:
            free = shutil.disk_usage(self.disk).free
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, max(1, free - room))
            if room < 4096:
                with contextlib.suppress(OSError):
                    file.seek(0, os.SEEK_END)
                    while file.write(bytes(4096)):
                        pass

    def _count(self, tally: Tally, wanted: list[Request]) -> None:
        """Hold what was acknowledged and what was billed against the journal."""
        kept = stand.read_back(self._path, [request.key for request in wanted])
        with Journal(self._path) as journal:
            attempts, spent = journal.accounts()["attempts"], journal.spent()
        billed = stand.bill(self.ledger)
        known = int(attempts.get("ok", 0)) + int(attempts.get("unknown", 0))
        tally.acked += len(self.acked)
        tally.lost += sum(kept.get(key) != mark for key, mark in self.acked.items())
        tally.missing += len(wanted) - len(kept)
        tally.billed += billed.times.total()
        tally.unaccounted += max(0, billed.times.total() - known)
        tally.uncovered += not spent.paid <= billed.cost <= spent.paid + spent.possibly


def _claims(tally: Tally, count: int) -> list[Claim]:
    systems = ", ".join(f"{number} on {kind}" for kind, number in tally.systems.items())
    allowed = {0, FULL}
    return [
        Claim(NAME, f"{systems}: run as the disk fills", "exit 74 or done; no crash",
              _codes(tally.first), set(tally.first) <= allowed and tally.first[FULL] > count / 2),
        Claim(NAME, "run again on the full disk", "exit 74 or done; no crash",
              _codes(tally.again), set(tally.again) <= allowed),
        Claim(NAME, "run again with room: done; requests without a reply", "all; 0",
              f"{_codes(tally.ended)}; {tally.missing}",
              set(tally.ended) == {0} and not tally.missing),
        Claim(NAME, "acknowledged replies lost or changed", "0",
              f"{tally.lost} of {tally.acked:,}", not tally.lost),
        Claim(NAME, "billed, but neither recorded nor marked possibly paid", "0",
              f"{tally.unaccounted} of {tally.billed:,} generations; money out of bounds at "
              f"{tally.uncovered} points", not tally.unaccounted and not tally.uncovered),
    ]  # fmt: skip


def _codes(codes: Counter[int]) -> str:
    """Exit codes in words."""
    words = {0: "done", FULL: "exit 74"}
    return ", ".join(f"{n} {words.get(code, f'exit {code}')}" for code, n in sorted(codes.items()))
