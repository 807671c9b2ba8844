"""``corpus export``: of a build's folder, of files, and the verification of either."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from corpus import export as room
from corpus import store, tokens
from corpus.cli.running import manifest_of
from corpus.errors import InputError


def build(folder: Path, output: Path | None, **flags: Any) -> dict[str, Any]:  # noqa: ANN401
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
    chosen = _options(flags, facts, default=[*dict.fromkeys(s["format"] for s in made["shards"])])
    chosen["seed"] = made["seed"] if flags["seed"] is None else flags["seed"]
    if output is not None:
        return room.publish(rows, output, **chosen)
    written = room.export(rows, folder / "shards", **chosen).row(folder)
    kept = [
        s for s in made["shards"] if s["format"] not in {w["format"] for w in written["shards"]}
    ]
    made |= written | {"shards": kept + written["shards"]}
    store.write_json(folder / "manifest.json", made)
    return made


def files(paths: list[Path], output: Path, **flags: Any) -> dict[str, Any]:  # noqa: ANN401
    """Export any JSON Lines into ``output``, with a manifest of its own."""
    rows = room.rows_of_files(paths)
    return room.publish(rows, output, **_options(flags, {"license": flags["license"]}, ["parquet"]))


def verify(folder: Path) -> dict[str, Any]:
    """Read everything again that the manifest names; the problems found, one line each."""
    problems = room.verify(folder)
    made = json.loads((folder / "manifest.json").read_text("utf-8"))
    return {"shards": len(made["shards"]), "problems": problems}


def _options(flags: dict[str, Any], facts: dict[str, Any], default: list[str]) -> room.Options:
    options: room.Options = {
        "formats": list(flags["formats"]) or default,
        "tokenizer": tokens.load(flags["tokenizer"] or "gpt2"),
        "seed": flags["seed"] or 0,
        "facts": facts,
        "allow_demo": flags["allow_demo"],
    }
    if flags["shard_tokens"]:
        options["shard_tokens"] = flags["shard_tokens"]
    return options
