"""The stand-in against the real SDK, strict: its forms, its bill, its clock, its faults."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import pytest
from anthropic.types import Message
from anthropic.types.messages import MessageBatch
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import InputError
from corpus.model import rehearsal
from corpus.model.prices import price_of
from corpus.model.rehearsal.batches import Shelf
from corpus.model.rehearsal.caching import Cache
from corpus.model.rehearsal.faults import Faults
from corpus.model.rehearsal.ledger import Ledger
from corpus.model.replies import read_reply

LONG = "word " * 1200  # 1,500 of the stand-in's tokens


@contextmanager
def client(*options: str) -> Iterator[anthropic.Anthropic]:
    with rehearsal.process(*options) as address, strict(address) as found:
        yield found


def strict(address: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(
        api_key="k", base_url=address, max_retries=0, _strict_response_validation=True
    )


def params(text: str = "Write about 20 words.", **other: Any) -> dict[str, Any]:
    turn = {"role": "user", "content": text}
    return {"model": rehearsal.MODEL, "max_tokens": 500, "messages": [turn], **other}


def rows(count: int) -> list[Any]:
    return [{"custom_id": f"r-{n}", "params": params(f"{n}: about 9 words")} for n in range(count)]


def post(address: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(f"{address.rstrip(chr(47))}/{path}", json.dumps(body).encode())  # noqa: S310
    with urllib.request.urlopen(request) as reply:  # noqa: S310 - our own server
        return dict(json.loads(reply.read()))


def billed(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_request_gets_the_same_text_direct_marked_and_by_batch() -> None:
    mark = {"type": "ephemeral", "ttl": "1h"}
    marked: Any = [{"type": "text", "text": "Be kind.", "cache_control": mark}]
    with client() as api:
        plain = api.messages.create(**params(system="Be kind."))
        blocks = api.messages.create(**params(system=marked))
        row: Any = {"custom_id": "a", "params": params(system="Be kind.")}
        batch = api.messages.batches.create(requests=[row])
        result: Any = next(iter(api.messages.batches.results(batch.id))).result
    assert plain.content == blocks.content == result.message.content
    assert result.message.usage.service_tier == "batch"


def test_the_forms_are_those_of_the_sdk() -> None:
    with client() as api:
        message = api.messages.create(**params())
        batch = api.messages.batches.create(requests=rows(3))
        assert isinstance(message, Message)
        assert isinstance(batch, MessageBatch)
        assert api.models.retrieve(rehearsal.MODEL).lifecycle == "active"
        assert rehearsal.MODEL in [model.id for model in api.models.list()]
        assert api.messages.count_tokens(model="m", messages=params()["messages"]).input_tokens > 0
        assert api.messages.batches.delete(batch.id).type == "message_batch_deleted"
        with pytest.raises(anthropic.NotFoundError):
            api.messages.batches.retrieve(batch.id)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"extra_body": {"max_tokens": "many"}}, "max_tokens"),
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "assistant", "content": "I"}]}, "first message"),
        ({"extra_body": {"temperature": 1}}, "temperature"),
        ({"extra_body": {"sytem": "x"}}, "sytem: Extra inputs"),
    ],
)
def test_a_wrong_request_is_refused_as_the_api_does(other: dict[str, Any], said: str) -> None:
    with client() as api, pytest.raises(anthropic.BadRequestError, match=said) as caught:
        api.messages.create(**(params() | other))
    assert caught.value.type == "invalid_request_error"
    assert caught.value.request_id


@pytest.mark.parametrize(
    ("names", "said"),
    [([], "1 to 100000"), (["a", "a"], "unique"), (["a b"], "pattern"), (["x" * 65], "pattern")],
)
def test_a_wrong_batch_is_refused_whole(names: list[str], said: str) -> None:
    made: list[Any] = [{"custom_id": name, "params": params()} for name in names]
    with client() as api, pytest.raises(anthropic.BadRequestError, match=said):
        api.messages.batches.create(requests=made)


def test_wrong_parameters_in_a_batch_are_errored_results_and_not_billed(tmp_path: Path) -> None:
    wrong = [
        {"custom_id": "stream", "params": params(stream=True)},
        {"custom_id": "empty", "params": params(max_tokens=0)},
        {"custom_id": "good", "params": params()},
    ]
    with client("--ledger", str(tmp_path / "l")) as api:
        batch = api.messages.batches.create(requests=wrong)  # type: ignore[arg-type]
        found: dict[str, Any] = {
            row.custom_id: row.result for row in api.messages.batches.results(batch.id)
        }
    assert {name: one.type for name, one in found.items()} == {
        "stream": "errored", "empty": "errored", "good": "succeeded",
    }  # fmt: skip
    assert found["stream"].error.error.type == "invalid_request_error"
    assert [row["custom_id"] for row in billed(tmp_path / "l")] == ["good"]


def test_a_batch_goes_through_its_states_by_the_clock() -> None:
    with client("--clock", "manual", "--batch-seconds", "100") as api:
        batch = api.messages.batches.create(requests=rows(10))
        assert (batch.processing_status, batch.request_counts.processing) == ("in_progress", 10)
        post(str(api.base_url), "rehearsal/clock", {"advance": 50})
        half = api.messages.batches.retrieve(batch.id)
        assert (half.request_counts.processing, half.results_url) == (10, None)
        post(str(api.base_url), "rehearsal/clock", {"advance": 50})
        over = api.messages.batches.retrieve(batch.id)
        assert (over.processing_status, over.request_counts.succeeded) == ("ended", 10)
        post(str(api.base_url), "rehearsal/clock", {"advance": 29 * 86_400})
        assert api.messages.batches.retrieve(batch.id).archived_at
        with pytest.raises(anthropic.AnthropicError, match=r"No batch|results_url|29 days"):
            list(api.messages.batches.results(batch.id))


@given(st.floats(1.7e9, 2e9), st.sampled_from((0.1, 0.3, 7.7, 86_400.0)))
def test_a_batch_whose_time_is_over_is_answered_whole(created: float, seconds: float) -> None:
    moments = iter((created, created, created + seconds))
    last = created + seconds
    ledger = Ledger(None, lambda: last)
    shelf = Shelf(None, ledger, Cache(lambda: last), Faults(), lambda: next(moments, last), seconds)
    batch = shelf.create(rows(1))
    shelf.tick()
    assert [row["result"]["type"] for row in batch.results] == ["succeeded"]


def test_a_cancelled_batch_keeps_what_was_generated(tmp_path: Path) -> None:
    options = ("--clock", "manual", "--batch-seconds", "100", "--ledger", str(tmp_path / "l"))
    with client(*options) as api:
        batch = api.messages.batches.create(requests=rows(10))
        post(str(api.base_url), "rehearsal/clock", {"advance": 42})
        assert api.messages.batches.cancel(batch.id).processing_status == "canceling"
        counts = api.messages.batches.retrieve(batch.id).request_counts
    assert (counts.succeeded, counts.canceled) == (4, 6)
    assert len(billed(tmp_path / "l")) == 4


def test_a_batch_expires_after_a_day() -> None:
    with client("--clock", "manual", "--batch-seconds", str(2 * 86_400)) as api:
        batch = api.messages.batches.create(requests=rows(10))
        post(str(api.base_url), "rehearsal/clock", {"advance": 86_400})
        counts = api.messages.batches.retrieve(batch.id).request_counts
    assert (counts.succeeded, counts.expired) == (5, 5)


def test_batches_are_listed_newest_first_page_by_page() -> None:
    with client() as api:
        made = [api.messages.batches.create(requests=rows(1)).id for _ in range(5)]
        assert [batch.id for batch in api.messages.batches.list(limit=2)] == made[::-1]
        assert [b.id for b in api.messages.batches.list(limit=2, before_id=made[0])][:2] == [
            made[2], made[1],
        ]  # fmt: skip


def test_a_killed_server_bills_nothing_twice(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "corpus.model.rehearsal", "--state", str(tmp_path)]
    command += ["--batch-seconds", "1"]
    with subprocess.Popen(command, stdout=-1, stdin=-1, text=True) as server:
        assert server.stdout is not None
        with strict(server.stdout.readline().strip()) as api:
            made = api.messages.batches.create(requests=rows(400)).id
        while not (tmp_path / "ledger.jsonl").read_bytes():
            pass
        server.kill()
    with client("--state", str(tmp_path)) as api:
        assert len(list(api.messages.batches.results(made))) == 400
    names = [row["custom_id"] for row in billed(tmp_path / "ledger.jsonl")]
    assert (len(names), len(set(names))) == (400, 400)


def test_the_journals_cost_is_the_ledgers(tmp_path: Path) -> None:
    mark = {"type": "ephemeral", "ttl": "1h"}
    system: Any = [{"type": "text", "text": LONG, "cache_control": mark}]
    price = price_of(rehearsal.MODEL, {})
    with client("--ledger", str(tmp_path / "l")) as api:
        bodies = [api.messages.create(**params(f"{n}", system=system)) for n in range(3)]
    costs = [read_reply("k", body.to_json(), price).cost for body in bodies]
    assert costs == [-(-row["cost_picos"] // 1_000_000) for row in billed(tmp_path / "l")]
    assert [body.usage.cache_creation_input_tokens for body in bodies] == [1500, 0, 0]
    assert [body.usage.cache_read_input_tokens for body in bodies] == [0, 1500, 1500]


def test_a_prefix_is_forgotten_after_its_time() -> None:
    system: Any = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    with client("--clock", "manual") as api:
        read = []
        for pause in (0, 299, 299, 301):
            post(str(api.base_url), "rehearsal/clock", {"advance": pause})
            usage = api.messages.create(**params(system=system)).usage
            read.append(usage.cache_read_input_tokens)
    assert read == [0, 1500, 1500, 0]


def test_faults_are_the_same_for_a_seed_in_any_order() -> None:
    names = [f"request {n}" for n in range(500)]
    here, there = Faults("429=0.1,cut=0.05", 7), Faults("429=0.1,cut=0.05", 7)
    found = {name: here.next(name) for name in names}
    assert found == {name: there.next(name) for name in reversed(names)}
    drawn = list(found.values())
    assert 25 < drawn.count("429") < 80
    assert 8 < drawn.count("cut") < 45


def test_a_script_names_the_request_that_fails(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("# second and third\n2 529\n3 drop\n")
    ledger = tmp_path / "l"
    with client("--faults", str(tmp_path / "script"), "--ledger", str(ledger)) as api:
        api.messages.create(**params())
        with pytest.raises(anthropic.APIStatusError, match="529"):
            api.messages.create(**params())
        assert len(billed(ledger)) == 1
        with pytest.raises(anthropic.APIConnectionError):
            api.messages.create(**params())
        assert len(billed(ledger)) == 2


@pytest.mark.parametrize("given", ["cut=2", "cut=x", "cutt=0.1", "no/such/file"])
def test_faults_that_cannot_be_read_are_named(given: str) -> None:
    with pytest.raises(InputError, match="--faults"):
        Faults(given)


def test_limits_refuse_with_the_headers_that_tell_when() -> None:
    with client("--rpm", "60", "--burst", "2", "--clock", "manual") as api:
        for _ in range(2):
            api.messages.create(**params())
        with pytest.raises(anthropic.RateLimitError) as caught:
            api.messages.create(**params())
        assert caught.value.response.headers["retry-after"] == "1"
        assert caught.value.response.headers["anthropic-ratelimit-requests-remaining"] == "0"
        post(str(api.base_url), "rehearsal/clock", {"advance": 1})
        api.messages.create(**params())


def test_limits_may_be_kept_without_saying_what_is_left() -> None:
    with client("--rpm", "60", "--burst", "1", "--silent") as api:
        first = api.messages.with_raw_response.create(**params())
        assert not [name for name in first.headers if name.startswith("anthropic-ratelimit")]
        with pytest.raises(anthropic.RateLimitError) as caught:
            api.messages.create(**params())
        assert caught.value.response.headers["retry-after"] == "1"


def test_a_reply_is_cut_at_max_tokens() -> None:
    with client() as api:
        whole = api.messages.create(**params("about 300 words", max_tokens=4000))
        part = api.messages.create(**params("about 300 words", max_tokens=50))
    assert (whole.stop_reason, part.stop_reason) == ("end_turn", "max_tokens")
    assert part.usage.output_tokens <= 50
