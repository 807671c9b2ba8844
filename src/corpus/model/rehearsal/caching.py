"""The provider's prompt cache: prefixes up to a mark, kept for five minutes or an hour."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from corpus.model.rehearsal.requests import blocks, tokens

SHORTEST = 1024  # tokens of a prefix: a mark on a shorter one is ignored
SECONDS = {"5m": 300.0, "1h": 3600.0}


@dataclass
class Cache:
    """Prefixes by model; a read renews what it finds, as the API does."""

    now: Callable[[], float]
    _until: dict[tuple[str, str], float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def usage(self, params: dict[str, Any]) -> dict[str, Any]:
        """The input side of a reply's usage; what was not held is held from now on."""
        counted = sum(tokens(block["text"]) for block in blocks(params)) + 8
        with self._lock:
            read, written = self._look(params)
        fresh = sum(written.values())
        return {
            "input_tokens": counted - read - fresh,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": fresh,
            "cache_creation": {
                f"ephemeral_{ttl}_input_tokens": written.get(ttl, 0) for ttl in SECONDS
            },
        }

    def _look(self, params: dict[str, Any]) -> tuple[int, dict[str, int]]:
        """Tokens read, and tokens written by TTL: what lies behind the longest prefix held."""
        now, read, last = self.now(), 0, 0
        written: dict[str, int] = {}
        for length, ttl, name in _prefixes(params):
            key = (str(params["model"]), name)
            if self._until.get(key, 0.0) > now:
                read, written = length, {}
            else:
                written[ttl] = written.get(ttl, 0) + length - last
            last = length
            self._until[key] = now + SECONDS[ttl]
        return read, written


def _prefixes(params: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Tokens, TTL and digest of each marked prefix that is long enough to be held."""
    found, length, seen = [], 0, hashlib.sha256()
    for block in blocks(params):
        length += tokens(block["text"])
        seen.update(block["text"].encode() + b"\0")
        if (mark := block.get("cache_control")) and length >= SHORTEST:
            found.append((length, mark.get("ttl", "5m"), seen.hexdigest()))
    return found
