"""Reading an export back: every byte, document and token that its manifest promises."""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from corpus import formats
from corpus.errors import InputError
from corpus.export import manifest
from corpus.export.count import Digests
from corpus.export.folder import MADE, strays
from corpus.formats import Row
from corpus.tokens import Tokenizer, batches, load
from corpus.tokens.encoder import Disagreed, Encoder

FIELDS = ("format", "file", "config", "split", "bytes", "documents", "tokens", "sha256")


def verify(
    folder: Path,
    tokenizer: Tokenizer | None = None,
    *,
    full: bool = False,
    told: Mapping[str, Any] | None = None,
) -> list[str]:
    """The problems of the export whose ``manifest.json`` is in ``folder``; none if it is whole.

    Every shard is hashed, read and tokenized again, by the tokenizer that the manifest names unless
    one is given; ``full`` has every text tokenized by the reference, not by a quick engine.
    ``told`` is the manifest, if it was read already.
    """
    try:
        told = told or manifest.read(folder / manifest.NAME)
        counter = tokenizer or load(told["tokenizer"]["name"])
        by_format: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for shard in told["shards"]:
            by_format[shard["format"]].append({name: shard[name] for name in FIELDS} | shard)
        problems = list(wrong_tokenizer(told["tokenizer"], counter))
        for name, shards in by_format.items():
            problems += of_format(folder, name, shards, told, Encoder(counter, quick=not full))
    except Disagreed:
        return verify(folder, tokenizer, full=True, told=told)
    except KeyError as error:
        return [f"{folder / manifest.NAME}: the field {error} is missing"]
    except InputError as error:
        return [str(error)]
    return problems if by_format else [f"{folder / manifest.NAME}: lists no shards"]


def wrong_tokenizer(told: Mapping[str, Any], tokenizer: Tokenizer) -> Iterator[str]:
    """Yield a problem if ``tokenizer`` is not the one that was recorded."""
    if told["sha256"] != tokenizer.sha256:
        yield (
            f"tokenizer '{tokenizer.name}' has sha256 {tokenizer.sha256[:16]}, but the export was "
            f"made with {told['sha256'][:16]}; pass that one with --tokenizer"
        )


def of_format(
    folder: Path,
    name: str,
    shards: Sequence[dict[str, Any]],
    told: Mapping[str, Any],
    encoder: Encoder,
) -> Iterator[str]:
    """Yield the problems of one format's shards, then of their sum."""
    digests = Digests()
    counts: dict[str, dict[str, dict[str, int]]] = {}
    whole = True
    for shard in shards:
        if problems := damage(folder, shard):
            whole = False
            yield from problems
            continue
        tally = Tally(encoder.tokenizer)
        try:
            for row in read(folder / shard["file"], shard, encoder):
                digests.add(row)
                tally.add(row)
        except InputError as error:
            whole = False
            yield str(error)
            continue
        yield from tally.wrong(shard)
        tally.into(counts.setdefault(shard["config"], {}).setdefault(shard["split"], {}))
    yield from unlisted(folder, name, shards)
    if whole:
        sums: dict[str, Any] = {"tokens_sha256": digests.tokens, "splits": counts}
        if formats.named(name).TRAITS.text:
            sums["text_sha256"] = digests.text
            if "rest_sha256" in told:  # not in those of earlier versions
                sums["rest_sha256"] = digests.rest
        for field, value in sums.items():
            if told[field] != value:
                yield f"{name}: {field} is {value}, the manifest says {told[field]}"


class Tally:
    """What is counted in one shard: documents, tokens, ends of documents."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._end = tokenizer.eos_id
        self._boundary = len(tokenizer.boundary)
        self.documents = self.tokens = self.ends = 0

    def add(self, row: Row) -> None:
        """Take in one row with its ids."""
        self.documents += 1
        self.tokens += len(row.ids)
        if self._end is not None:
            self.ends += int((row.ids == self._end).sum())

    def wrong(self, shard: Mapping[str, Any]) -> Iterator[str]:
        """Yield where a shard's counts are not those of its rows."""
        for field, value in (("documents", self.documents), ("tokens", self.tokens)):
            if shard[field] != value:
                yield f"{shard['file']}: holds {value} {field}, the manifest says {shard[field]}"
        if self._end is not None and self.ends != self.documents:
            yield f"{shard['file']}: {self.ends} end-of-text tokens for {self.documents} documents"

    def into(self, count: dict[str, int]) -> None:
        """Add this shard to what its config and split hold."""
        text = self.tokens - self._boundary * self.documents
        for field, value in (
            ("documents", self.documents), ("tokens", self.tokens), ("text_tokens", text),
        ):  # fmt: skip
            count[field] = count.get(field, 0) + value


def damage(folder: Path, shard: Mapping[str, Any]) -> list[str]:
    """What is wrong with the bytes of a shard's files."""
    return [
        problem
        for file in (shard, *shard.get("beside", ()))
        for problem in damaged(folder / file["file"], file)
    ]


def damaged(path: Path, shard: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the bytes of a shard's file."""
    if not path.is_file():
        yield f"{path}: missing"
    elif path.stat().st_size != shard["bytes"]:
        yield f"{path}: {path.stat().st_size} bytes, the manifest says {shard['bytes']}"
    elif formats.sha256(path) != shard["sha256"]:
        yield f"{path}: its sha256 is not the manifest's; the file was changed"


def read(path: Path, shard: Mapping[str, Any], encoder: Encoder) -> Iterator[Row]:
    """Yield the rows of a shard with their ids: those it holds, else those of its text."""
    form = formats.named(shard["format"])
    rows = form.read(path, formats.Layout(encoder.tokenizer))
    return with_ids(rows, encoder) if form.TRAITS.text else rows


def with_ids(rows: Iterable[Row], encoder: Encoder) -> Iterator[Row]:
    """Yield rows of text with their ids, a batch at a time."""
    for batch in batches(rows, lambda row: len(row.body)):
        for row, ids in zip(batch, encoder.encode([row.body for row in batch]), strict=True):
            yield dataclasses.replace(row, ids=ids)


def unlisted(folder: Path, name: str, shards: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the shards that are there but not in the manifest: a loader would read them too."""
    names = Path(shards[0]["file"]).parts
    base = folder.joinpath(*names[: names.index(name) + 1])
    files = itertools.chain.from_iterable((shard, *shard.get("beside", ())) for shard in shards)
    keep = {(folder / file["file"]).relative_to(base).as_posix() for file in files}
    for path in strays(base, keep):
        yield f"{path}: not in the manifest; export again to have it removed"
    if formats.named(name).TRAITS.card and not (base / MADE[0]).exists():
        yield f"{base / MADE[0]}: the card is gone; export again to have it back"
