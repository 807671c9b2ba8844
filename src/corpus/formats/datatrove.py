"""datatrove's ``.ds``: raw ids, and beside them where documents end and which ids carry loss.

``.ds.index`` holds the end of each document, counted in ids, in 64 bits; ``.ds.loss`` one byte per
id, 1 for those to be trained on, where a config has spans without loss; ``.ds.metadata`` the
tokenizer, the width of an id in bytes, and the count. Nanotron and ``DatatroveFolderDataset`` read
it.

Source: ``TokenizedFile`` in ``pipeline/tokens/tokenizer.py`` of datatrove 0.10; ids, index and loss
are byte-identical to those of its ``DocumentTokenizer``.
"""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from corpus import store
from corpus.errors import InputError
from corpus.formats import Layout, Part, Put, Row, Traits
from corpus.formats._ids import between, loss, stream, width

TRAITS = Traits(suffix="ds", masks=True, vocabulary=1 << 32)
ENDS = np.dtype("<u8")
PREFIXES = ("", "k", "M", "G", "T", "P")


def kind(layout: Layout) -> np.dtype[Any]:
    """The type of ids: 16 bits where they do, else 32."""
    return width(layout.tokenizer.vocab_size, np.uint16, np.uint32)


def files(part: Part, layout: Layout) -> tuple[str, ...]:
    """The ids, where documents end, what they are ids of, and which carry loss."""
    del layout
    ds = part.name("ds")
    return (ds, f"{ds}.index", f"{ds}.metadata", *([f"{ds}.loss"] if part.masked else []))


@contextlib.contextmanager
def writing(folder: Path, part: Part, layout: Layout) -> Iterator[Put]:
    """Write the files of one shard."""
    ids, index, about, *mask = (folder / name for name in files(part, layout))
    ends = array("Q")
    with contextlib.ExitStack() as stack:
        flags = stack.enter_context(store.replacing(mask[0])) if mask else None
        facts = stack.enter_context(store.replacing(about))
        bounds = stack.enter_context(store.replacing(index))
        data = stack.enter_context(store.replacing(ids))

        def put(row: Row) -> None:
            data.write(row.ids.astype(kind(layout)).tobytes())
            ends.append((ends[-1] if ends else 0) + len(row.ids))
            if flags:
                flags.write(loss(row).tobytes())

        yield put
        bounds.write(np.array(ends, dtype=ENDS).tobytes())
        name = f"{layout.tokenizer.name}|{kind(layout).itemsize}"
        facts.write("\n".join((name, str(part.tokens), short(part.tokens))).encode())


def short(count: int) -> str:
    """A count of tokens in three digits with a metric prefix, as ``535 kT``."""
    value, power = float(count), 0
    while float(f"{value:.3g}") >= 1000:  # noqa: PLR2004 - each prefix is a thousand of the last
        value, power = value / 1000, power + 1
    digits = 2 - len(str(int(float(f"{value:.3g}")))) + 1
    return f"{value:.{digits}f} {PREFIXES[power]}T"


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """Yield the rows of one shard, with the mask that stands beside it."""
    ids = stream(path, kind(layout))
    ends = stream(path.with_name(f"{path.name}.index"), ENDS)
    if ends[-1] != len(ids):
        raise InputError(f"{path}: {len(ids)} ids, but its index tells of {ends[-1]}")
    mask = path.with_name(f"{path.name}.loss")
    flags = stream(mask, np.dtype(np.bool_)) if mask.exists() else None
    start = 0
    for document in between(ids, ends):
        stop = start + len(document)
        held = None if flags is None else np.array(flags[start:stop])
        yield Row(id="", config="", ids=document, loss=held)
        start = stop
