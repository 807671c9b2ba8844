"""What is compared: this program and its peers, each from texts in memory to what it would drop.

All of them get the same texts and the same shingles (word 5-grams of NFKC, casefolded words), 128
permutations and the same threshold, and run on as many cores as they are given. The Python peers
share the fastest shingler that we could write (``spoken.joined``). Scopes differ, and ``scope``
says how: only ours measures every pair exactly.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.dedup.spoken import SHINGLE, joined, words

PERMUTATIONS = 128

Drops = dict[str, tuple[str, float] | None]
Run = Callable[[Sequence[str], Sequence[str], float], Drops]


class Tool(NamedTuple):
    """A way to find near-duplicates: ``run`` takes ids and texts, and gives what is dropped.

    ``policy`` says which of two likes stays: the "best" (more words, then the smaller id), the
    "first", one of each chain ("chain"), or neither, where all that have a like are flagged
    ("flags"). ``sample`` cuts the input of what is too slow; its time is multiplied up, and told as
    such. ``once`` keeps slow ones to one round. ``needs`` names a package that may be missing.
    ``exact`` says that the similarities are claimed to be exact, and are to be held to it.
    """

    run: Run
    scope: str
    policy: str = "first"
    sample: int = 0
    once: bool = False
    needs: str = ""
    exact: bool = False


def ours(
    ids: Sequence[str],
    texts: Sequence[str],
    threshold: float,
    *,
    mask: bool = False,
    exact: bool = False,
) -> Drops:
    """``corpus.dedup.compare``, which the command calls: bands, exact check, the better stays."""
    from corpus.dedup import Entries, Held, How, compare
    from corpus.dedup.families import cores

    how = How(threshold, exact=exact, workers=cores())
    found = compare(Held(texts), Entries.alike(ids, mask=mask), how).duplicates
    return {row.id: (row.original, row.similarity) for row in found}


def ours_exact(ids: Sequence[str], texts: Sequence[str], threshold: float) -> Drops:
    """``--exact``: the program's own join of all pairs, no bands."""
    return ours(ids, texts, threshold, exact=True)


def ours_masked(ids: Sequence[str], texts: Sequence[str], threshold: float) -> Drops:
    """The same with the second look, names masked."""
    return ours(ids, texts, threshold, mask=True)


def datasketch_update(ids: Sequence[str], texts: Sequence[str], threshold: float) -> Drops:
    """One ``MinHash.update`` for each shingle, as most code in the wild has it."""
    from datasketch import MinHash

    def signatures() -> Iterator[MinHash]:
        for text in texts:
            signature = MinHash(num_perm=PERMUTATIONS)
            for shingle in joined(text):
                signature.update(shingle.encode())
            yield signature

    return _estimated(ids, signatures(), threshold)


def datasketch_bulk(ids: Sequence[str], texts: Sequence[str], threshold: float) -> Drops:
    """``MinHash.generator``, its batch path."""
    from datasketch import MinHash

    sets = ([shingle.encode() for shingle in joined(text)] for text in texts)
    return _estimated(ids, MinHash.generator(sets, num_perm=PERMUTATIONS), threshold)


def datasketch_exact(ids: Sequence[str], texts: Sequence[str], threshold: float) -> Drops:
    """The batch path held to our quality: our bands (25 of 5), candidates measured as Python sets.

    The sets of what stays are kept, which costs memory and spares time.
    """
    from datasketch import MinHash, MinHashLSH

    blank = MinHash(num_perm=PERMUTATIONS)

    def signed() -> Iterator[tuple[MinHash, set[bytes]]]:
        for text in texts:
            own = {shingle.encode() for shingle in joined(text)}
            signature = blank.copy()
            signature.update_batch(own)
            yield signature, own

    def likeness(one: set[bytes], other: set[bytes]) -> float:
        both = len(one & other)
        return both / (len(one) + len(other) - both)

    index = MinHashLSH(num_perm=PERMUTATIONS, params=(25, 5))
    return _first_kept(ids, signed(), index, likeness, threshold)


def _estimated(ids: Sequence[str], signatures: Iterator[Any], threshold: float) -> Drops:
    """By ``MinHashLSH`` with the bands that it chooses; the estimate must reach the threshold."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
    pairs = ((signature, signature) for signature in signatures)
    return _first_kept(ids, pairs, index, MinHash.jaccard, threshold)


def _first_kept(
    ids: Sequence[str],
    signed: Iterator[tuple[Any, Any]],
    index: Any,  # noqa: ANN401 - datasketch is imported by those who use it
    likeness: Callable[[Any, Any], float],
    threshold: float,
) -> Drops:
    """First come, first kept: ``signed`` has a signature, and what likeness is measured by."""
    known: dict[str, Any] = {}
    drops: Drops = {}
    for name, (signature, own) in zip(ids, signed, strict=True):
        near = [(likeness(own, known[other]), other) for other in index.query(signature)]
        similarity, original = max(near, default=(0.0, ""))
        if similarity >= threshold:
            drops[name] = (original, similarity)
        else:
            index.insert(name, signature)
            known[name] = own
    return drops


def rensa_streaming(bands: int) -> Run:
    """``RMinHashDeduplicator``, the streaming path of its documentation."""

    def run(ids: Sequence[str], texts: Sequence[str], threshold: float) -> Drops:
        from rensa import RMinHashDeduplicator

        index = RMinHashDeduplicator(threshold, PERMUTATIONS, use_lsh=True, num_bands=bands)
        pairs = ((name, joined(text)) for name, text in zip(ids, texts, strict=True))
        kept = index.add_pairs(pairs)
        return {name: None for name, stays in zip(ids, kept, strict=True) if not stays}

    return run


def rensa_matrix(ids: Sequence[str], texts: Sequence[str], threshold: float) -> Drops:
    """The digest matrix, and the flags of ``insert_matrix_and_query_duplicate_flags``."""
    from rensa import RMinHash, RMinHashLSH

    matrix = RMinHash.digest_matrix_from_token_sets(map(joined, texts), PERMUTATIONS, 42)
    index = RMinHashLSH(threshold, PERMUTATIONS, 16)
    flags = index.insert_matrix_and_query_duplicate_flags(matrix)
    return {name: None for name, flag in zip(ids, flags, strict=True) if flag}


def datatrove(ids: Sequence[str], texts: Sequence[str], _threshold: float) -> Drops:
    """The three steps of datatrove's MinHash pipeline with its own bands (14 of 8: about 0.72).

    Its tokenizer (spaCy's) is swapped for the regex, so that its engine is what is measured.
    """
    from datatrove.data import Document
    from datatrove.pipeline.dedup import minhash

    settings = minhash.MinhashConfig(n_grams=SHINGLE)
    with tempfile.TemporaryDirectory() as scratch:
        signed, paired, dropped = (f"{scratch}/{name}" for name in ("signed", "paired", "dropped"))
        minhash.load_word_tokenizer = lambda _language: _Words()
        first = minhash.MinhashDedupSignature(signed, settings)
        first.run(Document(text, name) for name, text in zip(ids, texts, strict=True))
        for bucket in range(settings.num_buckets):
            step = minhash.MinhashDedupBuckets(signed, paired, config=settings)
            step.run(rank=bucket, world_size=settings.num_buckets)
        minhash.MinhashDedupCluster(paired, dropped, settings).run()
        removed = b"".join(path.read_bytes() for path in sorted(Path(dropped).glob("*.remove")))
    return {ids[place]: None for (place,) in struct.iter_unpack("<I", removed)}


class _Words:
    """What datatrove calls a word tokenizer."""

    word_tokenize = staticmethod(words)


TOOLS = {
    "ours": Tool(ours, "every pair measured exactly; the better stays", "best", exact=True),
    "ours, --exact": Tool(
        ours_exact, "all pairs joined, no bands; the better stays", "best", once=True, exact=True
    ),
    "ours, names masked": Tool(ours_masked, "the same, and once more with names masked", "best"),
    "rensa streaming, 16 bands": Tool(
        rensa_streaming(16), "by estimate; the first stays", needs="rensa"
    ),
    "rensa streaming, 32 bands": Tool(
        rensa_streaming(32), "by estimate; the first stays", needs="rensa"
    ),
    "rensa matrix": Tool(rensa_matrix, "flags all that share a band", "flags", needs="rensa"),
    "datasketch bulk": Tool(datasketch_bulk, "by estimate; the first stays", once=True),
    "datasketch bulk, our quality": Tool(
        datasketch_exact, "our bands, measured as sets; the first stays", once=True, exact=True
    ),
    "datasketch update": Tool(
        datasketch_update, "by estimate; the first stays", sample=500, once=True
    ),
    "datatrove, regex for tokenizer": Tool(
        datatrove, "by shared band; one of a chain stays", "chain", once=True, needs="datatrove"
    ),
}
