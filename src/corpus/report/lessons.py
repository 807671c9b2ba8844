"""The view of the loop: what each round taught, and what it made of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from corpus.report import figures
from corpus.report.folder import Row
from corpus.report.markup import (
    Markup,
    count,
    el,
    join,
    lead,
    measure,
    nothing,
    number,
    percent,
    row,
    table,
)

DASH = "\N{EN DASH}"


def lessons(facts: Row) -> Markup:
    """The rounds in a table; then the orders, the empty cells and the arms with their rounds."""
    found = facts["loop"]
    if not found["rounds"]:
        return nothing("No round is on file: loop.jsonl is missing or empty.")
    said = (
        "After each round the build counted over all that it had kept, and told the next one. An "
        "order that ends before the last round worked, or fell below its limit as the corpus grew."
    )
    last = len(found["rounds"])
    return join(
        [
            lead(said),
            _rounds(found["rounds"]),
            _listed("Later texts were told to shun", "Order", found["bans"], last,
                    found["listed"]["bans"]),
            _listed("Dealt first, because planned and empty", "Cell", found["holes"], last,
                    found["listed"]["holes"]),
            _stopped(found["stopped"], last),
            _arms(found["arms"]),
        ]
    )  # fmt: skip


def _rounds(rows: Sequence[Row]) -> Markup:
    heads = ["Round", "#Documents", "#Words", "#New 8-word phrases", "", "#Effective topics",
             "#To shun", "#Empty cells", "#Stopped"]  # fmt: skip
    lines = [
        row(
            count(one["round"]),
            number(count(one["documents"])),
            number(count(one["words"])),
            number(DASH if one["novelty"] is None else percent(one["novelty"])),
            el("td", figures.share_bar(one["novelty"] or 0, 1), class_="drawn"),
            number(DASH if one["topics"] is None else measure(one["topics"])),
            *(number(count(one[f"{key}_listed"])) for key in ("bans", "holes", "stopped")),
        )
        for one in rows
    ]
    return table("What each round taught", heads, lines, "evidence")


def _listed(title: str, head: str, found: Sequence[Row], last: int, every: int) -> Markup | None:
    if not found:
        return None
    lines = [row(el("span", one["what"], dir="auto"), _when(one["rounds"], last)) for one in found]
    more = every - len(found)
    left = el("p", f"{count(more)} more are in loop.jsonl.", class_="plain") if more > 0 else None
    head_of = el("summary", f"{title}: {count(every)}")
    listing = table(title, [head, "After rounds"], lines, "evidence")
    return el("details", head_of, listing, left, class_="more", open=every <= 12)  # noqa: PLR2004


def _stopped(found: Sequence[Row], last: int) -> Markup:
    if not found:
        return el("p", "No arm was stopped: no kind and no section fell under the floor.",
                  class_="plain")  # fmt: skip
    lines = [row(one["what"], _when(one["rounds"], last)) for one in found]
    title = "Arms that were stopped, because their last texts said too little that was new"
    return join([el("h3", title), table(title, ["Arm", "After rounds"], lines, "evidence")])


def _arms(found: Sequence[Row]) -> Markup | None:
    if not found:
        return None
    lines = [
        row(
            one["what"],
            number(percent(one["novelty"])),
            el("td", figures.share_bar(one["novelty"], 1), class_="drawn"),
        )
        for one in found
    ]
    title = "Arms whose last texts said least that was new"
    heads = ["Arm", "#New 8-word phrases", ""]
    return join([el("h3", title), table(title, heads, lines, "evidence")])


def _when(rounds: Sequence[int], last: int) -> str:
    """Rounds as runs: ``2 to 5, 7``; the last one is said to be so."""
    runs: list[list[int]] = [[rounds[0], rounds[0]]]
    for before, now in pairwise(rounds):
        if now == before + 1:
            runs[-1][1] = now
        else:
            runs.append([now, now])
    said = ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in runs)
    return f"{said} (the last)" if rounds[-1] == last else said
