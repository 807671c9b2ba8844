"""OLMo-core's token arrays: raw ids in ``.npy``, without NumPy's header, as Dolma has it.

Beside each stands a ``.csv.gz`` with a line per document (start, end, id, source, place), and where
a config has spans without loss a ``.label_mask`` with one byte per id, 1 for those to be trained
on: pass the files as ``label_mask_paths``. Its name does not end in ``.npy``, or the pattern that
finds the arrays would find it too. The width is the one that OLMo-core assumes for the vocabulary:
8, 16 or 32 bits, unsigned.

Source: ``olmo_core/data/utils.py`` and ``numpy_dataset.py`` of OLMo-core 3.0.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from corpus import store
from corpus.errors import InputError
from corpus.formats import Layout, Part, Put, Row, Traits
from corpus.formats._ids import loss, stream, width

TRAITS = Traits(suffix="npy", masks=True, vocabulary=1 << 32)


def kind(layout: Layout) -> np.dtype[Any]:
    """The type that OLMo-core reads this vocabulary's ids as, when it is not told."""
    return width(layout.tokenizer.vocab_size, np.uint8, np.uint16, np.uint32)


def files(part: Part, layout: Layout) -> tuple[str, ...]:
    """The ids, where documents are, and which ids carry loss."""
    del layout
    names = (part.name("npy"), part.name("csv.gz"), part.name("label_mask"))
    return names if part.masked else names[:2]


@contextlib.contextmanager
def writing(folder: Path, part: Part, layout: Layout) -> Iterator[Put]:
    """Write the files of one shard."""
    ids, about, *mask = (folder / name for name in files(part, layout))
    with contextlib.ExitStack() as stack:
        flags = stack.enter_context(store.replacing(mask[0])) if mask else None
        table = stack.enter_context(lines(stack.enter_context(store.replacing(about))))
        data = stack.enter_context(store.replacing(ids))
        number = end = 0

        def put(row: Row) -> None:
            nonlocal number, end
            start, end, number = end, end + len(row.ids), number + 1
            data.write(row.ids.astype(kind(layout)).tobytes())
            name = row.id.replace("\r", "\\r")  # the reader takes it for the end of the line
            table.writerow((start, end, name, f"{part.config}/{part.split}", number))
            if flags:
                flags.write(loss(row).tobytes())

        yield put


@contextlib.contextmanager
def lines(file: IO[bytes]) -> Iterator[Any]:
    """A writer of comma-separated lines, packed by gzip without name and time."""
    with (
        gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as text,
    ):
        yield csv.writer(text, lineterminator="\n")


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """Yield the rows of one shard, with the names and masks that stand beside it."""
    ids = stream(path, kind(layout))
    about, mask = path.with_suffix(".csv.gz"), path.with_suffix(".label_mask")
    flags = stream(mask, np.dtype(np.bool_)) if mask.exists() else None
    stop = 0
    try:
        with gzip.open(about, "rt", encoding="utf-8", newline="") as file:
            for start, end, name, *_ in csv.reader(file):
                if int(start) != stop:
                    raise InputError(f"{about}: '{name}' does not begin where the last one ends")
                stop = int(end)
                here = slice(int(start), stop)
                yield Row(
                    id=name,
                    config="",
                    ids=ids[here].astype(np.uint32),
                    loss=None if flags is None else np.array(flags[here]),
                )
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{about}: cannot be read ({error}); export it again") from error
    if stop != len(ids):
        raise InputError(f"{path}: {len(ids)} ids, but {about.name} tells of {stop}")
