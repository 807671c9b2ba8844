"""What every code point is to the word reader: a table of one number each.

The definition is that of ``corpus.grams.words``: NFKC, case folding, and two classes of Python's
``re``. The table says it point by point, for the texts of which that is the whole truth; ``HARD``
marks the points (marks that combine, forms and foldings of several letters) for which a text is
normalised in Python first. Unicode is the version that this Python has. Made once, the table is
kept on disk (``kept``), for it takes as long to make as ten megabytes to search.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np

from corpus.errors import DiskError
from corpus.grams.types import Codes

LIMIT = 0x40000
"""Over it no code point is part of a word, has a case, or is changed by NFKC."""

KIND = 3  # the two lowest bits: neither (0), part of a word, a word of its own
WORD, ALONE = 1, 2
HARD, UPPER, LETTER, JOINS, SPACE = 4, 8, 16, 32, 64
FOLD = 8  # how far up the folded point stands

UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
"""The inside of a regex class: scripts without spaces between words, one character a word."""

_SPANS = ((0, 0x3400), (0xA000, 0xAC00), (0xF900, 0x20000), (0x2F800, 0x2FA20))
"""Where points are that fold, combine or change: not among Han, Hangul and private use."""
_HANGUL = (range(0x1161, 0x1176), range(0x11A8, 0x11C3))  # vowels and finals join by rule


def kept(folder: Path) -> Codes:
    """``table``, read from a folder, or made and put there if the folder allows it.

    The file is named for the version of Unicode and for this module's text, and ends in a CRC-32 of
    what it holds; one that is damaged is made anew.
    """
    made_by = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    path = folder / f"points-{unicodedata.unidata_version}-{made_by}"
    with suppress(OSError):
        data = path.read_bytes()
        if len(data) == 4 * LIMIT + 4 and data[-4:] == _check(data[:-4]):
            return np.frombuffer(data, "<u4", LIMIT).astype(np.uint32)
    from corpus.store import write_bytes

    made = table()
    data = made.astype("<u4").tobytes()
    with suppress(DiskError):
        write_bytes(path, data + _check(data))
    return made


def _check(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")


def table() -> Codes:
    """The number of each code point under ``LIMIT``: class bits, and the folded point over them.

    uint32, one mebibyte, made in some 40 ms.
    """
    every = np.arange(LIMIT, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    bits = _classes(every)
    fold = np.arange(LIMIT, dtype=np.uint32)
    special = special_points()
    joining = _joining(special)
    for text in special:
        plain = unicodedata.normalize("NFKC", text)
        folded = plain.casefold()
        single = len(plain) == len(folded) == 1
        if single:
            fold[ord(text)] = ord(folded)
            kind, rest = bits[ord(folded)] & KIND, bits[ord(plain)] & ~np.uint32(KIND)
            bits[ord(text)] = kind | rest
        if unicodedata.combining(plain[0]) or ord(plain[0]) in joining or _splits(plain, folded):
            bits[ord(text)] |= HARD
        elif not single:
            bits[ord(text)] = 0
    bits[sorted(joining)] |= HARD
    return (fold << np.uint32(FOLD)) | bits


def normalised(text: str) -> str:
    """NFKC, and whatever folds into several letters folded; the case of the rest is left."""
    plain = unicodedata.normalize("NFKC", text)
    return plain if plain.isascii() else plain.translate(_wide_folds())


@cache
def _wide_folds() -> dict[int, str]:
    """The points that fold into several letters."""
    points = map(chr, (*range(0x80, 0x2000), *range(0xFB00, 0xFB20)))
    return {ord(one): one.casefold() for one in points if len(one.casefold()) > 1}


def _classes(line: str) -> Codes:
    """The class bits of each point, by the regular expressions of the definition."""
    bits = np.zeros(len(line), dtype=np.uint32)
    classes = ((f"[^\\W_{UNSPACED}]+", WORD), (f"[{UNSPACED}]+", ALONE), (r"[^\W\d_]+", LETTER),
               (r"[\w,]+", JOINS), (" ", SPACE))  # fmt: skip
    for pattern, bit in classes:
        for found in re.finditer(pattern, line):
            bits[found.start() : found.end()] |= bit
    shown = ((bits & LETTER) > 0).tolist()
    letters = [point for point in _within() if shown[point]]
    bits[[point for point in letters if line[point].isupper()]] |= UPPER
    return bits


def special_points() -> tuple[str, ...]:
    """The points that NFKC or folding may change, and those that combine."""
    points = map(chr, _within())
    return tuple(
        text
        for text in points
        if unicodedata.decomposition(text) or unicodedata.combining(text) or text.casefold() != text
    )


def _splits(plain: str, folded: str) -> bool:
    """Whether a point comes to several of which one says something: a letter, a mark, a space."""
    if len(plain) == len(folded) == 1:
        return False
    return any(one.isalnum() or unicodedata.combining(one) or one in "_, " for one in plain)


def _within() -> Iterator[int]:
    """The points of ``_SPANS``."""
    for low, high in _SPANS:
        yield from range(low, high)


def _joining(special: Iterable[str]) -> set[int]:
    """The points that may become one with what stands before them."""
    joining = {point for points in _HANGUL for point in points}
    for text in special:
        parts = unicodedata.decomposition(text).split()
        if len(parts) == 2 and parts[0][0] != "<":  # noqa: PLR2004 - a pair
            joining.add(int(parts[1], 16))
    return joining
