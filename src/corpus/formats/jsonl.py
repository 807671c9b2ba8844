"""JSON Lines as dolma, datatrove and most trainers read it: one object per line.

``metadata`` is an object here. A reader that needs one schema for all rows (Arrow, ``datasets``)
merges the keys of different rows and fills the gaps with null: use ``parquet`` there.
Plain text, or one gzip member (no name, no time) or one zstd frame: readers stop after the first.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from corpus import formats, store
from corpus.errors import InputError
from corpus.formats import Layout, Part, Put, Row, Traits

TRAITS = Traits(suffix="jsonl", card=True, text=True, masks=True)
ENDINGS = {"": "", "gzip": ".gz", "zstd": ".zst"}
BLOCK = 1 << 20  # bytes read at a time


def files(part: Part, layout: Layout) -> tuple[str, ...]:
    """One file, its compression told by its ending."""
    return (part.name(TRAITS.suffix + ENDINGS[layout.compress]),)


@contextlib.contextmanager
def writing(folder: Path, part: Part, layout: Layout) -> Iterator[Put]:
    """Write one line per row."""
    with (
        store.replacing(folder / files(part, layout)[0]) as file,
        packed(file, layout.compress) as out,
    ):

        def put(row: Row) -> None:
            out.write(store.line(formats.record(row, layout.chat)).encode() + b"\n")

        yield put


@contextlib.contextmanager
def packed(file: IO[bytes], compress: str) -> Iterator[Any]:
    """A stream whose bytes end in ``file``, compressed; ``file`` stays open."""
    if compress == "gzip":
        with gzip.GzipFile("", "wb", 6, file, mtime=0) as stream:
            yield stream
    elif compress == "zstd":
        with pa.CompressedOutputStream(pa.PythonFile(Kept(file), "w"), "zstd") as stream:
            yield stream
    else:
        yield file


class Kept(io.RawIOBase):
    """A file that a wrapper cannot close: ``store.replacing`` has still to sync it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        """Write all of ``data``."""
        return self._file.write(data)


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """Yield the rows of one shard."""
    del layout
    if path.suffix == ".jsonl":
        yield from map(formats.from_record, store.read_rows(path))
        return
    with pa.input_stream(path, compression="detect") as stream:
        lines = io.BufferedReader(stream, BLOCK)
        try:
            for line in lines:
                yield formats.from_record(json.loads(line))
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read ({error}); export it again") from error
