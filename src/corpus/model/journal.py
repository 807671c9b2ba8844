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
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from corpus import store
from corpus.errors import DiskError, InputError, Locked
from corpus.model.schema import migrate
from corpus.records import Request

GROUP = 256  # operations in one transaction at most
SLICE = 500  # keys in one query: any SQLite takes so many parameters

FLOOR = 2 * 2**20  # bytes that must be free: replies in flight, and the log's own needs

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]


class Kept(NamedTuple):
    """A raw reply as it was committed; ``attempt`` numbers grow with time."""

    key: str
    body: str
    sha256: str
    cost: int | None
    batch: bool
    attempt: int


class Spent(NamedTuple):
    """Micro-dollars: paid for sure, possibly paid (at worst), set aside for batches under way."""

    paid: int
    possibly: int
    reserved: int


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
        self._closed = False
        self._connection = _open(path)
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation[T]) -> Future[T]:
        """Run ``operation`` in the next transaction; the future is done once that is committed."""
        future: Future[T] = Future()
        if self._closed:
            future.set_exception(DiskError(f"{self.path}: closed already"))
        else:
            self._queue.put((operation, future))
        return future

    def meta(self, name: str, default: str) -> str:
        """The value that the first run wrote under ``name``; ``default`` if this is the first."""

        def remember(connection: sqlite3.Connection) -> str:
            connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, default))
            found = connection.execute("SELECT value FROM meta WHERE name = ?", (name,))
            return str(found.fetchone()[0])

        return self.submit(remember).result()

    def remembered(self, name: str) -> str | None:
        """The value under ``name``; None if no run wrote one."""

        def look(connection: sqlite3.Connection) -> str | None:
            found = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
            return None if found is None else str(found[0])

        return self.submit(look).result()

    def replies(self, keys: list[str]) -> Iterator[Kept]:
        """Yield the replies to those keys that have one, each checked against its digest.

        Raises:
            DiskError: a body is not the one that was written, or is gone.
        """
        for start in range(0, len(keys), SLICE):
            part = keys[start : start + SLICE]
            found, lost = self.submit(partial(_select, keys=part)).result()
            lost += [kept.key for kept in found if not _is_whole(kept)]
            if lost:
                raise DiskError(
                    f"{self.path}: {len(lost)} replies were damaged on disk, such as {lost[0]}; "
                    f"'corpus salvage {self.path.parent}' keeps what is whole"
                )
            yield from found

    def check_room(self, needed: int = FLOOR) -> None:
        """Make sure that replies will find room on the disk, before they are paid for.

        Raises:
            DiskError: fewer than ``needed`` bytes are free, or the folder is gone.
        """
        try:
            free = shutil.disk_usage(self.path.parent).free
        except OSError as error:
            raise DiskError(f"{self.path.parent}: cannot be used ({error.strerror})") from error
        if free < needed:
            raise DiskError(
                f"{self.path.parent}: {free:,} bytes free, {needed:,} are needed to keep what is "
                f"paid for; free space, then run the same command again"
            )

    def intend(self, request: Request, worst: int | None) -> Future[int]:
        """Note that ``request`` is about to be sent; the result is the attempt's number.

        Raises:
            DiskError: its reply might find no room.
        """
        self.check_room()

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
            row = (key, attempt, body, sha256(body))
            connection.execute("INSERT OR IGNORE INTO result VALUES (?, ?, ?, ?)", row)

        return self.submit(note)

    def event(self, kind: str, detail: str) -> Future[None]:
        """Note what happened to the run as a whole, for whoever asks later."""

        def note(connection: sqlite3.Connection) -> None:
            row = (kind, detail[:500])
            connection.execute("INSERT INTO event (kind, detail) VALUES (?, ?)", row)

        return self.submit(note)

    def spent(self) -> Spent:
        """The money of all runs of this output."""
        return self.submit(_spent).result()

    def price(self, cost: Callable[[str, str, bool], int | None]) -> int:
        """Give a cost to replies that were kept without one; how many got one.

        Args:
            cost: micro-dollars of a reply by its request's body, its own, and whether by batch.
        """

        def note(connection: sqlite3.Connection) -> int:
            rows = connection.execute(
                "SELECT attempt.id, item.body, result.body, batch IS NOT NULL FROM attempt "
                "JOIN result ON result.attempt = attempt.id JOIN item ON item.key = attempt.key "
                "WHERE state = 'ok' AND cost IS NULL"
            ).fetchall()
            priced = [(cost(asked, body, batch), name) for name, asked, body, batch in rows]
            known = [row for row in priced if row[0] is not None]
            connection.executemany("UPDATE attempt SET cost = ? WHERE id = ?", known)
            return len(known)

        return self.submit(note).result()

    def attempts(self) -> int:
        """The number of the newest attempt: what has a larger one is of this run."""
        query = "SELECT coalesce(max(id), 0) FROM attempt"
        return int(self.submit(lambda c: c.execute(query).fetchone()).result()[0])

    def accounts(self) -> dict[str, Any]:
        """Attempts by state, replies and cost by way, unknown outcomes, events: JSON-safe."""
        return self.submit(_accounts).result()

    def close(self) -> None:
        """Commit what is queued and give the lock back."""
        if not self._closed:
            self._closed = True
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
            going = None not in group  # a call may race the end and stand behind its mark
            self._commit([entry for entry in group if entry is not None])

    def _commit(self, group: list[tuple[Operation[Any], Future[Any]]]) -> None:
        try:
            with self._connection:
                self._connection.execute("BEGIN")
                results = [operation(self._connection) for operation, _ in group]
        except BaseException as error:  # noqa: BLE001 - whatever it is, nobody may wait forever
            failure: BaseException = error
            if isinstance(error, _DAMAGE):
                failure = _failure(self.path, error)
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
        migrate(connection, path)
        _cut_off(connection)
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        connection.close()
        if "locked" in str(error):
            raise Locked(f"{path.parent}: another build holds it{_holder(path)}") from error
        raise _failure(path, error) from error
    except _DAMAGE as error:
        connection.close()
        raise _failure(path, error) from error
    except InputError:
        connection.close()
        raise
    return connection


