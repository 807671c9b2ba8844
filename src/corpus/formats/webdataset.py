"""Tar files for WebDataset: ``KEY.txt`` with a text, ``KEY.json`` with everything else of its row.

A chat has its turns in the ``.json``. Keys count rows, because the library cuts them at their first
dot and takes slashes for folders, and the ids of documents may hold both; the id stands in the
``.json``. Nothing but the content makes the bytes: no owner, no time.

Source: ``webdataset/tariterators.py`` of webdataset 1.0 (a sample is a run of members that share
a name up to the first dot).
"""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from corpus import formats, store
from corpus.errors import InputError
from corpus.formats import Layout, Part, Put, Row, Traits

TRAITS = Traits(suffix="tar", text=True)


def files(part: Part, layout: Layout) -> tuple[str, ...]:
    """One file."""
    del layout
    return (part.name(TRAITS.suffix),)


@contextlib.contextmanager
def writing(folder: Path, part: Part, layout: Layout) -> Iterator[Put]:
    """Write one tar file."""
    count = 0
    with store.replacing(folder / files(part, layout)[0]) as file:

        def put(row: Row) -> None:
            nonlocal count
            key = f"{part.number:05d}-{count:09d}"
            fields = formats.record(row, "openai")
            text = fields.pop("text", None)
            if text is not None:
                file.write(member(f"{key}.txt", text.encode()))
            file.write(member(f"{key}.json", store.line(fields).encode()))
            count += 1

        yield put
        file.write(bytes(2 * tarfile.BLOCKSIZE))
        file.write(bytes(-file.tell() % tarfile.RECORDSIZE))


def member(name: str, data: bytes) -> bytes:
    """A file in a tar: of nobody, of no time."""
    head = tarfile.TarInfo(name)
    head.size = len(data)
    return head.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % tarfile.BLOCKSIZE)


def members(file: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a tar; ``TarFile`` would remember the heads of all of them."""
    while (head := file.read(tarfile.BLOCKSIZE)).strip(b"\0"):
        about = tarfile.TarInfo.frombuf(head, "utf-8", "strict")
        data = file.read(about.size)
        if len(data) != about.size:
            raise InputError(f"'{about.name}' is cut off")
        yield about.name, data
        file.seek(-about.size % tarfile.BLOCKSIZE, io.SEEK_CUR)
    if not head or file.seek(0, io.SEEK_END) % tarfile.RECORDSIZE:
        raise InputError("its end is missing")


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """Yield the rows of one tar file."""
    del layout
    text: dict[str, str] = {}
    try:
        with path.open("rb") as file:
            for name, data in members(file):
                if name.endswith(".txt"):
                    text = {"text": data.decode()}
                else:
                    yield formats.from_record(json.loads(data) | text)
                    text = {}
    except (OSError, ValueError, tarfile.TarError, InputError) as error:
        raise InputError(f"{path}: cannot be read ({error}); export it again") from error
