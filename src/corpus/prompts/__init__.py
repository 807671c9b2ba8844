"""The frames around every assignment: one Markdown file per model stage, system part first.

The system part of a stage never changes within a build, so it is the prefix that a provider can
cache; what varies comes after the line ``---user---``. Slots are ``string.Template``'s.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Template

_MARK = "\n---user---\n"


@cache
def _parts(stage: str) -> tuple[Template, Template]:
    text = (Path(__file__).parent / f"{stage}.md").read_text(encoding="utf-8")
    system, _, user = text.partition(_MARK)
    return Template(system.strip()), Template(user.strip())


def render(stage: str, slots: dict[str, str]) -> tuple[str, str]:
    """The system and the user text of a stage, every slot filled.

    Raises:
        KeyError: a slot has no value: a fault of this program, not of the user.
    """
    system, user = _parts(stage)
    return system.substitute(slots), user.substitute(slots)


@cache
def texts() -> tuple[str, ...]:
    """All frames as they stand in the files, in the order of their names, for digests."""
    files = sorted(Path(__file__).parent.glob("*.md"))
    return tuple(file.read_text(encoding="utf-8") for file in files)
