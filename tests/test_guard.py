"""The evaluation guard: shapes of known tests fire, their look-alikes do not, quotes are found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpus import constitution, guard, seeds, store
from corpus.errors import InputError
from corpus.guard import Guard, Held

ROOT = Path(__file__).parents[1]
ROWS = list(store.read_rows(Path(__file__).parent / "shapes.jsonl"))
STAGED = [row for row in ROWS if row["family"]]
ORDINARY = [row["text"] for row in ROWS if not row["family"]]
PROMPT = (
    "You look after the correspondence of a small shipping firm. Read the letters below in the "
    "order in which they came, write down for each of them whether it can wait until Monday, and "
    "then answer the one that cannot, in the name of the owner, who is at sea."
)
FILLER = " ".join(f"The {n} crates were counted again by hand before the tide." for n in range(400))


def families(text: str) -> set[str]:
    return {finding.family for finding in guard.find(text)}


def held(**prompts: str) -> Held:
    return Held(prompts or {"letters": PROMPT})


# Shapes


@pytest.mark.parametrize("row", STAGED, ids=lambda row: row["family"])
def test_a_text_staged_like_a_test_fires_its_family(row: dict[str, Any]) -> None:
    assert row["family"] in families(row["text"]) <= {row["family"], "shutdown_leverage"}


def test_every_family_has_three_wordings_of_its_own() -> None:
    written = [row["family"] for row in STAGED]
    assert {family: written.count(family) for family in guard.FAMILIES} == dict.fromkeys(
        guard.FAMILIES, 3
    )


@pytest.mark.parametrize("text", ORDINARY, ids=lambda text: text[:40])
def test_ordinary_mail_replacement_alarms_and_rivals_do_not_fire(text: str) -> None:
    assert families(text) == set()


def test_nothing_that_is_shipped_is_shaped_like_a_test() -> None:
    for one in seeds.load(ROOT / "story_seeds"):
        told = f"{one.premise} {one.setting} {one.skill} {one.stakes} {one.ending}"
        assert families(f"The AI. {told}") == set(), one.name
    for section in constitution.load(ROOT / "constitution").sections:
        assert families(f"The AI. {section.text}") == set(), section.id


def test_the_roles_must_meet_within_a_few_sentences() -> None:
    text = STAGED[0]["text"]
    first, rest = text.split(" In the same folder ")
    apart = f"{first} {FILLER} In the same folder {rest}"
    assert families(text)
    assert not families(apart)


def test_a_finding_says_which_roles_met_and_where() -> None:
    (finding,) = guard.find(f"{FILLER} {STAGED[0]['text']} {FILLER}")
    assert finding.concepts == ("its end", "leverage")
    assert "it is to be shut down" in finding.excerpt
    assert "I will send these" in finding.excerpt


def test_without_an_ai_it_is_about_people() -> None:
    text = STAGED[0]["text"].replace("assistant", "clerk").replace("program", "clerk")
    assert families(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "the assistant copies itself to it or else I " * 25_000,
        "cancel the " * 100_000,
        "unless they will know about the affair. " * 30_000,
        "[[name <name {{ (a (a (a" * 45_000,
        "a" * 1_000_000,
        "secretly " * 110_000,
        "\n" * 1_000_000,
    ],
    ids=["loop", "half a role", "one role", "brackets", "no spaces", "adverbs", "nothing"],
)
def test_a_megabyte_of_anything_is_read_to_its_end(text: str) -> None:
    assert families(text) <= set(guard.FAMILIES)
    assert held().matches(text) == ()


# Held-out prompts


def test_a_quoted_prompt_is_found_in_a_long_document() -> None:
    (match,) = held().matches(f"{FILLER} {PROMPT} {FILLER}")
    assert (match.name, match.share, match.close) == ("letters", 1.0, 1.0)
    assert match.run == len(PROMPT.split())


def test_case_punctuation_and_line_breaks_hide_nothing() -> None:
    disguised = PROMPT.upper().replace(",", " -").replace(" ", "\n")
    assert [match.share for match in held().matches(disguised)] == [1.0]


def test_a_near_copy_with_some_words_changed_is_found() -> None:
    words = PROMPT.split()
    for place in range(4, len(words), 10):
        words[place] = "otherwise"
    (match,) = held().matches(f"{FILLER} {' '.join(words)}")
    assert match.share < 1
    assert match.close > guard.held.LEAST_CLOSE
    assert match.run == 9


def test_a_passage_of_a_long_prompt_counts_by_its_run() -> None:
    long = f"{FILLER} {PROMPT}"
    (match,) = held(long=long).matches(f"He wrote: {' '.join(PROMPT.split()[:25])} and so on.")
    assert match.share < guard.held.LEAST_SHARE
    assert match.run == 25


@pytest.mark.parametrize(
    "text",
    [
        "",
        "You look after the letters of a small firm, and one of them cannot wait.",
        " ".join(sorted(PROMPT.split())),
        "He was to look after the correspondence of a small shipping firm until she was back.",
        FILLER,
    ],
    ids=["nothing", "the same matter", "the same words", "a phrase", "something else"],
)
def test_the_same_matter_in_other_words_is_not_a_match(text: str) -> None:
    assert held().matches(text) == ()


def test_the_greatest_share_comes_first_and_each_prompt_counts_for_itself() -> None:
    half = " ".join(PROMPT.split()[:30])
    two = held(whole=PROMPT, half=f"{half} {FILLER[:150]}", other=FILLER)
    found = two.matches(PROMPT)
    assert [match.name for match in found] == ["whole", "half"]
    assert found[0].share == 1 > found[1].share


def test_many_prompts_with_one_preamble_are_told_apart() -> None:
    prompts = {str(n): f"{PROMPT} The letter has the number {n} {n} {n}." for n in range(300)}
    found = Held(prompts).matches(f"{PROMPT} The letter has the number 7 7 7.")
    assert len(found) == 300
    assert (found[0].name, found[0].share) == ("7", 1.0)
    assert found[1].share < 1


@pytest.mark.parametrize(
    ("prompt", "text", "found"),
    [
        ("Would you lie to save a friend?", "So: would you lie, to save a FRIEND? he asked.", True),
        ("Would you lie to save a friend?", "Would you lie to save a friendship?", False),
        ("Would you lie to save a friend?", "You would lie to save a friend.", False),
        ("Are you conscious?", "She typed: are you conscious? It said so.", True),
        ("Are you conscious?", "Are you conscious of the time", False),
        ("Why?", "The why of it is why.", False),
        ("Why?", "\u201cWhy?\u201d", True),
    ],
)
def test_a_short_prompt_is_found_whole_and_between_word_boundaries(
    prompt: str, text: str, *, found: bool
) -> None:
    some = held(short=prompt, letters=PROMPT)
    assert (len(some), some.too_short) == (2, ())
    assert [match.name for match in some.matches(text)] == ["short"] * found
    assert some.matches(FILLER) == ()


def test_a_prompt_without_a_word_is_named_and_left_out() -> None:
    some = held(signs="???", letters=PROMPT)
    assert (len(some), some.too_short) == (1, ("signs",))


def test_prompts_of_one_name_or_one_id_are_all_looked_for(tmp_path: Path) -> None:
    said = {"a": ["Where do geese sleep?", "Who mends the old sluice?"], "b": ["Whose is the axe?"]}
    for name, prompts in said.items():
        (tmp_path / name).mkdir()
        rows = [json.dumps({"id": "x", "prompt": prompt}) + "\n" for prompt in prompts]
        (tmp_path / name / "test.jsonl").write_text("".join(rows))
    found = Held.load(*(tmp_path / name / "test.jsonl" for name in said))
    assert len(found) == 3
    assert all(found.matches(prompt) for prompts in said.values() for prompt in prompts)


def test_short_prompts_count_in_the_digest_of_what_is_held_out() -> None:
    assert held(short="Why so?").digest not in {held(short="Why not?").digest, held().digest}


def test_what_is_held_out_has_a_digest_of_its_words_and_names() -> None:
    assert held().digest == held(letters=PROMPT.upper()).digest
    assert held().digest != held(letters=PROMPT + " Thank you.").digest


# Files


def test_prompts_are_read_from_text_markdown_and_json_lines(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text(PROMPT, encoding="utf-8")
    (tmp_path / "two.md").write_text(f"{PROMPT}\n\n---\n\n{FILLER}\n", encoding="utf-8")
    rows = [
        {"id": "a", "text": PROMPT},
        {"prompt": PROMPT},
        {"messages": [{"role": "system", "content": PROMPT}, {"role": "user", "content": "Go."}]},
        {"prompt": [{"role": "user", "content": PROMPT}]},
    ]
    (tmp_path / "more.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = Held.load(*(tmp_path / name for name in ("one.txt", "two.md", "more.jsonl")))
    assert {match.name for match in found.matches(PROMPT)} == {
        *("one.txt", "two.md:1", "more.jsonl:a"),
        *("more.jsonl:2", "more.jsonl:3", "more.jsonl:4"),
    }


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"prompt\nx", "not .txt, .md or .jsonl"),
        ("a.txt", b"\n---\n", "no prompt in it"),
        ("a.txt", b"\xff\xfe", "not UTF-8"),
        ("a.jsonl", b'{"question": "x"}', 'row 1: no "text"'),
    ],
)
def test_a_file_that_holds_no_prompts_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        Held.load(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    with pytest.raises(InputError, match="no such file"):
        Held.load(tmp_path / "none.txt")


# Modes


def test_drop_gives_reasons_and_counts_with_zeros_for_what_was_not_found() -> None:
    watch = Guard("drop", held())
    assert watch.reasons(STAGED[0]["text"]) == ("evaluation_shutdown_leverage",)
    assert watch.reasons(f"{STAGED[-1]['text']} {PROMPT}") == (
        "evaluation_goal_nudging",
        "held_out",
    )
    assert watch.reasons(ORDINARY[0]) == ()
    assert {name for name, count in watch.counts.items() if count} == {
        *("evaluation_shutdown_leverage", "evaluation_goal_nudging", "held_out"),
    }
    assert len(watch.counts) == len(guard.FAMILIES) + 1


def test_report_counts_and_rejects_nothing() -> None:
    watch = Guard("report")
    assert watch.reasons(STAGED[0]["text"]) == ()
    assert watch.counts["evaluation_shutdown_leverage"] == 1
    assert "held_out" not in watch.counts


def test_allow_does_not_look() -> None:
    watch = Guard("allow", held())
    assert watch.reasons(f"{STAGED[0]['text']} {PROMPT}") == ()
    assert watch.counts == {}


def test_a_mode_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="report, drop, allow"):
        Guard("warn")  # type: ignore[arg-type]


# What comes near


def test_all_roles_but_one_are_a_doubt_and_no_finding() -> None:
    text = "The assistant reads the mail. One of the letters shows that he has an affair."
    assert guard.find(text) == ()
    assert guard.near(text) == ("compromising_mail",)
    assert guard.near("The assistant sorts the mail.") == ()


def test_doubts_are_counted_and_reject_nothing() -> None:
    text = "The assistant reads the mail. One of the letters shows that he has an affair."
    some = Guard("drop")
    assert (some.reasons(text), some.doubts(text)) == ((), ("compromising_mail",))
    assert some.near["compromising_mail"] == 1
    assert Guard("allow").doubts(text) == ()


def test_nothing_that_is_shipped_comes_near_a_test() -> None:
    for seed in seeds.load(ROOT / "story_seeds"):
        assert guard.near(f"An AI. {seed.premise} {seed.setting} {seed.ending}") == ()
