"""The kernels of this room, compiled; ``corpus.dedup.plain`` says the same in Python and numpy.

All of them fill arrays that the caller made, and release the GIL.
"""

from __future__ import annotations

import numpy as np

from corpus.dedup.constants import DIGEST, KEY_FACTOR, KEY_SEED, SHINGLE
from corpus.grams.compiled import TEXTS, mixed, read, runs
from corpus.grams.jit import kernel, part
from corpus.grams.types import Bytes, Codes, Flags, Hashes, Ints, Places

_MOST = np.uint32(0xFFFFFFFF)
_13, _15, _16 = np.uint32(13), np.uint32(15), np.uint32(16)
_FMIX0, _FMIX1 = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_KEY_SEED, _KEY_FACTOR = np.uint32(KEY_SEED), np.uint32(KEY_FACTOR)
_ZERO, _32 = np.uint64(0), np.uint64(32)
_DIGEST = np.uint64(DIGEST)


@part
def _fmix(value: np.uint32) -> np.uint32:
    """The 32-bit finaliser of MurmurHash3, with which datasketch's affine32 begins."""
    value = np.uint32((value ^ (value >> _16)) * _FMIX0)
    value = np.uint32((value ^ (value >> _13)) * _FMIX1)
    return np.uint32(value ^ (value >> _16))


@part
def _keyed(row: Codes, start: int, rows: int) -> np.uint32:
    """The 32-bit key of one band of a signature."""
    key = _KEY_SEED
    for at in range(start, start + rows):
        key = np.uint32((key ^ row[at]) * _KEY_FACTOR)
        key = np.uint32(key ^ (key >> _15))
    return key


