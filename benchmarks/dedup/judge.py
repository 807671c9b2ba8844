"""What a tool dropped, against the truth.

Documents: precision and recall of the dropped documents against those that the tool's own policy
would drop if it knew every similarity exactly (``due``). Pairs: of the true pairs, the share that
is settled, which is that not both stay. Links: of the documents dropped for a named partner, the
share whose pair is true; for a tool that reports exact similarities, they must be equal as well.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.dedup.tools import Tool
from benchmarks.dedup.truth import Truth

Neighbours = dict[int, set[int]]


class Verdict(NamedTuple):
    """Precision and recall of documents and of pairs; None where a tool cannot be asked."""

    dropped: int
    due: int
    precision: float
    recall: float
    pairs_settled: float | None
    links_true: float | None
    kinds: dict[str, tuple[int, int, int]]
    wrong: list[dict[str, Any]]


def neighbours(truth: Truth) -> Neighbours:
    """Who is a near-duplicate of whom."""
    near: Neighbours = defaultdict(set)
    for one, other in zip(truth.one.tolist(), truth.other.tolist(), strict=True):
        near[one].add(other)
        near[other].add(one)
    return near


def due(near: Neighbours, order: Iterable[int]) -> set[int]:
    """What is dropped when documents come in an order and each is compared with those that stay."""
    stay: set[int] = set()
    gone: set[int] = set()
    for place in order:
        (stay if near.get(place, set()).isdisjoint(stay) else gone).add(place)
    return gone


def chains(near: Neighbours) -> list[set[int]]:
    """The connected components of the pairs."""
    found: list[set[int]] = []
    seen: set[int] = set()
    for start in near:
        if start in seen:
            continue
        chain, edge = {start}, [start]
        while edge:
            fresh = near[edge.pop()] - chain
            chain |= fresh
            edge += fresh
        seen |= chain
        found.append(chain)
    return found


def judge(
    truth: Truth,
    rows: Sequence[Mapping[str, Any]],
    lengths: Sequence[int],
    copies: Sequence[Mapping[str, Any]],
    out: Path,
    tool: Tool,
) -> Verdict:
    """Judge the ``duplicates.jsonl`` that a tool wrote.

    ``lengths`` are in words; ``copies`` are the rows that say what was planted.
    """
    near = neighbours(truth)
    place = {row["id"]: at for at, row in enumerate(rows)}
    drops = [json.loads(line) for line in (out / "duplicates.jsonl").open(encoding="utf-8")]
    dropped = {place[drop["id"]] for drop in drops}
    expected, right = _expected(near, rows, lengths, dropped, tool.policy)
    links = _links(truth, place, drops, exact=tool.exact)
    settled = None
    if tool.policy != "flags" and len(truth.one):
        pairs = zip(truth.one.tolist(), truth.other.tolist(), strict=True)
        settled = sum(not dropped.isdisjoint(pair) for pair in pairs) / len(truth.one)
    return Verdict(
        len(dropped),
        expected,
        right / len(dropped) if dropped else 1.0,
        right / expected if expected else 1.0,
        settled,
        1 - len(links) / len(drops) if links is not None and drops else None,
        _kinds(truth, place, copies, dropped),
        (links or [])[:5],
    )


def _kinds(
    truth: Truth,
    place: Mapping[str, int],
    copies: Sequence[Mapping[str, Any]],
    dropped: set[int],
) -> dict[str, tuple[int, int, int]]:
    """For each kind: copies planted, those near enough to their source, and of them the settled."""
    table = truth.pairs()
    counts: dict[str, list[int]] = {}
    for copy in copies:
        if copy["id"] in place:  # a copy comes after its source
            pair = sorted((place[copy["id"]], place[copy["source"]]))
            near = tuple(pair) in table
            row = counts.setdefault(copy["kind"], [0, 0, 0])
            row[0] += 1
            row[1] += near
            row[2] += near and not dropped.isdisjoint(pair)
    return {kind: (a, b, c) for kind, (a, b, c) in sorted(counts.items())}


def _expected(
    near: Neighbours,
    rows: Sequence[Mapping[str, Any]],
    lengths: Sequence[int],
    dropped: set[int],
    policy: str,
) -> tuple[int, int]:
    """How many documents the policy would drop, and how many of those dropped are right."""
    if policy == "chain":  # which of a chain stays is the tool's business
        sizes = [(len(chain) - 1, len(chain & dropped)) for chain in chains(near)]
        return sum(most for most, _ in sizes), sum(min(pair) for pair in sizes)
    if policy == "flags":
        return len(near), len(dropped & near.keys())
    places: Iterable[int] = range(len(rows))
    if policy == "best":
        places = sorted(places, key=lambda at: (-lengths[at], rows[at]["id"]))
    expected = due(near, places)
    return len(expected), len(expected & dropped)


def _links(
    truth: Truth, place: Mapping[str, int], drops: Sequence[Mapping[str, Any]], *, exact: bool
) -> list[dict[str, Any]] | None:
    """The named pairs that are not true (or whose similarity is not exact); None where none is."""
    if any(drop["original"] is None for drop in drops):
        return None
    table = truth.pairs()
    wrong = []
    for drop in drops:
        one, other = sorted((place[drop["id"]], place[drop["original"]]))
        real = table.get((one, other))
        if real is None or (exact and abs(real - drop["similarity"]) > 1e-9):
            wrong.append({**drop, "truth": real})
    return wrong
