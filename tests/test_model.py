"""The model door: the real SDK against a real server, and the journal between them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import BudgetReached, DiskError, InputError, Locked
from corpus.model import Model, Writer
from corpus.model.journal import Journal
from corpus.model.rehearsal import MODEL
from corpus.records import Request


def ask(number: int, **extra: Any) -> Request:
    turns = ({"role": "user", "content": f"Write about {number} words about rain."},)
    return Request("draft", MODEL, "You write.", turns, 500, **extra)


def at(address: str, **extra: Any) -> Writer:
    return Writer("claude", extra.pop("model", MODEL), address, "secret-canary", **extra)


def test_a_request_is_bought_once_over_two_runs(server: tuple[str, Path], tmp_path: Path) -> None:
    address, ledger = server
    before = len(ledger.read_text().splitlines())
    texts = []
    for _ in range(2):
        with Journal(tmp_path / "j.sqlite") as journal, Model(at(address), journal) as model:
            replies = {r.key: r for r in model.answer([ask(10), ask(20)])}
            texts.append({key: reply.text for key, reply in replies.items()})
            replayed = model.tally["draft"].replayed
    assert texts[0] == texts[1]
    assert replayed == 2
    assert len(ledger.read_text().splitlines()) == before + 2


def test_another_sample_of_a_request_is_another_reply(
    server: tuple[str, Path], tmp_path: Path
) -> None:
    with Journal(tmp_path / "j.sqlite") as journal, Model(at(server[0]), journal) as model:
        replies = list(model.answer([ask(10), ask(10, sample=1)]))
    assert len({reply.key for reply in replies}) == 2


def test_a_budget_is_never_passed_and_what_was_bought_stays(
    server: tuple[str, Path], tmp_path: Path
) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        one = Model(at(server[0]), journal).price.worst(ask(10))
        with Model(at(server[0]), journal, budget=3 * one) as model:
            with pytest.raises(BudgetReached, match="--budget"):
                list(model.answer([ask(10, sample=n) for n in range(200)]))
            paid, possibly, _ = journal.spent()
        assert 0 < paid <= 3 * one
        assert possibly == 0


def test_a_budget_over_an_unknown_price_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite") as journal, pytest.raises(InputError, match="not known"):
        Model(at("http://127.0.0.1:1", model="mystery"), journal, budget=1)


@pytest.mark.parametrize("address", ["http://example.org", "ftp://localhost", "nonsense"])
def test_a_key_goes_to_https_or_this_machine_only(address: str, tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite") as journal, pytest.raises(InputError, match="--base-url"):
        Model(at(address), journal)


def test_the_key_is_in_no_file(server: tuple[str, Path], tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite") as journal, Model(at(server[0]), journal) as model:
        list(model.answer([ask(10)]))
        assert "secret-canary" not in repr(model.writer)
    for file in tmp_path.iterdir():
        assert b"secret-canary" not in file.read_bytes()


def test_a_second_holder_of_a_journal_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text('{"pid": 77, "state": "running", "host": "here"}\n')
    with Journal(tmp_path / "j.sqlite"), pytest.raises(Locked, match="pid 77 on here"):
        Journal(tmp_path / "j.sqlite")


def test_a_newer_journal_is_refused_untouched(tmp_path: Path) -> None:
    Journal(tmp_path / "j.sqlite").close()
    with sqlite3.connect(tmp_path / "j.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(InputError, match="newer version"):
        Journal(tmp_path / "j.sqlite")


def test_a_damaged_reply_is_found_when_it_is_read(tmp_path: Path) -> None:
    request = ask(10)
    with Journal(tmp_path / "j.sqlite") as journal:
        number = journal.intend(request, 0).result()
        journal.keep(number, request.key, "body", request_id="", cost=0).result()
        journal.submit(lambda c: c.execute("UPDATE result SET body = 'bodx'")).result()
        with pytest.raises(DiskError, match="damaged"):
            list(journal.replies([request.key]))


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j.sqlite").write_bytes(b"not a database at all, by any means" * 100)
    with pytest.raises(DiskError, match="not a database"):
        Journal(tmp_path / "j.sqlite")
