"""Moves: what these texts do again and again that others do not, without a list of it.

Every masked pattern (see ``patterns``) is compared with a control: texts of a plain model, or
human prose. A pattern is a move when its share of documents is far above the control's, and the
bound is the careful one: the low end of the share here over the high end of the share there. A
longer document has more room, so the control's share is taken to this corpus's length, as if uses
came at random: a share s at w words becomes 1 - (1 - s)^(v / w) at v words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from corpus.records import Metric
from corpus.score.columns import Columns, first_of_runs
from corpus.score.intervals import Reading, wilson
from corpus.score.patterns import FIRST, HOLE, LAST, SAMPLE, TAGGED, Control, Found, find
from corpus.score.scale import LEAST_COUNT, Scale

LEAST_LIFT = 2.0
LEAST_SHARE = 0.02
LISTED = 12
NEAR = 0.5  # of the documents of two patterns that share words
LOOK = 4_000
TELLING = 4  # words of a move that can be named to a writer
MOVES_FROM = 50  # documents; fewer say too little


def moves(columns: Columns, control: Control, scale: Scale) -> Metric:
    """The largest share of documents with one move, and the moves by their certain lift.

    ``text`` of the evidence is the pattern (``*`` stands for other words, ``^`` for the beginning
    of a document, ``$`` for that of its last sentence), ``share`` and ``control`` shares of
    documents, ``lift`` their ratio and ``lift_low`` its careful bound.
    """
    found = find(columns, control.alphabet, control.pipeline)
    listed = _apart(_ranked(columns, found, control))
    best = max((row["share"] for row in listed), default=None if not len(found.docs) else 0.0)
    count = max((row["count"] for row in listed), default=0)
    reading = wilson(count, len(found.docs)) if best is not None else Reading(None)
    note = f"against {control.whence}; {_spoken(columns, control, len(found.docs))}"
    return scale.metric(
        "moves", reading, "share of documents", n=len(found.docs), interval="Wilson", note=note,
        evidence=listed,
    )  # fmt: skip


def _spoken(columns: Columns, control: Control, used: int) -> str:
    """Of how many documents the metric speaks: those in the language of the control."""
    looked = min(len(columns), TAGGED if control.pipeline else SAMPLE)
    language = control.alphabet.language
    if not used:
        return f"no claim: none of {looked:,} documents is in {language}"
    if used < looked:
        return f"{used:,} of {looked:,} documents are in {language}, of the others no claim"
    return f"in {language}; a note, never a gate"


def over_used(columns: Columns, control: Control, share: float) -> list[str]:
    """The moves inside sentences that more than a share of the documents make, surest first."""
    found = find(columns, control.alphabet)
    return [
        row["text"]
        for row in _apart(_ranked(columns, found, control))
        if row["share"] >= share
        and row["text"][0] not in (FIRST, LAST)
        and len(row["text"].replace(f"{HOLE} ", "").split()) >= TELLING
    ]


def _apart(ranked: Iterable[tuple[dict[str, Any], set[int]]]) -> list[dict[str, Any]]:
    """The first rows, without those that are one move with a row before them."""
    listed: list[dict[str, Any]] = []
    chosen: list[tuple[set[str], set[int]]] = []
    for row, docs in ranked:
        own = set(row["text"].split()) - {"*"}
        if len(listed) < LISTED and not any(_near(own, docs, *other) for other in chosen):
            chosen.append((own, docs))
            listed.append(row)
    return listed


def _ranked(
    columns: Columns, found: Found, control: Control
) -> list[tuple[dict[str, Any], set[int]]]:
    """The patterns with a certain lift of 2 and more, the highest bound first."""
    n = len(found.docs)
    heads = np.flatnonzero(first_of_runs(found.values))
    counts = np.diff(np.append(heads, len(found.values)))
    often = counts >= max(LEAST_COUNT, LEAST_SHARE * n)
    size = float(columns.sizes[found.docs].mean()) if n else 0.0
    rows = []
    for head, count in zip(heads[often].tolist(), counts[often].tolist(), strict=True):
        place, width = int(found.places[head]), int(found.widths[head])
        usual = control.counts.get(int(found.values[head]), control.floor)
        text = found.said(place, width)
        longer = 1.0 if text[0] in (FIRST, LAST) else size / max(1.0, control.words)
        here, there = wilson(count, n), wilson(usual, control.documents)
        expected = _at(there.value or 0.0, longer)
        low = (here.low or 0.0) / _at(there.high if there.high is not None else 1.0, longer)
        if low >= LEAST_LIFT:
            rows.append((low, width, count, text, head, expected))
    rows.sort(key=lambda row: (-row[0], -row[1], row[3]))
    return [_row(columns, found, *row) for row in rows[:LOOK]]


def _row(
    columns: Columns,
    found: Found,
    low: float,
    _width: int,
    count: int,
    text: str,
    head: int,
    expected: float,
) -> tuple[dict[str, Any], set[int]]:
    docs = found.owners[head : head + count].tolist()
    share = count / len(found.docs)
    row = {
        "text": text,
        "count": count,
        "ids": [columns.texts[doc].id for doc in docs[:3]],
        "share": round(share, 4),
        "control": round(expected, 4),
        "lift": round(share / expected, 1) if expected else None,
        "lift_low": round(low, 1),
    }
    return row, set(docs)


def _at(share: float, longer: float) -> float:
    """The share of documents that much longer."""
    return share if longer == 1 or share >= 1 else -math.expm1(longer * math.log1p(-share))


def _near(own: set[str], docs: set[int], other: set[str], theirs: set[int]) -> bool:
    """Whether two patterns are one move: most of their words, and half of their documents."""
    same = len(own & other) >= min(len(own), len(other)) - 1
    return same and len(docs & theirs) > NEAR * min(len(docs), len(theirs))
