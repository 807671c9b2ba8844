"""The model door: the real SDK against a real server, and the journal between them."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import BudgetReached, DiskError, InputError, Interrupted, Locked, ProviderStopped
from corpus.model import Model, Writer
from corpus.model.journal import Journal
from corpus.model.rehearsal import MODEL, answer
from corpus.records import Request

Script = Callable[[int, dict[str, Any]], tuple[int, dict[str, str], bytes]]


def ask(number: int, **extra: Any) -> Request:
    turns = ({"role": "user", "content": f"Write about {number} words about rain."},)
    return Request("draft", MODEL, "You write.", turns, 500, **extra)


def at(address: str, **extra: Any) -> Writer:
    return Writer("claude", extra.pop("model", MODEL), address, "secret-canary", **extra)


@contextmanager
def scripted(script: Script) -> Iterator[tuple[str, list[int]]]:
    """A server that answers request number n as ``script`` says; the list counts requests."""
    seen: list[int] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                seen.append(len(seen) + 1)
                number = len(seen)
            status, headers, data = script(number, body)
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()


def good(body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    headers = {"content-type": "application/json", "request-id": "req_1"}
    return 200, headers, json.dumps(answer(body)).encode()


def bad(status: int, message: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    error = {"type": "error", "error": {"type": "some_error", "message": message}}
    return status, {"content-type": "application/json", **headers}, json.dumps(error).encode()


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


def test_what_the_server_refuses_before_work_is_tried_again(tmp_path: Path) -> None:
    def script(number: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        return bad(429, "slow down", **{"retry-after": "0"}) if number < 3 else good(body)

    with scripted(script) as (address, seen), Journal(tmp_path / "j.sqlite") as journal:
        with Model(at(address), journal) as model:
            reply = next(iter(model.answer([ask(10)])))
        states = [row[0] for row in journal.submit(_states).result()]
    assert reply.stop == "end_turn"
    assert len(seen) == 3
    assert states == ["error", "error", "ok"]


def test_a_reply_that_was_cut_off_is_asked_for_once_more_only(tmp_path: Path) -> None:
    with (
        scripted(lambda *_: (0, {}, b"")) as (address, seen),
        Journal(tmp_path / "j.sqlite") as journal,
        Model(at(address), journal) as model,
    ):
        with pytest.raises(Interrupted, match="run the same command again"):
            list(model.answer([ask(10)]))
        states = [row[0] for row in journal.submit(_states).result()]
        assert journal.spent() == (0, 2 * model.price.worst(ask(10)))
    assert len(seen) == 2
    assert states == ["unknown", "unknown"]


@pytest.mark.parametrize(
    ("status", "message"),
    [(401, "invalid x-api-key"), (402, "payment"), (400, "You have reached your spend limit")],
)
def test_key_credit_and_spend_limit_stop_the_run(status: int, message: str, tmp_path: Path) -> None:
    with (
        scripted(lambda *_: bad(status, message)) as (address, seen),
        Journal(tmp_path / "j.sqlite") as journal,
        Model(at(address, concurrency=1), journal) as model,
    ):
        with pytest.raises(ProviderStopped, match=message):
            list(model.answer([ask(n) for n in range(10, 15)]))
        assert journal.submit(_states).result() == [("refused",)]
    assert len(seen) == 1


def test_a_long_pause_stops_the_run_to_be_resumed(tmp_path: Path) -> None:
    with (
        scripted(lambda *_: bad(429, "later", **{"retry-after": "7200"})) as (address, seen),
        Journal(tmp_path / "j.sqlite") as journal,
        Model(at(address), journal) as model,
    ):
        with pytest.raises(Interrupted, match="7200 s"):
            list(model.answer([ask(10)]))
        assert journal.spent() == (0, 0)
    assert len(seen) == 1


def test_a_request_that_the_server_finds_invalid_ends_alone(tmp_path: Path) -> None:
    def script(_: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        wrong = "10 words" in body["messages"][0]["content"]
        return bad(400, "messages: too long") if wrong else good(body)

    with (
        scripted(script) as (address, _),
        Journal(tmp_path / "j.sqlite") as journal,
        Model(at(address), journal) as model,
    ):
        stops = sorted(reply.stop for reply in model.answer([ask(10), ask(20)]))
    assert stops == ["end_turn", "error_400"]


@pytest.mark.parametrize("body", [b"<html>log in</html>", b'{"content": null}', b'{"trunc'])
def test_a_body_that_is_no_message_is_kept_and_called_unreadable(
    body: bytes, tmp_path: Path
) -> None:
    headers = {"content-type": "application/json"}
    with (
        scripted(lambda *_: (200, headers, body)) as (address, _),
        Journal(tmp_path / "j.sqlite") as journal,
        Model(at(address), journal) as model,
    ):
        reply = next(iter(model.answer([ask(10)])))
        assert journal.replies([ask(10).key]) == {ask(10).key: body.decode()}
    assert (reply.stop, reply.cost) == ("unreadable", None)


def test_a_budget_is_never_passed_and_what_was_bought_stays(
    server: tuple[str, Path], tmp_path: Path
) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        one = Model(at(server[0]), journal).price.worst(ask(10))
        with Model(at(server[0]), journal, budget=3 * one) as model:
            with pytest.raises(BudgetReached, match="--budget"):
                list(model.answer([ask(10, sample=n) for n in range(200)]))
            paid, possibly = journal.spent()
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
    (tmp_path / "status.json").write_text('{"pid": 77, "host": "here"}\n')
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
            journal.replies([request.key])


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j.sqlite").write_bytes(b"not a database at all, by any means" * 100)
    with pytest.raises(DiskError, match="not a journal"):
        Journal(tmp_path / "j.sqlite")


def _states(connection: sqlite3.Connection) -> list[tuple[str]]:
    return connection.execute("SELECT state FROM attempt ORDER BY id").fetchall()
