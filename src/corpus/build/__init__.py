"""The main job: the stages in order. This is the page that says what the program does.

    read -> principles -> rounds of (plan, write, review, dedup)
         -> score -> export -> report -> manifest

A build remembers nothing but its journal. Every run plans from the start and asks for everything
again; what was answered before comes from the journal at once, so resuming, repeating and going on
with changed settings are the same thing, and an interrupted build ends as an unbroken one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from corpus import dedup, export, formats, prompts, report, score, store, tokens
from corpus.build import authors
from corpus.build.manifest import counts, manifest
from corpus.build.rounds import Works
from corpus.build.sources import Sources, principles, read_sources
from corpus.build.watch import Watch
from corpus.errors import DiskError, InputError, did_you_mean
from corpus.model import Model, Writer
from corpus.model.journal import Journal
from corpus.plan import Material, Planner, shares
from corpus.records import STREAMS, Metric, Principle
from corpus.settings import Settings

NEAREST = 20  # pairs of documents whose likeness is told
TOKENS = {"claude": 200_000, "local": 3_600, "rehearse": 50_000}


@dataclass
class Outcome:
    """What a build came to: the manifest as written, the metrics, and where the report is."""

    manifest: dict[str, Any]
    report: Path
    metrics: list[Metric] = field(default_factory=list)

    @property
    def failed(self) -> list[str]:
        """The ids of the gates that failed."""
        return [metric.id for metric in self.metrics if metric.gate == "fail"]


def build(given: Settings, watch: Watch) -> Outcome:
    """Run the whole build into ``given.output``; see ``corpus.errors`` for what may be raised.

    The manifest is written last: while it is not there, the build is not whole.
    """
    sources = read_sources(given)
    check_ends(given)
    base = score.read_baseline(Path(given.baseline)) if given.baseline else None
    folder = Path(given.output)
    with working(given, watch) as (model, date):
        (folder / "manifest.json").unlink(missing_ok=True)
        works = _write(given, sources, model, watch, folder)
        return _finish(given, sources, works, watch, folder, date, base)


@contextmanager
def working(given: Settings, watch: Watch, *, beside: bool = False) -> Iterator[tuple[Model, str]]:
    """The output folder held by this process: its model, and the day of its first run.

    What may refuse the run comes first: a refused one leaves no mark, and fetches nothing. A job
    ``beside`` the build leaves the settings and the snapshot of one that stands there alone.
    """
    folder, today = Path(given.output), _today()
    if not folder.is_dir() and (folder.exists() or folder.is_symlink()):
        raise DiskError(f"--output {folder}: is there and is no folder; give another")
    name = authors.check(given).name
    with Journal(folder / "journal.sqlite") as journal:
        _check_mark(folder, journal)
        _check_writer(folder, journal, name)
        with _asking(given, journal, watch) as model:
            journal.meta("writer", name)
            date = journal.meta("date", today)
            if not (beside and (folder / "briefs.jsonl").exists()):
                watch.publish(folder / "status.json", journal.attempts)
                store.write_text(folder / "corpus.toml", _resolved(given, model.writer).toml())
            yield model, date


@contextmanager
def _asking(given: Settings, journal: Journal, watch: Watch) -> Iterator[Model]:
    with authors.writer(given, watch.say) as author:
        budget = None if given.budget is None else round(given.budget * 1_000_000)
        with Model(
            author, journal, budget=budget, prices=given.prices, batch=given.batch,
            say=watch.say, confirm=watch.confirm, waits=watch.waits,
        ) as model:  # fmt: skip
            yield model


def _check_mark(folder: Path, journal: Journal) -> None:
    """Refuse a journal that holds less than the last run saw: what is gone would be bought again.

    Raises:
        DiskError: the file was emptied or replaced, or its ``-wal`` file was deleted.
    """
    path = folder / "status.json"
    try:
        marks = [row.get("attempts", 0) for row in store.read_if_there(path)]
    except InputError as error:
        raise InputError(f"{error}; delete {path} to go on") from error
    seen = sum(mark for mark in marks if isinstance(mark, int))
    if (there := journal.attempts()) < seen:
        raise DiskError(
            f"{journal.path}: holds {there:,} attempts, the last run saw {seen:,} (was the file or "
            f"its -wal deleted?); restore it, or delete status.json to go on and buy the rest again"
        )


def _check_writer(folder: Path, journal: Journal, name: str) -> None:
    """Keep rehearsals and demos apart from what was paid for: they would answer the same requests.

    Raises:
        InputError: the output was begun with another writer.
    """
    first = journal.remembered("writer") or name
    if first != name:
        raise InputError(
            f"{folder}: was begun with --writer {first}, and holds its replies; give another "
            f"--output for --writer {name}"
        )


def _write(given: Settings, sources: Sources, model: Model, watch: Watch, folder: Path) -> Works:
    """Principles, then rounds until every stream has its kept tokens or can get no further."""
    found = principles(sources, model, watch)
    goals = shares(given.streams(), goal(given, model.writer))
    watch.goal = sum(goals.values())
    watch.kept(0, 0)
    with Works.open(folder, given, sources, found, model, watch) as works:
        works.run(Planner(material(given, sources, found.by_section, model.writer)), goals)
    return works


def material(
    given: Settings,
    sources: Sources,
    found: Mapping[str, Sequence[Principle]],
    author: Writer,
) -> Material:
    """What the briefs of a build are dealt from."""
    return Material(
        sections=sources.constitution.sections,
        principles=found,
        seeds=sources.seeds,
        library=sources.library,
        seed=given.seed,
        compact=author.compact,
        languages={} if author.compact else given.languages,
        injections=tuple(prompts.injections()),
    )


def _finish(
    given: Settings,
    sources: Sources,
    works: Works,
    watch: Watch,
    folder: Path,
    date: str,
    base: score.Baseline | None,
) -> Outcome:
    """Score, export, report, manifest: all derived from what stands in the folder."""
    watch.stage("score", len(works.kept))
    metrics = score.score(
        works.texts(),
        allowed=[*(s.text for s in sources.constitution.sections), *sources.seed_texts()],
        plan_cells=works.cells(),
        limits={**score.DEFAULTS, **{k: (v[0], v[1]) for k, v in given.gates.items()}},
        baseline=base,
        known_names=[sources.ai_name],
        near_duplicates={},
    )
    store.write_rows(folder / "scores.jsonl", (metric.row() for metric in metrics))
    bodies = dedup.Held([one.document.body for one in works.kept])
    near = dedup.nearest_pairs(bodies, [one.document.id for one in works.kept], NEAREST)
    store.write_rows(folder / "likeness.jsonl", near)
    watch.stage("export", len(works.kept))
    exported = _export(given, sources, works, metrics, folder, date)
    resolved = _resolved(given, works.model.writer)
    made = manifest(resolved, sources, works, metrics, exported, date)
    watch.stage("report", 1)
    page = report.write(folder, made, recall=works.model.recall)
    store.write_json(folder / "manifest.json", made)
    watch.step()
    watch.done()
    return Outcome(made, page, metrics)


def _export(
    given: Settings,
    sources: Sources,
    works: Works,
    metrics: list[Metric],
    folder: Path,
    date: str,
) -> dict[str, Any]:
    """The shards of what is kept; none, where nothing was."""
    if not works.kept:
        return {"tokenizer": works.tokenizer.row(), "shards": []}
    exported = export.export(
        export.rows_of_build(folder, created=date),
        folder / "shards",
        formats=given.formats,
        tokenizer=works.tokenizer,
        shard_tokens=given.shard_tokens,
        seed=given.seed,
        allow_demo=True,
        facts=export_facts(given, sources, works, metrics),
    )
    return exported.row(folder)


def export_facts(
    given: Settings, sources: Sources, works: Works, metrics: list[Metric]
) -> dict[str, Any]:
    """What the dataset card says beside the counts."""
    return {
        "license": given.license,
        "models": works.models(),
        "constitution": {
            "name": sources.constitution.name,
            "digest": sources.constitution.digest,
            "sections": len(sources.constitution.sections),
        },
        "gates": {metric.id: metric.gate for metric in metrics if metric.gate},
        "counts": {
            stream: counts(works, settled) for stream in STREAMS if (settled := works.of(stream))
        },
        "guard": {
            "mode": works.guard.mode,
            "held_out": len(works.guard.held or ()),
            "found": dict(works.guard.counts),
        },
        "demo": works.model.writer.quality == "demo",
    }


def check_ends(given: Settings) -> None:
    """Refuse gates, a tokenizer or formats that could not be used, before anything is spent.

    Raises:
        InputError: one of them is unknown, lacks its package, or cannot go with the others.
    """
    check_gates(given)
    layout = formats.Layout(tokens.load(given.tokenizer))
    formats.check(given.formats, (), layout)


def check_gates(given: Settings) -> None:
    """Refuse limits for a gate that there is not, before anything is spent."""
    for name in given.gates:
        if name not in score.DEFAULTS:
            raise InputError(f"[gates] {name}: no such gate{did_you_mean(name, score.DEFAULTS)}")


def goal(given: Settings, author: Writer) -> int:
    """Kept tokens to aim at: as set, else what suits the writer."""
    return given.tokens or TOKENS[author.name]


def _resolved(given: Settings, author: Writer) -> Settings:
    """The settings with every choice that was left open filled in."""
    chosen: Mapping[str, Any] = {
        "writer": author.name,
        "tokens": goal(given, author),
        "model": author.model,
    }
    return given.with_flags(chosen)


def _today() -> str:
    """The day of the first run of an output, in UTC; ``SOURCE_DATE_EPOCH`` fixes it."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        now = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InputError(f"SOURCE_DATE_EPOCH {epoch!r}: not seconds since 1970") from error
    return now.date().isoformat()
