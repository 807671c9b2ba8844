"""The manifest: set aside before the first shard is touched, put in place after the last.

While an export runs there is no ``manifest.json``, so none can be believed that is not true. The
old one is kept under another name until then: it knows which other formats are there, and what a
build has written into it.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import corpus
from corpus import store
from corpus.errors import DiskError, InputError

NAME = "manifest.json"
SAME = ("splits", "text_sha256", "tokens_sha256", "rest_sha256", "mask_roles")
OWN = (
    "mixture",
    "held_out_sections",
    "mask_roles",
    "seq_len",
    "dropped",
)  # of one export, not of a build


def read(path: Path) -> dict[str, Any]:
    """The manifest at ``path``.

    Raises:
        InputError: it is missing, or is not one of ours.
    """
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"{path}: missing, so the export is not whole; export again") from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as a manifest ({error})") from error
    if not isinstance(value, dict) or "version" not in value:
        raise InputError(f"{path}: not a manifest of corpus; name another folder")
    shards = value.get("shards", [])
    if not isinstance(shards, list) or not all(isinstance(one, dict) for one in shards):
        raise InputError(f"{path}: its 'shards' are no list of objects; was it damaged?")
    return value


def current(path: Path) -> dict[str, Any]:
    """The manifest at ``path``; the one that an interrupted export set aside; else an empty one."""
    found = path if path.exists() else aside(path)
    return read(found) if found.exists() else {}


@contextlib.contextmanager
def unsealed(path: Path) -> Iterator[None]:
    """Set the manifest at ``path`` aside; by the end of the block a new one must stand there.

    If none does, the old one stays aside: some of its shards may have been written over.

    Raises:
        DiskError: it cannot be moved.
    """
    try:
        if path.exists():
            path.replace(aside(path))
            store.sync_folder(path.parent)
    except OSError as error:
        raise DiskError(f"{path}: cannot be set aside ({error.strerror})") from error
    yield
    aside(path).unlink(missing_ok=True)


def aside(path: Path) -> Path:
    """Where the manifest at ``path`` waits while an export runs."""
    return path.with_name(f".{path.name}.previous")


def head() -> dict[str, Any]:
    """The fields that say what wrote the manifest."""
    libraries = ("numpy", "pyarrow", "tokenizers")
    return {
        "version": corpus.__version__,
        "libraries": {name: importlib.metadata.version(name) for name in libraries},
    }


def formats(made: Mapping[str, Any]) -> set[str]:
    """The formats that a manifest lists shards of."""
    return {shard["format"] for shard in made.get("shards", [])}


def others(previous: Mapping[str, Any], fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The shards of ``previous`` in formats that ``fields`` does not have."""
    written = formats(fields)
    return [shard for shard in previous.get("shards", []) if shard["format"] not in written]


def same_rows(previous: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    """Whether both tell of the same rows in the same order, tokenized and masked alike.

    A manifest without a digest of all that its rows hold, as earlier versions wrote it, tells of
    no rows that are known.
    """
    return all(previous.get(name) == fields.get(name) for name in SAME)
