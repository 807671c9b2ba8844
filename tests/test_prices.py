"""Prices and replies: exact sums, honest worst cases, and a purse that is never overdrawn."""

from __future__ import annotations

import dataclasses
import json
import math
import tomllib
from fractions import Fraction
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from corpus import review
from corpus.build.books import is_whole
from corpus.errors import InputError
from corpus.model import prices
from corpus.model.prices import Price, Purse
from corpus.model.replies import read_reply
from corpus.records import SELF_ENDED, Request, Usage

SONNET = "claude-sonnet-5-5"
HAIKU = "claude-haiku-5-5"
CLASSES = ("input", "output", "cache_write", "cache_write_1h", "cache_read")
KNOWN = st.sampled_from(prices.known()).map(lambda model: prices.price_of(model, {}) or prices.FREE)
RATES = st.integers(0, 100_000_000)  # up to 100 dollars per million tokens
SHARES = st.integers(0, 1_000_000)
ODD = st.builds(
    Price, RATES, RATES, RATES, RATES, RATES, SHARES, st.integers(1, 3000),
    st.builds(Price, RATES, RATES, RATES, RATES, RATES, SHARES),
)  # fmt: skip
PRICES = KNOWN | ODD
COUNTS = st.integers(0, 10**6)
USAGES = st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)


def price(model: str, **given: float) -> Price:
    found = prices.price_of(model, {model: given} if given else {})
    assert found is not None
    return found


def request(text: str, most: int = 100, system: str = "") -> Request:
    return Request("draft", SONNET, system, ({"role": "user", "content": text},), most)


def cut(total: int, at: list[int]) -> list[int]:
    """``total`` in four parts, which ``at`` splits."""
    first, second, third = sorted(place % (total + 1) for place in at)
    return [first, second - first, third - second, total - third]


def exact(of: Price, usage: Usage, *, batch: bool) -> Fraction:
    """Micro-dollars, not rounded, by another road: the band by hand, then fractions."""
    if of.long is not None and of.up_to is not None and usage.prompt > of.up_to:
        return exact(of.long, usage, batch=batch)
    dollars = sum(Fraction(getattr(of, n), 10**6) * getattr(usage, n) for n in CLASSES)
    return dollars * (Fraction(of.batch, 10**6) if batch else 1)


@given(PRICES, st.text(max_size=2000), st.text(max_size=300), st.booleans(), st.data())
def test_no_usage_within_the_bounds_costs_more_than_the_worst_case(
    of: Price,
    text: str,
    system: str,
    batch: bool,  # noqa: FBT001 - drawn
    data: st.DataObject,
) -> None:
    asked = request(text, data.draw(st.integers(1, 100_000)), system)
    total = data.draw(st.integers(0, prices.most_input_tokens(asked)))
    at = data.draw(st.lists(st.integers(0, 10**6), min_size=3, max_size=3))
    plain, short, old, hour = cut(total, at)
    usage = Usage(plain, data.draw(st.integers(0, asked.max_tokens)), short, old, hour)
    assert of.worst(asked, batch=batch) >= of.cost(usage, batch=batch) >= 0


@given(PRICES, USAGES, st.booleans())
def test_a_cost_is_the_exact_sum_rounded_up_once(
    of: Price,
    usage: Usage,
    batch: bool,  # noqa: FBT001 - drawn
) -> None:
    assert of.cost(usage, batch=batch) == math.ceil(exact(of, usage, batch=batch))


@given(RATES, RATES, SHARES, USAGES, USAGES)
def test_costs_add_up_to_within_a_micro_dollar(
    input_: int, output: int, share: int, one: Usage, other: Usage
) -> None:
    of = Price(input_, output, input_, input_, input_, share)
    both = Usage(*(getattr(one, name) + getattr(other, name) for name in Usage.__slots__))
    apart = of.cost(one, batch=True) + of.cost(other, batch=True)
    assert 0 <= apart - of.cost(both, batch=True) <= 1


@given(PRICES, USAGES, st.booleans())
def test_what_was_paid_and_what_was_saved_make_the_plain_price(
    of: Price,
    usage: Usage,
    batch: bool,  # noqa: FBT001 - drawn
) -> None:
    cache, batches = of.savings(usage, batch=batch)
    plain = of.cost(Usage(input=usage.prompt, output=usage.output))
    assert of.cost(usage, batch=batch) + cache + batches == plain
    assert batches >= 0 if batch else batches == 0


def test_a_cache_that_is_only_written_costs_more_than_none() -> None:
    written = Usage(input=10, output=10, cache_write_1h=1000)
    assert price(SONNET).savings(written) == (-2000, 0)
    assert price(SONNET).savings(Usage(cache_read=1000), batch=True) == (1900, 50)


