"""What the commands do beyond one call: ask before spending, tell the outcome, find the files."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Console

from corpus import store
from corpus.errors import CorpusError, GateFailed, InputError, Interrupted
from corpus.records import Metric
from corpus.settings import Settings

if TYPE_CHECKING:
    from corpus.build.watch import Watch

T = TypeVar("T")
SNAPSHOT = {
    "state", "pid", "round", "stage", "done", "total", "kept", "tokens", "tokens_goal", "seconds",
}  # fmt: skip


def build(given: Settings, *, yes: bool, as_json: bool) -> None:
    """Build, with a live display, and say what came out.

    Raises:
        GateFailed: a diversity gate failed over documents that are meant for training.
    """
    from corpus import report
    from corpus.build import build as run
    from corpus.build.forecast import forecast, over_budget
    from corpus.cli import show

    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    planned = forecast(given)
    if warning := over_budget(planned, given.budget):
        console.print(warning)
    ask = planned["writer"] == "claude" and not yes
    outcome = watched(console, show.plan_line(planned), partial(run, given), ask=ask)
    if as_json:
        show.as_json(outcome.manifest)
    else:
        console.print(report.summary(report.read_twin(outcome.report)))
        console.print(f"report: {outcome.report}")
    if not any(row["kept"] for row in outcome.manifest["counts"].values()):
        raise GateFailed(f"no document was kept; {outcome.report} shows why each was rejected")
    if outcome.failed and not outcome.manifest["quality"]:
        raise GateFailed(f"gates failed: {', '.join(outcome.failed)}; see {outcome.report}")


def pilot(given: Settings, number: int, *, yes: bool, as_json: bool) -> None:
    """Write about ``number`` briefs and say what the whole plan will cost."""
    from corpus.build.forecast import forecast
    from corpus.build.pilot import pilot as run
    from corpus.cli import show

    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    planned = forecast(given)
    ask, job = planned["writer"] == "claude" and not yes, partial(run, given, number=number)
    found = watched(console, show.plan_line(planned), job, ask=ask)
    show.as_json(found) if as_json else show.pilot(found)


def watched(console: Console, line: str, job: Callable[[Watch], T], *, ask: bool) -> T:
    """Say what is planned, ask before money is spent, and do it under a display."""
    from corpus.cli.progress import LiveWatch, PlainWatch

    console.print(line)
    watch = LiveWatch(console) if console.is_terminal else PlainWatch(console.print)
    if sys.stdin.isatty() and sys.stderr.isatty():
        watch.confirm = partial(click.confirm, err=True)
        if ask:
            click.confirm("Go on?", abort=True, err=True)
    with watch:
        try:
            return job(watch)
        except CorpusError as error:
            watch.failed(str(error))
            raise
        except (KeyboardInterrupt, click.Abort):
            watch.failed("stopped by a signal")
            raise Interrupted("stopped; run the same command again to go on") from None


def raise_for_gates(metrics: list[Metric]) -> None:
    """Raise ``GateFailed`` if a gate failed."""
    if failed := [metric.id for metric in metrics if metric.gate == "fail"]:
        raise GateFailed(f"gates failed: {', '.join(failed)}")


def score(
    files: tuple[Path, ...],
    given: Settings,
    names: tuple[str, ...],
    pipeline: str | None,
    *,
    allowed: tuple[Path, ...],
    compare: bool,
) -> list[Metric]:
    """The suite over files, with the share of documents that dedup finds in clusters."""
    from corpus import build, dedup
    from corpus import score as room

    build.check_gates(given)
    base = room.read_baseline(Path(given.baseline), pipeline) if given.baseline else None
    texts = room.read_files(files)
    if not texts:
        raise InputError(f"{files[0]}: no document in it; there is nothing to measure")
    items = [dedup.Item(str(place), text.text) for place, text in enumerate(texts)]
    return room.score(
        texts,
        allowed=room.read_allowed(allowed),
        limits={name: (pair[0], pair[1]) for name, pair in given.gates.items()},
        baseline=base,
        known_names=names,
        near_duplicates=room.near_copies(dedup.find(items), texts),
        pipeline=pipeline,
        compare=compare,
    )


def manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest of a build, or {} where it is not whole.

    Raises:
        InputError: there is no build in the folder, or its manifest is damaged.
    """
    if not (folder / "briefs.jsonl").exists():
        raise InputError(f"{folder}: no build in it; give the --output of 'corpus build'")
    path = folder / "manifest.json"
    return store.read_json(path) if path.exists() else {}


def status(folder: Path) -> dict[str, Any]:
    """The snapshot of a build; a running one whose process is gone is called stopped.

    Raises:
        InputError: no build ever ran there.
    """
    rows = store.read_if_there(folder / "status.json")
    if not rows:
        raise InputError(f"{folder}: no build has run here; start one with 'corpus build'")
    found = rows[0]
    if lacking := SNAPSHOT - found.keys():
        raise InputError(f"{folder / 'status.json'}: has no {min(lacking)!r}; it is no snapshot")
    here = found.get("host") == socket.gethostname()
    if found["state"] == "running" and here and not _alive(found["pid"]):
        found |= {"state": "stopped", "reason": "its process is gone; run 'corpus build' to go on"}
    return found


def status_line(found: dict[str, Any]) -> str:
    """The snapshot in a line."""
    text = f"{found['state']}: round {found['round']}, {found['stage']} "
    text += f"{found['done']}/{found['total']}, kept {found['kept']} documents, "
    text += f"{found['tokens']:,} of {found['tokens_goal']:,} tokens, {found['seconds']:.0f} s"
    if waiting := found.get("batches"):
        text += f"; waiting for {len(waiting)} batches, {found['waiting']:,} s by now"
    return f"{text} ({found['reason']})" if found.get("reason") else text


def _alive(pid: int) -> bool:
    with contextlib.suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
