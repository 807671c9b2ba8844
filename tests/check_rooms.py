"""The size rules, as a check for CI: files, functions, broad excepts. Prints lines per room."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "corpus"
MOST_LINES = 400  # of a file
MOST_FUNCTION = 50  # lines of a function, without its docstring
MEAN_FUNCTION = 14.0


def lengths(tree: ast.Module) -> list[tuple[str, int]]:
    """Name and length of every function, docstrings not counted."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            is_doc = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            doc = (first.end_lineno or 0) - first.lineno + 1 if is_doc else 0
            found.append((node.name, (node.end_lineno or 0) - node.lineno + 1 - doc))
    return found


def broad(tree: ast.Module) -> list[int]:
    """Lines of handlers that catch everything."""
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    return [
        node.lineno
        for node in handlers
        if node.type is None or getattr(node.type, "id", "") in {"Exception", "BaseException"}
    ]


def main() -> int:
    """Check every file; the number of rules that are broken."""
    problems: list[str] = []
    rooms: Counter[str] = Counter()
    sizes: list[int] = []
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        name = path.relative_to(SOURCE)
        rooms[name.parts[0].removesuffix(".py")] += len(text.splitlines())
        if len(text.splitlines()) > MOST_LINES:
            problems.append(f"{name}: {len(text.splitlines())} lines; make it a folder")
        for function, size in lengths(tree):
            sizes.append(size)
            if size > MOST_FUNCTION:
                problems.append(f"{name}: {function} has {size} lines")
        lines = text.splitlines()
        problems += [
            f"{name}:{line}: a broad except without a reason"
            for line in broad(tree)
            if "#" not in lines[line - 1]
        ]
    mean = sum(sizes) / len(sizes)
    if mean > MEAN_FUNCTION:
        problems.append(f"functions have {mean:.1f} lines on average")
    for room, lines in rooms.most_common():
        print(f"{lines:6} {room}")  # noqa: T201 - a script's output
    print(f"{sum(rooms.values()):6} in all; functions have {mean:.1f} lines on average")  # noqa: T201
    for problem in problems:
        print(problem)  # noqa: T201
    return len(problems)


if __name__ == "__main__":
    sys.exit(bool(main()))
