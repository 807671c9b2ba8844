"""A preview: a few documents of each stream to be read, each beside the exact prompts behind it.

They are the first briefs of the plan, asked exactly as the build will ask them and into the same
journal, so the build buys nothing of it again. ``shown`` renders the same requests without a model:
there the claims are taken by sentence, as in every plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from corpus import store, write
from corpus.build import goal, material, working
from corpus.build.authors import profile
from corpus.build.rounds import Works, of_a_round
from corpus.build.settled import Settled
from corpus.build.sources import by_sentence, order_of, principles, read_sources
from corpus.build.watch import Watch
from corpus.errors import InputError
from corpus.plan import Planner, shares
from corpus.records import Brief, Document, Reply, Request
from corpus.settings import Settings

FOLDER = "preview"


def preview(given: Settings, watch: Watch, number: int) -> list[Path]:
    """Write the first ``number`` documents of each stream; the files, one for each.

    Raises:
        CorpusError: as for a build.
    """
    sources = read_sources(given)
    folder = Path(given.output) / FOLDER
    with working(given, watch, beside=True) as (model, _):
        found = principles(sources, model, watch)
        goals = shares(given.streams(), goal(given, model.writer))
        planner = Planner(material(given, sources, found.by_section, model.writer))
        with Works.open(folder, given, sources, found, model, watch) as works:
            works.transcript = {}
            works.begin(planner, goals, lambda briefs: first_of_each(briefs, number))
            pages = [_page(folder, one, works.transcript) for one in works.settled]
        watch.done()
    return pages


def shown(given: Settings, number: int, name: str = "") -> Iterator[tuple[Brief, str]]:
    """Briefs and their requests as text, nothing sent: ``number`` of each stream, or the one named.

    Raises:
        InputError: no brief of the plan's first round has an id that begins so.
    """
    sources, author = read_sources(given), profile(given)
    found = by_sentence(sources)
    goals = shares(given.streams(), goal(given, author))
    planner = Planner(material(given, sources, found, author))
    briefs = planner.round(1, of_a_round(given, goals))
    chosen = [b for b in briefs if b.id.startswith(name)] if name else first_of_each(briefs, number)
    if not chosen:
        raise InputError(
            f"--brief {name!r}: no brief of the first round has an id that begins so; "
            f"'corpus preview --show-prompts' prints some with theirs"
        )
    for brief in chosen:
        order = order_of(brief, sources, found, author, given)
        parts = [_request(stage, request) for stage, request in write.requests(order)]
        yield brief, "\n\n".join(parts)


def first_of_each(briefs: Sequence[Brief], number: int) -> list[Brief]:
    """The first ``number`` briefs of each stream, in plan order."""
    places: Counter[str] = Counter()
    chosen = []
    for brief in briefs:
        places[brief.stream] += 1
        if places[brief.stream] <= number:
            chosen.append(brief)
    return chosen


def _page(
    folder: Path, one: Settled, transcript: dict[str, list[tuple[str, Request, Reply]]]
) -> Path:
    """One document for reading: what became of it, its text, then every request and reply."""
    brief, review = one.brief, one.review
    dealt = "\n".join(f"- {name}: {value}" for name, value in sorted(brief.facets.items()))
    verdict = f"{review.verdict} {', '.join(review.reasons)}".strip()
    parts = [
        f"# {brief.stream}, {brief.kind}\n",
        f"section {brief.section}, about {brief.words} words; {verdict}; {review.scores or ''}\n",
        f"{dealt}\n\n## The text\n\n{_read(one.document)}\n\n## How it was asked for\n",
    ]
    for stage, request, reply in transcript.get(brief.id, ()):
        parts.append(f"{_request(stage, request)}\n\n### {stage}: the reply\n\n{reply.text}\n")
    path = folder / f"{brief.number:04d}-{brief.stream}-{brief.kind}.md"
    store.write_text(path, "\n".join(parts))
    return path


def _read(document: Document) -> str:
    """A document as a person reads it: of a chat, who says what."""
    turns = document.messages
    if turns is None:
        return document.body
    return "\n\n".join(f"**{turn['role']}**\n\n{turn['content']}" for turn in turns)


def _request(stage: str, request: Request) -> str:
    """A request as a person reads it."""
    said = request.messages[0]["content"]
    system = f"### {stage}: system\n\n{request.system}\n\n" if request.system else ""
    return f"{system}### {stage}: user ({request.max_tokens:,} tokens at most)\n\n{said}"
