"""What can be counted about a build: the headline, coverage, lengths, yield, cost, provenance.

Every function takes a ``Build`` and returns plain JSON; this room reads no file and no text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from corpus.records import STREAMS, Json
from corpus.report.folder import Build, Row, heading

CELLS = 9_000  # coverage cells that the page holds; beyond that, sections fold into their parents
BINS = 24
LINE = 300  # characters of a setting
COST_SUMS = ("paid", "possibly_paid", "in_all", "per_million_kept")
COST_FACTS = ("replies", "replayed", "unpriced", "cache_hits", "price_table")
SHOWN_ELSEWHERE = frozenset(
    {"constitution", "stages", "counts", "by_kind", "by_section", "rejected", "cost", "gates"}
    | {"shards", "notes", "tokens", "judge", "guard", "growth", "seq_len", "dropped", "mixture"}
)


def headline(build: Build) -> Row:
    """The few numbers that a reader wants first; None where the build did not record one."""
    fates = Counter(entry.fate for entry in build.entries.values())
    counts = build.manifest.get("counts") or {}
    tokens = [row["tokens"] for row in counts.values() if row.get("tokens") is not None]
    planned = {brief.get("section") for brief in build.briefs.values()}
    return {
        "planned": len(build.briefs),
        "written": sum(entry.words > 0 for entry in build.entries.values()),
        "kept": fates["kept"],
        "rejected": fates["rejected"],
        "duplicate": fates["duplicate"],
        "unreviewed": fates["unreviewed"],
        "earlier": build.earlier,
        "tokens": sum(tokens) if tokens else None,
        "tokens_goal": build.manifest.get("tokens_goal"),
        "tokenizer": build.manifest.get("tokenizer") or None,
        "sections": len(build.sections) or None,
        "sections_planned": len(planned),
        "sections_covered": len({entry.section for entry in build.kept}),
        "paid": (build.manifest.get("cost") or {}).get("paid"),
        "rehearsed": (build.manifest.get("cost") or {}).get("rehearsed", False),
        "demo": build.manifest.get("writer") == "local",
    }


def coverage(build: Build) -> Row:
    """Sections by kinds: ``cells`` are ``[row, column, planned, kept, tokens]``, never all zero.

    Tokens are kept ones, the words of a cell by the tokens per word of its kind; None where the
    manifest counts none.
    Planned counts first deals only, so a document that replaces a rejected one does not ask for a
    cell twice. Where the table would pass ``CELLS``, sections of one heading share a row.
    """
    planned: Counter[tuple[str, str, str]] = Counter()
    for brief in build.briefs.values():
        planned[_cell(brief)] += not brief.get("replaces")
    kept = Counter((e.section, e.stream, e.kind) for e in build.kept)
    columns = sorted({cell[1:] for cell in (*planned, *kept)}, key=_stream_order)
    rows, place, folded = _rows(build, {cell[0] for cell in (*planned, *kept)}, len(columns))
    cells: Counter[tuple[int, int, str]] = Counter()
    words: Counter[tuple[str, str, str]] = Counter()
    for entry in build.kept:
        words[entry.section, entry.stream, entry.kind] += entry.words
    rates = _rates(build, words, columns)
    for name, counted in (("planned", planned), ("kept", kept), ("words", words)):
        for (section, *column), number in counted.items():
            cells[place[section], columns.index((column[0], column[1])), name] += number
    gates = _section_gates(build, place, len(rows))
    spots = sorted({(row, column) for row, column, _ in cells if row >= 0})
    table = [
        [r, c, cells[r, c, "planned"], cells[r, c, "kept"], _tokens(cells[r, c, "words"], rates[c])]
        for r, c in spots
    ]
    return {
        "columns": [list(column) for column in columns],
        "rows": [{**row, "gates": gates[at]} for at, row in enumerate(rows)],
        "cells": table,
        "empty": sum(1 for _, _, want, have, _ in table if want and not have),
        "asked": sum(1 for _, _, want, *_ in table if want),
        "folded": folded,
    }


def _section_gates(build: Build, place: Mapping[str, int], rows: int) -> list[dict[str, int]]:
    """How many gates of their own fail or warn in the sections of each row."""
    found: list[Counter[str]] = [Counter() for _ in range(rows)]
    for metric in build.metrics:
        by, _, section = str(metric["scope"]).partition(" ")
        at = place.get(section, -1) if by == "section" else -1
        if at >= 0 and metric.get("gate") in {"warn", "fail"}:
            found[at][metric["gate"]] += 1
    return [dict(sorted(one.items())) for one in found]


def _rates(
    build: Build, words: Mapping[tuple[str, str, str], int], columns: Sequence[tuple[str, str]]
) -> list[float | None]:
    """Tokens per word of each column: by its kind where the manifest counts kinds."""
    kinds = build.manifest.get("by_kind") or {}
    in_kind: Counter[str] = Counter()
    for (_, _, kind), number in words.items():
        in_kind[kind] += number
    counted = [(kinds.get(kind) or {}).get("tokens") for _, kind in columns]
    return [
        tokens / in_kind[kind] if tokens is not None and in_kind[kind] else None
        for tokens, (_, kind) in zip(counted, columns, strict=True)
    ]


def _tokens(words: int, rate: float | None) -> int | None:
    return None if rate is None else round(words * rate)


def _cell(brief: Mapping[str, Any]) -> tuple[str, str, str]:
    return (str(brief.get("section")), str(brief.get("stream")), str(brief.get("kind")))


def _stream_order(column: Sequence[str]) -> tuple[int, str, str]:
    stream, kind = column[0], column[1]
    order = [name == stream for name in (*STREAMS, stream)].index(True)
    return (order, stream, kind)


def _rows(build: Build, met: set[str], width: int) -> tuple[list[Row], dict[str, int], int]:
    """The table's rows, each section's row number (-1: left out), and how many sections folded."""
    listed = [s for s in build.sections if s.get("id")]
    strangers = sorted(met - {s["id"] for s in listed})
    sections = [*listed, *({"id": name, "path": heading(name)} for name in strangers)]
    room = max(1, CELLS // max(1, width))
    for depth in (None, 4, 3, 2, 1):
        keys = [tuple(s.get("path") or ())[:depth] if depth else s["id"] for s in sections]
        if len(set(keys)) <= room:
            break
    if len(set(keys)) == 1 < len(sections):  # no headings to fold into: runs of sections
        run = -(-len(sections) // room)
        depth, keys = None, [(number // run,) for number in range(len(sections))]
    first = {key: number for number, key in reversed([*enumerate(keys)])}
    order = {number: row for row, number in enumerate(sorted(first.values())[:room])}
    members = Counter(keys)
    rows = [_row(sections[n], depth, members[keys[n]]) for n in order]
    place = {s["id"]: order.get(first[k], -1) for s, k in zip(sections, keys, strict=True)}
    return rows, place, len(sections) - len(rows)


def _row(section: Mapping[str, Any], depth: int | None, members: int) -> Row:
    path = [str(part) for part in section.get("path") or ()][:depth]
    title = path[-1] if depth and path else section.get("title") or (path or [section["id"]])[-1]
    more = f" and {members - 1} after it" if members > 1 and not depth else ""
    return {"group": path[1] if len(path) > 1 else "", "title": f"{title}{more}"}


def lengths(build: Build) -> Row:
    """Words per kept document: a histogram per stream, quantiles and asked length per kind."""
    kept = build.kept
    if not kept:
        return {"edges": [], "streams": {}, "kinds": [], "mean": None}
    top = max(quantile([entry.words for entry in kept], 0.995), BINS)
    step = -(-top // BINS)
    asked: dict[tuple[str, str], list[int]] = {}
    for brief in build.briefs.values():
        asked.setdefault(_cell(brief)[1:], []).append(int(brief.get("words") or 0))
    words: dict[tuple[str, str], list[int]] = {}
    bars: dict[str, list[int]] = {}
    for entry in kept:
        words.setdefault((entry.stream, entry.kind), []).append(entry.words)
        bar = bars.setdefault(entry.stream, [0] * BINS)
        bar[min(BINS - 1, entry.words // step)] += 1
    return {
        "mean": sum(entry.words for entry in kept) / len(kept),
        "edges": [step * number for number in range(BINS + 1)],
        "streams": {stream: bars[stream] for stream in _ordered(bars)},
        "kinds": [_spread(k, words[k], asked.get(k, [])) for k in sorted(words, key=_stream_order)],
    }


def quantile(values: Sequence[int], at: float) -> int:
    """The value at that rank, counting from the nearest below; 0 of nothing."""
    ordered = sorted(values)
    return ordered[int(at * (len(ordered) - 1))] if ordered else 0


def _spread(kind: tuple[str, str], words: Sequence[int], asked: Sequence[int]) -> Row:
    marks = {f"p{int(at * 100)}": quantile(words, at) for at in (0.1, 0.5, 0.9)}
    extent = {"documents": len(words), "asked": quantile(asked, 0.5)}
    return {"stream": kind[0], "kind": kind[1], **extent, **marks}


def funnel(build: Build) -> list[Row]:
    """Per stream: planned, written, through the gates, through the judge, kept, and its tokens.

    A rejected document without scores or a ``judge_`` reason fell at a gate. ``judged`` is None
    where no document of the build came before a judge.
    """
    judge = any(map(_was_judged, build.reviews.values()))
    tokens = build.manifest.get("counts") or {}
    planned = Counter(str(brief.get("stream")) for brief in build.briefs.values())
    rows = []
    for stream in _ordered({*planned, *(e.stream for e in build.entries.values())}):
        mine = [entry for entry in build.entries.values() if entry.stream == stream]
        settled = [entry for entry in mine if entry.fate != "unreviewed"]
        passed = [e for e in settled if e.fate != "rejected" or _was_judged(build.reviews[e.id])]
        accepted = [entry for entry in settled if entry.fate != "rejected"]
        rows.append(
            {
                "stream": stream,
                "planned": planned[stream],
                "written": sum(entry.words > 0 for entry in mine),
                "passed": len(passed if judge else accepted),
                "judged": len(accepted) if judge else None,
                "kept": sum(entry.fate == "kept" for entry in accepted),
                "tokens": (tokens.get(stream) or {}).get("tokens"),
            }
        )
    return rows


def _was_judged(review: Mapping[str, Any]) -> bool:
    reasons = map(str, review.get("reasons") or ())
    return bool(review.get("scores")) or any(reason.startswith("judge") for reason in reasons)


def cost(build: Build) -> Row:
    """Calls, tokens and micro-dollars per stage and stream as the manifest has them; the totals."""
    money = build.manifest.get("cost") or {}
    by_stage = money.get("by_stage") or {}
    used = build.manifest.get("tokens") or {}
    stages = []
    for row in build.manifest.get("stages") or ():
        name = str(row.get("stage"))
        spent = by_stage.get(name)
        usage = used.get(name)
        stages.append(
            {
                **row,
                **(usage if isinstance(usage, Mapping) else {}),
                "paid": spent.get("paid") if isinstance(spent, Mapping) else spent,
            }
        )
    loose = {key: value for key, value in used.items() if not isinstance(value, Mapping)}
    return {
        "stages": stages,
        "streams": [_stream_cost(name, row) for name, row in _by_stream(money)],
        "totals": _totals(money),
        "rehearsed": money.get("rehearsed", False),
        "facts": {key: money[key] for key in COST_FACTS if money.get(key) is not None},
        "refusals": money.get("refusals") or {},
        "unknown": money.get("unknown") or [],
        "tokens": loose,
    }


def _totals(money: Mapping[str, Any]) -> Row:
    """The sums of money; what was saved stands apart by how."""
    totals: Row = {"paid": None, "possibly_paid": None}
    totals |= {key: money[key] for key in COST_SUMS if key in money}
    saved = money.get("saved")
    if isinstance(saved, Mapping):
        return totals | {f"saved_{how}": value for how, value in saved.items()}
    return totals | ({"saved": saved} if "saved" in money else {})


def _by_stream(money: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    found = money.get("by_stream") or {}
    return [(name, found[name]) for name in _ordered(found)]


def _stream_cost(name: str, row: Mapping[str, Any]) -> Row:
    """A stream: its replies in all stages, how many were whole, tokens, money, and the yield."""
    stages = [*(row.get("stages") or {}).values()]
    sums = {
        key: sum(s.get(key) or 0 for s in stages) for key in ("asked", "whole", "input", "output")
    }
    rest = {key: row.get(key) for key in ("paid", "tokens", "per_million_kept")}
    return {"stream": name, **sums, **rest, "yield": row.get("yield") or {}}


def shards(build: Build) -> dict[str, list[Row]]:
    """The shards by format, each ``file`` as seen from the build's folder.

    The manifest lists them flat with their ``format``, or as one list per format whose files are
    relative to ``shards/<format>``.
    """
    listed = build.manifest.get("shards") or ()
    if isinstance(listed, Mapping):
        return {
            name: [{**shard, "file": f"shards/{name}/{shard.get('file')}"} for shard in rows]
            for name, rows in listed.items()
        }
    formats: dict[str, list[Row]] = {}
    for shard in listed:
        formats.setdefault(str(shard.get("format")), []).append(shard)
    return formats


def export(build: Build) -> Row:
    """What the last export accounts for: what each trainer drops at a length, mixture, held out.

    Rows of ``dropped`` are those of the manifest: format, trainer, config, split, tokens, lost,
    share, what.
    """
    made = build.manifest
    held = [build.title(str(name)) for name in made.get("held_out_sections") or ()]
    return {
        "seq_len": made.get("seq_len"),
        "dropped": list(made.get("dropped") or ()),
        "mixture": made.get("mixture") or None,
        "held_out": held,
    }


def provenance(build: Build) -> list[list[str]]:
    """Versions, digests and settings as ``[name, value]``, nested names joined by a point."""
    constitution = build.manifest.get("constitution") or {}
    named = {f"constitution.{k}": v for k, v in constitution.items() if k != "sections"}
    rest = {k: v for k, v in build.manifest.items() if k not in SHOWN_ELSEWHERE}
    flat = [*_flat({**rest, **named})]
    return [[name, _short(value)] for name, value in flat[:200]]


def _flat(value: Mapping[str, Any], above: str = "") -> Iterable[tuple[str, Any]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _flat(inner, f"{above}{key}.")
        else:
            yield f"{above}{key}", inner


def _short(value: Json) -> str:
    if isinstance(value, (bool, type(None))):
        return {True: "yes", False: "no", None: "not recorded"}[value]
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text if len(text) <= LINE else f"{text[:LINE]} ..."


def _ordered(streams: Iterable[str]) -> list[str]:
    return sorted(streams, key=lambda stream: _stream_order((stream, "")))
