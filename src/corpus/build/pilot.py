"""A pilot: the first few briefs of the plan written and judged, to measure what the rest will cost.

It asks for exactly what the build will ask for, into the same journal, so the build buys nothing of
it again. What it wrote lies in ``pilot/`` of the output folder, for reading: the build's own files
are left as they are and come out as if there had been no pilot. What it measured lies in
``pilot.json``, which ``corpus plan`` reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpus import store
from corpus.build import goal, material, working
from corpus.build.books import Account, yields
from corpus.build.forecast import forecast
from corpus.build.manifest import is_rehearsal
from corpus.build.measures import FILE, inputs_digest, rates
from corpus.build.rounds import Works
from corpus.build.settled import Settled
from corpus.build.sources import Sources, principles, read_sources
from corpus.build.watch import Watch
from corpus.model import Model, Tally
from corpus.plan import Planner, shares
from corpus.records import Brief
from corpus.settings import Settings

FEWEST = 2  # briefs of each stream in a pilot


def pilot(given: Settings, watch: Watch, number: int) -> dict[str, Any]:
    """Write about ``number`` briefs, measure, and return what ``pilot.json`` holds.

    Its ``price`` is that of the whole plan, recalibrated: by way, low, likely and high; None where
    the model has no price or too little was kept.

    Raises:
        CorpusError: as for a build.
    """
    sources = read_sources(given)
    folder = Path(given.output)
    with working(given, watch, beside=True) as (model, _):
        found = principles(sources, model, watch)
        goals = shares(given.streams(), goal(given, model.writer))
        planner = Planner(material(given, sources, found.by_section, model.writer))
        with Works.open(folder / "pilot", given, sources, found, model, watch) as works:
            planned = works.begin(planner, goals, lambda briefs: _first(briefs, number))
        row = _measured(given, sources, works) | {"planned": planned}
        store.write_json(folder / FILE, row)
        row["price"] = forecast(given)["totals"] if any(row["rates"].values()) else None
        store.write_json(folder / FILE, row)
        watch.stage("pilot", row["briefs"])
        watch.step(row["briefs"])
        watch.done()
    return row


def _first(briefs: Sequence[Brief], number: int) -> list[Brief]:
    """The first ``number`` briefs, and at least two of each stream.

    The plan interleaves the streams by their shares; without two a stream would have no spread.
    """
    places: Counter[str] = Counter()
    first = []
    for place, brief in enumerate(briefs):
        places[brief.stream] += 1
        if place < number or places[brief.stream] <= FEWEST:
            first.append(brief)
    return first


def _measured(given: Settings, sources: Sources, works: Works) -> dict[str, Any]:
    """All figures of a pilot, as JSON."""
    model = works.model
    streams: dict[str, list[Settled]] = {
        one.brief.stream: works.of(one.brief.stream) for one in works.settled
    }
    kept = {one.document.id: one.tokens for one in works.kept}
    costs = {
        stream: [(works.books.briefs[s.brief.id], kept.get(s.document.id, 0)) for s in settled]
        for stream, settled in streams.items()
    }
    known = model.price is not None
    return {
        "inputs": inputs_digest(given, sources, model.writer),
        "writer": model.writer.name,
        "model": model.writer.model,
        "rehearsed": is_rehearsal(model.writer),
        "briefs": len(works.settled),
        "paid": sum(t.cost for t in model.tally.values()) if known else None,
        "principles": _principles(model),
        "streams": {stream: _stream(works, stream) for stream in streams},
        "rates": rates(costs) if known else dict.fromkeys(costs),
    }


def _principles(model: Model) -> dict[str, Any]:
    """What the principles took, all of which the build needs: they are no sample."""
    tally = model.tally.get("principles", Tally())
    known = model.price is not None
    plain = tally.cost + tally.saved_cache + tally.saved_batch
    return {
        "asked": tally.asked,
        "input": tally.input,
        "output": tally.output,
        "cost": tally.cost if known else None,
        "plain": plain if known else None,
    }


def _stream(works: Works, stream: str) -> dict[str, Any]:
    """Yield and tokens of a stream; per request where it asked any."""
    settled = works.of(stream)
    ids = {one.document.id for one in works.kept}
    kept = [one for one in settled if one.document.id in ids]
    tokens, words = sum(one.tokens for one in kept), sum(one.brief.words for one in settled)
    return {
        "yield": yields((one.review for one in settled), len(kept)),
        "kept_tokens": tokens,
        "kept_tokens_per_word": tokens / words,
        "stages": {
            stage: {**account.row(), **_per_request(account)}
            for (name, stage), account in sorted(works.books.accounts.items())
            if name == stream
        },
    }


def _per_request(account: Account) -> dict[str, float]:
    return {
        "input_per_request": account.input / account.asked,
        "output_per_request": account.output / account.asked,
    }
