"""Prices and replies: exact sums, honest worst cases, and a purse that is never overdrawn."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import InputError
from corpus.model import prices
from corpus.model.prices import Price, Purse
from corpus.model.replies import read_reply
from corpus.records import Request, Usage

SONNET = "claude-sonnet-5-5"
HAIKU = "claude-haiku-5-5"
KNOWN = st.sampled_from([SONNET, HAIKU, "claude-opus-5-5", "claude-fable-5-1"])
DOLLARS = st.floats(0, 100).map(lambda value: round(value, 4))


def price(model: str, **given: float) -> Price:
    found = prices.price_of(model, {model: given} if given else {})
    assert found is not None
    return found


def request(text: str, most: int = 100, system: str = "") -> Request:
    return Request("draft", SONNET, system, ({"role": "user", "content": text},), most)


def cut(total: int, at: list[int]) -> list[int]:
    """``total`` in three parts, which ``at`` splits."""
    low, high = sorted(place % (total + 1) for place in at)
    return [low, high - low, total - high]


@given(
    st.one_of(KNOWN.map(price), st.builds(Price, DOLLARS, DOLLARS, DOLLARS, DOLLARS)),
    st.text(max_size=3000),
    st.text(max_size=300),
    st.data(),
)
def test_no_usage_within_the_bounds_costs_more_than_the_worst_case(
    of: Price, text: str, system: str, data: st.DataObject
) -> None:
    asked = request(text, data.draw(st.integers(1, 100_000)), system)
    total = data.draw(st.integers(0, prices.most_input_tokens(asked)))
    plain, new, old = cut(total, data.draw(st.lists(st.integers(0, 10**6), min_size=2, max_size=2)))
    output = data.draw(st.integers(0, asked.max_tokens))
    assert of.worst(asked) >= of.cost(Usage(plain, output, new, old)) >= 0


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_whole_dollar_prices_are_exact(tokens: int, output: int) -> None:
    assert price(SONNET).cost(Usage(tokens, output)) == 2 * tokens + 10 * output


@given(KNOWN, st.integers(0, 90_000), st.integers(0, 90_000))
def test_a_cost_is_rounded_up_by_less_than_a_micro_dollar(
    model: str, tokens: int, output: int
) -> None:
    of = price(model)
    exact = of.input * tokens + of.output * output
    assert -1e-4 <= of.cost(Usage(tokens, output)) - exact < 1


def test_a_long_prompt_costs_more_in_every_class() -> None:
    of = price(HAIKU)
    usage = Usage(input=40_000, output=1_000, cache_write=30_000, cache_read=30_000)
    short = of.cost(usage)
    long = of.cost(Usage(input=40_001, output=1_000, cache_write=30_000, cache_read=30_000))
    assert short == math.ceil(0.1 * 40_000 + 0.5 * 1_000 + 0.125 * 30_000 + 0.01 * 30_000)
    assert long == math.ceil(round(5 * (short + 0.1), 6))
    assert price(SONNET).long_prompt is None


def test_the_worst_case_knows_the_long_prompt_too() -> None:
    asked = request("ab" * 100_001, most=10)
    assert price(HAIKU).worst(asked) >= 5 * 0.1 * 100_000
    assert prices.likely_input_tokens(asked) < prices.most_input_tokens(asked)


def test_an_unknown_model_has_no_price_and_a_users_figure_goes_first() -> None:
    assert prices.price_of("my-own-model", {}) is None
    assert prices.price_of("my-own-model", {"other": {"input": 1, "output": 2}}) is None
    assert price("my-own-model", input=4, output=8) == Price(4, 8, 5.0, 0.4)
    assert price(SONNET, input=1, output=2, cache_read=0).cost(Usage(1, 1, 0, 5)) == 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"input": 1}, "[prices.m] needs 'input' and 'output'"),
        ({"input": 1, "outptu": 2}, "[prices.m] has no 'outptu'; did you mean 'output'?"),
        ({"input": -1, "output": 2}, "[prices.m] input = -1: dollars per 1M"),
        ({"input": "1", "output": 2}, "[prices.m] input = '1': dollars per 1M"),
        ({"input": True, "output": 2}, "[prices.m] input = True"),
        ({"input": 1, "output": math.nan}, "[prices.m] output = nan"),
        ({"input": 1, "output": math.inf}, "[prices.m] output = inf"),
    ],
)
def test_a_users_price_that_cannot_be_used_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        prices.price_of("m", {"m": given})
    assert str(caught.value).startswith(f"corpus.toml: {said}")


@pytest.mark.parametrize(
    ("micro", "shown"),
    [
        (None, "unknown"),
        (0, "$0.00"),
        (4_200, "$0.0042"),
        (1_000_000, "$1.00"),
        (12_345_678_900, "$12,345.68"),
    ],
)
def test_money_is_shown_in_dollars(micro: int | None, shown: str) -> None:
    assert prices.dollars(micro) == shown


@given(
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.lists(st.tuples(st.booleans(), st.integers(0, 300), st.integers(0, 300)), max_size=40),
)
def test_a_purse_is_never_overdrawn(
    budget: int, spent: int, steps: list[tuple[bool, int, int]]
) -> None:
    purse = Purse(budget, min(spent, budget))
    open_: list[int] = []
    for settles, worst, cost in steps:
        if settles and open_:
            due = open_.pop(worst % len(open_))
            purse.settle(due, min(cost, due))
        elif purse.reserve(worst):
            open_.append(worst)
        assert purse.reserved == sum(open_)
        assert purse.spent + purse.reserved <= budget


@given(st.lists(st.integers(0, 300)))
def test_a_purse_gives_what_fits_and_takes_back_what_was_not_used(worsts: list[int]) -> None:
    purse = Purse(1000)
    for worst in worsts:
        assert purse.reserve(worst)
        purse.settle(worst, 0)
    assert (purse.spent, purse.reserved) == (0, 0)
    assert purse.reserve(1000)
    assert not purse.reserve(1)


def test_a_purse_without_a_budget_says_yes_and_keeps_count() -> None:
    purse = Purse(None)
    assert purse.reserve(10**12)
    assert purse.reserve(None)
    purse.settle(10**12, 7)
    purse.settle(None, None)
    assert (purse.spent, purse.reserved) == (7, 0)


# The raw bodies that are priced


def body(**other: Any) -> str:
    message = {
        "model": "m1",
        "stop_reason": "end_turn",
        "content": [
            {"type": "thinking", "thinking": "hm"},
            {"type": "text", "text": "Hello, "},
            {"type": "text", "text": "Otis."},
        ],
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }
    return json.dumps(message | other)


def test_a_body_gives_its_text_its_stop_and_its_cost() -> None:
    got = read_reply("k", body(), price(SONNET), replayed=True)
    assert (got.text, got.stop, got.model, got.replayed) == ("Hello, Otis.", "end_turn", "m1", True)
    assert (got.usage, got.cost) == (Usage(10, 5), 70)
    assert read_reply("k", body(), None).cost is None


def test_cached_tokens_are_counted_apart_and_may_be_null() -> None:
    usage = {
        "input_tokens": 1,
        "output_tokens": 2,
        "cache_creation_input_tokens": None,
        "cache_read_input_tokens": 4,
    }
    assert read_reply("k", body(usage=usage), None).usage == Usage(1, 2, 0, 4)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"input_tokens": 1},
        {"input_tokens": 1, "output_tokens": None},
        {"input_tokens": 1, "output_tokens": "5"},
        {"input_tokens": 1, "output_tokens": -5},
        [1, 2],
    ],
)
def test_a_usage_that_cannot_be_read_costs_nobody_knows_what(usage: Any) -> None:
    got = read_reply("k", body(usage=usage), price(SONNET))
    assert (got.text, got.usage, got.cost) == ("Hello, Otis.", Usage(), None)


@pytest.mark.parametrize(
    "raw",
    ["", "<html>", "[]", "null", "{}", body(content="x"), body(content=[{"type": "text"}])],
)
def test_a_body_that_is_no_message_stops_as_unreadable(raw: str) -> None:
    got = read_reply("k", raw, price(SONNET))
    assert (got.text, got.stop, got.cost) == ("", "unreadable", None)
