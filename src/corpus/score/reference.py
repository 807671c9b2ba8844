"""Where values to compare with come from, and texts to score: files, builds, human prose."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from corpus.errors import InputError
from corpus.language import text_of
from corpus.records import Json
from corpus.score.columns import Text
from corpus.score.grams import BUDGET
from corpus.score.patterns import Control, english, pattern_hash
from corpus.score.rarefy import Known
from corpus.score.shipped import shipped
from corpus.store import Row, read_rows

HUMAN = "human"
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading JSON of another shape raises."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What to compare with.

    Attributes:
        values: by metric.
        control: patterns to compare moves with; None for those of human prose.
    """

    values: Mapping[str, Known] = field(default_factory=dict)
    control: Control | None = None


@dataclass(frozen=True, slots=True)
class Human:
    """What human prose was found to have; see ``shipped``."""

    baseline: Baseline
    names: Mapping[str, float]
    control: Control


@cache
def human() -> Human:
    """The shipped reference values."""
    found = shipped()
    counts = {pattern_hash(pattern): count for pattern, count in found["moves"].items()}
    about = found["about"]
    control = Control(
        "human prose", about["documents"], about["words"], counts, english(), found["floor"]
    )
    values = {
        name: Known(
            value,
            about["documents"],
            [{"documents": n, "value": v} for n, v in found["curves"].get(name, ())],
        )
        for name, value in found["values"].items()
    }
    return Human(Baseline(values, control), found["names"], control)


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


def read_allowed(paths: Sequence[Path]) -> list[str]:
    """Texts that may be quoted: files as they are, or JSON Lines with ``text`` or ``messages``.

    Raises:
        InputError: a file cannot be read.
    """
    found: list[str] = []
    for path in paths:
        if path.suffix == ".jsonl":
            found += [text.text for text in read_files([path])]
        else:
            found.append(_whole(path))
    return found


def read_values(path: Path) -> dict[str, Known] | None:
    """The values by metric that a file holds; None where it holds texts.

    The file is what ``corpus score --json`` printed, or the ``scores.jsonl`` of a build; a folder
    stands for the ``scores.jsonl`` in it.

    Raises:
        InputError: the file cannot be read or has another shape.
    """
    path = path / "scores.jsonl" if path.is_dir() else path
    text = _whole(path)
    try:
        first = json.loads(text.lstrip().partition("\n")[0])
        if "text" in first or "messages" in first:
            return None
        rows = [{**json.loads(line)} for line in text.splitlines() if line.strip()]
        return _values({str(row["id"]): row for row in rows})
    except UNREADABLE:
        pass
    try:
        return _values(json.loads(text)["metrics"])
    except UNREADABLE as error:
        raise InputError(
            f"{path}: not a baseline; give what `corpus score --json` printed, a build's output "
            f"folder, JSON Lines of texts, or the word {HUMAN}"
        ) from error


def _whole(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InputError(f"{path}: cannot be read ({reason}); check the path") from error


def known_of(row: Row) -> Known | None:
    """The row of a metric as something to compare with; None where it has nothing to say.

    That is one without a value, and ``distinct2`` of fewer words than its sample has.

    Raises:
        ValueError, TypeError, OverflowError, KeyError: the row is no metric.
    """
    if row["value"] is None:
        return None
    n, words = row.get("n"), row.get("words")
    if row["id"] == "distinct2" and n and words and round(n * words) < BUDGET:
        return None
    value = _finite(row["value"])
    return Known(value, n if isinstance(n, int) else None, curve_of(row))


def curve_of(row: Row) -> list[Json]:
    """The curve of a metric over documents; empty where its points are of another kind.

    Raises:
        ValueError, TypeError, OverflowError, KeyError: a point is no size with a finite value, or
            the sizes do not ascend.
    """
    points = [point for point in row.get("curve") or () if point.get("value") is not None]
    curve = [
        {"documents": int(_finite(p["documents"])), "value": _finite(p["value"])} for p in points
    ]
    sizes = [0, *(point["documents"] for point in curve)]
    if any(more <= less for less, more in itertools.pairwise(sizes)):
        raise ValueError("the documents of a curve do not ascend from 1")
    return curve


def _finite(value: float | str) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no value")
    return number


def _values(rows: Mapping[str, Row]) -> dict[str, Known]:
    found = {n: known for n, row in rows.items() if (known := known_of({**row, "id": n}))}
    if not found:
        raise ValueError("no metric has a value")
    return found


def _text(row: Row, path: Path, number: int) -> Text:
    """The row as the suite sees it."""
    place = {
        key: row[key] for key in ("section", "stream", "kind") if isinstance(row.get(key), str)
    }
    name = str(row.get("id", f"{path}:{number}"))
    return Text(name, text_of(row, f"{path}, row {number}"), **place)
