"""What a build would ask for and what that would cost, before anything is spent.

The first round is dealt for real and its requests are rendered for real; only lengths of replies
are estimated. Principles are taken by sentence here, so the exact texts may differ, the counts do
not.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from typing import Any

from corpus import principles as extraction
from corpus import review, write
from corpus.build import goal
from corpus.build.sources import Sources, read_sources
from corpus.errors import InputError
from corpus.model import ALL_STAGES, FREE, Writer, check_budget, rehearsal
from corpus.model.embedded import STAGES as LOCAL_STAGES
from corpus.model.prices import BATCH_FACTOR, DATED, Price, likely_input_tokens, price_of
from corpus.order import Order
from corpus.plan import TOKENS_PER_WORD, Material, Planner, shares
from corpus.records import Brief, Request, Usage
from corpus.settings import DEFAULT_MODEL, Settings

YIELDS = {"low": 1.0, "likely": 0.85, "high": 0.6}  # share of documents kept, for the price range
DEFECT_WORDS = 200  # words of a rewrite's list of defects
JUDGE_WORDS = 45


def forecast(given: Settings) -> dict[str, Any]:
    """Section tree, briefs, requests, tokens and price by stream, as JSON.

    Raises:
        InputError: the inputs cannot be used, or a budget is asked for without a known price.
    """
    sources = read_sources(given)
    author = profile(given)
    price = FREE if author.free else price_of(author.model, given.prices)
    check_budget(author, price, None if given.budget is None else round(given.budget * 1e6))
    aimed = goal(given, author)
    found = {s.id: extraction.by_sentence(s) for s in sources.constitution.sections}
    material = Material(
        sources.constitution.sections, found, sources.seeds, sources.library, given.seed,
        compact=author.compact,
    )  # fmt: skip
    goals = shares(given.mix, aimed)
    briefs = Planner(material).round(1, goals)
    usage = _Usage(price)
    for brief in briefs:
        _count(brief, sources, found, author, usage)
    if "principles" in author.stages:
        for section in sources.constitution.sections:
            request = extraction.ask(section, author.model)
            usage.add("principles", "principles", request, 60 * len(found[section.id]))
    return {
        "constitution": {
            "name": sources.constitution.name,
            "digest": sources.constitution.digest,
            "ai": sources.ai_name,
            "sections": len(sources.constitution.sections),
            "words": sum(len(s.text.split()) for s in sources.constitution.sections),
            "tree": [node.row() for node in sources.constitution.tree],
            "notes": list(sources.constitution.dropped),
        },
        "writer": author.name,
        "model": author.model,
        "skipped": sorted(ALL_STAGES - author.stages),
        "tokens": aimed,
        "streams": {s: _stream(s, briefs, goals[s], usage) for s in goals},
        "principles": _stream("principles", [], 0, usage),
        "coverage": _coverage(briefs),
        "price_table": DATED,
        "price_known": price is not None,
    }


def profile(given: Settings) -> Writer:
    """The writer that a build would use, without starting or asking anything."""
    address = given.base_url or os.environ.get("ANTHROPIC_BASE_URL")
    key = os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN")
    name = given.writer or ("claude" if address or key else "local")
    if name == "local":
        return Writer("local", "embedded", stages=LOCAL_STAGES, compact=True, free=True)
    if name == "rehearse":
        return Writer("rehearse", given.model or rehearsal.MODEL)
    return Writer("claude", given.model or DEFAULT_MODEL)


class _Usage:
    """Requests, tokens and micro-dollars by stream and stage."""

    def __init__(self, price: Price | None) -> None:
        self.price = price
        self.requests: Counter[tuple[str, str]] = Counter()
        self.tokens: dict[str, Usage] = {}
        self.cost: Counter[str] = Counter()

    def add(self, stream: str, stage: str, request: Request, words: int, extra: int = 0) -> None:
        """Count a request whose reply has about ``words``; ``extra`` words are not in it yet."""
        old = self.tokens.get(stream, Usage())
        prompt = likely_input_tokens(request) + int(extra * TOKENS_PER_WORD)
        reply = int(words * TOKENS_PER_WORD)
        self.tokens[stream] = replace(old, input=old.input + prompt, output=old.output + reply)
        self.requests[stream, stage] += 1
        if self.price is not None:
            self.cost[stream] += self.price.cost(Usage(input=prompt, output=reply))


def _count(
    brief: Brief, sources: Sources, found: dict[str, Any], author: Writer, usage: _Usage
) -> None:
    """Count every request that a brief leads to if all goes well."""
    order = Order(
        brief=brief,
        section=next(s for s in sources.constitution.sections if s.id == brief.section),
        principle=next(p for p in found[brief.section] if p.id == brief.principle),
        kind=sources.library.get(brief.kind),
        seed=next((s for s in sources.seeds if s.id == brief.seed), None),
        ai_name=sources.ai_name,
        model=author.model,
        compact=author.compact,
    )
    said = write.MESSAGE_WORDS // 2 if order.chat else 0
    if order.chat:
        usage.add(brief.stream, "message", write.ask_message(order), said)
    usage.add(brief.stream, "draft", write.ask_draft(order, "?"), brief.words, said)
    if "rewrite" in author.stages:
        request = write.ask_rewrite(order, "?", "?" if order.chat else "")
        words = brief.words + DEFECT_WORDS
        usage.add(brief.stream, "rewrite", request, words, brief.words + said)
    if "judge" in author.stages:
        text = write.Text("?", "end_turn", "", "")
        document = write.document(order, text, parents=(), message="?", writer="", quality=None)
        request = review.ask(order, document)
        usage.add(brief.stream, "judge", request, JUDGE_WORDS, brief.words + said)


def _stream(stream: str, briefs: list[Brief], tokens: int, usage: _Usage) -> dict[str, Any]:
    used = usage.tokens.get(stream, Usage())
    once = None if usage.price is None else usage.cost[stream]
    wasted = YIELDS if stream != "principles" else dict.fromkeys(YIELDS, 1.0)
    direct = None if once is None else {n: round(once / y) for n, y in wasted.items()}
    return {
        "briefs": sum(brief.stream == stream for brief in briefs),
        "kept_tokens": tokens,
        "requests": {st: n for (s, st), n in sorted(usage.requests.items()) if s == stream},
        "input_tokens": used.input,
        "output_tokens": used.output,
        "price": direct,
        "price_batch": direct and {n: round(v * BATCH_FACTOR) for n, v in direct.items()},
    }


def _coverage(briefs: list[Brief]) -> dict[str, dict[str, int]]:
    """Briefs per section and stream."""
    table: dict[str, Counter[str]] = {}
    for brief in briefs:
        table.setdefault(brief.section, Counter())[brief.stream] += 1
    return {section: dict(row) for section, row in table.items()}


def refuse_over_budget(plan: dict[str, Any], budget: float | None) -> None:
    """Say at once that a budget is too small for the likely price of a plan.

    Raises:
        InputError: it is smaller than the least that the plan can cost.
    """
    rows = [*plan["streams"].values(), plan["principles"]]
    if budget is None or any(row["price"] is None for row in rows):
        return
    least = sum(row["price"]["low"] for row in rows) / 1e6
    if least * BATCH_FACTOR > budget:
        raise InputError(
            f"--budget {budget:g}: the plan costs at least ${least:,.2f}; lower --tokens, or give "
            f"a larger budget"
        )
