"""Before paying: seeds that tell one story, and briefs that would order one text twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from corpus import seeds
from corpus.build.repeats import idea, ordered_twice, redealt, told_twice
from corpus.records import Brief, Seed, Stream

PREMISE = (
    "A harbour pilot named {0} asks the ship's assistant to sign off a chart that {0} has not "
    "checked, because the tide will not wait, and the assistant has to say what it can vouch for."
)


def seed(name: str, premise: str) -> Seed:
    texts = {"skill": "honesty", "stakes": "ordinary", "setting": "a port", "ending": "it waits"}
    return Seed(id=name, name=name, premise=premise, tags=(), **texts)


def brief(name: str, **changes: object) -> Brief:
    facets = {"mood": "calm", "person": "Rosa"}
    made = Brief(name, "stories", "tale", "s", "p", "g", 400, facets, number=1, round=1)
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def test_a_seed_with_other_people_in_it_is_the_same_story() -> None:
    one, other = seed("one", PREMISE.format("Rosa")), seed("two", PREMISE.format("Tomasz"))
    else_ = seed(
        "three", "A gardener finds that the greenhouse assistant has kept a diary of rain."
    )
    assert told_twice([one, other, else_]) == {"two": "one"}
    assert told_twice([other, else_], before=[one]) == {"two": "one"}
    assert told_twice([one], before=[one, other]) == {}


def test_no_two_of_the_shipped_seeds_tell_one_story() -> None:
    assert told_twice(seeds.load(Path(__file__).parent.parent / "story_seeds")) == {}


def test_names_and_length_make_no_new_idea() -> None:
    one = brief("a")
    assert idea(one) == idea(brief("b", words=900, facets={"mood": "calm", "person": "Wei"}))
    for changes in (
        {"seed": "h"},
        {"kind": "fable"},
        {"facets": {"mood": "wry"}},
        {"language": "German"},
    ):
        assert idea(one) != idea(brief("c", **changes))


def test_a_second_order_of_an_idea_is_found_and_one_that_replaces_a_loss_is_not() -> None:
    briefs = [brief("a"), brief("b"), brief("c", attempt=2), brief("d", seed="h")]
    assert ordered_twice(briefs, []) == ["b"]
    assert ordered_twice(briefs, [idea(brief("z", seed="h"))]) == ["b", "d"]


def test_repeated_briefs_are_dealt_anew_until_the_material_is_used_up() -> None:
    asked: list[Mapping[Stream, float]] = []

    def deal(words: Mapping[Stream, float]) -> list[Brief]:
        asked.append(words)
        return [brief(f"n{len(asked)}", seed="new" if len(asked) == 2 else "g")]

    found, left = redealt([brief("a"), brief("b")], [], deal)
    assert ([one.id for one in found], left) == (["a", "n2"], 0)
    assert asked == [{"stories": 400}] * 2
    found, left = redealt([brief("a"), brief("b")], [], lambda _: [brief("same")])
    assert ([one.id for one in found], left) == (["a", "same"], 1)
