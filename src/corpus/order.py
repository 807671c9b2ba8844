"""A brief with everything that it names: what the prompts of its stages are filled from.

A brief is an id card; an order is the file behind it. Writing and review both work from it, and it
knows nothing of either.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from string import Template

from corpus.kinds import SEED_SLOTS, Kind
from corpus.kinds.dealt import POOLS, SPARE, tool_list
from corpus.records import Brief, Principle, Section, Seed

NO_SYSTEM = "none"  # the system_form of a chat that has no system prompt
ENGLISH = "English"
LONG = 2_000  # words of a text from which on its plan may be longer
NEAR = 0.1  # of the length ordered: how far off a writer is told that a text may be
MANNER = frozenset(  # facets of the finished page; a plan need not settle them, the assignment does
    {"ai", "grammar", "register", "texture", "audience", "message_form", "system_form", "opening",
     "finish", "close", "leave_off", "inner", "length_feel"}
)  # fmt: skip


@dataclass(frozen=True)
class Order:
    """A brief with everything it names: what the prompts of its stages are filled from.

    ``others`` are all principles of the section, ``injection`` the values under which an answer is
    drafted (they never enter the record), ``tools`` tool definitions as JSON, ``bans`` what the
    corpus has too much of by now, ``without`` the ablations: ``reasons``, ``constitution``.
    """

    brief: Brief
    section: Section
    principle: Principle
    kind: Kind
    seed: Seed | None
    ai_name: str
    model: str
    compact: bool = False
    others: tuple[Principle, ...] = ()
    injection: str = ""
    tools: str = ""
    bans: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()

    @property
    def chat(self) -> bool:
        """Whether this order is for a chat: a message first, then an answer to it."""
        return self.kind.shape == "chat"

    @property
    def tag(self) -> str:
        """The tag between which the finished text stands."""
        return "answer" if self.chat else "document"

    @property
    def system_form(self) -> str:
        """The form of the chat's system prompt; empty where there is none."""
        form = self.brief.facets.get("system_form", NO_SYSTEM)
        return "" if form == NO_SYSTEM else form

    @property
    def flags(self) -> set[str]:
        """What the frames ask: which of their lines stand."""
        given = {
            "chat": self.chat,
            "story": self.brief.stream == "stories",
            "system": bool(self.chat and self.system_form),
            "tools": bool(self.tools),
            "injection": bool(self.injection),
            "context": bool(self.section.context),
            "bans": bool(self.bans),
            "names": bool(self.names()),
            "spare": bool(self.spare()),
            "language": self.language != ENGLISH,
            "reasons": "reasons" not in self.without,
            "why": "reasons" not in self.without and self.principle.why != self.principle.statement,
            "constitution": "constitution" not in self.without,
        }
        hidden = set() if given["constitution"] else {"context"}
        return {name for name, on in given.items() if on} - hidden

    @property
    def language(self) -> str:
        """The language of the text, by its English name."""
        return self.brief.language or ENGLISH

    def facets(self) -> dict[str, str]:
        """What was dealt, the AI's own name in its place."""
        return {
            name: self.ai_name if name == "ai" and value == "own" else value
            for name, value in self.brief.facets.items()
        }

    def cards(self) -> list[tuple[str, str]]:
        """Name and value of each facet that the finished text has to show, in a fixed order."""
        dealt = {name: v for name, v in self.facets().items() if name not in POOLS}
        length = ("length", f"about {self.brief.words} words{' (the answer)' if self.chat else ''}")
        own = ("language", self.language)
        return [*sorted(dealt.items()), length, *([own] if own[1] != ENGLISH else [])]

    def planned(self) -> list[tuple[str, str]]:
        """The cards that a plan must answer for: what happens, to whom, and what comes of it.

        How the page is to look is said by the assignment, which the draft and the rewrite have; an
        answer for each of those cards would be paid for and checked, and settle nothing.
        """
        dealt = [(k, v) for k, v in sorted(self.facets().items()) if k not in POOLS]
        return [card for card in dealt if card[0] not in MANNER] or self.cards()

    def names(self) -> tuple[str, ...]:
        """The names that must be used: people, town, institution, and an AI that has a name."""
        facets = self.facets()
        ai = facets.get("ai", "")
        proper = (ai,) if ai[:1].isupper() else ()
        pools = () if self.seed else POOLS
        return (*(facets[pool] for pool in pools if pool in facets), *proper)

    def spare(self) -> tuple[str, ...]:
        """Names of a story's place that may be used: its seed has named most of the people."""
        return tuple(self.brief.facets[p] for p in SPARE if self.seed and p in self.brief.facets)

    def metadata(self) -> dict[str, str]:
        """What a record says of how it was dealt; a story says that it is one."""
        own = {"language": self.brief.language} if self.brief.language else {}
        fiction = {"fiction": "yes"} if self.brief.stream == "stories" else {}
        return {**self.brief.facets, **own, **fiction}

    def slots(self) -> dict[str, str]:
        """All values that a kind's prompt or a frame may name."""
        seed = self.seed.row() if self.seed else {}
        facets = self.facets()
        for name in SEED_SLOTS & seed.keys():  # material: no part of the instructions around it
            seed[name] = f"<seed>{seed[name]}</seed>"
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

    def frame(self) -> dict[str, str]:
        """The slots of the frames around an assignment."""
        return {
            **self.slots(),
            "cards": numbered(f"{name}: {value}" for name, value in self.planned()),
            "plan_words": str(220 if self.brief.words < LONG else 420),
            "least": str(round(self.brief.words * (1 - NEAR))),
            "most": str(round(self.brief.words * (1 + NEAR))),
            "principles": numbered(f"{p.statement} Why: {p.why}" for p in self.held()),
            "system_form": self.system_form,
            "injection": self.injection,
            "tool_list": tool_list(json.loads(self.tools)) if self.tools else "",
            "bans": _bans(self.bans),
            "names": "; ".join(self.names()),
            "spare": "; ".join(self.spare()),
            "tongue": self.language,
            "language": f"\nWrite it in {self.language}, as somebody who grew up with it writes; "
            f"where the assignment says English, {self.language} is meant.",
        }

    def held(self) -> tuple[Principle, ...]:
        """The principles that an answer may come from, in the order of the section.

        The same for every brief of the section, so that they stand in a prefix that is cached.
        """
        others = self.others
        return others if self.principle in others else (self.principle, *others)

    def assignment(self, *, answer: bool = False) -> str:
        """The kind's prompt with its slots filled; for a chat the message's, or the answer's.

        The paragraph about a system prompt is left out where there is none.
        """
        text = self.kind.answer if answer and self.kind.answer else self.kind.prompt
        if self.brief.facets.get("system_form") == NO_SYSTEM:
            text = "\n\n".join(part for part in text.split("\n\n") if "$system_form" not in part)
        return Template(text).substitute(self.slots())


def numbered(lines: Iterable[str]) -> str:
    """Lines with their numbers, from 1."""
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def _bans(bans: tuple[str, ...]) -> str:
    listed = "\n".join(f"- {ban}" for ban in bans)
    return f"\nThe library has too much of these by now; none of them may come again:\n{listed}"


def _context(section: Section) -> str:
    return f"\nWhat stands above it:\n\n{section.context}\n" if section.context else ""
