"""How far a text has come: what each step gave, and how the last reply ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from corpus.records import SELF_ENDED

WHOLE = "end_turn"


@dataclass(frozen=True, slots=True)
class Text:
    """What a reply gave: the text, the stop reason, and the request that bought it.

    ``aside`` is what came with it and is not the text: the system prompt above a message, the
    notes under an answer.
    """

    text: str
    stop: str
    request: str
    model: str
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """The texts of an order by step, in the order in which they were written."""

    texts: Mapping[str, Text] = field(default_factory=dict)

    def add(self, step: str, text: Text) -> Self:
        """The same with one more."""
        return replace(self, texts={**self.texts, step: text})

    def stand_in(self, step: str) -> Self:
        """The same with a mark in the place of a text, for showing what would be asked."""
        mark = f"[the {step}]"
        return self.add(step, Text(mark, WHOLE, "", "", aside="[the system prompt]"))

    @property
    def last(self) -> Text:
        """The newest version of the text; an empty one before the first.

        A plan, a verdict on it and the message of a chat are none: what stopped at one of them was
        never written.
        """
        written = [text for step, text in self.texts.items() if step in {"draft", "rewrite"}]
        return written[-1] if written else Text("", WHOLE, "", "")

    @property
    def stop(self) -> str:
        """How the last reply ended: only a text that ended by itself goes any further."""
        return list(self.texts.values())[-1].stop if self.texts else WHOLE

    @property
    def alive(self) -> bool:
        """Whether the next step may be asked: the last reply ended by itself and said something."""
        newest = list(self.texts.values())[-1] if self.texts else None
        return newest is None or (newest.stop in SELF_ENDED and bool(newest.text))

    @property
    def parents(self) -> tuple[str, ...]:
        """The requests behind all texts but the last."""
        last = self.last.request
        return tuple(text.request for text in self.texts.values() if text.request != last)

    @property
    def spec(self) -> str:
        """The plan; empty where there is none."""
        return self.texts["spec"].text if "spec" in self.texts else ""

    @property
    def message(self) -> str:
        """The user's message as it stands now."""
        return self._spoken.text

    @property
    def system(self) -> str:
        """The system prompt as it stands now."""
        return self._spoken.aside

    @property
    def draft(self) -> Text:
        """The first version of the text or answer."""
        return self.texts.get("draft", Text("", WHOLE, "", ""))

    @property
    def _spoken(self) -> Text:
        none = Text("", WHOLE, "", "")
        return self.texts.get("polish") or self.texts.get("message") or none
