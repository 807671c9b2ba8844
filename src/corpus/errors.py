"""Everything that is raised on purpose, as one tree; each leaf knows its exit code.

    CorpusError                1
    ├── InputError             2   bad usage, configuration, constitution, seed, kind or file
    ├── GateFailed             3   a quality or diversity gate failed; the build is whole
    ├── BudgetReached          4   the next request could pass the budget; resumable
    ├── ProviderStopped        5   key, credit, spend limit, retired model: asking again is useless
    ├── Locked                 6   another build or export holds the output
    ├── DiskError             74   the disk cannot be written
    └── Interrupted           75   stopped early; run the same command again to go on

A message is one line: what, which value, where, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class CorpusError(Exception):
    """The root; the command line turns it into one line and ``exit_code``."""

    exit_code: ClassVar[int] = 1


class InputError(CorpusError):
    """What the user gave cannot be used."""

    exit_code = 2


class GateFailed(CorpusError):
    """A gate failed; everything that was made is whole and on disk."""

    exit_code = 3


class BudgetReached(CorpusError):
    """The worst case of the next request does not fit into the budget."""

    exit_code = 4


class ProviderStopped(CorpusError):
    """The provider refuses to go on for a reason that a retry cannot mend."""

    exit_code = 5


class Locked(CorpusError):
    """Another build or export holds the output folder."""

    exit_code = 6


class DiskError(CorpusError):
    """The disk cannot be written, or what is on it cannot be trusted."""

    exit_code = 74


class Interrupted(CorpusError):
    """Stopped before the end; nothing that was paid for is lost."""

    exit_code = 75


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for a near miss, else the list of what is known."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(names)}"
