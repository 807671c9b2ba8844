"""Texts on which tokenizers come apart: what a quick engine must agree on before it is used.

Two kinds of trouble were seen in published engines: contractions and runs of blanks that a rewritten
pattern cuts elsewhere, and characters whose class (letter, mark, number) changed between versions of
Unicode. So the list goes through both: fixed phrases, and a walk over the code points.
"""

from __future__ import annotations

import functools

LAST = 0x32000  # beyond stand only tags, variation selectors and private use
STEP = 53  # code points between two strings of the walk
FRAMES = ("{}", "a{}b", " {} ", "{}\n{}", "3{}'s")
TAILS = (0xE0001, 0xE0020, 0xE01EF, 0xF0000, 0x10FFFD)
SURROGATES = range(0xD800, 0xE000)
CONTRACTED = "I'm I'M we're WE'RE they'd She'Ll it's IT'S 's' 've'll x'y 'tis ''s d'être".split()
BLANKS = ("", " ", "  ", "   ", "\t", " \t ", "\n", "\n\n", "\r\n", " \n", "\n ", "\x0b\x0c",
          "\u00a0", "\u2003 ", "\u200b", "\u2028", "\u3000", "\ufeff", "\x85")  # fmt: skip
DIGITS = ("0", "12", "123", "1234", "1234567", "1,000.50", "3.14e-10", "٣٤٥", "½", "²", "Ⅷ", "१२३")
JOINED = ("👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "👍🏽", "e\u0301", "é", "Å", "ﬁ", "ｆｕｌｌ", "ẞß", "ǅ", "ªº",
          "नमस्ते", "ภาษาไทย", "한국어", "日本語、", "العَرَبِيَّة", "עִבְרִית", "\u1ad0a\u1ace", "a\u0300\u0301\u0302")  # fmt: skip
MARKS = ("--", "...", "!!!", "?!", "://", "\\n", "{}", "`x`", "|", "</p>", "<|x|>", "[INST]", "##")
CONTROLS = tuple(chr(code) for code in (*range(32), *range(127, 160)))


@functools.cache
def hard() -> tuple[str, ...]:
    """The list: more than four thousand short strings, always the same."""
    pieces = (*CONTRACTED, *DIGITS, *JOINED, *MARKS)
    fixed = [left + blank + right for blank in BLANKS for left in pieces for right in ("", "end")]
    controls = [frame.format(mark, mark) for mark in CONTROLS for frame in FRAMES[:2]]
    codes = [*range(0xA0, LAST, STEP), *TAILS]
    walk = [
        FRAMES[number % len(FRAMES)].format(near(code), near(code + 7))
        for number, code in enumerate(codes)
    ]
    return (*fixed, *controls, *walk)


def near(code: int) -> str:
    """Three characters from ``code`` on, none of them half a surrogate pair."""
    codes = range(code, min(code + 3, 0x110000))
    return "".join(chr(one) for one in codes if one not in SURROGATES)


@functools.cache
def short() -> tuple[str, ...]:
    """The same strings run together, thirty to a text, and every eleventh of them alone."""
    whole = hard()
    together = [" ".join(whole[start : start + 30]) for start in range(0, len(whole), 30)]
    return (*together, *whole[::11])
