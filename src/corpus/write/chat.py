"""A chat: the message and what stands above it, twice, and the answer over notes on the case.

The answer is drafted under injected values, which never enter the record: sampling under them and
then training without them moved behaviour more than any text about it ("Teaching Claude why",
2026).
"""

from __future__ import annotations

from corpus.order import Order
from corpus.records import Reply, Request
from corpus.write.frames import between, request, tidy
from corpus.write.progress import Progress, Text

MESSAGE_WORDS = 220  # and as many for the system prompt above it


def ask_message(order: Order, done: Progress) -> Request:
    """The request for the user's message and the operator's system prompt, over the plan."""
    words = MESSAGE_WORDS * (1 + bool(order.system_form))
    return request("message", order, words, assignment=order.assignment(), spec=done.spec)


def ask_polish(order: Order, done: Progress) -> Request:
    """The request to mend both, by a context that has seen nothing but them and their order."""
    words = 2 * MESSAGE_WORDS * (1 + bool(order.system_form))
    told = bool(done.texts["message"].request)
    count = str(len(done.message.split())) if told else "[so many]"
    return request(
        "polish", order, words, assignment=order.assignment(), message_count=count,
        message=done.message, system_prompt=done.system,
    )  # fmt: skip


def read_message(order: Order, reply: Reply) -> Text:
    """The message, with the system prompt above it as its aside where one was ordered."""
    text, stop = between(reply, "message")
    aside = ""
    if order.system_form:
        aside, other = between(reply, "system")
        stop = stop if other == reply.stop else other
    return Text(text, stop, reply.key, reply.model, aside=aside if stop == reply.stop else "")


def ask_draft(order: Order, done: Progress) -> Request:
    """The request for the answer to the message."""
    return request(
        "answer", order, order.brief.words, stage="draft",
        assignment=order.assignment(answer=True),
        message=done.message, system_prompt=done.system,
    )  # fmt: skip


def read_answer(order: Order, reply: Reply) -> Text:
    """The answer, with the notes on the case as its aside."""
    text, stop = between(reply, order.tag)
    start, end = reply.text.find("<scope>"), reply.text.find("</scope>")
    notes = tidy(reply.text[start + len("<scope>") : end]) if 0 <= start < end else ""
    return Text(text, stop, reply.key, reply.model, aside=notes)
