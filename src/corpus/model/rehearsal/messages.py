"""The message that answers a request: its text is a function of the request alone."""

from __future__ import annotations

import random
from typing import Any

from corpus.model.rehearsal.caching import Cache
from corpus.model.rehearsal.requests import digest, text_of, tokens
from corpus.model.rehearsal.texts import compose

_REFUSED = {"type": "refusal", "category": "general_harms", "explanation": "rehearsed"}


def answer(
    params: dict[str, Any], cache: Cache, *, batch: bool = False, refuse: bool = False
) -> dict[str, Any]:
    """A message in the API's form; a text longer than ``max_tokens`` is cut there."""
    name = digest(params)
    prompt = text_of(params["messages"][-1]["content"])
    text = "" if refuse else compose(prompt, random.Random(name))  # noqa: S311 - no secrets
    stop, text = _ended(text, params)
    usage = cache.usage(params) | {
        "output_tokens": tokens(text) + 1,
        "service_tier": "batch" if batch else "standard",
    }
    return {
        "id": f"msg_{name[:24]}",
        "type": "message",
        "role": "assistant",
        "model": params["model"],
        "content": [{"type": "text", "text": text}] if text else [],
        "stop_reason": "refusal" if refuse else stop,
        "stop_sequence": None,
        "stop_details": _REFUSED if refuse else None,
        "usage": usage,
    }


def _ended(text: str, params: dict[str, Any]) -> tuple[str, str]:
    room = 4 * max(0, params["max_tokens"] - 1)
    return ("max_tokens", text[:room]) if len(text) > room + 3 else ("end_turn", text)


def row(
    params: dict[str, Any],
    message: dict[str, Any],
    batch: str | None = None,
    custom_id: str | None = None,
) -> dict[str, Any]:
    """What the ledger says of a generation."""
    return {
        "id": message["id"],
        "request": digest(params),
        "model": message["model"],
        "usage": message["usage"],
        "batch": batch,
        "custom_id": custom_id,
    }
