"""A corpus of real text in which near-duplicates of many kinds are planted, the same every time.

A document is a run of consecutive paragraphs, 2,000 to 4,600 characters. When the text runs out,
documents are made of paragraphs drawn from all over it; the first thing printed says how many.
A fifth of the documents are altered copies of an earlier one. Most sources are drawn evenly; some
are popular, so that families of twenty arise; some copies are made of copies, so that chains do.
The first n documents of a corpus are the corpus of n: sizes can be compared.

What is planted is not the truth: an altered copy may fall below the threshold, and real text
repeats itself. The truth is measured (``truth``).
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

SHORTEST, LONGEST = 2000, 4600
COPIES = 0.2
POPULAR, EVERY = 0.15, 500  # of the copies, how many are of every 500th original
COPIES_OF_COPIES = 0.05
BETWEEN = "\n\n"

Altered = Callable[[str, random.Random, Sequence[str]], str]


class Planted(NamedTuple):
    """A document; ``source`` and ``kind`` are empty for an original."""

    id: str
    text: str
    source: str = ""
    kind: str = ""


def chances(name: str) -> random.Random:
    """The same chance for the same name, in every run."""
    return random.Random(name)  # noqa: S311 - no secret


def exact(text: str, _chance: random.Random, _pool: Sequence[str]) -> str:
    """The same text."""
    return text


def dressed(text: str, chance: random.Random, _pool: Sequence[str]) -> str:
    """Other case, punctuation, white space and quotation marks: the same words."""
    marks = str.maketrans(
        {",": chance.choice(("", " ;")), '"': "\u201d", " ": chance.choice(" \u00a0")}
    )
    return chance.choice((str.upper, str.lower, str.title))(text.translate(marks)) + " ..."


def substituted(share: float) -> Altered:
    """A share of the words replaced, by words of a paragraph from elsewhere."""

    def alter(text: str, chance: random.Random, pool: Sequence[str]) -> str:
        words = text.split(" ")
        other = chance.choice(pool).split()
        for place in chance.sample(range(len(words)), max(1, round(share * len(words)))):
            words[place] = chance.choice(other)
        return " ".join(words)

    return alter


def deleted(text: str, chance: random.Random, _pool: Sequence[str]) -> str:
    """Two percent of the words left out."""
    return " ".join(word for word in text.split(" ") if chance.random() >= 0.02)


def shuffled(text: str, chance: random.Random, _pool: Sequence[str]) -> str:
    """The paragraphs in another order."""
    parts = text.split(BETWEEN)
    chance.shuffle(parts)
    return BETWEEN.join(parts)


def appended(share: float) -> Altered:
    """Text from elsewhere put at the end, a share of the length."""

    def alter(text: str, chance: random.Random, pool: Sequence[str]) -> str:
        more = ""
        while len(more) < share * len(text):
            more += BETWEEN + chance.choice(pool)
        return text + more[: round(share * len(text))]

    return alter


def truncated(text: str, _chance: random.Random, _pool: Sequence[str]) -> str:
    """The last fifth cut off."""
    return text[: round(0.8 * len(text))]


KINDS: dict[str, Altered] = {
    "exact": exact,
    "case and marks": dressed,
    "1 % substituted": substituted(0.01),
    "2 % substituted": substituted(0.02),
    "3 % substituted": substituted(0.03),
    "5 % substituted": substituted(0.05),
    "2 % deleted": deleted,
    "paragraphs shuffled": shuffled,
    "15 % appended": appended(0.15),
    "30 % appended": appended(0.30),
    "20 % cut off": truncated,
}


def originals(pool: Sequence[str], seed: int) -> Iterator[tuple[str, bool]]:
    """Yield documents without end, and whether each is a run of the text as it stands."""
    chance = chances(f"{seed} documents")
    runs: list[str] = []
    rest = iter(pool)
    while len(run := _run(rest, chance)) >= SHORTEST:
        runs.append(run)
    chance.shuffle(runs)
    yield from ((run, True) for run in runs)
    while True:
        yield _run(iter(lambda: chance.choice(pool), None), chance), False


def _run(rest: Iterator[str], chance: random.Random) -> str:
    """Paragraphs up to a length; shorter where they end."""
    wanted = chance.randint(SHORTEST, LONGEST - 600)  # the last paragraph goes beyond it
    taken: list[str] = []
    length = 0
    while length < wanted and (paragraph := next(rest, None)) is not None:
        taken.append(paragraph)
        length += len(paragraph) + len(BETWEEN)
    return BETWEEN.join(taken)


def plant(pool: Sequence[str], count: int, seed: int) -> Iterator[Planted]:
    """Yield the documents of a corpus, copies after their sources; the n-th depends on no count."""
    chance = chances(f"{seed} copies")
    fresh = originals(pool, seed)
    first: list[Planted] = []
    copies: list[Planted] = []
    for place in range(count):
        # The id says nothing of the order, so that what breaks ties by id gains nothing from it.
        name = hashlib.sha256(f"{seed} {place}".encode()).hexdigest()[:12]
        if len(first) > EVERY // 10 and chance.random() < COPIES:
            source = _source(first, copies, chance)
            kind = chance.choice(list(KINDS))
            text = KINDS[kind](source.text, chance, pool)
            copies.append(Planted(name, text, source.id, kind))
            yield copies[-1]
        else:
            first.append(Planted(name, next(fresh)[0]))
            yield first[-1]


def _source(first: list[Planted], copies: list[Planted], chance: random.Random) -> Planted:
    """What is copied: an original, a popular original, or a copy."""
    drawn = chance.random()
    if drawn < COPIES_OF_COPIES and copies:
        return chance.choice(copies)
    if drawn < COPIES_OF_COPIES + POPULAR:
        return chance.choice(first[::EVERY])
    return chance.choice(first)


class Corpus(NamedTuple):
    """The file that every tool is given, the file that says what was planted, and their digest."""

    file: Path
    planted: Path
    sha256: str


def write(pool: Sequence[str], folder: Path, count: int, seed: int) -> Corpus:
    """Write ``corpus-COUNT.jsonl`` (id, text) and ``planted-COUNT.jsonl`` (id, source, kind)."""
    file, planted = folder / f"corpus-{count}.jsonl", folder / f"planted-{count}.jsonl"
    digest = hashlib.sha256()
    with file.open("wb") as texts, planted.open("w", encoding="utf-8") as kinds:
        for row in plant(pool, count, seed):
            line = json.dumps({"id": row.id, "text": row.text}, ensure_ascii=False) + "\n"
            digest.update(line.encode())
            texts.write(line.encode())
            if row.kind:
                kinds.write(
                    json.dumps({"id": row.id, "source": row.source, "kind": row.kind}) + "\n"
                )
    return Corpus(file, planted, digest.hexdigest())
