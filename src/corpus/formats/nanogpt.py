"""nanoGPT's ``train.bin`` and ``val.bin``: ids in 16 bits, each document with its end-of-text.

A folder per config is a nanoGPT ``data`` folder. The trainer knows these two names only, so a split
is one file, whatever its size. There is no place for masks, and none for larger vocabularies.

Source: ``data/openwebtext/prepare.py`` and ``get_batch`` in ``train.py`` of nanoGPT.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from corpus import store
from corpus.formats import Layout, Part, Put, Row, Traits
from corpus.formats._ids import documents, stream

TRAITS = Traits(suffix="bin", vocabulary=1 << 16, one_file=True)
KIND = np.dtype("<u2")


def files(part: Part, layout: Layout) -> tuple[str, ...]:
    """One file, called as the trainer calls its splits."""
    del layout
    return (f"{part.config}/{'val' if part.split == 'validation' else part.split}.bin",)


@contextlib.contextmanager
def writing(folder: Path, part: Part, layout: Layout) -> Iterator[Put]:
    """Write the ids of a split."""
    with store.replacing(folder / files(part, layout)[0]) as data:

        def put(row: Row) -> None:
            data.write(row.ids.astype(KIND).tobytes())

        yield put


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """Yield the rows of one split."""
    for ids in documents(path, stream(path, KIND), layout.tokenizer.eos_id):
        yield Row(id="", config="", ids=ids)
