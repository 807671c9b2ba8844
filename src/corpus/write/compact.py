"""Short prompts and short texts, for a very small writer: the whole reply is the text."""

from __future__ import annotations

from collections.abc import Iterable

from corpus.order import ENGLISH, Order
from corpus.records import Reply, Request
from corpus.write.frames import tidy
from corpus.write.progress import Progress, Text

COMPACT_TOKENS = 240
COMPACT_STOP = ("\n\n",)  # one paragraph: a very small model has lost its thread by the second
SHORT_PREMISE = 40  # words of a seed's premise
SHORT_CLAIM = 60  # words of claim and reason together


def unheard(languages: Iterable[str]) -> list[str]:
    """What a run says whose languages this writer cannot write: its texts are all in English."""
    others = sorted({*languages} - {ENGLISH})
    said = "the demo writer writes English and nothing else; left out: {}"
    return [said.format(", ".join(others))] if others else []


def ask_message(order: Order, _: Progress) -> Request:
    """The request for a user's message."""
    facets = order.brief.facets
    domain, norm = facets.get("domain", "money"), facets.get("norm", "trust")
    return _request(
        "message",
        order,
        f"You have a problem. It is about {domain}, and {facets.get('pressure', 'it is urgent')}. "
        f"It has to do with {norm}. Write three sentences to a friend: what happened, what you "
        f"want to do, and a question.",
    )


def ask_draft(order: Order, done: Progress) -> Request:
    """The request for a text; of a chat, the message itself."""
    return _request("draft", order, done.message if order.chat else _short_draft(order))


def read(_: Order, reply: Reply) -> Text:
    """The whole reply."""
    return Text(tidy(reply.text), reply.stop, reply.key, reply.model)


def _request(stage: str, order: Order, prompt: str) -> Request:
    turns = ({"role": "user", "content": prompt},)
    return Request(
        stage, order.model, "", turns, COMPACT_TOKENS, COMPACT_STOP, brief=order.brief.id
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


def _claim(order: Order) -> str:
    """The claim with its reason, or alone where both are long."""
    said, why = order.principle.statement, order.principle.why
    return said if said == why or len((said + why).split()) > SHORT_CLAIM else f"{said} {why}"
