"""Train and validation: whole groups of rows, chosen and ordered by a hash.

Rows about the same section, grown from the same seed, or near-copies of each other would let a
validation loss look better than it is. They form groups, and a group goes to one side whole. Order
and choice come from sha256 of seed and id alone, so they do not depend on the order of the input.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from corpus.formats import Row
from corpus.records import canonical

SHARE = 0.02  # of a config's tokens
MANY_GROUPS = 10  # from here on a config has a validation split
LARGEST = 0.2  # of a config that one group may take to give it one

COMPONENTS = "section, seed and cluster"
PAIRS = "(section, seed) pair and cluster"
NONE = "none"

Group = list[Row]


def split(rows: Sequence[Row], *, seed: int, share: float = SHARE) -> tuple[set[str], str]:
    """The ids of the validation rows, and by what the rows were grouped.

    The strict way is tried first: no section, seed or cluster on both sides. Where stories tie all
    sections and seeds to each other, that leaves one big group; then rows of an equal (section,
    seed) pair stay together, and near-copies do. ``share`` is the part of each config's tokens to
    aim at, never passed except to give a config of many groups its first one.
    """
    best: set[str] = set()
    way = NONE
    sizes = {row.id: len(row.ids) for row in rows}
    for name, strict in ((COMPONENTS, True), (PAIRS, False)):
        chosen = held_out(groups(rows, strict=strict, seed=seed), share)
        tokens = sum(sizes[row] for row in chosen)
        if tokens > sum(sizes[row] for row in best):
            best, way = chosen, name
        if tokens >= share * sum(sizes.values()) / 2:
            break
    return best, way


def place(row: Row | str, seed: int) -> str:
    """Where a row comes in its split: the hex digest of sha256 of ``<seed>:<id>``."""
    name = row if isinstance(row, str) else row.id
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def groups(rows: Iterable[Row], *, strict: bool, seed: int) -> list[Group]:
    """Rows that must stay together, the groups in the order of their first row's place.

    Connected components over the keys that rows share (union-find with path halving).
    """
    parent: dict[bytes, bytes] = {}

    def root(key: bytes) -> bytes:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    ordered = sorted(rows, key=lambda row: place(row, seed))
    for row in ordered:
        first, *others = keys(row, strict=strict)
        for key in others:
            parent[root(key)] = root(first)
    found: dict[bytes, Group] = defaultdict(list)
    for row in ordered:
        found[root(keys(row, strict=strict)[0])].append(row)
    return list(found.values())


def keys(row: Row, *, strict: bool) -> list[bytes]:
    """What ties a row to others; its id where nothing does."""
    section, seed, cluster = (row.metadata.get(key) for key in ("section", "seed", "cluster"))
    if strict:
        ties = [("section", section), ("seed", seed)]
    else:
        pair = None if section is None and seed is None else [section, seed]
        ties = [("pair", pair)]
    ties.append(("cluster", cluster))
    return [canonical(["id", row.id])] + [canonical(tie) for tie in ties if tie[1] is not None]


def held_out(groups: Sequence[Group], share: float) -> set[str]:
    """The ids of the groups that make up about ``share`` of every config's tokens."""
    sizes = [Counter[str]() for _ in groups]
    total, many = Counter[str](), Counter[str]()
    for size, group in zip(sizes, groups, strict=True):
        for row in group:
            size[row.config] += len(row.ids)
        total += size
        many.update(size.keys())
    taken = Counter[str]()
    chosen: set[str] = set()

    def take(number: int) -> None:
        taken.update(sizes[number])
        chosen.update(row.id for row in groups[number])

    for number, size in enumerate(sizes):
        if all(taken[config] + size[config] <= share * total[config] for config in size):
            take(number)
    for config in sorted(total) if share > 0 else ():
        if not taken[config] and many[config] >= MANY_GROUPS:
            small = (
                number
                for number, size in enumerate(sizes)
                if config in size and all(size[one] <= LARGEST * total[one] for one in size)
            )
            for number in list(small)[:1]:
                take(number)
    return chosen
