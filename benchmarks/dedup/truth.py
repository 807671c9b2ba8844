"""The exact truth: every pair of documents whose word 5-grams overlap enough, and no hash in it.

It shares nothing with the program but the definition of a shingle, which is written a second time
(``spoken``): NFKC, casefold, words, runs of five. Words are numbered, and runs by pairs of numbers
(``numpy.unique``, three times), so two shingles are one number exactly if they are the same words.
Then an all-pairs join with a prefix filter: two sets of Jaccard index t or more must share one of
the |x| - ceil(t |x|) + 1 rarest shingles of each (Chaudhuri et al. 2006; Bayardo et al., "Scaling
up all pairs similarity search", 2007). Every pair that shares one is merged and counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from benchmarks.dedup.planted import chances
from benchmarks.dedup.spoken import SHINGLE, shingles, words
from numpy.typing import NDArray

SLACK = 1e-9  # of a rounded product; it lets a pair more be merged, never one less

Ints = NDArray[np.int64]


class Truth(NamedTuple):
    """Pairs of places in the corpus, the smaller first, and their Jaccard index."""

    one: Ints
    other: Ints
    similarity: NDArray[np.float64]

    def pairs(self) -> dict[tuple[int, int], float]:
        """The pairs as a table."""
        of = zip(self.one.tolist(), self.other.tolist(), strict=True)
        return dict(zip(of, self.similarity.tolist(), strict=True))


def jaccard(one: str, other: str) -> float:
    """The Jaccard index of two texts, by Python sets."""
    first, second = shingles(one), shingles(other)
    return len(first & second) / len(first | second)


def pairs(texts: Iterable[str], threshold: float) -> Truth:
    """Every pair of texts with a Jaccard index of ``threshold`` or more, sorted."""
    owner, shingle, count = _numbered(texts)
    sizes = np.bincount(owner, minlength=count)
    order = np.argsort(sizes, kind="stable")  # smallest first
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    uses = np.bincount(shingle)
    shared = uses[shingle] > 1  # a shingle of one document is in no intersection
    rarity = np.empty(len(uses), np.int64)
    rarity[np.argsort(uses, kind="stable")] = np.arange(len(uses))
    keys = np.sort((rank[owner[shared]] << 32) | rarity[shingle[shared]])
    starts = np.searchsorted(keys, np.arange(count + 1) << 32)
    low, high, overlap = _join(starts, keys & 0xFFFFFFFF, sizes[order], len(uses), threshold)
    one, other = order[low], order[high]
    similarity = overlap / (sizes[one] + sizes[other] - overlap)
    one, other = np.minimum(one, other), np.maximum(one, other)
    sort = np.lexsort((other, one))
    return Truth(one[sort], other[sort], similarity[sort])


def _numbered(texts: Iterable[str]) -> tuple[Ints, Ints, int]:
    """The set of shingles of every text, as (text, shingle) numbers, and the number of texts."""
    known: dict[str, int] = {"": 0}  # "" fills up what has fewer than five words
    flat: list[NDArray[np.int32]] = []
    runs: list[int] = []
    for text in texts:
        said = words(text)
        said += [""] * (SHINGLE - len(said))
        numbers = (known.setdefault(word, len(known)) for word in said)
        flat.append(np.fromiter(numbers, np.int32, len(said)))
        runs.append(len(said) - SHINGLE + 1)
    count = len(runs)
    if not count:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), 0
    word = np.concatenate(flat)
    del flat, known
    two = _renumbered(word[:-1], word[1:])
    four = _renumbered(two[:-2], two[2:])
    five = _renumbered(four[:-1], word[4:])
    del word, two, four
    owner = np.repeat(np.arange(count), runs)
    begin = np.cumsum([0, *(run + SHINGLE - 1 for run in runs[:-1])])
    at = begin[owner] + np.arange(len(owner)) - np.repeat(np.cumsum([0, *runs[:-1]]), runs)
    keys = np.unique((owner << 32) | five[at])
    return keys >> 32, keys & 0xFFFFFFFF, count


def _renumbered(left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.int32]:
    """One number for each pair of numbers below 2^31, equal exactly for equal pairs."""
    both = (left.astype(np.int64) << 32) | right
    return np.unique(both, return_inverse=True)[1].astype(np.int32)


def _join(
    starts: Ints, members: Ints, sizes: Ints, vocabulary: int, threshold: float
) -> tuple[Ints, Ints, Ints]:
    """The compiled join, given room for its pairs and for its lists."""
    prefixes = np.array([_prefix(size, threshold) for size in sizes.tolist()], np.int64)
    held = starts[1:] - starts[:-1]
    prefixes = np.maximum(0, prefixes - (sizes - held))  # the rarest are those of one document
    room = 1 << 16
    while True:
        found = np.empty((room, 3), np.int64)
        count = _all_pairs(starts, members, sizes, prefixes, vocabulary, threshold, found)
        if count <= room:
            return found[:count, 0], found[:count, 1], found[:count, 2]
        room = count


def _prefix(size: int, threshold: float) -> int:
    """How many of the rarest shingles of a set must hold one that a partner has as well."""
    return size - math.ceil(threshold * size - SLACK) + 1


@numba.njit(cache=True)
def _all_pairs(starts, members, sizes, prefixes, vocabulary, threshold, found):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Fill ``found`` with (smaller, larger, overlap); the count goes on where the room ends."""
    last = np.full(vocabulary, -1, np.int64)  # the newest entry of each shingle's list
    before = np.empty(prefixes.sum(), np.int64)
    whose = np.empty(prefixes.sum(), np.int64)
    met = np.full(len(sizes), -1, np.int64)
    entries = 0
    count = 0
    for own in range(len(sizes)):
        for at in range(starts[own], starts[own] + prefixes[own]):
            entry = last[members[at]]
            while entry >= 0:
                other = whose[entry]
                entry = before[entry]
                if sizes[other] < threshold * sizes[own] - SLACK:
                    break  # lists grow by size: what is further back is smaller still
                if met[other] == own:
                    continue
                met[other] = own
                overlap = _overlap(
                    members, starts[own], starts[own + 1], starts[other], starts[other + 1]
                )
                if overlap / (sizes[own] + sizes[other] - overlap) >= threshold:
                    if count < len(found):
                        found[count, 0] = other
                        found[count, 1] = own
                        found[count, 2] = overlap
                    count += 1
        for at in range(starts[own], starts[own] + prefixes[own]):
            before[entries] = last[members[at]]
            whose[entries] = own
            last[members[at]] = entries
            entries += 1
    return count


