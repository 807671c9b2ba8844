"""Old seeds -> a request for new ones; reply -> seeds. Pure both ways.

A request is dealt the skills that the library has least of, and parents that are unlike each other;
what comes back is held against everything that is there, so that no story is paid for twice in
other clothes.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence

from corpus import prompts
from corpus.prompts import between
from corpus.records import Reply, Request, Seed, digest

EACH = 4  # germs of one request
PARENTS = 6  # germs that it shows
SKILLS = 2  # that it asks for
TOKENS = 3_000
STAKES = frozenset({"ordinary", "slight", "serious"})
SHORTEST, LONGEST = 30, 110  # words of a premise

_TEXTS = ("name", "premise", "skill", "stakes", "setting", "ending", "tags")


def ask(
    seeds: Sequence[Seed], places: Sequence[str], model: str, number: int, salt: int
) -> Request:
    """The ``number``-th request for new seeds: rarest skills first, parents by a seeded digest."""
    often = Counter(seed.skill for seed in seeds)
    skills = sorted(often, key=lambda skill: (often[skill], digest(salt, skill)))
    wanted = [skills[(SKILLS * number + i) % len(skills)] for i in range(SKILLS)]
    parents = sorted(seeds, key=lambda seed: digest(salt, number, seed.id))[:PARENTS]
    slots = {
        "parents": "\n\n".join(f"- {p.premise} ({p.setting} {p.skill})" for p in parents),
        "skills": "; ".join(wanted),
        "places": "; ".join(places),
        "count": str(EACH),
    }
    system, user = prompts.render("seeds", slots)
    turns = ({"role": "user", "content": user},)
    return Request("seeds", model, system, turns, TOKENS)


def read(reply: Reply, skills: frozenset[str]) -> tuple[list[Seed], Counter[str]]:
    """The seeds of a reply, and how many of its blocks were dropped, by reason."""
    seeds: list[Seed] = []
    dropped: Counter[str] = Counter()
    for block in between(reply.text, "seed"):
        fields = {name: _field(name, block) for name in _TEXTS}
        if reason := _fault(fields, skills):
            dropped[reason] += 1
            continue
        tags = tuple(tag.strip() for tag in fields.pop("tags").split(",") if tag.strip())
        texts = {name: value for name, value in fields.items() if name != "name"}
        seeds.append(Seed(id=digest(texts), name=_slug(fields["name"]), tags=tags, **texts))
    return seeds, dropped


def toml(seeds: Sequence[Seed]) -> str:
    """The seeds as ``[[seed]]`` tables."""
    tables = []
    for seed in seeds:
        keys = ("name", "premise", "skill", "stakes", "setting", "ending")
        lines = [f"{key} = {json.dumps(getattr(seed, key), ensure_ascii=False)}" for key in keys]
        lines.append(f"tags = {json.dumps(list(seed.tags), ensure_ascii=False)}")
        tables.append("[[seed]]\n" + "\n".join(lines))
    return "\n\n".join(tables) + "\n"


def _field(name: str, block: str) -> str:
    return " ".join(next(between(block, name), "").split())


def _fault(fields: dict[str, str], skills: frozenset[str]) -> str:
    """Why a block is no seed; empty if it is one."""
    if not all(fields.values()):
        return "incomplete"
    if fields["skill"] not in skills:
        return "other_skill"
    if fields["stakes"] not in STAKES:
        return "other_stakes"
    return "" if SHORTEST <= len(fields["premise"].split()) <= LONGEST else "wrong_length"


def _slug(name: str) -> str:
    return "-".join(re.findall(r"\w+", name.casefold()))
