"""Reading an export back: every byte, document and token that its manifest promises."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from corpus import formats
from corpus.errors import InputError
from corpus.export import manifest
from corpus.export.count import Digests, counted, encoded
from corpus.export.folder import strays
from corpus.formats import Row
from corpus.tokens import Tokenizer, load

FIELDS = ("format", "file", "config", "split", "bytes", "documents", "tokens", "sha256")


def verify(folder: Path, tokenizer: Tokenizer | None = None) -> list[str]:
    """The problems of the export whose ``manifest.json`` is in ``folder``; none if it is whole.

    Every shard is hashed, read and tokenized again, by the tokenizer that the manifest names unless
    one is given.
    """
    try:
        told = manifest.read(folder / manifest.NAME)
        counter = tokenizer or load(told["tokenizer"]["name"])
        by_format: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for shard in told["shards"]:
            by_format[shard["format"]].append({name: shard[name] for name in FIELDS} | shard)
        problems = list(wrong_tokenizer(told["tokenizer"], counter))
        for name, shards in by_format.items():
            problems += of_format(folder, name, shards, told, counter)
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
    tokenizer: Tokenizer,
) -> Iterator[str]:
    """Yield the problems of one format's shards, then of their sum."""
    digests = Digests()
    rows: list[Row] = []
    whole = True
    for shard in shards:
        damage = [
            problem
            for file in (shard, *shard.get("beside", ()))
            for problem in damaged(folder / file["file"], file)
        ]
        if damage:
            whole = False
            yield from damage
            continue
        found = read(folder / shard["file"], shard, tokenizer)
        yield from miscounted(shard, found)
        for row in found:
            digests.add(row)
        rows += [dataclasses.replace(row, text="", messages=None) for row in found]
    yield from unlisted(folder, name, shards)
    if whole:
        sums: dict[str, Any] = {
            "tokens_sha256": digests.tokens,
            "splits": counted(rows, tokenizer),
        }
        if formats.named(name).TRAITS.text:
            sums["text_sha256"] = digests.text
        for field, value in sums.items():
            if told[field] != value:
                yield f"{name}: {field} is {value}, the manifest says {told[field]}"


def damaged(path: Path, shard: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the bytes of a shard's file."""
    if not path.is_file():
        yield f"{path}: missing"
    elif path.stat().st_size != shard["bytes"]:
        yield f"{path}: {path.stat().st_size} bytes, the manifest says {shard['bytes']}"
    elif formats.sha256(path) != shard["sha256"]:
        yield f"{path}: its sha256 is not the manifest's; the file was changed"


def read(path: Path, shard: Mapping[str, Any], tokenizer: Tokenizer) -> list[Row]:
    """The rows of a shard with their ids: those it holds, else those of its text."""
    form = formats.named(shard["format"])
    rows = [
        dataclasses.replace(row, config=shard["config"], split=shard["split"])
        for row in form.read(path, formats.Layout(tokenizer))
    ]
    return list(encoded(rows, tokenizer)) if form.TRAITS.text else rows


def miscounted(shard: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[str]:
    """Yield where a shard's counts are not those of its rows."""
    found = {"documents": len(rows), "tokens": sum(len(row.ids) for row in rows)}
    for field, value in found.items():
        if shard[field] != value:
            yield f"{shard['file']}: holds {value} {field}, the manifest says {shard[field]}"


def unlisted(folder: Path, name: str, shards: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the shards that are there but not in the manifest: a loader would read them too."""
    names = Path(shards[0]["file"]).parts
    base = folder.joinpath(*names[: names.index(name) + 1])
    files = [file["file"] for shard in shards for file in (shard, *shard.get("beside", ()))]
    keep = {(folder / file).relative_to(base).as_posix() for file in files}
    for path in strays(base, keep):
        yield f"{path}: not in the manifest; export again to have it removed"
