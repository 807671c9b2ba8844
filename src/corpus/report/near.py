"""The view of what is nearly said twice: near-copies left out, and the nearest pairs that ship."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from corpus.report.folder import Row, short
from corpus.report.markup import ABSENT, Child, Markup, count, el, join, lead, measure, nothing
from corpus.report.patterns import cards, link


def duplicates(facts: Row) -> Markup:
    """How many near-copies by which method, and clusters with their difference in words."""
    found = facts["duplicates"]
    pairs = _nearest(found["nearest"], cards(facts))
    if not found["total"]:
        return join([nothing("No document repeats another."), pairs])
    said = (
        f"{count(found['total'])} documents repeat another one and do not ship, in "
        f"{count(found['clusters'])} clusters, the largest of {count(found['largest'])}. Shown are "
        f"{count(len(found['shown']))} clusters: the largest, and those whose members are least "
        "alike, where a threshold shows whether it is right."
    )
    methods = ", ".join(f"{name} {count(n)}" for name, n in found["methods"].items())
    by_method = el("p", f"By method: {methods}.", class_="plain")
    return join([lead(said), by_method, map(_cluster, found["shown"]), pairs])


def _cluster(cluster: Row) -> Markup:
    members = cluster["members"]
    alike = [measure(pair.get("similarity"), "share") for pair in (members[0], members[-1])]
    between = alike[0] if alike[0] == alike[1] else f"{alike[0]} to {alike[1]}"
    head = el(
        "summary",
        el("b", f"{count(cluster['documents'])} documents"),
        f" {between} alike, around ",
        el("code", short(str(members[0].get("original")))),
        " ",
        el("span", cluster["title"], class_="meta", dir="auto"),
    )
    rest = [pair for pair in members if pair["diff"] is None]
    more = cluster["documents"] - 1 - len(members)
    listed = [f"{short(pair['id'])} ({measure(pair.get('similarity'), 'share')})" for pair in rest]
    also = f"Also in it: {', '.join(listed)}" if listed else ""
    also += f" and {count(more)} more" if listed and more > 0 else ""
    shown = [_pair(pair) for pair in members if pair["diff"] is not None]
    last = el("p", f"{also}.", class_="plain") if also else None
    return el("details", head, shown, last, class_="pair")


def _pair(pair: Row) -> Markup:
    alike = measure(pair.get("similarity"), "share")
    head = el(
        "p",
        el("code", short(pair["id"])),
        " repeats ",
        el("code", short(str(pair.get("original")))),
        f", {alike} alike by {pair.get('method') or ABSENT}; ",
        el("del", "only in the original"),
        ", ",
        el("ins", "only in the copy"),
        ".",
        class_="plain",
    )
    return join([head, _diff(pair["diff"])])


def _diff(pieces: Sequence[Sequence[str]]) -> Markup:
    """The words of two texts: those of the first alone, of the second alone, of both."""
    if not pieces:
        return nothing("The texts are not at hand.")
    tags = {"-": "del", "+": "ins"}
    words: list[Child] = []
    for op, text in pieces:
        gap = op == "..."
        words += [
            el("i", f"[{text} equal words]") if gap else el(tags[op], text) if op in tags else text,
            " ",
        ]
    return el("p", words, class_="diff", dir="auto")


def _nearest(pairs: Sequence[Row], known: Mapping[str, Row]) -> Markup | None:
    """The pairs that ship and are most alike by their words, with what was dealt to both."""
    if not pairs:
        return None
    said = (
        "By the words that they use, not their order: texts of one subject are alike too, so read "
        "the differences. None of these is a near-copy by the threshold."
    )
    title = el("h3", "The nearest pairs that ship")
    return join([title, el("p", said, class_="plain"), [_near(pair, known) for pair in pairs]])


def _near(pair: Row, known: Mapping[str, Row]) -> Markup:
    alike = ", ".join(f"{key} {value}" for key, value in pair["alike"].items())
    cosine = f"cosine {pair['cosine']:.2f} by {pair['by']}"
    shared = f"{measure(pair['jaccard'], 'share')} of their 5-word runs in both"
    ends = [join([link(pair[key], known), " "]) for key in ("id", "other")]
    head = el(
        "summary",
        el("b", cosine),
        f", {shared} ",
        el("span", " / ".join(pair["titles"]), class_="meta", dir="auto"),
    )
    dealt = f"Dealt to both: {alike}. " if alike else "Dealt nothing in common. "
    about = el("p", ends, dealt, el("del", "only in the first"), ", ",
               el("ins", "only in the second"), ".", class_="plain")  # fmt: skip
    left = el("p", f"{count(pair['left'])} more pieces.", class_="plain") if pair["left"] else None
    return el("details", head, about, _diff(pair["diff"]), left, class_="pair")
