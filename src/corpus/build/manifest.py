"""The manifest: what was built, out of what, by whom, at what cost; written last."""

from __future__ import annotations

import dataclasses
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from statistics import fmean, stdev
from typing import Any

from corpus import __version__, prompts
from corpus.build.books import per_million, yields
from corpus.build.rounds import Works
from corpus.build.settled import Settled
from corpus.build.sources import Sources
from corpus.model import Tally, Writer
from corpus.model.prices import dated
from corpus.records import STREAMS, Metric, digest
from corpus.review import MARKS
from corpus.settings import STAGES, Settings

LIBRARIES = (
    "anthropic", "click", "datasketch", "jsonlines", "markdown-it-py", "numba", "numpy", "pyarrow",
    "spacy", "tokenizers", "zstandard",
)  # fmt: skip


def manifest(
    given: Settings,
    sources: Sources,
    works: Works,
    metrics: list[Metric],
    exported: dict[str, Any],
    date: str,
) -> dict[str, Any]:
    """The manifest of a whole build, as JSON; nothing in it depends on the clock."""
    writer = works.model.writer
    return {
        "version": __version__,
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "date": date,
        "quality": writer.quality,
        "writer": writer.name,
        "model": writer.model,
        "models": works.models(),
        "seed": given.seed,
        "tokens_goal": works.goal,
        "rounds": works.rounds,
        "digests": {
            "constitution": sources.constitution.digest,
            "seeds": digest([seed.id for seed in sources.seeds]),
            "kinds": sources.library.digest,
            "prompts": digest(*prompts.texts()),
            "settings": settings_digest(given),
        },
        "constitution": _constitution(sources),
        "principles": _principles(works),
        "counts": {stream: counts(works, works.of(stream)) for stream in _streams(works)},
        "by_kind": _by(works, "kind"),
        "by_section": _by(works, "section"),
        "rejected": _rejected(works),
        "stages": stages(works),
        "cost": cost(works),
        "judge": judge_gap(works.opinions),
        "guard": {
            "mode": works.guard.mode,
            "held_out": len(works.guard.held or ()),
            "held_out_digest": works.guard.held.digest if works.guard.held else None,
            "found": dict(works.guard.counts),
            "near": dict(works.guard.near),
        },
        "without": list(given.without),
        "languages": given.languages,
        "gates": {metric.id: metric.gate for metric in metrics if metric.gate},
        **exported,
        "notes": notes(sources, works),
    }


def settings_digest(given: Settings) -> str:
    """The digest of the settings, without those that only say where things are."""
    row = {name: value for name, value in vars(given).items() if name not in _PLACES}
    return digest(row)


_PLACES = {
    "held_out",
    "output",
    "constitution",
    "seeds",
    "kinds",
    "base_url",
    "concurrency",
    "batch",
    "budget",
}


def counts(works: Works, settled: list[Settled]) -> dict[str, int]:
    """Planned, written, rejected, duplicate, kept documents and kept tokens of ``settled``."""
    kept = {one.document.id for one in works.kept}
    rejected = sum(one.review.verdict == "reject" for one in settled)
    duplicate = sum(one.document.id in works.duplicates for one in settled)
    return {
        "planned": len(settled),
        "written": sum(bool(one.document.body.strip()) for one in settled),
        "rejected": rejected,
        "duplicate": duplicate,
        "kept": sum(one.document.id in kept for one in settled),
        "tokens": sum(one.tokens for one in settled if one.document.id in kept),
    }


def _streams(works: Works) -> list[str]:
    present = {one.brief.stream for one in works.settled}
    return [stream for stream in STREAMS if stream in present]


def _by(works: Works, name: str) -> dict[str, dict[str, int]]:
    groups: dict[str, list[Settled]] = {}
    for one in works.settled:
        groups.setdefault(getattr(one.brief, name), []).append(one)
    return {value: counts(works, groups[value]) for value in sorted(groups)}


def _rejected(works: Works) -> dict[str, int]:
    """How often each reason was given; near-copies are counted as ``duplicate``."""
    found = Counter(reason for one in works.settled for reason in one.review.reasons)
    found["duplicate"] += len(works.duplicates)
    return {reason: n for reason, n in sorted(found.items(), key=lambda e: (-e[1], e[0])) if n}


def _constitution(sources: Sources) -> dict[str, Any]:
    sections = [
        {
            "id": section.id,
            "title": section.title,
            "path": list(section.path),
            "words": len(section.text.split()),
        }
        for section in sources.constitution.sections
    ]
    found = sources.constitution
    return {"name": found.name, "digest": found.digest, "sections": sections, "ai": sources.ai_name}


def _principles(works: Works) -> dict[str, Any]:
    found = works.found
    return {
        "count": sum(len(principles) for principles in found.by_section.values()),
        "dropped_quotes": found.dropped,
        "sections_by_sentence": len(found.by_sentence),
        "used": len({one.brief.principle for one in works.kept}),
    }


