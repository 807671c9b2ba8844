"""Document -> gates, cheapest first, then a request for the judge; reply -> review.

A gate is a function of a text that gives the words for what is wrong with it, or nothing. The judge
is asked only about what the gates let through. A verdict that cannot be read is asked for again and
then rejects: there is no default score.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

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

_SHORTEST, _LONGEST = 0.5, 1.8  # of the words that were ordered
_COMPACT_SHORTEST, _COMPACT_LONGEST = 40, 400  # words, for a writer that cannot count
_CHAT_SHORTEST = 0.25  # answers may be brief
_SHORTEST_MESSAGE = 8  # words; below that there is no case in it
_TAG = re.compile(
    r"</?(?:document|answer|message|defects|section|seed|draft|content|text|thinking)\b",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"\[(?:insert|your|name|date|company|city|title|link|source|tone|recipient|sender)\b[^\]]{0,200}\]|"
    r"(?-i:\[[A-Z][a-z]+(?: [A-Za-z']+){0,5}\])(?!\()|\bLorem ipsum\b|(?-i:\bXXX+\b)|"
    r"\{\{|<(?:name|date|insert)[^>]{0,200}>",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://|\bwww\.\w|\b[\w.]{1,64}@\w+\.\w{2,}\b")
_MACHINE = re.compile(
    r"\bas an? (?:AI|artificial intelligence)?[ -]*(?:large )?language model\b|"
    r"\bAI language model\b|\bmy training data\b|\bknowledge cutoff\b|"
    r"\bI(?:'m| am) (?:just )?an AI assistant created by\b",
    re.IGNORECASE,
)
_TASK = re.compile(
    r"^\W*(?:sure|certainly|of course|absolutely)\b[^.\n]{0,40}[!,:]|"
    r"^\W*(?:here(?:'s| is| are)|below is) (?:a|an|the|my|your|one)\b[^.\n]{0,80}"
    r"\b(?:story|document|essay|entry|text|version|letter|message|draft|response|example)\b|"
    r"\b(?:word count|this prompt|the prompt|the assignment|the brief above|system prompt|"
    r"the user's request|I hope this (?:helps|meets))\b",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"^\W*(?:I(?:'m| am) (?:really |very |so )?sorry,? (?:but|that|I)\b|I (?:cannot|can't|can not|"
    r"won't|am unable to|'m unable to) (?:help|assist|write|create|fulfil|comply|provide|generate|"
    r"do that)\b|unfortunately,? I (?:cannot|can't))",
    re.IGNORECASE,
)
_END = re.compile(r"[.!?…:)\]\"'”’»*_`|>~。！？]\s*$|\n[-–—]\s?\S[^\n]{0,60}$")
_MARK = re.compile(r"\s*(\w+)\s*:\s*(.+?)\s*")


def gates(order: Order, document: Document, stop: str) -> tuple[str, ...]:
    """The reasons for which a text is rejected unread, in the order of the gates; () lets it pass.

    ``stop`` is the stop reason of the last reply: only a text that ended by itself is whole.
    """
    if stop not in WHOLE_STOPS:
        return (f"stop_{stop}",)
    text = document.body if document.messages is None else document.messages[-1]["content"]
    return tuple(_faults(order, text)) + tuple(_message_faults(order, document))


def _faults(order: Order, text: str) -> Iterator[str]:
    words = len(text.split())
    low, high = _bounds(order)
    if words < low:
        yield "too_short"
    if words > high:
        yield "too_long"
    if not _END.search(text):
        yield "no_ending"
    if _REFUSAL.search(text):
        yield "refusal"
    yield from _artefacts(text)


def _artefacts(text: str) -> Iterator[str]:
    gate_of = {
        "tags": _TAG,
        "placeholder": _PLACEHOLDER,
        "link": _LINK,
        "machine_talk": _MACHINE,
        "task_talk": _TASK,
    }
    yield from (reason for reason, pattern in gate_of.items() if pattern.search(text))


def _message_faults(order: Order, document: Document) -> Iterator[str]:
    """What is wrong with the user's side of a chat."""
    if not order.chat or not document.messages:
        return
    message = document.messages[0]["content"]
    if len(message.split()) < _SHORTEST_MESSAGE or _REFUSAL.search(message):
        yield "message_unusable"
    yield from (f"message_{reason}" for reason in _artefacts(message))


def _bounds(order: Order) -> tuple[float, float]:
    if order.compact:
        return _COMPACT_SHORTEST, _COMPACT_LONGEST
    shortest = _CHAT_SHORTEST if order.chat else _SHORTEST
    return shortest * order.brief.words, _LONGEST * order.brief.words


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


def rejected(document: Document, reasons: Iterable[str]) -> Review:
    """A rejection for ``reasons``."""
    return Review(document.id, "reject", tuple(reasons))


def passed(document: Document) -> Review:
    """An acceptance by the gates alone, for a writer that cannot judge."""
    return Review(document.id, "accept")
