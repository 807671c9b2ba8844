"""Passages and word pairs: what a hash of every run of words shows."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.language import Hashes, ngram_hashes, run_hashes, words
from corpus.records import Json, Metric
from corpus.score import rarefy
from corpus.score.columns import Columns, Numbers, first_of_runs
from corpus.score.intervals import JACKKNIFE, Reading, jackknife
from corpus.score.scale import EVIDENCE, Scale

NGRAM = 8
BUDGET = 90_000
LOOK = 1000
STEPS = 10  # of the growth curve
PART = 1 << 23  # hashes that are sorted at a time


def shared(columns: Columns, quoted: Iterable[str], scale: Scale) -> Iterator[Metric]:
    """The share of words inside an 8-gram that at least two documents have.

    Yields it without the 8-grams of ``quoted`` (gated), and with them; then the novelty.
    """
    found, new = shared_grams(columns)
    free = [ngram_hashes(words(text), NGRAM) for text in quoted]
    allowed = np.isin(found.values, np.concatenate([np.zeros(0, np.uint64), *free]))
    n, total = int((columns.sizes > 0).sum()), len(columns.words)
    for name, grams in (("shared_ngram", found.only(~allowed)), ("shared_ngram_raw", found)):
        others = sharers(grams, columns)
        part = np.diff(np.concatenate([[0], np.cumsum(others > 0)])[columns.ends])
        curve = rarefy.shares(others[others > 0], n, total)
        note = "no gate" if grams is found else "without what the allowed texts hold"
        evidence = _most_shared(grams, columns)
        unit = "share of words"
        yield scale.share(
            name, part, columns.sizes, unit, note=note, evidence=evidence, curve=curve
        )
    yield _growth(columns, new, scale)


def _growth(columns: Columns, new: Numbers, scale: Scale) -> Metric:
    """8-grams that the last tenth of the documents adds, per 8-gram of theirs; and the curve.

    ``new`` counts 8-grams by the place, in the order of hashed ids, of the first document that has
    them: a rarefaction curve, which depends on the set of the documents alone.
    """
    sizes = np.maximum(0, columns.sizes[columns.drawn] - NGRAM + 1)
    marks = sorted({round(len(new) * step / STEPS) for step in range(1, STEPS + 1)} - {0})
    curve: list[Json] = []
    reading = Reading(None)
    for before, mark in itertools.pairwise([0, *marks]):
        part, whole = float(new[before:mark].sum()), float(sizes[before:mark].sum())
        reading = Reading(part / whole) if whole else Reading(None)
        curve.append(
            {
                "documents": mark,
                "words": int(columns.sizes[columns.drawn[:mark]].sum()),
                "ngrams": int(new[:mark].sum()),
                "novelty": reading.value,
            }
        )
    note = "of the last tenth of the documents, drawn by id"
    return scale.metric(
        "novelty", reading, "new 8-grams per 8-gram", higher=True, note=note, curve=curve
    )


def distinct2(columns: Columns, scale: Scale) -> Metric:
    """Distinct word pairs over all word pairs, in a sample of 90,000 words drawn by id.

    The figure falls as a text grows, so only equal budgets compare; and genres differ, so the
    gate speaks only against a baseline. Leaving a document out takes away its pairs and those
    distinct ones that no other document has, which gives the jackknife without a second count.
    """
    reading, used = _distinct2(columns, columns.drawn)
    cells = []
    for by, (values, codes) in columns.cells.items():
        own_codes = codes[columns.drawn]
        for number, value in enumerate(values):
            chosen = columns.drawn[own_codes == number]
            if columns.sizes[chosen].sum() >= BUDGET:
                own, _ = _distinct2(columns, chosen)
                cells.append(scale.cell(by, value, own, len(chosen)))
    note = f"first {BUDGET:,} words in the order of hashed ids"
    if used < BUDGET:
        note = f"only {used:,} of {BUDGET:,} words: no gate, not comparable"
        scale = Scale(columns, scale.limits)
    return scale.metric(
        "distinct2", reading, "ratio", higher=True, note=note, cells=cells, interval=JACKKNIFE
    )


def _distinct2(columns: Columns, order: Numbers) -> tuple[Reading, int]:
    """The ratio over the first 90,000 words of the documents in that order, and words used."""
    count = int(np.searchsorted(np.cumsum(columns.sizes[order]), BUDGET)) + 1
    chosen = order[:count]
    places, sizes = columns.some(chosen)
    places = places[:BUDGET]
    docs = np.repeat(np.arange(len(chosen)), sizes)[:BUDGET]
    numbers = columns.words[places].astype(np.int64)
    inside = docs[1:] == docs[:-1]
    pairs = (numbers[:-1] * (1 << 32) + numbers[1:])[inside]
    if not len(pairs):
        return Reading(None), len(places)
    owners = docs[:-1][inside]
    order = np.argsort(pairs, kind="stable")
    pairs, owners = pairs[order], owners[order]
    heads = np.flatnonzero(first_of_runs(pairs))
    lasts = np.append(heads[1:], len(pairs)) - 1
    alone = owners[heads][owners[heads] == owners[lasts]]  # owners ascend within a run
    lost = np.bincount(alone, minlength=len(chosen))
    left = len(pairs) - np.bincount(owners, minlength=len(chosen))
    without = (len(heads) - lost)[left > 0] / left[left > 0]
    return jackknife(len(heads) / len(pairs), without), len(places)


@dataclass(frozen=True, slots=True)
class Grams:
    """Places of 8-grams, ascending by hash, then document, then first word in the document."""

    values: Hashes
    docs: Numbers
    starts: Numbers

    def only(self, mask: NDArray[np.bool_]) -> Grams:
        """The places where ``mask`` holds."""
        return Grams(self.values[mask], self.docs[mask], self.starts[mask])


def gram_hashes(columns: Columns, width: int) -> tuple[Hashes, Numbers]:
    """The hash of every run of ``width`` words inside a document, and its place."""
    values = run_hashes(columns.hashes[columns.words], width)
    inside = np.ones(len(values), dtype=bool)
    for offset in range(1, width):
        crossing = columns.ends[1:-1] - offset
        inside[crossing[(crossing >= 0) & (crossing < len(values))]] = False
    places = np.flatnonzero(inside)
    return values[places], places


def shared_grams(columns: Columns) -> tuple[Grams, Numbers]:
    """Every place of an 8-gram that at least two documents have, and where each is met first.

    Hashes are sorted in parts by their low bits, so that a sort stays in the cache as the corpus
    grows. Within a group of equals the documents ascend, so its first and last differ if shared.
    The second value counts 8-grams by the rank, in ``columns.drawn``, of the first with them.
    """
    values, places = gram_hashes(columns, NGRAM)
    ranks = np.empty(len(columns), dtype=np.int64)
    ranks[columns.drawn] = np.arange(len(columns))
    parts = len(values) // PART + 1
    new = np.zeros(len(columns), dtype=np.int64)
    found = []
    for part in range(parts):
        mask = values % np.uint64(parts) == part
        grams, firsts = _shared_part(values[mask], places[mask], columns.ends, ranks)
        new += np.bincount(firsts, minlength=len(columns))
        found.append(grams)
    return Grams(*(np.concatenate(column) for column in zip(*found, strict=True))), new


def _shared_part(
    values: Hashes, places: Numbers, ends: Numbers, ranks: Numbers
) -> tuple[tuple[Hashes, Numbers, Numbers], Numbers]:
    order = np.argsort(values, kind="stable")
    values, places = values[order], places[order]
    docs = np.searchsorted(ends, places, side="right") - 1
    heads = np.flatnonzero(first_of_runs(values))
    firsts = np.minimum.reduceat(ranks[docs], heads) if len(heads) else heads
    sizes = np.diff(np.append(heads, len(values)))
    shared = np.repeat(docs[heads] != docs[heads + sizes - 1], sizes)
    values, places, docs = values[shared], places[shared], docs[shared]
    return (values, docs, places - ends[docs]), firsts


def sharers(grams: Grams, columns: Columns) -> Numbers:
    """For every word, how many other documents have one of the 8-grams around it.

    A document that has several of them in one place has them in a row, because all hold the word,
    so the documents of the 8-grams less those of the 9-grams that join two of them count each once
    (and too often only one that has two of them in different places). Linear, where the union of
    the documents word by word is not.
    """
    edges = np.zeros(len(columns.words) + NGRAM + 1, dtype=np.int64)
    places = columns.ends[grams.docs] + grams.starts
    own = _others(grams.values, grams.docs)
    edges[places] += own
    edges[places + NGRAM] -= own
    order = np.argsort(places, kind="stable")
    first, second = order[:-1], order[1:]
    joined = (places[second] == places[first] + 1) & (grams.docs[second] == grams.docs[first])
    first, second = first[joined], second[joined]
    longer = grams.values[first] * np.uint64(0x9E3779B97F4A7C15) + grams.values[second]
    order = np.lexsort((grams.docs[first], longer))
    first = first[order]
    twice = _others(longer[order], grams.docs[first])
    edges[places[first] + 1] -= twice
    edges[places[first] + NGRAM] += twice
    return np.cumsum(edges)[: len(columns.words)]


def _others(values: Hashes, docs: Numbers) -> Numbers:
    """For every pair of value and document, sorted, how many other documents have the value."""
    new = first_of_runs(values)
    if not len(new):
        return np.zeros(0, np.int64)
    heads = np.flatnonzero(new)
    counts = np.add.reduceat((new | first_of_runs(docs)).astype(np.int64), heads)
    return np.repeat(counts - 1, np.diff(np.append(heads, len(values))))


def _most_shared(grams: Grams, columns: Columns) -> list[Json]:
    """The 8-grams in most documents, without those that overlap one already listed."""
    if not len(grams.values):
        return []
    heads = np.flatnonzero(first_of_runs(grams.values))
    pairs = first_of_runs(grams.values) | first_of_runs(grams.docs)
    counts = np.add.reduceat(pairs.astype(np.int64), heads)
    listed: list[Json] = []
    taken: set[tuple[int, int]] = set()
    for group in np.lexsort((grams.values[heads], -counts))[:LOOK].tolist():
        head, count = int(heads[group]), int(counts[group])
        doc, start = int(grams.docs[head]), int(grams.starts[head])
        span = {(doc, place) for place in range(start, start + NGRAM)}
        if len(listed) < EVIDENCE and not span & taken:
            taken |= span
            firsts = np.flatnonzero(pairs[head : head + LOOK])[:3] + head
            ids = [columns.texts[number].id for number in grams.docs[firsts[:count]].tolist()]
            said = columns.said(doc, start, start + NGRAM)
            listed.append({"text": said, "count": count, "ids": ids})
    return listed
