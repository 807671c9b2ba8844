"""Rows of a small build, and a folder of them, for the tests that look at reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]
PAYLOAD = "</div></details><script>alert('x')</script><img src=x onerror=alert(1)>"


def brief(number: int, **more: object) -> Row:
    kind = ("documents", "essay") if number % 3 else ("stories", "short_story")
    return {
        "id": f"b{number}",
        "stream": kind[0],
        "kind": kind[1],
        "section": f"s{number % 4}",
        "principle": f"p{number}",
        "seed": None,
        "words": 40,
        "facets": {"place": "a harbour"},
        "number": number,
        "round": 1,
        "attempt": 1,
        "replaces": None,
        **more,
    }


def document(number: int, text: str | None = None, **more: object) -> Row:
    order = brief(number)
    shared = {key: order[key] for key in ("stream", "kind", "section", "seed", "facets")}
    return {
        "id": f"d{number}",
        "brief": f"b{number}",
        **shared,
        "text": text or f"Title {number}\n\n" + f"word{number} and more " * 12,
        "generator": {"model": "m", "writer": "claude", "request": f"r{number}"},
        "parents": [f"q{number}"],
        "synthetic": True,
        "quality": None,
        **more,
    }


def accept(number: int) -> Row:
    return {"id": f"d{number}", "verdict": "accept", "reasons": [], "scores": {"prose": 4}}


def reject(number: int, *reasons: str, **scores: int) -> Row:
    return {"id": f"d{number}", "verdict": "reject", "reasons": [*reasons], "scores": scores}


def repeat(number: int, original: int, word: str = "minhash") -> Row:
    names = {"id": f"d{number}", "original": f"d{original}"}
    return {**names, "similarity": 0.8, "method": word, "cluster": f"{word}{original}"}


def proof(what: str, *documents: str) -> Row:
    return {"what": what, "count": 9, "documents": [*documents]}


def metric(name: str, **more: object) -> Row:
    row = {"id": name, "value": 0.25, "gate": "fail", "n": 9, "unit": "share", "warn": 0.05}
    return {**row, "fail": 0.15, "higher_is_better": False, "note": "", "evidence": [], **more}


def manifest(**more: object) -> Row:
    sections = [
        {"id": f"s{n}", "title": f"Section {n}", "path": ["All", f"Section {n}"]} for n in range(5)
    ]
    return {
        "version": "1.2.3",
        "quality": None,
        "model": "model-x",
        "tokenizer": {"name": "gpt2", "proxy": True},
        "constitution": {"name": "The Example", "sections": sections},
        "counts": {"documents": {"tokens": 1000}, "stories": {"tokens": 234}},
        "cost": {"paid": 1_500_000, "by_stage": {"draft": 1_000_000}},
        "stages": [{"stage": "draft", "asked": 7, "skipped": None}],
        "shards": [{"format": "parquet", "file": "shards/parquet/a.parquet", "config": "documents",
                    "split": "train", "bytes": 10, "documents": 3, "tokens": 1234}],
        **more,
    }  # fmt: skip


def fill(folder: Path, **files: list[Row]) -> Path:
    """Write each list as JSON Lines into ``folder``."""
    for name, rows in files.items():
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines)
    return folder
