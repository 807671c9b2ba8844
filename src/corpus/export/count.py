"""The digests of a corpus that no container changes."""

from __future__ import annotations

import hashlib

import numpy as np

from corpus.formats import Row


class Digests:
    """The digests of the contract, fed row by row in export order.

    ``text`` is of id, newline, text (or messages as canonical JSON), newline, in UTF-8; ``tokens``
    is of all ids, boundary tokens included, as little-endian 32-bit numbers; ``rest`` is of what
    else a shard says of its rows (see ``Row.beside``).
    """

    def __init__(self) -> None:
        self._text = hashlib.sha256()
        self._rest = hashlib.sha256()
        self._tokens = hashlib.sha256()

    def add(self, row: Row) -> None:
        """Take in one row with its ids."""
        for part in row.hashed():
            self._text.update(part)
        for part in row.beside():
            self._rest.update(part)
        self._tokens.update(np.ascontiguousarray(row.ids, dtype="<u4").data)

    @property
    def text(self) -> str:
        """``text_sha256`` so far."""
        return self._text.hexdigest()

    @property
    def rest(self) -> str:
        """``rest_sha256`` so far."""
        return self._rest.hexdigest()

    @property
    def tokens(self) -> str:
        """``tokens_sha256`` so far."""
        return self._tokens.hexdigest()
