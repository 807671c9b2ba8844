"""The provider's side of batches: calls that cost nothing, made as often as they need.

Only ``create`` costs money, and it is made once per intent: what is not known to have failed is
looked for afterwards, never sent again.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from corpus.errors import CorpusError, InputError, Interrupted
from corpus.model.failures import Failure, failure_of
from corpus.model.wire import is_here

if TYPE_CHECKING:
    import anthropic

    from corpus.model import Writer

TRIES = 6  # times that a call may fail before the run is interrupted
NOT_FOUND = 404
_NO_SUCH_SERVICE = {404, 405, 501}
_PERHAPS = {408, 409, 500, 503, 504}  # to a create: it may be there, and looking for it is free


class NoBatches(InputError):
    """The server has no Message Batches."""


class Gone(Exception):
    """The provider does not know the batch, or no longer has its results."""


@dataclass
class Clock:
    """The wall clock, one that never jumps, and the pause, so that tests can hold them."""

    now: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Provider:
    """What can be asked about batches, over one client of the SDK.

    Every method raises ``Interrupted`` or ``ProviderStopped`` when the provider cannot be reached
    or refuses, and ``Gone`` when it does not know the batch.
    """

    def __init__(self, client: anthropic.Anthropic, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    @classmethod
    def of(cls, writer: Writer, clock: Clock) -> Self:
        """The provider of a writer, over a client with no retries of its own and no redirects.

        A server on this machine is not asked through a proxy, as in ``lanes``: a transport that is
        given has none.
        """
        import anthropic
        import httpx2

        here = is_here(writer.base_url)
        way: dict[str, Any] = {"transport": httpx2.HTTPTransport()} if here else {}
        client = anthropic.Anthropic(
            api_key=writer.api_key,
            base_url=writer.base_url,
            max_retries=0,
            http_client=anthropic.DefaultHttpxClient(follow_redirects=False, **way),
        )
        return cls(client, clock)

    def close(self) -> None:
        """Close the client's connections."""
        self._client.close()

    def create(self, rows: list[dict[str, Any]]) -> str | Failure:
        """Make a batch; its id, or a failure after which it may or may not exist.

        Raises:
            NoBatches, ProviderStopped, Interrupted: it was certainly not made.
        """
        requests: Any = rows
        for tried in range(1, TRIES + 1):
            try:
                return self._client.messages.batches.create(requests=requests).id
            except Exception as error:  # noqa: BLE001 - sorted out below; what is no failure goes on
                failure = _failure(error)
                if failure.state == "unknown" or (failure.status in _PERHAPS and not failure.stops):
                    return failure
                if failure.stops or failure.terminal or tried == TRIES:
                    raise _stop(failure) from None  # the SDK's words may hold the key
                self._clock.sleep(failure.pause or 2.0**tried)
        raise AssertionError  # the last round returns or raises

    def retrieve(self, name: str) -> Any:  # noqa: ANN401 - the SDK's batch
        """The batch as it stands."""
        return self._ask(lambda: self._client.messages.batches.retrieve(name))

    def ended(self, name: str) -> Any | None:  # noqa: ANN401 - the SDK's batch
        """The batch once it has ended, None before; ``Gone`` if its results are kept no longer."""
        found = self.retrieve(name)
        if found.processing_status != "ended":
            return None
        if found.results_url is None:
            raise Gone
        return found

    def cancel(self, name: str) -> None:
        """Ask for the end of a batch; what was answered by then is paid for, and kept."""
        self._ask(lambda: self._client.messages.batches.cancel(name))

    def since(self, moment: float) -> list[Any]:
        """The batches made since a moment of the wall clock, newest first."""
        return list(self._ask(lambda: list(self._newest(moment))))

    def read(self, name: str, take: Callable[[Iterator[dict[str, Any] | None]], None]) -> None:
        """Hand the rows of a batch's results to ``take``, again from the first if they break off.

        A row is None where a line of the file is no JSON object. The SDK would send the key to
        whatever address the batch gives for its results; here they come from the server itself.
        """
        import anthropic
        import httpx2

        def once() -> None:
            response: Any = self._client.get(
                f"/v1/messages/batches/{quote(name, safe='')}/results",
                cast_to=httpx2.Response,
                stream=True,
                stream_cls=anthropic.Stream[Any],
            )
            with contextlib.closing(response):
                take(_row(text) for text in response.iter_lines() if text.strip())

        self._ask(once)

    def carries(self, name: str, nonce: str) -> bool:
        """Whether an ended batch answers requests that begin with this nonce."""
        first: list[str] = []

        def take(rows: Iterator[dict[str, Any] | None]) -> None:
            first[:] = [str((row or {}).get("custom_id")) for row in _first(rows)]

        self.read(name, take)
        return any(custom.startswith(f"{nonce}-") for custom in first)

    def _newest(self, moment: float) -> Iterator[Any]:
        for found in self._client.messages.batches.list(limit=1000):
            if found.created_at.timestamp() < moment:
                return
            yield found

    def _ask(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - the SDK's
        for tried in range(1, TRIES + 1):
            try:
                return call()
            except Exception as error:  # noqa: BLE001 - sorted out below; what is no failure goes on
                failure = _failure(error)
                if failure.status == NOT_FOUND:
                    raise Gone from None
                if failure.stops or tried == TRIES:
                    raise _stop(failure) from None  # the SDK's words may hold the key
                self._clock.sleep(failure.pause or 0.25 * 2.0**tried)
        raise AssertionError  # the last round returns or raises


def size(found: Any) -> int:  # noqa: ANN401 - the SDK's batch
    """How many requests a batch holds."""
    counts = found.request_counts
    return int(
        counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
    )


def _failure(error: Exception) -> Failure:
    """What an exception of a call means; one that is no failure of a call goes on."""
    if isinstance(error, CorpusError) or (failure := failure_of(error)) is None:
        raise error
    return failure


def _stop(failure: Failure) -> CorpusError:
    if failure.status in _NO_SUCH_SERVICE:
        return NoBatches(f"the server has no Message Batches ({failure.detail}); use --no-batch")
    return failure.stops or Interrupted(
        f"the provider does not take or show batches ({failure.detail}); run the same command "
        f"again to go on"
    )


def _row(text: str) -> dict[str, Any] | None:
    try:
        row = json.loads(text)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _first(rows: Iterator[Any]) -> Iterator[Any]:
    for row in rows:
        yield row
        return
