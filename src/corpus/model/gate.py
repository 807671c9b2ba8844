"""Where coroutines wait: for an admission, for the end of a run, for the journal's thread."""

from __future__ import annotations

import asyncio
import collections
from concurrent.futures import Future
from typing import Any, TypeVar

from corpus.errors import Interrupted
from corpus.model.limiter import Limiter, Ticket

T = TypeVar("T")


class Stopping(Interrupted):
    """A request that was not sent, or not again, because the run is ending for another reason."""

    def __init__(self) -> None:
        super().__init__("not sent; run the same command again to go on")


class Halt(asyncio.Event):
    """Set when a run is to start no more calls; it knows why."""

    def __init__(self) -> None:
        super().__init__()
        self.why: BaseException | None = None

    def because(self, why: BaseException) -> None:
        """Halt the run; the first reason that is one of its own counts."""
        if self.why is None or isinstance(self.why, Stopping):
            self.why = why
        self.set()


class Gate:
    """Lets calls in when the limiter admits them, first come, first served."""

    def __init__(self, limiter: Limiter) -> None:
        self.limiter = limiter
        self._turn = asyncio.Lock()
        self._woken: asyncio.Future[None] | None = None

    async def enter(self, halt: Halt) -> Ticket:
        """Wait for an admission.

        Raises:
            Stopping: the run is ending.
        """
        async with self._turn:
            while not halt.is_set():
                wait = self.limiter.delay()
                if wait == 0:
                    return self.limiter.admit()
                await self._sleep(wait)
        raise Stopping

    def leave(self, ticket: Ticket) -> None:
        """Give an admission back."""
        self.limiter.release(ticket)
        self.wake()

    def wake(self) -> None:
        """Have whoever waits look again."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def _sleep(self, seconds: float | None) -> None:
        self._woken = asyncio.get_running_loop().create_future()
        if seconds is None:
            await self._woken
            return
        timer = asyncio.get_running_loop().call_later(seconds, self.wake)
        try:
            await self._woken
        finally:
            timer.cancel()


class Mail:
    """Brings results of the journal's thread to the loop, a whole commit with one wake-up."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._arrived: collections.deque[tuple[asyncio.Future[Any], Future[Any]]] = (
            collections.deque()
        )
        self._announced = False

    async def of(self, future: Future[T]) -> T:
        """The result of ``future``."""
        waiter: asyncio.Future[T] = self._loop.create_future()
        future.add_done_callback(lambda ended: self._bring(waiter, ended))
        return await waiter

    def _bring(self, waiter: asyncio.Future[Any], ended: Future[Any]) -> None:
        self._arrived.append((waiter, ended))
        if not self._announced:
            self._announced = True
            self._loop.call_soon_threadsafe(self._hand_out)

    def _hand_out(self) -> None:
        self._announced = False  # first: what arrives from here on is announced again
        while self._arrived:
            waiter, ended = self._arrived.popleft()
            if waiter.done():
                continue
            error = ended.exception()
            if error is None:
                waiter.set_result(ended.result())
            else:
                waiter.set_exception(error)
