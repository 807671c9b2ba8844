"""Which rows ship, on which side of the split, how often, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.errors import InputError
from corpus.export.index import CHAT, MASKED, Index, Mask, Numbers
from corpus.export.match import matched
from corpus.export.mix import goals, passes, realised
from corpus.export.split import SHARE, split, tested
from corpus.formats import Outline

SPLITS = ("test", "train", "validation")  # in the order of their files
TEST, TRAIN, VALIDATION = range(3)
BLOCK = 4096  # rows
Small = npt.NDArray[np.int8]
MOST_LISTED = 1000  # sections told in the manifest


@dataclass(frozen=True, slots=True)
class Choice:
    """What a user may say about the choice of rows.

    Args:
        share: the part of the tokens to hold out for validation.
        match_tokens: leave documents out until so many tokens are left.
        held_out: sections that are for testing alone.
        mix: the weight of each config, by tokens.
        epochs: how often each config may be read; under ``""`` for all.
    """

    share: float = SHARE
    match_tokens: int | None = None
    held_out: tuple[str, ...] = ()
    mix: Mapping[str, float] = field(default_factory=dict)
    epochs: Mapping[str, float] = field(default_factory=dict)

    @property
    def mixed(self) -> bool:
        """Whether rows are left out of training or repeated."""
        return bool(self.mix or self.epochs)


@dataclass(frozen=True, slots=True)
class Arranged:
    """The rows that ship in export order: their numbers, splits and epochs (counted from 0).

    ``way`` says what the splits keep together, ``mixture`` what a mixture came to.
    """

    index: Index
    numbers: Numbers
    splits: Small
    epochs: Small
    way: str
    mixture: dict[str, Any]

    def outlines(self) -> Iterator[Outline]:
        """What the shards are planned from."""
        chat, masked = self.index.has(CHAT), self.index.has(MASKED)
        tokens = self.index.tokens
        for number, config, side, _ in self.about():
            size, talk, spans = int(tokens[number]), bool(chat[number]), bool(masked[number])
            yield Outline(config, side, size, chat=talk, masked=spans)

    def about(self) -> Iterator[tuple[int, str, str, int]]:
        """Number, config, split and epoch of each row."""
        config, names = self.index.config, self.index.configs
        columns = (self.numbers, self.splits, self.epochs)
        for start in range(0, len(self.numbers), BLOCK):  # objects for some rows, never for all
            block = (column[start : start + BLOCK].tolist() for column in columns)
            for number, side, epoch in zip(*block, strict=True):
                yield number, names[config[number]], SPLITS[side], epoch

    def counts(self, boundary: int) -> dict[str, dict[str, dict[str, int]]]:
        """Documents and tokens by config and split, ``boundary`` tokens of each set apart."""
        found: dict[str, dict[str, dict[str, int]]] = {}
        width = len(SPLITS)
        codes = self.index.config[self.numbers] * width + self.splits
        tokens = self.index.tokens[self.numbers]
        for code in dict.fromkeys(codes.tolist()):
            mine = codes == code
            documents, size = int(mine.sum()), int(tokens[mine].sum())
            found.setdefault(self.index.configs[code // width], {})[SPLITS[code % width]] = {
                "documents": documents,
                "tokens": size,
                "text_tokens": size - boundary * documents,
            }
        return found

    def sections(self) -> dict[str, dict[str, int]]:
        """Documents and tokens by section, the largest first; repeats count again."""
        section, tokens = self.index.section[self.numbers], self.index.tokens[self.numbers]
        width = len(self.index.sections) + 1  # the first is for rows without one
        documents = np.bincount(section + 1, minlength=width)[1:].tolist()
        sizes = np.bincount(section + 1, tokens, minlength=width)[1:].astype(np.int64).tolist()
        named = sorted(
            zip(self.index.sections, documents, sizes, strict=True),
            key=lambda one: (-one[2], one[0]),
        )
        return {
            name: {"documents": count, "tokens": size}
            for name, count, size in named[:MOST_LISTED]
            if count
        }


def arranged(index: Index, choice: Choice) -> Arranged:
    """Settle what ships from what is known of the rows.

    Raises:
        InputError: the choice does not fit the rows.
    """
    if choice.mixed and choice.match_tokens is not None:
        raise InputError(
            "--match-tokens and --mix or --epochs both say how much is left; give one of them"
        )
    alive = np.ones(len(index), dtype=np.bool_)
    if choice.match_tokens is not None:
        alive = matched(index, choice.match_tokens)
    sides = np.full(len(index), TRAIN, dtype=np.int8)
    if choice.held_out:
        sides[tested(index, choice.held_out)] = TEST
    validation, way = split(index, alive & (sides == TRAIN), choice.share)
    sides[validation] = VALIDATION
    order = index.by_place()
    order = order[alive[order]]
    kept, mixture = mixed(index, order, sides, choice)
    numbers = np.concatenate([rows for _, rows in kept])
    epochs = np.concatenate([np.full(len(rows), epoch, dtype=np.int8) for epoch, rows in kept])
    if not len(numbers):
        raise InputError("nothing is left to export: the mixture leaves every document out")
    del order
    turn = np.lexsort((epochs, sides[numbers], index.ranks()[index.config[numbers]]))
    numbers, epochs = numbers[turn], epochs[turn]
    return Arranged(index, numbers, sides[numbers], epochs, way, mixture)


def mixed(
    index: Index, order: Numbers, sides: Small, choice: Choice
) -> tuple[Sequence[tuple[int, Numbers]], dict[str, Any]]:
    """The rows of each epoch, in the order of their places in it; and what it came to."""
    if not choice.mixed:
        return [(0, order)], {}
    train: Mask = sides[order] == TRAIN
    config = index.config[order]
    rows = {name: order[train & (config == n)] for n, name in enumerate(index.configs)}
    asked = goals(index, order[train], choice.mix, choice.epochs)
    read = {name: passes(index, mine, asked[name]) for name, mine in rows.items()}
    kept = [(0, order[~train])]
    kept += [(epoch, one) for found in read.values() for epoch, one in enumerate(found)]
    return kept, realised(index, choice.mix, asked, rows, read)
