"""Who may be like whom: texts that share the key of a band share a bucket.

In place of one great hash table per band, which outgrows every cache, a small table of counters
tells who shares a key with somebody, and only those are sorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corpus.dedup.kernels import kernels
from corpus.dedup.survey import spread
from corpus.grams.types import Codes, Ints, Places


@dataclass(frozen=True, slots=True)
class Buckets:
    """``docs[i]`` is in bucket ``numbers[i]``; members stand together, numbers ascend."""

    docs: Ints
    numbers: Ints
    count: int


def buckets(keys: Codes, workers: int, places: Ints | None = None) -> Buckets:
    """The buckets of at least two texts, band by band; ``places`` names the columns of ``keys``."""
    found = list(spread(_groups, keys, workers))
    docs, numbers, count = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)], 0
    for members, groups in found:
        docs.append(members if places is None else places[members])
        numbers.append(groups + count)
        count += int(groups[-1]) + 1 if len(groups) else 0
    return Buckets(np.concatenate(docs), np.concatenate(numbers), count)


def joined(parts: Sequence[Buckets]) -> Buckets:
    """Several sets of buckets as one; the numbers of a later set go on from those before it."""
    numbers, count = [np.zeros(0, np.int32)], 0
    for part in parts:
        numbers.append(part.numbers + np.int32(count))
        count += part.count
    docs = [np.zeros(0, np.int32), *(part.docs for part in parts)]
    return Buckets(np.concatenate(docs), np.concatenate(numbers), count)


def _groups(keys: Codes) -> tuple[Ints, Ints]:
    """Those who share a key, key by key, and the number of the key of each."""
    size = 1 << max(10, int(8 * len(keys)).bit_length())
    out = np.empty(len(keys), np.int32)
    count = kernels().repeated(keys, np.zeros(size, np.uint8), out)
    members = out[:count]
    own = keys[members]
    order = np.argsort(own, kind="stable")
    members, own = members[order], own[order]
    fresh = np.ones(count + 1, bool)
    fresh[1:-1] = own[1:] != own[:-1]
    shared = ~(fresh[:-1] & fresh[1:])
    numbers = np.cumsum(fresh[:-1][shared], dtype=np.int32) - np.int32(1)
    return members[shared], numbers


def places_of(positions: Ints, found: Buckets, count: int) -> tuple[Places, Ints]:
    """The buckets of each of ``count`` positions, from ``starts[p]`` to ``starts[p + 1]``."""
    starts, numbers = np.zeros(count + 1, np.int64), np.empty(len(found.docs), np.int32)
    kernels().by_document(positions, found.numbers, starts, numbers)
    return starts, numbers
