"""What a trial claims, what it measured, and the table of all of them."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Claim:
    """One row of the table; ``passed`` is None where the trial could not be made, or only tells."""

    trial: str
    claim: str
    target: str
    measured: str
    passed: bool | None

    @property
    def verdict(self) -> str:
        """The last column."""
        if self.passed is None:
            return "skipped" if self.measured.startswith("skipped") else "-"
        return "pass" if self.passed else "FAIL"


def skipped(trial: str, claim: str, why: str) -> Claim:
    """A claim that this machine cannot put to the test; the table says so."""
    return Claim(trial, claim, "-", f"skipped: {why}", None)


def environment(seed: int) -> str:
    """One line: what the figures were measured on."""
    load = os.getloadavg()[0]
    return (
        f"seed {seed}, {os.cpu_count()} cores, load {load:.1f}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{platform.system()} {platform.machine()}"
    )


def table(claims: list[Claim]) -> str:
    """The claims as a Markdown table, columns aligned."""
    rows = [("trial", "claim", "target", "measured", "")]
    rows += [(c.trial, c.claim, c.target, c.measured, c.verdict) for c in claims]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def write(path: Path, claims: list[Claim], where: str) -> None:
    """The same as JSON."""
    rows = [asdict(claim) for claim in claims]
    path.write_text(json.dumps({"environment": where, "claims": rows}, indent=1) + "\n")
