"""Megatron's ``.bin`` and ``.idx``: what Megatron-Core, NeMo, GPT-NeoX and MaxText map into memory.

``.bin`` is the ids of one document after the other, each with its end-of-text token (as
``--append-eod`` has it), in 16 bits where the vocabulary is below 65,500, else in 32 (signed: the
format has no other). ``.idx`` says where each begins. The prefix that trainers ask for is the path
without its ending. Loss masks have no place here.

Source: ``megatron/core/datasets/indexed_dataset.py`` of Megatron-Core 0.16; the files are
byte-identical to those of its ``IndexedDatasetBuilder``.
"""

from __future__ import annotations

import contextlib
import struct
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from corpus import store
from corpus.errors import InputError
from corpus.formats import Layout, Part, Put, Row, Traits
from corpus.formats._ids import between, stream

TRAITS = Traits(suffix="bin", vocabulary=1 << 31)
MAGIC = b"MMIDIDX\x00\x00"
HEAD = struct.Struct("<9sQBQQ")  # magic, version, type, sequences, entries of the document index
CODES: dict[int, np.dtype[Any]] = {4: np.dtype("<i4"), 8: np.dtype("<u2")}
NARROW = 65_500  # vocabularies below this go in 16 bits


def code(vocabulary: int) -> int:
    """The format's number for the type of ids of a vocabulary."""
    return 8 if vocabulary < NARROW else 4


def files(part: Part, layout: Layout) -> tuple[str, ...]:
    """The ids and their index."""
    del layout
    return part.name("bin"), part.name("idx")


@contextlib.contextmanager
def writing(folder: Path, part: Part, layout: Layout) -> Iterator[Put]:
    """Write the pair; the index, without which a reader sees nothing, appears last."""
    ids, index = (folder / name for name in files(part, layout))
    number = code(layout.tokenizer.vocab_size)
    kind = CODES[number]
    lengths = array("i")
    with store.replacing(index) as about, store.replacing(ids) as data:

        def put(row: Row) -> None:
            data.write(row.ids.astype(kind).tobytes())
            lengths.append(len(row.ids))

        yield put
        count = len(lengths)
        sizes = np.array(lengths, dtype="<i4")
        starts = (np.cumsum(sizes, dtype="<i8") - sizes) * kind.itemsize
        about.write(HEAD.pack(MAGIC, 1, number, count, count + 1))
        about.write(sizes.tobytes())
        about.write(starts.tobytes())
        about.write(np.arange(count + 1, dtype="<i8").tobytes())


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """Yield the rows of one pair."""
    del layout
    kind, sizes = indexed(path.with_suffix(".idx"))
    ids = stream(path, kind)
    ends = np.cumsum(sizes, dtype=np.int64)
    if ends[-1] != len(ids):
        raise InputError(f"{path}: {len(ids)} ids, but its index tells of {ends[-1]}")
    for document in between(ids, ends):
        yield Row(id="", config="", ids=document)


def indexed(path: Path) -> tuple[np.dtype[Any], np.ndarray[Any, np.dtype[np.int32]]]:
    """The type of the ids, and the length of every sequence, as an index tells them."""
    try:
        raw = path.read_bytes()
        magic, version, number, count, _ = HEAD.unpack_from(raw)
        sizes = np.frombuffer(raw, dtype="<i4", count=count, offset=HEAD.size)
    except (OSError, ValueError, struct.error) as error:
        raise InputError(f"{path}: cannot be read as an index ({error})") from error
    if (magic, version) != (MAGIC, 1) or number not in CODES or not count:
        raise InputError(f"{path}: not an index of Megatron's; export it again")
    return CODES[number], sizes
