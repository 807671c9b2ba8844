"""``corpus export``: of a build's folder, of files, and the verification of either."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from corpus import export as room
from corpus import tokens
from corpus.cli.running import manifest_of
from corpus.errors import InputError


def run(
    paths: tuple[str, ...],
    *,
    verify: bool,
    output: str | None,
    **flags: Any,
) -> dict[str, Any]:
    """Export a build's folder or files, or verify what was exported.

    Raises:
        InputError: files without a place for their shards, or what the rooms below refuse.
    """
    places = [Path(path) for path in paths] or [Path("output")]
    if verify:
        return verified(places[0])
    if len(places) == 1 and places[0].is_dir():
        return build(places[0], Path(output) if output else None, **flags)
    if output is None:
        raise InputError("export of files needs -o DIR: where the shards go")
    return files(places, Path(output), **flags)


def build(folder: Path, output: Path | None, **flags: Any) -> dict[str, Any]:
    """Export a build again: into its own ``shards/``, or elsewhere with a manifest there."""
    made = manifest_of(folder)
    if not made:
        raise InputError(f"{folder}: the build is not whole; run 'corpus build' to its end first")
    rows = room.rows_of_build(folder, created=made["date"])
    facts = {
        "license": flags["license"],
        "models": made["models"],
        "constitution": made["constitution"],
        "gates": made["gates"],
    }
    chosen = _options(flags, facts, made["tokenizer"]["name"])
    if not chosen["formats"]:
        chosen["formats"] = [*dict.fromkeys(shard["format"] for shard in made["shards"])]
    if flags["seed"] is None:
        chosen["seed"] = made["seed"]
    if output is not None:
        return room.publish(rows, output, **chosen)
    return room.publish(rows, folder / "shards", build=folder, **chosen)


def files(paths: list[Path], output: Path, **flags: Any) -> dict[str, Any]:
    """Export any JSON Lines into ``output``, with a manifest of its own."""
    rows = room.rows_of_files(paths)
    chosen = _options(flags, {"license": flags["license"]}, tokens.GPT2)
    chosen["formats"] = chosen["formats"] or ["parquet"]
    return room.publish(rows, output, **chosen)


def verified(folder: Path) -> dict[str, Any]:
    """Read everything again that the manifest names; the problems found, one line each.

    Raises:
        InputError: there is no manifest.
    """
    path = folder / "manifest.json"
    if not path.exists():
        raise InputError(f"{folder}: no manifest.json in it; give a finished build or export")
    problems = room.verify(folder)
    listed = json.loads(path.read_text("utf-8")).get("shards", [])
    return {"shards": len(listed), "problems": problems}


def _options(flags: dict[str, Any], facts: dict[str, Any], tokenizer: str) -> room.Options:
    options: room.Options = {
        "formats": list(flags["formats"]),
        "tokenizer": tokens.load(flags["tokenizer"] or tokenizer),
        "seed": flags["seed"] or 0,
        "facts": facts,
        "allow_demo": flags["allow_demo"],
        "match_tokens": flags["match_tokens"],
    }
    if flags["shard_tokens"]:
        options["shard_tokens"] = flags["shard_tokens"]
    return options
