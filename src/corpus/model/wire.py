"""Requests as they travel: the body, with the constant prefix marked for the provider's cache."""

from __future__ import annotations

import contextlib
import ipaddress
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal
from urllib.parse import urlsplit

from corpus.records import Request

Cache = Literal["5m", "1h"]
SHORTEST = 1024  # tokens: the API ignores a mark on a shorter prefix
SHARED = 4  # requests of a batch with one prefix, from which on writing it (twice its price) pays


def wire(request: Request, cache: Cache | None = None) -> dict[str, Any]:
    """The JSON body of ``request``; its system prompt as one marked block if ``cache`` is given.

    The journal's key is taken of the body without marks: a cached reply answers the same request.
    """
    body = request.body()
    if cache is not None and request.system:
        mark = {"type": "ephemeral", "ttl": cache}
        body["system"] = [{"type": "text", "text": request.system, "cache_control": mark}]
    return body


def is_here(address: str | None) -> bool:
    """Whether a server's address is on this machine, so that nothing leaves it."""
    host = urlsplit(address or "").hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def shared(requests: Iterable[Request]) -> set[str]:
    """The long prefixes that are worth a mark in a batch of these requests.

    A batch runs side by side, so some of them write what others read: at 80 % of hits three that
    share one break even, and one alone costs twice its prefix for nothing.
    """
    found = Counter(start for request in requests if (start := prefix(request)) is not None)
    return {start for start, times in found.items() if times >= SHARED}


def prefix(request: Request) -> str | None:
    """What requests share if one of them warms the cache for the others; None if too short."""
    return request.system if len(request.system) // 4 >= SHORTEST else None
