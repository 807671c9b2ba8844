"""Masked patterns: what is left of a sentence when its content words are holes.

A word that is not among the 400 most common becomes ``*``, and a run of holes is one. A pattern is
a run of 3 to 7 of what remains, with a word at both ends and at least 3 words, so "it was not grief
but relief" and "it was not fear but anger" share ``it was not * but``: contiguous and discontinuous
n-grams are one thing. The first words of a document, and those of its last sentence, are patterns
of their own (``^`` and ``$``).

The common words are those of English, or of a control of texts in another language whose words
stand apart. A document in which they are rare is in another language, and none of it is counted.

With a spaCy pipeline of the user's, a hole is the part of speech of its word ("it was not NOUN but
NOUN"), so that patterns tell forms of sentences apart.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from corpus.language import Hashes, run_hashes, tagger, token_hashes, words
from corpus.score.columns import FLUENT, Columns, Numbers, first_of_runs
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
COMMON = 400  # words

STOPPED = 3  # the number of the stop, the last of the marks
_LAST_TAG = STOPPED + len(TAGS)
_ENDS = frozenset({".", "!", "?", "\u2026"})
_SENTENCE = re.compile(r"(?<=[.!?\u2026])[\"'\u201d\u2019)\]*_]*\s+|\s*\n\s*")


class Alphabet:
    """What is left of a sentence: ``items`` are marks, parts of speech, then the common words."""

    def __init__(self, language: str, common: Iterable[str]) -> None:
        self.language = language
        self.items = (HOLE, FIRST, LAST, STOP, *TAGS, *common)
        self.numbers = {word: number for number, word in enumerate(self.items)}
        self.hashes = token_hashes(self.items)


@cache
def english() -> Alphabet:
    """The common words of English, as they ship."""
    return Alphabet("English", shipped()["alphabet"])


def common_words(columns: Columns) -> list[str]:
    """The 400 words that most documents have, of letters alone."""
    docs = np.repeat(np.arange(len(columns)), columns.sizes)
    pairs = np.unique(docs * len(columns.vocabulary) + columns.words)
    counts = np.bincount(pairs % max(1, len(columns.vocabulary)))
    ranked = sorted(range(len(counts)), key=lambda n: (-counts[n], columns.vocabulary[n]))
    words = (columns.vocabulary[number] for number in ranked)
    return list(itertools.islice((w for w in words if w.replace("'", "").isalpha()), COMMON))


@dataclass(frozen=True, slots=True)
class Control:
    """Documents that have each pattern in a corpus to compare with.

    Attributes:
        whence: its name.
        documents: how many there are.
        words: of a document on average.
        counts: documents by the hash of the pattern.
        floor: what count a pattern that is not listed may have had.
        alphabet: the common words that its patterns are made of.
        pipeline: the spaCy pipeline that read them, if one did.
    """

    whence: str
    documents: int
    words: float
    counts: Mapping[int, int]
    alphabet: Alphabet
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
        alphabet: what the numbers stand for.
    """

    docs: Numbers
    values: Hashes
    owners: Numbers
    places: Numbers
    widths: Numbers
    items: Numbers
    alphabet: Alphabet

    def said(self, place: int, width: int) -> str:
        """The pattern of so many items at a place."""
        items = self.items[place : place + width].tolist()
        return " ".join(self.alphabet.items[number] for number in items)


def pattern_hash(pattern: str) -> int:
    """The hash of a pattern as ``Found.said`` writes it."""
    parts = pattern.split(" ")
    return int(run_hashes(token_hashes(parts), len(parts))[0])


