"""Text to token ids, and the counts that every page shows.

The default is GPT-2, shipped with the package: it works offline and stands in for the tokenizer
of the model that will be trained, which is why its counts are called a proxy wherever they are
printed. Special tokens that stand in a text as text stay text: a document about tokenizers must
not end in its middle. This room is the only one that knows ``tokenizers``.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import importlib.resources
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tokenizers

from corpus.errors import InputError, did_you_mean

GPT2 = "gpt2"
BATCH_CHARS = 1 << 20  # the library holds some ten bytes per byte of a batch
NOT_BYTES = (*range(33), *range(127, 161), 173)  # bytes that GPT-2 writes as other characters
ENDS = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<｜end▁of▁sentence｜>")


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
    engine: tokenizers.Tokenizer = field(repr=False, compare=False)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, with no boundary token at either end nor anywhere inside.

        Raises:
            InputError: this tokenizer reads a boundary token out of plain text, which a trainer
                would take for the end of a document.
        """
        encoded = [
            encoding.ids
            for batch in batches(texts)
            for encoding in self.engine.encode_batch_fast(batch, add_special_tokens=False)
        ]
        for text, ids in zip(texts, encoded, strict=True):
            if self.eos_id in ids or self.bos_id in ids:
                raise InputError(
                    f"tokenizer '{self.name}' reads a boundary token inside the text that begins "
                    f"{text[:60]!r}; take another tokenizer or drop that text"
                )
        return encoded

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, boundary tokens left out."""
        return [len(ids) for ids in self.encode(texts)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text that ``ids`` spell."""
        return str(self.engine.decode(list(ids), skip_special_tokens=False))

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
    """The tokenizer ``name``: ``gpt2``, the path of a ``tokenizer.json``, or a folder with one.

    Raises:
        InputError: there is no such tokenizer, or the file does not define one.
    """
    if name == GPT2:
        return gpt2()
    path = Path(name)
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        what = "no tokenizer.json in that folder" if path.is_dir() else "no such file"
        near = did_you_mean(name, [GPT2]) if file == path else ""
        raise InputError(
            f"tokenizer '{name}': {what}{near}; give gpt2, the path of a tokenizer.json, or a "
            f"folder that holds one"
        )
    return from_file(name, file)


@functools.cache
def gpt2() -> Tokenizer:
    """GPT-2's byte-level BPE, built from the merges that the package ships.

    Source: Radford et al. 2019, and ``encoder.py`` of its release for the order of the vocabulary.
    """
    shipped = importlib.resources.files("corpus") / "data" / "gpt2.bpe.gz"
    raw = gzip.decompress(shipped.read_bytes())
    merges = [(left, right) for left, right in map(str.split, raw.decode().splitlines()[1:])]
    kept = [chr(byte) for byte in range(256) if byte not in NOT_BYTES]
    moved = [chr(256 + place) for place in range(len(NOT_BYTES))]
    tokens = [*kept, *moved, *(left + right for left, right in merges), ENDS[0]]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    engine = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=merges))
    engine.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    engine.decoder = tokenizers.decoders.ByteLevel()
    engine.add_special_tokens([ENDS[0]])
    end = vocabulary[ENDS[0]]
    return described(GPT2, raw, engine, eos_id=end, bos_id=end)


def from_file(name: str, file: Path) -> Tokenizer:
    """The tokenizer that a ``tokenizer.json`` defines, its padding and truncation off.

    Its boundary tokens are those of the ``tokenizer_config.json`` beside it, else a customary one.
    """
    try:
        raw = file.read_bytes()
        engine = tokenizers.Tokenizer.from_str(raw.decode())
    except OSError as error:
        raise InputError(f"tokenizer '{name}': cannot be read ({error.strerror})") from error
    except Exception as error:  # the library raises the bare class for any fault of the file
        raise InputError(
            f"tokenizer '{name}': {file.name} does not define a tokenizer ({error}); "
            f"save it again with the `tokenizers` library"
        ) from error
    engine.no_padding()
    engine.no_truncation()
    beside = file.with_name("tokenizer_config.json")
    config = read_config(beside) if beside.is_file() else {}
    known = [token for token in ENDS if engine.token_to_id(token) is not None]
    eos = special(config, "eos_token") or (known[0] if known else None)
    bos = special(config, "bos_token")
    for token in (eos, bos):
        if token is not None and engine.token_to_id(token) is None:
            raise InputError(f"{beside}: '{token}' is not in the vocabulary of {file.name}")
    eos_id = None if eos is None else engine.token_to_id(eos)
    bos_id = None if bos is None else engine.token_to_id(bos)
    return described(name, raw, engine, eos_id=eos_id, bos_id=bos_id)


def described(
    name: str,
    raw: bytes,
    engine: tokenizers.Tokenizer,
    *,
    eos_id: int | None,
    bos_id: int | None,
) -> Tokenizer:
    """``engine`` with its facts, set to leave special tokens in a text alone."""
    engine.encode_special_tokens = True
    return Tokenizer(
        name=name,
        sha256=hashlib.sha256(raw).hexdigest(),
        vocab_size=max(engine.get_vocab(with_added_tokens=True).values()) + 1,
        eos_id=eos_id,
        bos_id=bos_id,
        proxy=name == GPT2,
        library=f"tokenizers {tokenizers.__version__}",
        engine=engine,
    )


def read_config(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``."""
    try:
        config = json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); mend or remove it") from error
    if not isinstance(config, dict):
        raise InputError(f"{path}: not a JSON object; mend or remove it")
    return config


def special(config: dict[str, Any], key: str) -> str | None:
    """A special token of a ``tokenizer_config.json``, which writes it as text or as an object."""
    value = config.get(key)
    content = value.get("content") if isinstance(value, dict) else value
    return content if isinstance(content, str) else None


def batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """``texts`` in runs of about ``BATCH_CHARS`` characters, so that memory stays flat."""
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size >= BATCH_CHARS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
