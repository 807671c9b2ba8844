"""Which kernels run: the compiled ones, or their twin."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

from corpus import grams


@cache
def kernels() -> Any:  # noqa: ANN401 - a module, or three as one
    """The functions of ``corpus.dedup.plain`` by name, compiled where that can be.

    Compiles at the first use on a machine, some seconds, and says so.
    """
    if not grams.is_compiled():
        from corpus.dedup import plain

        return plain
    from corpus.dedup import compiled, masking, matching

    names = {**vars(compiled), **vars(masking), **vars(matching)}
    return SimpleNamespace(**names)
