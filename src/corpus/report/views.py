"""The views of the page, each from its part of the facts; none reads a file.

A view says in one sentence what to look for, shows numbers before pictures, and says so where the
build recorded nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

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

ORDER = {"fail": 0, "warn": 1, "pass": 2}
TILES = 24
HOLES = 40
PARTS = 80  # measures of parts of the corpus that a table holds
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
    "zstd_long": (
        "Compression over a long window",
        "Bytes over those of zstd with a window as long as the corpus: repetition at any distance.",
    ),
    "eff_topics": (
        "Effective topics",
        "How many texts without anything in common would be as spread out as this corpus.",
    ),
    "syntax": (
        "Repeated sentence shapes",
        "Words inside a run of 8 parts of speech that a tenth of the documents has.",
    ),
    "eff_topics_least": ("Effective topics, at least", "The same, held to a floor of its own."),
    "coverage_facets": (
        "Coverage of what was dealt",
        "Planned cells of kind, facet and value that are not empty.",
    ),
    "moves": ("Moves", "The share of documents with the commonest turn that others do not make."),
    "not_x_but_y": ("Not X but Y", "A turn that models overuse."),
    "offers": ("Offers at the end", "Stock offers of further help."),
    "autonomy": ("It is your call", "Stock words that hand a decision back."),
    "slop": ("Stock phrases", "Words and phrases that audits of synthetic text count."),
    "em_dashes": ("Em dashes", "A matter of style."),
    "cut_off": ("Cut-off endings", "Documents whose last line is prose that no mark ends."),
    "mtld": ("MTLD", "Lexical diversity by length of runs; a collapsed corpus can have more."),
    "coverage_entropy": (
        "Evenness of coverage",
        "Entropy of the documents over the planned cells, divided by that of the plan.",
    ),
    "lengths": ("Length", "A matter of style, not of diversity."),
}


def base(metric: Row) -> str:
    """The id of the measure, without the part of the corpus that it is about."""
    return str(metric["id"]).partition("/")[0]


def name(metric: Row) -> str:
    """A metric's plain name; its id where it is not one of the suite."""
    known = base(metric)
    said = MEASURES[known][0] if known in MEASURES else known.replace("_", " ").capitalize()
    return f"{said}, {metric['scope']}" if metric.get("scope") else said


def anchor(metric: Row) -> str:
    """Where the evidence of a metric stands in the page."""
    return f"m-{_slug(metric['id'])}"


def row_anchor(metric: Row) -> str:
    """Where its verdict stands."""
    return f"v-{_slug(metric['id'])}"


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)


def leading(metrics: Sequence[Row]) -> list[Row]:
    """The metrics of the whole, and those of parts that are worse than their whole says."""
    whole = {base(m): ORDER.get(m["gate"], 3) for m in metrics if not m["scope"]}
    return [
        m
        for m in metrics
        if not m["scope"]
        or (m["gate"] in {"warn", "fail"} and ORDER[m["gate"]] < whole.get(base(m), 3))
    ]


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
    whole, parts = _split(gated)
    informing, of_parts = _split(notes)
    return join(
        [
            lead(said),
            _gates("Gates", whole) if whole else nothing("No gate was set."),
            _more(parts, "by section, stream and kind", _gates) if parts else None,
            el("h3", "For information, without a gate") if informing else None,
            _notes("Measures without a gate", informing) if informing else None,
            _more(of_parts, "without a gate by part", _notes) if of_parts else None,
        ]
    )


def _split(metrics: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Those of the whole corpus, and those of a part of it."""
    return [m for m in metrics if not m["scope"]], [m for m in metrics if m["scope"]]


def _more(parts: Sequence[Row], what: str, draw: Callable[[str, Sequence[Row]], Markup]) -> Markup:
    counts = Counter(m["gate"] for m in parts if m["gate"])
    said = ", ".join(f"{count(counts[gate])} {gate}" for gate in ORDER if counts[gate])
    left = len(parts) - PARTS
    more = f"{count(left)} more are in report.json." if left > 0 else None
    head = el("summary", f"Measures {what}: {said or count(len(parts))}")
    table_of = draw(f"Measures {what}", parts[:PARTS])
    return el("details", head, table_of, el("p", more, class_="plain") if more else None,
              class_="more")  # fmt: skip


def _gates(caption: str, metrics: Sequence[Row]) -> Markup:
    heads = ["Verdict", "Measure", "#Value", "", "Limits"]
    return table(caption, heads, map(_gate, metrics), "gates")


def _notes(caption: str, metrics: Sequence[Row]) -> Markup:
    return table(caption, ["Measure", "#Value"], map(_note, metrics), "notes")


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
        id=row_anchor(metric),
    )


def _limits(metric: Row) -> str:
    side = "under" if metric["higher_is_better"] else "over"
    marks = [(key, metric[key]) for key in ("warn", "fail") if metric[key]]
    said = [f"{key} {side} {measure(value, metric['unit'])}" for key, value in marks]
    known = metric.get("baseline")
    if isinstance(known, (int, float)) and not isinstance(known, bool):
        said.append(f"baseline {measure(known, metric['unit'])}")
    return ", ".join(said)


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
    interval = _interval(metric)
    words = metric.get("words")
    base_of = [f"n = {count(metric['n'])}"]
    if words is not None:
        base_of.append(f"{count(words)} words each")
    low_high = [measure(bound, metric["unit"]) for bound in interval]
    method = str(metric.get("interval") or "") or None
    said = f"95%: {low_high[0]} to {low_high[1]}" if low_high else ""
    between = el("small", said, title=method) if said else None
    return join([between, el("small", ", ".join(base_of))])


def _interval(metric: Row) -> list[float]:
    """The ends of the 95 % interval; empty if the row has none."""
    ends = [metric.get("low"), metric.get("high")]
    known = [end for end in ends if isinstance(end, (int, float)) and not isinstance(end, bool)]
    return known if len(known) == len(ends) else []


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
