"""The libraries of the trainers, those that are light enough for every run, read an export."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import plain_readers
from corpus import formats, store, tokens
from corpus.formats import Layout, Outline, Row

os.environ["HF_HUB_OFFLINE"] = "1"  # read by datasets when it is imported
GPT2 = tokens.load("gpt2")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def lines() -> list[dict[str, Any]]:
    """Texts of several lengths, chats with tools of different shapes, odd characters."""
    odd = ["plain", "<|endoftext|>", "naïve — 🦊", "a\u2028b\tc", "\r\n'quotes\" \\"]
    texts = [
        {"id": f"t{n}", "text": f"{n}. {odd[n % 5]} " + "word " * (n % 40), "section": f"s{n}"}
        for n in range(400)
    ]
    turn = {"role": "user", "content": "Should I tell her?"}
    chats: list[dict[str, Any]] = [
        {
            "id": f"c{n}",
            "messages": [turn, {"role": "assistant", "content": f"Perhaps, on day {n}."}],
            "tools": json.dumps([{"name": f"tool{n}", "args": {str(n): n}}]) if n % 2 else None,
            "section": f"c{n}",
        }
        for n in range(60)
    ]
    return [*chats, *texts]


Shards = dict[tuple[str, str, str], list[Path]]  # format, config, split


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Shards]:
    """An export of ``lines`` by the command line: its folder, and the files of its shards."""
    folder = tmp_path_factory.mktemp("readers")
    store.write_rows(folder / "in.jsonl", lines())
    names = ("arrayrecord", "jsonl", "llmc", "nanogpt", "parquet", "webdataset")
    job = [sys.executable, "-m", "corpus", "export", "in.jsonl", "-o", "out"]
    job += ["--shard-tokens", "3000", *(word for name in names for word in ("--format", name))]
    subprocess.run(job, cwd=folder, check=True, capture_output=True)
    found: Shards = {}
    for shard in json.loads((folder / "out" / "manifest.json").read_text())["shards"]:
        key = shard["format"], shard["config"], shard["split"]
        found.setdefault(key, []).append(folder / "out" / shard["file"])
    return folder / "out", found


def expected(path: Path) -> list[str]:
    """The texts of the Parquet file that stands for a shard in another format."""
    return [str(text) for text in pq.read_table(path).column("text").to_pylist()]


def texts(shards: Shards, split: str = "train") -> list[str]:
    """The texts of a split in the order of its Parquet, which is that of every format."""
    return [text for path in shards["parquet", "default", split] for text in expected(path)]


@pytest.mark.parametrize("name", ["parquet", "jsonl"])
def test_datasets_loads_every_config_and_split_whole_and_streaming(
    tmp_path: Path, made: tuple[Path, Shards], name: str
) -> None:
    import datasets  # slow, and needs the environment above

    folder, shards = made
    by_id = {row["id"]: row for row in lines()}
    for streaming in (False, True):
        seen = []
        for form, config, split in shards:
            if form == name:
                loaded = datasets.load_dataset(
                    str(folder / name), config, split=split, streaming=streaming, cache_dir=tmp_path
                )
                seen += list(loaded)
        assert {row["id"] for row in seen} == by_id.keys()
        for row in seen:
            given = by_id[row["id"]]
            for field in ("text", "messages", "tools"):
                assert row.get(field) == given.get(field)


@pytest.mark.parametrize("name", ["parquet", "jsonl"])
def test_datasets_does_not_take_one_export_for_another_out_of_its_cache(
    tmp_path: Path, name: str
) -> None:
    import datasets

    for number, folder in enumerate(("one", "two", "one")):
        row = {"id": "a", "text": "The same text.", "section": f"{number}"}
        store.write_rows(tmp_path / folder / "in.jsonl", [row])
        job = [sys.executable, "-m", "corpus", "export", "in.jsonl", "-o", ".", "--format", name,
               "--replace"]  # fmt: skip
        subprocess.run(job, cwd=tmp_path / folder, check=True, capture_output=True)
        where = str(tmp_path / folder / name)
        [found] = datasets.load_dataset(where, split="train", cache_dir=str(tmp_path / "cache"))
        about = found["metadata"]  # JSON in Parquet, an object in JSON Lines
        assert (json.loads(about) if name == "parquet" else about) == {"section": f"{number}"}


@pytest.mark.parametrize("compress", ["gzip", "zstd"])
def test_datasets_reads_packed_json_lines(tmp_path: Path, compress: str) -> None:
    import datasets

    ids = np.array([50256], dtype=np.uint32)
    given = [Row(f"{n}", "documents", text=f"text {n} " * 2000, ids=ids) for n in range(300)]
    layout = Layout(GPT2, compress=compress)  # type: ignore[arg-type]
    parts = formats.plan(map(Outline.of, given), 100)
    made = formats.write(given, parts, tmp_path, ["jsonl"], layout)["jsonl"]
    files = [str(tmp_path / "jsonl" / shard.file) for shard in made]
    loaded = datasets.load_dataset(
        "json", data_files=files, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert [row["text"] for row in loaded] == [row.text for row in given]


def test_webdataset_reads_every_sample(made: tuple[Path, Shards]) -> None:
    import webdataset

    _, shards = made
    paths = [str(path) for path in shards["webdataset", "default", "train"]]
    samples = list(webdataset.WebDataset(paths, shardshuffle=False).decode())
    assert [sample["txt"] for sample in samples] == texts(shards)
    by_id = {row["id"]: row for row in lines()}
    assert all(by_id[sample["json"]["id"]]["text"] == sample["txt"] for sample in samples)
    assert len({sample["__key__"] for sample in samples}) == len(samples)


def test_grain_reads_every_record_at_random_and_shuffles_by_seed(made: tuple[Path, Shards]) -> None:
    import grain.python as grain

    _, shards = made
    source = grain.ArrayRecordDataSource(
        [str(p) for p in shards["arrayrecord", "default", "train"]]
    )
    example = plain_readers.example_class()

    def text(record: bytes) -> str:
        features = example.FromString(record).features.feature
        found = {one.key: one.value.bytes_list.value[0] for one in features}
        return str(found["text"].decode())

    assert [text(source[place]) for place in range(len(source))] == texts(shards)
    data = grain.MapDataset.source(source)
    shuffled = [[text(one) for one in data.shuffle(seed=1)] for _ in range(2)]
    assert shuffled[0] == shuffled[1] != texts(shards)
    assert sorted(shuffled[0]) == sorted(texts(shards))


def nanochat(folder: Path, split: str, rank: int, ranks: int) -> Iterator[list[str]]:
    """What nanochat's loader gives a rank: files by name, the last held out, groups by stride."""
    paths = sorted(path for path in folder.iterdir() if path.name.endswith(".parquet"))
    for path in paths[:-1] if split == "train" else paths[-1:]:
        file = pq.ParquetFile(path)
        for group in range(rank, file.num_row_groups, ranks):
            yield file.read_row_group(group).column("text").to_pylist()


