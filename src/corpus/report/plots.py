"""The larger drawings: the map of topics and the curves, as inline SVG.

Points of one stream are one path, so that five thousand of them weigh little. A stream has a shape
as well as a colour, and every drawing stands beside a table that says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from corpus.records import STREAMS
from corpus.report.folder import Row
from corpus.report.markup import Markup, el, join

WIDE, HIGH, EDGE = 1_000, 620, 24  # of the map and the room around it
SHAPES = {  # of a point, drawn from its middle
    "documents": "h0",
    "stories": "m-4 3.5l4-7 4 7z",
    "advice": "m-3-3h6v6h-6z",
    "agentic": "m-4 0h8m-4-4v8",
}
CURVE = (320, 150)  # width and height of a curve


def stream_class(stream: str) -> str:
    """The class that gives a stream its colour."""
    return f"s{STREAMS.index(stream)}" if stream in STREAMS else "s4"


def place(point: Sequence[int], side: int = 1_000) -> tuple[int, int]:
    """A point of the map in the drawing: y grows downwards."""
    return EDGE + point[0] * WIDE // side, EDGE + HIGH - point[1] * HIGH // side


def scatter(points: Sequence[Row], regions: Sequence[Row]) -> Markup:
    """All points, stream by stream, and the number of each region at its middle."""
    streams: dict[str, list[str]] = {}
    for point in points:
        x, y = place(point["at"])
        shape = SHAPES.get(point["stream"], SHAPES["documents"])
        streams.setdefault(point["stream"], []).append(f"M{x} {y}{shape}")
    paths = [
        el("path", d="".join(drawn), class_=f"dots {stream_class(stream)}")
        for stream, drawn in sorted(streams.items())
    ]
    labels = [_label(number, region["at"]) for number, region in enumerate(regions, 1)]
    box = f"0 0 {WIDE + 2 * EDGE} {HIGH + 2 * EDGE}"
    return el("svg", paths, labels, class_="map", viewBox=box, aria_hidden="true",
              focusable="false")  # fmt: skip


def _label(number: int, at: Sequence[int]) -> Markup:
    x, y = place(at)
    return el("text", str(number), x=x, y=y, class_="region")


def key(stream: str) -> Markup:
    """The shape of a stream as it stands in the legend."""
    drawn = el("path", d=f"M8 8{SHAPES.get(stream, 'h0')}", class_=f"dots {stream_class(stream)}")
    size: Mapping[str, int] = {"width": 16, "height": 16}
    return el("svg", drawn, class_="key", viewBox="0 0 16 16", aria_hidden="true", **size)


def curve(
    values: Sequence[tuple[float, float | None]], top: float, say: Callable[[float], str]
) -> Markup:
    """A line from left to right over a base line at 0; gaps where a value is None.

    ``top`` is the value at the upper edge; the two ends of both axes are named.
    """
    wide, high = CURVE
    last = max((x for x, _ in values), default=0) or 1
    runs: list[list[str]] = [[]]
    for x, y in values:
        if y is None:
            runs.append([])
        else:
            runs[-1].append(f"{x / last * wide:.1f} {high - min(1.0, y / (top or 1)) * high:.1f}")
    path = "".join(f"M{'L'.join(run)}" for run in runs if run)
    grid = [
        el("path", d=f"M0 {high * part}H{wide}", class_="rule") for part in (0, 0.25, 0.5, 0.75)
    ]
    marks = join(
        [
            el("text", say(top), x=2, y=12, class_="tick"),
            el("text", "0", x=2, y=high - 4, class_="tick"),
        ]
    )
    drawn = [*grid, el("path", d=f"M0 {high}H{wide}", class_="axis-line"),
             el("path", d=path, class_="line"), marks]  # fmt: skip
    return el("svg", drawn, class_="curve", viewBox=f"0 -4 {wide} {high + 8}",
              aria_hidden="true", focusable="false")  # fmt: skip
