"""Two builds side by side: what is different between this one and another, as plain JSON.

Diversity falls with the number of documents and their length. Where two builds differ in number, a
measure that depends on it is compared at the size of the smaller one (see ``corpus.score.rarefy``);
where they differ in length, a difference is shown and called what it is. Values are ``[other,
this]`` throughout.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corpus.errors import InputError
from corpus.records import Json
from corpus.report.folder import Row
from corpus.report.measures import ORDER, interval, verdict_of
from corpus.score.intervals import wilson
from corpus.score.rarefy import matched
from corpus.score.reference import UNREADABLE, curve_of

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
        facts["headline"]["kept"], facts["build"]
        facts["metrics"] = [{**row, "curve": curve_of(row)} for row in facts["metrics"]]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UNREADABLE as error:
        raise InputError(f"{path}: no report; give an output folder or its report.json") from error
    return facts


def compare(this: Facts, other: Facts, name: str) -> Row:
    """What to show of the two; ``name`` is how the user called the other one."""
    sizes = [_sizes(other), _sizes(this)]
    alike = {key: _near(*(size[key] for size in sizes)) for key in ("kept", "words")}
    return {
        "name": name,
        "numbers": _numbers(this, other),
        "comparable": all(alike.values()),
        "sizes": sizes,
        "metrics": _metrics(this, other, number=alike["kept"], length=alike["words"]),
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


def _metrics(this: Facts, other: Facts, *, number: bool, length: bool) -> list[Row]:
    """Every metric that one of them has; ``number`` and ``length``: what is alike of the builds."""
    sides = [{m["id"]: m for m in _list(facts, "metrics")} for facts in (other, this)]
    names = dict.fromkeys([*sides[1], *sides[0]])
    return [
        _metric(name, [side.get(name) or {} for side in sides], number=number, length=length)
        for name in names
    ]


def _metric(name: str, pair: Sequence[Row], *, number: bool, length: bool) -> Row:
    """Values, gates and counts; ``even``, both at the size of the smaller; +1 if this is better."""
    values, gates = [m.get("value") for m in pair], [m.get("gate") for m in pair]
    both = None if number else matched(pair[1].get("curve") or (), pair[0].get("curve") or ())
    even = [both["baseline"], both["value"]] if both else None
    ends = [
        _interval(m, v, both and both["documents"])
        for m, v in zip(pair, even or values, strict=True)
    ]
    clear = not _overlap(*ends)
    apart = bool(length and (number or even) and clear)
    return {
        "id": name,
        "unit": (pair[1] or pair[0]).get("unit") or "",
        "values": values,
        "gates": gates,
        "n": [m.get("n") for m in pair],
        "even": {"documents": both["documents"], "values": even} if both else None,
        "better": _better(pair, even, apart=apart, clear=clear) if all(gates) else 0,
    }


def _better(pair: Sequence[Row], even: Sequence[float] | None, *, apart: bool, clear: bool) -> int:
    """By the verdicts where they differ, else by the values where those are ``apart``.

    A verdict that the whole corpus changed, and no part of it, is one of size unless the values at
    one size moved with it and their intervals are ``clear`` of each other.
    """
    before, now = even or [m["value"] for m in pair]
    up = 1 if pair[1].get("higher_is_better") else -1
    moved = up * ((now > before) - (now < before))
    old, new = (ORDER[m["gate"]] for m in pair)
    if old == new:
        return moved if apart else 0
    verdict = 1 if new > old else -1
    of_the_whole = not _of_a_part(pair[new < old], pair[new > old])
    return 0 if even and of_the_whole and not (clear and moved == verdict) else verdict


def _of_a_part(worse: Row, other: Row) -> bool:
    """Whether the worse verdict comes from a part alone, and one that the other build judged too.

    A part of few documents has no gate, so that it has none there says nothing.
    """
    if verdict_of(worse) == ORDER[worse["gate"]]:
        return False
    sides = ([c for c in m.get("cells") or () if c.get("gate")] for m in (worse, other))
    blamed, heard = ({(c["by"], c["cell"]): c["gate"] for c in side} for side in sides)
    return any(gate == worse["gate"] and cell in heard for cell, gate in blamed.items())


def _interval(metric: Row, value: float | None, n: int | None) -> list[float]:
    """The metric's interval, moved with its value to n documents, its relative width kept.

    A share of 0 or 1 may show no spread. That is no proof of none, so it gets Wilson's ends.
    """
    own, ends = metric.get("value"), interval(metric)
    moved = [end / own * value for end in ends] if own and value is not None else ends
    n = n or metric.get("n")
    if moved and moved[0] == moved[1] in {0, 1} and n and _is_share(metric):
        share = wilson(n * moved[0], n)
        return [share.low or 0.0, share.high or 0.0]
    return moved


def _is_share(metric: Row) -> bool:
    return str(metric.get("unit")).startswith("share")


def _overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    if any(ends and ends[0] == ends[1] for ends in (one, other)):
        return True  # no spread was seen, which is no proof that there is none
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
    skip = ("judge.", "guard.", "principles.", "text_sha256", "tokens_sha256", "rest_sha256",
            "splits.")  # fmt: skip
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
