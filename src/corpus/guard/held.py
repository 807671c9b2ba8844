"""A user's own evaluation prompts, held out: digests of n-grams, and how much of them is found.

Sources: n-gram overlap against test sets in GPT-3 (Brown et al., 2020; 13-grams) and PaLM
(Chowdhery et al., 2022; 8-grams); containment: Broder, "On the resemblance and containment of
documents" (1997).

A prompt with fewer words than an n-gram has is looked for whole, in the same normalised words: by
the digest of all of them in their order, so that it begins and ends where words do. One so short
that prose holds it by chance ("Who are you?") has to be a sentence or a line of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from corpus.errors import InputError
from corpus.language import Hashes, ngram_hashes, text_of, words
from corpus.records import digest
from corpus.store import read_rows

WIDE = 8  # words of an n-gram of a literal quote
NARROW = 4  # words of an n-gram of a near copy: one changed word costs 4 of them, not 8
LEAST_SHARE = 0.3  # of a prompt's 8-grams
LEAST_CLOSE = 0.5  # of a prompt's 4-grams, where it has at least
CLOSE_FROM = 16  # of them: the few of a short one meet by chance
LEAST_RUN = 20  # words in a row: a passage of a long prompt
ANYWHERE = 4  # words of a short prompt from which on it need not be a sentence of its own

_APART = re.compile(r"[.!?\u2026:;\"\u201c\u201d\n]+")  # between sentences, lines and quotations


@dataclass(frozen=True, slots=True)
class Match:
    """A held-out prompt in a text.

    ``share`` is the part of the prompt's 8-grams that stand in the text, ``close`` the part of its
    4-grams, ``run`` the longest stretch of the prompt, in words, that stands there as it is.
    """

    name: str
    share: float
    close: float
    run: int


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A prompt's digests: its 8-grams in their order, its 4-grams as a set."""

    name: str
    wide: Hashes
    narrow: Hashes


class Held:
    """Held-out prompts, kept as digests alone: no word of them can come out again.

    Words are those of ``language.words``: NFKC, case-folded, no punctuation. A prompt of fewer
    than eight words counts where all of it stands in a text, word for word, and one of fewer than
    four only where it is a sentence or a line there. ``too_short`` names those without a word.
    """

    def __init__(self, prompts: Mapping[str, str]) -> None:
        read = {name: words(text) for name, text in prompts.items()}
        self.too_short = tuple(name for name, found in read.items() if not found)
        self._short: dict[int, dict[int, list[str]]] = {}  # length -> digest -> names
        for name, found in read.items():
            if 0 < (size := len(found)) < WIDE:
                (gram,) = ngram_hashes(found, size).tolist()
                self._short.setdefault(size, {}).setdefault(gram, []).append(name)
        self._prompts = [
            _Prompt(name, ngram_hashes(found, WIDE), np.unique(ngram_hashes(found, NARROW)))
            for name, found in read.items()
            if len(found) >= WIDE
        ]
        self._wide = _Index([prompt.wide for prompt in self._prompts])
        self._narrow = _Index([prompt.narrow for prompt in self._prompts])

    @classmethod
    def load(cls, *paths: Path) -> Held:
        """The prompts of files: ``.txt`` and ``.md``, or ``.jsonl``.

        A text file is one prompt, or several between lines of three dashes. A row of JSON Lines has
        ``text``, ``prompt`` or ``messages``, and a name in ``id`` if it has one.

        Raises:
            InputError: a file cannot be read or used, or holds no prompt; it is named, and the row.
        """
        found: dict[str, str] = {}
        for path in paths:
            rows = list(_rows(path) if path.suffix == ".jsonl" else _texts(path))
            if not rows:
                raise InputError(f"--held-out {path}: no prompt in it")
            for name, text in rows:
                found[_free(name, text, found)] = text
        return cls(found)

    def __len__(self) -> int:
        short = sum(len(names) for found in self._short.values() for names in found.values())
        return len(self._prompts) + short

    @property
    def digest(self) -> str:
        """What is held out, as 16 hex digits, for a manifest."""
        return digest(
            sorted(
                [
                    *([prompt.name, *map(int, np.unique(prompt.wide))] for prompt in self._prompts),
                    *([name, size, gram] for size, gram, name in self._whole()),
                ]
            )
        )

    def _whole(self) -> Iterator[tuple[int, int, str]]:
        """Length, digest and name of each prompt that is looked for whole."""
        for size, grams in self._short.items():
            for gram, names in grams.items():
                for name in names:
                    yield size, gram, name

    def _stand_whole(self, text: str, said: Sequence[str]) -> Iterator[Match]:
        """The short prompts all of whose words stand in a text, in their order."""
        parts = _APART.split(text) if min(self._short, default=WIDE) < ANYWHERE else []
        apart = [words(part) for part in parts]
        for size, grams in self._short.items():
            runs = [said] if size >= ANYWHERE else [run for run in apart if len(run) == size]
            hashes = (gram for run in runs for gram in ngram_hashes(run, size).tolist())
            met = set(hashes) & grams.keys()
            for name in (name for gram in met for name in grams[gram]):
                yield Match(name, 1.0, 1.0, size)

    def matches(self, text: str) -> tuple[Match, ...]:
        """The prompts that stand in ``text``, whole or in part, the greatest share first.

        A short one counts where all of it does. A longer one counts from 30 % of its 8-grams on,
        from half of its 4-grams on (a near copy: some words changed), or from 20 words in a row on
        (a passage of a long one). Time grows with the
        text and with the n-grams that it shares, not with the number of prompts.
        """
        said = words(text)
        shared = self._wide.shared(ngram_hashes(said, WIDE))
        near = self._narrow.shared(ngram_hashes(said, NARROW))
        found = [
            Match(
                prompt.name,
                shared.share(place, len(np.unique(prompt.wide))),
                near.share(place, len(prompt.narrow)) if len(prompt.narrow) >= CLOSE_FROM else 0,
                shared.runs[place] + WIDE - 1 if shared.runs[place] else 0,
            )
            for place, prompt in enumerate(self._prompts)
            if place in near.grams
        ]
        strong = [*filter(_is_match, found), *self._stand_whole(text, said)]
        return tuple(sorted(strong, key=lambda match: (-match.share, -match.close, match.name)))


