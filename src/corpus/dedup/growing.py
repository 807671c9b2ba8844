"""Near-copies in a corpus that grows round by round: what was read is not read again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corpus.dedup.buckets import buckets
from corpus.dedup.families import Entries, How, Item, check, check_ids, cores, settle
from corpus.dedup.names import Mask, Tally
from corpus.dedup.signatures import banding
from corpus.dedup.sources import Held
from corpus.dedup.survey import Hidden, Survey, hide, survey
from corpus.records import Duplicate


class Growing:
    """``find`` for items that are given again and again, each time with more of them at the end.

    It answers what ``find`` answers. Signatures of texts that were there before are kept; those
    with names hidden are made again only when the corpus has changed its mind about a name.

    Raises:
        InputError: the threshold is not in (0, 1].
    """

    def __init__(self, threshold: float = 0.7) -> None:
        check(threshold)
        self._how = How(threshold, workers=cores())
        self._start()

    def _start(self) -> None:
        self._ids: list[str] = []
        self._seen: Survey | None = None
        self._hidden: Hidden | None = None
        self._mask: Mask | None = None
        self._tally = Tally()
        self._capitals = False

    def find(self, items: Sequence[Item]) -> list[Duplicate]:
        """The items that repeat a better one, sorted by id.

        Raises:
            InputError: two items have the same id.
        """
        check_ids(items)
        source, entries = Held([item.text for item in items]), Entries.of(items)
        capitals = bool(entries.masks.any())
        others = list(entries.ids[: len(self._ids)]) != self._ids
        if others or (capitals and not self._capitals):  # the first one whose names are hidden
            self._start()
        self._capitals |= capitals
        first = len(self._ids)
        chosen, workers = banding(self._how.threshold), self._how.workers
        seen, tally = survey(source, chosen, first=first, workers=workers, capitals=self._capitals)
        self._seen = self._seen.joined(seen) if self._seen else seen
        self._tally.absorb(tally)
        self._ids = list(entries.ids)
        parts = [buckets(self._seen.keys, workers)]
        hidden = self._hide(source, entries, first)
        parts.append(buckets(hidden.keys, workers, hidden.places))
        return settle(source, entries, self._seen, parts, self._mask, self._how).duplicates

    def _hide(self, source: Held, entries: Entries, first: int) -> Hidden:
        """The items that ask for it, with the names of the corpus as it is now hidden."""
        mask = Mask(self._tally.names())
        same = self._mask is not None and np.array_equal(self._mask.names, mask.names)
        wanted = np.flatnonzero(entries.masks).astype(np.int32)
        if same:
            wanted = wanted[wanted >= first]
        chosen = banding(self._how.threshold)
        fresh = hide(source, wanted, mask, chosen, workers=self._how.workers)
        self._hidden = self._hidden.joined(fresh) if same and self._hidden else fresh
        self._mask = mask
        return self._hidden
