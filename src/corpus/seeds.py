"""Story seeds: TOML files with ``[[seed]]`` tables, or JSON Lines; each the germ of a story.

This room reads them and refuses what cannot be used, by file and name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus.errors import InputError, did_you_mean
from corpus.records import Seed, digest
from corpus.store import read_rows, read_toml

_TEXTS = ("premise", "skill", "stakes", "setting", "ending")
_KEYS = ("name", *_TEXTS, "tags")
_UNFIT = re.compile("\0|[\ud800-\udfff]|</?seed>")


def load(path: Path) -> tuple[Seed, ...]:
    """All seeds of a file or folder, in the order of file name and place.

    Raises:
        InputError: the path is missing, a file is no TOML or JSON Lines, a key is missing or
            unknown, or two seeds share a name or a premise.
    """
    if not path.exists():
        raise InputError(f"--seeds {path}: no such file or folder; 'corpus init' writes examples")
    found = path.iterdir() if path.is_dir() else [path]
    seeds: dict[str, Seed] = {}
    premises: dict[str, str] = {}
    for file in sorted(p for p in found if p == path or p.suffix in {".toml", ".jsonl"}):
        for where, row in _rows(file):
            seed = _seed(where, row)
            if seed.name in seeds:
                raise InputError(f"{where}: a second seed is named '{seed.name}'; rename one")
            if other := premises.get(seed.premise):
                raise InputError(f"{where}: same premise as '{other}'; drop one")
            premises[seed.premise] = seed.name
            seeds[seed.name] = seed
    if not seeds:
        raise InputError(f"--seeds {path}: no seeds in it; give .toml files with [[seed]] tables")
    return tuple(seeds.values())


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if path.suffix == ".jsonl":
        for number, row in enumerate(read_rows(path), 1):
            yield f"{path}, seed {number}", row
        return
    tables = read_toml(path)
    for key in tables:
        if key != "seed":
            raise InputError(f"{path}: unknown table '{key}'; seeds are [[seed]] tables")
    rows = tables.get("seed", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path}: 'seed' is not a list of tables; write [[seed]] above each")
    for number, row in enumerate(rows, 1):
        yield f"{path}, seed {number}", row


def _seed(where: str, row: dict[str, Any]) -> Seed:
    for key in row:
        if key not in _KEYS:
            raise InputError(f"{where}: unknown key '{key}'{did_you_mean(key, _KEYS)}")
    for key in ("name", *_TEXTS):
        if not isinstance(row.get(key), str) or not row[key].strip():
            raise InputError(f"{where} ({row.get('name')}): '{key}' is missing or no text")
    tags = row.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise InputError(f"{where} ({row['name']}): 'tags' must be a list of strings")
    texts = {key: " ".join(row[key].split()) for key in _TEXTS}
    if _UNFIT.search("\n".join((row["name"], *texts.values(), *tags))):
        raise InputError(f"{where}: holds a NUL, half a surrogate pair, or a <seed> tag of its own")
    return Seed(id=digest(texts), name=row["name"].strip(), tags=tuple(tags), **texts)
