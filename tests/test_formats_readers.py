"""The libraries of the trainers, those that are light enough for every run, read an export."""

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from corpus import export, formats, tokens
from corpus.formats import Layout, Outline, Row

os.environ["HF_HUB_OFFLINE"] = "1"  # read by datasets when it is imported
GPT2 = tokens.load("gpt2")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def rows() -> list[Row]:
    """Texts of several lengths, chats with tools of different shapes, odd characters."""
    odd = ["plain", "<|endoftext|>", "naïve — 🦊", "a\u2028b\tc", "\r\n'quotes\" \\"]
    texts = [
        Row(
            f"t{n}",
            "documents",
            text=f"{n}. {odd[n % 5]} " + "word " * (n % 40),
            metadata={"section": f"s{n}"},
        )
        for n in range(200)
    ]
    turn = {"role": "user", "content": "Should I tell her?"}
    chats = [
        Row(
            f"c{n}",
            "advice",
            messages=(turn, {"role": "assistant", "content": f"Perhaps, on day {n}."}),
            tools=json.dumps([{"name": f"tool{n}", "args": {str(n): n}}]) if n % 2 else None,
            metadata={"section": f"c{n}"},
        )
        for n in range(40)
    ]
    return [*chats, *texts]


def written(folder: Path, *names: str, **options: Any) -> dict[str, dict[str, list[Path]]]:
    """An export of ``rows``: config to split to the files of its shards."""
    settings: Any = {
        "tokenizer": GPT2,
        "formats": names,
        "shard_tokens": 700,
        "choice": export.Choice(share=0.1),
    } | options
    made = export.publish(rows(), folder, **settings)
    found: dict[str, dict[str, list[Path]]] = {}
    for shard in made["shards"]:
        splits = found.setdefault(shard["config"], {})
        splits.setdefault(shard["split"], []).append(folder / shard["file"])
    return found


def expected(path: Path) -> list[str]:
    """The texts of the Parquet file that stands for a shard in another format."""
    return [str(text) for text in pq.read_table(path).column("text").to_pylist()]


def texts(shards: list[Path], suffix: str) -> list[str]:
    """What Parquet holds of the same shards, in order."""
    name = suffix.rpartition(".")[2]
    twins = [
        path.parents[2] / "parquet" / path.parent.name / f"{path.name.split('.')[0]}.parquet"
        for path in shards
    ]
    assert all(path.name.endswith(name) for path in shards)
    return [text for twin in twins for text in expected(twin)]


@pytest.mark.parametrize("name", ["parquet", "jsonl"])
def test_datasets_loads_every_config_and_split_whole_and_streaming(
    tmp_path: Path, name: str
) -> None:
    import datasets  # slow, and needs the environment above

    made = written(tmp_path, name)
    folder, cache = str(tmp_path / name), str(tmp_path / "cache")
    by_id = {row.id: row for row in rows()}
    seen = set[str]()
    for config, splits in made.items():
        for split in splits:
            for streaming in (False, True):
                loaded = datasets.load_dataset(
                    folder, config, split=split, streaming=streaming, cache_dir=cache
                )
                for row in loaded:
                    seen.add(row["id"])
                    given = by_id[row["id"]]
                    turns = list(given.messages) if given.messages else None
                    assert (row.get("text"), row.get("messages")) == (given.text, turns)
                    assert row.get("tools") == given.tools
    assert seen == by_id.keys()


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


def test_webdataset_reads_every_sample(tmp_path: Path) -> None:
    import webdataset

    made = written(tmp_path, "webdataset", "parquet")
    for splits in made.values():
        splits["train"].sort()
    shards = [path for path in made["documents"]["train"] if path.suffix == ".tar"]
    loaded = webdataset.WebDataset([str(path) for path in shards], shardshuffle=False).decode()
    samples = list(loaded)
    assert [sample["txt"] for sample in samples] == texts(shards, "tar")
    by_id = {row.id: row for row in rows()}
    assert all(by_id[sample["json"]["id"]].text == sample["txt"] for sample in samples)
    assert len({sample["__key__"] for sample in samples}) == len(samples)


