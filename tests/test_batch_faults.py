"""Batches in rows 20, 21 and 43 of the fault matrix: results gone, clocks that jump, the key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batchserver import Provider, running
from corpus.errors import Interrupted, ProviderStopped
from corpus.model import Model, Writer, batchlog
from corpus.model.batches import Batches
from corpus.model.journal import Journal
from corpus.model.prices import Purse
from corpus.model.provider import Clock
from servers import bad, good, http, scripted
from test_batches import MODEL, asked, provider_time, run, states


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as found:
        yield found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as found:
        yield found


def test_a_batch_that_the_provider_forgot_is_not_bought_again_by_itself(
    provider: Provider, journal: Journal
) -> None:
    provider.polls = 10**9
    writer = Writer("claude", MODEL, provider.address, "k")
    batches = Batches.of(writer, journal, None, Purse(None, 0), lambda _: None)
    batches.put(asked(6))
    batches.close()
    provider.batches.clear()
    for _ in range(2):
        with pytest.raises(Interrupted, match="has no results of it"):
            run(provider, journal)
    assert (len(provider.billed), states(journal)) == (6, ["created"])


class Hands:
    """A wall clock that jumps by so much after the first look at it, and a steady one."""

    def __init__(self, jump: float) -> None:
        self.jumps, self.passed = [0.0, jump], 0.0

    def now(self) -> float:
        jump = self.jumps.pop(0) if len(self.jumps) > 1 else self.jumps[0]
        return provider_time() + jump + self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds

    def steady(self) -> float:
        return self.passed


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_by_a_day_neither_loses_a_batch_nor_sends_it_twice(
    jump: float, provider: Provider, journal: Journal
) -> None:
    hands = Hands(jump)
    provider.lose, provider.polls, provider.hidden = ["after"], 3, 9
    writer = Writer("claude", MODEL, provider.address, "k", quiet=600.0)
    batches = Batches.of(writer, journal, None, Purse(None, 0), lambda _: None)
    batches.clock = batches.provider._clock = Clock(hands.now, hands.steady, hands.sleep)  # noqa: SLF001
    batches.put(asked(6))
    batches.gather()
    batches.close()
    assert (len(provider.batches), states(journal)) == (1, ["parsed"])


def test_an_intent_of_a_clock_that_was_a_day_ahead_is_still_found(
    provider: Provider, journal: Journal
) -> None:
    requests, ahead = asked(6), provider_time() + 86_400
    batchlog.intend(journal, "feedfacefeedface", requests, [None] * 6, ahead)
    provider.create(
        [{"custom_id": f"feedfacefeedface-{n}", "params": r.body()} for n, r in enumerate(requests)]
    )
    assert len(run(provider, journal)) == 6
    assert len(provider.batches) == 1


def test_results_are_fetched_from_the_server_itself_whatever_address_it_names(
    provider: Provider, journal: Journal
) -> None:
    with scripted(lambda *_: bad(403)) as (elsewhere, stolen):
        provider.results_at = elsewhere
        assert len(run(provider, journal)) == 6
        assert len(stolen) == 0


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_of_batches_is_not_followed(status: int, journal: Journal) -> None:
    with scripted(lambda *_: good()) as (elsewhere, stolen):
        away = http(status, b"", location=f"{elsewhere}/v1/messages/batches")
        with scripted(lambda *_: away) as (address, seen):
            writer = Writer("claude", MODEL, address, "k", batches=True)
            with (
                Model(writer, journal, batch=True) as model,
                pytest.raises(ProviderStopped, match="redirects"),
            ):
                list(model.answer(asked(3)))
        assert (len(seen), len(stolen)) == (1, 0)


@pytest.mark.parametrize("batch", [True, False])
def test_a_server_on_this_machine_is_not_asked_through_a_proxy(
    provider: Provider, journal: Journal, monkeypatch: pytest.MonkeyPatch, *, batch: bool
) -> None:
    with scripted(lambda *_: bad(403)) as (proxy, seen):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert len(run(provider, journal, batch=batch)) == 6
        assert len(seen) == 0
