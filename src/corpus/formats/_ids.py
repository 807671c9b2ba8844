"""What the formats of bare token ids share: their width, and finding documents in a stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.errors import InputError
from corpus.formats._rows import Flags, Ids, Row

BLOCK = 1 << 20  # ids looked at together


def width(vocabulary: int, *choices: npt.DTypeLike) -> np.dtype[Any]:
    """The first of the integer types that has room for every id of a vocabulary, little-endian."""
    kinds = (np.dtype(choice).newbyteorder("<") for choice in choices)
    return next(kind for kind in kinds if vocabulary - 1 <= np.iinfo(kind).max)


def stream(path: Path, kind: np.dtype[Any], skip: int = 0) -> npt.NDArray[Any]:
    """The ids of a file from byte ``skip`` on, mapped into memory.

    Raises:
        InputError: the file cannot be read, or ends in the middle of an id.
    """
    try:
        size = path.stat().st_size - skip
        if size <= 0 or size % kind.itemsize:
            raise InputError(f"{path}: {size} bytes are no ids of {kind.itemsize}; export it again")
        return np.memmap(path, dtype=kind, mode="r", offset=skip)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def documents(path: Path, ids: npt.NDArray[Any], end: int | None) -> Iterator[Ids]:
    """Yield the ids of each document: up to and with the next ``end``.

    Raises:
        InputError: the last document has no end.
    """
    start = 0
    for block in range(0, len(ids), BLOCK):
        for place in np.flatnonzero(ids[block : block + BLOCK] == end):
            stop = block + int(place) + 1
            yield ids[start:stop].astype(np.uint32)
            start = stop
    if start != len(ids):
        raise InputError(f"{path}: its last document has no end-of-text token; export it again")


def between(ids: npt.NDArray[Any], ends: npt.NDArray[Any]) -> Iterator[Ids]:
    """Yield the ids of each document, ``ends`` telling where each one stops."""
    start = 0
    for stop in ends.tolist():
        yield ids[start:stop].astype(np.uint32)
        start = stop


def loss(row: Row) -> Flags:
    """Which of a row's ids are trained on.

    Raises:
        ValueError: its spans were not turned into flags: they must not be lost.
    """
    if row.no_loss and row.loss is None:
        raise ValueError(f"row '{row.id}' has spans without loss and no flags for its ids")
    return np.ones(len(row.ids), dtype=np.bool_) if row.loss is None else row.loss