def test_a_batch_costs_half() -> None:
    usage = Usage(input=1000, output=1000, cache_write=1000, cache_read=1000, cache_write_1h=1000)
    assert price(SONNET).cost(usage) == 2000 + 10_000 + 2500 + 100 + 4000
    assert price(SONNET).cost(usage, batch=True) == 9300


def test_a_long_prompt_costs_more_in_every_class() -> None:
    of = price(HAIKU)
    usage = Usage(40_000, 1_000, cache_write=30_000, cache_read=20_000, cache_write_1h=10_000)
    assert of.cost(usage) == 4_000 + 500 + 3_750 + 200 + 2_000
    one_more = dataclasses.replace(usage, input=40_001)
    assert of.cost(one_more) == math.ceil(20_000.5 + 2_500 + 18_750 + 1_000 + 10_000)
    assert price(SONNET).long is None


def test_the_worst_case_knows_that_a_prompt_may_be_longer_than_it_looks() -> None:
    asked = request("ab" * 60_000, most=10)
    assert prices.likely_input_tokens(asked) < 100_000 < prices.most_input_tokens(asked)
    assert price(HAIKU).worst(asked) >= 1.0 * 120_000


def test_the_dearest_band_is_taken_even_if_it_is_the_first() -> None:
    of = Price(1_000_000, 0, 0, 0, up_to=1000, long=Price(1, 0, 0, 0))
    assert of.worst(request("a" * 5000)) == 1000


def test_an_unknown_model_has_no_price_and_a_users_figures_go_first() -> None:
    assert prices.price_of("my-own-model", {}) is None
    assert prices.price_of("my-own-model", {"other": {"input": 1, "output": 2}}) is None
    usual = Price(4_000_000, 8_000_000, 5_000_000, 400_000, 8_000_000, 500_000)
    assert price("my-own-model", input=4, output=8) == usual
    mine = price(SONNET, input=1, output=2, cache_read=0, cache_write_1h=7, batch=0.25)
    assert mine.cost(Usage(1, 1, 0, 5, 1)) == 10
    assert mine.cost(Usage(4, 0), batch=True) == 1


def test_a_model_whose_name_begins_with_that_of_another_keeps_its_own_price() -> None:
    given = {"mine": {"input": 1, "output": 5}, "mine-large": {"input": 10, "output": 50}}
    both = prices.price_of_all("mine-large", {"mine"}, given)
    assert both is not None
    assert both.of_model("mine-large-2026").output == 50_000_000
    assert both.of_model("mine").output == 5_000_000
    asked = Request("draft", "mine-large", "", ({"role": "user", "content": "a"},), 10)
    assert both.worst(asked) == price("mine-large", **given["mine-large"]).worst(asked)


def test_a_users_price_may_have_a_band_for_long_prompts() -> None:
    long = {"input": 2, "output": 10}
    of = prices.price_of("m", {"m": {"input": 1, "output": 5, "up_to": 1000, "long": long}})
    assert of is not None
    assert of.cost(Usage(input=1000, output=100)) == 1_500
    assert of.cost(Usage(input=1001, output=100)) == 2_002 + 1_000


def test_every_model_of_the_table_has_a_source_and_a_cheaper_batch() -> None:
    text = resources.files("corpus").joinpath("data/prices.toml").read_text("utf-8")
    table = tomllib.loads(text)
    assert prices.dated() == table["dated"]
    for name, row in table["model"].items():
        assert row["source"]
        of = price(name)
        assert of.cache_read < of.input < of.cache_write < of.cache_write_1h < of.output
        assert of.batch == 500_000


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
        ({"input": 1, "output": 2, "batch": 1.5}, "[prices.m] batch = 1.5: a factor from 0 to 1"),
        ({"input": 1e-7, "output": 2}, "[prices.m] input = 1E-7: six decimals at most"),
        ({"input": 1, "output": 2, "up_to": 9}, "[prices.m]: 'up_to' (prompt tokens) and a table"),
        (
            {"input": 1, "output": 2, "up_to": 0, "long": {"input": 1, "output": 2}},
            "[prices.m] up_to = 0: a number",
        ),
        ({"input": 1, "output": 2, "up_to": 9, "long": {"inptu": 1}}, "[prices.m] long has no"),
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
        (100, "$0.0001"),
        (99, "<$0.0001"),
        (-1, "-<$0.0001"),
        (-4_200, "-$0.0042"),
        (999_999, "$1.00"),
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


