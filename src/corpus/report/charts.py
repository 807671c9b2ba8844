"""The views of what the corpus is about and of what more of it would add: a map and three curves.

The map can be walked by pointer and by keyboard where the script runs; without it, and for a screen
reader, the table of regions says what the picture shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from corpus.records import STREAMS
from corpus.report import plots
from corpus.report.folder import Row
from corpus.report.markup import (
    Markup,
    count,
    data,
    el,
    join,
    lead,
    nothing,
    number,
    percent,
    row,
    share,
    table,
)
from corpus.report.patterns import link

TITLES = 230_000  # bytes of the titles of all points
SHORTEST = 16  # characters of a title

Write = Callable[[float], str]


def topic_map(facts: Row) -> Markup:
    """The map with its legend, a control, and its regions in words."""
    found = facts["map"]
    if not found["points"]:
        return nothing("Too few documents for a map: it takes 8.")
    drawn = len(found["points"])
    every = drawn == found["of"]
    which = f"all {count(drawn)}" if every else f"{count(drawn)} of {count(found['of'])}"
    said = (
        f"One point for each of {which} kept documents, close where they use the same words. "
        "The axes have no names. Numbers are regions, described in the table."
    )
    streams = dict.fromkeys(point["stream"] for point in found["points"])
    ordered = sorted(streams, key=lambda s: (STREAMS.index(s) if s in STREAMS else 9, s))
    legend = [el("li", plots.key(stream), " ", stream) for stream in ordered]
    picture = el("div", plots.scatter(found["points"], found["regions"]), class_="mapbox",
                 data_map=True)  # fmt: skip
    figure = el(
        "figure",
        el("ul", legend, class_="legend", role="list"),
        _pick(),
        picture,
        el("p", class_="here plain", aria_live="polite"),
        class_="mapfigure",
    )
    return join([lead(said), figure, _regions(facts), _points(found["points"])])


def _pick() -> Markup:
    """What to bring out; filled by the script, hidden without it."""
    choose = el("select", el("option", "Nothing", value=""), data_pick=True)
    return el(
        "form", el("label", "Bring out", choose), class_="filters pick", hidden=True,
        aria_label="Bring out points of the map",
    )  # fmt: skip


def _points(points: Sequence[Row]) -> Markup:
    """Places, titles and kinds for the script, as data that no browser runs."""
    kinds = sorted({point["kind"] for point in points})
    sections = sorted({point["section"] for point in points})
    longest = 60
    titles = [point["title"] for point in points]
    while longest > SHORTEST and _weight(titles) > TITLES:
        longest = longest * 3 // 4
        titles = [title[:longest] for title in titles]
    packed = {
        "kinds": kinds,
        "sections": sections,
        "at": [value for point in points for value in plots.place(point["at"])],
        "kind": [kinds.index(point["kind"]) for point in points],
        "section": [sections.index(point["section"]) for point in points],
        "stream": [point["stream"] for point in points],
        "title": titles,
    }
    packed["streams"] = sorted(set(packed["stream"]))
    packed["stream"] = [packed["streams"].index(stream) for stream in packed["stream"]]
    return data("points", packed)


def _weight(titles: Sequence[str]) -> int:
    return len(json.dumps(titles, ensure_ascii=False).encode())


def _regions(facts: Row) -> Markup:
    found = facts["map"]
    known = {card["id"]: card for card in facts["reading"]["documents"]}
    total = len(found["points"])
    lines = [
        row(
            str(place),
            el("td", ", ".join(region["words"]) or "no word stands out", class_="words",
               dir="auto"),
            number(count(region["documents"])),
            number(share(region["documents"], total)),
            ", ".join(f"{name} {count(n)}" for name, n in region["streams"].items()),
            _middle(region["middle"], known),
        )
        for place, region in enumerate(found["regions"], 1)
    ]  # fmt: skip
    heads = ["Region", "Words that set it apart", "#Documents", "#Share", "Streams",
             "At its middle"]  # fmt: skip
    return table("The regions of the map", heads, lines, "regions")


def _middle(card: Row, known: dict[str, Row]) -> Markup:
    read = link(card["id"], known) if card["id"] in known else None
    return join([el("span", card["title"], dir="auto"), " ", read])


def growth(facts: Row) -> Markup:
    """Three curves side by side, what they come to in a sentence, and their numbers."""
    found = facts["growth"]
    blocks = found["blocks"]
    if len(blocks) < 3:  # noqa: PLR2004 - two points are no curve
        return nothing("Too few documents for a curve.")
    last = blocks[-1]
    sample = last["documents"]
    every = "all" if sample == found["of"] else "a sample of"
    said = (
        f"What each further block of {every} {count(sample)} kept documents added, in an order "
        f"drawn by lot. In the last block {_percent(last['phrases'])} of the 8-word phrases and "
        f"{_percent(last['pairs'])} of the word pairs were new. A curve that has come down says "
        "that more of the same plan adds little."
    )
    top = max((block["topics"] or 0 for block in blocks), default=0)
    rounded = _round_up(top)
    drawings = [
        _curve("New 8-word phrases", "share of a block's own that no document before had",
               blocks, "phrases", 1.0, percent),
        _curve("New word pairs", "share of a block's own that no document before had",
               blocks, "pairs", 1.0, percent),
        _curve("Effective topics", "over all documents so far", blocks, "topics", rounded, _plain),
    ]  # fmt: skip
    return join([lead(said), el("div", drawings, class_="plots three"), _numbers(blocks)])


def _curve(
    title: str, about: str, blocks: Sequence[Row], key: str, top: float, say: Write
) -> Markup:
    values = [(block["documents"], block[key]) for block in blocks]
    ends = [el("span", "0"), el("span", f"{count(blocks[-1]['documents'])} documents")]
    return el(
        "figure",
        el("figcaption", el("b", title), f", {about}"),
        plots.curve(values, top, say),
        el("div", ends, class_="axis"),
    )


def _numbers(blocks: Sequence[Row]) -> Markup:
    lines = [
        row(
            count(block["documents"]),
            number(count(block["words"])),
            number(_percent(block["phrases"])),
            number(_percent(block["pairs"])),
            number(_plain(block["topics"])),
        )
        for block in blocks
    ]
    heads = ["Documents", "#Words", "#New 8-word phrases", "#New word pairs", "#Effective topics"]
    listing = table("The curves in numbers", heads, lines)
    return el("details", el("summary", "The curves in numbers"), listing, class_="more")


def _percent(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else percent(value)


def _plain(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{value:,.0f}"


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    step = 1.0
    while True:
        for times in (1, 2, 5):
            if step * times >= value:
                return step * times
        step *= 10
