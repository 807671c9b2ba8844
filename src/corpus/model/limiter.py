"""How many calls at a time, and how fast: found out from the server's answers, with no sleep in it.

Two things bound admissions. A *window* of calls in flight grows by half a call per reply at first,
and by one per clean round after the first 429; it is cut to 0.7 once per episode. A *pace* spreads
admissions over time: first over the latency, then, after a 429, at the rate that the server's token
bucket was seen to refill. Where the server tells what is left (``anthropic-ratelimit-*``), its
bucket is reckoned forward, and a call that it would refuse is not sent. An *episode* is one cut and
all bad news about calls that were sent before it: a hundred 429s of one moment are one message.

The window is AIMD (Chiu and Jain 1989); the pace is rate-based, as in CUBIC (RFC 9438) and BBR.
Time comes from a clock that is handed in, so a simulation needs no waiting. This room is pure.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from corpus.model.quota import Quotas
from corpus.records import Usage

START = 8  # calls in flight at first
MOST = 256  # calls in flight at most where nobody set a number
CUT, SOFT_CUT = 0.7, 0.9  # of the window: once per episode of 429s, of overload
FIRST_CUT = 0.8  # of the rate at the first 429: the bucket's first filling helped then
PACE_CUT = 0.95  # of the refill rate as it was estimated later
KNOWN_CUT = 0.97  # of the refill rate where the server told it
SHORT, SHORT_CUT = 3.0, 0.85  # ... and where it was watched for fewer seconds than that
WATCHED = 5.0  # seconds between two refusals that may bring the pace down by more than CUT
ENOUGH = 20  # calls between two refusals that tell a rate
PROBE, UNSURE = 0.002, 0.006  # growth of the pace per second; until two cuts agree on a rate
LOST, REGAIN = 0.75, 0.03  # below that share of the best pace known it grows faster
DOUBLES = 30.0  # seconds in which that growth doubles while all goes well
AHEAD = 1.25  # the pace over window/latency: the window decides, the pace only smooths
FIRST_PACE = 20.0  # admissions per second before any latency is known
RAMP = 1.0  # seconds of calls in flight with no bad news: the window grows by a tenth
HELD = 5.0  # seconds without growth after an overload
RECENT = 30.0  # seconds of admissions that are remembered
CREDIT = 0.005  # seconds of pace that a late event loop may make up for


@dataclass(frozen=True, slots=True)
class Ticket:
    """An admission: its number, and when it was given (monotonic seconds)."""

    number: int
    sent: float


class Limiter:
    """The limiter of one client; every answer of the server is reported to it once.

    Args:
        cap: calls in flight at most; None leaves it to the server, up to ``MOST``.
        clock: monotonic seconds.
        wall: seconds since 1970, only to read when a quota is full again.
    """

    def __init__(
        self,
        cap: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.window = float(min(START, cap or MOST))
        self.in_flight = 0
        self.until = -math.inf  # nobody is admitted before
        self.quotas = Quotas(clock, wall)
        self._cap = cap or MOST
        self._clock = clock
        self._admitted = 0
        self._starting = True
        self._recent: deque[Ticket] = deque()  # of those not known to be refused
        self._refused: set[int] = set()
        self._latency: float | None = None
        self._rate: float | None = None  # admissions per second, once a 429 told
        self._probe = UNSURE
        self._best = 0.0  # of the rates that 429s told
        self._rated = 0.0  # when it was last brought up to date
        self._episode = self._resumed = -math.inf  # the last cut, and the end of its pause
        self._covered = -math.inf  # what was sent before belongs to the last cut
        self._soft = self._held = -math.inf
        self._next = -math.inf  # when the pace allows another
        self._clean = 0
        self._full = False
        self._ramped = clock()

    def delay(self) -> float | None:
        """Seconds until a call may be admitted, 0 for now, None until one in flight has ended."""
        now = self._clock()
        if self.in_flight >= int(self.window):
            self._full = True
            if not self._starting or self.window >= self._cap:
                return None
            if now < self._ramped + RAMP:
                return self._ramped + RAMP - now
            self._ramped = now
            self._grow(max(1.0, 0.1 * self.window))
        quota = self.quotas.ready(self._admitted)
        return max(0.0, self.until - now, self._next - now, quota - now)

    def admit(self) -> Ticket:
        """Count a call in; only after ``delay`` was 0."""
        now = self._clock()
        pace = self._pace(now)
        self._next = max(self._next, now - max(CREDIT, 2 / pace)) + 1 / pace
        self._admitted += 1
        self.in_flight += 1
        ticket = Ticket(self._admitted, now)
        self._recent.append(ticket)
        while self._recent[0].sent < now - RECENT:
            self._refused.discard(self._recent.popleft().number)
        return ticket

    def release(self, _ticket: Ticket) -> None:
        """Count a call out, whatever became of it."""
        self.in_flight -= 1

    def succeeded(self, ticket: Ticket, headers: Mapping[str, str], usage: Usage) -> None:
        """A call was answered: the window may grow, and the quotas of its headers are noted."""
        now = self._clock()
        took = now - ticket.sent
        self._latency = took if self._latency is None else 0.8 * self._latency + 0.2 * took
        self.quotas.note(ticket.number, ticket.sent, headers, usage)
        if ticket.sent < max(self._covered, self._soft) or now < self._held:
            return
        self._clean += 1
        if self._starting and self._full:
            self._grow(0.5)
        elif self._full and self.window < (self._rate or 0.0) * self._latency:
            self._grow(0.5)  # too small for the rate that is known: as at first
            self._full = False
        elif self._clean >= self.window:
            self._clean = 0
            if self._full:
                self._grow(1.0)
                self._full = False

    def limited(self, ticket: Ticket, headers: Mapping[str, str], pause: float | None) -> bool:
        """A 429: one cut per episode, and True if it begins one; the pause holds for all."""
        now = self._clock()
        self._refused.add(ticket.number)
        self.quotas.note(ticket.number, ticket.sent, headers, None)
        news = ticket.sent >= self._covered
        if news:
            if self._rate is None or self._full:  # else the pace was at fault, not the window
                self.window = max(1.0, CUT * self.window)
            self._probe = UNSURE if self._rate is None else PROBE
            known = self.quotas.rate()
            found = self._refill(ticket.sent, now) if known is None else KNOWN_CUT * known
            self._rate = max(found, 1 / RECENT)
            self._best = max(CUT * self._best, self._rate)
            self._starting, self._full, self._clean = False, False, 0
            self._episode = self._resumed = self._rated = now
            self._covered = now + 2 / self._rate  # the bucket is empty for a moment yet
        if pause:
            self.until = max(self.until, now + pause)
            self._resumed = self._rated = max(self._resumed, self.until)
        return news

    def loaded(self, ticket: Ticket) -> None:
        """An overload or a cut connection: growth rests, and the window gives way a little."""
        now = self._clock()
        self._held = now + HELD
        if ticket.sent >= self._soft:
            self._soft = now
            self._starting = False
            self.window = max(1.0, SOFT_CUT * self.window)

    def probe(self) -> None:
        """One call at a time, until it is answered and the window opens as at first."""
        self.window, self._starting = 1.0, True

    def hold(self, seconds: float) -> None:
        """Admit nobody for so long."""
        self.until = max(self.until, self._clock() + seconds)

    def _grow(self, by: float) -> None:
        self.window = min(self.window + by, float(self._cap))

    def _pace(self, now: float) -> float:
        """Admissions per second as of now."""
        smooth = FIRST_PACE
        if self._latency is not None:
            smooth = AHEAD * self.window / max(self._latency, 1e-4)
        if self._rate is None:
            return smooth
        if now > self._rated:
            calm = now - self._resumed
            lost = self._rate < LOST * self._best  # a storm, not the bucket, brought it down
            growth = (REGAIN if lost else self._probe) * min(2 ** (calm / DOUBLES), 25.0)
            self._rate *= math.exp(growth * min(now - self._rated, 1.0))
            self._rated = now
        return min(smooth, self._rate)

    def _refill(self, sent: float, now: float) -> float:
        """A little less than the calls per second that flow into the server's bucket.

        At both of the last refusals it was empty, so what it took between them flowed in: over the
        whole time, if the pause did not let it run over; over the time since the pause, if it did,
        which is likelier the more calls it took. At the first refusal only the last second can
        tell.
        """
        start = self._episode
        if self._rate is None:
            start = now - max(1.0, self._latency or 0.0)
        start = max(start, self._recent[0].sent, now - RECENT)
        taken = [t for t in self._recent if start <= t.sent <= sent]
        count = max(1, len(taken) - sum(t.number in self._refused for t in taken))
        whole = max(sent - start, 0.05)
        if self._rate is None:
            return FIRST_CUT * count / whole
        active = min(whole, max(sent - max(self._resumed, start), 0.05))
        share = max(active / whole, min(1.0, count / ENOUGH))
        rate = float((count / active) ** share * (count / whole) ** (1 - share))
        if whole < WATCHED:  # the window, still full of older calls, may have let few in
            rate = max(rate, CUT * self._rate)
        return (PACE_CUT if active >= SHORT else SHORT_CUT) * min(rate, self._rate)
