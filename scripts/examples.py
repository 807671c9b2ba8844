"""Writes ``docs/examples/``: the rendered requests of sixty briefs on a constitution, prompts only.

    python scripts/examples.py CONSTITUTION

What does not change from brief to brief (the frames, with their section) is shown once a stage and
stream; of each brief there is what was dealt, and the part of every request that is its own.
Nothing is sent; claims are taken by sentence, as in every plan.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from corpus import write
from corpus.build import goal, material
from corpus.build.authors import profile
from corpus.build.preview import first_of_each
from corpus.build.sources import by_sentence, order_of, read_sources
from corpus.plan import Planner, shares
from corpus.settings import Settings

EACH = 15  # briefs of each of the four streams
TOKENS = 200_000
HERE = Path(__file__).parent.parent


def main(constitution: str) -> None:
    """Renders and writes."""
    given = Settings(
        constitution=constitution, seeds=str(HERE / "story_seeds"), writer="claude", tokens=TOKENS
    )
    sources, author = read_sources(given), profile(given)
    found = by_sentence(sources)
    planner = Planner(material(given, sources, found, author))
    briefs = planner.round(1, shares(given.streams(), goal(given, author)))
    folder = HERE / "docs" / "examples"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    frames: dict[str, str] = {}
    for brief in first_of_each(briefs, EACH):
        order = order_of(brief, sources, found, author, given)
        dealt = "\n".join(f"- {name}: {value}" for name, value in order.cards())
        title = " > ".join(order.section.path)
        parts = [f"# {brief.stream}: {brief.kind}\n\nSection: {title}\n\n{dealt}"]
        for stage, request in write.requests(order):
            frames.setdefault(f"{brief.stream}: {stage}", request.system)
            parts.append(f"## {stage}\n\n{request.messages[0]['content']}")
        path = folder / f"{brief.stream}-{brief.number:03d}-{brief.kind}.md"
        path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    shown = [f"# {name}\n\n{text}" for name, text in sorted(frames.items())]
    (folder / "frames.md").write_text("\n\n".join(shown) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
