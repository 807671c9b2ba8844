"""Stories told again with other names: how many are found, and what is linked falsely.

A story is real text in which a share of the words is a name, put in before lower-case words: three
names to a story, drawn from a few hundred. Its copy has three other names in the same places. In
the second row one percent of its words is replaced as well; in the third the story also has as many
pronouns as names, and its people change from he to she. As many unrelated stories stand among them.
Found: one of the two is dropped for the other, by whichever method. False: a link between documents
of two stories that are no near-duplicates before names are put in.

It is an upper bound for renaming: real retellings change more. Names are made up of syllables, so
that no list decides what is a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from benchmarks.dedup.planted import chances, originals, substituted
from benchmarks.dedup.truth import jaccard

DENSITIES = (0.02, 0.04, 0.06, 0.08)
EDITS = ("swap only", "+ 1 % edits", "+ he to she")
_HE, _SHE = ("he", "his", "him"), ("she", "her", "her")
_SYLLABLES = (
    "ba be da do fa ga hi jo ka la li ma mi na no ori pa ra ri sa sha ta te va vi wen ya zo".split()
)


def table(pool: Sequence[str], stories: int, threshold: float, seed: int) -> list[dict[str, Any]]:
    """A row for each density, with and without edits: recall plain and masked, false links."""
    texts = [_narrative(text) for text, _ in islice(originals(pool, seed), 2 * stories)]
    rows: list[dict[str, Any]] = []
    for density in DENSITIES:
        for edits in EDITS:
            told = _retold(texts, density, f"{seed} {edits}", edits, pool)
            row: dict[str, Any] = {"density": density, "edits": edits}
            for how, mask in (("plain", False), ("masked", True)):
                links = _links(told, threshold, mask=mask)
                false = {
                    (a, b) for a, b in links if a != b and jaccard(texts[a], texts[b]) < threshold
                }
                row[how] = len({a for a, _ in links - false if a < stories}) / stories
                row[f"false_{how}"] = len(false)
            rows.append(row)
    return rows


def _narrative(text: str) -> str:
    """The text with its own marks of names gone: every word in lower case but first ones."""
    return ". ".join(part[:1].upper() + part[1:].lower() for part in text.split(". "))


def _retold(
    texts: Sequence[str], density: float, seed: str, edits: str, pool: Sequence[str]
) -> list[tuple[str, str]]:
    """(id, text): half of the texts twice, with other names; the other half once."""
    chance = chances(f"{seed} names {density}")
    names = sorted({"".join(chance.choices(_SYLLABLES, k=3)).title() for _ in range(400)})
    told = []
    for place, text in enumerate(texts):
        words = text.split(" ")
        low = [at for at, word in enumerate(words) if at and word.isalpha() and word.islower()]
        many = min(len(low) // 2, round(density * len(words)))
        drawn = chance.sample(low, 2 * many)
        at = sorted(drawn[:many])
        spoken_of = sorted(drawn[many:]) if edits == EDITS[2] else []
        for copy in "ab" if place < len(texts) // 2 else "a":
            cast = chance.sample(names, 3)
            named = list(words)
            who = chances(f"{place}")  # the same part in the same place, whoever plays it
            for here in at:
                named[here] = f"{cast[who.randrange(3)]} {words[here]}"
            for here in spoken_of:
                named[here] = f"{(_HE if copy == 'a' else _SHE)[who.randrange(3)]} {words[here]}"
            story = " ".join(named)
            if edits == EDITS[1] and copy == "b":
                story = substituted(0.01)(story, chance, pool)
            told.append((f"{place}{copy}", story))
    return told


def _links(
    told: Sequence[tuple[str, str]], threshold: float, *, mask: bool
) -> set[tuple[int, int]]:
    """The links that are found, as numbers of stories."""
    from corpus.dedup import Item, search

    found = search([Item(name, text, mask=mask) for name, text in told], threshold=threshold)
    return {(int(row.id[:-1]), int(row.original[:-1])) for row in found.duplicates}
