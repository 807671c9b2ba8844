"""The coverage tables: sections by streams with tokens, and sections by kinds.

Both are tables of numbers; the shade only helps to find the thin places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

from corpus.report.folder import Row
from corpus.report.markup import Markup, count, el

LEVELS = 5  # shades
TENS, THOUSAND, MILLION = 10, 1_000, 1_000_000


def streams(coverage: Row) -> Markup:
    """The coarse table: documents and tokens of each section in each stream, and in all."""
    columns = [stream for stream, _ in coverage["columns"]]
    names = list(dict.fromkeys(columns))
    sums: Counter[tuple[int, int, str]] = Counter()
    known = {at for at, *_ in coverage["cells"]}
    known -= {at for at, _, _, have, tokens in coverage["cells"] if have and tokens is None}
    for at, column, want, have, tokens in coverage["cells"]:
        for place in (names.index(columns[column]), len(names)):
            sums[at, place, "want"] += want
            sums[at, place, "have"] += have
            sums[at, place, "tokens"] += tokens or 0
            sums[at, place, "holes"] += bool(want and not have)
    most = max((sums[key] for key in sums if key[1] < len(names) and key[2] == "have"), default=0)
    bodies = []
    for group, rows, named in _groups(coverage):
        lines = []
        for at, row in rows:
            line = [
                _stream_cell(at, place, sums, 0 if place == len(names) else most, known)
                for place in range(len(names) + 1)
            ]
            head = el("th", row["title"], _gates(row), scope="row")
            lines.append(el("tr", head, line, class_=_top(row)))
        bodies.append(el("tbody", _group_head(group, len(names) + 2) if named else None, lines))
    heads = [el("th", head, scope="col") for head in ("Section", *names, "All streams")]
    caption = "Kept documents and their tokens per section and stream"
    head = el("thead", el("tr", heads))
    return el("table", el("caption", caption), head, bodies, class_="heat streams")


def _gates(row: Row) -> Markup | None:
    """The gates of a section's own that are not passed, in words."""
    said = ", ".join(f"{count(n)} {gate}" for gate, n in row["gates"].items())
    return el("small", said, class_="missing") if said else None


def _stream_cell(
    at: int, place: int, sums: Counter[tuple[int, int, str]], most: int, known: Collection[int]
) -> Markup:
    want, have, tokens, holes = (sums[at, place, k] for k in ("want", "have", "tokens", "holes"))
    if not want and not have:
        return el("td")
    if not have:
        return el("td", el("b", "0"), el("small", f"of {count(want)}"), class_="hole")
    about = None if at not in known else el("small", f"{brief(tokens)} tokens")
    missing = el("small", f"{count(holes)} empty", class_="missing") if holes else None
    shade = f"h{_level(have, most)}" if most else "sum"
    return el("td", el("b", count(have)), about, missing, class_=shade)


def brief(number: float) -> str:
    """A number of tokens short enough for a cell: ``940``, ``3.2k``, ``1.4M``."""
    for unit, name in ((MILLION, "M"), (THOUSAND, "k")):
        if number >= unit:
            part = number / unit
            return f"{part:.1f}{name}" if part < TENS else f"{part:.0f}{name}"
    return f"{number:.0f}"


def _groups(coverage: Row) -> list[tuple[str, list[tuple[int, Row]], bool]]:
    """The rows under the headings of the constitution, and whether a heading needs a row."""
    found = []
    for group, members in groupby(enumerate(coverage["rows"]), key=lambda item: item[1]["group"]):
        rows = [*members]
        found.append((group, rows, bool(group and rows[0][1]["title"] != group)))
    return found


def _group_head(group: str, width: int) -> Markup:
    head = el("th", el("span", group), colspan=width, scope="rowgroup")
    return el("tr", head, class_="group")


def _top(row: Row) -> str | None:
    return "top" if row["title"] == row["group"] else None


def _level(have: int, most: int) -> int:
    return -(-LEVELS * int(100 * (have / max(most, LEVELS)) ** 0.5) // 100) or 1


def kinds(coverage: Row) -> Markup:
    """The fine table: sections down, kinds across, by stream, shaded by what is kept."""
    cells = {(row, column): tuple(rest) for row, column, *rest in coverage["cells"]}
    most = max((LEVELS, *(cell[1] for cell in cells.values())))
    width = len(coverage["columns"])
    bodies = []
    for group, rows, named in _groups(coverage):
        lines = [_heat_row(at, row, cells, width, most) for at, row in rows]
        bodies.append(el("tbody", _group_head(group, width + 1) if named else None, lines))
    caption = "Kept documents per section and kind of document"
    return el(
        "table",
        el("caption", caption),
        _heat_head(coverage["columns"]),
        bodies,
        class_="heat kinds",
    )


def _heat_head(columns: Sequence[Sequence[str]]) -> Markup:
    streams = [(name, len([*kinds])) for name, kinds in groupby(columns, key=lambda c: c[0])]
    above = [el("th", name, colspan=number, scope="colgroup") for name, number in streams]
    kinds = [el("th", el("span", _words(kind)), scope="col") for _, kind in columns]
    corner = el("th", "Section", rowspan=2, scope="col", class_="corner")
    return el("thead", el("tr", corner, above), el("tr", kinds))


def _heat_row(at: int, row: Row, cells: dict[Any, Any], width: int, most: int) -> Markup:
    line = [_heat_cell(cells.get((at, column), (0, 0, None)), most) for column in range(width)]
    return el("tr", el("th", row["title"], scope="row"), line, class_=_top(row))


def _heat_cell(cell: tuple[int, int, int | None], most: int) -> Markup:
    """Documents kept, as the cell's text; tokens and planned documents in its title."""
    want, have, tokens = cell
    if not want and not have:
        return el("td")
    if not have:
        return el("td", "0", class_="hole", title=f"none kept of {want} planned")
    level = _level(have, most)
    held = f", {brief(tokens)} tokens" if tokens is not None else ""
    return el("td", count(have), class_=f"h{level}", title=f"{have} of {want}{held}")


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")
