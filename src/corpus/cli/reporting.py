"""The report command: write the page, beside another build if asked, and hold it to its gates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from corpus.errors import GateFailed, InputError


def run(
    *,
    output: str,
    other: str | None,
    fail_on: str | None,
    under: tuple[str, ...],
    over: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write the report of ``output`` and print its path, or all of it as JSON.

    Raises:
        InputError: there is no build, OTHER is none, or a limit cannot be read.
        GateFailed: a gate that was asked for is broken; the report is written.
    """
    from corpus import report
    from corpus.cli import running, show

    if fail_on == "worse" and not other:
        raise InputError("--fail-on worse: nothing to compare with; give --compare OTHER too")
    folder = Path(output)
    made = running.manifest_of(folder)
    beside = _facts(Path(other)) if other else None
    page = report.write(folder, made, other=beside, other_name=other or "")
    facts = report.read_twin(page)
    show.as_json(facts) if as_json else click.echo(page)
    level = None if fail_on == "worse" else fail_on
    wrong = report.broken(facts, under=under, over=over, on=level, worse=fail_on == "worse")
    if wrong:
        raise GateFailed(f"{'; '.join(wrong)}; see {page}")


def _facts(other: Path) -> dict[str, Any]:
    """The other build: from its folder, or as a report of it told."""
    from corpus import report
    from corpus.cli import running

    if other.is_dir():
        return report.collect(other, running.manifest_of(other))
    return report.load(other)
