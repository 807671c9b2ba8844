"""The price of a plan: what it adds up to, which way it takes, what a pilot changes about it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.build import forecast as room
from corpus.build.forecast import ENDS, WAYS, forecast, over_budget, totals
from corpus.build.measures import FILE, rate, rates, read_pilot
from corpus.errors import InputError
from corpus.model.prices import price_of
from corpus.model.wire import SHARED
from corpus.records import Request
from corpus.settings import Settings

Row = dict[str, Any]


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def plan(folder: Path, **other: Any) -> Row:
    places = {name: str(folder / name) for name in ("constitution", "output")}
    seeds = str(folder / "story_seeds")
    return forecast(
        Settings(**places | {"seeds": seeds, "writer": "claude", "tokens": 9000} | other)
    )


def rows(found: Row) -> list[Row]:
    return [*found["streams"].values(), found["principles"]]


def test_the_ways_of_asking_are_priced_in_their_order(folder: Path) -> None:
    found = plan(folder)
    for way in WAYS:
        assert [found["totals"][way][end] for end in ENDS] == sorted(found["totals"][way].values())
        assert found["totals"][way]["likely"] == sum(row[way]["likely"] for row in rows(found))
    assert found["totals"]["price_batch"]["likely"] < found["totals"]["price"]["likely"]


@pytest.mark.parametrize(
    ("given", "ways"),
    [
        ({}, {"direct"}),
        ({"batch": True}, {"batch"}),
        ({"tokens": 300_000, "batch": False}, {"direct"}),
        ({"writer": "local", "batch": True}, {"direct"}),
        ({"writer": "rehearse", "batch": True}, {"batch"}),
    ],
)
def test_the_plan_says_which_way_a_build_would_take(
    folder: Path, given: Row, ways: set[str]
) -> None:
    assert set(plan(folder, **given)["ways"].values()) == ways


def test_many_requests_go_by_batch_and_few_directly(folder: Path) -> None:
    found = plan(folder, tokens=250_000)
    assert (found["ways"]["draft"], found["ways"]["principles"]) == ("batch", "direct")
    price = found["totals"]
    assert price["price_batch_cache"]["likely"] < price["price_build"]["likely"]
    assert price["price_build"]["likely"] < price["price"]["likely"]


def test_a_short_prefix_saves_nothing_and_the_plan_says_so(folder: Path) -> None:
    found = plan(folder)
    assert found["cached_prefix"]["longest"] < found["cached_prefix"]["shortest_cached"]
    assert found["totals"]["price_batch_cache"] == found["totals"]["price_batch"]
    assert any("the cache saves nothing" in note for note in found["notes"])


def bill(system: str, asked: int) -> Any:
    usage = room._Usage(price_of("claude-sonnet-5-5", {}))  # noqa: SLF001 - prompts are fixed
    for number in range(asked):
        turns = ({"role": "user", "content": f"number {number:04}"},)
        usage.add("documents", "draft", Request("draft", "m", system, turns, 100), 50)
    usage.settle()
    return usage.bills["documents", "draft"]


def test_a_long_prefix_is_paid_once_and_then_read() -> None:
    long, short = bill("x" * 40_000, 50), bill("x" * 4_000, 50)
    assert long.hit < long.batch / 3 < long.batch < long.miss
    assert short.hit == short.miss == short.batch
    few = bill("x" * 40_000, SHARED - 1)
    assert few.hit == few.miss == few.batch  # too few to read what one of them would write


def test_a_model_without_a_price_has_none_in_any_place(folder: Path) -> None:
    found = plan(folder, model="no-such-model")
    assert (found["price_known"], found["totals"]) == (False, None)
    assert all(row[way] is None for row in rows(found) for way in WAYS)
    with pytest.raises(InputError, match="is not known, so a budget cannot be kept"):
        plan(folder, model="no-such-model", budget=1.0)


def test_a_budget_below_the_least_price_is_said_to_end_the_build_on_its_way(folder: Path) -> None:
    found = plan(folder)
    least = found["totals"]["price_build"]["low"] / 1e6
    assert over_budget(found, least * 1.01) is None
    assert over_budget(found, None) is None
    warning = over_budget(found, least * 0.99)
    assert warning is not None
    assert f"at least ${least:,.4f}" in warning


def test_a_model_that_always_thinks_is_said_to_cost_more(folder: Path) -> None:
    assert any("thinking" in note for note in plan(folder, model="claude-opus-5-5")["notes"])
    assert not any("thinking" in note for note in plan(folder)["notes"])


# What a pilot measures

pairs = st.lists(st.tuples(st.integers(1, 10**5), st.integers(0, 2000)), min_size=2, max_size=40)


@given(pairs)
def test_a_rate_is_all_cost_over_all_that_was_kept(found: list[tuple[int, int]]) -> None:
    costs, tokens = [list(column) for column in zip(*found, strict=True)]
    made = rate(costs, tokens)
    if not sum(tokens):
        assert made is None
    else:
        assert made is not None
        assert math.isclose(made["value"] * sum(tokens), sum(costs))
        assert made["error"] >= 0


def test_a_rate_has_the_error_that_a_hand_finds() -> None:
    made = rate([10, 20, 30], [1, 1, 2])
    assert made == {"value": 15.0, "error": pytest.approx(math.sqrt(450 / 12)), "n": 3,
                    "pooled": False}  # fmt: skip
    assert rate([5], [1]) is None


def test_more_briefs_of_the_same_kind_give_a_smaller_error() -> None:
    errors = [made["error"] for n in (2, 8, 32, 128) if (made := rate([10, 20] * n, [1, 2] * n))]
    assert errors == sorted(errors, reverse=True)
    assert 0 < errors[-1] < errors[0] / 16


def test_a_stream_that_kept_too_little_takes_the_rate_of_all() -> None:
    found = rates({"documents": [(10, 1), (10, 1)], "stories": [(30, 0), (30, 3)]})
    assert found["documents"] is not None
    assert (found["documents"]["value"], found["documents"]["pooled"]) == (10, False)
    assert found["stories"] is not None
    assert (found["stories"]["value"], found["stories"]["pooled"]) == (16, True)
    assert rates({"documents": [(10, 0), (10, 0)]}) == {"documents": None}


def stream(price: tuple[int, int, int], *, calibrated: bool) -> Row:
    ends = dict(zip(ENDS, price, strict=True))
    return {**dict.fromkeys(WAYS, ends), "calibrated": calibrated}


def test_measured_errors_add_up_as_errors_do_and_guesses_plainly() -> None:
    measured = [stream((97, 100, 103), calibrated=True), stream((96, 100, 104), calibrated=True)]
    guessed = stream((8, 10, 15), calibrated=False)
    assert totals(measured) == {key: {"low": 195, "likely": 200, "high": 205} for key in WAYS}
    assert totals([*measured, guessed]) == {
        key: {"low": 203, "likely": 210, "high": 220} for key in WAYS
    }


def test_a_pilot_of_other_inputs_is_not_used(tmp_path: Path) -> None:
    assert read_pilot(tmp_path, "a") is None
    rate_ = {"value": 1.0, "error": 0.1, "n": 4, "pooled": False}
    row = {"inputs": "a", "briefs": 4, "rates": {"documents": rate_, "stories": None}}
    row["principles"] = {"plain": 7}
    (tmp_path / FILE).write_text(json.dumps(row))
    found = read_pilot(tmp_path, "a")
    assert found is not None
    assert (set(found.streams), found.principles) == ({"documents"}, 7)
    assert read_pilot(tmp_path, "b") is None


@pytest.mark.parametrize("text", ["{", "[1]", "{}", '{"inputs": "a", "rates": 3}'])
def test_a_pilot_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InputError, match=r"pilot\.json: not what a pilot writes"):
        read_pilot(tmp_path, "a")
