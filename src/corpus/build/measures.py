"""What a pilot measured: written once, and read by every plan over the same inputs.

The figure that matters is the plain cost (asked directly, no cache) per *kept* token, which holds
everything that is written and thrown away. It is a ratio of sums over briefs; its standard error is
that of the ratio estimator by linearisation (Cochran, "Sampling Techniques", 1977, section 6.4),
without the correction for a finite population, and as if one more brief of mean cost had been
thrown away: that few briefs were all kept does not show that all will be. This room does no asking.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

from corpus import prompts
from corpus.build.sources import Sources
from corpus.errors import InputError
from corpus.model import Writer
from corpus.model.prices import dollars
from corpus.records import digest
from corpus.settings import DEFAULT_MODEL, Settings

FILE = "pilot.json"


@dataclass(frozen=True)
class Pilot:
    """A pilot of the same inputs: rates by stream, plain cost of principles, all it wrote down."""

    streams: dict[str, Mapping[str, float]]
    principles: int | None
    row: dict[str, Any]

    @property
    def note(self) -> str:
        """Where the prices come from, in a line."""
        pooled = [name for name, rate in self.streams.items() if rate["pooled"]]
        said = (
            f"prices by the pilot of {self.row['briefs']} briefs in {FILE}: cost per kept token "
            f"plus or minus 2 standard errors"
        )
        paid = self.row.get("paid")
        if paid and not self.row.get("rehearsed"):
            said += f"; {dollars(paid)} of it is paid"
        few = f"; too few were kept of {', '.join(pooled)}: the rate of all streams stands in"
        return said + few * bool(pooled)


def inputs_digest(given: Settings, sources: Sources, author: Writer) -> str:
    """The digest of what a pilot's figures depend on; the number of tokens is not in it."""
    return digest(
        sources.constitution.digest,
        [seed.id for seed in sources.seeds],
        sources.library.digest,
        list(prompts.texts()),
        [author.name, given.model or DEFAULT_MODEL, given.models, given.languages, given.without],
        [given.judge_at_least, given.threshold, given.tokenizer, given.prices],
    )


def read_pilot(folder: Path, inputs: str) -> Pilot | None:
    """The pilot of an output folder, if it was made of these inputs.

    Raises:
        InputError: the file is there and is not what a pilot writes.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        row = json.loads(path.read_text("utf-8"))
        if row["inputs"] != inputs:
            return None
        known = {name: rate for name, rate in row["rates"].items() if rate is not None}
        principles = row["principles"]["plain"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not what a pilot writes; delete it, or make a new one"
        ) from error
    return Pilot(known, principles, row)


def rate(costs: Sequence[int], tokens: Sequence[int]) -> dict[str, Any] | None:
    """Micro-dollars per kept token, with its standard error, over briefs.

    None where that cannot be told: fewer than two briefs, or nothing kept.
    """
    n, kept = len(costs), sum(tokens)
    if n < 2 or not kept:  # noqa: PLR2004 - one value has no spread
        return None
    value, lost = sum(costs) / kept, sum(costs) / n
    squares = sum((cost - value * token) ** 2 for cost, token in zip(costs, tokens, strict=True))
    error = sqrt((squares + lost**2) / ((n + 1) * n)) / (kept / (n + 1))
    return {"value": value, "error": error, "n": n, "pooled": False}


def rates(briefs: Mapping[str, Sequence[tuple[int, int]]]) -> dict[str, dict[str, Any] | None]:
    """The rate of each stream from (cost, kept tokens) of its briefs.

    A stream in which fewer than two documents were kept gets the rate of all streams together.
    """
    pairs = [pair for stream in briefs.values() for pair in stream]
    together = rate([cost for cost, _ in pairs], [tokens for _, tokens in pairs])
    pooled = together and {**together, "pooled": True}
    found: dict[str, dict[str, Any] | None] = {}
    for stream, mine in briefs.items():
        enough = sum(tokens > 0 for _, tokens in mine) > 1
        own = rate([cost for cost, _ in mine], [tokens for _, tokens in mine])
        found[stream] = own if enough else pooled
    return found
