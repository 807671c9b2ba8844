"""Train, validation and test: whole groups of rows, chosen by a hash.

Rows about the same section, grown from the same seed, or near-copies of each other would let a
validation loss look better than it is. They form groups, and a group goes to one side whole. The
choice comes from sha256 of seed and id alone, so it does not depend on the order of the input.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterator, Sequence

import numpy as np

from corpus.errors import InputError, did_you_mean
from corpus.export.index import HELD, Index, Keys, Mask, Numbers, names

SHARE = 0.02  # of a config's tokens
MANY_GROUPS = 10  # from here on a config has a validation split
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
    section, seed, cluster = (np.where(alive, index.keys(name), 0) for name in
                              ("section", "seed", "cluster"))  # fmt: skip
    pair = np.where((section == 0) & (seed == 0), 0, section * MIX + seed | np.uint64(1))
    found = labels([section, seed, cluster] if strict else [pair, cluster])
    order = index.by_place()
    order = order[alive[order]]
    _, first, inverse = np.unique(found[order], return_index=True, return_inverse=True)
    turn = np.empty(len(first), dtype=np.int64)
    turn[np.argsort(first)] = np.arange(len(first))
    numbered = np.full(len(index), -1, dtype=np.int64)
    numbered[order] = turn[inverse]
    return numbered


def labels(columns: Sequence[Keys]) -> Numbers:
    """A label for each row, equal for rows that share a key in a column, or share one with a third.

    Connected components over the keys (union-find with path halving); a key of 0 ties nothing.
    """
    nodes = np.full((len(columns[0]), len(columns)), -1, dtype=np.int64)
    count = 0
    for number, column in enumerate(columns):
        tied = column != 0
        known, inverse = np.unique(column[tied], return_inverse=True)
        nodes[tied, number] = inverse + count
        count += len(known)
    parent = array("q", range(count))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    first = nodes.max(axis=1)
    for number in range(len(columns)):
        both = (nodes[:, number] >= 0) & (nodes[:, number] != first)
        for one, other in np.unique(np.stack([nodes[both, number], first[both]]), axis=1).T:
            parent[root(int(one))] = root(int(other))
    roots = np.array([root(node) for node in range(count)], dtype=np.int64)
    alone = count + np.arange(len(first))
    return np.where(first < 0, alone, roots[first] if count else alone)


def held_out(index: Index, group: Numbers, alive: Mask, share: float) -> Mask:
    """The rows of the groups that make up about ``share`` of every config's tokens."""
    config, tokens = index.config, index.tokens
    width = len(index.configs)
    total = np.bincount(config[alive], tokens[alive], minlength=width)
    codes, sums = by_group(group[alive] * width + config[alive], tokens[alive])
    many = np.bincount(codes % width, minlength=width)
    taken = np.zeros(width)
    chosen: set[int] = set()
    if share > 0:
        for number, mine in slices(codes // width):
            configs, sizes = codes[mine] % width, sums[mine]
            if (taken[configs] + sizes <= share * total[configs]).all():
                taken[configs] += sizes
                chosen.add(number)
        for code in sorted(range(width), key=lambda one: index.configs[one]):
            if not taken[code] and many[code] >= MANY_GROUPS:
                for number, mine in slices(codes // width):
                    configs, sizes = codes[mine] % width, sums[mine]
                    if code in configs and (sizes <= LARGEST * total[configs]).all():
                        taken[configs] += sizes
                        chosen.add(number)
                        break
    return alive & np.isin(group, np.array(sorted(chosen), dtype=np.int64))


def by_group(codes: Numbers, tokens: Numbers) -> tuple[Numbers, Numbers]:
    """The distinct codes in order, and the tokens of each."""
    known, inverse = np.unique(codes, return_inverse=True)
    return known, np.bincount(inverse, tokens, minlength=len(known)).astype(np.int64)


def slices(sorted_codes: Numbers) -> Iterator[tuple[int, slice]]:
    """Yield each code with where it stands."""
    edges = np.flatnonzero(np.diff(sorted_codes, prepend=-1, append=-1))
    for start, end in itertools.pairwise(edges):
        yield int(sorted_codes[start]), slice(int(start), int(end))
