"""Markdown -> section tree -> sections.

A document is cut at the top-level headings of the CommonMark token stream, so a ``#`` in a code
fence, a quote or a list is text. Every heading's own text becomes a section, that of parents
too, and a long one becomes several; nothing that an author wrote as text is lost or doubled.

* The path of a section starts with the document's title. That is the only heading of the highest
  level or, where there are several, the first of them if it has neither text nor headings of its
  own (a contents list is no text). Such a title stands beside the chapters in the tree, not
  above them. A document without a title goes by its file name.
* No section: headings without text, lists of links to anchors, HTML comments, rules at the ends
  of a text, front matter. Links, comments and front matter are told in ``Constitution.dropped``.
* A "heading" of more than 300 characters is a paragraph that happens to stand on a rule.

This room knows files, Markdown and sections; what a section says is not its business.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from corpus.constitution.cut import opening, words
from corpus.constitution.files import SUFFIXES, clean, decode, listing
from corpus.constitution.markdown import Headings, markdown
from corpus.constitution.outline import QUOTES, Document, Heading
from corpus.constitution.traits import traits
from corpus.errors import InputError
from corpus.records import Json, Record, Section, digest

__all__ = ["Constitution", "Headings", "Node", "load", "parse", "parse_traits"]

SLUG_CHARS = 48


@dataclass(frozen=True, slots=True)
class Node(Record):
    """A heading: ``words`` counts its own text, ``sections`` are the ids made of that text.

    ``level`` is 1 to 6 as written, 0 for the text before the first heading.
    """

    title: str
    level: int
    path: tuple[str, ...]
    words: int
    children: tuple[Node, ...] = ()
    sections: tuple[str, ...] = ()

    @classmethod
    def from_row(cls, row: Mapping[str, Json]) -> Self:
        """The node that ``row`` describes, with all below it."""
        children = tuple(cls.from_row(child) for child in row["children"])
        path, sections = tuple(row["path"]), tuple(row["sections"])
        return cls(row["title"], row["level"], path, row["words"], children, sections)


@dataclass(frozen=True, slots=True)
class Constitution:
    """Sections in document order, the headings as a tree, and what was left out, in words.

    ``digest`` is the sha256 of the normalised texts, ``name`` the best title.
    """

    sections: tuple[Section, ...]
    tree: tuple[Node, ...]
    digest: str
    name: str
    dropped: tuple[str, ...] = ()


def load(path: Path, *, headings: Headings = "markdown", max_words: int = 900) -> Constitution:
    """Read a file, or all Markdown, text and JSON files of a folder in the order of their names.

    A ``.json`` file is a list of traits (see `parse_traits`), anything else is Markdown; README
    files of a folder describe it and are not read. See `parse` for the options.

    Raises:
        InputError: nothing there, nothing usable, not UTF-8, NUL bytes, no text, a wrong shape.
    """
    try:
        return _load(path, headings, max_words)
    except FileNotFoundError as error:
        raise InputError(f"{path}: does not exist; `corpus init` writes an example") from error
    except OSError as error:
        raise InputError(f"{error.filename or path}: cannot be read: {error.strerror}") from error


def _load(path: Path, headings: Headings, max_words: int) -> Constitution:
    notes: list[str] = []
    files = list(listing(path, notes)) if path.is_dir() else [(path, path.name)]
    documents = []
    for file, source in files:
        text = decode(file)
        if path.is_dir() and not text.strip():
            notes.append(f"{source}: empty file left out")
        elif file.suffix.lower() == ".json":
            documents.append(traits(text, source))
        else:
            documents.append(markdown(text, source, headings, max_words))
    if not documents:
        raise InputError(f"{path}: no constitution here; expected {', '.join(SUFFIXES)} files")
    name = documents[0].name if len(documents) == 1 else path.resolve().name
    return _assemble(documents, name, notes)


def parse(
    text: str, *, source: str, headings: Headings = "markdown", max_words: int = 900
) -> Constitution:
    """Cut Markdown into sections.

    Args:
        text: the document; any line ends, with or without a byte order mark.
        source: the file's name, for messages, ``Section.source`` and untitled documents.
        headings: ``"infer"`` also reads short bare lines as headings, one level below the last
            Markdown heading (text taken from a PDF has its titles so).
        max_words: a longer text is cut between paragraphs or list items into parts of like size;
            a single longer paragraph, item or fence stays whole. A Han or kana sign is a word.

    Raises:
        InputError: there is no text, or it holds a NUL or is nested too deep.
    """
    document = markdown(clean(text, source), source, headings, max_words)
    return _assemble([document], document.name, [])


def parse_traits(text: str, *, source: str) -> Constitution:
    """Make one section of each trait of a JSON list: strings, or objects with a ``"trait"``.

    ``why``, ``clarification`` and ``description`` follow the trait as paragraphs; ``questions``,
    a list of strings, go to the context. This takes the trait lists of Open Character Training.

    Raises:
        InputError: not JSON, another shape (the index is named), or empty.
    """
    document = traits(clean(text, source), source)
    return _assemble([document], document.name, [])


def _assemble(documents: list[Document], name: str, notes: list[str]) -> Constitution:
    sections: list[Section] = []
    seen: Counter[str] = Counter()
    tree = []
    for document in documents:
        maker = _Maker(document.source, sections, seen)
        for root in document.roots:
            path = (document.name,) if root.is_top else (document.name, root.title)
            tree.append(maker.node(root, path, ()))
        notes += document.notes
    if not sections:
        sources = ", ".join(document.source for document in documents)
        raise InputError(f"{sources}: no text to write about")
    texts = [document.text for document in documents]
    return Constitution(tuple(sections), tuple(tree), digest(*texts, chars=64), name, tuple(notes))


@dataclass(slots=True)
class _Maker:
    """Makes the nodes and sections of one source; ids are unique among all ``seen``."""

    source: str
    sections: list[Section]
    seen: Counter[str]

    def node(self, heading: Heading, path: tuple[str, ...], above: tuple[str, ...]) -> Node:
        """Return the node of ``heading``; ``above`` are the openings of the headings over it."""
        own = [f"{heading.title}: {opening(heading.pieces[0])}"] if heading.pieces else []
        first = len(self.sections)
        for part, text in enumerate(heading.pieces, 1):
            # A later part has lost the opening of its own text as well.
            known = [" > ".join(path), *above, *(own if part > 1 else []), heading.hint]
            context = "\n\n".join(filter(None, known))
            parts = len(heading.pieces)
            section = Section(self._id(path, text), path, text, context, self.source, part, parts)
            self.sections.append(section)
        ids = tuple(section.id for section in self.sections[first:])
        below = (*above, *own)
        return Node(
            heading.title,
            heading.level,
            path,
            sum(map(words, heading.pieces)),
            tuple(self.node(child, (*path, child.title), below) for child in heading.children),
            ids,
        )

    def _id(self, path: tuple[str, ...], text: str) -> str:
        name = f"{'/'.join(map(_slug, path))}~{digest(text, chars=8)}"
        self.seen[name] += 1
        return name if self.seen[name] == 1 else f"{name}~{self.seen[name]}"


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKC", title).casefold().translate(QUOTES)
    return re.sub(r"[\W_]+", "-", plain)[:SLUG_CHARS].strip("-") or "untitled"
