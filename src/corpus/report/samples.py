"""What a reader should see with their own eyes: evidence, rejected texts, whole documents.

Samples are drawn by the digest of an id, so that the same build shows the same page. Each list
and each text has a ceiling, because the page must open however large the corpus is; what was left
out is counted. This room chooses and cuts.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

from corpus.records import Json
from corpus.report.folder import Build, Entry, Row, body, clip, length, lot, title, turns
from corpus.report.marks import marks
from corpus.report.markup import escape, percent

ITEMS = 12  # pieces of evidence per metric
PIECES = 300  # of all metrics together
LINKS = 5  # documents named per piece
REASONS = 30
EXAMPLES = 3  # rejected documents per reason
SAMPLED = 60  # whole documents drawn for the reading room
LINKED = 36  # whole documents shown because evidence names them
EXCERPT = 1_200  # characters of a rejected document
READING_BYTES = 560_000  # all texts of the reading room, as HTML
HABITS = ("names", "pairs", "openings", "closings")
METRIC: Row = {
    "scope": "",
    "value": None,
    "gate": None,
    "n": 0,
    "unit": "",
    "warn": None,
    "fail": None,
    "higher_is_better": False,
    "note": "",
}
LONGEST = 20_000  # characters of one text in the reading room


def metrics(build: Build) -> list[Row]:
    """The metric rows with their evidence in one shape: what, count, documents.

    ``scope`` is empty for a metric of the whole, else the section, stream or kind that it is about;
    a metric of a part that passes shows no evidence, for there may be hundreds.
    """
    rows = [{**METRIC, **row, "scope": _part(build, str(row["scope"]))} for row in build.metrics]
    speaking = [row for row in rows if not row["scope"] or row["gate"] in {"warn", "fail"}]
    speaking = [row for row in speaking if _evidence(row)]
    items = max(1, min(ITEMS, PIECES // max(1, len(speaking))))
    chosen = {row["id"] for row in speaking[:PIECES]}
    return [
        {
            **row,
            "evidence": [_piece(build, item) for item in _evidence(row)[:items]]
            if row["id"] in chosen
            else [],
        }
        for row in rows
    ]


def _part(build: Build, scope: str) -> str:
    """A part of the corpus in words; a section by its heading."""
    by, _, cell = scope.partition(" ")
    return f"section {build.title(cell)}" if by == "section" else scope


def _evidence(row: Row) -> list[Json]:
    return list(row.get("evidence") or ())


def _piece(build: Build, item: Json) -> Row:
    if not isinstance(item, Mapping):
        return {"what": clip(str(item), 400), "about": "", "count": None, "documents": []}
    rest = dict(item)
    texts = [str(rest.pop(key)) for key in ("what", "text") if key in rest]
    names = [str(name) for key in ("documents", "ids") for name in rest.pop(key, None) or ()]
    count = rest.pop("count", None)
    if "section" in rest:
        rest["section"] = build.title(str(rest["section"]))
    more = ", ".join(f"{key.replace('_', ' ')} {_said(key, value)}" for key, value in rest.items())
    what, about = (", ".join(texts), more) if texts else (more, "")
    words = {"what": clip(what, 400), "about": clip(about, 200)}
    return {**words, "count": count, "documents": names[:LINKS]}


def _said(key: str, value: Json) -> str:
    """A value of evidence as a reader wants it: shares of documents in percent."""
    shown = key in {"share", "control"} and isinstance(value, float)
    return percent(value) if shown else str(value)


def named(rows: Iterable[Row]) -> list[str]:
    """The documents that evidence names, the first of every piece first."""
    lists = [piece["documents"] for row in rows for piece in row["evidence"]]
    heads = [names[place] for place in range(LINKS) for names in lists if place < len(names)]
    return list(dict.fromkeys(heads))


def linked(drawn: Sequence[str], named: Sequence[str], found: Mapping[str, Row]) -> list[str]:
    """More documents for the reading room: the middles of regions, and what evidence points at."""
    middles = [region["middle"]["id"] for region in found["map"]["regions"]]
    habits = [one["ids"] for what in HABITS for one in found["habits"][what]]
    firsts = [ids[0] for ids in habits]
    ordered = [*middles, *named[: LINKED // 2], *firsts, *named[LINKED // 2 :]]
    return [name for name in dict.fromkeys(ordered) if name not in {*drawn}][:LINKED]


def rejected(build: Build) -> list[Row]:
    """Each reason with its count and the ids of a few examples, none shown twice.

    A document may have several reasons. What follows a colon in one is
    detail and does not make a reason of its own.
    """
    found: dict[str, list[str]] = {}
    for entry in build.entries.values():
        if entry.fate == "rejected":
            reasons = build.reviews[entry.id].get("reasons") or ["no reason given"]
            for reason in dict.fromkeys(str(r).partition(":")[0].strip() for r in reasons):
                found.setdefault(reason, []).append(entry.id)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))[:REASONS]
    seen: set[str] = set()
    examples = {}
    for reason, ids in sorted(ordered, key=lambda item: len(item[1])):
        examples[reason] = sorted((name for name in ids if name not in seen), key=lot)[:EXAMPLES]
        seen.update(examples[reason])
    return [
        {"reason": clip(reason, 100), "count": len(ids), "examples": examples[reason]}
        for reason, ids in ordered
    ]


def example(build: Build, row: Row) -> Row:
    """A rejected document, cut, with all that its review said."""
    text = body(row)
    review = build.reviews.get(row["id"], {})
    return {
        **_card(build, row),
        "reasons": [clip(str(reason), 300) for reason in review.get("reasons") or ()],
        "scores": dict(review.get("scores") or {}),
        "text": text[:EXCERPT],
        "cut": max(0, len(text) - EXCERPT),
    }


def drawn(build: Build) -> list[str]:
    """Kept documents for the reading room: kind after kind in turn, by the lot of the id."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in build.kept:
        groups.setdefault((entry.stream, entry.kind), []).append(entry)
    best = [heapq.nsmallest(SAMPLED, group, key=lambda e: lot(e.id)) for group in groups.values()]
    turn = [(place, lot(e.id), e.id) for group in best for place, e in enumerate(group)]
    return [name for _, _, name in sorted(turn)[:SAMPLED]]


