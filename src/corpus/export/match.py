"""As many tokens as another corpus has: what every ablation needs and rebuilds by hand.

Two corpora that are compared must not differ in size: published ones are matched to 0.5 % or
closer. Documents are left out, never cut.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from corpus.errors import InputError
from corpus.export.split import place
from corpus.formats import Row

WITHIN = 0.005  # of the goal


def matched(rows: Sequence[Row], goal: int, seed: int) -> list[Row]:
    """Those of ``rows`` that come to ``goal`` tokens, boundary tokens included, in their order.

    Every config keeps its share. Rows are taken in a seeded order; one that would pass the goal is
    left out, and a smaller one may still fit.

    Raises:
        InputError: they hold fewer tokens, or none of the sums found is within 0.5 % of the goal.
    """
    held = sum(len(row.ids) for row in rows)
    if held < goal * (1 - WITHIN):
        raise InputError(
            f"--match-tokens {goal}: the documents hold {held:,} tokens; build more, or match less"
        )
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: place(row, seed)):
        groups[row.config].append(row)
    left = goal
    rest = held
    kept: Counter[str] = Counter()
    for _, group in sorted(groups.items()):
        mine = sum(len(row.ids) for row in group)
        taken = _taken(group, round(left * mine / rest))
        kept.update(row.id for row in taken)
        left -= sum(len(row.ids) for row in taken)
        rest -= mine
    if abs(left) > WITHIN * goal:
        raise InputError(
            f"--match-tokens {goal}: whole documents come to {goal - left:,} at best, more than "
            f"0.5 % away; match a larger number"
        )
    return [row for row in rows if kept[row.id]]


def _taken(rows: Sequence[Row], goal: int) -> list[Row]:
    taken, left = [], goal
    for row in rows:
        if len(row.ids) <= left:
            taken.append(row)
            left -= len(row.ids)
    return taken
