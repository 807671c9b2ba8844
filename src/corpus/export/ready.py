"""An export that is settled and not yet written: read once, tokenized, split, planned, checked.

Whatever is refused is refused before this stands, so nothing on disk was touched by then.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from corpus import store
from corpus.errors import InputError
from corpus.export.arrange import Arranged, Choice, arranged
from corpus.export.card import About, card
from corpus.export.count import Digests
from corpus.export.croissant import croissant
from corpus.export.dropped import dropped
from corpus.export.folder import MADE, claim, clear, refuse_foreign
from corpus.export.gather import Placed
from corpus.export.index import DEMO, Index
from corpus.export.tokenized import TokenFile, refuse_twins, taken
from corpus.formats import Format, Layout, Part, Row, check, named, plan, write
from corpus.records import Shard, digest
from corpus.tokens import Tokenizer
from corpus.tokens.encoder import Disagreed, Encoder

MANY = 50_000  # documents: a large export gives the memory of its engine back
SHARD_TOKENS = 100_000_000  # some 400 MB of English text


@dataclass(frozen=True, slots=True)
class Options:
    """How to export.

    Args:
        tokenizer: what counts and, for formats of ids, what cuts.
        formats: their names; every one gets a folder of its own.
        shard_tokens: the budget of a shard, boundary tokens included.
        seed: of order and splits.
        choice: which rows ship, where and how often.
        facts: what the card tells beyond counts (see ``card``).
        allow_demo: export the demo writer's text.
        quick: use the quick tokenizer engine where it is installed and agrees.
        verify_tokens: compare a sample of its ids with the reference's, or all.
        workers: threads of the reference; 0 leaves it to the library.
        compress, chat: see ``Layout``.
        seq_len: the length of a training sequence, to say what each trainer would drop.
        croissant: write a ``croissant.json`` beside each card.
        mask_roles: the turns of chats that carry no loss, by their roles.
    """

    tokenizer: Tokenizer
    formats: Sequence[str] = ("parquet",)
    shard_tokens: int = SHARD_TOKENS
    seed: int = 0
    choice: Choice = field(default_factory=Choice)
    facts: Mapping[str, Any] = field(default_factory=dict)
    allow_demo: bool = False
    quick: bool = True
    verify_tokens: Literal["sample", "full"] = "sample"
    workers: int = 0
    compress: Literal["", "gzip", "zstd"] = ""
    chat: Literal["openai", "anthropic"] = "openai"
    seq_len: int | None = None
    croissant: bool = False
    mask_roles: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: shards by format, and figures that do not depend on the format.

    ``splits`` maps config to split to ``documents``, ``tokens`` (ids, one boundary token per
    document included) and ``text_tokens`` (without them); ``more`` holds the manifest's other
    fields.
    """

    folder: Path
    shards: dict[str, tuple[Shard, ...]]
    splits: dict[str, dict[str, dict[str, int]]]
    text_sha256: str
    tokens_sha256: str
    rest_sha256: str
    more: dict[str, Any]

    def row(self, base: Path) -> dict[str, Any]:
        """The manifest's fields, files relative to ``base``, the folder that it will stand in."""
        below = self.folder.resolve().relative_to(base.resolve())
        return {
            **self.more,
            "splits": self.splits,
            "text_sha256": self.text_sha256,
            "tokens_sha256": self.tokens_sha256,
            "rest_sha256": self.rest_sha256,
            "shards": [
                {"format": name, **shard.below(below / name).row()}
                for name, shards in self.shards.items()
                for shard in shards
            ],
        }


