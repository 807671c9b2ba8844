"""The ``.bin`` of llm.c and modded-nanogpt: a head of 256 numbers, then ids in 16 bits.

Here the boundary token stands *before* each document, and readers find documents by it:
``modded-nanogpt`` indexes id 50256, GPT-2's, whatever the vocabulary. The third number of the head
is the count of ids, and both readers insist on it.

Source: ``dev/data/data_common.py`` of llm.c (the "gpt-2" kind), ``_load_data_shard`` of
modded-nanogpt.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from corpus import store
from corpus.errors import InputError
from corpus.formats import Layout, Part, Put, Row, Traits
from corpus.formats._ids import between, stream

TRAITS = Traits(suffix="bin", vocabulary=1 << 16)
KIND = np.dtype("<u2")
HEAD = np.dtype("<i4")
NUMBERS = 256
MAGIC, VERSION = 20240520, 1
MOST = (1 << 31) - 1  # ids that the head can count


def files(part: Part, layout: Layout) -> tuple[str, ...]:
    """One file, named as their patterns expect it."""
    del layout
    split = "val" if part.split == "validation" else part.split
    return (f"{part.config}/{part.config}_{split}_{part.number:06d}.bin",)


def boundary(layout: Layout) -> int:
    """The token that stands before a document."""
    tokenizer = layout.tokenizer
    token = tokenizer.eos_id if tokenizer.bos_id is None else tokenizer.bos_id
    return int(token or 0)


@contextlib.contextmanager
def writing(folder: Path, part: Part, layout: Layout) -> Iterator[Put]:
    """Write one shard."""
    if part.tokens > MOST:
        raise InputError(f"format 'llmc' counts {MOST:,} ids per file; lower --shard-tokens")
    head = np.zeros(NUMBERS, dtype=HEAD)
    head[:3] = MAGIC, VERSION, part.tokens
    first = np.array([boundary(layout)], dtype=KIND).tobytes()
    with store.replacing(folder / files(part, layout)[0]) as data:
        data.write(head.tobytes())

        def put(row: Row) -> None:
            data.write(first + row.ids[:-1].astype(KIND).tobytes())

        yield put


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """Yield the rows of one shard, the boundary token moved to where all rows have it."""
    head = np.fromfile(path, dtype=HEAD, count=NUMBERS)
    if len(head) != NUMBERS or (head[0], head[1]) != (MAGIC, VERSION):
        raise InputError(f"{path}: does not begin as llm.c's shards do; export it again")
    ids = stream(path, KIND, NUMBERS * HEAD.itemsize)
    if head[2] != len(ids):
        raise InputError(f"{path}: {len(ids)} ids, but its head tells of {head[2]}")
    first = boundary(layout)
    if ids[0] != first:
        raise InputError(f"{path}: its first document has no boundary token; export it again")
    last = np.array([layout.tokenizer.eos_id], dtype=np.uint32)
    starts = np.flatnonzero(ids == first)
    for document in between(ids, np.append(starts[1:], len(ids))):
        yield Row(id="", config="", ids=np.concatenate((document[1:], last)))
