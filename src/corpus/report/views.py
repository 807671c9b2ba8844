"""The views of the page, each from its part of the facts; none reads a file.

A view says in one sentence what to look for, shows numbers before pictures, and says so where the
build recorded nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

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
    row,
    table,
)

MEASURES = {
    "shared_ngram": (
        "Phrases that documents share",
        "Words inside an 8-word phrase that another document also has.",
    ),
    "shared_ngram_raw": (
        "Shared phrases, quotations included",
        "The same, with what the constitution and the seeds say counted too.",
    ),
    "near_dup": ("Near-copies that remain", "Documents that nearly repeat another one."),
    "skeleton": (
        "Sentences from one mould",
        "Sentences whose form without names and numbers is in three documents or more.",
    ),
    "opening": ("The commonest opening", "Documents that begin with the same few words."),
    "opening_repeated": ("Repeated openings", "Documents that begin as another one does."),
    "closing": ("The commonest ending", "Documents that end with the same few words."),
    "closing_repeated": ("Repeated endings", "Documents that end as another one does."),
    "names": ("The commonest name", "Documents that use it."),
    "name_pairs": ("The commonest pair of names", "Documents that use both."),
    "distinct2": ("Distinct word pairs", "A figure to compare with a baseline of the same genre."),
    "coverage": ("Coverage of the plan", "Planned cells of section and kind that are not empty."),
    "coverage_entropy": (
        "Evenness of coverage",
        "Entropy of the documents over the planned cells, divided by that of the plan.",
    ),
    "lengths": ("Length", "A matter of style, not of diversity."),
}


def name(metric: Row) -> str:
    """A metric's plain name; its id where it is not one of the suite."""
    named = str(metric["id"])
    return MEASURES[named][0] if named in MEASURES else named.replace("_", " ").capitalize()


def anchor(metric: Row) -> str:
    """Where the evidence of a metric stands in the page."""
    return "m-" + "".join(c if c.isalnum() else "-" for c in metric["id"])


def verdicts(facts: Row) -> Markup:
    """The gates, worst first, and the metrics that only inform."""
    if not facts["metrics"]:
        return nothing("No metric was measured.")
    order = {"fail": 0, "warn": 1, "pass": 2}
    gated = [m for m in facts["metrics"] if m["gate"] in order]
    gated.sort(key=lambda m: order[m["gate"]])
    notes = [m for m in facts["metrics"] if m["gate"] not in order]
    said = (
        "Each gate watches for one fault, because no single score sees them all. "
        "The thin mark is where a gate warns, the thick one where it fails."
    )
    heads = ["Verdict", "Measure", "#Value", "", "Limits"]
    return join(
        [
            lead(said),
            table("Gates", heads, map(_gate, gated), "gates")
            if gated
            else nothing("No gate was set."),
            el("h3", "For information, without a gate") if notes else None,
            table("Measures without a gate", ["Measure", "#Value"], map(_note, notes), "notes")
            if notes
            else None,
        ]
    )


def _gate(metric: Row) -> Markup:
    gate = metric["gate"]
    value = measure(metric["value"], metric["unit"])
    return el(
        "tr",
        el("td", figures.verdict_mark(gate), " ", gate, class_=f"verdict {gate}"),
        _measure(metric),
        el("td", value, _base(metric), class_="n"),
        el("td", figures.gate_bar(metric), class_="drawn"),
        el("td", _limits(metric), class_="limits"),
    )


def _limits(metric: Row) -> str:
    side = "under" if metric["higher_is_better"] else "over"
    marks = [(key, metric[key]) for key in ("warn", "fail") if metric[key]]
    return ", ".join(f"{key} {side} {measure(value, metric['unit'])}" for key, value in marks)


def _note(metric: Row) -> Markup:
    value = measure(metric["value"], metric["unit"])
    return el("tr", _measure(metric), el("td", value, _base(metric), class_="n"))


def _measure(metric: Row) -> Markup:
    proof = el("a", "evidence", href=f"#{anchor(metric)}") if metric["evidence"] else None
    _, said = MEASURES.get(metric["id"], ("", ""))
    about = el("p", said, " ", _sentence(metric["note"]), " ", proof, class_="about")
    return el("th", name(metric), about, scope="row")


def _sentence(note: str) -> str:
    return f"{note[0].upper()}{note[1:].rstrip('.')}." if note else ""


def _base(metric: Row) -> Markup:
    return el("small", f"n = {count(metric['n'])}")


def coverage(facts: Row) -> Markup:
    """The coverage table in a box of its own."""
    cover = facts["coverage"]
    if not cover["cells"]:
        return nothing("Nothing was planned.")
    full = cover["asked"] - cover["empty"]
    said = f"{count(full)} of {count(cover['asked'])} planned cells hold at least one document. "
    folded = f" {count(cover['folded'])} sections share the row of their heading."
    more = folded if cover["folded"] else ""
    place: dict[str, str] = {"tabindex": "0", "role": "region", "aria_label": "Coverage table"}
    box = el("div", figures.heat(cover), class_="heatbox", **place)
    hint = (
        "The stronger the shade, the more documents; a framed 0 was planned and is empty; "
        "a blank was not planned."
    )
    return join([lead(said + hint + more), box])


def evidence(facts: Row, ids: Collection[str], empty: str) -> Markup:
    """The evidence of the metrics named ``ids``, or ``empty`` where there is none."""
    chosen = [m for m in facts["metrics"] if m["id"] in ids and m["evidence"]]
    known = {card["id"]: card for card in facts["reading"]["documents"]}
    return join([_evidence(m, known) for m in chosen]) if chosen else nothing(empty)


def _evidence(metric: Row, known: Mapping[str, Row]) -> Markup:
    most = max((p["count"] or 0 for p in metric["evidence"]), default=0)
    lines = [
        row(
            join([piece["what"], _context(piece.get("context"))]),
            number(count(piece["count"]) if piece["count"] is not None else ""),
            el("td", figures.share_bar(piece["count"] or 0, most), class_="drawn"),
            join([link(names, known) for names in piece["documents"]]),
        )
        for piece in metric["evidence"]
    ]
    state = [metric["gate"] or "no gate", measure(metric["value"], metric["unit"])]
    state.append(f"{count(metric['n'])} documents measured")
    title = el("h3", name(metric), " ", el("small", ", ".join(state)))
    listing = table(
        f"Evidence for {metric['id']}", ["What", "#Count", "", "Documents"], lines, "evidence"
    )
    return el("div", title, listing, id=anchor(metric))


def _context(found: Row | None) -> Markup | None:
    if not found:
        return None
    return el(
        "p",
        "... ",
        found["before"],
        el("mark", found["hit"]),
        found["after"],
        " ...",
        class_="context",
    )


def link(doc: str, known: Mapping[str, Row]) -> Markup:
    """A document's short id: a link where the reading room holds it."""
    if doc not in known:
        return el("code", doc[:8], title="not in the reading room")
    card = known[doc]
    return el("a", el("code", doc[:8]), href=f"#d-{doc}", title=f"{card['kind']}: {card['title']}")


def lengths(facts: Row) -> Markup:
    """Histograms per stream and one strip per kind, all on one scale."""
    found = facts["lengths"]
    if not found["kinds"]:
        return nothing("No document was kept.")
    top = found["edges"][-1]
    said = "Words per kept document, split at white space. The last bar holds all that is longer."
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
    numbers = [number(count(kind[key])) for key in ("documents", "asked", "p10", "p50", "p90")]
    drawn = el("td", figures.strip(kind, top), class_="drawn")
    return row(kind["kind"], kind["stream"], *numbers, drawn)