@dataclass(frozen=True, slots=True)
class Ready:
    """What ``prepared`` settled; see there."""

    rows: Sequence[Row]
    folder: Path
    options: Options
    modules: dict[str, Format]
    arranged: Arranged
    parts: list[Part]
    ids: TokenFile
    encoder: Encoder

    @property
    def splits(self) -> dict[str, dict[str, dict[str, int]]]:
        """Documents and tokens by config and split."""
        return self.arranged.counts(len(self.options.tokenizer.boundary))

    def stream(self, digests: Digests) -> Iterator[Row]:
        """The rows in export order with all that is known of them; each goes into ``digests``."""
        for number, config, split, epoch in self.arranged.about():
            row = self.rows[number]
            about: dict[str, Any] = {"config": config, "split": split}
            if epoch:
                about["metadata"] = row.metadata | {"epoch": epoch + 1}
            ids, loss = self.ids.get(number)
            row = dataclasses.replace(row, ids=ids, loss=loss, **about)
            digests.add(row)
            yield row
        if isinstance(self.rows, Placed):
            self.rows.check_unchanged()

    def digests(self) -> Digests:
        """The digests of what would be written."""
        found = Digests()
        for _ in self.stream(found):
            pass
        return found

    def write(self) -> Exported:
        """Write the shards and their cards; no manifest.

        Files appear whole, by rename; shards of an earlier export that are not part of this one
        are removed.

        Raises:
            InputError: the input was changed meanwhile.
            DiskError: the disk cannot be written.
        """
        for name in self.modules:
            claim(self.folder / name)
        digests = Digests()
        layout = layout_of(self.options)
        shards = write(self.stream(digests), self.parts, self.folder, self.modules, layout)
        made = Exported(
            folder=self.folder,
            shards=shards,
            splits=self.splits,
            text_sha256=digests.text,
            tokens_sha256=digests.tokens,
            rest_sha256=digests.rest,
            more=self.fields(),
        )
        for name, module in self.modules.items():
            keep = {file for shard in shards[name] for file in shard.files}
            clear(self.folder / name, keep)
            if module.TRAITS.card:
                self.describe(name, made)
        return made

    def fields(self) -> dict[str, Any]:
        """What the manifest says beside counts, digests and shards."""
        options, choice = self.options, self.options.choice
        fields: dict[str, Any] = {
            "tokenizer": options.tokenizer.row(),
            "encoder": {
                "engine": self.encoder.engine,
                "compared": self.encoder.tally.compared,
                "literal": self.encoder.tally.literal,
            },
            "seed": options.seed,
            "shard_tokens": options.shard_tokens,
            "split_by": self.arranged.way,
            "sections": self.arranged.sections(),
        }
        if choice.held_out:
            fields["held_out_sections"] = list(choice.held_out)
        if self.arranged.mixture:
            fields["mixture"] = self.arranged.mixture
        if options.mask_roles:
            fields["mask_roles"] = list(options.mask_roles)
        if options.seq_len:
            fields["seq_len"] = options.seq_len
            fields["dropped"] = dropped(self.arranged, self.parts, self.modules, options.seq_len)
        return fields

    def describe(self, name: str, made: Exported) -> None:
        """Write the card of one format, and its Croissant description if that was asked for."""
        options = self.options
        about = About(
            splits=made.splits,
            suffix=first(made.shards[name]).partition(".")[2],
            label=options.tokenizer.label,
            files={one: first(shards) for one, shards in made.shards.items()},
            mark=digest([shard.sha256 for shard in made.shards[name]]),
            chats=frozenset(part.config for part in self.parts if part.chat),
            facts=options.facts,
            fields=made.more,
            demo=bool(self.arranged.index.first_demo),
        )
        store.write_text(self.folder / name / MADE[0], card(about))
        path = self.folder / name / MADE[1]
        if options.croissant:
            store.write_json(path, croissant(about, name, made.shards[name]))
        else:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def prepared(rows: Sequence[Row], folder: Path, options: Options) -> Iterator[Ready]:
    """Read ``rows`` through and settle everything about them, to be written to ``folder``.

    Raises:
        InputError: no rows, a row that cannot be exported, a format that is unknown or cannot hold
            them, demo text without ``allow_demo``, or a folder with files of another origin.
        DiskError: the disk cannot be written.
    """
    if options.shard_tokens < 1:
        raise InputError(f"--shard-tokens must be at least 1, got {options.shard_tokens}")
    modules = {name: named(name) for name in options.formats}
    for name in modules:
        refuse_foreign(folder / name)
    ids = TokenFile(folder, options.tokenizer.vocab_size)
    index = Index(options.seed, options.choice.held_out, folder)
    try:
        encoder = read_through(rows, index, ids, options)
        refuse_demo(index, options)
        settled = arranged(index, options.choice)
        parts = plan(settled.outlines(), options.shard_tokens)
        check(modules, parts, layout_of(options))
        yield Ready(rows, folder, options, modules, settled, parts, ids, encoder)
    finally:
        index.close()
        ids.close()
        if isinstance(rows, Placed):
            rows.close()


def read_through(rows: Sequence[Row], index: Index, ids: TokenFile, options: Options) -> Encoder:
    """Read all rows into ``index`` and ``ids``; again by the reference if engines disagree."""
    full = options.verify_tokens == "full"
    shaped = any(named(name).TRAITS.card for name in options.formats)  # the others have one shape
    chat = options.chat if shaped else "openai"
    encoder = Encoder(options.tokenizer, quick=options.quick, full=full, workers=options.workers)
    try:
        taken(rows, index, ids, encoder, options.mask_roles, chat)
    except Disagreed:
        remark = f" ({encoder.engine.partition(' ')[0]} disagreed on a document)"
        index.clear()
        ids.clear()
        encoder = Encoder(options.tokenizer, quick=False, workers=options.workers)
        encoder.engine += remark
        taken(rows, index, ids, encoder, options.mask_roles, chat)
    if not len(index):
        raise InputError("nothing to export: no document is left; see the report for the reasons")
    if len(index) > MANY:
        encoder.release()
    refuse_twins(rows, index)
    index.part_chats()
    return encoder


def first(shards: Sequence[Shard]) -> str:
    """The first shard for training, else the first one."""
    return next((shard.file for shard in shards if shard.split == "train"), shards[0].file)


def refuse_demo(index: Index, options: Options) -> None:
    """Refuse the demo writer's text, unless it is allowed."""
    demo = int(index.has(DEMO).sum())
    if demo and not options.allow_demo:
        raise InputError(
            f"{demo} of {len(index)} documents (first: '{index.first_demo}') are demo text, "
            f"written by a very small model that would poison training; pass --allow-demo to "
            f"export them"
        )


def layout_of(options: Options) -> Layout:
    """The layout of the shards."""
    return Layout(options.tokenizer, compress=options.compress, chat=options.chat)
