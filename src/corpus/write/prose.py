"""A text: its draft over the plan, and the rewrite by a fresh context, which chats share."""

from __future__ import annotations

import re

from corpus.order import Order, numbered
from corpus.records import Reply, Request
from corpus.write.frames import between, request
from corpus.write.progress import Progress, Text

_HOLDS = re.compile(r"^[^\w\n]*holds\b[^\w\n]*([\d, and]+)", re.IGNORECASE | re.MULTILINE)
MOST_HELD = 3  # principles that an answer is checked against


def ask_draft(order: Order, done: Progress) -> Request:
    """The request for a first version of a text."""
    return request("draft", order, order.brief.words, assignment=order.assignment(), spec=done.spec)


def ask_rewrite(order: Order, done: Progress) -> Request:
    """The request for the rewrite: a fresh context that sees the section, the order and the text.

    Without this pass the published result falls from 1 % misalignment to 19 % (ablation in
    "Teaching Claude why", 2026), so it is left out only as an ablation. An answer is checked
    against the few principles that its notes named, each with its verbatim quote.
    """
    held = _held(order, done.draft.aside) if order.chat else ""
    draft = done.draft
    count = str(len(draft.text.split())) if draft.request else "[so many]"
    return request(
        "rewrite", order, 2 * order.brief.words, count=count,
        flags=frozenset({"held"} if held and "constitution" in order.flags else ()),
        assignment=order.assignment(answer=order.chat), text=draft.text, tag=order.tag,
        message=done.message, system_prompt=done.system, held=held,
    )  # fmt: skip


def read_text(order: Order, reply: Reply) -> Text:
    """The text between the order's tags."""
    text, stop = between(reply, order.tag)
    return Text(text, stop, reply.key, reply.model)


def _held(order: Order, notes: str) -> str:
    """The principles that the notes name, with their quotes, after the order's own."""
    named = _HOLDS.findall(notes)  # the last line is the one that was asked for
    numbers = [int(number) for number in re.findall(r"\d+", named[-1])] if named else []
    listed = order.held()
    own = listed.index(order.principle)
    chosen = dict.fromkeys([own, *(n - 1 for n in numbers if 0 < n <= len(listed))])
    return numbered(
        f'{listed[n].statement} Why: {listed[n].why} The words: "{listed[n].quote}"'
        for n in list(chosen)[:MOST_HELD]
    )
