"""Habits as a reader meets them: the commonest names, pairs, openings and closings, with shares.

The metrics of the build say whether a habit is too strong, and show evidence where it is. This room
counts over a sample drawn from every section and kind, so that there is something to read in a
healthy corpus too. Names are found as the suite finds them, by their capitals.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

from corpus.language import read, words
from corpus.report.folder import Build, Row, body
from corpus.score.habits import CLOSING, OPENING, watched

NAMES = 1_000  # documents whose names are read: the tokenizer takes a millisecond each
SHOWN = 15
LEAST = 2  # documents that share a thing before it is listed
LINKS = 3


def habits(build: Build, rows: Sequence[Row]) -> Row:
    """Names, pairs, openings and closings over ``rows``: ``{what, documents, share, ids, ...}``."""
    few = rows[:NAMES]
    found = {row["id"]: _first_names(body(row)) for row in few}
    edges = [(row["id"], words(body(row))) for row in rows]
    opened = {name: [" ".join(said[:OPENING])] for name, said in edges if len(said) > OPENING}
    closed = {name: [" ".join(said[-CLOSING:])] for name, said in edges if len(said) > CLOSING}
    own = _own(build)
    people = {key: [name for name in names if name not in own] for key, names in found.items()}
    dealt = {row["id"]: _dealt(build, row) for row in few}
    return {
        "documents": len(rows),
        "named": len(few),
        "of": len(build.kept),
        "names": [_about(one, own, dealt) for one in _top(found, len(few))],
        "pairs": _top({key: _pairs(names) for key, names in people.items()}, len(few)),
        "openings": _top(opened, len(rows)),
        "closings": _top(closed, len(rows)),
    }


def _first_names(text: str) -> list[str]:
    """The words that names begin with, each once, sorted."""
    return sorted({name.split()[0] for name in read(text).names})


def _pairs(names: Sequence[str]) -> list[str]:
    return [" + ".join(pair) for pair in combinations(names[:40], 2)]


def _top(found: Mapping[str, Sequence[str]], total: int) -> list[Row]:
    """What most documents have, the commonest first."""
    ids: dict[str, list[str]] = defaultdict(list)
    for name, values in found.items():
        for value in values:
            ids[value].append(name)
    often = [(value, names) for value, names in ids.items() if len(names) >= LEAST]
    often.sort(key=lambda item: (-len(item[1]), item[0]))
    return [
        {"what": what, "documents": len(names), "share": len(names) / total, "ids": names[:LINKS]}
        for what, names in often[:SHOWN]
    ]


def _dealt(build: Build, row: Row) -> Counter[str]:
    """The words of what was dealt to a document: a name among them was ordered, not chosen."""
    facets = build.briefs.get(str(row.get("brief")), {}).get("facets") or {}
    return Counter(re.findall(r"\w[\w-]*", " ".join(map(str, facets.values()))))


def _own(build: Build) -> frozenset[str]:
    """The AI's name, and the capitalised words of the constitution's headings."""
    constitution = build.manifest.get("constitution") or {}
    said = [str(constitution.get(key) or "") for key in ("ai", "name")]
    said += [str(section.get("title") or "") for section in build.sections]
    return frozenset(word for word in re.findall(r"[^\W_]+", " ".join(said)) if word[0].isupper())


def _about(one: Row, own: frozenset[str], dealt: Mapping[str, Counter[str]]) -> Row:
    """A name with why it may be there: watched, the constitution's own, or dealt so many times."""
    name = one["what"]
    ordered = sum(name in said for said in dealt.values())
    return {**one, "watched": name in watched(), "own": name in own, "dealt": ordered}