def test_grain_reads_every_record_at_random_and_shuffles_by_seed(tmp_path: Path) -> None:
    import grain.python as grain

    import plain_readers

    made = written(tmp_path, "arrayrecord", "parquet")
    shards = sorted(p for p in made["documents"]["train"] if p.suffix == ".array_record")
    source = grain.ArrayRecordDataSource([str(path) for path in shards])
    example = plain_readers.example_class()

    def text(record: bytes) -> str:
        found = {
            one.key: one.value.bytes_list.value[0]
            for one in example.FromString(record).features.feature
        }
        return str(found["text"].decode())

    found = [text(source[place]) for place in range(len(source))]
    assert found == texts(shards, "array_record")
    shuffled = [
        [text(one) for one in grain.MapDataset.source(source).shuffle(seed=1)] for _ in range(2)
    ]
    assert shuffled[0] == shuffled[1] != found
    assert sorted(shuffled[0]) == sorted(found)


def nanochat(folder: Path, split: str, rank: int, ranks: int) -> Iterator[list[str]]:
    """What nanochat's loader gives a rank: files by name, the last held out, groups by stride."""
    paths = sorted(path for path in folder.iterdir() if path.name.endswith(".parquet"))
    for path in paths[:-1] if split == "train" else paths[-1:]:
        file = pq.ParquetFile(path)
        for group in range(rank, file.num_row_groups, ranks):
            yield file.read_row_group(group).column("text").to_pylist()


def test_nanochat_finds_its_validation_file_and_work_for_every_rank(tmp_path: Path) -> None:
    made = written(tmp_path, "parquet", shard_tokens=2_000)
    folder = tmp_path / "parquet" / "documents"
    assert len(made["documents"]["validation"]) == 1
    for split, files in made["documents"].items():
        whole = sorted(text for path in files for text in expected(path))
        name = "train" if split == "train" else "val"
        ranks = [list(nanochat(folder, name, rank, 8)) for rank in range(8)]
        assert all(ranks)
        assert sorted(text for rank in ranks for group in rank for text in group) == whole


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


def test_modded_nanogpt_finds_the_start_of_every_document(tmp_path: Path) -> None:
    made = written(tmp_path, "llmc", "parquet")
    shards = sorted(path for path in made["documents"]["train"] if path.suffix == ".bin")
    assert [path.name for path in shards][:2] == [
        "documents_train_000000.bin",
        "documents_train_000001.bin",
    ]
    found = []
    for path in shards:
        ids, starts = modded_nanogpt(path)
        assert starts[0] == 0
        bounds = [*starts, len(ids)]
        found += [
            GPT2.decode(ids[a + 1 : b].tolist()) for a, b in zip(starts, bounds[1:], strict=True)
        ]
    twins = sorted(path for path in made["documents"]["train"] if path.suffix == ".parquet")
    assert found == [text for twin in twins for text in expected(twin)]


def test_nanogpt_draws_its_batches_from_two_files(tmp_path: Path) -> None:
    made = written(tmp_path, "nanogpt", "parquet")
    folder = tmp_path / "nanogpt" / "documents"
    assert sorted(path.name for path in folder.iterdir()) == ["train.bin", "val.bin"]
    data = np.memmap(folder / "train.bin", dtype=np.uint16, mode="r")  # as get_batch maps it
    twins = sorted(path for path in made["documents"]["train"] if path.suffix == ".parquet")
    whole = [text for twin in twins for text in expected(twin)]
    assert int((data == 50256).sum()) == len(whole)
    stream = [number for ids in GPT2.encode(whole) for number in [*ids, 50256]]
    place = random.Random(1).randrange(len(data) - 65)
    assert data[place : place + 64].tolist() == stream[place : place + 64]
    assert data.tolist() == stream
