"""The text kernels, compiled: UTF-8 in, hashes of words and of n-grams out.

The bits are those of ``corpus.grams.plain``, which says the same in Python.
"""

from __future__ import annotations

import numpy as np

from corpus.grams.blocks import eight, lowest, ones, wide_bits, word_bits
from corpus.grams.hashing import BASE, FACTOR, MIXERS
from corpus.grams.jit import kernel, part
from corpus.grams.table import ALONE, FOLD, HARD, JOINS, KIND, LETTER, LIMIT, SPACE, UPPER, WORD
from corpus.grams.types import CAPITAL, INNER, Bytes, Codes, Flags, Hashes, Places

_FACTOR, _BASE = np.uint64(FACTOR), np.uint64(BASE)
_MIX0, _MIX1 = np.uint64(MIXERS[0]), np.uint64(MIXERS[1])
_ZERO, _ONE, _TWO, _SIX, _EIGHT = (np.uint64(n) for n in (0, 1, 2, 6, 8))
_32, _33, _63, _64 = (np.uint64(n) for n in (32, 33, 63, 64))
_ALL, _CASE, _HIGH = ~_ZERO, np.uint64(0x20), np.uint64(0x8080808080808080)
_LIMIT, _NEITHER, _BLANK = np.uint64(LIMIT), np.uint32(0), np.uint8(32)

TEXTS = "Array(u1, 1, 'C', readonly=True), i8[::1], u1[::1], u4[::1]"


@part
def mixed(value: np.uint64) -> np.uint64:
    """The 64-bit finaliser of MurmurHash3."""
    value = (value ^ (value >> _33)) * _MIX0
    value = (value ^ (value >> _33)) * _MIX1
    return value ^ (value >> _33)


@part
def _within(bits: np.uint64, left: np.uint64) -> np.uint64:
    """The bits of a block of which so many bytes are left."""
    return bits if left >= _64 else bits & ((_ONE << left) - _ONE)


