"""The text kernels, compiled: UTF-8 in, hashes of words and of n-grams out.

The bits are those of ``corpus.grams.plain``, which says the same in Python.
"""

from __future__ import annotations

import numpy as np

from corpus.grams.hashing import BASE, MIXERS, SALT, TURN
from corpus.grams.jit import kernel, part
from corpus.grams.table import ALONE, FOLD, HARD, JOINS, KIND, LETTER, LIMIT, SPACE, UPPER, WORD
from corpus.grams.types import CAPITAL, INNER, Bytes, Codes, Flags, Hashes, Places

_SALT, _BASE = np.uint64(SALT), np.uint64(BASE)
_MIX0, _MIX1 = np.uint64(MIXERS[0]), np.uint64(MIXERS[1])
_ZERO, _ONE, _33 = np.uint64(0), np.uint64(1), np.uint64(33)
_LEFT, _RIGHT = np.uint64(TURN), np.uint64(64 - TURN)

_READ = (
    "i8(Array(u1, 1, 'C', readonly=True), i8[::1], u1[::1], u8[::1], u4[::1], u8[::1], i8[::1], "
    "u1[::1]"
)


@part
def mixed(value: np.uint64) -> np.uint64:
    """The 64-bit finaliser of MurmurHash3."""
    value = (value ^ (value >> _33)) * _MIX0
    value = (value ^ (value >> _33)) * _MIX1
    return value ^ (value >> _33)


@part
def _grown(word: np.uint64, letter: np.uint64) -> np.uint64:
    """The hash of a word with one letter more."""
    return ((word << _LEFT) | (word >> _RIGHT)) + letter


@part
def _decoded(data: Bytes, at: int) -> tuple[int, int]:
    """The code point over 127 at a place, and the number of its bytes."""
    first = np.int64(data[at])
    if first < 0xE0:
        return ((first & 31) << 6) | (data[at + 1] & 63), 2
    if first < 0xF0:
        return ((first & 15) << 12) | ((data[at + 1] & 63) << 6) | (data[at + 2] & 63), 3
    point = ((first & 7) << 18) | ((data[at + 1] & 63) << 12)
    return point | ((data[at + 2] & 63) << 6) | (data[at + 3] & 63), 4


@kernel(_READ + ")")
def read(
    data: Bytes,
    ends: Places,
    normal: Flags,
    letters: Hashes,
    codes: Codes,
    words: Hashes,
    places: Places,
    hard: Flags,
) -> int:
    """Write the hash of every word into ``words``, where each text ends into ``places``.

    ``letters`` has the hash of each ASCII byte, folded, and 0 for what is no part of a word: the
    loop over ASCII has no branch to guess wrong. ``hard`` is set for a text that must come again,
    normalised (``normal``); what it has by then is worth nothing.
    """
    count = at = 0
    for doc in range(len(ends)):
        word = _ZERO
        while at < ends[doc]:
            byte = data[at]
            if byte < 128:
                letter = letters[byte]
                words[count] = word
                count += (letter == _ZERO) & (word != _ZERO)
                word = _grown(word, letter) if letter != _ZERO else _ZERO
                at += 1
                continue
            point, size = _decoded(data, at)
            at += size
            code = codes[point] if point < LIMIT else np.uint32(0)
            if code & HARD and not normal[doc]:
                hard[doc] = 1
                at = ends[doc]
                continue
            letter = mixed((np.uint64(code >> FOLD) + _ONE) * _SALT)
            if code & KIND == WORD:
                word = _grown(word, letter)
                continue
            words[count] = word
            count += word != _ZERO
            word = _ZERO
            if code & KIND == ALONE:
                words[count] = letter
                count += 1
        words[count] = word
        count += word != _ZERO
        places[doc + 1] = count
    return count


@kernel(_READ + ", u1[::1])")
def read_marked(
    data: Bytes,
    ends: Places,
    normal: Flags,
    letters: Hashes,
    codes: Codes,
    words: Hashes,
    places: Places,
    hard: Flags,
    marks: Flags,
) -> int:
    """``read``, with the marks of every word."""
    count = at = 0
    for doc in range(len(ends)):
        word = _ZERO
        before = last = np.uint32(0)
        length = mark = 0
        while at < ends[doc]:
            byte = data[at]
            point, size = (np.int64(byte), 1) if byte < 128 else _decoded(data, at)
            at += size
            code = codes[point] if point < LIMIT else np.uint32(0)
            if code & HARD and not normal[doc]:
                hard[doc] = 1
                at = ends[doc]
                continue
            if code & KIND == WORD:
                if length == 0:
                    inner = last & SPACE and before & JOINS and code & LETTER
                    mark = (INNER | (CAPITAL if code & UPPER else 0)) if inner else 0
                if byte < 128:
                    word = _grown(word, letters[byte])
                else:
                    word = _grown(word, mixed((np.uint64(code >> FOLD) + _ONE) * _SALT))
                length += 1
            else:
                if length:
                    words[count] = word
                    marks[count] = mark if length > 1 else 0
                    count += 1
                if code & KIND == ALONE:
                    words[count] = mixed((np.uint64(code >> FOLD) + _ONE) * _SALT)
                    marks[count] = 0
                    count += 1
                word = _ZERO
                length = 0
            before = last
            last = code
        if length:
            words[count] = word
            marks[count] = mark if length > 1 else 0
            count += 1
        places[doc + 1] = count
    return count


@kernel("void(u8[::1], i8[::1], i8, b1, u8[::1], i8[::1])")
def ngrams(
    words: Hashes, places: Places, width: int, whole: bool, out: Hashes, out_places: Places
) -> None:
    """Write the hash of each run of ``width`` words into ``out``; ``whole``: of what is shorter."""
    top = _ONE
    for _ in range(width):
        top = top * _BASE
    count = 0
    for doc in range(len(places) - 1):
        low, high = places[doc], places[doc + 1]
        first = min(low + width, high)
        total = _ZERO
        for at in range(low, first):
            total = total * _BASE + words[at]
        if first - low == width or (whole and high > low):
            out[count] = mixed(total)
            count += 1
        for at in range(first, high):
            total = total * _BASE + words[at] - top * words[at - width]
            out[count] = mixed(total)
            count += 1
        out_places[doc + 1] = count
