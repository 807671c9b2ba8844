"""Before anything is paid for: seeds that tell one story, and briefs that order one text twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from corpus import dedup
from corpus.kinds.dealt import POOLS
from corpus.plan import ordered
from corpus.records import Brief, Seed, Stream, digest

DEALS = 3
ALIKE = 0.3
"""Jaccard index of two premises, names masked, from which on one repeats the other."""


def told_twice(seeds: Sequence[Seed], before: Iterable[Seed] = ()) -> dict[str, str]:
    """Which of these seeds repeats an earlier one, in other words or with other names, by id.

    Those of ``before`` are all earlier, and are not held against each other.
    """
    old = {seed.id: seed for seed in before}
    fresh = {seed.id: seed for seed in seeds if seed.id not in old}
    items = [dedup.Item(one.id, one.premise, mask=True, fixed=True) for one in old.values()]
    items += [
        dedup.Item(one.id, one.premise, score=-place, mask=True)
        for place, one in enumerate(fresh.values())
    ]
    found = dedup.find(items, threshold=ALIKE)
    return {duplicate.id: duplicate.original for duplicate in found}


def idea(brief: Brief) -> str:
    """The digest of what a brief is about: all that was dealt to it but names and length."""
    facets = {name: value for name, value in brief.facets.items() if name not in POOLS}
    return digest(
        brief.stream, brief.kind, brief.section, brief.principle, brief.seed, facets,
        brief.language, brief.injection, brief.tools,
    )  # fmt: skip


def redealt(
    briefs: list[Brief],
    ideas: Collection[str],
    deal: Callable[[Mapping[Stream, float]], list[Brief]],
) -> tuple[list[Brief], int]:
    """The briefs, those that order a text twice dealt anew; how many could not be.

    ``deal`` makes briefs for so many ordered words of each stream. Where the material is used up
    it brings nothing new: after three times what it brings is taken.
    """
    for _ in range(DEALS):
        twice = set(ordered_twice(briefs, ideas))
        if not twice:
            return briefs, 0
        needs: Counter[Stream] = Counter()
        for brief in briefs:
            needs[brief.stream] += ordered(brief) if brief.id in twice else 0
        briefs = [brief for brief in briefs if brief.id not in twice]
        briefs += deal({stream: words for stream, words in needs.items() if words})
    return briefs, len(ordered_twice(briefs, ideas))


def ordered_twice(briefs: Iterable[Brief], ideas: Collection[str]) -> list[str]:
    """The ids of the briefs whose idea is among ``ideas``, or came before it in their own list.

    A brief that replaces a rejected one is never among them: its cell is to be filled.
    """
    met = set(ideas)
    twice = []
    for brief in briefs:
        if brief.attempt == 1 and idea(brief) in met:
            twice.append(brief.id)
        met.add(idea(brief))
    return twice


def left_out(repeated: Iterable[tuple[str, str]]) -> list[str]:
    """What the report says of seeds that repeat another, given by their names."""
    said = "seed '{}' tells the story of '{}': nothing was ordered of it"
    return [said.format(*pair) for pair in repeated]


def used_up(number: int, twice: int) -> str:
    """What the report says of a round that could not find enough new ideas."""
    said = f"round {number}: {twice} briefs have the idea of an earlier one"
    return f"{said}; sections, kinds and facets are used up"
