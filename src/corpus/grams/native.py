"""The compiled kernels with their arrays around them; texts that need it are normalised first."""

from __future__ import annotations

from functools import cache

import numpy as np

from corpus.grams import compiled
from corpus.grams.hashing import word_hash
from corpus.grams.jit import home
from corpus.grams.packing import pack
from corpus.grams.table import kept, normalised
from corpus.grams.types import Bytes, Codes, Flags, Grams, Hashes, Packed, Places, Words


def read(texts: Packed, *, capitals: bool = False) -> Words:
    """The words of each text; one without any has the single word that is all of it, stripped."""
    hard, found = _scan(texts, np.zeros(len(texts.ends), np.uint8), capitals=capitals)
    again = np.flatnonzero(hard).tolist()
    if again:
        shown = [normalised(texts.text(place)) for place in again]
        normal = np.ones(len(again), np.uint8)
        found = _spliced(found, again, _scan(pack(shown), normal, capitals=capitals)[1])
    silent = np.flatnonzero(found.places[1:] == found.places[:-1]).tolist()
    if silent:
        lone = [word_hash(normalised(texts.text(place)).casefold().strip()) for place in silent]
        alone = Words(np.array(lone, np.uint64), np.arange(len(lone) + 1),
                      np.zeros(len(lone) if capitals else 0, np.uint8))  # fmt: skip
        found = _spliced(found, silent, alone)
    return found


def ngrams(words: Words, width: int, *, whole: bool) -> Grams:
    """The n-grams of each text; ``whole`` makes one of a text that is shorter than that."""
    hashes, places = np.empty(len(words.hashes), np.uint64), np.zeros_like(words.places)
    compiled.ngrams(words.hashes, words.places, width, int(whole), hashes, places)
    return Grams(hashes[: places[-1]], places)


def arrays(
    texts: Packed, normal: Flags
) -> tuple[Bytes, Places, Flags, Codes, Hashes, Places, Flags]:
    """What ``compiled.read`` takes: the texts, and room for words, places and hard ones."""
    data = np.frombuffer(texts.data, np.uint8)
    count = len(texts.ends)
    most = len(data) // 2 + count + 8  # a word has at least a byte, and one more to part it
    words, places = np.empty(most, np.uint64), np.zeros(count + 1, np.int64)
    return data, texts.ends, normal, _codes(), words, places, np.zeros(count, np.uint8)


def _scan(texts: Packed, normal: Flags, *, capitals: bool) -> tuple[Flags, Words]:
    """Which texts are hard, and the words of the others."""
    data, ends, normal, codes, hashes, places, hard = arrays(texts, normal)
    total = compiled.read(data, ends, normal, codes, hashes, places, hard)
    marks = np.empty(len(hashes) if capitals else 0, np.uint8)
    if capitals:
        compiled.mark(data, ends, hard, codes, marks)
    return hard, Words(hashes[:total], places, marks[:total])


@cache
def _codes() -> Codes:
    """The table of code points, which is kept beside the kernels."""
    return kept(home(compiled.read))


def _spliced(found: Words, which: list[int], other: Words) -> Words:
    """``found``, where the texts ``which`` have the words of ``other`` instead."""
    counts = np.diff(found.places)
    counts[which] = np.diff(other.places)
    hashes, marks = [], []
    start = 0
    for place, text in enumerate(which):
        cut = slice(start, found.places[text])
        put = slice(other.places[place], other.places[place + 1])
        hashes += [found.hashes[cut], other.hashes[put]]
        marks += [found.marks[cut], other.marks[put]]
        start = found.places[text + 1]
    hashes.append(found.hashes[start:])
    marks.append(found.marks[start:])
    places = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=places[1:])
    return Words(np.concatenate(hashes), places, np.concatenate(marks))
