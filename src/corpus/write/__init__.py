"""Brief -> requests for spec, message, draft and rewrite; replies -> texts, and at last a document.

Pure both ways. ``STEPS`` is the way of every text, in order; each step says which orders it serves,
what it asks, and what its reply means. A reply is plain text between tags, so that every server of
the Messages protocol can write; what a model puts outside the tags is dropped. A writer that asks
for compact prompts goes through its own steps, short and without tags.

    texts    spec -> check -> draft -> rewrite
    chats    spec -> check -> message -> polish -> draft (the answer) -> rewrite
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from corpus.order import Order
from corpus.records import Document, Reply, Request, digest
from corpus.write import compact, spec
from corpus.write.chat import ask_draft as ask_answer
from corpus.write.chat import ask_message, ask_polish, read_answer, read_message
from corpus.write.progress import Progress, Text
from corpus.write.prose import ask_draft as ask_text
from corpus.write.prose import ask_rewrite, read_text

__all__ = ["STEPS", "Progress", "Step", "Text", "document", "requests", "steps"]

Asker = Callable[[Order, Progress], Request]
Reader = Callable[[Order, Reply], Text]


@dataclass(frozen=True, slots=True)
class Step:
    """A call that every text of some shape goes through; ``name`` is its model stage."""

    name: str
    shape: str  # prose, chat, or any
    ask: Asker
    read: Reader

    def serves(self, order: Order) -> bool:
        """Whether an order has this step."""
        return self.shape in {"any", order.kind.shape} and self.name not in order.without


STEPS = (
    Step("spec", "any", spec.ask, spec.read),
    Step("check", "any", spec.ask_check, spec.read_check),
    Step("message", "chat", ask_message, read_message),
    Step("polish", "chat", ask_polish, read_message),
    Step("draft", "prose", ask_text, read_text),
    Step("draft", "chat", ask_answer, read_answer),
    Step("rewrite", "any", ask_rewrite, read_text),
)
COMPACT = (
    Step("message", "chat", compact.ask_message, compact.read),
    Step("draft", "any", compact.ask_draft, compact.read),
)


def steps(*, compact: bool = False) -> tuple[Step, ...]:
    """The steps of a writer."""
    return COMPACT if compact else STEPS


def requests(order: Order) -> list[tuple[str, Request]]:
    """Every request of an order as it would be sent, each reply standing as ``[its name]``."""
    done, found = Progress(), []
    for step in steps(compact=order.compact):
        if step.serves(order):
            found.append((step.name, step.ask(order, done)))
            done = done.stand_in(step.name)
    return found


def document(order: Order, done: Progress, *, writer: str, quality: str | None) -> Document:
    """The document that an order has come to, named by the digest of its brief and its words.

    ``parents`` are the keys of the requests that led to it; their replies are in the journal. Of
    the values under which an answer was drafted only the digest is kept.
    """
    brief, text = order.brief, done.last
    turns = [
        {"role": "system", "content": done.system},
        {"role": "user", "content": done.message},
        {"role": "assistant", "content": text.text},
    ]
    generator = {"model": text.model or order.model, "writer": writer, "request": text.request}
    if order.injection:
        generator["injection"] = digest(order.injection)
    return Document(
        id=digest(brief.id, done.system, done.message, text.text),
        stream=brief.stream,
        kind=brief.kind,
        brief=brief.id,
        section=brief.section,
        seed=brief.seed,
        text=None if order.chat else text.text,
        messages=tuple(turn for turn in turns if turn["content"] or turn["role"] != "system")
        if order.chat
        else None,
        facets=order.metadata(),
        generator=generator,
        parents=done.parents,
        tools=order.tools or None,
        quality=quality,
    )
