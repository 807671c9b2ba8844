"""What a request costs: a dated price table, the worst case, and the purse that is never overdrawn.

All arithmetic is in whole numbers. A price in dollars per million tokens with up to six decimals is
a whole number of pico-dollars per token; sums stay exact and are rounded up once, to whole
micro-dollars per reply. A model that the table does not know has no price: its cost is None, never
0, and a budget over it is refused. This room is pure, its table aside.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from typing import Any, Self

from corpus.errors import InputError, did_you_mean
from corpus.records import Request, Usage

CLASSES = ("input", "output", "cache_write", "cache_write_1h", "cache_read")
MILLIONTHS = 1_000_000  # a factor of 1; pico-dollars in a micro-dollar
DEAREST = 1_000_000  # dollars per million tokens: more is a slip of the pen
_USUAL = {"cache_write": 125, "cache_write_1h": 200, "cache_read": 10}  # percent of the input
_BATCH = Decimal("0.5")
_FRAME, _TURN = 64, 16  # tokens around a prompt and around each turn, generously


@dataclass(frozen=True, slots=True)
class Price:
    """Pico-dollars per token of one model, by class of token.

    ``batch`` is the factor for replies that come by batch, in millionths. Prompts of more than
    ``up_to`` tokens are priced by ``long`` altogether, as the provider does it. ``others`` are the
    prices of further models by name; what is asked of none of them is priced by this one.
    """

    input: int
    output: int
    cache_write: int
    cache_read: int
    cache_write_1h: int = 0
    batch: int = MILLIONTHS
    up_to: int | None = None
    long: Price | None = None
    others: Mapping[str, Price] = field(default_factory=dict)  # of models that some stages use

    @classmethod
    def of(cls, given: Mapping[str, Any], where: str = "the price table") -> Self:
        """The price that a table spells in dollars per million tokens.

        A table without cache figures gets the provider's usual ones: 1.25 and 2 times the input
        for writes, a tenth for reads. ``batch`` is a factor from 0 to 1, 0.5 where not given.

        Raises:
            InputError: a figure is missing, no number, negative, or finer than six decimals.
        """
        if "input" not in given or "output" not in given:
            raise InputError(f"{where} needs 'input' and 'output'")
        rates = {n: _millionths(given[n], f"{where} {n}") for n in CLASSES if n in given}
        usual = {name: -(-rates["input"] * percent // 100) for name, percent in _USUAL.items()}
        batch = given.get("batch", _BATCH)
        factor = _millionths(batch, f"{where} batch", most=1)
        long = None
        if "long" in given:
            long = Price.of({"batch": batch, **given["long"]}, f"{where} long")
        figures = {**usual, **rates}
        return cls(**figures, batch=factor, up_to=given.get("up_to"), long=long)  # type: ignore[arg-type]

    def cost(self, usage: Usage, *, batch: bool = False) -> int:
        """Micro-dollars for ``usage``, rounded up; ``batch`` says whether it came by batch."""
        price = self._at(usage.prompt)
        return _micro(price._sum(usage), price.batch if batch else MILLIONTHS)  # noqa: SLF001 - own

    def of_model(self, name: str) -> Price:
        """The price of a model by the name it was asked by, or the dated one it answers with."""
        found = [known for known in self.others if name.startswith(known)]
        return self.others[max(found, key=len)] if found else self

    def worst(self, request: Request, *, batch: bool = False) -> int:
        """Micro-dollars that ``request`` can cost at most, whatever the server counts and caches.

        Every prompt token is taken for one of the dearest class, as many as there are bytes, the
        reply for as long as it may be, and of all bands that such a prompt can fall in the dearest.
        """
        prompt = most_input_tokens(request)
        worst, price = 0, self.of_model(request.model)
        while True:
            dearest = max(price.input, price.cache_write, price.cache_write_1h, price.cache_read)
            tokens = prompt if price.up_to is None else min(prompt, price.up_to)
            total = dearest * tokens + price.output * request.max_tokens
            worst = max(worst, _micro(total, price.batch if batch else MILLIONTHS))
            if tokens == prompt or price.long is None:
                return worst
            price = price.long

    def savings(self, usage: Usage, *, batch: bool = False) -> tuple[int, int]:
        """Micro-dollars that the cache and the batch saved, against plain input asked directly.

        The cache is reckoned at direct prices and is negative where writes cost more than reads
        gave back; the batch saves on what remains. With ``cost`` both add up to the plain price,
        to the micro-dollar.
        """
        plain = self.cost(Usage(input=usage.prompt, output=usage.output))
        direct = self.cost(usage)
        return plain - direct, direct - self.cost(usage, batch=batch)

    def _at(self, prompt: int) -> Price:
        """The price of a prompt of that many tokens."""
        if self.long is None or self.up_to is None or prompt <= self.up_to:
            return self
        return self.long._at(prompt)  # noqa: SLF001 - own

    def _sum(self, usage: Usage) -> int:
        return (
            self.input * usage.input
            + self.output * usage.output
            + self.cache_write * usage.cache_write
            + self.cache_write_1h * usage.cache_write_1h
            + self.cache_read * usage.cache_read
        )


FREE = Price(0, 0, 0, 0)


def _micro(pico: int, factor: int) -> int:
    """Pico-dollars times millionths as micro-dollars, rounded up once."""
    return -(-pico * factor // (MILLIONTHS * MILLIONTHS))


def _millionths(value: Any, where: str, most: int = DEAREST) -> int:  # noqa: ANN401 - from TOML
    """A number as it was written, in millionths: ``0.1`` is a tenth, not the float next to it."""
    wanted = "a factor from 0 to 1" if most == 1 else "dollars per 1M tokens"
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    try:
        exact = Decimal(str(value)) if number else Decimal("NaN")
    except InvalidOperation:
        exact = Decimal("NaN")
    if not exact.is_finite() or not 0 <= exact <= most:
        raise InputError(f"{where} = {value!r}: {wanted}")
    scaled = exact * MILLIONTHS
    if scaled != scaled.to_integral_value():
        raise InputError(f"{where} = {exact}: six decimals at most")
    return int(scaled)


@cache
def _table() -> tuple[str, dict[str, Price]]:
    """The day of the table and the price of each model in it; read when first asked for."""
    text = resources.files("corpus").joinpath("data/prices.toml").read_text("utf-8")
    table = tomllib.loads(text, parse_float=Decimal)
    return table["dated"], {name: Price.of(row, name) for name, row in table["model"].items()}


def dated() -> str:
    """The day on which the table was checked against the published prices."""
    return _table()[0]


def known() -> tuple[str, ...]:
    """The models that the table knows."""
    return tuple(_table()[1])


def price_of(model: str, overrides: Mapping[str, Mapping[str, Any]]) -> Price | None:
    """The price of ``model``: the user's own figures first, then the table, else None.

    Raises:
        InputError: the user's figures lack a field, have an unknown one, or cannot be used.
    """
    if model not in overrides:
        return _table()[1].get(model)
    _check_fields(overrides[model], f"corpus.toml: [prices.{model}]")
    return Price.of(overrides[model], f"corpus.toml: [prices.{model}]")


def price_of_all(
    model: str, others: Collection[str], overrides: Mapping[str, Mapping[str, Any]]
) -> Price | None:
    """The price of a build that asks several models; None if that of one is not known."""
    main = price_of(model, overrides)
    found = {name: price_of(name, overrides) for name in sorted(others)}
    if main is None or None in found.values():
        return None
    # the main one is among them: its own name may begin with that of another
    others_of = {model: main, **{name: price for name, price in found.items() if price}}
    return replace(main, others=others_of if found else {})


def _check_fields(given: Mapping[str, Any], where: str) -> None:
    """Refuse a table with an unknown field, or a band without its bound."""
    fields = (*CLASSES, "batch", "up_to", "long")
    for name in given:
        if name not in fields:
            raise InputError(f"{where} has no '{name}'{did_you_mean(name, fields)}")
    long, bound = given.get("long"), given.get("up_to")
    if (long is None) != (bound is None):
        raise InputError(f"{where}: 'up_to' (prompt tokens) and a table 'long' belong together")
    if long is not None:
        if not isinstance(bound, int) or isinstance(bound, bool) or bound <= 0:
            raise InputError(f"{where} up_to = {bound!r}: a number of prompt tokens is wanted")
        if not isinstance(long, Mapping):
            raise InputError(f"{where} long = {long!r}: a table of prices is wanted")
        _check_fields(long, f"{where} long")


def most_input_tokens(request: Request) -> int:
    """An upper bound for the prompt's tokens: a token is a byte at least, and frames have some."""
    turns = sum(len(turn["content"].encode("utf-8", "replace")) for turn in request.messages)
    system = len(request.system.encode("utf-8", "replace"))
    return turns + system + _FRAME + _TURN * len(request.messages)


def likely_input_tokens(request: Request) -> int:
    """What the prompt's tokens probably are in English: one per four characters."""
    return (sum(len(turn["content"]) for turn in request.messages) + len(request.system)) // 4 + 16


def dollars(micro: float | None) -> str:
    """Micro-dollars for people: ``$12.34``, ``$0.0042``, ``<$0.0001``, or ``unknown``.

    A sum that is not 0 never reads as 0; from a dollar on, cents are enough.
    """
    if micro is None:
        return "unknown"
    sign, value = ("-" if micro < 0 else ""), abs(micro) / MILLIONTHS
    if 0 < value < 0.0001:  # noqa: PLR2004 - the last digit that is shown
        return f"{sign}<$0.0001"
    digits = 2 if value == 0 or round(value, 4) >= 1 else 4
    return f"{sign}${value:,.{digits}f}"


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
