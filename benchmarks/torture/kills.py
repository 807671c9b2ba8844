"""SIGKILL at random moments, direct and by batch; SIGINT and SIGTERM.

The parent imports the client once and forks a run per kill, so a run lives long enough to be
killed anywhere. Half of the kills are aimed: they fall within milliseconds after the server
billed something or the journal committed something, which is where replies are lost and batches are
orphaned.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.torture import stand
from benchmarks.torture.claims import Claim

from corpus.errors import Interrupted
from corpus.model.journal import Journal, Spent
from corpus.records import Request

AGAIN = 20  # replies that each run asks for although it has them
POOL = {False: 150, True: 120}  # requests that are open at any time, direct and by batch
LONGEST = {False: 0.8, True: 0.7}  # seconds until a kill
FAULTS = {False: "429=0.002,529=0.02,cut=0.02", True: ""}  # a 429 asks for a pause of a second
LATENCY = "0.1"
MOST_RUNS = 3  # runs per kill: one that ends before its kill does not count


@dataclass
class Series:
    """Many runs over one journal, and all that was heard of them."""

    path: Path
    address: str
    ledger: Path
    batch: bool
    chance: random.Random
    asked: list[Request] = field(default_factory=list)
    acked: dict[str, str] = field(default_factory=dict)
    changed: int = 0  # acknowledged twice, with different bodies
    codes: Counter[int] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)  # what a run found after the kill before

    def run(self, *, more: bool = True) -> stand.Child:
        """Start a run over what is open, some new requests, and some that were answered."""
        open_ones = [request for request in self.asked if request.key not in self.acked]
        new = max(0, POOL[self.batch] - len(open_ones)) if more else 0
        fresh = stand.requests("kills", new, start=len(self.asked))
        done = self.chance.sample(self.asked, min(AGAIN, len(self.asked)))
        self.asked += fresh
        wanted = list({r.key: r for r in [*open_ones, *fresh, *done]}.values())
        who = stand.writer(self.address)
        return stand.fork(stand.ask(self.path, who, wanted, batch=self.batch))

    def heed(self, child: stand.Child) -> None:
        """Take its acknowledgements and its end."""
        self.codes[child.end()] += 1
        for key, mark in child.acknowledged():
            self.changed += self.acked.setdefault(key, mark) != mark
        states = child.told("opened").get("batches", {})
        self.found.update(states)
        self.found["in flight"] = child.told("opened").get("cut_off", self.found["in flight"])

    def finish(self) -> None:
        """Runs without a kill until all is answered: a request may need more than one."""
        for _ in range(5):
            if len(self.acked) < len(self.asked):
                self.heed(self.run(more=False))

    def lost(self) -> int:
        """Acknowledged replies that the journal no longer holds as they were."""
        kept = stand.read_back(self.path, [request.key for request in self.asked])
        return sum(kept.get(key) != mark for key, mark in self.acked.items()) + self.changed

    def spent(self) -> tuple[Spent, Counter[str]]:
        """The journal's money, and the attempts of unknown outcome of each request."""
        query = "SELECT key, count(*) FROM attempt WHERE state = 'unknown' GROUP BY key"
        with Journal(self.path) as journal:
            unknown = journal.submit(lambda c: c.execute(query).fetchall()).result()
            return journal.spent(), Counter(dict(unknown))

    def unexplained(self, bill: stand.Bill, unknown: Counter[str]) -> int:
        """Generations beyond the first for which the journal has no attempt of unknown outcome."""
        extra = ((one.key, bill.times[stand.billed_as(one)] - 1) for one in self.asked)
        return sum(max(0, more - unknown[key]) for key, more in extra)


def kills(folder: Path, seed: int, count: int, *, batch: bool) -> list[Claim]:
    """``count`` SIGKILLs over one journal."""
    options = ["--latency", LATENCY, "--batch-seconds", "0.2"]
    options += ["--faults", FAULTS[batch]] if FAULTS[batch] else []
    ledger = folder / "ledger.jsonl"
    with stand.server(ledger, *options) as address:
        series = Series(
            folder / "out" / "journal.sqlite", address, ledger, batch, stand.chance(seed)
        )
        for _ in range(MOST_RUNS * count):
            if series.codes[-signal.SIGKILL] == count:
                break
            child = series.run()
            _wait(child, series)
            child.kill(signal.SIGKILL)
            series.heed(child)
        series.finish()
    return _claims(series, count, "kills-batch" if batch else "kills-direct")


def _wait(child: stand.Child, series: Series) -> None:
    """Let it live for a random time, or until just after something was billed or committed."""
    chance, longest = series.chance, LONGEST[series.batch]
    kind = chance.random()
    if kind < 0.1:  # before its first call
        child.listen(chance.uniform(0.0, 0.03))
    elif kind < 0.5:
        child.listen(chance.uniform(0.0, longest))
    else:
        log = series.path.with_name(f"{series.path.name}-wal")
        watched = series.ledger if kind < 0.75 else log
        until = time.monotonic() + longest
        for _ in range(chance.randint(1, 4)):
            before = _state(watched)
            while _state(watched) == before and time.monotonic() < until:
                if not child.listen(0.001):
                    return
        child.listen(chance.choice((0.0, 0.002, 0.01, 0.04)))


