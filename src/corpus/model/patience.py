"""How long to go on in trouble, and when a run that nobody answers has to end.

This room is pure: it counts what it is told, on a clock that is handed in.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from corpus.errors import CorpusError, Interrupted, ProviderStopped
from corpus.model.failures import Failure
from corpus.model.limiter import Ticket
from corpus.records import Request

_SLOWEST = 128_000 / 3600  # tokens per second: the SDK's own reckoning of a long reply


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on; seconds and counts, all of one run's calls."""

    deadline: float = 600.0  # of one attempt, body included; more for long replies
    unknown: int = 2  # attempts of one request whose outcome is unknown
    free: int = 8  # attempts of one request that were refused before work, while others succeed
    cuts: int = 5  # episodes of cut connections in a row, over all requests
    faults: int = 12  # episodes of any failure in a row, over all requests
    invalid: int = 25  # requests in a row that the server finds invalid
    silence: float = 1800.0  # since the last answer, while there is nothing but 429s
    backoff: float = 0.5  # the first pause is half as long on average, each next one twice that
    longest: float = 30.0  # pause of our own
    drain: float = 30.0  # that calls in flight may still take after a first Ctrl-C

    def limit(self, request: Request) -> float:
        """Seconds for one attempt of ``request``."""
        return max(self.deadline, request.max_tokens / _SLOWEST if self.deadline >= 1 else 0.0)

    def jitter(self, tries: int) -> float:
        """Seconds to wait after that many failures: exponential, with full jitter."""
        most = min(self.longest, self.backoff * 2.0 ** (tries - 1))
        return random.uniform(0.0, most)  # noqa: S311 - no secret


class Breaker:
    """Ends the run when failures come without an answer in between.

    Failures are counted in episodes: all attempts that were sent before the last counted failure
    belong to it, so that one broken line is one failure however many calls it cut.
    """

    def __init__(self, patience: Patience, clock: Callable[[], float]) -> None:
        self.answers = 0
        self._patience = patience
        self._clock = clock
        self._last_answer = clock()
        self._counted = -math.inf
        self._faults = self._cuts = self._invalid = 0

    def answered(self) -> None:
        """A reply came."""
        self.answers += 1
        self._last_answer = self._clock()
        self._faults = self._cuts = self._invalid = 0

    def failed(self, failure: Failure, ticket: Ticket, where: str) -> int:
        """Count a failure; the number of its episode, or 0 if it is an old one's.

        Raises:
            Interrupted: there were too many.
            ProviderStopped: the server finds every request invalid.
        """
        if failure.terminal:
            self._invalid += 1
            if self._invalid >= self._patience.invalid:
                raise ProviderStopped(
                    f"{self._invalid} requests in a row were refused ({failure.detail}); mend "
                    f"what the server complains about, then run the same command again"
                )
            return 0
        quiet = self._clock() - self._last_answer
        if failure.kind == "limited":
            if quiet > self._patience.silence:
                raise silent(where, failure, f"nothing but refusals for {quiet:.0f} s")
            return 0
        if ticket.sent < self._counted:
            return 0
        self._counted = self._clock()
        self._faults += 1
        self._cuts += failure.state == "unknown"
        if self._cuts >= self._patience.cuts or self._faults >= self._patience.faults:
            raise silent(where, failure, f"{self._faults} times in a row")
        return self._faults


def silent(where: str, failure: Failure, how: str) -> CorpusError:
    """What ends a run that is not answered."""
    return Interrupted(
        f"the model at {where} does not answer, {how} ({failure.detail}); run the same command "
        f"again to go on"
    )
