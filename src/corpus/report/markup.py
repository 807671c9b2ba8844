"""HTML from plain values: a builder that escapes everything, tables, and how numbers are printed.

Whatever is not ``Markup`` is escaped, so model text cannot become markup; only this room makes
``Markup``.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence

from corpus.model.prices import dollars
from corpus.records import Json

VOID = frozenset({"meta", "input"})
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f]")
ABSENT = "not recorded"
HUNDRED, THOUSAND = 100, 1000


class Markup(str):
    """Text that is already HTML."""

    __slots__ = ()


Child = str | Iterable["Child"] | None


def escape(text: str) -> str:
    """``text`` for an element or a quoted attribute; control characters become U+FFFD."""
    return html.escape(CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n")))


def el(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """One element. ``class_`` gives ``class``, ``data_kind`` gives ``data-kind``; None is left out.

    An attribute that is ``True`` stands bare. A child is text (escaped), ``Markup`` (kept), None
    (left out) or an iterable of these.
    """
    words = [name]
    for key, value in attributes.items():
        label = key.rstrip("_").replace("_", "-")
        if value is True:
            words.append(label)
        elif value is not None and value is not False:
            words.append(f'{label}="{escape(str(value))}"')
    opening = f"<{' '.join(words)}>"
    return Markup(opening if name in VOID else f"{opening}{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Markup:
    """The children one after the other, escaped where they are not ``Markup``."""
    return Markup("".join(_inner(child) for child in children))


def _inner(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return escape(child)
    return join(child)


def lead(text: str) -> Markup:
    """The sentence under a heading."""
    return el("p", text, class_="lead")


def nothing(text: str = "Not recorded by this build.") -> Markup:
    """What stands where there is nothing to show."""
    return el("p", text, class_="nothing")


def table(caption: str, heads: Sequence[str], rows: Iterable[Child], kind: str = "") -> Markup:
    """A table in a box that scrolls by itself.

    ``#`` before a head: numbers; no head: a cell for bars; a head may be ``Markup`` of its own.
    """
    cells = [head if isinstance(head, Markup) else _head(head) for head in heads]
    inner = el("table", el("caption", caption), el("thead", el("tr", cells)), el("tbody", rows))
    return el("div", inner, class_=f"box {kind}".strip())


def _head(head: str) -> Markup:
    if not head:
        return el("td", class_="drawn")
    return el("th", head.removeprefix("#"), scope="col", class_="n" if head[0] == "#" else None)


def data(name: str, value: Json) -> Markup:
    """Data for the script, in a block that no browser runs and that cannot end before its end."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return el("script", Markup(text), type="application/json", id=name)


def row(head: Child, *cells: Child) -> Markup:
    """A row whose first cell names it; cells made by ``number`` align right."""
    rest = [c if isinstance(c, Markup) and c.startswith("<td") else el("td", c) for c in cells]
    return el("tr", el("th", head, scope="row"), rest)


def number(text: str) -> Markup:
    """A cell of digits that line up."""
    return el("td", text, class_="n")


def count(number: float | None) -> str:
    """``1234567`` as ``1,234,567``; None as the word for what is not known."""
    return ABSENT if number is None else f"{number:,.0f}"


def share(part: float, whole: float) -> str:
    """``part`` of ``whole`` as a percentage, or a dash where there is no whole."""
    return "\N{EN DASH}" if not whole else percent(part / whole)


def percent(value: float) -> str:
    """A share as a percentage with about three digits that matter."""
    points = value * 100
    return f"{points:.0f}%" if points in {0, 100} else f"{points:.{1 if points >= 1 else 2}f}%"


def money(micro: float | None) -> str:
    """Micro-dollars as dollars; small sums keep digits, and none that is not 0 reads as 0."""
    return ABSENT if micro is None else dollars(micro)


def measure(value: float | None, unit: str = "") -> str:
    """A metric's value in its unit: shares as percentages, whole numbers whole."""
    if value is None:
        return "not measured"
    if unit.startswith("share"):
        return percent(value)
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= HUNDRED else f"{value:.3g}"


def size(number: float) -> str:
    """A number of bytes in the unit that suits it, powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < THOUSAND:
            return f"{number:.3g} {unit}"
        number /= THOUSAND
    return f"{number:,.3g} TB"
