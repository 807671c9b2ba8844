"""Columns of numbers, one row after the other, in a file without a name.

An export remembers a few numbers of every row. In memory they would grow with the corpus; here no
more than a block of them waits there, and a column is read back when it is looked at.
"""

from __future__ import annotations

import io
import tempfile
import weakref
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import DiskError

BLOCK = 1 << 13  # rows that wait in memory: fewer never reach the disk

Column = np.ndarray[tuple[int], np.dtype[Any]]


class Table:
    """Rows of numbers, of the types that ``columns`` names by their codes in ``array``.

    The file is made in ``folder``, or where the system keeps such files, once it is needed. It
    holds blocks of rows, in each of them one column after the other.

    Raises:
        DiskError: the file cannot be written.
    """

    def __init__(self, columns: Mapping[str, str], folder: Path | None = None) -> None:
        self._waiting = {name: array(code) for name, code in columns.items()}
        self._columns = list(self._waiting.values())
        self._folder = folder
        self._file: io.RawIOBase | None = None
        self._blocks = 0

    def __len__(self) -> int:
        return self._blocks * BLOCK + len(self._columns[0])

    def add(self, *values: int) -> None:
        """Put a row, its values in the order of the columns."""
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)
        if len(self._columns[0]) == BLOCK:
            self._flush()

    def column(self, name: str) -> Column:
        """A column of all rows, as an array that the caller may change."""
        waiting = self._waiting[name]
        found: Column = np.empty(len(self), dtype=waiting.typecode)
        found[self._blocks * BLOCK :] = waiting
        if self._file is not None:
            start = self._start(name)
            bytes_of = found.view(np.uint8)
            size = BLOCK * waiting.itemsize
            for block in range(self._blocks):
                self._file.seek(block * self._start() + start)
                if not filled(self._file, bytes_of[block * size : (block + 1) * size].data):
                    place = self._folder or tempfile.gettempdir()
                    raise DiskError(f"{place}: what was written there cannot be read back")
        return found

    def clear(self) -> None:
        """Forget all rows."""
        for column in self._columns:
            del column[:]
        self._blocks = 0

    def close(self) -> None:
        """Forget all rows and let go of the file."""
        self.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _start(self, name: str | None = None) -> int:
        """Where a column begins in a block; the size of a block without a name."""
        start = 0
        for one, column in self._waiting.items():
            if one == name:
                break
            start += BLOCK * column.itemsize
        return start

    def _flush(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            self._file.seek(self._blocks * self._start())
            for column in self._columns:
                put(self._file, column)
                del column[:]
        except OSError as error:
            place = self._folder or tempfile.gettempdir()
            raise DiskError(f"{place}: cannot be written ({error.strerror})") from error
        self._blocks += 1


def put(file: io.RawIOBase, column: array[int]) -> None:
    """Write all of ``column``: a file without a buffer may take less at a time."""
    left = memoryview(column).cast("B")
    try:
        while left:
            left = left[file.write(left) or 0 :]
    finally:
        left.release()  # else ``column`` could not be emptied


def filled(file: io.RawIOBase, left: memoryview) -> bool:
    """Read until ``left`` is full; whether the file had so much."""
    while left and (count := file.readinto(left)):
        left = left[count:]
    return not left
