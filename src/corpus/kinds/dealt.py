"""What briefs are dealt beside facets: names by locale, and tool definitions by family.

Models overuse a few names (one lab counted 439,000 uses of one), so people, towns and institutions
come from pools; ``scripts/make_pools.py`` wrote the file. Nothing here is real but the towns.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

POOLS = ("person", "other", "town", "institution")  # one locale a brief
SPARE = ("person", "other")  # of a story's place, for whom its seed leaves without a name
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


@cache
def _table(name: str) -> Mapping[str, tuple[str, ...]]:
    text = (_HOME / name).read_text(encoding="utf-8")
    return {key: tuple(values) for key, values in tomllib.loads(text).items()}


def places() -> tuple[Mapping[str, tuple[str, ...]], ...]:
    """What is known of places, for digests: their locales, and the tools that they have."""
    return _table("countries.toml"), _table("desks.toml")


def locale_of(setting: str) -> str:
    """The locale whose names people have where a story is set; empty where it is none of ours.

    A setting may name two places ("from Kostanay, Kazakhstan, to Poland"): the first one counts.
    """
    found = [
        (place.start(), locale)
        for locale, words in _table("countries.toml").items()
        for word in words
        if (place := re.search(rf"\b{re.escape(word)}\b", setting))
    ]
    return min(found, default=(0, ""))[1]


def fitting(families: Iterable[str], domain: str) -> list[str]:
    """The families of tools that a place would have; all of them where the place is not ours."""
    desks = _table("desks.toml")
    if domain not in desks:
        return list(families)
    bound = {family for found in desks.values() for family in found}
    return [family for family in families if family not in bound or family in desks[domain]]


def tool_list(tools: Iterable[Tool]) -> str:
    """Tools as a writer needs to know them: a line each, the name, what it takes, what it does."""
    lines = []
    for tool in tools:
        takes = ", ".join(tool["input_schema"].get("properties", {}))
        lines.append(f"- {tool['name']}({takes}): {tool['description']}")
    return "\n".join(lines)
