"""A build's folder as the report sees it: the current plan, and what became of each document.

Texts are not held: a first pass over ``documents.jsonl`` counts, and ``texts`` goes back for the
few that the page shows. This room reads; it judges nothing and words nothing.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from corpus import store
from corpus.language import UNSPACED

Row = dict[str, Any]
SHARED = ("unit", "warn", "fail", "higher_is_better", "interval", "baseline")
"""What a cell of a metric has from the metric."""
_UNSPACED = re.compile(f"[{UNSPACED}]")
_DIGEST = re.compile("[0-9a-f]{12,}")
Fate = Literal["kept", "rejected", "duplicate", "unreviewed"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A written document without its text."""

    id: str
    stream: str
    kind: str
    section: str
    brief: str
    words: int
    fate: Fate


@dataclass(frozen=True, slots=True)
class Build:
    """What the files say about the current plan; ``earlier`` documents are of old plans.

    ``nearest`` are the pairs of ``likeness.jsonl``, ``rounds`` the rows of ``loop.jsonl``.
    """

    folder: Path
    manifest: Mapping[str, Any]
    briefs: dict[str, Row]
    reviews: dict[str, Row]
    copies: dict[str, Row]
    metrics: list[Row]
    entries: dict[str, Entry]
    earlier: int
    nearest: list[Row]
    rounds: list[Row]

    @property
    def kept(self) -> list[Entry]:
        """The documents that ship, in the order of the file."""
        return [entry for entry in self.entries.values() if entry.fate == "kept"]

    def title(self, section: str) -> str:
        """The heading of a section, or what its id tells where the manifest does not list it.

        Under the heading above it, where another section is called the same.
        """
        found = next((s for s in self.sections if s.get("id") == section), {})
        said = found.get("title") or heading(section)[-1]
        path = [str(part) for part in found.get("path") or ()]
        alike = sum(s.get("title") == said for s in self.sections)
        return " / ".join(path[-2:]) if alike > 1 and path else str(said)

    @property
    def sections(self) -> list[Row]:
        """The sections of the constitution that the manifest lists, in its order."""
        return list((self.manifest.get("constitution") or {}).get("sections") or ())


def read(folder: Path, manifest: Mapping[str, Any]) -> Build:
    """Read every file of the build once; a file that is not there counts as empty.

    Raises:
        InputError: a line is not a JSON object.
    """
    briefs = _last(folder / "briefs.jsonl")
    reviews = _last(folder / "reviews.jsonl")
    copies = _last(folder / "duplicates.jsonl")
    entries: dict[str, Entry] = {}
    earlier: set[str] = set()
    for row in _rows(folder / "documents.jsonl"):
        if row.get("brief") in briefs:
            entries[row["id"]] = _entry(row, _fate(row["id"], reviews, copies))
        else:
            earlier.add(row["id"])
    metrics = _metrics(folder / "scores.jsonl")
    nearest, rounds = list(_rows(folder / "likeness.jsonl")), list(_rows(folder / "loop.jsonl"))
    return Build(
        folder, manifest, briefs, reviews, copies, metrics, entries, len(earlier), nearest, rounds
    )


def texts(build: Build, ids: Collection[str]) -> dict[str, Row]:
    """The whole rows of those documents, in a second pass over the file."""
    rows = _rows(build.folder / "documents.jsonl")
    return {row["id"]: row for row in rows if row["id"] in ids} if ids else {}


def turns(row: Mapping[str, Any]) -> list[list[str]]:
    """A document as ``[role, text]`` pairs; a text is one pair whose role is empty."""
    if row.get("messages") is not None:
        return [[str(m.get("role", "")), str(m.get("content", ""))] for m in row["messages"]]
    return [["", str(row.get("text") or "")]]


def body(row: Mapping[str, Any]) -> str:
    """What a reader would read, in one string."""
    return "\n\n".join(text for _, text in turns(row))


def title(row: Mapping[str, Any] | None) -> str:
    """The first line of what is said in a document; empty where there is no document."""
    spoken = [text for role, text in turns(row or {}) if role != "system" and text.strip()]
    lines = [line.strip(" #*_") for line in (spoken or [""])[0].splitlines()]
    return clip(next(filter(None, lines), "(empty)" if row else ""), 90)


def clip(text: str, longest: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return (
        text if len(text) <= longest else f"{text[: longest - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"
    )


def heading(section: str) -> list[str]:
    """The path of headings that a section's id was made of; an id of another make as it is."""
    path, mark, _ = section.rpartition("~")
    return [part.replace("-", " ").capitalize() for part in path.split("/")] if mark else [section]


def length(text: str) -> int:
    """The words of a text, split at white space; of a script without spaces, its characters."""
    return len((text if text.isascii() else _UNSPACED.sub(" x ", text)).split())


def short(name: str) -> str:
    """An id as a link shows it: the first digits of a digest, a name of one's own nearly whole."""
    return name[:8] if _DIGEST.fullmatch(name) else clip(name, 20)


def lot(name: str) -> str:
    """The place of ``name`` in a fair draw that is the same on every machine."""
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def _entry(row: Row, fate: Fate) -> Entry:
    def word(key: str) -> str:
        return str(row.get(key) or "")

    words = length(body(row))
    return Entry(
        row["id"], word("stream"), word("kind"), word("section"), word("brief"), words, fate
    )


def _fate(name: str, reviews: Mapping[str, Row], copies: Mapping[str, Row]) -> Fate:
    verdict = reviews.get(name, {}).get("verdict")
    if verdict is None:
        return "unreviewed"
    if verdict != "accept":
        return "rejected"
    return "duplicate" if name in copies else "kept"


def _rows(path: Path) -> Iterator[Row]:
    if path.exists():
        yield from store.read_rows(path)


def _metrics(path: Path) -> list[Row]:
    """The metrics, each with its ``scope``; one of a part is named by its part as well.

    The ``cells`` of a metric that have a gate of their own follow it as metrics of parts.
    """
    found: dict[str, Row] = {}
    for row in _rows(path):
        name, scope = str(row["id"]), _scope(row)
        full = f"{name}/{scope}" if scope and "/" not in name else name
        found[full] = {**row, "id": full, "scope": scope}
        for cell in row.get("cells") or ():
            if isinstance(cell, Mapping) and cell.get("gate"):
                part = f"{cell.get('by')} {cell.get('cell')}"
                own = {key: row.get(key) for key in SHARED if row.get(key) is not None}
                found[f"{name}/{part}"] = {**own, **cell, "id": f"{name}/{part}", "scope": part}
    return list(found.values())


def _scope(row: Mapping[str, Any]) -> str:
    """What part of the corpus a metric is about: its own word for it, or its id after a slash."""
    named = [f"{key} {row[key]}" for key in ("section", "stream", "kind") if row.get(key)]
    return str(row.get("scope") or ", ".join(named) or str(row["id"]).partition("/")[2])


def _last(path: Path) -> dict[str, Row]:
    return {row["id"]: row for row in _rows(path)}


def spread(entries: Sequence[Entry], most: int) -> list[str]:
    """Ids of at most that many documents, every section and kind by its share, in a fair order."""
    cells: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for entry in entries:
        cell = (entry.stream, entry.kind, entry.section)
        cells.setdefault(cell, []).append((lot(entry.id), entry.id))
    drawn = [
        ((place + 0.5) / len(cell), draw, name)
        for cell in cells.values()
        for place, (draw, name) in enumerate(sorted(cell))
    ]
    chosen = heapq.nsmallest(most, drawn)
    return [name for _, name in sorted((draw, name) for _, draw, name in chosen)]
