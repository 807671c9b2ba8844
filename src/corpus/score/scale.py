"""What every metric of the suite is made with: texts as they were read, limits, evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from corpus.language import Reading, read, words
from corpus.records import Json, Metric

Limits = Mapping[str, tuple[float, float]]
Groups = dict[str, list[str]]
Gate = Literal["pass", "warn", "fail"]

DEFAULTS: Limits = {
    "shared_ngram": (0.02, 0.10),
    "near_dup": (0.01, 0.05),
    "skeleton": (0.02, 0.10),
    "opening": (0.03, 0.10),
    "opening_repeated": (0.05, 0.30),
    "closing": (0.03, 0.10),
    "closing_repeated": (0.05, 0.30),
    "names": (0.05, 0.15),
    "distinct2": (0.10, 0.30),
    "coverage": (1.0, 0.0),
    "coverage_entropy": (0.9, 0.0),
}
"""Warn and fail, passed when the value is beyond; ``distinct2`` is the loss against a baseline."""

LEAST_COUNT = 3
EVIDENCE = 5
_GATES: tuple[Gate, Gate, Gate] = ("pass", "warn", "fail")


@dataclass(frozen=True, slots=True)
class Text:
    """A document as the suite sees it; ``section`` and ``kind`` are its cell of the plan."""

    id: str
    text: str
    section: str | None = None
    stream: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Doc:
    """A text with its words, sentences and names."""

    text: Text
    words: list[str]
    reading: Reading

    @classmethod
    def of(cls, text: Text) -> Doc:
        """Read a text once, for all metrics."""
        return cls(text, words(text.text), read(text.text))


@dataclass(frozen=True, slots=True)
class Scale:
    """The limits in force, and the metric that a value becomes under them."""

    limits: Limits
    baseline: Mapping[str, float]

    def bounds(self, name: str) -> tuple[float | None, float | None]:
        """Where the gate of ``name`` warns and fails; None where it has no gate."""
        if name not in self.limits:
            return None, None
        warn, fail = self.limits[name]
        if name != "distinct2":
            return warn, fail
        known = self.baseline.get(name)
        return (None, None) if known is None else (known * (1 - warn), known * (1 - fail))

    def metric(
        self,
        name: str,
        value: float | None,
        n: int,
        unit: str,
        *,
        higher: bool = False,
        chance: bool = False,
        note: str = "",
        evidence: Iterable[Json] = (),
    ) -> Metric:
        """``value`` with its gate; by ``chance`` says that too few agree for the gate to speak."""
        warn, fail = self.bounds(name)
        gate: Gate | None = None
        if value is not None and warn is not None and fail is not None:
            sign = -1 if higher else 1
            far = 0 if chance else sum(sign * value > sign * limit for limit in (warn, fail))
            gate = _GATES[far]
        return Metric(name, value, gate, n, unit, warn, fail, higher, note, tuple(evidence))


@dataclass(slots=True)
class Worst:
    """The largest share seen, and where."""

    scope: str = ""
    count: int = 0
    n: int = 0
    groups: Groups = field(default_factory=dict)

    def see(self, scope: str, count: int, n: int, groups: Groups) -> None:
        """Keep the larger share, the first of equals; chance never hides what is no chance."""
        seen = self.count >= LEAST_COUNT, self.count / max(1, self.n)
        if not self.n or (count >= LEAST_COUNT, count / n) > seen:
            self.scope, self.count, self.n, self.groups = scope, count, n, groups

    def metric(self, name: str, scale: Scale) -> Metric:
        """The share as a metric; fewer than 3 documents are chance."""
        return scale.metric(
            name,
            self.count / self.n if self.n else None,
            self.n,
            "share of documents",
            chance=self.count < LEAST_COUNT,
            note=self.scope,
            evidence=top(self.groups),
        )


def top(groups: Groups) -> list[Json]:
    """What most documents share, with how many and which."""
    ranked = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [
        {"text": text, "count": len(ids), "ids": ids[:3]}
        for text, ids in ranked[:EVIDENCE]
        if len(ids) > 1
    ]
