"""Rate limits as the API keeps them: token buckets that fill all the time, told in headers."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

NAMES = {"requests": "requests", "input": "input-tokens", "output": "output-tokens"}


@dataclass
class Bucket:
    """So many units a minute, of which ``size`` can be saved up."""

    per_minute: float
    size: float
    level: float
    at: float

    def fill(self, now: float) -> None:
        """Bring the level up to date."""
        self.level = min(self.size, self.level + max(0.0, now - self.at) * self.per_minute / 60)
        self.at = now

    def wait(self, wanted: float) -> float:
        """Seconds until so many units are there."""
        return max(0.0, (min(wanted, self.size) - self.level) * 60 / self.per_minute)


@dataclass
class Quota:
    """The limits of one organisation; a limit that is not given does not exist."""

    now: Callable[[], float]
    limits: dict[str, float]  # units a minute by name: requests, input, output
    burst: float | None = None  # requests that can be saved up; None: a minute's worth
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Begin with full buckets."""
        for name, limit in self.limits.items():
            size = self.burst if name == "requests" and self.burst else limit
            self._buckets[name] = Bucket(limit, size, size, self.now())

    def take(self, **wanted: float) -> float:
        """Take units if all buckets hold enough; else take none, and the seconds until they do."""
        with self._lock:
            held = [(self._buckets[name], n) for name, n in wanted.items() if name in self._buckets]
            for bucket, _ in held:
                bucket.fill(self.now())
            wait = max((bucket.wait(n) for bucket, n in held), default=0.0)
            if wait <= 0:
                for bucket, n in held:
                    bucket.level -= n
            return wait

    def headers(self, wait: float = 0.0) -> dict[str, str]:
        """``anthropic-ratelimit-*``, and ``retry-after`` in whole seconds, as the API sends it."""
        found = {"retry-after": str(math.ceil(wait))} if wait > 0 else {}
        with self._lock:
            for name, bucket in self._buckets.items():
                bucket.fill(self.now())
                full = datetime.fromtimestamp(self.now() + bucket.wait(bucket.size), UTC)
                head = f"anthropic-ratelimit-{NAMES[name]}"
                found[f"{head}-limit"] = f"{bucket.per_minute:.0f}"
                found[f"{head}-remaining"] = str(max(0, math.floor(bucket.level)))
                found[f"{head}-reset"] = full.isoformat().replace("+00:00", "Z")
        return found
