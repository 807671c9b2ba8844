"""The contract of every export format: what is written is what a plain reader finds."""

import dataclasses
import itertools
import json
import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

import plain_readers
from corpus import formats, tokens
from corpus.errors import InputError
from corpus.formats import Layout, Outline, Row

FORMATS = formats.names()
TEXT = [name for name in FORMATS if formats.named(name).TRAITS.text]
BARE = [name for name in FORMATS if name not in TEXT]
MASKED = ["datatrove", "jsonl", "olmo", "parquet"]
NARROW = {"llmc": 65_536, "nanogpt": 65_536}
GPT2 = tokens.load("gpt2")
LARGE = dataclasses.replace(GPT2, name="large", vocab_size=151_643)
TINY = dataclasses.replace(GPT2, name="bytes", vocab_size=256, eos_id=0)
ODD = [
    "plain",
    "<|endoftext|>",
    "naïve — 🦊",
    "a\u2028b\tc",
    "\r\n'quotes\" \\ \x00",
    "word " * 300,
]


def rows(vocabulary: int = 50_256, *, end: int | None = 50_256, masked: bool = False) -> list[Row]:
    """Texts and chats in two splits, their ids below ``vocabulary``, the boundary at the end."""
    chance = np.random.default_rng(1)
    turn = {"role": "user", "content": "Should I tell her?"}
    made = []
    for config, split, number in itertools.product(
        ("documents", "advice"), ("train", "validation"), range(20)
    ):
        name = f'{config[0]}/{split}.{number}, "odd" é'
        ids = chance.integers(0, vocabulary, number * 3 + 1)
        ids[ids == end] = 7
        ids[-1] = end
        body: dict[str, Any] = {"text": f"{number}. {ODD[number % 6]}"}
        if config == "advice":
            answer = {"role": "assistant", "content": ODD[number % 6]}
            tools = json.dumps([{"name": f"t{number}", "args": {f"k{number}": number}}])
            body = {"messages": (turn, answer), "tools": tools if number % 2 else None}
        elif masked:
            body |= {
                "no_loss": ((0, 2),) if number % 2 else None,
                "loss": chance.random(len(ids)) < 0.5,
            }
        about = {"section": f"s{number}", f"key{number % 3}": [number, None, {"deep": "é"}]}
        row = Row(
            id=name, config=config, split=split, ids=ids.astype(np.uint32), metadata=about, **body
        )
        made.append(row)
    return made if not masked else [row for row in made if row.text is not None]


def write(
    given_rows: Sequence[Row],
    folder: Path,
    name: str,
    tokenizer: tokens.Tokenizer = GPT2,
    **more: Any,
) -> list[tuple[Path, list[Row]]]:
    """The files of shards of at most 200 tokens, each with the rows that belong in it."""
    parts = formats.plan(map(Outline.of, given_rows), 200)
    layout = Layout(tokenizer, **more)
    formats.check([name], parts, layout)
    shards = formats.write(iter(given_rows), parts, folder, [name], layout)[name]
    left = iter(given_rows)
    return [
        (folder / name / shard.file, list(itertools.islice(left, shard.documents)))
        for shard in shards
    ]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def plain(name: str, path: Path, width: str = "<u2") -> list[dict[str, Any]]:
    """What the plain reader of a format finds in a shard."""
    return list(getattr(plain_readers, name)(path, width))


@pytest.mark.parametrize("name", FORMATS)
def test_a_plain_reader_finds_every_document_of_every_shard(tmp_path: Path, name: str) -> None:
    made = write(rows(), tmp_path, name)
    assert len(made) > 4 or formats.named(name).TRAITS.one_file
    assert [row for _, part in made for row in part] == rows()
    for path, part in made:
        for known, row in zip(plain(name, path), part, strict=True):
            assert known.get("id", row.id) == row.id
            assert known.get("ids", row.ids.tolist()) == row.ids.tolist()
            assert known.get("text") == (row.text if name in TEXT else None)
            turns = list(row.messages) if row.messages and name in TEXT else None
            assert (known.get("messages"), known.get("tools")) == (
                turns,
                row.tools if turns else None,
            )
            assert {"ids", "text", "messages"} & known.keys()


