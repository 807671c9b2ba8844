"""Marginal novelty: which share of a text's 8-grams the corpus did not have before it.

A build asks after every round. The 8-grams seen are kept as a sample by hash, of those whose low
bits are 0; when it grows past a million, one more bit is asked for, so the memory has a bound and
the sample depends on the texts alone (Broder, "On the resemblance and containment of documents",
1997, for sampling by the residue of a hash).
"""

from __future__ import annotations

import numpy as np

from corpus.language import ngram_hashes, words
from corpus.score.grams import NGRAM

MOST = 1_000_000


class Novelty:
    """Remembers the 8-grams of the texts that it was shown."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._mask = 0
        self._seen: set[int] = set()

    @property
    def estimate(self) -> int:
        """Distinct 8-grams so far; exact until the sample was thinned."""
        return len(self._seen) * (self._mask + 1)

    def add(self, text: str) -> tuple[int, int]:
        """The sampled 8-grams of a text that are new, and all of them; then they are known.

        The counts of one text are those of one thinning; their ratio is what compares.
        """
        hashes = ngram_hashes(words(text), NGRAM)
        own = set(hashes[hashes & np.uint64(self._mask) == 0].tolist())
        new = own - self._seen
        self._seen |= new
        while len(self._seen) > self._most:
            self._mask = 2 * self._mask + 1
            self._seen = {value for value in self._seen if not value & self._mask}
        return len(new), len(own)
