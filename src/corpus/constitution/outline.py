"""Headings with their own text, before they are sections: the tree, the titles."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

TITLE_CHARS = 300
QUOTES = str.maketrans("", "", "\"'\u2018\u2019\u201c\u201d")

_TITLE_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_MARKUP = re.compile(
    r"(?<!\\)(?:`+|\*+(?=\S)|(?<=\S)\*+|(?<!\w)_+|(?<=[^\W_])_+(?!\w))|</?a\b[^<>]*>|\{#[\w-]+\}$"
)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


@dataclass(slots=True)
class Heading:
    """A heading while the tree is built.

    ``pieces`` is its own text, cut to size; ``hint`` goes to the context of its sections.
    """

    title: str
    level: int
    pieces: list[str] = field(default_factory=list)
    children: list[Heading] = field(default_factory=list)
    is_top: bool = False
    hint: str = ""


@dataclass(slots=True)
class Document:
    """One source, read; a heading that ``is_top`` has the document's name as its whole path."""

    source: str
    text: str
    name: str
    roots: list[Heading]
    notes: list[str]


def display(title: str) -> str:
    """Return a heading's words without emphasis, code marks, links, anchors and escapes."""
    plain = _MARKUP.sub("", _TITLE_LINK.sub(r"\1", title))
    return " ".join(html.unescape(_ESCAPE.sub(r"\1", plain)).split()) or "untitled"


def nest(found: list[Heading]) -> list[Heading]:
    """Hang each heading under the last one of a higher level; return those under none."""
    root = Heading("", 0)
    stack = [root]
    for heading in found:
        while len(stack) > 1 and stack[-1].level >= heading.level:
            stack.pop()
        stack[-1].children.append(heading)
        stack.append(heading)
    return root.children


def titled(preamble: Heading, roots: list[Heading], fallback: str) -> tuple[str, list[Heading]]:
    """Find the document's title (the rule is in the module's docstring) and mark it."""
    name = fallback
    if roots:
        first = roots[0]
        if len(roots) == 1:
            first.is_top = first.level == 1 or not preamble.pieces
        else:
            first.is_top = first.level == roots[1].level and not (first.pieces or first.children)
        name = first.title if first.is_top else fallback
    preamble.title, preamble.is_top = name, True
    return name, [preamble, *roots] if preamble.pieces else roots
