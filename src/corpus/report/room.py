"""The views that are read rather than scanned: rejected documents, and the reading room.

All of it is text that a model wrote, shown as text; what was cut says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from corpus.report import figures
from corpus.report.folder import Row
from corpus.report.markup import (
    Child,
    Markup,
    count,
    el,
    join,
    lead,
    nothing,
    number,
    row,
    share,
    table,
)

STEPS = {
    "spec": "Plan",
    "check": "Check of the plan against its cards",
    "message": "User's message, first version",
    "polish": "User's message, polished",
    "draft": "Draft",
    "defects": "Faults that the rewrite named",
}


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
        class_="filters find",
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
    turns = [_turn(turn, card["marks"], place) for place, turn in enumerate(card["turns"])]
    body = el(
        "article",
        _brief(card),
        _lineage(card),
        turns,
        cut,
        id=f"d-{card['id']}",
        aria_label=card["title"],
    )
    tags = {f"data_{key}": card[key] for key in ("stream", "kind")}
    return el("details", head, body, class_="doc", data_section=card["section_title"], **tags)


def _turn(turn: Sequence[str], marks: Sequence[Row], place: int) -> Markup:
    role, text = turn
    here = [mark for mark in marks if mark["turn"] == place]
    said = el("div", _marked(text, here), class_="text", dir="auto")
    if not role:
        return said
    speaker = el("p", role, class_="role")
    return el("div", speaker, said, class_=f"turn{' system' * (role == 'system')}")


def _marked(text: str, marks: Sequence[Row]) -> Markup:
    """The text with what it shares with other documents made to stand out."""
    parts: list[Child] = []
    at = 0
    for mark in marks:
        said = f"shared ({mark['metric']})"
        parts += [
            text[at : mark["start"]],
            el("mark", text[mark["start"] : mark["end"]], title=said),
        ]
        at = mark["end"]
    return join([*parts, text[at:]])


def _lineage(card: Row) -> Markup | None:
    """The steps behind the document, each closed; or that they are not at hand."""
    if not card["asked_by"]:
        return None
    if not card["steps"]:
        return nothing(
            f"{count(card['asked_by'])} requests led to this text; their replies are not at hand."
        )
    return el("div", el("p", "How it came about", class_="role"), map(_step, card["steps"]),
              class_="lineage")  # fmt: skip


def _step(step: Row) -> Markup:
    said = STEPS.get(step["stage"], step["stage"])
    size = el("span", f"{count(len(step['text'].split()))} words", class_="meta")
    cut = f" [{count(step['cut'])} more characters]" if step["cut"] else ""
    text = el("div", step["text"], cut, class_="text", dir="auto")
    return el("details", el("summary", said, " ", size), text)


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
        *((key.replace("_", " ").capitalize(), value) for key, value in card["facets"].items()),
        ("Tools offered", "yes" if card["tools"] else None),
        ("Judge's scores", scores),
        ("Made by", made),
        ("Document", el("code", card["id"])),
    ]
    return el(
        "dl",
        [join([el("dt", key), el("dd", value)]) for key, value in rows if value],
        class_="facts brief",
    )
