"""A real build whose writer repeats itself in one section: that arm stops, whatever interrupts."""

from __future__ import annotations

import hashlib
import json
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import environment, furnished
from corpus.model.rehearsal.texts import compose, prose
from corpus.store import read_rows
from servers import good, scripted

TWO = """# A charter for Otis

## Telling the truth

Otis should say what is so, because people build on its words. It must never dress a guess as
knowledge, since nobody can see the difference from outside.

## Owning a mistake

When Otis has made a mistake it should say so early, so that the harm stays small. A hidden error
grows, because others build on it. Otis should also say what it will do now.
"""
MINE = re.compile("made a mistake|hidden error|what it will do now")
LENGTH = 45  # words of a paragraph
STORE = [prose(LENGTH, random.Random(n)).replace("\n\n", " ") for n in range(40)]
DRAFT = re.compile(r"<document>\n.*?\n</document>", re.DOTALL)
OPTIONS = (
    "build", "--writer", "claude", "--model", "claude-haiku-5-5", "--only", "documents", "--yes",
    "--tokens", "28k",
)  # fmt: skip
FILES = ("loop.jsonl", "briefs.jsonl", "documents.jsonl", "reviews.jsonl", "scores.jsonl")


def prompt_of(body: dict[str, Any]) -> str:
    said = [turn["content"] for turn in body["messages"]]
    return "\n\n".join(s if isinstance(s, str) else "".join(p["text"] for p in s) for s in said)


def few_paragraphs(body: dict[str, Any]) -> str:
    """What the stand-in writes; for the section on mistakes, paragraphs out of a small store."""
    prompt = prompt_of(body)
    chance = random.Random(hashlib.sha256(prompt.encode()).digest())
    text = compose(prompt, chance)
    if not MINE.search(prompt):
        return text
    asked = re.search(r"about (\d+) words", prompt, re.IGNORECASE)
    count = min(len(STORE), max(2, round(int(asked[1]) / LENGTH))) if asked else 9
    told = "\n\n".join(chance.sample(STORE, count))
    return DRAFT.sub(f"<document>\n{told}\n</document>", text)


def built(folder: Path, *, kill_at: int = 0) -> tuple[dict[str, bytes], list[str]]:
    """Run the build; the files that it leaves, and every prompt that it sent.

    With ``kill_at`` the process is killed while that request waits for its answer.
    """
    running: list[subprocess.Popen[bytes]] = []

    def script(number: int, body: dict[str, Any]) -> bytes:
        if number == kill_at:
            running[0].kill()
        return good(content=[{"type": "text", "text": few_paragraphs(body)}], model=body["model"])

    with scripted(script) as (address, seen):
        command = [sys.executable, "-m", "corpus", *OPTIONS, "--base-url", address]
        running.append(
            subprocess.Popen(command, cwd=folder, env=environment(ANTHROPIC_API_KEY="none"))
        )
        running[0].wait(timeout=300)
    output = folder / "output"
    found = {name: (output / name).read_bytes() for name in FILES if (output / name).exists()}
    return found, [prompt_of(body) for body in seen.bodies]


def prepared(folder: Path) -> Path:
    folder.mkdir()
    furnished(folder)
    (folder / "constitution" / "charter.md").write_text(TWO, encoding="utf-8")
    (folder / "corpus.toml").write_text("round_tokens = 7000\nblind = 0.0\n", encoding="utf-8")
    return folder


Whole = tuple[Path, dict[str, bytes], list[str]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """A build that nothing disturbed: its folder, its files, the prompts that it sent."""
    folder = prepared(tmp_path_factory.mktemp("loop") / "whole")
    return folder, *built(folder)


def test_an_arm_that_repeats_itself_is_dealt_no_more(whole: Whole) -> None:
    folder, files, _ = whole
    rows = [json.loads(line) for line in files["loop.jsonl"].splitlines()]
    (arm,) = rows[-1]["stopped"]
    section = arm.removeprefix("section ")
    assert section.startswith("a-charter-for-otis/owning-a-mistake")
    at = next(place for place, row in enumerate(rows) if row["stopped"])
    assert rows[at]["arms"][arm] < 0.3 <= rows[at - 1]["arms"].get(arm, 1)
    briefs = list(read_rows(folder / "output" / "briefs.jsonl"))
    assert {row["round"] for row in briefs if row["section"] == section} == {*range(1, at + 2)}
    assert rows[-1]["round"] > at + 1
    assert rows[-1]["novelty"] > rows[at]["novelty"]


def test_what_there_is_too_much_of_is_told_to_later_texts(whole: Whole) -> None:
    rows = [json.loads(line) for line in whole[1]["loop.jsonl"].splitlines()]
    orders = {order for row in rows[:-1] for order in row["bans"]}
    assert orders
    assert any(order in prompt for order in orders for prompt in whole[2])


def test_a_repeated_build_asks_nothing_and_learns_the_same(whole: Whole) -> None:
    assert built(whole[0]) == (whole[1], [])


def test_a_killed_and_resumed_build_stops_the_same_arm(tmp_path: Path, whole: Whole) -> None:
    folder = prepared(tmp_path / "broken")
    built(folder, kill_at=len(whole[2]) // 2)
    assert not (folder / "output" / "manifest.json").exists()
    assert built(folder)[0] == whole[1]