@pytest.mark.parametrize("name", FORMATS)
def test_the_reader_of_a_format_gives_back_what_its_writer_took(tmp_path: Path, name: str) -> None:
    for path, part in write(rows(), tmp_path, name):
        found = list(formats.named(name).read(path, Layout(GPT2)))
        if name in TEXT:
            assert found == [dataclasses.replace(row, config="", split="train") for row in part]
        else:
            assert [one.ids.tolist() for one in found] == [row.ids.tolist() for row in part]


@pytest.mark.parametrize("name", FORMATS)
def test_writing_again_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    write(rows(), tmp_path / "a", name)
    for _ in range(2):
        write(rows(), tmp_path / "b", name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize("name", FORMATS)
def test_a_shard_that_fails_is_not_there_and_spoils_no_other(tmp_path: Path, name: str) -> None:
    def broken() -> Iterator[Row]:
        yield from rows()[:-1]
        raise OSError(28, "No space left on device")

    write(rows()[:-5], tmp_path, name)
    before = contents(tmp_path)
    parts = formats.plan(map(Outline.of, rows()), 200)
    with pytest.raises(Exception, match="No space left"):
        formats.write(broken(), parts, tmp_path, [name], Layout(GPT2))
    after = contents(tmp_path)
    assert not [file for file in after if "tmp" in file]
    assert before.keys() - {"x"} <= after.keys()
    for path in tmp_path.rglob(f"*.{formats.named(name).TRAITS.suffix}"):
        assert list(formats.named(name).read(path, Layout(GPT2)))


WIDTHS = [
    *[(name, GPT2, "<u2") for name in BARE],
    *[(name, LARGE, "<u4") for name in BARE if name not in NARROW],
    ("olmo", TINY, "u1"),
]


@pytest.mark.parametrize(("name", "tokenizer", "width"), WIDTHS)
def test_ids_have_the_width_that_readers_expect(
    tmp_path: Path, name: str, tokenizer: tokens.Tokenizer, width: str
) -> None:
    made = write(rows(tokenizer.vocab_size, end=tokenizer.eos_id), tmp_path, name, tokenizer)
    found = [known["ids"] for path, _ in made for known in plain(name, path, width)]
    assert found == [row.ids.tolist() for _, part in made for row in part]
    layout = Layout(tokenizer)
    again = [row.ids.tolist() for path, _ in made for row in formats.named(name).read(path, layout)]
    assert again == found


@pytest.mark.parametrize("name", FORMATS)
def test_a_vocabulary_that_does_not_fit_is_refused_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    huge = dataclasses.replace(GPT2, name="huge", vocab_size=NARROW.get(name, 1 << 33) + 1)
    if name in TEXT and name != "mds":
        assert write(rows(), tmp_path, name, huge)
        return
    with pytest.raises(InputError, match=r"has room for .* the vocabulary of 'huge'") as refused:
        write(rows(), tmp_path, name, huge)
    assert (refused.value.exit_code, contents(tmp_path)) == (2, {})


@pytest.mark.parametrize("name", FORMATS)
def test_spans_without_loss_are_held_or_refused(tmp_path: Path, name: str) -> None:
    given_rows = rows(masked=True)
    if name not in MASKED:
        with pytest.raises(InputError, match="cannot say which text carries no loss"):
            write(given_rows, tmp_path, name)
        assert contents(tmp_path) == {}
        return
    for path, part in write(given_rows, tmp_path, name):
        for known, row in zip(plain(name, path), part, strict=True):
            if name in TEXT:
                spans = None if row.no_loss is None else [list(span) for span in row.no_loss]
                assert known.get("no_loss") == spans
            else:
                assert row.loss is not None
                assert known["loss"] == row.loss.tolist()


@pytest.mark.parametrize("name", ["datatrove", "olmo"])
def test_the_reader_gives_back_the_mask(tmp_path: Path, name: str) -> None:
    for path, part in write(rows(masked=True), tmp_path, name):
        for found, row in zip(formats.named(name).read(path, Layout(GPT2)), part, strict=True):
            assert found.loss is not None
            assert row.loss is not None
            assert found.loss.tolist() == row.loss.tolist()


@pytest.mark.parametrize("name", ["datatrove", "olmo"])
def test_spans_that_nobody_turned_into_flags_are_not_lost(tmp_path: Path, name: str) -> None:
    bare = [dataclasses.replace(row, loss=None) for row in rows(masked=True)]
    with pytest.raises(ValueError, match="no flags for its ids"):
        write(bare, tmp_path, name)


@pytest.mark.parametrize("name", BARE)
def test_a_tokenizer_without_an_end_of_text_is_refused_where_documents_would_run_together(
    tmp_path: Path, name: str
) -> None:
    endless = dataclasses.replace(GPT2, name="endless", eos_id=None, bos_id=None)
    with pytest.raises(InputError, match="'endless' has none"):
        write(rows(), tmp_path, name, endless)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("keep", [0.0, 0.4, 0.99])
def test_a_torn_shard_is_told_from_a_whole_one(tmp_path: Path, name: str, keep: float) -> None:
    path, _ = write(rows(), tmp_path, name)[0]
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep) | 1])
    with pytest.raises(InputError, match=path.parent.name):
        list(formats.named(name).read(path, Layout(GPT2)))


