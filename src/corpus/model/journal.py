"""The journal: every attempt and every reply that was paid for, in one SQLite file per output.

One thread owns the connection and commits whatever has queued up in one transaction (group
commit), so that durability costs one fsync per group and callers may be threads or coroutines. The
order is fixed: the intent is committed, then the request is sent, then the whole raw reply is
committed, and only then may anybody use it. ``locking_mode=EXCLUSIVE`` makes the file the build
lock as well: it dies with the process, and no ``-shm`` file can fault on a full disk.
"""

from __future__ import annotations

import hashlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self, TypeVar

from corpus import store
from corpus.errors import DiskError, InputError, Locked
from corpus.records import Request

VERSION = 1
SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE item (key TEXT PRIMARY KEY, stage TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL REFERENCES item, batch TEXT,
  state TEXT NOT NULL CHECK (state IN ('intent', 'ok', 'refused', 'error', 'unknown')),
  status INTEGER, detail TEXT, request_id TEXT,
  worst INTEGER, cost INTEGER, started TEXT NOT NULL DEFAULT (datetime('now')));
CREATE INDEX attempt_state ON attempt (state);
CREATE TABLE result (
  key TEXT PRIMARY KEY REFERENCES item, attempt INTEGER NOT NULL REFERENCES attempt,
  body TEXT NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
"""
GROUP = 256  # operations in one transaction at most

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]


class Journal:
    """The journal of one output folder, held by one process.

    Raises:
        Locked: another process holds it; the message names its pid and host where known.
        DiskError: it cannot be written, or it is damaged.
        InputError: it was written by a newer version of this program.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._queue: queue.SimpleQueue[tuple[Operation[Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._connection = _open(path)
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation[T]) -> Future[T]:
        """Run ``operation`` in the next transaction; the future is done once that is committed."""
        future: Future[T] = Future()
        self._queue.put((operation, future))
        return future

    def meta(self, name: str, default: str) -> str:
        """The value that the first run wrote under ``name``; ``default`` if this is the first."""

        def remember(connection: sqlite3.Connection) -> str:
            connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, default))
            found = connection.execute("SELECT value FROM meta WHERE name = ?", (name,))
            return str(found.fetchone()[0])

        return self.submit(remember).result()

    def replies(self, keys: list[str]) -> dict[str, str]:
        """The raw bodies of those keys that have one, each checked against its digest.

        Raises:
            DiskError: a body is not the one that was written.
        """
        found = self.submit(lambda connection: _select(connection, keys)).result()
        for key, (body, sha256) in found.items():
            if hashlib.sha256(body.encode()).hexdigest() != sha256:
                raise DiskError(
                    f"{self.path}: the reply {key} was damaged on disk; restore the file from a "
                    f"backup, or delete that row of the table 'result' to buy it again"
                )
        return {key: body for key, (body, _) in found.items()}

    def intend(self, request: Request, worst: int | None) -> Future[int]:
        """Note that ``request`` is about to be sent; the result is the attempt's number."""

        def note(connection: sqlite3.Connection) -> int:
            body = store.line(request.body())
            item = (request.key, request.stage, body)
            connection.execute("INSERT OR IGNORE INTO item VALUES (?, ?, ?)", item)
            row = connection.execute(
                "INSERT INTO attempt (key, state, worst) VALUES (?, 'intent', ?) RETURNING id",
                (request.key, worst),
            ).fetchone()
            return int(row[0])

        return self.submit(note)

    def fail(self, attempt: int, state: str, status: int | None, detail: str) -> Future[None]:
        """Note that an attempt ended without a reply: ``refused``, ``error`` or ``unknown``."""

        def note(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE attempt SET state = ?, status = ?, detail = ? WHERE id = ?",
                (state, status, detail[:500], attempt),
            )

        return self.submit(note)

    def keep(
        self, attempt: int, key: str, body: str, *, request_id: str, cost: int | None
    ) -> Future[None]:
        """Keep a raw reply, before anybody looks into it."""

        def note(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE attempt SET state = 'ok', status = 200, request_id = ?, cost = ? "
                "WHERE id = ?",
                (request_id, cost, attempt),
            )
            sha256 = hashlib.sha256(body.encode()).hexdigest()
            row = (key, attempt, body, sha256)
            connection.execute("INSERT OR IGNORE INTO result VALUES (?, ?, ?, ?)", row)

        return self.submit(note)

    def spent(self) -> tuple[int, int]:
        """Micro-dollars (paid, possibly paid) over all runs of this output.

        Possibly paid is the worst case of attempts whose outcome nobody knows, those cut off by a
        crash between intent and reply included.
        """
        sums = (
            "SELECT coalesce(sum(cost), 0), coalesce(sum(CASE WHEN state IN ('intent', 'unknown') "
            "THEN worst END), 0) FROM attempt"
        )
        row = self.submit(lambda connection: connection.execute(sums).fetchone()).result()
        return int(row[0]), int(row[1])

    def close(self) -> None:
        """Commit what is queued and give the lock back."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _work(self) -> None:
        going = True
        while going:
            group = [self._queue.get()]
            while len(group) < GROUP and not self._queue.empty():
                group.append(self._queue.get())
            going = group[-1] is not None
            self._commit([entry for entry in group if entry is not None])

    def _commit(self, group: list[tuple[Operation[Any], Future[Any]]]) -> None:
        try:
            with self._connection:
                self._connection.execute("BEGIN")
                results = [operation(self._connection) for operation, _ in group]
        except sqlite3.Error as error:
            failure = DiskError(f"{self.path}: cannot be written ({error}); free space or repair")
            failure.__cause__ = error
            for _, future in group:
                future.set_exception(failure)
        else:
            for (_, future), result in zip(group, results, strict=True):
                future.set_result(result)


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise DiskError(f"{path}: cannot be opened ({error}); check the output folder") from error
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN EXCLUSIVE")
        _migrate(connection, path)
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        connection.close()
        if "locked" in str(error):
            raise Locked(f"{path.parent}: another build holds it{_holder(path)}") from error
        raise DiskError(f"{path}: cannot be written ({error})") from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise DiskError(
            f"{path}: not a journal, or damaged ({error}); keep a copy and build into a new folder"
        ) from error
    except InputError:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a new or older journal to ``VERSION``; a newer one is refused untouched."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise InputError(
            f"{path}: written by a newer version (format {version}, this program knows {VERSION}); "
            f"upgrade, or choose another --output"
        )
    if version == 0:
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _holder(path: Path) -> str:
    """Who holds the lock, as far as its ``status.json`` tells."""
    try:
        rows = store.read_if_there(path.with_name("status.json"))
    except InputError:
        return "; wait for it to end"
    who = f" (pid {rows[0].get('pid')} on {rows[0].get('host')})" if rows else ""
    return f"{who}; wait for it to end, or stop it"


def _select(connection: sqlite3.Connection, keys: list[str]) -> dict[str, tuple[str, str]]:
    """Bodies and digests by key, in slices that any SQLite takes as parameters."""
    found = {}
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        marks = ",".join("?" * len(part))
        query = f"SELECT key, body, sha256 FROM result WHERE key IN ({marks})"  # noqa: S608 - marks only
        found.update({row[0]: (row[1], row[2]) for row in connection.execute(query, part)})
    return found
