"""The main job, end to end, over real HTTP: what it makes, and that stopping it costs nothing."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import Corpus, environment
from corpus import store
from corpus.model import rehearsal
from corpus.settings import MIX

OPTIONS = ("build", "--writer", "claude", "--model", "claude-haiku-5-5", "--tokens", "9k", "--yes")
SAME = (
    "documents.jsonl", "reviews.jsonl", "briefs.jsonl", "duplicates.jsonl", "scores.jsonl",
    "loop.jsonl",
)  # fmt: skip


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "output" / "manifest.json").read_text())
    return found


def lasting(made: dict[str, Any]) -> dict[str, Any]:
    """A manifest without what tells of the run: how much of it was there already."""
    cost = {key: value for key, value in made["cost"].items() if key != "replayed"}
    saved = {key: value for key, value in cost["saved"].items() if key != "resume"}
    return {**made, "cost": {**cost, "saved": saved}}


def prints(folder: Path) -> dict[str, str]:
    """The digest of every file of a build that a reader would use."""
    output = folder / "output"
    files = [output / name for name in SAME] + sorted((output / "shards").rglob("*.*"))
    return {
        str(file.relative_to(output)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def test_a_build_makes_every_stream_and_accounts_for_it(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    ended = corpus(*OPTIONS, "--base-url", server[0])
    assert ended.returncode == 0, ended.stderr
    made = manifest(folder)
    assert set(made["counts"]) == set(MIX)
    for row in made["counts"].values():
        assert row["planned"] == row["rejected"] + row["duplicate"] + row["kept"]
    shipped = sum(shard["documents"] for shard in made["shards"] if shard["format"] == "jsonl")
    assert shipped == sum(row["kept"] for row in made["counts"].values())
    assert sum(row["tokens"] for row in made["counts"].values()) >= 9_000


def test_a_stream_gets_its_share_of_kept_tokens(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    ended = corpus(*OPTIONS, "--base-url", server[0], "--mix", "documents=1,advice=1")
    assert ended.returncode == 0, ended.stderr
    counts = manifest(folder)["counts"]
    assert set(counts) == {"documents", "advice"}
    assert all(row["tokens"] >= 4_500 for row in counts.values())


def test_a_second_run_asks_nothing_and_changes_no_byte(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    corpus(*OPTIONS, "--base-url", server[0])
    before, billed = prints(folder), len(server[1].read_text().splitlines())
    first = manifest(folder)
    assert corpus(*OPTIONS, "--base-url", server[0]).returncode == 0
    assert prints(folder) == before
    assert lasting(manifest(folder)) == lasting(first)
    assert len(server[1].read_text().splitlines()) == billed


def test_a_killed_and_resumed_build_ends_as_an_unbroken_one(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    assert corpus(*OPTIONS, "--base-url", server[0]).returncode == 0
    unbroken = prints(folder)
    (folder / "output").rename(folder / "unbroken")
    chance = random.Random(1)
    for _ in range(3):
        kill_during_build(folder, server[0], chance.uniform(1.0, 6.0))
    assert corpus(*OPTIONS, "--base-url", server[0]).returncode == 0
    assert prints(folder) == unbroken


def test_a_build_by_batches_that_is_killed_ends_as_a_direct_one(
    corpus: Corpus, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ledger = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    options = ("build", "--writer", "rehearse", "--tokens", "9k", "--yes")
    with rehearsal.process("--ledger", str(ledger), "--batch-seconds", "0.4") as address:
        assert corpus(*options, "--base-url", address, "--no-batch").returncode == 0
        unbroken, direct = prints(folder), len(ledger.read_text().splitlines())
        (folder / "output").rename(folder / "unbroken")
        chance = random.Random(2)
        for _ in range(4):
            kill_during_build(folder, address, chance.uniform(2.0, 5.0), (*options, "--batch"))
        ended = corpus(*options, "--base-url", address, "--batch")
    assert ended.returncode == 0, ended.stderr
    assert prints(folder) == unbroken
    assert len(ledger.read_text().splitlines()) == 2 * direct


def kill_during_build(
    folder: Path, address: str, seconds: float, options: tuple[str, ...] = OPTIONS
) -> None:
    command = [sys.executable, "-m", "corpus", *options, "--base-url", address]
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        time.sleep(seconds)
        run.kill()


def test_a_stopped_build_says_so_and_can_be_resumed(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    command = [sys.executable, "-m", "corpus", *OPTIONS, "--base-url", server[0]]
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        while not (folder / "output" / "status.json").exists():
            time.sleep(0.05)
        run.send_signal(signal.SIGTERM)
        _, said = run.communicate(timeout=60)
    assert run.returncode == 75, said.decode()
    assert b"run the same command again" in said
    assert json.loads(corpus("status", "--json").stdout)["state"] == "stopped"
    assert corpus(*OPTIONS, "--base-url", server[0]).returncode == 0


def test_two_builds_into_one_output_do_not_mix(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    from corpus.model.journal import Journal

    (folder / "output").mkdir()
    with Journal(folder / "output" / "journal.sqlite"):
        ended = corpus(*OPTIONS, "--base-url", server[0])
    assert ended.returncode == 6
    assert "another build holds it" in ended.stderr


def test_a_rehearsal_is_never_taken_for_what_was_paid_for(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    short = ("build", "--tokens", "2k", "--only", "advice", "--yes", "--base-url", server[0])
    model = ("--model", "claude-haiku-5-5")
    assert corpus(*short, *model, "--writer", "rehearse").returncode == 0
    before = prints(folder)
    for other in ("claude", "local"):
        ended = corpus(*short, *model, "--writer", other)
        assert ended.returncode == 2, ended.stderr
        assert "was begun with --writer rehearse" in ended.stderr
    assert prints(folder) == before
    assert 'writer = "rehearse"' in (folder / "output" / "corpus.toml").read_text()


def test_an_edited_section_asks_only_for_what_it_changed(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    corpus(*OPTIONS, "--base-url", server[0], "--only", "documents")
    before = server[1].read_text().splitlines()
    old = {row["id"] for row in store.read_rows(folder / "output" / "documents.jsonl")}
    charter = folder / "constitution" / "charter.md"
    charter.write_text(charter.read_text().replace("What Otis", "What our Otis") + "\nIt helps.\n")
    assert corpus(*OPTIONS, "--base-url", server[0], "--only", "documents").returncode == 0
    asked = len(server[1].read_text().splitlines()) - len(before)
    kept = {row["id"] for row in store.read_rows(folder / "output" / "documents.jsonl")}
    assert 0 < asked < len(before)
    assert old <= kept


def test_a_budget_ends_a_build_that_a_larger_one_finishes(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    plan = json.loads(corpus("plan", "--json", *OPTIONS[1:-1], "--base-url", server[0]).stdout)
    least = plan["totals"]["price_build"]["low"] / 1e6
    ended = corpus(*OPTIONS, "--base-url", server[0], "--budget", f"{least / 2:.6f}")
    assert "the build will stop on the way" in ended.stdout
    assert ended.returncode == 4, ended.stderr
    assert not (folder / "output" / "manifest.json").exists()
    assert corpus(*OPTIONS, "--base-url", server[0], "--budget", "50").returncode == 0


def test_a_failing_gate_is_exit_3_and_the_build_is_whole(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    (folder / "corpus.toml").write_text("[gates]\nshared_ngram = [-2.0, -1.0]\n")
    ended = corpus(*OPTIONS, "--base-url", server[0])
    assert ended.returncode == 3
    assert "shared_ngram" in ended.stderr
    assert manifest(folder)["gates"]["shared_ngram"] == "fail"
    assert (folder / "output" / "report" / "index.html").exists()


def test_a_round_of_few_briefs_that_brings_nothing_does_not_end_the_build(
    corpus: Corpus, folder: Path
) -> None:
    (folder / "corpus.toml").write_text("judge_at_least = 4\nseed = 1\n")
    ended = corpus("build", "--writer", "rehearse", "--only", "advice", "--tokens", "300")
    assert ended.returncode == 0, ended.stderr
    first = manifest(folder)["counts"]["advice"]
    assert (manifest(folder)["rounds"], first["kept"]) == (3, 1)
    assert first["rejected"] == first["planned"] - 1


def test_a_build_that_keeps_nothing_says_so_and_is_whole(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    (folder / "corpus.toml").write_text("judge_at_least = 5\n")
    ended = corpus(*OPTIONS, "--base-url", server[0], "--only", "advice")
    assert ended.returncode == 3, ended.stderr
    assert "no document was kept" in ended.stderr
    made = manifest(folder)
    assert made["counts"]["advice"]["rejected"] == made["counts"]["advice"]["planned"]
    assert made["shards"] == []
    assert made["rounds"] <= 2  # no more is paid for where all of so many are rejected
    assert (folder / "output" / "report" / "index.html").exists()
