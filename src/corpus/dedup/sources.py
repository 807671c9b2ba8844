"""Where texts are while they are compared: in memory, or in a scratch file on disk."""

from __future__ import annotations

import contextlib
import os
import tempfile
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from corpus.errors import DiskError
from corpus.grams import Packed, Places, joined, pack


class Source(Protocol):
    """Texts by their place; each may be asked for more than once."""

    @property
    def sizes(self) -> Places:
        """About how many bytes each text has."""

    def some(self, places: Sequence[int]) -> Packed:
        """The texts of these places."""


class Held:
    """Texts in memory."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self.sizes = np.fromiter(map(len, texts), np.int64, len(texts))

    def some(self, places: Sequence[int]) -> Packed:
        """The texts of these places."""
        return pack([self._texts[place] for place in places])


class Spool:
    """Texts in a scratch file that nobody else sees; it is gone when closed.

    Raises:
        DiskError: the file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._starts = array("q", [0])
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        except OSError as error:
            raise DiskError(f"{folder}: cannot be written ({error.strerror})") from error

    def add(self, text: str) -> None:
        """Put a text at the end."""
        data = text.encode("utf-8", "surrogatepass")
        try:
            self._file.write(data)
        except OSError as error:
            raise DiskError(f"{self._folder}: cannot be written ({error.strerror})") from error
        self._starts.append(self._starts[-1] + len(data))

    @property
    def sizes(self) -> Places:
        """How many bytes each text has."""
        return np.diff(np.array(self._starts, np.int64))

    def some(self, places: Sequence[int]) -> Packed:
        """The texts of these places."""
        self._flush()
        starts, file = self._starts, self._file.fileno()
        if len(places) and places[-1] - places[0] == len(places) - 1:
            first, last = starts[places[0]], starts[places[-1] + 1]
            ends = np.array(starts[places[0] + 1 : places[-1] + 2], np.int64) - first
            return Packed(_read(file, first, last), ends)
        return joined([_read(file, starts[place], starts[place + 1]) for place in places])

    def _flush(self) -> None:
        try:
            self._file.flush()
        except OSError as error:
            raise DiskError(f"{self._folder}: cannot be written ({error.strerror})") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._file.close()


def _read(file: int, start: int, end: int) -> bytes:
    """Those bytes of a file; a read may bring fewer than it was asked for."""
    data = os.pread(file, end - start, start)
    while len(data) < end - start:
        data += os.pread(file, end - start - len(data), start + len(data))
    return data
