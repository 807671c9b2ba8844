"""mosaicml-streaming, litdata, Grain, WebDataset and TRL, on shards of rows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.formats import Row
from readers.real_text import GPT2, Shards, written

pytestmark = [pytest.mark.readers, pytest.mark.filterwarnings("ignore")]
END = "<|endoftext|>"
TEMPLATE = (
    "{% if tools %}Tools: {{ tools | tojson }}\n{% endif %}"
    "{% for m in messages %}{{ m['role'] }}:\n{% if m['role'] == 'assistant' %}"
    "{% generation %}{{ m['content'] }}{{ eos_token }}{% endgeneration %}"
    "{% else %}{{ m['content'] }}{% endif %}\n{% endfor %}"
)


@pytest.mark.usefixtures("without_torchvision")
def test_b5_streaming_reads_every_sample_and_checks_every_digest(
    tmp_path: Path, documents: list[Row]
) -> None:
    from streaming import StreamingDataset
    from streaming.base.util import clean_stale_shared_memory

    clean_stale_shared_memory()
    made = written(tmp_path, "mds", documents)
    dataset = StreamingDataset(
        local=str(made.folder / "documents"),
        split="train",
        shuffle=False,
        batch_size=1,
        validate_hash="sha256",
    )
    assert len(dataset) == len(documents)
    for row, sample in zip(
        documents, (dataset[place] for place in range(len(dataset))), strict=True
    ):
        assert (sample["id"], sample["text"]) == (row.id, row.text)
        assert sample["tokens"].tolist() == row.ids.tolist()
        assert sample["metadata"] == row.metadata


@pytest.mark.usefixtures("without_torchvision")
def test_b5_a_flipped_byte_is_found_by_streaming(tmp_path: Path, documents: list[Row]) -> None:
    from streaming import StreamingDataset
    from streaming.base.util import clean_stale_shared_memory

    clean_stale_shared_memory()
    made = written(tmp_path, "mds", documents[:50])
    data = bytearray(made.files[0].read_bytes())
    data[-1] ^= 1
    made.files[0].write_bytes(data)
    with pytest.raises(Exception, match=r"(?i)hash|checksum|corrupt"):
        dataset = StreamingDataset(
            remote=str(made.folder / "documents"),
            local=str(tmp_path / "cache"),
            split="train",
            batch_size=1,
            shuffle=False,
            validate_hash="sha256",
        )
        assert dataset[0]


@pytest.mark.usefixtures("without_torchvision")
def test_b5_shards_and_index_are_byte_identical_to_those_of_the_mds_writer(
    tmp_path: Path, documents: list[Row]
) -> None:
    from streaming import MDSWriter

    some = documents[:300]
    made = written(tmp_path, "mds", some)
    folder = made.files[0].parent
    listed = json.loads((folder / "index.json").read_text())["shards"]
    columns = dict(zip(listed[0]["column_names"], listed[0]["column_encodings"], strict=True))
    left = iter(some)
    for number, shard in enumerate(listed):
        out = tmp_path / f"theirs{number}"
        with MDSWriter(columns=columns, out=str(out), hashes=["sha256"], size_limit=None) as writer:
            for _ in range(shard["samples"]):
                row = next(left)
                sample: dict[str, Any] = {"id": row.id, "text": row.text, "metadata": row.metadata}
                sample |= {"source": "", "added": "", "created": ""}
                writer.write(sample | {"tokens": row.ids.astype(np.uint16)})
        assert (out / "shard.00000.mds").read_bytes() == made.files[number].read_bytes()
        [theirs] = json.loads((out / "index.json").read_text())["shards"]
        theirs["raw_data"]["basename"] = shard["raw_data"]["basename"]
        assert theirs == shard


def test_b6_litdata_reads_our_parquet(tmp_path: Path, documents: list[Row]) -> None:
    import litdata
    from litdata.streaming.item_loader import ParquetLoader

    made = written(tmp_path, "parquet", documents)
    folder = str(made.folder / "documents")
    litdata.index_parquet_dataset(folder)
    dataset = litdata.StreamingDataset(folder, item_loader=ParquetLoader())
    found = [dataset[place]["text"] for place in range(len(dataset))]
    assert sorted(found) == sorted(row.text or "" for row in documents)  # it lists files unsorted


def test_b6_litdatas_token_loader_drops_the_tail_that_accounting_says(
    tmp_path: Path, documents: list[Row], say: Callable[[str], None]
) -> None:
    import litdata
    from litdata.streaming import Cache
    from litdata.streaming.item_loader import TokensLoader

    made = written(tmp_path, "nanogpt", documents)
    ids = np.fromfile(made.files[0], "<u2")
    block = 2048
    cache = Cache(str(tmp_path / "lit"), chunk_size=len(ids) * 2, item_loader=TokensLoader(block))
    cache[0] = ids.astype(np.int32)
    cache.done()
    cache.merge()
    dataset = litdata.StreamingDataset(str(tmp_path / "lit"), item_loader=TokensLoader(block))
    found = np.concatenate([np.asarray(dataset[place]) for place in range(len(dataset))])
    say(f"litdata drops {len(ids) - len(found)} of {len(ids):,} tokens in blocks of {block}")
    assert len(ids) - len(found) == len(ids) % block
    assert found.tolist() == ids[: len(found)].tolist()


def test_b6_grain_and_webdataset_read_every_sample(tmp_path: Path, documents: list[Row]) -> None:
    import grain.python as grain
    import webdataset

    records = written(tmp_path, "arrayrecord", documents)
    source = grain.ArrayRecordDataSource([str(path) for path in records.files])
    assert len(source) == len(documents)
    tars = written(tmp_path, "webdataset", documents)
    samples = webdataset.WebDataset([str(p) for p in tars.files], shardshuffle=False).decode()
    assert [sample["txt"] for sample in samples] == [row.text for row in documents]


def chats() -> list[Row]:
    """Chats with a system prompt; every second has a tool of a shape of its own."""
    made = []
    for number in range(16):
        turns = (
            {"role": "system", "content": "You are kind."},
            {"role": "user", "content": f"Question {number}?"},
            {"role": "assistant", "content": f"Answer {number}."},
        )
        parameters = {"type": "object", "properties": {f"p{number}": {"type": "string"}}}
        function = {"name": f"t{number}", "description": "", "parameters": parameters}
        tools = json.dumps([{"type": "function", "function": function}]) if number % 2 else None
        ids = np.array([50256], dtype=np.uint32)
        made.append(Row(f"c{number}", "advice", messages=turns, tools=tools, ids=ids))
    return made


def test_b8_trl_trains_on_assistant_turns_and_sees_every_tool_as_it_was(tmp_path: Path) -> None:
    import datasets
    import transformers
    import trl

    made: Shards = written(tmp_path, "parquet", chats())
    loaded = datasets.load_dataset(
        "parquet", data_files=[str(p) for p in made.files], split="train", cache_dir=str(tmp_path)
    )
    assert [row["tools"] for row in loaded] == [row.tools for row in made.rows]
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=GPT2.engine, eos_token=END, pad_token=END
    )
    tokenizer.chat_template = TEMPLATE
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(n_layer=1, n_embd=16, n_head=2, n_positions=256)
    )
    settings = trl.SFTConfig(
        output_dir=str(tmp_path / "out"),
        assistant_only_loss=True,
        max_steps=2,
        per_device_train_batch_size=4,
        report_to=[],
        use_cpu=True,
        bf16=False,
        max_length=256,
    )
    trainer = trl.SFTTrainer(model, settings, train_dataset=loaded, processing_class=tokenizer)
    batch = trainer.data_collator([trainer.train_dataset[n] for n in range(len(made.rows))])
    for ids, labels, given in zip(batch["input_ids"], batch["labels"], made.rows, strict=True):
        assert given.messages is not None
        said = labels[labels != -100]  # what carries loss
        assert tokenizer.decode(said) == given.messages[-1]["content"] + "<|endoftext|>"
        first = tokenizer.decode(ids).split("\n")[0]
        assert first.startswith("Tools: ") == (given.tools is not None)
        if given.tools:
            assert json.loads(first.removeprefix("Tools: ")) == json.loads(given.tools)
    assert trainer.train().training_loss > 0
