"""Masked patterns: what is left of a sentence when its content words are holes.

A word that is not among the 400 most common of English becomes ``*``, and a run of holes is one. A
pattern is a run of 3 to 7 of what remains, with a word at both ends and at least 3 words, so "it
was not grief but relief" and "it was not fear but anger" share ``it was not * but``: contiguous
and discontinuous n-grams are one thing. The first
words of a document, and those of its last sentence, are patterns of their own (``^`` and ``$``).

With a spaCy pipeline of the user's, a hole is the part of speech of its word ("it was not NOUN but
NOUN"), so that patterns tell forms of sentences apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from corpus.language import Hashes, run_hashes, tagger, token_hashes, words
from corpus.score.columns import Columns, Numbers, first_of_runs
from corpus.score.shipped import shipped

HOLE, FIRST, LAST, STOP = "*", "^", "$", "|"
TAGS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN",
    "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip
WIDTHS = range(3, 8)
LEAST_KEPT = 3
EDGE = 5  # items of an opening or an ending
SAMPLE = 2_000  # documents
TAGGED = 300  # documents, where a pipeline reads them
CUT = 3_000  # characters of each
ENGLISH = 0.3  # of the words must be among the common ones

STOPPED = 3  # the number of the stop, the last of the marks
_LAST_TAG = STOPPED + len(TAGS)
_ENDS = frozenset({".", "!", "?", "\u2026"})
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
        pipeline: the spaCy pipeline that read them, if one did.
    """

    whence: str
    documents: int
    words: float
    counts: Mapping[int, int]
    floor: int = 0
    pipeline: str | None = None


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
    """The marks, the parts of speech, then the common words."""
    return (HOLE, FIRST, LAST, STOP, *TAGS, *shipped()["alphabet"])


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


def find(columns: Columns, pipeline: str | None = None) -> Found:
    """The patterns of the English documents among 2,000 drawn by id; 300 by a pipeline.

    Raises:
        InputError: the pipeline is not installed, or it does not tag.
    """
    chosen = np.sort(columns.drawn[: TAGGED if pipeline else SAMPLE]).tolist()
    texts = [columns.texts[doc].text for doc in chosen]
    masked = map(_masked, texts) if pipeline is None else _by_tags(pipeline, texts)
    items, docs = [np.zeros(0, np.int64)], []
    for doc, (own, size) in zip(chosen, masked, strict=True):
        if int((own > _LAST_TAG).sum()) >= ENGLISH * max(1, size):
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
    used = np.array(docs, dtype=np.int64)
    return Found(used, hashes[once], held[once], places[once], widths[once], every)


def control_of(columns: Columns, whence: str, pipeline: str | None = None) -> Control:
    """The patterns of a corpus as something to compare with."""
    found = find(columns, pipeline)
    heads = np.flatnonzero(first_of_runs(found.values))
    counts = np.diff(np.append(heads, len(found.values)))
    table = dict(zip(found.values[heads].tolist(), counts.tolist(), strict=True))
    size = float(columns.sizes[found.docs].mean()) if len(found.docs) else 0.0
    return Control(whence, len(found.docs), size, table, pipeline=pipeline)


def _masked(text: str) -> tuple[Numbers, int]:
    """The items of a document, with a stop after every sentence, and how many words it has."""
    sentences = [own for part in _SENTENCE.split(text) if (own := words(part))]
    made = _joined([_mask((word, HOLE) for word in sentence) for sentence in sentences])
    return made, sum(map(len, sentences))


def _by_tags(pipeline: str, texts: Sequence[str]) -> Iterator[tuple[Numbers, int]]:
    """The same of documents whose holes are parts of speech."""
    for said in tagger(pipeline, [text[:CUT] for text in texts]):
        sentences: list[list[tuple[str, str]]] = [[]]
        for token, tag in said:
            if token in _ENDS:
                sentences.append([])
            elif tag != "PUNCT":
                sentences[-1] += [(word, tag) for word in words(token)]
        made = _joined([_mask(sentence) for sentence in sentences if sentence])
        yield made, sum(map(len, sentences))


def _joined(sentences: Sequence[list[int]]) -> Numbers:
    """Masked sentences as one array, with the marks."""
    made = [_numbers()[FIRST]]
    for place, sentence in enumerate(sentences):
        if place == len(sentences) - 1:
            made.append(_numbers()[LAST])
        made += [*sentence, _numbers()[STOP]]
    return np.array(made, dtype=np.int64)


def _mask(sentence: Iterable[tuple[str, str]]) -> list[int]:
    """The numbers of words or of what stands for them; a run of equal holes is one."""
    table, made = _numbers(), list[int]()
    for word, hole in sentence:
        number = table.get(word) or table.get(hole, 0)
        if number > _LAST_TAG or not made or made[-1] != number:
            made.append(number)
    return made


def _runs(items: Numbers, width: int) -> tuple[Hashes, Numbers]:
    """The hashes and places of the patterns of that width.

    Inside a sentence a pattern begins with a word, at a document's first or last sentence with
    the mark; marks elsewhere are none of it.
    """
    if len(items) < width:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    count = len(items) - width + 1
    kept = np.zeros(count, dtype=np.int64)
    marks = np.zeros(count, dtype=bool)
    for offset in range(width):
        part = items[offset : offset + count]
        kept += part > _LAST_TAG
        if offset:
            marks |= (part > 0) & (part <= STOPPED)
    head, tail = items[:count], items[width - 1 :]
    edge = (head > 0) & (head < STOPPED)
    inner = (head > _LAST_TAG) & (tail > _LAST_TAG) & (kept >= LEAST_KEPT)
    edges = edge & (kept >= LEAST_KEPT - 1) & (tail > _LAST_TAG) & (width <= EDGE)
    places = np.flatnonzero(~marks & (inner | edges))
    return run_hashes(_hashes()[items], width)[places], places
