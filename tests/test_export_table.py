"""What is remembered of rows: columns that wait on disk and come back as they were."""

import contextlib
import io
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import DiskError
from corpus.export import table
from corpus.export.table import Table
from corpus.export.tokenized import TokenFile

ROWS = st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(-5, 5), st.integers(0, 255)))
IDS = st.lists(st.lists(st.integers(0, 60_000), min_size=1, max_size=5), max_size=30)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "BLOCK", 4)


@given(ROWS)
def test_columns_come_back_as_they_were_given(rows: list[tuple[int, int, int]]) -> None:
    found = Table({"wide": "Q", "signed": "i", "narrow": "B"})
    for number, row in enumerate(rows):
        found.add(*row)
        assert len(found) == number + 1
        assert found.column("signed").tolist() == [row[1] for row in rows[: number + 1]]
    for place, name in enumerate(("wide", "signed", "narrow")):
        assert found.column(name).tolist() == [row[place] for row in rows]
    found.clear()
    found.add(7, -1, 2)
    assert [found.column(name).tolist() for name in ("wide", "signed", "narrow")] == [
        [7],
        [-1],
        [2],
    ]
    found.close()


@given(IDS, st.sampled_from([50_257, 70_000]), st.data())
def test_ids_and_flags_come_back_in_any_order(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[int]],
    vocabulary: int,
    data: st.DataObject,
) -> None:
    masked = data.draw(st.sets(st.sampled_from(range(len(rows) + 1))))
    order = data.draw(st.permutations(range(len(rows))))
    flags = [[i % 2 == 0 for i in row] if n in masked else None for n, row in enumerate(rows)]
    with contextlib.closing(TokenFile(tmp_path_factory.getbasetemp(), vocabulary)) as kept:
        for row, loss in zip(rows, flags, strict=True):
            kept.add(np.array(row, np.uint32), None if loss is None else np.array(loss, np.bool_))
        for number in order:
            ids, loss = kept.get(number)
            assert (ids.tolist(), ids.dtype) == (rows[number], np.uint32)
            assert (None if loss is None else loss.tolist()) == flags[number]


def test_a_disk_that_takes_nothing_is_said(tmp_path: Path) -> None:
    found = Table({"one": "B"}, tmp_path / "none")
    with pytest.raises(DiskError, match="none: cannot be written"):
        for number in range(5):
            found.add(number)


class Sparing(io.FileIO):
    """A file that takes and gives three bytes at a time, as a system may."""

    def write(self, data: Any) -> int:
        return super().write(memoryview(data)[:3])

    def readinto(self, data: Any) -> int:
        return super().readinto(memoryview(data)[:3])


def test_a_file_that_takes_and_gives_less_than_it_is_asked_for_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Sparing(tmp_path / "rows", "w+"))
    found = Table({"wide": "Q", "narrow": "B"})
    for number in range(9):
        found.add(number << 40, number)
    assert found.column("wide").tolist() == [number << 40 for number in range(9)]
    assert found.column("narrow").tolist() == list(range(9))
    os.truncate(tmp_path / "rows", 40)
    with pytest.raises(DiskError, match="cannot be read back"):
        found.column("narrow")
    found.close()


def test_ids_may_be_put_after_others_were_looked_at(tmp_path: Path) -> None:
    rows = [[n, n + 1, n + 2] for n in range(0, 60, 3)]
    with contextlib.closing(TokenFile(tmp_path, 50_257)) as kept:
        for number, row in enumerate(rows):
            kept.add(np.array(row, np.uint32), np.array([n % 2 == 0 for n in row], np.bool_))
            assert kept.get(number // 2)[0].tolist() == rows[number // 2]
        for number, row in enumerate(rows):
            ids, loss = kept.get(number)
            assert ids.tolist() == row
            assert loss is not None
            assert loss.tolist() == [n % 2 == 0 for n in row]
