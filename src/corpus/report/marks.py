"""Repeated words found again in the documents that use them, for a reader's eye to catch.

A phrase is met whatever stands between its words and however they are cased. A skeleton is met as
it was made: ``_`` stands for a run of capitalised words or numbers. In a move, ``*`` stands for a
few other words, and ``^``, ``$`` and ``|`` for edges that no reader needs to see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from corpus.report.folder import Row

SHORTEST = 3  # words; a shorter phrase is everywhere and marks nothing
MOST = 16  # marks in one document
HOLE, OTHERS = "_", "*"
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*|_|\*")
_OTHERS = r"\w+(?:[\W_]+\w+){0,7}?"
_NAMED = r"[A-Z0-9][\w'\u2019]*(?:\W+[A-Z0-9][\w'\u2019]*)*"


@lru_cache(maxsize=1024)
def pattern(phrase: str) -> re.Pattern[str] | None:
    """What finds ``phrase`` in a text; None where it has too few words to mean anything."""
    words = _WORD.findall(phrase)
    if sum(word not in {HOLE, OTHERS} for word in words) < SHORTEST:
        return None
    holes = {HOLE: _NAMED, OTHERS: _OTHERS}
    parts = [holes.get(word) or f"(?i:{_apostrophes(word)})" for word in words]
    return re.compile(r"(?<!\w)" + r"[\W_]+".join(parts) + r"(?!\w)")


def _apostrophes(word: str) -> str:
    return re.sub("['\u2019]", "['\u2019]", re.escape(word))


def phrases(metrics: Iterable[Row]) -> dict[str, list[Row]]:
    """By document: the pieces of evidence that name it, each with the metric that found it."""
    found: dict[str, list[Row]] = {}
    for metric in metrics:
        for piece in metric["evidence"]:
            if pattern(piece["what"]):
                said = {"metric": metric["id"], "what": piece["what"], "count": piece["count"]}
                for name in piece["documents"]:
                    found.setdefault(name, []).append(said)
    return found


def marks(turns: Sequence[Sequence[str]], wanted: Sequence[Row]) -> list[Row]:
    """Where those phrases stand: ``turn``, ``start``, ``end`` in characters, without overlaps."""
    spots: list[Row] = []
    for number, (_, text) in enumerate(turns):
        hits = sorted(
            ((m.start(), -m.end(), place) for place, m in _hits(text, wanted)), key=lambda h: h[:2]
        )
        end = 0
        for start, minus, place in hits:
            if start >= end:
                end = -minus
                spots.append({"turn": number, "start": start, "end": end, **wanted[place]})
    return spots[:MOST]


def _hits(text: str, wanted: Sequence[Row]) -> Iterable[tuple[int, re.Match[str]]]:
    for place, said in enumerate(wanted):
        if found := pattern(said["what"]):
            for match in found.finditer(text):
                yield place, match


def in_context(piece: Row, texts: Mapping[str, str], around: int = 90) -> Row | None:
    """The phrase of ``piece`` where it stands in one of its documents, or None."""
    if not (found := pattern(piece["what"])):
        return None
    for name in piece["documents"]:
        text = texts.get(name, "")
        if hit := found.search(text):
            before = text[max(0, hit.start() - around) : hit.start()]
            after = text[hit.end() : hit.end() + around]
            return {"id": name, "before": before, "hit": hit.group(), "after": after}
    return None
