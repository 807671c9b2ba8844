"""One row of anybody's JSON Lines, checked field by field.

A trainer would find the fault days later, or never: so everything that the contract says of a row
is looked at here, and what is wrong is said in one line.
"""

from __future__ import annotations

import json
import re
from typing import Any

from corpus.errors import InputError, did_you_mean
from corpus.formats import Row

COLUMNS = ("id", "text", "messages", "tools", "source", "added", "created", "metadata", "no_loss")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
ALLOWED = (str, int, type(None))
ROLES = ("system", "developer", "user", "assistant", "tool")
KEYS = ("section", "seed", "cluster")  # what ties rows together when they are split


def checked(fields: dict[str, Any], by: str | None = None) -> Row:
    """The row that ``fields`` say, its config by field ``by``; InputError tells what is wrong."""
    given = {name: value for name, value in fields.items() if value is not None}
    text, messages = given.get("text"), given.get("messages")
    if (text is None) == (messages is None):
        raise InputError("give either 'text' or 'messages', one of the two")
    if messages is None and "tools" in given:
        raise InputError("'tools' belong to 'messages', not to 'text'")
    about = metadata(fields)
    row = Row(
        id=named(given),
        config="default" if by is None else config({**given, **about}, by),
        text=None if text is None else string(given, "text"),
        messages=None if messages is None else turns(messages),
        tools=tools(given.get("tools")),
        source=string(given, "source", ""),
        added=string(given, "added", ""),
        created=string(given, "created", ""),
        metadata=about,
        no_loss=spans(given["no_loss"], text) if "no_loss" in given else None,
    )
    if not row.body:
        raise InputError("the text is empty")
    return row


def named(fields: dict[str, Any]) -> str:
    """The row's id: a string of one line, or a whole number, which is spelt out."""
    value = fields.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise InputError(f"'id' must be a string or a whole number, got {value!r:.60}")
    if not value or "\n" in value:
        raise InputError(f"'id' must not be empty, and is one line; got {value!r:.60}")
    return value


def string(fields: dict[str, Any], name: str, default: str | None = None) -> str:
    """The field ``name``, which must be a string."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise InputError(f"'{name}' must be a string, got {value!r:.60}")
    return value


def config(fields: dict[str, Any], by: str) -> str:
    """The config that the field ``by`` names, which becomes a folder and a word in commands."""
    value = fields.get(by)
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise InputError(
            f"'{by}' names the config and must be a word of letters, digits, - and _; "
            f"got {value!r:.60}"
        )
    return value


def turns(messages: object) -> tuple[dict[str, str], ...]:
    """The turns of a chat: ``role`` and ``content``, both strings, nothing else."""
    if not isinstance(messages, list) or not messages:
        raise InputError("'messages' must be a list of turns, at least one")
    for number, turn in enumerate(messages, start=1):
        if (
            not isinstance(turn, dict)
            or set(turn) != {"role", "content"}
            or not all(isinstance(value, str) for value in turn.values())
        ):
            raise InputError(
                f"turn {number} must be {{role, content}}, both strings; got {turn!r:.60}"
            )
        if turn["role"] not in ROLES:
            known = did_you_mean(turn["role"], ROLES)
            raise InputError(f"turn {number}: the role {turn['role']!r:.40} is unknown{known}")
    return tuple({"role": turn["role"], "content": turn["content"]} for turn in messages)


def tools(value: object) -> str | None:
    """Tool definitions as the JSON string that all rows carry them in."""
    if value is None:
        return None
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        json.loads(value)
    except ValueError as error:
        raise InputError(f"'tools' must be a JSON string ({error})") from error
    return value


def spans(value: object, text: str | None) -> tuple[tuple[int, int], ...]:
    """Spans of characters without loss: inside the text, in order, none empty or overlapping."""
    if text is None:
        raise InputError(
            "'no_loss' counts characters of 'text' and cannot stand with 'messages'; "
            "--mask-roles says which turns of chats carry no loss"
        )
    if not isinstance(value, list):
        raise InputError(f"'no_loss' must be a list of [start, end), got {value!r:.60}")
    last = 0
    for span in value:
        match span:
            case [bool(), _] | [_, bool()]:
                raise InputError(f"'no_loss' span {span!r:.40} must be two whole numbers")
            case [int(start), int(end)] if last <= start < end <= len(text):
                last = end
            case _:
                raise InputError(
                    f"'no_loss' span {span!r:.40} is not [start, end) after character {last} and "
                    f"within the text's {len(text)}"
                )
    return tuple((start, end) for start, end in value)


def metadata(fields: dict[str, Any]) -> dict[str, Any]:
    """The given metadata and, beside it, every field that has no column of its own."""
    given = {} if fields.get("metadata") is None else fields["metadata"]
    if not isinstance(given, dict):
        raise InputError(f"'metadata' must be an object, got {given!r:.60}")
    others = {name: value for name, value in fields.items() if name not in COLUMNS}
    for name in others.keys() & given.keys():
        if others[name] != given[name]:
            raise InputError(f"'{name}' stands in the row and in its metadata, and they differ")
    merged = others | given
    for name in KEYS:
        if not isinstance(merged.get(name), ALLOWED):
            raise InputError(f"'{name}' must be a string or a number, got {merged[name]!r:.60}")
    return merged


def refuse_unwritable(row: Row) -> None:
    """Refuse what no file could give back: half a surrogate pair, or a number that is none.

    Raises:
        InputError: the row holds one.
    """
    try:
        row.hashed()
        if row.metadata or row.tools or row.source or row.added or row.created:
            others = [row.tools, row.source, row.added, row.created, row.metadata]
            json.dumps(others, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise InputError(f"a value that JSON in UTF-8 cannot hold ({error})") from error
