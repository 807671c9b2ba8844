"""Rows of a damaged SQLite file that no query reaches any more, found page by page.

A query stops at the first bad page of a tree; the pages behind it are whole. Here every page is
looked at by itself, those of the write-ahead log over those of the file, and what has the shape of
a row is yielded. Nothing says that it is one: the caller must be able to tell a true row, as by a
digest within it. Source: "Database File Format" (sqlite.org/fileformat2.html), sections 1.6 (pages
of an index tree, as a table WITHOUT ROWID is), 2.1 (records), 4.1 (frames of the log).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import IO, NamedTuple

Value = int | str | bytes | None

_LEAF, _INTERIOR = 0x0A, 0x02  # kinds of pages of an index tree
_WIDTHS = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)  # bytes of a value by its serial type
_FLOAT, _ONE, _BLOB = 7, 9, 12  # serial types
_HEAD, _LOG_HEAD, _FRAME_HEAD = 100, 32, 24  # bytes
_USUAL = 4096  # bytes of a page
_MOST = 1 << 28  # bytes of a row


class _File(NamedTuple):
    """The bytes of a database, the width of its pages, and the newer pages of its log."""

    data: IO[bytes]
    width: int
    usable: int
    newer: Mapping[int, bytes]

    def page(self, number: int) -> bytes:
        """A page by its number, which counts from 1."""
        if number in self.newer:
            return self.newer[number]
        self.data.seek((number - 1) * self.width)
        return self.data.read(self.width)


def rows(data: IO[bytes], log: bytes = b"") -> Iterator[tuple[Value, ...]]:
    """Yield whatever looks like a row of a table WITHOUT ROWID, in the order of the pages.

    Args:
        data: the database, open without a buffer. It is not closed here: that would end the locks
            that SQLite has on the same file in this process.
        log: what its write-ahead log holds.

    Raises:
        OSError: the file cannot be read.
    """
    size = data.seek(0, 2)
    data.seek(0)
    head = data.read(_HEAD)
    width = int.from_bytes(head[16:18], "big")
    width = 1 << 16 if width == 1 else width
    if width < 512 or width & (width - 1):  # noqa: PLR2004 - the least that SQLite knows
        width, head = _USUAL, bytes(_HEAD)  # the header itself is lost
    newer = _newer(log, width)
    file = _File(data, width, width - head[20], newer)
    for number in sorted({*range(1, size // width + 1), *newer}):
        yield from _rows_of(file, file.page(number))


def _newer(log: bytes, width: int) -> dict[int, bytes]:
    """The pages of a log by number, the last of each; frames of an earlier round are none."""
    first = _LOG_HEAD + 8
    salt, found = log[first : first + 8], {}
    for start in range(_LOG_HEAD, len(log) - _FRAME_HEAD - width + 1, _FRAME_HEAD + width):
        if log[start + 8 : start + 16] != salt:
            break
        body = start + _FRAME_HEAD
        found[int.from_bytes(log[start : start + 4], "big")] = log[body : body + width]
    return found


def _rows_of(file: _File, page: bytes) -> Iterator[tuple[Value, ...]]:
    if not page or page[0] not in {_LEAF, _INTERIOR}:
        return
    head, child = (8, 0) if page[0] == _LEAF else (12, 4)
    for cell in range(int.from_bytes(page[3:5], "big")):
        at = head + 2 * cell
        start = int.from_bytes(page[at : at + 2], "big") + child
        with contextlib.suppress(IndexError, ValueError):
            yield _record(_payload(file, page, start))


def _payload(file: _File, page: bytes, start: int) -> bytes:
    """The bytes of a cell, those on its overflow pages included."""
    size, at = _varint(page, start)
    if size > _MOST:
        raise ValueError
    most = (file.usable - 12) * 64 // 255 - 23
    if size <= most:
        return page[at : at + size]
    least = (file.usable - 12) * 32 // 255 - 23
    local = least + (size - least) % (file.usable - 4)
    local = local if local <= most else least
    parts = [page[at : at + local]]
    number, left = int.from_bytes(page[at + local : at + local + 4], "big"), size - local
    while left > 0:
        over = file.page(number) if number else b""
        if len(over) < file.usable:
            raise ValueError
        number = int.from_bytes(over[:4], "big")
        parts.append(over[4 : 4 + min(left, file.usable - 4)])
        left -= len(parts[-1])
    return b"".join(parts)


def _record(data: bytes) -> tuple[Value, ...]:
    """The values of a record; floats come as their bytes."""
    end, at = _varint(data, 0)
    values: list[Value] = []
    place = end
    while at < end:
        kind, at = _varint(data, at)
        width = _WIDTHS[kind] if kind < len(_WIDTHS) else (kind - _BLOB) // 2
        if width < 0 or place + width > len(data):
            raise ValueError
        values.append(_value(kind, data[place : place + width]))
        place += width
    return tuple(values)


def _value(kind: int, data: bytes) -> Value:
    if kind == 0:
        return None
    if kind > _ONE:
        return data.decode() if kind % 2 else data
    if kind == _FLOAT:
        return data
    return int.from_bytes(data, "big", signed=True) if data else int(kind == _ONE)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A whole number of 1 to 9 bytes, and the place behind it."""
    value = 0
    for place in range(at, at + 8):
        value = value << 7 | data[place] & 0x7F
        if data[place] < 0x80:  # noqa: PLR2004 - the bit that says: and another one
            return value, place + 1
    return value << 8 | data[at + 8], at + 9
