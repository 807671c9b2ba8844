"""Where rows come from: the join of a build's files, or anybody's JSON Lines.

A build's lines are never rewritten, so what ships is decided here, by looking up each document's
brief, its last review, and whether it repeats another. Rows from other places are checked field by
field, because a trainer would find the fault days later, or never.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from corpus import store
from corpus.errors import InputError
from corpus.formats import Row
from corpus.records import STREAMS, Document, Review

COLUMNS = ("id", "text", "messages", "tools", "source", "added", "created", "metadata", "no_loss")
KEYS = ("section", "seed", "cluster")  # what ties rows together when they are split


def rows_of_build(folder: Path, *, created: str = "") -> list[Row]:
    """The documents of a build that ship, in the order of its briefs.

    A document ships if its brief is in the plan, its last review accepts it, it repeats no other
    document, and no other document that ships was made of it. ``created`` is the build's date.

    Raises:
        InputError: a file of the build is missing, or a line in it is not what it should be.
    """
    briefs = [row["id"] for row in store.read_rows(folder / "briefs.jsonl")]
    verdicts = {row["id"]: row for row in store.read_rows(folder / "reviews.jsonl")}
    repeats = store.read_if_there(folder / "duplicates.jsonl")
    gone = {row["id"] for row in repeats}
    clusters = {row["original"]: row["cluster"] for row in repeats}
    accepted: dict[str, dict[str, Document]] = {brief: {} for brief in briefs}
    for document in documents(folder / "documents.jsonl"):
        verdict = verdicts.get(document.id, {}).get("verdict")
        if document.brief in accepted and document.id not in gone and verdict == "accept":
            accepted[document.brief][document.id] = document
    kept = [known[name] for known in accepted.values() for name in sorted(known)]
    replaced = {parent for document in kept for parent in document.parents}
    return [
        row_of(
            document,
            Review.from_row(verdicts[document.id]),
            clusters.get(document.id),
            created=created,
        )
        for document in kept
        if document.id not in replaced
    ]


def documents(path: Path) -> Iterator[Document]:
    """Yield the documents of ``path``, each line checked for its fields."""
    for number, fields in enumerate(store.read_rows(path), start=1):
        try:
            document = Document.from_row(fields)
        except TypeError as error:
            raise InputError(f"{path}, row {number}: not a document ({error})") from error
        if document.stream not in STREAMS:
            raise InputError(f"{path}, row {number}: unknown stream '{document.stream}'")
        yield document


def row_of(document: Document, review: Review, cluster: str | None, *, created: str) -> Row:
    """The export row of a build's document."""
    return Row(
        id=document.id,
        config=document.stream,
        text=document.text,
        messages=document.messages,
        tools=document.tools,
        source=f"constitution-corpus/{document.stream}",
        added=created,
        created=created,
        metadata={
            "stream": document.stream,
            "kind": document.kind,
            "section": document.section,
            "seed": document.seed,
            "cluster": cluster,
            "facets": document.facets,
            "generator": document.generator,
            "brief": document.brief,
            "parents": list(document.parents),
            "review": review.scores,
            "synthetic": document.synthetic,
            "quality": document.quality,
        },
    )


def rows_of_files(paths: Sequence[Path]) -> list[Row]:
    """The rows of JSON Lines files with ``id`` and ``text`` or ``messages``.

    ``tools``, ``no_loss``, ``source``, ``added``, ``created`` and ``metadata`` are taken as the
    contract has them; every other field (``section``, ``seed``, ``cluster``, ``quality``, ...) is
    kept in the metadata.

    Raises:
        InputError: a row cannot be exported as it is, or an id comes twice; names file and row.
    """
    rows: list[Row] = []
    seen: dict[str, str] = {}
    for path in paths:
        for number, fields in enumerate(store.read_rows(path), start=1):
            where = f"{path}, row {number}"
            try:
                row = checked(fields)
            except InputError as error:
                raise InputError(f"{where}: {error}") from error
            if row.id in seen:
                raise InputError(
                    f"{where}: id '{row.id}' was already given in {seen[row.id]}; ids must differ"
                )
            seen[row.id] = where
            rows.append(row)
    return rows


def checked(fields: dict[str, Any]) -> Row:
    """The row that ``fields`` say; InputError tells what is wrong with them."""
    given = {name: value for name, value in fields.items() if value is not None}
    text, messages = given.get("text"), given.get("messages")
    if (text is None) == (messages is None):
        raise InputError("give either 'text' or 'messages', one of the two")
    if messages is None and "tools" in given:
        raise InputError("'tools' belong to 'messages', not to 'text'")
    row = Row(
        id=string(given, "id"),
        config="default",
        text=None if text is None else string(given, "text"),
        messages=None if messages is None else turns(messages),
        tools=tools(given.get("tools")),
        source=string(given, "source", ""),
        added=string(given, "added", ""),
        created=string(given, "created", ""),
        metadata=metadata(fields),
        no_loss=spans(given["no_loss"], text) if "no_loss" in given else None,
    )
    if not row.body or "\n" in row.id or not row.id:
        raise InputError("the id and the text must not be empty, and the id is one line")
    try:
        json.dumps(fields, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:  # half a surrogate pair, or NaN
        raise InputError(f"a value that JSON in UTF-8 cannot hold ({error})") from error
    return row


def string(fields: dict[str, Any], name: str, default: str | None = None) -> str:
    """The field ``name``, which must be a string."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise InputError(f"'{name}' must be a string, got {value!r:.60}")
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
        raise InputError("'no_loss' counts characters of 'text' and cannot stand with 'messages'")
    if not isinstance(value, list):
        raise InputError(f"'no_loss' must be a list of [start, end), got {value!r:.60}")
    last = 0
    for span in value:
        match span:
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
        if not isinstance(merged.get(name), str | int | None):
            raise InputError(f"'{name}' must be a string or a number, got {merged[name]!r:.60}")
    return merged


def apart(rows: Sequence[Row]) -> list[Row]:
    """The rows, chats moved out of every config that also holds texts, to ``<config>-chat``.

    One config is one table, and a table cannot hold both.
    """
    texts = {row.config for row in rows if row.text is not None}
    return [
        dataclasses.replace(row, config=f"{row.config}-chat")
        if row.text is None and row.config in texts
        else row
        for row in rows
    ]
