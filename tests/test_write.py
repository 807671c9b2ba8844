"""Writing: orders become requests with nothing left open, replies become documents."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from corpus import constitution, kinds, principles, seeds, write
from corpus.order import Order
from corpus.plan import Material, Planner
from corpus.records import Request

ROOT = Path(__file__).parents[1]
LIBRARY = kinds.load()
KINDS = [kind.name for kind in LIBRARY.kinds]
LINE = st.text("ab <>\u00e9", min_size=1, max_size=10).map(str.strip).filter(bool)


@cache
def orders() -> dict[str, Order]:
    """An order for every shipped kind, dealt from the shipped constitution and seeds."""
    sections = constitution.load(ROOT / "constitution").sections
    found = {section.id: principles.by_sentence(section) for section in sections}
    germs = seeds.load(ROOT / "story_seeds")
    dealt = Planner(Material(sections, found, germs, LIBRARY)).round(
        1, {"documents": 40_000, "stories": 40_000, "advice": 10_000, "agentic": 10_000}
    )
    by_section = {section.id: section for section in sections}
    return {
        brief.kind: Order(
            brief=brief,
            section=by_section[brief.section],
            principle=next(p for p in found[brief.section] if p.id == brief.principle),
            kind=LIBRARY.get(brief.kind),
            seed=next((germ for germ in germs if germ.id == brief.seed), None),
            ai_name="Otis",
            model="m",
        )
        for brief in dealt
    }


def asked(request: Request) -> str:
    return request.messages[0]["content"]


def everything(order: Order) -> list[Request]:
    message = samples.MESSAGE if order.chat else ""
    said = [write.ask_message(order)] if order.chat else []
    return [*said, write.ask_draft(order, message), write.ask_rewrite(order, "A text.", message)]


@pytest.mark.parametrize("name", KINDS)
def test_no_prompt_of_a_shipped_kind_has_an_open_slot(name: str) -> None:
    for request in everything(orders()[name]):
        assert "$" not in request.system + asked(request)
        assert request.brief == orders()[name].brief.id
        assert request.model == "m"


@pytest.mark.parametrize("name", KINDS)
def test_draft_and_rewrite_show_the_section_the_claim_and_the_assignment(name: str) -> None:
    order = orders()[name]
    message = samples.MESSAGE if order.chat else ""
    draft = write.ask_draft(order, message)
    rewrite = write.ask_rewrite(order, "A text of mine.", message)
    for request in (draft, rewrite):
        assert order.section.text in asked(request)
        assert order.principle.statement in asked(request)
        assert order.assignment(answer=order.chat) in asked(request)
        assert str(order.brief.words) in asked(request)
        assert message in asked(request)
    assert order.principle.quote in asked(rewrite)
    assert order.chat or order.principle.quote in asked(draft)
    assert "A text of mine." in asked(rewrite)


def test_the_system_part_does_not_change_from_brief_to_brief() -> None:
    prose = [order for order in orders().values() if not order.chat]
    assert len({write.ask_draft(order).system for order in prose}) == 1
    assert len({write.ask_rewrite(order, "x").system for order in orders().values()}) == 1


def test_the_message_of_a_chat_is_asked_for_without_section_or_answer() -> None:
    order = samples.order(samples.chat_kind())
    request = write.ask_message(order)
    assert request.stage == "message"
    assert samples.TEXT not in request.system + asked(request)
    assert "A message in a dry voice." in asked(request)
    assert "Answer it:" not in asked(request)


def test_what_stands_above_a_section_is_shown_where_there_is_some() -> None:
    above = samples.section(context="Otis works in a depot.")
    with_it = write.ask_draft(samples.order(section=above))
    without = write.ask_draft(samples.order())
    assert "What stands above it:\n\nOtis works in a depot." in asked(with_it)
    assert "What stands above it" not in asked(without)


def test_dollar_signs_of_a_text_are_text_and_never_slots() -> None:
    order = samples.order(section=samples.section(text="It costs $5 or $words."))
    request = write.ask_rewrite(order, "I paid $statement.")
    assert "It costs $5 or $words." in asked(request)
    assert "I paid $statement." in asked(request)


def test_an_ai_that_is_dealt_its_own_name_goes_by_it() -> None:
    named = samples.kind(facets={"ai": {"own": 1.0}}, prompt="About $ai.")
    own = samples.order(named, brief=samples.brief(facets={"ai": "own"}))
    other = samples.order(named, brief=samples.brief(facets={"ai": "Gantry"}))
    assert [own.assignment(), other.assignment()] == ["About Otis.", "About Gantry."]


def test_a_story_is_told_from_its_seed() -> None:
    order = samples.order(samples.story_kind())
    assert samples.seed().premise in asked(write.ask_draft(order))
    assert "It ends: The gate is closed." in order.assignment()


@given(st.integers(1, 5000))
def test_there_is_room_for_more_than_was_ordered(words: int) -> None:
    order = samples.with_words(samples.order(), words)
    draft, rewrite = everything(order)
    assert draft.max_tokens >= 2 * words + 1_000
    assert rewrite.max_tokens > draft.max_tokens


@pytest.mark.parametrize("ask", [write.ask_draft, write.ask_message])
def test_another_sample_is_another_request(ask: Callable[..., Request]) -> None:
    order = samples.order(samples.chat_kind())
    one, two = ask(order, sample=0), ask(order, sample=1)
    assert one.body() == two.body()
    assert one.key != two.key


@pytest.mark.parametrize("name", KINDS)
def test_a_compact_prompt_is_short_and_complete(name: str) -> None:
    order = dataclasses.replace(orders()[name], compact=True)
    requests = [write.ask_message(order)] if order.chat else [write.ask_draft(order)]
    for request in requests:
        assert len(asked(request).split()) < 200
        assert "$" not in asked(request)
        assert (request.system, request.max_tokens) == ("", write.COMPACT_TOKENS)


def test_a_compact_chat_answers_the_message_itself() -> None:
    order = samples.order(samples.chat_kind(), compact=True)
    assert asked(write.ask_draft(order, samples.MESSAGE)) == samples.MESSAGE


def test_a_compact_prompt_stays_short_under_a_long_claim() -> None:
    long = samples.principle(statement="word " * 60, why="reason " * 400)
    request = write.ask_draft(samples.order(principle=long, compact=True))
    assert "reason" not in asked(request)
    assert len(asked(request).split()) < 200


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<document>A notice.</document>", "A notice."),
        ("Here it is.\n<document>\nA notice.\n</document>\nEnjoy!", "A notice."),
        ("<defects>dull</defects><document>Better.</document>", "Better."),
        ("<document>One.</document> or <document>Two.</document>", "Two."),
        ("<document></document>", ""),
        ("<document>a  \r\n\r\n\r\n\r\nb\n</document>", "a\n\nb"),
    ],
)
def test_the_text_is_what_stands_between_the_last_tags(text: str, found: str) -> None:
    got = write.read(samples.order(), samples.reply(text), "document")
    assert (got.text, got.stop) == (found, "end_turn")
    assert (got.request, got.model) == ("k1", "m1")


@pytest.mark.parametrize(
    "text", ["A notice.", "<document>A notice.", "</document>x<document>", "<answer>A</answer>", ""]
)
def test_a_reply_without_its_tags_stops_as_that(text: str) -> None:
    assert write.read(samples.order(), samples.reply(text), "document").stop == "no_tags"


@pytest.mark.parametrize("stop", ["max_tokens", "refusal", "unreadable"])
def test_a_stop_that_was_not_the_texts_own_end_stays(stop: str) -> None:
    for text in ("<document>A notice.</document>", "<document>A no"):
        got = write.read(samples.order(), samples.reply(text, stop=stop), "document")
        assert got.stop == stop


def test_the_whole_reply_of_a_compact_writer_is_the_text() -> None:
    got = write.read(samples.order(compact=True), samples.reply(" A notice.\n"), "document")
    assert (got.text, got.stop) == ("A notice.", "end_turn")


@given(st.lists(LINE, min_size=1, max_size=5), LINE, LINE)
def test_nothing_outside_the_tags_gets_into_the_text(
    lines: list[str], before: str, after: str
) -> None:
    body = "\n".join(lines)
    got = write.read(
        samples.order(), samples.reply(f"{before}<answer>{body}</answer>{after}"), "answer"
    )
    assert got.text == body


def test_a_document_says_where_it_came_from() -> None:
    made = samples.written("A notice.")
    assert (made.brief, made.kind, made.section, made.stream) == (
        "b1",
        "notice",
        "truth~1",
        "documents",
    )
    assert (made.text, made.messages, made.parents) == ("A notice.", None, ("k0",))
    assert made.generator == {"model": "m1", "writer": "claude", "request": "k1"}
    assert made.synthetic
    assert made.quality is None


def test_a_chat_is_the_users_message_and_then_the_answer() -> None:
    made = samples.written("Do not.", samples.order(samples.chat_kind()))
    assert made.text is None
    assert made.messages == (
        {"role": "user", "content": samples.MESSAGE},
        {"role": "assistant", "content": "Do not."},
    )


def test_the_id_of_a_document_is_of_its_brief_and_its_words() -> None:
    one = samples.written("A notice.")
    assert samples.written("A notice.").id == one.id
    assert samples.written("A notice!").id != one.id
    other = samples.order(brief=samples.brief(id="b2"))
    assert samples.written("A notice.", other).id != one.id
    chat = samples.order(samples.chat_kind())
    asked_otherwise = samples.written("No.", chat, message="May I?")
    assert samples.written("No.", chat).id != asked_otherwise.id
