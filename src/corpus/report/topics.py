"""What the corpus is about, as a map, and what one more document still adds, as a curve.

A text is the tf-idf of its first words, hashed with signs into a fixed number of dimensions and
scaled to length one (Weinberger et al., "Feature hashing for large scale multitask learning", 2009,
arXiv 0902.2206), so no vocabulary is kept and every step is linear in the number of texts.

The map is the plane of the first two principal components. Its regions are k-means clusters over
the first components; the start is the farthest point each time, so nothing is left to chance.

The curve counts what the next texts bring: the share of 8-word phrases and of word pairs that no
text before had, and the effective topics of ``corpus.score``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corpus.language import Hashes, ngram_hashes, words
from corpus.report.folder import Row
from corpus.score import Text, topics_along

WINDOW = 256  # words of a text that are looked at, so that a long one is not another topic
DIMENSIONS = 512
AXES = 12  # principal components that regions are found in
REGIONS = 9
SIDE = 1_000  # of the map, in its own units
STEPS = 24  # points of the curve
PHRASE, PAIR = 8, 2  # words
LEAST = 8  # texts before there is a map
WORDS = 7  # that name a region
ROUNDS = 30

Matrix = NDArray[np.float32]


def vectors(said: Sequence[Sequence[str]]) -> Matrix:
    """Texts by dimensions: hashed tf-idf in rows of length one (all zero for an empty text)."""
    parts = [ngram_hashes(one[:WINDOW], 1) for one in said]
    texts = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    tokens = np.concatenate([np.zeros(0, np.uint64), *parts])
    order = np.lexsort((texts, tokens))
    texts, tokens = texts[order], tokens[order]
    new_token = np.ones(len(tokens), dtype=bool)
    new_token[1:] = tokens[1:] != tokens[:-1]
    new_pair = new_token.copy()
    new_pair[1:] |= texts[1:] != texts[:-1]
    heads = np.flatnonzero(new_pair)
    times = np.diff(np.append(heads, len(tokens)))
    number = np.cumsum(new_token[heads]) - 1  # of the token of each pair
    in_texts = np.bincount(number)[number] if len(number) else number
    weight = (1 + np.log(times)) * np.log((1 + len(parts)) / (1 + in_texts)) * (in_texts > 1)
    spread = tokens[heads]
    sign = np.where(spread >> np.uint64(63), 1.0, -1.0)
    place = texts[heads] * DIMENSIONS + (spread % np.uint64(DIMENSIONS)).astype(np.int64)
    flat = np.bincount(place, weights=weight * sign, minlength=len(parts) * DIMENSIONS)
    found = flat.reshape(len(parts), DIMENSIONS).astype(np.float32)
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.where(length > 0, length, 1), dtype=np.float32)


def components(found: Matrix, axes: int) -> NDArray[np.float64]:
    """The texts in their first principal components; each axis points to its longest side."""
    centred = (found - found.mean(axis=0)).astype(np.float64)
    tall = len(centred) > centred.shape[1]
    _, basis = np.linalg.eigh(centred.T @ centred if tall else centred @ centred.T)
    basis = basis[:, ::-1][:, :axes]
    basis = basis if tall else centred.T @ basis
    scale = np.linalg.norm(basis, axis=0)
    scores: NDArray[np.float64] = centred @ (basis / np.where(scale > 1e-9, scale, 1))  # noqa: PLR2004 - rounding
    turn = np.sign(scores[np.abs(scores).argmax(axis=0), np.arange(scores.shape[1])])
    return scores * np.where(turn == 0, 1, turn)


def regions(scores: NDArray[np.float64], most: int = REGIONS) -> NDArray[np.int64]:
    """A number for each text, 0 for the largest region."""
    number = max(1, min(most, round(math.sqrt(len(scores) / 8))))
    centres = scores[[int(np.square(scores).sum(axis=1).argmin())]]
    for _ in range(number - 1):
        gaps = _gaps(scores, centres).min(axis=1)
        centres = np.vstack([centres, scores[int(gaps.argmax())]])
    nearest = _gaps(scores, centres).argmin(axis=1)
    for _ in range(ROUNDS):
        for one in np.unique(nearest):
            centres[one] = scores[nearest == one].mean(axis=0)
        after = _gaps(scores, centres).argmin(axis=1)
        if np.array_equal(after, nearest):
            break
        nearest = after
    sizes = np.bincount(nearest, minlength=number)
    rank = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")
    return np.asarray(rank[nearest], dtype=np.int64)


def _gaps(scores: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances, texts by centres."""
    cross = scores @ centres.T
    squares = np.square(scores).sum(axis=1)[:, None] + np.square(centres).sum(axis=1)
    return np.asarray(squares - 2 * cross, dtype=np.float64)


