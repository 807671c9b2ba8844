"""Parquet as ``datasets``, Megatron's and nanochat's loaders read it: zstd, many row groups.

``metadata`` and ``tools`` are JSON strings: Arrow gives all rows of a column one schema, so objects
with different keys would be merged and filled with nulls, and what was written would not be what
is read. nanochat deals row groups to ranks and stalls where one gets none, hence at least eight
of them wherever there are eight documents.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import formats, store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from corpus.formats import Row
    from corpus.records import Shard

SUFFIX = "parquet"
CARD = True
ROW_GROUPS = 8  # at least, where there are as many documents
GROUP_ROWS = 1024  # at most, nanochat's own number
TURN = pa.struct([("role", pa.string()), ("content", pa.string())])
TYPES = {"messages": pa.list_(TURN), "no_loss": pa.list_(pa.list_(pa.int64()))}


def write(rows: Sequence[Row], folder: Path, *, shard_tokens: int, **_: object) -> Iterator[Shard]:
    """Write Parquet files, all of a config with the same columns."""
    columns = {
        config: schema(list(group))
        for config, group in itertools.groupby(rows, key=lambda row: row.config)
    }
    for part in formats.parts(rows, shard_tokens):
        file = part.file(SUFFIX)
        write_file(folder / file, part.rows, columns[part.config])
        yield formats.shard(part, folder, file)


def schema(rows: Sequence[Row]) -> pa.Schema:
    """The columns of one config: those of its rows, and ``no_loss`` where any row has spans."""
    names = dict.fromkeys(name for row in rows for name in formats.record(row))
    return pa.schema([(name, TYPES.get(name, pa.string())) for name in names])


def write_file(path: Path, rows: Sequence[Row], columns: pa.Schema) -> None:
    """Write one file, a row group at a time; whole or not there."""
    size = max(1, min(GROUP_ROWS, len(rows) // ROW_GROUPS))
    with (
        store.replacing(path) as file,
        pq.ParquetWriter(
            file,
            columns,
            compression="zstd",
            compression_level=3,
            use_dictionary=False,
            write_statistics=False,
        ) as writer,
    ):
        for start in range(0, len(rows), size):
            cells = [cell(row) for row in rows[start : start + size]]
            writer.write_table(pa.Table.from_pylist(cells, schema=columns))


def cell(row: Row) -> dict[str, Any]:
    """The row as Arrow takes it, its metadata as a JSON string."""
    fields = formats.record(row)
    return fields | {"metadata": store.line(fields["metadata"])}


def read(path: Path) -> Iterator[Row]:
    """Yield the rows of one shard."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            for fields in batch.to_pylist():
                yield formats.from_record(fields | {"metadata": json.loads(fields["metadata"])})
