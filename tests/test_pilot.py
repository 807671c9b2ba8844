"""The pilot, end to end: it measures, the plan reads it, and the build buys none of it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conftest import Corpus
from corpus import store
from corpus.settings import MIX
from test_build import OPTIONS, manifest, prints

PILOT = (*OPTIONS, "--pilot", "6")


def billed(server: tuple[str, Path]) -> int:
    return len(server[1].read_text().splitlines())


def measured(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "output" / "pilot.json").read_text())
    return found


def plan(corpus: Corpus, address: str, *more: str) -> dict[str, Any]:
    given = ("--writer", "claude", "--model", "claude-haiku-5-5", "--tokens", "9k")
    ended = corpus("plan", "--json", *given, "--base-url", address, *more)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize("given", ["", "round_tokens = 3_000"], ids=["one round", "rounds"])
def test_a_build_after_a_pilot_is_the_same_build_and_buys_nothing_twice(
    given: str, corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    (folder / "corpus.toml").write_text(given)
    start = billed(server)
    assert corpus(*OPTIONS, "--base-url", server[0]).returncode == 0
    alone, unbroken = billed(server) - start, prints(folder)
    paid = manifest(folder)["cost"]["paid"]
    (folder / "output").rename(folder / "unbroken")
    ended = corpus(*PILOT, "--base-url", server[0])
    assert ended.returncode == 0, ended.stderr
    assert 0 < billed(server) - start - alone < alone
    assert corpus(*OPTIONS, "--base-url", server[0]).returncode == 0
    assert billed(server) - start == 2 * alone
    assert prints(folder) == unbroken
    cost = manifest(folder)["cost"]
    assert (cost["paid"], cost["in_all"]) == (paid, paid)
    assert cost["saved"]["resume"] == measured(folder)["paid"]


def test_a_pilot_leaves_the_files_of_the_build_alone(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    assert corpus(*PILOT, "--base-url", server[0]).returncode == 0
    output = folder / "output"
    assert not {"briefs.jsonl", "documents.jsonl", "manifest.json"} & {
        p.name for p in output.iterdir()
    }
    briefs = list(store.read_rows(output / "pilot" / "briefs.jsonl"))
    assert 6 <= len(briefs) == measured(folder)["briefs"] < measured(folder)["planned"]
    assert {brief["stream"] for brief in briefs} == set(MIX)
    first = (output / "pilot.json").read_bytes()
    before = billed(server)
    assert corpus(*PILOT, "--base-url", server[0]).returncode == 0
    assert (billed(server), (output / "pilot.json").read_bytes()) == (before, first)


def test_the_briefs_of_a_pilot_are_briefs_of_the_build(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    corpus(*PILOT, "--base-url", server[0])
    corpus(*OPTIONS, "--base-url", server[0])
    output = folder / "output"
    piloted = [row["id"] for row in store.read_rows(output / "pilot" / "documents.jsonl")]
    built = [row["id"] for row in store.read_rows(output / "documents.jsonl")]
    assert set(piloted) <= set(built)
    assert [name for name in built if name in piloted] == piloted


def test_a_plan_after_a_pilot_is_priced_by_it_and_another_plan_is_not(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    guessed = plan(corpus, server[0])
    assert corpus(*PILOT, "--base-url", server[0]).returncode == 0
    found = measured(folder)
    known = plan(corpus, server[0])
    assert known["totals"] == found["price"]
    assert known["totals"] != guessed["totals"]
    assert any("pilot of" in note for note in known["notes"])
    assert all(row["calibrated"] for row in known["streams"].values())
    double = plan(corpus, server[0], "--tokens", "18k")
    likely = known["streams"]["documents"]["price"]["likely"]
    assert abs(double["streams"]["documents"]["price"]["likely"] - 2 * likely) <= 2
    (folder / "corpus.toml").write_text("judge_at_least = 4\n")
    assert plan(corpus, server[0])["pilot"] is None


def test_a_pilot_tells_its_yield_its_tokens_and_its_price(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    said = corpus(*PILOT, "--base-url", server[0]).stdout
    found = measured(folder)
    asked = sum(s["asked"] for row in found["streams"].values() for s in row["stages"].values())
    costs = [s["cost"] for row in found["streams"].values() for s in row["stages"].values()]
    assert asked + found["principles"]["asked"] > 3 * found["briefs"]
    assert found["paid"] == sum(costs) + found["principles"]["cost"]
    for row in found["streams"].values():
        steps = list(row["yield"].values())
        assert steps == sorted(steps, reverse=True)
    assert "kept tokens per ordered word" in said
    assert "whole plan, asked directly" in said


def test_a_pilot_keeps_to_the_budget(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    ended = corpus(*PILOT, "--base-url", server[0], "--budget", "0.0005")
    assert ended.returncode == 4, ended.stderr
    assert not (folder / "output" / "pilot.json").exists()
    assert corpus(*PILOT, "--base-url", server[0], "--budget", "5").returncode == 0
