"""A build's folder: JSON Lines that only grow, and files that are whole or not there.

Two ways to write. ``Log`` appends lines and never touches one that stands; a line torn by a crash
can only be the last, and is cut off when the log is opened again. Everything else is written to a
temporary name, synced, and renamed, so that a reader sees the old file or the new one, never half
of either. This room is the only one that knows ``jsonlines`` and the disk's habits.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Self

import jsonlines

from corpus.errors import DiskError, InputError
from corpus.records import digest

Row = dict[str, Any]
_HALVES = re.compile("[\ud800-\udfff]")


def line(row: Mapping[str, Any]) -> str:
    """The row as one line of compact JSON, keys in their own order, text as it is.

    Half a surrogate pair, which UTF-8 cannot hold, is written as its JSON escape.
    """
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(row, separators=(",", ":")) if _HALVES.search(text) else text


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the JSON objects of a JSON Lines file, one per line; blank lines are passed over.

    Raises:
        InputError: the file cannot be read, is not UTF-8, or a line is not a JSON object; the
            message names the file and the line.
    """
    for _, _, row in read_placed(path):
        yield row


def read_placed(path: Path) -> Iterator[tuple[int, int, Row]]:
    """Yield the objects that ``read_rows`` yields, each after its first byte and its bytes.

    Raises:
        InputError: as ``read_rows``.
    """
    start = end = 0

    def lines(file: IO[bytes]) -> Iterator[str]:
        nonlocal start, end
        for line in file:
            start, end = end, end + len(line)
            yield line.decode()

    try:
        with path.open("rb") as file, jsonlines.Reader(lines(file)) as reader:
            for row in reader.iter(type=dict, skip_empty=True):
                yield start, end - start, row
    except jsonlines.InvalidLineError as error:
        raise InputError(
            f"{path}, line {error.lineno}: not a JSON object: {error.line.strip()[:60]!r}; "
            f"every line must be one JSON object"
        ) from error
    except RecursionError as error:
        raise InputError(f"{path}: a line is nested too deep to be read") from error
    except UnicodeDecodeError as error:
        place = start + error.start
        raise InputError(f"{path}: not UTF-8 ({error.reason} at byte {place})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error


def read_at(file: IO[bytes], start: int, length: int) -> Row:
    """The JSON object that ``read_placed`` found there.

    Raises:
        InputError: there is none any more.
    """
    try:
        file.seek(start)
        row = json.loads(file.read(length).decode("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file.name}: was changed while it was read ({error})") from error
    if not isinstance(row, dict):
        raise InputError(f"{file.name}: was changed while it was read; run the command again")
    return row


def toml(data: bytes, what: str) -> Row:
    """The tables of TOML in UTF-8; a byte order mark is no part of it.

    Raises:
        InputError: it is none, is nested too deep, or holds a number without end; the message
            begins with ``what``.
    """
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} not TOML in UTF-8: {error}") from error


def read_toml(path: Path, where: str = "") -> Row:
    """The tables of a TOML file; ``where`` is what a message calls it.

    Raises:
        InputError: the file cannot be read, or is no TOML in UTF-8.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{where or path}: cannot be read ({error.strerror})") from error
    return toml(data, f"{path}:")


def read_if_there(path: Path) -> list[Row]:
    """The rows of ``path``, or none where there is no such file."""
    return list(read_rows(path)) if path.exists() else []


def read_json(path: Path) -> Row:
    """The JSON object in ``path``.

    Raises:
        InputError: the file cannot be read, or holds no JSON object.
    """
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON ({error}); was it damaged?") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: no JSON object")
    return found


@contextlib.contextmanager
def replacing(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """A file to write that takes the place of ``path`` at the end, whole, or not at all.

    Temporary file, fsync, rename, fsync of the folder: after a crash at any moment ``path`` holds
    the old bytes or the new ones.

    Raises:
        DiskError: the disk is full, read-only, or the folder cannot be made.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    encoding = None if "b" in mode else "utf-8"
    newline = None if "b" in mode else ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open(mode, encoding=encoding, newline=newline) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise DiskError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable, where the system can (not on Windows)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data``, whole or not at all."""
    with replacing(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` in UTF-8, whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Replace ``path`` by ``value`` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def cache_folder() -> Path:
    """Where things are kept that can be made again: ``CORPUS_CACHE``, or the user's own."""
    if given := os.environ.get("CORPUS_CACHE"):
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "constitution-corpus"
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "constitution-corpus"


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace ``path`` by one line per row, whole or not at all."""
    with replacing(path, "w") as file, jsonlines.Writer(file, dumps=line) as writer:
        writer.write_all(rows)


class Log:
    """A JSON Lines file that only grows; of each id's newest line the digest is remembered.

    Opening repairs a torn last line (a crash in mid-write); any other bad line is an error.
    Appending a row that equals the newest one of its id writes nothing, so that a resumed build
    may simply say again what it knows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._newest: dict[str, str] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            repair(path)
            for number, row in enumerate(read_rows(path) if path.exists() else (), start=1):
                if "id" not in row:
                    raise InputError(f"{path}, row {number}: has no 'id'; was it edited?")
                self._newest[row["id"]] = digest(line(row))
            self._file = path.open("a", encoding="utf-8", newline="")
        except OSError as error:
            raise DiskError(f"{path}: cannot be written ({error.strerror})") from error

    def append(self, rows: Iterable[Row]) -> None:
        """Append those rows that say something new, in order, and sync once."""
        try:
            for row in rows:
                text = line(row)
                if self._newest.get(row["id"]) != (told := digest(text)):
                    self._file.write(text + "\n")
                    self._newest[row["id"]] = told
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise DiskError(f"{self.path}: cannot be written ({error.strerror})") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._file.close()
        except OSError as error:  # what a full disk did not take is tried once more
            raise DiskError(f"{self.path}: cannot be written ({error.strerror})") from error


def repair(path: Path) -> int:
    """Cut a last line that has no end; return how many bytes went."""
    if not path.exists():
        return 0
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        keep = size
        while keep > 0:
            start = max(0, keep - 65536)
            file.seek(start)
            found = file.read(keep - start).rfind(b"\n")
            if found >= 0:
                keep = start + found + 1
                break
            keep = start
        file.truncate(keep)
    return size - keep
