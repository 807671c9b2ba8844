"""Names: which words of a corpus are names, and texts without them.

A word is a name where the corpus writes it with a capital in over 90 % of its uses inside a
sentence (those that follow a word or a comma and one space; two are needed): the corpus's own
truecasing, no model. Names hide behind one mark, a run of them behind a single one; he, she and
their forms behind another, so that a character of the other gender hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from corpus import grams
from corpus.dedup.constants import CAPITALISED, LEAST_USES, PRONOUNS
from corpus.dedup.kernels import kernels
from corpus.dedup.sources import Source
from corpus.grams import Hashes, Words
from corpus.grams.types import Ints
from corpus.language import entity_uses

_START = 1 << 14


class Tally:
    """How often each word is used inside sentences, and how often with a capital."""

    def __init__(self) -> None:
        self._kernels = kernels()  # the table of the twin is another
        self._table: Hashes = np.zeros(_START, np.uint64)
        self._uses: Ints = np.zeros((_START, 2), np.int32)
        self._filled = np.zeros(1, np.int64)

    def add(self, found: Words) -> None:
        """Count the words of texts that were read with their marks."""
        at = 0
        while at < len(found.hashes):
            at = self._kernels.tally(
                found.hashes, found.marks, at, self._table, self._uses, self._filled
            )
            if at < len(found.hashes):
                self._grow(2 * len(self._table))

    def absorb(self, other: Tally) -> None:
        """Add the counts of another."""
        self._kernels = kernels()
        size = len(self._table)
        while size < 2 * (self._filled[0] + other._filled[0]):
            size *= 2
        self._grow(size)
        self._merge(other._table, other._uses)

    def names(self) -> Hashes:
        """The hashes of the words that are names, sorted."""
        total, capital = self._uses[:, 0], self._uses[:, 1]
        chosen = (total >= LEAST_USES) & (capital > CAPITALISED * total)
        return np.sort(self._table[chosen])

    def _grow(self, size: int) -> None:
        table, uses = self._table, self._uses
        self._table, self._uses = np.zeros(size, np.uint64), np.zeros((size, 2), np.int32)
        self._filled[0] = 0
        self._merge(table, uses)

    def _merge(self, table: Hashes, uses: Ints) -> None:
        filled = table != 0
        self._kernels.merge(
            np.ascontiguousarray(table[filled]),
            np.ascontiguousarray(uses[filled]),
            self._table,
            self._uses,
            self._filled,
        )


class Mask:
    """Hides a set of names, given as word hashes."""

    def __init__(self, names: Hashes) -> None:
        self._kernels = kernels()
        self.names = names
        pronouns = np.array([grams.word_hash(word) for word in PRONOUNS], np.uint64)
        self._names, self._pronouns = _table(names), _table(pronouns)
        self._filter = np.zeros(max(1 << 10, len(self._names)), np.uint8)
        size = np.uint64(len(self._filter))
        self._filter[np.concatenate([names, pronouns]) % size] = 1

    def hide(self, found: Words) -> Words:
        """The words of each text with its names hidden.

        Nothing is left of a text that has neither name nor pronoun, or is names for over a half:
        what remains of a list of names says nothing.
        """
        out, ends = np.empty_like(found.hashes), np.zeros_like(found.places)
        self._kernels.mask(
            found.hashes, found.places, self._filter, self._names, self._pronouns, out, ends
        )
        return Words(out[: ends[-1]], ends, np.zeros(0, np.uint8))


def names_of(texts: Iterable[str]) -> Hashes:
    """The names of a corpus, as sorted word hashes."""
    tally = Tally()
    tally.add(grams.read(grams.pack(list(texts)), capitals=True))
    return tally.names()


def named_by(pipeline: str, source: Source) -> Hashes:
    """The words that a spaCy pipeline takes for names in over half of their uses, as hashes.

    Raises:
        InputError: there is no such pipeline here.
    """
    texts = (part.text(at) for part in _parts(source) for at in range(len(part.ends)))
    return np.array(
        sorted(
            grams.word_hash(word)
            for word, (total, named) in entity_uses(texts, pipeline).items()
            if total >= LEAST_USES and 2 * named > total
        ),
        np.uint64,
    )


def _parts(source: Source) -> Iterator[grams.Packed]:
    """All texts, some at a time."""
    for at in range(0, len(source.sizes), 64):
        yield source.some(range(at, min(at + 64, len(source.sizes))))


def _table(words: Hashes) -> Hashes:
    """A hash table of words that is at most a quarter full."""
    table = np.zeros(1 << max(4, int(4 * len(words)).bit_length()), np.uint64)
    kernels().fill(words, table)
    return table
