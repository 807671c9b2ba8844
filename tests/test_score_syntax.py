"""Runs of parts of speech, by a real spaCy pipeline that is made here and read from a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spacy

from corpus.errors import InputError
from corpus.records import Metric
from corpus.score import Text, read_baseline, score
from corpus.store import write_rows

TAGS = {"NOUN": "dog cat sea tree", "VERB": "saw met ate hid", "DET": "the a", "ADP": "by in"}


def pipeline(folder: Path, tags: dict[str, str]) -> str:
    made = spacy.blank("en")
    ruler = made.add_pipe("attribute_ruler") if tags else None
    for tag, said in tags.items():
        for word in said.split():
            ruler.add([[{"LOWER": word}]], {"POS": tag})  # type: ignore[attr-defined]
    made.to_disk(folder)
    return str(folder)


def sentence(rng: np.random.Generator, form: str) -> str:
    return " ".join(str(rng.choice(TAGS[tag].split())) for tag in form.split())


def measured(texts: list[str], name: str) -> Metric:
    found = score([Text(str(n), text) for n, text in enumerate(texts)], pipeline=name)
    return next(metric for metric in found if metric.id == "syntax")


def test_one_syntax_in_other_words_is_seen(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    name = pipeline(tmp_path, TAGS)
    form = "DET NOUN VERB DET NOUN ADP DET NOUN"
    same = [sentence(rng, form) for _ in range(40)]
    assert len(set(same)) == 40
    assert (measured(same, name).value, measured(same, name).gate) == (1.0, "fail")
    free = [sentence(rng, " ".join(rng.choice([*TAGS], 30))) for _ in range(40)]
    assert measured(free, name).value == 0
    assert measured(same, name).evidence[0]["text"] == form


def test_a_pipeline_that_does_not_tag_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it has no tagger"):
        measured(["the dog saw a cat"], pipeline(tmp_path, {}))


def test_without_a_pipeline_syntax_is_not_measured() -> None:
    found = next(metric for metric in score([Text("a", "the dog")]) if metric.id == "syntax")
    assert (found.value, found.gate) == (None, None)
    assert "--pipeline" in found.note


def test_with_a_pipeline_the_holes_of_a_move_are_parts_of_speech(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    name = pipeline(tmp_path / "pipeline", TAGS)
    plain = [sentence(rng, "DET NOUN VERB DET NOUN") + " by me, it is a man." for _ in range(60)]
    turns = [f"{text} It was not the {rng.choice(['dog', 'cat'])} but the sea." for text in plain]
    write_rows(tmp_path / "control.jsonl", [{"text": text} for text in plain])
    base = read_baseline(tmp_path / "control.jsonl", name)
    found = score([Text(str(n), text) for n, text in enumerate(turns)], baseline=base)
    moves = next(metric for metric in found if metric.id == "moves")
    assert any("not the NOUN but the" in piece["text"] for piece in moves.evidence)
    assert moves.value == 1
