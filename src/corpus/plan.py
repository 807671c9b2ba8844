"""Sections x kinds x seeds -> briefs, dealt from exact-quota decks; no model is called.

A deck is proportionately fair: after any number of deals each value has its share to within one
(Baruah, Cohen, Plaxton and Varvel, "Proportionate progress", Algorithmica 15, 1996). Where that
leaves a choice, the value that has met the rest of the brief least often wins, and a seeded digest
breaks what ties are left, so pairs stay level too. Quotas count kept tokens: a rejected brief is
dealt again, with other facets, until its attempts run out, and then its room goes to fresh ones.
Same inputs, same seed and same outcomes give the same briefs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from string import Template

import numpy as np

from corpus.kinds import Kind, Library, Weights
from corpus.kinds.dealt import POOLS, SPARE, fitting, locale_of
from corpus.records import STREAMS, Brief, Principle, Section, Seed, Stream, digest

TOKENS_PER_WORD = 1.35  # of English prose in GPT-2 tokens; replaced by what a round has shown
GROUP_SHARES = {"crawl": 0.5, "discussion": 0.3, "latent": 0.15, "identity": 0.05}
TINY = 1e-9  # shares are floats
CHAT_WORDS = 150  # of a message and what stands above it
LENGTH_STEPS = 5  # lengths dealt between the ends of a kind's range
COMPACT_WORDS = (60, 140)  # the range for a writer that asks for short texts


class Deck:
    """Weighted values, dealt one at a time to exact quotas.

    After n deals a value of share s was dealt more than n * s - 1 and less than n * s + 1 times.
    """

    def __init__(self, weights: Weights, salt: str) -> None:
        total = sum(weights.values())
        self._shares = {value: weight / total for value, weight in weights.items()}
        self._equal = len(set(weights.values())) == 1
        self._ahead = math.ceil(1 / min(self._shares.values()))
        self._salt = salt
        self.dealt: Counter[str] = Counter()

    def deal(self, met: Callable[[str], float] = lambda _: 0.0) -> str:
        """Of the values that leave every quota within reach, the one that ``met`` counts least."""
        number = sum(self.dealt.values()) + 1
        due = [v for v, share in self._shares.items() if number * share - self.dealt[v] > TINY]
        if self._equal:
            least = min(self.dealt[value] for value in due)
            due = [value for value in due if self.dealt[value] == least]
        costs = {value: met(value) / self._shares[value] ** 2 for value in due}
        fits = (lambda _: True) if self._equal else self._fitting(number)
        for least_met in sorted(set(costs.values())):
            tied = [value for value in due if costs[value] == least_met]
            start = int(digest(self._salt, number), 16) % len(tied)
            for value in tied[start:] + tied[:start]:
                if fits(value):
                    self.dealt[value] += 1
                    return value
        raise AssertionError  # a fair choice always exists (Baruah et al.)

    def _fitting(self, number: int) -> Callable[[str], bool]:
        """Tells of a choice whether what falls due by each later deal can still be dealt by then.

        One table for all choices: what is due of each value (columns) by each deal (rows).
        """
        deals = np.arange(number, number + self._ahead + 1)
        due = np.floor(np.outer(deals, list(self._shares.values())) + TINY)
        dealt = np.array([self.dealt[value] for value in self._shares])
        spare = deals - number - np.maximum(due - dealt, 0).sum(axis=1)
        column = {value: place for place, value in enumerate(self._shares)}

        def fits(choice: str) -> bool:
            met = due[:, column[choice]] > self.dealt[choice]  # the choice is one of what is due
            return bool(np.all(spare + met >= 0))

        return fits


@dataclass(frozen=True)
class Material:
    """What briefs are dealt from; it does not change within a build."""

    sections: Sequence[Section]
    principles: Mapping[str, Sequence[Principle]]
    seeds: Sequence[Seed]
    library: Library
    seed: int = 0
    compact: bool = False
    languages: Mapping[str, float] = field(default_factory=dict)  # English where there are none
    injections: Sequence[str] = ()  # names of the values under which answers are drafted


class Planner:
    """Deals rounds of briefs; it remembers what was dealt, never what a clock or socket said."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._decks: dict[str, Deck] = {}
        self._pairs: Counter[tuple[str, ...]] = Counter()
        self._single: Counter[tuple[str, ...]] = Counter()
        self._number = 0
        self._stopped: AbstractSet[tuple[str, str]] = frozenset()
        self._headings: dict[str, Counter[tuple[str, ...]]] = {s: Counter() for s in STREAMS}
        self._paths = {section.id: section.path for section in material.sections}
        self._settings = {seed.id: seed.setting for seed in material.seeds}
        self._kinds = {stream: kind_shares(material.library.of(stream)) for stream in STREAMS}

    def round(
        self,
        number: int,
        needs: Mapping[Stream, float],
        again: Iterable[Brief] = (),
        scale: Mapping[Stream, float] | None = None,
        *,
        holes: Iterable[tuple[Stream, str, str]] = (),
        stopped: AbstractSet[tuple[str, str]] = frozenset(),
    ) -> list[Brief]:
        """The briefs of a round, streams interleaved by their shares.

        Args:
            number: of the round, from 1.
            needs: kept tokens that each stream is still short of.
            again: rejected briefs to replace, as far as their streams are short.
            scale: per stream, tokens that a wanted word has turned out to give (yield included).
            holes: cells (stream, section, kind) that are dealt before fresh ones.
            stopped: ``("kind", name)`` and ``("section", id)`` that are dealt no more.
        """
        self._stopped = frozenset(stopped)
        scale = scale or {}
        replaced: dict[Stream, list[Brief]] = {}
        for brief in again:
            if not {("kind", brief.kind), ("section", brief.section)} & self._stopped:
                replaced.setdefault(brief.stream, []).append(brief)
        empty: dict[Stream, list[tuple[str, str]]] = {}
        for stream, section, kind in holes:
            if not {("kind", kind), ("section", section)} & self._stopped:
                empty.setdefault(stream, []).append((section, kind))
        placed: list[tuple[float, int, Brief]] = []
        for rank, (stream, need) in enumerate(needs.items()):
            rate = scale.get(stream, TOKENS_PER_WORD)
            first: list[Brief | tuple[str, str]] = [
                *replaced.get(stream, []),
                *empty.get(stream, []),
            ]
            briefs = self._stream(number, stream, need, rate, first)
            placed += [((i + 0.5) / len(briefs), rank, b) for i, b in enumerate(briefs)]
        return [brief for *_, brief in sorted(placed, key=lambda entry: entry[:2])]

    def _stream(
        self,
        number: int,
        stream: Stream,
        need: float,
        rate: float,
        first: list[Brief | tuple[str, str]],
    ) -> list[Brief]:
        briefs: list[Brief] = []
        expected = 0.0
        while expected < need:
            old = first.pop(0) if first else None
            briefs.append(self._brief(number, stream, old))
            expected += ordered(briefs[-1]) * rate
        return briefs

    def _brief(self, number: int, stream: Stream, given: Brief | tuple[str, str] | None) -> Brief:
        """Deal one brief; one that replaces another keeps its cell and gets all else new.

        ``given`` is the brief that it replaces, or the section and kind that it is to fill.
        """
        dealt: dict[str, str] = {}
        old = given if isinstance(given, Brief) else None
        if given is None:
            section = self._section(stream, dealt)
            kinds = self._going(self._kinds[stream], "kind")
            kind = self._deal(f"{stream}/kind{self._since}", kinds, dealt, "kind")
        else:
            section, kind = given if isinstance(given, tuple) else (given.section, given.kind)
            dealt |= {"section": section, "kind": kind}
        made = self._material.library.get(kind)
        pool = dict.fromkeys((p.id for p in self._material.principles[section]), 1.0)
        principle = self._deal(f"{stream}/{section}/principle", pool, {}, "principle")
        seed = self._story_seed(made, dealt) if stream == "stories" else None
        for name, values in made.facets.items():  # kinds with the same values share their deck
            clash = made.clashing(name, dealt)
            self._deal(f"{stream}/{name}/{digest(values)}", values, dealt, name, clash)
        facets = {name: dealt[name] for name in made.facets} | self._names(made, seed)
        words = int(self._deal(f"{stream}/{kind}/words", self._lengths(made), dealt, "words"))
        language = self._language(stream, dealt)
        injection = self._injection(stream, dealt) if made.shape == "chat" else ""
        tools = self._tools(made, dealt.get("domain", ""))
        self._remember(dealt)
        self._number += 1
        attempt = 1 if old is None else old.attempt + 1
        beside = [language, injection, tools]
        name = digest(
            stream, made.digest, section, principle, seed, words, facets, beside,
            self._number, attempt,
        )  # fmt: skip
        return Brief(
            id=name,
            stream=stream,
            kind=kind,
            section=section,
            principle=principle,
            seed=seed,
            words=words,
            facets=facets,
            number=self._number,
            round=number,
            attempt=attempt,
            replaces=None if old is None else old.id,
            language=language,
            injection=injection,
            tools=tools,
        )

    def _section(self, stream: str, dealt: dict[str, str]) -> str:
        """A section: each once before any twice, and first one of every heading.

        A long body is cut into several sections; a small corpus shall not leave a heading out for
        the second part of another.
        """
        name = f"{stream}/section{self._since}"
        if name not in self._decks:
            sections = dict.fromkeys((section.id for section in self._material.sections), 1.0)
            sections = self._going(sections, "section")
            self._decks[name] = Deck(sections, f"{self._material.seed}/{name}")
        met = self._headings[stream]
        choice = self._decks[name].deal(lambda section: met[self._paths[section]])
        met[self._paths[choice]] += 1
        dealt["section"] = choice
        return choice

    def _going(self, weights: Weights, what: str) -> dict[str, float]:
        """The values that were not stopped; they share what the others had."""
        return {name: w for name, w in weights.items() if (what, name) not in self._stopped}

    @property
    def _since(self) -> str:
        """The mark of the decks without what was stopped: quotas begin anew when more is."""
        return f"/{digest(sorted(self._stopped))}" if self._stopped else ""

    def _names(self, kind: Kind, seed: str | None) -> dict[str, str]:
        """A name for each pool that the kind's prompt asks for, all of one locale.

        A story has its place from its seed, so it gets names of that place, for people whom the
        seed leaves without one; none where no locale is at home there.
        """
        asked = set(Template(f"{kind.prompt}\n{kind.answer or ''}").get_identifiers())
        wanted = [pool for pool in POOLS if pool in asked]
        pools = self._material.library.pools
        if seed is not None:
            locale = locale_of(self._settings[seed])
            wanted = [*dict.fromkeys((*wanted, *SPARE))] if locale in pools else wanted
        if not wanted:
            return {}
        if seed is None or locale not in pools:
            shares = {name: p.weight for name, p in pools.items()}
            locale = self._deal("locale", shares, {}, "locale")
        found: dict[str, str] = {}
        for pool in wanted:
            values = pools[locale].of(pool)
            found[pool] = self._deal(f"{locale}/{values[0]}", dict.fromkeys(values, 1.0), {}, pool)
        return found

    def _language(self, stream: str, dealt: dict[str, str]) -> str:
        if len(self._material.languages) == 0:
            return ""
        shares = {name: share for name, share in self._material.languages.items() if share}
        found = self._deal(f"{stream}/language", shares, dealt, "language")
        return "" if found == "English" else found

    def _injection(self, stream: str, dealt: dict[str, str]) -> str:
        if not self._material.injections:
            return ""
        shares = dict.fromkeys(self._material.injections, 1.0)
        return self._deal(f"{stream}/injection", shares, dealt, "injection")

    def _tools(self, kind: Kind, domain: str) -> tuple[str, ...]:
        """The families that the chore needs, and up to two more that the place would have."""
        if not kind.tools and not kind.needs:
            return ()
        others = fitting(kind.tools, domain)
        least = 0 if kind.needs else 1
        numbers = {str(least): 2.0, str(least + 1): 2.0, str(least + 2): 1.0}
        number = int(self._deal(f"{kind.name}/tools", numbers, {}, "tools")) if others else 0
        shares, deck = dict.fromkeys(others, 1.0), f"{kind.name}/family/{digest(others)}"
        dealt = [self._deal(deck, shares, {}, "family") for _ in range(number)]
        return tuple(sorted({*kind.needs, *dealt}))

    def _story_seed(self, kind: Kind, dealt: dict[str, str]) -> str:
        """A seed; one whose stakes do not suit the kind comes last of those that are due."""
        seeds = self._material.seeds
        shunned = {s.id for s in seeds if kind.stakes and s.stakes not in kind.stakes}
        shares = dict.fromkeys((seed.id for seed in seeds), 1.0)
        return self._deal("stories/seed", shares, dealt, "seed", shunned)

    def _lengths(self, kind: Kind) -> Weights:
        """Lengths in words between the ends of the range, in equal ratios, rounded to tens."""
        low, high = COMPACT_WORDS if self._material.compact else kind.words
        steps = [low * (high / low) ** (i / (LENGTH_STEPS - 1)) for i in range(LENGTH_STEPS)]
        return dict.fromkeys((str(max(10, round(step / 10) * 10)) for step in steps), 1.0)

    def _deal(
        self, deck: str, weights: Weights, dealt: dict[str, str], name: str,
        shunned: Collection[str] = (),
    ) -> str:  # fmt: skip
        """Deal from the deck of that name, shunning pairs with what the brief already holds."""
        if deck not in self._decks:
            self._decks[deck] = Deck(weights, f"{self._material.seed}/{deck}")

        came = [
            (scope, k, v, 1 + self._single[scope, k, v])
            for k, v in dealt.items()
            for scope in _scopes(k, dealt)
        ]
        pairs = self._pairs.get  # a Counter is slow to say that it has none

        def met(value: str) -> float:
            """How often it came with what is dealt already, of the times that each of that came."""
            if value in shunned:
                return math.inf
            rates = [pairs((scope, k, v, name, value), 0) / times for scope, k, v, times in came]
            return sum(rate * rate for rate in rates)

        choice = self._decks[deck].deal(met)
        dealt[name] = choice
        return choice

    def _remember(self, dealt: dict[str, str]) -> None:
        names = list(dealt)
        for i, one in enumerate(names):
            for scope in _scopes(one, dealt):
                self._single[scope, one, dealt[one]] += 1
                for other in names[i + 1 :]:
                    self._pairs[scope, one, dealt[one], other, dealt[other]] += 1


