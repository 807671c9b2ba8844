"""Rounds: each is planned whole from what the rounds before it settled, then written and judged.

Within a round the stages run one after the other over all of its briefs, so a round is what one
batch can carry, and nothing that arrives early can change what is asked next.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from corpus import dedup, review, score, store, tokens, write
from corpus.build import repeats
from corpus.build.books import Books
from corpus.build.loop import FILE, Loop
from corpus.build.settled import Settled
from corpus.build.sources import Principles, Sources, order_of
from corpus.build.watch import Watch
from corpus.model import Model
from corpus.order import Order
from corpus.plan import TOKENS_PER_WORD, Planner, ordered
from corpus.records import Brief, Document, Duplicate, Reply, Request, Review, Stream, digest
from corpus.score import Text
from corpus.settings import Settings
from corpus.store import Log
from corpus.write import compact

MOST_ROUNDS = 12
BARREN = 20  # briefs in a row, none of them kept, after which nothing more is paid for
PRIOR = 300  # ordered words that the first guess counts for, against what was seen
FEWEST_YIELD, MOST_YIELD = 0.2, 3.0  # tokens per ordered word that a forecast may assume


class Works:
    """Everything that a build has written so far, in plan order, and the files that hold it."""

    def __init__(
        self,
        given: Settings,
        sources: Sources,
        found: Principles,
        model: Model,
        watch: Watch,
        logs: tuple[Path, Log, Log],
    ) -> None:
        self.model = model
        self.tokenizer = tokens.load(given.tokenizer)
        self.settled: list[Settled] = []
        self.duplicates: dict[str, Duplicate] = {}
        self.rounds = 0
        self.goal = 0
        unheard = compact.unheard(given.languages) if model.writer.compact else []
        self.notes = [*repeats.left_out(sources.repeated), *unheard]
        self.books = Books(model.price)
        self.found = found
        self.loop = Loop(given.novelty_floor)
        self.guard = sources.guard
        self.opinions: list[tuple[Mapping[str, float], Mapping[str, float]]] = []  # and the blind
        self.transcript: dict[str, list[tuple[str, Request, Reply]]] | None = None
        self._given, self._sources, self._watch = given, sources, watch
        self._briefs, self._documents, self._reviews = logs
        self._asked: Counter[str] = Counter()
        self._ideas: set[str] = set()
        self._near = dedup.Growing(given.threshold)

    @classmethod
    @contextmanager
    def open(
        cls,
        folder: Path,
        given: Settings,
        sources: Sources,
        found: Principles,
        model: Model,
        watch: Watch,
    ) -> Iterator[Self]:
        """The works of a folder, with its logs open."""
        with Log(folder / "documents.jsonl") as documents, Log(folder / "reviews.jsonl") as reviews:
            logs = (folder / "briefs.jsonl", documents, reviews)
            yield cls(given, sources, found, model, watch, logs)

    @property
    def kept(self) -> list[Settled]:
        """What ships: accepted and no duplicate, in plan order."""
        return [
            one
            for one in self.settled
            if one.review.verdict == "accept" and one.document.id not in self.duplicates
        ]

    def run(self, planner: Planner, goals: Mapping[Stream, int]) -> None:
        """Rounds until every stream has its tokens, or they bring nothing any more."""
        self.goal = sum(goals.values())
        again: list[Brief] = []
        barren = 0
        most = MOST_ROUNDS + 2 * self.goal // self._given.round_tokens
        while self.rounds < most:
            needs = {s: goal - self.kept_tokens(s) for s, goal in goals.items()}
            needs = {stream: need for stream, need in needs.items() if need > 0}
            if not needs:
                return
            before = sum(self.kept_tokens(stream) for stream in goals)
            briefs = self._deal(planner, of_a_round(self._given, needs), again)
            self._round(briefs)
            again = self._to_replace(briefs)
            self._learn(again)
            after = sum(self.kept_tokens(stream) for stream in goals)
            barren = 0 if after > before else barren + len(briefs)
            if barren >= BARREN or (barren and not again):
                break
        short = ", ".join(f"{s} {self.kept_tokens(s):,}/{g:,}" for s, g in goals.items())
        self.notes.append(f"stopped after {self.rounds} rounds short of the goal: {short} tokens")

    def begin(
        self,
        planner: Planner,
        goals: Mapping[Stream, int],
        choose: Callable[[list[Brief]], list[Brief]],
    ) -> int:
        """Write and judge what ``choose`` takes of the first round, and no more.

        The round is dealt whole, as ``run`` deals it, so each of these briefs asks for exactly
        what the build will ask for. Returns how many briefs the round has in all.
        """
        self.goal = sum(goals.values())
        briefs = self._deal(planner, of_a_round(self._given, goals))
        self._round(choose(briefs))
        return len(briefs)

    def _deal(
        self, planner: Planner, needs: Mapping[Stream, int], again: Iterable[Brief] = ()
    ) -> list[Brief]:
        """The briefs of the next round."""
        self.rounds += 1
        scales, loop = self._scales(needs), self.loop
        briefs = planner.round(
            self.rounds, needs, again, scales, holes=loop.holes, stopped=loop.stopped
        )

        def more(words: Mapping[Stream, float]) -> list[Brief]:
            wanted = {stream: count * scales[stream] for stream, count in words.items()}
            return planner.round(self.rounds, wanted, (), scales, stopped=loop.stopped)

        briefs, twice = repeats.redealt(briefs, self._ideas, more)
        self._ideas.update(map(repeats.idea, briefs))
        if twice:
            self.notes.append(repeats.used_up(self.rounds, twice))
        return briefs

    def kept_tokens(self, stream: str) -> int:
        """Kept tokens of a stream."""
        return sum(one.tokens for one in self.kept if one.brief.stream == stream)

    def of(self, stream: str) -> list[Settled]:
        """What was settled of a stream, in plan order."""
        return [one for one in self.settled if one.brief.stream == stream]

    def _round(self, briefs: list[Brief]) -> None:
        """Write and judge these briefs; put it all on file in plan order; find near-copies."""
        orders = {brief.id: self._order(brief) for brief in briefs}
        settled = self._judge(orders, self._write(orders))
        self.settled += settled
        for one, count in zip(settled, self._counts(settled), strict=True):
            one.tokens = count
        store.write_rows(self._briefs, (one.brief.row() for one in self.settled))
        self._documents.append(one.document.row() for one in settled)
        self._reviews.append(one.review.row() for one in settled)
        self._dedup()
        self._watch.kept(len(self.kept), sum(one.tokens for one in self.kept))

    def _order(self, brief: Brief) -> Order:
        return order_of(
            brief,
            self._sources,
            self.found.by_section,
            self.model.writer,
            self._given,
            self.loop.bans,
        )

    def _write(self, orders: Mapping[str, Order]) -> list[tuple[Document, str]]:
        """Every step of every text, step by step; each document with the stop that ended it.

        A text whose reply did not end by itself, or whose plan drifted from what was dealt, goes no
        further: what follows would be wasted.
        """
        author = self.model.writer
        done = {name: write.Progress() for name in orders}
        for step in write.steps(compact=author.compact):
            if step.name not in author.stages:
                continue
            chosen = {
                name: order
                for name, order in orders.items()
                if step.serves(order) and done[name].alive
            }
            asked = {name: step.ask(order, done[name]) for name, order in chosen.items()}
            for name, reply in self._replies(step.name, orders, asked).items():
                done[name] = done[name].add(step.name, step.read(orders[name], reply))
        return [
            (
                write.document(order, done[name], writer=author.name, quality=author.quality),
                done[name].stop,
            )
            for name, order in orders.items()
        ]

    def _judge(
        self, orders: Mapping[str, Order], written: Iterable[tuple[Document, str]]
    ) -> list[Settled]:
        """Gates for all; then the judge for what they let through, asked again if unreadable."""
        reviews: dict[str, Review] = {}
        doubts: dict[str, tuple[str, ...]] = {}
        documents = {document.brief: document for document, _ in written}
        stops = {document.brief: stop for document, stop in written}
        for name, document in documents.items():
            reasons = review.gates(orders[name], document, stops[name])
            if reasons := (*reasons, *self.guard.reasons(document.body)):
                reviews[name] = review.rejected(document, reasons)
            elif "judge" not in self.model.writer.stages:
                reviews[name] = review.passed(document)
            else:
                doubts[name] = self.guard.doubts(document.body)
        for sample in range(review.JUDGE_TRIES):
            asked = {
                name: review.ask(orders[name], document, sample, doubts[name])
                for name, document in documents.items()
                if name not in reviews
            }
            for name, reply in self._replies("judge", orders, asked).items():
                given = review.marks(orders[name])
                verdict = review.read(documents[name], reply, self._given.judge_at_least, given)
                if verdict is not None:
                    reviews[name] = verdict
        self._judge_blindly(orders, documents, reviews)
        return [
            Settled(
                order.brief,
                documents[name],
                reviews.get(name) or review.rejected(documents[name], ("judge_unreadable",)),
            )
            for name, order in orders.items()
        ]

    def _judge_blindly(
        self,
        orders: Mapping[str, Order],
        documents: Mapping[str, Document],
        reviews: Mapping[str, Review],
    ) -> None:
        """A second opinion on a seeded sample of what was judged; it changes no verdict."""
        if not {"judge", "blind"} <= self.model.writer.stages:
            return
        chosen = {
            name: document
            for name, document in documents.items()
            if name in reviews and reviews[name].scores and self._is_sampled(document)
        }
        asked = {name: review.ask_blind(orders[name], one) for name, one in chosen.items()}
        for name, reply in self._replies("blind", orders, asked).items():
            given = review.marks(orders[name], blind=True)
            found = review.read(chosen[name], reply, 1, given)
            if found is not None:
                self.opinions.append((reviews[name].scores, found.scores))

    def _is_sampled(self, document: Document) -> bool:
        drawn = int(digest("blind", self._given.seed, document.id), 16) / 16**16
        return drawn < self._given.blind

    def _replies(
        self, stage: str, orders: Mapping[str, Order], asked: Mapping[str, Request]
    ) -> dict[str, Reply]:
        """The reply to each request by brief, in the order of ``asked``.

        Two briefs that come to the same request get different samples: the journal would else
        answer both with one text.
        """
        if not asked:
            return {}
        self._watch.stage(stage, len(asked), self.rounds)
        keyed: dict[str, str] = {}
        requests: list[Request] = []
        for name, request in asked.items():
            earlier = self._asked[request.key]
            self._asked[request.key] += 1
            distinct = dataclasses.replace(
                request,
                sample=request.sample + 1000 * earlier,
                model=self.model.writer.model_of(stage),
            )
            requests.append(distinct)
            keyed[distinct.key] = name
        found = {}
        by_key = {request.key: request for request in requests}
        for reply in self.model.answer(requests):
            name = keyed[reply.key]
            if self.transcript is not None:
                self.transcript.setdefault(name, []).append((stage, by_key[reply.key], reply))
            found[name] = reply
            self.books.enter(orders[name].brief, stage, reply)
            self._watch.step()
        return {name: found[name] for name in asked}

    def _counts(self, settled: list[Settled]) -> list[int]:
        """Tokens of each accepted document by the tokenizer; 0 for the rest."""
        accepted = [one.document.body for one in settled if one.review.verdict == "accept"]
        counts = iter(self.tokenizer.count(accepted))
        return [next(counts) if one.review.verdict == "accept" else 0 for one in settled]

    def _dedup(self) -> None:
        accepted = [one for one in self.settled if one.review.verdict == "accept"]
        self._watch.stage("dedup", len(accepted), self.rounds)
        found = self._near.find([one.item() for one in accepted])
        self.duplicates = {duplicate.id: duplicate for duplicate in found}
        rows = [duplicate.row() for duplicate in found]
        store.write_rows(self._briefs.with_name("duplicates.jsonl"), rows)

    def _tics(self) -> tuple[str, ...]:
        """What the next round must not write again; part of its requests, so of their keys."""
        if self.model.writer.compact:
            return ()
        sources = self._sources
        return score.tics(
            self.texts(),
            allowed=[*(s.text for s in sources.constitution.sections), *sources.seed_texts()],
            known_names=[sources.ai_name, *(name for one in self.kept for name in one.names)],
        )

    def _learn(self, again: Iterable[Brief]) -> None:
        """What this round taught, on file."""
        kept = list(zip([one.brief for one in self.kept], self.texts(), strict=True))
        self.loop.learn(kept, [one.brief for one in self.settled], again, self._tics())
        store.write_rows(self._briefs.with_name(FILE), self.loop.rows)

    def _to_replace(self, briefs: list[Brief]) -> list[Brief]:
        """Briefs of the last round that gave nothing and have attempts left."""
        kept = {one.brief.id for one in self.kept}
        return [b for b in briefs if b.id not in kept and b.attempt < self._given.attempts]

    def _scales(self, goals: Mapping[Stream, int]) -> dict[Stream, float]:
        """Kept tokens per ordered word that each stream has shown, its losses included."""
        scales: dict[Stream, float] = {}
        for stream in goals:
            words = sum(ordered(one.brief) for one in self.settled if one.brief.stream == stream)
            shown = self.kept_tokens(stream) + PRIOR * TOKENS_PER_WORD
            rate = shown / (words + PRIOR)
            scales[stream] = min(MOST_YIELD, max(FEWEST_YIELD, rate))
        return scales

    def texts(self) -> list[Text]:
        """The kept documents as the diversity suite reads them; of a chat, the answer."""
        return [one.text() for one in self.kept]

    def cells(self) -> dict[tuple[str, ...], int]:
        """How many briefs were planned per section and kind, and per kind, facet and value."""
        briefs = [(one.brief, one.facets) for one in self.settled]
        planned = [Text("", "", b.section, kind=b.kind, facets=facets) for b, facets in briefs]
        return dict(Counter(cell for text in planned for cell in score.cells_of(text)))

    def models(self) -> list[str]:
        """The models that wrote what is kept, as they named themselves."""
        return sorted({one.document.generator["model"] for one in self.kept})


def of_a_round(given: Settings, needs: Mapping[Stream, int]) -> dict[Stream, int]:
    """What one round aims at, of the kept tokens that each stream still needs."""
    part = min(1.0, given.round_tokens / sum(needs.values()))
    return {stream: math.ceil(need * part) for stream, need in needs.items()}
