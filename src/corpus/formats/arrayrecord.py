"""ArrayRecord files for Grain and MaxText: random access to one document each.

A record is a ``tf.train.Example``, which is what MaxText parses: every field of a row is one byte
string, ``metadata`` and the turns of a chat as JSON. ``group_size:1`` makes each record a chunk
of its own, as Grain's shuffle needs it. The container is written by the ``array-record`` package;
the message inside is small enough to be written here.

Source: ``ParseFeatures`` in ``input_pipeline_utils.py`` of MaxText; ``tensorflow/core/example`` for
the message; the encoding of Protocol Buffers.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from corpus import formats, store
from corpus.errors import DiskError, InputError
from corpus.formats import Layout, Part, Put, Row, Traits

TRAITS = Traits(suffix="array_record", text=True, package="array_record")
AS_JSON = ("messages", "metadata")
BATCH = 256  # records read at a time


def files(part: Part, layout: Layout) -> tuple[str, ...]:
    """One file."""
    del layout
    return (part.name(TRAITS.suffix),)


@contextlib.contextmanager
def writing(folder: Path, part: Part, layout: Layout) -> Iterator[Put]:
    """Write one file."""
    from array_record.python.array_record_module import ArrayRecordWriter

    path = folder / files(part, layout)[0]
    with store.replacing(path) as file:
        writer = ArrayRecordWriter(file.name, "group_size:1")
        try:
            yield lambda row: told(path, writer.write, example(formats.record(row, "openai")))
        finally:
            told(path, writer.close)


def told(path: Path, do: Callable[..., None], *values: bytes) -> None:
    """Do what writes ``path``; the package's errors are told as ours.

    Raises:
        DiskError: it cannot be written.
    """
    try:
        do(*values)
    except RuntimeError as error:
        raise DiskError(f"{path}: cannot be written ({error})") from error


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """Yield the rows of one file."""
    del layout
    from array_record.python.array_record_module import ArrayRecordReader

    try:
        reader = ArrayRecordReader(str(path))
        count = reader.num_records()
        for start in range(0, count, BATCH):
            for record in reader.read(start, min(start + BATCH, count)):
                yield formats.from_record(fields(record))
        reader.close()
    except (RuntimeError, ValueError, LookupError) as error:
        raise InputError(f"{path}: cannot be read ({error}); export it again") from error


def example(values: dict[str, Any]) -> bytes:
    """``values`` as a serialized ``tf.train.Example``: a map from name to a list of one value."""
    entries = []
    for name, value in values.items():
        if value is not None:
            data = store.line(value) if name in AS_JSON else str(value)
            feature = field(1, field(1, data.encode()))  # Feature.bytes_list, BytesList.value
            entries.append(field(1, field(1, name.encode()) + field(2, feature)))
    return field(1, b"".join(entries))


def fields(record: bytes) -> dict[str, Any]:
    """The values of a serialized example, as ``example`` took them."""
    values: dict[str, Any] = {}
    for _, features in messages(record):
        for _, entry in messages(features):
            (_, name), (_, feature) = messages(entry)
            ((_, data),) = (value for _, one in messages(feature) for value in messages(one))
            key = name.decode()
            values[key] = json.loads(data) if key in AS_JSON else data.decode()
    return values


def field(number: int, data: bytes) -> bytes:
    """A length-delimited field: its number and wire type, its length, its bytes."""
    size, head = len(data), bytearray([number << 3 | 2])
    while size > 0x7F:  # noqa: PLR2004 - seven bits a byte
        head.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes(head) + bytes([size]) + data


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each length-delimited field."""
    place = 0
    while place < len(data):
        number, size, shift = data[place] >> 3, 0, 0
        place += 1
        while True:
            byte = data[place]
            place, size, shift = place + 1, size | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:  # noqa: PLR2004 - the last of its bytes
                break
        yield number, data[place : place + size]
        place += size
