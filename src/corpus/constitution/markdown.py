"""CommonMark -> top-level blocks -> headings with their own text, cut to size."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from typing import Literal

from markdown_it import MarkdownIt

from corpus.constitution.cut import pieces
from corpus.constitution.outline import (
    QUOTES,
    TITLE_CHARS,
    Document,
    Heading,
    display,
    nest,
    titled,
)
from corpus.errors import InputError

Headings = Literal["markdown", "infer"]

INFERRED_WORDS = 12
MAX_NESTING = 100  # twice the depth of lists and quotes; the parser would skip what is deeper

_FRONT_MATTER = re.compile(r"---\n[A-Za-z_][\w-]*[ \t]*:.*\n(?:.+\n)*?(?:---|\.\.\.)(?:\n|\Z)")
_LINK = re.compile(
    r"!?\[[^\[\]]*\](?:\(((?:[^()\s]|\([^()\s]*\))*)(?: \"[^\"\n]*\")?\)|:[ ]*(\S+))"
)


@dataclass(slots=True)
class _Block:
    """A top-level block: the lines at which it may be cut, its ends included, and its raw text."""

    kind: str
    start: int
    level: int = 0
    cuts: list[int] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)


def markdown(text: str, source: str, headings: Headings, max_words: int) -> Document:
    """Read a document of clean text; the options are those of `corpus.constitution.parse`."""
    if max_words < 1:
        raise InputError(f"max_words: {max_words} is not a length; give at least 1")
    notes: list[str] = []
    body = text
    if matter := _FRONT_MATTER.match(text):
        body = "\n" * matter.group().count("\n") + text[matter.end() :]
        notes.append(f"{source}: front matter left out")
    lines = body.split("\n")
    blocks = _blocks(body, len(lines), source)
    if blocks and blocks[-1].kind == "fence" and not body.rstrip().endswith(("```", "~~~")):
        notes.append(f"{source}:{blocks[-1].start + 1}: this code fence is never closed")
    if headings == "infer":
        _infer(blocks, lines)
    outline = _headings(blocks)
    for heading, own in outline:
        kept = _text_only(heading, own, notes, source)
        cuts = [cut for block in kept for cut in pairwise(block.cuts)]
        units = ["\n".join(lines[start:stop]) + "\n" for start, stop in cuts]
        heading.pieces = pieces(units, max_words)
    preamble, *found = (heading for heading, _ in outline)
    parts = max(len(heading.pieces) for heading in (preamble, *found))
    if headings == "markdown" and len(found) <= 1 < parts:
        number = "no headings" if not found else "a single heading"
        notes.append(f"{source}: {number} in a text of {parts} parts; try --headings infer")
    name, roots = titled(preamble, nest(found), Path(source).stem)
    return Document(source, text, name, roots, notes)


def _blocks(text: str, stop: int, source: str) -> list[_Block]:
    """Return the top-level blocks; inline parsing is off, as only lines and raw text are needed."""
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING})
    blocks: list[_Block] = []
    for token in parser.disable(["inline", "reference"]).parse(text):
        if token.level >= MAX_NESTING - 1:
            line = token.map[0] if token.map else blocks[-1].start
            raise InputError(f"{source}:{line + 1}: lists or quotes nested too deep to be read")
        if token.level == 0 and token.map and token.nesting >= 0:
            level = int(token.tag[1]) if token.type == "heading_open" else 0
            blocks.append(_Block(token.type.removesuffix("_open"), token.map[0], level))
        elif token.type == "list_item_open" and token.level == 1 and token.map:
            blocks[-1].cuts.append(token.map[0])
        if token.content:
            blocks[-1].raw.append(token.content)
    borders = [*(block.start for block in blocks[1:]), stop]
    for block, border in zip(blocks, borders, strict=False):
        block.cuts = [block.start, *block.cuts[1:], border]
    return blocks


def _infer(blocks: list[_Block], lines: list[str]) -> None:
    """Turn short bare lines that stand alone into headings; the last block titles nothing."""
    level = 0
    for block in blocks[:-1]:
        if block.kind == "heading":
            level = block.level
        elif block.kind == "paragraph" and _is_title(block, lines):
            block.kind, block.level = "heading", min(level + 1, 6)


def _is_title(block: _Block, lines: list[str]) -> bool:
    text = display(block.raw[0])
    before = lines[max(block.start - 1, 0) : block.start]
    after = lines[block.start + 1 : block.cuts[-1]]
    alone = bool(after) and not any(map(str.strip, before + after))
    first = text.translate(QUOTES)[:1]
    return (
        alone
        and "](" not in block.raw[0]
        and len(text) <= TITLE_CHARS
        and len(text.split()) <= INFERRED_WORDS
        and (first.isalnum() and not first.islower())
        and any(map(str.isalpha, text))
        and text[-1] not in ".!?:;,|\u2026\u3002\uff01\uff1f\uff1a\uff1b\uff0c"
    )


def _headings(blocks: list[_Block]) -> list[tuple[Heading, list[_Block]]]:
    """Return the headings with the blocks of their own text; the first stands for no heading."""
    found: list[tuple[Heading, list[_Block]]] = [(Heading("", 0), [])]
    for block in blocks:
        title = "".join(block.raw)
        if block.kind == "heading" and len(title) <= TITLE_CHARS:
            found.append((Heading(display(title), block.level), []))
        else:
            found[-1][1].append(block)
    return found


def _text_only(heading: Heading, own: list[_Block], notes: list[str], source: str) -> list[_Block]:
    """Return the blocks of ``own`` that are text; what is left out goes to ``notes``."""
    kept: list[_Block] = []
    for linked, run in groupby(own, key=lambda block: bool(_links(block))):
        blocks = list(run)
        targets = [target for block in blocks for target in _links(block)]
        if linked and 2 * sum(target.startswith("#") for target in targets) > len(targets):
            place = f'under "{heading.title}"' if heading.level else "at the top"
            notes.append(f"{source}: contents list of {len(targets)} links {place} left out")
            continue
        for block in blocks:
            if _is_comment(block):
                notes.append(f"{source}:{block.start + 1}: comment left out")
            else:
                kept.append(block)
    while kept and kept[-1].kind == "hr":
        kept.pop()
    while kept and kept[0].kind == "hr":
        kept.pop(0)
    return kept


def _links(block: _Block) -> list[str]:
    """Return the targets of a block of nothing but links, else nothing."""
    text = "\n".join(block.raw)
    if block.kind not in {"paragraph", "bullet_list", "ordered_list"} or "](" not in text:
        return []
    if any(map(str.isalpha, _LINK.sub("", text))):
        return []
    return [match[1] or match[2] or "" for match in _LINK.finditer(text)]


def _is_comment(block: _Block) -> bool:
    text = "".join(block.raw).strip()
    return (
        block.kind == "html_block" and text.startswith("<!--") and text.find("-->") == len(text) - 3
    )
