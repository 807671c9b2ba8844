"""What is remembered of every row while its text stays on disk: some 70 bytes.

Order, splits, mixture and shards are settled from this alone; then the rows are read again, in the
order that was found. The token ids wait in a file without a name, which no crash can leave behind.
"""

from __future__ import annotations

import hashlib
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Self

import numpy as np

from corpus.errors import DiskError, InputError
from corpus.export.check import refuse_unwritable
from corpus.export.gather import Placed
from corpus.formats import Row
from corpus.records import STREAMS, canonical
from corpus.tokens import Flags, Ids
from corpus.tokens.encoder import Encoder

BATCH_CHARS = 1 << 20  # of the texts that are encoded together
BATCH_ROWS = 4096
MOST_SECTIONS = 10_000  # that are told one by one
CHAT, MASKED, DEMO, HELD = 1, 2, 4, 8
KEYS = ("section", "seed", "cluster")

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]
Keys = np.ndarray[tuple[int], np.dtype[np.uint64]]
Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


class Index:
    """The rows in the order of their input: by number, without their texts.

    ``held`` are patterns of sections to hold out; ``seed`` is that of order and splits.
    """

    def __init__(self, seed: int = 0, held: Sequence[str] = ()) -> None:
        self.seed = seed
        self.configs: list[str] = []
        self.sections: dict[str, int] = {}
        self.first_demo = ""
        self._held = held
        self._places = bytearray()
        self._tokens, self._config, self._section = array("I"), array("H"), array("i")
        self._flags = array("B")
        self._keys = {name: array("Q") for name in KEYS}
        self._codes: dict[str, int] = {}

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
        self._places += place(row.id, self.seed)[:16]
        self._tokens.append(tokens)
        self._config.append(code)
        self._section.append(self._section_code(section))
        self._flags.append(CHAT * chat | MASKED * masked | DEMO * demo | HELD * held)
        for name, values in self._keys.items():
            values.append(key(row.metadata.get(name)))

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
        return len(self._tokens)

    def part_chats(self) -> None:
        """Move chats out of every config that also holds texts, to ``<config>-chat``.

        One config is one table, and a table cannot hold both.
        """
        config, chat = self.config.copy(), self.has(CHAT)
        for code, name in enumerate(list(self.configs)):
            mine = config == code
            if (mine & chat).any() and (mine & ~chat).any():
                other = f"{name}-chat"
                if other not in self.configs:
                    self.configs.append(other)
                config[mine & chat] = self.configs.index(other)
        self._config = array("H", config.astype(np.uint16).tobytes())

    @property
    def tokens(self) -> Numbers:
        """Token ids of each row, its boundary token included."""
        return np.frombuffer(self._tokens, dtype=np.uint32).astype(np.int64)

    @property
    def config(self) -> Numbers:
        """The config of each row, as its number in ``configs``."""
        return np.frombuffer(self._config, dtype=np.uint16).astype(np.int64)

    @property
    def section(self) -> Numbers:
        """The section of each row, as its number in ``sections``; -1 without one."""
        return np.frombuffer(self._section, dtype=np.int32).astype(np.int64)

    def keys(self, name: str) -> Keys:
        """What ties rows together under ``name``, as 64 bits of a digest; 0 for nothing."""
        return np.frombuffer(self._keys[name], dtype=np.uint64)

    def has(self, flag: int) -> Mask:
        """Which rows are flagged so."""
        return np.asarray(np.frombuffer(self._flags, dtype=np.uint8) & flag, dtype=np.bool_)

    def halves(self) -> tuple[Keys, Keys]:
        """The places of the rows as two numbers, the higher one first."""
        both = np.frombuffer(bytes(self._places), dtype=">u8").reshape(-1, 2).astype(np.uint64)
        return both[:, 0], both[:, 1]

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


class Spool:
    """Token ids of rows, and which of them carry loss, in files that have no name."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._ids: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - see close
            self._loss: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - see close
        except OSError as error:
            raise DiskError(f"{folder}: cannot be written ({error.strerror})") from error
        self._starts = array("Q", [0])
        self._masks = array("q")  # where the flags of a row begin; -1 where all carry loss

    def clear(self) -> None:
        """Forget everything."""
        for file in (self._ids, self._loss):
            file.seek(0)
            file.truncate()
        del self._starts[1:], self._masks[:]

    def add(self, ids: Ids, loss: Flags | None) -> None:
        """Put the ids of the next row."""
        try:
            self._ids.write(ids.tobytes())
            self._masks.append(-1 if loss is None else self._loss.tell())
            if loss is not None:
                self._loss.write(loss.tobytes())
        except OSError as error:
            raise DiskError(f"the token ids cannot be written ({error.strerror})") from error
        self._starts.append(self._starts[-1] + len(ids))

    def get(self, number: int) -> tuple[Ids, Flags | None]:
        """The ids of a row, and which of them carry loss; None where all do."""
        start, end = self._starts[number], self._starts[number + 1]
        self._ids.seek(4 * start)
        ids = np.frombuffer(self._ids.read(4 * (end - start)), dtype=np.uint32)
        if self._masks[number] < 0:
            return ids, None
        self._loss.seek(self._masks[number])
        return ids, np.frombuffer(self._loss.read(end - start), dtype=np.bool_)

    def close(self) -> None:
        """Let go of the files, which are gone then."""
        self._ids.close()
        self._loss.close()


def taken(rows: Sequence[Row], index: Index, spool: Spool, encoder: Encoder) -> None:
    """Read all ``rows`` into ``index``, their ids into ``spool``.

    Raises:
        InputError: a row cannot be exported, or two have the same id.
        Disagreed: see ``Encoder.encode``.
    """
    for first, batch in batched(rows):
        for number, row in enumerate(batch, start=first):
            try:
                refuse_unwritable(row)
            except InputError as error:
                raise InputError(f"{where(rows, number, row)}: {error}") from error
        plain = iter(encoder.encode([row.body for row in batch if not row.no_loss]))
        for row in batch:
            if row.no_loss and row.text is not None:
                ids, loss = encoder.masked(row.text, row.no_loss)
            else:
                ids, loss = next(plain), None
            spool.add(ids, loss)
            index.add(row, len(ids))
    if (twins := index.twins()) is not None:
        first, second = twins
        raise InputError(
            f"{where(rows, second)}: id '{rows[second].id}' was already given in "
            f"{where(rows, first)}; ids must differ"
        )


def batched(rows: Iterable[Row]) -> Iterator[tuple[int, list[Row]]]:
    """The rows in runs of about ``BATCH_CHARS`` characters, each with the number of its first."""
    batch: list[Row] = []
    first = chars = 0
    for row in rows:
        batch.append(row)
        chars += len(row.body)
        if chars >= BATCH_CHARS or len(batch) >= BATCH_ROWS:
            yield first, batch
            first += len(batch)
            batch, chars = [], 0
    if batch:
        yield first, batch


def where(rows: Sequence[Row], number: int, row: Row | None = None) -> str:
    """Where a row stands, as its source says, else its id."""
    if isinstance(rows, Placed):
        return rows.where(number)
    return f"document {(row or rows[number]).id!r}"
