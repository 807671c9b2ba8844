"""Texts on which tokenizers come apart: what a quick engine must agree on before it is used.

Two kinds of trouble were seen in published engines: contractions and runs of blanks that a
rewritten pattern cuts elsewhere, and characters whose class (letter, mark, number) is not the same
in every version of Unicode. So the list goes through both: fixed phrases, and a walk over the code
points. Characters that this Python's Unicode does not know are left out of it: there engines differ
for good reason, and texts that hold one are for the reference (see ``unknown``).
"""

from __future__ import annotations

import functools
import unicodedata

import numpy as np

LAST = 0x32000  # beyond stand only tags, variation selectors and private use
STEP = 41  # code points between two strings of the walk
FRAMES = ("{}", "a{}b", " {} ", "{}\n{}", "3{}'s")
TAILS = (0xE0001, 0xE0020, 0xE01EF, 0xF0000, 0x10FFFD)
CONTRACTED = "I'm I'M we're WE'RE they'd She'Ll it's IT'S 's' 've'll x'y 'tis ''s d'être".split()
BLANKS = ("", " ", "  ", "   ", "\t", " \t ", "\n", "\n\n", "\r\n", " \n", "\n ", "\x0b\x0c",
          "\u00a0", "\u2003 ", "\u200b", "\u2028", "\u3000", "\ufeff", "\x85")  # fmt: skip
DIGITS = ("0", "12", "123", "1234", "1234567", "1,000.50", "3.14e-10", "٣٤٥", "½", "²", "Ⅷ", "१२३")
JOINED = ("👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "👍🏽", "e\u0301", "é", "Å", "ﬁ", "ｆｕｌｌ", "ẞß", "ǅ", "ªº",
          "नमस्ते", "ภาษาไทย", "한국어", "日本語、", "العَرَبِيَّة", "עִבְרִית",
          "a\u0300\u0301\u0302")  # fmt: skip
MARKS = ("--", "...", "!!!", "?!", "://", "\\n", "{}", "`x`", "|", "</p>", "<|x|>", "[INST]", "##")
CONTROLS = tuple(chr(code) for code in (*range(32), *range(127, 160)))


@functools.cache
def hard() -> tuple[str, ...]:
    """The list: more than four thousand short strings, always the same."""
    pieces = (*CONTRACTED, *DIGITS, *JOINED, *MARKS)
    fixed = [left + blank + right for blank in BLANKS for left in pieces for right in ("", "end")]
    controls = [frame.format(mark, mark) for mark in CONTROLS for frame in FRAMES[:2]]
    codes = [*range(0xA0, LAST, STEP), *TAILS]
    pairs = [(near(code), near(code + 7)) for code in codes]
    walk = [
        FRAMES[number % len(FRAMES)].format(*pair) for number, pair in enumerate(pairs) if any(pair)
    ]
    return (*fixed, *controls, *walk)


def near(code: int) -> str:
    """Up to three characters from ``code`` on that are assigned and no half of a surrogate pair."""
    return "".join(chr(one) for one in range(code, min(code + 3, 0x110000)) if usable(one))


def usable(code: int) -> bool:
    """Whether this Python's Unicode knows the character."""
    return unicodedata.category(chr(code)) not in {"Cn", "Cs"}


def unknown(text: str, known: set[int]) -> bool:
    """Whether ``text`` holds a character that this Python's Unicode does not know.

    ``known`` remembers those that it does.
    """
    if text.isascii():
        return False
    codes = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    new = set(codes[codes > 0x7F].tolist()) - known  # noqa: PLR2004 - beyond ASCII
    if all(map(usable, new)):
        known |= new
        return False
    return True


@functools.cache
def short() -> tuple[str, ...]:
    """The same strings run together, thirty to a text, and some of them alone."""
    whole = hard()
    together = [" ".join(whole[start : start + 30]) for start in range(0, len(whole), 30)]
    return (*together, *whole[::29])
