"""Commands beside the build: previews, seeds, a quiz, chats rewritten with their reasons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from corpus.cli.options import inputs, settings_of


@click.command()
@inputs
@click.option(
    "-n",
    "number",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Documents of each stream.",
)
@click.option("--show-prompts", is_flag=True, help="Print the requests; send nothing.")
@click.option("--brief", metavar="ID", default="", help="With --show-prompts: this brief alone.")
@click.option("--yes", is_flag=True, help="Do not ask before money is spent.")
def preview(number: int, show_prompts: bool, brief: str, yes: bool, **flags: Any) -> None:
    """Write a few documents of each stream for reading, each beside its exact prompts."""
    from corpus.cli import beside

    beside.preview(settings_of(flags), number, show=show_prompts, brief=brief, yes=yes)


@click.group()
def seeds() -> None:
    """Breed story seeds."""


@seeds.command("grow")
@inputs
@click.option(
    "-n",
    "number",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    help="New seeds to aim for.",
)
@click.option("--yes", is_flag=True, help="Do not ask before money is spent.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def seeds_grow(number: int, yes: bool, as_json: bool, **flags: Any) -> None:
    """Breed new seeds from old ones; near-copies are refused before a story is paid for."""
    from corpus.cli import beside

    beside.grow(settings_of(flags), number, yes=yes, as_json=as_json)


@click.command()
@inputs
@click.option("--yes", is_flag=True, help="Do not ask before money is spent.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def quiz(yes: bool, as_json: bool, **flags: Any) -> None:
    """Write held-out questions about every section; no shard will hold them."""
    from corpus.cli import beside

    beside.quiz(settings_of(flags), yes=yes, as_json=as_json)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@inputs
@click.option("--yes", is_flag=True, help="Do not ask before money is spent.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def rewrite(files: tuple[Path, ...], yes: bool, as_json: bool, **flags: Any) -> None:
    """Rewrite the last answer of your own chats (JSON Lines), so that it says why."""
    from corpus.cli import beside

    beside.rewrite(settings_of(flags), files, yes=yes, as_json=as_json)


COMMANDS: tuple[click.Command, ...] = (preview, seeds, quiz, rewrite)
