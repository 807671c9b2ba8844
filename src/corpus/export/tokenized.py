"""The first reading of the rows: of each a few numbers into the index, its ids into a file."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.errors import DiskError, InputError, did_you_mean
from corpus.export.check import refuse_unwritable
from corpus.export.gather import Placed
from corpus.export.index import Index, Numbers
from corpus.export.table import Column, Table
from corpus.formats import Row, record
from corpus.tokens import Flags, Ids, batches
from corpus.tokens.encoder import Encoder

BUFFER = 1 << 20  # bytes that are written together
NONE = np.zeros(0, dtype=np.bool_)
NARROW = 1 << 16  # a vocabulary up to this goes in 16 bits


class Stretch:
    """Values of one type end to end in a file without a name, which no crash can leave behind.

    Raises:
        DiskError: the disk cannot be written.
    """

    def __init__(self, folder: Path, kind: npt.DTypeLike) -> None:
        self._kind, self._folder = np.dtype(kind), folder
        with self._writing():
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - see close
        self._out = io.BufferedWriter(self._file, BUFFER)

    def put(self, values: npt.NDArray[Any]) -> None:
        """Add values at the end."""
        with self._writing():
            self._out.write(values.astype(self._kind).data)

    def end(self) -> None:
        """See to it that ``get`` finds all."""
        with self._writing():
            self._out.flush()

    def get(self, start: int, end: int) -> Column:
        """The values from number ``start`` up to ``end``."""
        self._file.seek(start * self._kind.itemsize)
        found = np.frombuffer(self._file.read((end - start) * self._kind.itemsize), self._kind)
        self._file.seek(0, io.SEEK_END)  # where ``put`` goes on
        return found

    def clear(self) -> None:
        """Forget everything."""
        with self._writing():
            self._out.seek(0)
            self._out.truncate()

    def close(self) -> None:
        """Let go of the file, which is gone then."""
        with contextlib.suppress(OSError):  # a full disk was told of when it was written
            self._out.close()
        self._file.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DiskError(f"{self._folder}: cannot be written ({error.strerror})") from error


class TokenFile:
    """Token ids of rows, and which of them carry loss, on disk.

    ``vocabulary`` tells how wide the ids are.

    Raises:
        DiskError: the disk cannot be written.
    """

    def __init__(self, folder: Path, vocabulary: int) -> None:
        self._ids = Stretch(folder, np.uint16 if vocabulary <= NARROW else np.uint32)
        self._loss = Stretch(folder, np.bool_)
        self._sizes = Table({"ids": "I", "flags": "I"}, folder)
        self._ends: tuple[Numbers, Numbers] | None = None

    def clear(self) -> None:
        """Forget everything."""
        for part in (self._ids, self._loss, self._sizes):
            part.clear()
        self._ends = None

    def add(self, ids: Ids, loss: Flags | None) -> None:
        """Put the ids of the next row."""
        self._ids.put(ids)
        if loss is not None:
            self._loss.put(loss)
        self._sizes.add(len(ids), 0 if loss is None else len(loss))
        self._ends = None

    def get(self, number: int) -> tuple[Ids, Flags | None]:
        """The ids of a row, and which of them carry loss; None where all do."""
        if self._ends is None:
            self._ends = self._placed()
        ends, flags = self._ends
        ids = self._ids.get(*span(ends, number)).astype(np.uint32)
        loss: Flags = self._loss.get(*span(flags, number)) if len(flags) else NONE
        return ids, loss if len(loss) else None

    def close(self) -> None:
        """Let go of the files."""
        for part in (self._ids, self._loss, self._sizes):
            part.close()

    def _placed(self) -> tuple[Numbers, Numbers]:
        """Where the ids of each row end, and its flags; nothing for those where no row has any."""
        self._ids.end()
        self._loss.end()
        flags = np.cumsum(self._sizes.column("flags"), dtype=np.int64)
        ends = np.cumsum(self._sizes.column("ids"), dtype=np.int64)
        return ends, flags if len(flags) and flags[-1] else flags[:0]


def span(ends: Numbers, number: int) -> tuple[int, int]:
    """From where to where row ``number`` goes."""
    return int(ends[number - 1]) if number else 0, int(ends[number])


def taken(
    rows: Sequence[Row],
    index: Index,
    ids: TokenFile,
    encoder: Encoder,
    silent: Collection[str] = (),
    chat: str = "openai",
) -> None:
    """Read all ``rows`` into ``index``, their ids into ``ids``.

    The turns of chats whose roles are ``silent`` carry no loss; ``chat`` is the shape of chats.

    Raises:
        InputError: a row cannot be exported, or a role has no turns.
        Disagreed: see ``Encoder.encode``.
    """
    first = 0
    roles = set[str]()
    for batch in batches(rows, lambda row: len(row.body)):
        for number, row in enumerate(batch, start=first):
            try:
                refuse_unwritable(row)
                if chat != "openai":  # which holds any chat
                    record(row, chat)
            except InputError as error:
                raise InputError(f"{where(rows, number, row)}: {error}") from error
        first += len(batch)
        if silent:
            roles.update(turn["role"] for row in batch for turn in row.messages or ())
        masked = [silenced(row, silent) for row in batch] if silent else batch
        plain = iter(encoder.encode([row.body for row in masked if not row.no_loss]))
        for row in masked:
            if row.no_loss:
                one, loss = encoder.masked(row.body, row.no_loss)
            else:
                one, loss = next(plain), None
            ids.add(one, loss)
            index.add(row, len(one))
    if silent and not roles:
        raise InputError(
            f"--mask-roles {','.join(silent)}: no row is a chat; a row of text says what carries "
            f"no loss in its no_loss"
        )
    for role in sorted(set(silent) - roles):
        hint = did_you_mean(role, sorted(roles))
        raise InputError(f"--mask-roles {role}: no turn of a chat is of that role{hint}")


def silenced(row: Row, roles: Collection[str]) -> Row:
    """The row, the turns of these roles without loss if it is a chat that has such."""
    spans = row.spans_of(roles)
    return dataclasses.replace(row, no_loss=spans) if spans else row


def refuse_twins(rows: Sequence[Row], index: Index) -> None:
    """Refuse two rows of one id.

    Raises:
        InputError: there are such rows.
    """
    if (twins := index.twins()) is not None:
        one_of, second = twins
        raise InputError(
            f"{where(rows, second)}: id '{rows[second].id}' was already given in "
            f"{where(rows, one_of)}; ids must differ"
        )


def where(rows: Sequence[Row], number: int, row: Row | None = None) -> str:
    """Where a row stands, as its source says, else its id."""
    if isinstance(rows, Placed):
        return rows.where(number)
    return f"document {(row or rows[number]).id!r}"
