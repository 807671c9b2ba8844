"""Parquet as ``datasets``, Megatron's and nanochat's loaders read it: zstd, many row groups.

``metadata`` and ``tools`` are JSON strings: Arrow gives all rows of a column one schema, so objects
with different keys would be merged and filled with nulls, and what was written would not be what
is read. nanochat takes a folder of one config as it is (the last file by name, ``validation``, is
its held-out one), deals row groups to ranks and stalls where one gets none, hence at least eight of
them wherever there are eight documents; 1024 rows at most, zstd-3, no dictionary and no statistics
are its own settings.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import formats, store
from corpus.errors import InputError
from corpus.formats import Layout, Part, Put, Row, Traits

TRAITS = Traits(suffix="parquet", card=True, text=True, masks=True)
ROW_GROUPS = 8  # at least, where there are as many documents
GROUP_ROWS = 1024  # at most, nanochat's own number
GROUP_CHARS = 16 << 20  # at most: long documents must not fill the memory
TURNS = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
SPANS = pa.list_(pa.list_(pa.int64()))
TEXT = ("id", "text", "source", "added", "created", "metadata")
CHAT = {
    "openai": ("id", "messages", "tools", "metadata"),
    "anthropic": ("id", "system", "messages", "tools", "metadata"),
}


def files(part: Part, layout: Layout) -> tuple[str, ...]:
    """One file."""
    del layout
    return (part.name(TRAITS.suffix),)


def schema(part: Part, layout: Layout) -> pa.Schema:
    """The columns of the part's config: ``no_loss`` where any of its texts has spans.

    Chats have none: trainers mask turns by their roles, which stand in the messages.
    """
    names = CHAT[layout.chat] if part.chat else TEXT
    columns = [(name, TURNS if name == "messages" else pa.string()) for name in names]
    return pa.schema([*columns, *([("no_loss", SPANS)] if part.masked and not part.chat else [])])


@contextlib.contextmanager
def writing(folder: Path, part: Part, layout: Layout) -> Iterator[Put]:
    """Write one file, a row group at a time."""
    columns = schema(part, layout)
    size = max(1, min(GROUP_ROWS, part.documents // ROW_GROUPS))
    group: list[dict[str, Any]] = []
    chars = 0
    with (
        store.replacing(folder / files(part, layout)[0]) as file,
        pq.ParquetWriter(
            file,
            columns,
            compression="zstd",
            compression_level=3,
            use_dictionary=False,
            write_statistics=False,
        ) as writer,
    ):

        def put(row: Row) -> None:
            nonlocal chars
            group.append(cell(row, layout))
            chars += len(row.body)
            if len(group) == size or chars > GROUP_CHARS:
                flush()

        def flush() -> None:
            nonlocal chars
            writer.write_table(pa.Table.from_pylist(group, schema=columns))
            group.clear()
            chars = 0

        yield put
        if group:
            flush()


def cell(row: Row, layout: Layout) -> dict[str, Any]:
    """The row as Arrow takes it, its metadata as a JSON string."""
    fields = formats.record(row, layout.chat)
    return fields | {"metadata": store.line(fields["metadata"])}


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """Yield the rows of one shard."""
    del layout
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=GROUP_ROWS):
                for fields in batch.to_pylist():
                    yield formats.from_record(fields | {"metadata": json.loads(fields["metadata"])})
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read ({error}); export it again") from error
