"""The command on files: what it is held against, the index that it keeps, what it refuses."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spacy

from corpus.dedup import Options, dedup_files
from corpus.dedup.files import _Rows
from corpus.dedup.sources import Spool
from corpus.errors import InputError
from corpus.store import read_rows, write_rows

WORDS = [a + b for a in "ba de fo gi ku la me no".split() for b in "rst lim nox vane".split()]


def prose(seed: int, count: int = 90) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=count))


@pytest.fixture
def here(tmp_path: Path) -> Path:
    write_rows(tmp_path / "a.jsonl", [{"id": f"a{n}", "text": prose(n)} for n in range(6)])
    write_rows(tmp_path / "b.jsonl", [{"id": f"b{n}", "text": prose(n)} for n in range(4, 9)])
    return tmp_path


def run(here: Path, *files: str, **options: Any) -> dict[str, Any]:
    paths = [here / name for name in files]
    return dedup_files(paths, here / "out", Options(**options))


def gone(here: Path) -> list[tuple[str, str, str]]:
    rows = read_rows(here / "out" / "duplicates.jsonl")
    return [(row["id"], row["original"], row["method"]) for row in rows]


def kept(here: Path) -> list[str]:
    return [row["id"] for row in read_rows(here / "out" / "kept.jsonl")]


def test_lines_that_stay_are_copied_byte_for_byte(here: Path) -> None:
    odd = (
        '{"id":  1,\r"text":"One \\u00e9\\ud800 of its kind.","x":1e400}\r\n\n{"text":"é","id":"2"}'
    )
    (here / "odd.jsonl").write_bytes(b"\xef\xbb\xbf" + odd.encode())
    run(here, "odd.jsonl")
    expected = odd.replace("\r\n\n", "\n") + "\n"
    assert (here / "out" / "kept.jsonl").read_bytes() == expected.encode()


def test_what_another_corpus_holds_is_dropped_and_named(here: Path) -> None:
    found = run(here, "a.jsonl", against=[here / "b.jsonl"])
    assert gone(here) == [
        ("a4", "b.jsonl#b4", "against-exact"),
        ("a5", "b.jsonl#b5", "against-exact"),
    ]
    assert (found["compared_with"], found["kept"], found["methods"]["against-exact"]) == (5, 4, 2)
    assert kept(here) == ["a0", "a1", "a2", "a3"]


def test_an_evaluation_set_may_be_parquet_and_without_ids(here: Path) -> None:
    chat = [[{"role": "user", "content": prose(2)}], [{"role": "user", "content": "Hello."}]]
    pq.write_table(pa.table({"messages": chat}), here / "test.parquet")
    run(here, "a.jsonl", against=[here / "test.parquet"])
    assert gone(here) == [("a2", "test.parquet#1", "against-exact")]


def test_an_index_remembers_what_was_kept(here: Path) -> None:
    run(here, "a.jsonl", index=here / "index")
    found = run(here, "b.jsonl", index=here / "index")
    assert gone(here) == [("b4", "a4", "against-exact"), ("b5", "a5", "against-exact")]
    assert found["compared_with"] == 6
    write_rows(here / "c.jsonl", [{"id": "c", "text": prose(8) + " and a little more"}])
    run(here, "c.jsonl", index=here / "index")
    assert gone(here) == [("c", "b8", "against-minhash")]


def test_the_same_run_over_the_same_index_says_the_same(here: Path) -> None:
    run(here, "b.jsonl", index=here / "index")
    first = run(here, "a.jsonl", index=here / "index")
    before = gone(here)
    again = run(here, "a.jsonl", index=here / "index")
    assert before == gone(here)
    assert first["kept"] == again["kept"] == 4
    assert len(list((here / "index").glob("0*"))) == 2


def test_an_index_knows_stories_by_their_plot(here: Path) -> None:
    story = (
        "Then {0} came, and {0} saw that {1} had left the lamp by the {2} for all of us to find."
    )
    for name, people in (("one", ("Rosa", "Li")), ("two", ("Omar", "Ingrid Holm"))):
        text = story.format(*people, "wall") + " So, {0} said, and {1}, {1} again.".format(*people)
        write_rows(here / f"{name}.jsonl", [{"id": name, "text": text}])
        run(here, f"{name}.jsonl", index=here / "index")
    assert gone(here) == [("two", "one", "against-minhash-masked")]


def test_exact_and_bands_agree_on_files(here: Path) -> None:
    run(here, "a.jsonl", "b.jsonl")
    before = gone(here)
    found = run(here, "a.jsonl", "b.jsonl", exact=True)
    assert before == gone(here) == [("b4", "a4", "exact"), ("b5", "a5", "exact")]
    assert (found["bands"], found["predicted_recall"]) == (0, 1.0)


def test_names_without_capitals_are_found_by_a_pipeline_of_the_user_s(here: Path) -> None:
    pipeline = spacy.blank("en")
    people = [{"label": "PERSON", "pattern": name} for name in ("rosa", "omar")]
    pipeline.add_pipe("entity_ruler").add_patterns(people)
    pipeline.to_disk(here / "finder")
    tale = (
        "then {0} went to the harbour and {0} mended the nets while {0} sang until the boats came"
    )
    write_rows(here / "t.jsonl", [{"id": n, "text": tale.format(n)} for n in ("rosa", "omar")])
    assert run(here, "t.jsonl")["duplicates"] == 0
    run(here, "t.jsonl", ner=str(here / "finder"))
    assert gone(here) == [("rosa", "omar", "minhash-masked")]


@pytest.mark.parametrize("name", ["texts", "signatures", "ids.json", "starts", "hidden", "names"])
def test_a_damaged_index_is_refused_and_nothing_is_written(here: Path, name: str) -> None:
    run(here, "a.jsonl", index=here / "index")
    path = here / "index" / "000001" / name
    data = bytearray(path.read_bytes() or b"-")
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=rf"000001/{name}: damaged"):
        dedup_files([here / "b.jsonl"], here / "other", Options(index=here / "index"))
    assert not (here / "other").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: found["made_with"].update(shingle=3), "made with shingle 3, and this is 5"),
        (lambda found: found["made_with"].update(unicode="3.2.0"), "made with unicode '3.2.0'"),
        (lambda found: found["made_with"].update(words=1), "made with words 1, and this is 2"),
        (lambda found: found.pop("segments"), "no index, or a damaged one"),
    ],
)
def test_an_index_that_does_not_fit_is_refused(here: Path, change: Any, message: str) -> None:
    run(here, "a.jsonl", index=here / "index")
    path = here / "index" / "index.json"
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))
    with pytest.raises(InputError, match=message):
        run(here, "b.jsonl", index=here / "index")


def test_an_index_left_half_written_by_a_crash_is_written_again(here: Path) -> None:
    run(here, "a.jsonl", index=here / "index")
    (here / "index" / "000002").mkdir()
    (here / "index" / "000002" / "texts").write_bytes(b"half")
    run(here, "b.jsonl", index=here / "index")
    assert run(here, "b.jsonl", index=here / "index")["duplicates"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"against": [Path("gone.jsonl")]}, "gone.jsonl: cannot be read"),
        ({"against": [Path("bad.parquet")]}, "--against bad.parquet: cannot be read as Parquet"),
        ({"ner": "no_such_pipeline"}, "spaCy pipeline 'no_such_pipeline': not installed here"),
        ({"index": Path("a.jsonl")}, "a.jsonl: no index, or a damaged one"),
        ({"threshold": 0.0}, "threshold 0.0: must be over 0"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(
    here: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(here)
    (here / "bad.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError) as stop:
        run(here, "a.jsonl", **options)
    assert message in str(stop.value)
    assert "\n" not in str(stop.value)
    assert not (here / "out").exists()


def test_a_file_that_is_written_to_after_it_was_read_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows(path, [{"id": "a", "text": "one two three four five"}])
    rows = _Rows([path])
    with Spool(tmp_path) as spool:
        rows.read(spool)
    assert [json.loads(line)["id"] for line in rows.kept(())] == ["a"]
    write_rows(path, [{"id": "a", "text": "another text, and a longer one"}])
    with pytest.raises(InputError, match="has changed while it was read"):
        list(rows.kept(()))
