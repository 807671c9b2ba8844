"""Whose files are in an export's folder: ours are replaced, anybody else's are never touched.

A marker is put into a format's folder before its first shard. It tells an export that was
interrupted, or that had more shards than this one, from a folder that somebody else filled.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from corpus import store
from corpus.errors import DiskError, InputError, Locked

MADE = ("README.md", "croissant.json")  # what stands beside the shards
MARKER = ".corpus-export"
LOCK = ".corpus-export.lock"
MARKED = "Written by corpus export: the next one replaces the shards and the README.md here.\n"
SHARD = re.compile(
    r"(test|train|validation)-\d{5}-of-\d{5}\.[\w.]+"  # most formats
    r"|(test|train|val)\.bin|.+_(test|train|val)_\d{6}\.bin|shard\.\d{5}\.mds|index\.json"
)
TORN = re.compile(r"\..+\.\d+\.tmp")  # what a crash leaves of ``store.replacing``


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other exports out of ``folder`` until the end of the block, or of the process.

    The lock is the system's own, on a file that is gone afterwards; one that a crash has left holds
    nobody up. Where the system or the disk has no such locks, nobody is kept out.

    Raises:
        Locked: another process holds it.
        DiskError: the lock cannot be made.
    """
    if sys.platform == "win32":  # an open file could not be removed there
        yield
        return
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _locked(folder / LOCK)
    except BlockingIOError as error:
        raise Locked(f"{folder}: another export writes there; wait for it to end") from error
    except OSError as error:
        raise DiskError(f"{folder}: cannot be written ({error.strerror})") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / LOCK).unlink(missing_ok=True)  # first: who opened it sees that it is gone
        os.close(file)
        if made:
            with contextlib.suppress(OSError):  # not empty
                folder.rmdir()


def _locked(path: Path) -> int:
    """The file at ``path``, made and locked."""
    import fcntl  # not everywhere

    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise
        except OSError:  # a disk without locks, as Lustre may be
            return file
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), path.stat()):
                return file
        os.close(file)  # its holder removed it meanwhile


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
