"""A given chat -> a request to rewrite its last answer with its reasons; reply -> the answer.

The published step: the same conduct, with values and reasons spelled out, took misalignment from
15 % to 3 % where the conduct alone had taken it from 22 % to 15 % ("Teaching Claude why", 2026).
Pure both ways; it works on chats that this program did not write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from corpus import prompts
from corpus.order import numbered
from corpus.records import SELF_ENDED, Principle, Reply, Request

TOKENS_PER_WORD, HEADROOM = 2.2, 1_200
LONGEST = 2.5  # of the words that the answer had, and 120 more
SHORTEST = 0.4
MOST_PRINCIPLES = 80  # that a request lists: the same in all, so that they are a cached prefix

_NEW = re.compile(r"<rewritten>(.*)</rewritten>", re.DOTALL)
_END = re.compile(r"</(?=\s*chat\b)", re.IGNORECASE)  # a stranger's chat must not end its tag


def unfit(row: Mapping[str, Any]) -> str:
    """Why a row is no chat whose last answer can be rewritten; empty if it is one."""
    turns = row.get("messages")
    if not isinstance(turns, list) or not turns:
        return "no_messages"
    if not all(isinstance(t, Mapping) and isinstance(t.get("role"), str) for t in turns):
        return "turn_without_role"
    if turns[-1]["role"] != "assistant":
        return "no_answer"
    answer = turns[-1].get("content")
    return "" if isinstance(answer, str) and answer.strip() else "answer_no_text"


def answer_of(row: Mapping[str, Any]) -> str:
    """The last answer of a chat that is not ``unfit``."""
    return str(row["messages"][-1]["content"])


def _said(turn: Mapping[str, Any]) -> str:
    """A turn as text: its blocks of text joined, and calls, results and the like as JSON."""
    content = turn.get("content")
    blocks = content if isinstance(content, list) else [content]
    parts = [_block(block) for block in blocks if block is not None]
    rest = {key: value for key, value in turn.items() if key not in {"role", "content"} and value}
    return "\n\n".join([*parts, *([_json(rest)] if rest else [])])


def _block(block: object) -> str:
    if isinstance(block, Mapping) and isinstance(block.get("text"), str):
        return str(block["text"])
    return block if isinstance(block, str) else _json(block)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def ask(row: Mapping[str, Any], principles: Sequence[Principle], model: str) -> Request:
    """The request for one chat; ``principles`` must be the same for all."""
    answer = answer_of(row)
    chat = "\n\n".join(f"{t['role'].upper()}: {_said(t)}" for t in row["messages"][:-1])
    if tools := row.get("tools"):
        chat = f"TOOLS: {tools if isinstance(tools, str) else _json(tools)}\n\n{chat}"
    slots = {
        "principles": numbered(f"{p.statement} Why: {p.why}" for p in principles),
        "chat": _END.sub("< /", chat),
        "answer": answer,
        "words": str(len(answer.split())),
    }
    system, user = prompts.render("deliberate", slots)
    tokens = HEADROOM + int(LONGEST * len(answer.split()) * TOKENS_PER_WORD)
    return Request("deliberate", model, system, ({"role": "user", "content": user},), tokens)


def read(answer: str, reply: Reply) -> tuple[str, str]:
    """The new answer, and why it cannot be used; one of the two is empty."""
    if reply.stop not in SELF_ENDED:
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