def _is_match(match: Match) -> bool:
    return match.share >= LEAST_SHARE or match.close >= LEAST_CLOSE or match.run >= LEAST_RUN


@dataclass(slots=True)
class _Shared:
    """What a text shares with each prompt: the n-grams, and the longest run of them."""

    grams: dict[int, set[int]] = field(default_factory=dict)
    runs: Counter[int] = field(default_factory=Counter)

    def share(self, place: int, total: int) -> float:
        """The part of a prompt's n-grams that were met."""
        return len(self.grams.get(place, ())) / total


class _Index:
    """From an n-gram to the prompts that have it, and where in each it first stands."""

    def __init__(self, prompts: Iterable[Hashes]) -> None:
        self._where: dict[int, list[tuple[int, int]]] = {}
        for number, grams in enumerate(prompts):
            seen: set[int] = set()
            for place, gram in enumerate(grams.tolist()):
                if gram not in seen:
                    seen.add(gram)
                    self._where.setdefault(gram, []).append((number, place))
        self._all = np.fromiter(self._where, dtype=np.uint64, count=len(self._where))

    def shared(self, grams: Hashes) -> _Shared:
        """What a text of these n-grams shares with every prompt."""
        found = _Shared()
        run: dict[tuple[int, int], int] = {}  # prompt and place of the last n-gram -> length
        last = -2
        for at in np.flatnonzero(np.isin(grams, self._all)).tolist():
            gram = int(grams[at])
            before = run if at == last + 1 else {}
            run = {}
            for number, place in self._where[gram]:
                run[number, place] = length = before.get((number, place - 1), 0) + 1
                found.runs[number] = max(found.runs[number], length)
                found.grams.setdefault(number, set()).add(gram)
            last = at
        return found


def _free(name: str, text: str, taken: Mapping[str, str]) -> str:
    """A name of its own for a prompt: files of one name, or rows of one id, hide no other."""
    number, free = 1, name
    while taken.get(free, text) != text:
        number += 1
        free = f"{name} ({number})"
    return free


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    for number, row in enumerate(read_rows(path), start=1):
        where = f"--held-out {path}, row {number}"
        prompt = row.get("prompt")
        turns = {"messages": prompt} if isinstance(prompt, list) else {"text": prompt}
        yield f"{path.name}:{row.get('id', number)}", text_of(turns if prompt else row, where)


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    if not path.exists():
        raise InputError(f"--held-out {path}: no such file; give .txt, .md or .jsonl")
    if path.suffix not in {".txt", ".md"}:
        raise InputError(f"--held-out {path}: not .txt, .md or .jsonl; save it as one of them")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"--held-out {path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"--held-out {path}: not UTF-8 (byte {error.start})") from error
    parts = [part for part in re.split(r"(?m)^-{3,}[ \t]*$", text) if part.strip()]
    for number, part in enumerate(parts, start=1):
        yield (path.name if len(parts) == 1 else f"{path.name}:{number}"), part
