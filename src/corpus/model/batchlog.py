"""What the journal knows of batches: intents, their items, and how each of them ended."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from corpus.model.journal import FLOOR, sha256
from corpus.model.replies import read_reply
from corpus.records import Request, digest
from corpus.store import line

if TYPE_CHECKING:
    from corpus.model.journal import Journal

GROUP = 500  # rows of results in one transaction
UNDER_WAY = ("intent", "created", "ended", "fetched")
LOST = ("never", "given_up")
KEPT = 29 * 86_400.0  # seconds for which results can be fetched, from the creation of a batch


class Batch(NamedTuple):
    """A batch as the journal has it.

    ``began`` is the wall clock at its intent, ``origin`` the server that it was sent to, ``ends``
    when that server lets go of its results.
    """

    nonce: str
    id: str | None
    size: int
    state: str
    began: float
    origin: str = ""
    ends: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """How one attempt of a batch ended: with a body, or without one and why."""

    attempt: int
    state: str
    body: str | None = None
    cost: int | None = 0
    detail: str | None = None


def intend(
    journal: Journal,
    nonce: str,
    requests: list[Request],
    worst: list[int | None],
    now: float,
    origin: str = "",
) -> Batch:
    """Commit a batch and its items before it is sent.

    Raises:
        DiskError: the disk has no room for it.
    """
    journal.check_room(FLOOR + 2 * sum(len(line(request.body())) for request in requests))
    batch = Batch(nonce, None, len(requests), "intent", now, origin)

    def note(connection: sqlite3.Connection) -> None:
        keys = digest([request.key for request in requests])
        connection.execute(
            "INSERT INTO batch (nonce, size, digest, state, began, origin) "
            "VALUES (?, ?, ?, 'intent', ?, ?)",
            (nonce, len(requests), keys, now, origin),
        )
        connection.executemany(
            "INSERT OR IGNORE INTO item VALUES (?, ?, ?)",
            ((r.key, r.stage, line(r.body())) for r in requests),
        )
        for place, (request, most) in enumerate(zip(requests, worst, strict=True)):
            made = connection.execute(
                "INSERT INTO attempt (key, batch, state, worst) VALUES (?, ?, 'intent', ?)",
                (request.key, nonce, most),
            )
            item = (nonce, place, made.lastrowid)
            connection.execute("INSERT INTO batch_item VALUES (?, ?, ?)", item)

    journal.submit(note).result()
    return batch


def under_way(journal: Journal, states: tuple[str, ...] = UNDER_WAY) -> list[Batch]:
    """The batches in these states, oldest first."""
    marks = ",".join("?" * len(states))
    query = (
        "SELECT nonce, id, size, state, began, origin, ends FROM batch "  # noqa: S608 - marks only
        f"WHERE state IN ({marks}) ORDER BY began"
    )
    rows = journal.submit(lambda c: c.execute(query, states).fetchall()).result()
    return [Batch(*row) for row in rows]


def check(journal: Journal) -> None:
    """Hold open requests against their batches, and those against the digest of their requests.

    A page of the file can be whole in itself and yet the wrong one; a batch that is forgotten so
    would be bought again.

    Raises:
        DiskError: a batch that is not settled was lost or changed on disk.
    """
    journal.submit(_check).result()


def _check(connection: sqlite3.Connection) -> None:
    orphans = connection.execute(
        "SELECT count(*) FROM attempt WHERE state = 'intent' AND batch IS NOT NULL "
        "AND batch NOT IN (SELECT nonce FROM batch)"
    ).fetchone()[0]
    if orphans:
        raise sqlite3.DatabaseError(f"{orphans} open requests of a batch that is not there")
    marks = ",".join("?" * len(UNDER_WAY))
    query = f"SELECT nonce, digest FROM batch WHERE state IN ({marks})"  # noqa: S608 - marks only
    for nonce, made_of in connection.execute(query, UNDER_WAY).fetchall():
        found = connection.execute(
            "SELECT key FROM batch_item JOIN attempt ON attempt.id = attempt "
            "WHERE nonce = ? ORDER BY place",
            (nonce,),
        )
        if digest([row[0] for row in found]) != made_of:
            raise sqlite3.DatabaseError(f"batch {nonce} is not made of its requests any more")


def ids(journal: Journal) -> set[str]:
    """Every batch id of the provider that is taken."""
    query = "SELECT id FROM batch WHERE id IS NOT NULL"
    return {row[0] for row in journal.submit(lambda c: c.execute(query).fetchall()).result()}


def keys(journal: Journal, nonce: str) -> set[str]:
    """The requests of a batch that are not settled yet."""
    query = "SELECT key FROM attempt WHERE batch = ? AND state = 'intent'"
    return {r[0] for r in journal.submit(lambda c: c.execute(query, (nonce,)).fetchall()).result()}


def created(journal: Journal, nonce: str, name: str) -> None:
    """The provider took it, under this id, and keeps its results for 29 days.

    One that was taken for lost is open again, with all requests that it left without an answer.
    """

    def note(connection: sqlite3.Connection) -> None:
        connection.execute(
            "UPDATE batch SET state = 'created', id = ?, ends = began + ? WHERE nonce = ?",
            (name, KEPT, nonce),
        )
        connection.execute(
            "UPDATE attempt SET state = 'intent', detail = NULL, cost = NULL "
            "WHERE batch = ? AND detail IN ('batch: never', 'batch: given_up')",
            (nonce,),
        )

    journal.submit(note).result()


def ended(journal: Journal, nonce: str) -> None:
    """The provider has done all it will do."""
    _set(journal, nonce, "state = 'ended'")


def fetched(journal: Journal, nonce: str) -> None:
    """Every row is committed."""
    _set(journal, nonce, "state = 'fetched'")


def parsed(journal: Journal, nonce: str) -> int:
    """Every reply was read back; the number of those that are no message."""

    def read(connection: sqlite3.Connection) -> int:
        bodies = connection.execute(
            "SELECT body FROM attempt JOIN result ON result.key = attempt.key WHERE batch = ?",
            (nonce,),
        )
        return sum(read_reply("", row[0], None).stop == "unreadable" for row in bodies)

    unreadable = journal.submit(read).result()
    _set(journal, nonce, "state = 'parsed'")
    return unreadable


def listed(journal: Journal, nonce: str) -> int:
    """Count one more listing that did not show the batch; how many there were."""
    _set(journal, nonce, "listings = listings + 1")
    query = "SELECT listings FROM batch WHERE nonce = ?"
    return int(journal.submit(lambda c: c.execute(query, (nonce,)).fetchone()).result()[0])


def never(journal: Journal, nonce: str, state: str = "never") -> list[int | None]:
    """Close a batch that was never made, or is given up; the worst cases that this sets free.

    What was given up may have been paid for: its attempts stay on file as unknown.
    """
    outcome = "error" if state == "never" else "unknown"

    def note(connection: sqlite3.Connection) -> list[int | None]:
        connection.execute("UPDATE batch SET state = ? WHERE nonce = ?", (state, nonce))
        rows = connection.execute(
            "UPDATE attempt SET state = ?, detail = ?, cost = 0 "
            "WHERE batch = ? AND state = 'intent' RETURNING worst",
            (outcome, f"batch: {state}", nonce),
        )
        return [row[0] for row in rows.fetchall()]

    return journal.submit(note).result()


def attempts(
    journal: Journal, nonce: str, places: list[int]
) -> dict[int, tuple[int, str, int | None]]:
    """Attempt, key and worst case of the items at these places."""
    marks = ",".join("?" * len(places))
    query = (
        "SELECT place, attempt.id, key, worst FROM batch_item "  # noqa: S608 - marks only
        f"JOIN attempt ON attempt.id = attempt WHERE nonce = ? AND place IN ({marks})"
    )
    rows = journal.submit(lambda c: c.execute(query, (nonce, *places)).fetchall()).result()
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def open_items(journal: Journal, nonce: str) -> list[tuple[int, int | None]]:
    """Attempts of a batch that no row has settled, each with its worst case."""
    query = "SELECT id, worst FROM attempt WHERE batch = ? AND state = 'intent'"
    return journal.submit(lambda c: c.execute(query, (nonce,)).fetchall()).result()


def succeeded(journal: Journal, nonce: str) -> int:
    """How many replies of a batch are on file."""
    query = "SELECT count(*) FROM attempt WHERE batch = ? AND state = 'ok'"
    return int(journal.submit(lambda c: c.execute(query, (nonce,)).fetchone()).result()[0])


def settle(journal: Journal, rows: list[Row]) -> list[bool]:
    """Commit how attempts ended, bodies first; False for a row that said nothing new.

    Of two different bodies for one attempt the first stays in use and the other is kept as well:
    it may be text that was paid for.
    """

    def note(connection: sqlite3.Connection) -> list[bool]:
        return [_settle(connection, row) for row in rows]

    return journal.submit(note).result()


def _settle(connection: sqlite3.Connection, row: Row) -> bool:
    changed = connection.execute(
        "UPDATE attempt SET state = ?, cost = ?, detail = ? WHERE id = ? AND state = 'intent' "
        "RETURNING key",
        (row.state, row.cost, row.detail and row.detail[:500], row.attempt),
    ).fetchone()
    if row.body is None:
        return changed is not None
    guard = sha256(row.body)
    if changed:
        taken = connection.execute(
            "INSERT OR IGNORE INTO result VALUES (?, ?, ?, ?)",
            (changed[0], row.attempt, row.body, guard),
        )
        if taken.rowcount:
            return True
    _keep_surplus(connection, row.attempt, row.body, guard)
    return changed is not None


def _keep_surplus(connection: sqlite3.Connection, attempt: int, body: str, guard: str) -> None:
    """Keep a second, different body, and say so in the events."""
    known = connection.execute(
        "SELECT sha256 FROM result WHERE key = (SELECT key FROM attempt WHERE id = ?) "
        "UNION SELECT sha256 FROM surplus WHERE attempt = ?",
        (attempt, attempt),
    ).fetchall()
    if (guard,) not in known:
        connection.execute("INSERT INTO surplus VALUES (?, ?, ?)", (attempt, body, guard))
        row = ("row_surplus", f"attempt {attempt} has a second body")
        connection.execute("INSERT INTO event (kind, detail) VALUES (?, ?)", row)


def _set(journal: Journal, nonce: str, what: str, *values: Any) -> None:  # noqa: ANN401 - SQL values
    query = f"UPDATE batch SET {what} WHERE nonce = ?"  # noqa: S608 - written above
    journal.submit(lambda c: c.execute(query, (*values, nonce)) and None).result()
