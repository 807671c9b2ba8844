"""The journal as a reader sees it: what was replied to a few requests, and nothing is changed.

A report wants to show the plan and the draft behind a document. It may do so inside a build, which
holds the journal, and long after it; a journal that another process holds is left alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from corpus.model.journal import Journal
from corpus.model.replies import read_reply

SLICE = 500  # keys in one query


class Past(NamedTuple):
    """A reply that was bought: the stage that asked for it and its text."""

    stage: str
    text: str


Recall = Callable[[Collection[str]], dict[str, Past]]


def recall(journal: Journal) -> Recall:
    """How to look up replies by key in a journal that this process holds."""
    return lambda keys: journal.submit(lambda connection: _select(connection, keys)).result()


def recall_from(path: Path) -> Recall:
    """How to look up replies by key in a journal that nobody holds; none where it cannot be read.

    The file is opened for reading only. That it is missing, held by a running build, damaged or of
    another version is no error here: the report then says that the replies are not at hand.
    """

    def look(keys: Collection[str]) -> dict[str, Past]:
        if not path.exists() or not keys:
            return {}
        try:
            address = f"{path.resolve().as_uri()}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, timeout=0)) as connection:
                return _select(connection, keys)
        except (sqlite3.Error, UnicodeDecodeError):
            return {}

    return look


def _select(connection: sqlite3.Connection, keys: Collection[str]) -> dict[str, Past]:
    query = "SELECT result.key, stage, result.body FROM result JOIN item USING (key) WHERE key IN "
    asked, found = sorted(set(keys)), {}
    for start in range(0, len(asked), SLICE):
        part = asked[start : start + SLICE]
        marks = f"({','.join('?' * len(part))})"
        for key, stage, body in connection.execute(query + marks, part):
            found[key] = Past(str(stage), read_reply(key, str(body), None).text)
    return found
