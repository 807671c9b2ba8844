"""Coverage of the plan: which of its cells hold a document, and how evenly they were filled.

The plan is known, so this is a count and no estimate; it has no interval.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from corpus.records import Json, Metric
from corpus.score.columns import Columns, Text
from corpus.score.intervals import Reading
from corpus.score.scale import Scale

Cells = Mapping[tuple[str, ...], int]
FACETS = 3  # parts of the name of a facet's cell

HOLES = 100  # empty cells that are named


def coverage(columns: Columns, planned: Cells | None, scale: Scale) -> Iterator[Metric]:
    """The share of planned cells with a document: section x kind, and kind x facet x value.

    Evenness is the entropy of the documents over the cells of section x kind, divided by that of
    the plan.
    """
    plan = {cell: count for cell, count in sorted((planned or {}).items()) if count > 0}
    made = Counter(cell for text in columns.texts for cell in cells_of(text))
    pairs = {cell: count for cell, count in plan.items() if len(cell) < FACETS}
    facets = {cell: count for cell, count in plan.items() if len(cell) == FACETS}
    yield _filled("coverage", pairs, made, ("section", "kind"), scale)
    yield _filled("coverage_facets", facets, made, ("kind", "facet", "value"), scale)
    even, ideal = _entropy([made[cell] for cell in pairs]), _entropy(pairs.values())
    value = min(1.0, even / ideal) if ideal and len(columns) else None
    note = f"{len(pairs)} planned cells" if pairs else "no plan given"
    yield scale.metric("coverage_entropy", Reading(value), "ratio", higher=True, note=note)


def cells_of(text: Text) -> Iterator[tuple[str, ...]]:
    """The cells that a document fills: (section, kind), and (kind, facet, value) per facet."""
    kind = text.kind or ""
    yield text.section or "", kind
    for facet, value in text.facets.items():
        yield kind, facet, value


def _filled(
    name: str, plan: Cells, made: Counter[tuple[str, ...]], keys: tuple[str, ...], scale: Scale
) -> Metric:
    holes: list[Json] = [
        {**dict(zip(keys, cell, strict=True)), "planned": count}
        for cell, count in sorted(plan.items(), key=lambda entry: (-entry[1], entry[0]))
        if not made[cell]
    ]
    share = 1 - len(holes) / len(plan) if plan and made else None
    note = f"{len(plan)} planned cells" if plan else "no plan given"
    unit = "share of planned cells"
    evidence = holes[:HOLES]
    return scale.metric(name, Reading(share), unit, higher=True, note=note, evidence=evidence)


def _entropy(counts: Collection[int]) -> float:
    """Shannon's entropy of the shares, in nats."""
    total = sum(counts)
    return -sum(count / total * math.log(count / total) for count in counts if count)
