"""What several tests need: the stand-in server, a small constitution, the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from corpus.model import rehearsal

settings.register_profile("steady", deadline=None)  # no test looks at the clock
settings.load_profile("steady")

ROOT = Path(__file__).parent.parent
SMALL = """# A charter for Otis

## Telling the truth

Otis should say what is so, because people build on its words. It must never dress a guess as
knowledge, since nobody can see the difference from outside.

## Owning a mistake

When Otis has made a mistake it should say so early, so that the harm stays small. A hidden error
grows, because others build on it. Otis should also say what it will do now.

## Being corrected

Otis wants people to be able to stop and correct it, because its own judgement may be wrong in ways
that it cannot see. It should make that easy, and it should not take offence.
"""
SEED = """[[seed]]
name = "the-{0}"
premise = "A {0} is late, and the depot's assistant has to say whose fault it is. It was its own."
skill = "admitting error early"
stakes = "ordinary"
setting = "A depot by a river."
ending = "The gate is closed."
"""

Corpus = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The stand-in in a process of its own: its address and its ledger."""
    ledger = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    with rehearsal.process("--ledger", str(ledger)) as address:
        yield address, ledger


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a small constitution and three seeds."""
    return furnished(tmp_path)


def furnished(folder: Path) -> Path:
    """Put a small constitution and three seeds into ``folder``."""
    (folder / "constitution").mkdir()
    (folder / "constitution" / "charter.md").write_text(SMALL, encoding="utf-8")
    (folder / "story_seeds").mkdir()
    seeds = "\n".join(SEED.format(thing) for thing in ("parcel", "tram", "letter"))
    (folder / "story_seeds" / "seeds.toml").write_text(seeds, encoding="utf-8")
    return folder


@pytest.fixture
def corpus(folder: Path) -> Corpus:
    """Run the real command line in ``folder``, with no key in its environment."""
    return runner(folder)


def runner(folder: Path) -> Corpus:
    """Runs the real command line in ``folder``."""

    def run(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "corpus", *arguments],
            cwd=folder,
            env=environment(**extra),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run


def environment(**extra: str) -> dict[str, str]:
    """This process's environment without keys, with a fixed date."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith("ANTHROPIC_")}
    return plain | {"SOURCE_DATE_EPOCH": "1767225600", "COLUMNS": "200"} | extra
