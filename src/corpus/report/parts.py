"""The measures of single streams, kinds and sections as one table: parts down, measures across.

A fault of one kind drowns in the whole, so every part that is large enough has gates of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from corpus.report import figures
from corpus.report.folder import Row
from corpus.report.markup import Markup, count, el, join, measure
from corpus.report.measures import ORDER, base, interval, name, row_anchor

MOST = 150  # parts that the table holds
GROUPS = ("stream", "kind", "section")


def parts(metrics: Sequence[Row]) -> Markup | None:
    """The table, folded, with what it holds in its heading; None where no part was measured."""
    if not metrics:
        return None
    gates = Counter(m["gate"] for m in metrics)
    said = ", ".join(f"{count(gates[gate])} {gate}" for gate in ORDER if gates[gate])
    columns = list(dict.fromkeys(base(m) for m in metrics))
    by_part: dict[str, dict[str, Row]] = {}
    for metric in metrics:
        by_part.setdefault(metric["scope"], {})[base(metric)] = metric
    ordered = sorted(by_part, key=lambda part: (_group(part), _worst(by_part[part]), part))
    lines = [_line(part, by_part[part], columns) for part in ordered[:MOST]]
    left = len(ordered) - MOST
    more = el("p", f"{count(left)} more parts are in report.json.", class_="plain")
    head = el("summary", f"Measures by stream, kind and section: {said}")
    return el(
        "details",
        head,
        _table(columns, lines),
        more if left > 0 else None,
        class_="more",
        id="parts",
    )


def _group(part: str) -> int:
    by = part.partition(" ")[0]
    return GROUPS.index(by) if by in GROUPS else len(GROUPS)


def _worst(row: dict[str, Row]) -> tuple[int, int]:
    """Parts with the most that fails first, then with the most that warns."""
    gates = Counter(metric["gate"] for metric in row.values())
    return (-gates["fail"], -gates["warn"])


def _table(columns: Sequence[str], lines: Sequence[Markup]) -> Markup:
    heads = [
        el("th", el("span", name({"id": column, "scope": ""})), scope="col") for column in columns
    ]
    caption = el("caption", "Measures by stream, kind and section")
    head = el("thead", el("tr", el("th", "Part", scope="col", class_="corner"), heads))
    place: dict[str, str] = {"tabindex": "0", "role": "group", "aria_label": "Measures by part"}
    table = el("table", caption, head, el("tbody", lines), class_="heat parts")
    return el("div", table, class_="heatbox", **place)


def _line(part: str, row: dict[str, Row], columns: Sequence[str]) -> Markup:
    cells = [_cell(row.get(column)) for column in columns]
    return el("tr", el("th", part, scope="row"), cells)


def _cell(metric: Row | None) -> Markup:
    if metric is None:
        return el("td")
    gate = metric["gate"]
    ends = " to ".join(measure(end, metric["unit"]) for end in interval(metric))
    said = f"{gate}, n = {count(metric['n'])}" + f", 95%: {ends}" * bool(ends)
    mark = figures.verdict_mark(gate) if gate in {"warn", "fail"} else None
    word = el("span", gate, class_="hidden") if mark else None
    value = measure(metric["value"], metric["unit"])
    shade = {"warn": "h2", "fail": "flagged"}.get(gate)
    return el("td", join([mark, word, " ", value]), class_=shade, title=said,
              id=row_anchor(metric))  # fmt: skip
