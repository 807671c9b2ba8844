"""Kernels: plain loops over arrays, compiled on the user's machine at their first use.

``kernel`` hands a function to numba with one explicit signature, so that it is compiled once, when
its module is imported, and kept on disk. A kernel releases the GIL. This module and ``blocks`` are
the only ones that know numba; whoever imports a module of kernels must be ready for ImportError,
and have a twin.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from corpus.store import cache_folder

F = TypeVar("F", bound=Callable[..., Any])

_log = logging.getLogger("corpus")
_said: list[str] = []


def kernel(signature: str) -> Callable[[F], F]:
    """Compile a function for ``signature``, in numba's notation, or load it from the cache."""

    def decorate(function: F) -> F:
        # numba names what it keeps by this, and looks for changes only in the kernel's own file
        function.__qualname__ += f"-{sources(Path(function.__code__.co_filename).parent)}"
        make = numba.njit(nogil=True, cache=True, error_model="numpy")
        try:
            made = make(function)
        except RuntimeError:  # neither the package's folder nor the user's cache can be written
            vars(numba.config)["CACHE_DIR"] = str(_elsewhere())
            made = make(function)
        _say_if_new(made, function)
        made.compile(signature)
        return cast("F", made)

    return decorate


def part(function: F) -> F:
    """Let a small function be called by kernels; it is compiled into each of them."""
    return cast("F", numba.njit(error_model="numpy")(function))


def home(made: Callable[..., Any]) -> Path:
    """The folder that a kernel is kept in."""
    return Path(cast("Any", made).stats.cache_path)


def _say_if_new(made: Any, function: Callable[..., Any]) -> None:  # noqa: ANN401 - numba's
    """Tell, once in a process, that kernels must be compiled before anything else happens."""
    stem = function.__module__.rpartition(".")[2]
    known = any(home(made).glob(f"{stem}.{function.__qualname__}-*.nbi"))
    if not _said and not known:
        _said.append(function.__qualname__)
        _log.warning("compiling the kernels for this machine: once, some seconds")


@cache
def sources(room: Path) -> str:
    """A digest of the sources that a kernel of a room may be compiled from: the room's and these.

    Parts and constants come from other files than the kernel's, and times of files say nothing of
    what is in them.
    """
    found = hashlib.sha256()
    for folder in sorted({room, Path(__file__).parent}):
        for path in sorted(folder.glob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()[:12]


def _elsewhere() -> Path:
    """A folder for kernels in the program's own cache; where that cannot be, one for this run."""
    with contextlib.suppress(OSError, RuntimeError):
        folder = cache_folder() / "kernels"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    made = tempfile.mkdtemp(prefix="corpus-kernels-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)
