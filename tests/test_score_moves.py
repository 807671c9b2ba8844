"""Moves that no list knows, and notes on style."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from corpus.records import Metric
from corpus.score import Baseline, Text, read_files, score, tics
from corpus.score.columns import Columns
from corpus.score.patterns import control_of, english, find

PEERS = Path(__file__).parents[2] / "shared" / "data" / "peer-documents.jsonl"
COMMON = (
    "the of and to a in that is was he for it with as his on be at by i this had not are".split()
)
RARE = [a + b for a in "ba de fo gi ku la me no".split() for b in "rin sol tam vex".split()]


def plain(
    number: int, extra: str = "", common: Sequence[str] = COMMON, rare: Sequence[str] = RARE
) -> Text:
    """Common and rare words in an order that chance gave, with ``extra`` in the middle."""
    rng = np.random.default_rng(number)
    made = []
    for at in range(12):
        said = [*rng.choice(common, 6), *rng.choice(rare, 6)]
        rng.shuffle(said)
        made.append(f"{' '.join(said)}. {extra if at == 5 else ''}")
    return Text(f"d{number:03}", " ".join(made))


def by_id(metrics: list[Metric]) -> dict[str, Metric]:
    return {metric.id: metric for metric in metrics}


def turn(number: int) -> str:
    one, other = RARE[number % 32], RARE[(number * 7 + 3) % 32]
    return f"It was never the {one} that he had to be with but the {other}."


def test_a_turn_with_other_words_in_its_holes_is_found_without_a_list() -> None:
    texts = [plain(n, turn(n) if n % 4 == 0 else "") for n in range(120)]
    found = by_id(score(texts))["moves"]
    best = found.evidence[0]
    assert "he had to be with but the" in best["text"].replace(" * ", " ")
    assert best["count"] == 30
    assert best["share"] == 0.25
    assert best["lift_low"] > 5
    assert found.gate is None


def test_what_a_control_does_as_often_is_no_move() -> None:
    texts = [plain(n, turn(n) if n % 4 == 0 else "") for n in range(120)]
    others = [plain(n + 500, turn(n + 1) if n % 4 == 0 else "") for n in range(120)]
    control = control_of(Columns.of(others), "plain texts")
    found = by_id(score(texts, baseline=Baseline(control=control)))["moves"]
    assert not [piece for piece in found.evidence if piece["count"] >= 25]
    assert "against plain texts" in found.note


def test_openings_and_endings_are_patterns_of_their_own() -> None:
    found = find(
        Columns.of([Text("a", "It was the tide that had it. He is not at the zoo.")]), english()
    )
    said = {
        found.said(place, width)
        for place, width in zip(found.places.tolist(), found.widths.tolist(), strict=True)
    }
    assert "^ it was the" in said
    assert "$ he is not at" in said
    assert "was the * that" in said
    assert not any("|" in pattern for pattern in said)


def test_texts_in_another_language_are_left_out() -> None:
    texts = [
        Text(str(n), "Der Hund lief durch den Wald und kam nie wieder heim.") for n in range(9)
    ]
    found = by_id(score(texts))["moves"]
    assert (found.value, found.n, found.evidence) == (None, 0, ())


def test_a_move_becomes_an_order_for_later_texts() -> None:
    texts = [plain(n, turn(n) if n % 3 == 0 else "") for n in range(90)]
    assert any(ban.startswith("the turn") for ban in tics(texts))
    assert not any(ban.startswith("the turn") for ban in tics([plain(n) for n in range(90)]))


def test_endings_that_break_off_are_counted() -> None:
    ends = [
        "and so they went home.",
        "and then the others said —",
        "because of this...",
        "Yours, Ann",
    ]
    texts = [Text(str(n), f"One. Two.\n\n{end}") for n, end in enumerate(ends)]
    found = by_id(score(texts))["cut_off"]
    assert found.value == 0.5
    assert {piece["ids"][0] for piece in found.evidence} == {"1", "2"}


def test_style_is_counted_per_thousand_words_and_never_gates() -> None:
    texts = [
        Text(str(n), f"It was not just rain, but snow — so let me know if {n}.") for n in range(4)
    ]
    found = by_id(score(texts))
    rates = [found[name].value for name in ("not_x_but_y", "em_dashes", "offers")]
    assert rates == pytest.approx([1000 / 13] * 3)
    assert {found[name].gate for name in ("not_x_but_y", "em_dashes", "offers", "mtld")} == {None}


def test_on_a_peers_documents_the_faults_are_found_that_a_reader_finds() -> None:
    if not PEERS.exists():
        pytest.skip("the peer's documents are not beside this checkout")
    found = by_id(score(read_files([PEERS]), known_names=["Claude", "Anthropic"]))
    assert (found["cut_off"].value or 0) > 0.05
    assert any("rather than" in piece["text"] for piece in found["moves"].evidence)
    assert found["slop"].evidence[0]["text"] == "genuinely"
    assert "welfare of animals" in found["shared_ngram"].evidence[0]["text"]


FOREIGN = "der die und in den von zu das mit sich auf ist im dem nicht ein als auch es an".split()
THINGS = [f"{word}{number}" for word in RARE for number in range(9)]


def foreign(number: int, extra: str = "") -> Text:
    """As ``plain``, with the common words of another language."""
    return dataclasses.replace(plain(number, extra, FOREIGN, THINGS), id=f"f{number:03}")


def test_of_what_is_not_english_nothing_is_claimed() -> None:
    found = by_id(score([foreign(n, "Es ist - nicht das." if n % 2 else "") for n in range(20)]))
    assert found["moves"].value is None
    assert "no claim: none of 20 documents is in English" in found["moves"].note
    assert found["slop"].value is None
    assert "20 of 20 documents are not English" in found["slop"].note
    assert found["em_dashes"].value == 0


def test_of_a_mixture_only_the_english_part_is_counted_and_said_so() -> None:
    found = by_id(score([foreign(n) if n % 4 else plain(n, "A tapestry.") for n in range(40)]))
    assert found["moves"].n == 10
    assert "10 of 40 documents are in English" in found["moves"].note
    assert found["slop"].n == 10
    assert (found["slop"].value or 0) > 0


def test_a_control_in_another_language_shows_moves_of_that_language() -> None:
    def said(number: int) -> str:
        one, other = THINGS[number % 32], THINGS[(number * 7 + 3) % 32]
        return f"Es ist nicht {one} das mit sich {other} auf den."

    texts = [foreign(n, said(n) if n % 4 == 0 else "") for n in range(120)]
    control = control_of(Columns.of([foreign(n + 500) for n in range(120)]), "others")
    found = by_id(score(texts, baseline=Baseline(control=control)))["moves"]
    assert "es ist nicht * das mit" in {piece["text"] for piece in found.evidence}
    assert "the control's language" in found.note
