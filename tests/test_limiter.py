"""The limiter against a simulated server: a token bucket, no waiting, every second counted."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.model.limiter import MOST, START, Limiter, Ticket
from corpus.model.quota import Quotas
from corpus.records import Usage

WALL = 1_800_000_000.0


class Clock:
    """Seconds that pass when the simulation says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wall(self) -> float:
        return WALL + self.now


@dataclass
class Server:
    """A token bucket: ``rate`` calls per second, ``burst`` at once."""

    clock: Clock
    rate: float = 50.0
    burst: float = 10.0
    latency: float = 0.5
    refusal: float = 0.5  # seconds that a 429 takes
    told: Callable[[float], float | None] = lambda _: None  # seconds lacking -> retry-after
    headers: bool = False
    level: float = field(init=False)
    last: float = field(init=False)

    def __post_init__(self) -> None:
        self.level, self.last = self.burst, self.clock.now

    def take(self) -> tuple[bool, float | None, Mapping[str, str]]:
        now = self.clock.now
        self.level = min(self.burst, self.level + (now - self.last) * self.rate)
        self.last = now
        taken = self.level >= 1
        self.level -= taken
        pause = None if taken else self.told((1 - self.level) / self.rate)
        return taken, pause, self.state() if self.headers else {}

    def state(self) -> dict[str, str]:
        full = self.clock.wall() + (self.burst - self.level) / self.rate
        prefix = "anthropic-ratelimit-requests-"
        return {
            prefix + "limit": str(self.burst),
            prefix + "remaining": str(int(self.level)),
            prefix + "reset": datetime.fromtimestamp(full, UTC).isoformat(),
        }


@dataclass
class Outcome:
    rate: float  # share of what the bucket could have given
    waste: float  # share of requests that were refused
    refused: int
    windows: list[float]


def simulate(calls: int = 1500, cap: int | None = None, **server: Any) -> Outcome:
    """Ask ``calls`` times, refused ones again, and compare with the bucket's ideal."""
    clock = Clock()
    bucket = Server(clock, **server)
    limiter = Limiter(cap, clock=clock, wall=clock.wall)
    events: list[tuple[float, int, Callable[[], None]]] = []
    order, began = count(), clock.now
    todo, done, refused, windows = calls, 0, 0, []

    def answer(
        ticket: Ticket, *, taken: bool, pause: float | None, news: Mapping[str, str]
    ) -> None:
        nonlocal todo, done, refused
        if taken:
            done += 1
            limiter.succeeded(ticket, news, Usage(100, 100))
        else:
            refused, todo = refused + 1, todo + 1
            limiter.limited(ticket, news, pause)
        limiter.release(ticket)
        windows.append(limiter.window)

    while done < calls:
        wait = limiter.delay() if todo else None
        if wait is not None and (not events or clock.now + wait <= events[0][0]):
            clock.now += wait
            if wait:
                continue
            todo -= 1
            ticket = limiter.admit()
            taken, pause, news = bucket.take()
            took = bucket.latency if taken else bucket.refusal

            later = partial(answer, ticket, taken=taken, pause=pause, news=news)
            heapq.heappush(events, (clock.now + took, next(order), later))
        else:
            clock.now, _, event = heapq.heappop(events)
            event()
    ideal = max(0.0, calls - bucket.burst) / bucket.rate + bucket.latency
    return Outcome(ideal / (clock.now - began), refused / (calls + refused), refused, windows)


def fresh(cap: int | None = None) -> tuple[Clock, Limiter]:
    clock = Clock()
    return clock, Limiter(cap, clock=clock, wall=clock.wall)


def admit(clock: Clock, limiter: Limiter, calls: int) -> list[Ticket]:
    """As many admissions as are wanted, one after the other as the pace allows."""
    tickets = []
    while len(tickets) < calls and (wait := limiter.delay()) is not None:
        clock.now += wait
        if not wait:
            tickets.append(limiter.admit())
    return tickets


