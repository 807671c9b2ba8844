"""Near-copies: which documents repeat another one, and which one stays.

A document is the set of its word 5-grams; two documents are near-copies when the Jaccard index of
their sets, |A & B| / |A | B|, reaches a threshold. datasketch finds candidates (MinHash signatures
in banded LSH tables), and every candidate is then measured exactly: nothing is dropped because of
an estimate. A second signature, with the names masked, finds the story that was only recast.
This room is the only one that knows datasketch.

Documents are taken best first, and each is compared with those that were kept before it. So a
document is dropped only for being close to one that stays, never at the end of a chain of small
steps; the best of a family always stays; and the order of the input changes nothing.

Sources: Broder, "On the resemblance and containment of documents" (1997), for shingles and
MinHash; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3, for banding.
"""

from __future__ import annotations

import hashlib
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

from corpus.errors import InputError
from corpus.language import UNSPACED, text_of
from corpus.records import Duplicate
from corpus.store import Row, read_rows, write_rows

SHINGLE = 5
PERMUTATIONS = 128
SEED = 1
RECALL = 0.999
CAPITALISED = 0.9
LEAST_USES = 2
MOST_MASKED = 0.5
MASK = "\0name"

Hashes = NDArray[np.uint64]

_TOKEN = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")
_INNER = re.compile(r"(?<=[\w,] )[^\W\d_]\w+")
_BASE = np.uint64(0x9E3779B97F4A7C15)
_BATCH = 4096


@dataclass(frozen=True, slots=True)
class Item:
    """A text to compare; ``score`` ranks it among its likes; ``mask`` asks for the second look."""

    id: str
    text: str
    score: float = 0.0
    mask: bool = False


@dataclass(frozen=True, slots=True)
class Banding:
    """``bands`` of ``rows`` signature values each, and the recall that they promise."""

    bands: int
    rows: int
    recall: float


@dataclass(slots=True)
class Found:
    """The duplicates, sorted by id, and how many candidate pairs were measured for them."""

    duplicates: list[Duplicate] = field(default_factory=list)
    candidates: int = 0


def tokens(text: str) -> list[str]:
    r"""The words that shingles are made of: runs of ``\w`` without the underscore, NFKC.

    In scripts without spaces between words (Han, kana, Thai, Lao, Burmese, Khmer) every character
    is a word, so that their shingles are character 5-grams. A text without any word is one word.
    """
    plain = unicodedata.normalize("NFKC", text)
    return _TOKEN.findall(plain) or [plain.strip()]


def shingles(words: Sequence[str]) -> Hashes:
    """The 64-bit hashes of the word 5-grams, sorted and unique; fewer than 5 words are one shingle.

    With w the first 8 bytes of the blake2b of a word (little-endian), the hash of a shingle is
    ((w1 B + w2) B + ...) B + w5 mod 2^64, B = 0x9E3779B97F4A7C15, finished as in ``mix``.
    """
    values = np.fromiter(map(_word_hash, words), dtype=np.uint64, count=len(words))
    width = min(SHINGLE, len(values))
    starts = len(values) - width + 1
    total = np.zeros(starts, dtype=np.uint64)
    for place in range(width):
        total = total * _BASE + values[place : place + starts]
    return np.unique(_mix(total))


def fold(shingle: int) -> int:
    """The ``hashfunc`` given to datasketch: the upper 32 bits of a shingle's 64."""
    return shingle >> 32


def jaccard(one: Hashes, other: Hashes) -> float:
    """The exact Jaccard index of two sorted, unique shingle sets."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)


@cache
def banding(threshold: float, recall: float = RECALL) -> Banding:
    """The widest bands whose predicted recall reaches ``recall``.

    Two sets of similarity s share one of b bands of r values with the probability
    1 - (1 - s^r)^b; the prediction is its mean over s from the threshold to 1. The wider the
    bands, the fewer pairs are measured in vain. At 0.7 this is 25 bands of 5.
    """
    likeness = np.linspace(threshold, 1.0, 2001)
    for rows in range(PERMUTATIONS // 2, 0, -1):
        bands = PERMUTATIONS // rows
        promised = float(np.mean(1 - (1 - likeness**rows) ** bands))
        if promised >= recall:
            break
    return Banding(bands, rows, promised)


def name_words(texts: Iterable[str]) -> frozenset[str]:
    """The words, case-folded, that these texts write with a capital in over 90 % of their uses.

    Only uses inside a sentence count, taken as those that follow a word or a comma and one space,
    and at least two are needed (the corpus's own truecasing; no model).
    """
    uses: Counter[str] = Counter()
    for text in texts:
        uses.update(_INNER.findall(unicodedata.normalize("NFKC", text)))
    capital: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for word, count in uses.items():
        total[word.casefold()] += count
        capital[word.casefold()] += count if word[0].isupper() else 0
    return frozenset(
        word
        for word, count in total.items()
        if count >= LEAST_USES and capital[word] > CAPITALISED * count
    )


def masked(words: Sequence[str], names: Set[str]) -> list[str] | None:
    """The words with each run of names as one mask; None where names are over half of the text."""
    hidden = [MASK if word in names else word for word in words]
    if hidden.count(MASK) > MOST_MASKED * len(hidden):
        return None
    return [
        word
        for place, word in enumerate(hidden)
        if word != MASK or place == 0 or hidden[place - 1] != MASK
    ]


def find(items: Sequence[Item], *, threshold: float = 0.7) -> list[Duplicate]:
    """The items that repeat a better one, sorted by id.

    Better is: the higher score, then the more words, then the smaller id. ``method`` is "exact"
    (the same words in the same order; similarity 1), "minhash", or "minhash-masked", where both
    items ask for the mask and ``similarity`` is that of the masked texts. ``cluster`` is the id
    of the document that stays for the whole family. Time grows with the number of words, and
    with the pairs that are candidates.

    Raises:
        InputError: the threshold is not in (0, 1], or two items have the same id.
    """
    return search(items, threshold=threshold).duplicates


def search(items: Sequence[Item], *, threshold: float = 0.7) -> Found:
    """``find``, with its count of candidates."""
    _check(items, threshold)
    names = _names_of(items)
    read = [(item, [word.casefold() for word in tokens(item.text)]) for item in items]
    read.sort(key=lambda pair: (-pair[0].score, -len(pair[1]), pair[0].id))
    exact: dict[bytes, str] = {}
    plain, recast = _Kept(threshold), _Kept(threshold)
    found = Found()
    for item, words in read:
        text = hashlib.blake2b(_bytes("\n".join(words)), digest_size=16).digest()
        sets = shingles(words)
        hidden = masked(words, names) if item.mask else None
        recast_sets = shingles(hidden) if hidden else None
        match = _match(exact.get(text), plain.nearest(sets), "minhash")
        if match is None and recast_sets is not None:
            match = _match(None, recast.nearest(recast_sets), "minhash-masked")
        if match:
            original, similarity, method = match
            found.duplicates.append(Duplicate(item.id, original, similarity, method, original))
            continue
        exact[text] = item.id
        plain.add(item.id, sets)
        if recast_sets is not None:
            recast.add(item.id, recast_sets)
    found.duplicates.sort(key=lambda duplicate: duplicate.id)
    found.candidates = plain.candidates + recast.candidates
    return found