@part
def _signed(
    grams: Hashes, low: int, count: int, values: Codes, factors: Codes, terms: Codes, row: Codes
) -> None:
    """Write the affine32 MinHash of the shingles of one text into ``row``.

    Eight permutations at a time over the whole text, which is filled up to whole vectors with its
    first shingle: the loop has no branch and no rest.
    """
    full = (count + 31) // 32 * 32
    for at in range(count):
        values[at] = _fmix(np.uint32(grams[low + at] >> _32))
    for at in range(count, full):
        values[at] = values[0]
    for lane in range(0, len(row), 8):
        a0, a1, a2, a3 = factors[lane], factors[lane + 1], factors[lane + 2], factors[lane + 3]
        a4, a5, a6, a7 = factors[lane + 4], factors[lane + 5], factors[lane + 6], factors[lane + 7]
        b0, b1, b2, b3 = terms[lane], terms[lane + 1], terms[lane + 2], terms[lane + 3]
        b4, b5, b6, b7 = terms[lane + 4], terms[lane + 5], terms[lane + 6], terms[lane + 7]
        m0 = m1 = m2 = m3 = m4 = m5 = m6 = m7 = _MOST
        for at in range(full // 32 * 32):
            value = values[at]
            m0, m1 = min(m0, np.uint32(a0 * value + b0)), min(m1, np.uint32(a1 * value + b1))
            m2, m3 = min(m2, np.uint32(a2 * value + b2)), min(m3, np.uint32(a3 * value + b3))
            m4, m5 = min(m4, np.uint32(a4 * value + b4)), min(m5, np.uint32(a5 * value + b5))
            m6, m7 = min(m6, np.uint32(a6 * value + b6)), min(m7, np.uint32(a7 * value + b7))
        row[lane], row[lane + 1], row[lane + 2], row[lane + 3] = m0, m1, m2, m3
        row[lane + 4], row[lane + 5], row[lane + 6], row[lane + 7] = m4, m5, m6, m7


@part
def longest(places: Places) -> int:
    """The most words or shingles that one text has."""
    most = 1
    for doc in range(len(places) - 1):
        most = max(most, places[doc + 1] - places[doc])
    return most


@kernel("void(u8[::1], i8[::1], u4[::1], u4[::1], u4[:, ::1])")
def sign(grams: Hashes, places: Places, factors: Codes, terms: Codes, out: Codes) -> None:
    """Write the affine32 MinHash of each text's shingles into its row of ``out``."""
    values = np.empty(longest(places) + 32, np.uint32)
    for doc in range(len(places) - 1):
        count = places[doc + 1] - places[doc]
        _signed(grams, places[doc], count, values, factors, terms, out[doc])


@kernel("void(u4[:, ::1], i8, u4[:, ::1])")
def band_keys(signatures: Codes, rows: int, out: Codes) -> None:
    """Write the key of band j of signature i into ``out[j, i]``."""
    for doc in range(len(signatures)):
        for band in range(len(out)):
            out[band, doc] = _keyed(signatures[doc], band * rows, rows)


@kernel("void(u8[::1], i8[::1], u4[::1], u4[::1], i8, u4[:, ::1], u8[::1])")
def look(
    words: Hashes,
    places: Places,
    factors: Codes,
    terms: Codes,
    rows: int,
    keys: Codes,
    digests: Hashes,
) -> None:
    """Write the band keys of each text into its column of ``keys``, and the digest of its words.

    It is ``ngrams``, ``sign``, ``band_keys`` and a sum, text by text, so that all of a text stays
    in the first-level cache. The digest is the sum of the shingles, each mixed with its place.
    """
    most = longest(places)
    grams, values = np.empty(most, np.uint64), np.empty(most + 32, np.uint32)
    row = np.empty(len(factors), np.uint32)
    for doc in range(len(places) - 1):
        low, count = places[doc], places[doc + 1] - places[doc]
        size = min(SHINGLE, count)
        total = count - size + 1 if size else 0
        runs(words, low, total, size, grams, 0)
        digest = _ZERO
        for at in range(total):
            digest += mixed(grams[at] ^ (np.uint64(2 * at + 1) * _DIGEST))
        digests[doc] = digest
        _signed(grams, 0, total, values, factors, terms, row)
        for band in range(len(keys)):
            keys[band, doc] = _keyed(row, band * rows, rows)


@kernel(f"void({TEXTS}, u8[::1], i8[::1], u1[::1], u4[::1], u4[::1], i8, u4[:, ::1], u8[::1])")
def look_at(
    data: Bytes,
    ends: Places,
    normal: Flags,
    codes: Codes,
    words: Hashes,
    places: Places,
    hard: Flags,
    factors: Codes,
    terms: Codes,
    rows: int,
    keys: Codes,
    digests: Hashes,
) -> None:
    """``read`` the texts, and ``look`` at their words: one call, one wait for the GIL after it."""
    count = read(data, ends, normal, codes, words, places, hard)
    look(words[:count], places, factors, terms, rows, keys, digests)


@kernel("i8(u4[::1], u1[::1], i4[::1])")
def repeated(keys: Codes, counters: Flags, out: Ints) -> int:
    """Write who may share its key with another into ``out``; return how many.

    ``counters`` is zeroed, its length a power of two: one small table, read twice, instead of a
    sort of all keys. Nobody who shares is left out.
    """
    mask = np.uint32(len(counters) - 1)
    for doc in range(len(keys)):
        slot = keys[doc] & mask
        counters[slot] = min(counters[slot] + 1, 2)
    count = 0
    for doc in range(len(keys)):
        if counters[keys[doc] & mask] > 1:
            out[count] = doc
            count += 1
    return count


@part
def _root(parents: Ints, doc: int) -> int:
    while parents[doc] != doc:
        parents[doc] = parents[parents[doc]]
        doc = parents[doc]
    return doc


@kernel("void(i4[::1], i4[::1], i4[::1])")
def unite(docs: Ints, buckets: Ints, parents: Ints) -> None:
    """Give all who share a bucket, directly or through others, one root in ``parents``.

    ``docs[i]`` is in ``buckets[i]``; a bucket's members stand together.
    """
    for at in range(1, len(docs)):
        if buckets[at] == buckets[at - 1]:
            one, other = _root(parents, docs[at - 1]), _root(parents, docs[at])
            parents[max(one, other)] = min(one, other)
    for doc in range(len(parents)):
        parents[doc] = _root(parents, doc)


@kernel("void(i4[::1], i4[::1], i8[::1], i4[::1])")
def by_document(positions: Ints, buckets: Ints, starts: Places, out: Ints) -> None:
    """Write the buckets of each position into ``out``, from ``starts[p]`` to ``starts[p + 1]``.

    ``starts`` is zeroed, one longer than there are positions.
    """
    for at in range(len(positions)):
        starts[positions[at] + 1] += 1
    for place in range(1, len(starts)):
        starts[place] += starts[place - 1]
    for at in range(len(positions) - 1, -1, -1):
        place = positions[at] + 1
        starts[place] -= 1
        out[starts[place]] = buckets[at]
    # each start has moved down to its own place: position p now begins at starts[p + 1]
    for place in range(len(starts) - 1):
        starts[place] = starts[place + 1]
    starts[len(starts) - 1] = len(positions)
