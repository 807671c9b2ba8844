"""Which rows go into which shard, settled before the first one is written."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from corpus.formats._rows import Row


@dataclass(frozen=True, slots=True)
class Outline:
    """What a plan must know of a row before the first one is written."""

    config: str
    split: str
    tokens: int
    chat: bool = False
    masked: bool = False

    @classmethod
    def of(cls, row: Row) -> Outline:
        """The outline of a row that has its ids."""
        chat, masked = row.text is None, row.no_loss is not None
        return cls(row.config, row.split, len(row.ids), chat=chat, masked=masked)


@dataclass(frozen=True, slots=True)
class Part:
    """One shard to be: ``number`` of ``of`` in its config and split, counted from 0.

    ``tokens`` counts boundary tokens too. ``chat`` and ``masked`` tell of the whole config whether
    it holds chats, and spans without loss, so that all its shards get the same columns.
    """

    config: str
    split: str
    number: int
    of: int
    documents: int
    tokens: int
    chat: bool = False
    masked: bool = False

    def name(self, suffix: str) -> str:
        """Its path below the folder of the format, as the Hub names shards."""
        return f"{self.config}/{self.split}-{self.number:05d}-of-{self.of:05d}.{suffix}"


def plan(outlines: Iterable[Outline], shard_tokens: int) -> list[Part]:
    """Cut rows, told in export order, into shards of at most ``shard_tokens`` token ids.

    A document is never split; one that is longer than the budget has a shard of its own.
    """
    cuts: dict[tuple[str, str], list[list[int]]] = {}
    chats, masked = set[str](), set[str]()
    for row in outlines:
        cut = cuts.setdefault((row.config, row.split), [])
        if not cut or cut[-1][1] + row.tokens > shard_tokens:
            cut.append([0, 0])
        cut[-1][0] += 1
        cut[-1][1] += row.tokens
        chats.update([row.config] * row.chat)
        masked.update([row.config] * row.masked)
    return [
        Part(config, split, number, len(cut), documents, size, config in chats, config in masked)
        for (config, split), cut in cuts.items()
        for number, (documents, size) in enumerate(cut)
    ]


def joined(parts: Iterable[Part]) -> Iterator[Part]:
    """The same plan with one shard per config and split."""
    for _, group in itertools.groupby(parts, key=lambda part: (part.config, part.split)):
        cut = list(group)
        documents, tokens = sum(part.documents for part in cut), sum(part.tokens for part in cut)
        yield dataclasses.replace(cut[0], of=1, documents=documents, tokens=tokens)
