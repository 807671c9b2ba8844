"""MinHash signatures, datasketch's own, and the bands that candidates are found by.

A signature is that of ``MinHash(128, seed=1, scheme="affine32", hashfunc=fold)`` after
``update_batch`` of the 64-bit shingle hashes, bit for bit: its permutations come from such an
object, and ``lean`` gives a row of signatures back as one. This module and the twin of the kernels
are the room of datasketch.

Sources: Broder, "On the resemblance and containment of documents" (1997), for shingles and
MinHash; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3, for banding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from corpus import grams
from corpus.dedup.constants import DIGEST, PERMUTATIONS, SEED, SHINGLE
from corpus.dedup.kernels import kernels
from corpus.grams import Grams, Packed, Words
from corpus.grams.types import Codes, Hashes, Ints

if TYPE_CHECKING:
    from datasketch import LeanMinHash, MinHashLSH

RECALL = 0.999


@dataclass(frozen=True, slots=True)
class Banding:
    """``bands`` of ``rows`` signature values each, and the recall that they promise."""

    bands: int
    rows: int
    recall: float


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


def fold(shingle: int) -> int:
    """The ``hashfunc`` given to datasketch: the upper 32 bits of a shingle's 64."""
    return shingle >> 32


def shingled(words: Words) -> Grams:
    """The word 5-grams of each text; fewer than 5 words are one shingle."""
    return grams.ngrams(words, SHINGLE, whole=True)


def shingles(text: str) -> list[int]:
    """The 64-bit hashes of the word 5-grams of a text, as ``update_batch`` takes them."""
    found: list[int] = shingled(grams.read(grams.pack([text]))).hashes.tolist()
    return found


def sign(shingles: Grams) -> Codes:
    """The signatures of texts, one row of 128 uint32 each."""
    factors, terms = _permutations()
    out = np.empty((len(shingles.places) - 1, PERMUTATIONS), np.uint32)
    kernels().sign(shingles.hashes, shingles.places, factors, terms, out)
    return out


def look(words: Words, chosen: Banding) -> tuple[Codes, Hashes]:
    """The band keys of texts, one column each, and a digest of the words of each in their order.

    Of the permutations only those that the bands use are computed.
    """
    count = len(words.places) - 1
    keys, sums = np.empty((chosen.bands, count), np.uint32), np.empty(count, np.uint64)
    kernels().look(words.hashes, words.places, *_used(chosen), chosen.rows, keys, sums)
    return keys, sums


def look_at(texts: Packed, chosen: Banding) -> tuple[Codes, Ints, Hashes]:
    """``look`` at the words of texts; between keys and digests, how many words each has."""
    if not grams.is_compiled():
        words = grams.read(texts)
        keys, sums = look(words, chosen)
        return keys, np.diff(words.places).astype(np.int32), sums
    from corpus.grams import native

    count = len(texts.ends)
    keys, sums = np.empty((chosen.bands, count), np.uint32), np.empty(count, np.uint64)
    given = native.arrays(texts, np.zeros(count, np.uint8))
    kernels().look_at(*given, *_used(chosen), chosen.rows, keys, sums)
    counts = np.diff(given[5]).astype(np.int32)
    again = np.flatnonzero(counts == 0)
    if len(again):  # they are normalised in Python, or have no word
        words = grams.read(grams.pack([texts.text(place) for place in again.tolist()]))
        keys[:, again], sums[again] = look(words, chosen)
        counts[again] = np.diff(words.places)
    return keys, counts, sums


def _used(chosen: Banding) -> tuple[Codes, Codes]:
    """The permutations that bands use, up to whole eights."""
    factors, terms = _permutations()
    count = -(-chosen.bands * chosen.rows // 8) * 8
    return factors[:count], terms[:count]


def digests(found: Grams) -> Hashes:
    """A number for the words of each text in their order: its shingles, each mixed with its place.

    A sum of products with the places would be the same for any order of repeated blocks that keeps
    the sum of their places.
    """
    at = np.arange(len(found.hashes)) - np.repeat(found.places[:-1], np.diff(found.places))
    terms = grams.mixed(found.hashes ^ ((2 * at + 1).astype(np.uint64) * np.uint64(DIGEST)))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
    summed: Hashes = sums[found.places[1:]] - sums[found.places[:-1]]
    return summed


def band_keys(signatures: Codes, chosen: Banding) -> Codes:
    """The 32-bit key of each band (row) of each signature (column)."""
    out = np.empty((chosen.bands, len(signatures)), np.uint32)
    kernels().band_keys(signatures, chosen.rows, out)
    return out


def lean(signature: Codes) -> LeanMinHash:
    """A row of signatures as datasketch's own object."""
    from datasketch import LeanMinHash

    return LeanMinHash(seed=SEED, hashvalues=signature, scheme="affine32")


def lsh(signatures: Sequence[Codes], ids: Sequence[str], threshold: float) -> MinHashLSH:
    """A datasketch index over signatures: does this text repeat one of a million?

    Ask it with ``lsh.query(lean(sign(...)[0]))``; what it names are candidates, to be measured.
    """
    from datasketch import MinHashLSH

    chosen = banding(threshold)
    index = MinHashLSH(num_perm=PERMUTATIONS, params=(chosen.bands, chosen.rows))
    with index.insertion_session() as session:
        for name, signature in zip(ids, signatures, strict=True):
            session.insert(name, lean(signature), check_duplication=False)
    return index


@cache
def _permutations() -> tuple[Codes, Codes]:
    """The factors and terms of datasketch's permutations, as contiguous uint32."""
    from datasketch import MinHash

    factors, terms = MinHash(PERMUTATIONS, seed=SEED, scheme="affine32").permutations
    return (
        np.ascontiguousarray(factors, dtype=np.uint32),
        np.ascontiguousarray(terms, dtype=np.uint32),
    )