def _state(path: Path) -> tuple[int, int]:
    found = path.stat() if path.exists() else None
    return (found.st_size, found.st_mtime_ns) if found else (0, 0)


def _claims(series: Series, count: int, name: str) -> list[Claim]:
    lost, ledger = series.lost(), stand.bill(series.ledger)
    spent, unknown = series.spent()
    killed = series.codes[-signal.SIGKILL]
    odd = {c: n for c, n in series.codes.items() if c not in {0, -signal.SIGKILL}}
    missing = len(series.asked) - len(series.acked)
    asked = len(series.asked)
    states = ", ".join(f"{n} {state}" for state, n in sorted(series.found.items()) if n)
    return [
        Claim(name, "SIGKILLs that hit a live run; other ends", f"{count}; none odd",
              f"{killed}; {series.codes[0]} runs ended by themselves, odd {odd}; the runs after "
              f"found {states}", not odd and killed == count),
        Claim(name, "acknowledged replies lost or changed", "0",
              f"{lost} of {len(series.acked):,}", lost == 0),
        Claim(name, "requests without a reply in the end", "0", f"{missing} of {asked:,}",
              missing == 0),
        _twice(name, series, ledger, unknown, killed),
        _money(name, spent, ledger, series.batch),
    ]  # fmt: skip


def _twice(
    name: str, series: Series, ledger: stand.Bill, unknown: Counter[str], killed: int
) -> Claim:
    """Batches: none. Direct: of each request, no more than attempts whose outcome nobody knows."""
    told = f"{ledger.twice} of {ledger.times.total():,} generations"
    if series.batch:
        return Claim(name, "generations paid for twice", "0", told, ledger.twice == 0)
    flight, odd = series.found["in flight"], series.unexplained(ledger, unknown)
    told += (
        f", {ledger.twice / max(1, killed):.2f} per kill, {odd} not explained; in flight at kills "
        f"{flight} ({flight / max(1, killed):.1f} per kill), cut by the server "
        f"{unknown.total() - flight}"
    )
    return Claim(name, "generations paid for twice", "<= calls in flight or cut, by request", told,
                 odd == 0)  # fmt: skip


def _money(name: str, spent: Spent, ledger: stand.Bill, batch: bool) -> Claim:  # noqa: FBT001
    """What the journal says was paid, against the ledger."""
    recorded = ledger.cost if batch else ledger.once
    covered = spent.paid <= ledger.cost <= spent.paid + spent.possibly
    return Claim(
        name, "cost of recorded replies, journal - ledger; ledger within paid..possibly paid",
        "0 micro-dollars; yes",
        f"{spent.paid - recorded} of {recorded:,}; {spent.paid:,} <= {ledger.cost:,} <= "
        f"{spent.paid + spent.possibly:,}",
        spent.paid == recorded and covered,
    )  # fmt: skip


def signals(folder: Path, seed: int, count: int) -> list[Claim]:
    """SIGINT and SIGTERM in turn, half of them direct and half by batch."""
    claims = []
    for batch in (False, True):
        here = folder / ("batch" if batch else "direct")
        here.mkdir()
        claims += _signals(here, stand.chance(seed), (count + 1) // 2, batch=batch)
    return claims


def _signals(folder: Path, chance: random.Random, count: int, *, batch: bool) -> list[Claim]:
    ledger = folder / "ledger.jsonl"
    options = ("--latency", LATENCY, "--batch-seconds", "0.2", "--faults", "429=0.04,529=0.02")
    with stand.server(ledger, *options) as address:
        series = Series(folder / "out" / "journal.sqlite", address, ledger, batch, chance)
        for number in range(count):
            child = series.run()
            while not child.told("opened") and child.listen(0.002):
                pass  # its handlers stand
            child.listen(chance.uniform(0.0, LONGEST[batch] / 2))
            child.kill((signal.SIGINT, signal.SIGTERM)[number % 2])
            series.heed(child)
        series.finish()
    name = f"signals-{'batch' if batch else 'direct'}"
    lost, billed, (spent, _) = series.lost(), stand.bill(ledger), series.spent()
    by_signal, whole = series.codes[Interrupted.exit_code], series.codes[0]
    odd = {c: n for c, n in series.codes.items() if c not in {0, Interrupted.exit_code}}
    missing = len(series.asked) - len(series.acked)
    return [
        Claim(name, "runs ended by SIGINT or SIGTERM in turn", f"{count} signals; none odd",
              f"{by_signal} interrupted (exit 75), {whole} had ended; odd {odd}", not odd),
        Claim(name, "replies lost; requests unanswered; paid twice", "0; 0; 0",
              f"{lost}; {missing}; {billed.twice} of {billed.times.total():,}",
              lost == missing == billed.twice == 0),
        Claim(name, "cost, journal - ledger", "0 micro-dollars",
              f"{spent.paid - billed.cost} of {billed.cost:,}", spent.paid == billed.cost),
    ]  # fmt: skip
