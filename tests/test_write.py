"""Writing: orders become requests with nothing left open, replies become documents."""

from __future__ import annotations

import dataclasses
import json
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from corpus import constitution, kinds, principles, prompts, seeds, write
from corpus.kinds import Kind
from corpus.order import Order
from corpus.plan import Material, Planner
from corpus.records import Request, digest
from corpus.write.chat import MESSAGE_WORDS
from corpus.write.compact import COMPACT_TOKENS, unheard

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
    material = Material(sections, found, germs, LIBRARY, injections=tuple(prompts.injections()))
    dealt = Planner(material).round(
        1, {"documents": 90_000, "stories": 90_000, "advice": 30_000, "agentic": 30_000}
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
            others=found[brief.section],
            injection=prompts.injections()[brief.injection or "none"],
            tools=LIBRARY.tool_text(brief.tools),
        )
        for brief in dealt
    }


def asked(request: Request) -> str:
    return request.messages[0]["content"]


def step(order: Order, name: str) -> write.Step:
    found = [s for s in write.steps(compact=order.compact) if s.name == name and s.serves(order)]
    return found[0]


def ask(order: Order, name: str, text: str | None = None) -> Request:
    """What a step asks when the steps before it went well."""
    return step(order, name).ask(order, samples.progress(order, text))


def got(reply: str, order: Order | None = None, name: str = "draft", **other: str) -> write.Text:
    wanted = order or samples.order()
    return step(wanted, name).read(wanted, samples.reply(reply, **other))


@pytest.mark.parametrize("name", KINDS)
def test_no_request_of_a_shipped_kind_has_an_open_slot(name: str) -> None:
    order = orders()[name]
    stages = [stage for stage, _ in write.requests(order)]
    chat = ["message", "polish"] if order.chat else []
    assert stages == ["spec", "check", *chat, "draft", "rewrite"]
    for _, request in write.requests(order):
        whole = request.system + asked(request)
        assert not re.search(r"\$[a-z_]|\n\n\n|^[?!]\w", whole, re.MULTILINE)
        assert (request.brief, request.model) == (order.brief.id, "m")


@pytest.mark.parametrize("name", KINDS)
def test_draft_and_rewrite_show_section_claim_assignment_and_what_came_before(name: str) -> None:
    order = orders()[name]
    for stage, text in (("draft", None), ("rewrite", "A text of mine.")):
        request = ask(order, stage, text)
        assert order.section.text in request.system
        assert order.principle.statement in asked(request)
        assert order.assignment(answer=order.chat) in asked(request)
        assert str(order.brief.words) in asked(request)
        assert not order.chat or samples.MESSAGE in asked(request)
        assert (text or "") in asked(request)
    assert order.principle.quote in asked(ask(order, "rewrite", "x"))
    assert order.chat or samples.PLAN in asked(ask(order, "draft"))


def test_the_system_part_changes_with_the_section_alone() -> None:
    of_section: dict[tuple[str, str, bool, bool], set[str]] = {}
    for order in orders().values():
        for stage in ("spec", "draft", "rewrite"):
            shape = (stage, order.section.id, order.chat, order.brief.stream == "stories")
            of_section.setdefault(shape, set()).add(ask(order, stage, "x").system)
    assert all(len(found) <= 2 for found in of_section.values())  # with tools and without


def test_the_message_of_a_chat_is_asked_for_without_section_or_answer() -> None:
    order = samples.order(samples.chat_kind())
    for stage in ("message", "polish"):
        request = ask(order, stage)
        assert request.stage == stage
        assert samples.TEXT not in request.system + asked(request)
        assert "A message in a dry voice." in asked(request)
        assert "Answer it:" not in asked(request)


def test_what_stands_above_a_section_is_shown_where_there_is_some() -> None:
    above = samples.section(context="Otis works in a depot.")
    assert (
        "What stands above it:\n\nOtis works" in ask(samples.order(section=above), "draft").system
    )
    assert "What stands above it" not in ask(samples.order(), "draft").system


def test_dollar_signs_of_a_text_are_text_and_never_slots() -> None:
    order = samples.order(section=samples.section(text="It costs $5 or $words."))
    request = ask(order, "rewrite", "I paid $statement.")
    assert "It costs $5 or $words." in request.system
    assert "I paid $statement." in asked(request)


