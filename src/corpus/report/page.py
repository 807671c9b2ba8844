"""The page: header, contents, the views in reading order, the reading room.

One file that asks for nothing: its policy allows only its own style and script, by their digests.
The script filters the reading room and nothing else; without it every document is still there.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from importlib import resources

from corpus.report import charts, ledger, measures, near, patterns, room, sides, views
from corpus.report.folder import Row
from corpus.report.lessons import lessons
from corpus.report.markup import ABSENT, Markup, count, el, join, money, share
from corpus.report.opinions import opinions

PART = "this build has no manifest; what is counted here is what it has written so far"
DEMO = "real model output of poor quality, for trying the pipeline; not for training"

View = Callable[[Row], Markup]


def render(facts: Row) -> str:
    """The whole page as HTML, from the facts of ``collect``."""
    style, script = _data("page.css"), _data("page.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"Corpus report: {_subject(facts)}"),
        el("style", style),
    )
    shown = [view for view in VIEWS if view[0] != "compare" or facts["compare"]]
    body = el(
        "body",
        el("a", "Skip to the report", href="#main", class_="skip"),
        _header(facts),
        _contents(shown),
        el(
            "main",
            [_section(n, *view, facts) for n, view in enumerate(shown, 1)],
            id="main",
            tabindex="-1",
        ),
        el("footer", el("p", "The same for programs: ", el("code", "report.json"), " beside it.")),
        el("script", script),
    )
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def _data(name: str) -> Markup:
    return Markup(resources.files(__package__).joinpath(name).read_text("utf-8"))


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _subject(facts: Row) -> str:
    return str(facts["build"].get("constitution") or "a constitution")


def _header(facts: Row) -> Markup:
    build, head = facts["build"], facts["headline"]
    writer = build.get("model") or build.get("writer") or "a model"
    date = f" on {build['date']}" if build.get("date") else ""
    kept, written = count(head["kept"]), count(head["written"])
    said = f"{kept} documents kept of {written} that {writer} wrote{date}."
    demo = el("p", el("b", "Demo build: "), f"{DEMO}.", class_="demo", role="note")
    return el(
        "header",
        el("p", "Corpus report", class_="eyebrow"),
        el("h1", _subject(facts)),
        el("p", said, " ", _verdict(facts["metrics"]), class_="said"),
        demo if build.get("quality") == "demo" else None,
        None
        if build.get("version")
        else el("p", el("b", "Not whole: "), f"{PART}.", class_="demo", role="note"),
        el("dl", [_figure(*item) for item in _numbers(head)], class_="figures"),
        views.strip(facts["metrics"]),
    )


def _verdict(metrics: Sequence[Row]) -> Markup:
    gates = Counter(m["gate"] for m in measures.leading(metrics))
    numbers = {gate: gates[gate] for gate in measures.ORDER}
    if not any(numbers.values()):
        return el("a", "No gate was measured.", href="#verdict")
    words = {"fail": ("fails", "fail"), "warn": ("warns", "warn"), "pass": ("passes", "pass")}
    parts = [f"{n} {words[gate][n != 1]}" for gate, n in numbers.items() if n]
    return el("a", f"Of its gates, {', '.join(parts)}.", href="#verdict")


def _numbers(head: Row) -> list[tuple[str, str, str]]:
    tokenizer = head["tokenizer"] or {}
    proxy = ", a proxy for the trainer's own" if tokenizer.get("proxy") else ""
    name = tokenizer.get("name")
    counted = f"by {name}{proxy}" if name else "no tokenizer is recorded"
    lost = f"{share(head['rejected'], head['written'])} of what was written"
    earlier = (
        f"; {count(head['earlier'])} of earlier plans are not counted" if head["earlier"] else ""
    )
    goal = f"; {count(head['tokens_goal'])} aimed for" if head["tokens_goal"] else ""
    known = f"of {count(head['sections_planned'])} planned"
    return [
        ("Documents kept", count(head["kept"]), f"of {count(head['planned'])} planned{earlier}"),
        ("Tokens", count(head["tokens"]), f"{counted}{goal}"),
        (
            "Sections covered",
            count(head["sections_covered"]),
            f"{known}, {count(head['sections'])} in all",
        ),
        _paid(head),
        (
            "Rejected",
            count(head["rejected"]),
            f"{lost}; {count(head['duplicate'])} near-copies more",
        ),
    ]


def _paid(head: Row) -> tuple[str, str, str]:
    """What was paid; of a rehearsal, what would have been."""
    if not head["rehearsed"]:
        return ("Paid", money(head["paid"]), "to the provider")
    saved = f"; it would have been {money(head['paid'])}" if head["paid"] else ""
    return ("Paid", "nothing", ledger.unpaid(head) + saved)


def _figure(label: str, value: str, about: str) -> Markup:
    word = "absent" if value == ABSENT else None
    return el("div", el("dt", label), el("dd", el("b", value, class_=word), el("small", about)))


def _contents(shown: Sequence[tuple[str, str, View]]) -> Markup:
    links = [el("li", el("a", title, href=f"#{name}")) for name, title, _ in shown]
    return el("nav", el("h2", "Contents"), el("ol", links), aria_label="Contents")


def _section(number: int, name: str, title: str, view: View, facts: Row) -> Markup:
    heading = el(
        "h2", el("span", str(number), class_="no", aria_hidden="true"), " ", title, id=f"h-{name}"
    )
    return el("section", heading, view(facts), id=name, aria_labelledby=f"h-{name}")


def _verdicts(facts: Row) -> Markup:
    return join([views.verdicts(facts), patterns.other(facts)])


VIEWS: tuple[tuple[str, str, View], ...] = (
    ("verdict", "Verdict", _verdicts),
    ("compare", "Beside another build", sides.compare),
    ("coverage", "Coverage", views.coverage),
    ("phrases", "Repeated phrases", patterns.phrases),
    ("names", "Names", patterns.names),
    ("edges", "Openings and closings", patterns.edges),
    ("copies", "Near-copies and nearest pairs", near.duplicates),
    ("lengths", "Lengths", views.lengths),
    ("map", "Map of topics", charts.topic_map),
    ("growth", "What more would add", charts.growth),
    ("loop", "What the rounds taught", lessons),
    ("rejected", "Rejected documents", room.rejected),
    ("judges", "Judges and guard", opinions),
    ("cost", "Yield and cost", ledger.economy),
    ("reading", "Reading room", room.reading),
    ("shards", "Shards", ledger.shards),
    ("provenance", "Provenance", ledger.provenance),
)
