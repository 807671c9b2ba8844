"""Candidates without chance: an all-pairs join by prefix filter, in place of bands.

Let all shingles have one order, the rarest first. Two sets whose Jaccard index is at least t share
a shingle among the first |A| - ceil(t |A|) + 1 of the one and as many of the other, so those
shingles can be the buckets, and no pair is missed. Slower than bands, and everything is in memory:
some 20 KB for each text of 500 words.

Sources: Bayardo, Ma and Srikant, "Scaling up all pairs similarity search" (2007); Xiao, Wang, Lin
and Yu, "Efficient similarity joins for near duplicate detection" (2008).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corpus import grams
from corpus.dedup.buckets import Buckets
from corpus.dedup.names import Mask
from corpus.dedup.signatures import shingled
from corpus.dedup.sources import Source
from corpus.dedup.survey import chunks
from corpus.grams import Hashes
from corpus.grams.types import Ints


def buckets(source: Source, docs: Ints, threshold: float, mask: Mask | None = None) -> Buckets:
    """The buckets of these texts: each shingle that two of them share early enough."""
    sets = _sets(source, docs, mask)
    sizes = np.array([len(found) for found in sets], np.int64)
    every = np.concatenate([np.zeros(0, np.uint64), *sets])
    owner = np.repeat(np.arange(len(sets), dtype=np.int32), sizes)
    number, uses = _uses(every)
    single = np.bincount(owner[uses == 1], minlength=len(sets))
    prefix = sizes - np.ceil(threshold * sizes - 1e-9).astype(np.int64) + 1
    at = np.flatnonzero(uses > 1)
    at = at[np.lexsort((number[at], uses[at], owner[at]))]
    firsts = np.searchsorted(owner[at], np.arange(len(sets)))
    place = np.arange(len(at)) - firsts[owner[at]] + single[owner[at]]
    at = at[place < prefix[owner[at]]]
    return _grouped(docs[owner[at]], number[at])


def _sets(source: Source, docs: Ints, mask: Mask | None) -> Sequence[Hashes]:
    """The shingles of each text, sorted, each once."""
    sets = []
    for part in chunks(source.sizes[docs]):
        words = grams.read(source.some(docs[part.start : part.stop].tolist()))
        found = shingled(mask.hide(words) if mask else words)
        sets += [np.unique(piece) for piece in np.split(found.hashes, found.places[1:-1])]
    return sets


def _uses(every: Hashes) -> tuple[Ints, Ints]:
    """The number of each shingle, and by how many texts it is used."""
    order = np.argsort(every)
    ordered = every[order]
    fresh = np.ones(len(every), bool)
    fresh[1:] = ordered[1:] != ordered[:-1]
    run = np.cumsum(fresh, dtype=np.int32) - np.int32(1)
    number = np.empty(len(every), np.int32)
    number[order] = run
    return number, np.bincount(run).astype(np.int32)[number]


def _grouped(docs: Ints, numbers: Ints) -> Buckets:
    """Memberships as buckets: members together, numbers from 0."""
    order = np.argsort(numbers, kind="stable")
    docs, numbers = docs[order], numbers[order]
    if not len(docs):
        return Buckets(docs, numbers, 0)
    fresh = np.concatenate([[False], numbers[1:] != numbers[:-1]])
    counted = np.cumsum(fresh, dtype=np.int32)
    return Buckets(docs, counted, int(counted[-1]) + 1)
