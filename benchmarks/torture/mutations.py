"""Damaged journals: each must be noticed, or do no harm.

Copies of two journals, one closed in order and one whose process died and left its log, are each
damaged once. A copy is then opened as a build opens it, and every reply is asked for; a second copy
goes through ``corpus salvage``. What was really kept is known, so silence can be told from health.
"""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.torture import filled, stand
from benchmarks.torture.claims import Claim

from corpus.build import _check_mark  # the mechanism that is on trial
from corpus.model import batchlog
from corpus.model.journal import Journal, sha256
from corpus.model.salvage import salvage
from corpus.records import Request

NAME = "journal.sqlite"
REPLIES, LOGGED = 60, 30  # in the file; and besides in the log of a process that died
LAG = 5  # attempts that came after the last status.json, which is published every second
FAILED = 6  # attempts without a reply
CHARACTERS = 2500  # of a reply
PAGE = 4096


@dataclass(frozen=True)
class Source:
    """A journal that was not damaged yet, and what is in it."""

    folder: Path
    digests: dict[str, str]
    money: list[int]
    batches: list[list[Any]]

    def copy(self, folder: Path) -> Path:
        """A fresh copy to be damaged; the path of its journal."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        return folder / NAME


@dataclass
class Tally:
    """What became of the damaged copies."""

    kinds: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)  # kind of damage and what it did
    texts: Counter[str] = field(default_factory=Counter)  # how the damage was named
    crashes: list[str] = field(default_factory=list)
    salvaged: Counter[str] = field(default_factory=Counter)


def mutations(folder: Path, seed: int, count: int) -> list[Claim]:
    """Damage ``count`` copies."""
    sources = [_closed(folder / "closed"), _left_open(folder / "open")]
    tally = Tally()
    for number in range(count):
        source, chance = sources[number % 2], stand.chance(1_000_000 * seed + number)
        kind = chance.choices(list(DAMAGES), weights=[w for _, w in DAMAGES.values()])[0]
        damage, state = DAMAGES[kind][0], chance.getstate()
        path = source.copy(folder / "copy")
        damage(path, chance)
        label = f"{kind}, {'log' if source is sources[1] else 'no log'}"
        tally.kinds[kind] += 1
        _judge(tally, label, source, _look(path, source))
        chance.setstate(state)  # the same damage once more
        path = source.copy(folder / "copy")
        damage(path, chance)
        _judge_salvage(tally, label, source, _salvage(path, source))
    return _claims(tally, count)


def _closed(folder: Path) -> Source:
    wanted = stand.requests("mutations", REPLIES + LOGGED)
    with Journal(folder / NAME) as journal:
        filled.fill(journal, wanted, CHARACTERS)
        _beside(journal)
    return _source(folder, wanted)


def _left_open(folder: Path) -> Source:
    wanted = stand.requests("mutations", REPLIES + LOGGED)
    with Journal(folder / NAME) as journal:
        filled.fill(journal, wanted[:REPLIES], CHARACTERS)
        _beside(journal)
    filled.leave_open(folder / NAME, wanted[REPLIES:], CHARACTERS)
    return _source(folder, wanted)


def _beside(journal: Journal) -> None:
    """Attempts without a reply, and a batch under way."""
    for number, request in enumerate(stand.requests("failed", FAILED)):
        attempt = journal.intend(request, filled.WORST).result()
        journal.fail(attempt, ("error", "unknown")[number % 2], 529, "overloaded").result()
    asked = stand.requests("batch", 4)
    worst: list[int | None] = [500] * len(asked)
    batch = batchlog.intend(journal, "0123456789abcdef", asked, worst, 1.0)
    batchlog.created(journal, batch.nonce, "msgbatch_1")


def _source(folder: Path, wanted: list[Request]) -> Source:
    """Read a copy, so that a log stays where it is, and publish the mark of its last run."""
    copy = folder.with_name(f"{folder.name}-read")
    shutil.copytree(folder, copy)
    with Journal(copy / NAME) as journal:
        attempts, facts = journal.attempts(), _facts(journal)
    logged = any(folder.glob("*-wal"))
    mark = {"attempts": attempts - LAG if logged else attempts}
    (folder / "status.json").write_text(json.dumps(mark) + "\n")
    return Source(folder, filled.expected(wanted, CHARACTERS), *facts)


def _facts(journal: Journal) -> tuple[list[int], list[list[Any]]]:
    """The money and the batches under way, JSON-safe."""
    return list(journal.spent()), [list(batch) for batch in batchlog.under_way(journal)]


def _look(path: Path, source: Source) -> stand.Child:
    """Open a damaged journal as a build does, and ask for every reply."""

    def work(say: stand.Say) -> None:
        with Journal(path) as journal:
            _check_mark(path.parent, journal)
            batchlog.check(journal)
            found = {kept.key: sha256(kept.body) for kept in journal.replies(list(source.digests))}
            money, batches = _facts(journal)
            query = "SELECT key FROM attempt WHERE state = 'unknown'"
            unknown = journal.submit(lambda c: c.execute(query).fetchall()).result()
            marked = [str(row[0]) for row in unknown]
            seen = {"replies": found, "money": money, "batches": batches, "marked": marked}
            say(f"found {json.dumps(seen)}")

    child = stand.fork(work)
    child.end()
    return child


def _judge(tally: Tally, label: str, source: Source, child: stand.Child) -> None:
    """Noticed, harmless, or silent, and then how bad."""
    if child.code not in {0, 2, 74}:
        tally.crashes.append(f"{label}: exit {child.code}")
        tally.ends["crash"] += 1
    elif child.code:
        text = str(child.told("error").get("text", ""))
        known = ("corpus salvage", "status.json", "newer version")
        tally.texts[next((word for word in known if word in text), text[-60:])] += 1
        tally.ends["noticed"] += 1
    else:
        harms = _harms(source, child.told("found"))
        tally.silent.update(f"{harm} ({label})" for harm in harms)
        tally.ends.update(harms or {"harmless"})


def _harms(source: Source, seen: dict[str, Any]) -> set[str]:
    """What differs in a journal that was taken for whole."""
    replies: dict[str, str] = seen["replies"]
    missing = source.digests.keys() - replies.keys()
    marked = missing & set(seen["marked"])
    harms = set()
    if any(source.digests[key] != digest for key, digest in replies.items()):
        harms.add("reply changed")
    if missing - marked:
        harms.add("reply lost")
    if marked:
        harms.add("reply lost, marked possibly paid")
    if not missing and seen["money"] != source.money:
        harms.add("money changed")
    if seen["batches"] != source.batches:
        harms.add("batch changed")
    return harms


def _salvage(path: Path, source: Source) -> stand.Child:
    """Salvage a damaged journal, and read every reply that is there afterwards."""

    def work(say: stand.Say) -> None:
        saved = salvage(path).saved
        with Journal(path) as journal:
            found = {kept.key: sha256(kept.body) for kept in journal.replies(list(source.digests))}
        say(f"salvaged {json.dumps({'saved': saved, 'replies': found})}")

    child = stand.fork(work)
    child.end()
    return child


def _judge_salvage(tally: Tally, label: str, source: Source, child: stand.Child) -> None:
    counts = tally.salvaged
    if child.code not in {0, 2, 74}:
        tally.crashes.append(f"salvage, {label}: exit {child.code}")
        counts["crash"] += 1
    elif child.code:
        counts["refused"] += 1
    else:
        replies: dict[str, str] = child.told("salvaged")["replies"]
        counts["done"] += 1
        counts["replies"] += len(replies)
        counts["there"] += len(source.digests)
        counts["wrong"] += sum(source.digests[key] != found for key, found in replies.items())


Damage = Callable[[Path, random.Random], None]


def _file(path: Path, chance: random.Random) -> Path:
    """The journal or, where there is one, its log in half of the cases."""
    log = path.with_name(f"{path.name}-wal")
    return log if log.exists() and chance.random() < 0.5 else path


def _flip(path: Path, chance: random.Random) -> None:
    target = _file(path, chance)
    data = bytearray(target.read_bytes())
    place = chance.randrange(len(data))
    data[place] ^= 1 << chance.randrange(8)
    target.write_bytes(data)


def _truncate(path: Path, chance: random.Random) -> None:
    target = _file(path, chance)
    data = target.read_bytes()
    target.write_bytes(data[: chance.randrange(1, len(data))])


def _put(path: Path, chance: random.Random, content: Callable[[bytes], bytes]) -> None:
    """Overwrite a page with something else."""
    target = _file(path, chance)
    data = bytearray(target.read_bytes())
    place = chance.randrange(len(data) // PAGE) * PAGE
    data[place : place + PAGE] = content(bytes(data))
    target.write_bytes(data)


def _zero(path: Path, chance: random.Random) -> None:
    _put(path, chance, lambda _: bytes(PAGE))


def _noise(path: Path, chance: random.Random) -> None:
    _put(path, chance, lambda _: chance.randbytes(PAGE))


def _swap(path: Path, chance: random.Random) -> None:
    """Another page of the same file: whole by itself, in the wrong place."""

    def other(data: bytes) -> bytes:
        place = chance.randrange(len(data) // PAGE) * PAGE
        return data[place : place + PAGE]

    _put(path, chance, other)


def _without_log(path: Path, chance: random.Random) -> None:
    """Delete the log; a journal that has none loses its own tail."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        log.unlink()
    else:
        _truncate(path, chance)


