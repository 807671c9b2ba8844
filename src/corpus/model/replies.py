"""Raw bodies of the Messages API, read after they are safe in the journal.

A body is kept first and understood later, so a reply that this version cannot read is still there
for the next one. This room of the door is pure.
"""

from __future__ import annotations

import json
from typing import Any

from corpus.model.prices import Price
from corpus.records import Reply, Usage


def read_reply(key: str, body: str, price: Price | None, *, replayed: bool = False) -> Reply:
    """The reply that a raw body holds; a body that is no message stops as ``unreadable``.

    Half surrogate pairs, which JSON can spell and UTF-8 cannot hold, become replacement marks.
    Usage that is missing or not a number gives cost None: it was paid for, and nobody knows how
    much.
    """
    try:
        message = json.loads(body)
        text = "".join(part["text"] for part in message["content"] if part["type"] == "text")
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        stop, model = str(message["stop_reason"]), str(message["model"])
    except (ValueError, TypeError, KeyError):
        return Reply(key, "", "unreadable", "", cost=None, replayed=replayed)
    usage = _usage(message.get("usage"))
    cost = price.cost(usage) if price and usage else None
    return Reply(key, text, stop, model, usage or Usage(), cost, replayed)


def _usage(given: Any) -> Usage | None:  # noqa: ANN401 - whatever the server sent
    names = {
        "input": "input_tokens",
        "output": "output_tokens",
        "cache_write": "cache_creation_input_tokens",
        "cache_read": "cache_read_input_tokens",
    }
    if not isinstance(given, dict):
        return None
    if any(given.get(names[field]) is None for field in ("input", "output")):
        return None
    values = {field: given.get(name) or 0 for field, name in names.items()}
    if any(not isinstance(value, int) or value < 0 for value in values.values()):
        return None
    return Usage(**values)
