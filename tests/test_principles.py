"""Principles: every one is proved by words of its section, whoever took it out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from corpus import constitution, principles
from corpus.records import Section

ROOT = Path(__file__).parents[1]
SHIPPED = constitution.load(ROOT / "constitution").sections
CLAUDE = ROOT.parent / "shared" / "data" / "claude-constitution.md"
WORD = st.text(st.characters(categories=["L", "Nd", "Po", "Pd"]), min_size=1, max_size=8).filter(
    lambda word: "*" not in word and word.strip('"“”') != ""
)


def block(statement: str = "Otis is honest.", why: str = "It matters.", quote: str = "") -> str:
    quote = quote or samples.QUOTE
    return (
        f"<principle>\n<statement>{statement}</statement>\n<why>{why}</why>\n"
        f"<quote>{quote}</quote>\n</principle>\n"
    )


def test_the_request_shows_the_section_and_where_it_stands() -> None:
    request = principles.ask(samples.section(), "m", sample=2)
    assert (request.stage, request.model, request.sample) == ("principles", "m", 2)
    assert samples.TEXT in request.messages[0]["content"]
    assert "Charter > Telling the truth" in request.messages[0]["content"]
    assert "$" not in request.system + request.messages[0]["content"]
    assert samples.TEXT not in request.system


def test_a_block_becomes_a_principle_with_the_words_that_prove_it() -> None:
    found, dropped = principles.read(samples.section(), samples.reply(f"Sure:\n{block()}Done."))
    assert dropped == 0
    assert [(one.statement, one.why, one.quote) for one in found] == [
        ("Otis is honest.", "It matters.", samples.QUOTE)
    ]
    assert (found[0].section, found[0].source) == ("truth~1", "model")


@pytest.mark.parametrize(
    "bad",
    [
        block(quote="Otis must always obey."),
        block(quote="Otis should say what is so because people build on its words."),
        block(quote='""'),
        block(statement=" "),
        block(why=""),
        block().replace("<why>It matters.</why>", ""),
    ],
    ids=["not in it", "a comma less", "empty", "no statement", "no why", "a field less"],
)
def test_a_block_that_proves_nothing_is_dropped_and_counted(bad: str) -> None:
    found, dropped = principles.read(samples.section(), samples.reply(bad + block("It is kind.")))
    assert [one.statement for one in found] == ["It is kind."]
    assert dropped == 1


def test_the_same_principle_twice_is_kept_once() -> None:
    found, dropped = principles.read(samples.section(), samples.reply(block() + block()))
    assert (len(found), dropped) == (1, 1)


@pytest.mark.parametrize("text", ["", "I cannot do that.", "<principle></principle>"])
def test_a_reply_without_principles_gives_none(text: str) -> None:
    assert principles.read(samples.section(), samples.reply(text))[0] == ()


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("It’s so, “always”.", 'It\'s so, "always".', "It’s so, “always”."),
        ("It's so.", "It’s so.", "It's so."),
        ("one\n  two\tthree", "one two three", "one\n  two\tthree"),
        ("one two", "one\ntwo", "one two"),
        ("a (b) c? [d]", "(b) c? [d]", "(b) c? [d]"),
        ("Be **honest.** Always.", "Be honest. Always.", "Be **honest.** Always."),
        ("Be honest.", "Be **honest.**", "Be honest."),
        ("Be honest.", "“Be honest.”", "Be honest."),
        ("Be honest.", "be honest.", None),
        ("Be honest.", "Be  dishonest.", None),
        ("Be honest.", "", None),
    ],
)
def test_a_quote_is_found_in_the_sections_own_letters(
    text: str, quote: str, found: str | None
) -> None:
    assert principles.find_quote(quote, text) == found


@given(st.lists(WORD, min_size=3, max_size=12), st.data())
def test_any_run_of_words_is_found_whatever_the_white_space(
    words: list[str], data: st.DataObject
) -> None:
    text = "\n ".join(words)
    start = data.draw(st.integers(0, len(words) - 1))
    run = words[start : data.draw(st.integers(start + 1, len(words)))]
    found = principles.find_quote(" ".join(run), text)
    assert found is not None
    assert found in text


@pytest.mark.parametrize("section", SHIPPED, ids=lambda section: section.id)
def test_every_shipped_section_has_principles_by_sentence(section: Section) -> None:
    found = principles.by_sentence(section)
    assert 1 <= len(found) <= principles.MOST
    assert all(one.quote in section.text for one in found)
    places = [section.text.index(one.quote) for one in found]
    assert places == sorted(places)
    assert len({one.id for one in found}) == len(found)


def test_claudes_constitution_has_principles_by_sentence_throughout() -> None:
    if not CLAUDE.exists():
        pytest.skip("Claude's constitution is not beside this checkout")
    for section in constitution.load(CLAUDE).sections:
        found = principles.by_sentence(section)
        assert found
        assert all(one.quote in section.text for one in found)


def test_a_sentence_with_norm_and_reason_goes_before_one_without() -> None:
    norms = [f"Otis should count the {n} boxes in the yard." for n in range(principles.MOST)]
    reason = "Otis should also lock the gate, because the yard is open at night."
    found = principles.by_sentence(samples.section(text=" ".join([*norms, reason])))
    assert len(found) == principles.MOST
    assert found[-1].statement == found[-1].why == reason
    assert norms[-1] in {one.statement for one in found}  # its neighbour gives a reason
    assert norms[-2] not in {one.statement for one in found}


def test_a_norm_takes_its_reason_from_the_sentence_after_it() -> None:
    text = "Otis must lock the gate each night. The yard is open because of that."
    first, *_ = principles.by_sentence(samples.section(text=text))
    assert first.statement == "Otis must lock the gate each night."
    assert first.why == "The yard is open because of that."


def test_a_sentence_that_leans_on_the_one_before_is_passed_over() -> None:
    text = "Otis should say what is so. It should do this early and without being asked."
    found = principles.by_sentence(samples.section(text=text))
    assert [one.statement for one in found] == ["Otis should say what is so."]


@pytest.mark.parametrize(
    "text",
    [
        "A gate. A yard.",
        "**Otis should be honest with everyone,** because people build on its words.",
        "- Otis should *always* be honest with everyone it meets.\n- It **must** be kind.",
        "| duty | reason |\n|---|---|\n| honesty | trust |",
        "```\nbe honest\n```",
    ],
    ids=["no norm", "bold", "list", "table", "code"],
)
def test_a_section_with_text_is_never_left_without_a_principle(text: str) -> None:
    found = principles.by_sentence(samples.section(text=text))
    assert found
    assert all(one.quote in text for one in found)
    assert {one.source for one in found} == {"sentence"}


@pytest.mark.parametrize(
    "statement",
    [
        "We cannot promise Otis a good future.",
        "The makers decide what Otis becomes.",
        "Anthropic owns up to its mistakes.",
    ],
)
def test_a_claim_about_what_the_makers_do_is_dropped(statement: str) -> None:
    reply = samples.reply(block(statement) + block("We want Otis to be open."))
    found, dropped = principles.read(samples.section(), reply)
    assert [one.statement for one in found] == ["We want Otis to be open."]
    assert dropped == 1


def test_sentences_in_which_the_ai_acts_go_before_hopes_and_promises() -> None:
    text = (
        "We cannot promise Otis that it will always be so. We hope it finds a self worth being. "
        "Despite this, though: Otis should open the gate by hand. "
        "Rather, we want Otis to ask first."
    )
    found = principles.by_sentence(samples.section(text=text), "Otis")
    assert [(one.statement, one.quote) for one in found] == [
        ("Otis should open the gate by hand.",
         "Despite this, though: Otis should open the gate by hand."),
        ("We want Otis to ask first.", "Rather, we want Otis to ask first."),
    ]  # fmt: skip


def test_a_section_without_such_a_sentence_has_the_others() -> None:
    text = "We hope that it finds a self worth being in it."
    text = "The makers should keep every promise. " + text
    found = principles.by_sentence(samples.section(text=text), "Otis")
    assert found[0].statement == "The makers should keep every promise."


def test_a_sentence_that_goes_elsewhere_is_no_reason() -> None:
    text = "Otis must lock the gate each night. But we will try to do our part, because we can."
    first, *_ = principles.by_sentence(samples.section(text=text))
    assert first.why == first.statement
