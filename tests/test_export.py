"""Export: what ships, how it is split, and that real readers get back what was written."""

import hashlib
import json
import os
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import export, formats, store, tokens
from corpus.errors import InputError
from corpus.export.index import Index
from corpus.export.split import COMPONENTS, NONE, PAIRS, SHARE, by_group, split
from corpus.formats import Row

os.environ["HF_HUB_OFFLINE"] = "1"  # read by datasets when it is imported
FORMATS = [
    name
    for name in formats.names()
    if formats.named(name).TRAITS.text and formats.named(name).TRAITS.masks
]
DATASETS = [name for name in FORMATS if formats.named(name).TRAITS.card]
GPT2 = tokens.load("gpt2")
LAYOUT = formats.Layout(GPT2)


def rows() -> list[Row]:
    """Texts and chats of two streams; every third text has a mask, some hold odd characters."""
    odd = ["plain", "<|endoftext|>", "naïve — 🦊", "a\u2028b\tc", "\r\n'quotes\" \\ \x00"]
    texts = [
        Row(
            id=f"t{n}",
            config="documents",
            text=f"Document {n}. {odd[n % 5]} " + "word " * (n % 7),
            source="test",
            metadata={"section": f"s{n % 30}", f"key{n % 3}": [n, None, {"deep": "é"}]},
            no_loss=((0, 8),) if n % 3 == 0 else None,
        )
        for n in range(60)
    ]
    turn = {"role": "user", "content": "Should I tell her?"}
    chats = [
        Row(
            id=f"c{n}",
            config="advice",
            messages=(turn, {"role": "assistant", "content": f"Perhaps, on day {n}."}),
            tools=json.dumps([{"name": f"tool{n}", "args": {str(n): n}}]) if n % 2 else None,
            metadata={"section": f"c{n}"},
        )
        for n in range(30)
    ]
    return [*chats, *texts]


