"""What a word is, in a regular expression: the definition that the kernels are held to."""

from __future__ import annotations

import re

from corpus.grams.table import UNSPACED, normalised

TOKEN = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")
INNER_USE = re.compile(r"(?<=[\w,] )[^\W\d_]")


def words(text: str) -> list[str]:
    r"""The words of a text: runs of ``\w`` without the underscore.

    The text is normalised by NFKC and case-folded first. In scripts without spaces between words
    (Han, kana, Thai, Lao, Burmese, Khmer) every character is a word, so that their n-grams are
    those of characters. A text without any word is one word: all of it, stripped.
    """
    plain = normalised(text).casefold()
    return TOKEN.findall(plain) or [plain.strip()]
