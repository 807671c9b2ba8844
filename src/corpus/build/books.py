"""The books of a build: what each stream and stage asked, got and cost, kept as replies come in.

Replayed replies are entered like bought ones, so a resumed build has the books of an unbroken one.
Nothing is asked for here; ``manifest`` and ``pilot`` read what was entered.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from corpus.model.prices import Price
from corpus.records import SELF_ENDED, Brief, Reply, Review, Usage


@dataclass(slots=True)
class Account:
    """Replies, tokens and micro-dollars of one stream in one stage.

    ``whole`` replies ended by themselves and said something; ``plain`` is what they would have
    cost directly and without a cache; ``unpriced`` is how many nobody can price.
    """

    asked: int = 0
    whole: int = 0
    input: int = 0
    output: int = 0
    cost: int = 0
    plain: int = 0
    unpriced: int = 0

    def __add__(self, other: Self) -> Self:
        """Both together."""
        values = dataclasses.asdict(other).items()
        return type(self)(**{name: getattr(self, name) + value for name, value in values})

    def row(self) -> dict[str, int]:
        """The account as JSON."""
        return dataclasses.asdict(self)


class Books:
    """Accounts by stream and stage, plain cost by brief, refusals by category."""

    def __init__(self, price: Price | None) -> None:
        self.price = price
        self.accounts: dict[tuple[str, str], Account] = {}
        self.briefs: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()

    def enter(self, brief: Brief, stage: str, reply: Reply) -> None:
        """Book a reply to what was asked for ``brief``."""
        plain = 0
        if self.price is not None and reply.cost is not None:
            plain = self.price.of_model(reply.model).cost(
                Usage(input=reply.usage.prompt, output=reply.usage.output)
            )
        entry = Account(
            asked=1,
            whole=is_whole(reply.stop, reply.text),
            input=reply.usage.prompt,
            output=reply.usage.output,
            cost=reply.cost or 0,
            plain=plain,
            unpriced=reply.cost is None,
        )
        key = (brief.stream, stage)
        self.accounts[key] = self.accounts.get(key, Account()) + entry
        self.briefs[brief.id] += plain
        if reply.stop.startswith("refusal"):
            self.refusals[reply.stop.removeprefix("refusal").lstrip("_") or "no category"] += 1

    def of(self, stream: str) -> Account:
        """All stages of a stream together."""
        mine = (account for (name, _), account in self.accounts.items() if name == stream)
        return sum(mine, Account())

    def stage(self, stage: str) -> Account:
        """All streams of a stage together."""
        mine = (account for (_, name), account in self.accounts.items() if name == stage)
        return sum(mine, Account())

    def stages(self, stream: str) -> dict[str, dict[str, int | None]]:
        """The accounts of a stream by stage, as JSON; money is None without a price."""
        unknown = {} if self.price is not None else {"cost": None, "plain": None}
        return {
            stage: {**account.row(), **unknown}
            for (name, stage), account in sorted(self.accounts.items())
            if name == stream
        }


def is_whole(stop: str, text: str) -> bool:
    """Whether a reply ended by itself and said something: only such a text goes any further."""
    return stop in SELF_ENDED and bool(text.strip())


_PLANS = {"unsuitable", "check_unreadable"}  # with a drift: why a plan was never written out


def yields(reviews: Iterable[Review], kept: int) -> dict[str, int]:
    """How many briefs came how far: planned, whole text, passed the gates, accepted, kept."""
    found = Counter(planned=0, whole=0, passed=0, accepted=0, kept=kept)
    for review in reviews:
        accepted = review.verdict == "accept"
        judged = bool(review.scores) or any(r.startswith("judge") for r in review.reasons)
        cut = any(r.startswith(("stop_", "drift_")) or r in _PLANS for r in review.reasons)
        found.update(planned=1, whole=not cut, passed=accepted or judged, accepted=accepted)
    return dict(found)


def per_million(cost: int, tokens: int) -> int | None:
    """Micro-dollars per million tokens; None of none."""
    return round(cost * 1_000_000 / tokens) if tokens else None
