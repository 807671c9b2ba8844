"""Figures that the package ``diversity`` 0.3.1 prints, by its definitions, in linear time.

For comparison with published numbers only: both grow or fall with the size of the corpus, and a
single stock phrase dominates self-repetition. Words are what white space separates.

Sources: Salkar et al., "Self-repetition in abstractive neural summarizers" (2022), for
self-repetition; Meister et al., "Locally typical sampling" (2022, arXiv 2202.00666), for n-gram
diversity.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from corpus.language import Hashes, run_hashes
from corpus.records import Metric
from corpus.score.columns import Columns, first_of_runs
from corpus.score.intervals import Reading
from corpus.score.scale import Scale


def parity(columns: Columns, scale: Scale) -> list[Metric]:
    """Both figures as metrics without a gate."""
    texts = [text.text for text in columns.texts]
    found = {
        "self_repetition": self_repetition(texts) if texts else None,
        "ngram_diversity": ngram_diversity(texts) if texts else None,
    }
    note = "as the package diversity 0.3.1 has it; only for equal sizes"
    return [scale.metric(name, Reading(v), "score", note=note) for name, v in found.items()]


def self_repetition(texts: Sequence[str], width: int = 4) -> float:
    """The mean over documents of log(1 + other documents' uses of its distinct n-grams).

    A use counts once a document. By sorting n-grams, and documents where one comes again.
    """
    said = [text.split() for text in texts]
    docs = np.repeat(np.arange(len(texts)), [len(own) for own in said])
    values = run_hashes(_hashes(itertools.chain.from_iterable(said)), width)
    inside = docs[: len(values)] == docs[width - 1 :]
    values, docs = values[inside], docs[: len(values)][inside]
    order = np.argsort(values)
    values, docs = values[order], docs[order]
    sizes = np.diff(np.append(np.flatnonzero(first_of_runs(values)), len(values)))
    many = np.repeat(sizes > 1, sizes)  # few are; only they need their documents in order
    values, docs = values[many], docs[many]
    order = np.lexsort((docs, values))
    values, docs = values[order], docs[order]
    once = first_of_runs(values) | first_of_runs(docs)
    values, docs = values[once], docs[once]
    sizes = np.diff(np.append(np.flatnonzero(first_of_runs(values)), len(values)))
    others = np.bincount(docs, np.repeat(sizes - 1, sizes), len(texts))
    return float(np.log1p(others).mean())


def ngram_diversity(texts: Sequence[str], longest: int = 4) -> float:
    """The sum over n = 1 to 4 of distinct n-grams over all n-grams of the texts joined."""
    hashes = _hashes(" ".join(texts).split(" "))
    total = 0.0
    for width in range(1, longest + 1):
        runs = np.sort(run_hashes(hashes, width))
        total += np.count_nonzero(first_of_runs(runs)) / len(runs) if len(runs) else 0.0
    return total


def _hashes(said: Iterable[str]) -> Hashes:
    """Python's own hash of every word: another in every process, but only equality counts here."""
    return np.fromiter(map(hash, said), dtype=np.int64).astype(np.uint64)
