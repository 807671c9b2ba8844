"""JSON Lines as dolma, datatrove and most trainers read it: one object per line, plain text.

``metadata`` is an object here. A reader that needs one schema for all rows (Arrow, ``datasets``)
merges the keys of different rows and fills the gaps with null: use ``parquet`` there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corpus import formats, store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from corpus.formats import Row
    from corpus.records import Shard

SUFFIX = "jsonl"
CARD = True


def write(rows: Sequence[Row], folder: Path, *, shard_tokens: int, **_: object) -> Iterator[Shard]:
    """Write one line per row."""
    for part in formats.parts(rows, shard_tokens):
        file = part.file(SUFFIX)
        store.write_rows(folder / file, map(formats.record, part.rows))
        yield formats.shard(part, folder, file)


def read(path: Path) -> Iterator[Row]:
    """Yield the rows of one shard."""
    return map(formats.from_record, store.read_rows(path))
