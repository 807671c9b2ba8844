"""The frames around every assignment: one Markdown file per model stage, system part first.

The system part of a stage changes only with the section, so that it is the prefix that a provider
can cache for all briefs of that section; what varies comes after the line ``---user---``. Slots
are ``string.Template``'s. A line that begins with ``?word`` stands only where that flag is set, one
with ``!word`` only where it is not: chats and stories, texts without reasons and texts without a
constitution share their frames that way.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from string import Template

_MARK = "\n---user---\n"
_FLAG = re.compile(r"([?!])(\w+)(?: |$)")


@cache
def _parts(stage: str, flags: frozenset[str]) -> tuple[Template, Template]:
    text = (Path(__file__).parent / f"{stage}.md").read_text(encoding="utf-8")
    lines = (_line(line, flags) for line in text.split("\n"))
    system, _, user = "\n".join(line for line in lines if line is not None).partition(_MARK)
    return Template(system.strip()), Template(user.strip())


def _line(line: str, flags: frozenset[str]) -> str | None:
    """The line without its flag; None where the flag leaves it out."""
    if not (flag := _FLAG.match(line)):
        return line
    return line[flag.end() :] if (flag[1] == "?") == (flag[2] in flags) else None


def render(stage: str, slots: dict[str, str], flags: Collection[str] = ()) -> tuple[str, str]:
    """The system and the user text of a stage, every slot filled.

    Raises:
        KeyError: a slot has no value: a fault of this program, not of the user.
    """
    system, user = _parts(stage, frozenset(flags))
    return system.substitute(slots), user.substitute(slots)


@cache
def injections() -> dict[str, str]:
    """The values under which answers are drafted, by name; ``none`` is empty."""
    text = (Path(__file__).parent / "injections.toml").read_text(encoding="utf-8")
    return {name: value.strip() for name, value in tomllib.loads(text).items()}


def between(text: str, tag: str) -> Iterator[str]:
    """What stands between a tag and its end, time after time; each letter is looked at once."""
    opened, closed = f"<{tag}>", f"</{tag}>"
    at = 0
    while (start := text.find(opened, at)) >= 0 and (end := text.find(closed, start)) >= 0:
        yield text[start + len(opened) : end]
        at = end + len(closed)


@cache
def texts() -> tuple[str, ...]:
    """All frames as they stand in the files, in the order of their names, for digests."""
    files = sorted(p for p in Path(__file__).parent.iterdir() if p.suffix in {".md", ".toml"})
    return tuple(file.read_text(encoding="utf-8") for file in files)
