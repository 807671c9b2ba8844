"""Texts to arrays of ids for shards: by the reference, or by a quick engine that agrees with it.

A quick engine (extra ``fast``) is used under conditions. It must give the reference's ids on a list
of hard texts before the first document, then on the first documents, and on one of every
thousand ever after; a document that spells a control token, or holds a character that is new to
this Python's Unicode, goes to the reference. One disagreement, and ``Disagreed`` tells the caller
to begin again without it.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corpus.tokens import Flags, Ids, Tokenizer
from corpus.tokens._hard import unknown
from corpus.tokens._quick import Encode, found, tried
from corpus.tokens._reference import reference

SAMPLE_CHARS = 32 << 10  # of the first documents, all compared
FEW = 8  # control tokens that are looked for one by one
EVERY = 1024  # documents, of which one is compared
REFRESH_CHARS = 512 << 20  # of text, after which an engine is made anew: caches only grow


class Disagreed(Exception):
    """The quick engine gave other ids than the reference: its ids cannot be used."""


@dataclass(slots=True)
class Tally:
    """What was compared with the reference: texts in all, and those that only it may read."""

    compared: int = 0
    literal: int = 0


class Encoder:
    """Gives the ids of texts, the boundary token at the end of each.

    ``quick`` asks for a quick engine where one is installed, ``full`` for a comparison of every
    text; ``workers`` is the number of threads of the reference. ``engine`` names what is in use.
    """

    def __init__(
        self, tokenizer: Tokenizer, *, quick: bool = True, full: bool = False, workers: int = 0
    ) -> None:
        threads(workers)
        self.tokenizer = tokenizer
        self.tally = Tally()
        self.engine = tokenizer.library
        self._full = full
        self._seen = self._chars = self._since = 0
        self._literals = tokenizer.literals()
        # A scan for each of hundreds of literals would cost more than the encoding.
        few = len(self._literals) <= FEW
        self._starts = sorted({text if few else text[:2] for text in self._literals})
        self._marks = {tokenizer.eos_id, tokenizer.bos_id} - {None}
        self._end = np.array(tokenizer.boundary, dtype=np.uint32)
        self._known: set[int] = set()
        self._quick: Encode | None = None
        if quick:
            self.engine, self._quick = found(tokenizer)

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """The ids of each text.

        Raises:
            InputError: the tokenizer reads a boundary token out of a text.
            Disagreed: the quick engine is wrong about one of them.
        """
        if self._quick is not None and self._since > REFRESH_CHARS:
            self._refresh()
        if self._quick is None:
            ids = reference(self.tokenizer, texts)
        else:
            ids = self._quickly(self._quick, texts)
        return self._ended(texts, ids)

    def _ended(self, texts: Sequence[str], ids: Sequence[Ids]) -> list[Ids]:
        """The ids of each text with the boundary token, which none of them may hold.

        They are laid end to end, so that they are looked through once, and cut apart again.
        """
        if not ids:
            return []
        whole = np.concatenate([part for one in ids for part in (one, self._end)])
        for mark in self._marks:
            if np.count_nonzero(whole == mark) > len(ids) * int((self._end == mark).sum()):
                guilty = next(n for n, one in enumerate(ids) if (one == mark).any())
                raise self.tokenizer.reads_boundary(texts[guilty])
        ends = np.cumsum([len(one) + len(self._end) for one in ids]).tolist()
        return [whole[start:end] for start, end in itertools.pairwise([0, *ends])]

    def masked(self, text: str, spans: Sequence[tuple[int, int]]) -> tuple[Ids, Flags]:
        """The ids of ``text`` and which of them carry loss; the boundary token always does."""
        ids, loss = self.tokenizer.encode_masked(text, spans)
        whole = np.concatenate((ids, self._end))
        return whole, np.append(loss, np.ones(len(self._end), dtype=np.bool_))

    def _quickly(self, encode: Encode, texts: Sequence[str]) -> list[Ids]:
        ids = encode(texts)
        literal = [self._spells(text) or unknown(text, self._known) for text in texts]
        asked = [n for n, text in enumerate(texts) if literal[n] or self._chosen(text)]
        for n, one in zip(asked, reference(self.tokenizer, [texts[n] for n in asked]), strict=True):
            if literal[n]:
                ids[n] = one
            elif not np.array_equal(ids[n], one):
                raise Disagreed(texts[n][:60])
        self.tally.literal += sum(literal)
        self.tally.compared += len(asked) - sum(literal)
        self._since += sum(map(len, texts))
        return ids

    def _spells(self, text: str) -> bool:
        """Whether a control token stands in ``text``."""
        return any(start in text for start in self._starts) and any(
            literal in text for literal in self._literals
        )

    def _chosen(self, text: str) -> bool:
        """Whether ``text`` is one of those to compare."""
        early = self._chars < SAMPLE_CHARS
        self._seen += 1
        self._chars += len(text)
        return self._full or early or self._seen % EVERY == 0

    def _refresh(self) -> None:
        """Make the quick engine anew: before a batch, while nobody else holds the old one."""
        self._since = 0
        self.release()
        self._quick, _ = tried(self.tokenizer, self.engine.partition(" ")[0])
        if self._quick is None:
            self.engine = self.tokenizer.library

    def release(self) -> None:
        """Let go of the quick engine and its caches; nothing is encoded after that."""
        self._quick = None
        found.cache_clear()
        if sys.platform == "linux":  # else what it freed stays with the process, in pieces
            with contextlib.suppress(OSError, AttributeError):  # a C library without it
                ctypes.CDLL(None).malloc_trim(0)


def threads(workers: int) -> None:
    """Let ``tokenizers`` use so many threads; 0 leaves the choice to it.

    It looks these variables up when the first batch is encoded, and has no other way to be told.
    """
    if workers:
        workers = min(workers, os.cpu_count() or 1)  # it would start as many as it is told
        os.environ["TOKENIZERS_PARALLELISM"] = "false" if workers == 1 else "true"
        os.environ.setdefault("RAYON_NUM_THREADS", str(workers))