def usage_of(**other: Any) -> dict[str, Any]:
    return {"input_tokens": 1, "output_tokens": 2, **other}


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ({"cache_creation_input_tokens": None, "cache_read_input_tokens": 4}, Usage(1, 2, 0, 4)),
        ({"cache_creation_input_tokens": 7}, Usage(1, 2, 7)),
        ({"cache_creation_input_tokens": 7, "cache_creation": None}, Usage(1, 2, 7)),
        (
            {
                "cache_creation_input_tokens": 7,
                "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
            },
            Usage(1, 2, 3, 0, 4),
        ),
        ({"cache_creation": {"ephemeral_1h_input_tokens": 4}}, Usage(1, 2, 0, 0, 4)),
    ],
)
def test_cached_tokens_are_counted_by_how_long_they_are_kept(
    given: dict[str, Any], counted: Usage
) -> None:
    got = read_reply("k", body(usage=usage_of(**given)), price(SONNET))
    assert got.usage == counted
    assert got.cost == price(SONNET).cost(counted)


@pytest.mark.parametrize("tier", ["batch", "standard", None])
def test_a_reply_that_came_by_batch_is_priced_so(tier: str | None) -> None:
    raw = body(usage={"input_tokens": 10, "output_tokens": 5, "service_tier": tier})
    asked = read_reply("k", raw, price(SONNET))
    assert (asked.batch, asked.cost) == ((True, 35) if tier == "batch" else (False, 70))
    assert read_reply("k", raw, price(SONNET), batch=True).cost == 35


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"input_tokens": 1},
        {"input_tokens": 1, "output_tokens": None},
        {"input_tokens": 1, "output_tokens": "5"},
        {"input_tokens": 1, "output_tokens": -5},
        {"input_tokens": True, "output_tokens": 5},
        {"input_tokens": 1.0, "output_tokens": 5},
        {"input_tokens": 10**30, "output_tokens": 5},
        usage_of(cache_creation=[1]),
        usage_of(cache_creation_input_tokens=9, cache_creation={"ephemeral_1d_input_tokens": 9}),
        [1, 2],
    ],
)
def test_a_usage_that_cannot_be_read_costs_nobody_knows_what(usage: Any) -> None:
    got = read_reply("k", body(usage=usage), price(SONNET))
    assert (got.text, got.usage, got.cost) == ("Hello, Otis.", Usage(), None)


@pytest.mark.parametrize(
    "raw", ["", "<html>", "[]", "null", "{}", "1", "[" * 100_000, '{"usage": 3}']
)
def test_a_body_that_is_no_message_stops_as_unreadable(raw: str) -> None:
    got = read_reply("k", raw, price(SONNET))
    assert (got.text, got.stop, got.cost) == ("", "unreadable", None)


@pytest.mark.parametrize("content", [None, "x", [{"type": "text"}], [3]])
def test_a_message_without_readable_text_still_costs_what_its_usage_says(content: Any) -> None:
    got = read_reply("k", body(content=content), price(SONNET))
    assert (got.text, got.stop, got.cost) == ("", "unreadable", 70)


@pytest.mark.parametrize(
    ("details", "stop"),
    [
        ({"type": "refusal", "category": "frontier_llm"}, "refusal_frontier_llm"),
        ({"category": None}, "refusal"),
        ({"category": "<b>"}, "refusal"),
        ({"category": "x" * 41}, "refusal"),
        (None, "refusal"),
        ("cyber", "refusal"),
    ],
)
def test_a_refusal_tells_its_category_and_no_gate_lets_it_pass(details: Any, stop: str) -> None:
    raw = body(stop_reason="refusal", content=[], stop_details=details)
    got = read_reply("k", raw, price(SONNET))
    assert (got.text, got.stop, got.cost) == ("", stop, 70)
    order = samples.order()
    found = samples.written(samples.CLEAN, order)
    assert review.gates(order, found, got.stop) == (f"stop_{stop}",)


@pytest.mark.parametrize("stop", ["max_tokens", "pause_turn", "never_heard_of", None, "<i>", 7])
def test_only_a_reply_that_ended_by_itself_is_let_pass(stop: Any) -> None:
    got = read_reply("k", body(stop_reason=stop), None)
    assert got.stop == (
        stop if stop in {"max_tokens", "pause_turn", "never_heard_of"} else "unknown"
    )
    assert got.stop not in SELF_ENDED


def test_a_reply_that_only_thought_has_no_text() -> None:
    got = read_reply("k", body(content=[{"type": "thinking", "thinking": "hm"}]), None)
    assert (got.text, got.stop) == ("", "end_turn")
    assert not is_whole(got.stop, got.text)
    order = samples.order()
    assert review.gates(order, samples.written(got.text, order), got.stop)
