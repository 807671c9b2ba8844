"""What is remembered of every row while its text stays where it is: some fifty bytes, on disk.

Order, splits, mixture and shards are settled from this alone; then the rows are read again, in the
order that was found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Self

import numpy as np

from corpus.export.table import Table
from corpus.formats import Row
from corpus.records import STREAMS, canonical

MOST_SECTIONS = 10_000  # that are told one by one
CHAT, MASKED, DEMO, HELD = 1, 2, 4, 8
KEYS = ("section", "seed", "cluster")
COLUMNS = {"high": "Q", "low": "Q", "tokens": "I", "config": "I", "section": "i", "flags": "B"}
COLUMNS |= dict.fromkeys((f"key of {name}" for name in KEYS), "Q")

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]
Keys = np.ndarray[tuple[int], np.dtype[np.uint64]]
Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


class Index:
    """The rows in the order of their input: by number, without their texts.

    ``held`` are patterns of sections to hold out; ``seed`` is that of order and splits; ``folder``
    is where a file may be made that has no name.
    """

    def __init__(self, seed: int = 0, held: Sequence[str] = (), folder: Path | None = None) -> None:
        self.seed = seed
        self._held = held
        self._table = Table(COLUMNS, folder)
        self.clear()

    def clear(self) -> None:
        """Forget all rows."""
        self._table.clear()
        self.configs: list[str] = []
        self.sections: dict[str, int] = {}
        self.first_demo = ""
        self._codes: dict[str, int] = {}
        self._parted: Numbers | None = None

    def add(self, row: Row, tokens: int) -> None:
        """Take in a row of so many token ids."""
        code = self._codes.setdefault(row.config, len(self._codes))
        if code == len(self.configs):
            self.configs.append(row.config)
        section = row.metadata.get("section")
        demo = row.metadata.get("quality") == "demo"
        if demo and not self.first_demo:
            self.first_demo = row.id
        held = section is not None and any(names(one, str(section)) for one in self._held)
        chat, masked = row.text is None, row.no_loss is not None
        where = place(row.id, self.seed)
        self._table.add(
            int.from_bytes(where[:8]),
            int.from_bytes(where[8:16]),
            tokens,
            code,
            self._section_code(section),
            CHAT * chat | MASKED * masked | DEMO * demo | HELD * held,
            *(key(row.metadata.get(name)) for name in KEYS),
        )

    def _section_code(self, section: object) -> int:
        if section is None or (
            len(self.sections) >= MOST_SECTIONS and str(section) not in self.sections
        ):
            return -1
        return self.sections.setdefault(str(section), len(self.sections))

    @classmethod
    def of(cls, rows: Sequence[Row], seed: int = 0, held: Sequence[str] = ()) -> Self:
        """The index of rows that have their ids."""
        index = cls(seed, held)
        for row in rows:
            index.add(row, len(row.ids))
        index.part_chats()
        return index

    def __len__(self) -> int:
        return len(self._table)

    def close(self) -> None:
        """Let go of the file, which is gone then."""
        self._table.close()

    def part_chats(self) -> None:
        """Move chats out of every config that also holds texts, to ``<config>-chat``.

        One config is one table, and a table cannot hold both.
        """
        config, chat = self.config, self.has(CHAT)
        for code, name in enumerate(list(self.configs)):
            mine = config == code
            if (mine & chat).any() and (mine & ~chat).any():
                other = f"{name}-chat"
                if other not in self.configs:
                    self.configs.append(other)
                config[mine & chat] = self.configs.index(other)
                self._parted = config

    @property
    def tokens(self) -> Numbers:
        """Token ids of each row, its boundary token included."""
        return self._table.column("tokens").astype(np.int64)

    @property
    def config(self) -> Numbers:
        """The config of each row, as its number in ``configs``."""
        if self._parted is not None:
            return self._parted
        return self._table.column("config").astype(np.int64)

    @property
    def section(self) -> Numbers:
        """The section of each row, as its number in ``sections``; -1 without one."""
        return self._table.column("section").astype(np.int64)

    def keys(self, name: str) -> Keys:
        """What ties rows together under ``name``, as 64 bits of a digest; 0 for nothing."""
        return self._table.column(f"key of {name}")

    def has(self, flag: int) -> Mask:
        """Which rows are flagged so."""
        return np.asarray(self._table.column("flags") & flag, dtype=np.bool_)

    def halves(self) -> tuple[Keys, Keys]:
        """The places of the rows as two numbers, the higher one first."""
        return self._table.column("high"), self._table.column("low")

    def by_place(self) -> Numbers:
        """The numbers of the rows in the order of their places."""
        high, low = self.halves()
        return np.lexsort((low, high))

    def ranks(self) -> Numbers:
        """The rank of each config: streams in their own order, others after them by name."""
        order = sorted(self.configs, key=rank)
        return np.array([order.index(name) for name in self.configs], dtype=np.int64)

    def twins(self) -> tuple[int, int] | None:
        """Two rows of one id, if there are any: ids must differ, and their places do."""
        high, low = self.halves()
        order = self.by_place()
        same = (high[order[1:]] == high[order[:-1]]) & (low[order[1:]] == low[order[:-1]])
        pairs = [sorted(map(int, order[n : n + 2])) for n in np.flatnonzero(same)]
        if not pairs:
            return None
        first, second = min(pairs, key=lambda pair: pair[1])
        return first, second


def place(name: str, seed: int) -> bytes:
    """Where a row comes in its split: sha256 of ``<seed>:<id>``."""
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()


def key(value: object) -> int:
    """64 bits of a digest of ``value``; 0 for None."""
    if value is None:
        return 0
    return int.from_bytes(hashlib.blake2b(canonical(value), digest_size=8).digest(), "little") | 1


def names(pattern: str, section: str) -> bool:
    """Whether ``pattern`` means this section: its id, its id less the digest, or a wildcard."""
    return pattern in {section, section.partition("~")[0]} or fnmatchcase(section, pattern)


def rank(config: str) -> tuple[int, str]:
    """Streams in their own order, other configs after them by name."""
    known: tuple[str, ...] = STREAMS
    return (known.index(config) if config in known else len(known), config)