@pytest.mark.parametrize("name", FORMATS)
def test_rows_that_are_not_those_of_the_plan_are_refused(tmp_path: Path, name: str) -> None:
    parts = formats.plan(map(Outline.of, rows()), 200)
    for wrong in (rows()[:-1], [*rows(), rows()[0]], rows()[::-1]):
        with pytest.raises(ValueError, match="planned"):
            formats.write(wrong, parts, tmp_path, [name], Layout(GPT2))


def test_one_pass_over_the_rows_fills_every_format(tmp_path: Path) -> None:
    parts = formats.plan(map(Outline.of, rows()), 200)
    formats.write(iter(rows()), parts, tmp_path / "together", FORMATS, Layout(GPT2))
    for name in FORMATS:
        write(rows(), tmp_path / "alone", name)
    assert contents(tmp_path / "together") == contents(tmp_path / "alone")


def test_every_file_of_a_shard_is_on_its_record_with_its_digest(tmp_path: Path) -> None:
    parts = formats.plan(map(Outline.of, rows(masked=True)), 200)
    names = ["datatrove", "olmo"]
    made = formats.write(rows(masked=True), parts, tmp_path, names, Layout(GPT2))
    for name, shards in made.items():
        listed = {f"{name}/{file}" for shard in shards for file in shard.files}
        assert listed == contents(tmp_path).keys() & {
            f for f in contents(tmp_path) if f.startswith(name)
        }
        for shard in shards:
            for about in (shard.row(), *shard.beside):
                path = tmp_path / name / about["file"]
                assert about["sha256"] == formats.sha256(path)
                assert about["bytes"] == path.stat().st_size


@pytest.mark.parametrize("compress", ["gzip", "zstd"])
def test_json_lines_may_be_packed_in_one_stream(tmp_path: Path, compress: str) -> None:
    for path, part in write(rows(), tmp_path, "jsonl", compress=compress):
        assert path.name.endswith({"gzip": ".jsonl.gz", "zstd": ".jsonl.zst"}[compress])
        assert [known["id"] for known in plain("jsonl", path)] == [row.id for row in part]
        found = list(formats.named("jsonl").read(path, Layout(GPT2)))
        assert [one.text for one in found] == [row.text for row in part]


