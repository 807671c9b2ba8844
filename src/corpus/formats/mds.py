"""MDS shards for mosaicml-streaming: ``StreamingDataset(local=<config's folder>, split="train")``.

A sample has the columns of its row, ``metadata`` and chats as JSON, and ``tokens``, its ids with
the end-of-text token. llm-foundry reads ``text`` where there is one. ``index.json`` lists the
shards of a split with their sha256, which the reader checks with ``validate_hash="sha256"``.

Layout: number of samples; where each begins and the last one ends, counted from the start of the
file, in 32 bits; the settings as JSON; the samples, each the sizes of its columns and then their
bytes, columns in the order of their names.

Source: ``streaming/base/format/mds`` of mosaicml-streaming 0.13, version 2 of the format; shards
and index are byte-identical to those of its ``MDSWriter``.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import struct
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from corpus import formats, store
from corpus.errors import InputError
from corpus.formats import Ids, Layout, Part, Put, Row, Traits
from corpus.formats._ids import width

TRAITS = Traits(suffix="mds", text=True, vocabulary=1 << 32)
INDEX = "index.json"
U32 = np.dtype("<u4")
MOST = (1 << 32) - 1  # bytes of a shard: offsets have 32 bits
AS_JSON = ("messages", "metadata", "tools")
TEXT = ("id", "text", "source", "added", "created", "metadata")
CHAT = ("id", "messages", "tools", "metadata")


def files(part: Part, layout: Layout) -> tuple[str, ...]:
    """One shard, and with the last one the index of all."""
    del layout
    folder = f"{part.config}/{part.split}"
    last = part.number + 1 == part.of
    return (f"{folder}/{shard(part.number)}", *([f"{folder}/{INDEX}"] if last else []))


def shard(number: int) -> str:
    """The name of a shard."""
    return f"shard.{number:05d}.mds"


def settings(part: Part, layout: Layout) -> dict[str, Any]:
    """What the library's writer calls its configuration: columns and how they are encoded."""
    kind = width(layout.tokenizer.vocab_size, np.uint16, np.uint32)
    columns = {name: "json" if name in AS_JSON else "str" for name in (CHAT if part.chat else TEXT)}
    columns["tokens"] = f"ndarray:{kind.name}"
    names = sorted(columns)
    return {
        "version": 2,
        "format": "mds",
        "compression": None,
        "hashes": ["sha256"],
        "size_limit": None,
        "column_names": names,
        "column_encodings": [columns[name] for name in names],
        "column_sizes": [None] * len(names),
    }


@contextlib.contextmanager
def writing(folder: Path, part: Part, layout: Layout) -> Iterator[Put]:
    """Write one shard, its offsets last, into the place left for them; then perhaps the index."""
    about = settings(part, layout)
    config = json.dumps(about, sort_keys=True).encode()
    kinds = dict(zip(about["column_names"], about["column_encodings"], strict=True))
    ends = array("Q", [4 + 4 * (part.documents + 1) + len(config)])
    path = folder / files(part, layout)[0]
    with store.replacing(path) as file:
        file.seek(ends[0] - len(config))
        file.write(config)

        def put(row: Row) -> None:
            sample = encoded(formats.record(row, "openai") | {"tokens": row.ids}, kinds)
            if ends[-1] + len(sample) > MOST:
                raise InputError("format 'mds' holds 4 GiB per shard; lower --shard-tokens")
            file.write(sample)
            ends.append(ends[-1] + len(sample))

        yield put
        file.seek(0)
        file.write(np.array([part.documents, *ends], dtype=U32).tobytes())
    if part.number + 1 == part.of:
        shards = [described(path.with_name(shard(n)), about) for n in range(part.of)]
        index = json.dumps({"version": 2, "shards": shards}, sort_keys=True)
        store.write_text(path.with_name(INDEX), index)


def encoded(fields: dict[str, Any], kinds: dict[str, str]) -> bytes:
    """A sample: the sizes of its columns, then the columns."""
    data = [column(fields[name], kind) for name, kind in kinds.items()]
    return np.array([len(one) for one in data], dtype=U32).tobytes() + b"".join(data)


def column(value: Any, kind: str) -> bytes:  # noqa: ANN401 - a cell of any type
    """One cell. An array begins with its axes (one) and its length, in the least width."""
    if kind == "str":
        return str(value).encode()
    if kind == "json":
        return json.dumps(value).encode()
    size = next(power for power in range(4) if len(value) < 1 << (8 << power))
    head = bytes([1 << 2 | size]) + len(value).to_bytes(1 << size, "little")
    return head + bytes(value.astype(np.dtype(kind.removeprefix("ndarray:")).newbyteorder("<")))


def described(path: Path, about: dict[str, Any]) -> dict[str, Any]:
    """A shard's entry in the index."""
    with path.open("rb") as file:
        (samples,) = struct.unpack("<I", file.read(4))
    seal = formats.seal(path)
    hashes = {"sha256": seal["sha256"]}
    raw = {"basename": path.name, "bytes": seal["bytes"], "hashes": hashes}
    return {"samples": samples, "raw_data": raw, "zip_data": None, **about}


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """Yield the rows of one shard."""
    del layout
    try:
        with path.open("rb") as file:
            (count,) = struct.unpack("<I", file.read(4))
            bounds = np.fromfile(file, dtype=U32, count=count + 1).tolist()
            about = json.loads(file.read(bounds[0] - file.tell()))
            for start, end in itertools.pairwise(bounds):
                yield decoded(file.read(end - start), about)
    except (OSError, ValueError, LookupError, struct.error) as error:
        raise InputError(f"{path}: cannot be read ({error}); export it again") from error


def decoded(sample: bytes, about: dict[str, Any]) -> Row:
    """The row that a sample holds."""
    names, kinds = about["column_names"], about["column_encodings"]
    sizes = np.frombuffer(sample, dtype=U32, count=len(names)).tolist()
    place = 4 * len(names)
    fields: dict[str, Any] = {}
    for name, kind, size in zip(names, kinds, sizes, strict=True):
        data, place = sample[place : place + size], place + size
        if kind == "str":
            fields[name] = data.decode()
        else:
            fields[name] = json.loads(data) if kind == "json" else array_of(data, kind)
    if place != len(sample):
        raise ValueError("a sample is cut off")
    return formats.from_record(fields)


def array_of(data: bytes, kind: str) -> Ids:
    """The ids in a cell."""
    start = 1 + (1 << (data[0] & 3))
    return np.frombuffer(data, kind.removeprefix("ndarray:"), offset=start).astype(np.uint32)
