"""The views of the page, each from its part of the facts; none reads a file.

A view says in one sentence what to look for, shows numbers before pictures, and says so where the
build recorded nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from corpus.report import figures, heat
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
    row,
    table,
)
from corpus.report.measures import (
    MEASURES,
    ORDER,
    anchor,
    base,
    interval,
    leading,
    name,
    row_anchor,
    told,
)
from corpus.report.parts import parts
from corpus.score.rarefy import SIZE

TILES = 24
HOLES = 40


def strip(metrics: Sequence[Row]) -> Markup:
    """Every gate of the whole corpus as one tile that leads to its evidence, worst first."""
    gated = [m for m in leading(metrics) if m["gate"] in ORDER]
    gated.sort(key=lambda m: ORDER[m["gate"]])
    tiles = [
        el(
            "li",
            el(
                "a",
                el("span", figures.verdict_mark(m["gate"]), " ", m["gate"], class_="verdict"),
                el("b", measure(m["value"], m["unit"])),
                el("span", name(m)),
                href=f"#{anchor(m) if m['evidence'] else row_anchor(m)}",
                class_=f"tile {m['gate']}",
            ),
        )
        for m in gated[:TILES]
    ]
    return el("ul", tiles, class_="strip", role="list") if tiles else Markup()


def verdicts(facts: Row) -> Markup:
    """The gates, worst first, those of parts of the corpus apart, and what only informs."""
    if not facts["metrics"]:
        return nothing("No metric was measured.")
    gated = sorted(
        (m for m in facts["metrics"] if m["gate"] in ORDER), key=lambda m: ORDER[m["gate"]]
    )
    notes = [m for m in facts["metrics"] if m["gate"] not in ORDER]
    said = (
        "Each gate watches for one fault, because no single score sees them all. "
        "The thin mark is where a gate warns, the thick one where it fails."
    )
    whole = [m for m in gated if not m["scope"]]
    informing = [m for m in notes if not m["scope"]]
    return join(
        [
            lead(said),
            _gates("Gates", whole) if whole else nothing("No gate was set."),
            parts([m for m in facts["metrics"] if m["scope"] and m["gate"] in ORDER]),
            el("h3", "For information, without a gate") if informing else None,
            _notes("Measures without a gate", informing) if informing else None,
        ]
    )


def _gates(caption: str, metrics: Sequence[Row]) -> Markup:
    heads = ["Verdict", "Measure", "#Value", "", "Limits"]
    return table(caption, heads, map(_gate, metrics), "gates")


def _notes(caption: str, metrics: Sequence[Row]) -> Markup:
    return table(caption, ["Measure", "#Value"], map(_note, metrics), "notes")


def _gate(metric: Row) -> Markup:
    gate, unit = metric["gate"], metric["unit"]
    value: Markup | str = measure(told(metric), unit)
    if told(metric) != metric["value"]:
        whole = f"of all: {measure(metric['value'], unit)}"
        size = f"at {count(metric['matched']['documents'])} documents"
        value = join([value, el("small", size), el("small", whole)])
    return el(
        "tr",
        el("td", figures.verdict_mark(gate), " ", gate, class_=f"verdict {gate}"),
        _measure(metric),
        el("td", value, _base(metric), class_="n"),
        el("td", figures.gate_bar(metric), class_="drawn"),
        el("td", _limits(metric), class_="limits"),
        id=row_anchor(metric),
    )


def _limits(metric: Row) -> Markup:
    side = "under" if metric["higher_is_better"] else "over"
    marks = [(key, metric[key]) for key in ("warn", "fail") if metric[key]]
    said = [f"{key} {side} {measure(value, metric['unit'])}" for key, value in marks]
    return join([", ".join(said), [el("small", known) for known in _baseline(metric)]])


def _baseline(metric: Row) -> Iterator[str]:
    """What the value is compared with; where it depends on n, both at the smaller one."""
    known, unit = metric.get("baseline"), metric["unit"]
    if not isinstance(known, (int, float)) or isinstance(known, bool):
        return
    of = f" (n = {count(metric['baseline_n'])})" if metric.get("baseline_n") else ""
    yield f"baseline {measure(known, unit)}{of}"
    if both := metric.get("matched"):
        sides = [measure(both[key], unit) for key in ("value", "baseline")]
        yield f"at {count(both['documents'])} documents {sides[0]}, baseline {sides[1]}"


def _note(metric: Row) -> Markup:
    value = measure(metric["value"], metric["unit"])
    cells = (_measure(metric), el("td", value, _base(metric), class_="n"))
    return el("tr", *cells, id=row_anchor(metric))


def _measure(metric: Row) -> Markup:
    to = f"Evidence for {name(metric)}"
    proof = (
        el("a", "evidence", href=f"#{anchor(metric)}", aria_label=to)
        if metric["evidence"]
        else None
    )
    _, said = MEASURES.get(base(metric), ("", ""))
    about = el("p", said, " ", _sentence(metric["note"]), " ", proof, class_="about")
    return el("th", name(metric), about, scope="row")


def _sentence(note: str) -> str:
    return f"{note[0].upper()}{note[1:].rstrip('.')}." if note else ""


def _base(metric: Row) -> Markup:
    """What the value stands on: its interval, the documents, the words in each."""
    words = metric.get("words")
    unit = metric["unit"]
    plain = el("small", unit) if unit and not unit.startswith(("share", "ratio")) else None
    base_of = [f"n = {count(metric['n'])}"]
    if words is not None:
        base_of.append(f"{count(words)} words each")
    low_high = [measure(bound, metric["unit"]) for bound in interval(metric)]
    method = str(metric.get("interval") or "") or None
    said = f"95%: {low_high[0]} to {low_high[1]}" if low_high else ""
    between = el("small", said, title=method) if said else None
    fewer = None
    if metric.get("rarefied") is not None and metric["n"] > SIZE:
        fewer = el("small", f"of {count(SIZE)}: {measure(metric['rarefied'], unit)}")
    return join([plain, between, el("small", ", ".join(base_of)), fewer])


def coverage(facts: Row) -> Markup:
    """Sections by streams with tokens, then sections by kinds, each in a box of its own."""
    cover = facts["coverage"]
    if not cover["cells"]:
        return nothing("Nothing was planned.")
    full = cover["asked"] - cover["empty"]
    said = (
        f"{count(full)} of {count(cover['asked'])} planned cells of section and kind hold at least "
        "one document. The stronger the shade, the more documents; a framed 0 was planned and is "
        "empty; a blank was not planned."
    )
    folded = f" {count(cover['folded'])} sections share the row of their heading."
    fine = el("div", heat.kinds(cover), class_="heatbox", **_scroller("Coverage by kind"))
    return join(
        [
            lead(said + folded * bool(cover["folded"])),
            _holes(cover),
            el("h3", "By stream"),
            el("div", heat.streams(cover), class_="heatbox", **_scroller("Coverage by stream")),
            el("h3", "By kind ", el("small", "documents kept; a cell's title has its tokens")),
            fine,
        ]
    )


def _scroller(label: str) -> dict[str, str]:
    return {"tabindex": "0", "role": "group", "aria_label": label}


def _holes(cover: Row) -> Markup | None:
    """The planned cells that are empty, by name: what to order next."""
    empty = [(r, c, want) for r, c, want, have, _ in cover["cells"] if want and not have]
    if not empty:
        return None
    listed = [
        el("li", f"{cover['rows'][r]['title']}: {cover['columns'][c][1]}, {count(want)} planned")
        for r, c, want in empty[:HOLES]
    ]
    left = len(empty) - len(listed)
    more = el("li", f"and {count(left)} more") if left else None
    head = el("summary", f"{count(len(empty))} planned and empty")
    return el("details", head, el("ul", listed, more), class_="more")


def lengths(facts: Row) -> Markup:
    """Histograms per stream and one strip per kind, all on one scale."""
    found = facts["lengths"]
    if not found["kinds"]:
        return nothing("No document was kept.")
    top = found["edges"][-1]
    said = (
        "Words per kept document, split at white space; in a script without spaces every character "
        "is a word. The last bar holds all that is longer."
    )
    caption = (
        "Lengths per kind, each strip from the 10% to the 90% point: the thick mark is the median, "
        "the long thin one the length asked for"
    )
    heads = ["Kind", "Stream", "#Documents", "#Asked", "#10%", "#Median", "#90%"]
    plots = [_plot(stream, bars, top) for stream, bars in found["streams"].items()]
    lines = [_kind(kind, top) for kind in found["kinds"]]
    strips = table(caption, [*heads, f"0 to {count(top)} words"], lines, "strips")
    return join([lead(said), el("div", plots, class_="plots"), strips])


def _plot(stream: str, bars: Sequence[int], top: int) -> Markup:
    marks = [el("span", text) for text in ("0", count(top / 2), f"{count(top)} words")]
    said = el("figcaption", el("b", stream), f" {count(sum(bars))} documents")
    return el("figure", said, figures.histogram(bars), el("div", marks, class_="axis"))


def _kind(kind: Row, top: int) -> Markup:
    numbers = [
        number(count(kind[key]) if key != "asked" or kind[key] else "\N{EN DASH}")
        for key in ("documents", "asked", "p10", "p50", "p90")
    ]
    drawn = el("td", figures.strip(kind, top), class_="drawn")
    return row(kind["kind"], kind["stream"], *numbers, drawn)
