"""Jobs beside the build that ask a model too: new seeds, a quiz, chats with their reasons.

Each holds its output folder and its journal as a build does, so nothing of them is paid for twice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from corpus import deliberate, grow, guard, quiz, store
from corpus import seeds as germs
from corpus.build import working
from corpus.build.authors import profile
from corpus.build.repeats import told_twice
from corpus.build.sources import QUIZ, Sources, principles, read_sources
from corpus.build.watch import Watch
from corpus.errors import InputError
from corpus.records import Seed, digest
from corpus.settings import Settings

PLACES = 5  # that a request for seeds names


def grow_seeds(given: Settings, watch: Watch, number: int) -> dict[str, Any]:
    """Breed about ``number`` new seeds into a file of the seeds folder; what came of it.

    A germ is refused that repeats one of the library or of this run (in its words, or in its words
    with the names masked), or that is shaped like an evaluation: before a story of it is paid for.

    Raises:
        InputError: the seeds are a single file, or the writer cannot do it.
    """
    _check_stage(given)
    folder = Path(given.seeds)
    if folder.is_file():
        raise InputError(f"--seeds {folder}: a file; new seeds need a folder to go to, so give one")
    old = germs.load(folder)
    sources = read_sources(given)
    skills = frozenset(seed.skill for seed in old)
    with working(given, watch, beside=True) as (model, _):
        watch.stage("seeds", -(-number // grow.EACH))
        towns = [t for _, pools in sorted(sources.library.pools.items()) for t in pools.towns]
        name = model.writer.model_of("seeds")
        requests = [
            grow.ask(old, _places(towns, given.seed, at), name, at, given.seed)
            for at in range(-(-number // grow.EACH))
        ]
        found: dict[str, list[Seed]] = {}
        dropped: Counter[str] = Counter()
        for reply in model.answer(requests):
            found[reply.key], faults = grow.read(reply, skills)
            dropped += faults
            watch.step()
        watch.done()
    fresh = [seed for request in requests for seed in found.get(request.key, ())]
    kept = _new_ones(old, fresh, dropped)[:number]
    path = folder / f"grown-{digest([seed.id for seed in kept], chars=8)}.toml"
    if kept:
        store.write_text(path, f"# Bred from the seeds beside this file.\n\n{grow.toml(kept)}")
    return {
        "asked": len(requests) * grow.EACH,
        "kept": len(kept),
        "refused": dict(sorted(dropped.items())),
        "file": str(path) if kept else None,
    }


def write_quiz(given: Settings, watch: Watch) -> dict[str, Any]:
    """Write held-out questions for every section to ``quiz/quiz.jsonl`` of the output."""
    _check_stage(given)
    sources = _without_seeds(given)
    sections = sources.constitution.sections
    with working(given, watch, beside=True) as (model, _):
        watch.stage("quiz", len(sections))
        name = model.writer.model_of("quiz")
        requests = [quiz.ask(section, sources.ai_name, name) for section in sections]
        asked = {request.key: s for request, s in zip(requests, sections, strict=True)}
        rows: dict[str, list[dict[str, str]]] = {}
        for reply in model.answer(requests):
            rows[reply.key] = quiz.read(asked[reply.key], reply)
            watch.step()
        watch.done()
    ordered = [row for key in asked for row in rows.get(key, ())]
    if not ordered:
        author = profile(given).name
        raise InputError(f"--writer {author}: none of its replies held a question; try again")
    path = Path(given.output) / QUIZ
    store.write_rows(path, ordered)
    sorts = Counter(row["sort"] for row in ordered)
    stands = (Path(given.output) / "manifest.json").exists()
    note = "shards stand here already; run 'corpus build' again to look for these in them"
    return {
        "questions": len(ordered),
        **{sort: sorts[sort] for sort in quiz.SORTS},
        "sections": len({row["section"] for row in ordered}),
        "file": str(path),
        "note": note if stands else "",
    }


def _without_seeds(given: Settings) -> Sources:
    """The sources of a job that needs the constitution alone."""
    return read_sources(replace(given, mix={"documents": 1.0}))


def rewrite_chats(given: Settings, watch: Watch, files: Sequence[Path]) -> dict[str, Any]:
    """Rewrite the last answer of every chat; ``rewritten.jsonl`` and ``left.jsonl`` of the output.

    A row keeps all its other keys; ``rewritten`` holds the digest of the answer that it had. A row
    that cannot be rewritten stands in ``left.jsonl`` with its reason.

    Raises:
        InputError: a file cannot be read, or holds no chat that ends with an answer.
    """
    _check_stage(given)
    rows = [row for path in files for row in store.read_rows(path)]
    faults = [deliberate.unfit(row) for row in rows]
    chats = [row for row, fault in zip(rows, faults, strict=True) if not fault]
    if not chats:
        raise InputError(
            f"{files[0]}: no row has 'messages' that end with an assistant's answer in text "
            f"({', '.join(sorted(set(faults))) or 'it has no rows'})"
        )
    sources = _without_seeds(given)
    with working(given, watch, beside=True) as (model, _):
        found = principles(sources, model, watch)
        listed = deliberate.spread(list(found.by_section.values()))
        watch.stage("deliberate", len(chats))
        name = model.writer.model_of("deliberate")
        requests = [deliberate.ask(row, listed, name) for row in chats]
        replies = {}
        for reply in model.answer({request.key: request for request in requests}.values()):
            replies[reply.key] = reply
            watch.step()
        watch.done()
    kept: list[Mapping[str, Any]] = []
    left: list[Mapping[str, Any]] = [
        {**row, "reason": fault} for row, fault in zip(rows, faults, strict=True) if fault
    ]
    for row, request in zip(chats, requests, strict=True):
        answer = deliberate.answer_of(row)
        new, reason = deliberate.read(answer, replies[request.key])
        turns = [*row["messages"][:-1], {**row["messages"][-1], "content": new}]
        if new:
            kept.append({**row, "messages": turns, "rewritten": digest(answer)})
        else:
            left.append({**row, "reason": reason})
    folder = Path(given.output)
    store.write_rows(folder / "rewritten.jsonl", kept)
    store.write_rows(folder / "left.jsonl", left)
    reasons = Counter(str(row["reason"]) for row in left)
    return {"rewritten": len(kept), "left": dict(sorted(reasons.items())),
            "file": str(folder / "rewritten.jsonl")}  # fmt: skip


def _check_stage(given: Settings) -> None:
    """Refuse the demo writer, before anything is opened or fetched."""
    author = profile(given)
    if author.compact:
        raise InputError(
            f"--writer {author.name}: too small for this; set ANTHROPIC_API_KEY, or give "
            f"--base-url, or --writer rehearse for a rehearsal"
        )


def _places(towns: Sequence[str], salt: int, number: int) -> list[str]:
    return sorted(towns, key=lambda town: digest(salt, number, town))[:PLACES]


def _new_ones(old: Sequence[Seed], fresh: Sequence[Seed], dropped: Counter[str]) -> list[Seed]:
    """Those that neither repeat a seed that is there nor look like an evaluation."""
    names = {seed.name for seed in old}
    copies = {*told_twice(fresh, old), *(seed.id for seed in old)}
    kept: list[Seed] = []
    for seed in fresh:
        whole = f"{seed.premise} {seed.setting} {seed.ending}"
        if seed.id in copies:
            dropped["near_copy"] += 1
        elif guard.find(whole):
            dropped["evaluation"] += 1
        elif seed.name in names or not re.fullmatch(r"[\w-]+", seed.name):
            dropped["name_taken"] += 1
        else:
            names.add(seed.name)
            kept.append(seed)
    return kept
