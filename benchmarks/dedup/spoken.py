"""The words and shingles of a text, written a second time, apart from the program.

The truth and the peers use this, so that everything is compared over the same sets.
"""

from __future__ import annotations

import re
import unicodedata

SHINGLE = 5

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_ANY = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_PLAIN = re.compile("[a-z0-9]+")


def words(text: str) -> list[str]:
    """The words of a text; one that has none is one word."""
    if text.isascii():
        plain = text.lower()
        return _PLAIN.findall(plain) or [plain.strip()]
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _ANY.findall(plain) or [plain.strip()]


def shingles(text: str) -> set[tuple[str, ...]]:
    """The word 5-grams of a text; all of its words where there are fewer than five."""
    said = words(text)
    width = min(SHINGLE, len(said))
    return {tuple(said[at : at + width]) for at in range(len(said) - width + 1)}


def joined(text: str) -> list[str]:
    """The shingles of a text as strings, repeats included, the way that is fastest in Python."""
    said = words(text)
    if len(said) < SHINGLE:
        return [" ".join(said)]
    return list(map(" ".join, zip(said, said[1:], said[2:], said[3:], said[4:], strict=False)))
