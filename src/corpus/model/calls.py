"""One request until it has a reply: attempts, each with its own row in the journal.

The SDK would silently send a request again when a reply was cut off after it had been generated
and billed, up to three times for one answer. Its retries are off. What is free to try again (the
server said no before it worked) is tried as long as the run has patience; what has an unknown
outcome (cut off after sending) once more only, and both are counted apart. When nothing at all is
answered any more, the breaker ends the run, which can be resumed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

import anthropic
import httpx2

from corpus.errors import BudgetReached, CorpusError
from corpus.model.failures import Failure, failure_in, failure_of
from corpus.model.gate import Gate, Halt, Mail, Stopping
from corpus.model.limiter import Limiter, Ticket
from corpus.model.patience import Breaker, Patience, silent
from corpus.model.prices import Price, Purse
from corpus.model.replies import read_reply
from corpus.model.wire import Cache, prefix, wire
from corpus.records import Reply, Request

if TYPE_CHECKING:
    from corpus.model.journal import Journal


class Caller:
    """Sends requests over one client; everything runs on the loop on which it was made."""

    def __init__(
        self,
        client: anthropic.AsyncAnthropic,
        journal: Journal,
        price: Price | None,
        purse: Purse,
        limiter: Limiter,
        *,
        cached: bool = False,
        patience: Patience | None = None,
    ) -> None:
        self._gate = Gate(limiter)
        self._client = client
        self._journal = journal
        self._price = price
        self._purse = purse
        self._limiter = limiter
        self._cached = cached
        self._patience = patience or Patience()
        self._breaker = Breaker(self._patience, time.monotonic)
        self._mail = Mail()
        self._holding = 0  # calls with a reservation
        self._freed: asyncio.Event = asyncio.Event()

    async def enter(self, request: Request, halt: Halt) -> tuple[Ticket, int | None]:
        """Reserve the worst case of ``request`` and wait for an admission.

        Raises:
            BudgetReached: it does not fit, and nothing in flight could make room.
            Stopping: the run is ending.
        """
        worst = None if self._price is None else self._price.worst(request)
        while not self._purse.reserve(worst):
            if not self._holding:
                raise BudgetReached(
                    "the budget is reached: the next request could pass it; run the same command "
                    "with a larger --budget to go on"
                )
            self._freed.clear()
            await self._freed.wait()
            if halt.is_set():
                raise Stopping
        self._holding += 1
        try:
            return await self._gate.enter(halt), worst
        except BaseException:  # a cancelled wait gives its money back as well
            self._settle(worst, 0)
            raise

    async def call(
        self, request: Request, ticket: Ticket, worst: int | None, halt: Halt, cache: Cache = "5m"
    ) -> Reply:
        """Send ``request`` until it is answered, refused for good, or no longer worth a try.

        A long prefix is kept in the provider's cache for ``cache``, where the writer has one.

        Raises:
            BudgetReached: another attempt's worst case does not fit into the budget.
            ProviderStopped: key, credit, spend limit or model; no other request would do better.
            Interrupted: the provider cannot be reached or asks for a long pause.
        """
        try:
            return await self._until_done(request, ticket, worst, halt, cache)
        except CorpusError as error:
            halt.because(error)  # before anybody else is let in
            raise

    async def _until_done(
        self, request: Request, ticket: Ticket, worst: int | None, halt: Halt, cache: Cache
    ) -> Reply:
        tries = {"unknown": 0, "error": 0, "limited": 0}
        answers = self._breaker.answers
        while True:
            outcome = await self._attempt(request, ticket, worst, cache)
            if isinstance(outcome, Reply):
                return outcome
            if outcome.stops is not None:
                raise outcome.stops
            if outcome.terminal:
                return _given_up(request, f"error_{outcome.status or 'invalid'}")
            tries["limited" if outcome.kind == "limited" else outcome.state] += 1
            if tries["unknown"] >= self._patience.unknown:
                return _given_up(request, "error_unknown")
            if tries["error"] >= self._patience.free:
                if self._breaker.answers == answers:
                    raise silent(self._where, outcome, f"{tries['error']} times in a row")
                return _given_up(request, f"error_{outcome.status or 'connection'}")
            if outcome.pause is None:  # else the gate stays shut for as long as the server asked
                with contextlib.suppress(TimeoutError):
                    pause = self._patience.jitter(sum(tries.values()))
                    await asyncio.wait_for(halt.wait(), pause)
            ticket, worst = await self.enter(request, halt)

    def wake(self) -> None:
        """Have those who wait for the budget or the gate look whether the run goes on."""
        self._gate.wake()
        self._freed.set()

    async def close(self) -> None:
        """Close the client's connections, when the journal has noted what was cancelled."""
        await self._mail.of(self._journal.submit(lambda _: None))
        await self._client.close()

    @property
    def _where(self) -> str:
        return str(self._client.base_url)

    async def _attempt(
        self, request: Request, ticket: Ticket, worst: int | None, cache: Cache
    ) -> Reply | Failure:
        cost: int | None = worst  # if it is cancelled
        try:
            number = await self._intend(request, worst)
            outcome = await self._send(request, number, cache)
            if isinstance(outcome, Failure):
                cost = worst if outcome.state == "unknown" else 0
                note = self._journal.fail(number, outcome.state, outcome.status, outcome.detail)
                await self._mail.of(note)
                self._heed(outcome, ticket)
                return outcome
            body = outcome.text
            reply = read_reply(request.key, body, self._price)
            self._breaker.answered()
            self._limiter.succeeded(ticket, outcome.headers, reply.usage)
            cost = worst if reply.cost is None else reply.cost
            name = outcome.headers.get("request-id", "")
            kept = self._journal.keep(number, request.key, body, request_id=name, cost=reply.cost)
            await self._mail.of(kept)
            return reply
        finally:
            self._settle(worst, cost)
            self._gate.leave(ticket)

    async def _intend(self, request: Request, worst: int | None) -> int:
        noted = self._journal.intend(request, worst)
        try:
            return await self._mail.of(noted)
        except asyncio.CancelledError:
            noted.add_done_callback(self._unsent)
            raise

    def _unsent(self, noted: Future[int]) -> None:
        if noted.exception() is None:
            self._journal.fail(noted.result(), "error", None, "stopped before it was sent")

    async def _send(self, request: Request, number: int, cache: Cache) -> httpx2.Response | Failure:
        """Post a request and read all of its answer, by the deadline.

        The SDK's ``post`` and not ``messages.create``: its client, keys, headers and errors, but
        the body travels as it was journaled and comes back as it was sent.
        """
        marked = self._cached and prefix(request) is not None
        limit = self._patience.limit(request)
        try:
            async with asyncio.timeout(limit):
                response = await self._client.post(
                    "/v1/messages",
                    cast_to=httpx2.Response,
                    body=wire(request, cache if marked else None),
                )
        except TimeoutError:
            return Failure("unknown", f"no answer within {limit:.0f} s", kind="cut")
        except asyncio.CancelledError:
            self._journal.fail(number, "unknown", None, "stopped while it was under way")
            raise
        except (anthropic.AnthropicError, httpx2.RequestError, OSError, ValueError) as error:
            if (failure := failure_of(error)) is None:
                raise
            return failure
        return failure_in(response) or response

    def _heed(self, failure: Failure, ticket: Ticket) -> None:
        """Tell the limiter and the breaker, and slow everybody down where the line is at fault."""
        if failure.kind == "limited":
            if self._limiter.limited(ticket, failure.headers, failure.pause):
                window = f"{self._limiter.window:.0f} at a time"
                self._journal.event("rate_limited", f"{failure.detail}; on with {window}")
        elif failure.kind:
            self._limiter.loaded(ticket)
            self._limiter.hold(failure.pause or 0.0)
        if failure.stops is None:
            episode = self._breaker.failed(failure, ticket, self._where)
            if episode > 1:
                self._limiter.hold(self._patience.jitter(episode))
                if failure.kind == "cut":
                    self._limiter.probe()

    def _settle(self, worst: int | None, cost: int | None) -> None:
        self._purse.settle(worst, cost)
        self._holding -= 1
        self._freed.set()


def _given_up(request: Request, stop: str) -> Reply:
    return Reply(request.key, "", stop, request.model)
