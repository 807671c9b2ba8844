"""What a build would ask for and what that would cost, before anything is spent.

The first round is dealt for real and its requests are rendered for real; only lengths of replies
and the share that is kept are estimated, or taken from a pilot where there was one. Principles are
taken by sentence here, so the exact texts may differ, the counts do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import hypot
from pathlib import Path
from typing import Any

from corpus import principles as extraction
from corpus import review, write
from corpus.build import check_ends, goal, material
from corpus.build.authors import profile
from corpus.build.measures import Pilot, inputs_digest, read_pilot
from corpus.build.sources import Sources, by_sentence, order_of, read_sources
from corpus.model import ALL_STAGES, BATCH_FROM, Writer, check_budget, price_of_writer
from corpus.model.prices import Price, dated, likely_input_tokens
from corpus.model.wire import SHARED, SHORTEST
from corpus.order import Order
from corpus.plan import TOKENS_PER_WORD, Planner, ordered, shares
from corpus.records import Brief, Principle, Request, Usage
from corpus.settings import Settings

YIELDS = {"low": 1.0, "likely": 0.85, "high": 0.6}  # share of documents kept, for the price range
HITS = {"low": 0.98, "likely": 0.8, "high": 0.3}  # of prefixes in the cache, in batches: the docs
# of Message Batches give 30 % to 98 %
WAYS = ("price", "price_batch", "price_batch_cache", "price_build")
ENDS = ("low", "likely", "high")
THINKERS = ("claude-opus-5-5", "claude-fable-5-1")  # their thinking cannot be turned off
DEFECT_WORDS = 110  # words of a rewrite's list of defects: its frame allows 120
PLAN_WORDS, CARD_WORDS = 170, 11  # of a plan, and for each card
MESSAGE_WORDS, SYSTEM_WORDS = 110, 70  # of a user's message, of the system prompt above it
NOTE_WORDS = 110  # of the notes under an answer
JUDGE_WORDS = 45


def forecast(given: Settings) -> dict[str, Any]:
    """Section tree, briefs, requests, tokens and price by stream, as JSON.

    Raises:
        InputError: the inputs cannot be used, or a budget is asked for without a known price.
    """
    sources = read_sources(given)
    check_ends(given)
    author = profile(given)
    price = price_of_writer(author, given.prices)
    check_budget(author, given.prices, None if given.budget is None else round(given.budget * 1e6))
    aimed = goal(given, author)
    found = by_sentence(sources)
    goals = shares(given.streams(), aimed)
    briefs = Planner(material(given, sources, found, author)).round(1, goals)
    usage = _Usage(price)
    filled = 0.0
    for brief in briefs:
        _count(brief, sources, found, author, given, usage)
        filled += ordered(brief) * TOKENS_PER_WORD
        if filled >= given.round_tokens:
            usage.settle()
            filled = 0.0
    if "principles" in author.stages:
        for section in sources.constitution.sections:
            request = extraction.ask(
                section, author.model_of("principles"), ai_name=sources.ai_name
            )
            usage.add("principles", "principles", request, 60 * len(found[section.id]))
    usage.settle()
    pilot = read_pilot(Path(given.output), inputs_digest(given, sources, author))
    ways = _ways(given, author, usage)
    streams = {stream: _stream(stream, briefs, goals[stream], usage, ways) for stream in goals}
    if pilot is not None:
        streams = {name: _measured(row, pilot.streams.get(name)) for name, row in streams.items()}
    shared = _stream("principles", [], 0, usage, ways)
    if pilot is not None and pilot.principles is not None:
        shared = _calibrated(shared, pilot.principles, 0.0)
    return {
        "constitution": _constitution(sources),
        "writer": author.name,
        "model": author.model,
        "skipped": sorted(ALL_STAGES - author.stages),
        "tokens": aimed,
        "streams": streams,
        "principles": shared,
        "coverage": _coverage(briefs),
        "ways": ways,
        "totals": totals([*streams.values(), shared]),
        "cached_prefix": {"longest": usage.longest, "shortest_cached": SHORTEST},
        "pilot": pilot and pilot.row,
        "price_table": dated(),
        "price_known": price is not None,
        "notes": _notes(author, usage, pilot),
    }


def _constitution(sources: Sources) -> dict[str, Any]:
    found = sources.constitution
    return {
        "name": found.name,
        "digest": found.digest,
        "ai": sources.ai_name,
        "sections": len(found.sections),
        "words": sum(len(s.text.split()) for s in found.sections),
        "tree": [node.row() for node in found.tree],
        "notes": list(found.dropped),
    }


def _ways(given: Settings, author: Writer, usage: _Usage) -> dict[str, str]:
    """By batch or directly, for each stage, as the build would choose."""
    requests: Counter[str] = Counter()
    for (_, stage), number in usage.requests.items():
        requests[stage] += number
    return {
        stage: "batch" if author.batches and _by_batch(given, number) else "direct"
        for stage, number in sorted(requests.items())
    }


def _by_batch(given: Settings, pending: int) -> bool:
    return pending >= BATCH_FROM if given.batch is None else given.batch


def _notes(author: Writer, usage: _Usage, pilot: Pilot | None) -> list[str]:
    """What a reader of the prices should know."""
    notes = []
    if usage.price is not None and not author.free and usage.longest < SHORTEST:
        notes.append(
            f"the cache saves nothing: the constant prefix has about {usage.longest} tokens, and "
            f"fewer than {SHORTEST:,} are not cached"
        )
    if pilot is not None:
        return [*notes, pilot.note]
    if author.model in THINKERS:
        notes.append(
            f"'{author.model}' thinks before it writes; thinking is paid as output and is not in "
            f"this price: measure it with 'corpus build --pilot 20'"
        )
    return notes


@dataclass(slots=True)
class _Bill:
    """Micro-dollars of the same requests: directly, by batch, and by batch with a cache.

    ``hit`` is with the constant prefix of every request but the first of its round in the cache,
    ``miss`` with a cache that never has it; a prefix that too few share is not cached.
    """

    direct: int = 0
    batch: int = 0
    hit: int = 0
    miss: int = 0


class _Usage:
    """Requests, tokens and micro-dollars by stream and stage."""

    def __init__(self, price: Price | None) -> None:
        self.price = price
        self.requests: Counter[tuple[str, str]] = Counter()
        self.tokens: dict[str, Usage] = {}
        self.bills: dict[tuple[str, str], _Bill] = {}
        self.longest = 0  # tokens of the longest constant prefix
        self._round: list[tuple[Price, _Bill, Usage, int, str]] = []

    def add(self, stream: str, stage: str, request: Request, words: int) -> None:
        """Count a request whose reply has about ``words``."""
        old = self.tokens.get(stream, Usage())
        prompt = likely_input_tokens(request)
        reply = int(words * TOKENS_PER_WORD)
        self.tokens[stream] = replace(old, input=old.input + prompt, output=old.output + reply)
        self.requests[stream, stage] += 1
        prefix = len(request.system) // 4
        self.longest = max(self.longest, prefix)
        if self.price is not None:
            shared = prefix if prefix >= SHORTEST else 0
            bill = self.bills.setdefault((stream, stage), _Bill())
            price = self.price.of_model(request.model)
            used = Usage(prompt - shared, reply)
            self._round.append((price, bill, used, shared, request.system))

    def settle(self) -> None:
        """Charge what was added since: the requests of one round, which share their batches."""
        times = Counter(system for *_, system in self._round)
        met: set[str] = set()
        for price, bill, used, shared, system in self._round:
            plain = replace(used, input=used.input + shared)
            bill.direct += price.cost(plain)
            batch = miss = hit = price.cost(plain, batch=True)
            if shared and times[system] >= SHARED:
                miss = price.cost(replace(used, cache_write_1h=shared), batch=True)
                hit = price.cost(replace(used, cache_read=shared), batch=True)
            bill.batch += batch
            bill.miss += miss
            bill.hit += hit if system in met else miss
            met.add(system)
        self._round.clear()


def _count(
    brief: Brief,
    sources: Sources,
    found: Mapping[str, Sequence[Principle]],
    author: Writer,
    given: Settings,
    usage: _Usage,
) -> None:
    """Count every request that a brief leads to if all goes well."""
    order = order_of(brief, sources, found, author, given)
    done = write.Progress()
    for step in write.steps(compact=author.compact):
        if step.serves(order) and step.name in author.stages:
            text, beside = _reply_words(step.name, order)
            request = replace(step.ask(order, done), model=author.model_of(step.name))
            usage.add(brief.stream, step.name, request, text + beside)
            done = done.add(step.name, write.Text("word " * text, "end_turn", step.name, ""))
    if "judge" in author.stages:
        document = write.document(order, done, writer="", quality=None)
        request = replace(review.ask(order, document), model=author.model_of("judge"))
        usage.add(brief.stream, "judge", request, JUDGE_WORDS)
        if "blind" in author.stages and given.blind and brief.number % round(1 / given.blind) == 0:
            blind = replace(review.ask_blind(order, document), model=author.model_of("blind"))
            usage.add(brief.stream, "blind", blind, JUDGE_WORDS)


def _reply_words(step: str, order: Order) -> tuple[int, int]:
    """Words of the text that a step is likely to give, and of what its reply holds besides."""
    words = order.brief.words
    above = SYSTEM_WORDS * bool(order.system_form)
    return {
        "spec": (PLAN_WORDS + CARD_WORDS * len(order.planned()), 0),
        "check": (2 * len(order.planned()), 0),
        "message": (MESSAGE_WORDS, above),
        "polish": (MESSAGE_WORDS, above + DEFECT_WORDS // 2),  # its frame allows 60
        "draft": (words, NOTE_WORDS * order.chat),
        "rewrite": (words, DEFECT_WORDS),
    }[step]


def _stream(
    stream: str, briefs: list[Brief], tokens: int, usage: _Usage, ways: Mapping[str, str]
) -> dict[str, Any]:
    used = usage.tokens.get(stream, Usage())
    kept = YIELDS if stream != "principles" else dict.fromkeys(YIELDS, 1.0)
    bills = {stage: bill for (name, stage), bill in usage.bills.items() if name == stream}
    priced = {way: dict.fromkeys(ENDS, 0) for way in WAYS}
    for end in ENDS:
        for stage, bill in bills.items():
            cached = HITS[end] * bill.hit + (1 - HITS[end]) * bill.miss
            chosen = cached if ways[stage] == "batch" else bill.direct
            for way, once in zip(WAYS, (bill.direct, bill.batch, cached, chosen), strict=True):
                priced[way][end] += round(once / kept[end])
    return {
        "briefs": sum(brief.stream == stream for brief in briefs),
        "kept_tokens": tokens,
        "requests": {st: n for (s, st), n in sorted(usage.requests.items()) if s == stream},
        "input_tokens": used.input,
        "output_tokens": used.output,
        **(priced if usage.price is not None else dict.fromkeys(WAYS)),
        "calibrated": False,
    }


def _measured(row: dict[str, Any], rate: Mapping[str, float] | None) -> dict[str, Any]:
    """A stream's row with the prices that a pilot's cost per kept token gives."""
    if rate is None:
        return row
    return _calibrated(row, row["kept_tokens"] * rate["value"], row["kept_tokens"] * rate["error"])


def _calibrated(row: dict[str, Any], value: float, error: float) -> dict[str, Any]:
    """A row with this direct price; what the other ways cost keeps its proportion to it."""
    if row["price"] is None:
        return row
    spread = 2 * error
    direct = {"low": max(0.0, value - spread), "likely": value, "high": value + spread}
    likely = row["price"]["likely"] or 1
    shares = {way: row[way]["likely"] / likely for way in WAYS}
    priced = {way: {n: round(v * shares[way]) for n, v in direct.items()} for way in WAYS}
    return {**row, **priced, "calibrated": True}


def totals(rows: list[dict[str, Any]]) -> dict[str, dict[str, int]] | None:
    """Low, likely and high of the whole plan, by way; None where a price is not known.

    The ends of measured streams are independent and add up as errors do, the guessed ones plainly.
    """
    if any(row["price"] is None for row in rows):
        return None
    return {way: _total([(row[way], row["calibrated"]) for row in rows]) for way in WAYS}


def _total(rows: Iterable[tuple[dict[str, int], bool]]) -> dict[str, int]:
    rows = list(rows)
    likely = sum(row["likely"] for row, _ in rows)
    total = {"likely": likely}
    for end in ("low", "high"):
        measured = hypot(*(row[end] - row["likely"] for row, known in rows if known))
        guessed = sum(row[end] - row["likely"] for row, known in rows if not known)
        total[end] = round(likely + guessed + (measured if end == "high" else -measured))
    return {end: total[end] for end in ENDS}


def _coverage(briefs: list[Brief]) -> dict[str, dict[str, int]]:
    """Briefs per section and stream."""
    table: dict[str, Counter[str]] = {}
    for brief in briefs:
        table.setdefault(brief.section, Counter())[brief.stream] += 1
    return {section: dict(row) for section, row in table.items()}


def over_budget(plan: dict[str, Any], budget: float | None) -> str | None:
    """A warning that the budget ends before the plan does; None if it may do."""
    if budget is None or plan["totals"] is None:
        return None
    least = plan["totals"]["price_build"]["low"] / 1e6
    if least <= budget:
        return None
    return (
        f"--budget {budget:g}: the plan costs at least ${least:,.4f}, so the build will stop on "
        f"the way (exit 4); a larger budget goes on from there"
    )
