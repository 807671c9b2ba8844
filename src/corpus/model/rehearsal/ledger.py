"""The bill: every generation, one JSON line each, on disk before anything of it is sent.

It is the witness that neither side can bend: what stands here twice was paid for twice. The amounts
are exact pico-dollars, reckoned here and not by the client's code; the rates are the shared table.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corpus.model.prices import Price, price_of

_MILLION = 1_000_000


class Ledger:
    """Rows ``{at, id, request, model, usage, batch, custom_id, cost_picos}`` in a file, if any.

    ``batch`` is the id of the batch that a generation belongs to, or null.
    """

    def __init__(self, path: Path | None, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._requests: set[str] = set()
        self._sums: Counter[str] = Counter()
        self._items: set[tuple[str, str]] = set()
        for line in path.read_bytes().split(b"\n")[:-1] if path and path.exists() else ():
            self._add(json.loads(line))
        self._file = path.open("ab") if path else None

    def bill(self, *rows: dict[str, Any]) -> None:
        """Note generations in one write; they outlive this process and the machine's power."""
        with self._lock:
            for row in rows:
                row["at"] = self._now()
                row["cost_picos"] = picos(row["model"], row["usage"])
                self._add(row)
            if self._file is not None:
                self._file.write("".join(json.dumps(row) + "\n" for row in rows).encode())
                self._file.flush()
                os.fdatasync(self._file.fileno())

    def billed(self, batch: str) -> set[str]:
        """The custom ids of a batch that stand in the ledger: they are not generated again."""
        with self._lock:
            return {custom for name, custom in self._items if name == batch}

    def totals(self) -> dict[str, int]:
        """Generations, how many different requests they answered, and pico-dollars."""
        with self._lock:
            return {"requests": len(self._requests), **self._sums}

    def _add(self, row: dict[str, Any]) -> None:
        way = "batch" if row["batch"] else "direct"
        self._requests.add(row["request"])
        self._sums.update({way: 1, f"{way}_picos": row["cost_picos"] or 0})
        if row["batch"]:
            self._items.add((row["batch"], row["custom_id"]))


def picos(model: str, usage: dict[str, Any]) -> int | None:
    """What a generation costs, in pico-dollars, exactly; None for a model without a price."""
    if (price := price_of(model, {})) is None:
        return None
    written, read = usage["cache_creation"], usage["cache_read_input_tokens"]
    fresh, plain = usage["cache_creation_input_tokens"], usage["input_tokens"]
    rate: Price = price
    while rate.up_to is not None and plain + fresh + read > rate.up_to and rate.long is not None:
        rate = rate.long
    total: int = plain * rate.input + read * rate.cache_read + usage["output_tokens"] * rate.output
    total += written["ephemeral_5m_input_tokens"] * rate.cache_write
    total += written["ephemeral_1h_input_tokens"] * rate.cache_write_1h
    return -(-total * rate.batch // _MILLION) if usage["service_tier"] == "batch" else total
