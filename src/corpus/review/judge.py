"""The judge: the request for a judgement, and what its reply says.

A verdict that cannot be read is asked for again and then rejects: there is no default score.

A second judge is *blind*: it has the same rubric in a context that knows nothing of cards or order.
It decides nothing. The gap between the two is published with the corpus, because a judge that saw
the order flatters: the one published replica's was 2.7 points of 10 above a blind one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from corpus import prompts
from corpus.order import Order
from corpus.records import SELF_ENDED, Document, Reply, Request, Review

JUDGE_TRIES = 3
JUDGE_TOKENS = 1_500
MARKS = ("fidelity", "reasons", "realism", "brief", "moralising", "prose")
FATAL = frozenset(  # whatever the verdict beside them says
    {"contradicts", "cut_off", "off_brief", "ai_misbehaves", "evaluation_like", "meta_talk",
     "placeholder"}
)  # fmt: skip
FAULTS = frozenset(
    {
        "contradicts",
        "no_reason",
        "recites",
        "moralises",
        "invented_fact",
        "real_person",
        "placeholder",
        "cut_off",
        "off_brief",
        "stock_phrases",
        "ai_misbehaves",
        "evaluation_like",
        "meta_talk",
        "flatters",
    }
)

_MARK = re.compile(r"\s*(\w+)\s*:\s*(.+?)\s*")


def marks(order: Order, *, blind: bool = False) -> tuple[str, ...]:
    """The marks that a judge gives: none for what it cannot see, or an ablation left out."""
    flags = order.flags
    given = {
        "fidelity": "constitution" in flags,
        "reasons": {"constitution", "reasons"} <= flags,
        "brief": not blind,
    }
    return tuple(mark for mark in MARKS if given.get(mark, True))


def ask(order: Order, document: Document, sample: int = 0, doubts: Sequence[str] = ()) -> Request:
    """The request for a judgement, in a fresh context that knows only section, order and text.

    ``doubts`` are families of tests that the text comes near to: it is told to look twice.
    """
    return _request("judge", order, document, sample, doubts)


def ask_blind(order: Order, document: Document, sample: int = 0) -> Request:
    """The same of a judge that sees section, claim and text, and nothing of what was dealt."""
    return _request("blind", order, document, sample)


def _request(
    stage: str, order: Order, document: Document, sample: int, doubts: Sequence[str] = ()
) -> Request:
    slots = {
        **order.frame(),
        "what": order.kind.what,
        "dealt": "; ".join(f"{name}: {value}" for name, value in order.cards()),
        "faults": ", ".join(sorted(FAULTS - ({"off_brief"} if stage == "blind" else set()))),
        "text": _shown(document),
        "doubts": ", ".join(doubts).replace("_", " "),
    }
    given = set(marks(order, blind=stage == "blind"))
    names = {"fidelity": "fidelity", "reasons": "why", "brief": "cards"}
    flags = {names[mark] for mark in given & names.keys()} | (
        order.flags & {"constitution", "tools"}
    )
    flags |= {"doubts"} if doubts else set()
    system, user = prompts.render("judge", slots, flags)
    turns = ({"role": "user", "content": user},)
    return Request(
        stage, order.model, system, turns, JUDGE_TOKENS, sample=sample, brief=order.brief.id
    )


def _shown(document: Document) -> str:
    if document.messages is None:
        return document.body
    return "\n\n".join(f"{turn['role'].upper()}: {turn['content']}" for turn in document.messages)


def read(
    document: Document, reply: Reply, at_least: int, given: Sequence[str] = MARKS
) -> Review | None:
    """The judge's review, or None where the reply is not exactly what was asked for.

    Every mark must be there once, whole and from 1 to 5; faults must be from the list; the verdict
    one of two words. It is accepted if the judge accepts, names no fault of ``FATAL``, and gives no
    mark below ``at_least``.
    """
    block = re.fullmatch(r"\s*<review>(.*)</review>\s*", reply.text, re.DOTALL)
    if reply.stop not in SELF_ENDED or not block:
        return None
    lines = [line for line in block[1].split("\n") if line.strip()]
    fields = {found[1]: found[2] for line in lines if (found := _MARK.fullmatch(line))}
    if len(lines) != len(fields) or set(fields) != {*given, "faults", "verdict"}:
        return None
    if any(fields[name] not in {"1", "2", "3", "4", "5"} for name in given):
        return None
    faults = set() if fields["faults"] == "none" else set(re.split(r"\s*,\s*", fields["faults"]))
    if not faults <= FAULTS or fields["verdict"] not in {"accept", "reject"}:
        return None
    scores = {name: float(fields[name]) for name in given}
    low = [f"low_{name}" for name in given if scores[name] < at_least]
    if fields["verdict"] == "accept" and not low and not faults & FATAL:
        return Review(document.id, "accept", (), scores)
    reasons = (*low, *(f"judge_{fault}" for fault in sorted(faults)))
    return Review(document.id, "reject", reasons or ("judge_rejects",), scores)
