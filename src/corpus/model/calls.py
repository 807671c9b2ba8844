"""Direct calls through the official SDK: its retries switched off, ours in their place.

The SDK would silently send a request again when a reply was cut off after it had been generated and
billed, up to three times for one answer. Here each attempt has its own row in the journal, and what
is *free to retry* (the server said no before it worked) is kept apart from what has an *unknown
outcome* (cut off after sending), which is tried again once only.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import anthropic

from corpus.errors import BudgetReached, CorpusError, Interrupted, ProviderStopped
from corpus.model.journal import Journal
from corpus.model.prices import Price, Purse
from corpus.model.replies import read_reply
from corpus.records import Reply, Request

DEADLINE = 600.0  # seconds for one attempt, body included; the SDK's own timeout is per read
FREE_TRIES = 8  # refused before work began: 429, 529, 5xx, no connection
UNKNOWN_TRIES = 2  # cut off after sending: may have been billed
LONGEST_PAUSE = 60.0  # seconds; a longer retry-after stops the run, it can be resumed

_HOPELESS = {401, 402, 403, 404}
_INVALID = {400, 413, 422}
_SPENT = ("spend limit", "spend_limit", "credit balance")


@dataclass(slots=True)
class _Failure:
    """What an attempt without a reply means: is another try free, is it any use?"""

    state: str  # the journal's word: refused, error, unknown
    detail: str
    status: int | None = None
    pause: float | None = None  # seconds that the server asked for
    terminal: bool = False  # this request will never do; others may
    stops: CorpusError | None = None  # no other request would do better either


class Caller:
    """Sends requests over one client; every call runs on the same event loop."""

    def __init__(
        self, client: anthropic.AsyncAnthropic, journal: Journal, price: Price | None, purse: Purse
    ) -> None:
        self._client = client
        self._journal = journal
        self._price = price
        self._purse = purse
        self._settled = asyncio.Condition()

    async def call(self, request: Request) -> Reply:
        """Send ``request`` until it is answered, refused for good, or no longer worth a try.

        Raises:
            BudgetReached: its worst case does not fit into what is left of the budget.
            ProviderStopped: key, credit, spend limit or model; no other request would do better.
            Interrupted: the provider cannot be reached or asks for a long pause.
        """
        free, unknown = 0, 0
        while True:
            outcome = await self._attempt(request)
            if isinstance(outcome, Reply):
                return outcome
            if outcome.stops is not None:
                raise outcome.stops
            if outcome.terminal:
                return Reply(request.key, "", f"error_{outcome.status}", request.model)
            unknown += outcome.state == "unknown"
            free += outcome.state != "unknown"
            if unknown >= UNKNOWN_TRIES or free >= FREE_TRIES:
                raise Interrupted(
                    f"the model at {self._client.base_url} does not answer ({outcome.detail}); "
                    f"run the same command again to go on"
                )
            await asyncio.sleep(_pause(free + unknown, outcome.pause))

    async def close(self) -> None:
        """Close the client's connections."""
        await self._client.close()

    async def _attempt(self, request: Request) -> Reply | _Failure:
        worst = None if self._price is None else self._price.worst(request)
        await self._reserve(worst)
        cost: int | None = None
        try:
            number = await asyncio.wrap_future(self._journal.intend(request, worst))
            outcome = await self._send(request)
            if isinstance(outcome, _Failure):
                cost = worst if outcome.state == "unknown" else 0
                failed = self._journal.fail(number, outcome.state, outcome.status, outcome.detail)
                await asyncio.wrap_future(failed)
                return outcome
            body, request_id = outcome
            reply = read_reply(request.key, body, self._price)
            cost = worst if reply.cost is None else reply.cost
            kept = self._journal.keep(
                number, request.key, body, request_id=request_id, cost=reply.cost
            )
            await asyncio.wrap_future(kept)
            return reply
        finally:
            async with self._settled:
                self._purse.settle(worst, cost)
                self._settled.notify_all()

    async def _reserve(self, worst: int | None) -> None:
        """Wait until the worst case fits; give up when nothing in flight could make room."""
        async with self._settled:
            while not self._purse.reserve(worst):
                if self._purse.reserved == 0:
                    raise BudgetReached(
                        "the budget is reached: the next request could pass it; run the same "
                        "command with a larger --budget to go on"
                    )
                await self._settled.wait()

    async def _send(self, request: Request) -> tuple[str, str] | _Failure:
        try:
            async with asyncio.timeout(DEADLINE):
                raw = await self._create(request)
                body = raw.text()
                return await body if isinstance(body, Awaitable) else body, (
                    raw.headers.get("request-id") or ""
                )
        except TimeoutError:
            return _Failure("unknown", f"no answer within {DEADLINE:.0f} s")
        except anthropic.APIStatusError as error:
            return _status_failure(error)
        except anthropic.APITimeoutError:
            return _Failure("unknown", "timed out")
        except anthropic.APIConnectionError as error:
            # A refused connection never reached the server; anything later might have.
            text = repr(error.__cause__ or error)
            return _Failure("error" if "ConnectError" in text else "unknown", text)

    async def _create(self, request: Request) -> Any:  # noqa: ANN401 - the SDK's raw response
        create: Any = self._client.messages.with_raw_response.create  # the body is data, not typed
        return await create(**request.body(), timeout=DEADLINE)


def _status_failure(error: anthropic.APIStatusError) -> _Failure:
    """Sort an error reply: stop the run, give this request up, or try again."""
    detail = f"{error.status_code} {error.message}"[:300]
    status = error.status_code
    if status in _HOPELESS or any(word in detail.lower() for word in _SPENT):
        stop: CorpusError = ProviderStopped(
            f"the provider refuses to go on: {detail}; check the key, the credit and the model, "
            f"then run the same command again"
        )
        return _Failure("refused", detail, status, stops=stop)
    if status in _INVALID:
        return _Failure("refused", detail, status, terminal=True)
    pause = _seconds(error.response.headers.get("retry-after"))
    if pause is not None and pause > LONGEST_PAUSE:
        stop = Interrupted(
            f"the provider asks for a pause of {pause:.0f} s ({detail}); run the same command "
            f"again after it"
        )
        return _Failure("error", detail, status, stops=stop)
    return _Failure("error", detail, status, pause)


def _seconds(value: str | None) -> float | None:
    try:
        return None if value is None else max(0.0, float(value))
    except ValueError:
        return None


def _pause(tries: int, asked: float | None) -> float:
    """Seconds to wait: what the server asked for, else exponential with full jitter."""
    backoff = min(LONGEST_PAUSE, 0.5 * 2**tries)
    return asked if asked is not None else random.uniform(0.1, backoff)  # noqa: S311 - no secret
