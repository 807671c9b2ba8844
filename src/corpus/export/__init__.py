"""The shards: rows joined, split, ordered, counted and written in every format asked for.

``export`` writes the shards and says what it wrote; ``publish`` does the same and writes the
manifest last, by rename, so that its existence means that the export is whole; ``verify`` reads it
all again. Order is by config, split and a hash of seed and id, so the same rows and seed give the
same bytes. This room is the only one that decides what a reader of the corpus gets.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np

from corpus import formats, store
from corpus.errors import InputError
from corpus.export import manifest as manifests
from corpus.export.card import card
from corpus.export.gather import apart, rows_of_build, rows_of_files
from corpus.export.split import SHARE, place, split
from corpus.export.verify import verify
from corpus.formats import Row
from corpus.records import STREAMS, Shard
from corpus.tokens import Tokenizer

__all__ = ["Exported", "Options", "export", "publish", "rows_of_build", "rows_of_files", "verify"]

SHARD_TOKENS = 100_000_000
MARKER = ".corpus-export"
MARKED = "Written by corpus export. The next one replaces the shards and README.md in this folder.\n"
OURS = re.compile(r"(train|validation)-\d{5}-of-\d{5}\.[\w.]+|\..+\.\d+\.tmp")


class Options(TypedDict, total=False):
    """What ``export`` may be told; see there."""

    formats: Sequence[str]
    tokenizer: Tokenizer
    shard_tokens: int
    seed: int
    share: float
    facts: Mapping[str, Any]
    allow_demo: bool


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: shards by format, and figures that do not depend on the format.

    ``splits`` maps config to split to ``documents``, ``tokens`` (ids in the shards, one boundary
    token per document included) and ``text_tokens`` (without them).
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
        """The manifest's fields, the shards' files relative to ``base``, where it will stand."""
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
                {"format": name, **shard.row(), "file": (below / name / shard.file).as_posix()}
                for name, shards in self.shards.items()
                for shard in shards
            ],
        }


def export(
    rows: Sequence[Row],
    folder: Path,
    *,
    tokenizer: Tokenizer,
    formats: Sequence[str] = ("parquet",),  # the word of the command line
    shard_tokens: int = SHARD_TOKENS,
    seed: int = 0,
    share: float = SHARE,
    facts: Mapping[str, Any] | None = None,
    allow_demo: bool = False,
) -> Exported:
    """Write ``rows`` to ``folder/<format>/`` for each format; no manifest.

    ``share`` is the part of the tokens to hold out for validation, ``facts`` what the card tells
    beyond the counts (see ``card``). Whole files appear by rename; shards of an earlier export that
    are no longer part of it are removed.

    Raises:
        InputError: there are no rows, an unknown format, demo text without ``allow_demo``, or a
            folder that holds files of another origin.
        DiskError: the disk cannot be written.
    """
    modules = {name: named(name) for name in dict.fromkeys(formats)}
    demo = check(rows, shard_tokens, allow_demo=allow_demo)
    for name in modules:
        claim(folder / name)
    ready = arranged(encoded(apart(rows), tokenizer), seed, share)
    ordered, way = ready
    splits = counted(ordered, tokenizer)
    shards: dict[str, tuple[Shard, ...]] = {}
    for name, module in modules.items():
        below = folder / name
        shards[name] = tuple(
            module.write(ordered, below, shard_tokens=shard_tokens, tokenizer=tokenizer)
        )
        clear(below, {shard.file for shard in shards[name]})
        if module.CARD:
            text = card(
                splits,
                suffix=module.SUFFIX,
                label=tokenizer.label,
                demo=demo,
                facts=facts or {},
            )
            store.write_text(below / "README.md", text)
    texts, ids = digests(ordered)
    return Exported(
        folder=folder,
        shards=shards,
        splits=splits,
        split_by=way,
        tokenizer=tokenizer.row(),
        seed=seed,
        shard_tokens=shard_tokens,
        text_sha256=texts,
        tokens_sha256=ids,
    )
