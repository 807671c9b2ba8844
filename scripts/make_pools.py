"""Writes ``src/corpus/kinds/pools.json``: the people, towns and institutions that briefs are dealt.

The tables in ``scripts/pools/`` are written by hand. Where a locale names a Faker locale, its given
names are drawn from that, and those in ``without`` are left out. Faker is used here only, never in
a build: its lists change from release to release, and a new release would change everybody's
corpus. What a build reads is the file that this script wrote, and it is under version control.

Run it as ``python scripts/make_pools.py`` after a change to a table, with ``faker`` installed (the
file was made with release 40).
"""

from __future__ import annotations

import importlib
import json
import random
import re
import tomllib
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
KINDS = HERE.parent / "src" / "corpus" / "kinds"
MOST = 60  # names taken of one Faker locale
SHARED = 3  # a name in more locales than this tells nothing of a place
SEED = "pools"

Table = dict[str, Any]


def fold(name: str) -> str:
    """The name without case and diacritics: Sofía is Sofia."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def tables() -> Table:
    """All locales of all regions, by key; a key is used once."""
    found: Table = {}
    for path in sorted((HERE / "pools").glob("*.toml")):
        for key, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if key in found:
                raise SystemExit(f"{path}: [{key}] is in another file too")
            found[key] = table
    return found


def listed(locale: str) -> set[str]:
    """Every given name that Faker lists for a locale."""
    from faker import Generator

    provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
    made = provider(Generator())
    names: set[str] = set()
    for key in vars(provider):
        if key.startswith("first_names"):
            names.update(getattr(made, key))
    return {unicodedata.normalize("NFC", name.strip()) for name in names}


def plain(name: str) -> bool:
    """One word of 2 to 14 Latin letters, capitalised as a name is."""
    return (
        re.fullmatch(r"[^\W\d_]{2,14}", name) is not None
        and all("LATIN" in unicodedata.name(sign) for sign in name)
        and name == name[0].upper() + name[1:].lower()
    )


def sampled(locale: str, barred: set[str]) -> list[str]:
    """Up to ``MOST`` names of a Faker locale: the same ones on every run with the same release."""
    clean = sorted(name for name in listed(locale) if plain(name) and fold(name) not in barred)
    first = {fold(name): name for name in reversed(clean)}  # one spelling of each
    clean = sorted(first.values())
    chance = random.Random(f"{SEED} {locale}")  # noqa: S311 - chance that can be repeated
    return sorted(chance.sample(clean, min(MOST, len(clean))))


def main() -> None:
    """Reads the tables, fills in the names, and writes the file."""
    overused = {fold(name) for name in (KINDS / "overused.txt").read_text("utf-8").split()}
    barred = overused | {fold(name) for name in listed("en_US")}
    found = tables()
    for key, table in found.items():
        by_hand = table.get("people", [])
        if bad := [name for name in by_hand if fold(name) in overused]:
            raise SystemExit(f"[{key}] people: overused by models: {', '.join(bad)}")
        drawn = sampled(table["faker"], barred) if "faker" in table else []
        drawn = [name for name in drawn if name not in table.get("without", [])]
        table["people"] = sorted({fold(name): name for name in [*drawn, *by_hand]}.values())
    count = Counter(fold(name) for table in found.values() for name in table["people"])
    lines = []
    for key, table in sorted(found.items()):
        people = [name for name in table["people"] if count[fold(name)] <= SHARED]
        lists = {"people": people, "towns": table["towns"], "institutions": table["institutions"]}
        rows = [f'  "weight": {json.dumps(table["weight"])}'] + [
            f'  "{name}": {json.dumps(sorted(values), ensure_ascii=False)}'
            for name, values in lists.items()
        ]
        lines.append(f'"{key}": {{\n' + ",\n".join(rows) + "\n}")
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    (KINDS / "pools.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
