"""Gates for CI: what a report must not say. Every gate is told by name, value and limit.

A limit is on a metric of the suite by its id, or on a number of the headline (``kept``, ``tokens``,
``rejected``, ``duplicate``, ``sections_covered``). What was not measured cannot pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from corpus.errors import InputError, did_you_mean
from corpus.report.markup import measure
from corpus.report.measures import leading

HEADLINE = ("kept", "tokens", "rejected", "duplicate", "unreviewed", "sections_covered")
LEVELS = {"pass": 0, "warn": 1, "fail": 2}

Facts = Mapping[str, Any]


def broken(
    facts: Facts,
    *,
    under: Sequence[str] = (),
    over: Sequence[str] = (),
    on: str | None = None,
    worse: bool = False,
) -> list[str]:
    """What breaks a gate, in words; empty if nothing does.

    Args:
        facts: what ``collect`` returned.
        under: ``name=value``: broken where the number is lower.
        over: ``name=value``: broken where the number is higher.
        on: ``warn`` or ``fail``: broken by a gate of the build that says so, or worse.
        worse: broken by a gate whose verdict is worse than in the build compared with.

    Raises:
        InputError: a limit that cannot be read or names nothing that is measured; ``worse`` where
            there is nothing to compare with.
    """
    found = [_limit(facts, said, "under", -1) for said in under]
    found += [_limit(facts, said, "over", 1) for said in over]
    if on is not None:
        least = LEVELS[on]
        found += [_verdict(m) for m in leading(facts["metrics"]) if _level(m) >= least]
    if worse:
        found += _worse(facts)
    return list(dict.fromkeys(filter(None, found)))


def _limit(facts: Facts, said: str, word: str, sign: int) -> str:
    name, _, limit = said.partition("=")
    numbers = {metric["id"]: metric["value"] for metric in facts["metrics"]}
    numbers |= {key: facts["headline"].get(key) for key in HEADLINE if key not in numbers}
    if name not in numbers:
        raise InputError(f"--fail-{word} '{said}': no such metric{did_you_mean(name, numbers)}")
    bound = _number(limit, said, word)
    value = numbers[name]
    if value is None:
        return f"{name} was not measured (limit: {limit})"
    return f"{name} is {value:.6g}, {word} {limit}" if sign * (value - bound) > 0 else ""


def _number(limit: str, said: str, word: str) -> float:
    try:
        bound = float(limit.removesuffix("%")) / (100 if limit.endswith("%") else 1)
    except ValueError:
        bound = float("nan")
    if bound != bound:  # noqa: PLR0124 - NaN is the one number that is not itself
        raise InputError(f"--fail-{word} '{said}': give NAME=NUMBER, such as coverage=0.95 or 95%")
    return bound


def _level(metric: Mapping[str, Any]) -> int:
    return LEVELS.get(metric["gate"], 0)


def _verdict(metric: Mapping[str, Any]) -> str:
    value = measure(metric["value"], metric["unit"])
    return f"{metric['id']} {'warns' if metric['gate'] == 'warn' else 'fails'} ({value})"


def _worse(facts: Facts) -> list[str]:
    if not (compared := facts.get("compare")):
        raise InputError("--fail-on worse: nothing to compare with; give --compare OTHER too")
    return [
        f"{row['id']} went from {row['gates'][0]} to {row['gates'][1]}"
        for row in compared["metrics"]
        if row["better"] < 0 and LEVELS[row["gates"][1]] > LEVELS[row["gates"][0]]
    ]
