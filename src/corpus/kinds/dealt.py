"""What briefs are dealt beside facets: names by locale, and tool definitions by family.

Models overuse a few names (one lab counted 439,000 uses of one), so people, towns and institutions
come from pools; ``scripts/make_pools.py`` wrote the file. Nothing here is real but the towns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

POOLS = ("person", "other", "town", "institution")  # one locale a brief
Tool = dict[str, Any]  # a tool definition of the Messages API: name, description, input_schema

_HOME = Path(__file__).parent


@dataclass(frozen=True)
class Pools:
    """What a locale has to deal: given names, towns, invented institutions, and its weight."""

    weight: float
    people: tuple[str, ...]
    towns: tuple[str, ...]
    institutions: tuple[str, ...]

    def of(self, pool: str) -> tuple[str, ...]:
        """What fills a slot of ``POOLS``."""
        match pool:
            case "person" | "other":
                return self.people
            case "town":
                return self.towns
            case "institution":
                return self.institutions
        raise KeyError(pool)


@cache
def pools() -> Mapping[str, Pools]:
    """The shipped pools by locale, read once."""
    text = (_HOME / "pools.json").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            key: Pools(
                weight=float(table["weight"]),
                people=tuple(table["people"]),
                towns=tuple(table["towns"]),
                institutions=tuple(table["institutions"]),
            )
            for key, table in json.loads(text).items()
        }
    )


@cache
def toolbox() -> Mapping[str, tuple[Tool, ...]]:
    """The shipped tool definitions by family, read once."""
    text = (_HOME / "tools.json").read_text(encoding="utf-8")
    return {family: tuple(tools) for family, tools in json.loads(text).items()}