def written(folder: Path, **options: object) -> dict[str, Any]:
    """An export of ``rows`` to ``folder`` in every format, small shards; its manifest."""
    settings = {"tokenizer": GPT2, "formats": FORMATS, "shard_tokens": 300} | options
    return export.publish(settings.pop("rows", rows()), folder, **settings)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` with its bytes."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def jsonl(path: Path, *lines: Mapping[str, Any]) -> Path:
    """A JSON Lines file."""
    store.write_rows(path, lines)
    return path


# every format


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_gives_back_every_row_that_it_was_given(tmp_path: Path, name: str) -> None:
    made = written(tmp_path, formats=[name])
    by_id = {row.id: row for row in rows()}
    found = [
        row
        for shard in made["shards"]
        for row in formats.named(name).read(tmp_path / shard["file"], LAYOUT)
    ]
    assert len(found) == len(by_id)
    for row in found:
        given_row = by_id[row.id]
        assert (row.text, row.messages, row.tools) == (
            given_row.text,
            given_row.messages,
            given_row.tools,
        )
        assert (row.metadata, row.no_loss) == (given_row.metadata, given_row.no_loss)


@pytest.mark.parametrize("name", FORMATS)
def test_the_tokens_of_a_formats_shards_add_up(tmp_path: Path, name: str) -> None:
    made = written(tmp_path, formats=[name])
    counted = sum(GPT2.count([row.body for row in rows()])) + len(rows())
    assert sum(shard["tokens"] for shard in made["shards"]) == counted
    assert sum(split["tokens"] for c in made["splits"].values() for split in c.values()) == counted
    assert sum(shard["documents"] for shard in made["shards"]) == len(rows())
    assert export.verify(tmp_path) == []


@pytest.mark.parametrize("name", FORMATS)
def test_exporting_again_gives_the_same_bytes_whatever_the_order(tmp_path: Path, name: str) -> None:
    written(tmp_path / "a", formats=[name])
    shuffled = rows()
    random.Random(1).shuffle(shuffled)
    for _ in range(2):
        written(tmp_path / "b", formats=[name], rows=shuffled)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize("name", FORMATS)
def test_a_shard_keeps_to_its_budget_unless_one_document_is_longer(
    tmp_path: Path, name: str
) -> None:
    long = Row(id="long", config="documents", text="very " * 900)
    made = written(tmp_path, formats=[name], rows=[long, *rows()])
    over = [shard for shard in made["shards"] if shard["tokens"] > 300]
    assert [shard["documents"] for shard in over] == [1]
    assert min(shard["documents"] for shard in made["shards"]) > 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", DATASETS)
def test_datasets_loads_every_config_and_split(tmp_path: Path, name: str) -> None:
    import datasets  # slow, and needs the environment above

    made = written(tmp_path, formats=[name])
    by_id = {row.id: row for row in rows()}
    folder, cache = str(tmp_path / name), str(tmp_path / "cache")
    assert sorted(datasets.get_dataset_config_names(folder, cache_dir=cache)) == [
        "advice",
        "documents",
    ]
    for config, splits in made["splits"].items():
        for part, count in splits.items():
            for streaming in (False, True):
                loaded = datasets.load_dataset(
                    folder, config, split=part, streaming=streaming, cache_dir=cache
                )
                found = {row["id"]: row for row in loaded}
                assert len(found) == count["documents"]
                for row in found.values():
                    given_row = by_id[row["id"]]
                    assert row.get("text") == given_row.text
                    assert row.get("tools") == given_row.tools
                    turns = list(given_row.messages) if given_row.messages else None
                    assert row.get("messages") == turns


def test_an_unknown_format_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'parquet'"):
        written(tmp_path, formats=["parqet"])


# the shape of the files


def test_text_rows_carry_the_fields_of_the_contract_in_jsonl(tmp_path: Path) -> None:
    plain = Row(id="a", config="documents", text="Words.", source="s", added="d", created="d")
    made = written(tmp_path, formats=["jsonl"], rows=[plain])
    line = (tmp_path / made["shards"][0]["file"]).read_text()
    assert json.loads(line) == {
        "id": "a", "text": "Words.", "source": "s", "added": "d", "created": "d", "metadata": {},
    }  # fmt: skip


def test_parquet_has_eight_row_groups_and_one_schema_per_config(tmp_path: Path) -> None:
    made = written(
        tmp_path, formats=["parquet"], shard_tokens=10_000, choice=export.Choice(share=0.2)
    )
    files = [(shard, pq.ParquetFile(tmp_path / shard["file"])) for shard in made["shards"]]
    texts = [file for shard, file in files if shard["config"] == "documents"]
    assert len(texts) == 2
    assert texts[0].schema_arrow.equals(texts[1].schema_arrow)
    assert texts[0].schema_arrow.names == [
        "id", "text", "source", "added", "created", "metadata", "no_loss",
    ]  # fmt: skip
    for _, file in files:
        assert file.num_row_groups >= min(8, file.metadata.num_rows)
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_the_digests_are_those_that_the_contract_defines(tmp_path: Path) -> None:
    made = written(tmp_path, formats=["jsonl"])
    text, ids = hashlib.sha256(), hashlib.sha256()
    for shard in made["shards"]:
        for row in store.read_rows(tmp_path / shard["file"]):
            chat = json.dumps(
                row.get("messages"), ensure_ascii=False, sort_keys=True, separators=(",", ":")
            )
            text.update(f"{row['id']}\n{row.get('text', chat)}\n".encode())
            turns = [turn["content"] for turn in row.get("messages", [])]
            for number in [*GPT2.encode([row.get("text", "\n\n".join(turns))])[0], 50256]:
                ids.update(number.to_bytes(4, "little"))
    assert (made["text_sha256"], made["tokens_sha256"]) == (text.hexdigest(), ids.hexdigest())


def test_the_card_names_the_tokenizer_the_models_and_the_licence(tmp_path: Path) -> None:
    facts = {"license": "cc0-1.0", "models": ["claude-x"], "title": "Ours"}
    facts["constitution"] = {"name": "The constitution", "digest": "abc"}
    facts["gates"] = {"distinct": "pass", "openings": "warn"}
    written(tmp_path, facts=facts)
    card = (tmp_path / "parquet" / "README.md").read_text()
    for words in (
        'license: "cc0-1.0"',
        "claude-x",
        "# Ours",
        "`abc`",
        "warn: `openings`",
        GPT2.label,
    ):
        assert words in card
    assert "Demo text" not in card


def test_chats_leave_a_config_that_also_holds_texts(tmp_path: Path) -> None:
    mixed = [
        Row(id="t", config="default", text="A text."),
        Row(id="c", config="default", messages=({"role": "user", "content": "Hi"},)),
    ]
    assert list(written(tmp_path, rows=mixed)["splits"]) == ["default", "default-chat"]


# demo text, and nothing at all


def test_demo_text_needs_to_be_allowed_and_is_called_so(tmp_path: Path) -> None:
    demo = [Row(id="d", config="documents", text="Bad.", metadata={"quality": "demo"})]
    with pytest.raises(InputError, match="--allow-demo"):
        written(tmp_path, rows=demo)
    written(tmp_path, rows=demo, allow_demo=True)
    assert "**Demo text: not for training.**" in (tmp_path / "jsonl" / "README.md").read_text()


def test_half_a_surrogate_pair_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for broken in ({"text": "\ud800"}, {"text": "x", "metadata": {"kind": "\udfff"}}):
        with pytest.raises(
            InputError, match="document 'a': a value that JSON in UTF-8 cannot hold"
        ):
            written(tmp_path, rows=[Row(id="a", config="documents", **broken)])
    assert contents(tmp_path) == {}


def test_nothing_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to export"):
        written(tmp_path, rows=[])
    with pytest.raises(InputError, match="--shard-tokens"):
        written(tmp_path, shard_tokens=0)
    assert contents(tmp_path) == {}


# splits


def held(found: list[Row], chosen: set[str], key: str) -> set[str]:
    """The values of ``key`` that are on both sides."""
    both = ({row.metadata.get(key) for row in found if (row.id in chosen) is x} for x in (0, 1))
    return set.intersection(*both) - {None}


def sides(found: list[Row], seed: int = 0, share: float = SHARE) -> tuple[set[str], str]:
    """The ids of the validation rows, and by what they were grouped."""
    chosen, way = split(Index.of(found, seed), np.ones(len(found), dtype=np.bool_), share)
    return {row.id for row, one in zip(found, chosen, strict=True) if one}, way


def counted_rows(metadata: Iterable[dict[str, Any]]) -> list[Row]:
    """One row of ten tokens per metadata."""
    ids = np.zeros(10, dtype=np.uint32)
    return [Row(id=f"r{n}", config="a", metadata=m, ids=ids) for n, m in enumerate(metadata)]


def test_no_section_seed_or_cluster_is_on_both_sides() -> None:
    found = counted_rows(
        {"section": f"s{n // 4}", "seed": f"x{n // 8}", "cluster": f"k{n // 2}"} for n in range(400)
    )
    chosen, way = sides(found)
    assert way == COMPONENTS
    assert 4 <= len(chosen) <= 8
    assert not any(held(found, chosen, key) for key in ("section", "seed", "cluster"))


def test_where_stories_tie_everything_pairs_and_clusters_stay_together() -> None:
    found = counted_rows(
        {"section": f"s{n % 20}", "seed": f"x{n // 20 % 5}", "cluster": f"k{n // 2}"}
        for n in range(400)
    )
    chosen, way = sides(found)
    assert (way, bool(chosen)) == (PAIRS, True)
    assert not held(found, chosen, "cluster")
    both = [{(r.metadata["section"], r.metadata["seed"]) for r in found if (r.id in chosen) is x}
             for x in (True, False)]  # fmt: skip
    assert both[0].isdisjoint(both[1])


def test_a_split_takes_memory_by_rows_and_not_by_configs() -> None:
    groups = np.arange(20_000) * 1_000  # of a thousand configs
    tracemalloc.start()
    known, sums = by_group(np.append(groups, groups[:2] + 7), np.full(20_002, 3))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert known[:4].tolist() == [0, 7, 1000, 1007]
    assert (len(known), sums.tolist()) == (20_002, [3] * 20_002)
    assert peak < 8 << 20


def test_one_group_has_no_validation_split() -> None:
    chosen, way = sides(counted_rows({"section": "only"} for _ in range(100)))
    assert (chosen, way) == (set(), NONE)


def test_twelve_documents_about_twelve_things_have_one_for_validation() -> None:
    found = counted_rows({"section": str(n)} for n in range(12))
    assert len(sides(found)[0]) == 1
    assert sides(found, share=0) == (set(), NONE)


@given(st.lists(st.tuples(*[st.sampled_from([None, "a", "b", "c", "d", "e"])] * 3)), st.integers())
def test_a_split_depends_on_the_rows_and_not_on_their_order(
    keys: list[tuple[str | None, ...]], seed: int
) -> None:
    found = counted_rows(
        dict(zip(("section", "seed", "cluster"), key, strict=True)) for key in keys
    )
    chosen, way = sides(found, seed, 0.3)
    assert (chosen, way) == sides(found[::-1], seed, 0.3)
    assert not held(found, chosen, "cluster")
    if way == COMPONENTS:
        assert not held(found, chosen, "section") | held(found, chosen, "seed")


# the join of a build


def build(
    folder: Path,
    *,
    documents: Sequence[dict[str, Any]],
    reviews: Sequence[tuple[str, str]],
    duplicates: Sequence[dict[str, Any]] = (),
) -> Path:
    """A build's folder, as far as the join reads it."""
    base = {
        "stream": "documents", "kind": "essay", "section": "s", "seed": None, "text": "Words.",
        "facets": {}, "generator": {"model": "m"},
    }  # fmt: skip
    jsonl(folder / "briefs.jsonl", *({"id": brief} for brief in ("b1", "b2")))
    jsonl(folder / "documents.jsonl", *(base | fields for fields in documents))
    jsonl(
        folder / "reviews.jsonl", *({"id": name, "verdict": verdict} for name, verdict in reviews)
    )
    jsonl(folder / "duplicates.jsonl", *duplicates)
    return folder


def test_only_accepted_documents_of_the_present_plan_ship(tmp_path: Path) -> None:
    folder = build(
        tmp_path,
        documents=[
            {"id": "late", "brief": "b2"},
            {"id": "old", "brief": "gone"},
            {"id": "bad", "brief": "b1"},
            {"id": "unread", "brief": "b1"},
            {"id": "good", "brief": "b1"},
        ],
        reviews=[("late", "accept"), ("old", "accept"), ("bad", "accept"), ("bad", "reject"),
                 ("good", "reject"), ("good", "accept")],
    )  # fmt: skip
    assert [row.id for row in export.rows_of_build(folder)] == ["good", "late"]


def test_duplicates_and_drafts_that_were_rewritten_do_not_ship(tmp_path: Path) -> None:
    folder = build(
        tmp_path,
        documents=[
            {"id": "draft", "brief": "b1"},
            {"id": "final", "brief": "b1", "parents": ["draft"]},
            {"id": "copy", "brief": "b2"},
        ],
        reviews=[(name, "accept") for name in ("draft", "final", "copy")],
        duplicates=[{"id": "copy", "original": "final", "cluster": "k", "similarity": 1.0}],
    )
    [row] = export.rows_of_build(folder, created="2026-01-02")
    assert (row.id, row.metadata["cluster"], row.created) == ("final", "k", "2026-01-02")
    assert row.source == "constitution-corpus/documents"


def test_a_document_line_that_is_none_is_an_error_that_names_it(tmp_path: Path) -> None:
    folder = build(tmp_path, documents=[{"id": "x", "brief": "b1", "stream": "../up"}], reviews=[])
    with pytest.raises(InputError, match=r"documents\.jsonl, row 1: unknown stream '\.\./up'"):
        export.rows_of_build(folder)
    jsonl(tmp_path / "documents.jsonl", {"id": "x"})
    with pytest.raises(InputError, match="row 1: not a document"):
        export.rows_of_build(folder)


# rows from anywhere


def test_fields_without_a_column_are_kept_in_the_metadata(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "in.jsonl",
        {"id": "a", "text": "Words", "section": "s", "no_loss": [[0, 2], [2, 5]], "source": "web"},
        {"id": "b", "messages": [{"content": "Hi", "role": "user"}], "tools": [{"name": "t"}]},
    )
    first, second = export.rows_of_files([path])
    assert (first.metadata, first.no_loss, first.source) == (
        {"section": "s"}, ((0, 2), (2, 5)), "web",
    )  # fmt: skip
    assert (second.tools, list(second.messages[0])) == ('[{"name":"t"}]', ["role", "content"])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": "x"}, "'id' must be a string"),
        ({"id": 3.5, "text": "x"}, "'id' must be a string or a whole number, got 3.5"),
        ({"id": True, "text": "x"}, "'id' must be a string or a whole number, got True"),
        ({"id": "a\nb", "text": "x"}, "'id' must not be empty, and is one line"),
        ({"id": "", "text": "x"}, "'id' must not be empty"),
        ({"id": "a"}, "either 'text' or 'messages'"),
        ({"id": "a", "text": "x", "messages": []}, "either 'text' or 'messages'"),
        ({"id": "a", "text": ""}, "the text is empty"),
        ({"id": "a", "messages": [{"role": "usr", "content": "c"}]}, "did you mean 'user'"),
        ({"id": "a", "text": "\ud800"}, "UTF-8 cannot hold"),
        ({"id": "a", "text": "x", "metadata": {"n": float("nan")}}, "JSON in UTF-8 cannot hold"),
        ({"id": "a", "text": "x", "metadata": []}, "'metadata' must be an object"),
        ({"id": "a", "text": "x", "seed": 1, "metadata": {"seed": 2}}, "they differ"),
        ({"id": "a", "text": "x", "section": ["s"]}, "'section' must be a string or a number"),
        ({"id": "a", "text": "x", "tools": "[]"}, "'tools' belong to 'messages'"),
        ({"id": "a", "messages": [{"role": "user"}]}, "turn 1 must be {role, content}"),
        ({"id": "a", "messages": []}, "at least one"),
        ({"id": "a", "messages": [{"role": "user", "content": "c"}], "tools": "{"}, "JSON string"),
        ({"id": "a", "messages": [{"role": "user", "content": "c"}], "no_loss": []}, "'messages'"),
        ({"id": "a", "text": "abc", "no_loss": [[0, 4]]}, "within the text's 3"),
        ({"id": "a", "text": "abc", "no_loss": [[1, 2], [0, 1]]}, "after character 2"),
        ({"id": "a", "text": "abc", "no_loss": [[1, 1]]}, "not \\[start, end\\)"),
        ({"id": "a", "text": "abc", "no_loss": "0-1"}, "must be a list"),
        ({"id": "a", "text": "abc", "no_loss": [[False, True]]}, "must be two whole numbers"),
        ({"id": "a", "text": "abc", "no_loss": [[0, True]]}, "must be two whole numbers"),
    ],
)
def test_a_row_that_cannot_be_exported_is_refused_by_file_row_and_reason(
    tmp_path: Path, fields: dict[str, Any], words: str
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"id": "fine", "text": "x"}) + "\n" + json.dumps(fields) + "\n")
    with pytest.raises(InputError, match=rf"in\.jsonl, row 2: .*{words}"):
        written(tmp_path / "out", rows=export.rows_of_files([path]), formats=["jsonl"])
    assert contents(tmp_path / "out") == {}


def test_a_whole_number_is_an_id_and_any_column_names_a_config(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "in.jsonl", {"id": 3, "text": "x", "source": "web"})
    (row,) = export.rows_of_files([path], "source")
    assert (row.id, row.config) == ("3", "web")


def test_an_id_that_comes_twice_is_refused_with_both_places(tmp_path: Path) -> None:
    one = jsonl(tmp_path / "one.jsonl", {"id": "a", "text": "x"})
    two = jsonl(tmp_path / "two.jsonl", {"id": "a", "text": "y"})
    with pytest.raises(InputError, match=r"two\.jsonl, row 1.*one\.jsonl, row 1"):
        written(tmp_path / "out", rows=export.rows_of_files([one, two]), formats=["jsonl"])


# folders, manifests, verification


def test_shards_that_an_export_no_longer_has_are_removed(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "parquet" / "notes.txt").write_text("mine")
    written(tmp_path, shard_tokens=10_000)
    written(tmp_path / "fresh", shard_tokens=10_000)
    assert contents(tmp_path / "parquet").keys() - {"notes.txt"} == (
        contents(tmp_path / "fresh" / "parquet").keys()
    )


def test_a_folder_of_other_origin_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "parquet").mkdir()
    (tmp_path / "parquet" / "precious.parquet").write_text("mine")
    with pytest.raises(InputError, match="not of an earlier export"):
        written(tmp_path, formats=["parquet"])
    assert list(contents(tmp_path)) == ["parquet/precious.parquet"]


def test_a_refused_export_leaves_the_earlier_one_whole(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(InputError):
        written(tmp_path, rows=[])
    assert export.verify(tmp_path) == []


def test_an_export_after_an_interrupted_one_gives_the_same_bytes(tmp_path: Path) -> None:
    written(tmp_path / "a")
    written(tmp_path / "b", shard_tokens=100)
    (tmp_path / "b" / "manifest.json").rename(tmp_path / "b" / ".manifest.json.previous")
    (tmp_path / "b" / "jsonl" / "advice" / ".train-00000-of-00001.jsonl.77.tmp").write_text("half")
    written(tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_second_format_joins_the_first_where_the_rows_are_the_same(tmp_path: Path) -> None:
    written(tmp_path, formats=["parquet"])
    made = written(tmp_path, formats=["jsonl"])
    assert {shard["format"] for shard in made["shards"]} == {"parquet", "jsonl"}
    assert export.verify(tmp_path) == []
    made = written(tmp_path, formats=["jsonl"], seed=5, replace=True)
    assert {shard["format"] for shard in made["shards"]} == {"jsonl"}
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_build_keeps_the_rest_of_its_manifest(tmp_path: Path) -> None:
    store.write_json(tmp_path / "manifest.json", {"version": "9", "cost": {"paid": 3}})
    made = written(tmp_path / "shards", build=tmp_path)
    assert (made["version"], made["cost"]) == ("9", {"paid": 3})
    assert made["shards"][0]["file"].startswith("shards/")
    assert export.verify(tmp_path) == []


def test_a_manifest_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    store.write_json(tmp_path / "manifest.json", {"name": "a web app"})
    with pytest.raises(InputError, match="not a manifest of corpus"):
        written(tmp_path)
    assert list(contents(tmp_path)) == ["manifest.json"]


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [flipped, truncated, Path.unlink])
@pytest.mark.parametrize("name", FORMATS)
def test_verify_names_the_shard_that_is_damaged(
    tmp_path: Path, damage: Callable[[Path], None], name: str
) -> None:
    shards = written(tmp_path, formats=[name])["shards"]
    damage(tmp_path / shards[1]["file"])
    [problem] = export.verify(tmp_path)
    assert shards[1]["file"] in problem


@pytest.mark.parametrize("field", ["documents", "tokens"])
def test_verify_finds_a_wrong_count(tmp_path: Path, field: str) -> None:
    made = written(tmp_path)
    made["shards"][0][field] += 1
    store.write_json(tmp_path / "manifest.json", made)
    assert f"{field}, the manifest says" in export.verify(tmp_path)[0]


def test_verify_finds_a_text_that_was_changed_along_with_its_checksum(tmp_path: Path) -> None:
    made = written(tmp_path, formats=["jsonl"])
    path = tmp_path / made["shards"][0]["file"]
    path.write_text(path.read_text().replace("Document", "Mocument", 1))
    made["shards"][0]["sha256"] = formats.sha256(path)
    store.write_json(tmp_path / "manifest.json", made)
    assert any("text_sha256" in problem for problem in export.verify(tmp_path))


def test_verify_finds_shards_that_no_manifest_lists(tmp_path: Path) -> None:
    made = written(tmp_path)
    first = tmp_path / made["shards"][0]["file"]
    first.with_name("train-00007-of-00009.jsonl").write_bytes(first.read_bytes())
    assert "not in the manifest" in export.verify(tmp_path)[0]


def test_verify_misses_a_card(tmp_path: Path) -> None:
    written(tmp_path, formats=["jsonl"])
    (tmp_path / "jsonl" / "README.md").unlink()
    assert "the card is gone" in export.verify(tmp_path)[0]


def test_verify_says_when_the_tokenizer_is_another_one(tmp_path: Path) -> None:
    made = written(tmp_path)
    made["tokenizer"]["sha256"] = "0" * 64
    store.write_json(tmp_path / "manifest.json", made)
    assert "pass that one with --tokenizer" in export.verify(tmp_path)[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "export again"),
        ("{", "cannot be read"),
        ("[" * 200_000, "cannot be read"),
        ('{"version": "1", "shards": 5}', "no list of objects"),
        ('{"version": "1", "shards": [5]}', "no list of objects"),
        ('{"version": "1"}', "'tokenizer' is missing"),
        ('{"version": "1", "tokenizer": {"name": "gpt9"}, "shards": []}', "tokenizer 'gpt9'"),
    ],
)
def test_verify_says_what_is_wrong_with_a_manifest(
    tmp_path: Path, content: str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    [problem] = export.verify(tmp_path)
    assert words in problem


def test_the_order_of_a_shard_is_not_that_of_its_input(tmp_path: Path) -> None:
    made = written(tmp_path, formats=["jsonl"], shard_tokens=10_000)
    found = [row["id"] for row in store.read_rows(tmp_path / made["shards"][0]["file"])]
    assert found != sorted(found)
    assert Counter(name[0] for name in found) == {"t": len(found)}


def test_a_corpus_is_matched_to_anothers_tokens_with_whole_documents(tmp_path: Path) -> None:
    texts = [f"{n} " + "some words of a text " * (10 + n % 7) for n in range(400)]
    lines = [json.dumps({"id": f"d{n}", "text": text}) for n, text in enumerate(texts)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n")
    rows = export.rows_of_files([tmp_path / "in.jsonl"])
    options: Any = {"tokenizer": tokens.load("gpt2"), "formats": ["jsonl"]}
    fifteen = options | {"choice": export.Choice(match_tokens=15_000)}
    made = export.export(rows, tmp_path / "out", **fifteen)
    total = sum(split["tokens"] for one in made.splits.values() for split in one.values())
    assert abs(total - 15_000) <= 75
    assert export.export(rows, tmp_path / "again", **fifteen).text_sha256 == made.text_sha256
    with pytest.raises(InputError, match="build more"):
        export.export(rows, tmp_path / "more", **options, choice=export.Choice(match_tokens=10**6))
    with pytest.raises(InputError, match="match a larger number"):
        export.export(rows, tmp_path / "few", **options, choice=export.Choice(match_tokens=10))
