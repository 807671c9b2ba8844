"""The export formats, one module each, found by listing this folder.

A format is a module with a docstring and what ``Format`` lists; adding one is adding a file. What a
shard holds is decided here once, for all of them: documents in order, never split, a new shard
where the next document would pass the token budget. ``plan`` settles that from outlines, ``check``
refuses what a format cannot hold, ``write`` puts every row into all formats in one pass. This room
turns rows into files and back.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self, cast

from corpus.errors import InputError, did_you_mean
from corpus.formats._plan import Outline, Part, joined, plan
from corpus.formats._rows import Flags, Ids, Row, from_record, record
from corpus.records import Shard
from corpus.tokens import Tokenizer

__all__ = [
    "Flags", "Format", "Ids", "Layout", "Outline", "Part", "Put", "Row", "Traits", "Writer",
    "check", "from_record", "named", "names", "plan", "record", "seal", "sha256", "write",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """How shards are laid out, where a format leaves a choice.

    ``compress`` is of ``jsonl``: ``gzip``, ``zstd`` or nothing. ``chat`` is the shape of chats in
    ``parquet`` and ``jsonl``: ``openai`` has the system prompt as the first message, ``anthropic``
    in a column of its own.
    """

    tokenizer: Tokenizer
    compress: Literal["", "gzip", "zstd"] = ""
    chat: Literal["openai", "anthropic"] = "openai"


@dataclass(frozen=True, slots=True)
class Traits:
    """What holds of every shard of a format.

    Args:
        suffix: how the names of its files end.
        card: ``datasets.load_dataset`` reads the folder, so that it gets a dataset card.
        text: shards hold texts and chats; without it, token ids alone.
        masks: a reader finds in them which characters or tokens carry no loss.
        vocabulary: the largest vocabulary that fits the width of its ids.
        one_file: its readers take one file per split, however many tokens.
        package: what must be importable to write and read it, and comes with the extra of its name.
    """

    suffix: str
    card: bool = False
    text: bool = False
    masks: bool = False
    vocabulary: int = 1 << 63
    one_file: bool = False
    package: str = ""


Put = Callable[[Row], None]


class Format(Protocol):
    """What a format's module offers. A writer holds no more than one row group in memory."""

    TRAITS: Traits

    def files(self, part: Part, layout: Layout) -> tuple[str, ...]:
        """The files of a shard below the format's folder: its own, then those beside it."""

    def writing(self, folder: Path, part: Part, layout: Layout) -> AbstractContextManager[Put]:
        """A function that takes the rows of ``part``, in order and with their ids.

        The files appear at the end of the block, whole, or not at all.
        """

    def read(self, path: Path, layout: Layout) -> Iterator[Row]:
        """Yield the rows of the shard at ``path``: text or messages, or ids if it has neither.

        Ids come as ``Row`` has them, with the end-of-text token last, wherever the file puts it.

        Raises:
            InputError: the file is not a whole shard of this format.
        """


def names() -> list[str]:
    """The names of all formats, sorted."""
    return sorted(one.name for one in pkgutil.iter_modules(__path__) if one.name[0] != "_")


def named(name: str) -> Format:
    """The format called ``name``.

    Raises:
        InputError: there is none.
    """
    if name not in names():
        raise InputError(f"unknown export format '{name}'{did_you_mean(name, names())}")
    return cast("Format", importlib.import_module(f"{__name__}.{name}"))


