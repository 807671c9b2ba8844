"""The shards: rows joined, split, ordered, counted and written in every format asked for.

``export`` writes the shards and says what it wrote; ``publish`` also writes the manifest, last and
by rename, so that its existence means that the export is whole; ``verify`` reads it all again.
Order is by config, split and a hash of seed and id, so the same rows and seed give the same bytes.
This room decides what a reader of the corpus gets.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Required, TypedDict, Unpack

from corpus import store
from corpus.errors import InputError
from corpus.export import manifest as manifests
from corpus.export.card import card
from corpus.export.count import Digests, counted, encoded
from corpus.export.folder import claim, clear
from corpus.export.gather import apart, rows_of_build, rows_of_files
from corpus.export.match import matched
from corpus.export.split import SHARE, place, split
from corpus.export.verify import verify
from corpus.formats import Layout, Outline, Row, check, named, plan, write
from corpus.records import STREAMS, Shard, canonical
from corpus.tokens import Tokenizer

__all__ = [
    "SHARD_TOKENS",
    "Exported",
    "Options",
    "export",
    "publish",
    "rows_of_build",
    "rows_of_files",
    "verify",
]

SHARD_TOKENS = 100_000_000  # some 400 MB of English text


class Options(TypedDict, total=False):
    """What ``export`` may be told; see there."""

    tokenizer: Required[Tokenizer]
    formats: Sequence[str]
    shard_tokens: int
    seed: int
    share: float
    facts: Mapping[str, Any]
    allow_demo: bool
    match_tokens: int | None


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: shards by format, and figures that do not depend on the format.

    ``splits`` maps config to split to ``documents``, ``tokens`` (ids, one boundary token per
    document included) and ``text_tokens`` (without them); ``split_by`` says what was kept together.
    """

    folder: Path
    shards: dict[str, tuple[Shard, ...]]
    splits: dict[str, dict[str, dict[str, int]]]
    split_by: str
    tokenizer: dict[str, Any]
    seed: int
    shard_tokens: int
    text_sha256: str
    tokens_sha256: str

    def row(self, base: Path) -> dict[str, Any]:
        """The manifest's fields, files relative to ``base``, the folder that it will stand in."""
        below = self.folder.resolve().relative_to(base.resolve())
        return {
            "tokenizer": self.tokenizer,
            "seed": self.seed,
            "shard_tokens": self.shard_tokens,
            "split_by": self.split_by,
            "splits": self.splits,
            "text_sha256": self.text_sha256,
            "tokens_sha256": self.tokens_sha256,
            "shards": [
                {"format": name, **shard.below(below / name).row()}
                for name, shards in self.shards.items()
                for shard in shards
            ],
        }


def export(
    rows: Sequence[Row],
    folder: Path,
    *,
    tokenizer: Tokenizer,
    formats: Sequence[str] = ("parquet",),
    shard_tokens: int = SHARD_TOKENS,
    seed: int = 0,
    share: float = SHARE,
    facts: Mapping[str, Any] | None = None,
    allow_demo: bool = False,
    match_tokens: int | None = None,
) -> Exported:
    """Write ``rows`` to ``folder/<format>/`` for each of ``formats``; no manifest.

    ``share`` is the part of the tokens to hold out for validation, ``facts`` what the card tells
    beyond counts (see ``card``); ``match_tokens`` leaves documents out until so many tokens are
    left. Files appear whole, by rename; shards of an earlier export that
    are not part of this one are removed.

    Raises:
        InputError: no rows, a format that is unknown, demo text without ``allow_demo``, or a
            folder that holds files of another origin.
        DiskError: the disk cannot be written.
    """
    demo = checked(rows, shard_tokens, allow_demo=allow_demo)
    modules = {name: named(name) for name in formats}
    layout = Layout(tokenizer)
    coded = list(encoded(apart(rows), tokenizer))
    if match_tokens is not None:
        coded = matched(coded, match_tokens, seed)
    ordered, way = arranged(coded, seed, share)
    digests = Digests()
    for row in ordered:
        digests.add(row)
    splits = counted(ordered, tokenizer)
    parts = plan(map(Outline.of, ordered), shard_tokens)
    check(modules, parts, layout)
    for name in modules:
        claim(folder / name)
    shards = write(ordered, parts, folder, modules, layout)
    for name, module in modules.items():
        below = folder / name
        clear(below, {file for shard in shards[name] for file in shard.files})
        if module.TRAITS.card:
            text = card(splits, module.TRAITS.suffix, tokenizer.label, facts or {}, demo=demo)
            store.write_text(below / "README.md", text)
    return Exported(
        folder=folder,
        shards=shards,
        splits=splits,
        split_by=way,
        tokenizer=tokenizer.row(),
        seed=seed,
        shard_tokens=shard_tokens,
        text_sha256=digests.text,
        tokens_sha256=digests.tokens,
    )


def publish(
    rows: Sequence[Row], folder: Path, *, build: Path | None = None, **options: Unpack[Options]
) -> dict[str, Any]:
    """Export ``rows`` to ``folder`` and write the manifest, which is returned.

    The manifest is ``folder``'s own, or that of the ``build`` whose shards these are; a build's
    keeps what else it says. Formats of an earlier export stay listed if they hold the same rows; if
    not, their shards are removed, since nothing vouches for them any more.

    Raises:
        InputError, DiskError: as ``export``, or the manifest that is there is not one of ours.
    """
    base = build or folder
    path = base / manifests.NAME
    previous = manifests.current(path)
    facts = options.get("facts") or {}
    with manifests.unsealed(path):
        fields = export(rows, folder, **options).row(base)
        others = manifests.others(previous, fields)
        if manifests.same_rows(previous, fields):
            fields["shards"] += others
        else:
            for name in {shard["format"] for shard in others}:
                clear(folder / name, ())
        made = (previous if build else manifests.head() | dict(facts)) | fields
        store.write_json(path, made)
    return made


def checked(rows: Sequence[Row], shard_tokens: int, *, allow_demo: bool) -> bool:
    """Whether there is demo text among the rows, after refusing what must not be exported."""
    if not rows:
        raise InputError("nothing to export: no document is left; see the report for the reasons")
    if shard_tokens < 1:
        raise InputError(f"--shard-tokens must be at least 1, got {shard_tokens}")
    demo = [row.id for row in rows if row.metadata.get("quality") == "demo"]
    if demo and not allow_demo:
        raise InputError(
            f"{len(demo)} of {len(rows)} documents (first: '{demo[0]}') are demo text, written by "
            f"a very small model that would poison training; pass --allow-demo to export them"
        )
    for row in rows:
        try:
            canonical([row.id, row.text, row.messages, row.tools, row.metadata])
        except UnicodeEncodeError as error:
            raise InputError(f"document {row.id!r} holds what UTF-8 cannot ({error})") from error
    return bool(demo)


def arranged(rows: Sequence[Row], seed: int, share: float) -> tuple[list[Row], str]:
    """The rows in export order, each with its split, and what the splits keep together."""
    held, way = split(rows, seed=seed, share=share)
    sides = [
        dataclasses.replace(row, split="validation" if row.id in held else "train") for row in rows
    ]
    return sorted(sides, key=lambda row: (*rank(row.config), row.split, place(row, seed))), way


def rank(config: str) -> tuple[int, str]:
    """Streams in their own order, other configs after them by name."""
    known: tuple[str, ...] = STREAMS
    return (known.index(config) if config in known else len(known), config)
