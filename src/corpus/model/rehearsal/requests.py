"""What comes in: requests as one canonical text, and what the API would find wrong with them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import Any

LARGEST = 32 * 2**20  # bytes of a request to Messages
LARGEST_BATCH = 256 * 2**20  # bytes of a request to Message Batches
MOST = 100_000  # requests in a batch
WINDOW = 1_000_000  # tokens of a prompt
MARKS = 4  # cache marks in a request

_KNOWN = frozenset(
    """model max_tokens messages system stop_sequences metadata service_tier thinking tools
    tool_choice output_config context_management container inference_geo stream speed""".split()
)
_SAMPLING = ("temperature", "top_p", "top_k")  # gone with the present models
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_TTLS = {"5m", "1h"}


def tokens(text: str) -> int:
    """The stand-in's count: four characters are a token."""
    return len(text) // 4


def blocks(params: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks of a prompt in the order in which a cache sees them: system, then the turns."""
    found = [params.get("system") or []]
    found += [turn["content"] for turn in params["messages"]]
    texts = [[{"type": "text", "text": one}] if isinstance(one, str) else one for one in found]
    return [block for part in texts for block in part]


def text_of(content: Any) -> str:  # noqa: ANN401 - a string or blocks
    """A system prompt or a turn as plain text."""
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content or ())


def digest(params: dict[str, Any]) -> str:
    """What a request is called in the ledger: the same with and without marks, direct and batch."""
    plain = {name: value for name, value in params.items() if name != "stream"}
    if "system" in plain:
        plain["system"] = text_of(plain["system"])
    plain["messages"] = [
        {**turn, "content": text_of(turn["content"])} for turn in params["messages"]
    ]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def problem(params: Any) -> str | None:  # noqa: ANN401 - whatever was sent
    """The API's complaint about the parameters of one message; None if there is none."""
    if not isinstance(params, dict):
        return "the body is not an object"
    return _fields(params) or _turns(params["messages"]) or _marks(params) or _window(params)


def _fields(params: dict[str, Any]) -> str | None:
    for name, kind in (("model", str), ("max_tokens", int), ("messages", list)):
        if name not in params:
            return f"{name}: Field required"
        if not isinstance(params[name], kind) or isinstance(params[name], bool):
            return f"{name}: Input should be a valid {kind.__name__}"
    for name in params:
        if name in _SAMPLING:
            return f"{name}: not supported by this model"
        if name not in _KNOWN:
            return f"{name}: Extra inputs are not permitted"
    if params["max_tokens"] < 0:
        return "max_tokens: Input should be greater than or equal to 0"
    return None


def batch_problem(body: Any) -> str | None:  # noqa: ANN401 - whatever was sent
    """The complaint about a whole batch; what is wrong within ``params`` comes as a result."""
    rows = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        return "requests: Field required"
    if not 1 <= len(rows) <= MOST:
        return f"requests: a batch holds 1 to {MOST} requests, not {len(rows)}"
    for place, row in enumerate(rows):
        if not isinstance(row, dict) or not isinstance(row.get("params"), dict):
            return f"requests.{place}.params: Field required"
        if not _CUSTOM_ID.fullmatch(str(row.get("custom_id", ""))):
            return (
                f"requests.{place}.custom_id: String should match pattern '^{_CUSTOM_ID.pattern}$'"
            )
    twice = [name for name, n in Counter(row["custom_id"] for row in rows).items() if n > 1]
    return f"requests: custom_id must be unique, {twice[0]!r} is not" if twice else None


def item_problem(params: dict[str, Any]) -> str | None:
    """The complaint about one request of a batch."""
    for name in ("stream", "speed"):
        if params.get(name):
            return f"{name}: not supported in batches"
    if params.get("max_tokens") == 0:
        return "max_tokens: must be at least 1 in batches"
    return problem(params)


def _turns(turns: list[Any]) -> str | None:
    if not turns:
        return "messages: at least one message is required"
    for place, turn in enumerate(turns):
        if not isinstance(turn, dict) or turn.get("role") not in {"user", "assistant"}:
            return f"messages.{place}.role: Input should be 'user' or 'assistant'"
        if complaint := _content(turn.get("content")):
            return f"messages.{place}.content: {complaint}"
    if turns[0]["role"] != "user":
        return "messages: first message must use the user role"
    return "messages: prefill is not supported" if turns[-1]["role"] == "assistant" else None


def _content(content: Any) -> str | None:  # noqa: ANN401 - whatever was sent
    if isinstance(content, str):
        return None if content.strip() else "text content must not be empty"
    if not isinstance(content, list) or not content:
        return "Input should be a valid string or list of blocks"
    good = all(
        isinstance(b, dict) and isinstance(b.get("text"), str) and b["text"] for b in content
    )
    return None if good else "the stand-in takes text blocks with text in them"


def _marks(params: dict[str, Any]) -> str | None:
    system = params.get("system")
    if system and not isinstance(system, str) and (complaint := _content(system)):
        return f"system: {complaint}"
    marks = [b["cache_control"] for b in blocks(params) if b.get("cache_control")]
    if len(marks) > MARKS:
        return f"cache_control: at most {MARKS} blocks may be marked, found {len(marks)}"
    ttls = [mark.get("ttl", "5m") for mark in marks]
    if any(mark.get("type") != "ephemeral" for mark in marks) or not set(ttls) <= _TTLS:
        return "cache_control: type must be 'ephemeral' and ttl '5m' or '1h'"
    if ttls != sorted(ttls):  # "1h" sorts before "5m"
        return "cache_control: a ttl='1h' block must not come after a ttl='5m' block"
    return None


def _window(params: dict[str, Any]) -> str | None:
    held = sum(tokens(block["text"]) for block in blocks(params))
    return f"prompt is too long: {held} tokens > {WINDOW} maximum" if held > WINDOW else None
