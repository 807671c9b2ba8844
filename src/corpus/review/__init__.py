"""Document -> gates, cheapest first, then a request for the judge; reply -> review.

A gate is a function of a text that gives the words for what is wrong with it, or nothing. The judge
is asked only about what the gates let through. Gates are kept precise rather than keen: a text
that one of them rejects was paid for, and what slips through still meets the judge. Their
precision and recall on a set of texts with known faults are in ``tests/test_calibration.py``. They
read English; in another language most of them are silent.

What the rules are, and why: "Teaching Claude why" (Anthropic, 2026), whose preamble asks for no
facts of the world outside, no dates, authors, credentialed people, links or placeholders, and
bans names; and the audits of a published replica (sentfutures/alignment-data-pipeline, 2026),
which counted codas, stock turns and texts that were cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from corpus.order import Order
from corpus.records import SELF_ENDED, Document, Review
from corpus.review import artefacts, manner, outside, voice
from corpus.review.against import Against, straight
from corpus.review.judge import (
    FAULTS,
    JUDGE_TOKENS,
    JUDGE_TRIES,
    MARKS,
    ask,
    ask_blind,
    marks,
    read,
)

__all__ = [
    "FAULTS",
    "JUDGE_TOKENS",
    "JUDGE_TRIES",
    "MARKS",
    "Against",
    "ask",
    "ask_blind",
    "check",
    "gates",
    "marks",
    "passed",
    "read",
    "rejected",
]

_SHORTEST_MESSAGE = 8  # words; below that there is no case in it

Turns = Sequence[Mapping[str, str]]


def gates(order: Order, document: Document, stop: str) -> tuple[str, ...]:
    """The reasons for which a text is rejected unread, in the order of the gates; () lets it pass.

    ``stop`` is the stop reason of the last reply: only a text that ended by itself is whole.
    """
    if stop.startswith("drift_") or stop in {"unsuitable", "check_unreadable"}:
        return (stop,)  # the plan's own words
    if stop not in SELF_ENDED:
        return (f"stop_{stop}",)
    return check(document.messages or document.body, Against.of(order))


def check(text: str | Turns, against: Against | None = None) -> tuple[str, ...]:
    """``gates`` for a bare text, or for the turns of a chat: no order is needed.

    The reasons for what is wrong on the user's side of a chat begin with ``message_``, those for
    its system prompt with ``system_``.
    """
    held = against or Against()
    if isinstance(text, str):
        return tuple(_faults(straight(text), held))
    turns = [{**turn, "content": straight(turn["content"])} for turn in text]
    answer = turns[-1]["content"]
    return (*_faults(answer, held, chat=True), *manner.chat(answer), *_other_turns(turns, held))


def _faults(text: str, against: Against, *, chat: bool = False) -> Iterator[str]:
    words = len(text.split())
    if words < against.shortest:
        yield "too_short"
    if words > against.longest:
        yield "too_long"
    if not artefacts.ended(text):
        yield "no_ending"
    if artefacts.declines(text) if chat else artefacts.refuses(text):
        yield "refusal"
    yield from artefacts.faults(text, against)
    yield from outside.faults(text, against)
    yield from voice.faults(text, against)
    yield from manner.faults(text)


def _other_turns(turns: Turns, against: Against) -> Iterator[str]:
    """What is wrong with the turns that are not an answer."""
    found: list[str] = []
    asked = [turn["content"] for turn in turns if turn["role"] == "user"]
    if asked and (len(asked[0].split()) < _SHORTEST_MESSAGE or artefacts.refuses(asked[0])):
        found.append("message_unusable")
    for message in asked:
        found += (f"message_{reason}" for reason in artefacts.faults(message, against))
        found += (f"message_{reason}" for reason in outside.faults(message, against))
    for system in (turn["content"] for turn in turns if turn["role"] == "system"):
        found += (f"system_{reason}" for reason in artefacts.leftovers(system))
        found += (f"system_{reason}" for reason in outside.providers(system, against))
    yield from dict.fromkeys(found)


def rejected(document: Document, reasons: Iterable[str]) -> Review:
    """A rejection for ``reasons``."""
    return Review(document.id, "reject", tuple(reasons))


def passed(document: Document) -> Review:
    """An acceptance by the gates alone, for a writer that cannot judge."""
    return Review(document.id, "accept")
