"""Masked patterns: what is left of a sentence when its content words are holes.

A word that is not among the 400 most common of English becomes ``*``, and a run of holes is one. A
pattern is a run of 3 to 7 of what remains, with a word at both ends and at least 3 words, so "it
was not grief but relief" and "it was not fear but anger" share ``it was not * but``: contiguous
and discontinuous n-grams are one thing. The first
words of a document, and those of its last sentence, are patterns of their own (``^`` and ``$``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from corpus.language import Hashes, run_hashes, token_hashes, words
from corpus.score.columns import Columns, Numbers, first_of_runs
from corpus.score.shipped import shipped

HOLE, FIRST, LAST, STOP = "*", "^", "$", "|"
WIDTHS = range(3, 8)
LEAST_KEPT = 3
EDGE = 5  # items of an opening or an ending
SAMPLE = 2_000  # documents
ENGLISH = 0.3  # of the words must be among the common ones

_SENTENCE = re.compile(r"(?<=[.!?\u2026])[\"'\u201d\u2019)\]*_]*\s+|\s*\n\s*")


@dataclass(frozen=True, slots=True)
class Control:
    """Documents that have each pattern in a corpus to compare with.

    Attributes:
        whence: its name.
        documents: how many there are.
        words: of a document on average.
        counts: documents by the hash of the pattern.
        floor: what count a pattern that is not listed may have had.
    """

    whence: str
    documents: int
    words: float
    counts: Mapping[int, int]
    floor: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """Patterns of a sample: sorted pairs of hash and document, each once.

    Attributes:
        docs: the documents that were looked at, ascending.
        values: hashes, ascending.
        owners: the document of each.
        places: where the pattern begins in ``items``.
        widths: its number of items.
        items: the masked sentences, as numbers of ``alphabet``.
    """

    docs: Numbers
    values: Hashes
    owners: Numbers
    places: Numbers
    widths: Numbers
    items: Numbers

    def said(self, place: int, width: int) -> str:
        """The pattern of so many items at a place."""
        return " ".join(alphabet()[number] for number in self.items[place : place + width].tolist())


@cache
def alphabet() -> tuple[str, ...]:
    """The marks, then the common words."""
    return (HOLE, FIRST, LAST, STOP, *shipped()["alphabet"])


@cache
def _numbers() -> dict[str, int]:
    return {word: number for number, word in enumerate(alphabet())}


@cache
def _hashes() -> Hashes:
    return token_hashes(alphabet())


def pattern_hash(pattern: str) -> int:
    """The hash of a pattern as ``Found.said`` writes it."""
    parts = pattern.split(" ")
    return int(run_hashes(token_hashes(parts), len(parts))[0])


def find(columns: Columns) -> Found:
    """The patterns of the English documents among 2,000 drawn by id."""
    items, docs = [np.zeros(0, np.int64)], []
    for doc in np.sort(columns.drawn[:SAMPLE]).tolist():
        own = _masked(columns.texts[doc].text)
        kept = int((own > _numbers()[STOP]).sum())
        if kept >= ENGLISH * max(1, int(columns.sizes[doc])):
            items.append(own)
            docs.append(doc)
    sizes = [len(own) for own in items[1:]]
    every = np.concatenate(items)
    owners = np.repeat(np.array(docs, dtype=np.int64), sizes)
    runs = [_runs(every, width) for width in WIDTHS]
    hashes = np.concatenate([values for values, _ in runs])
    places = np.concatenate([places for _, places in runs])
    widths = np.repeat(np.array(WIDTHS), [len(places) for _, places in runs])
    order = np.lexsort((places, hashes))
    hashes, places, widths = hashes[order], places[order], widths[order]
    held = owners[places]
    once = first_of_runs(hashes) | first_of_runs(held)
    chosen = np.array(docs, dtype=np.int64)
    return Found(chosen, hashes[once], held[once], places[once], widths[once], every)


def control_of(columns: Columns, whence: str) -> Control:
    """The patterns of a corpus as something to compare with."""
    found = find(columns)
    heads = np.flatnonzero(first_of_runs(found.values))
    counts = np.diff(np.append(heads, len(found.values)))
    table = dict(zip(found.values[heads].tolist(), counts.tolist(), strict=True))
    size = float(columns.sizes[found.docs].mean()) if len(found.docs) else 0.0
    return Control(whence, len(found.docs), size, table)


def _masked(text: str) -> Numbers:
    """The items of a document; a stop after every sentence."""
    sentences = [own for part in _SENTENCE.split(text) if (own := words(part))]
    made = [_numbers()[FIRST]]
    for place, sentence in enumerate(sentences):
        if place == len(sentences) - 1:
            made.append(_numbers()[LAST])
        made += _mask(sentence)
        made.append(_numbers()[STOP])
    return np.array(made, dtype=np.int64)


def _mask(sentence: Sequence[str]) -> list[int]:
    """The numbers of the words; holes are 0, a run of them one."""
    table, made = _numbers(), list[int]()
    for word in sentence:
        number = table.get(word, 0)
        if number or not made or made[-1]:
            made.append(number)
    return made


def _runs(items: Numbers, width: int) -> tuple[Hashes, Numbers]:
    """The hashes and places of the patterns of that width.

    Inside a sentence a pattern begins with a word, at a document's first or last sentence with
    the mark; marks elsewhere are none of it.
    """
    if len(items) < width:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    stop = _numbers()[STOP]
    count = len(items) - width + 1
    kept = np.zeros(count, dtype=np.int64)
    marks = np.zeros(count, dtype=bool)
    for offset in range(width):
        part = items[offset : offset + count]
        kept += part > stop
        if offset:
            marks |= (part > 0) & (part <= stop)
    head, tail = items[:count], items[width - 1 :]
    edge = (head > 0) & (head < stop)
    inner = (head > stop) & (tail > stop) & (kept >= LEAST_KEPT)
    edges = edge & (kept >= LEAST_KEPT - 1) & (tail > stop) & (width <= EDGE)
    places = np.flatnonzero(~marks & (inner | edges))
    return run_hashes(_hashes()[items], width)[places], places
