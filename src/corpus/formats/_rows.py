"""A row on its way into a shard, and its JSON form with the contract's names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from corpus.errors import InputError
from corpus.records import canonical

Ids = np.ndarray[tuple[int], np.dtype[np.uint32]]
NONE: Ids = np.zeros(0, dtype=np.uint32)  # shared: nothing in it can change
BETWEEN = "\n\n"  # the turns of a chat, where they are tokenized
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Row:
    """A document on its way into a shard: a text or a chat, and what is known about it.

    ``config`` is the subset of the dataset it belongs to (a build's stream), ``no_loss`` the
    [start, end) character spans of ``body`` that carry no loss, ``ids`` the document's token ids
    with the boundary token at their end, empty until they are counted, ``loss`` which of them are
    trained on, ``None`` where all are.
    """

    id: str
    config: str
    text: str | None = None
    messages: tuple[dict[str, str], ...] | None = None
    tools: str | None = None
    source: str = ""
    added: str = ""
    created: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    no_loss: tuple[tuple[int, int], ...] | None = None
    split: str = "train"
    ids: Ids = field(default_factory=lambda: NONE, compare=False, repr=False)
    loss: Flags | None = field(default=None, compare=False, repr=False)

    @property
    def body(self) -> str:
        """What is tokenized: the text, or the contents of the turns with a blank line between.

        Role marks and tool definitions are left out: each trainer's chat template adds its own.
        """
        if self.text is not None:
            return self.text
        return BETWEEN.join(turn["content"] for turn in self.messages or ())

    def spans_of(self, roles: Collection[str]) -> tuple[tuple[int, int], ...]:
        """The [start, end) characters of ``body`` that turns of these roles say.

        What stands between a turn and the next one counts with it.
        """
        found: list[tuple[int, int]] = []
        start = 0
        for turn in self.messages or ():
            end = start + len(turn["content"]) + len(BETWEEN)
            if turn["role"] in roles:
                if found and found[-1][1] == start:
                    found[-1] = found[-1][0], end
                else:
                    found.append((start, end))
            start = end
        size = start - len(BETWEEN)
        return tuple((first, min(last, size)) for first, last in found if first < size)

    def hashed(self) -> tuple[bytes, ...]:
        """What ``text_sha256`` takes of this row: id, newline, text or messages, newline."""
        content = canonical(self.messages) if self.text is None else self.text.encode()
        return self.id.encode(), b"\n", content, b"\n"

    def beside(self) -> tuple[bytes, ...]:
        """What ``rest_sha256`` takes of this row: id, newline, canonical JSON, newline.

        The JSON holds what a shard says beside id and text or turns, the same for every container:
        where the row comes from, its metadata, tools, and spans without loss, those of them that
        there are. A row without any has no part in the digest.
        """
        known = {"source": self.source, "added": self.added, "created": self.created}
        about = {name: value for name, value in known.items() if value}
        if self.text is None:  # as ``record`` has it
            found: dict[str, Any] = {"tools": self.tools, "metadata": about | self.metadata}
        else:
            found = about | {"metadata": self.metadata, "no_loss": self.no_loss}
        rest = {name: value for name, value in found.items() if value}
        return (self.id.encode(), b"\n", canonical(rest), b"\n") if rest else ()


def record(row: Row, chat: str) -> dict[str, Any]:
    """The contract's fields of a row, in order; dolma's and datatrove's names where they have one.

    A chat has no columns for where it comes from, so what is known stands in its metadata.

    Raises:
        InputError: a chat whose system prompt is not its first turn cannot be told in the shape of
            the Messages API.
    """
    if row.text is None:
        known = {"source": row.source, "added": row.added, "created": row.created}
        about = {key: value for key, value in known.items() if value}
        turns = {"messages": list(row.messages or ())}
        return {
            "id": row.id,
            **(turns if chat == "openai" else anthropic(row)),
            "tools": row.tools,
            "metadata": about | row.metadata,
        }
    fields: dict[str, Any] = {
        "id": row.id,
        "text": row.text,
        "source": row.source,
        "added": row.added,
        "created": row.created,
        "metadata": row.metadata,
    }
    if row.no_loss is not None:
        fields["no_loss"] = [list(span) for span in row.no_loss]
    return fields


def anthropic(row: Row) -> dict[str, Any]:
    """The ``system`` and ``messages`` of a chat as the Messages API takes them.

    Raises:
        InputError: a turn has no place there.
    """
    first, *rest = row.messages or ()
    system = first["content"] if first["role"] == "system" else None
    turns = rest if system is not None else [first, *rest]
    if any(turn["role"] == "system" for turn in turns):
        raise InputError(
            f"document '{row.id}' has a system turn that is not its first; the shape of the "
            f"Messages API has no place for it: export it with the system prompt in the messages"
        )
    for turn in turns:
        if turn["role"] not in ("user", "assistant"):
            raise InputError(
                f"document '{row.id}' has a turn of the role '{turn['role']}'; the shape of the "
                f"Messages API knows user and assistant alone: export it without --chat anthropic"
            )
    return {"system": system, "messages": turns}


def from_record(fields: dict[str, Any]) -> Row:
    """The row that ``record`` made ``fields`` of, as far as they tell."""
    messages, spans = fields.get("messages"), fields.get("no_loss")
    if fields.get("system") is not None:
        messages = [{"role": "system", "content": fields["system"]}, *(messages or ())]
    return Row(
        id=fields["id"],
        config="",
        text=fields.get("text"),
        messages=None if messages is None else tuple(messages),
        tools=fields.get("tools"),
        source=fields.get("source", ""),
        added=fields.get("added", ""),
        created=fields.get("created", ""),
        metadata=fields["metadata"],
        no_loss=None if spans is None else tuple((start, end) for start, end in spans),
    )
