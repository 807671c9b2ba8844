"""The loop: what a build learns of itself after every round, and what the next round makes of it.

After each round the counters are taken again over everything that is kept: what there is too much
of becomes orders to later prompts, planned cells that stayed empty are dealt first, and an arm (a
kind, or a section) whose last texts hardly say anything new is dealt no more. Everything is worked
out from what was settled, in plan order, so a build that is killed and resumed learns the same, and
``loop.jsonl`` has one row a round that says what was learned.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from corpus.records import Brief, Stream
from corpus.score import Novelty, Text, effective_topics

FILE = "loop.jsonl"
LAST = 20  # texts of an arm that are looked at
ENOUGH = 10  # of them, before it is judged
EXTRA = 2  # more deals that an empty cell gets after its attempts

Cell = tuple[Stream, str, str]


@dataclass
class Loop:
    """What was learned by now.

    Attributes:
        floor: the share of new 8-grams under which an arm stops; 0 stops none.
        bans: what later texts may not do again.
        stopped: the kinds and sections that are dealt no more, as ``("kind", name)`` and
            ``("section", id)``.
        holes: planned cells (stream, section, kind) without a kept text, to be dealt first.
        rows: one per round.
    """

    floor: float
    bans: tuple[str, ...] = ()
    stopped: frozenset[tuple[str, str]] = frozenset()
    holes: tuple[Cell, ...] = ()
    rows: list[dict[str, Any]] = field(default_factory=list)
    _novelty: Novelty = field(default_factory=Novelty)
    _arms: dict[tuple[str, str], deque[tuple[int, int]]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=LAST))
    )
    _known: set[str] = field(default_factory=set)
    _extra: Counter[Cell] = field(default_factory=Counter)
    _words: int = 0

    def learn(
        self,
        kept: Sequence[tuple[Brief, Text]],
        settled: Sequence[Brief],
        again: Iterable[Brief],
        bans: tuple[str, ...],
    ) -> None:
        """Take in a round.

        Args:
            kept: every brief whose text is kept by now, with it, in plan order.
            settled: every brief that was settled, in plan order.
            again: briefs that have attempts left.
            bans: what there is too much of by now.
        """
        new, total = 0, 0
        for brief, text in kept:
            if text.id in self._known:
                continue
            self._known.add(text.id)
            self._words += len(text.text.split())
            count = self._novelty.add(text.text)
            new, total = new + count[0], total + count[1]
            for arm in (("kind", brief.kind), ("section", brief.section)):
                self._arms[arm].append(count)
        self.bans = bans
        self.holes = self._empty([brief for brief, _ in kept], settled, again)
        self.stopped |= self._spent(settled)
        topics = effective_topics(text for _, text in kept)
        self.rows.append(self._row(len(kept), new / total if total else None, topics))

    def _row(self, documents: int, novelty: float | None, topics: float | None) -> dict[str, Any]:
        """The line of ``loop.jsonl`` that says what this round taught."""
        shares = sorted(self._shares().items())
        return {
            "round": len(self.rows) + 1,
            "documents": documents,
            "words": self._words,
            "ngrams": self._novelty.estimate,
            "novelty": None if novelty is None else round(novelty, 6),
            "topics": round(topics, 1) if topics else None,
            "arms": {f"{what} {name}": round(share, 6) for (what, name), share in shares},
            "stopped": [f"{what} {name}" for what, name in sorted(self.stopped)],
            "holes": [list(cell) for cell in self.holes],
            "bans": list(self.bans),
        }

    def _shares(self) -> dict[tuple[str, str], float]:
        """The share of new 8-grams in the last texts of every arm that has enough of them."""
        found = {}
        for arm, counts in self._arms.items():
            total = sum(every for _, every in counts)
            if len(counts) >= ENOUGH and total:
                found[arm] = sum(new for new, _ in counts) / total
        return found

    def _spent(self, settled: Collection[Brief]) -> set[tuple[str, str]]:
        """Arms under the floor, the emptiest first; the last of a stream goes on."""
        low = {arm: share for arm, share in self._shares().items() if share < self.floor}
        stopped = set(self.stopped)
        for what, name in sorted(low, key=lambda arm: (low[arm], arm)):
            mine = [one for one in settled if (one.kind if what == "kind" else one.section) == name]
            for stream in {one.stream for one in mine}:
                rivals = {
                    one.kind if what == "kind" else one.section
                    for one in settled
                    if one.stream == stream
                }
                if not rivals - {name} - {other for kind, other in stopped if kind == what}:
                    break
            else:
                stopped.add((what, name))
        return stopped

    def _empty(
        self, kept: Iterable[Brief], settled: Iterable[Brief], again: Iterable[Brief]
    ) -> tuple[Cell, ...]:
        """Cells that were planned, hold nothing, and will not be filled by a further attempt."""
        filled = {cell_of(brief) for brief in (*kept, *again)}
        planned = dict.fromkeys(map(cell_of, settled))
        holes = [cell for cell in planned if cell not in filled and self._extra[cell] < EXTRA]
        self._extra.update(holes)
        return tuple(holes)


def cell_of(brief: Brief) -> Cell:
    """The cell of the plan that a brief is to fill."""
    return brief.stream, brief.section, brief.kind
