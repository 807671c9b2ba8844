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


def near(number: int, other: int, text: str) -> Row:
    """Two documents that are alike, as ``likeness.jsonl`` has them."""
    names = {"id": f"d{number}", "other": f"d{other}", "by": "words"}
    return {**names, "cosine": 0.8, "jaccard": 0.1, "diff": [["=", "so"], ["-", text], ["+", text]]}


def taught(number: int, **more: object) -> Row:
    """A round of ``loop.jsonl``."""
    sums = {"round": number, "documents": 9 * number, "words": 99, "ngrams": 90, "topics": 4.5}
    lists: Row = {"arms": {"kind essay": 0.4}, "stopped": [], "holes": [], "bans": []}
    return {**sums, "novelty": 0.5, **lists, **more}


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


def kept(folder: Path, texts: int | list[str] = 12, **files: list[Row]) -> Path:
    """A build that kept so many documents, or those texts, in a folder that need not be there."""
    said = [None] * texts if isinstance(texts, int) else texts
    folder.mkdir(exist_ok=True)
    rows = {
        "briefs": [brief(n) for n in range(len(said))],
        "documents": [document(n, text) for n, text in enumerate(said)],
        "reviews": [accept(n) for n in range(len(said))],
    }
    return fill(folder, **{**rows, **files})


def fill(folder: Path, **files: list[Row]) -> Path:
    """Write each list as JSON Lines into ``folder``."""
    for name, rows in files.items():
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines)
    return folder
