"""Shards read by hand, from the descriptions of the formats and without a line of the writers.

Every reader takes the folder of a format and a shard and yields what it can know of each document:
``id``, ``text``, ``messages``, ``ids`` (with the boundary where the format has it) and ``loss``.
"""

import csv
import gzip
import io
import itertools
import json
import struct
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import zstandard
from array_record.python.array_record_data_source import ArrayRecordDataSource
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Known = dict[str, Any]
EOS = 50256
DTYPES = {1: "u1", 2: "i1", 3: "i2", 4: "i4", 5: "i8", 6: "f8", 7: "f4", 8: "u2"}


def parquet(path: Path, _: str) -> Iterator[Known]:
    yield from pq.read_table(path).to_pylist()


def jsonl(path: Path, _: str) -> Iterator[Known]:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read()
    yield from map(json.loads, data.decode().split("\n")[:-1])


def megatron(path: Path, _: str) -> Iterator[Known]:
    index = io.BytesIO(path.with_suffix(".idx").read_bytes())
    assert index.read(9) == b"MMIDIDX\x00\x00"
    version, code, sequences, documents = struct.unpack("<QBQQ", index.read(25))
    assert (version, documents) == (1, sequences + 1)
    lengths = np.frombuffer(index.read(4 * sequences), "<i4")
    pointers = np.frombuffer(index.read(8 * sequences), "<i8")
    bounds = np.frombuffer(index.read(8 * documents), "<i8")
    assert index.read() == b""
    assert bounds.tolist() == list(range(documents))
    data = path.read_bytes()
    kind = np.dtype(DTYPES[code])
    for length, pointer in zip(lengths, pointers, strict=True):
        yield {"ids": np.frombuffer(data, kind, int(length), int(pointer)).tolist()}


def olmo(path: Path, width: str) -> Iterator[Known]:
    ids = np.frombuffer(path.read_bytes(), width)
    mask = path.with_suffix(".label_mask")
    loss = np.frombuffer(mask.read_bytes(), "?") if mask.exists() else None
    with gzip.open(path.with_suffix(".csv.gz"), "rt", newline="") as file:
        for start, end, name, *_ in csv.reader(file):
            here = slice(int(start), int(end))
            about = {} if loss is None else {"loss": loss[here].tolist()}
            yield {"id": name, "ids": ids[here].tolist(), **about}


def nanogpt(path: Path, _: str) -> Iterator[Known]:
    ids = np.fromfile(path, "<u2").tolist()
    while ids:
        end = ids.index(EOS) + 1
        yield {"ids": ids[:end]}
        ids = ids[end:]


def llmc(path: Path, _: str) -> Iterator[Known]:
    head = np.fromfile(path, "<i4", 256).tolist()
    ids = np.fromfile(path, "<u2", offset=1024).tolist()
    assert head == [20240520, 1, len(ids), *[0] * 253]
    starts = [place for place, number in enumerate(ids) if number == EOS]
    for start, end in zip(starts, [*starts[1:], len(ids)], strict=True):
        yield {"ids": [*ids[start + 1 : end], EOS]}


def datatrove(path: Path, width: str) -> Iterator[Known]:
    ids = np.fromfile(path, width)
    name, count, _ = Path(f"{path}.metadata").read_text().split("\n")
    assert name.endswith(f"|{np.dtype(width).itemsize}")
    assert int(count) == len(ids)
    loss = Path(f"{path}.loss")
    flags = np.fromfile(loss, "?") if loss.exists() else None
    start = 0
    for end in np.fromfile(f"{path}.index", "<u8").tolist():
        about = {} if flags is None else {"loss": flags[start:end].tolist()}
        yield {"ids": ids[start:end].tolist(), **about}
        start = end
    assert start == len(ids)


def webdataset(path: Path, _: str) -> Iterator[Known]:
    known: Known = {}
    with tarfile.open(path) as tar:
        for member in tar.getmembers():
            assert (member.mtime, member.uid, member.gid, member.uname) == (0, 0, 0, "")
            data = tar.extractfile(member).read()  # type: ignore[union-attr]
            if member.name.endswith(".txt"):
                known["text"] = data.decode()
            else:
                yield known | json.loads(data)
                known = {}


def mds(path: Path, _: str) -> Iterator[Known]:
    data = path.read_bytes()
    (count,) = struct.unpack_from("<I", data)
    bounds = struct.unpack_from(f"<{count + 1}I", data, 4)
    about = json.loads(data[8 + 4 * count : bounds[0]])
    [listed] = [
        shard
        for shard in json.loads(path.with_name("index.json").read_text())["shards"]
        if shard["raw_data"]["basename"] == path.name
    ]
    assert (listed["samples"], listed["raw_data"]["bytes"]) == (count, len(data))
    assert {name: listed[name] for name in about} == about
    columns = list(zip(about["column_names"], about["column_encodings"], strict=True))
    for start, end in itertools.pairwise(bounds):
        sizes = struct.unpack_from(f"<{len(columns)}I", data, start)
        place = start + 4 * len(columns)
        known: Known = {}
        for (name, kind), size in zip(columns, sizes, strict=True):
            cell, place = data[place : place + size], place + size
            if kind.startswith("ndarray"):
                wide = 1 << (cell[0] & 3)
                assert cell[0] >> 2 == 1
                known["ids"] = np.frombuffer(cell[1 + wide :], kind[8:]).tolist()
            else:
                known[name] = cell.decode() if kind == "str" else json.loads(cell)
        assert place == end
        yield known


def arrayrecord(path: Path, _: str) -> Iterator[Known]:
    example = example_class()
    with ArrayRecordDataSource([str(path)]) as source:
        for record in source.__getitems__(range(len(source))):
            found = example.FromString(record).features.feature
            known = {one.key: one.value.bytes_list.value[0].decode() for one in found}
            if "messages" in known:
                known["messages"] = json.loads(known["messages"])
            yield known


def example_class() -> Any:
    """``tf.train.Example``, made from its published definition by the library of its makers."""
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="t", syntax="proto3")
    shapes: dict[str, list[tuple[str, int, str]]] = {
        "BytesList": [("value", 1, "bytes*")],
        "Int64List": [("value", 1, "int64*")],
        "Feature": [("bytes_list", 1, "BytesList"), ("int64_list", 3, "Int64List")],
        "Entry": [("key", 1, "string"), ("value", 2, "Feature")],
        "Features": [("feature", 1, "Entry*")],
        "Example": [("features", 1, "Features")],
    }
    kinds = {"bytes": 12, "int64": 3, "string": 9}
    for name, fields in shapes.items():
        message = file.message_type.add(name=name)
        for label, number, kind in fields:
            plain = kind.rstrip("*")
            field = message.field.add(name=label, number=number, label=3 if "*" in kind else 1)
            field.type = kinds.get(plain, 11)  # type: ignore[assignment]
            if field.type == 11:
                field.type_name = f".t.{plain}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Example"))
