"""What the report says each trainer drops, beside what its own library leaves out."""

from pathlib import Path

import numpy as np
import pytest

from corpus.export.dropped import blocks, heads, pieces, windows
from corpus.formats import Row
from readers.real_text import GPT2, written

pytestmark = [pytest.mark.readers, pytest.mark.filterwarnings("ignore")]
LENGTHS = (64, 2048)


def sizes(rows: list[Row]) -> np.ndarray:
    return np.array([len(row.ids) for row in rows])


@pytest.mark.parametrize("length", LENGTHS)
def test_megatron_trains_on_all_but_the_tail_of_a_prefix(
    tmp_path: Path, documents: list[Row], length: int
) -> None:
    from megatron.core.datasets.gpt_dataset import GPTDataset, GPTDatasetConfig
    from megatron.core.datasets.indexed_dataset import IndexedDataset
    from megatron.core.datasets.utils import Split

    some = documents[:200]
    [path] = written(tmp_path, "megatron", some).files[:1]
    data = IndexedDataset(str(path.with_suffix("")))
    held = sizes(some)[: len(data)]
    settings = GPTDatasetConfig(
        random_seed=1,
        sequence_length=length,
        blend=([str(path.with_suffix(""))], None),
        split="1,0,0",
        path_to_cache=str(tmp_path / "cache"),
        tokenizer=Named(),
        reset_position_ids=False,
        reset_attention_mask=False,
        eod_mask_loss=False,
    )
    every = np.arange(len(data), dtype=np.int32)
    found = GPTDataset(data, str(path.with_suffix("")), every, None, Split.train, settings)
    read = [found[n] for n in range(len(found))]
    trained = sum(len(one["tokens"]) for one in read) + 1  # the last label
    assert int(held.sum()) - trained == windows(held, length)


class Named:
    """What Megatron asks of a tokenizer."""

    eod = pad = GPT2.eos_id
    vocab_size = GPT2.vocab_size
    unique_identifiers = {"class": "gpt2"}  # noqa: RUF012 - read, never written


@pytest.mark.parametrize("length", LENGTHS)
def test_trls_packing_cuts_off_what_a_document_has_beyond_the_length(
    documents: list[Row], length: int
) -> None:
    import datasets
    import trl

    given = datasets.Dataset.from_dict({"input_ids": [row.ids.tolist() for row in documents]})
    packed = trl.pack_dataset(given, length, strategy="bfd")
    kept = sum(map(len, packed["input_ids"]))
    assert int(sizes(documents).sum()) - kept == heads(sizes(documents), length)
    wrapped = trl.pack_dataset(given, length, strategy="wrapped")
    assert sum(map(len, wrapped["input_ids"])) == sizes(documents).sum()


@pytest.mark.parametrize("length", LENGTHS)
def test_datatrove_and_olmo_drop_the_tail_of_each_file(
    tmp_path: Path, documents: list[Row], length: int
) -> None:
    from datatrove.utils.dataset import DatatroveFileDataset
    from olmo_core.data import NumpyFSLDataset

    made = written(tmp_path, "datatrove", documents)
    path = made.files[0]
    held = np.fromfile(path, "<u2")
    found = DatatroveFileDataset(str(path), seq_len=length, token_size=2)
    assert len(held) - len(found) * (length + 1) == pieces(np.array([len(held)]), length)
    arrays = written(tmp_path, "olmo", documents).files[:1]
    fixed = NumpyFSLDataset(
        *arrays, sequence_length=length, pad_token_id=0, eos_token_id=50256,
        vocab_size=50257, dtype=np.uint16,
    )  # fmt: skip
    fixed.prepare()
    read = len(np.fromfile(arrays[0], "<u2")) - len(fixed) * length
    assert read == blocks(np.array([len(np.fromfile(arrays[0], "<u2"))]), length)
