"""Jobs beside the build that ask a model too: new seeds, a quiz, chats with their reasons.

Each holds its output folder and its journal as a build does, so nothing of them is paid for twice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corpus import deliberate, grow, guard, quiz, store
from corpus import seeds as germs
from corpus.build import working
from corpus.build.repeats import told_twice
from corpus.build.sources import QUIZ, principles, read_sources
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
    folder = Path(given.seeds)
    old = germs.load(folder)
    if not folder.is_dir():
        raise InputError(f"--seeds {folder}: new seeds need a folder to go to; give one")
    sources = read_sources(given)
    skills = frozenset(seed.skill for seed in old)
    with working(given, watch) as (model, _):
        _check_stage(model.writer.name, model.writer.compact)
        watch.stage("seeds", -(-number // grow.EACH))
        towns = [t for _, pools in sorted(sources.library.pools.items()) for t in pools.towns]
        requests = [
            grow.ask(old, _places(towns, given.seed, at), model.writer.model, at, given.seed)
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
    sources = read_sources(given)
    sections = sources.constitution.sections
    with working(given, watch) as (model, _):
        _check_stage(model.writer.name, model.writer.compact)
        watch.stage("quiz", len(sections))
        asked = {
            quiz.ask(section, sources.ai_name, model.writer.model).key: section
            for section in sections
        }
        requests = [quiz.ask(s, sources.ai_name, model.writer.model) for s in sections]
        rows: dict[str, list[dict[str, str]]] = {}
        for reply in model.answer(requests):
            rows[reply.key] = quiz.read(asked[reply.key], reply)
            watch.step()
        watch.done()
    ordered = [row for request in requests for row in rows.get(request.key, ())]
    if not ordered:
        raise InputError(f"--writer {given.writer}: none of its replies held a question; try again")
    path = Path(given.output) / QUIZ
    store.write_rows(path, ordered)
    sorts = Counter(row["sort"] for row in ordered)
    return {"questions": len(ordered), **{sort: sorts[sort] for sort in quiz.SORTS},
            "sections": len({row["section"] for row in ordered}), "file": str(path)}  # fmt: skip


def rewrite_chats(given: Settings, watch: Watch, files: Sequence[Path]) -> dict[str, Any]:
    """Rewrite the last answer of every chat; ``rewritten.jsonl`` and ``left.jsonl`` of the output.

    A row keeps all its other keys; ``rewritten`` holds the digest of the answer that it had. A row
    that cannot be rewritten stands in ``left.jsonl`` with its reason.

    Raises:
        InputError: a file cannot be read, or holds no chat that ends with an answer.
    """
    rows = [row for path in files for row in store.read_rows(path)]
    chats = [row for row in rows if deliberate.answer_of(row.get("messages"))]
    if not chats:
        raise InputError(f"{files[0]}: no row has messages that end with an assistant's answer")
    sources = read_sources(given)
    with working(given, watch) as (model, _):
        _check_stage(model.writer.name, model.writer.compact)
        found = principles(sources.constitution.sections, model, watch)
        listed = deliberate.spread(list(found.by_section.values()))
        watch.stage("deliberate", len(chats))
        requests = [deliberate.ask(row, listed, model.writer.model) for row in chats]
        replies = {}
        for reply in model.answer({request.key: request for request in requests}.values()):
            replies[reply.key] = reply
            watch.step()
        watch.done()
    kept: list[Mapping[str, Any]] = []
    left: list[Mapping[str, Any]] = [
        {**row, "reason": "no_answer"} for row in rows if row not in chats
    ]
    for row, request in zip(chats, requests, strict=True):
        answer = deliberate.answer_of(row["messages"])
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


def _check_stage(writer: str, compact: bool) -> None:  # noqa: FBT001 - private
    if compact:
        raise InputError(f"--writer {writer}: too small for this; set a key, or --writer rehearse")


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
