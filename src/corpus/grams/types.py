"""The arrays of this room, by what they hold, and the records made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Codes = NDArray[np.uint32]
Flags = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]
Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

INNER, CAPITAL = 1, 2
"""Marks of a word: it follows a word or a comma and one space; it begins with a capital."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Many texts in one buffer of UTF-8 (lone surrogates as three bytes); ``ends`` of each.

    After the last there are 64 bytes more, of anything: kernels look so far ahead.
    """

    data: bytes | memoryview
    ends: Places

    @property
    def body(self) -> memoryview:
        """The texts without what stands after them."""
        return memoryview(self.data)[: int(self.ends[-1]) if len(self.ends) else 0]

    def text(self, place: int) -> str:
        """One of the texts."""
        start = int(self.ends[place - 1]) if place else 0
        return bytes(self.data[start : int(self.ends[place])]).decode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of many texts, as hashes; text i has those from ``places[i]`` to ``places[i+1]``.

    ``marks`` has a byte for each word, of ``INNER`` and ``CAPITAL``, or is empty if not asked for.
    """

    hashes: Hashes
    places: Places
    marks: Flags


@dataclass(frozen=True, slots=True)
class Grams:
    """The n-grams of many texts, as hashes in the order of the text, repeats included."""

    hashes: Hashes
    places: Places
