"""Message Batches: found again after any crash, fetched to the last row, never bought twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchserver import Provider, Rows, running
from corpus.errors import BudgetReached, InputError, Interrupted, ProviderStopped
from corpus.model import Model, Writer, batchlog
from corpus.model.batches import Batches
from corpus.model.journal import Journal
from corpus.model.prices import Purse
from corpus.model.wire import SHARED
from corpus.records import Reply, Request

MODEL = "claude-haiku-5-5"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as found:
        yield found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as found:
        yield found


def asked(count: int) -> list[Request]:
    turns = [({"role": "user", "content": f"text {number}"},) for number in range(count)]
    return [Request("draft", MODEL, "You write.", turn, 200) for turn in turns]


def run(provider: Provider, journal: Journal, count: int = 6, **options: Any) -> list[Reply]:
    writer = Writer("claude", MODEL, provider.address, "k", batches=True, cache=True, quiet=0.3)
    with Model(writer, journal, **{"batch": True, **options}) as model:
        return list(model.answer(asked(count)))


def states(journal: Journal) -> list[str]:
    every = (*batchlog.UNDER_WAY, "parsed", "never", "given_up")
    return [batch.state for batch in batchlog.under_way(journal, every)]


def test_two_hundred_requests_go_as_one_batch_and_fewer_go_directly(
    provider: Provider, journal: Journal
) -> None:
    assert len(run(provider, journal, 199, batch=None)) == 199
    assert (len(provider.batches), len(provider.direct)) == (0, 199)
    assert len(run(provider, journal, 399, batch=None)) == 399
    assert (len(provider.batches), len(provider.billed)) == (1, 200)
    assert states(journal) == ["parsed"]


def test_a_batch_costs_half_and_a_second_run_costs_nothing(
    provider: Provider, journal: Journal
) -> None:
    first = run(provider, journal)
    assert all(reply.batch and reply.cost == 18 for reply in first)  # (10 + 25) / 2, rounded up
    again = run(provider, journal)
    assert all(reply.replayed for reply in again)
    assert journal.spent() == (6 * 18, 0, 0)
    assert len(provider.billed) == 6


def test_a_batch_whose_answer_was_lost_is_found_again_and_not_sent_twice(
    provider: Provider, journal: Journal
) -> None:
    provider.lose = ["after"]
    assert len(run(provider, journal)) == 6
    assert len(provider.batches) == 1
    assert journal.accounts()["events"]["batch_adopted"] == 1


def test_a_batch_that_was_never_made_is_sent_again_after_a_quiet_time(
    provider: Provider, journal: Journal
) -> None:
    provider.lose = ["before"]
    assert len(run(provider, journal)) == 6
    assert states(journal) == ["never", "parsed"]
    assert len(provider.billed) == 6


def test_a_batch_of_the_same_size_that_is_somebody_elses_is_not_adopted(
    provider: Provider, journal: Journal
) -> None:
    rows = [{"custom_id": f"other-{n}", "params": {"model": MODEL, "messages": [{"content": "x"}]}}
            for n in range(6)]  # fmt: skip
    provider.create(rows)
    provider.lose = ["before"]
    replies = run(provider, journal)
    assert sorted(reply.text for reply in replies) == [f"an answer to text {n}" for n in range(6)]
    assert len(provider.batches) == 2


def test_an_intent_of_a_run_that_died_is_adopted_by_the_next_run(
    provider: Provider, journal: Journal
) -> None:
    requests = asked(6)
    batchlog.intend(journal, "feedfacefeedface", requests, [None] * 6, provider_time())
    provider.create(
        [{"custom_id": f"feedfacefeedface-{n}", "params": r.body()} for n, r in enumerate(requests)]
    )
    assert len(run(provider, journal)) == 6
    assert len(provider.batches) == 1


def test_one_listing_without_an_old_intent_is_not_enough_to_send_it_again(
    provider: Provider, journal: Journal
) -> None:
    requests, nonce = asked(6), "feedfacefeedface"
    batchlog.intend(journal, nonce, requests, [None] * 6, provider_time() - 3600)
    provider.create(
        [{"custom_id": f"{nonce}-{n}", "params": r.body()} for n, r in enumerate(requests)]
    )
    provider.hidden = 1  # listings that do not show it yet
    assert len(run(provider, journal)) == 6
    assert (len(provider.batches), len(provider.billed)) == (1, 6)


def provider_time() -> float:
    import time

    return time.time()


def duplicated(_: str, rows: Rows) -> Rows:
    return rows + rows


def contradicted(_: str, rows: Rows) -> Rows:
    other = {"type": "succeeded", "message": {**rows[0]["result"]["message"], "id": "msg_2"}}
    return [*rows, {"custom_id": rows[0]["custom_id"], "result": other}]


def with_strangers(_: str, rows: Rows) -> Rows:
    strange = [{"custom_id": name, "result": rows[0]["result"]} for name in ("x-1", "", "x-99999")]
    return [*strange, *rows]


@pytest.mark.parametrize("mangle", [duplicated, contradicted, with_strangers])
def test_odd_rows_change_nothing_and_cost_nothing(
    mangle: Any, provider: Provider, journal: Journal
) -> None:
    provider.mangle = mangle
    replies = run(provider, journal)
    assert sorted(reply.text for reply in replies) == [f"an answer to text {n}" for n in range(6)]
    assert journal.spent() == (6 * 18, 0, 0)
    assert len(provider.billed) == 6


def test_a_batch_of_another_server_is_neither_taken_for_gone_nor_bought_again(
    provider: Provider, journal: Journal
) -> None:
    provider.polls = 10**9
    writer = Writer("claude", MODEL, provider.address, "k", batches=True, quiet=0.3)
    room = Batches.of(writer, journal, None, Purse(None, 0), lambda _: None)
    room.put(asked(6))
    room.close()
    with running() as other:
        with pytest.raises(InputError, match=f"was sent to {provider.address}"):
            run(other, journal)
        assert (other.billed, states(journal)) == ([], ["created"])


def test_a_batch_that_nobody_waits_for_and_that_is_gone_stops_nothing(
    provider: Provider, journal: Journal
) -> None:
    writer = Writer("claude", MODEL, provider.address, "k", batches=True, quiet=0.3)
    room = Batches.of(writer, journal, None, Purse(None, 0), lambda _: None)
    room.put(asked(6))
    room.close()
    provider.gone = {"msgbatch_0001"}
    others = [replace(one, max_tokens=201) for one in asked(3)]
    with Model(writer, journal, batch=True) as model:
        assert len(list(model.answer(others))) == 3
    assert sorted(states(journal)) == ["created", "parsed"]


def test_a_create_that_ended_in_an_error_500_is_looked_for_and_not_sent_again(
    provider: Provider, journal: Journal
) -> None:
    provider.lose = ["late"]
    assert len(run(provider, journal)) == 6
    assert len(provider.batches) == 1
    assert journal.accounts()["events"]["batch_adopted"] == 1


@pytest.mark.parametrize("kind", ["billing_error", "authentication_error", "permission_error"])
def test_a_row_that_fails_for_the_account_ends_the_run_with_all_others_kept(
    kind: str, provider: Provider, journal: Journal
) -> None:
    def mangle(_: str, rows: Rows) -> Rows:
        error = {"type": "error", "error": {"type": kind, "message": "no"}}
        rows[0]["result"] = {"type": "errored", "error": error}
        return rows

    provider.mangle = mangle
    with pytest.raises(ProviderStopped, match=kind):
        run(provider, journal)
    assert journal.accounts()["attempts"] == {"error": 1, "ok": 5}
    assert states(journal) == ["parsed"]


@pytest.mark.parametrize("error", ["boom", None, {"error": "boom"}, {"error": {"type": 7}}])
def test_an_errored_row_of_any_shape_is_asked_again(
    error: Any, provider: Provider, journal: Journal
) -> None:
    def mangle(name: str, rows: Rows) -> Rows:
        if name.endswith("1"):
            rows[0]["result"] = {"type": "errored", "error": error}
        return rows

    provider.mangle = mangle
    assert len(run(provider, journal)) == 6
    assert journal.accounts()["attempts"] == {"error": 1, "ok": 6}


def test_what_was_given_up_can_be_adopted_after_all(provider: Provider, journal: Journal) -> None:
    provider.polls = 10**9
    writer = Writer("claude", MODEL, provider.address, "k", batches=True, quiet=0.3)
    room = Batches.of(writer, journal, None, Purse(None, 0), lambda _: None)
    room.put(asked(6))
    (batch,) = batchlog.under_way(journal)
    room.give_up(batch)
    provider.batches["msgbatch_0001"]["polls"] = 0
    room.adopt(batch, "msgbatch_0001")
    room.close()
    assert len(run(provider, journal)) == 6
    assert (len(provider.batches), journal.spent().possibly) == (1, 0)


def test_what_was_bought_before_its_price_was_known_counts_for_the_budget(
    provider: Provider, journal: Journal
) -> None:
    odd = [replace(one, model="odd") for one in asked(6)]
    plain = Writer("claude", "odd", provider.address, "k", batches=True)
    with Model(plain, journal, batch=True) as model:
        assert len(list(model.answer(odd))) == 6
    assert sum(journal.spent()) == 0
    figures = {"odd": {"input": 1.0, "output": 5.0}}
    with Model(plain, journal, batch=True, prices=figures, budget=6 * 175) as model:
        assert model.purse.spent == journal.spent().paid == 6 * 175
        with pytest.raises(BudgetReached):
            list(model.answer([*odd, replace(odd[0], max_tokens=201)]))


def test_results_that_will_soon_be_let_go_are_called_urgent(
    provider: Provider, journal: Journal
) -> None:
    said: list[str] = []
    writer = Writer("claude", MODEL, provider.address, "k", batches=True)
    room = Batches.of(writer, journal, None, Purse(None, 0), said.append)
    room.put(asked(2))
    room.clock.now = lambda: provider_time() + 22 * 86_400
    room.gather()
    room.close()
    assert any("its results are kept until" in line for line in said)


def test_two_different_bodies_for_one_row_are_both_kept_and_reported(
    provider: Provider, journal: Journal
) -> None:
    provider.mangle = contradicted
    run(provider, journal)
    assert journal.accounts()["events"]["row_surplus"] == 1


def test_missing_rows_are_asked_again_and_count_as_possibly_paid(
    provider: Provider, journal: Journal
) -> None:
    provider.mangle = lambda name, rows: rows[:4] if name.endswith("1") else rows
    assert len(run(provider, journal)) == 6
    assert Counter(len(batch["requests"]) for batch in provider.batches.values()) == {6: 1, 2: 1}
    assert journal.accounts()["attempts"] == {"ok": 6, "unknown": 2}
    assert journal.spent().possibly > 0


@pytest.mark.parametrize("ended", ["expired", "canceled", "errored"])
def test_only_what_failed_in_a_batch_is_asked_again(
    ended: str, provider: Provider, journal: Journal
) -> None:
    def mangle(name: str, rows: Rows) -> Rows:
        if name.endswith("1"):
            error = {"type": "error", "error": {"type": "api_error", "message": "oh"}}
            rows[0]["result"] = rows[1]["result"] = {"type": ended, "error": error}
        return rows

    provider.mangle = mangle
    assert len(run(provider, journal)) == 6
    assert [len(batch["requests"]) for batch in provider.batches.values()] == [6, 2]
    assert journal.spent() == (6 * 18, 0, 0)


def test_a_request_that_every_batch_leaves_unanswered_is_given_up_for_the_run(
    provider: Provider, journal: Journal
) -> None:
    def mangle(_: str, rows: Rows) -> Rows:
        return [row | {"result": {"type": "expired"}} if row["custom_id"].endswith("-0") else row
                for row in rows]  # fmt: skip

    provider.mangle = mangle
    stops = Counter(reply.stop for reply in run(provider, journal))
    assert stops == {"end_turn": 5, "error_batch": 1}
    assert [len(batch["requests"]) for batch in provider.batches.values()] == [6, 1, 1]
    assert journal.accounts()["attempts"] == {"error": 3, "ok": 5}


def test_a_request_that_is_invalid_in_a_batch_ends_alone(
    provider: Provider, journal: Journal
) -> None:
    def mangle(_: str, rows: Rows) -> Rows:
        error = {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}
        rows[0]["result"] = {"type": "errored", "error": error}
        return rows

    provider.mangle = mangle
    stops = Counter(reply.stop for reply in run(provider, journal))
    assert stops == {"end_turn": 5, "error_400": 1}
    assert len(provider.batches) == 1


def test_a_type_of_result_that_nobody_knows_is_not_taken_for_a_reply(
    provider: Provider, journal: Journal
) -> None:
    def mangle(name: str, rows: Rows) -> Rows:
        if name.endswith("1"):
            rows[0]["result"]["type"] = "weird"
        return rows

    provider.mangle = mangle
    assert len(run(provider, journal)) == 6
    assert journal.accounts()["events"]["row_unknown_type"] == 3  # each time that it was read


def test_results_that_are_gone_are_bought_again_only_when_the_user_says_so(
    provider: Provider, journal: Journal
) -> None:
    provider.gone = {"msgbatch_0001"}
    for _ in range(2):
        with pytest.raises(Interrupted, match="corpus batches cancel"):
            run(provider, journal)
    assert len(provider.batches) == 1
    (batch,) = batchlog.under_way(journal)
    batchlog.never(journal, batch.nonce, "given_up")
    assert len(run(provider, journal)) == 6
    assert journal.spent().possibly > 0


def test_a_server_without_batches_is_asked_directly_unless_batches_were_ordered(
    provider: Provider, journal: Journal
) -> None:
    provider.serves = False
    assert len(run(provider, journal, 200, batch=None)) == 200
    assert len(provider.direct) == 200
    with pytest.raises(InputError, match="no Message Batches"):
        run(provider, journal, 201, batch=True)


def test_a_budget_sends_what_fits_then_more_as_it_settles_and_is_never_passed(
    provider: Provider, journal: Journal
) -> None:
    with Model(Writer("claude", MODEL, provider.address, "k"), journal) as model:
        worst = [model.price.worst(one, batch=True) for one in asked(6) if model.price]
    with pytest.raises(BudgetReached):
        run(provider, journal, budget=worst[0] - 1)
    assert provider.batches == {}
    budget = sum(worst[:3]) + 10
    run(provider, journal, budget=budget)
    assert [len(batch["requests"]) for batch in provider.batches.values()] == [3, 2, 1]
    assert sum(journal.spent()) <= budget


def test_many_requests_go_in_several_batches(provider: Provider, journal: Journal) -> None:
    writer = Writer("claude", MODEL, provider.address, "k", batches=True, cache=True, quiet=0.3)
    batches = Batches.of(writer, journal, None, Purse(None, 0), lambda _: None)
    batches.most = 4
    assert batches.put(asked(10)) == 10
    batches.gather()
    assert [len(batch["requests"]) for batch in provider.batches.values()] == [4, 4, 2]
    assert states(journal) == ["parsed"] * 3
    batches.close()


def test_the_system_prompt_travels_marked_for_the_cache_and_the_key_does_not_change(
    provider: Provider, journal: Journal
) -> None:
    long = [replace(one, system="Rule by rule. " * 400) for one in asked(SHARED)]
    alone = replace(long[0], system="Another page. " * 400)
    writer = Writer("claude", MODEL, provider.address, "k", batches=True, cache=True, quiet=0.3)
    with Model(writer, journal, batch=True) as model:
        keys = {reply.key for reply in model.answer([*long, alone])}
    ((batch),) = provider.batches.values()
    *marked, plain = (row["params"]["system"] for row in batch["requests"])
    mark = {"type": "ephemeral", "ttl": "1h"}
    assert all(system[0]["cache_control"] == mark for system in marked)
    assert plain == alone.system  # a cache that nobody reads costs twice what it holds
    assert keys == {request.key for request in (*long, alone)}


def test_one_request_of_a_long_prefix_goes_ahead_to_warm_the_cache_of_the_batch(
    provider: Provider, journal: Journal
) -> None:
    long = [replace(one, system="Rule by rule. " * 400) for one in asked(220)]
    writer = Writer("claude", MODEL, provider.address, "k", batches=True, cache=True)
    with Model(writer, journal) as model:
        assert len(list(model.answer(long))) == 220
    assert (len(provider.direct), len(provider.billed)) == (1, 219)
    mark = {"type": "ephemeral", "ttl": "1h"}
    assert provider.direct[0]["system"][0]["cache_control"] == mark
    assert json.loads(provider.billed[0])["system"] == provider.direct[0]["system"]
