"""As many tokens as another corpus has: what every ablation needs and rebuilds by hand.

Two corpora that are compared must not differ in size: published ones are matched to 0.5 % or
closer. Documents are left out, never cut.
"""

from __future__ import annotations

import numpy as np

from corpus.errors import InputError
from corpus.export.index import Index, Mask, Numbers

WITHIN = 0.005  # of the goal


def matched(index: Index, goal: int) -> Mask:
    """The rows that come to ``goal`` tokens, boundary tokens included.

    Every config keeps its share. Rows are taken in the order of their places; one that would pass
    the goal is left out, and a smaller one may still fit.

    Raises:
        InputError: they hold fewer tokens, or none of the sums found is within 0.5 % of the goal.
    """
    tokens, config, order = index.tokens, index.config, index.by_place()
    held = int(tokens.sum())
    if held < goal * (1 - WITHIN):
        raise InputError(
            f"--match-tokens {goal}: the documents hold {held:,} tokens; build more, or match less"
        )
    left, rest = goal, held
    kept = np.zeros(len(index), dtype=np.bool_)
    for code in sorted(range(len(index.configs)), key=lambda one: index.configs[one]):
        mine = order[config[order] == code]
        size = int(tokens[mine].sum())
        chosen = fitting(mine, tokens, round(left * size / rest) if rest else 0)
        kept[chosen] = True
        left -= int(tokens[chosen].sum())
        rest -= size
    if abs(left) > WITHIN * goal:
        raise InputError(
            f"--match-tokens {goal}: whole documents come to {goal - left:,} at best, more than "
            f"0.5 % away; match a larger number"
        )
    return kept


def fitting(rows: Numbers, tokens: Numbers, goal: int) -> Numbers:
    """Those of ``rows``, in their order, that fit into what the ones before left of ``goal``."""
    taken = []
    left = goal
    for number, size in zip(rows.tolist(), tokens[rows].tolist(), strict=True):
        if size <= left:
            taken.append(number)
            left -= size
    return np.array(taken, dtype=np.int64)
