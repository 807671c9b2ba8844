"""The view of two builds side by side: numbers, gates, streams, coverage, judges, settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from corpus.records import Json
from corpus.report import figures
from corpus.report.folder import Row
from corpus.report.markup import (
    Markup,
    count,
    el,
    join,
    lead,
    measure,
    money,
    nothing,
    number,
    row,
    table,
)
from corpus.report.measures import name

SMALL = 0.01  # a share
DASH = "\N{EN DASH}"
BETTER = {1: "better", -1: "worse", 0: ""}


def compare(facts: Row) -> Markup:
    """What is different, with a warning where the sizes forbid a conclusion."""
    found = facts["compare"]
    if not found:
        return nothing("Nothing to compare with; give --compare OTHER.")
    said = f"The other build is {found['name']}; each pair reads from it to this one."
    names = [el("bdi", found["name"]), "This build"]
    return join(
        [
            lead(said),
            None if found["comparable"] else _warning(found["sizes"]),
            _numbers(found["numbers"], names),
            _metrics(found["metrics"], names),
            _streams(found["streams"], names),
            _cells(found["cells"]),
            _plain("Rejected documents by reason", "Reason", found["rejected"], names),
            _plain("The judge's gap to the blind judge", "Mark", found["judges"], names),
            _settings(found["settings"], names),
        ]
    )


def _warning(sizes: Sequence[Row]) -> Markup:
    said = [f"{count(size['kept'])} documents of {count(size['words'])} words" for size in sizes]
    return el(
        "p",
        el("b", "Not of one size: "),
        f"{said[0]}, and {said[1]}. A measure that depends on the number of documents is given for "
        "both at the smaller one, and its difference is that; one of length remains.",
        class_="demo",
        role="note",
    )


def _cell(value: Json, say: Callable[[float], str]) -> Markup:
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number(say(value) if known else DASH if value is None else str(value))


def _difference(values: Sequence[Json], say: Callable[[float], str]) -> Markup:
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in values):
        return _gap(DASH)
    gap = values[1] - values[0]
    sign = "+" if gap > 0 else "\N{MINUS SIGN}" if gap < 0 else "\N{PLUS-MINUS SIGN}"
    return _gap(f"{sign}{say(abs(gap))}")


def _gap(text: str) -> Markup:
    return el("td", text, class_="n gap")


def _heads(first: str, names: Sequence[Markup | str], *more: str) -> list[Markup | str]:
    sides = [el("th", name, scope="col", class_="n") for name in names]
    return [first, *sides, el("th", "Difference", scope="col", class_="n gap"), *more]


def _numbers(rows: Sequence[Row], names: Sequence[Markup | str]) -> Markup:
    lines = []
    for one in rows:
        say = money if one["money"] else count
        cells = [_cell(value, say) for value in one["values"]]
        lines.append(row(one["label"], *cells, _difference(one["values"], say)))
    return table("Numbers of both builds", _heads("", names), lines, "sides")


def _metrics(rows: Sequence[Row], names: Sequence[Markup | str]) -> Markup:
    if not rows:
        return nothing("Neither build has a metric.")
    shown = [one for one in rows if "/" not in one["id"] or len(set(one["gates"])) > 1][:120]
    sized = any(one["even"] for one in shown)
    heads = ["Measure", *(el("th", one, scope="col", class_="n") for one in names),
             *["#Both at the smaller size"] * sized,
             el("th", "Difference", scope="col", class_="n gap"), "Change"]  # fmt: skip
    lines = [_line(one, sized=sized) for one in shown]
    return table("Measures of both builds", heads, lines, "sides")


def _line(one: Row, *, sized: bool) -> Markup:
    """A measure: both values, both at one size where some of them depend on it, what changed."""
    say, even = _sayer(one["unit"]), one["even"]
    gated = zip(one["values"], one["gates"], strict=True)
    return row(
        name({"id": one["id"], "scope": one["id"].partition("/")[2]}),
        *(_gated(value, gate, say) for value, gate in gated),
        *[_even(even, say)] * sized,
        _difference(even["values"] if even else one["values"], _gap_sayer(one["unit"])),
        el("td", BETTER[one["better"]], class_=BETTER[one["better"]] or None),
    )


def _even(even: Row | None, say: Callable[[float], str]) -> Markup:
    if not even:
        return number("")
    small = el("small", f"of {count(even['documents'])} documents")
    return el("td", " to ".join(map(say, even["values"])), " ", small, class_="n")


def _sayer(unit: str) -> Callable[[float], str]:
    return lambda value: measure(value, unit)


def _gap_sayer(unit: str) -> Callable[[float], str]:
    """A difference of shares is one of percentage points."""
    if unit.startswith("share"):
        return lambda gap: f"{100 * gap:.2g} points" if gap < SMALL else f"{100 * gap:.1f} points"
    return _sayer(unit)


def _gated(value: Json, gate: str | None, say: Callable[[float], str]) -> Markup:
    mark = (
        el("span", figures.verdict_mark(gate), " ", gate, class_=f"verdict {gate}")
        if gate
        else None
    )
    return el("td", mark, " ", say(value) if value is not None else DASH, class_="n")


def _streams(rows: Sequence[Row], names: Sequence[Markup | str]) -> Markup | None:
    lines = [
        row(
            f"{one['stream']}: {what}",
            *(_cell(value, count) for value in one[key]),
            _difference(one[key], count),
        )
        for one in rows
        for key, what in (("kept", "kept"), ("tokens", "tokens"))
    ]
    return (
        table("Streams of both builds", _heads("Stream", names), lines, "sides") if lines else None
    )


def _cells(found: Row) -> Markup:
    said = [
        f"Cells of section and kind that hold documents: {count(found['both'])} in both builds",
        f"{count(found['only'][0])} in the other only",
        f"{count(found['only'][1])} in this one only",
    ]
    lists = [
        el("li", f"Only in {where}: {'; '.join(examples)}{'; ...' * (number_of > len(examples))}")
        for where, examples, number_of in zip(
            ("the other", "this one"), found["examples"], found["only"], strict=True
        )
        if examples
    ]
    more = el("ul", lists, class_="remarks") if lists else None
    return join([el("p", f"{', '.join(said)}.", class_="plain"), more])


def _plain(
    caption: str, first: str, rows: Sequence[Sequence[Json]], names: Sequence[Markup | str]
) -> Markup | None:
    lines = [
        row(
            str(one[0]),
            *(_cell(value, _figure) for value in one[1:]),
            _difference(one[1:], _figure),
        )
        for one in rows
    ]
    return table(caption, _heads(first, names), lines, "sides") if lines else None


def _figure(value: float) -> str:
    return count(value) if float(value).is_integer() else f"{value:.2f}"


def _settings(rows: Sequence[Sequence[Json]], names: Sequence[Markup | str]) -> Markup:
    if not rows:
        return el("p", "Versions, digests and settings are equal.", class_="plain")
    lines = [row(str(one[0]), *(DASH if v is None else str(v) for v in one[1:])) for one in rows]
    heads = ["Setting", *(el("th", name, scope="col") for name in names)]
    return table("Settings that differ", heads, lines, "sides settings")