def check(chosen: Iterable[str], parts: Sequence[Part], layout: Layout) -> None:
    """Refuse what a format cannot hold, before the first byte is written.

    Raises:
        InputError: a format is unknown or its package missing, its ids are too narrow for the
            vocabulary, documents would run together, or spans without loss would be lost.
    """
    tokenizer = layout.tokenizer
    for name in chosen:
        traits = named(name).TRAITS
        if traits.package and importlib.util.find_spec(traits.package) is None:
            raise InputError(
                f"format '{name}' needs the package '{traits.package}': "
                f"pip install 'constitution-corpus[{name}]'"
            )
        if tokenizer.vocab_size > traits.vocabulary:
            raise InputError(
                f"format '{name}' has room for {traits.vocabulary:,} token ids, but the vocabulary "
                f"of '{tokenizer.name}' has {tokenizer.vocab_size:,}; choose megatron, olmo or "
                f"datatrove, or a smaller --tokenizer"
            )
        if not traits.text and tokenizer.eos_id is None:
            raise InputError(
                f"format '{name}' tells documents apart by an end-of-text token, and the tokenizer "
                f"'{tokenizer.name}' has none; name one in its tokenizer_config.json"
            )
        spans = [part.config for part in parts if part.masked]
        if spans and not traits.masks:
            raise InputError(
                f"format '{name}' cannot say which text carries no loss, and '{spans[0]}' has such "
                f"text (no_loss, --mask-roles); choose olmo, datatrove, parquet or jsonl, or do "
                f"without"
            )


def write(
    rows: Iterable[Row], parts: Sequence[Part], folder: Path, chosen: Iterable[str], layout: Layout
) -> dict[str, tuple[Shard, ...]]:
    """Write ``rows`` to ``folder/<format>/`` in every chosen format, in one pass; the shards.

    ``parts`` is the ``plan`` of the same rows. Memory is bounded by a row group of each format.

    Raises:
        InputError: a row cannot be held by a format.
        DiskError: the disk cannot be written.
        ValueError: the rows are not those that were planned.
    """
    with contextlib.ExitStack() as stack:
        writers = {
            name: stack.enter_context(Writer(named(name), parts, folder / name, layout))
            for name in chosen
        }
        for row in rows:
            for writer in writers.values():
                writer.put(row)
        for name, writer in writers.items():
            if not writer.done:
                raise ValueError(f"{name}: there are fewer rows than were planned")
    return {name: tuple(writer.shards) for name, writer in writers.items()}


class Writer:
    """One format's files, opened and closed where the plan says; ``shards`` are those closed."""

    def __init__(self, form: Format, parts: Iterable[Part], folder: Path, layout: Layout) -> None:
        self.shards: list[Shard] = []
        self._form, self._folder, self._layout = form, folder, layout
        self._parts = list(joined(parts) if form.TRAITS.one_file else parts)
        self._documents = self._tokens = 0  # left of the shard that is open
        self._open = contextlib.ExitStack()

    @property
    def done(self) -> bool:
        """Whether every shard of the plan stands."""
        return len(self.shards) == len(self._parts)

    def put(self, row: Row) -> None:
        """Write one row."""
        if self.done:
            raise ValueError(f"row '{row.id}': there are more rows than were planned")
        part = self._parts[len(self.shards)]
        if (row.config, row.split, row.text is None) != (part.config, part.split, part.chat):
            raise ValueError(f"row '{row.id}' is not of the config and split that were planned")
        if not self._documents:
            self._documents, self._tokens = part.documents, part.tokens
            writing = self._form.writing(self._folder, part, self._layout)
            self._put = self._open.enter_context(writing)
        self._put(row)
        self._documents -= 1
        self._tokens -= len(row.ids)
        if not self._documents:
            if self._tokens:
                raise ValueError(f"row '{row.id}' ends a shard of other than the planned tokens")
            self._open.close()
            files = self._form.files(part, self._layout)
            self.shards.append(shard(part, self._folder, files))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: Any) -> None:  # noqa: ANN401, PYI036 - as ExitStack has them
        self._open.__exit__(*exception)


def shard(part: Part, folder: Path, files: Sequence[str]) -> Shard:
    """The record of the files that ``part`` was written to."""
    own, *others = files
    return Shard(
        file=own,
        config=part.config,
        split=part.split,
        documents=part.documents,
        tokens=part.tokens,
        **seal(folder / own),
        beside=tuple({"file": other, **seal(folder / other)} for other in others),
    )


def seal(path: Path) -> dict[str, Any]:
    """The ``bytes`` and ``sha256`` of a file."""
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def sha256(path: Path) -> str:
    """The hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
