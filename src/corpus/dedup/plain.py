"""The kernels of this room in numpy and Python: the same bits, for where numba cannot be imported.

Each function fills the arrays that it is given, as its namesake in ``compiled``, ``masking`` and
``matching`` does, whose docstrings say what.
"""

from __future__ import annotations

import numpy as np
from datasketch import MinHash

from corpus.dedup.constants import (
    KEY_FACTOR,
    KEY_SEED,
    MASK,
    MOST_MASKED,
    PRONOUN,
    SEED,
    SHINGLE,
)
from corpus.dedup.signatures import digests as summed
from corpus.grams.plain import ngrams
from corpus.grams.types import (
    CAPITAL,
    INNER,
    Codes,
    Flags,
    Floats,
    Hashes,
    Ints,
    Places,
    Words,
)

_BATCH = 4096


def sign(grams: Hashes, places: Places, factors: Codes, terms: Codes, out: Codes) -> None:
    """See ``compiled.sign``; here it is datasketch that signs."""
    blank = MinHash(len(factors), seed=SEED, scheme="affine32", hashfunc=int,
                    permutations=(factors, terms))  # fmt: skip
    for doc in range(len(places) - 1):
        signature = blank.copy()
        shingles = grams[places[doc] : places[doc + 1]] >> np.uint64(32)
        for start in range(0, len(shingles), _BATCH):  # bounds the memory of a very long text
            signature.update_batch(shingles[start : start + _BATCH].tolist())
        out[doc] = signature.hashvalues


def band_keys(signatures: Codes, rows: int, out: Codes) -> None:
    """See ``compiled.band_keys``."""
    for band in range(len(out)):
        key = np.full(len(signatures), KEY_SEED, np.uint32)
        for at in range(band * rows, (band + 1) * rows):
            key = (key ^ signatures[:, at]) * np.uint32(KEY_FACTOR)
            key ^= key >> np.uint32(15)
        out[band] = key


def look(
    words: Hashes,
    places: Places,
    factors: Codes,
    terms: Codes,
    rows: int,
    keys: Codes,
    digests: Hashes,
) -> None:
    """See ``compiled.look``."""
    found = ngrams(Words(words, places, np.zeros(0, np.uint8)), SHINGLE, whole=True)
    signatures = np.empty((len(places) - 1, len(factors)), np.uint32)
    sign(found.hashes, found.places, factors, terms, signatures)
    band_keys(signatures, rows, keys)
    digests[:] = summed(found)


def repeated(keys: Codes, counters: Flags, out: Ints) -> int:  # noqa: ARG001 - the kernel does
    """See ``compiled.repeated``; here nobody is named in vain."""
    _, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
    found = np.flatnonzero(counts[place] > 1)
    out[: len(found)] = found
    return len(found)


def unite(docs: Ints, buckets: Ints, parents: Ints) -> None:
    """See ``compiled.unite``."""

    def root(doc: int) -> int:
        while parents[doc] != doc:
            parents[doc] = parents[parents[doc]]
            doc = int(parents[doc])
        return doc

    for at in range(1, len(docs)):
        if buckets[at] == buckets[at - 1]:
            one, other = root(int(docs[at - 1])), root(int(docs[at]))
            parents[max(one, other)] = min(one, other)
    for doc in range(len(parents)):
        parents[doc] = root(doc)


def by_document(positions: Ints, buckets: Ints, starts: Places, out: Ints) -> None:
    """See ``compiled.by_document``."""
    out[:] = buckets[np.argsort(positions, kind="stable")]
    starts[1:] = np.cumsum(np.bincount(positions, minlength=len(starts) - 1))


def tally(
    words: Hashes, marks: Flags, start: int, table: Hashes, uses: Ints, filled: Places
) -> int:
    """See ``masking.tally``."""
    chosen = (marks & INNER) > 0
    found, place = np.unique(words[chosen], return_inverse=True)
    if 2 * (filled[0] + len(found)) > len(table):
        return start
    counts = np.zeros((len(found), 2), np.int32)
    counts[:, 0] = np.bincount(place, minlength=len(found))
    counts[:, 1] = np.bincount(place[(marks[chosen] & CAPITAL) > 0], minlength=len(found))
    merge(found, counts, table, uses, filled)
    return len(words)


def merge(words: Hashes, counts: Ints, table: Hashes, uses: Ints, filled: Places) -> None:
    """See ``masking.merge``; here the table is simply filled from its front, in order."""
    places = {word: place for place, word in enumerate(table[: filled[0]].tolist())}
    for word, count in zip(words.tolist(), counts, strict=True):
        place = places.setdefault(word, int(filled[0]))
        if place == filled[0]:
            table[place] = word
            filled[0] += 1
        uses[place] += count


def fill(words: Hashes, table: Hashes) -> None:
    """See ``masking.fill``."""
    table[: len(words)] = words


def mask(
    words: Hashes,
    places: Places,
    filtered: Flags,  # noqa: ARG001 - the kernel uses it
    names: Hashes,
    pronouns: Hashes,
    out: Hashes,
    ends: Places,
) -> None:
    """See ``masking.mask``."""
    count = 0
    for doc in range(len(places) - 1):
        found = words[places[doc] : places[doc + 1]]
        named = np.isin(found, names)
        gendered = ~named & np.isin(found, pronouns)
        if named.any() | gendered.any() and named.sum() <= MOST_MASKED * len(found):
            hidden = np.where(named, np.uint64(MASK), found)
            hidden[gendered] = PRONOUN
            follows = np.concatenate([[False], named[:-1]])
            kept = hidden[~(named & follows)]
            out[count : count + len(kept)] = kept
            count += len(kept)
        ends[doc + 1] = count


def settle(
    low: int,
    high: int,
    threshold: float,
    plain: Hashes,
    plain_places: Places,
    masked: Hashes,
    masked_places: Places,
    starts: Places,
    middles: Places,
    buckets: Ints,
    owners: Ints,  # noqa: ARG001 - the kernel needs them
    heads: Ints,  # noqa: ARG001
    links: Ints,  # noqa: ARG001
    fixed: Flags,
    originals: Ints,
    likeness: Floats,
    methods: Flags,
) -> int:
    """See ``matching.settle``."""
    stay: dict[int, list[int]] = {}
    looks = ((plain, plain_places), (masked, masked_places))
    sets: list[dict[int, Hashes]] = [{}, {}]
    met = 0
    for me in range(low, high):
        bounds = (starts[me], middles[me], starts[me + 1])
        originals[me] = -1
        for method, (grams, places) in enumerate(looks):
            mine = np.unique(grams[places[me - low] : places[me - low + 1]])
            sets[method][me] = mine
            if fixed[me] or originals[me] >= 0 or not len(mine):
                continue
            within = buckets[bounds[method] : bounds[method + 1]].tolist()
            others = sorted({other for bucket in within for other in stay.get(bucket, ())})
            met += len(others)
            found = [(jaccard(mine, sets[method][other]), -other) for other in others]
            best, place = max(found, default=(-1.0, 0))
            if best >= threshold:
                originals[me], likeness[me], methods[me] = -place, best, method
        if originals[me] < 0:
            for bucket in buckets[starts[me] : starts[me + 1]].tolist():
                stay.setdefault(bucket, []).append(me)
    return met


def jaccard(one: Hashes, other: Hashes) -> float:
    """The exact Jaccard index of two sorted, unique shingle sets."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)
