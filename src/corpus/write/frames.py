"""What all steps share: a request in its frame, and a reply between its tags."""

from __future__ import annotations

import re

from corpus import prompts
from corpus.order import Order
from corpus.records import SELF_ENDED, Reply, Request

TOKENS_PER_WORD = 2.2  # room for a text, generous: a cut-off text is paid for and thrown away
HEADROOM = 1_500  # tokens for what comes before it: defects, notes, thought


def request(
    frame: str, order: Order, words: int, *, stage: str = "", flags: frozenset[str] = frozenset(),
    **slots: str,
) -> Request:  # fmt: skip
    """The request of a frame; ``words`` is the length that its text may have."""
    system, user = prompts.render(frame, {**order.frame(), **slots}, order.flags | flags)
    tokens = HEADROOM + int(words * TOKENS_PER_WORD)
    turns = ({"role": "user", "content": user},)
    return Request(stage or frame, order.model, system, turns, tokens, brief=order.brief.id)


def between(reply: Reply, tag: str) -> tuple[str, str]:
    """The text between the last pair of ``tag``, and the stop: ``no_tags`` without such a pair."""
    start, end = reply.text.rfind(f"<{tag}>"), reply.text.rfind(f"</{tag}>")
    if 0 <= start < end:
        return tidy(reply.text[start + len(tag) + 2 : end]), reply.stop
    return tidy(reply.text), "no_tags" if reply.stop in SELF_ENDED else reply.stop


def tidy(text: str) -> str:
    """White space as a careful writer leaves it: no trailing blanks, at most one empty line."""
    lines = (line.rstrip() for line in text.replace("\r\n", "\n").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
