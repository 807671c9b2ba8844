"""Direct calls for callers that are no coroutines: requests in, replies out as they come.

One thread runs the event loop; the caller's thread only takes from a queue. Requests are started
one by one as the limiter admits them, so a hundred thousand pending ones are no tasks yet. Where
the writer caches, the first request of each long prefix goes ahead alone, and the others read what
it has written. Stopping is orderly: no more are admitted, and those in flight may end, because each
of them is paid for.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from corpus.errors import CorpusError, Interrupted
from corpus.model.calls import Caller
from corpus.model.gate import Halt
from corpus.model.lanes import CONNECT, client
from corpus.model.limiter import Limiter
from corpus.model.patience import Patience
from corpus.model.prices import Price, Purse
from corpus.model.wire import Cache, prefix
from corpus.records import Reply, Request

if TYPE_CHECKING:
    from corpus.model import Writer
    from corpus.model.journal import Journal

BACKLOG = 1000  # replies that wait for the caller before more are asked for
WARM = 240.0  # seconds for which a prefix surely stays in a five-minute cache
STOPPED = "stopped; run the same command again to go on"


class Direct:
    """Direct calls of one writer.

    Args:
        writer: who writes; its ``concurrency`` caps the calls in flight, None leaves it open.
        journal: where every attempt and every reply is committed.
        price: what the model costs, or None.
        purse: the budget.
        patience: how long to go on in trouble.
    """

    def __init__(
        self,
        writer: Writer,
        journal: Journal,
        price: Price | None,
        purse: Purse,
        patience: Patience | None = None,
    ) -> None:
        self._writer = writer
        self._journal = journal
        self._price = price
        self._purse = purse
        self._patience = patience or Patience()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._caller: Caller | None = None
        self._runs: list[_Run] = []
        self._warm: dict[str, float] = {}
        self._at_once = False  # a second Ctrl-C

    def answer(
        self, requests: list[Request], cache: Cache = "5m"
    ) -> Iterator[tuple[Request, Reply]]:
        """Yield each request with its reply, committed to the journal, in the order of arrival.

        Long prefixes are kept in the provider's cache for ``cache``, where the writer has one.

        A reply whose ``stop`` begins with ``error_`` is none: the server did not answer that one.

        Raises:
            BudgetReached, ProviderStopped, DiskError: after the calls in flight have ended.
            Interrupted: on Ctrl-C (a second one does not wait for the calls in flight), or when
                the provider cannot be reached.
        """
        run = _Run(requests, self._warm if self._writer.cache else None, cache)
        self._start(run)
        until: float | None = None
        try:
            while (item := run.take(until)) is not None:
                if not isinstance(item, KeyboardInterrupt):
                    yield item
                elif until is None:
                    until = time.monotonic() + self._patience.drain
                    self._stop(run)
                else:
                    self._at_once = True
                    break
        finally:
            self._stop(run)
        if run.failure is not None or until is not None:
            raise run.failure or Interrupted(STOPPED)

    def close(self) -> None:
        """Let calls in flight end, unless a second Ctrl-C came; then end the client and the loop.

        What is still under way after that is cancelled, and journaled as of unknown outcome.
        """
        if self._loop is None or self._thread is None:
            return
        try:
            self._drain()
        finally:
            asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = self._thread = self._caller = None

    def _start(self, run: _Run) -> None:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="calls")
            self._thread.daemon = True
            self._thread.start()
        self._runs = [other for other in self._runs if not other.ended.is_set()] + [run]
        asyncio.run_coroutine_threadsafe(self._serve(run), self._loop).add_done_callback(run.end)

    def _stop(self, run: _Run) -> None:
        """Have ``run`` admit no more; a call in flight is not touched."""
        if self._loop is not None and not run.ended.is_set():
            self._loop.call_soon_threadsafe(self._halt, run, Interrupted(STOPPED))

    def _halt(self, run: _Run, why: BaseException) -> None:
        run.stop(why)
        if self._caller is not None:
            self._caller.wake()

    def _drain(self) -> None:
        until = time.monotonic() + self._patience.drain
        for run in self._runs:
            self._stop(run)
        with contextlib.suppress(KeyboardInterrupt):
            for run in self._runs:
                run.ended.wait(0.0 if self._at_once else max(0.0, until - time.monotonic()))

    async def _shut(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._caller is not None:
            await self._caller.close()

    def _call_room(self) -> Caller:
        return Caller(
            client(self._writer, min(CONNECT, self._patience.deadline)),
            self._journal,
            self._price,
            self._purse,
            Limiter(self._writer.concurrency),
            cached=self._writer.cache,
            patience=self._patience,
        )

    async def _serve(self, run: _Run) -> None:
        """Start calls as they are admitted until none is left, and wait for their ends."""
        caller = self._caller = self._caller or self._call_room()
        tasks: set[asyncio.Task[Reply]] = set()

        def note(request: Request, task: asyncio.Task[Reply]) -> None:
            tasks.discard(task)
            if task.cancelled():
                self._halt(run, Interrupted(STOPPED))
            elif (error := task.exception()) is not None:
                self._halt(run, error)
            else:
                run.put(request, task.result())

        try:
            while (request := await run.next()) is not None:
                ticket, worst = await caller.enter(request, run.halt)
                task = asyncio.create_task(caller.call(request, ticket, worst, run.halt, run.cache))
                tasks.add(task)
                task.add_done_callback(partial(note, request))
        except CorpusError as error:
            self._halt(run, error)
        while tasks:
            await asyncio.wait(tasks)


class _Run:
    """The requests of one ``answer``: the caller's thread takes replies, the loop does the rest."""

    def __init__(
        self, requests: list[Request], warm: dict[str, float] | None, cache: Cache
    ) -> None:
        self.cache: Cache = cache
        self.halt = Halt()
        self.ended = threading.Event()
        self._done: queue.SimpleQueue[tuple[Request, Reply] | None] = queue.SimpleQueue()
        self._ready = deque(requests)
        self._warm = warm  # when a prefix was last answered; None: nothing is cached
        self._parked: dict[str, list[Request]] = {}  # behind the first of their prefix
        self._news = asyncio.Event()

    def take(self, until: float | None) -> tuple[Request, Reply] | KeyboardInterrupt | None:
        """The next reply; None at the end or at ``until``; a Ctrl-C as what it is."""
        try:
            return self._done.get(timeout=until and max(0.0, until - time.monotonic()))
        except queue.Empty:
            return None
        except KeyboardInterrupt as interrupt:
            return interrupt

    @property
    def failure(self) -> BaseException | None:
        """Why it ended before it was done."""
        return self.halt.why

    def stop(self, why: BaseException) -> None:
        """Start no more; the first reason is the one that counts."""
        self.halt.because(why)
        self._news.set()

    def end(self, served: Future[None]) -> None:
        """Nothing is under way any more."""
        error = Interrupted(STOPPED) if served.cancelled() else served.exception()
        if error is not None:
            self.halt.because(error)
        self.ended.set()
        self._done.put(None)

    def put(self, request: Request, reply: Reply) -> None:
        """Hand a reply over, and let those go that waited for its prefix."""
        self._done.put((request, reply))
        start = self._prefix(request)
        if start is not None and self._warm is not None:
            if not reply.stop.startswith("error_"):
                self._warm[start] = time.monotonic()
            self._ready.extendleft(reversed(self._parked.pop(start, [])))
        self._news.set()

    async def next(self) -> Request | None:
        """The next request to be started; None if there is none or the run is halted."""
        while not self.halt.is_set():
            if self._done.qsize() >= BACKLOG:
                await asyncio.sleep(0.02)
            elif self._ready:
                request = self._ready.popleft()
                if self._may_go(request):
                    return request
            elif self._parked:
                self._news.clear()
                await self._news.wait()
            else:
                return None
        return None

    def _may_go(self, request: Request) -> bool:
        """Whether its prefix is cached or it is the first; else it is parked behind the first."""
        start = self._prefix(request)
        if start is None or self._warm is None:
            return True
        if time.monotonic() - self._warm.get(start, -WARM) < WARM:
            return True
        if start in self._parked:
            self._parked[start].append(request)
            return False
        self._parked[start] = []
        return True

    def _prefix(self, request: Request) -> str | None:
        return None if self._warm is None else prefix(request)
