"""Train, validation and test: whole groups of rows, chosen by a hash.

Rows about the same section, grown from the same seed, or near-copies of each other would let a
validation loss look better than it is. They form groups, and a group goes to one side whole. The
choice comes from sha256 of seed and id alone, so it does not depend on the order of the input.
"""

from __future__ import annotations

import functools
import itertools
from array import array
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from corpus.errors import InputError, did_you_mean
from corpus.export.index import HELD, Index, Keys, Mask, Numbers, names

SHARE = 0.02  # of a config's tokens
MANY_GROUPS = 10  # from here on a config has a validation split
BLOCK = 4096  # groups
LARGEST = 0.2  # of a config that one group may take to give it one

COMPONENTS = "section, seed and cluster"
PAIRS = "(section, seed) pair and cluster"
NONE = "none"
MIX = np.uint64(0x9E3779B97F4A7C15)  # odd: multiplying by it loses nothing


def split(index: Index, alive: Mask, share: float = SHARE) -> tuple[Mask, str]:
    """Which of the rows that are ``alive`` are for validation, and by what they were grouped.

    The strict way is tried first: no section, seed or cluster on both sides. Where stories tie all
    sections and seeds to each other, that leaves one big group; then rows of an equal (section,
    seed) pair stay together, and near-copies do. ``share`` is the part of each config's tokens to
    aim at, never passed except to give a config of many groups its first one.
    """
    best, way = np.zeros(len(index), dtype=np.bool_), NONE
    tokens = np.where(alive, index.tokens, 0)
    for name, strict in ((COMPONENTS, True), (PAIRS, False)):
        chosen = held_out(index, groups(index, alive, strict=strict), alive, share)
        if tokens[chosen].sum() > tokens[best].sum():
            best, way = chosen, name
        if tokens[chosen].sum() >= share * tokens.sum() / 2:
            break
    return best, way


def tested(index: Index, patterns: Sequence[str]) -> Mask:
    """The rows of the sections that are held out on request, and every near-copy of one.

    Raises:
        InputError: a pattern means no section of these rows.
    """
    for pattern in patterns:
        if not any(names(pattern, section) for section in index.sections):
            known = {section.partition("~")[0] for section in index.sections}
            hint = did_you_mean(pattern, known) if known else "; no row has a section"
            raise InputError(f"--held-out-sections {pattern}: no row is of such a section{hint}")
    held = index.has(HELD)
    group = labels([index.keys("cluster")])
    return np.isin(group, group[held])


def groups(index: Index, alive: Mask, *, strict: bool) -> Numbers:
    """The group of each row: groups are numbered in the order of their first row's place.

    Rows that are not ``alive`` tie nothing together; theirs is -1.
    """

    def tied(name: str) -> Keys:
        keys = index.keys(name)
        keys[~alive] = 0
        return keys

    def pairs() -> Iterator[Keys]:
        section, seed = tied("section"), tied("seed")
        yield np.where((section == 0) & (seed == 0), 0, section * MIX + seed | np.uint64(1))
        yield tied("cluster")

    found = labels(map(tied, ("section", "seed", "cluster")) if strict else pairs())
    order = index.by_place()
    order = order[alive[order]]
    found = found[order]
    first = np.empty(found.max(initial=-1) + 1, dtype=np.int64)
    turn = np.arange(len(order))
    first[found[::-1]] = turn[::-1]  # of several, the last one stays
    found = first[found]
    numbered = np.full(len(index), -1, dtype=np.int64)
    numbered[order] = (np.cumsum(found == turn) - 1)[found]
    return numbered


def labels(columns: Iterable[Keys]) -> Numbers:
    """A label for each row, equal for rows that share a key in a column, or share one with a third.

    Connected components over the keys (union-find with path halving); a key of 0 ties nothing.
    """
    nodes: list[npt.NDArray[np.int32]] = []  # of each column, the number of each row's key, or -1
    count = 0
    for column in columns:
        tied = column != 0
        known, inverse = np.unique(column[tied], return_inverse=True)
        numbers = np.full(len(column), -1, dtype=np.int32)
        numbers[tied] = inverse + count
        nodes.append(numbers)
        count += len(known)
    parent = array("q", range(count))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    first = functools.reduce(np.maximum, nodes)
    for numbers in nodes:
        both = (numbers >= 0) & (numbers != first)
        edges = np.unique(numbers[both].astype(np.int64) * count + first[both])
        for start in range(0, len(edges), BLOCK):
            for one, other in pairs_of(edges[start : start + BLOCK], count):
                parent[root(one)] = root(other)
    roots = np.fromiter(map(root, range(count)), dtype=np.int64, count=count)
    alone = count + np.arange(len(first))
    return np.where(first < 0, alone, roots[first] if count else alone)


def pairs_of(codes: Numbers, width: int) -> Iterator[tuple[int, int]]:
    """Yield what was put together as ``one * width + other``."""
    ones, others = np.divmod(codes, width)
    return zip(ones.tolist(), others.tolist(), strict=True)


def held_out(index: Index, group: Numbers, alive: Mask, share: float) -> Mask:
    """The rows of the groups that make up about ``share`` of every config's tokens."""
    config, tokens = index.config, index.tokens
    width = len(index.configs)
    total = np.bincount(config[alive], tokens[alive], minlength=width)
    codes, sums = by_group(group[alive] * width + config[alive], tokens[alive])
    del config, tokens
    many = np.bincount(codes % width, minlength=width)
    taken, most = [0] * width, (share * total).tolist()
    least = int(sums.min(initial=0))
    chosen: set[int] = set()
    if share > 0:
        for number, sizes in groups_of(codes, sums, width):
            if all(taken[code] + size <= most[code] for code, size in sizes):
                add(taken, sizes)
                chosen.add(number)
                if all(size + least > limit for size, limit in zip(taken, most, strict=True)):
                    break
        largest = (LARGEST * total).tolist()
        for code in sorted(range(width), key=lambda one: index.configs[one]):
            if not taken[code] and many[code] >= MANY_GROUPS:
                for number, sizes in groups_of(codes, sums, width):
                    fits = all(size <= largest[one] for one, size in sizes)
                    if fits and code in dict(sizes):
                        add(taken, sizes)
                        chosen.add(number)
                        break
    return alive & np.isin(group, np.array(sorted(chosen), dtype=np.int64))


def add(taken: list[int], sizes: Iterable[tuple[int, int]]) -> None:
    """Count what a group has of each config."""
    for code, size in sizes:
        taken[code] += size


def by_group(codes: Numbers, tokens: Numbers) -> tuple[Numbers, Numbers]:
    """The distinct codes in order, and the tokens of each."""
    known, inverse = np.unique(codes, return_inverse=True)  # codes are sparse: no table of them all
    return known, np.bincount(inverse, tokens, minlength=len(known)).astype(np.int64)


def groups_of(
    codes: Numbers, sums: Numbers, width: int
) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yield each group with the configs that it has rows of, and their tokens."""

    def parts() -> Iterator[tuple[int, int, int]]:
        for start in range(0, len(codes), BLOCK):  # objects for some groups, never for all
            here = slice(start, start + BLOCK)
            both = pairs_of(codes[here], width)
            yield from ((*one, size) for one, size in zip(both, sums[here].tolist(), strict=True))

    for number, found in itertools.groupby(parts(), key=itemgetter(0)):
        yield number, [(config, size) for _, config, size in found]
