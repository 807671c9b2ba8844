"""What happened and what came out, as one page that opens anywhere, its JSON twin, and a few lines.

The page holds all it needs and asks for nothing: no address, no font, no chart library; its size
has a ceiling at any size of corpus. The JSON twin holds what the page shows, for programs. Rooms:
``folder`` reads; ``counts``, ``samples``, ``copies``, ``habits``, ``topics``, ``rounds``,
``marks``, ``lineage`` and ``compare`` work out what to show; ``gates`` says what may not be;
``page`` and the views draw it with ``markup``. This room is the door.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpus import store
from corpus.model.past import Recall, recall_from
from corpus.records import Json
from corpus.report import copies, counts, habits, lineage, marks, rounds, samples, topics
from corpus.report.compare import compare, load
from corpus.report.folder import Build, Row, body, read, spread, texts, turns
from corpus.report.gates import broken
from corpus.report.ledger import unpaid
from corpus.report.markup import count, measure, money
from corpus.report.page import render
from corpus.score import Text

__all__ = ["broken", "collect", "load", "read_twin", "render", "summary", "write"]

BUILD = ("version", "quality", "writer", "model", "models", "seed", "date", "rounds", "name")
POINTS = 5_000  # documents that map, curve and habits are drawn from
CEILING = 1_990_000  # bytes of the page
SHRINK = 0.7


def collect(
    folder: Path,
    manifest: Mapping[str, Any],
    *,
    recall: Recall | None = None,
    other: Mapping[str, Any] | None = None,
    other_name: str = "",
) -> dict[str, Any]:
    """Everything that the page shows of the build in ``folder``, as plain JSON.

    A file that is missing counts as empty and a manifest key that is missing as not recorded, so
    that a build that stopped early can be looked at.

    Args:
        folder: the build's output.
        manifest: what its manifest holds, or {}.
        recall: how to look up replies; by default in the folder's journal, if nobody holds it.
        other: the facts of another build, to be compared with this one.
        other_name: what the user called it.

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
        **_from_texts(build, recall or recall_from(folder / "journal.sqlite")),
        "loop": rounds.rounds(build),
        "shards": counts.shards(build),
        "export": counts.export(build),
        "provenance": counts.provenance(build),
        "notes": list(manifest.get("notes") or ()),
    }
    facts["compare"] = compare(facts, other, other_name) if other else None
    plain: dict[str, Any] = _plain(facts)
    return plain


def write(
    folder: Path,
    manifest: Mapping[str, Any],
    *,
    recall: Recall | None = None,
    other: Mapping[str, Any] | None = None,
    other_name: str = "",
) -> Path:
    """Write ``report/report.json`` and ``report/index.html`` in ``folder``; return the page's path.

    The arguments are those of ``collect``. Texts of the reading room are cut for the page where it
    would pass its ceiling; the twin has them longer.

    Raises:
        InputError: a line of the build's files is not a JSON object.
        DiskError: the disk cannot be written.
    """
    facts = collect(folder, manifest, recall=recall, other=other, other_name=other_name)
    page = folder / "report" / "index.html"
    store.write_json(page.with_name("report.json"), facts)
    store.write_text(page, _fitting(facts))
    return page


def _fitting(facts: Row) -> str:
    """The page, with the texts to read cut as far as its ceiling asks for."""
    html, longest = render(facts), samples.LONGEST
    while len(html.encode()) > CEILING and longest > samples.EXCERPT:
        longest = int(longest * SHRINK)
        cards = [samples.cut(card, longest) for card in facts["reading"]["documents"]]
        facts = {**facts, "reading": {**facts["reading"], "documents": cards}}
        html = render(facts)
    return html


def read_twin(page: Path) -> dict[str, Any]:
    """The facts behind a page that was written just now."""
    facts: dict[str, Any] = json.loads(page.with_name("report.json").read_text("utf-8"))
    return facts


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


def _from_texts(build: Build, recall: Recall) -> Row:
    """What needs the words of documents: one more pass over the file for those that are shown."""
    metrics = samples.metrics(build)
    clusters = copies.clusters(build)
    rejected = samples.rejected(build)
    points = spread(build.kept, POINTS)
    drawn = samples.drawn(build)
    named = samples.named(metrics)
    wanted = {*drawn, *named, *points, *(name for row in rejected for name in row["examples"])}
    rows = texts(build, wanted | copies.wanted(build, clusters))
    bodies = {name: body(row) for name, row in rows.items()}
    for metric in metrics:
        for piece in metric["evidence"]:
            piece["context"] = marks.in_context(piece, bodies)
    for row in rejected:
        row["examples"] = [samples.example(build, rows[n]) for n in row["examples"] if n in rows]
    sampled = [rows[name] for name in points]
    found = {"habits": habits.habits(build, sampled), **_topics(build, sampled)}
    room = [*drawn, *samples.linked(drawn, named, found)]
    read_here = [rows[name] for name in room if name in rows]
    steps = lineage.trace(read_here, recall)
    return {
        "metrics": metrics,
        **found,
        "duplicates": copies.duplicates(build, clusters, rows),
        "rejected": rejected,
        "reading": samples.reading(build, read_here, len(drawn), steps, marks.phrases(metrics)),
    }


def _topics(build: Build, rows: list[Row]) -> Row:
    """The map of those documents, and what each further block of them added."""
    said = topics.read_words([body(row) for row in rows])
    found = topics.vectors(said)
    cards = [samples.point(build, row) for row in rows]
    scored = [Text(row["id"], turns(row)[-1][1]) for row in rows]  # of a chat, the answer
    return {
        "map": {"of": len(build.kept), **topics.topic_map(cards, said, found)},
        "growth": {"of": len(build.kept), "blocks": topics.growth(said, scored)},
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
