"""The first look at every text: signatures, band keys, digests, and the same with names hidden.

Texts come in chunks, so that only one chunk per worker is ever in memory as words; what stays of a
text is some hundred bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from corpus import grams
from corpus.dedup.names import Mask, Tally
from corpus.dedup.signatures import Banding, look, look_at
from corpus.dedup.sources import Source
from corpus.grams.types import Codes, Hashes, Ints, Places

MOST_TEXTS, MOST_BYTES = 64, 1 << 18  # of a chunk: what stays in a second-level cache
SHARED = 4
"""How much larger chunks are where threads share the GIL: of small ones each waits for it too
often, and large ones stay in no cache (two cores were 1.61 times one with chunks twice as large,
1.65 with four times, 1.47 with eight)."""

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known of every text: the keys of its bands (one column each), words, digest."""

    keys: Codes
    words: Ints
    digests: Hashes

    def joined(self, other: Survey) -> Survey:
        """This and, after it, another."""
        return Survey(
            np.concatenate([self.keys, other.keys], axis=1),
            np.concatenate([self.words, other.words]),
            np.concatenate([self.digests, other.digests]),
        )


@dataclass(frozen=True, slots=True)
class Hidden:
    """The keys of those texts that are something else with their names hidden: their ``places``."""

    keys: Codes
    places: Ints

    def joined(self, other: Hidden) -> Hidden:
        """This and, after it, another."""
        return Hidden(
            np.concatenate([self.keys, other.keys], axis=1),
            np.concatenate([self.places, other.places]),
        )


def survey(
    source: Source, chosen: Banding, *, first: int = 0, workers: int, capitals: bool
) -> tuple[Survey, Tally]:
    """Read every text from ``first`` on; ``capitals`` asks for the tally that names come from."""
    grams.expect(int(source.sizes.sum()))
    tallies: dict[int, Tally] = {}

    def seen(part: range) -> tuple[Codes, Ints, Hashes]:
        places = range(part.start + first, part.stop + first)
        if not capitals:
            return look_at(source.some(places), chosen)
        words = grams.read(source.some(places), capitals=True)
        tallies.setdefault(threading.get_ident(), Tally()).add(words)
        keys, digests = look(words, chosen)
        return keys, np.diff(words.places).astype(np.int32), digests

    found = list(spread(seen, chunks(source.sizes[first:], workers), workers))
    tally = Tally()
    for part in tallies.values():
        tally.absorb(part)
    empty = np.zeros((chosen.bands, 0), np.uint32)
    return Survey(
        np.concatenate([empty, *(keys for keys, _, _ in found)], axis=1),
        np.concatenate([np.zeros(0, np.int32), *(words for _, words, _ in found)]),
        np.concatenate([np.zeros(0, np.uint64), *(digests for _, _, digests in found)]),
    ), tally


def hide(source: Source, wanted: Ints, mask: Mask, chosen: Banding, *, workers: int) -> Hidden:
    """Read the ``wanted`` texts (places, ascending) with their names hidden."""

    def seen(part: range) -> tuple[Codes, Ints]:
        places = wanted[part.start : part.stop]
        words = mask.hide(grams.read(source.some(places.tolist())))
        keys, _ = look(words, chosen)
        worth = np.flatnonzero(np.diff(words.places))
        return np.ascontiguousarray(keys[:, worth]), places[worth]

    found = list(spread(seen, chunks(source.sizes[wanted], workers), workers))
    empty = np.zeros((chosen.bands, 0), np.uint32)
    return Hidden(
        np.concatenate([empty, *(keys for keys, _ in found)], axis=1),
        np.concatenate([np.zeros(0, np.int32), *(places for _, places in found)]),
    )


def chunks(sizes: Places, workers: int = 1) -> Iterator[range]:
    """Cut texts into runs of at most 64 texts or 256 KiB; a larger text is a run alone.

    For several workers runs are larger; see ``SHARED``.
    """
    scale = SHARED if workers > 1 else 1
    most_texts, most_bytes = scale * MOST_TEXTS, scale * MOST_BYTES
    start = size = 0
    for place, more in enumerate(sizes.tolist()):
        if place > start and (place - start == most_texts or size + more > most_bytes):
            yield range(start, place)
            start, size = place, 0
        size += more
    if start < len(sizes):
        yield range(start, len(sizes))


def spread(work: Callable[[A], B], jobs: Iterable[A], workers: int) -> Iterator[B]:
    """The results of ``work`` on each job, in order, on so many threads: kernels let them run."""
    if workers == 1:
        yield from map(work, jobs)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(work, jobs)
