"""Two builds side by side: what is different between this one and another, as plain JSON.

Diversity falls with the number of documents and their length, so a difference between builds of
another size is shown and called what it is. Values are ``[other, this]`` throughout.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corpus.errors import InputError
from corpus.records import Json
from corpus.report.folder import Row
from corpus.report.measures import interval

NEAR = 0.1  # sizes that differ by less may be compared
NUMBERS = {
    "planned": "Documents planned",
    "written": "Documents written",
    "kept": "Documents kept",
    "rejected": "Rejected",
    "duplicate": "Near-copies",
    "tokens": "Tokens",
    "words": "Words per kept document",
    "sections_covered": "Sections covered",
    "empty": "Planned cells empty",
    "paid": "Paid",
    "per_million_kept": "Paid per million kept tokens",
}
MONEY = ("paid", "per_million_kept")
SETTINGS = 60

Facts = Mapping[str, Any]


def load(path: Path) -> dict[str, Any]:
    """The facts in a ``report.json`` of a former run.

    Raises:
        InputError: the file cannot be read or is no report.
    """
    try:
        facts: dict[str, Any] = json.loads(path.read_text("utf-8"))
        facts["headline"]["kept"], facts["metrics"], facts["build"]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: no report; give an output folder or its report.json") from error
    return facts


def compare(this: Facts, other: Facts, name: str) -> Row:
    """What to show of the two; ``name`` is how the user called the other one."""
    sizes = [_sizes(other), _sizes(this)]
    alike = all(_near(*(size[key] for size in sizes)) for key in ("kept", "words"))
    return {
        "name": name,
        "numbers": _numbers(this, other),
        "comparable": alike,
        "sizes": sizes,
        "metrics": _metrics(this, other, same_size=alike),
        "streams": _streams(this, other),
        "cells": _cells(this, other),
        "rejected": _pairs(_reasons(other), _reasons(this), missing=0),
        "judges": _judges(this, other),
        "settings": _settings(this, other),
    }


def _reasons(facts: Facts) -> dict[str, int]:
    return {row["reason"]: row["count"] for row in _list(facts, "rejected")}


def _list(facts: Facts, key: str) -> list[Any]:
    return list(facts.get(key) or ())


def _sizes(facts: Facts) -> Row:
    return {"kept": facts["headline"].get("kept"), "words": words_per_document(facts)}


def words_per_document(facts: Facts) -> float | None:
    """The mean length of a kept document in words, or None."""
    found = (facts.get("lengths") or {}).get("mean")
    return None if found is None else float(found)


def _near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return False
    return abs(one - other) <= NEAR * max(one, other)


def _number(facts: Facts, key: str) -> Json:
    if key == "words":
        return words_per_document(facts)
    if key == "empty":
        return (facts.get("coverage") or {}).get("empty")
    if key == "per_million_kept":
        return ((facts.get("cost") or {}).get("totals") or {}).get(key)
    return facts["headline"].get(key)


def _numbers(this: Facts, other: Facts) -> list[Row]:
    return [
        {"label": label, "money": key in MONEY, "values": [_number(f, key) for f in (other, this)]}
        for key, label in NUMBERS.items()
    ]


def _metrics(this: Facts, other: Facts, *, same_size: bool) -> list[Row]:
    """Every metric that one of them has: values, gates, counts, and +1 if this one is better.

    Where a gate did not change its verdict, that is only said of builds of one size whose 95 %
    intervals, where both are known, do not overlap.
    """
    sides = [{m["id"]: m for m in _list(facts, "metrics")} for facts in (other, this)]
    rows = []
    for name in dict.fromkeys([*sides[1], *sides[0]]):
        pair = [side.get(name) or {} for side in sides]
        before, now = (m.get("value") for m in pair)
        better = 0
        gates = [m.get("gate") for m in pair]
        apart = same_size and not _overlap(*map(interval, pair))
        judged = all(gates) and (apart or gates[0] != gates[1])
        if before is not None and now is not None and judged:
            up = 1 if (pair[1] or pair[0]).get("higher_is_better") else -1
            better = up * ((now > before) - (now < before))
        rows.append(
            {
                "id": name,
                "unit": (pair[1] or pair[0]).get("unit") or "",
                "values": [before, now],
                "gates": gates,
                "n": [m.get("n") for m in pair],
                "better": better,
            }
        )
    return rows


def _overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    return bool(one and other) and one[0] <= other[1] and other[0] <= one[1]


def _streams(this: Facts, other: Facts) -> list[Row]:
    """Per stream: kept documents, tokens, and the share of the planned that was kept."""
    sides = [{r["stream"]: r for r in _list(facts, "funnel")} for facts in (other, this)]
    return [
        {
            "stream": name,
            "kept": [s.get(name, {}).get("kept") for s in sides],
            "planned": [s.get(name, {}).get("planned") for s in sides],
            "tokens": [s.get(name, {}).get("tokens") for s in sides],
        }
        for name in dict.fromkeys([*sides[1], *sides[0]])
    ]


def _cells(this: Facts, other: Facts) -> Row:
    """How many cells of the plan hold documents in both builds, or in one of them only."""
    full = [_full(facts.get("coverage") or {}) for facts in (other, this)]
    only = [sorted(full[0] - full[1]), sorted(full[1] - full[0])]
    return {
        "both": len(full[0] & full[1]),
        "only": [len(side) for side in only],
        "examples": [[f"{title}: {kind}" for title, kind in side[:8]] for side in only],
    }


def _full(coverage: Mapping[str, Any]) -> set[tuple[str, str]]:
    rows, columns = coverage.get("rows") or [], coverage.get("columns") or []
    return {
        (rows[cell[0]]["title"], columns[cell[1]][1])
        for cell in coverage.get("cells") or ()
        if cell[3]
    }


def _judges(this: Facts, other: Facts) -> list[list[Json]]:
    """The judge's gap to the blind one by mark."""
    sides = [(facts.get("judges") or {}).get("marks") or {} for facts in (other, this)]
    return _pairs(*({mark: found.get("gap") for mark, found in side.items()} for side in sides))


def _settings(this: Facts, other: Facts) -> list[list[Json]]:
    sides = [dict(_list(facts, "provenance")) for facts in (other, this)]
    skip = ("judge.", "guard.", "principles.", "text_sha256", "tokens_sha256", "splits.")
    return [
        row
        for row in _pairs(*sides)
        if row[1] != row[2] and not str(row[0]).startswith(skip)
    ][:SETTINGS]  # fmt: skip


def _pairs(
    old: Mapping[str, Json], new: Mapping[str, Json], missing: Json = None
) -> list[list[Json]]:
    """``[name, other, this]`` for each name of either; ``missing`` where one lacks it."""
    names = dict.fromkeys([*new, *old])
    return [[name, old.get(name, missing), new.get(name, missing)] for name in names]
