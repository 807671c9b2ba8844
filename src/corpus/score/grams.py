"""Passages and word pairs: what a hash of every run of words shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.language import Hashes, ngram_hashes
from corpus.records import Json, Metric, digest
from corpus.score.scale import EVIDENCE, Doc, Scale

NGRAM = 8
BUDGET = 90_000
LOOK = 1000


def shared(docs: Sequence[Doc], quoted: Sequence[Doc], scale: Scale) -> Iterator[Metric]:
    """The share of words inside an 8-gram that at least two documents have."""
    found = _shared_grams(docs)
    sizes = [len(doc.words) for doc in docs]
    before = np.cumsum([0, *sizes])
    free = np.concatenate([np.zeros(0, np.uint64), *(ngram_hashes(q.words, NGRAM) for q in quoted)])
    fresh = found.only(~np.isin(found.values, free))
    for name, grams in (("shared_ngram", fresh), ("shared_ngram_raw", found)):
        covered = np.zeros(before[-1], dtype=bool)
        for offset in range(NGRAM):
            covered[before[grams.docs] + grams.starts + offset] = True
        value = float(covered.mean()) if len(covered) else None
        note = "without what the allowed texts hold" if grams is fresh else "no gate"
        evidence = _most_shared(grams, docs)
        yield scale.metric(name, value, len(docs), "share of words", note=note, evidence=evidence)


def distinct2(docs: Sequence[Doc], scale: Scale) -> Metric:
    """Distinct word pairs over all word pairs, in a sample of 90,000 words drawn by id.

    The figure falls as a text grows, so only equal budgets compare; and genres differ, so the
    gate speaks only against a baseline.
    """
    left, pairs = BUDGET, [np.zeros(0, np.uint64)]
    for doc in sorted(docs, key=lambda doc: (digest(doc.text.id), doc.text.text)):
        pairs.append(ngram_hashes(doc.words[:left], 2))
        left -= min(left, len(doc.words))
    values = np.sort(np.concatenate(pairs))
    value = (1 + np.count_nonzero(np.diff(values))) / len(values) if len(values) else None
    note = f"first {BUDGET:,} words in the order of hashed ids"
    if left:
        note = f"only {BUDGET - left:,} of {BUDGET:,} words: no gate, not comparable"
        scale = Scale(scale.limits, {})
    return scale.metric("distinct2", value, len(docs), "ratio", higher=True, note=note)


@dataclass(frozen=True, slots=True)
class _Grams:
    """Places of 8-grams, ascending by hash, then document, then first word in the document."""

    values: Hashes
    docs: NDArray[np.int64]
    starts: NDArray[np.int64]

    def only(self, mask: NDArray[np.bool_]) -> _Grams:
        """The places where ``mask`` holds."""
        return _Grams(self.values[mask], self.docs[mask], self.starts[mask])

    def heads(self) -> NDArray[np.int64]:
        """The index of the first place of each 8-gram."""
        new = np.ones(len(self.values), dtype=bool)
        new[1:] = self.values[1:] != self.values[:-1]
        return np.flatnonzero(new)


def _shared_grams(docs: Sequence[Doc]) -> _Grams:
    """Every place of an 8-gram that at least two documents have, by one sort.

    Within a group of equals the documents ascend, so its first and last differ if it is shared.
    """
    hashes = [ngram_hashes(doc.words, NGRAM) for doc in docs]
    counts = np.array([len(found) for found in hashes], dtype=np.int64)
    values = np.concatenate([np.zeros(0, np.uint64), *hashes])
    numbers = np.repeat(np.arange(len(docs)), counts)
    starts = np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)
    order = np.argsort(values, kind="stable")
    grams = _Grams(values[order], numbers[order], starts[order])
    sizes = np.diff(np.append(heads := grams.heads(), len(values)))
    differs = grams.docs[heads] != grams.docs[heads + sizes - 1]
    return grams.only(np.repeat(differs, sizes))


def _most_shared(grams: _Grams, docs: Sequence[Doc]) -> list[Json]:
    """The 8-grams in most documents, without those that overlap one already listed."""
    heads = grams.heads()
    pairs = np.ones(len(grams.values), dtype=np.int64)
    pairs[1:] = (grams.values[1:] != grams.values[:-1]) | (grams.docs[1:] != grams.docs[:-1])
    counts = np.add.reduceat(pairs, heads) if len(heads) else pairs
    listed: list[Json] = []
    taken: set[tuple[int, int]] = set()
    for group in np.argsort(-counts, kind="stable")[:LOOK].tolist():
        head, count = int(heads[group]), int(counts[group])
        doc, start = int(grams.docs[head]), int(grams.starts[head])
        span = {(doc, place) for place in range(start, start + NGRAM)}
        if len(listed) < EVIDENCE and not span & taken:
            taken |= span
            firsts = np.flatnonzero(pairs[head:])[:3] + head
            ids = [docs[number].text.id for number in grams.docs[firsts[:count]].tolist()]
            listed.append(
                {
                    "text": " ".join(docs[doc].words[start : start + NGRAM]),
                    "count": count,
                    "ids": ids,
                }
            )
    return listed
