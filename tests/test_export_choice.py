"""What goes into training and how often: held-out sections, weights, epochs, masks, accounting."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import export, formats, store, tokens
from corpus.cli.exporting import roles
from corpus.errors import InputError
from corpus.export.dropped import best_fit, blocks, heads, pieces, windows
from corpus.export.index import Index
from corpus.formats import Row

GPT2 = tokens.load("gpt2")
SIZES = st.lists(st.integers(2, 40), min_size=1, max_size=40)


def rows(count: int = 120) -> list[Row]:
    """Three configs, forty sections, a few near-copies across sections."""
    chance = random.Random(3)
    return [
        Row(
            id=f"r{n}",
            config=("documents", "stories", "advice")[n % 3],
            text=" ".join(chance.choices(["one", "quiet", "day"], k=chance.randint(5, 60))),
            metadata={"section": f"honesty/s{n % 40}~{n % 40:08x}", "cluster": f"k{n // 45}"
                      if n % 45 < 2 else None},
        )
        for n in range(count)
    ]  # fmt: skip


def made(folder: Path, given_rows: list[Row] | None = None, **choice: Any) -> dict[str, Any]:
    """The manifest of an export with this choice."""
    settings = {"tokenizer": GPT2, "formats": ["jsonl"], "choice": export.Choice(**choice)}
    return export.publish(given_rows or rows(), folder, **settings)


def shipped(folder: Path, manifest: dict[str, Any]) -> Iterator[tuple[str, Row]]:
    """Split and row of all that was written."""
    for shard in manifest["shards"]:
        form = formats.named(shard["format"])
        for row in form.read(folder / shard["file"], formats.Layout(GPT2)):
            yield shard["split"], row


def test_held_out_sections_are_in_the_test_split_alone(tmp_path: Path) -> None:
    patterns = ("honesty/s3", "honesty/s2?~*")
    found = list(shipped(tmp_path, made(tmp_path, held_out=patterns)))
    by_split = {
        name: {row.metadata["section"].partition("~")[0] for split, row in found if split == name}
        for name in ("test", "train", "validation")
    }
    wanted = {"honesty/s3", *(f"honesty/s2{n}" for n in range(10))}
    assert wanted <= by_split["test"]
    assert not wanted & (by_split["train"] | by_split["validation"])
    clusters = {split: {row.metadata["cluster"] for s, row in found if s == split} - {None}
                for split in by_split}  # fmt: skip
    assert not clusters["test"] & clusters["train"]
    assert len(found) == 120
    assert export.verify(tmp_path) == []


def test_a_section_that_is_not_there_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"honesty/s99: no row.*did you mean 'honesty/s\d+'"):
        made(tmp_path, held_out=("honesty/s99",))
    plain = [Row(id="a", config="a", text="Words.")]
    with pytest.raises(InputError, match="no row has a section"):
        made(tmp_path, plain, held_out=("x",))


def test_weights_are_met_by_leaving_out_and_recorded_as_they_came_out(tmp_path: Path) -> None:
    manifest = made(tmp_path, mix={"documents": 2, "stories": 1, "advice": 1})
    mixture = manifest["mixture"]
    assert abs(mixture["documents"]["share"] - 0.5) < 0.02
    assert mixture["documents"]["epochs"] == 1.0
    for name, one in mixture.items():
        train = manifest["splits"][name]["train"]
        assert (one["tokens"], one["documents"]) == (train["tokens"], train["documents"])
        assert one["distinct"] == one["documents"]
        assert one["epochs"] <= 1
    assert export.verify(tmp_path) == []


def test_epochs_repeat_whole_documents_each_epoch_in_an_order_of_its_own(tmp_path: Path) -> None:
    manifest = made(tmp_path, epochs={"": 1, "stories": 2.5})
    mixture = manifest["mixture"]
    assert abs(mixture["stories"]["epochs"] - 2.5) < 0.05
    assert mixture["documents"]["epochs"] == 1
    found = [row for split, row in shipped(tmp_path, manifest) if split == "train"]
    stories = [row for row in found if row.id in {f"r{n}" for n in range(1, 120, 3)}]
    epochs = [row.metadata.get("epoch", 1) for row in stories]
    assert epochs == sorted(epochs)
    orders = [[r.id for r, e in zip(stories, epochs, strict=True) if e == n] for n in (1, 2, 3)]
    assert sorted(orders[0]) == sorted(orders[1]) != orders[0] != orders[1]
    assert set(orders[2]) < set(orders[0])


def test_weights_and_epochs_repeat_the_scarce_and_leave_out_of_the_rest(tmp_path: Path) -> None:
    mixture = made(tmp_path, mix={"documents": 1, "stories": 4, "advice": 0}, epochs={"": 3})[
        "mixture"
    ]
    assert mixture["stories"]["epochs"] == 3
    assert abs(mixture["stories"]["share"] - 0.8) < 0.01
    assert mixture["advice"]["documents"] == 0


def test_a_mixture_depends_on_seed_and_rows_and_not_on_their_order(tmp_path: Path) -> None:
    choice: dict[str, Any] = {"mix": {"documents": 1, "stories": 3, "advice": 1},
                              "epochs": {"": 2}}  # fmt: skip
    one = made(tmp_path / "a", rows(), **choice)
    other = made(tmp_path / "b", rows()[::-1], **choice)
    assert one == other


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"mix": {"docs": 1}}, "--mix docs: no such config; did you mean"),
        ({"mix": {"documents": 1}}, "'advice' has no weight"),
        ({"mix": {"documents": -1, "stories": 1, "advice": 1}}, "must not be negative"),
        ({"mix": {"documents": 0, "stories": 0, "advice": 0}}, "every weight is 0"),
        ({"epochs": {"": 1000}}, "--epochs 1000: must be from 0 to 100"),
        ({"epochs": {"": 2}, "match_tokens": 1000}, "give one of them"),
    ],
)
def test_a_mixture_that_makes_no_sense_is_refused(
    tmp_path: Path, choice: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        made(tmp_path, **choice)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_sections_are_counted_with_what_ships(tmp_path: Path) -> None:
    manifest = made(tmp_path)
    counts = Counter(row.metadata["section"] for _, row in shipped(tmp_path, manifest))
    assert {name: one["documents"] for name, one in manifest["sections"].items()} == counts
    whole = sum(shard["tokens"] for shard in manifest["shards"])
    assert sum(one["tokens"] for one in manifest["sections"].values()) == whole


def test_spans_without_loss_become_the_label_mask_that_a_trainer_reads(tmp_path: Path) -> None:
    tagged = [
        Row(id=f"r{n}", config="a", text=f"<doctag>{n}</doctag> A quiet 🦊 day.",
            no_loss=((0, 17 + len(str(n))),) if n % 2 else None)
        for n in range(40)
    ]  # fmt: skip
    options: dict[str, Any] = {"tokenizer": GPT2, "formats": ["olmo"]}
    manifest = export.publish(tagged, tmp_path, **options)
    by_ids = {tuple(GPT2.encode([row.text or ""])[0]): row for row in tagged}
    for shard in manifest["shards"]:
        for row in formats.named("olmo").read(tmp_path / shard["file"], formats.Layout(GPT2)):
            source = by_ids[tuple(row.ids[:-1].tolist())]
            if source.no_loss:
                _, loss = GPT2.encode_masked(source.text or "", source.no_loss)
                assert row.loss is not None
                assert row.loss.tolist() == [*loss.tolist(), True]
                assert GPT2.decode(row.ids[:-1][row.loss[:-1]].tolist()) == " A quiet 🦊 day."
    with pytest.raises(InputError, match=r"megatron.*no_loss"):
        export.publish(tagged, tmp_path / "m", tokenizer=GPT2, formats=["megatron"])


# what trainers drop: the rules against the cutting itself


@given(SIZES, st.integers(2, 30))
def test_what_is_lost_is_what_no_sequence_holds(sizes: list[int], length: int) -> None:
    lengths = np.array(sizes)
    stream = list(range(sum(sizes)))
    shared = [stream[n : n + length + 1] for n in range(0, len(stream), length)]
    whole = {one for cut in shared if len(cut) == length + 1 for one in cut}
    assert windows(lengths, length) == len(stream) - len(whole)
    for rule, step in ((blocks, length), (pieces, length + 1)):
        cuts = [stream[n : n + step] for n in range(0, len(stream), step)]
        assert rule(lengths, length) == sum(len(cut) for cut in cuts if len(cut) < step)
    assert heads(lengths, length) == sum(len(range(size)[length:]) for size in sizes)


def chats(count: int = 12) -> list[Row]:
    """Chats with a system prompt, and texts beside them."""
    said = [("system", "You are kind.\n"), ("user", "Is it naïve 🦊?"), ("assistant", "No.")]
    turns = tuple({"role": role, "content": content} for role, content in said)
    texts = [Row(f"t{n}", "documents", text=f"A day, number {n}.") for n in range(count)]
    return texts + [Row(f"c{n}", "advice", messages=turns) for n in range(count)]


@pytest.mark.parametrize("name", ["olmo", "datatrove"])
def test_turns_of_masked_roles_carry_no_loss_and_everything_else_does(
    tmp_path: Path, name: str
) -> None:
    options: dict[str, Any] = {"tokenizer": GPT2, "formats": [name, "parquet"]}
    manifest = export.publish(chats(), tmp_path, mask_roles=["system", "user"], **options)
    assert manifest["mask_roles"] == ["system", "user"]
    assert export.verify(tmp_path) == []
    for shard in manifest["shards"]:
        if shard["format"] == name:
            for row in formats.named(name).read(tmp_path / shard["file"], formats.Layout(GPT2)):
                if shard["config"] == "advice":
                    assert row.loss is not None
                    assert GPT2.decode(row.ids[row.loss].tolist()) == "No.<|endoftext|>"
                else:
                    assert row.loss is None


def test_masked_roles_are_refused_where_no_reader_finds_them_and_where_nobody_speaks(
    tmp_path: Path,
) -> None:
    for name in ("megatron", "nanogpt", "llmc", "mds", "webdataset"):
        with pytest.raises(InputError, match=f"'{name}' cannot say which text carries no loss"):
            export.publish(chats(), tmp_path, tokenizer=GPT2, formats=[name], mask_roles=["system"])
    with pytest.raises(InputError, match=r"--mask-roles sytem: no turn.*system"):
        export.publish(chats(), tmp_path, tokenizer=GPT2, mask_roles=["sytem"])
    with pytest.raises(InputError, match=r"--mask-roles tool,user: no row is a chat"):
        export.publish(rows(3), tmp_path, tokenizer=GPT2, mask_roles=["tool", "user"])
    assert list(tmp_path.iterdir()) == []


def test_the_roles_of_a_list_may_stand_apart_but_there_must_be_some() -> None:
    assert roles("system, user,,system ") == ["system", "user"]
    assert roles(None) == roles("") == []
    for empty in (",", " , ", " "):
        with pytest.raises(InputError, match=r"--mask-roles .* write roles"):
            roles(empty)


def test_more_configs_than_sixteen_bits_can_count_are_exported(tmp_path: Path) -> None:
    index = Index(folder=tmp_path)
    for n in range(1 << 16 | 1):
        index.add(Row(f"r{n}", f"c{n}", text="x"), 1)
    assert index.config[-1] == 1 << 16
    index.close()


@given(
    st.lists(st.tuples(st.sampled_from("su"), st.text(max_size=4)), min_size=1, max_size=6),
    st.sets(st.sampled_from("su")),
)
def test_spans_of_roles_hold_what_they_say_and_nothing_of_the_others(
    said: list[tuple[str, str]], roles: set[str]
) -> None:
    turns = tuple({"role": role, "content": content} for role, content in said)
    row = Row("a", "b", messages=turns)
    silent = [char for start, end in row.spans_of(roles) for char in range(start, end)]
    start = 0
    for role, content in said:
        own = set(range(start, start + len(content)))
        assert own <= set(silent) if role in roles else not own & set(silent)
        start += len(content) + 2
    assert len(silent) == len(set(silent))
    assert all(0 <= char < len(row.body) for char in silent)


@given(SIZES, st.integers(2, 30))
def test_best_fit_loses_what_its_crops_cut_off(sizes: list[int], length: int) -> None:
    buffer, kept = list(sizes), 0
    while buffer:
        room = length + 1
        while room and buffer:
            fits = [size for size in buffer if size <= room]
            size = max(fits) if fits else min(buffer)
            buffer.remove(size)
            kept += min(size, room)
            room -= min(size, room)
    assert best_fit(np.array(sizes), length) == sum(sizes) - kept


def test_the_manifest_says_what_each_trainer_drops(tmp_path: Path) -> None:
    options: dict[str, Any] = {"tokenizer": GPT2, "seq_len": 64, "shard_tokens": 500}
    manifest = export.publish(rows(), tmp_path, formats=["olmo", "nanogpt", "parquet"], **options)
    olmo = {
        (one["config"], one["split"]): one["lost"]
        for one in manifest["dropped"]
        if one["trainer"] == "OLMo-core"
    }
    tails: Counter[tuple[str, str]] = Counter()
    for shard in manifest["shards"]:
        if shard["format"] == "olmo":
            tails[shard["config"], shard["split"]] += shard["tokens"] % 64
    assert olmo == tails
    assert {one["trainer"] for one in manifest["dropped"]} >= {"nanoGPT", "nanochat", "torchtitan"}
    assert "What trainers drop at sequences of 64" in (tmp_path / "parquet/README.md").read_text()


def test_rows_of_files_are_told_apart_by_a_field_if_asked(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    lines = [
        {"id": "a", "text": "x", "stream": "stories"},
        {"id": "b", "text": "y", "stream": "a/b"},
    ]
    store.write_rows(path, lines[:1])
    assert [row.config for row in export.rows_of_files([path], "stream")] == ["stories"]
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(InputError, match=r"row 2: 'stream' names the config.*'a/b'"):
        list(export.rows_of_files([path], "stream"))
