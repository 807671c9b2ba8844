"""The text kernels in plain Python and numpy: the same bits, some twenty times slower.

They serve where numba cannot be imported, and in tests, as the definition spelled out.
"""

from __future__ import annotations

import numpy as np

from corpus.grams.definition import INNER_USE, TOKEN
from corpus.grams.hashing import BASE, MIXERS, word_hash
from corpus.grams.table import normalised
from corpus.grams.types import CAPITAL, INNER, Grams, Hashes, Packed, Words


def read(texts: Packed, *, capitals: bool = False) -> Words:
    """The words of each text; one without any has the single word that is all of it, stripped."""
    hashes: list[int] = []
    marks: list[int] = []
    places = [0]
    for place in range(len(texts.ends)):
        shown = normalised(texts.text(place))
        plain = shown.casefold()
        found = list(TOKEN.finditer(plain))
        hashes += [word_hash(one[0]) for one in found] or [word_hash(plain.strip())]
        if capitals:
            marks += [_marks(shown, one.start(), one.end()) for one in found] or [0]
        places.append(len(hashes))
    return Words(
        np.array(hashes, dtype=np.uint64),
        np.array(places, dtype=np.int64),
        np.array(marks, dtype=np.uint8),
    )


def ngrams(words: Words, width: int, *, whole: bool) -> Grams:
    """The n-grams of each text; ``whole`` makes one of a text that is shorter than that."""
    pieces = []
    places = [0]
    for start, end in zip(words.places[:-1].tolist(), words.places[1:].tolist(), strict=True):
        size = min(width, end - start) if whole else width
        found = _runs(words.hashes[start:end], size)
        pieces.append(found)
        places.append(places[-1] + len(found))
    joined = np.concatenate([np.zeros(0, np.uint64), *pieces])
    return Grams(joined, np.array(places, dtype=np.int64))


def mixed(values: Hashes) -> Hashes:
    """The 64-bit finaliser of MurmurHash3."""
    shift = np.uint64(33)
    for factor in MIXERS:
        values = (values ^ (values >> shift)) * np.uint64(factor)
    return values ^ (values >> shift)


def _runs(hashes: Hashes, width: int) -> Hashes:
    total = np.zeros(max(0, len(hashes) - width + 1) if width else 0, dtype=np.uint64)
    for place in range(width):
        total = total * np.uint64(BASE) + hashes[place : place + len(total)]
    return mixed(total)


def _marks(text: str, start: int, end: int) -> int:
    """The marks of the word that stands there."""
    if end - start < 2 or not INNER_USE.match(text, start):  # noqa: PLR2004 - two letters
        return 0
    return INNER | (CAPITAL if text[start].isupper() else 0)
