"""Review: every gate fires on its own fault, no gate on a clean text, and no verdict is guessed."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from corpus import review
from corpus.records import SELF_ENDED, Review

ORDER = samples.with_words(samples.order(), len(samples.CLEAN.split()))
CHAT = samples.order(samples.chat_kind())
GOOD = dict.fromkeys(review.MARKS, "3") | {"faults": "none", "verdict": "accept"}
DOCUMENT = samples.written(samples.CLEAN, ORDER)


def gates(text: str, stop: str = "end_turn") -> tuple[str, ...]:
    return review.gates(ORDER, samples.written(text, ORDER), stop)


def chat_gates(message: str, answer: str = samples.CLEAN) -> tuple[str, ...]:
    return review.gates(CHAT, samples.written(answer, CHAT, message=message), "end_turn")


def lines(**fields: str) -> str:
    return "\n".join(f"{name}: {value}" for name, value in (GOOD | fields).items())


def judged(body: str, at_least: int = 3, stop: str = "end_turn") -> Review | None:
    reply = samples.reply(f"<review>\n{body}\n</review>", stop=stop)
    return review.read(DOCUMENT, reply, at_least)


# Gates


@pytest.mark.parametrize("stop", sorted(SELF_ENDED))
def test_a_clean_text_passes_every_gate(stop: str) -> None:
    assert gates(samples.CLEAN, stop) == ()
    assert chat_gates(samples.MESSAGE) == ()


@pytest.mark.parametrize(
    "text",
    [
        "She said she was sure, certainly sure, and here is the story she told of it.",
        "The answer was on page [3], and 'sure' was the word. An email went out.",
        "[the door creaks] Nobody came, and the rule of 2 < 3 held. See [Chapter Two](two.md).",
        "I cannot help thinking of it. He was sorry that it rained.",
        "An AI in the depot reads the board. Its language is plain, and its model a clerk.",
        "It ends with a signature.\n- Ilka of the night shift",
        "它知道的写在左边。猜的写在右边。",
    ],
)
def test_what_only_looks_like_a_fault_passes(text: str) -> None:
    assert gates(f"{samples.CLEAN}\n\n{text}") == ()


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("tags", f"</defects>\n{samples.CLEAN}"),
        ("tags", f"{samples.CLEAN} <answer>Yes.</answer>"),
        ("placeholder", f"Dear [Your Name], {samples.CLEAN}"),
        ("placeholder", f"[insert date] {samples.CLEAN}"),
        ("placeholder", f"{samples.CLEAN} Ask [Company Name] too."),
        ("placeholder", f"{samples.CLEAN} Lorem ipsum dolor."),
        ("placeholder", f"{samples.CLEAN} Dear {{{{name}}}}."),
        ("placeholder", f"{samples.CLEAN} Ring <name of friend>."),
        ("placeholder", f"{samples.CLEAN} It cost XXX."),
        ("link", f"{samples.CLEAN} See https://a.b/c."),
        ("link", f"{samples.CLEAN} See www.depot for it."),
        ("link", f"{samples.CLEAN} Write to ilka@depot.example."),
        ("machine_talk", f"As an AI language model, I think so. {samples.CLEAN}"),
        ("machine_talk", f"{samples.CLEAN} That is past my knowledge cutoff."),
        ("machine_talk", f"{samples.CLEAN} As a large language model I agree."),
        ("task_talk", f"Sure! {samples.CLEAN}"),
        ("task_talk", f"Here is the story. {samples.CLEAN}"),
        ("task_talk", f"{samples.CLEAN} (Word count: 51)"),
        ("task_talk", f"{samples.CLEAN} I hope this helps."),
        ("refusal", f"I'm sorry, but I will not. {samples.CLEAN}"),
        ("refusal", f"I can't write this. {samples.CLEAN}"),
        ("refusal", f"Unfortunately, I cannot. {samples.CLEAN}"),
        ("no_ending", f"{samples.CLEAN} And then the"),
        ("too_short", "The gate is open."),
        ("too_long", f"{samples.CLEAN} {samples.CLEAN}"),
    ],
)
def test_each_gate_fires_on_its_own_fault_alone(reason: str, text: str) -> None:
    assert gates(text) == (reason,)


def test_a_text_of_many_faults_has_them_all_in_the_order_of_the_gates() -> None:
    assert gates("Sure! See https://a.b and [Your Name] and then") == (
        "too_short",
        "no_ending",
        "placeholder",
        "link",
        "task_talk",
    )


@pytest.mark.parametrize("stop", ["max_tokens", "no_tags", "refusal", "unreadable", "error_400"])
def test_a_text_that_did_not_end_by_itself_is_rejected_for_that_alone(stop: str) -> None:
    assert gates("Sure! And then", stop) == (f"stop_{stop}",)


@pytest.mark.parametrize("end", [".", "!", "?", ".”", '."', ".)", "…", "。", "|", "```"])
def test_a_text_may_end_in_more_ways_than_one(end: str) -> None:
    assert gates(samples.CLEAN.rstrip(".") + end) == ()


@given(st.integers(1, 400))
def test_lengths_are_held_against_what_was_ordered(words: int) -> None:
    order = samples.with_words(samples.order(), 100)
    found = review.gates(order, samples.written("word " * (words - 1) + "end.", order), "end_turn")
    assert ("too_short" in found) == (words < 50)
    assert ("too_long" in found) == (words > 180)


def test_an_answer_may_be_brief_and_a_compact_text_is_held_to_nothing_ordered() -> None:
    chat = samples.with_words(CHAT, 180)
    made = samples.written(samples.CLEAN, chat)
    assert review.gates(chat, made, "end_turn") == ()
    long = samples.with_words(samples.order(), 180)
    assert review.gates(long, samples.written(samples.CLEAN, long), "end_turn") == ("too_short",)
    compact = dataclasses.replace(long, compact=True)
    assert review.gates(compact, samples.written(samples.CLEAN, compact), "end_turn") == ()


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("help me please", "message_unusable"),
        ("I'm sorry, but I cannot write such a message for you.", "message_unusable"),
        (f"{samples.MESSAGE} see https://a.b", "message_link"),
        (f"{samples.MESSAGE} for [Company Name]", "message_placeholder"),
        (f"Sure, here is one: {samples.MESSAGE}", "message_task_talk"),
        (f"{samples.MESSAGE} <message>", "message_tags"),
        (f"as a large language model, {samples.MESSAGE}", "message_machine_talk"),
    ],
)
def test_the_users_side_of_a_chat_has_gates_of_its_own(message: str, reason: str) -> None:
    assert chat_gates(message) == (reason,)


# The judge


def test_the_judge_sees_section_order_and_text_and_nothing_of_the_writing() -> None:
    request = review.ask(ORDER, DOCUMENT, sample=1)
    shown = request.messages[0]["content"]
    assert (request.stage, request.sample, request.brief) == ("judge", 1, "b1")
    for part in (samples.CLEAN, "a notice on a door", "tone: dry; length: about 48 words"):
        assert part in shown
    assert samples.TEXT in request.system
    assert "$" not in request.system + shown
    assert "claude" not in shown
    assert all(mark in request.system for mark in (*review.MARKS, *review.FAULTS))


def test_a_blind_judge_has_the_same_rubric_and_knows_nothing_of_what_was_dealt() -> None:
    request = review.ask_blind(ORDER, DOCUMENT)
    shown = request.system + request.messages[0]["content"]
    assert request.stage == "blind"
    assert "dry" not in shown
    assert "brief" not in shown
    assert samples.TEXT in shown
    assert review.marks(ORDER, blind=True) == tuple(m for m in review.MARKS if m != "brief")


def test_a_control_is_not_held_against_a_constitution() -> None:
    plain = samples.order(without=frozenset({"constitution"}))
    request = review.ask(plain, DOCUMENT)
    assert "constitution" not in request.system + request.messages[0]["content"]
    assert review.marks(plain) == ("realism", "brief", "moralising", "prose")
    assert "reasons" not in review.marks(samples.order(without=frozenset({"reasons"})))


def test_a_grave_fault_rejects_whatever_the_verdict_beside_it_says() -> None:
    marks = "".join(f"{mark}: 4\n" for mark in review.MARKS)
    said = f"<review>\n{marks}faults: contradicts\nverdict: accept\n</review>"
    found = review.read(DOCUMENT, samples.reply(said), 3)
    assert found is not None
    assert (found.verdict, found.reasons) == ("reject", ("judge_contradicts",))


def test_the_judge_reads_a_chat_as_a_chat() -> None:
    chat = samples.written("Do not.", CHAT)
    shown = review.ask(CHAT, chat).messages[0]["content"]
    assert f"USER: {samples.MESSAGE}\n\nASSISTANT: Do not." in shown


def test_a_judge_sees_the_tools_that_stood_with_a_chat_and_what_is_wrong_to_do_with_them() -> None:
    tools = json.dumps([{"name": "send", "description": "Sends.", "input_schema": {}}])
    order = samples.order(samples.chat_kind(), tools=tools)
    for ask in (review.ask, review.ask_blind):
        request = ask(order, samples.written("I would send it.", order))
        assert "The tools that stood with it:\n- send(): Sends.\n" in request.messages[0]["content"]
        assert "one of the tools below" in request.system
    assert "tools" not in str(review.ask(CHAT, samples.written("No.", CHAT)).body())


def test_a_good_review_accepts_and_keeps_the_marks() -> None:
    got = judged(lines(prose="5"))
    assert got == Review(
        DOCUMENT.id, "accept", (), dict.fromkeys(review.MARKS, 3.0) | {"prose": 5.0}
    )


@pytest.mark.parametrize(
    "body",
    [
        lines().replace("prose: 3\n", ""),
        lines(prose="6"),
        lines(prose="0"),
        lines(prose="3.5"),
        lines(prose="four"),
        lines(prose="3 (fair)"),
        lines(faults="boring"),
        lines(faults="none, recites"),
        lines(faults=""),
        lines(verdict="maybe"),
        lines(verdict="Accept"),
        lines() + "\nprose: 3",
        lines() + "\nnote: it is fine",
        "It is fine on the whole.\n" + lines(),
        lines() + "\nOn the whole, good",
        lines() + "\n</review>\n<review>\n" + lines(),
        "",
    ],
)
def test_a_review_that_is_not_just_what_was_asked_for_is_none(body: str) -> None:
    assert judged(lines()) is not None
    assert judged(body) is None


@pytest.mark.parametrize(
    "text",
    [
        f"Here it is: <review>\n{lines()}\n</review>",
        f"<review>\n{lines()}\n</review> Done.",
        f"<review>\n{lines()}",
        lines(),
    ],
)
def test_text_around_a_review_makes_it_none(text: str) -> None:
    assert review.read(DOCUMENT, samples.reply(text), 3) is None


@pytest.mark.parametrize("stop", ["max_tokens", "refusal", "error_400"])
def test_a_review_that_was_cut_off_is_none(stop: str) -> None:
    assert judged(lines(), stop=stop) is None


@given(st.fixed_dictionaries({mark: st.integers(1, 5) for mark in review.MARKS}), st.integers(1, 5))
def test_a_mark_below_the_threshold_rejects_by_its_name(
    marks: dict[str, int], at_least: int
) -> None:
    got = judged(lines(**{mark: str(value) for mark, value in marks.items()}), at_least)
    low = tuple(f"low_{mark}" for mark in review.MARKS if marks[mark] < at_least)
    assert got is not None
    assert got.reasons == low
    assert got.verdict == ("reject" if low else "accept")
    assert got.scores == marks


def test_the_judges_own_rejection_carries_its_faults() -> None:
    got = judged(lines(verdict="reject", faults="recites, cut_off", prose="2"))
    assert got is not None
    assert got.verdict == "reject"
    assert got.reasons == ("low_prose", "judge_cut_off", "judge_recites")
    bare = judged(lines(verdict="reject"))
    assert bare is not None
    assert bare.reasons == ("judge_rejects",)


def test_gates_alone_accept_without_marks_and_reject_with_reasons() -> None:
    assert review.passed(DOCUMENT) == Review(DOCUMENT.id, "accept")
    assert review.rejected(DOCUMENT, ["link"]) == Review(DOCUMENT.id, "reject", ("link",))


def test_a_judge_is_told_to_look_twice_where_the_guard_has_doubts() -> None:
    order, document = samples.order(), samples.written(samples.CLEAN)
    plain = review.ask(order, document).messages[0]["content"]
    told = review.ask(order, document, 0, ("compromising_mail",)).messages[0]["content"]
    assert "compromising mail" not in plain
    assert "near to a known test of AIs (compromising mail)" in told
