"""What a request costs: a dated price table, the worst case, and the purse that is never overdrawn.

Money is counted in whole micro-dollars, so a price of 1 dollar per million tokens is 1 micro-dollar
per token and every sum is exact. A model that the table does not know has no price: its cost is
None, never 0, and a budget over it is refused.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpus.errors import InputError, did_you_mean
from corpus.records import Request, Usage

DATED = "2026-11-23"  # the day on which this table was checked against the published prices

_FIELDS = ("input", "output", "cache_write", "cache_read")
_TABLE: dict[str, tuple[float, float, float, float]] = {
    # dollars per million tokens: input, output, cache write (5 min), cache read
    "claude-fable-5-1": (10.0, 50.0, 12.5, 0.25),
    "claude-opus-5-5": (4.0, 20.0, 5.0, 0.20),
    "claude-sonnet-5-5": (2.0, 10.0, 2.5, 0.10),
    "claude-haiku-5-5": (0.10, 0.50, 0.125, 0.01),
    "claude-opus-5": (5.0, 25.0, 6.25, 0.50),
    "claude-haiku-4-5": (1.0, 5.0, 1.25, 0.10),
}
_LONG_PROMPT = {"claude-haiku-5-5": (100_000, 5.0)}  # prompts above cost this many times more
BATCH_FACTOR = 0.5


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per million tokens of one model, by class of token."""

    input: float
    output: float
    cache_write: float
    cache_read: float
    long_prompt: int | None = None
    long_factor: float = 1.0

    def cost(self, usage: Usage) -> int:
        """Micro-dollars for ``usage``, rounded up."""
        prompt = usage.input + usage.cache_write + usage.cache_read
        factor = self.long_factor if self.long_prompt and prompt > self.long_prompt else 1.0
        total = (
            self.input * usage.input
            + self.output * usage.output
            + self.cache_write * usage.cache_write
            + self.cache_read * usage.cache_read
        )
        return math.ceil(round(factor * total, 6))

    def worst(self, request: Request) -> int:
        """Micro-dollars that ``request`` can cost at most: every prompt token of the dearest class.

        A server may write a cache that nobody asked for, and that costs more than plain input.
        """
        dearest = max(("input", "cache_write", "cache_read"), key=lambda name: getattr(self, name))
        prompt = Usage(**{dearest: most_input_tokens(request)})
        return self.cost(dataclasses.replace(prompt, output=request.max_tokens))


def most_input_tokens(request: Request) -> int:
    """An upper bound for the prompt's tokens: one per two bytes, and a little for the frame."""
    turns = sum(len(turn["content"].encode()) for turn in request.messages)
    return (turns + len(request.system.encode())) // 2 + 64


def likely_input_tokens(request: Request) -> int:
    """What the prompt's tokens probably are in English: one per four characters."""
    return (sum(len(turn["content"]) for turn in request.messages) + len(request.system)) // 4 + 16


def price_of(model: str, overrides: Mapping[str, Mapping[str, Any]]) -> Price | None:
    """The price of ``model``: the user's own figure first, then the table, else None.

    Raises:
        InputError: an override lacks a field or has an unknown one.
    """
    if model in overrides:
        return _override(model, overrides[model])
    if model not in _TABLE:
        return None
    threshold, factor = _LONG_PROMPT.get(model, (None, 1.0))
    return Price(*_TABLE[model], long_prompt=threshold, long_factor=factor)


def _override(model: str, given: Mapping[str, Any]) -> Price:
    for name, value in given.items():
        if name not in _FIELDS:
            raise InputError(
                f"corpus.toml: [prices.{model}] has no '{name}'{did_you_mean(name, _FIELDS)}"
            )
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 <= value < math.inf:
            raise InputError(f"corpus.toml: [prices.{model}] {name} = {value!r}: dollars per 1M")
    if "input" not in given or "output" not in given:
        raise InputError(f"corpus.toml: [prices.{model}] needs 'input' and 'output'")
    plain = {"cache_write": 1.25 * given["input"], "cache_read": 0.1 * given["input"], **given}
    return Price(**plain)


def dollars(micro: int | None) -> str:
    """Micro-dollars for people: ``$12.34``, ``$0.0042``, or ``unknown``."""
    if micro is None:
        return "unknown"
    value = micro / 1_000_000
    return f"${value:,.2f}" if value >= 1 or micro == 0 else f"${value:.4f}"


class Purse:
    """A budget that settled costs, reserved worst cases and unknown outcomes may never exceed."""

    def __init__(self, budget: int | None, spent: int = 0) -> None:
        self.budget = budget
        self.spent = spent
        self.reserved = 0

    def reserve(self, worst: int | None) -> bool:
        """Set ``worst`` aside if it fits; without a budget everything fits."""
        fits = self.budget is None or self.spent + self.reserved + (worst or 0) <= self.budget
        if fits:
            self.reserved += worst or 0
        return fits

    def settle(self, worst: int | None, cost: int | None) -> None:
        """Give a reservation back and book what it cost."""
        self.reserved -= worst or 0
        self.spent += cost or 0
