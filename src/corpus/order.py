"""A brief with everything that it names: what the prompts of its stages are filled from.

A brief is an id card; an order is the file behind it. Writing and review both work from it, and it
knows nothing of either.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import Template

from corpus.kinds import Kind
from corpus.records import Brief, Principle, Section, Seed


@dataclass(frozen=True)
class Order:
    """A brief with everything it names: what the prompts of its stages are filled from."""

    brief: Brief
    section: Section
    principle: Principle
    kind: Kind
    seed: Seed | None
    ai_name: str
    model: str
    compact: bool = False

    @property
    def chat(self) -> bool:
        """Whether this order is for a chat: a message first, then an answer to it."""
        return self.kind.shape == "chat"

    @property
    def tag(self) -> str:
        """The tag between which the finished text stands."""
        return "answer" if self.chat else "document"

    def slots(self) -> dict[str, str]:
        """All values that a kind's prompt or a frame may name."""
        facets = {
            name: self.ai_name if name == "ai" and value == "own" else value
            for name, value in self.brief.facets.items()
        }
        seed = self.seed.row() if self.seed else {}
        if self.seed:  # material, whatever it says: no part of the instructions around it
            seed["premise"] = f"<seed>{self.seed.premise}</seed>"
        return {
            **{name: str(value) for name, value in seed.items() if isinstance(value, str)},
            **facets,
            "words": str(self.brief.words),
            "statement": self.principle.statement,
            "why": self.principle.why,
            "quote": self.principle.quote,
            "title": " > ".join(self.section.path),
            "section": self.section.text,
            "context": _context(self.section),
            "ai": facets.get("ai", self.ai_name),
        }

    def assignment(self, *, answer: bool = False) -> str:
        """The kind's prompt with its slots filled; for a chat the message's, or the answer's."""
        text = self.kind.answer if answer and self.kind.answer else self.kind.prompt
        return Template(text).substitute(self.slots())


def _context(section: Section) -> str:
    return f"\nWhat stands above it:\n\n{section.context}\n" if section.context else ""
