"""What stands behind a document of the reading room: its plan, its draft, what the rewrite saw.

A document names the requests that led to it, and their replies are in the journal. Where the
journal is not at hand (deleted, held by a running build) the steps stand without their words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from corpus.model.past import Past, Recall
from corpus.report.folder import Row
from corpus.report.markup import escape

LONGEST = 6_000  # characters of one step
BYTES = 200_000  # of all steps, as HTML
_DEFECTS = re.compile(r"<defects>(.*?)</defects>", re.DOTALL)
_TAG = re.compile(r"</?[a-z_]{1,20}>")


def keys(row: Mapping[str, object]) -> list[str]:
    """The requests behind a document, the one that wrote it last."""
    generator = row.get("generator")
    last = generator.get("request") if isinstance(generator, Mapping) else None
    parents = row.get("parents")
    named = [str(key) for key in parents] if isinstance(parents, (list, tuple)) else []
    return [*named, *([str(last)] if last else [])]


def trace(rows: Sequence[Row], recall: Recall) -> dict[str, list[Row]]:
    """The steps of each document, in order, as ``{stage, text, cut}``; together under a ceiling."""
    wanted = {key for row in rows for key in keys(row)}
    replies = recall(wanted) if wanted else {}
    found = {row["id"]: [*_steps(keys(row), replies)] for row in rows}
    longest, steps = LONGEST, [step for all_of in found.values() for step in all_of]
    while sum(len(escape(s["text"][:longest]).encode()) for s in steps) > BYTES:
        longest = longest * 3 // 4
    for step in steps:
        step["cut"] = max(0, len(step["text"]) - longest)
        step["text"] = step["text"][:longest]
    return found


def _steps(asked: Sequence[str], replies: Mapping[str, Past]) -> list[Row]:
    """The steps but the last, whose words are the document; of that one the faults it named."""
    steps = [
        {"stage": replies[key].stage, "text": _TAG.sub("", replies[key].text).strip()}
        for key in asked[:-1]
        if key in replies
    ]
    last = replies.get(asked[-1]) if asked else None
    if last and (named := _DEFECTS.search(last.text)):
        steps.append({"stage": "defects", "text": named[1].strip()})
    return steps
