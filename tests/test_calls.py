"""Direct calls: the real SDK against a server that breaks what can be broken.

Each test names the row of the fault matrix that it covers.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest

from corpus.errors import BudgetReached, CorpusError, Interrupted, ProviderStopped
from corpus.model import Writer
from corpus.model.direct import Direct
from corpus.model.failures import Failure, failure_of, pause_of
from corpus.model.journal import Journal
from corpus.model.limiter import Ticket
from corpus.model.patience import Breaker, Patience
from corpus.model.prices import Purse, price_of
from corpus.records import Reply, Request
from servers import Script, Seen, bad, cut, good, hang, http, message, reset, scripted

MODEL = "claude-haiku-5-5"
KEY = "sk-canary-0123456789abcdef"
QUICK = Patience(backoff=0.001, longest=0.002, drain=5.0)
PRICE = price_of(MODEL, {})


def ask(number: int = 0, system: str = "You write.") -> Request:
    turns = ({"role": "user", "content": f"Write about rain, in way {number}."},)
    return Request("draft", MODEL, system, turns, 500)


class Door:
    """A direct door over a scripted server, with all that a test asks about it."""

    def __init__(self, direct: Direct, journal: Journal, purse: Purse, seen: Seen) -> None:
        self.direct, self.journal, self.purse, self.seen = direct, journal, purse, seen

    def ask(self, *requests: Request) -> list[Reply]:
        return [reply for _, reply in self.direct.answer(list(requests or [ask()]))]

    def states(self) -> list[str]:
        query = "SELECT state FROM attempt ORDER BY id"
        return [
            row[0] for row in self.journal.submit(lambda c: c.execute(query).fetchall()).result()
        ]

    def details(self) -> list[str]:
        query = "SELECT detail FROM attempt ORDER BY id"
        return [
            row[0] for row in self.journal.submit(lambda c: c.execute(query).fetchall()).result()
        ]


@contextmanager
def door(
    script: Script,
    folder: Path,
    patience: Patience = QUICK,
    budget: int | None = None,
    **writer: Any,
) -> Iterator[Door]:
    purse = Purse(budget)
    with scripted(script) as (address, seen), Journal(folder / "j.sqlite") as journal:
        direct = Direct(
            Writer("claude", MODEL, address, KEY, **writer), journal, PRICE, purse, patience
        )
        try:
            yield Door(direct, journal, purse, seen)
        finally:
            direct.close()


def then_good(*first: Any) -> Script:
    """What the first requests meet; all later ones are answered."""
    return lambda number, _: first[number - 1] if number <= len(first) else good()


WORST = PRICE.worst(ask()) if PRICE else 0


# Rows 1 to 5: the server refuses, for now or for good.


def test_row_1_a_429_is_no_attempt_and_its_pause_holds_for_all(tmp_path: Path) -> None:
    refusals = [bad(429, retry_after="0.01")] * 5
    with door(then_good(*refusals), tmp_path, Patience(free=2), concurrency=1) as it:
        assert [reply.stop for reply in it.ask(ask(1), ask(2))] == ["end_turn"] * 2
        assert it.states() == ["error"] * 5 + ["ok"] * 2
        assert it.journal.accounts()["events"]["rate_limited"] >= 1


def test_row_2_a_pause_of_hours_ends_the_run_and_says_until_when(tmp_path: Path) -> None:
    with door(lambda *_: bad(429, retry_after="7200"), tmp_path) as it:
        with pytest.raises(Interrupted, match=r"7200 s, until \d{4}-\d\d-\d\d \d\d:\d\d"):
            it.ask()
        assert (len(it.seen), it.purse.spent) == (1, 0)


@pytest.mark.parametrize(
    "answer",
    [
        bad(429, "spend", code="enforced_spend_limit_reached"),
        bad(429, "spend", code="contract_spend_limit_reached"),
        bad(402, "pay", "billing_error"),
        bad(400, "You have reached your specified spend limit", "invalid_request_error"),
        bad(400, "Your credit balance is too low", "invalid_request_error"),
        bad(401, "invalid x-api-key", "authentication_error"),
        bad(403, "not allowed", "permission_error"),
    ],
)
def test_row_3_what_money_or_keys_forbid_ends_the_run_at_once(
    answer: bytes, tmp_path: Path
) -> None:
    with door(lambda *_: answer, tmp_path, concurrency=1) as it:
        with pytest.raises(ProviderStopped, match="check the key"):
            it.ask(*(ask(n) for n in range(5)))
        assert (len(it.seen), it.states(), it.purse.spent) == (1, ["refused"], 0)


@pytest.mark.parametrize("status", [500, 503, 529])
def test_row_4_a_loaded_server_is_asked_again_at_no_cost(status: int, tmp_path: Path) -> None:
    with door(then_good(bad(status), bad(status)), tmp_path) as it:
        assert [reply.stop for reply in it.ask()] == ["end_turn"]
        assert it.states() == ["error", "error", "ok"]


def test_row_4_a_timeout_at_the_server_may_have_been_paid_for(tmp_path: Path) -> None:
    with door(then_good(bad(504, kind="timeout_error"), http(502, b"<html>")), tmp_path) as it:
        assert [reply.stop for reply in it.ask()] == ["error_unknown"]
        assert (it.states(), it.purse.spent) == (["unknown"] * 2, 2 * WORST)


def test_row_4_a_server_that_stays_down_ends_the_run(tmp_path: Path) -> None:
    with door(lambda *_: bad(529, "overloaded"), tmp_path) as it:
        with pytest.raises(Interrupted, match=r"does not answer.*overloaded"):
            it.ask()
        assert set(it.states()) == {"error"}
        assert len(it.seen) == QUICK.free


def test_row_4_nobody_at_the_address_costs_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        writer, purse = Writer("claude", MODEL, "http://127.0.0.1:9", KEY), Purse(None)
        direct = Direct(writer, journal, PRICE, purse, QUICK)
        with pytest.raises(Interrupted, match="ConnectError"):
            list(direct.answer([ask()]))
        direct.close()
        assert journal.spent().possibly == purse.spent == 0


@pytest.mark.parametrize(("status", "error"), [(529, None), (500, None), (429, Interrupted)])
def test_row_5_x_should_retry_false_is_obeyed(
    status: int, error: type[CorpusError] | None, tmp_path: Path
) -> None:
    with door(lambda *_: bad(status, x_should_retry="false"), tmp_path) as it:
        if error is None:
            assert [reply.stop for reply in it.ask()] == [f"error_{status}"]
        else:
            with pytest.raises(error, match="waiting does not help"):
                it.ask()
        assert len(it.seen) == 1


# Rows 6 to 8: the line breaks after the request was sent.

FAULTS = {
    "cut before an answer": cut(),
    "reset before an answer": reset(),
    "reset within the head": reset(b"HTTP/1.1 200 OK\r\ncontent-"),
    "cut within the body": cut(good()[:-20]),
    "reset within the body": reset(good()[:-20]),
    "cut chunks": cut(b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"con\r\n'),
    "half a message": http(200, b'{"type": "message", "content": [{"te'),
    "a page for people": http(200, b"<html>log in</html>", content_type="text/html"),
    "no gzip": http(200, b"garbage", content_encoding="gzip"),
    "half a gzip": http(200, gzip.compress(b"x" * 999)[:20], content_encoding="gzip"),
    "nothing": http(200, b""),
    "another object": http(200, b'{"ok": true}'),
    "an event stream, cut": http(
        200, b'event: message_start\ndata: {"type": "mess', content_type="text/event-stream"
    ),
    "an event of an error": http(
        200, b'event: error\ndata: {"type": "error"}\n\n', content_type="text/event-stream"
    ),
    "not HTTP": cut(b"SSH-2.0-OpenSSH\r\n"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_rows_6_and_8_a_reply_lost_on_the_way_is_asked_for_once_more(
    fault: Any, tmp_path: Path
) -> None:
    with door(then_good(fault), tmp_path) as it:
        assert [reply.stop for reply in it.ask()] == ["end_turn"]
        assert it.states() == ["unknown", "ok"]
        assert it.journal.spent().possibly == WORST


def test_row_6_what_is_lost_twice_is_given_up_and_the_others_go_on(tmp_path: Path) -> None:
    def script(_: int, body: dict[str, Any]) -> Any:
        return cut() if "way 1" in body["messages"][0]["content"] else good()

    with door(script, tmp_path, concurrency=1) as it:
        stops = {
            request.key: reply.stop
            for request, reply in it.direct.answer([ask(n) for n in range(4)])
        }
        assert stops.pop(ask(1).key) == "error_unknown"
        assert set(stops.values()) == {"end_turn"}
        assert it.journal.spent().possibly == 2 * WORST


def test_row_6_a_line_that_stays_broken_ends_the_run(tmp_path: Path) -> None:
    with door(lambda *_: cut(), tmp_path) as it:
        with pytest.raises(Interrupted, match="run the same command again"):
            it.ask(*(ask(n) for n in range(50)))
        assert len(it.seen) <= 2 * 8 + QUICK.cuts


@pytest.mark.parametrize("start", [b"", good()])
def test_row_7_a_call_ends_at_its_deadline_however_the_bytes_drip(
    start: bytes, tmp_path: Path
) -> None:
    over = threading.Event()
    patience = Patience(deadline=0.5, backoff=0.001, longest=0.002)
    with door(then_good(hang(over, start)), tmp_path, patience) as it:
        assert [reply.stop for reply in it.ask()] == ["end_turn"]
        over.set()
        assert it.states() == ["unknown", "ok"]
        assert "no answer within" in it.details()[0]


def test_row_8_a_body_cut_on_its_way_to_the_server_is_sent_again(tmp_path: Path) -> None:
    refusal = bad(
        400, "The request body is not valid JSON: unexpected end of data: line 1 column 9"
    )
    with door(then_good(refusal), tmp_path) as it:
        assert [reply.stop for reply in it.ask()] == ["end_turn"]
        assert it.states() == ["error", "ok"]


def test_row_8_a_lost_body_leaves_a_trace(tmp_path: Path) -> None:
    with door(then_good(http(200, b"<html>log in</html>")), tmp_path) as it:
        it.ask()
        assert "<html>log in</html>" in it.details()[0]


# Rows 9 to 13: a message came, whatever it says; it was paid for and is kept.

ODD = {
    "no usage": message(usage=None),
    "usage in words": message(usage={"input_tokens": "many", "output_tokens": -1}),
    "a refusal": message(stop_reason="refusal", content=[], stop_details={"category": "bio"}),
    "cut by its limit": message(stop_reason="max_tokens"),
    "no content": message(content=[]),
    "null content": message(content=None),
    "an unknown stop": message(stop_reason="tired"),
    "no stop": message(stop_reason=None),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_rows_9_to_12_an_odd_message_is_kept_and_not_bought_again(
    odd: dict[str, Any], tmp_path: Path
) -> None:
    with door(lambda *_: http(200, json.dumps(odd).encode()), tmp_path) as it:
        (reply,) = it.ask()
        (kept,) = it.journal.replies([ask().key])
        assert json.loads(kept.body) == odd
        assert it.states() == ["ok"]
        assert it.purse.spent == (WORST if reply.cost is None else reply.cost) > 0
        assert not reply.stop.startswith("error_")


@pytest.mark.parametrize(
    ("kind", "states"),
    [("overloaded_error", ["error", "ok"]), ("timeout_error", ["unknown", "ok"])],
)
def test_row_13_an_error_under_a_200_counts_as_what_it_says(
    kind: str, states: list[str], tmp_path: Path
) -> None:
    with door(then_good(bad(200, kind=kind)), tmp_path) as it:
        assert [reply.stop for reply in it.ask()] == ["end_turn"]
        assert it.states() == states


def test_a_request_that_is_refused_for_its_content_ends_alone(tmp_path: Path) -> None:
    with door(then_good(bad(400, "prompt is too long")), tmp_path, concurrency=1) as it:
        assert [reply.stop for reply in it.ask(ask(1), ask(2))] == ["error_400", "end_turn"]
        assert it.states() == ["refused", "ok"]


def test_a_server_that_finds_every_request_invalid_ends_the_run(tmp_path: Path) -> None:
    with door(lambda *_: bad(422, "what is this"), tmp_path) as it:
        with pytest.raises(ProviderStopped, match=r"25 requests in a row.*what is this"):
            it.ask(*(ask(n) for n in range(99)))
        assert len(it.seen) < 25 + 8


# Row 21: clocks.


def test_row_21_a_wall_clock_that_jumps_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jumps = iter(range(0, 10**9, 86_400))
    monkeypatch.setattr(time, "time", lambda: float(next(jumps)))
    with door(then_good(bad(429, retry_after="0.01")), tmp_path) as it:
        assert [reply.stop for reply in it.ask(ask(1), ask(2))] == ["end_turn"] * 2


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        (
            {"retry-after": formatdate(1000, usegmt=True), "date": formatdate(990, usegmt=True)},
            10.0,
        ),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_row_1_a_pause_is_read_in_all_its_forms(
    headers: dict[str, str], pause: float | None
) -> None:
    assert pause_of(headers) == pause


# Rows 25 and 44: stopping.


def interrupt(at: int, release: threading.Event) -> Script:
    """Answers when released; from request ``at`` on, the process is told to stop."""

    def script(number: int, _: dict[str, Any]) -> Any:
        if number == at:
            os.kill(os.getpid(), signal.SIGINT)
        release.wait(5)
        return good()

    return script


def test_row_25_a_first_ctrl_c_admits_no_more_and_loses_nothing(tmp_path: Path) -> None:
    release, got = threading.Event(), []
    with door(interrupt(3, release), tmp_path, concurrency=3) as it:
        threading.Timer(0.1, release.set).start()
        with pytest.raises(Interrupted, match="run the same command again"):
            for _, reply in it.direct.answer([ask(n) for n in range(20)]):
                got.append(reply.stop)
        assert got == ["end_turn"] * 3
        assert it.states() == ["ok"] * 3


def test_row_25_a_second_ctrl_c_ends_at_once_and_says_what_may_be_paid(tmp_path: Path) -> None:
    release = threading.Event()

    def again(number: int, body: dict[str, Any]) -> Any:
        if number == 2:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        return interrupt(2, release)(number, body)

    with door(again, tmp_path, concurrency=2) as it:
        with pytest.raises(Interrupted):
            it.ask(*(ask(n) for n in range(20)))
        it.direct.close()
        release.set()
        assert it.states() == ["unknown"] * 2
        assert it.journal.spent().possibly == 2 * WORST


def test_row_25_a_consumer_that_breaks_off_lets_calls_in_flight_end(tmp_path: Path) -> None:
    release = threading.Event()

    def script(number: int, _: dict[str, Any]) -> Any:
        if number > 1:
            release.wait(5)
        return good()

    with door(script, tmp_path, concurrency=2) as it:
        replies = it.direct.answer([ask(n) for n in range(20)])
        next(replies)
        while len(it.seen) < 3:
            time.sleep(0.01)
        replies.close()
        release.set()
        it.direct.close()
        assert it.states() == ["ok"] * 3


def test_row_44_a_cancelled_call_is_of_unknown_outcome(tmp_path: Path) -> None:
    over = threading.Event()
    patience = Patience(drain=0.1)
    with door(lambda *_: hang(over), tmp_path, patience) as it:
        replies = it.direct.answer([ask()])
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(Interrupted):
            next(replies)
        it.direct.close()
        over.set()
        assert it.states() == ["unknown"]
        assert "stopped while it was under way" in it.details()[0]


# Rows 36, 42 and 43: the key, the model, the address.


def test_row_36_the_key_is_in_no_log_file_or_message(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    echo = bad(400, f"you sent Authorization: Bearer {KEY}")
    page = http(200, f"<html>{KEY}</html>".encode())
    down = bad(401, f"invalid key {KEY}", "authentication_error")
    told = []
    with caplog.at_level(logging.DEBUG), door(then_good(echo, page), tmp_path, concurrency=1) as it:
        told += [repr(reply) for reply in it.ask(ask(1), ask(2))] + [repr(it.direct._writer)]  # noqa: SLF001
        told += [detail or "" for detail in it.details()]
    with caplog.at_level(logging.DEBUG), door(lambda *_: down, tmp_path) as it:
        with pytest.raises(ProviderStopped) as stopped:
            it.ask(ask(3))
        told += [str(stopped.getrepr(style="long", showlocals=True).reprcrash), str(stopped.value)]
        assert KEY in it.seen.heads[0]
    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert "[key]" in "".join(told)
    assert KEY not in logged + "".join(told)
    assert KEY.encode() not in files


@pytest.mark.parametrize(
    "answer",
    [
        bad(404, f"model: {MODEL}", "not_found_error"),
        bad(400, f"{MODEL} was retired on 2026-11-30", "invalid_request_error"),
    ],
)
def test_row_42_a_model_that_is_gone_ends_the_run(answer: bytes, tmp_path: Path) -> None:
    with door(lambda *_: answer, tmp_path, concurrency=1) as it:
        with pytest.raises(ProviderStopped, match=MODEL):
            it.ask(ask(1), ask(2))
        assert len(it.seen) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_row_43_a_redirect_is_not_followed(status: int, tmp_path: Path) -> None:
    with scripted(lambda *_: good()) as (elsewhere, stolen):
        away = http(status, b"", location=f"{elsewhere}/v1/messages")
        with (
            door(lambda *_: away, tmp_path) as it,
            pytest.raises(ProviderStopped, match="redirects"),
        ):
            it.ask()
        assert len(stolen) == 0


# Money, cache, and what failures are.


def test_a_budget_waits_for_what_is_in_flight_and_is_never_passed(tmp_path: Path) -> None:
    with door(lambda *_: good(), tmp_path, budget=2 * WORST) as it:
        with pytest.raises(BudgetReached, match="--budget"):
            it.ask(*(ask(n) for n in range(200)))
        assert 0 < it.purse.spent <= 2 * WORST
        assert it.purse.reserved == 0


def test_a_lost_reply_takes_its_worst_case_from_the_budget(tmp_path: Path) -> None:
    with door(lambda *_: cut(), tmp_path, budget=WORST) as it:
        with pytest.raises(BudgetReached):
            it.ask()
        assert (len(it.seen), it.purse.spent) == (1, WORST)


def test_the_first_of_each_long_prefix_goes_ahead_alone(tmp_path: Path) -> None:
    done: list[str] = []

    def script(_: int, body: dict[str, Any]) -> Any:
        name = body["system"][0]["text"][0]
        alone = name not in done
        time.sleep(0.02 if alone else 0)
        seen_before.append((name, alone))
        done.append(name)
        return good()

    seen_before: list[tuple[str, bool]] = []
    with door(script, tmp_path, cache=True) as it:
        it.ask(*(ask(n, name * 5000) for n in range(8) for name in "ab"))
    assert sorted(name for name, alone in seen_before if alone) == ["a", "b"]
    assert len(seen_before) == 16


def test_a_short_prefix_is_not_marked_and_nothing_waits_for_it(tmp_path: Path) -> None:
    with door(lambda *_: good(), tmp_path, cache=True) as it:
        it.ask(ask(1), ask(2))
        assert [body["system"] for body in it.seen.bodies] == ["You write."] * 2


def test_a_first_that_fails_lets_the_next_go_ahead(tmp_path: Path) -> None:
    with door(then_good(bad(400, "too long")), tmp_path, cache=True) as it:
        replies = it.ask(*(ask(n, "a" * 5000) for n in range(4)))
    assert sorted(reply.stop for reply in replies) == ["end_turn"] * 3 + ["error_400"]


def test_two_answers_at_a_time_share_one_door(tmp_path: Path) -> None:
    with door(lambda *_: good(), tmp_path) as it:
        outer = it.direct.answer([ask(n) for n in range(5)])
        next(outer)
        assert len(it.ask(*(ask(n) for n in range(10, 15)))) == 5
        assert len(list(outer)) == 4


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (TimeoutError(), "unknown"),
        (httpx2.RemoteProtocolError("peer closed"), "unknown"),
        (httpx2.ReadError(""), "unknown"),
        (httpx2.ConnectError("refused"), "error"),
        (httpx2.ConnectTimeout("slow"), "error"),
        (ConnectionResetError(), "unknown"),
        (ConnectionRefusedError(), "error"),
        (json.JSONDecodeError("cut", "{", 1), "unknown"),
        (anthropic.CredentialsError("none"), "refused"),
    ],
)
def test_errors_outside_the_sdk_are_sorted_too(error: Exception, state: str) -> None:
    failure = failure_of(error)
    assert failure is not None
    assert failure.state == state


def test_what_is_no_failure_of_a_call_is_left_alone() -> None:
    assert failure_of(KeyError("a bug")) is None
    assert failure_of(asyncio.InvalidStateError()) is None


def test_a_hundred_lines_cut_at_once_are_one_failure() -> None:
    now = [0.0]
    breaker = Breaker(Patience(cuts=3), lambda: now[0])
    broken = Failure("unknown", "reset", kind="cut")
    for moment in (1.0, 2.0):
        now[0] = moment
        for number in range(100):
            breaker.failed(broken, Ticket(number, moment - 0.5), "there")
    now[0] = 3.0
    with pytest.raises(Interrupted, match="3 times in a row"):
        breaker.failed(broken, Ticket(1, 2.5), "there")


def test_nothing_but_429s_for_half_an_hour_ends_the_run() -> None:
    now = [0.0]
    breaker = Breaker(Patience(), lambda: now[0])
    limited = Failure("error", "429", 429, kind="limited")
    now[0] = 1799.0
    breaker.failed(limited, Ticket(1, 0.0), "there")
    now[0] = 1801.0
    with pytest.raises(Interrupted, match="nothing but refusals"):
        breaker.failed(limited, Ticket(2, 0.0), "there")