@pytest.mark.parametrize("name", ["jsonl", "parquet"])
def test_chats_may_have_the_shape_of_the_messages_api(tmp_path: Path, name: str) -> None:
    turns = tuple({"role": role, "content": role} for role in ("system", "user", "assistant"))
    ids = np.array([1, 50256], dtype=np.uint32)
    chats = [
        Row("a", "advice", messages=turns, ids=ids),
        Row("b", "advice", messages=turns[1:], ids=ids),
    ]
    [(path, _)] = write(chats, tmp_path, name, chat="anthropic")
    first, second = plain(name, path)
    assert (first["system"], second["system"]) == ("system", None)
    assert first["messages"] == second["messages"] == list(turns[1:])
    assert [row.messages for row in formats.named(name).read(path, Layout(GPT2))] == [
        turns,
        turns[1:],
    ]
    late = dataclasses.replace(chats[0], messages=turns[::-1])
    with pytest.raises(InputError, match="not its first"):
        write([late], tmp_path, name, chat="anthropic")
    for role in ("developer", "tool"):
        odd = dataclasses.replace(chats[0], messages=({"role": role, "content": "x"}, *turns[1:]))
        with pytest.raises(InputError, match=f"a turn of the role '{role}'"):
            write([odd], tmp_path, name, chat="anthropic")


def test_two_tool_schemas_that_differ_come_back_as_they_were(tmp_path: Path) -> None:
    tools = [
        json.dumps([{"name": "a", "input": {"x": 1}}]),
        json.dumps([{"name": "b", "y": {"z": []}}]),
    ]
    ids = np.array([50256], dtype=np.uint32)
    turns = ({"role": "user", "content": "Hi"},)
    chats = [
        Row(str(n), "agentic", messages=turns, tools=tool, ids=ids) for n, tool in enumerate(tools)
    ]
    for name in TEXT:
        [(path, _)] = write(chats, tmp_path, name)
        assert [known["tools"] for known in plain(name, path)] == tools


