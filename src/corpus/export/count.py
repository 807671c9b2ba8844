"""Token ids of rows, and the digests of a corpus that no container changes."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from corpus.formats import Row
from corpus.tokens import Tokenizer

BATCH = 256  # rows encoded at a time


def encoded(rows: Sequence[Row], tokenizer: Tokenizer) -> Iterator[Row]:
    """Yield the rows with their token ids, the boundary token at the end of each."""
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        encodings = tokenizer.encode([row.body for row in batch])
        for row, ids in zip(batch, encodings, strict=True):
            whole = np.array([*ids, *tokenizer.boundary], dtype=np.uint32)
            yield dataclasses.replace(row, ids=whole)


def counted(rows: Iterable[Row], tokenizer: Tokenizer) -> dict[str, dict[str, dict[str, int]]]:
    """Documents and tokens by config and split, in the order of the rows."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for row in rows:
        count = counts.setdefault(row.config, {}).setdefault(
            row.split, {"documents": 0, "tokens": 0, "text_tokens": 0}
        )
        count["documents"] += 1
        count["tokens"] += len(row.ids)
        count["text_tokens"] += len(row.ids) - len(tokenizer.boundary)
    return counts


class Digests:
    """The two digests of the contract, fed row by row in export order.

    ``text`` is of id, newline, text (or messages as canonical JSON), newline, in UTF-8; ``tokens``
    is of all ids, boundary tokens included, as little-endian 32-bit numbers.
    """

    def __init__(self) -> None:
        self._text = hashlib.sha256()
        self._tokens = hashlib.sha256()

    def add(self, row: Row) -> None:
        """Take in one row with its ids."""
        self._text.update(row.hashed())
        self._tokens.update(row.ids.astype("<u4").tobytes())

    @property
    def text(self) -> str:
        """``text_sha256`` so far."""
        return self._text.hexdigest()

    @property
    def tokens(self) -> str:
        """``tokens_sha256`` so far."""
        return self._tokens.hexdigest()
