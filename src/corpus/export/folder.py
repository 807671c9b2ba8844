"""Whose files are in an export's folder: ours are replaced, anybody else's are never touched.

A marker is put into a format's folder before its first shard. It tells an export that was
interrupted, or that had more shards than this one, from a folder that somebody else filled.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from corpus import store
from corpus.errors import DiskError, InputError

MADE = ("README.md", "croissant.json")  # what stands beside the shards
MARKER = ".corpus-export"
MARKED = "Written by corpus export: the next one replaces the shards and the README.md here.\n"
SHARD = re.compile(
    r"(test|train|validation)-\d{5}-of-\d{5}\.[\w.]+"  # most formats
    r"|(test|train|val)\.bin|.+_(test|train|val)_\d{6}\.bin|shard\.\d{5}\.mds|index\.json"
)
TORN = re.compile(r"\..+\.\d+\.tmp")  # what a crash leaves of ``store.replacing``


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder that somebody else filled.

    Raises:
        InputError: it holds files and no marker.
    """
    if (folder / MARKER).exists():
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"{folder}: holds files that are not of an earlier export; name an empty folder"
        )


def claim(folder: Path) -> None:
    """Mark ``folder`` as an export's.

    Raises:
        InputError: as ``refuse_foreign``.
    """
    refuse_foreign(folder)
    if not (folder / MARKER).exists():
        store.write_text(folder / MARKER, MARKED)


def clear(folder: Path, keep: Collection[str]) -> None:
    """Remove the shards of earlier exports from a marked folder, all but ``keep``."""
    for path in list(strays(folder, keep)):
        _remove(path)


def abandon(folder: Path) -> None:
    """Remove all that exports wrote to a marked folder, the mark last, and the folder if empty."""
    if (folder / MARKER).exists():
        clear(folder, ())
        for name in (*MADE, MARKER):
            _remove(folder / name)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DiskError(f"{path}: cannot be removed ({error.strerror})") from error
    with contextlib.suppress(OSError):  # not empty
        path.parent.rmdir()


def strays(folder: Path, keep: Collection[str]) -> Iterator[Path]:
    """Yield what an export wrote below a marked ``folder`` that is not in ``keep``."""
    if (folder / MARKER).exists():
        for path in sorted(folder.rglob("*")):
            ours = SHARD.fullmatch(path.name) or TORN.fullmatch(path.name)
            if ours and path.is_file() and path.relative_to(folder).as_posix() not in keep:
                yield path
