"""One connection per call in flight, each in a pool of its own.

The HTTP library's pool looks at every idle connection, with two system calls each, whenever a
request begins or ends: with 100 connections that is most of what a call costs here. A free lane is
taken from a stack instead, so the cost is the same for any number. Only the connection that is
taken is looked at.
"""

from __future__ import annotations

import socket
import ssl
import urllib.request
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import anthropic
import httpx2

from corpus.model.wire import is_here

if TYPE_CHECKING:
    from corpus.model import Writer

MOST_IDLE = 256  # connections that are kept for reuse
CONNECT = 10.0  # seconds for a connection; the deadline of a call covers the rest


def client(writer: Writer, connect: float = CONNECT) -> anthropic.AsyncAnthropic:
    """The SDK's client: no retries of its own, no redirects, no timeout but for connecting.

    Behind a proxy of the environment its usual pool is used, which knows about proxies; a server
    on this machine is never asked through one, which would see key and prompts in clear.
    """
    timeout = httpx2.Timeout(None, connect=connect)
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=MOST_IDLE)
    if urllib.request.getproxies() and not is_here(writer.base_url):
        http = anthropic.DefaultAsyncHttpxClient(
            follow_redirects=False, timeout=timeout, limits=limits
        )
    else:
        http = anthropic.DefaultAsyncHttpxClient(
            follow_redirects=False, timeout=timeout, transport=Lanes()
        )
    return anthropic.AsyncAnthropic(
        api_key=writer.api_key or "none",
        base_url=writer.base_url,
        max_retries=0,
        timeout=timeout,
        http_client=http,
    )


class Lanes(httpx2.AsyncBaseTransport):
    """A transport that gives every request in flight a connection of its own."""

    def __init__(self) -> None:
        self._tls: ssl.SSLContext | None = None
        self._free: list[httpx2.AsyncHTTPTransport] = []
        self._all: set[httpx2.AsyncHTTPTransport] = set()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send over a free lane; it is free again when the response is closed."""
        lane = self._free.pop() if self._free else self._open()
        try:
            response = await lane.handle_async_request(request)
        except BaseException:  # a cancelled call frees its lane as well
            self.free(lane)
            raise
        inner = response.stream
        if isinstance(inner, httpx2.AsyncByteStream):
            response.stream = _Stream(inner, self, lane)
        return response

    def free(self, lane: httpx2.AsyncHTTPTransport) -> None:
        """Take a lane back."""
        self._free.append(lane)

    async def aclose(self) -> None:
        """Close all connections."""
        for lane in self._all:
            await lane.aclose()
        self._all.clear()
        self._free.clear()

    def _open(self) -> httpx2.AsyncHTTPTransport:
        if self._tls is None:
            self._tls = httpx2.create_ssl_context()
        lane = httpx2.AsyncHTTPTransport(
            verify=self._tls,
            limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1),
            socket_options=_kept_alive(),
        )
        self._all.add(lane)
        return lane


class _Stream(httpx2.AsyncByteStream):
    """A response's body, which gives its lane back when it is closed."""

    def __init__(
        self, inner: httpx2.AsyncByteStream, lanes: Lanes, lane: httpx2.AsyncHTTPTransport
    ) -> None:
        self._inner = inner
        self._lanes = lanes
        self._lane: httpx2.AsyncHTTPTransport | None = lane

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._inner:
            yield part

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            lane, self._lane = self._lane, None
            if lane is not None:
                self._lanes.free(lane)


def _kept_alive() -> list[tuple[int, int, int]]:
    """Socket options that find a dead line, as the SDK's own client sets them."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5)):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return options
