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
_128, _SIX, _LIMIT, _NEITHER = np.uint8(128), np.uint64(63), np.uint64(LIMIT), np.uint32(0)
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
def _decoded(data: Bytes, at: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The code point over 127 at a place, and the number of its bytes."""
    first, second = np.uint64(data[at]), np.uint64(data[at + _ONE]) & _SIX
    if first < np.uint64(0xE0):
        return ((first & np.uint64(31)) << np.uint64(6)) | second, np.uint64(2)
    third = np.uint64(data[at + np.uint64(2)]) & _SIX
    point = (second << np.uint64(6)) | third
    if first < np.uint64(0xF0):
        return ((first & np.uint64(15)) << np.uint64(12)) | point, np.uint64(3)
    fourth = np.uint64(data[at + np.uint64(3)]) & _SIX
    point = (point << np.uint64(6)) | fourth
    return ((first & np.uint64(7)) << np.uint64(18)) | point, np.uint64(4)


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
    count = at = _ZERO  # unsigned: an index that may be negative costs a test at every byte
    for doc in range(len(ends)):
        word = _ZERO
        end = np.uint64(ends[doc])
        while at < end:
            byte = data[at]
            if byte < _128:
                letter = letters[byte]
                words[count] = word
                count += np.uint64((letter == _ZERO) & (word != _ZERO))
                word = _grown(word, letter) if letter != _ZERO else _ZERO
                at += _ONE
                continue
            point, size = _decoded(data, at)
            at += size
            code = codes[point] if point < _LIMIT else _NEITHER
            if code & HARD and not normal[doc]:
                hard[doc] = 1
                at = end
                continue
            letter = mixed((np.uint64(code >> FOLD) + _ONE) * _SALT)
            if code & KIND == WORD:
                word = _grown(word, letter)
                continue
            words[count] = word
            count += np.uint64(word != _ZERO)
            word = _ZERO
            if code & KIND == ALONE:
                words[count] = letter
                count += _ONE
        words[count] = word
        count += np.uint64(word != _ZERO)
        places[doc + 1] = count
    return np.int64(count)  # type: ignore[return-value] # numba's integer


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
    count = at = _ZERO
    for doc in range(len(ends)):
        word = _ZERO
        before = last = _NEITHER
        length = mark = 0
        end = np.uint64(ends[doc])
        while at < end:
            byte = data[at]
            point, size = (np.uint64(byte), _ONE) if byte < _128 else _decoded(data, at)
            at += size
            code = codes[point] if point < _LIMIT else _NEITHER
            if code & HARD and not normal[doc]:
                hard[doc] = 1
                at = end
                continue
            if code & KIND == WORD:
                if length == 0:
                    inner = last & SPACE and before & JOINS and code & LETTER
                    mark = (INNER | (CAPITAL if code & UPPER else 0)) if inner else 0
                if byte < _128:
                    word = _grown(word, letters[byte])
                else:
                    word = _grown(word, mixed((np.uint64(code >> FOLD) + _ONE) * _SALT))
                length += 1
            else:
                words[count], marks[count] = word, mark if length > 1 else 0
                count += np.uint64(length > 0)
                if code & KIND == ALONE:
                    letter = mixed((np.uint64(code >> FOLD) + _ONE) * _SALT)
                    words[count], marks[count] = letter, 0
                    count += _ONE
                word, length = _ZERO, 0
            before, last = last, code
        words[count], marks[count] = word, mark if length > 1 else 0
        count += np.uint64(length > 0)
        places[doc + 1] = count
    return np.int64(count)  # type: ignore[return-value] # numba's integer


@kernel("void(u8[::1], i8[::1], i8, i8, u8[::1], i8[::1])")
def ngrams(
    words: Hashes, places: Places, width: int, whole: int, out: Hashes, out_places: Places
) -> None:
    """Write the hash of each run of ``width`` words into ``out``; ``whole``: of what is shorter."""
    count = 0
    for doc in range(len(places) - 1):
        low, high = places[doc], places[doc + 1]
        size = min(width, high - low)
        total = high - low - size + 1 if size == width or (whole and size > 0) else 0
        run = out[count : count + total]
        for at in range(total):
            run[at] = _ZERO
        # one pass over the text for each word of a run: no step waits for another, all are vectors
        for place in range(size):
            more = words[low + place : low + place + total]
            for at in range(total):
                run[at] = run[at] * _BASE + more[at]
        for at in range(total):
            run[at] = mixed(run[at])
        count += total
        out_places[doc + 1] = count