@part
def _decoded(data: Bytes, at: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The code point at a place, and the number of its bytes."""
    first = np.uint64(data[at])
    if first < np.uint64(0x80):
        return first, _ONE
    second = np.uint64(data[at + _ONE]) & _63
    if first < np.uint64(0xE0):
        return ((first & np.uint64(31)) << _SIX) | second, _TWO
    point = (second << _SIX) | (np.uint64(data[at + _TWO]) & _63)
    if first < np.uint64(0xF0):
        return ((first & np.uint64(15)) << np.uint64(12)) | point, np.uint64(3)
    point = (point << _SIX) | (np.uint64(data[at + np.uint64(3)]) & _63)
    return ((first & np.uint64(7)) << np.uint64(18)) | point, np.uint64(4)


@part
def _encoded(point: np.uint64, out: Bytes, at: np.uint64) -> np.uint64:
    """Write a code point as UTF-8; where it ends."""
    if point < np.uint64(0x80):
        out[at] = point
        return at + _ONE
    if point < np.uint64(0x800):
        out[at] = np.uint64(0xC0) | (point >> _SIX)
    else:
        if point < np.uint64(0x10000):
            out[at] = np.uint64(0xE0) | (point >> np.uint64(12))
        else:
            out[at] = np.uint64(0xF0) | (point >> np.uint64(18))
            at += _ONE
            out[at] = np.uint64(0x80) | ((point >> np.uint64(12)) & _63)
        at += _ONE
        out[at] = np.uint64(0x80) | ((point >> _SIX) & _63)
    out[at + _ONE] = np.uint64(0x80) | (point & _63)
    return at + _TWO


@part
def _is_ascii(data: Bytes, at: np.uint64, end: np.uint64) -> bool:
    """Whether a text is nothing but ASCII."""
    while at < end:
        if _within(wide_bits(data, at), end - at):
            return False
        at += _64
    return True


@part
def _folded(
    data: Bytes, at: np.uint64, end: np.uint64, normal: int, codes: Codes, out: Bytes
) -> np.uint64:
    """Write a text with all that is not ASCII folded, a word by itself between spaces; its length.

    Longer than twice the text where it must be normalised first (and ``normal`` is 0).
    """
    size = _ZERO
    most = _TWO * (end - at) + _ONE
    while at < end:
        run = min(lowest(wide_bits(data, at)), end - at)
        for place in range(run):
            out[size + place] = data[at + place]
        at += run
        size += run
        if at == end or run == _64:
            continue
        point, length = _decoded(data, at)
        at += length
        code = codes[point] if point < _LIMIT else _NEITHER
        if code & HARD and normal == 0:
            return most
        if code & KIND == WORD:
            size = _encoded(np.uint64(code >> FOLD), out, size)
            continue
        out[size] = _BLANK
        size += _ONE
        if code & KIND == ALONE:
            size = _encoded(np.uint64(code >> FOLD), out, size)
            out[size] = _BLANK
            size += _ONE
    return size


@part
def _edges(text: Bytes, at: np.uint64, end: np.uint64, edges: Places) -> np.uint64:
    """Write where words begin and end, by turns, into ``edges``; how many places these are.

    They are written eight at a time, so that nobody must guess how many a block has; what is too
    much is written over by those that follow.
    """
    count = last = _ZERO
    while at < end:
        bits = _within(word_bits(text, at), end - at)
        turns = bits ^ ((bits << _ONE) | last)
        last = bits >> _63
        more = ones(turns)
        for start in range(_ZERO, more, _EIGHT):
            for place in range(_EIGHT):
                edges[count + start + place] = at + lowest(turns)
                turns &= turns - _ONE
        count += more
        at += _64
    if count & _ONE:
        edges[count] = end
        count += _ONE
    return count


@part
def _chunk(text: Bytes, at: np.uint64) -> np.uint64:
    """Eight bytes with ASCII in lower case: letters and digits alone, so one bit does it."""
    found = eight(text, at)
    return found | ((~found & _HIGH) >> _TWO)


@part
def _hashed(text: Bytes, edges: Places, count: np.uint64, words: Hashes, first: np.uint64) -> None:
    """Write the hash of every word between its edges into ``words``, from ``first`` on."""
    for place in range(_ZERO, count, _TWO):
        at, end = np.uint64(edges[place]), np.uint64(edges[place + _ONE])
        size = end - at
        word = size
        while size > _EIGHT:
            word = (word ^ _chunk(text, at)) * _FACTOR
            word ^= word >> _32
            at += _EIGHT
            size -= _EIGHT
        word = (word ^ (_chunk(text, at) & (_ALL >> (_64 - _EIGHT * size)))) * _FACTOR
        words[first + (place >> _ONE)] = word ^ (word >> _32)


@part
def _longest(ends: Places) -> int:
    """The bytes of the longest text."""
    most = start = 0
    for end in ends:
        most = max(most, end - start)
        start = end
    return most


@kernel(f"i8({TEXTS}, u8[::1], i8[::1], u1[::1])")
def read(
    data: Bytes,
    ends: Places,
    normal: Flags,
    codes: Codes,
    words: Hashes,
    places: Places,
    hard: Flags,
) -> int:
    """Write the hash of every word into ``words``, where each text ends into ``places``.

    ``hard`` is set for a text that must come again, normalised (``normal``); it has no words yet.
    """
    longest = _longest(ends)
    edges, shown = np.empty(longest + 16, np.int64), np.empty(2 * longest + 128, np.uint8)
    count = at = _ZERO  # unsigned: an index that may be negative costs a test at every byte
    for doc in range(len(ends)):
        end = np.uint64(ends[doc])
        if _is_ascii(data, at, end):
            found = _edges(data, at, end, edges)
            _hashed(data, edges, found, words, count)
        else:
            size = _folded(data, at, end, normal[doc], codes, shown)
            hard[doc] = size > _TWO * (end - at)
            found = _ZERO if hard[doc] else _edges(shown, _ZERO, size, edges)
            _hashed(shown, edges, found, words, count)
        count += found >> _ONE
        places[doc + 1] = count
        at = end
    return np.int64(count)  # type: ignore[return-value] # numba's integer


@kernel(f"void({TEXTS}, u1[::1])")
def mark(data: Bytes, ends: Places, hard: Flags, codes: Codes, marks: Flags) -> None:
    """Write the marks of every word of the texts that are not ``hard``, in their order."""
    count = at = _ZERO
    for doc in range(len(ends)):
        before = last = _NEITHER
        length = mark = 0
        end = np.uint64(ends[doc])
        if hard[doc]:
            at = end
        while at < end:
            point, size = _decoded(data, at)
            at += size
            code = codes[point] if point < _LIMIT else _NEITHER
            if code & KIND == WORD:
                if length == 0:
                    inner = last & SPACE and before & JOINS and code & LETTER
                    mark = (INNER | (CAPITAL if code & UPPER else 0)) if inner else 0
                length += 1
            else:
                marks[count] = mark if length > 1 else 0
                count += np.uint64(length > 0)
                if code & KIND == ALONE:
                    marks[count] = 0
                    count += _ONE
                length = 0
            before, last = last, code
        marks[count] = mark if length > 1 else 0
        count += np.uint64(length > 0)


@part
def runs(words: Hashes, low: int, total: int, size: int, out: Hashes, first: int) -> None:
    """Write the hash of each of ``total`` runs of ``size`` words, the first of which is at ``low``.

    One pass for each word of a run: no step waits for another, all are vectors.
    """
    run = out[first : first + total]
    for at in range(total):
        run[at] = _ZERO
    for place in range(size):
        more = words[low + place : low + place + total]
        for at in range(total):
            run[at] = run[at] * _BASE + more[at]
    for at in range(total):
        run[at] = mixed(run[at])


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
        runs(words, low, total, size, out, count)
        count += total
        out_places[doc + 1] = count
