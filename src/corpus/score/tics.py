"""What the corpus has too much of by now, as orders for the texts that are still to be written.

Counted over everything kept so far: how texts open and close, sentences from a mould (``_`` stands
for a name or a number), phrases, names, and moves of English (``*`` stands for other words). A
writer that is told "not again" in so many words obeys; one that is asked for variety does not. The
list is short, because a long one is read as a list of suggestions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from corpus.language import read, words
from corpus.records import digest
from corpus.score.columns import Columns, Text, skeletons
from corpus.score.moves import MOVES_FROM, over_used
from corpus.score.reference import human

OPENING, CLOSING, PHRASE = 3, 4, 5  # words
ENOUGH = 20  # texts before anything is a habit
LEAST = 3  # texts that share it
SAMPLE = 4_000  # texts that are counted, drawn by id: a round costs the same however many there are
SHARE = {  # of texts, from there on
    "opening": 0.02, "closing": 0.02, "skeleton": 0.01, "phrase": 0.03, "name": 0.01, "move": 0.1,
}  # fmt: skip
MOST = {"opening": 4, "closing": 3, "skeleton": 3, "phrase": 5, "name": 6}  # listed
_SAYS = {
    "opening": 'a text that opens with "{}"',
    "closing": 'a text that ends on "{}"',
    "skeleton": 'a sentence built as "{}"',
    "phrase": 'the words "{}"',
    "name": "anybody called {}",
    "move": 'the turn "{}", where * is any words',
}
MOVES = 3  # listed


def tics(
    texts: Sequence[Text], *, allowed: Iterable[str] = (), known_names: Collection[str] = ()
) -> tuple[str, ...]:
    """What is to be shunned, worst first within each kind; nothing for fewer than 20 texts.

    Args:
        texts: what was kept.
        allowed: texts that may be quoted: their phrases and names are no tics.
        known_names: names that were dealt, and the AI's own.
    """
    if len(texts) < ENOUGH:
        return ()
    texts = sorted(texts, key=lambda text: (digest(text.id), text.text))[:SAMPLE]
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for text in texts:
        for kind, values in _habits(text.text).items():
            found[kind].update(values)
    free = set(_free(allowed))
    known = {name.casefold() for name in known_names}
    listed: list[str] = []
    for kind, most in MOST.items():
        least = max(LEAST, SHARE[kind] * len(texts))
        often = [
            (-count, value)
            for value, count in found[kind].items()
            if count >= least and value not in free and value.casefold() not in known
        ]
        listed += [_SAYS[kind].format(value) for _, value in _apart(sorted(often), most)]
    if len(texts) >= MOVES_FROM:
        turns = over_used(Columns.of(texts), human().control, SHARE["move"])
        listed += [_SAYS["move"].format(turn) for turn in turns[:MOVES]]
    return tuple(listed)


def _habits(text: str) -> dict[str, set[str]]:
    said, reading = words(text), read(text)
    return {
        "opening": {" ".join(said[:OPENING])} if len(said) > OPENING else set(),
        "closing": {" ".join(said[-CLOSING:])} if len(said) > CLOSING else set(),
        "phrase": set(_runs(said)),
        "name": {name.split()[0] for name in reading.names},
        "skeleton": {form for form in skeletons(reading.sentences) if "_" in form.split()},
    }


def _runs(said: Sequence[str]) -> Iterator[str]:
    for place in range(len(said) - PHRASE + 1):
        yield " ".join(said[place : place + PHRASE])


def _free(allowed: Iterable[str]) -> Iterator[str]:
    for text in allowed:
        habits = _habits(text)
        for kind in ("phrase", "name", "skeleton"):
            yield from habits[kind]


def _apart(ranked: Iterable[tuple[int, str]], most: int) -> list[tuple[int, str]]:
    """The first ``most``, without those that share most of their words with one before them."""
    chosen: list[tuple[int, str]] = []
    for count, value in ranked:
        own = set(value.split())
        near = any(len(own & set(other.split())) > len(own) / 2 for _, other in chosen)
        if len(chosen) < most and not near:
            chosen.append((count, value))
    return chosen