def judge_gap(
    opinions: Sequence[tuple[Mapping[str, float], Mapping[str, float]]],
) -> dict[str, Any]:
    """What the judge gave above a blind one, on the documents that both marked, by mark.

    ``gap`` is the mean difference in marks of 1 to 5, ``error`` its standard error.
    """
    found: dict[str, Any] = {"both": len(opinions), "marks": {}}
    for mark in MARKS:
        pairs = [(a[mark], b[mark]) for a, b in opinions if mark in a and mark in b]
        if len(pairs) > 1:
            gaps = [one - other for one, other in pairs]
            found["marks"][mark] = {
                "judge": round(fmean(one for one, _ in pairs), 3),
                "blind": round(fmean(other for _, other in pairs), 3),
                "gap": round(fmean(gaps), 3),
                "error": round(stdev(gaps) / len(gaps) ** 0.5, 3),
            }
    return found


def stages(works: Works) -> list[dict[str, Any]]:
    """What each model stage did; replays are left out, so that a resumed build reads the same."""
    can = works.model.writer.stages
    rows: list[dict[str, Any]] = []
    for stage in STAGES:
        tally = works.model.tally.get(stage, Tally())
        skipped = None if stage in can else f"the writer '{works.model.writer.name}' cannot do it"
        rows.append(
            {
                "stage": stage,
                "asked": tally.asked,
                "whole": None if stage == "principles" else works.books.stage(stage).whole,
                "input": tally.input,
                "output": tally.output,
                "cache_write": tally.cache_write,
                "cache_read": tally.cache_read,
                "skipped": skipped,
            }
        )
    return rows


def cost(works: Works) -> dict[str, Any]:
    """The money, in micro-dollars, for all replies in use; None where a price is not known.

    ``saved``, ``replayed`` and the unknown outcomes tell of the run; all else is the same for a
    build that was interrupted and one that was not. ``in_all`` counts the replies of earlier plans
    in this folder too.
    """
    known = works.model.price is not None
    tallies = dict(sorted(works.model.tally.items()))
    total = _total(tallies.values())
    accounts = works.model.accounts()
    kept = sum(one.tokens for one in works.kept)
    return {
        "paid": total.cost if known else None,
        "possibly_paid": accounts.get("possibly_paid", works.model.unknown) if known else None,
        "rehearsed": is_rehearsal(works.model.writer),
        "by_stage": {stage: tally.cost for stage, tally in tallies.items()} if known else None,
        "per_million_kept": per_million(total.cost, kept) if known else None,
        "saved": _saved(total) if known else None,
        "in_all": accounts["direct"]["cost"] + accounts["batch"]["cost"] if known else None,
        "unpriced": total.unpriced,
        "replies": {"direct": total.asked - total.batch, "batch": total.batch},
        "replayed": total.replayed,
        "cache_hits": total.cache_read / total.input if total.input else None,
        "by_stream": {stream: _stream_cost(works, stream) for stream in _streams(works)},
        "refusals": dict(sorted(works.books.refusals.items())),
        "unknown": [{k: row[k] for k in ("stage", "detail", "worst")}
                    for row in accounts["unknown"]],
        "price_table": dated(),
    }  # fmt: skip


def is_rehearsal(writer: Writer) -> bool:
    """Whether this writer costs nothing, whatever its prices say."""
    return writer.free or writer.name == "rehearse"


def _total(tallies: Iterable[Tally]) -> Tally:
    """All stages together."""
    total = Tally()
    for tally in tallies:
        for spec in dataclasses.fields(Tally):
            setattr(total, spec.name, getattr(total, spec.name) + getattr(tally, spec.name))
    return total


def _saved(total: Tally) -> dict[str, int]:
    """Micro-dollars that were not spent: on replies that were there, by cache, by batch."""
    return {"resume": total.saved, "cache": total.saved_cache, "batch": total.saved_batch}


def _stream_cost(works: Works, stream: str) -> dict[str, Any]:
    """What a stream asked, paid and kept; principles serve all streams and are in none."""
    settled, account = works.of(stream), works.books.of(stream)
    ids = {one.document.id for one in works.kept}
    kept = [one for one in settled if one.document.id in ids]
    tokens = sum(one.tokens for one in kept)
    known = works.model.price is not None
    return {
        "paid": account.cost if known else None,
        "tokens": tokens,
        "per_million_kept": per_million(account.cost, tokens) if known else None,
        "yield": yields((one.review for one in settled), len(kept)),
        "stages": works.books.stages(stream),
    }


def notes(sources: Sources, works: Works) -> list[str]:
    """What a reader of the figures should know."""
    found = list(sources.constitution.dropped)
    missing = [row["stage"] for row in stages(works) if row["skipped"]]
    if missing:
        found.append(
            f"stages skipped because the writer '{works.model.writer.name}' cannot do them: "
            f"{', '.join(missing)}"
        )
    if works.found.by_sentence:
        found.append(
            f"principles of {len(works.found.by_sentence)} sections were taken by sentence, "
            f"not by a model"
        )
    if (held := works.guard.held) and held.too_short:
        found.append(
            f"{len(held.too_short)} held-out prompts have no word to look for, such as "
            f"{held.too_short[0]}"
        )
    unpriced = sum(tally.unpriced for tally in works.model.tally.values())
    if unpriced and works.model.price is not None:
        found.append(
            f"the usage of {unpriced} replies could not be read: they are counted as possibly "
            f"paid, at their worst case"
        )
    return found + works.notes