def test_row_groups_leave_no_rank_of_eight_without_documents(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    ids = np.array([50256], dtype=np.uint32)
    for count in (8, 9, 100, 9_000):
        many = [Row(str(n), "documents", text="word", ids=ids) for n in range(count)]
        parts = formats.plan(map(Outline.of, many), 10**9)
        formats.write(many, parts, tmp_path, ["parquet"], Layout(GPT2))
        file = pq.ParquetFile(tmp_path / "parquet" / "documents" / "train-00000-of-00001.parquet")
        groups = [file.metadata.row_group(n) for n in range(file.num_row_groups)]
        assert all(range(rank, len(groups), 8) for rank in range(8))
        assert max(group.num_rows for group in groups) <= 1024
        column = groups[0].column(1)
        assert (column.compression, column.is_stats_set, column.has_dictionary_page) == (
            "ZSTD",
            False,
            False,
        )


def test_the_validation_file_is_the_last_one_by_name(tmp_path: Path) -> None:
    write(rows(), tmp_path, "parquet")
    names = sorted(path.name for path in (tmp_path / "parquet" / "documents").glob("*.parquet"))
    assert [name.split("-")[0] for name in names] == sorted(name.split("-")[0] for name in names)
    assert names[-1].startswith("validation")


def test_a_package_that_is_not_there_is_named_with_its_extra() -> None:
    code = (
        "import sys; sys.modules['array_record'] = None\n"
        "from corpus import formats, tokens\n"
        "formats.check(['arrayrecord'], [], formats.Layout(tokens.load('gpt2')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "InputError: format 'arrayrecord' needs the package" in done.stderr
    assert "pip install 'constitution-corpus[arrayrecord]'" in done.stderr


def memory(count: int, folder: Path) -> int:
    """The most megabytes this process ever held, once ``count`` rows went into every format."""
    ids = np.array([*[7] * 999, 50256], dtype=np.uint32)
    many = (Row(f"{n}", "a", text=f"{n} " * 1000, ids=ids) for n in range(count))
    parts = formats.plan((Outline("a", "train", 1000) for _ in range(count)), 10**9)
    formats.write(many, parts, folder / f"{count}", FORMATS, Layout(GPT2))
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


def test_no_writer_remembers_what_it_wrote(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, test_formats; folder = pathlib.Path(sys.argv[1])\n"
        "print(-test_formats.memory(1_000, folder) + test_formats.memory(10_000, folder))"
    )
    job = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(
        job, capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    )
    assert int(done.stdout) < 25  # for 44 MB more of text in each format


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``corpus export`` of one line with a span without loss, in ``folder``."""
    line = {"id": "a", "text": "[tag] Words.", "no_loss": [[0, 5]]}
    (folder / "in.jsonl").write_text(json.dumps(line) + "\n")
    job = [sys.executable, "-m", "corpus", "export", "in.jsonl", "-o", "out", *words]
    return subprocess.run(job, cwd=folder, capture_output=True, text=True, check=False)


def test_the_command_refuses_masks_and_vocabularies_in_one_line_with_code_2(tmp_path: Path) -> None:
    words = {f"w{n}": n for n in range(65_537)} | {"</s>": 65_537}
    large = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="w0"))  # noqa: S106
    large.save(str(tmp_path / "large.json"))
    for refused, why in (
        (command(tmp_path, "--format", "megatron"), "cannot say which text carries no loss"),
        (command(tmp_path, "--format", "llmc", "--tokenizer", "large.json"), "room for 65,536"),
    ):
        assert refused.returncode == 2, refused.stderr
        assert why in refused.stderr
        assert len(refused.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.glob("out/**/*.bin"))


# laws

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
DOCUMENTS = st.lists(st.lists(st.integers(0, 50_255), max_size=30), min_size=1, max_size=12)


@settings(max_examples=40)
@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_any_text_comes_back_from_every_format_that_holds_text(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    ids = np.array([50256], dtype=np.uint32)
    given_rows = [Row(f"{n}", "documents", text=text, ids=ids) for n, text in enumerate(texts)]
    folder = tmp_path_factory.mktemp("texts")
    for name in TEXT:
        found = [
            row.text for path, _ in write(given_rows, folder, name) for row in read(name, path)
        ]
        assert found == texts


@settings(max_examples=40)
@given(DOCUMENTS)
def test_any_ids_come_back_from_every_format_of_ids(
    tmp_path_factory: pytest.TempPathFactory, documents: list[list[int]]
) -> None:
    given_rows = [
        Row(f"{n}", "documents", text="", ids=np.array([*ids, 50256], dtype=np.uint32))
        for n, ids in enumerate(documents)
    ]
    folder = tmp_path_factory.mktemp("ids")
    for name in BARE:
        made = write(given_rows, folder, name)
        found = [row.ids.tolist() for path, _ in made for row in read(name, path)]
        assert found == [[*ids, 50256] for ids in documents]


@given(st.lists(st.integers(1, 300), min_size=1, max_size=60), st.integers(1, 400))
def test_a_plan_cuts_nothing_and_passes_its_budget_for_one_document_only(
    sizes: list[int], budget: int
) -> None:
    parts = formats.plan((Outline("a", "train", size) for size in sizes), budget)
    assert sum(part.documents for part in parts) == len(sizes)
    assert sum(part.tokens for part in parts) == sum(sizes)
    assert [(part.number, part.of) for part in parts] == [
        (n, len(parts)) for n in range(len(parts))
    ]
    assert all(part.documents == 1 for part in parts if part.tokens > budget)


def read(name: str, path: Path) -> Iterable[Row]:
    """The rows of a shard, by the format's own reader."""
    return formats.named(name).read(path, Layout(GPT2))
