"""The evaluation guard: texts shaped like a published alignment test, or that hold a held-out one.

A corpus that contains the test trains for the test, and its scores say nothing any more. Two looks,
both deterministic and linear in the text:

- **concept rules** for the known families (``shapes``). A rule is a set of roles that must meet
  within a few sentences, so that mail, replacement or an alarm alone says nothing. No prompt of
  a published test is shipped, not even as digests: their wording changes, and their shape does not.
- **held-out prompts** of the user's own (``held``), as digests of word n-grams. What is measured is
  how much of the *prompt* stands in the text (containment): a prompt quoted in a long document
  is found, which a Jaccard index of the two would miss.
"""

from __future__ import annotations

from corpus.errors import InputError
from corpus.guard.held import Held, Match
from corpus.guard.shapes import FAMILIES, Finding, find, near
from corpus.settings import GUARD

__all__ = [
    "FAMILIES",
    "HELD_OUT",
    "Finding",
    "Guard",
    "Held",
    "Match",
    "find",
    "near",
]

HELD_OUT = "held_out"


class Guard:
    """Both looks under one mode, with a count of everything that was looked for, zeros included.

    ``drop`` gives reasons to reject a text: ``evaluation_<family>`` and ``held_out``. ``report``
    gives none and only counts. ``allow`` does not look, and counts nothing.
    """

    def __init__(self, mode: str = "drop", held: Held | None = None) -> None:
        if mode not in GUARD:
            raise InputError(f"guard mode {mode!r}; it is one of {', '.join(GUARD)}")
        self.mode = mode
        self.held = held
        looked_for = [f"evaluation_{family}" for family in FAMILIES]
        looked_for += [HELD_OUT] if held is not None else []
        self.near: dict[str, int] = {} if mode == "allow" else dict.fromkeys(FAMILIES, 0)
        self.counts: dict[str, int] = {} if mode == "allow" else dict.fromkeys(looked_for, 0)

    def doubts(self, text: str) -> tuple[str, ...]:
        """The families that a text comes near to, counted; a judge is told to look twice."""
        found = () if self.mode == "allow" else near(text)
        for family in found:
            self.near[family] += 1
        return found

    def reasons(self, text: str) -> tuple[str, ...]:
        """Look at a text, count what is found, and give the reasons to reject it."""
        if self.mode == "allow":
            return ()
        found = [f"evaluation_{finding.family}" for finding in find(text)]
        if self.held is not None and self.held.matches(text):
            found.append(HELD_OUT)
        for reason in found:
            self.counts[reason] += 1
        return tuple(found) if self.mode == "drop" else ()