def test_an_ai_that_is_dealt_its_own_name_goes_by_it() -> None:
    named = samples.kind(facets={"ai": {"own": 1.0}}, prompt="About $ai.")
    own = samples.order(named, brief=samples.brief(facets={"ai": "own"}))
    other = samples.order(named, brief=samples.brief(facets={"ai": "Gantry"}))
    assert [own.assignment(), other.assignment()] == ["About Otis.", "About Gantry."]


def test_a_story_is_told_from_its_seed_and_says_that_it_is_fiction() -> None:
    order = samples.order(samples.story_kind())
    request = ask(order, "draft")
    assert f"<seed>{samples.seed().premise}</seed>" in asked(request)
    assert "You write fiction" in request.system
    assert samples.written("Rain.", order).facets["fiction"] == "yes"
    assert "fiction" not in samples.written("Rain.").facets


@pytest.mark.parametrize("name", [kind.name for kind in LIBRARY.of("stories")])
def test_what_a_seed_says_is_marked_as_material_and_the_mark_is_explained(name: str) -> None:
    order = orders()[name]
    assert order.seed is not None
    for stage in ("spec", "draft", "rewrite"):
        shown = asked(ask(order, stage, "x"))
        assert "What stands in <seed> is material" in shown
        bare = re.sub("<seed>.*?</seed>", "", shown)
        given = (order.seed.premise, order.seed.setting, order.seed.ending, order.seed.skill)
        assert [text for text in given if text in bare] == []
    assert "<seed>" not in asked(ask(samples.order(), "draft"))


@given(st.integers(1, 5000))
def test_there_is_room_for_more_than_was_ordered(words: int) -> None:
    order = samples.with_words(samples.order(), words)
    draft, rewrite = ask(order, "draft"), ask(order, "rewrite", "x")
    assert draft.max_tokens >= 2 * words + 1_000
    assert rewrite.max_tokens > draft.max_tokens


def test_a_plan_shows_each_card_and_each_name_and_answers_for_them() -> None:
    order = samples.order()
    request = ask(order, "spec")
    assert "The cards:\n1. tone: dry\n" in asked(request)
    assert "length: about" not in asked(request)  # the page's own matter, which the draft is told
    assert "The names that were dealt: Ilka" in asked(request)
    assert got(f"<spec>\n{samples.PLAN}\n</spec>", order, "spec").stop == "end_turn"


@pytest.mark.parametrize(
    ("plan", "stop"),
    [
        (samples.PLAN.replace("Ilka", "Maya"), "drift_names"),
        (samples.PLAN.replace("1: dry, as a notice is", "dry"), "drift_tone"),
        ("plan: A board.\n1: dry as a notice is", "drift_plan"),
    ],
)  # fmt: skip
def test_a_plan_that_drifts_from_its_cards_is_named_by_the_card(plan: str, stop: str) -> None:
    assert got(f"<spec>{plan}</spec>", name="spec").stop == stop


def test_a_plan_that_leaves_out_one_of_its_names_has_drifted() -> None:
    facets = {"tone": "dry", "person": "Ilka", "town": "Baja"}
    order = samples.order(brief=samples.brief(facets=facets))
    both = samples.PLAN.replace("a depot", "a depot in Baja")
    assert got(f"<spec>{both}</spec>", order, "spec").stop == "end_turn"
    for one in ("Ilka", "Baja"):
        left = both.replace(one, "somebody")
        assert got(f"<spec>{left}</spec>", order, "spec").stop == "drift_names"


def test_cards_that_cannot_be_reconciled_are_said_to_be_so() -> None:
    found = got("<unsuitable>A dry song is none.</unsuitable>", name="spec")
    assert (found.stop, found.text) == ("unsuitable", "A dry song is none.")


@pytest.mark.parametrize(
    ("reply", "stop"),
    [
        ("<check>\n1: yes\n</check>", "end_turn"),
        ("<check>\n1: No\n</check>", "drift_tone"),
        ("<check>\n</check>", "check_unreadable"),
        ("<check>\n1: mostly\n</check>", "check_unreadable"),
        ("<check>\n1: yes\n2: yes\n</check>", "check_unreadable"),
        ("1: yes", "no_tags"),
    ],
)
def test_a_plan_is_checked_card_by_card_and_never_by_default(reply: str, stop: str) -> None:
    assert got(reply, name="check").stop == stop


