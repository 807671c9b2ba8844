"""Words and runs of words as hashes: what repeats are found by, for many texts at a time.

``read`` takes texts in UTF-8, ``ngrams`` what it gives. Both are compiled where numba can be
imported, and release the GIL; elsewhere, for a few pages, or with ``CORPUS_KERNELS=plain``, a twin
in Python gives the same bits. ``words`` is the definition in a regular expression; ``word_hash``
and the docstring of ``corpus.grams.hashing`` say how they become numbers.
"""

from __future__ import annotations

import os
from functools import cache

from corpus.grams import plain
from corpus.grams.definition import words
from corpus.grams.hashing import mix, word_hash
from corpus.grams.packing import joined, pack
from corpus.grams.plain import mixed
from corpus.grams.table import UNSPACED
from corpus.grams.types import CAPITAL, INNER, Grams, Hashes, Packed, Places, Words

WORTH_COMPILING = 1 << 18  # bytes of text

_loaded: list[bool] = []

__all__ = [
    "CAPITAL",
    "INNER",
    "UNSPACED",
    "WORTH_COMPILING",
    "Grams",
    "Hashes",
    "Packed",
    "Places",
    "Words",
    "expect",
    "is_compiled",
    "joined",
    "mix",
    "mixed",
    "ngrams",
    "pack",
    "read",
    "word_hash",
    "words",
]


def expect(size: int) -> None:
    """Say that so many bytes will be read, so that it is known whether compiling is worth it.

    Loading the compiled kernels takes some tenths of a second, and compiling them, once on a
    machine, some seconds; a few hundred pages are done by then.
    """
    if size >= WORTH_COMPILING and not _loaded and _can_compile():
        _loaded.append(True)


def is_compiled() -> bool:
    """Whether the kernels run compiled: once ``WORTH_COMPILING`` bytes are expected, for good."""
    return bool(_loaded)


@cache
def _can_compile() -> bool:
    """Whether there is numba and nobody has forbidden it; compiles the kernels of this room."""
    if os.environ.get("CORPUS_KERNELS") == "plain":
        return False
    try:
        from corpus.grams import native  # noqa: F401 - whether it can be
    except ImportError:
        return False
    return True


def read(texts: Packed, *, capitals: bool = False) -> Words:
    """The words of each text; ``capitals`` asks for their marks.

    A text without any word has a single one, all of it, stripped.
    """
    expect(len(texts.data))
    if is_compiled():
        from corpus.grams import native

        return native.read(texts, capitals=capitals)
    return plain.read(texts, capitals=capitals)


def ngrams(found: Words, width: int, *, whole: bool = False) -> Grams:
    """The runs of ``width`` words of each text; ``whole`` makes one of a text shorter than that."""
    if is_compiled():
        from corpus.grams import native

        return native.ngrams(found, width, whole=whole)
    return plain.ngrams(found, width, whole=whole)
