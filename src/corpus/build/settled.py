"""A brief and what became of it, as the stages after the judge see it."""

from __future__ import annotations

import dataclasses

from corpus import dedup
from corpus.kinds.dealt import POOLS
from corpus.records import Brief, Document, Review
from corpus.score import Text


@dataclasses.dataclass
class Settled:
    """A brief and what became of it."""

    brief: Brief
    document: Document
    review: Review
    tokens: int = 0

    @property
    def names(self) -> list[str]:
        """The names that were dealt to it."""
        facets = self.brief.facets
        return [facets[pool] for pool in POOLS if pool in facets]

    @property
    def facets(self) -> dict[str, str]:
        """What else was dealt to it: a short list of values each, so each can be filled."""
        return {name: v for name, v in self.brief.facets.items() if name not in POOLS}

    def item(self) -> dedup.Item:
        """Its text as the search for near-copies takes it; the better mark stays."""
        score = sum(self.review.scores.values())
        masked = self.brief.stream == "stories"
        return dedup.Item(self.document.id, self.document.body, score=score, mask=masked)

    def text(self) -> Text:
        """Its text as the diversity suite reads it; of a chat, the answer."""
        brief, document = self.brief, self.document
        return Text(
            id=document.id,
            text=document.text or (document.messages or ())[-1]["content"],
            section=brief.section,
            stream=brief.stream,
            kind=brief.kind,
            facets=self.facets,
        )
