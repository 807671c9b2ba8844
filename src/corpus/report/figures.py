"""The small drawings: gate bars, shares, histograms, length strips as SVG.

Every figure stands beside its numbers in text, so the SVG is hidden from screen readers. Nothing
here uses a ``style`` attribute: the page's policy forbids it, classes and geometry are enough.
"""

from __future__ import annotations

from collections.abc import Sequence

from corpus.report.folder import Row
from corpus.report.markup import Markup, el, join
from corpus.report.measures import told

WIDTH = 160  # of a gate bar, pixels


def gate_bar(metric: Row) -> Markup | None:
    """The value that the gate speaks on, a thin mark where it warns, a thick one where it fails."""
    marks = [metric[key] for key in ("warn", "fail") if metric[key] is not None]
    value = told(metric)
    if value is None or not marks:
        return None
    top = max(value, *(mark * 1.25 for mark in marks)) or 1
    scale = WIDTH / top
    length = max(1.0, value * scale)
    return _svg(
        f"gate {metric['gate'] or 'none'}",
        (WIDTH + 4, 18),
        el("rect", class_="track", x=0, y=8, width=WIDTH, height=2),
        el("rect", class_="bar", x=0, y=6, width=f"{length:.1f}", height=6),
        _mark("warn", metric["warn"], scale),
        _mark("fail", metric["fail"], scale),
    )


def _mark(name: str, value: float | None, scale: float) -> Markup | None:
    if not value:
        return None
    wide = 3 if name == "fail" else 1
    at = f"{value * scale:.1f}"
    return el(
        "rect", class_=f"mark {name}", x=at, y=1 if wide > 1 else 3, width=wide, height=18 - wide
    )


def share_bar(part: float, whole: float) -> Markup:
    """A plain bar, ``part`` of ``whole`` long."""
    length = 100 * min(1.0, part / whole) if whole else 0
    return _stretched("share", (100, 6), el("rect", x=0, y=0, width=f"{length:.1f}", height=6))


def histogram(bars: Sequence[int]) -> Markup:
    """Bars from left to right on one base line, the highest as high as the figure."""
    top = max(bars, default=0) or 1
    rects = [
        el(
            "rect",
            x=place * 10 + 1,
            y=f"{60 - 60 * n / top:.1f}",
            width=8,
            height=f"{60 * n / top:.1f}",
        )
        for place, n in enumerate(bars)
        if n
    ]
    return _stretched("histogram", (10 * len(bars), 60), *rects)


def strip(row: Row, top: int) -> Markup:
    """Where a kind's lengths lie: 10th to 90th percentile, the median, and what was asked for."""
    scale = 200 / (top or 1)
    low, middle, high = (min(200.0, row[key] * scale) for key in ("p10", "p50", "p90"))
    asked = min(199.0, row["asked"] * scale)
    return _stretched(
        "strip",
        (200, 12),
        el(
            "rect", class_="range", x=f"{low:.1f}", y=4, width=f"{max(1, high - low):.1f}", height=4
        ),
        el("rect", class_="median", x=f"{middle - 1:.1f}", y=1, width=2, height=10),
        el("rect", class_="asked", x=f"{asked:.1f}", y=0, width=1, height=12) if asked else None,
    )


def verdict_mark(gate: str) -> Markup:
    """A shape for each verdict, so that it is never told by colour alone."""
    shapes = {
        "pass": el("circle", cx=5, cy=5, r=3.5, fill="none"),
        "warn": join(
            [el("circle", cx=5, cy=5, r=3.5, fill="none"), el("circle", cx=5, cy=5, r=1.5)]
        ),
        "fail": el("rect", x=1, y=1, width=8, height=8),
    }
    return _svg(f"shape {gate}", (10, 10), shapes[gate])


def _svg(name: str, area: tuple[int, int], *shapes: Markup | None) -> Markup:
    box = f"0 0 {area[0]} {area[1]}"
    size = {"width": area[0], "height": area[1]}
    return el(
        "svg", *shapes, class_=name, viewBox=box, aria_hidden="true", focusable="false", **size
    )


def _stretched(name: str, area: tuple[int, int], *shapes: Markup | None) -> Markup:
    box = f"0 0 {area[0]} {area[1]}"
    fit = {"preserveAspectRatio": "none", "viewBox": box}
    return el("svg", *shapes, class_=name, aria_hidden="true", focusable="false", **fit)
