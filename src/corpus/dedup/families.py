"""From texts to duplicates: candidates by bands, each measured exactly, the best one kept.

Documents are taken best first, and each is compared with those that were kept before it. So a
document is dropped only for being close to one that stays, never at the end of a chain of small
steps; the best of a family always stays; a family of thousands costs its members once each; and
the order of the input changes nothing.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from corpus import grams
from corpus.dedup import exact
from corpus.dedup.buckets import Buckets, buckets, joined, places_of
from corpus.dedup.kernels import kernels
from corpus.dedup.names import Mask
from corpus.dedup.signatures import Banding, banding, shingled
from corpus.dedup.sources import Held, Source
from corpus.dedup.survey import Hidden, Survey, chunks, hide, spread, survey
from corpus.errors import InputError
from corpus.grams import Grams, Hashes
from corpus.grams.types import Flags, Floats, Ints
from corpus.records import Duplicate

BATCH_WORDS = 1 << 17  # of the documents that are measured at a time
MOST_IN_MEMORY = 1 << 22  # shingles of one family; a larger one goes to a scratch file
METHODS = ("minhash", "minhash-masked")


class Item(NamedTuple):
    """A text to compare; ``score`` ranks it among its likes; ``mask`` asks for the second look.

    A ``fixed`` one is only compared with: it stays, whatever it is like.
    """

    id: str
    text: str
    score: float = 0.0
    mask: bool = False
    fixed: bool = False


@dataclass(slots=True)
class Found:
    """The duplicates, sorted by id, and how many candidate pairs were measured for them."""

    duplicates: list[Duplicate] = field(default_factory=list)
    candidates: int = 0
    mask: Mask | None = field(default=None, repr=False)


class Known(Protocol):
    """Texts that were looked at before: the first ones of a source."""

    ids: list[str]
    names: Hashes

    def survey(self, chosen: Banding) -> Survey:
        """What is known of them."""

    def hidden(self, chosen: Banding) -> Hidden:
        """The same with their names hidden."""


@dataclass(frozen=True, slots=True)
class Entries:
    """What a search knows of its texts beside their words, each a column."""

    ids: Sequence[str]
    scores: Floats
    masks: Flags
    fixed: Flags

    @classmethod
    def alike(cls, ids: Sequence[str], *, mask: bool) -> Entries:
        """Texts of one rank, of which none is fixed."""
        count = len(ids)
        masks = np.full(count, mask, np.uint8)
        return cls(ids, np.zeros(count), masks, np.zeros(count, np.uint8))

    @classmethod
    def of(cls, items: Sequence[Item]) -> Entries:
        """The columns of items."""
        ids, _, scores, masks, fixed = zip(*items, strict=True) if items else ((),) * 5
        flags = [np.array(column, np.uint8) for column in (masks, fixed)]
        return cls(ids, np.array(scores, np.float64), *flags)


@dataclass(frozen=True, slots=True)
class How:
    """How to search: by bands or ``exact``, on how many threads, with which names beside its own.

    ``names`` are word hashes, sorted; the names that the texts themselves show are added.
    """

    threshold: float = 0.7
    exact: bool = False
    workers: int = 1
    names: Hashes = field(default_factory=lambda: np.zeros(0, np.uint64))


def find(items: Sequence[Item], *, threshold: float = 0.7) -> list[Duplicate]:
    """The items that repeat a better one, sorted by id.

    Better is: the higher score, then the more words, then the smaller id. ``method`` is "exact"
    (the same words in the same order; similarity 1), "minhash", or "minhash-masked", where both
    items ask for the mask and ``similarity`` is that of the masked texts; "against-" stands before
    it where the original is a fixed item. ``cluster`` is the id of the document that stays for
    the whole family. Time grows with the number of words, and with the pairs that are candidates.

    Raises:
        InputError: the threshold is not in (0, 1], or two items have the same id.
    """
    return search(items, threshold=threshold).duplicates


def search(
    items: Sequence[Item],
    *,
    threshold: float = 0.7,
    all_pairs: bool = False,
    workers: int | None = None,
) -> Found:
    """``find``, with its count of candidates.

    ``all_pairs`` finds every pair, by the join of ``corpus.dedup.exact`` instead of bands;
    ``workers`` is the number of threads (default: one for each core that the process may use).
    """
    check(threshold)
    check_ids(items)
    source = Held([item.text for item in items])
    how = How(threshold, exact=all_pairs, workers=workers or cores())
    return compare(source, Entries.of(items), how)


def compare(source: Source, entries: Entries, how: How, known: Known | None = None) -> Found:
    """The search itself, over texts wherever they are; the first may be ``known`` by an index."""
    chosen = banding(how.threshold)
    first = len(known.ids) if known else 0
    wanted = np.flatnonzero(entries.masks).astype(np.int32)
    seen, tally = survey(source, chosen, first=first, workers=how.workers, capitals=len(wanted) > 0)
    mask = None
    if len(wanted):
        names = np.union1d(tally.names(), how.names)
        mask = Mask(np.union1d(names, known.names) if known else names)
    if known:
        seen = known.survey(chosen).joined(seen)
    if how.exact:
        parts = _all_pairs(source, len(entries.ids), wanted, mask, how)
    else:
        parts = [buckets(seen.keys, how.workers)]
    if mask and not how.exact:
        hidden = hide(source, wanted[wanted >= first], mask, chosen, workers=how.workers)
        if known:
            hidden = known.hidden(chosen).joined(hidden)
        parts.append(buckets(hidden.keys, how.workers, hidden.places))
    found = settle(source, entries, seen, parts, mask, how)
    found.mask = mask
    return found


def _all_pairs(
    source: Source, count: int, wanted: Ints, mask: Mask | None, how: How
) -> list[Buckets]:
    """The buckets of plain texts, and those of the ``wanted`` ones with their names hidden."""
    parts = [exact.buckets(source, np.arange(count, dtype=np.int32), how.threshold)]
    return parts + ([exact.buckets(source, wanted, how.threshold, mask)] if mask else [])


def settle(
    source: Source,
    entries: Entries,
    seen: Survey,
    parts: Sequence[Buckets],
    mask: Mask | None,
    how: How,
) -> Found:
    """Measure who shares a bucket, best first, family by family."""
    found = joined(parts)
    parents = np.arange(len(entries.ids), dtype=np.int32)
    kernels().unite(found.docs, found.numbers, parents)
    if not len(found.docs):
        return Found()
    shared = np.flatnonzero(np.bincount(found.docs)).astype(np.int32)
    order = _ranked(shared, entries, seen.words, parents)
    desk = _Desk.laid(found, order, entries, split=parts[0].count)

    def measure(span: tuple[int, int]) -> int:
        low, high = span
        plain, masked = _shingles(source, order[low:high], mask, entries.masks, seen.words)
        met: int = kernels().settle(
            low, high, how.threshold, plain.hashes, plain.places, masked.hashes, masked.places,
            desk.starts, desk.middles, desk.numbers, desk.owners, desk.heads, desk.links,
            desk.fixed, desk.originals, desk.likeness, desk.methods,
        )  # fmt: skip
        return met

    spans = _spans(parents[order], seen.words[order])
    met = sum(spread(measure, spans, how.workers))
    return Found(sorted(_duplicates(desk, order, entries, seen.digests), key=_by_id), met)


def check(threshold: float) -> None:
    """Refuse a threshold that has no meaning.

    Raises:
        InputError: it is not in (0, 1].
    """
    if not 0 < threshold <= 1:
        raise InputError(f"threshold {threshold}: must be over 0 and at most 1")


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class _Desk:
    """The arrays that measuring works on; positions are ranks within families."""

    starts: grams.Places
    middles: grams.Places
    numbers: Ints
    owners: Ints
    heads: Ints
    links: Ints
    fixed: Flags
    originals: Ints
    likeness: Floats
    methods: Flags

    @classmethod
    def laid(cls, found: Buckets, order: Ints, entries: Entries, split: int) -> _Desk:
        """Nobody measured yet; buckets from ``split`` on are those of masked texts."""
        positions = np.empty(len(entries.ids), np.int32)
        positions[order] = np.arange(len(order), dtype=np.int32)
        starts, numbers = places_of(positions[found.docs], found, len(order))
        plain = np.concatenate([[0], np.cumsum(numbers < split)])
        return cls(
            starts,
            starts[:-1] + plain[starts[1:]] - plain[starts[:-1]],
            numbers,
            np.repeat(np.arange(len(order), dtype=np.int32), np.diff(starts)),
            np.full(found.count, -1, np.int32),
            np.full(len(numbers), -1, np.int32),
            entries.fixed[order],
            np.full(len(order), -1, np.int32),
            np.zeros(len(order)),
            np.zeros(len(order), np.uint8),
        )


def _ranked(docs: Ints, entries: Entries, words: Ints, parents: Ints) -> Ints:
    """The documents that share a bucket, family by family, the best of each first."""
    keys = (-words[docs], -entries.scores[docs], entries.fixed[docs] == 0, parents[docs])
    order = np.lexsort(keys)
    docs = docs[order]
    tied = np.all([key[order][1:] == key[order][:-1] for key in keys], axis=0)
    edges = np.flatnonzero(np.diff(tied, prepend=False, append=False)).tolist()
    for low, high in zip(edges[::2], edges[1::2], strict=True):  # equals go by their names
        docs[low : high + 1] = sorted(docs[low : high + 1].tolist(), key=entries.ids.__getitem__)
    return docs


def _spans(families: Ints, words: Ints) -> Iterator[tuple[int, int]]:
    """Cut positions into runs of whole families with some half a million words."""
    ends = np.append(np.flatnonzero(families[1:] != families[:-1]) + 1, len(families))
    sums = np.cumsum(words, dtype=np.int64)
    low = held = 0
    for end in ends.tolist():
        if sums[end - 1] - held >= BATCH_WORDS or end == len(families):
            yield low, end
            low, held = end, int(sums[end - 1])


def _shingles(
    source: Source, docs: Ints, mask: Mask | None, masks: Flags, words: Ints
) -> tuple[Grams, Grams]:
    """The shingles of documents, plain and with names hidden, in arrays that may be changed."""
    most = int(words[docs].sum(dtype=np.int64))
    plain, masked = _Shelf(most), _Shelf(most if mask else 0)
    for part in chunks(source.sizes[docs]):
        some = docs[part.start : part.stop]
        found = grams.read(source.some(some.tolist()))
        plain.put(shingled(found))
        if mask:
            masked.put(shingled(mask.hide(_only(found, masks[some]))))
    empty = Grams(np.zeros(0, np.uint64), np.zeros(len(docs) + 1, np.int64))
    return plain.all(), masked.all() if mask else empty


def _only(found: grams.Words, wanted: Flags) -> grams.Words:
    """The words of the wanted texts; none of the others."""
    if wanted.all():
        return found
    counts = np.diff(found.places)
    places = np.concatenate([[0], np.cumsum(np.where(wanted > 0, counts, 0))])
    return grams.Words(found.hashes[np.repeat(wanted > 0, counts)], places, found.marks)


class _Shelf:
    """Shingles one after another, in memory or, where they are many, in a scratch file."""

    def __init__(self, most: int) -> None:
        self._places = [np.zeros(1, np.int64)]
        self._end = 0
        self._hashes: Hashes
        if most > MOST_IN_MEMORY:
            with tempfile.TemporaryFile() as file:
                self._hashes = np.memmap(file, np.uint64, "w+", shape=most)
        else:
            self._hashes = np.empty(most, np.uint64)

    def put(self, more: Grams) -> None:
        """Add the shingles of texts."""
        self._hashes[self._end : self._end + len(more.hashes)] = more.hashes
        self._places.append(more.places[1:] + self._end)
        self._end += len(more.hashes)

    def all(self) -> Grams:
        """All of them."""
        return Grams(np.asarray(self._hashes[: self._end]), np.concatenate(self._places))


def _duplicates(desk: _Desk, order: Ints, entries: Entries, digests: Hashes) -> Iterator[Duplicate]:
    """The documents that do not stay, each with what it repeats."""
    gone = np.flatnonzero(desk.originals >= 0)
    docs, kept = order[gone], order[desk.originals[gone]]
    same = (digests[docs] == digests[kept]) & (desk.methods[gone] == 0)
    columns = (docs, kept, desk.likeness[gone], desk.methods[gone], same, entries.fixed[kept])
    for doc, other, likeness, method, alike, fixed in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        how = "exact" if alike else METHODS[method]
        original = entries.ids[other]
        how = f"against-{how}" if fixed else how
        yield Duplicate(entries.ids[doc], original, likeness, how, original)


def _by_id(duplicate: Duplicate) -> str:
    return duplicate.id


def check_ids(items: Sequence[Item]) -> None:
    """Refuse ids that are not unique.

    Raises:
        InputError: an id comes twice.
    """
    if len({item.id for item in items}) < len(items):
        name, count = Counter(item.id for item in items).most_common(1)[0]
        raise InputError(f"id {name!r} comes {count} times; ids must be unique")
