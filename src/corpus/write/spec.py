"""The plan of a text, and its verification against what was dealt.

The best published pipeline honoured all of its cards in 60.6 % of its plans. A plan here answers
for each card by number; what it leaves out is found without a model, what it answers wrongly by one
cheap call in a fresh context. A plan that drifts is thrown away before anything longer is paid for,
and its brief is dealt anew.
"""

from __future__ import annotations

import re

from corpus.order import Order
from corpus.records import SELF_ENDED, Reply, Request
from corpus.write.frames import between, request
from corpus.write.progress import Progress, Text

SPEC_WORDS = 600  # of an ordinary plan with its cards
CHECK_WORDS = 60
SHORTEST_PLAN = 40  # words
SHORTEST_CARD = 3  # words that say how a card shows

_CARD = re.compile(r"^\W{0,4}(\d+)\W{1,4}(.+)$")
_ANSWER = re.compile(r"\s*(\d+)\s*[:.]\s*(yes|no)\s*", re.IGNORECASE)


def ask(order: Order, _: Progress) -> Request:
    """The request for a plan."""
    both = order.assignment()
    if order.chat:
        both += f"\n\nAnd for the answer:\n\n{order.assignment(answer=True)}"
    return request("spec", order, SPEC_WORDS, assignment=both)


def read(order: Order, reply: Reply) -> Text:
    """The plan; it stops as ``unsuitable``, or ``drift_<card>`` for the first card it leaves out.

    ``drift_plan`` is a plan too short to be one, ``drift_names`` one without a name it was dealt.
    """
    if reply.stop in SELF_ENDED and "<unsuitable>" in reply.text:
        said, _ = between(reply, "unsuitable")
        return Text(said, "unsuitable", reply.key, reply.model)
    text, stop = between(reply, "spec")
    if stop in SELF_ENDED:
        stop = _drift(order, text) or stop
    return Text(text, stop, reply.key, reply.model)


def ask_check(order: Order, done: Progress) -> Request:
    """The request to hold the plan against the cards, without the section."""
    return request("check", order, CHECK_WORDS, spec=done.spec)


def read_check(order: Order, reply: Reply) -> Text:
    """The verdict on a plan: it stops as ``drift_<card>`` for the first card that got a "no".

    One line for each card and nothing else; anything else stops as ``check_unreadable``.
    """
    text, stop = between(reply, "check")
    if stop not in SELF_ENDED:
        return Text(text, stop, reply.key, reply.model)
    lines = [_ANSWER.fullmatch(line) for line in text.split("\n") if line.strip()]
    answers = {int(found[1]): found[2].lower() for found in lines if found}
    cards = order.planned()
    if len(answers) != len(lines) or set(answers) != set(range(1, len(cards) + 1)):
        return Text(text, "check_unreadable", reply.key, reply.model)
    lost = [name for number, (name, _) in enumerate(cards, 1) if answers[number] == "no"]
    return Text(text, f"drift_{lost[0]}" if lost else stop, reply.key, reply.model)


def _drift(order: Order, plan: str) -> str:
    """What a plan leaves out, as a stop; empty if nothing."""
    lines = plan.split("\n")
    answered = {int(found[1]): found[2] for line in lines if (found := _CARD.match(line))}
    body = " ".join(line for line in lines if not _CARD.match(line))
    if len(body.split()) < SHORTEST_PLAN:
        return "drift_plan"
    if any(name.casefold() not in plan.casefold() for name in order.names()):
        return "drift_names"
    for number, (name, _) in enumerate(order.planned(), 1):
        if len(answered.get(number, "").split()) < SHORTEST_CARD:
            return f"drift_{name}"
    return ""