def find(columns: Columns, alphabet: Alphabet, pipeline: str | None = None) -> Found:
    """The patterns of 2,000 documents drawn by id; of 300 by a pipeline.

    Left out are those with few words of the alphabet: they are in another language.

    Raises:
        InputError: the pipeline is not installed, or it does not tag.
    """
    chosen = np.sort(columns.drawn[: TAGGED if pipeline else SAMPLE]).tolist()
    texts = [columns.texts[doc].text for doc in chosen]
    sentences = map(_sentences, texts) if pipeline is None else _by_tags(pipeline, texts)
    items, docs = [np.zeros(0, np.int64)], []
    for doc, said in zip(chosen, sentences, strict=True):
        own, size = _masked(said, alphabet.numbers), sum(map(len, said))
        if int((own > _LAST_TAG).sum()) >= FLUENT * max(1, size):
            items.append(own)
            docs.append(doc)
    sizes = [len(own) for own in items[1:]]
    every = np.concatenate(items)
    owners = np.repeat(np.array(docs, dtype=np.int64), sizes)
    runs = [_runs(every, alphabet.hashes, width) for width in WIDTHS]
    hashes = np.concatenate([values for values, _ in runs])
    places = np.concatenate([places for _, places in runs])
    widths = np.repeat(np.array(WIDTHS), [len(places) for _, places in runs])
    order = np.lexsort((places, hashes))
    hashes, places, widths = hashes[order], places[order], widths[order]
    held = owners[places]
    once = first_of_runs(hashes) | first_of_runs(held)
    used = np.array(docs, dtype=np.int64)
    return Found(used, hashes[once], held[once], places[once], widths[once], every, alphabet)


def control_of(columns: Columns, whence: str, pipeline: str | None = None) -> Control:
    """The patterns of a corpus as something to compare with.

    Where hardly any document is English its own commonest words are the alphabet.
    """
    foreign = columns.english.mean() < FLUENT if len(columns) else False
    alphabet = Alphabet("the control's language", common_words(columns)) if foreign else english()
    found = find(columns, alphabet, pipeline)
    heads = np.flatnonzero(first_of_runs(found.values))
    counts = np.diff(np.append(heads, len(found.values)))
    table = dict(zip(found.values[heads].tolist(), counts.tolist(), strict=True))
    size = float(columns.sizes[found.docs].mean()) if len(found.docs) else 0.0
    return Control(whence, len(found.docs), size, table, alphabet, pipeline=pipeline)


Said = list[list[tuple[str, str]]]  # sentences of words, each with what stands for it


def _sentences(text: str) -> Said:
    """The sentences of a document whose holes are all alike."""
    parts = [words(part) for part in _SENTENCE.split(text)]
    return [[(word, HOLE) for word in part] for part in parts if part]


def _by_tags(pipeline: str, texts: Sequence[str]) -> Iterator[Said]:
    """Those of documents whose holes are parts of speech."""
    for said in tagger(pipeline, [text[:CUT] for text in texts]):
        sentences: Said = [[]]
        for token, tag in said:
            if token in _ENDS:
                sentences.append([])
            elif tag != "PUNCT":
                sentences[-1] += [(word, tag) for word in words(token)]
        yield [sentence for sentence in sentences if sentence]


def _masked(sentences: Said, numbers: Mapping[str, int]) -> Numbers:
    """The items of a document: the masked sentences with the marks, a stop after every one."""
    made = [numbers[FIRST]]
    for place, sentence in enumerate(sentences):
        if place == len(sentences) - 1:
            made.append(numbers[LAST])
        made += [*_mask(sentence, numbers), numbers[STOP]]
    return np.array(made, dtype=np.int64)


def _mask(sentence: Iterable[tuple[str, str]], numbers: Mapping[str, int]) -> list[int]:
    """The numbers of words or of what stands for them; a run of equal holes is one."""
    made = list[int]()
    for word, hole in sentence:
        number = numbers.get(word) or numbers.get(hole, 0)
        if number > _LAST_TAG or not made or made[-1] != number:
            made.append(number)
    return made


def _runs(items: Numbers, hashes: Hashes, width: int) -> tuple[Hashes, Numbers]:
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
    return run_hashes(hashes[items], width)[places], places
