"""The books: who asked, what was whole, what it cost, and how far each brief came."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

import samples
from corpus.build.books import Account, Books, per_million, yields
from corpus.model.prices import price_of
from corpus.records import Review, Usage

COUNTS = st.integers(0, 10**6)
ACCOUNTS = st.builds(Account, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
SONNET = price_of("claude-sonnet-5-5", {})


def test_replies_are_booked_by_stream_stage_and_brief() -> None:
    books = Books(SONNET)
    one, other = samples.brief(), samples.brief(id="b2", stream="stories")
    usage = Usage(100, 10, cache_read=1000)
    books.enter(one, "draft", samples.reply("text", usage=usage, cost=400))
    books.enter(one, "judge", samples.reply("", usage=usage, cost=None))
    books.enter(other, "draft", samples.reply("cut", stop="max_tokens", usage=usage, cost=400))
    assert books.stage("draft") == Account(2, 1, 2200, 20, 800, 4600)
    assert books.of("documents") == Account(2, 1, 2200, 20, 400, 2300, 1)
    assert dict(books.briefs) == {"b1": 2300, "b2": 2300}
    assert list(books.stages("stories")) == ["draft"]


def test_refusals_are_counted_by_category() -> None:
    books = Books(SONNET)
    for stop in ("refusal", "refusal_cyber", "refusal_cyber", "end_turn"):
        books.enter(samples.brief(), "draft", samples.reply("", stop=stop))
    assert books.refusals == {"no category": 1, "cyber": 2}


def test_money_of_a_model_without_a_price_is_not_known() -> None:
    books = Books(None)
    books.enter(samples.brief(), "draft", samples.reply("x", cost=None))
    [row] = books.stages("documents").values()
    assert (row["cost"], row["plain"], row["unpriced"]) == (None, None, 1)


@given(ACCOUNTS, ACCOUNTS)
def test_accounts_add_up_field_by_field(one: Account, other: Account) -> None:
    both = one + other
    for spec in dataclasses.fields(Account):
        parts = getattr(one, spec.name) + getattr(other, spec.name)
        assert getattr(both, spec.name) == parts


def test_a_brief_comes_as_far_as_its_review_says() -> None:
    reviews = [
        Review("a", "accept", (), {"prose": 4.0}),
        Review("b", "accept"),
        Review("c", "reject", ("low_prose",), {"prose": 1.0}),
        Review("d", "reject", ("judge_unreadable",)),
        Review("e", "reject", ("too_short",)),
        Review("f", "reject", ("stop_refusal_cyber",)),
        Review("g", "reject", ("drift_tone",)),
        Review("h", "reject", ("unsuitable",)),
        Review("i", "reject", ("check_unreadable",)),
    ]
    steps = {"planned": 9, "whole": 5, "passed": 4, "accepted": 2, "kept": 1}
    assert yields(reviews, 1) == steps


def test_nothing_kept_has_no_price_per_million() -> None:
    assert per_million(5, 0) is None
    assert per_million(3, 1_500_000) == 2
