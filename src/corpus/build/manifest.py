"""The manifest: what was built, out of what, by whom, at what cost; written last."""

from __future__ import annotations

import platform
from collections import Counter
from importlib import metadata
from typing import Any

from corpus import __version__, prompts
from corpus.build.rounds import Settled, Works
from corpus.build.sources import Sources
from corpus.model import ALL_STAGES
from corpus.records import STREAMS, Metric, digest
from corpus.settings import Settings

LIBRARIES = (
    "anthropic", "click", "datasketch", "jsonlines", "markdown-it-py", "numpy", "pyarrow", "spacy",
    "tokenizers",
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
        "gates": {metric.id: metric.gate for metric in metrics if metric.gate},
        **exported,
        "notes": notes(sources, works),
    }


def settings_digest(given: Settings) -> str:
    """The digest of the settings, without those that only say where things are."""
    row = {name: value for name, value in vars(given).items() if name not in _PLACES}
    return digest(row)


_PLACES = {"output", "constitution", "seeds", "kinds", "base_url", "concurrency", "batch", "budget"}


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


def stages(works: Works) -> list[dict[str, Any]]:
    """What each model stage did; replays are left out, so that a resumed build reads the same."""
    can = works.model.writer.stages
    rows: list[dict[str, Any]] = []
    for stage in sorted(ALL_STAGES, key=_ORDER.index):
        tally = works.model.tally.get(stage)
        skipped = None if stage in can else f"the writer '{works.model.writer.name}' cannot do it"
        rows.append(
            {
                "stage": stage,
                "asked": tally.asked if tally else 0,
                "input": tally.input if tally else 0,
                "output": tally.output if tally else 0,
                "skipped": skipped,
            }
        )
    return rows


_ORDER = ("principles", "message", "draft", "rewrite", "judge")


def cost(works: Works) -> dict[str, Any]:
    """Micro-dollars by stage, for all replies in use; None where a price is not known."""
    known = works.model.price is not None
    by_stage = {stage: tally.cost for stage, tally in sorted(works.model.tally.items())}
    kept = sum(one.tokens for one in works.kept)
    paid = sum(by_stage.values())
    return {
        "paid": paid if known else None,
        "possibly_paid": works.model.unknown if known else None,
        "by_stage": by_stage if known else None,
        "per_million_kept": round(paid * 1_000_000 / kept) if known and kept else None,
        "unpriced": sum(tally.unpriced for tally in works.model.tally.values()),
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
    return found + works.notes
