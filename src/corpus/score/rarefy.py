"""Rarefaction: what a corpus would show if it were smaller, so that two sizes can be compared.

A share that asks whether *another* document has the same thing grows with the number of others,
and a largest share has a floor of chance in a small sample. Their rarefied value at m documents is
the expected one over all samples of m of the documents, without replacement (Sanders, "Marine
benthic diversity: a comparative study", 1968; Hurlbert, "The nonconcept of species diversity: a
critique and alternative parameters", 1971). A curve is a list of ``{"documents": m, "value"}``,
ascending, whose last row is the corpus itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.records import Json
from corpus.score.columns import Numbers
from corpus.score.intervals import Floats, lows

SIZE = 200  # documents of the figure that stands beside every value
DRAWS = 100  # samples that stand for all of them, where there is no closed form
FEWEST = 10
WORK = 30_000_000  # steps that the samples may cost
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Known:
    """A value of a baseline: of ``n`` documents, with its curve where it depends on their number.

    ``n`` is None where nobody noted it.
    """

    value: float | None
    n: int | None = None
    curve: Sequence[Json] = ()


NOTHING = Known(None)


def marks(n: int) -> list[int]:
    """The sizes that a curve is given at: 10, 20, 50, 100 and so on, below ``n``."""
    powers = range(1, len(str(n)) + 1)
    return [step * 10**power for power in powers for step in _STEPS if step * 10**power < n]


def shares(others: NDArray[np.integer], n: int, total: float, least: int = 1) -> list[Json]:
    """The curve of a share of things that at least ``least`` other documents have too.

    Exact for the sum: of a thing in a sampled document, the number of its ``others`` in the sample
    is hypergeometric. The share is the ratio of the expected sums.

    Args:
        others: for every thing, how many other documents have it; those with 0 may be left out.
        n: how many documents there are.
        total: how many things there are.
        least: 1 or 2.
    """
    if n < 1 or not total:
        return []
    counts = np.bincount(np.clip(others, 0, n - 1)) if len(others) else np.zeros(1)
    met = np.flatnonzero(counts)
    table = _Choose(n)
    rows = []
    for m in [*marks(n), n]:
        missed = table.chance(met, 0, m)
        if least > 1:
            missed += table.chance(met, 1, m)
        value = float(counts[met] @ np.maximum(0.0, 1 - missed)) / total
        rows.append({"documents": m, "value": value})
    return rows


class _Choose:
    """Binomial coefficients of up to ``n`` documents, by their logarithms."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])

    def _log(self, of: NDArray[np.integer], count: int) -> Floats:
        rest = of - count
        logs = self._logs[of] - self._logs[count] - self._logs[np.maximum(rest, 0)]
        return np.where(rest < 0, -np.inf, logs)

    def chance(self, others: Numbers, found: int, m: int) -> Floats:
        """The chance that a sample of m, one document given, has 0 or 1 of the others."""
        if m - 1 < found:
            return np.zeros(len(others))
        every = self._log(np.array([self._n - 1]), m - 1)
        rest = self._log(self._n - 1 - others, m - 1 - found)
        ways = others if found else np.ones(len(others))
        return np.asarray(ways * np.exp(rest - every))


def favourites(
    docs: Numbers, values: Numbers, of: Numbers, usual: Floats, value: float
) -> list[Json]:
    """The curve of the largest share of documents that have one value, by seeded samples.

    No closed form is known for the largest of many shares, so it is the mean over 100 samples (10
    at least, where 100 would cost too much). ``docs`` and ``values`` are pairs, each once; ``of``
    are the documents that count, ascending; ``usual`` is what of a share is no fault, as in
    ``Scale.favourite``; ``value`` is that of all documents.
    """
    n = len(of)
    sizes = marks(n)
    counts = np.bincount(values, minlength=len(usual))
    kept = np.flatnonzero(counts > 1)
    again = counts[values] > 1
    places, codes = np.searchsorted(of, docs[again]), np.searchsorted(kept, values[again])
    less = usual[kept]
    alone, floors = _floors(np.searchsorted(of, docs[~again]), usual[values[~again]], sizes)
    cost = (n + len(places) + len(kept)) * max(1, len(sizes))
    draws = max(FEWEST, min(DRAWS, WORK // max(1, cost)))
    chance = np.random.default_rng(0)
    sums = np.zeros(len(sizes))
    for _ in range(draws if len(sizes) else 0):
        order = chance.permutation(n)
        ranks, firsts = order[places], order[alone]
        for at, m in enumerate(sizes):
            uses = np.bincount(codes[ranks < m], minlength=len(kept))
            beyond = np.where(lows(uses, np.array(m)) > less, uses / m - less, 0.0)
            sums[at] += max(beyond.max(initial=0.0), floors[at][firsts < m].max(initial=0.0))
    rows = [{"documents": m, "value": float(s / draws)} for m, s in zip(sizes, sums, strict=True)]
    return [*rows, {"documents": n, "value": value}] if n else []


def _floors(places: Numbers, usual: Floats, sizes: Sequence[int]) -> tuple[Numbers, list[Floats]]:
    """What values that one document has show in a sample that holds it, beyond the usual.

    Such a value is the favourite by chance alone, and of a document's only the least usual counts.
    Returns the documents with one, and for each size their shares.
    """
    docs, which = np.unique(places, return_inverse=True)
    least = np.full(len(docs), np.inf)
    np.minimum.at(least, which, usual)
    one = np.ones(len(docs))
    return docs, [np.where(lows(one, one * m) > least, 1 / m - least, 0.0) for m in sizes]


def blocks(n: int, measure: Callable[[int, int], float], value: float) -> list[Json]:
    """The curve of a measure that has no closed form, as a mean over runs of a drawn order.

    Args:
        n: how many documents there are.
        measure: the value of the documents from one place of the order to another.
        value: that of all.
    """
    rows: list[Json] = []
    for m in marks(n):
        runs = max(1, min(n, 2_000) // m)
        found = [measure(run * m, run * m + m) for run in range(runs)]
        rows.append({"documents": m, "value": sum(found) / runs})
    return [*rows, {"documents": n, "value": value}]


def at(curve: Sequence[Json], m: float) -> float | None:
    """The value at m documents, between two marks on a line over the logarithm of m.

    None outside the curve, or where its rows are of another kind.
    """
    rows = [(row["documents"], row["value"]) for row in curve if row.get("value") is not None]
    for (less, low), (more, high) in zip(rows, rows[1:] or rows, strict=False):
        if less <= m <= more:
            part = math.log(m / less) / math.log(more / less) if more > less else 0.0
            return float(low + (high - low) * part)
    return None


def matched(curve: Sequence[Json], other: Sequence[Json]) -> Json | None:
    """Two curves at the number of documents of the smaller corpus; None where they do not meet.

    ``{"documents", "value", "baseline"}``, the second value that of ``other``.
    """
    ends = [row["documents"] for rows in (curve, other) for row in rows[-1:]]
    if len(ends) < 2:  # noqa: PLR2004 - a comparison has two sides
        return None
    m = min(ends)
    here, there = at(curve, m), at(other, m)
    if here is None or there is None:
        return None
    return {"documents": m, "value": here, "baseline": there}
