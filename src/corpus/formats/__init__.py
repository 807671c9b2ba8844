"""The export formats, one module each, found by listing this folder.

A format is a module with a docstring and what ``Format`` lists; adding one is adding a file. What a
shard holds is decided here once, for all of them: documents in order, never split, a new shard
where the next document would pass the token budget. This room turns rows into files and back.
"""

from __future__ import annotations

import hashlib
import importlib
import itertools
import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from corpus.errors import InputError, did_you_mean
from corpus.records import Shard, canonical

if TYPE_CHECKING:
    from pathlib import Path

    from corpus.tokens import Tokenizer

Ids = np.ndarray[tuple[int], np.dtype[np.uint32]]


@dataclass(frozen=True, slots=True)
class Row:
    """A document on its way into a shard: a text or a chat, and what is known about it.

    ``config`` is the subset of the dataset it belongs to (a build's stream), ``no_loss`` the
    [start, end) character spans of ``text`` that carry no loss, ``ids`` the document's token ids
    with the boundary token at their end, empty until they are counted.
    """

    id: str
    config: str
    text: str | None = None
    messages: tuple[dict[str, str], ...] | None = None
    tools: str | None = None
    source: str = ""
    added: str = ""
    created: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    no_loss: tuple[tuple[int, int], ...] | None = None
    split: str = "train"
    ids: Ids = field(
        default_factory=lambda: np.zeros(0, dtype=np.uint32), compare=False, repr=False
    )

    @property
    def body(self) -> str:
        """What is tokenized: the text, or the contents of the turns with a blank line between.

        Role marks and tool definitions are left out: each trainer's chat template adds its own.
        """
        if self.text is not None:
            return self.text
        return "\n\n".join(turn["content"] for turn in self.messages or ())

    def hashed(self) -> bytes:
        """What ``text_sha256`` takes of this row: id, newline, text or messages, newline."""
        content = canonical(self.messages) if self.text is None else self.text.encode()
        return self.id.encode() + b"\n" + content + b"\n"


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one shard, ``number`` of ``of`` in its config and split, counted from 0."""

    config: str
    split: str
    number: int
    of: int
    rows: tuple[Row, ...]

    def file(self, suffix: str) -> str:
        """Its path below the folder of the format, as the Hub names shards."""
        return f"{self.config}/{self.split}-{self.number:05d}-of-{self.of:05d}.{suffix}"


class Format(Protocol):
    """What a format's module offers.

    ``write`` is called with every keyword below and may take those it needs and ``**_``. ``CARD``
    says that ``datasets.load_dataset`` reads the folder, so that it gets a dataset card.
    """

    SUFFIX: str
    CARD: bool

    def write(
        self, rows: Sequence[Row], folder: Path, *, shard_tokens: int, tokenizer: Tokenizer
    ) -> Iterator[Shard]:
        """Write ``rows`` (in export order, with their ids) below ``folder``, a shard at a time."""

    def read(self, path: Path) -> Iterator[Row]:
        """Yield the rows of the shard at ``path``: text or messages, or ids if it has neither."""


def names() -> list[str]:
    """The names of all formats, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def named(name: str) -> Format:
    """The format called ``name``.

    Raises:
        InputError: there is none.
    """
    if name not in names():
        raise InputError(f"unknown export format '{name}'{did_you_mean(name, names())}")
    return cast("Format", importlib.import_module(f"{__name__}.{name}"))


def parts(rows: Iterable[Row], shard_tokens: int) -> Iterator[Part]:
    """Cut rows in export order into shards of at most ``shard_tokens`` token ids.

    A document is never split; one that is longer than the budget has a shard of its own.
    """
    for (config, split), group in itertools.groupby(rows, key=lambda row: (row.config, row.split)):
        cut: list[list[Row]] = []
        room = 0
        for row in group:
            if len(row.ids) > room or not cut:
                cut.append([])
                room = shard_tokens
            cut[-1].append(row)
            room -= len(row.ids)
        for number, piece in enumerate(cut):
            yield Part(config, split, number, len(cut), tuple(piece))


def shard(part: Part, folder: Path, file: str) -> Shard:
    """The record of the file that ``part`` was written to."""
    path = folder / file
    return Shard(
        file=file,
        config=part.config,
        split=part.split,
        bytes=path.stat().st_size,
        documents=len(part.rows),
        tokens=sum(len(row.ids) for row in part.rows),
        sha256=sha256(path),
    )


def sha256(path: Path) -> str:
    """The hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def record(row: Row) -> dict[str, Any]:
    """The contract's fields of a row, in order; dolma's and datatrove's names where they have one.

    A chat has no columns for where it comes from, so what is known stands in its metadata.
    """
    if row.text is None:
        known = {"source": row.source, "added": row.added, "created": row.created}
        about = {key: value for key, value in known.items() if value}
        return {
            "id": row.id,
            "messages": list(row.messages or ()),
            "tools": row.tools,
            "metadata": about | row.metadata,
        }
    fields: dict[str, Any] = {
        "id": row.id,
        "text": row.text,
        "source": row.source,
        "added": row.added,
        "created": row.created,
        "metadata": row.metadata,
    }
    if row.no_loss is not None:
        fields["no_loss"] = [list(span) for span in row.no_loss]
    return fields


def from_record(fields: dict[str, Any]) -> Row:
    """The row that ``record`` made ``fields`` of, as far as they tell."""
    messages, spans = fields.get("messages"), fields.get("no_loss")
    return Row(
        id=fields["id"],
        config="",
        text=fields.get("text"),
        messages=None if messages is None else tuple(messages),
        tools=fields.get("tools"),
        source=fields.get("source", ""),
        added=fields.get("added", ""),
        created=fields.get("created", ""),
        metadata=fields["metadata"],
        no_loss=None if spans is None else tuple((start, end) for start, end in spans),
    )