def topic_map(cards: Sequence[Row], said: Sequence[Sequence[str]], found: Matrix) -> Row:
    """Points ``[x, y, region]`` in a square of ``SIDE``, beside their cards, and the regions.

    A region has its ``words`` (the most above their share in the whole), ``documents``, counts by
    ``streams`` and ``kinds``, where its middle lies, and the document nearest to it.
    """
    if len(cards) < LEAST:
        return {"points": [], "regions": []}
    scores = components(found, AXES)
    belongs = regions(scores)
    plane = _square(scores[:, :2])
    names = _words(said, belongs)
    listed = []
    for number in range(int(belongs.max()) + 1):
        members = np.flatnonzero(belongs == number)
        middle = scores[members].mean(axis=0)
        nearest = members[int(_gaps(scores[members], middle[None]).argmin())]
        streams = Counter(cards[i]["stream"] for i in members.tolist())
        kinds = Counter(cards[i]["kind"] for i in members.tolist())
        listed.append(
            {
                "words": names[number],
                "documents": len(members),
                "streams": dict(sorted(streams.items())),
                "kinds": [list(item) for item in kinds.most_common(3)],
                "at": [int(v) for v in np.median(plane[members], axis=0)],
                "middle": cards[int(nearest)],
            }
        )
    points = [
        {**card, "at": [int(x), int(y), int(region)]}
        for card, (x, y), region in zip(cards, plane, belongs, strict=True)
    ]
    return {"points": points, "regions": listed}


def _square(plane: NDArray[np.float64]) -> NDArray[np.int64]:
    """The plane with both axes stretched to whole numbers from 0 to ``SIDE``."""
    if plane.shape[1] < 2:  # noqa: PLR2004 - the axes of a plane
        plane = np.hstack([plane, np.zeros((len(plane), 2 - plane.shape[1]))])
    low, high = np.quantile(plane, [0.005, 0.995], axis=0)
    width = np.where(high - low > 1e-9, high - low, 1)  # noqa: PLR2004 - rounding
    inside = np.clip((plane - low) / width, 0, 1)
    return np.asarray(np.rint(inside * SIDE), dtype=np.int64)


def _words(said: Sequence[Sequence[str]], belongs: NDArray[np.int64]) -> list[list[str]]:
    """For each region the words that most set it apart: share in it by the log of the lift."""
    whole: Counter[str] = Counter()
    inside = [Counter[str]() for _ in range(int(belongs.max()) + 1)]
    for one, region in zip(said, belongs.tolist(), strict=True):
        own = {word for word in one[:WINDOW] if len(word) > 2 and not word.isdigit()}  # noqa: PLR2004 - letters
        whole.update(own)
        inside[region].update(own)
    named = []
    for region, counter in enumerate(inside):
        size = int((belongs == region).sum())
        rank = [
            (-count / size * math.log(count * len(said) / size / whole[word]), word)
            for word, count in counter.items()
            if count > 1
        ]
        named.append([word for score, word in sorted(rank)[:WORDS] if score < 0])
    return named


def growth(said: Sequence[Sequence[str]], texts: Sequence[Text]) -> list[Row]:
    """What each block of texts added, in the order given; no text, no block.

    ``phrases`` and ``pairs`` are shares of the block's own that no text before it had; ``topics``
    is over all texts so far, as the suite has it, None where they are too few.
    """
    steps = max(1, -(-len(said) // STEPS))
    phrases, pairs = (_first_seen(said, width) for width in (PHRASE, PAIR))
    starts = range(0, len(said), steps)
    ends = [min(len(said), start + steps) for start in starts]
    return [
        {
            "documents": end,
            "words": sum(map(len, said[:end])),
            "phrases": _share(phrases, start, end),
            "pairs": _share(pairs, start, end),
            "topics": effective,
        }
        for start, end, effective in zip(starts, ends, topics_along(texts, ends), strict=True)
    ]


def _first_seen(said: Sequence[Sequence[str]], width: int) -> tuple[Hashes, Hashes]:
    """By text: how many runs of ``width`` words it has, and how many no earlier one had."""
    parts = [ngram_hashes(one, width) for one in said]
    texts = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    values = np.concatenate([np.zeros(0, np.uint64), *parts])
    order = np.argsort(values, kind="stable")  # equal ones stay in the order of the texts
    ordered = values[order]
    new = np.ones(len(ordered), dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    size = len(parts)
    total = np.bincount(texts, minlength=size).astype(np.uint64)
    return total, np.bincount(texts[order][new], minlength=size).astype(np.uint64)


def _share(seen: tuple[Hashes, Hashes], start: int, end: int) -> float | None:
    total, new = (int(part[start:end].sum()) for part in seen)
    return new / total if total else None


def read_words(bodies: Sequence[str]) -> list[list[str]]:
    """The words of each text, once for all that follows; equal words are one object."""
    known: dict[str, str] = {}
    return [[known.setdefault(word, word) for word in words(body)] for body in bodies]
