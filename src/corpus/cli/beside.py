"""Previews, seeds, quizzes and rewritten chats at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from corpus.cli.running import watched
from corpus.settings import Settings


def preview(given: Settings, number: int, *, show: bool, brief: str, yes: bool) -> None:
    """Write documents for reading, or print the requests that they would take."""
    from corpus.build import preview as room

    if show:
        for one, text in room.shown(given, number, brief):
            click.echo(f"# {one.stream}, {one.kind}, brief {one.id}\n\n{text}\n\n")
        return
    for page in _run(given, partial(room.preview, number=number), yes=yes, what="a preview"):
        click.echo(page)


def grow(given: Settings, number: int, *, yes: bool, as_json: bool) -> None:
    """Breed seeds and say what was kept and refused."""
    from corpus.build.beside import grow_seeds

    found = _run(given, partial(grow_seeds, number=number), yes=yes, what="new seeds")
    _tell(found, as_json, "{kept} new seeds of {asked} asked for; refused: {refused}; {file}")


def quiz(given: Settings, *, yes: bool, as_json: bool) -> None:
    """Write the quiz and say how large it is."""
    from corpus.build.beside import write_quiz

    found = _run(given, write_quiz, yes=yes, what="a quiz")
    _tell(found, as_json, "{questions} questions about {sections} sections: {file}")
    if found["note"] and not as_json:
        click.echo(found["note"])


def rewrite(given: Settings, files: tuple[Path, ...], *, yes: bool, as_json: bool) -> None:
    """Rewrite chats and say how many."""
    from corpus.build.beside import rewrite_chats

    job = partial(rewrite_chats, files=files)
    found = _run(given, job, yes=yes, what="rewritten chats")
    _tell(found, as_json, "{rewritten} chats rewritten: {file}; left as they were: {left}")


def _run(given: Settings, job: Callable[..., Any], *, yes: bool, what: str) -> Any:
    """Ask before money is spent, and do it under a display."""
    from corpus.build.authors import profile

    author = profile(given)
    line = f"{what} by {author.model}"
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    spends = author.name == "claude" and not yes and sys.stdin.isatty()
    return watched(console, line, lambda watch: job(given, watch), ask=spends)


def _tell(found: dict[str, Any], as_json: bool, text: str) -> None:
    from corpus.cli import show

    if as_json:
        show.as_json(found)
        return
    counts = {
        name: ", ".join(f"{k} {n}" for k, n in value.items()) or "none"
        for name, value in found.items()
        if isinstance(value, dict)
    }
    click.echo(text.format(**{**found, **counts}))
