"""Texts to arrays of ids for shards: by the reference, or by a quick engine that agrees with it.

The quick engine (``fastokens``, extra ``fast``) is used under conditions. It must give the
reference's ids on a list of hard texts before the first document, then on the first documents, and
on one of every few hundred ever after; a document that spells a control token goes to the
reference. One disagreement, and ``Disagreed`` tells the caller to begin again without it.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np

from corpus.tokens import Flags, Ids, Tokenizer
from corpus.tokens._hard import hard, short
import itertools

SAMPLE_CHARS = 128 << 10  # of the first documents, all compared
EVERY = 512  # documents, of which one is compared


class Disagreed(Exception):
    """The quick engine gave other ids than the reference: its ids cannot be used."""


class Quick(Protocol):
    """What is used of a quick engine."""

    def encode_batch_flat(
        self, inputs: list[str], *, split_special_tokens: bool
    ) -> tuple[bytes, bytes]:
        """All ids as little-endian 32-bit numbers, and where each text ends as 64-bit ones."""


@dataclass(slots=True)
class Tally:
    """What was compared with the reference: texts in all, and those that only it may read."""

    compared: int = 0
    literal: int = 0


class Encoder:
    """Gives the ids of texts, the boundary token at the end of each.

    ``quick`` asks for the quick engine where it is installed, ``full`` for a comparison of every
    text; ``workers`` is the number of threads of the reference. ``engine`` names what is in use.
    """

    def __init__(
        self, tokenizer: Tokenizer, *, quick: bool = True, full: bool = False, workers: int = 0
    ) -> None:
        self.tokenizer = tokenizer
        self.tally = Tally()
        self.engine = tokenizer.library
        self._full = full
        self._sample = SAMPLE_CHARS
        self._seen = 0
        threads(workers)
        self._literals = tokenizer.literals()
        # A scan for each of hundreds of literals would cost more than the encoding.
        self._starts = sorted({literal[:2] for literal in self._literals})
        self._quick: Quick | None = None
        if quick:
            self._quick, self.engine = load_quick(tokenizer)

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """The ids of each text.

        Raises:
            InputError: the tokenizer reads a boundary token out of a text.
            Disagreed: the quick engine is wrong about one of them.
        """
        if self._quick is None:
            found = reference(self.tokenizer, texts)
        else:
            found = self._quickly(self._quick, texts)
        self._refuse_boundaries(texts, found)
        end = np.array(self.tokenizer.boundary, dtype=np.uint32)
        return [np.concatenate((ids, end)) for ids in found]

    def masked(self, text: str, spans: Sequence[tuple[int, int]]) -> tuple[Ids, Flags]:
        """The ids of ``text`` and which of them carry loss; the boundary token always does."""
        ids, loss = self.tokenizer.encode_masked(text, spans)
        end = np.array(self.tokenizer.boundary, dtype=np.uint32)
        return np.concatenate((ids, end)), np.append(loss, np.ones(len(end), dtype=np.bool_))

    def _quickly(self, engine: Quick, texts: Sequence[str]) -> list[Ids]:
        found = flat(engine, texts)
        literal = [number for number, text in enumerate(texts) if self._spells(text)]
        mine = set(literal)
        compared = [n for n, text in enumerate(texts) if n not in mine and self._chosen(text)]
        asked = [*literal, *compared]
        for number, ids in zip(
            asked, reference(self.tokenizer, [texts[n] for n in asked]), strict=True
        ):
            if number in mine:
                found[number] = ids
            elif not np.array_equal(found[number], ids):
                raise Disagreed(texts[number][:60])
        self.tally.literal += len(literal)
        self.tally.compared += len(compared)
        return found

    def _spells(self, text: str) -> bool:
        """Whether a control token stands in ``text``."""
        return any(start in text for start in self._starts) and any(
            literal in text for literal in self._literals
        )

    def _chosen(self, text: str) -> bool:
        """Whether ``text`` is one of those to compare."""
        self._seen += 1
        self._sample -= len(text) + 1
        return self._full or self._sample > -len(text) or self._seen % EVERY == 0

    def _refuse_boundaries(self, texts: Sequence[str], found: Sequence[Ids]) -> None:
        marks = {self.tokenizer.eos_id, self.tokenizer.bos_id} - {None}
        for text, ids in zip(texts, found, strict=True):
            if any((ids == mark).any() for mark in marks):
                raise self.tokenizer.reads_boundary(text)


def reference(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Ids]:
    """The ids that ``tokenizers`` gives."""
    if not texts:
        return []
    encoded = tokenizer.engine.encode_batch_fast(list(texts), add_special_tokens=False)
    return [np.frombuffer(array("I", one.ids), dtype=np.uint32) for one in encoded]


def flat(engine: Quick, texts: Sequence[str]) -> list[Ids]:
    """The ids that a quick engine gives."""
    ids, ends = engine.encode_batch_flat(list(texts), split_special_tokens=True)
    cuts = np.frombuffer(ends, dtype="<u8").tolist()
    whole = np.frombuffer(ids, dtype="<u4")
    return [whole[start:end] for start, end in itertools.pairwise(cuts)]


def load_quick(tokenizer: Tokenizer) -> tuple[Quick | None, str]:
    """The quick engine for ``tokenizer`` if it can be used, and the words that name the engine."""
    try:
        import fastokens
    except ImportError:
        return None, tokenizer.library
    try:
        engine = cast("Quick", fastokens.Tokenizer.from_json_str(tokenizer.json()))
        agreed = agrees(tokenizer, engine, short())
    except Exception as error:  # a vocabulary that it cannot hold; the library has no class for it
        return None, f"{tokenizer.library} (fastokens cannot read this vocabulary: {error})"
    if not agreed:
        return None, f"{tokenizer.library} (fastokens disagreed with it on a hard text)"
    return engine, f"fastokens {version(fastokens)}"


def agrees(tokenizer: Tokenizer, engine: Quick, texts: Sequence[str] | None = None) -> bool:
    """Whether ``engine`` gives the reference's ids on ``texts``, by default all hard ones."""
    texts = hard() if texts is None else texts
    return all(
        np.array_equal(one, other)
        for one, other in zip(reference(tokenizer, texts), flat(engine, texts), strict=True)
    )


def version(module: Any) -> str:
    """The version of the package that ``module`` is of."""
    import importlib.metadata

    return importlib.metadata.version(module.__name__)


def threads(workers: int) -> None:
    """Let ``tokenizers`` use so many threads; 0 leaves the choice to it.

    It looks these variables up when the first batch is encoded, and has no other way to be told.
    """
    if workers:
        os.environ["TOKENIZERS_PARALLELISM"] = "false" if workers == 1 else "true"
        os.environ.setdefault("RAYON_NUM_THREADS", str(workers))
