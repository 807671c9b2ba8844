"""Text to token ids, and the counts that every page shows.

The default is GPT-2, shipped with the package: it works offline and stands in for the tokenizer
of the model that will be trained, which is why its counts are called a proxy wherever they are
printed. Special tokens that stand in a text as text stay text: a document about tokenizers must
not end in its middle. This room is the only one that knows ``tokenizers``, which is the reference,
and ``fastokens``, which may stand in for it (see ``Encoder``).
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import importlib.resources
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tokenizers

from corpus.errors import InputError, did_you_mean
from corpus.tokens import _files
from corpus.tokens._pieces import Pieces
from corpus.tokens._ranks import END, KEPT, NOT_BYTES

__all__ = ["BATCH_CHARS", "GPT2", "Ids", "Tokenizer", "batches", "gpt2", "load"]

Ids = np.ndarray[tuple[int], np.dtype[np.uint32]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]

GPT2 = "gpt2"
BATCH_CHARS = 1 << 20  # the library holds some ten bytes per byte of a batch
BATCH_TEXTS = 4096
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """A vocabulary and how to cut text by it.

    ``sha256`` is of the file that defines it, ``vocab_size`` its largest id plus one, so that every
    id fits; ``proxy`` says that counts only stand in for those of the model to be trained.
    """

    name: str
    sha256: str
    vocab_size: int
    eos_id: int | None
    bos_id: int | None
    proxy: bool
    library: str
    engine: tokenizers.Tokenizer | Pieces = field(repr=False, compare=False)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, with no boundary token at either end nor anywhere inside.

        Raises:
            InputError: this tokenizer reads a boundary token out of plain text, which a trainer
                would take for the end of a document.
        """
        encoded = [
            encoding.ids
            for batch in batches(texts, len)
            for encoding in self.engine.encode_batch_fast(batch, add_special_tokens=False)
        ]
        for text, ids in zip(texts, encoded, strict=True):
            if self.eos_id in ids or self.bos_id in ids:
                raise self.reads_boundary(text)
        return encoded

    def encode_masked(self, text: str, spans: Sequence[tuple[int, int]]) -> tuple[Ids, Flags]:
        """The ids of ``text`` and which of them carry loss: no token that touches one of ``spans``.

        ``spans`` are [start, end) characters, in order and apart. A character that is cut into
        several tokens makes all of them touch; a token that holds the edge of a span does too.

        Raises:
            InputError: as ``encode``.
        """
        [encoding] = self.engine.encode_batch([text], add_special_tokens=False)
        ids = np.array(encoding.ids, dtype=np.uint32)
        if self.eos_id in encoding.ids or self.bos_id in encoding.ids:
            raise self.reads_boundary(text)
        places = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        starts, ends = np.array(spans, dtype=np.int64).reshape(-1, 2).T
        # The first span that ends after the token's start; does it begin before the token's end?
        nearest = np.searchsorted(ends, places[:, 0], side="right")
        begins = np.append(starts, np.iinfo(np.int64).max)[nearest]
        return ids, begins >= np.maximum(places[:, 1], places[:, 0] + 1)

    def reads_boundary(self, text: str) -> InputError:
        """What to say of a text out of which a boundary token is read."""
        return InputError(
            f"tokenizer '{self.name}' reads a boundary token inside the text that begins "
            f"{text[:60]!r}; take another tokenizer or drop that text"
        )

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, boundary tokens left out."""
        return [len(ids) for ids in self.encode(texts)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text that ``ids`` spell."""
        return str(self.engine.decode(list(ids), skip_special_tokens=False))

    @property
    def portable(self) -> bool:
        """Whether ``json`` has a definition; a SentencePiece model has none."""
        return not isinstance(self.engine, Pieces)

    def json(self) -> str:
        """The whole definition, as a ``tokenizer.json`` has it.

        Raises:
            TypeError: it is not ``portable``.
        """
        if isinstance(self.engine, Pieces):
            raise TypeError(f"'{self.name}' has no tokenizer.json")
        return str(self.engine.to_str())

    def literals(self) -> list[str]:
        """The control tokens as a text may spell them."""
        added = self.engine.get_added_tokens_decoder().values()
        return [token.content for token in added if token.special]

    @property
    def boundary(self) -> tuple[int, ...]:
        """What follows every document in a shard: the end-of-text id, or nothing without one."""
        return () if self.eos_id is None else (self.eos_id,)

    @property
    def label(self) -> str:
        """The words that every token count carries."""
        hint = " (proxy: pass --tokenizer for the model you train)" if self.proxy else ""
        return f"{self.name} tokens{hint}"

    def row(self) -> dict[str, Any]:
        """What a manifest says of it, JSON-safe."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "vocab_size": self.vocab_size,
            "eos_id": self.eos_id,
            "bos_id": self.bos_id,
            "proxy": self.proxy,
            "library": self.library,
        }


def load(name: str = GPT2) -> Tokenizer:
    """The tokenizer ``name``: ``gpt2``, or a file of a vocabulary, or the folder of a model.

    Files: a ``tokenizer.json``, tiktoken ranks, ``vocab.json`` beside ``merges.txt``, and with the
    extra ``sentencepiece`` a SentencePiece model.

    Raises:
        InputError: there is no such tokenizer, or the file does not define one.
    """
    if name == GPT2:
        return gpt2()
    path = Path(name)
    if not path.exists():
        near = did_you_mean(name, [GPT2])
        raise InputError(f"tokenizer '{name}': no such file{near}; {_files.ASK}")
    found = _files.read(name, path)
    return described(name, found.raw, found.engine, eos=found.eos, bos=found.bos)


@functools.cache
def gpt2() -> Tokenizer:
    """GPT-2's byte-level BPE, built from the merges that the package ships.

    Source: Radford et al. 2019, and ``encoder.py`` of its release for the order of the vocabulary.
    """
    shipped = importlib.resources.files("corpus") / "data" / "gpt2.bpe.gz"
    raw = gzip.decompress(shipped.read_bytes())
    merges: list[Any] = [tuple(line.split(" ")) for line in raw.decode().splitlines()[1:]]
    moved = [chr(256 + place) for place in range(len(NOT_BYTES))]
    tokens = [*map(chr, KEPT), *moved, *(left + right for left, right in merges), END]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    engine = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=merges))
    engine.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    engine.decoder = tokenizers.decoders.ByteLevel()
    engine.add_special_tokens([END])
    return described(GPT2, raw, engine, eos=END, bos=END, size=len(tokens))


def described(
    name: str,
    raw: bytes,
    engine: tokenizers.Tokenizer | Pieces,
    *,
    eos: str | None,
    bos: str | None,
    size: int | None = None,
) -> Tokenizer:
    """``engine`` with its facts, set to take a text as it is and add nothing to it.

    A post-processor only adds boundary tokens, which shards place themselves, and trims the blank
    off a token's offsets, which a mask would then miss.
    """
    if not isinstance(engine, Pieces):  # which has none of these
        engine.no_padding()
        engine.no_truncation()
        engine.encode_special_tokens = True
        engine.post_processor = None
        library = f"tokenizers {tokenizers.__version__}"
    else:
        library = engine.library
    return Tokenizer(
        name=name,
        sha256=hashlib.sha256(raw).hexdigest(),
        vocab_size=size or max(engine.get_vocab(with_added_tokens=True).values()) + 1,
        eos_id=None if eos is None else engine.token_to_id(eos),
        bos_id=None if bos is None else engine.token_to_id(bos),
        proxy=name == GPT2,
        library=library,
        engine=engine,
    )


def batches(texts: Iterable[T], chars: Callable[[T], int]) -> Iterator[list[T]]:
    """What holds a text in runs of about ``BATCH_CHARS`` characters, so that memory stays flat."""
    batch: list[T] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += chars(text)
        if size >= BATCH_CHARS or len(batch) >= BATCH_TEXTS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
