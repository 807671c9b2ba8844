"""English text that every machine has: the documentation of its Python packages, as JSON Lines.

    python benchmarks/shards/text.py OUT.jsonl [MEGABYTES] [FOLDER...]

Docstrings, Markdown, reStructuredText and package descriptions below the folders (this Python's own
by default), one document per file, sorted by path, none twice; where they do not reach, none is
repeated: the file is shorter, and its size is printed.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

SUFFIXES = {".md", ".rst", ".txt", ".py"}
LEAST, MOST = 400, 200_000  # characters of a document
ENGLISH = (" the ", " of ", " and ", " to ")


def main() -> None:
    out, megabytes, *folders = [*sys.argv[1:], *["33.06"][: max(0, 3 - len(sys.argv))]]
    places = [Path(folder) for folder in folders] or [
        Path(sysconfig.get_path("stdlib")),
        Path(sysconfig.get_path("purelib")),
    ]
    size, count, limit = 0, 0, float(megabytes) * 1e6
    with Path(out).open("w", encoding="utf-8") as file:
        for text in texts(places):
            file.write(json.dumps({"id": f"doc-{count:06}", "text": text}) + "\n")
            size, count = size + len(text.encode()), count + 1
            if size >= limit:
                break
    print(f"{out}: {count:,} documents, {size / 1e6:.2f} MB of text")


def texts(folders: list[Path]) -> Iterator[str]:
    """Yield the documents below ``folders``."""
    seen = set[bytes]()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix not in SUFFIXES and path.name != "METADATA":
                continue
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            found = docstrings(text) if path.suffix == ".py" else text
            if not LEAST <= len(found) <= MOST or not all(word in found for word in ENGLISH):
                continue
            key = hashlib.sha256(found.encode()).digest()
            if key not in seen:
                seen.add(key)
                yield found


def docstrings(source: str) -> str:
    """All docstrings of a module, a blank line between."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError):
            return ""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = (node for node in ast.walk(tree) if isinstance(node, kinds))
    return "\n\n".join(filter(None, map(ast.get_docstring, nodes)))


if __name__ == "__main__":
    main()
