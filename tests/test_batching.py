"""Batches by hand: what the command line shows of them, and what it lets a person decide."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batchserver import Provider, running
from conftest import Corpus, environment


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as found:
        found.polls = 10**9  # its batches never end
        yield found


def command(address: str) -> list[str]:
    return [
        sys.executable, "-m", "corpus", "build", "--writer", "claude", "--base-url", address,
        "--model", "claude-haiku-5-5", "--batch", "--tokens", "9k", "--yes",
    ]  # fmt: skip


def interrupted(folder: Path, provider: Provider) -> tuple[int, str]:
    """A build that was sent one SIGTERM while its first batch was under way."""
    with subprocess.Popen(
        command(provider.address), cwd=folder, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as run:  # fmt: skip
        while not provider.batches and run.poll() is None:
            time.sleep(0.05)
        time.sleep(0.5)
        run.send_signal(signal.SIGTERM)
        said, _ = run.communicate(timeout=60)
    return run.returncode, said


def listed(corpus: Corpus) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(corpus("batches", "list", "--json").stdout)
    return found


def test_a_build_that_is_stopped_detaches_and_its_batch_stays_listed(
    corpus: Corpus, folder: Path, provider: Provider
) -> None:
    code, said = interrupted(folder, provider)
    assert (code, "detached" in said) == (75, True), said
    (batch,) = listed(corpus)
    assert (batch["id"], batch["state"]) == ("msgbatch_0001", "created")
    assert batch["open"] == batch["size"] == len(provider.batches["msgbatch_0001"]["requests"])
    assert "msgbatch_0001" in corpus("batches", "list").stdout
    assert provider.cancelled == []


def test_a_batch_is_cancelled_by_its_nonce_or_its_id(
    corpus: Corpus, folder: Path, provider: Provider
) -> None:
    interrupted(folder, provider)
    for name in (listed(corpus)[0]["nonce"], "msgbatch_0001"):
        ended = corpus("batches", "cancel", name, "--yes")
        assert ended.returncode == 0, ended.stderr
        assert "collects what was answered" in ended.stdout
    assert provider.cancelled == ["msgbatch_0001"] * 2
    assert corpus("batches", "cancel", "feedbeef", "--yes").returncode == 2


def test_cancelling_a_lost_batch_looks_for_it_first(
    corpus: Corpus, folder: Path, provider: Provider
) -> None:
    provider.lose = ["after"]
    interrupted(folder, provider)
    (batch,) = listed(corpus)
    perhaps = corpus("batches", "cancel", batch["nonce"], "--yes")
    assert (perhaps.returncode, "--assume-lost" in perhaps.stderr) == (2, True), perhaps.stderr
    provider.batches["msgbatch_0001"]["polls"] = 0
    found = corpus("batches", "cancel", batch["nonce"], "--yes")
    assert "is msgbatch_0001, which has ended" in found.stdout, found.stderr
    assert listed(corpus)[0]["id"] == "msgbatch_0001"
    assert listed(corpus)[0]["ends"]


def test_a_batch_whose_answer_was_lost_is_adopted_on_the_users_word(
    corpus: Corpus, folder: Path, provider: Provider
) -> None:
    provider.lose = ["after"]
    assert interrupted(folder, provider)[0] == 75
    (batch,) = listed(corpus)
    assert (batch["id"], batch["state"]) == (None, "intent")
    refused = corpus("batches", "adopt", batch["nonce"], "msgbatch_9999")
    assert (refused.returncode, "does not know it" in refused.stderr) == (2, True)
    assert corpus("batches", "adopt", batch["nonce"], "msgbatch_0001").returncode == 0
    assert listed(corpus)[0]["id"] == "msgbatch_0001"


def test_a_damaged_journal_is_named_and_salvage_makes_it_usable(
    corpus: Corpus, folder: Path, server: tuple[str, Path]
) -> None:
    options = ("build", "--base-url", server[0], "--tokens", "2k", "--only", "advice", "--yes")
    assert corpus(*options).returncode == 0
    journal = folder / "output" / "journal.sqlite"
    whole = journal.read_bytes()
    assert b'"end_turn"' in whole
    journal.write_bytes(whole.replace(b'"end_turn"', b'"end_tern"', 1))
    broken = corpus(*options)
    assert (broken.returncode, "corpus salvage" in broken.stderr) == (74, True), broken.stderr
    assert "replies saved" in corpus("salvage", "output").stdout
    assert corpus(*options).returncode == 0