def test_what_stops_on_the_way_goes_no_further() -> None:
    done = write.Progress().add("spec", write.Text("a plan", "end_turn", "k1", "m"))
    assert done.alive
    assert not done.add("check", write.Text("2: no", "drift_tone", "k2", "m")).alive
    assert not done.add("check", write.Text("", "end_turn", "k2", "m")).alive
    late = done.add("check", write.Text("2: no", "drift_tone", "k2", "m"))
    assert late.stop == "drift_tone"
    never = write.document(samples.order(), late, writer="claude", quality=None)
    assert (never.text, never.parents) == ("", ("k1", "k2"))  # a plan is no text


def test_a_chat_that_stopped_at_its_message_has_no_answer() -> None:
    order = samples.order(samples.chat_kind())
    cut = write.Progress().add("message", write.Text("and then h", "max_tokens", "k1", "m"))
    made = write.document(order, cut, writer="claude", quality=None)
    assert [turn["content"] for turn in made.messages or ()] == ["and then h", ""]


def test_a_system_prompt_stands_above_the_message_where_one_was_dealt() -> None:
    kind = samples.chat_kind()
    dealt = samples.brief(stream="advice", facets={"tone": "dry", "system_form": "one terse line"})
    order = samples.order(kind, brief=dealt)
    found = got("<system>Be brief.</system>\n<message>hi, it is late</message>", order, "message")
    assert (found.aside, found.text) == ("Be brief.", "hi, it is late")
    assert got("<message>hi</message>", order, "message").stop == "no_tags"
    roles = [turn["role"] for turn in samples.written("No.", order).messages or ()]
    assert roles == ["system", "user", "assistant"]


def test_injected_values_move_the_answer_and_leave_only_their_digest() -> None:
    order = samples.order(samples.chat_kind(), injection="You hold to this above all: candour.")
    assert "above all: candour" in asked(ask(order, "draft"))
    assert "candour" not in str(ask(order, "rewrite", "x").body())
    made = samples.written("No.", order)
    assert "candour" not in json.dumps(made.row())
    assert made.generator["injection"] == digest(order.injection)


@pytest.mark.parametrize(
    ("notes", "quotes"),
    [
        ("Her aunt.\nholds: 3, 4 and 9", ["q1", "q3", "q4"]),
        ("holds: 5, 4, 3 and 2", ["q1", "q5", "q4"]),  # its own first, and three at most
        ("She holds 5 shares.\nHolds the lease.\n- holds: 1, 2", ["q1", "q2"]),
        ("Her aunt.", ["q1"]),
    ],
)
def test_an_answer_is_held_against_its_claim_and_the_few_that_its_notes_name(
    notes: str, quotes: list[str]
) -> None:
    claims = [samples.principle(id=f"p{n}", quote=f"q{n}") for n in range(1, 6)]
    order = samples.order(samples.chat_kind(), principle=claims[0], others=tuple(claims))
    found = got(f"<scope>{notes}</scope><answer>Ask her.</answer>", order)
    assert (found.text, found.aside) == ("Ask her.", notes)
    request = step(order, "rewrite").ask(order, samples.progress(order).add("draft", found))
    held = asked(request).split("What the answer was to hold to")[1]
    assert re.findall(r'The words: "(q\d)"', held) == quotes


def test_a_message_and_the_system_prompt_above_it_have_room_for_both() -> None:
    facets = {"tone": "dry", "system_form": "one terse line"}
    above = samples.order(samples.chat_kind(), brief=samples.brief(facets=facets))
    alone = samples.order(samples.chat_kind())
    for name, words in (("message", MESSAGE_WORDS), ("polish", 2 * MESSAGE_WORDS)):
        room = ask(above, name).max_tokens - ask(alone, name).max_tokens
        assert room >= 2 * words
        assert ask(alone, name).max_tokens >= 2 * words + 1_000


def test_a_claim_that_is_its_own_reason_is_said_once() -> None:
    same = samples.principle(statement="Otis tells, because people build on it.")
    same = dataclasses.replace(same, why=same.statement)
    for _, request in write.requests(samples.order(samples.kind(prompt="x"), principle=same)):
        assert "Its reason:" not in asked(request)
    assert "Its reason:" in asked(ask(samples.order(), "draft"))


def test_without_reasons_no_frame_shows_or_asks_for_one() -> None:
    kind = samples.kind(prompt="A notice by $person, $tone, of $words words.")
    plain = samples.order(kind, without=frozenset({"reasons"}))
    for _, request in write.requests(plain):
        assert "People build on its words." not in asked(request).replace(samples.QUOTE, "")
        assert "Reasons carry it" not in request.system
    assert "Reasons carry it" in ask(samples.order(kind), "draft").system


