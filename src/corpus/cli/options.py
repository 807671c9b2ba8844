"""The options that commands share, and the settings that they come to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from corpus.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])


def inputs(command: F) -> F:
    """The options of every command that reads a constitution; not each uses all of them."""
    options = [
        click.option("--constitution", metavar="DIR|FILE", help="Default: constitution/"),
        click.option("--seeds", metavar="DIR", help="Story seeds. Default: story_seeds/"),
        click.option("-o", "--output", metavar="DIR", help="Default: output/"),
        click.option("--config", metavar="FILE", help="Default: corpus.toml if there is one."),
        click.option("--kinds", metavar="DIR|FILE", help="More document kinds, or your own ones."),
        click.option("--headings", type=click.Choice(["markdown", "infer"]),
                     help="How sections are found; 'infer' for text with bare-line titles."),
        click.option("--tokens", metavar="N", help="Kept tokens to aim for: 200k, 3M."),
        click.option("--mix", metavar="SHARES", help="documents=5,stories=3,advice=2"),
        click.option("--only", metavar="STREAM", help="One stream alone."),
        click.option("--languages", metavar="SHARES", help="English=8,German=1,Japanese=1"),
        click.option("--without", multiple=True, metavar="PART",
                     help="Ablation: rewrite, reasons, constitution or stories. Repeatable."),
        click.option("--held-out", multiple=True, metavar="FILE",
                     help="Your evaluation prompts: no document will hold one. Repeatable."),
        click.option("--guard", type=click.Choice(["report", "drop", "allow"]),
                     help="Texts shaped like known evaluations. Default: drop"),
        click.option("--seed", type=int, metavar="N", help="Seed of the decks. Default: 0"),
        click.option("--writer", type=click.Choice(["claude", "local", "rehearse"]),
                     help="Default: claude when a key or base URL is set, else local."),
        click.option("--model", metavar="NAME", help="The model that writes."),
        click.option("--base-url", metavar="URL", help="Any server of the Messages API."),
        click.option("--budget", type=float, metavar="USD", help="Never spend more than this."),
        click.option("--batch/--no-batch", default=None,
                     help="Message Batches. Default: from 200 pending requests on."),
        click.option("--concurrency", metavar="N|auto", help="Calls at a time."),
        click.option("--tokenizer", metavar="NAME|PATH", help="Counts tokens. Default: gpt2"),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def deduping(command: F) -> F:
    """The options of ``dedup`` beside its files."""
    file = click.Path(path_type=Path)
    options = [
        click.option("--threshold", type=click.FloatRange(0, 1, min_open=True), default=0.7,
                     show_default=True,
                     help="Jaccard similarity from which on two texts are copies."),
        click.option("--mask-names/--no-mask-names", default=True,
                     help="Also find copies with other names in them."),
        click.option("--ner", metavar="PIPELINE",
                     help="A spaCy pipeline of yours that finds more names to mask."),
        click.option("--exact", is_flag=True,
                     help="Find every pair there is: slower, and all in memory."),
        click.option("--against", multiple=True, type=file, metavar="FILE",
                     help="JSON Lines or Parquet that the result must not repeat. Repeatable."),
        click.option("--index", type=file, metavar="DIR",
                     help="Drop what this index holds, add what stays; made where there is none."),
        click.option("--likeness", type=click.IntRange(0), default=0, metavar="N",
                     help="Tell the N nearest pairs of what stays in likeness.jsonl."),
        click.option("--embeddings", type=file, metavar="FILE",
                     help="Vectors of yours (.npy) for --likeness, in place of weighted words."),
        click.option("--embedding-ids", type=file, metavar="FILE",
                     help="JSON Lines with the ids of those vectors, row by row."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def exports(command: F) -> F:
    """The options of ``export``."""
    options = [
        click.option("--format", "formats", multiple=True, metavar="NAME", help="Repeatable."),
        click.option("--tokenizer", metavar="NAME|PATH",
                     help="gpt2, a tokenizer.json, tiktoken ranks, tokenizer.model, or a folder."),
        click.option("--shard-tokens", type=click.IntRange(1), metavar="N",
                     help="Tokens per shard."),
        click.option("--match-tokens", type=click.IntRange(1), metavar="N",
                     help="Leave documents out until N tokens are left (to 0.5 %)."),
        click.option("--config-by", metavar="FIELD",
                     help="Of FILEs: the field that names a row's config. Default: all in one."),
        click.option("--mix", metavar="WEIGHTS",
                     help="Shares of tokens in training, by config: documents=5,stories=3."),
        click.option("--epochs", metavar="N|LIST",
                     help="How often documents are read at most: 2, or documents=2,stories=1.5."),
        click.option("--held-out-sections", "held_out", multiple=True, metavar="LIST",
                     help="Sections for testing alone, in a split of their own; * stands for any."),
        click.option("--seq-len", type=click.IntRange(2, 2**31 - 1), metavar="N",
                     help="Tell what each trainer drops at sequences of N tokens."),
        click.option("--verify-tokens", type=click.Choice(["sample", "full"]), default="sample",
                     show_default=True,
                     help="Which ids of a quick engine are compared with the reference's."),
        click.option("--quick/--no-quick", default=True,
                     help="Use the quick engine of the extra 'fast' where it is installed."),
        click.option("--workers", type=click.IntRange(0), default=0, metavar="N",
                     help="Threads of the tokenizer. Default: its own choice."),
        click.option("--compress", type=click.Choice(["gzip", "zstd"]), help="Of jsonl."),
        click.option("--chat", type=click.Choice(["openai", "anthropic"]), default="openai",
                     show_default=True, help="Where a chat's system prompt stands."),
        click.option("--mask-roles", metavar="LIST",
                     help="Turns of chats that carry no loss where ids have masks: system,user."),
        click.option("-o", "--output", metavar="DIR", help="Where shards of FILEs go."),
        click.option("--replace", is_flag=True, help="Write over another export in DIR."),
        click.option("--seed", type=int, metavar="N", help="Seed of order and split. Default: 0"),
        click.option("--license", "--licence", "license", metavar="NAME",
                     help="The licence that the dataset card names."),
        click.option("--croissant", is_flag=True, help="A croissant.json beside each card."),
        click.option("--allow-demo", is_flag=True, help="Export documents of the demo writer."),
        click.option("--verify", is_flag=True,
                     help="Read every shard again and compare; write nothing."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def settings_of(flags: dict[str, Any]) -> Any:
    """The settings that a configuration file and the flags over it come to."""
    from corpus import settings

    config = flags.pop("config", None)
    path = Path(config) if config else Path("corpus.toml")
    found = settings.load(path if config or path.exists() else None)
    if (mix := flags.pop("mix", None)) is not None:
        flags["mix"] = settings.mix(mix)
    if (languages := flags.pop("languages", None)) is not None:
        flags["languages"] = settings.shares("--languages", languages)
    for name in ("without", "held_out"):
        flags[name] = flags.pop(name, None) or None
    if (only := flags.pop("only", None)) is not None:
        if "mix" in flags:
            raise InputError("--only and --mix: one says what the other denies; give one of them")
        flags["mix"] = {only: 1.0}
    concurrency = flags.get("concurrency")
    if concurrency not in {None, "auto"}:
        if not (concurrency.isascii() and concurrency.isdigit()):
            raise InputError(f"--concurrency {concurrency!r}: a number, or 'auto'")
        flags["concurrency"] = int(concurrency)
    return found.with_flags(flags)
