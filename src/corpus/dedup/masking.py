"""The kernels that find and hide names."""

from __future__ import annotations

import numpy as np

from corpus.dedup.constants import MASK, MOST_MASKED, PRONOUN
from corpus.grams.jit import kernel, part
from corpus.grams.types import CAPITAL, INNER, Flags, Hashes, Ints, Places

_ZERO, _ONE = np.uint64(0), np.uint64(1)
_MASK, _PRONOUN = np.uint64(MASK), np.uint64(PRONOUN)


@part
def _slot(table: Hashes, key: np.uint64) -> np.uint64:
    """Where a key is in an open table, or may go; 0 is no key."""
    mask = np.uint64(len(table) - 1)
    slot = (key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20) & mask
    while table[slot] != _ZERO and table[slot] != key:
        slot = (slot + _ONE) & mask
    return slot


@kernel("i8(u8[::1], u1[::1], i8, u8[::1], i4[:, ::1], i8[::1])")
def tally(
    words: Hashes, marks: Flags, start: int, table: Hashes, uses: Ints, filled: Places
) -> int:
    """Count the uses of words inside sentences, and those with a capital, from ``start`` on.

    ``table`` holds the words at the places of a hash table, ``uses`` both counts of each. Stops
    when the table is half full; returns where to go on when it has grown.
    """
    for at in range(start, len(words)):
        if marks[at] & INNER:
            if 2 * filled[0] >= len(table):
                return at
            slot = _slot(table, words[at])
            if table[slot] == _ZERO:
                table[slot] = words[at]
                filled[0] += 1
            uses[slot, 0] += 1
            if marks[at] & CAPITAL:
                uses[slot, 1] += 1
    return len(words)


@kernel("void(u8[::1], i4[:, ::1], u8[::1], i4[:, ::1], i8[::1])")
def merge(words: Hashes, counts: Ints, table: Hashes, uses: Ints, filled: Places) -> None:
    """Add counts of words to those of a table that is large enough."""
    for at in range(len(words)):
        slot = _slot(table, words[at])
        if table[slot] == _ZERO:
            table[slot] = words[at]
            filled[0] += 1
        uses[slot, 0] += counts[at, 0]
        uses[slot, 1] += counts[at, 1]


@kernel("void(u8[::1], u8[::1])")
def fill(words: Hashes, table: Hashes) -> None:
    """Put words into an open table that is large enough."""
    for word in words:
        table[_slot(table, word)] = word


@kernel("void(u8[::1], i8[::1], u1[::1], u8[::1], u8[::1], u8[::1], i8[::1])")
def mask(
    words: Hashes,
    places: Places,
    filtered: Flags,
    names: Hashes,
    pronouns: Hashes,
    out: Hashes,
    ends: Places,
) -> None:
    """Write the words of each text with its names hidden; nothing of a text not worth it.

    ``filtered`` says of a word's lowest bits whether a name or pronoun has them: a small table,
    for most words are neither.
    """
    few = np.uint64(len(filtered) - 1)
    count = 0
    for doc in range(len(places) - 1):
        start, named, hidden = count, 0, 0
        last = False
        for at in range(places[doc], places[doc + 1]):
            word = words[at]
            if filtered[word & few] == 0:
                last = False
                out[count] = word
                count += 1
                continue
            if names[_slot(names, word)] == word:
                named += 1
                if not last:
                    out[count] = _MASK
                    count += 1
                last = True
                continue
            last = False
            if pronouns[_slot(pronouns, word)] == word:
                word = _PRONOUN
                hidden += 1
            out[count] = word
            count += 1
        total = places[doc + 1] - places[doc]
        if named + hidden == 0 or named > MOST_MASKED * total:
            count = start
        ends[doc + 1] = count