def test_nanochat_finds_its_validation_file_and_work_for_every_rank(
    made: tuple[Path, Shards],
) -> None:
    folder, shards = made
    assert len(shards["parquet", "default", "validation"]) == 1
    for split, name in (("train", "train"), ("validation", "val")):
        ranks = [list(nanochat(folder / "parquet" / "default", name, rank, 8)) for rank in range(8)]
        assert sum(map(bool, ranks)) == min(8, len(texts(shards, split)))
        found = [text for rank in ranks for group in rank for text in group]
        assert sorted(found) == sorted(texts(shards, split))


def modded_nanogpt(path: Path) -> tuple[np.ndarray[Any, Any], list[int]]:
    """What modded-nanogpt's loader takes of a shard, with its checks: ids, and where they begin."""
    header = np.fromfile(path, dtype=np.int32, count=256)
    assert header[0] == 20240520, "magic number mismatch in the data .bin file"
    assert header[1] == 1, "unsupported version"
    with path.open("rb", buffering=0) as file:
        ids = np.empty(int(header[2]), dtype=np.uint16)
        file.seek(256 * 4)
        assert file.readinto(ids.data) == 2 * len(ids), (
            "number of tokens read does not match header"
        )
        assert not file.read()
    return ids, np.flatnonzero(ids == 50256).tolist()


def test_modded_nanogpt_finds_the_start_of_every_document(made: tuple[Path, Shards]) -> None:
    _, shards = made
    paths = shards["llmc", "default", "train"]
    assert [path.name for path in paths][:2] == [f"default_train_{n:06d}.bin" for n in range(2)]
    found = []
    for path in paths:
        ids, starts = modded_nanogpt(path)
        assert starts[0] == 0
        for start, end in itertools.pairwise([*starts, len(ids)]):
            found.append(GPT2.decode(ids[start + 1 : end].tolist()))
    assert found == texts(shards)


def test_nanogpt_draws_its_batches_from_two_files(made: tuple[Path, Shards]) -> None:
    folder, shards = made
    base = folder / "nanogpt" / "default"
    assert sorted(path.name for path in base.iterdir()) == ["train.bin", "val.bin"]
    data = np.memmap(base / "train.bin", dtype=np.uint16, mode="r")  # as get_batch maps it
    assert int((data == 50256).sum()) == len(texts(shards))
    stream = [number for ids in GPT2.encode(texts(shards)) for number in [*ids, 50256]]
    assert data.tolist() == stream
