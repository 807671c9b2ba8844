"""Out of a damaged journal, everything that is still whole.

The damaged file is renamed and never written again; a new journal gets every reply whose digest
still matches. SQLite reads around a bad page only by key, so keys are gathered from all tables that
can still be read, from both ends, and each row is then fetched by itself. A reply that no query
reaches is looked for page by page (``pages``), and known by its digest.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from corpus.errors import DiskError, InputError, Locked
from corpus.model import pages
from corpus.model.journal import Journal, sha256

Row = tuple[Any, ...]
RESULT = 4  # columns of the table of replies
MOST_BYTES = 1 << 40  # of a journal: a header that says more is damaged itself
PAGES_AT, WIDTH_AT = 28, 16  # bytes of the header that hold the pages of the file and their width
COPIED = {  # table: its columns; what a journal holds beside results is small and goes row by row
    "meta": "name, value",
    "batch": "nonce, id, size, digest, state, began, ends, listings, origin",
    "batch_item": "nonce, place, attempt",
    "surplus": "attempt, body, sha256",
    "event": "id, at, kind, detail",
}


class Salvaged(NamedTuple):
    """How many replies were saved, how many are lost, and where the old file is."""

    saved: int
    damaged: int
    aside: Path


def salvage(path: Path) -> Salvaged:
    """Set a damaged journal aside and make a new one of its whole rows.

    Raises:
        InputError: there is no journal.
        Locked: a build holds it, so nothing shows that it is damaged.
        DiskError: nothing of it can be read; it is left where it was.
    """
    if not path.exists():
        raise InputError(f"{path}: no journal there; give the --output of 'corpus build'")
    with (
        _whole_length(path) as whole,
        _looked_through(whole) as loose,
        contextlib.closing(_reader(whole)) as old,
    ):
        fresh = path.with_name(f".{path.name}.salvaged")
        fresh.unlink(missing_ok=True)
        with Journal(fresh) as journal:
            saved, damaged, keys = journal.submit(lambda new: _copy(old, new, loose)).result()
        if not keys or (damaged and not saved):
            fresh.unlink()
            raise DiskError(f"{path}: no reply in it can be read; restore it from a backup")
    aside = next(_names(path))
    for suffix in ("", "-wal"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    fresh.replace(path)
    return Salvaged(saved, damaged, aside)


@contextlib.contextmanager
def _whole_length(path: Path) -> Iterator[Path]:
    """The journal, or a copy of its own length where it was truncated.

    SQLite reads nothing of a file that is shorter than its header says; padded with zeros, every
    page that is left can be read.
    """
    with path.open("rb") as file:
        head = file.read(PAGES_AT + 4)
    pages = int.from_bytes(head[PAGES_AT:], "big")
    width = int.from_bytes(head[WIDTH_AT : WIDTH_AT + 2], "big") or 1
    wanted = pages * (width if width > 1 else 1 << 16)
    if not path.stat().st_size < wanted < MOST_BYTES:
        yield path
        return
    copy = path.with_name(f".{path.name}.padded")
    try:
        for suffix in ("", "-wal"):
            if (source := path.with_name(path.name + suffix)).exists():
                shutil.copyfile(source, copy.with_name(copy.name + suffix))
        os.truncate(copy, wanted)
        yield copy
    finally:
        for suffix in ("", "-wal", "-shm"):
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)


@contextlib.contextmanager
def _looked_through(path: Path) -> Iterator[Iterable[Row]]:
    """The rows that stand on the pages; the log is read now, for SQLite may delete a broken one."""
    log = path.with_name(path.name + "-wal")
    newer = log.read_bytes() if log.exists() else b""
    with path.open("rb", buffering=0) as raw:
        yield pages.rows(raw, newer)


def _reader(path: Path) -> sqlite3.Connection:
    """A connection that changes as little as it can: the log is read, nothing is checkpointed."""
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA query_only = ON")
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        if error.sqlite_errorname == "SQLITE_BUSY":
            connection.close()
            raise Locked(f"{path.parent}: a build holds it; wait for it to end") from error
    return connection


def _keys(old: sqlite3.Connection) -> list[str]:
    """Every key that any table still shows, in order."""
    found: set[str] = set()
    for table in ("result", "item", "attempt"):
        for way in ("ASC", "DESC"):
            query = f"SELECT key FROM {table} ORDER BY key {way}"  # noqa: S608 - fixed names
            found.update(str(row[0]) for row in _scan(old, query))
    return sorted(found)


def _scan(old: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """The rows up to the first that cannot be read."""
    with contextlib.suppress(sqlite3.Error):
        yield from old.execute(query)


def _copy(
    old: sqlite3.Connection, new: sqlite3.Connection, loose: Iterable[Row]
) -> tuple[int, int, int]:
    """Copy all that is whole; how many results were saved, how many are lost, keys in all."""
    for key in _keys(old):
        item = _one(old, "SELECT key, stage, body FROM item WHERE key = ?", key)
        _put(new, "item VALUES (?, ?, ?)", item or (key, "?", "{}"))
        _put(new, "item VALUES (?, ?, ?)", (key, "?", "{}"))  # where the row itself was no good
        for attempt in _scan_key(old, key):
            _put(new, f"attempt VALUES ({','.join('?' * 10)})", attempt)
        row = _one(old, "SELECT key, attempt, body, sha256 FROM result WHERE key = ?", key)
        if row is not None:
            _put(new, "attempt (id, key, state) VALUES (?, ?, 'ok')", (row[1], key))
            if _is_whole(row):
                _put(new, "result VALUES (?, ?, ?, ?)", row)
    _copy_loose(loose, new)
    (damaged,) = new.execute(
        "SELECT count(DISTINCT key) FROM attempt "
        "WHERE state = 'ok' AND key NOT IN (SELECT key FROM result)"
    ).fetchone()
    new.execute(
        "UPDATE attempt SET state = 'error', detail = 'the reply was damaged on disk' "
        "WHERE state = 'ok' AND key NOT IN (SELECT key FROM result)"
    )
    for table, columns in COPIED.items():
        marks = ",".join("?" * (columns.count(",") + 1))
        for row in _scan(old, f"SELECT {columns} FROM {table}"):  # noqa: S608 - fixed names
            _put(new, f"{table} ({columns}) VALUES ({marks})", row)
    saved, keys = new.execute(
        "SELECT (SELECT count(*) FROM result), (SELECT count(*) FROM item)"
    ).fetchone()
    return saved, damaged, keys


def _copy_loose(rows: Iterable[Row], new: sqlite3.Connection) -> None:
    """Add the whole replies that no query reached."""
    there = {key for (key,) in new.execute("SELECT key FROM result")}
    for row in rows:
        if len(row) != RESULT or not _is_whole(row) or row[0] in there:
            continue
        _put(new, "item VALUES (?, ?, ?)", (row[0], "?", "{}"))
        _put(new, "attempt (id, key, state) VALUES (?, ?, 'ok')", (row[1], row[0]))
        _put(new, "result VALUES (?, ?, ?, ?)", row)


def _is_whole(row: tuple[Any, ...]) -> bool:
    """Whether a row of the table of replies is as it was written."""
    return isinstance(row[2], str) and sha256(row[2]) == row[3]


def _put(new: sqlite3.Connection, where: str, row: tuple[Any, ...]) -> bool:
    """Insert a row unless it is there, or damage made it one that no table takes."""
    try:
        return new.execute(f"INSERT OR IGNORE INTO {where}", row).rowcount > 0
    except (sqlite3.Error, UnicodeError, OverflowError):
        return False


def _one(old: sqlite3.Connection, query: str, key: str) -> tuple[Any, ...] | None:
    with contextlib.suppress(sqlite3.Error):
        row: tuple[Any, ...] | None = old.execute(query, (key,)).fetchone()
        return row
    return None


def _scan_key(old: sqlite3.Connection, key: str) -> list[tuple[Any, ...]]:
    query = (
        "SELECT id, key, batch, state, status, detail, request_id, worst, cost, started "
        "FROM attempt WHERE key = ?"
    )
    with contextlib.suppress(sqlite3.Error):
        return old.execute(query, (key,)).fetchall()
    return []


def _names(path: Path) -> Iterator[Path]:
    """Names for the file that is set aside: the first that is free."""
    number = 1
    while True:
        name = path.with_name(f"{path.name}.damaged-{number}")
        if not name.exists():
            yield name
        number += 1
