"""The one door to a model: requests in, replies out, nothing bought twice.

``Model.answer`` takes many requests and yields a reply for each. Where it comes from (the journal,
a direct call, later a batch), concurrency, retries and the budget live behind that one method, so
a stage is two pure functions and never sees a coroutine. This room is the only one that knows
``anthropic``.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import queue
import threading
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from corpus.errors import CorpusError, InputError, Interrupted
from corpus.model.journal import Journal
from corpus.model.prices import Price, Purse, price_of
from corpus.model.replies import read_reply
from corpus.records import Reply, Request

if TYPE_CHECKING:
    from corpus.model.calls import Caller

ALL_STAGES = frozenset({"principles", "message", "draft", "rewrite", "judge"})
DRAIN = 30.0  # seconds that calls in flight may still take after a first Ctrl-C


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: where it is reached and what it can do.

    ``stages`` are the model stages that it can serve; the others are skipped, and the report says
    so. ``compact`` asks for short prompts and short texts; ``quality`` marks what it writes.
    """

    name: str
    model: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    stages: frozenset[str] = ALL_STAGES
    concurrency: int = 16
    compact: bool = False
    quality: str | None = None
    free: bool = False  # runs here: costs nothing


@dataclass(slots=True)
class Tally:
    """What one stage was answered: tokens and micro-dollars of all replies, whenever bought.

    ``replayed`` of them came from the journal; ``saved`` is what those had cost.
    """

    asked: int = 0
    input: int = 0
    output: int = 0
    cost: int = 0
    unpriced: int = 0
    replayed: int = 0
    saved: int = 0


class Model:
    """A writer behind a journal.

    Args:
        writer: who writes.
        journal: where replies are kept and looked up first.
        budget: micro-dollars that this output may cost in all, or None.
        prices: the user's own prices by model.

    Raises:
        InputError: a budget over a model without a price, or a key that would travel in clear.
    """

    def __init__(
        self,
        writer: Writer,
        journal: Journal,
        *,
        budget: int | None = None,
        prices: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.writer = writer
        self.price = FREE if writer.free else price_of(writer.model, prices or {})
        check_budget(writer, self.price, budget)
        check_address(writer)
        paid, possibly = journal.spent()
        self.purse = Purse(budget, paid + possibly)
        self.unknown = possibly
        self.tally: dict[str, Tally] = {}
        self._journal = journal
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._caller: Caller | None = None
        self._gate = asyncio.Semaphore(writer.concurrency)
        self._stopping = False

    def answer(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Yield one reply per distinct request, those of the journal first, in no fixed order.

        Each reply was committed to the journal before it is yielded.

        Raises:
            BudgetReached, ProviderStopped, DiskError: after the calls in flight have ended.
            Interrupted: on Ctrl-C, or when the provider cannot be reached.
        """
        pending = {request.key: request for request in requests}
        yield from self._replay(pending)
        if pending:
            yield from self._ask(list(pending.values()))

    def close(self) -> None:
        """Cancel what is still in flight, and end the client and its event loop."""
        if self._loop is None or self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None

    async def _shut(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._caller is not None:
            await self._caller.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _replay(self, pending: dict[str, Request]) -> Iterator[Reply]:
        bodies = self._journal.replies(list(pending))
        for key, body in bodies.items():
            reply = read_reply(key, body, self.price, replayed=True)
            self._count(pending.pop(key), reply)
            yield reply

    def _ask(self, requests: list[Request]) -> Iterator[Reply]:
        """Run the calls on the loop; on the first failure admit no more and let the rest end."""
        done: queue.SimpleQueue[tuple[Request, Future[Reply]]] = queue.SimpleQueue()
        self._stopping = False
        for request in requests:
            future = self._run(self._one(request))
            future.add_done_callback(partial(_hand_over, done, request))
        failure: BaseException | None = None
        for _ in requests:
            try:
                request, future = done.get(timeout=DRAIN if failure else None)
            except queue.Empty:
                break
            except KeyboardInterrupt:
                self._stopping = True
                failure = failure or Interrupted("stopped; run the same command again to go on")
                continue
            error = future.exception()
            if error is None:
                self._count(request, future.result())
                yield future.result()
            elif failure is None or isinstance(failure, _NotAdmitted):
                self._stopping, failure = True, error
        if failure is not None:
            raise failure

    async def _one(self, request: Request) -> Reply:
        async with self._gate:
            if self._stopping:
                raise _NotAdmitted("not sent; run the same command again to go on")
            if self._caller is None:
                self._caller = _caller(self.writer, self._journal, self.price, self.purse)
            try:
                return await self._caller.call(request)
            except CorpusError:
                self._stopping = True  # whoever waits at the gate is not let in
                raise

    def _run(self, work: Coroutine[Any, Any, Reply]) -> Future[Reply]:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _count(self, request: Request, reply: Reply) -> None:
        tally = self.tally.setdefault(request.stage, Tally())
        tally.asked += 1
        tally.replayed += reply.replayed
        tally.saved += (reply.cost or 0) * reply.replayed
        tally.input += reply.usage.input + reply.usage.cache_write + reply.usage.cache_read
        tally.output += reply.usage.output
        tally.cost += reply.cost or 0
        tally.unpriced += reply.cost is None


class _NotAdmitted(Interrupted):
    """A request that was never sent because the run is stopping for another reason."""


def _hand_over(
    done: queue.SimpleQueue[tuple[Request, Future[Reply]]], request: Request, ended: Future[Reply]
) -> None:
    done.put((request, ended))


FREE = Price(0.0, 0.0, 0.0, 0.0)


def check_budget(writer: Writer, price: Price | None, budget: int | None) -> None:
    """Refuse a budget that could not be kept."""
    if budget is not None and price is None:
        raise InputError(
            f"--budget: the price of model '{writer.model}' is not known, so a budget cannot be "
            f"kept; give [prices.{writer.model!r}] input and output in corpus.toml, or drop it"
        )


def check_address(writer: Writer) -> None:
    """Refuse an address that is no URL, or that would carry the key in clear text."""
    if writer.base_url is None:
        return
    parts = urlsplit(writer.base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(f"--base-url {writer.base_url!r}: not an http(s) address")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise InputError(
            f"--base-url {writer.base_url!r}: the key would travel in clear text; use https, or "
            f"a server on this machine"
        )


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _caller(writer: Writer, journal: Journal, price: Price | None, purse: Purse) -> Caller:
    """Made on the loop, at the first call: a run that only replays never imports the SDK."""
    import anthropic

    from corpus.model.calls import Caller

    client = anthropic.AsyncAnthropic(
        api_key=writer.api_key, base_url=writer.base_url, max_retries=0
    )
    return Caller(client, journal, price, purse)
