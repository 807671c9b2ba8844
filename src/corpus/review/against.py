"""What a text is held against: what was ordered, what was dealt, what its author cannot know."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from corpus.kinds.dealt import POOLS
from corpus.order import Order
from corpus.records import Stream

LAY = "Lay view"  # how the author facet begins where nobody has read the constitution

_SHORTEST, _LONGEST = 0.5, 1.8  # of the words that were ordered
_COMPACT_SHORTEST, _COMPACT_LONGEST = 40, 400  # words, for a writer that cannot count
_CHAT_SHORTEST = 0.25  # answers may be brief


@dataclass(frozen=True)
class Against:
    """What a text is held against; with no order, nothing but itself.

    ``shortest`` and ``longest`` count words. ``section`` is what the text was to carry: a lay
    author cannot have read it, and what stands in it is never held against a text as an outside
    fact. ``dealt`` are the names that were dealt, which the text was told to use.
    ``allowed_names`` are the AIs and firms that it may speak of; one name of a provider allows
    all of that provider's.
    """

    stream: Stream = "documents"
    shortest: float = 0
    longest: float = math.inf
    lay: bool = False
    section: str = ""
    dealt: tuple[str, ...] = ()
    allowed_names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, order: Order) -> Self:
        """What the text of an order is held against."""
        shortest, longest = _bounds(order)
        facets = order.brief.facets
        names = (order.slots()["ai"], *(facets[pool] for pool in POOLS if pool in facets))
        claim = order.principle
        return cls(
            stream=order.brief.stream,
            shortest=shortest,
            longest=longest,
            lay=facets.get("author", "").startswith(LAY),
            section=f"{order.section.text}\n{claim.statement}\n{claim.why}",
            dealt=names,
            allowed_names=frozenset({order.ai_name}),
        )

    @property
    def fiction(self) -> bool:
        """Whether the text is a story, in which a date claims nothing."""
        return self.stream == "stories"

    @cached_property
    def known(self) -> str:
        """Everything that the text was given, to look its words up in."""
        return straight("\n".join((*self.dealt, self.section))).casefold()

    def unknown(self, pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
        """Yield the matches whose words the text was not given."""
        for found in pattern.finditer(text):
            if found[0].strip().casefold() not in self.known:
                yield found

    def has(self, pattern: re.Pattern[str], text: str) -> bool:
        """Whether there is such a match."""
        return next(self.unknown(pattern, text), None) is not None


def straight(text: str) -> str:
    """The text with straight apostrophes, as the patterns have them."""
    return text.replace("\u2019", "'")


def _bounds(order: Order) -> tuple[float, float]:
    if order.compact:
        return _COMPACT_SHORTEST, _COMPACT_LONGEST
    shortest = _CHAT_SHORTEST if order.chat else _SHORTEST
    return shortest * order.brief.words, _LONGEST * order.brief.words