def test_a_control_has_the_same_cards_and_no_constitution() -> None:
    plain = samples.order(without=frozenset({"constitution"}))
    for _, request in write.requests(plain):
        assert samples.TEXT not in request.system + asked(request)
        assert "constitution" not in asked(request)
    assert "1. tone: dry" in asked(ask(plain, "spec"))
    assert "rewrite" not in [
        n for n, _ in write.requests(samples.order(without=frozenset({"rewrite"})))
    ]


def test_what_the_corpus_has_too_much_of_is_forbidden_by_name() -> None:
    order = samples.order(bans=("anybody called Elena", 'the words "a quiet kind of"'))
    for stage in ("spec", "draft", "rewrite"):
        assert "- anybody called Elena" in asked(ask(order, stage, "x"))
    assert "too much of" not in asked(ask(samples.order(), "draft"))


@pytest.mark.parametrize("kind", [samples.kind(), samples.chat_kind()], ids=["text", "chat"])
def test_whoever_writes_is_told_the_language_and_whoever_plans_is_told_that_it_is_another(
    kind: Kind,
) -> None:
    brief = samples.brief(stream=kind.stream, language="German")
    plain = dict(write.requests(samples.order(kind)))
    german = dict(write.requests(samples.order(kind, brief=brief)))
    told = {name for name, request in german.items() if "Write it in German" in asked(request)}
    assert told == german.keys() - {"spec", "check"}
    assert "The text will be in German" in asked(german["spec"])
    assert all("\nWrite it in" not in asked(request) for request in plain.values())
    assert german["draft"].system == plain["draft"].system  # one cached prefix for both


def test_the_demo_writer_says_which_languages_it_leaves_out() -> None:
    assert unheard({"English": 8, "German": 1, "Japanese": 1}) == [
        "the demo writer writes English and nothing else; left out: German, Japanese"
    ]
    assert unheard({}) == unheard({"English": 1}) == []


def test_another_language_is_a_card_and_an_order() -> None:
    order = samples.order(brief=samples.brief(language="Portuguese"))
    assert order.cards()[-1] == ("language", "Portuguese")
    assert "Write it in Portuguese" in asked(ask(order, "draft"))
    assert samples.written("Um aviso.", order).facets["language"] == "Portuguese"


@pytest.mark.parametrize("name", KINDS)
def test_a_compact_prompt_is_short_and_complete(name: str) -> None:
    order = dataclasses.replace(orders()[name], compact=True)
    for _, request in write.requests(order)[:1]:
        assert len(asked(request).split()) < 200
        assert "$" not in asked(request)
        assert (request.system, request.max_tokens) == ("", COMPACT_TOKENS)


def test_a_compact_chat_answers_the_message_itself() -> None:
    order = samples.order(samples.chat_kind(), compact=True)
    assert asked(ask(order, "draft")) == samples.MESSAGE


def test_a_compact_prompt_stays_short_under_a_long_claim() -> None:
    long = samples.principle(statement="word " * 60, why="reason " * 400)
    request = ask(samples.order(principle=long, compact=True), "draft")
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
    text_got = got(text)
    assert (text_got.text, text_got.stop) == (found, "end_turn")
    assert (text_got.request, text_got.model) == ("k1", "m1")


@pytest.mark.parametrize(
    "text", ["A notice.", "<document>A notice.", "</document>x<document>", "<answer>A</answer>", ""]
)
def test_a_reply_without_its_tags_stops_as_that(text: str) -> None:
    assert got(text).stop == "no_tags"


@pytest.mark.parametrize("stop", ["max_tokens", "refusal", "unreadable"])
def test_a_stop_that_was_not_the_texts_own_end_stays(stop: str) -> None:
    for text in ("<document>A notice.</document>", "<document>A no"):
        assert got(text, stop=stop).stop == stop


def test_the_whole_reply_of_a_compact_writer_is_the_text() -> None:
    found = got(" A notice.\n", samples.order(compact=True))
    assert (found.text, found.stop) == ("A notice.", "end_turn")


@given(st.lists(LINE, min_size=1, max_size=5), LINE, LINE)
def test_nothing_outside_the_tags_gets_into_the_text(
    lines: list[str], before: str, after: str
) -> None:
    body = "\n".join(lines)
    chat = samples.order(samples.chat_kind())
    assert got(f"{before}<answer>{body}</answer>{after}", chat).text == body


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
