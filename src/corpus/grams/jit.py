"""Kernels: plain loops over arrays, compiled on the user's machine at their first use.

``kernel`` hands a function to numba with one explicit signature, so that it is compiled once, when
its module is imported, and kept on disk. A kernel releases the GIL. This module and ``blocks`` are
the only ones that know numba; whoever imports a module of kernels must be ready for ImportError,
and have a twin.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_log = logging.getLogger("corpus")
_said: list[str] = []


def kernel(signature: str) -> Callable[[F], F]:
    """Compile a function for ``signature``, in numba's notation, or load it from the cache."""

    def decorate(function: F) -> F:
        make = numba.njit(nogil=True, cache=True, error_model="numpy")
        try:
            made = make(function)
        except RuntimeError:  # neither the package's folder nor the user's cache can be written
            vars(numba.config)["CACHE_DIR"] = tempfile.mkdtemp(prefix="corpus-kernels-")
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
    """Tell, once in a process, that kernels must be compiled before anything else happens.

    Numba compiles anew when a kernel's own file has changed. Parts and constants come from others,
    so what is older than any file of the two rooms is forgotten here.
    """
    stem = function.__module__.rpartition(".")[2]
    known = list(home(made).glob(f"{stem}.{function.__qualname__}-*.nbi"))
    rooms = Path(__file__).parent, Path(function.__code__.co_filename).parent
    newest = max(map(_newest, rooms))
    if any(path.stat().st_mtime < newest for path in known):
        for path in known:
            path.unlink(missing_ok=True)
        known = []
    if not _said and not known:
        _said.append(function.__qualname__)
        _log.warning("compiling the kernels for this machine: once, some seconds")


@cache
def _newest(folder: Path) -> float:
    """When a source of a folder was last written."""
    return max(path.stat().st_mtime for path in folder.glob("*.py"))
