"""``corpus export``: of a build's folder, of files, and the verification of either."""

from __future__ import annotations

import gc
import json
import math
from pathlib import Path
from typing import Any

import click

from corpus import export as room
from corpus import tokens
from corpus.errors import InputError
from corpus.export import manifest


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
        if len(places) > 1:
            raise InputError(f"{places[1]}: --verify takes one folder, the build's or the export's")
        return verified(
            Path(output) if output else places[0],
            flags["tokenizer"],
            full=flags["verify_tokens"] == "full",
        )
    if len(places) == 1 and places[0].is_dir():
        return build(places[0], Path(output) if output else None, **flags)
    if output is None:
        if not places[0].suffix and not places[0].exists():
            raise InputError(f"{places[0]}: no such build or file")
        raise InputError("export of files needs -o DIR: where the shards go")
    return files(places, Path(output), **flags)


def build(folder: Path, output: Path | None, **flags: Any) -> dict[str, Any]:
    """Export a build again: into its own ``shards/``, or elsewhere with a manifest there."""
    from corpus.cli.running import manifest_of  # brings in what an export of files does not need

    made = manifest_of(folder)
    if not made:
        raise InputError(f"{folder}: the build is not whole; run 'corpus build' to its end first")
    rows = room.rows_of_build(folder, created=made["date"])
    facts = {
        "license": flags["license"],
        "models": made["models"],
        "constitution": made["constitution"],
        "gates": made["gates"],
        "counts": made.get("counts"),
        "guard": made.get("guard"),
    }
    chosen = _options(flags, facts, made["tokenizer"]["name"])
    if not chosen["formats"]:
        chosen["formats"] = [*dict.fromkeys(shard["format"] for shard in made["shards"])]
    if flags["seed"] is None:
        chosen["seed"] = made["seed"]
    if output is not None:
        return room.publish(rows, output, replace=flags["replace"], **chosen)
    return room.publish(rows, folder / "shards", build=folder, **chosen)


def files(paths: list[Path], output: Path, **flags: Any) -> dict[str, Any]:
    """Export any JSON Lines into ``output``, with a manifest of its own."""
    rows = room.rows_of_files(paths, flags["config_by"])
    chosen = _options(flags, {"license": flags["license"]}, tokens.GPT2)
    chosen["formats"] = chosen["formats"] or ["parquet"]
    return room.publish(rows, output, replace=flags["replace"], **chosen)


def verified(folder: Path, tokenizer: str | None, *, full: bool) -> dict[str, Any]:
    """Read everything again that the manifest names; the problems found, one line each.

    Raises:
        InputError: there is no manifest.
    """
    path = folder / manifest.NAME
    if not path.exists():
        raise InputError(f"{folder}: no manifest.json in it; give a finished build or export")
    try:
        told = manifest.read(path)
    except InputError as error:  # damage is what was asked about
        return {"shards": 0, "problems": [str(error)]}
    counter = None if tokenizer is None else tokens.load(tokenizer)
    set_aside()
    problems = room.verify(folder, counter, full=full, told=told)
    return {"shards": len(told.get("shards", [])), "problems": problems}


def show(found: dict[str, Any], *, as_json: bool) -> None:
    """Print what an export wrote, or what a verification found."""
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
    elif "problems" in found:
        for problem in found["problems"]:
            click.echo(problem, err=True)
        click.echo(f"{found['shards']} shards read again, {len(found['problems'])} problems")
    else:
        for shard in found["shards"]:
            count = f"{shard['documents']:,} documents, {shard['tokens']:,} tokens"
            click.echo(f"{shard['file']}  {count}")
        for one in found.get("dropped", ()):
            if one["split"] != "train":
                continue
            click.echo(
                f"{one['format']}, {one['trainer']}: {one['config']}/{one['split']} loses "
                f"{one['lost']:,} of {one['tokens']:,} tokens ({one['share']:.2%}): {one['what']}"
            )


def _options(flags: dict[str, Any], facts: dict[str, Any], tokenizer: str) -> dict[str, Any]:
    """The fields of ``room.Options`` that the flags come to."""
    choice = room.Choice(
        match_tokens=flags["match_tokens"],
        held_out=tuple(one for given in flags["held_out"] for one in given.split(",") if one),
        mix=numbers("--mix", flags["mix"]),
        epochs=numbers("--epochs", flags["epochs"]),
    )
    loaded = tokens.load(flags["tokenizer"] or tokenizer)
    set_aside()
    options = {
        "formats": list(dict.fromkeys(flags["formats"])),
        "tokenizer": loaded,
        "seed": flags["seed"] or 0,
        "choice": choice,
        "facts": facts,
        "compress": flags["compress"] or "",
        "mask_roles": roles(flags["mask_roles"]),
        "shard_tokens": flags["shard_tokens"] or room.SHARD_TOKENS,
    }
    same = ("allow_demo", "quick", "verify_tokens", "workers", "chat", "seq_len", "croissant")
    return options | {name: flags[name] for name in same}


def roles(text: str | None) -> list[str]:
    """The roles that ``--mask-roles`` lists.

    Raises:
        InputError: it lists none.
    """
    found = [one.strip() for one in (text or "").split(",") if one.strip()]
    if text and not found:
        raise InputError(f"--mask-roles {text!r}: write roles, such as system,user")
    return list(dict.fromkeys(found))


def set_aside() -> None:
    """Let the collector work again, but not on modules and vocabulary, which stay."""
    gc.freeze()
    gc.enable()


def numbers(flag: str, text: str | None) -> dict[str, float]:
    """``a=2,b=1.5`` as a mapping; a number alone stands under the empty name.

    Raises:
        InputError: a part is neither, or a name comes twice.
    """
    found: dict[str, float] = {}
    for part in (text or "").split(",") if text else ():
        name, _, value = part.strip().rpartition("=")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or name in found or (flag == "--mix" and not name):
            raise InputError(f"{flag} {text!r}: write names and numbers, such as a=2,b=1.5")
        found[name.strip()] = number
    return found
