"""The batches of an output, by hand: what is under way, and what to do about one that is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus import settings
from corpus.errors import InputError, did_you_mean
from corpus.model import batchlog
from corpus.model.journal import Journal

if TYPE_CHECKING:
    from corpus.model.batches import Batches

ALL = (*batchlog.UNDER_WAY, "parsed", "never", "given_up")


def listed(folder: Path) -> list[dict[str, Any]]:
    """Every batch of an output, oldest first: nonce, id, size, state, begun.

    Raises:
        InputError: nothing was built there.
        Locked: a build is running.
    """
    with _journal(folder) as journal:
        return [
            {
                **batch._asdict(),
                "began": _moment(batch.began),
                "ends": batch.ends and _moment(batch.ends),
                "open": len(batchlog.open_items(journal, batch.nonce)),
            }
            for batch in batchlog.under_way(journal, ALL)
        ]


def table(rows: list[dict[str, Any]]) -> str:
    """The batches for people."""
    lines = [
        f"{row['nonce']}  {row['id'] or '-':<28}  {row['state']:<8}  {row['size']:>6} requests, "
        f"{row['open']} open, {row['began']}"
        + (f", results until {row['ends'][:10]}" if row["open"] and row["ends"] else "")
        for row in rows
    ]
    return "\n".join(lines) or "no batch was sent from here"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def adopt(folder: Path, nonce: str, name: str) -> str:
    """Take the provider's batch ``name`` for an intent whose answer was lost, or that was given up.

    Raises:
        InputError: there is no such intent, or the batch is not its.
    """
    with _room(folder) as (journal, room):
        batch = _find(journal, nonce, (*batchlog.UNDER_WAY, *batchlog.LOST))
        if batch.id is not None and batch.state not in batchlog.LOST:
            raise InputError(f"{nonce}: has its batch already, {batch.id}")
        room.adopt(batch, name)
    return f"{nonce} is {name}; run 'corpus build' to collect its replies"


def cancel(
    folder: Path, nonce: str, ask: Callable[[str], object], *, assume_lost: bool = False
) -> str:
    """Cancel a batch at the provider; give it up where the provider does not have it.

    ``ask`` is asked once the batch is found, and raises if the answer is no; ``assume_lost`` gives
    it up without a look at the provider.

    Raises:
        InputError: there is no such batch under way, it lives at another server, or a batch that
            may be it is in progress.
    """
    with _room(folder) as (journal, room):
        batch = _find(journal, nonce)
        ask(f"batch {batch.id or nonce}, {batch.size:,} requests: cancel it? What the provider has "
            f"done by now is paid for.")  # fmt: skip
        if not assume_lost and (said := _at_provider(batch, room)):
            return said
        room.give_up(batch)
        return f"{nonce}: given up; the next build buys its {batch.size:,} requests again"


def _at_provider(batch: batchlog.Batch, room: Batches) -> str:
    """Have the provider end a batch; what became of that, or nothing if it does not have it."""
    from corpus.model.provider import Gone

    if batch.origin and batch.origin != room.origin:
        raise InputError(
            f"{batch.nonce}: was sent to {batch.origin}, not to {room.origin}; give --assume-lost "
            f"to give it up"
        )
    if batch.id is None and (found := room.look_for(batch)):
        batchlog.created(room.journal, batch.nonce, found)
        return f"{batch.nonce}: is {found}, which has ended; 'corpus build' collects its replies"
    if batch.id is None:
        return ""
    with suppress(Gone):
        if room.provider.ended(batch.id) is not None:
            return f"{batch.id}: has ended; 'corpus build' collects its replies"
        room.provider.cancel(batch.id)
        return f"{batch.id}: asked to end; 'corpus build' collects what was answered"
    return ""


@contextmanager
def _journal(folder: Path) -> Iterator[Journal]:
    path = folder / "journal.sqlite"
    if not path.exists():
        raise InputError(f"{folder}: no build in it; give the --output of 'corpus build'")
    with Journal(path) as journal:
        yield journal


@contextmanager
def _room(folder: Path) -> Iterator[tuple[Journal, Batches]]:
    """The journal of an output and the batches of the writer that it was built with."""
    from corpus.build.authors import writer
    from corpus.model.batches import Batches
    from corpus.model.prices import FREE, Purse

    with _journal(folder) as journal:
        given = replace(settings.load(folder / "corpus.toml"), output=str(folder))
        with writer(given, print) as author:
            room = Batches.of(author, journal, FREE, Purse(None), print)
            try:
                yield journal, room
            finally:
                room.close()


def _find(
    journal: Journal, nonce: str, states: tuple[str, ...] = batchlog.UNDER_WAY
) -> batchlog.Batch:
    """The batch in one of these states with this nonce, or this id at the provider."""
    found = {batch.nonce: batch for batch in batchlog.under_way(journal, states)}
    for batch in list(found.values()):
        if batch.id == nonce:
            return batch
    if nonce not in found:
        known = did_you_mean(nonce, found) if found else "; none is under way"
        raise InputError(f"{nonce}: no batch under way has this nonce or id{known}")
    return found[nonce]