TOLD: dict[str, Callable[[float], float | None]] = {
    "nothing": lambda _: None,
    "the exact pause": lambda lacking: lacking,
    "whole seconds": lambda lacking: float(math.ceil(lacking)),
}


@pytest.mark.parametrize("refusal", [0.05, 0.5])
@pytest.mark.parametrize(
    ("told", "rate"), [("nothing", 0.9), ("the exact pause", 0.9), ("whole seconds", 0.85)]
)
def test_a_429_storm_comes_near_the_ideal_rate_with_little_waste(
    told: str, rate: float, refusal: float
) -> None:
    outcome = simulate(told=TOLD[told], refusal=refusal)
    assert outcome.rate >= rate
    assert outcome.waste < 0.02


def test_with_the_servers_headers_hardly_anything_is_refused() -> None:
    outcome = simulate(headers=True, told=TOLD["whole seconds"])
    assert outcome.rate >= 0.95
    assert outcome.waste < 0.005


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD.keys())
def test_a_slow_bucket_is_found_out_too(told: Callable[[float], float | None]) -> None:
    outcome = simulate(200, rate=50 / 60, burst=5.0, latency=3.0, told=told)
    assert outcome.rate >= 0.9
    assert outcome.waste < 0.15


def test_long_replies_fill_the_rate_as_well() -> None:
    outcome = simulate(1200, rate=20, burst=3.0, latency=5.0, told=TOLD["whole seconds"])
    assert outcome.rate >= 0.5  # a minute's work, of which it takes half to find out
    assert outcome.waste < 0.02


@pytest.mark.parametrize(("limit", "most"), [(3000.0, 10.0), (3000.0, 3000.0), (10.0, 10.0)])
def test_a_buckets_refill_is_told_from_its_headers_whatever_its_size(
    limit: float, most: float
) -> None:
    clock = Clock()
    quotas = Quotas(clock, clock.wall)
    for number, left in enumerate((most - 1, 0.6 * most, 0.2 * most), 1):
        full = datetime.fromtimestamp(clock.wall() + (most - left) / 50, UTC)
        told = {"limit": str(limit), "remaining": str(int(left)), "reset": full.isoformat()}
        headers = {f"anthropic-ratelimit-requests-{name}": text for name, text in told.items()}
        quotas.note(number, clock.now, headers, None)
    wait = quotas.ready(3 + int(0.2 * most)) - clock.now
    assert wait == pytest.approx(2 / 50, rel=0.15)


def test_a_refusal_costs_little_where_the_server_told_its_rate() -> None:
    clock, limiter = fresh()
    for number, left in enumerate((9.0, 4.0, 0.0), 1):
        clock.now += 0.1
        full = datetime.fromtimestamp(clock.wall() + (10 - left) / 50, UTC)
        told = {"limit": "3000", "remaining": str(int(left)), "reset": full.isoformat()}
        news = {f"anthropic-ratelimit-requests-{name}": text for name, text in told.items()}
        (ticket,) = admit(clock, limiter, 1)
        if number < 3:
            limiter.succeeded(ticket, news, Usage(1, 1))
    limiter.limited(ticket, news, 1.0)
    began = clock.now
    admit(clock, limiter, 5)
    assert clock.now - began < 1.0 + 6 / 45


def test_it_starts_gently_and_opens_while_all_goes_well() -> None:
    outcome = simulate(3000, rate=1e6, burst=1e6)
    assert outcome.windows[0] <= START + 1
    assert max(outcome.windows) == MOST
    assert outcome.refused == 0


def test_a_cap_is_never_passed() -> None:
    clock, limiter = fresh(cap=3)
    assert len(admit(clock, limiter, 10)) == 3
    assert limiter.delay() is None


def test_many_429s_of_one_moment_are_one_cut() -> None:
    clock, limiter = fresh()
    tickets = admit(clock, limiter, START)
    news = [limiter.limited(ticket, {}, None) for ticket in tickets]
    assert news == [True] + [False] * (START - 1)
    assert limiter.window == pytest.approx(0.7 * START)


