"""One of each noun, small and whole; every builder takes what a test wants otherwise."""

from __future__ import annotations

import dataclasses
from typing import Any

from corpus.kinds import Kind
from corpus.order import Order
from corpus.records import Brief, Document, Principle, Reply, Section, Seed
from corpus.write import Progress, Text, document

TEXT = (
    "Otis should say what is so, because people build on its words. It must never dress a guess as "
    "knowledge, since nobody can see the difference from outside."
)
QUOTE = "Otis should say what is so, because people build on its words."
CLEAN = (
    "The depot keeps a board by the gate. On it stands what the helper knew at six and what it "
    "only supposed, in two columns. The drivers read the first and ask about the second, because "
    "a guess that looks like knowledge has cost them a morning before."
)
"""A text of some fifty words with nothing wrong in it."""

PLAN = (
    "plan: A board hangs by the gate of a depot, in two columns, and Ilka wants to know who keeps "
    "it. The helper does. It writes there what it knows and what it only supposes, because a guess "
    "that looked like knowledge sent two vans to the wrong bridge in the spring.\n"
    "turn: She asks it to move one line from the second column to the first, and it does not.\n"
    "1: dry, as a notice is, and without a greeting"
)
"""A plan that honours the one card of a notice that a plan must answer for: its tone."""

MESSAGE = "my landlord wants a reference from my brother and he wants me to write it, is that ok"


def section(**other: Any) -> Section:
    given = {"id": "truth~1", "path": ("Charter", "Telling the truth"), "text": TEXT}
    return Section(**given | other)


def principle(**other: Any) -> Principle:
    given = {
        "id": "p1",
        "section": "truth~1",
        "statement": "Otis says what is so.",
        "why": "People build on its words.",
        "quote": QUOTE,
        "source": "model",
    }
    return Principle(**given | other)


def kind(**other: Any) -> Kind:
    given = {
        "name": "notice",
        "stream": "documents",
        "what": "a notice on a door",
        "words": (40, 60),
        "weight": 1.0,
        "facets": {"tone": {"dry": 1.0, "warm": 1.0}},
        "prompt": "A notice by $person, $tone, of $words words. It shows: $statement Why: $why",
        "answer": None,
        "group": "crawl",
        "shape": "prose",
    }
    return Kind(**given | other)


def chat_kind() -> Kind:
    return kind(
        name="query",
        stream="advice",
        prompt="A message in a $tone voice.",
        answer="Answer it: $statement",
        shape="chat",
    )


def story_kind() -> Kind:
    return kind(name="tale", stream="stories", prompt="$premise It ends: $ending In a $tone voice.")


def seed(**other: Any) -> Seed:
    given = {
        "id": "s1",
        "name": "the-late-tram",
        "premise": "A tram is late and the assistant has to say whose fault it is. It was its own.",
        "skill": "admitting error early",
        "stakes": "ordinary",
        "setting": "A depot by a river.",
        "ending": "The gate is closed.",
        "tags": ("error",),
    }
    return Seed(**given | other)


def brief(**other: Any) -> Brief:
    given = {
        "id": "b1",
        "stream": "documents",
        "kind": "notice",
        "section": "truth~1",
        "principle": "p1",
        "seed": None,
        "words": 50,
        "facets": {"tone": "dry", "person": "Ilka"},
        "number": 1,
        "round": 1,
    }
    return Brief(**given | other)


def order(of: Kind | None = None, **other: Any) -> Order:
    """An order for a kind: a notice where none is given; stories get the seed."""
    wanted = of or kind()
    dealt = brief(kind=wanted.name, stream=wanted.stream)
    given = {
        "brief": dealt,
        "section": section(),
        "principle": principle(),
        "kind": wanted,
        "seed": seed() if wanted.stream == "stories" else None,
        "ai_name": "Otis",
        "model": "claude-sonnet-5-5",
    }
    return Order(**given | other)


def reply(text: str, **other: Any) -> Reply:
    return Reply(**{"key": "k1", "text": text, "stop": "end_turn", "model": "m1"} | other)


def written(text: str, of: Order | None = None, *, message: str = MESSAGE) -> Document:
    """The document that ``text`` becomes under an order."""
    wanted = of or order()
    return document(wanted, progress(wanted, text, message=message), writer="claude", quality=None)


def progress(of: Order, text: str | None = None, *, message: str = MESSAGE) -> Progress:
    """What an order has come to: a plan, of a chat the message, and the text where there is one."""
    done = Progress().add("spec", Text(PLAN, "end_turn", "k0", "m1"))
    if of.chat:
        above = "Be brief. The shop opens at nine." if of.system_form else ""
        done = done.add("message", Text(message, "end_turn", "k0", "m1", aside=above))
    return done if text is None else done.add("draft", Text(text, "end_turn", "k1", "m1"))


def with_words(given: Order, words: int) -> Order:
    return dataclasses.replace(given, brief=dataclasses.replace(given.brief, words=words))
