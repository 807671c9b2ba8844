"""What happened and what came out, as one page that opens anywhere, its JSON twin, and a few lines.

The page holds all it needs and asks for nothing: no address, no font, no chart library; its size
has a ceiling at any size of corpus. The JSON twin holds what the page shows, for programs. Rooms:
``folder`` reads, ``counts`` and ``samples`` work out what to show, ``page`` and ``figures`` draw it
with ``markup``. This room is the door.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpus import store
from corpus.records import Json
from corpus.report import counts, samples
from corpus.report.folder import Build, Row, read, texts
from corpus.report.ledger import unpaid
from corpus.report.markup import count, measure, money
from corpus.report.page import render

__all__ = ["collect", "summary", "write"]

BUILD = ("version", "quality", "writer", "model", "models", "seed", "date", "rounds", "name")


def collect(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the page shows of the build in ``folder``, as plain JSON.

    A file that is missing counts as empty and a manifest key that is missing as not recorded, so
    that a build that stopped early can be looked at.

    Raises:
        InputError: a line of the build's files is not a JSON object.
    """
    build = read(folder, manifest)
    facts = {
        "build": {key: manifest.get(key) for key in BUILD}
        | {"constitution": (manifest.get("constitution") or {}).get("name")},
        "headline": counts.headline(build),
        "coverage": counts.coverage(build),
        "lengths": counts.lengths(build),
        "funnel": counts.funnel(build),
        "cost": counts.cost(build),
        "judges": dict(manifest.get("judge") or {}),
        "guard": dict(manifest.get("guard") or {}),
        **_samples(build),
        "shards": counts.shards(build),
        "provenance": counts.provenance(build),
        "notes": list(manifest.get("notes") or ()),
    }
    plain: dict[str, Any] = _plain(facts)
    return plain


def write(folder: Path, manifest: Mapping[str, Any]) -> Path:
    """Write ``report/report.json`` and ``report/index.html`` in ``folder``; return the page's path.

    Raises:
        InputError: a line of the build's files is not a JSON object.
        DiskError: the disk cannot be written.
    """
    facts = collect(folder, manifest)
    page = folder / "report" / "index.html"
    store.write_json(page.with_name("report.json"), facts)
    store.write_text(page, render(facts))
    return page


def summary(facts: Mapping[str, Any]) -> str:
    """The headline, coverage, gates and cost in a few lines for a terminal."""
    head = facts["headline"]
    lost = f"{count(head['rejected'])} rejected, {count(head['duplicate'])} near-copies"
    tokenizer = head["tokenizer"] or {}
    proxy = ", a stand-in" if tokenizer.get("proxy") else ""
    counted = f"{count(head['tokens'])} tokens ({tokenizer.get('name', 'unknown')}{proxy})"
    paid = unpaid(head) if head["rehearsed"] else f"paid {money(head['paid'])}"
    covered = f"{count(head['sections_covered'])} of {count(head['sections_planned'])}"
    return "\n".join(
        [
            f"{count(head['kept'])} documents kept of {count(head['written'])} written ({lost})",
            f"{counted}; {paid}",
            f"{covered} planned sections covered; {facts['coverage']['empty']} planned cells empty",
            _gates(facts["metrics"]),
        ]
    )


def _gates(metrics: list[Row]) -> str:
    words = []
    for gate in ("fail", "warn"):
        rows = [f"{m['id']} {measure(m['value'], m['unit'])}" for m in metrics if m["gate"] == gate]
        words.append(f"{len(rows)} {gate}" + f" ({', '.join(rows)})" * bool(rows))
    passed = sum(m["gate"] == "pass" for m in metrics)
    return f"gates: {', '.join(words)}, {passed} pass"


def _samples(build: Build) -> Row:
    metrics = samples.metrics(build)
    pairs = samples.pairs(build)
    rejected = samples.rejected(build)
    drawn = samples.drawn(build)
    linked = [name for name in samples.named(metrics) if name not in {*drawn}]
    room = [*drawn, *linked[: samples.LINKED]]
    wanted = {*room, *(name for row in rejected for name in row["examples"])}
    wanted |= {str(pair.get(key)) for pair in pairs for key in ("id", "original")}
    rows = texts(build, wanted)
    for metric in metrics:
        for piece in metric["evidence"]:
            piece["context"] = samples.in_context(piece, rows)
    for row in rejected:
        row["examples"] = [samples.example(build, rows[n]) for n in row["examples"] if n in rows]
    return {
        "metrics": metrics,
        "duplicates": samples.duplicates(build, pairs, rows),
        "rejected": rejected,
        "reading": samples.reading(build, room, rows, len(drawn)),
    }


def _plain(value: Json) -> Json:
    """JSON that UTF-8 can hold: lists for tuples, no infinities, no half of a surrogate pair."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