def test_a_second_cut_comes_only_with_what_was_sent_after_the_first() -> None:
    clock, limiter = fresh()
    old, other = admit(clock, limiter, 2)
    limiter.limited(old, {}, None)
    limiter.release(old)
    clock.now += 60
    (new,) = admit(clock, limiter, 1)
    assert not limiter.limited(other, {}, None)
    assert limiter.limited(new, {}, None)


def test_retry_after_holds_everybody() -> None:
    clock, limiter = fresh()
    (ticket,) = admit(clock, limiter, 1)
    limiter.limited(ticket, {}, 7.0)
    limiter.release(ticket)
    assert limiter.delay() == pytest.approx(7.0)
    clock.now += 7.0
    assert limiter.delay() == 0


def test_an_overload_rests_growth_and_cuts_a_tenth_once() -> None:
    clock, limiter = fresh()
    tickets = admit(clock, limiter, START)
    limiter.delay()
    for ticket in tickets[:4]:
        limiter.loaded(ticket)
    for ticket in tickets[4:]:
        limiter.succeeded(ticket, {}, Usage())
    assert limiter.window == pytest.approx(0.9 * START)


def test_a_wall_clock_that_jumps_moves_no_admission() -> None:
    clock = Clock()
    days = count(0, 86_400)
    limiter = Limiter(clock=clock, wall=lambda: WALL + next(days))
    (ticket,) = admit(clock, limiter, 1)
    limiter.limited(ticket, {}, 2.0)
    limiter.release(ticket)
    assert limiter.delay() == pytest.approx(2.0)


def quota(limit: float, remaining: float, reset: str) -> dict[str, str]:
    prefix = "anthropic-ratelimit-input-tokens-"
    return {
        prefix + "limit": str(limit),
        prefix + "remaining": str(remaining),
        prefix + "reset": reset,
    }


def test_tokens_that_run_out_slow_admissions_before_a_429() -> None:
    clock, limiter = fresh()
    first, second = admit(clock, limiter, 2)
    full = datetime.fromtimestamp(clock.wall() + 60, UTC).isoformat()
    limiter.succeeded(second, quota(60_000, 1000, full), Usage(input=1000))
    limiter.release(first)
    limiter.release(second)
    wait = limiter.delay()
    assert wait is not None
    assert 0.5 < wait < 3  # about 1000 tokens flow in per second


@given(st.lists(st.sampled_from(["good", "429", "wait", "529", "cut"]), max_size=60))
def test_whatever_comes_the_window_stays_within_its_bounds(answers: list[str]) -> None:
    clock, limiter = fresh(cap=20)
    for answer in answers:
        tickets = admit(clock, limiter, 3)
        clock.now += 0.3
        for ticket in tickets:
            if answer == "good":
                limiter.succeeded(ticket, {}, Usage())
            elif answer in {"429", "wait"}:
                limiter.limited(ticket, {}, 1.0 if answer == "wait" else None)
            else:
                limiter.loaded(ticket)
                if answer == "cut":
                    limiter.probe()
            limiter.release(ticket)
        assert 1 <= limiter.window <= 20
    assert limiter.in_flight == 0
    wait = limiter.delay()
    assert wait is not None
    assert wait <= 60


@given(st.dictionaries(st.sampled_from(["limit", "remaining", "reset"]), st.text(max_size=20)))
def test_headers_that_make_no_sense_are_no_headers(values: dict[str, str]) -> None:
    clock, limiter = fresh()
    (ticket,) = admit(clock, limiter, 1)
    headers = {f"anthropic-ratelimit-requests-{name}": value for name, value in values.items()}
    limiter.succeeded(ticket, headers, Usage())
    limiter.release(ticket)
    assert len(admit(clock, limiter, 2)) == 2
