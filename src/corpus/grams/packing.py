"""Texts into one buffer, as the kernels take them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corpus.grams.types import Packed

PAD = bytes(64)


def pack(texts: Sequence[str]) -> Packed:
    """The texts as UTF-8, end to end; half a surrogate pair is three bytes."""
    try:
        return joined(list(map(str.encode, texts)))
    except UnicodeEncodeError:
        return joined([text.encode("utf-8", "surrogatepass") for text in texts])


def joined(parts: Sequence[bytes]) -> Packed:
    """The same of texts that are UTF-8 already."""
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    return Packed(b"".join([*parts, PAD]), np.cumsum(lengths))