def reading(
    build: Build,
    found: Sequence[Row],
    drew: int,
    steps: Mapping[str, list[Row]],
    phrases: Mapping[str, list[Row]],
) -> Row:
    """The reading room: the documents whole, or cut evenly where all would be too much.

    ``steps`` are those that led to a document, ``phrases`` what evidence says that it shares.
    """
    longest = LONGEST
    while sum(_weight(row, longest) for row in found) > READING_BYTES:
        longest = longest * 3 // 4
    cards = [
        {
            **_whole(build, row, longest),
            "steps": steps.get(row["id"], []),
            "asked_by": len(row.get("parents") or ()),
        }
        for row in found
    ]
    for card in cards:
        card["marks"] = marks(card["turns"], phrases.get(card["id"], []))
    return {"of": len(build.kept), "drawn": min(drew, len(cards)), "documents": cards}


def _weight(row: Row, longest: int) -> int:
    return len(escape(body(row)[:longest]).encode("utf-8", "replace"))


def _whole(build: Build, row: Row, longest: int) -> Row:
    left, shown = longest, []
    for role, text in turns(row):
        if left > 0:
            shown.append([role, text[:left]])
        left -= len(text)
    generator = {str(k): str(v) for k, v in (row.get("generator") or {}).items()}
    return {
        **_card(build, row),
        "fate": build.entries[row["id"]].fate if row["id"] in build.entries else "earlier",
        "facets": {str(k): clip(str(v), 300) for k, v in (row.get("facets") or {}).items()},
        "generator": generator,
        "parents": [str(parent) for parent in row.get("parents") or ()][:8],
        "scores": dict(build.reviews.get(row["id"], {}).get("scores") or {}),
        "tools": row.get("tools") is not None,
        "turns": shown,
        "cut": max(0, -left),
    }


def cut(card: Row, longest: int) -> Row:
    """The card with its text and the steps before it cut to that many characters each."""
    left, turns_left = longest, []
    for role, text in card["turns"]:
        if left > 0:
            turns_left.append([role, text[:left]])
        left -= len(text)
    steps = [
        {**s, "text": s["text"][:longest], "cut": s["cut"] + max(0, len(s["text"]) - longest)}
        for s in card["steps"]
    ]
    lengths = [len(text) for _, text in turns_left]
    inside = [m for m in card["marks"] if m["turn"] < len(lengths)]
    inside = [m for m in inside if m["end"] <= lengths[m["turn"]]]
    more = card["cut"] + max(0, -left)
    return {**card, "turns": turns_left, "steps": steps, "marks": inside, "cut": more}


def point(build: Build, row: Row) -> Row:
    """What the map says of a document."""
    return {
        "id": row["id"],
        "title": clip(title(row), 60),
        "stream": str(row.get("stream") or ""),
        "kind": str(row.get("kind") or ""),
        "section": build.title(str(row.get("section") or "")),
    }


def _card(build: Build, row: Row) -> Row:
    """What is said of a document above its text: its name, and the brief that ordered it."""
    brief = build.briefs.get(str(row.get("brief")), {})
    section = str(row.get("section") or "")
    return {
        "id": row["id"],
        "title": title(row),
        "stream": str(row.get("stream") or ""),
        "kind": str(row.get("kind") or ""),
        "section": section,
        "section_title": build.title(section),
        "seed": str(row.get("seed") or ""),
        "principle": clip(str(brief.get("principle") or ""), 400),
        "asked": brief.get("words"),
        "words": length(body(row)),
        "brief": str(row.get("brief") or ""),
    }
