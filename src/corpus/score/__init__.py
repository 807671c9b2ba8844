"""The diversity of the whole: what many documents share that they should not.

No one number sees every fault, so each fault has its own metric and, where a threshold is portable,
its own gate: a copied passage, a template, a stock opening or ending, a favourite name, a hole in
the plan. There is no composite score. The default limits come from human prose with planted faults
(shared 8-grams: .001 in human text, .02 with 2 % templates, .10 with 10 %); a pilot of one's own is
the better measure, and ``limits`` takes it. Full-width scripts are counted by characters, so their
8-grams and skeletons are shorter and shared more easily.

Everything here depends on the set of the texts, not on their order.

Sources: Shaib et al., "Standardizing the measurement of text diversity" (2024, arXiv 2403.00553);
Li et al., "A diversity-promoting objective function" (2016), for distinct-2.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from corpus.errors import InputError, did_you_mean
from corpus.language import text_of
from corpus.records import Json, Metric
from corpus.score.grams import distinct2, shared
from corpus.score.habits import edges, names, skeleton
from corpus.score.scale import DEFAULTS, Doc, Limits, Scale, Text
from corpus.score.tics import tics
from corpus.store import Row, read_rows

__all__ = ["DEFAULTS", "Text", "as_json", "read_baseline", "read_files", "score", "tics"]

Cells = Mapping[tuple[str, str], int]


def score(
    texts: Sequence[Text],
    *,
    allowed: Sequence[str] = (),
    plan_cells: Cells | None = None,
    limits: Limits = DEFAULTS,
    baseline: Mapping[str, float] | None = None,
    known_names: Collection[str] = (),
    near_duplicates: int | None = None,
) -> list[Metric]:
    """The suite over ``texts``; always the same metrics, with value None for what is not known.

    ``allowed`` are texts that may be quoted (the constitution, the seeds): their 8-grams, sentences
    and names count for nothing. ``plan_cells`` gives the documents planned per (section, kind);
    ``baseline`` the values of an earlier run by metric; ``near_duplicates`` how many documents have
    a near-copy. ``limits`` replaces single pairs of ``DEFAULTS``.

    Raises:
        InputError: a limit for a metric that has none.
    """
    for name in limits:
        if name not in DEFAULTS:
            raise InputError(f"limit '{name}': no such gate{did_you_mean(name, DEFAULTS)}")
    scale = Scale({**DEFAULTS, **limits}, baseline or {})
    ordered = sorted(texts, key=lambda text: (text.id, text.text))
    docs = [Doc.of(text) for text in ordered]
    quoted = [Doc.of(Text("", text)) for text in allowed]
    return [
        *shared(docs, quoted, scale),
        _near_dup(docs, near_duplicates, scale),
        *edges("opening", docs, scale),
        *edges("closing", docs, scale),
        *names(docs, quoted, known_names, scale),
        distinct2(docs, scale),
        skeleton(docs, quoted, scale),
        *_coverage(ordered, plan_cells, scale),
        _lengths(docs, scale),
    ]


def read_files(paths: Sequence[Path]) -> list[Text]:
    """JSON Lines with ``text`` or ``messages`` as texts; ids, sections and kinds where given.

    Raises:
        InputError: a row that cannot be used; the message names file and row.
    """
    return [
        _text(row, path, number)
        for path in paths
        for number, row in enumerate(read_rows(path), start=1)
    ]


def as_json(metrics: Iterable[Metric]) -> dict[str, Json]:
    """``{"metrics": {id: {"value", "gate", ...}}}``, the shape that scripts and baselines read."""
    rows = {metric.id: metric.row() for metric in metrics}
    for row in rows.values():
        row.pop("id")
        row["evidence"] = list(row["evidence"])
    return {"metrics": rows}


def read_baseline(path: Path) -> dict[str, float]:
    """The values by metric of a file in the shape of ``as_json``.

    Raises:
        InputError: the file cannot be read or has another shape.
    """
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))["metrics"]
        return {
            name: float(row["value"]) for name, row in metrics.items() if row["value"] is not None
        }
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not a baseline; give what `corpus score --json` printed"
        ) from error


def _text(row: Row, path: Path, number: int) -> Text:
    """The row as the suite sees it."""
    place = {
        key: row[key] for key in ("section", "stream", "kind") if isinstance(row.get(key), str)
    }
    name = str(row.get("id", f"{path}:{number}"))
    return Text(name, text_of(row, f"{path}, row {number}"), **place)


def _near_dup(docs: Sequence[Doc], near: int | None, scale: Scale) -> Metric:
    """The share of documents that have a near-copy, as the caller measured it."""
    value = near / len(docs) if near is not None and docs else None
    note = "" if near is not None else "not measured here; see `corpus dedup`"
    return scale.metric("near_dup", value, len(docs), "share of documents", note=note)


def _coverage(texts: Sequence[Text], planned: Cells | None, scale: Scale) -> Iterator[Metric]:
    """The share of planned cells with a document, and how evenly the plan was filled.

    Evenness is the entropy of the documents over the planned cells, divided by that of the plan.
    """
    plan = {cell: count for cell, count in sorted((planned or {}).items()) if count > 0}
    note = f"{len(plan)} planned cells" if plan else "no plan given"
    made = Counter((text.section or "", text.kind or "") for text in texts)
    holes = [
        {"section": section, "kind": kind, "planned": count}
        for (section, kind), count in plan.items()
        if not made[section, kind]
    ]
    share = 1 - len(holes) / len(plan) if plan else None
    unit, n = "share of planned cells", len(texts)
    yield scale.metric("coverage", share, n, unit, higher=True, note=note, evidence=holes)
    even, ideal = _entropy([made[cell] for cell in plan]), _entropy(plan.values())
    value = min(1.0, even / ideal) if ideal else None
    yield scale.metric("coverage_entropy", value, n, "ratio", higher=True, note=note)


def _entropy(counts: Collection[int]) -> float:
    """Shannon's entropy of the shares, in nats."""
    total = sum(counts)
    return -sum(count / total * math.log(count / total) for count in counts if count)


def _lengths(docs: Sequence[Doc], scale: Scale) -> Metric:
    """The lengths of the documents: a note on style, no gate."""
    sizes = [len(doc.words) for doc in docs]
    marks = (0, 5, 25, 50, 75, 95, 100)
    spread = [
        {"percentile": mark, "words": float(np.percentile(sizes, mark))} for mark in marks if sizes
    ]
    median = float(np.median(sizes)) if sizes else None
    return scale.metric("lengths", median, len(docs), "words, median", evidence=spread)
