"""The views of what repeats: phrases and moulds, names, openings and closings, each with examples.

Two sources stand beside each other: the evidence of the metrics, counted over all documents, and a
count over a sample that has something to show in a healthy corpus too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from corpus.report import figures
from corpus.report.folder import Row, clip, short
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
from corpus.report.measures import anchor, base, name

LINK = 70  # characters that a link says of its document
FULL = 0.25  # the share at which a bar is as long as it can be
PHRASES = frozenset({"shared_ngram", "skeleton", "moves"})
NAMED = frozenset({"names", "name_pairs"})
EDGES = frozenset({"opening", "opening_repeated", "closing", "closing_repeated"})


def phrases(facts: Row) -> Markup:
    """Runs of words and moulds of sentences that documents share, shown where they stand."""
    said = (
        "Where one of these stands in a document of the reading room, it is marked there. In a "
        "mould, _ is a name or a number; in a move, * is a few other words, ^ the beginning of a "
        "document and $ that of its last sentence."
    )
    found = evidence(facts, PHRASES, "")
    empty = "No phrase and no mould is shared by enough documents to be listed."
    return join([lead(said), found]) if found else nothing(empty)


def other(facts: Row) -> Markup | None:
    """Evidence that no view of its own shows."""
    shown = PHRASES | NAMED | EDGES
    rest = {base(m) for m in facts["metrics"] if m["evidence"]} - shown
    if not rest:
        return None
    head = el("summary", "Evidence for the other measures")
    return el("details", head, evidence(facts, rest, ""), class_="more")


def evidence(facts: Row, ids: Collection[str], empty: str) -> Markup:
    """The evidence of the metrics named ``ids``, of the whole and of parts, or ``empty``."""
    chosen = [m for m in facts["metrics"] if base(m) in ids and m["evidence"]]
    known = cards(facts)
    if not chosen:
        return nothing(empty) if empty else Markup()
    whole = [_evidence(m, known) for m in chosen if not m["scope"]]
    parts = [_evidence(m, known) for m in chosen if m["scope"]]
    head = el("summary", f"In single sections, streams and kinds: {count(len(parts))} measures")
    return join([whole, el("details", head, parts, class_="more") if parts else None])


def cards(facts: Row) -> dict[str, Row]:
    """The documents that the reading room holds, by id."""
    return {card["id"]: card for card in facts["reading"]["documents"]}


def _evidence(metric: Row, known: Mapping[str, Row]) -> Markup:
    most = max((_number(p["count"]) for p in metric["evidence"]), default=0)
    lines = [
        row(
            join([piece["what"], _about(piece["about"]), _context(piece.get("context"))]),
            number(count(piece["count"]) if _number(piece["count"]) else ""),
            el("td", figures.share_bar(_number(piece["count"]), most), class_="drawn"),
            join([link(names, known) for names in piece["documents"]]),
        )
        for piece in metric["evidence"]
    ]
    state = [metric["gate"] or "no gate", measure(metric["value"], metric["unit"])]
    state.append(f"{count(metric['n'])} documents measured")
    title = el("h3", name(metric), " ", el("small", ", ".join(state)))
    caption = f"Evidence for {metric['id']}"
    listing = table(caption, ["What", "#Count", "", "Documents"], lines, "evidence")
    return el("div", title, listing, id=anchor(metric))


def _about(text: str) -> Markup | None:
    return el("p", text, class_="about") if text else None


def _number(value: object) -> float:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else 0


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
        dir="auto",
    )


def link(doc: str, known: Mapping[str, Row]) -> Markup:
    """A document's short id: a link where the reading room holds it."""
    if doc not in known:
        return el("code", short(doc), title="not in the reading room")
    card = known[doc]
    said = clip(f"{card['kind']}: {card['title']}", LINK)
    label = f"{short(doc)}, {said}"
    return el("a", el("code", short(doc)), href=f"#d-{doc}", title=said, aria_label=label)


def names(facts: Row) -> Markup:
    """The commonest names by the share of documents that use them, and the commonest pairs."""
    found = facts["habits"]
    if not found["of"]:
        return nothing("No document was kept.")
    known = cards(facts)
    said = (
        f"Counted in {_of(found['named'], found['of'])}. A name is on the watch-list when language "
        "models are known to give it to everybody; it was dealt where the plan ordered it."
    )
    singles = [_name(one, known) for one in found["names"]]
    pairs = [_share(one, known) for one in found["pairs"]]
    heads = ["Pair", "#Documents", "#Share", "", "Read"]
    return join(
        [
            lead(said),
            table("Names", ["Name", "#Documents", "#Share", "", "Why", "Read"], singles, "names")
            if singles
            else nothing("No name is used by two documents."),
            table("Pairs of names in one document", heads, pairs, "names")
            if pairs
            else nothing("No two names meet in more than one document."),
            evidence(facts, NAMED, ""),
        ]
    )


def _of(part: int, whole: int) -> str:
    everything = f"all {count(whole)} kept documents"
    return everything if part == whole else f"{count(part)} of {count(whole)} kept documents"


def _name(one: Row, known: Mapping[str, Row]) -> Markup:
    why = [
        el("b", "watch-list") if one["watched"] else None,
        "the constitution's own" if one["own"] else None,
        f"dealt to {count(one['dealt'])}" if one["dealt"] else None,
    ]
    spoken = [word for word in why if word]
    said = join(join([", " if place else None, word]) for place, word in enumerate(spoken))
    return _share(one, known, el("td", said, class_="why"))


def _share(one: Row, known: Mapping[str, Row], *more: Markup) -> Markup:
    links = [link(doc, known) for doc in one["ids"] if doc in known]
    return row(
        el("span", one["what"], dir="auto"),
        number(count(one["documents"])),
        number(percent(one["share"])),
        el("td", figures.share_bar(one["share"], FULL), class_="drawn"),
        *more,
        join(links),
    )


def edges(facts: Row) -> Markup:
    """How documents begin and end: the commonest first and last words."""
    found = facts["habits"]
    if not found["of"]:
        return nothing("No document was kept.")
    known = cards(facts)
    said = f"The first 4 and the last 5 words, in {_of(found['documents'], found['of'])}."
    return join(
        [
            lead(said),
            _edge("Openings", found["openings"], known, "No two documents begin alike."),
            _edge("Closings", found["closings"], known, "No two documents end alike."),
            evidence(facts, EDGES, ""),
        ]
    )


def _edge(title: str, found: Sequence[Row], known: Mapping[str, Row], empty: str) -> Markup:
    lines = [_share(one, known) for one in found]
    heads = ["Words", "#Documents", "#Share", "", "Read"]
    return table(title, heads, lines, "names") if lines else nothing(empty)
