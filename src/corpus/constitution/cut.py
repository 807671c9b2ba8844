"""Counts words and cuts long texts: between blocks or list items, never inside one."""

from __future__ import annotations

import re
from itertools import islice, pairwise

INTRO_WORDS = 120

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_CJK}]|[^\s{_CJK}]+")
_SENTENCE_END = re.compile(r"[.!?\u3002\uff01\uff1f][\"'\u201d\u2019)\]*_]*$")


def words(text: str) -> int:
    """Count words: runs without white space, and each Han or kana sign."""
    return sum(1 for _ in _WORD.finditer(text))


def pieces(units: list[str], max_words: int) -> list[str]:
    """Join ``units``, which no cut may part, to parts of at most ``max_words`` and of like size.

    The cuts minimise the sum over the parts of 1 + (words / max_words) squared, so there are few
    parts and none is a rest.
    """
    grains = _grains(units, max_words)
    best = [(0.0, 0)]  # for the first n grains: the least cost, and where their last part starts
    for stop in range(1, len(grains) + 1):
        size, choices = 0, list[tuple[float, int]]()
        for start in range(stop - 1, -1, -1):
            size += grains[start][1]
            if size > max_words and choices:
                break
            choices.append((best[start][0] + 1 + (size / max_words) ** 2, start))
        best.append(min(choices))
    parts, stop = [], len(grains)
    while stop:
        start = best[stop][1]
        parts.append("".join(text for text, _ in grains[start:stop]).strip("\n"))
        stop = start
    return [part for part in reversed(parts) if any(map(str.isalnum, part))]


def _grains(units: list[str], max_words: int) -> list[tuple[str, int]]:
    """Join what no cut should part: a line that ends in a colon and what it announces, and crumbs.

    The crumbs (up to a 32nd of a part) keep the number of places to cut small.
    """
    grains: list[tuple[str, int]] = []
    for unit in units:
        size = words(unit)
        if grains:
            text, before = grains[-1]
            tied = text.rstrip().endswith((":", "\uff1a")) or before <= max_words // 32
            if tied and before + size <= max_words:
                grains[-1] = (text + unit, before + size)
                continue
        grains.append((unit, size))
    return grains


def opening(text: str) -> str:
    """Return the first sentences of ``text``, at most ``INTRO_WORDS`` words."""
    found = list(islice(_WORD.finditer(text), INTRO_WORDS + 1))
    if len(found) <= INTRO_WORDS:
        return text
    ends = [
        word.end()
        for word, after in pairwise(found)
        if _SENTENCE_END.search(word.group()) or "\n\n" in text[word.end() : after.start()]
    ]
    return text[: ends[-1]] if ends else f"{text[: found[-2].end()]} \u2026"
