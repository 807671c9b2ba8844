"""The journal: what it promises about crashes, damage, versions and room on the disk."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import DiskError, InputError, Locked
from corpus.model import Model, Writer, batchlog
from corpus.model.batchlog import Row
from corpus.model.journal import Journal
from corpus.model.salvage import salvage
from corpus.model.schema import FIRST, VERSION
from corpus.records import Request


def ask(number: int) -> Request:
    return Request("draft", "m", "", ({"role": "user", "content": f"text {number}"},), 10)


def answered(path: Path, count: int, more: str = "") -> list[Request]:
    """A closed journal with ``count`` replies, ``more`` in each."""
    requests = [ask(number) for number in range(count)]
    with Journal(path) as journal:
        for number, request in enumerate(requests):
            attempt = journal.intend(request, 7).result()
            body = f"body {number}{more}"
            journal.keep(attempt, request.key, body, request_id="", cost=3).result()
    return requests


def damage(path: Path, statement: str, *values: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


def test_a_journal_of_the_first_version_is_brought_forward_with_its_replies(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    old = sqlite3.connect(path)
    old.executescript(FIRST + "PRAGMA user_version = 1;")
    old.execute("INSERT INTO item VALUES ('k', 'draft', '{}')")
    old.execute("INSERT INTO attempt (id, key, state, cost) VALUES (1, 'k', 'ok', 5)")
    digest = "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5"
    old.execute("INSERT INTO result VALUES ('k', 1, 'body', ?)", (digest,))
    old.commit()
    old.close()
    with Journal(path) as journal:
        assert [kept.body for kept in journal.replies(["k"])] == ["body"]
        assert journal.spent().paid == 5
        assert batchlog.under_way(journal) == []


def test_a_journal_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    answered(path, 1)
    damage(path, f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(InputError, match="newer version"):
        Journal(path)
    assert path.read_bytes() == before


def test_a_call_cut_off_by_a_crash_counts_as_possibly_paid_in_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        journal.intend(ask(1), 900).result()
    with Journal(path) as journal:
        assert journal.spent() == (0, 900, 0)
        assert journal.accounts()["unknown"][0]["detail"].startswith("the process ended")


def test_a_batch_cut_off_by_a_crash_keeps_its_money_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        batchlog.intend(journal, "n1", [ask(1), ask(2)], [10, 20], 0.0)
    with Journal(path) as journal:
        assert journal.spent() == (0, 0, 30)
        assert [batch.nonce for batch in batchlog.under_way(journal)] == ["n1"]


@pytest.mark.parametrize(
    "lost",
    [
        "DELETE FROM batch",
        "DELETE FROM batch_item WHERE place = 1",
        "UPDATE batch_item SET attempt = 3 - attempt",
    ],
)
def test_a_batch_that_damage_took_or_changed_is_named_before_anything_is_asked(
    lost: str, tmp_path: Path
) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        batchlog.intend(journal, "n1", [ask(1), ask(2)], [5, 5], 0.0)
        batchlog.check(journal)
    damage(path, lost)
    with Journal(path) as journal, pytest.raises(DiskError, match="corpus salvage"):
        Model(Writer("claude", "claude-haiku-5-5", "http://127.0.0.1:9", "k"), journal)


def test_of_two_bodies_for_one_row_the_first_is_used_and_the_second_is_kept(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        batchlog.intend(journal, "n1", [ask(1)], [10], 0.0)
        (attempt, key, _) = batchlog.attempts(journal, "n1", [0])[0]
        for body in ("first", "first", "second"):
            batchlog.settle(journal, [Row(attempt, "ok", body=body, cost=1)])
        assert [kept.body for kept in journal.replies([key])] == ["first"]
        assert journal.accounts()["events"] == {"row_surplus": 1}
        assert journal.spent().paid == 1


@pytest.mark.parametrize(
    "statement",
    ["UPDATE result SET body = 'x' || body", "DELETE FROM result", "UPDATE result SET key = 'x'"],
)
def test_a_reply_that_is_not_as_it_was_written_is_never_used(
    tmp_path: Path, statement: str
) -> None:
    path = tmp_path / "journal.sqlite"
    (request,) = answered(path, 1)
    damage(path, statement)
    with Journal(path) as journal, pytest.raises(DiskError, match="corpus salvage"):
        list(journal.replies([request.key]))


def test_salvage_keeps_whole_replies_and_sets_the_damaged_file_aside(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    requests = answered(path, 5)
    damage(path, "UPDATE result SET body = 'other' WHERE key = ?", requests[2].key)
    found = salvage(path)
    assert (found.saved, found.damaged) == (4, 1)
    assert found.aside.exists()
    with Journal(path) as journal:
        saved = {kept.key for kept in journal.replies([request.key for request in requests])}
        assert saved == {request.key for request in requests} - {requests[2].key}
        assert journal.spent().paid == 15  # the lost one was paid for, too


@pytest.mark.parametrize("left", [0.99, 0.8, 0.75, 0.5, 0.3])
def test_salvage_reads_what_is_left_of_a_truncated_journal(left: float, tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    requests = answered(path, 60, more="x" * 3000)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(left * len(whole))])
    saved = salvage(path).saved
    assert saved >= (left**2 - 0.1) * 60  # a row stands on two pages
    with Journal(path) as journal:
        assert len(list(journal.replies([one.key for one in requests]))) == saved


def test_salvage_finds_the_replies_behind_a_page_that_no_query_can_pass(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    requests = answered(path, 60, more="x" * 3000)
    with contextlib.closing(sqlite3.connect(path)) as old:
        (root,) = old.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'result'").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(bytes(4096))
    saved = salvage(path).saved
    assert 50 <= saved < 60  # some stood on that page
    with Journal(path) as journal:
        found = {kept.key: kept.body for kept in journal.replies([one.key for one in requests])}
    assert all(found[key].startswith("body ") for key in found)
    assert len(found) == saved


def test_salvage_does_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    answered(path, 20, more="x" * 3000)
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
    assert salvage(path).saved == 20


def test_salvage_finds_what_only_the_log_holds(tmp_path: Path) -> None:
    path, copy = tmp_path / "journal.sqlite", tmp_path / "copy" / "journal.sqlite"
    copy.parent.mkdir()
    with Journal(path) as journal:
        for number in range(20):
            attempt = journal.intend(ask(number), 7).result()
            body = f"body {number}" + "x" * 3000
            journal.keep(attempt, ask(number).key, body, request_id="", cost=3).result()
        log = bytearray(path.with_name(path.name + "-wal").read_bytes())
    log[:32] = bytes(32)  # without its header SQLite reads none of it
    copy.write_bytes(b"")
    copy.with_name(copy.name + "-wal").write_bytes(log)
    assert salvage(copy).saved == 20


def test_salvage_leaves_a_journal_alone_that_a_build_holds(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    answered(path, 2)
    with Journal(path), pytest.raises(Locked, match="a build holds it"):
        salvage(path)
    assert salvage(path).saved == 2


def test_nothing_is_sent_when_the_disk_could_not_hold_the_reply(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        with pytest.raises(DiskError, match="bytes free"):
            journal.check_room(2**60)
        assert journal.attempts() == 0


@given(st.lists(st.binary(min_size=1, max_size=400), min_size=1, max_size=4), st.data())
def test_any_damage_is_detected_or_harmless(pieces: list[bytes], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        requests = answered(path, 6)
        raw = bytearray(path.read_bytes())
        for piece in pieces:
            at = data.draw(st.integers(0, len(raw) - len(piece)))
            raw[at : at + len(piece)] = piece
        path.write_bytes(raw)
        try:
            with Journal(path) as journal:
                bodies = {
                    kept.key: kept.body for kept in journal.replies([r.key for r in requests])
                }
                attempts = journal.attempts()
        except (DiskError, InputError):
            return
        assert attempts < 6 or bodies == {r.key: f"body {n}" for n, r in enumerate(requests)}