def _empty(path: Path, chance: random.Random) -> None:
    _file(path, chance).write_bytes(b"")


DAMAGES: dict[str, tuple[Damage, int]] = {
    "bit flip": (_flip, 40),
    "truncation": (_truncate, 12),
    "zeroed page": (_zero, 12),
    "random page": (_noise, 12),
    "page in wrong place": (_swap, 12),
    "log deleted": (_without_log, 6),
    "file emptied": (_empty, 6),
}


def _claims(tally: Tally, count: int) -> list[Claim]:
    name, ends = "mutations", tally.ends
    kinds = ", ".join(f"{number} {kind}" for kind, number in tally.kinds.items())
    named = ", ".join(f"{number} '{text}'" for text, number in tally.texts.most_common(4))
    silent = {harm: ends[harm] for harm in ("reply changed", "reply lost", "money changed",
                                            "batch changed")}  # fmt: skip
    marked = ends["reply lost, marked possibly paid"]
    kept = tally.salvaged
    return [
        Claim(name, f"damage noticed, or harmless ({kinds})", "100 %",
              f"{ends['noticed']} noticed ({named}), {ends['harmless']} harmless, {marked} asked "
              f"again and marked possibly paid; of {count}",
              ends["noticed"] + ends["harmless"] + marked >= count and not any(silent.values())),
        *(Claim(name, f"in silence: {harm}", "0", _told(tally, harm), not number)
          for harm, number in silent.items()),
        Claim(name, "salvage: crashes; wrong replies; replies saved where it ran", "0; 0; -",
              f"{kept['crash']}; {kept['wrong']}; {kept['replies']:,} of {kept['there']:,} in "
              f"{kept['done']} journals, {kept['refused']} refused",
              kept["crash"] == kept["wrong"] == 0),
        Claim(name, "crashes", "0", "; ".join(tally.crashes[:3]) or "0", not tally.crashes),
    ]  # fmt: skip


def _told(tally: Tally, harm: str) -> str:
    found = {k: n for k, n in tally.silent.items() if k.startswith(f"{harm} (")}
    cases = ", ".join(f"{n} {k.removeprefix(harm + ' ').strip('()')}" for k, n in found.items())
    return f"{sum(found.values())}{': ' if cases else ''}{cases}"
