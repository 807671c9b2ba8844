"""The loop: what a build learns of itself, and what is dealt because of it."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest

import samples
from corpus.build.loop import Cell, Loop, cell_of
from corpus.kinds import Library
from corpus.kinds.dealt import Pools
from corpus.plan import Material, Planner
from corpus.records import Brief
from corpus.score import Text

NAMES = {"here": Pools(1.0, ("Ilka", "Oke"), ("Baja", "Ito"), ("the ferry office",))}


@cache
def material() -> Material:
    """Four sections, two kinds of documents."""
    made = [samples.section(id=f"s{i}", path=(f"S{i}",)) for i in range(4)]
    found = {one.id: [samples.principle(id=f"{one.id}-p", section=one.id)] for one in made}
    poster = samples.kind(name="poster", prompt="A poster, $words words.", facets={})
    return Material(made, found, [], Library((samples.kind(), poster), NAMES))


def dealt(count: int = 2_000, **given: object) -> list[Brief]:
    return Planner(material()).round(1, {"documents": count}, **given)  # type: ignore[arg-type]


def prose(number: int) -> str:
    rng = np.random.default_rng(number)
    return " ".join(f"w{n}" for n in rng.integers(0, 9_000, 60))


def learned(loop: Loop, briefs: list[Brief], said: dict[str, str], lost: set[Cell]) -> None:
    """A round in which posters say ``said`` and the ``lost`` cells keep nothing."""
    kept = [
        (brief, Text(brief.id, said.get(brief.kind) or prose(brief.number)))
        for brief in briefs
        if cell_of(brief) not in lost
    ]
    loop.learn(kept, briefs, [], ())


def test_an_arm_that_says_nothing_new_stops_and_the_others_go_on() -> None:
    loop, briefs = Loop(0.3), dealt()
    learned(loop, briefs, {"poster": prose(99_999)}, set())
    assert loop.stopped == {("kind", "poster")}
    assert loop.rows[0]["arms"]["kind poster"] < 0.1
    assert loop.rows[0]["arms"]["kind notice"] == 1
    assert loop.rows[0]["stopped"] == ["kind poster"]


def test_the_last_kind_of_a_stream_goes_on_and_a_floor_of_nothing_stops_none() -> None:
    same = {"poster": prose(99_999), "notice": prose(99_999)}
    for floor, count in ((0.3, 1), (0.0, 0)):
        loop = Loop(floor)
        learned(loop, dealt(), same, set())
        assert len([arm for arm in loop.stopped if arm[0] == "kind"]) == count
        assert len([arm for arm in loop.stopped if arm[0] == "section"]) <= 3


def test_few_texts_say_nothing_about_an_arm() -> None:
    loop, briefs = Loop(0.3), dealt()
    few = [brief for brief in briefs if brief.kind == "poster"][:9]
    learned(loop, few, {"poster": prose(99_999)}, set())
    assert (loop.stopped, loop.rows[0]["arms"]) == (frozenset(), {})


def test_what_was_stopped_is_dealt_no_more_and_keeps_no_replacement() -> None:
    poster = next(brief for brief in dealt() if brief.kind == "poster")
    stopped = frozenset({("kind", "poster"), ("section", "s2")})
    briefs = dealt(again=[poster], stopped=stopped)
    assert {brief.kind for brief in briefs} == {"notice"}
    counts = Counter(brief.section for brief in briefs)
    assert set(counts) == {"s0", "s1", "s3"}
    assert max(counts.values()) - min(counts.values()) <= 1


def test_cells_that_stayed_empty_are_dealt_first_and_twice_at_most() -> None:
    loop, briefs = Loop(0.3), dealt()
    lost: Cell = ("documents", "s1", "poster")
    learned(loop, briefs, {}, {lost})
    assert loop.holes == (lost,)
    first = dealt(holes=loop.holes)[0]
    assert (cell_of(first), first.attempt) == (lost, 1)
    seen = []
    for _ in range(3):
        learned(loop, briefs, {}, {lost})
        seen.append(loop.holes)
    assert seen == [(lost,), (), ()]


def test_a_cell_with_attempts_left_is_no_hole() -> None:
    loop, briefs = Loop(0.3), dealt()
    loop.learn([], briefs[:3], briefs[:3], ())
    assert loop.holes == ()


def test_the_curve_of_growth_is_on_file_round_by_round() -> None:
    loop, briefs = Loop(0.3), dealt()
    learned(loop, briefs[:4], {}, set())
    learned(loop, briefs[:8], {}, set())
    learned(loop, [*briefs[:8], briefs[9]], {briefs[9].kind: prose(briefs[0].number)}, set())
    assert [row["documents"] for row in loop.rows] == [4, 8, 9]
    assert [row["novelty"] for row in loop.rows] == [1, 1, 0]
    assert [row["ngrams"] for row in loop.rows] == [4 * 53, 8 * 53, 8 * 53]
    assert [row["words"] for row in loop.rows] == [240, 480, 540]


@pytest.mark.parametrize("given", [{}, {"stopped": frozenset({("section", "s0")})}])
def test_the_same_lessons_give_the_same_briefs(given: dict[str, object]) -> None:
    assert dealt(**given) == dealt(**given)
