"""Figures that the package ``diversity`` 0.3.1 prints, by its definitions, in linear time.

For comparison with published numbers only: both grow or fall with the size of the corpus, and a
single stock phrase dominates self-repetition. Words are what white space separates.

Sources: Salkar et al., "Self-repetition in abstractive neural summarizers" (2022), for
self-repetition; Meister et al., "Locally typical sampling" (2022, arXiv 2202.00666), for n-gram
diversity.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corpus.language import run_hashes, token_hashes
from corpus.records import Metric
from corpus.score.columns import Columns, first_of_runs
from corpus.score.scale import Reading, Scale


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

    A use counts once a document. By one sort of (n-gram, document) pairs.
    """
    numbers: dict[str, int] = {}
    said = [[numbers.setdefault(word, len(numbers)) for word in text.split()] for text in texts]
    hashes = token_hashes(list(numbers))
    runs = [run_hashes(hashes[own], width) if own else hashes[:0] for own in said]
    docs = np.repeat(np.arange(len(texts)), [len(run) for run in runs])
    values = np.concatenate(runs)
    order = np.argsort(values, kind="stable")  # documents ascend within a run of equals
    values, docs = values[order], docs[order]
    once = first_of_runs(values) | first_of_runs(docs)
    values, docs = values[once], docs[once]
    heads = np.flatnonzero(first_of_runs(values))
    sizes = np.diff(np.append(heads, len(values)))
    others = np.bincount(docs, np.repeat(sizes - 1, sizes), len(texts))
    return float(np.log1p(others).mean())


def ngram_diversity(texts: Sequence[str], longest: int = 4) -> float:
    """The sum over n = 1 to 4 of distinct n-grams over all n-grams of the texts joined."""
    numbers: dict[str, int] = {}
    said = [numbers.setdefault(word, len(numbers)) for word in " ".join(texts).split(" ")]
    hashes = token_hashes(list(numbers))[said]
    total = 0.0
    for width in range(1, longest + 1):
        runs = np.sort(run_hashes(hashes, width))
        total += np.count_nonzero(first_of_runs(runs)) / len(runs) if len(runs) else 0.0
    return total
