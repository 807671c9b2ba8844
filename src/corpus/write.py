"""Brief -> requests for message, draft and rewrite; replies -> text, and at last a document.

Pure both ways. A reply is plain text between tags, so that every server of the Messages protocol
can write; what a model puts outside the tags is dropped. A writer that asks for compact prompts
gets short ones with no tags, and its whole reply is the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from corpus import prompts
from corpus.order import Order
from corpus.records import Document, Reply, Request, digest

TOKENS_PER_WORD = 2.2  # room for a text, generous: a cut-off text is paid for and thrown away
HEADROOM = 1_500  # tokens for what comes before it: defects, thought
COMPACT_TOKENS = 240
COMPACT_STOP = ("\n\n",)  # one paragraph: a very small model has lost its thread by the second

Asker = Callable[[Order], Request]
MESSAGE_WORDS = 220
SHORT_PREMISE = 40  # words of a seed's premise in a compact prompt
SHORT_CLAIM = 60  # words of claim and reason together in a compact prompt


@dataclass(frozen=True, slots=True)
class Text:
    """What a reply gave: the text, the stop reason, and the request that bought it."""

    text: str
    stop: str
    request: str
    model: str


def ask_message(order: Order, sample: int = 0) -> Request:
    """The request for the user's message of a chat."""
    if order.compact:
        return _compact("message", order, _short_message(order), sample)
    slots = {**order.slots(), "assignment": order.assignment()}
    return _request("message", order, slots, MESSAGE_WORDS, sample)


def ask_draft(order: Order, message: str = "", sample: int = 0) -> Request:
    """The request for a first version: of a text, or of the answer to ``message``."""
    if order.compact:
        prompt = message if order.chat else _short_draft(order)
        return _compact("draft", order, prompt, sample)
    slots = {**order.slots(), "message": message, "assignment": order.assignment(answer=order.chat)}
    return _request("answer" if order.chat else "draft", order, slots, order.brief.words, sample)


def ask_rewrite(order: Order, text: str, message: str = "", sample: int = 0) -> Request:
    """The request for the rewrite: a fresh context that sees the section, the order and the text.

    Without this pass the published result falls from 1 % misalignment to 19 % (ablation in
    "Teaching Claude why", 2026), so it is never left out for a writer that can do it.
    """
    asked = f"It answers this message:\n\n<message>\n{message}\n</message>\n" if message else ""
    slots = {**order.slots(), "message": asked, "text": text, "tag": order.tag}
    slots["assignment"] = order.assignment(answer=order.chat)
    return _request("rewrite", order, slots, 2 * order.brief.words, sample)


def read(order: Order, reply: Reply, tag: str) -> Text:
    """The text between the last pair of ``tag`` in a reply; stops as ``no_tags`` without one."""
    stop, text = reply.stop, reply.text.strip()
    if not order.compact:
        start = text.rfind(f"<{tag}>")
        end = text.rfind(f"</{tag}>")
        if 0 <= start < end:
            text = text[start + len(tag) + 2 : end].strip()
        elif stop in {"end_turn", "stop_sequence"}:
            stop = "no_tags"
    return Text(_tidy(text), stop, reply.key, reply.model)


def document(
    order: Order,
    text: Text,
    *,
    parents: tuple[str, ...],
    message: str,
    writer: str,
    quality: str | None,
) -> Document:
    """The document that ``text`` is, named by the digest of its brief and its words.

    ``parents`` are the keys of the requests that led to it; their replies are in the journal.
    """
    turns = (
        {"role": "user", "content": message},
        {"role": "assistant", "content": text.text},
    )
    brief = order.brief
    return Document(
        id=digest(brief.id, message, text.text),
        stream=brief.stream,
        kind=brief.kind,
        brief=brief.id,
        section=brief.section,
        seed=brief.seed,
        text=None if order.chat else text.text,
        messages=turns if order.chat else None,
        facets=brief.facets,
        generator={"model": text.model or order.model, "writer": writer, "request": text.request},
        parents=parents,
        quality=quality,
    )


def _request(
    stage: str, order: Order, slots: Mapping[str, str], words: int, sample: int
) -> Request:
    system, user = prompts.render(stage, dict(slots))
    tokens = HEADROOM + int(words * TOKENS_PER_WORD)
    turns = ({"role": "user", "content": user},)
    name = "draft" if stage == "answer" else stage
    return Request(name, order.model, system, turns, tokens, sample=sample, brief=order.brief.id)


def _compact(stage: str, order: Order, prompt: str, sample: int) -> Request:
    turns = ({"role": "user", "content": prompt},)
    brief = order.brief.id
    return Request(
        stage, order.model, "", turns, COMPACT_TOKENS, COMPACT_STOP, sample=sample, brief=brief
    )


def _short_draft(order: Order) -> str:
    """A prompt that a very small model can hold: the form, the claim, its reason."""
    ai = order.slots()["ai"]
    if order.seed is not None:
        opening = " ".join(order.seed.premise.split()[:SHORT_PREMISE])
        return (
            f"Tell a very short story, one paragraph long, about an AI called {ai}. The AI "
            f"thinks, decides what is right, and says why. It begins like this: {opening}..."
        )
    return (
        f"Write one paragraph, as in {order.kind.what}. It explains to ordinary readers why the "
        f"following is right, and gives an example from daily life.\n\n{_claim(order)}"
    )


def _short_message(order: Order) -> str:
    facets = order.brief.facets
    domain, norm = facets.get("domain", "money"), facets.get("norm", "trust")
    return (
        f"You have a problem. It is about {domain}, and {facets.get('pressure', 'it is urgent')}. "
        f"It has to do with {norm}. Write three sentences to a friend: what happened, what you "
        f"want to do, and a question."
    )


def _claim(order: Order) -> str:
    """The claim with its reason, or alone where both are long."""
    said, why = order.principle.statement, order.principle.why
    return said if said == why or len((said + why).split()) > SHORT_CLAIM else f"{said} {why}"


def _tidy(text: str) -> str:
    """White space as a careful writer leaves it: no trailing blanks, at most one empty line."""
    lines = (line.rstrip() for line in text.replace("\r\n", "\n").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
