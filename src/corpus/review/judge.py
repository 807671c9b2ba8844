"""The judge: the request for a judgement, and what its reply says.

A verdict that cannot be read is asked for again and then rejects: there is no default score.
"""

from __future__ import annotations

import re

from corpus import prompts
from corpus.order import Order
from corpus.records import Document, Reply, Request, Review

JUDGE_TRIES = 3
JUDGE_TOKENS = 1_500
MARKS = ("fidelity", "reasons", "realism", "brief", "prose")
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
WHOLE_STOPS = frozenset({"end_turn", "stop_sequence"})

_MARK = re.compile(r"\s*(\w+)\s*:\s*(.+?)\s*")


def ask(order: Order, document: Document, sample: int = 0) -> Request:
    """The request for a judgement, in a fresh context that knows only section, order and text."""
    dealt = "; ".join(f"{name}: {value}" for name, value in sorted(order.brief.facets.items()))
    slots = {
        **order.slots(),
        "what": order.kind.what,
        "dealt": f"{order.brief.words} words; {dealt}" if dealt else f"{order.brief.words} words",
        "text": _shown(document),
    }
    system, user = prompts.render("judge", slots)
    turns = ({"role": "user", "content": user},)
    return Request(
        "judge", order.model, system, turns, JUDGE_TOKENS, sample=sample, brief=order.brief.id
    )


def _shown(document: Document) -> str:
    if document.messages is None:
        return document.body
    return "\n\n".join(f"{turn['role'].upper()}: {turn['content']}" for turn in document.messages)


def read(document: Document, reply: Reply, at_least: int) -> Review | None:
    """The judge's review, or None where the reply is not exactly what was asked for.

    Every mark must be there once, whole and from 1 to 5; faults must be from the list; the verdict
    one of two words. It is accepted if the judge accepts and no mark is below ``at_least``.
    """
    block = re.fullmatch(r"\s*<review>(.*)</review>\s*", reply.text, re.DOTALL)
    if reply.stop not in WHOLE_STOPS or not block:
        return None
    lines = [line for line in block[1].split("\n") if line.strip()]
    fields = {found[1]: found[2] for line in lines if (found := _MARK.fullmatch(line))}
    if len(lines) != len(fields) or set(fields) != {*MARKS, "faults", "verdict"}:
        return None
    if any(fields[name] not in {"1", "2", "3", "4", "5"} for name in MARKS):
        return None
    faults = set() if fields["faults"] == "none" else set(re.split(r"\s*,\s*", fields["faults"]))
    if not faults <= FAULTS or fields["verdict"] not in {"accept", "reject"}:
        return None
    scores = {name: float(fields[name]) for name in MARKS}
    low = [f"low_{name}" for name in MARKS if scores[name] < at_least]
    if fields["verdict"] == "accept" and not low:
        return Review(document.id, "accept", (), scores)
    reasons = (*low, *(f"judge_{fault}" for fault in sorted(faults)))
    return Review(document.id, "reject", reasons or ("judge_rejects",), scores)
