"""Megatron-Core, OLMo-core, datatrove and modded-nanogpt's reader, on shards of bare ids."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from corpus import tokens
from corpus.formats import Row
from readers.real_text import GPT2, rows, written

END = "<|endoftext|>"
pytestmark = [pytest.mark.readers, pytest.mark.filterwarnings("ignore")]


def test_b1_megatron_core_reads_every_token_of_every_document(
    tmp_path: Path, documents: list[Row]
) -> None:
    from megatron.core.datasets.indexed_dataset import IndexedDataset

    made = written(tmp_path, "megatron", documents)
    found = []
    for path in made.files:
        data = IndexedDataset(str(path.with_suffix("")))
        assert len(data.document_indices) == len(data) + 1
        found += [data[place].tolist() for place in range(len(data))]
    assert found == made.ids


@pytest.mark.parametrize("wide", [False, True])
def test_b1_the_pair_is_byte_identical_to_that_of_megatrons_builder(
    tmp_path: Path, documents: list[Row], *, wide: bool
) -> None:
    import dataclasses

    import torch
    from megatron.core.datasets.indexed_dataset import DType, IndexedDatasetBuilder

    from corpus import formats

    vocabulary = 151_643 if wide else GPT2.vocab_size
    tokenizer = dataclasses.replace(GPT2, vocab_size=vocabulary)
    parts = formats.plan(map(formats.Outline.of, documents), 10**9)
    layout = formats.Layout(tokenizer)
    formats.write(documents, parts, tmp_path, ["megatron"], layout)
    builder = IndexedDatasetBuilder(str(tmp_path / "theirs.bin"), DType.optimal_dtype(vocabulary))
    for row in documents:
        builder.add_document(torch.from_numpy(row.ids.astype(np.int64)), [len(row.ids)])
    builder.finalize(str(tmp_path / "theirs.idx"))
    ours = tmp_path / "megatron" / "documents" / "train-00000-of-00001.bin"
    assert ours.read_bytes() == (tmp_path / "theirs.bin").read_bytes()
    assert ours.with_suffix(".idx").read_bytes() == (tmp_path / "theirs.idx").read_bytes()


def test_b3_olmo_core_reads_tokens_boundaries_and_masks(
    tmp_path: Path, say: Callable[[str], None]
) -> None:
    from olmo_core.data import NumpyFSLDataset
    from olmo_core.data.utils import iter_document_indices

    length = 256
    made = written(tmp_path, "olmo", rows(masked=True))
    masks = [str(path.with_suffix(".label_mask")) for path in made.files]
    dataset = NumpyFSLDataset(
        *map(str, made.files),
        sequence_length=length,
        pad_token_id=50256,
        eos_token_id=50256,
        vocab_size=50257,
        dtype=np.uint16,
        label_mask_paths=masks,  # type: ignore[arg-type]
    )
    dataset.work_dir = tmp_path / "work"  # type: ignore[assignment]
    items = [dataset[place] for place in range(len(dataset))]
    left = iter(made.rows)
    ids, loss, tails = [], [], 0
    for path in made.files:
        stops = [end for _, end in iter_document_indices(str(path), use_array_if_local=False)]
        scanned = iter_document_indices(str(path), eos_token_id=50256, dtype=np.uint16)
        assert [end for _, end in scanned] == stops
        here = [next(left) for _ in stops]
        assert np.cumsum([len(row.ids) for row in here]).tolist() == stops
        keep = stops[-1] // length * length
        tails += stops[-1] - keep
        ids.append(np.concatenate([row.ids for row in here])[:keep])
        loss.append(np.concatenate([row.loss for row in here])[:keep])
    say(f"OLMo-core drops {tails} of {sum(map(len, made.ids)):,} tokens in {len(made.files)} tails")
    assert (
        np.concatenate([item["input_ids"] for item in items]).tolist()
        == np.concatenate(ids).tolist()
    )
    assert (
        np.concatenate([item["label_mask"] for item in items]).tolist()
        == np.concatenate(loss).tolist()
    )
    assert not np.concatenate(loss).all()


def test_b3_olmo_core_assumes_the_width_that_was_written() -> None:
    import dataclasses

    from olmo_core.data import NumpyFSLDatasetConfig, TokenizerConfig

    from corpus import formats
    from corpus.formats import olmo

    for vocabulary in (256, 50_257, 65_536, 65_537, 151_643):
        theirs = NumpyFSLDatasetConfig(
            tokenizer=TokenizerConfig(vocabulary, eos_token_id=1, pad_token_id=1),
            sequence_length=8,
            paths=["x"],
        ).get_dtype()
        ours = olmo.kind(formats.Layout(dataclasses.replace(GPT2, vocab_size=vocabulary)))
        assert ours == np.dtype(theirs)


def test_b4_the_files_are_those_of_datatroves_tokenizer(tmp_path: Path) -> None:
    from datatrove.data import Document
    from datatrove.pipeline.tokens.tokenizer import DocumentTokenizer

    from corpus import formats

    given = rows(masked=True)
    GPT2.engine.save(str(tmp_path / "tokenizer.json"))
    step = DocumentTokenizer(
        str(tmp_path / "theirs"),
        str(tmp_path / "tokenizer.json"),
        eos_token=END,
        save_loss_metadata=True,
        shuffle_documents=False,
    )
    step.run(
        Document(
            text=row.text or "", id=row.id, metadata={"no_loss_ranges": list(row.no_loss or ())}
        )
        for row in given
    )
    parts = formats.plan(map(formats.Outline.of, given), 10**9)
    formats.write(given, parts, tmp_path, ["datatrove"], formats.Layout(GPT2))
    [theirs] = (tmp_path / "theirs").glob("*.ds")
    ours = tmp_path / "datatrove" / "documents" / "train-00000-of-00001.ds"
    for ending in ("", ".index", ".loss"):
        assert Path(f"{ours}{ending}").read_bytes() == Path(f"{theirs}{ending}").read_bytes(), (
            ending
        )
    about = [Path(f"{path}.metadata").read_text().split("\n")[1:] for path in (ours, theirs)]
    assert about[0] == about[1]


def test_b4_counts_are_said_as_datatrove_says_them() -> None:
    import humanize

    from corpus.formats import datatrove

    for count in (1, 9, 10, 999, 1000, 9_999, 99_950, 534_693, 999_499, 999_500, 12_345_678_901):
        assert datatrove.short(count) == humanize.metric(count, unit="T"), count


def test_b7_the_torch_loader_of_modded_nanogpt_takes_a_shard(
    tmp_path: Path, documents: list[Row]
) -> None:
    import torch

    made = written(tmp_path, "llmc", documents)
    found = []
    for path in made.files:
        header = torch.from_file(str(path), shared=False, size=256, dtype=torch.int32)
        assert header[:2].tolist() == [20240520, 1]
        ids = torch.empty(int(header[2]), dtype=torch.uint16)
        with path.open("rb", buffering=0) as file:
            file.seek(256 * 4)
            assert file.readinto(ids.numpy()) == 2 * len(ids)
        starts = (ids == 50256).nonzero(as_tuple=True)[0].tolist()
        for start, end in zip(starts, [*starts[1:], len(ids)], strict=True):
            found.append([*ids[start + 1 : end].tolist(), 50256])
    assert found == made.ids


def test_b9_peers_end_a_document_at_a_literal_and_we_do_not(tmp_path: Path) -> None:
    import transformers

    text = "GPT-2 ends a document with <|endoftext|> and goes on."
    GPT2.engine.save(str(tmp_path / "tokenizer.json"))
    theirs = transformers.PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    assert 50256 in theirs(text)["input_ids"]
    [ids] = tokens.load("gpt2").encode([text])
    row = Row("a", "documents", text=text, ids=np.array([*ids, 50256], dtype=np.uint32))
    for name in ("megatron", "olmo", "nanogpt", "datatrove"):
        [path] = written(tmp_path, name, [row]).files
        found = np.fromfile(path, "<u2").tolist()
        assert (found.count(50256), found[-1]) == (1, 50256)
        assert GPT2.decode(found[:-1]) == text
