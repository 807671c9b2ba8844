"""Where texts are while they are compared: in memory, or in files of UTF-8 end to end."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from corpus.errors import DiskError
from corpus.grams import Packed, Places, joined, pack
from corpus.grams.types import Ints

_BUFFER = 1 << 20
_SEEKING = threading.Lock()


class Source(Protocol):
    """Texts by their place; each may be asked for more than once."""

    sizes: Places
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
        if isinstance(places, range):
            return pack(self._texts[places.start : places.stop])
        return pack([self._texts[place] for place in places])


@dataclass(frozen=True, slots=True)
class Part:
    """Texts of one open file: text i has the bytes from ``starts[i]`` to ``stops[i]``."""

    file: int
    starts: Places
    stops: Places


class Filed:
    """The texts of several files, one part after the other."""

    def __init__(self, parts: Sequence[Part]) -> None:
        none = np.zeros(0, np.int64)
        self._starts = np.concatenate([none, *(part.starts for part in parts)])
        self._stops = np.concatenate([none, *(part.stops for part in parts)])
        self._files: Ints = np.repeat(
            np.array([part.file for part in parts], np.int32), [len(part.starts) for part in parts]
        )
        self.sizes = self._stops - self._starts

    def some(self, places: Sequence[int]) -> Packed:
        """The texts of these places; those that stand together are read together."""
        at = np.asarray(places, np.int64)
        starts, stops, files = self._starts[at], self._stops[at], self._files[at]
        apart = np.ones(len(at) + 1, bool)
        apart[1:-1] = (starts[1:] != stops[:-1]) | (files[1:] != files[:-1])
        first, last = np.flatnonzero(apart[:-1]), np.flatnonzero(apart[1:])
        runs = zip(files[first].tolist(), starts[first].tolist(), stops[last].tolist(), strict=True)
        data = joined([_read(*run) for run in runs]).data
        return Packed(data, np.cumsum(stops - starts))


class Chosen:
    """Some of the texts of a source, as a source."""

    def __init__(self, source: Source, places: Sequence[int]) -> None:
        self._source = source
        self._places = np.array(places, np.int64)
        self.sizes = source.sizes[self._places]

    def some(self, places: Sequence[int]) -> Packed:
        """The texts of these places."""
        return self._source.some(self._places[np.asarray(places, np.int64)].tolist())


class Spool:
    """A scratch file of texts that nobody else sees; it is gone when closed.

    Raises:
        DiskError: the file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._starts = array("q", [0])
        self._folder = folder
        with self._writing():
            self._file = tempfile.TemporaryFile(dir=folder, buffering=_BUFFER)  # noqa: SIM115 - closed by __exit__

    def add(self, text: str) -> None:
        """Put a text at the end."""
        data = text.encode("utf-8", "surrogatepass")
        try:  # not by ``_writing``, which takes as long as to write a page
            self._file.write(data)
        except OSError as error:
            raise self._refused(error) from error
        self._starts.append(self._starts[-1] + len(data))

    def part(self) -> Part:
        """The texts so far."""
        with self._writing():
            self._file.flush()
        starts = np.array(self._starts, np.int64)
        return Part(self._file.fileno(), starts[:-1], starts[1:])

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> DiskError:
        return DiskError(f"{self._folder}: cannot be written ({error.strerror})")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._file.close()


def _read(file: int, start: int, stop: int) -> bytes:
    """Those bytes of a file; a read may bring fewer than it was asked for."""
    data = _pread(file, stop - start, start)
    while len(data) < stop - start:
        more = _pread(file, stop - start - len(data), start + len(data))
        if not more:
            raise DiskError("a file of texts has become shorter while it was read; run again")
        data += more
    return data


def _pread(file: int, size: int, start: int) -> bytes:
    """``os.pread``, also where the system has none."""
    if hasattr(os, "pread"):
        return os.pread(file, size, start)
    with _SEEKING:
        os.lseek(file, start, os.SEEK_SET)
        return os.read(file, size)