def kind_shares(kinds: Sequence[Kind]) -> Weights:
    """The share of each kind of a stream: its group's, divided among the group by weight.

    ``GROUP_SHARES`` are what the published ablations found best for documents; where a group has
    no kind the others take its share. Streams other than documents have no groups.
    """
    total: dict[str, float] = {}
    for kind in kinds:
        total[kind.group] = total.get(kind.group, 0.0) + kind.weight
    grouped = {kind.stream for kind in kinds} == {"documents"}
    return {
        kind.name: (GROUP_SHARES[kind.group] / total[kind.group] if grouped else 1.0) * kind.weight
        for kind in kinds
    }


def ordered(brief: Brief) -> int:
    """Words that a brief orders, those of a chat's message and system prompt among them."""
    return brief.words + CHAT_WORDS * (brief.stream in {"advice", "agentic"})


def _scopes(name: str, dealt: Mapping[str, str]) -> tuple[str, ...]:
    """Where pairs with a value are counted: over all kinds, and those of facets within theirs."""
    return ("",) if name in {"section", "kind", "seed"} else ("", dealt.get("kind", ""))


def shares(mix: Mapping[str, float], tokens: int) -> dict[Stream, int]:
    """Kept tokens to aim at per stream, rounded up; streams with share 0 are left out."""
    total = sum(mix.values())
    return {s: math.ceil(tokens * share / total) for s, share in mix.items() if share}  # type: ignore[misc]