@numba.njit(cache=True)
def _overlap(members, left, left_end, right, right_end):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """How many members two sorted runs share."""
    shared = 0
    while left < left_end and right < right_end:
        if members[left] == members[right]:
            shared += 1
            left += 1
            right += 1
        elif members[left] < members[right]:
            left += 1
        else:
            right += 1
    return shared


def kept(path: Path, texts: Sequence[str], threshold: float) -> Truth:
    """``pairs``, kept in a file beside the corpus."""
    if not path.exists():
        found = pairs(texts, threshold)
        whole = path.with_suffix(".part.npz")
        np.savez(whole, one=found.one, other=found.other, similarity=found.similarity)
        whole.replace(path)
    with np.load(path) as stored:
        return Truth(stored["one"], stored["other"], stored["similarity"])


def check(
    found: Truth,
    texts: Sequence[str],
    planted: Iterable[Mapping[str, Any]],
    place: Mapping[str, int],
    threshold: float,
    count: int = 300,
) -> int:
    """Measure pairs again by plain Python sets; return how many disagree with the truth.

    Half are drawn from the truth, half from the copies planted with their sources, which the truth
    must hold exactly if they reach the threshold.
    """
    chance = chances("pairs to check")
    table = found.pairs()
    drawn = chance.sample(sorted(table), min(count // 2, len(table)))
    copies = [sorted((place[row["id"]], place[row["source"]])) for row in planted]
    drawn += [(a, b) for a, b in chance.sample(copies, min(count - len(drawn), len(copies)))]
    wrong = 0
    for pair in drawn:
        measured = jaccard(texts[pair[0]], texts[pair[1]])
        wrong += table.get(pair) != (measured if measured >= threshold else None)
    return wrong
