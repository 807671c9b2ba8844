"""The views that are read rather than scanned: near-copies, rejected documents, the reading room.

All of it is text that a model wrote, shown as text; what was cut says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from corpus.report import figures
from corpus.report.folder import Row
from corpus.report.markup import (
    ABSENT,
    Child,
    Markup,
    count,
    el,
    join,
    lead,
    measure,
    nothing,
    number,
    row,
    share,
    table,
)


def duplicates(facts: Row) -> Markup:
    """How many near-copies by which method, and pairs with their difference in words."""
    found = facts["duplicates"]
    if not found["total"]:
        return nothing("No document repeats another.")
    said = (
        f"{count(found['total'])} documents repeat another one and do not ship, in "
        f"{count(found['clusters'])} clusters, the largest of {count(found['largest'])}. One pair "
        "per cluster, the least alike first: that is where a threshold shows whether it is right."
    )
    methods = ", ".join(f"{name} {count(n)}" for name, n in found["methods"].items())
    return join(
        [lead(said), el("p", f"By method: {methods}.", class_="plain"), map(_pair, found["pairs"])]
    )


def _pair(pair: Row) -> Markup:
    alike = measure(pair.get("similarity"), "share")
    head = el(
        "summary",
        el("b", alike),
        f" alike by {pair.get('method') or ABSENT}: ",
        el("code", pair["id"][:8]),
        " repeats ",
        el("code", str(pair.get("original"))[:8]),
    )
    tags = {"-": "del", "+": "ins"}
    words: list[Child] = []
    for op, text in pair["diff"]:
        gap = op == "..."
        words += [
            el("i", f"[{text} equal words]") if gap else el(tags[op], text) if op in tags else text,
            " ",
        ]
    shown = (
        el("p", words, class_="diff", dir="auto")
        if words
        else nothing("The texts are not at hand.")
    )
    return el("details", head, shown, class_="pair")


def rejected(facts: Row) -> Markup:
    """Why documents were rejected, with a few of them to read."""
    if not facts["rejected"]:
        return nothing("No document was rejected.")
    total = facts["headline"]["rejected"]
    most = max(reason["count"] for reason in facts["rejected"])
    lines = [
        row(
            r["reason"],
            number(count(r["count"])),
            number(share(r["count"], total)),
            el("td", figures.share_bar(r["count"], most), class_="drawn"),
        )
        for r in facts["rejected"]
    ]
    said = (
        f"{count(total)} documents were rejected. They stay in the build with their reasons; "
        "one document can have several."
    )
    examples = [
        el("div", el("h3", r["reason"]), map(_example, r["examples"]))
        for r in facts["rejected"]
        if r["examples"]
    ]
    heads = ["Reason", "#Documents", "#Share", ""]
    return join(
        [lead(said), table("Rejected documents by reason", heads, lines, "evidence"), examples]
    )


def _example(card: Row) -> Markup:
    scores = ", ".join(f"{key} {value}" for key, value in card["scores"].items())
    cut = f" [{count(card['cut'])} more characters]" if card["cut"] else ""
    said = el("p", "; ".join(card["reasons"]), f" ({scores})" if scores else "", class_="plain")
    meta = el("span", f"{card['kind']}, {count(card['words'])} words", class_="meta")
    text = el("div", card["text"], cut, class_="text", dir="auto")
    return el("details", el("summary", card["title"], " ", meta), said, text, class_="doc")


def reading(facts: Row) -> Markup:
    """Whole documents with the brief that ordered each, and filters over them."""
    room = facts["reading"]
    if not room["documents"]:
        return nothing("No document to read yet.")
    linked = len(room["documents"]) - room["drawn"]
    more = f", and {count(linked)} that the evidence above points at" if linked else ""
    said = (
        f"{count(room['drawn'])} of {count(room['of'])} kept documents, drawn by the digest of "
        f"their ids from each kind in turn{more}. No number replaces reading them."
    )
    return join(
        [lead(said), _filters(), el("div", map(_document, room["documents"]), class_="room")]
    )


def _filters() -> Markup:
    """Controls that the script brings to life; hidden where there is none."""
    picks = [
        el("label", label, el("select", el("option", "All", value=""), data_by=key))
        for key, label in (("stream", "Stream"), ("section", "Section"), ("kind", "Kind"))
    ]
    find = el(
        "label", "Words", el("input", type="search", placeholder="in the text", data_by="text")
    )
    luck = el("button", "Open one by chance", type="button")
    shown = el("p", aria_live="polite")
    return el(
        "form",
        picks,
        find,
        luck,
        shown,
        class_="filters",
        hidden=True,
        aria_label="Filter documents",
    )


def _document(card: Row) -> Markup:
    fate = "" if card["fate"] == "kept" else f", {card['fate']}"
    meta = f"{card['stream']}, {card['kind']}, {count(card['words'])} words{fate}"
    head = el(
        "summary",
        el("b", card["title"]),
        el("span", card["section_title"]),
        el("span", meta, class_="meta"),
    )
    cut = nothing(f"Cut here: {count(card['cut'])} characters more.") if card["cut"] else None
    body = el("article", _brief(card), map(_turn, card["turns"]), cut, id=f"d-{card['id']}")
    tags = {f"data_{key}": card[key] for key in ("stream", "kind")}
    return el("details", head, body, class_="doc", data_section=card["section_title"], **tags)


def _turn(turn: Sequence[str]) -> Markup:
    role, text = turn
    said = el("div", text, class_="text", dir="auto")
    return (
        el(
            "div",
            el("p", role, class_="role"),
            said,
            class_=f"turn{' system' * (role == 'system')}",
        )
        if role
        else said
    )


def _brief(card: Row) -> Markup:
    asked = f"{count(card['asked'])} words" if card["asked"] else None
    scores = ", ".join(f"{key} {value}" for key, value in card["scores"].items())
    made = ", ".join(f"{key} {value}" for key, value in card["generator"].items())
    rows: list[tuple[str, Child]] = [
        ("Section", card["section_title"]),
        ("Principle", card["principle"]),
        ("Kind", f"{card['kind']} ({card['stream']})"),
        ("Asked for", asked),
        ("Seed", card["seed"]),
        *card["facets"].items(),
        ("Tools offered", "yes" if card["tools"] else None),
        ("Judge's scores", scores),
        ("Made by", made),
        ("Parents", ", ".join(card["parents"])),
        ("Document", el("code", card["id"])),
    ]
    return el(
        "dl",
        [join([el("dt", key), el("dd", value)]) for key, value in rows if value],
        class_="facts brief",
    )
