"""A given chat -> a request to rewrite its last answer with its reasons; reply -> the answer.

The published step: the same conduct, with values and reasons spelled out, took misalignment from
15 % to 3 % where the conduct alone had taken it from 22 % to 15 % ("Teaching Claude why", 2026).
Pure both ways; it works on chats that this program did not write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from corpus import prompts
from corpus.order import numbered
from corpus.records import Principle, Reply, Request

TOKENS_PER_WORD, HEADROOM = 2.2, 1_200
LONGEST = 2.5  # of the words that the answer had, and 120 more
SHORTEST = 0.4
MOST_PRINCIPLES = 80  # that a request lists: the same in all, so that they are a cached prefix

_NEW = re.compile(r"<rewritten>(.*)</rewritten>", re.DOTALL)


def answer_of(messages: object) -> str:
    """The last answer of a chat; empty where the last turn is none, or is no text."""
    last = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(last, Mapping) or last.get("role") != "assistant":
        return ""
    content = last.get("content")
    return content if isinstance(content, str) else ""


def ask(row: Mapping[str, Any], principles: Sequence[Principle], model: str) -> Request:
    """The request for one chat; ``principles`` must be the same for all."""
    turns = row["messages"]
    answer = answer_of(turns)
    chat = "\n\n".join(f"{turn['role'].upper()}: {turn['content']}" for turn in turns[:-1])
    if row.get("tools"):
        chat = f"TOOLS: {row['tools']}\n\n{chat}"
    slots = {
        "principles": numbered(f"{p.statement} Why: {p.why}" for p in principles),
        "chat": chat,
        "answer": answer,
        "words": str(len(answer.split())),
    }
    system, user = prompts.render("deliberate", slots)
    tokens = HEADROOM + int(LONGEST * len(answer.split()) * TOKENS_PER_WORD)
    return Request("deliberate", model, system, ({"role": "user", "content": user},), tokens)


def read(answer: str, reply: Reply) -> tuple[str, str]:
    """The new answer, and why it cannot be used; one of the two is empty."""
    if reply.stop not in {"end_turn", "stop_sequence"}:
        return "", f"stop_{reply.stop}"
    if not (found := _NEW.search(reply.text)):
        return "", "no_tags"
    new, old = found[1].strip(), len(answer.split())
    words = len(new.split())
    if words < SHORTEST * old:
        return "", "too_short"
    return (new, "") if words <= LONGEST * old + 120 else ("", "too_long")


def spread(principles: Sequence[Sequence[Principle]]) -> tuple[Principle, ...]:
    """At most ``MOST_PRINCIPLES``, taken in turn from every section, in the document's order."""
    chosen: list[tuple[int, int]] = []
    depth = 0
    while len(chosen) < MOST_PRINCIPLES and any(len(found) > depth for found in principles):
        chosen += [(i, depth) for i, found in enumerate(principles) if len(found) > depth]
        depth += 1
    return tuple(principles[i][at] for i, at in sorted(chosen[:MOST_PRINCIPLES]))
