"""The build's folder: appending, repairing, replacing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import store
from corpus.errors import DiskError, InputError

ROWS = st.lists(st.fixed_dictionaries({"id": st.uuids().map(str), "text": st.text()}), max_size=8)


@given(rows=ROWS)
def test_rows_come_back_as_they_were_written(
    rows: list[store.Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    store.write_rows(path, rows)
    assert list(store.read_rows(path)) == rows


@given(rows=ROWS, cut=st.integers(0, 10_000))
def test_a_log_torn_at_any_byte_ends_as_an_unbroken_one(
    rows: list[store.Row], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    with store.Log(path) as log:
        log.append(rows)
    whole = path.read_bytes()
    path.write_bytes(whole[: min(cut, len(whole))])
    with store.Log(path) as log:
        log.append(rows)
    assert path.read_bytes() == whole


def test_a_log_says_nothing_twice_but_keeps_what_changed(tmp_path: Path) -> None:
    first = {"id": "a", "verdict": "accept", "reasons": ()}
    second = {"id": "a", "verdict": "reject", "reasons": ("short",)}
    with store.Log(tmp_path / "log.jsonl") as log:
        log.append([first])
        log.append([first, second])
    with store.Log(tmp_path / "log.jsonl") as log:
        log.append([second])
    verdicts = [row["verdict"] for row in store.read_rows(tmp_path / "log.jsonl")]
    assert verdicts == ["accept", "reject"]


def test_a_bad_line_is_named_by_file_and_number(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a"}\n[1]\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"rows\.jsonl, line 2"):
        list(store.read_rows(path))


def test_a_line_of_a_log_without_an_id_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"id": "a"}\n{"verdict": "accept"}\n')
    with pytest.raises(InputError, match=r"log.jsonl, row 2: has no 'id'"):
        store.Log(path)


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"id": "\xff"}\n')
    with pytest.raises(InputError, match="not UTF-8"):
        list(store.read_rows(path))


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    store.write_text(path, "old")
    with pytest.raises(KeyError), store.replacing(path) as file:
        file.write(b"half")
        raise KeyError
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


def test_a_folder_in_the_way_is_a_disk_error(tmp_path: Path) -> None:
    (tmp_path / "file.txt").mkdir()
    with pytest.raises(DiskError, match=r"file\.txt"):
        store.write_text(tmp_path / "file.txt", "new")
