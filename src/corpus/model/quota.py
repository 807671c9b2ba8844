"""What the server says is left of its quotas, reckoned forward to the next admission.

``anthropic-ratelimit-<name>-{limit,remaining,reset}`` describe token buckets as of the moment a
call was let in: what is left, and when it is full again, which together tell how fast it refills.
The limit is a minute's; a bucket may hold less than that ("60 a minute may be enforced as one
a second"), and then the most that was ever seen left tells its size. Calls admitted since then have
taken their share, in requests or in tokens. This room is pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from corpus.records import Usage

NAMES = ("requests", "input-tokens", "output-tokens", "tokens")
SPARE = 1.0  # calls' worth that is left in a bucket: others may draw on it too
FURTHEST = 300.0  # seconds: a reset beyond that is no bucket's
TOLD = 0.3  # share of a bucket that must be gone before its reset tells how fast it refills
COARSE = 5.0  # seconds: a nearer reset that is given in whole seconds tells no rate
SKEW = 2.0  # seconds between the server's clock and ours that its date, in whole ones, can show
MINUTE = 60.0  # seconds in which a bucket as large as its limit fills
ALIKE = 1.5  # times that a refill may differ from the limit's own and still be that


@dataclass(slots=True)
class _Quota:
    """One bucket as of the newest call that told of it."""

    number: int
    at: float  # monotonic seconds
    remaining: float
    limit: float
    most: float  # that was ever seen to remain
    refill: float  # units per second


class Quotas:
    """The buckets of one client."""

    def __init__(self, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self._clock = clock
        self._wall = wall
        self._quotas: dict[str, _Quota] = {}
        self._takes = {"requests": 1.0}  # what a call takes of each bucket, on average

    def note(
        self, number: int, sent: float, headers: Mapping[str, str], usage: Usage | None
    ) -> None:
        """Take in the headers of an answer; an older call's news are no news."""
        if "anthropic-ratelimit-requests-limit" not in headers and not any(
            f"anthropic-ratelimit-{name}-limit" in headers for name in NAMES[1:]
        ):
            return
        if usage is not None:
            self._learn(usage)
        ours, theirs = self._wall(), _date(headers.get("date", ""))
        wall = ours if theirs is None or abs(ours - theirs) < SKEW else theirs
        for name in NAMES:
            known = self._quotas.get(name)
            read = _read(f"anthropic-ratelimit-{name}-", headers)
            if read is None or (known is not None and known.number >= number):
                continue
            limit, remaining, reset = read
            wait = reset - wall + (self._clock() - sent)
            same = known if known is not None and known.limit == limit else None
            most = max(remaining + self._takes.get(name, 0.0), same.most if same else 0.0)
            refill = same.refill if same else 0.0
            sharp = wait >= COARSE or reset % 1
            if sharp and 0 < wait <= FURTHEST:
                seen = _refill(limit, min(most, limit), remaining, wait)
                refill = 0.9 * refill + 0.1 * seen if refill and seen else refill or seen
            self._quotas[name] = _Quota(number, sent, remaining, limit, most, refill)

    def ready(self, admitted: int) -> float:
        """The monotonic second at which every bucket should hold enough for one more call."""
        ready = -math.inf
        for name, quota in self._quotas.items():
            takes = self._takes.get(name, 0.0)
            wanted = (admitted - quota.number + 1 + SPARE) * takes - quota.remaining
            if wanted > 0 and quota.refill > 0:
                ready = max(ready, quota.at + wanted / quota.refill)
        return ready

    def rate(self) -> float | None:
        """Calls per second that flow into a bucket that is empty; None if none is, or none told.

        A refusal while all buckets hold something has another reason, and tells nothing of them.
        """
        rates = [
            quota.refill / self._takes[name]
            for name, quota in self._quotas.items()
            if quota.refill > 0 and 0 < self._takes.get(name, 0.0) > quota.remaining
        ]
        return min(rates, default=None)

    def _learn(self, usage: Usage) -> None:
        fresh = usage.input + usage.cache_write  # what is read from a cache is not counted
        seen = {
            "input-tokens": fresh,
            "output-tokens": usage.output,
            "tokens": fresh + usage.output,
        }
        for name, tokens in seen.items():
            before = self._takes.get(name, float(tokens))
            self._takes[name] = 0.9 * before + 0.1 * tokens


def _refill(limit: float, most: float, remaining: float, wait: float) -> float:
    """Units per second that fill a bucket in ``wait`` seconds; 0 where that cannot be told yet.

    A bucket that fills in a minute is as large as its limit; one that does not is as large as the
    most that was seen in it.
    """
    told = limit - remaining >= TOLD * limit
    whole = (limit - remaining - 0.5) / wait  # what remains was rounded down
    if told and limit / MINUTE / ALIKE <= whole <= limit / MINUTE * ALIKE:
        return whole
    return (most - remaining - 0.5) / wait if most - remaining >= TOLD * most else 0.0


def _read(prefix: str, headers: Mapping[str, str]) -> tuple[float, float, float] | None:
    """Limit, remaining and the wall second of the reset, if all three are there and sane."""
    try:
        limit = float(headers[prefix + "limit"])
        remaining = float(headers[prefix + "remaining"])
        reset = datetime.fromisoformat(headers[prefix + "reset"])
    except (KeyError, ValueError):
        return None
    sane = limit > 0 and 0 <= remaining <= limit
    moment = reset if reset.tzinfo else reset.replace(tzinfo=UTC)
    return (limit, remaining, moment.timestamp()) if sane else None


def _date(value: str) -> float | None:
    """The server's own clock, so that ours may be wrong."""
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError):
        return None
