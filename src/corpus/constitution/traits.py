"""A JSON list of traits -> headings, one for each."""

from __future__ import annotations

import json
from pathlib import Path

from corpus.constitution.files import clean
from corpus.constitution.outline import TITLE_CHARS, Document, Heading, display
from corpus.errors import InputError
from corpus.records import Json

TITLE_WORDS = 10
_TEXTS = ("why", "clarification", "description")


def traits(text: str, source: str) -> Document:
    """Read a list of traits; the shapes are in `corpus.constitution.parse_traits`."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source}: not JSON: {error}") from error
    if not isinstance(rows, list):
        raise InputError(f"{source}: expected a list of traits, not {type(rows).__name__}")
    roots = [_trait(row, f"{source}[{index}]") for index, row in enumerate(rows)]
    ignored = {key for row in rows if isinstance(row, dict) for key in row}
    ignored -= {"trait", *_TEXTS, "questions"}
    notes = [f"{source}: key {key!r} of the traits is not read" for key in sorted(ignored)]
    return Document(source, text, Path(source).stem, roots, notes)


def _trait(row: Json, where: str) -> Heading:
    values = {"trait": row} if isinstance(row, str) else row
    if not isinstance(values, dict) or not isinstance(values.get("trait"), str):
        raise InputError(f'{where}: expected a string or an object with a "trait" string')
    texts = [values.get(key, "") for key in ("trait", *_TEXTS)]
    questions = values.get("questions", [])
    if not isinstance(questions, list) or not all(isinstance(q, str) for q in (*texts, *questions)):
        raise InputError(f'{where}: "questions" is a list of strings, every other value a string')
    text, asked = (clean("\n\n".join(filter(None, part)), where) for part in (texts, questions))
    words = values["trait"].split()
    if not any(map(str.isalnum, values["trait"])):
        raise InputError(f"{where}: the trait is empty")
    title = " ".join(words[:TITLE_WORDS]) + ("\u2026" if len(words) > TITLE_WORDS else "")
    hint = f"Questions that touch on it:\n\n{asked}" if asked else ""
    return Heading(display(title[:TITLE_CHARS]), 1, pieces=[text.strip()], hint=hint)
