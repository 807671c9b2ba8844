"""Likeness that five words in a row do not show: reported, never a reason to drop.

A text is the vector of its words weighted by tf-idf, folded into 256 dimensions by a very sparse
random projection: each word goes to eight of them with a sign, both out of its hash, so there is no
vocabulary and nothing is learnt. Cosines of such vectors are close to those of the whole vectors;
but texts of one subject are alike too, so what counts is the rank, and a reader's eye on the
differences. Embeddings that the user has serve instead where they are given.

Sources: Salton and Buckley, "Term-weighting approaches in automatic text retrieval" (1988); Li,
Hastie and Church, "Very sparse random projections" (2006).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus import grams
from corpus.dedup.sources import Source
from corpus.dedup.survey import chunks
from corpus.dedup.wording import changes
from corpus.errors import InputError
from corpus.grams import Hashes
from corpus.store import read_rows

DIMENSIONS = 256
PLACES = 8  # dimensions that a word goes to
BUCKETS = 1 << 20  # of document frequencies, by hash
MOST_ASKED = 4096  # texts that look for their nearest; of more, a seeded sample does
BLOCK = 512
NEAREST = 3  # neighbours of a text that are looked at
MOST_DIFF = 1500  # words of a text whose differences are told
CONTEXT = 4  # words told on either side of a difference

Vectors = NDArray[np.float32]


def vectors(source: Source) -> Vectors:
    """The projected tf-idf vectors of texts, of length 1 (or 0, for a text without words)."""
    used = np.zeros(BUCKETS, np.int32)
    for words in _words(source):
        used[np.unique(words % np.uint64(BUCKETS)).astype(np.int64)] += 1
    rarity = np.log((1 + len(source.sizes)) / (1 + used)).astype(np.float32)
    out = np.zeros((len(source.sizes), DIMENSIONS), np.float32)
    for place, words in enumerate(_words(source)):
        found, counts = np.unique(words, return_counts=True)
        weight = (1 + np.log(counts)) * rarity[(found % np.uint64(BUCKETS)).astype(np.int64)]
        out[place] = _projected(found, weight)
    return _unit(out)


def supplied(path: Path, ids_path: Path, ids: Sequence[str]) -> Vectors:
    """Embeddings of the user's, in the order of ``ids``, of length 1.

    ``path`` is a NumPy file of one row for each line of ``ids_path``, JSON Lines with ``id``.

    Raises:
        InputError: a file cannot be read, their lengths differ, or an id has no vector.
    """
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"--embeddings {path}: no NumPy file that can be read") from error
    names = {str(row.get("id")): place for place, row in enumerate(read_rows(ids_path))}
    if found.ndim != 2 or len(found) != len(names) or found.dtype.kind != "f":  # noqa: PLR2004
        raise InputError(
            f"--embeddings {path}: must be one row of floats for each id of {ids_path} "
            f"({len(names)}), and is {found.dtype} {found.shape}"
        )
    if lacking := [name for name in ids if name not in names]:
        raise InputError(f"--embedding-ids {ids_path}: has no {lacking[0]!r}; give one for each")
    rows = np.asarray(found[[names[name] for name in ids]], np.float32)
    if not np.isfinite(rows).all():
        raise InputError(f"--embeddings {path}: holds a value that is no finite number")
    return _unit(rows)


def nearest(found: Vectors, count: int, seed: int = 0) -> list[tuple[int, int, float]]:
    """The ``count`` nearest pairs (place, place, cosine), nearest first, each pair once.

    Time grows with the square of the number of texts up to 4,096; of more texts, a seeded sample
    of so many looks for its nearest among all.
    """
    total = len(found)
    asking = np.arange(total)
    if total > MOST_ASKED:
        asking = np.sort(np.random.default_rng(seed).choice(total, MOST_ASKED, replace=False))
    pairs: dict[tuple[int, int], float] = {}
    for start in range(0, len(asking), BLOCK):
        mine = asking[start : start + BLOCK]
        cosines = found[mine] @ found.T
        cosines[np.arange(len(mine)), mine] = -2
        most = min(NEAREST, total - 1)
        near = np.argpartition(-cosines, most - 1, axis=1)[:, :most] if most > 0 else None
        for row, places in enumerate(() if near is None else near.tolist()):
            for place in places:
                pair = (min(int(mine[row]), place), max(int(mine[row]), place))
                pairs[pair] = round(float(cosines[row, place]), 4)
    ranked = sorted(pairs.items(), key=lambda entry: (-entry[1], entry[0]))
    return [(one, other, cosine) for (one, other), cosine in ranked[:count] if cosine > 0]


def rows(
    source: Source, ids: Sequence[str], count: int, found: Vectors | None = None
) -> Iterator[dict[str, Any]]:
    """The nearest pairs as rows: ``id, other, cosine, by, jaccard, diff``.

    ``by`` is "words" or "embedding"; ``jaccard`` is that of the word 5-grams; ``diff`` has pieces
    ["=", text], ["-", text of the first alone], ["+", text of the second alone], where "…" stands
    for the middle of a long stretch that both have.
    """
    by = "words" if found is None else "embedding"
    for one, other, cosine in nearest(vectors(source) if found is None else found, count):
        pair = source.some([one, other])
        sets = [set(_shingles(pair, place)) for place in (0, 1)]
        yield {
            "id": ids[one],
            "other": ids[other],
            "cosine": cosine,
            "by": by,
            "jaccard": round(len(sets[0] & sets[1]) / max(1, len(sets[0] | sets[1])), 4),
            "diff": diff(pair.text(0), pair.text(1)),
        }


def diff(one: str, other: str) -> list[list[str]]:
    """What two texts share and do not, word by word, of the first 1,500 words of each."""
    return [[op, " ".join(_shown(op, words))] for op, words in changes(one, other, MOST_DIFF)]


def _shown(op: str, words: Sequence[str]) -> Sequence[str]:
    """The words, without the middle of a long stretch that both have."""
    if op == "=" and len(words) > 3 * CONTEXT:
        return [*words[:CONTEXT], "…", *words[-CONTEXT:]]
    return words


def _words(source: Source) -> Iterator[Hashes]:
    """The word hashes of each text."""
    for part in chunks(source.sizes):
        found = grams.read(source.some(part))
        yield from np.split(found.hashes, found.places[1:-1])


def _shingles(pair: grams.Packed, place: int) -> list[int]:
    words = grams.read(grams.pack([pair.text(place)]))
    found: list[int] = grams.ngrams(words, 5, whole=True).hashes.tolist()
    return found


def _projected(words: Hashes, weight: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The sum of words in few dimensions: each goes to eight, signed, by bits of its hash."""
    total = np.zeros(DIMENSIONS)
    for place in range(PLACES):
        bits = grams.mixed(words + np.uint64(place + 1)) >> np.uint64(55)
        signs = np.where(bits & np.uint64(1), 1.0, -1.0)
        at = (bits >> np.uint64(1)).astype(np.int64)
        total += np.bincount(at, weights=signs * weight, minlength=DIMENSIONS)
    return total


def _unit(rows: Vectors) -> Vectors:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(length > 0, length, 1)).astype(np.float32)
