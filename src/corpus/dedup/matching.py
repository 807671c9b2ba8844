"""The kernel that measures: exact Jaccard indices, and who stays."""

from __future__ import annotations

import numpy as np

from corpus.dedup.compiled import longest
from corpus.grams.jit import kernel, part
from corpus.grams.types import Flags, Floats, Hashes, Ints, Places

_ZERO, _ONE = np.uint64(0), np.uint64(1)
_ROOMY = 1 << 13  # slots: of a table that a second-level cache holds beside the texts


@part
def _slots(count: int) -> int:
    """How many slots a table of so many shingles has.

    It is at most half full, and up to an eighth where it is small: who finds his slot at once saves
    a branch that the processor guesses wrong.
    """
    size = 16
    while size < 2 * count or size < min(8 * count, _ROOMY):
        size *= 2
    return size


@part
def _gather(grams: Hashes, low: int, high: int, table: Hashes) -> int:
    """Put the shingles of a text into ``table``, and each once at the front of its own range.

    Returns how many there are. An empty slot is 0, which stands for the shingle 1 as well.
    """
    size = _slots(high - low)
    mask = np.uint64(size - 1)
    for slot in range(size):
        table[slot] = _ZERO
    count = 0
    for at in range(low, high):
        gram = max(grams[at], _ONE)
        slot = gram & mask
        while table[slot] != _ZERO and table[slot] != gram:
            slot = (slot + _ONE) & mask
        if table[slot] == _ZERO:
            table[slot] = gram
            grams[low + count] = gram
            count += 1
    return count


@part
def _shared(table: Hashes, slots: int, grams: Hashes, low: int, count: int, least: float) -> int:
    """How many of the shingles of one text are in the table; -1 once they cannot be ``least``."""
    mask = np.uint64(slots - 1)
    may_miss = count - least
    missed = 0
    for at in range(low, low + count):
        gram = grams[at]
        slot = gram & mask
        while table[slot] != _ZERO and table[slot] != gram:
            slot = (slot + _ONE) & mask
        if table[slot] == _ZERO:
            missed += 1
            if missed > may_miss:
                return -1
    return count - missed


@part
def _nearest(
    stamp: int,
    first: int,
    last: int,
    table: Hashes,
    slots: int,
    mine: int,
    low: int,
    grams: Hashes,
    places: Places,
    counts: Ints,
    buckets: Ints,
    owners: Ints,
    heads: Ints,
    links: Ints,
    seen: Ints,
    threshold: float,
) -> tuple[int, float, int]:
    """The most similar text that stays, the better of equals; its likeness; how many were met."""
    best, likeness, met = -1, -1.0, 0
    for at in range(first, last):
        link = heads[buckets[at]]
        while link >= 0:
            other = owners[link]
            link = links[link]
            if seen[other - low] == stamp:
                continue
            seen[other - low] = stamp
            met += 1
            theirs = counts[other - low]
            if min(mine, theirs) < threshold * max(mine, theirs) - 1e-6:
                continue
            least = threshold * (mine + theirs) / (1 + threshold) - 1e-3
            shared = _shared(table, slots, grams, places[other - low], theirs, least)
            if shared < 0:
                continue
            found = shared / (mine + theirs - shared)
            if found > likeness or (found == likeness and other < best):
                best, likeness = other, found
    return best, likeness, met


@kernel(
    "i8(i8, i8, f8, u8[::1], i8[::1], u8[::1], i8[::1], i8[::1], i8[::1], i4[::1], i4[::1], "
    "i4[::1], i4[::1], u1[::1], i4[::1], f8[::1], u1[::1])"
)
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
    owners: Ints,
    heads: Ints,
    links: Ints,
    fixed: Flags,
    originals: Ints,
    likeness: Floats,
    methods: Flags,
) -> int:
    """Take the documents from ``low`` to ``high``, best first; say of each whom it repeats.

    A document is measured against those that stay and share a bucket with it: its plain shingles
    first (buckets from ``starts`` to ``middles``), then the masked ones (from there to the next
    start). One that repeats nobody stays: it is chained into its buckets. ``fixed`` ones stay in
    any case. Fills ``originals`` (-1: stays), ``likeness`` and ``methods`` (0 plain, 1 masked);
    returns how many pairs were met.
    """
    count = high - low
    counts = np.zeros((2, count), np.int32)
    seen = np.full(count, -1, np.int32)
    table = np.empty(_slots(max(longest(plain_places), longest(masked_places))), np.uint64)
    met = 0
    for me in range(low, high):
        doc = me - low
        originals[me] = -1
        for look in range(2):
            grams, places = (plain, plain_places) if look == 0 else (masked, masked_places)
            shingles = places[doc + 1] - places[doc]
            if originals[me] >= 0 or shingles == 0:
                continue
            counts[look, doc] = _gather(grams, places[doc], places[doc + 1], table)
            if fixed[me]:
                continue
            first, last = (starts[me], middles[me]) if look == 0 else (middles[me], starts[me + 1])
            best, found, more = _nearest(
                2 * doc + look, first, last, table, _slots(shingles), counts[look, doc], low,
                grams, places, counts[look], buckets, owners, heads, links, seen, threshold,
            )  # fmt: skip
            met += more
            if found >= threshold:
                originals[me], likeness[me], methods[me] = best, found, look
        if originals[me] < 0:
            for at in range(starts[me], starts[me + 1]):
                links[at] = heads[buckets[at]]
                heads[buckets[at]] = at
    return met
