"""Raw bodies of the Messages API, read after they are safe in the journal.

A body is kept first and understood later, so a reply that this version cannot read is still there
for the next one. What it cost is told from its usage alone, whatever became of its text. This room
of the door is pure.
"""

from __future__ import annotations

import json
import re
from typing import Any

from corpus.model.prices import Price
from corpus.records import Reply, Usage

MOST = 10**9  # tokens of one reply: more is no count but damage
_WORD = re.compile(r"[a-z_]{1,40}")


def read_reply(
    key: str, body: str, price: Price | None, *, replayed: bool = False, batch: bool = False
) -> Reply:
    """The reply that a raw body holds; a body that is no message stops as ``unreadable``.

    Only text blocks are text: a reply that only thought has none. A refusal stops as ``refusal`` or
    ``refusal_<category>``. Half surrogate pairs, which JSON can spell and UTF-8 cannot hold, become
    replacement marks. Usage that is missing or no count gives cost None: it was paid for, and
    nobody knows how much. It is a batch's price if ``batch`` says so or the usage does.
    """
    message = _message(body)
    given = message.get("usage")
    batch = batch or (isinstance(given, dict) and given.get("service_tier") == "batch")
    usage = _usage(given)
    priced = price and price.of_model(str(message.get("model")))
    cost = priced.cost(usage, batch=batch) if priced and usage else None
    try:
        text = "".join(part["text"] for part in message["content"] if part["type"] == "text")
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        stop, model = _stop(message), str(message["model"])
    except (ValueError, TypeError, KeyError):
        text, stop, model = "", "unreadable", ""
    return Reply(key, text, stop, model, usage or Usage(), cost, replayed, batch)


def _message(body: str) -> dict[str, Any]:
    """The JSON object that a body is, or an empty one."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def _stop(message: dict[str, Any]) -> str:
    """The stop reason, with a refusal's category; ``unknown`` if it is no plain word."""
    stop = message["stop_reason"]
    if not isinstance(stop, str) or not _WORD.fullmatch(stop):
        return "unknown"
    details = message.get("stop_details")
    category = details.get("category") if isinstance(details, dict) else None
    if stop == "refusal" and isinstance(category, str) and _WORD.fullmatch(category):
        return f"refusal_{category}"
    return stop


def _usage(given: Any) -> Usage | None:  # noqa: ANN401 - whatever the server sent
    """Tokens by price class; None where a count is missing, no count, or does not add up."""
    if not isinstance(given, dict) or given.get("input_tokens") is None:
        return None
    if given.get("output_tokens") is None:
        return None
    written = given.get("cache_creation_input_tokens")
    split = given.get("cache_creation") or {}
    if not isinstance(split, dict):
        return None
    hour = split.get("ephemeral_1h_input_tokens") or 0
    short = split.get("ephemeral_5m_input_tokens") or 0
    if not split:
        short = written or 0
    counts = (given["input_tokens"], given["output_tokens"], short,
              given.get("cache_read_input_tokens") or 0, hour)  # fmt: skip
    if not all(map(_is_count, counts)) or (written is not None and written != short + hour):
        return None
    return Usage(*counts)


def _is_count(value: Any) -> bool:  # noqa: ANN401 - whatever the server sent
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST
