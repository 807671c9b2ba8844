"""The quick engines of the extra ``fast``: ``gigatoken``; ``fastokens`` where that one disagrees.

Both read a ``tokenizer.json``. Neither is trusted: an engine is used for a vocabulary after it gave
the reference's ids on a list of hard texts, and ``Encoder`` goes on comparing.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from corpus import store
from corpus.errors import DiskError
from corpus.tokens import GPT2, Ids, Tokenizer
from corpus.tokens._agreed import kept
from corpus.tokens._hard import short
from corpus.tokens._ranks import END, ranks_file
from corpus.tokens._reference import reference

SHIPPED = (
    "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"  # of GPT-2's file of ranks
)
Encode = Callable[[Sequence[str]], list[Ids]]


def gigatoken(definition: str) -> Encode:
    """The engine of ``gigatoken`` for a ``tokenizer.json``."""
    import gigatoken

    one: Callable[[str], Ids] = gigatoken.Tokenizer.from_json(definition).backend.encode
    return lambda texts: [one(text) for text in texts]


def fastokens(definition: str) -> Encode:
    """The engine of ``fastokens`` for a ``tokenizer.json``."""
    import fastokens

    many: Callable[..., tuple[bytes, bytes]] = fastokens.Tokenizer.from_json_str(
        definition
    ).encode_batch_flat

    def encode(texts: Sequence[str]) -> list[Ids]:
        ids, ends = many(list(texts), split_special_tokens=True)
        whole = np.frombuffer(ids, dtype="<u4")
        cuts = np.frombuffer(ends, dtype="<u8").tolist()
        return [whole[start:end] for start, end in itertools.pairwise(cuts)]

    return encode


def gigatoken_ranks(path: Path) -> Encode:
    """The same engine for GPT-2's ranks, which it reads in half the time."""
    from gigatoken.gigatoken_rs import BPETokenizer

    one = BPETokenizer.from_tiktoken(path, "gpt2", {END: 50256}).encode
    return lambda texts: [one(text) for text in texts]


def ranks_of(tokenizer: Tokenizer) -> Path | None:
    """The shipped vocabulary as a file of ranks, made once; None of another, or without a place."""
    if tokenizer.name != GPT2:
        return None
    try:
        path = store.cache_folder() / "engines" / f"gpt2-{SHIPPED[:16]}.tiktoken"
    except RuntimeError:  # no home folder
        return None
    with contextlib.suppress(OSError):
        if hashlib.sha256(path.read_bytes()).hexdigest() == SHIPPED:
            return path
    with contextlib.suppress(DiskError):
        store.write_bytes(path, ranks_file(tokenizer.engine.get_vocab()))
        return path
    return None


ENGINES: dict[str, Callable[[str], Encode]] = {"gigatoken": gigatoken, "fastokens": fastokens}


@functools.lru_cache(maxsize=4)
def found(tokenizer: Tokenizer) -> tuple[str, Encode | None]:
    """The name of the first engine that can be used, and the engine; else the reference's name.

    The name also tells why an engine that is installed was not taken.
    """
    remarks = []
    for name in ENGINES if tokenizer.portable else ():
        try:
            encode, wrong = tried(tokenizer, name)
        except ImportError:
            continue
        except Exception as error:  # noqa: BLE001 - a vocabulary that it cannot hold has no class
            remarks.append(f"{name} cannot read this vocabulary: {error}")
            continue
        if encode is not None:
            return f"{name} {importlib.metadata.version(name)}", encode
        remarks.append(f"{name} disagreed on {wrong[:20]!r}")
    return "; ".join([tokenizer.library, *remarks]), None


def tried(tokenizer: Tokenizer, name: str) -> tuple[Encode | None, str]:
    """The engine called ``name``; or none, and the text on which it disagreed.

    Raises:
        ImportError: it is not installed.
    """
    if importlib.util.find_spec(name) is None:
        raise ImportError(name)
    ranks = ranks_of(tokenizer) if name == "gigatoken" else None
    definition = tokenizer.json() if ranks is None else SHIPPED

    @functools.cache
    def made() -> Encode:
        return ENGINES[name](definition) if ranks is None else gigatoken_ranks(ranks)

    wrong = kept(
        tokenizer,
        name,
        definition,
        lambda: next(disagreements(tokenizer, made(), short()), None),
    )
    return (made(), "") if wrong is None else (None, wrong)


def disagreements(tokenizer: Tokenizer, encode: Encode, texts: Sequence[str]) -> Iterator[str]:
    """Yield the texts on which ``encode`` gives other ids than the reference."""
    for text, mine, other in zip(texts, reference(tokenizer, texts), encode(texts), strict=True):
        if not np.array_equal(mine, other):
            yield text
