"""What a build reads before it asks anybody: constitution, seeds, kinds, and then principles."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from corpus import constitution, kinds, prompts, seeds
from corpus import principles as extraction
from corpus.build.repeats import told_twice
from corpus.build.watch import Watch
from corpus.constitution import Constitution
from corpus.errors import InputError
from corpus.guard import Guard, Held
from corpus.kinds import Library
from corpus.model import Model, Writer
from corpus.order import Order
from corpus.records import SELF_ENDED, Brief, Principle, Section, Seed
from corpus.settings import Settings

QUIZ = "quiz/quiz.jsonl"  # of an output: questions that no shard may hold
TRIES = 2  # requests for the principles of a section before sentences must do


@dataclass(frozen=True)
class Sources:
    """The inputs of a build, read and checked."""

    constitution: Constitution
    seeds: tuple[Seed, ...]
    library: Library
    ai_name: str
    guard: Guard
    repeated: tuple[tuple[str, str], ...] = ()  # names of seeds left out, and of what they repeat

    @cached_property
    def _sections(self) -> dict[str, Section]:
        return {section.id: section for section in self.constitution.sections}

    @cached_property
    def _seeds(self) -> dict[str, Seed]:
        return {seed.id: seed for seed in self.seeds}

    def section(self, name: str) -> Section:
        """The section of that id."""
        return self._sections[name]

    def seed(self, name: str) -> Seed:
        """The seed of that id."""
        return self._seeds[name]

    def seed_texts(self) -> list[str]:
        """What the seeds say, which a story may repeat."""
        return [f"{seed.premise} {seed.setting} {seed.ending}" for seed in self.seeds]

    def titles(self) -> dict[str, str]:
        """The title of each section by id."""
        return {section.id: section.title for section in self.constitution.sections}


@dataclass(frozen=True)
class Principles:
    """The principles by section, and how they were come by."""

    by_section: dict[str, tuple[Principle, ...]]
    dropped: int = 0  # blocks whose quote was not in the section
    by_sentence: tuple[str, ...] = field(default=())  # sections for which sentences had to do

    def get(self, section: str, name: str) -> Principle:
        """The principle of that id."""
        return next(found for found in self.by_section[section] if found.id == name)


def order_of(
    brief: Brief,
    sources: Sources,
    found: Mapping[str, Sequence[Principle]],
    author: Writer,
    given: Settings,
    bans: tuple[str, ...] = (),
) -> Order:
    """The file behind a brief: everything that it names."""
    principles = found[brief.section]
    return Order(
        brief=brief,
        section=sources.section(brief.section),
        principle=next(one for one in principles if one.id == brief.principle),
        kind=sources.library.get(brief.kind),
        seed=sources.seed(brief.seed) if brief.seed else None,
        ai_name=sources.ai_name,
        model=author.model,
        compact=author.compact,
        others=tuple(principles),
        injection=prompts.injections().get(brief.injection, ""),
        tools=sources.library.tool_text(brief.tools),
        bans=bans,
        without=frozenset(given.without),
    )


def read_sources(given: Settings) -> Sources:
    """Read everything that the settings name.

    Raises:
        InputError: something is missing or cannot be used.
    """
    place = Path(given.constitution)
    if not place.exists():
        raise InputError(
            f"--constitution {place}: no such file or folder; 'corpus init' writes an example"
        )
    if not any(given.streams().values()):
        raise InputError("--without stories: the mix has no other stream; nothing would be written")
    found = constitution.load(place, headings="infer" if given.headings == "infer" else "markdown")
    library = kinds.load(*([Path(given.kinds)] if given.kinds else []))
    for stream, share in given.streams().items():
        if share and not library.of(stream):
            raise InputError(
                f"mix: stream '{stream}' has no kinds; add one with --kinds, or drop it"
            )
    needs_seeds = given.streams().get("stories", 0) > 0
    germs = seeds.load(Path(given.seeds)) if needs_seeds else ()
    twice = told_twice(germs)
    names = {seed.id: seed.name for seed in germs}
    repeated = tuple((names[one], names[other]) for one, other in twice.items())
    germs = tuple(seed for seed in germs if seed.id not in twice)
    name = given.ai_name or ai_name(found)
    return Sources(found, germs, library, name, guard_of(given), repeated)


def guard_of(given: Settings) -> Guard:
    """The evaluation guard: the user's held-out prompts, and the quiz of the output if it has one.

    Raises:
        InputError: a file of held-out prompts cannot be used.
    """
    quiz = Path(given.output) / QUIZ
    files = [*map(Path, given.held_out), *([quiz] if quiz.exists() else [])]
    return Guard(given.guard, Held.load(*files) if files else None)


def ai_name(found: Constitution) -> str:
    """The name that the constitution gives its AI: from its title, else ``the assistant``."""
    titles = [found.name, *(section.path[0] for section in found.sections if section.path)]
    for title in titles:
        owner = re.search(r"\b([A-Z]\w+)['’]s [Cc]onstitution\b|\bfor ([A-Z]\w+)$", title)
        if owner:
            return owner[1] or owner[2]
    return "the assistant"


def by_sentence(sources: Sources) -> dict[str, tuple[Principle, ...]]:
    """Principles as every plan takes them, without a model."""
    sections, name = sources.constitution.sections, sources.ai_name
    return {section.id: extraction.by_sentence(section, name) for section in sections}


def principles(sources: Sources, model: Model, watch: Watch) -> Principles:
    """The principles of every section: by the model, else by sentence."""
    sections, name = sources.constitution.sections, sources.ai_name
    by_section: dict[str, tuple[Principle, ...]] = {}
    dropped = 0
    if "principles" in model.writer.stages:
        watch.stage("read", len(sections))
        for sample in range(TRIES):
            todo = [section for section in sections if section.id not in by_section]
            got, lost = _ask(todo, name, model, watch, sample)
            by_section |= got
            dropped += lost
    rest = [section for section in sections if section.id not in by_section]
    by_section |= {section.id: extraction.by_sentence(section, name) for section in rest}
    return Principles(by_section, dropped, tuple(section.id for section in rest))


def _ask(
    sections: Sequence[Section], ai: str, model: Model, watch: Watch, sample: int
) -> tuple[dict[str, tuple[Principle, ...]], int]:
    name = model.writer.model_of("principles")
    requests = [extraction.ask(section, name, sample, ai) for section in sections]
    asked = {request.key: s for request, s in zip(requests, sections, strict=True)}
    found, dropped = {}, 0
    for reply in model.answer(requests):
        section = asked[reply.key]
        got, lost = extraction.read(section, reply)
        dropped += lost
        if got and reply.stop in SELF_ENDED:
            found[section.id] = got
        watch.step()
    return found, dropped
