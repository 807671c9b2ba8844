"""Cells, intervals and what values are compared with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import environment
from corpus.errors import InputError
from corpus.records import Metric
from corpus.score import Text, as_json, read_baseline, score
from corpus.store import write_rows

PARTS = "ba de fo gi ku la me no pa re si tu ve wo za".split()
SYLLABLES = [a + b + c for a in PARTS for b in PARTS for c in PARTS]
POOL = np.array(SYLLABLES)


def prose(number: int, sentences: int = 12) -> str:
    rng = np.random.default_rng(number)
    chosen = [rng.choice(POOL, 10) for _ in range(sentences)]
    return " ".join(f"{' '.join(said).capitalize()}." for said in chosen)


def texts(kinds: dict[str, int]) -> list[Text]:
    every = [kind for kind, count in kinds.items() for _ in range(count)]
    return [Text(f"d{n:03}", prose(n), section="s", kind=kind) for n, kind in enumerate(every)]


def by_id(metrics: list[Metric]) -> dict[str, Metric]:
    return {metric.id: metric for metric in metrics}


MOULD = "the old clerk of {} came to the window and looked at the harbour for a while."


def test_a_collapsed_kind_fails_though_it_drowns_in_the_whole() -> None:
    made = texts({"essay": 440, "letter": 40})
    filled = [
        " ".join(MOULD.format(PARTS[n % 15].capitalize()) for _ in range(12)) for n in range(40)
    ]
    made[440:] = [Text(t.id, filled[n], "s", kind="letter") for n, t in enumerate(made[440:])]
    found = by_id(score(made))["skeleton"]
    assert (found.value or 1) < 0.1
    assert found.gate == "fail"
    assert "kind letter: 1" in found.note
    assert {cell["cell"]: cell["gate"] for cell in found.cells if cell["by"] == "kind"} == {
        "essay": "pass",
        "letter": "fail",
    }


def test_a_cell_of_few_documents_has_a_value_and_no_gate() -> None:
    made = texts({"essay": 60, "note": 5})
    made[60:] = [Text(t.id, made[0].text, "s", kind="note") for t in made[60:]]
    cells = {cell["cell"]: cell for cell in by_id(score(made))["shared_ngram"].cells}
    assert (cells["note"]["value"], cells["note"]["gate"], cells["note"]["n"]) == (1.0, None, 5)
    assert cells["essay"]["gate"] is not None


def test_every_value_that_has_an_interval_lies_in_it_and_says_how_it_was_found() -> None:
    made = texts({"essay": 70})
    for metric in score([*made, *(Text(f"c{t.id}", t.text, "s", kind="essay") for t in made[:9])]):
        if metric.low is not None and metric.high is not None and metric.value is not None:
            assert metric.low <= metric.value <= metric.high, metric.id
            assert metric.interval, metric.id
        assert metric.words == pytest.approx(120)


def test_human_prose_is_a_baseline_that_ships() -> None:
    found = read_baseline(Path("human"))
    assert found.values["distinct2"].value == pytest.approx(0.67, abs=0.01)
    assert (found.values["eff_topics"].value or 0) > 500
    assert [row["documents"] for row in found.values["names"].curve][-2:] == [1000, 2000]
    assert found.control is not None
    assert found.control.documents == 2000


def test_a_control_of_texts_gives_values_and_moves(tmp_path: Path) -> None:
    rows = [{"id": t.id, "text": t.text} for t in texts({"essay": 40})]
    write_rows(tmp_path / "control.jsonl", rows)
    found = read_baseline(tmp_path / "control.jsonl")
    assert (found.values["lengths"].value, found.values["lengths"].n) == (120, 40)
    assert found.control is not None
    assert found.control.whence == "control.jsonl"


def test_a_builds_folder_is_a_baseline(tmp_path: Path) -> None:
    metrics = score(texts({"essay": 40}))
    write_rows(tmp_path / "scores.jsonl", [metric.row() for metric in metrics])
    (tmp_path / "scores.json").write_text(json.dumps(as_json(metrics)), "utf-8")
    folder, printed = read_baseline(tmp_path), read_baseline(tmp_path / "scores.json")
    assert folder.values == printed.values
    assert by_id(score(texts({"essay": 40}), baseline=folder))["zstd_long"].gate == "pass"


def test_what_no_control_has_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_baseline(tmp_path)
    with pytest.raises(InputError, match="spaCy has no such pipeline"):
        score(texts({"essay": 3}), pipeline="no_such_pipeline")


def test_the_gates_of_a_config_hold_for_score_and_a_failed_one_is_exit_3(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", [{"text": t.text} for t in texts({"essay": 5})])
    (tmp_path / "corpus.toml").write_text("[gates]\nshared_ngram = [-2, -1]\n", "utf-8")
    command = [sys.executable, "-m", "corpus", "score", "rows.jsonl", "--json", "--parity"]
    ended = subprocess.run(
        [*command, "--config", "corpus.toml"], cwd=tmp_path, env=environment(), capture_output=True,
        check=False,
    )  # fmt: skip
    found = json.loads(ended.stdout)["metrics"]
    assert (ended.returncode, found["shared_ngram"]["gate"]) == (3, "fail")
    assert found["self_repetition"]["value"] == 0
    assert found["shared_ngram"]["words"] == 120


def test_a_name_that_an_allowed_text_is_about_is_the_subject_and_no_fault(tmp_path: Path) -> None:
    said = [f"{prose(n)} And then the Quakers of old Fox met again here." for n in range(40)]
    write_rows(tmp_path / "rows.jsonl", [{"text": text} for text in said])
    about = tmp_path / "about.md"
    about.write_text("# About\n\nThis book asks what a Quaker owes to Fox, and why.\n", "utf-8")
    gates = []
    for more in ([], ["--allow", str(about)]):
        command = [sys.executable, "-m", "corpus", "score", str(tmp_path / "rows.jsonl"), "--json"]
        run = subprocess.run(
            [*command, *more], capture_output=True, text=True, env=environment(), check=False
        )
        gates.append(json.loads(run.stdout)["metrics"]["names"]["gate"])
    assert gates == ["fail", "pass"]


def test_two_files_that_name_their_documents_alike_share_no_near_copies(tmp_path: Path) -> None:
    for name, numbers in (("a.jsonl", (1, 1, 2)), ("b.jsonl", (3, 4, 5))):
        rows = [{"id": f"{at}", "text": prose(number)} for at, number in enumerate(numbers)]
        write_rows(tmp_path / name, rows)
    ended = subprocess.run(
        [sys.executable, "-m", "corpus", "score", "a.jsonl", "b.jsonl", "--json"],
        cwd=tmp_path, env=environment(), capture_output=True, check=False,
    )  # fmt: skip
    assert json.loads(ended.stdout)["metrics"]["near_dup"]["value"] == pytest.approx(1 / 3)
