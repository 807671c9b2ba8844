"""The view of who judged: the judge beside a blind one, and what the evaluation guard found.

A count of zero is evidence too, so it is shown; what was not looked for says so.
"""

from __future__ import annotations

from corpus.report.folder import Row
from corpus.report.markup import Markup, count, el, join, lead, nothing, number, row, table

FOUND = {
    "report": "counted, and left in the corpus",
    "drop": "counted, and rejected",
    "allow": "not looked for",
}


def opinions(facts: Row) -> Markup:
    """Both tables, each with a sentence that says how to read it."""
    return join([_judges(facts["judges"]), _guard(facts["guard"])])


def _judges(judges: Row) -> Markup:
    if not judges.get("marks"):
        return nothing("No document was marked by a second, blind judge.")
    said = (
        f"{count(judges['both'])} documents were marked again by a judge that saw neither order "
        f"nor cards. Where the gap is large, the marks of this build flatter."
    )
    lines = [
        row(
            mark,
            number(f"{found['judge']:.2f}"),
            number(f"{found['blind']:.2f}"),
            number(f"{found['gap']:+.2f} ± {2 * found['error']:.2f}"),
        )
        for mark, found in judges["marks"].items()
    ]
    heads = ["Mark (1 to 5)", "#Judge", "#Blind judge", "#Gap, with 2 standard errors"]
    return join([lead(said), table("The judge and a blind one", heads, lines)])


def _guard(guard: Row) -> Markup:
    if not guard:
        return nothing("No evaluation guard is recorded for this build.")
    mode = str(guard.get("mode"))
    held = f"{count(guard.get('held_out'))} held-out prompts were looked for as well."
    said = f"Texts shaped like known evaluations: {FOUND.get(mode, mode)}. {held}"
    lines = [row(name, number(count(found))) for name, found in guard.get("found", {}).items()]
    if not lines:
        return el("p", said, class_="plain")
    counts = table("Evaluation guard", ["Sought", "#Found"], lines)
    return join([el("p", said, class_="plain"), counts])
