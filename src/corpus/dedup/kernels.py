"""Which kernels run: the compiled ones, or their twin."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

from corpus import grams


def kernels() -> Any:  # noqa: ANN401 - a module, or three as one
    """The functions of ``corpus.dedup.plain`` by name, compiled if those of ``grams`` are."""
    if grams.is_compiled():
        return _compiled()
    from corpus.dedup import plain

    return plain


@cache
def _compiled() -> Any:  # noqa: ANN401 - three modules as one
    """Compiles at the first use on a machine, some seconds, and says so."""
    from corpus.dedup import compiled, masking, matching

    return SimpleNamespace(**{**vars(compiled), **vars(masking), **vars(matching)})