_DAMAGE = (sqlite3.Error, UnicodeDecodeError, TypeError)  # SQLite may quote bytes that are no text


def _failure(path: Path, error: Exception) -> DiskError:
    """Damage is told from a disk that is full or cannot be written."""
    name = getattr(error, "sqlite_errorname", "SQLITE_CORRUPT")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR", "SQLITE_CONSTRAINT")):
        return DiskError(
            f"{path}: damaged ({error}); 'corpus salvage {path.parent}' keeps what is whole and "
            f"sets the file aside"
        )
    return DiskError(
        f"{path}: cannot be written ({error}); free space or check the disk, then run "
        f"the same command again"
    )


def _cut_off(connection: sqlite3.Connection) -> None:
    """Direct calls that were under way when the last process died: nobody knows how they ended.

    Those in a batch are known by its nonce and can be found again.
    """
    connection.execute(
        "UPDATE attempt SET state = 'unknown', detail = 'the process ended before an answer came' "
        "WHERE state = 'intent' AND batch IS NULL"
    )


def _holder(path: Path) -> str:
    """Who holds the lock, as far as its ``status.json`` tells."""
    try:
        rows = store.read_if_there(path.with_name("status.json"))
    except InputError:
        return "; wait for it to end"
    running = bool(rows) and rows[0].get("state") == "running"  # else it tells of another run
    who = f" (pid {rows[0].get('pid')} on {rows[0].get('host')})" if running else ""
    return f"{who}; wait for it to end, or stop it"


def sha256(body: str) -> str:
    """The digest that guards a body on disk."""
    return hashlib.sha256(body.encode()).hexdigest()


def _select(connection: sqlite3.Connection, keys: list[str]) -> tuple[list[Kept], list[str]]:
    """The replies to ``keys``, and those keys that were answered and have none any more."""
    query = (
        "SELECT result.key, result.body, result.sha256, cost, batch IS NOT NULL, attempt.id "
        "FROM result JOIN attempt ON attempt.id = result.attempt WHERE result.key IN "
    )
    found = [Kept(*row) for row in connection.execute(query + _marks(keys), keys)]
    others = list(set(keys) - {kept.key for kept in found})
    query = "SELECT key FROM attempt WHERE state = 'ok' AND key IN "
    lost = connection.execute(query + _marks(others), others)
    return found, sorted({row[0] for row in lost})


def _is_whole(kept: Kept) -> bool:
    """Damage can also change the type of a value."""
    cost = kept.cost is None or isinstance(kept.cost, int)
    return isinstance(kept.body, str) and cost and sha256(kept.body) == kept.sha256


def _marks(values: list[str]) -> str:
    return f"({','.join('?' * len(values))})"


def _spent(connection: sqlite3.Connection) -> Spent:
    row = connection.execute("""
        SELECT coalesce(sum(cost), 0),
          coalesce(sum(CASE WHEN state = 'unknown' OR (state = 'ok' AND cost IS NULL)
                       THEN worst END), 0),
          coalesce(sum(CASE WHEN state = 'intent' THEN worst END), 0)
        FROM attempt""")
    return Spent(*row.fetchone())


def _accounts(connection: sqlite3.Connection) -> dict[str, Any]:
    def table(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    ways = {bool(row[0]): row[1:] for row in table(
        "SELECT batch IS NOT NULL, count(*), coalesce(sum(cost), 0) FROM attempt "
        "WHERE state = 'ok' GROUP BY 1"
    )}  # fmt: skip
    direct, batch = ways.get(False, (0, 0)), ways.get(True, (0, 0))
    batches = table("SELECT count(*) FROM batch WHERE id IS NOT NULL")[0][0]
    unknown = table(
        "SELECT attempt.key, stage, detail, worst, started FROM attempt "
        "JOIN item ON item.key = attempt.key WHERE state = 'unknown' ORDER BY id LIMIT 200"
    )
    names = ("key", "stage", "detail", "worst", "started")
    return {
        "attempts": dict(table("SELECT state, count(*) FROM attempt GROUP BY 1 ORDER BY 1")),
        "direct": {"replies": direct[0], "cost": direct[1]},
        "batch": {"replies": batch[0], "cost": batch[1], "batches": batches},
        "unknown": [dict(zip(names, row, strict=True)) for row in unknown],
        "possibly_paid": _spent(connection).possibly,
        "events": dict(table("SELECT kind, count(*) FROM event GROUP BY 1 ORDER BY 1")),
    }
