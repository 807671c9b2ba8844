"""How a count becomes a metric: its value, its interval, its cells, and what its gate says.

A share is a ratio of two sums over documents. Its 95 % interval is Wilson's where a document
counts as 0 or 1, and that of the linearised ratio estimator elsewhere (see ``intervals``). One
that depends on the number of documents has a curve (see ``rarefy``).

The gate of the whole speaks on the value. A cell (a section, a stream or a kind) of at least 30
documents has a gate of its own, which speaks on the *near end* of its interval, because among many
cells one is always far off by chance. The metric's gate is the worst of them. A limit against a
baseline of another size holds both to the size of the smaller one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from corpus.records import Json, Metric
from corpus.score import rarefy
from corpus.score.columns import BY, Columns, Numbers
from corpus.score.intervals import LINEARISED, WILSON, Floats, Reading, linearised, lows, wilson
from corpus.score.rarefy import NOTHING, Known

Limits = Mapping[str, tuple[float, float]]
Gate = Literal["pass", "warn", "fail"]

DEFAULTS: Limits = {
    "shared_ngram": (0.01, 0.10),
    "near_dup": (0.01, 0.05),
    "skeleton": (0.015, 0.10),
    "opening": (0.03, 0.10),
    "opening_repeated": (0.05, 0.30),
    "closing": (0.03, 0.10),
    "closing_repeated": (0.05, 0.30),
    "names": (0.05, 0.15),
    "zstd_long": (0.10, 0.40),
    "distinct2": (0.10, 0.30),
    "eff_topics": (0.70, 0.90),
    "eff_topics_least": (30.0, 5.0),
    "syntax": (0.02, 0.10),
    "coverage": (1.0, 0.0),
    "coverage_facets": (0.95, 0.0),
    "coverage_entropy": (0.9, 0.0),
}
"""Warn and fail, passed when the value is beyond; see ``RELATIVE`` for what needs a baseline."""

RELATIVE = frozenset({"zstd_long", "distinct2", "eff_topics"})
"""Metrics that differ from genre to genre: their limits are what may be lost on a baseline."""

LEAST_COUNT = 3
LEAST_CELL = 30
EVIDENCE = 5
_GATES: tuple[Gate, Gate, Gate] = ("pass", "warn", "fail")


@dataclass(frozen=True, slots=True)
class Scale:
    """The texts, the limits in force, and the values of a baseline."""

    columns: Columns
    limits: Limits = field(default_factory=lambda: DEFAULTS)
    baseline: Mapping[str, Known] = field(default_factory=dict)

    def bounds(
        self, name: str, *, higher: bool = False, usual: float | None = None
    ) -> tuple[float | None, float | None]:
        """Where the gate of ``name`` warns and fails, ``usual`` being the baseline's value.

        None where it has no gate.
        """
        if name not in self.limits:
            return None, None
        warn, fail = self.limits[name]
        if name in RELATIVE:
            sign = -1 if higher else 1
            least = self.limits.get(f"{name}_least")
            if usual is None:
                return least or (None, None)
            warn, fail = usual * (1 + sign * warn), usual * (1 + sign * fail)
            if least:
                warn, fail = max(warn, least[0]), max(fail, least[1])
        return warn, fail

    def metric(
        self,
        name: str,
        reading: Reading,
        unit: str,
        *,
        n: int | None = None,
        higher: bool = False,
        chance: bool = False,
        cells: Sequence[Json] = (),
        interval: str = "",
        note: str = "",
        evidence: Iterable[Json] = (),
        curve: Sequence[Json] = (),
    ) -> Metric:
        """``reading`` with its gate, which ``chance`` silences: too few agree."""
        known = self.baseline.get(name, NOTHING)
        pair = rarefy.matched(curve, known.curve)
        usual = pair["baseline"] if pair else known.value
        warn, fail = self.bounds(name, higher=higher, usual=usual)
        told = pair["value"] if pair and name in RELATIVE else reading.value
        if name in RELATIVE:
            note = _joined(note, _of_sizes(pair, curve, known, len(self.columns)))
        gate = _gate(told, warn, fail, higher=higher, chance=chance)
        worst: Json = max(cells, key=_severity, default={})
        if gate is not None and _severity(worst) > _GATES.index(gate):
            gate = worst["gate"]
            note = _joined(note, f"{worst['by']} {worst['cell']}: {worst['value']:.3g}")
        return Metric(
            id=name,
            value=reading.value,
            gate=gate,
            n=len(self.columns) if n is None else n,
            unit=unit,
            warn=warn,
            fail=fail,
            higher_is_better=higher,
            note=note,
            evidence=tuple(evidence),
            words=float(self.columns.sizes.mean()) if len(self.columns) else None,
            low=reading.low,
            high=reading.high,
            interval=interval if reading.low is not None else "",
            baseline=known.value,
            baseline_n=known.n,
            rarefied=rarefy.at(curve, rarefy.SIZE),
            matched=pair,
            cells=tuple(cells),
            curve=tuple(curve),
        )

    def share(
        self,
        name: str,
        part: NDArray[Any],
        whole: NDArray[Any],
        unit: str,
        **rest: Any,  # noqa: ANN401 - what ``metric`` takes besides
    ) -> Metric:
        """A ratio of sums over documents, ``part`` of ``whole``, in all and in every cell."""
        binary = bool(np.all((whole == 0) | (whole == 1)) and np.all((part == 0) | (part == 1)))
        together = np.zeros(len(part), dtype=np.int64)
        (reading, _, n), *_ = _ratios(part, whole, together, 1, binary=binary) or [_NONE]
        cells: list[Json] = []
        warn, fail = self.bounds(name)
        for by, (values, codes) in self.columns.cells.items():
            found = _ratios(part, whole, codes, len(values), binary=binary)
            for value, (own, count, many) in zip(values, found, strict=True):
                few = count < LEAST_COUNT
                gate = _gate(own.low, warn, fail, chance=few) if many >= LEAST_CELL else None
                cells.append(self.cell(by, value, own, many, gate))
        interval = WILSON if binary else LINEARISED
        rest = {"chance": binary and int(part.sum()) < LEAST_COUNT, "n": n, **rest}
        return self.metric(name, reading, unit, cells=cells, interval=interval, **rest)

    def favourite(
        self,
        name: str,
        docs: Numbers,
        values: Numbers,
        unit: str,
        *,
        of: Numbers | None = None,
        gated: Collection[str] = BY,
        usual: Floats | None = None,
        **rest: Any,  # noqa: ANN401 - what ``metric`` takes besides
    ) -> Metric:
        """The largest share of documents that have one value, in all and in every cell.

        ``docs`` and ``values`` are pairs, each once; ``of`` are the documents that count, by
        default those with a value; ``gated`` says which cells have a gate; ``usual`` is what of
        the share of each value is no fault, and a value whose interval reaches down to it is none.
        The interval is that of a share that was chosen before looking.
        """
        has = np.unique(docs) if of is None else of
        usual = np.zeros(int(values.max(initial=-1)) + 1) if usual is None else usual
        everything = np.zeros(len(self.columns), dtype=np.int64)
        tops = _tops(docs, values, everything, 1, usual, has)
        reading, count, n = tops[0]
        cells: list[Json] = []
        warn, fail = self.bounds(name)
        for by, (labels, codes) in self.columns.cells.items():
            found = _tops(docs, values, codes, len(labels), usual, has)
            for label, (own, agree, many) in zip(labels, found, strict=True):
                heard, few = by in gated and many >= LEAST_CELL, agree < LEAST_COUNT
                gate = _gate(own.low, warn, fail, chance=few) if heard else None
                cells.append(self.cell(by, label, own, many, gate))
        curve = rarefy.favourites(docs, values, has, usual, reading.value or 0.0)
        rest = {"n": n, "chance": count < LEAST_COUNT, "curve": curve, **rest}
        return self.metric(name, reading, unit, cells=cells, interval=WILSON, **rest)

    def cell(self, by: str, cell: str, own: Reading, n: int, gate: Gate | None = None) -> Json:
        """One line of ``Metric.cells``."""
        words = self.columns.cell_words[by, cell]
        return {
            "by": by, "cell": cell, "value": own.value, "n": n, "words": words,
            "low": own.low, "high": own.high, "gate": gate,
        }  # fmt: skip


_NONE = (Reading(None), 0.0, 0)


def _ratios(
    part: NDArray[Any], whole: NDArray[Any], codes: Numbers, count: int, *, binary: bool
) -> list[tuple[Reading, float, int]]:
    """Per cell: the ratio with its interval, the sum of ``part``, and the documents counted."""
    keep = (codes >= 0) & (whole > 0)
    part, whole, codes = part[keep].astype(float), whole[keep].astype(float), codes[keep]
    sums, totals = (np.bincount(codes, v, count) for v in (part, whole))
    sizes = np.bincount(codes, minlength=count)
    ratio = np.divide(sums, totals, out=np.zeros(count), where=totals > 0)
    squares = np.bincount(codes, (part - ratio[codes] * whole) ** 2, count)
    found = []
    for value, total, summed, square, n in zip(ratio, totals, sums, squares, sizes, strict=True):
        reading = wilson(summed, n) if binary else linearised(value, total, square, int(n))
        found.append((reading, float(summed), int(n)))
    return found


def _tops(
    docs: Numbers, values: Numbers, codes: Numbers, count: int, usual: Floats, has: Numbers
) -> list[tuple[Reading, int, int]]:
    """Per cell: the largest share beyond the usual, how many documents agree, and of how many."""
    counted = codes[has]
    sizes = np.bincount(counted[counted >= 0], minlength=count)
    own = codes[docs]
    keys = (own * len(usual) + values)[own >= 0]
    keys, uses = np.unique(keys, return_counts=True)
    cells, which = np.divmod(keys, max(1, len(usual)))
    shares, less = uses / sizes[cells], usual[which]
    excess = np.where(lows(uses, sizes[cells]) > less, shares - less, 0.0)
    found: list[tuple[Reading, int, int]] = []
    order = np.lexsort((which, -excess, cells))
    heads = dict(zip(cells[order][::-1].tolist(), order[::-1].tolist(), strict=True))
    for cell, n in enumerate(sizes.tolist()):
        if cell not in heads:
            found.append((Reading(0.0 if n else None), 0, n))
            continue
        place = heads[cell]
        whole, beyond = wilson(int(uses[place]), n), float(excess[place])
        ends = [max(0.0, (end or 0.0) - float(less[place])) for end in (whole.low, whole.high)]
        found.append((Reading(beyond, *ends), int(uses[place]) if beyond else 0, n))
    return found


def _gate(
    value: float | None,
    warn: float | None,
    fail: float | None,
    *,
    higher: bool = False,
    chance: bool = False,
) -> Gate | None:
    if value is None or warn is None or fail is None:
        return None
    sign = -1 if higher else 1
    return _GATES[0 if chance else sum(sign * value > sign * limit for limit in (warn, fail))]


def _of_sizes(pair: Json | None, curve: Sequence[Json], known: Known, n: int) -> str:
    """What is to be said of a gate against a baseline of another number of documents."""
    if pair:
        ends = {rows[-1]["documents"] for rows in (curve, known.curve)}
        return f"the gate is that of {pair['documents']:,} documents" if len(ends) > 1 else ""
    grows = bool(curve) and curve[-1].get("value") is not None
    lacking = grows and known.value is not None and known.n != n
    return "the baseline has no curve that meets this one: sizes may differ" if lacking else ""


def _joined(note: str, more: str) -> str:
    return "; ".join(filter(None, (note, more)))


def _severity(cell: Json) -> int:
    return _GATES.index(cell["gate"]) if cell and cell["gate"] else -1
