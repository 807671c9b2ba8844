"""The texts as columns: one array of words, one of sentence forms, and where each document ends.

All metrics count over these arrays, by sorting, so that the time grows with the text and nothing
depends on the order of the input: documents stand in the order of id and text.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.language import UNSPACED, Hashes, skim, text_hash, token_hashes, words
from corpus.records import digest
from corpus.score.shipped import shipped

Numbers = NDArray[np.int64]

BY = ("section", "stream", "kind")
SKELETON_WORDS = 5
FLUENT = 0.3  # of the words of a text are among the 400 commonest of its language
NOUNS = 0.15  # names per word; a text with more capitalises its nouns, as German does

_SKELETON = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+(?:['\u2019][^\W_]+)*")
_HOLE = "_"


@dataclass(frozen=True, slots=True)
class Text:
    """A document as the suite sees it; ``section`` and ``kind`` are its cell of the plan.

    ``facets`` are what was dealt to it, by name.
    """

    id: str
    text: str
    section: str | None = None
    stream: str | None = None
    kind: str | None = None
    facets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Columns:
    """Texts read once.

    Attributes:
        texts: in the order of id and text.
        words: the number in ``vocabulary`` of every word, document after document.
        ends: n + 1 places in ``words``; document d has ``words[ends[d]:ends[d + 1]]``.
        forms: the hash of every sentence's form, and ``form_docs`` the document of each.
        sentences: how many sentences with a form each document has.
        names: the names in each document, as runs of words, one for each use; none for a text
            that capitalises its nouns.
    """

    texts: Sequence[Text]
    vocabulary: Sequence[str]
    words: NDArray[np.int32]
    ends: Numbers
    forms: Hashes
    form_docs: Numbers
    names: Sequence[Sequence[str]]

    @classmethod
    def of(cls, texts: Iterable[Text]) -> Columns:
        """Read the texts."""
        ordered = sorted(texts, key=lambda text: (text.id, text.text))
        numbers: dict[str, int] = {}
        pieces, forms, names = [], [], []
        for text in ordered:
            said = [numbers.setdefault(word, len(numbers)) for word in words(text.text)]
            pieces.append(np.array(said, dtype=np.int32))
            found = skim(text.text)
            own = map(text_hash, skeletons(found.sentences))
            forms.append(np.fromiter(own, dtype=np.uint64))
            names.append(found.names if len(found.names) <= NOUNS * len(said) else [])
        sizes = np.array([len(piece) for piece in pieces], dtype=np.int64)
        return cls(
            ordered,
            list(numbers),
            np.concatenate([np.zeros(0, np.int32), *pieces]),
            np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
            np.concatenate([np.zeros(0, np.uint64), *forms]),
            np.repeat(np.arange(len(ordered)), [len(form) for form in forms]),
            names,
        )

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def sizes(self) -> Numbers:
        """The number of words of each document."""
        return np.diff(self.ends)

    @cached_property
    def hashes(self) -> Hashes:
        """The hash of every word of the vocabulary."""
        return token_hashes(self.vocabulary)

    @cached_property
    def english(self) -> NDArray[np.bool_]:
        """Which documents are English: at least 30 % of their words are common ones of it."""
        usual = frozenset(shipped()["alphabet"])
        common = np.fromiter((word in usual for word in self.vocabulary), dtype=bool)
        known = np.concatenate([[0], np.cumsum(common[self.words])])
        return np.diff(known[self.ends]) >= FLUENT * np.maximum(1, self.sizes)

    @cached_property
    def drawn(self) -> Numbers:
        """The documents in a seeded order that depends on their ids alone."""
        keys = [(digest(text.id), text.text) for text in self.texts]
        return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)

    @cached_property
    def cells(self) -> Mapping[str, tuple[Sequence[str], Numbers]]:
        """Per ``section``, ``stream`` and ``kind``: its values, and each document's (-1: none)."""
        found: dict[str, tuple[Sequence[str], Numbers]] = {}
        for by in BY:
            values = [getattr(text, by) for text in self.texts]
            known = sorted({value for value in values if value})
            place = {value: number for number, value in enumerate(known)}
            codes = np.array([place.get(value, -1) for value in values], dtype=np.int64)
            found[by] = (known, codes)
        return found

    @cached_property
    def cell_words(self) -> Mapping[tuple[str, str], float]:
        """The mean number of words of a document, per cell."""
        found: dict[tuple[str, str], float] = {}
        for by, (values, codes) in self.cells.items():
            own = codes >= 0
            sums = np.bincount(codes[own], self.sizes[own], len(values))
            means = sums / np.maximum(1, np.bincount(codes[own], minlength=len(values)))
            found |= {(by, v): round(float(m), 1) for v, m in zip(values, means, strict=True)}
        return found

    def said(self, doc: int, start: int = 0, end: int | None = None) -> str:
        """Words of a document, from ``start`` to ``end``, with spaces between them."""
        own = self.words[self.ends[doc] : self.ends[doc + 1]][start:end]
        return " ".join(self.vocabulary[number] for number in own.tolist())

    def some(self, chosen: Numbers) -> tuple[Numbers, Numbers]:
        """The places of the words of the chosen documents, and the size of each."""
        sizes = self.sizes[chosen]
        starts = np.repeat(self.ends[chosen] - np.cumsum(sizes) + sizes, sizes)
        return starts + np.arange(len(starts)), sizes

    def form(self, place: int) -> str:
        """The form whose hash stands at ``place`` of ``forms``, read again from its document."""
        doc = int(self.form_docs[place])
        own = skeletons(skim(self.texts[doc].text).sentences)
        first = int(np.searchsorted(self.form_docs, doc))
        return next(itertools.islice(own, place - first, None))


def skeletons(sentences: Iterable[str]) -> Iterator[str]:
    """The forms of sentences: capitalised words and numbers become one hole a run.

    A form with fewer than 5 words of its own is none.
    """
    for sentence in sentences:
        form = [
            _HOLE if word[0].isupper() or word[0].isdigit() else word.casefold()
            for word in _SKELETON.findall(sentence)
        ]
        if len(form) - form.count(_HOLE) >= SKELETON_WORDS:
            runs = itertools.groupby(form, key=lambda word: word == _HOLE)
            yield " ".join(_HOLE if hole else " ".join(run) for hole, run in runs)


def first_of_runs(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a new run of equals begins; of a sorted array, the first of each value."""
    new = np.ones(len(values), dtype=bool)
    new[1:] = values[1:] != values[:-1]
    return new
