"""Out of a damaged journal, everything that is still whole.

The damaged file is renamed and never written again; a new journal gets every reply whose digest
still matches. SQLite reads around a bad page only by key, so keys are gathered from all tables that
can still be read, from both ends, and each row is then fetched by itself.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from corpus.errors import DiskError, InputError, Locked
from corpus.model.journal import Journal, sha256

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
    """How many replies were saved, how many were found damaged, and where the old file is."""

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
    with _whole_length(path) as whole, contextlib.closing(_reader(whole)) as old:
        keys = _keys(old)
        if not keys:
            raise DiskError(f"{path}: no reply in it can be read; restore it from a backup")
        fresh = path.with_name(f".{path.name}.salvaged")
        fresh.unlink(missing_ok=True)
        with Journal(fresh) as journal:
            saved, damaged = journal.submit(lambda new: _copy(old, new, keys)).result()
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
    head = path.read_bytes()[: PAGES_AT + 4]
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


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, keys: list[str]) -> tuple[int, int]:
    """Copy items, attempts and whole results; saved and damaged results."""
    saved = damaged = 0
    for key in keys:
        item = _one(old, "SELECT key, stage, body FROM item WHERE key = ?", key)
        _put(new, "item VALUES (?, ?, ?)", item or (key, "?", "{}"))
        _put(new, "item VALUES (?, ?, ?)", (key, "?", "{}"))  # where the row itself was no good
        for attempt in _scan_key(old, key):
            _put(new, f"attempt VALUES ({','.join('?' * 10)})", attempt)
        row = _one(old, "SELECT key, attempt, body, sha256 FROM result WHERE key = ?", key)
        if row is None:
            continue
        whole = isinstance(row[2], str) and sha256(row[2]) == row[3]
        _put(new, "attempt (id, key, state) VALUES (?, ?, 'ok')", (row[1], key))
        if whole and _put(new, "result VALUES (?, ?, ?, ?)", row):
            saved += 1
        else:
            damaged += 1
    new.execute(
        "UPDATE attempt SET state = 'error', detail = 'the reply was damaged on disk' "
        "WHERE state = 'ok' AND key NOT IN (SELECT key FROM result)"
    )
    for table, columns in COPIED.items():
        marks = ",".join("?" * (columns.count(",") + 1))
        for row in _scan(old, f"SELECT {columns} FROM {table}"):  # noqa: S608 - fixed names
            _put(new, f"{table} ({columns}) VALUES ({marks})", row)
    return saved, damaged


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
