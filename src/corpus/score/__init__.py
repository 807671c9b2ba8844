"""The diversity of the whole: what many documents share that they should not.

No one number sees every fault, so each fault has its own metric and, where a threshold is portable,
its own gate: a copied passage, a template, a stock opening or ending, a favourite name, a hole in
the plan. There is no composite score. The default limits come from human prose with planted faults
(see ``docs/metrics.md``); a control of one's own is the better measure, and ``limits`` and
``baseline`` take it. Full-width scripts are counted by characters, so their 8-grams and skeletons
are shorter and shared more easily.

Everything here depends on the set of the texts, not on their order, and grows with the text, not
with its square.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from corpus.errors import InputError, did_you_mean
from corpus.records import Duplicate, Json, Metric
from corpus.score import rarefy
from corpus.score.columns import Columns, Text
from corpus.score.coverage import Cells, cells_of, coverage
from corpus.score.grams import distinct2, shared
from corpus.score.habits import edges, names, skeleton
from corpus.score.intervals import Reading
from corpus.score.moves import moves
from corpus.score.novelty import Novelty
from corpus.score.parity import parity
from corpus.score.patterns import control_of
from corpus.score.rarefy import Known
from corpus.score.reference import (
    HUMAN,
    Baseline,
    human,
    known_of,
    read_allowed,
    read_files,
    read_values,
)
from corpus.score.scale import DEFAULTS, Limits, Scale
from corpus.score.squeeze import squeeze
from corpus.score.style import style
from corpus.score.syntax import syntax
from corpus.score.tics import tics
from corpus.score.topics import effective_topics, topics, topics_along

__all__ = [
    "DEFAULTS", "Baseline", "Known", "Novelty", "Text", "as_json", "cells_of", "effective_topics",
    "near_copies", "read_allowed", "read_baseline", "read_files", "score", "tics", "topics_along",
]  # fmt: skip


def score(
    texts: Sequence[Text],
    *,
    allowed: Sequence[str] = (),
    plan_cells: Cells | None = None,
    limits: Limits = DEFAULTS,
    baseline: Baseline | None = None,
    known_names: Collection[str] = (),
    near_duplicates: Mapping[tuple[str, str], int] | None = None,
    pipeline: str | None = None,
    compare: bool = False,
) -> list[Metric]:
    """The suite over ``texts``; always the same metrics, with value None for what is not known.

    Args:
        texts: the documents.
        allowed: texts that may be quoted, and say what the corpus is about (the constitution, the
            seeds): their 8-grams, sentences and names count for nothing.
        plan_cells: documents planned per (section, kind) and per (kind, facet, value).
        limits: replaces single pairs of ``DEFAULTS``.
        baseline: values to compare with, and a control for the moves; human prose where None is
            given, for the moves only.
        known_names: names that are no fault.
        near_duplicates: how many near-copies a document has, by id and text, as the caller
            measured.
        pipeline: the name of a spaCy pipeline with a tagger, for ``syntax``.
        compare: adds the figures of the package ``diversity``.

    Raises:
        InputError: a limit for a metric that has none, or a pipeline that cannot be loaded.
    """
    for name in limits:
        if name not in DEFAULTS:
            raise InputError(f"limit '{name}': no such gate{did_you_mean(name, DEFAULTS)}")
    columns = Columns.of(texts)
    base = baseline or Baseline()
    scale = Scale(columns, {**DEFAULTS, **limits}, base.values)
    return [
        *shared(columns, allowed, scale),
        _near_dup(columns, near_duplicates, scale),
        skeleton(columns, allowed, scale),
        *edges("opening", columns, scale),
        *edges("closing", columns, scale),
        *names(columns, allowed, known_names, human().names, scale),
        squeeze(columns, scale),
        distinct2(columns, scale),
        topics(columns, scale),
        *coverage(columns, plan_cells, scale),
        syntax(columns, pipeline, scale),
        moves(columns, base.control or human().control, scale),
        *style(columns, scale),
        *(parity(columns, scale) if compare else ()),
    ]


def read_baseline(path: Path, pipeline: str | None = None) -> Baseline:
    """What to compare with: see ``read_values``; texts are scored; ``human`` is what ships.

    With a spaCy ``pipeline`` the moves of a control of texts are those of parts of speech.

    Raises:
        InputError: the file cannot be read or is nothing of the kind.
    """
    if str(path) == HUMAN and not path.exists():
        return human().baseline
    values = read_values(path)
    if values is not None:
        return Baseline(values)
    texts = read_files([path])
    found = {one.id: known for one in score(texts) if (known := known_of(one.row()))}
    return Baseline(found, control_of(Columns.of(texts), path.name, pipeline))


def near_copies(found: Collection[Duplicate], texts: Sequence[Text]) -> dict[tuple[str, str], int]:
    """How many near-copies each document has: the others of its original's cluster.

    By id and text, for two files may name different texts alike. The ids of ``found`` are places in
    ``texts``.
    """
    others = Counter(one.original for one in found)
    counts = dict(others) | {one.id: others[one.original] for one in found}
    named = ((texts[int(place)], count) for place, count in counts.items())
    return {(text.id, text.text): count for text, count in named}


def as_json(metrics: Iterable[Metric]) -> dict[str, Json]:
    """``{"metrics": {id: {"value", "gate", ...}}}``, the shape that scripts and baselines read."""
    rows = {metric.id: metric.row() for metric in metrics}
    for row in rows.values():
        row.pop("id")
        row |= {key: list(value) for key, value in row.items() if isinstance(value, tuple)}
    return {"metrics": rows}


def _near_dup(columns: Columns, near: Mapping[tuple[str, str], int] | None, scale: Scale) -> Metric:
    """The share of documents that have a near-copy, as the caller measured it."""
    unit = "share of documents"
    if near is None:
        note = "not measured here; see `corpus dedup`"
        return scale.metric("near_dup", Reading(None), unit, note=note)
    copies = np.array([near.get((text.id, text.text), 0) for text in columns.texts], dtype=np.int64)
    curve = rarefy.shares(copies, len(copies), len(copies))
    part, whole = (copies > 0).astype(np.int64), np.ones_like(copies)
    return scale.share("near_dup", part, whole, unit, chance=False, curve=curve)
