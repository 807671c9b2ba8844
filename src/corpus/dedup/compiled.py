"""The kernels of this room, compiled; ``corpus.dedup.plain`` says the same in Python and numpy.

All of them fill arrays that the caller made, and release the GIL.
"""

from __future__ import annotations

import numpy as np

from corpus.dedup.constants import DIGEST, KEY_FACTOR, KEY_SEED
from corpus.grams.compiled import mixed
from corpus.grams.jit import kernel, part
from corpus.grams.types import Codes, Flags, Hashes, Ints, Places

_MOST = np.uint32(0xFFFFFFFF)
_13, _15, _16 = np.uint32(13), np.uint32(15), np.uint32(16)
_FMIX0, _FMIX1 = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_KEY_SEED, _KEY_FACTOR = np.uint32(KEY_SEED), np.uint32(KEY_FACTOR)
_ZERO, _ONE, _32 = np.uint64(0), np.uint64(1), np.uint64(32)
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


@kernel("void(u8[::1], i8[::1], u4[::1], u4[::1], u4[:, ::1])")
def sign(grams: Hashes, places: Places, factors: Codes, terms: Codes, out: Codes) -> None:
    """Write the affine32 MinHash of each text's shingles into its row of ``out``.

    Four permutations at a time over the whole text: the loop is all vectors and no branch.
    """
    values = np.empty(1024, np.uint32)
    for doc in range(len(places) - 1):
        low, count = places[doc], places[doc + 1] - places[doc]
        if count > len(values):
            values = np.empty(count, np.uint32)
        for at in range(count):
            values[at] = _fmix(np.uint32(grams[low + at] >> _32))
        for lane in range(0, len(factors), 4):
            a0, a1, a2, a3 = factors[lane], factors[lane + 1], factors[lane + 2], factors[lane + 3]
            b0, b1, b2, b3 = terms[lane], terms[lane + 1], terms[lane + 2], terms[lane + 3]
            m0 = m1 = m2 = m3 = _MOST
            for at in range(count):
                value = values[at]
                m0 = min(m0, np.uint32(a0 * value + b0))
                m1 = min(m1, np.uint32(a1 * value + b1))
                m2 = min(m2, np.uint32(a2 * value + b2))
                m3 = min(m3, np.uint32(a3 * value + b3))
            out[doc, lane], out[doc, lane + 1] = m0, m1
            out[doc, lane + 2], out[doc, lane + 3] = m2, m3


@kernel("void(u4[:, ::1], i8, u4[:, ::1])")
def band_keys(signatures: Codes, rows: int, out: Codes) -> None:
    """Write the key of band j of signature i into ``out[j, i]``."""
    for doc in range(len(signatures)):
        for band in range(len(out)):
            out[band, doc] = _keyed(signatures[doc], band * rows, rows)


@kernel("void(u8[::1], i8[::1], u8[::1])")
def digests(words: Hashes, places: Places, out: Hashes) -> None:
    """Write a 64-bit digest of the words of each text, in their order, into ``out``."""
    for doc in range(len(places) - 1):
        low, count = places[doc], places[doc + 1] - places[doc]
        total = np.uint64(count)
        for at in range(count):
            total += mixed(words[low + at] + np.uint64(at) * _DIGEST)
        out[doc] = total


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
