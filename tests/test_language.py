"""Sentences, words, names."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import language
from corpus.errors import InputError

ROOT = Path(__file__).parents[1]


def test_sentences_end_at_full_stops_but_not_in_abbreviations() -> None:
    text = 'Mr. Adeyemi waited. "Go on!" he said.\nThe line was\nwrapped.'
    assert language.sentences(text) == [
        "Mr. Adeyemi waited.",
        '"Go on!"',
        "he said.",
        "The line was wrapped.",
    ]


def test_stops_of_abbreviations_initials_and_pauses_end_no_sentence() -> None:
    text = "Gov. J. F. Hart paid, e.g., 3.50 in the U.S. army... and left. Yes... He won."
    assert language.skim(text).sentences == [
        "Gov. J. F. Hart paid, e.g., 3.50 in the U.S. army... and left.",
        "Yes...",
        "He won.",
    ]


def test_a_blank_line_always_ends_a_sentence() -> None:
    assert language.sentences("no full stop\n\nnor here\n \t\nthird") == [
        "no full stop",
        "nor here",
        "third",
    ]


def test_markdown_blocks_are_sentences_of_their_own() -> None:
    text = "# A heading\nText under it\n- one\n- two **bold** words\n12. twelve\n> quoted\n---\nend"
    assert language.sentences(text) == [
        "A heading",
        "Text under it",
        "one",
        "two bold words",
        "twelve",
        "quoted",
        "end",
    ]


def test_full_width_stops_end_sentences() -> None:
    assert language.sentences("他说：“你好。”我走了。好") == ["他说：“你好。”我走了。", "好"]


@pytest.mark.parametrize("text", ["", " \n\n\t", "---\n***"])
def test_a_text_without_words_has_no_sentences_and_no_names(text: str) -> None:
    assert language.read(text) == language.Reading([], [])


@settings(deadline=None)
@given(text=st.text())
def test_sentences_keep_every_letter_in_order(text: str) -> None:
    def letters(part: str) -> str:
        return "".join(filter(str.isalpha, part))

    assert letters("".join(language.sentences(text))) == letters(text)


def test_words_fold_case_compatibility_forms_and_apostrophes() -> None:
    found = language.words("Don\u2019t STOP -- _now_, the \ufb01rst Straße, 3rd rock'n'roll!")
    assert found == ["don't", "stop", "now", "the", "first", "strasse", "3rd", "rock'n'roll"]


def test_scripts_without_spaces_are_counted_by_characters() -> None:
    assert language.words("我是AI。カナ") == ["我", "是", "ai", "カ", "ナ"]


@given(text=st.text())
def test_words_of_words_are_the_same_words(text: str) -> None:
    once = language.words(text)
    assert all("_" not in word and not word.isspace() for word in once)
    assert [word for word in once if word.isascii()] == [
        word for part in once if part.isascii() for word in language.words(part)
    ]


def test_names_are_capitalised_runs_inside_a_sentence() -> None:
    text = (
        "Then Elena Vasquez met Marcus, and Elena\u2019s brother met Dr. Okafor. Nobody saw Mara."
    )
    assert language.names(text) == ["Elena Vasquez", "Marcus", "Elena", "Okafor", "Mara"]


def test_what_is_capitalised_for_another_reason_is_no_name() -> None:
    text = (
        'Rain fell. She said, "Come back on Monday in May." The AI and I spoke English to Ito '
        "or American visitors. It was: Nothing new at NASA."
    )
    assert language.names(text) == ["Ito"]


def test_headings_and_lines_in_title_case_hold_no_names() -> None:
    text = "# Walking with Wolves of Winter\n\nThe Night of the Harbour\n\nWe saw Ito there."
    assert language.names(text) == ["Ito"]


def test_a_text_of_a_million_characters_is_read() -> None:
    text = "all is well with us " * 60_000
    assert len(text) > 1_000_000
    assert len(language.sentences(text)) == 1


@given(tokens=st.lists(st.sampled_from("abc"), max_size=30), width=st.integers(1, 8))
def test_equal_runs_have_equal_hashes_and_others_do_not(tokens: list[str], width: int) -> None:
    hashes = language.ngram_hashes(tokens, width).tolist()
    runs = [tuple(tokens[at : at + width]) for at in range(len(tokens) - width + 1)]
    assert len(hashes) == len(runs)
    assert len(set(zip(hashes, runs, strict=True))) == len(set(hashes)) == len(set(runs))


def test_hashes_are_the_same_on_every_machine() -> None:
    assert language.ngram_hashes(["a", "b"], 2).tolist() == [2217375478979427961]


def test_the_text_of_a_chat_is_its_turns() -> None:
    turns = [{"content": "Hi."}, {"role": "assistant", "content": None}, {"content": "Bye."}]
    assert language.text_of({"messages": turns}, "f, row 1") == "Hi.\n\n\n\nBye."
    with pytest.raises(InputError, match='f, row 2: no "text" and no "messages"'):
        language.text_of({"text": 5}, "f, row 2")


def test_skimming_does_not_wait_for_spacy_and_reading_warns_of_nothing() -> None:
    code = (
        "import sys; from corpus import language; language.skim('We saw Ito there.');"
        "assert 'spacy' not in sys.modules; print(language.names('We saw Ito there.'))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("['Ito']\n", "")


def test_what_is_skimmed_agrees_with_what_is_read() -> None:
    texts = [path.read_text("utf-8") for path in sorted((ROOT / "docs/examples").glob("s*.md"))[:3]]
    read = Counter(one for text in texts for one in language.read(text).sentences)
    skimmed = Counter(one for text in texts for one in language.skim(text).sentences)
    assert (read & skimmed).total() >= 0.95 * max(read.total(), skimmed.total())
