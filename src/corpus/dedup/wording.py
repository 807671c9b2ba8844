"""What two texts share and do not, word by word."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence


def changes(one: str, other: str, most: int) -> Iterator[tuple[str, Sequence[str]]]:
    """Pieces of the first ``most`` words of each text: an op and its words.

    The op is "=" for what both have, "-" for what only the first has, "+" for what only the second
    has. Takes time with the square of ``most`` at worst.
    """
    ours, theirs = (text.split(maxsplit=most)[:most] for text in (one, other))
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    for kind, low, high, start, end in matcher.get_opcodes():
        if kind == "equal":
            yield "=", ours[low:high]
            continue
        if low < high:
            yield "-", ours[low:high]
        if start < end:
            yield "+", theirs[start:end]
