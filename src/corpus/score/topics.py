"""Effective topics: how many texts that have nothing in common would be as varied as these.

The Vendi score of order 2 (Friedman and Dieng, "The Vendi Score", 2023; Pasarkar and Dieng,
"Cousins of the Vendi Score", 2024) of n unit vectors is 1 / mean of cos^2 over all pairs. Taken
over pairs of *different* texts it does not depend on n. A text is the tf-idf of the lower-case
words in a window of 256 words, so that neither names nor length count.

The cosines are never formed. With X and Y two independent random projections of the same vectors
(signs, as in Achlioptas, "Database-friendly random projections", 2003), x_i.x_j and y_i.y_j are
independent unbiased estimates of one cosine, so their product is an unbiased one of its square,
and the sum over all pairs is ||X'Y||_F^2 less the diagonal: linear in n, and without the floor of
1/d that the square of a single projection has.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from corpus.language import UNSPACED, Hashes, token_hashes
from corpus.records import Metric, digest
from corpus.score.columns import Columns, Text
from corpus.score.intervals import JACKKNIFE, Floats, Reading, jackknife
from corpus.score.scale import LEAST_CELL, Scale

WINDOW = 256
DIMENSIONS = 256  # of each projection
LEAST_GATE = 100  # documents; fewer say too little
MOST = 20_000  # documents
RARE = 1 / 200
STEPS = 10  # of the growth curve

_LOWER = re.compile(rf"[{UNSPACED}]|(?<![^\W_])[^\W_A-Z\d{UNSPACED}][^\W_{UNSPACED}]+")


def topics(columns: Columns, scale: Scale) -> Metric:
    """Effective topics of all documents, or of 20,000 drawn by id, and of every cell.

    The interval is the delete-one jackknife of the mean of cos^2, turned into topics.
    """
    chosen = np.sort(columns.drawn[:MOST])
    first, second = project([_window(columns.texts[doc]) for doc in chosen.tolist()])
    cells = []
    for by, (values, codes) in columns.cells.items():
        for number, value in enumerate(values):
            own = codes[chosen] == number
            n = int(own.sum())
            reading = effective(first[own], second[own]) if n >= LEAST_CELL else Reading(None)
            cells.append(scale.cell(by, value, reading, n))
    reading = effective(first, second)
    marks = sorted({round(len(chosen) * step / STEPS) for step in range(1, STEPS + 1)} - {0})
    curve = [{"documents": n, "vendi2": _vendi2(reading.value, n)} for n in marks]
    return scale.metric(
        "eff_topics",
        reading,
        "effective topics",
        n=len(chosen),
        higher=True,
        chance=len(chosen) < LEAST_GATE,
        cells=cells,
        interval=JACKKNIFE,
        note=f"lower-case words, windows of {WINDOW}",
        curve=curve if reading.value else (),
    )


def effective_topics(texts: Iterable[Text], most: int = 2_000) -> float | None:
    """The effective topics of so many of the texts, drawn by id; None for fewer than 3."""
    drawn = sorted(texts, key=lambda text: (digest(text.id), text.text))[:most]
    return effective(*project([_window(text) for text in drawn])).value


def topics_along(texts: Sequence[Text], ends: Sequence[int]) -> list[float | None]:
    """The effective topics of the first so many of the texts, for each of ``ends``."""
    first, second = project([_window(text) for text in texts])
    return [effective(first[:end], second[:end]).value for end in ends]


def _vendi2(topics: float | None, n: int) -> float | None:
    """The plain Vendi score of order 2 of n such texts: what still grows with n, and how far."""
    return None if topics is None else 1 / (1 / n + (1 - 1 / n) / topics)


def effective(first: Floats, second: Floats) -> Reading:
    """1 / mean of x_i.x_j y_i.y_j over pairs i != j of the rows, zero rows left out.

    Args:
        first: shape (n, d), the rows that x stands for.
        second: shape (n, d), those of y; ``first`` again where the vectors are no projections.
    """
    used = (first * first).sum(axis=1) > 0
    first, second = first[used], second[used]
    n = len(first)
    if n < 3:  # noqa: PLR2004 - one pair has no spread
        return Reading(None)
    product = first.T @ second
    own = (first * first).sum(axis=1) * (second * second).sum(axis=1)
    rows = ((first @ product) * second).sum(axis=1) - own
    total = float(rows.sum())
    without = (total - 2 * rows) / ((n - 1) * (n - 2))
    mean = jackknife(total / (n * (n - 1)), without)
    if mean.value is None or mean.low is None or mean.high is None or mean.value <= 0:
        return Reading(None)
    low, high = 1 / mean.high, 1 / mean.low if mean.low > 0 else None
    return Reading(1 / mean.value, low, high)


def vendi(rows: Floats, order: float = 1.0) -> float:
    """The Vendi score of the rows of a matrix of shape (n, d), each scaled to unit length.

    The exponential of Renyi's entropy of that order of the eigenvalues of X'X / n; what
    ``score_dual`` of the package ``vendi-score`` returns.
    """
    lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    unit = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    values = np.linalg.eigvalsh(unit.T @ unit / len(unit))
    values = values[values > 0]
    if order == 1:
        return float(np.exp(-(values * np.log(values)).sum()))
    return float(np.exp(np.log((values**order).sum()) / (1 - order)))


def project(windows: Sequence[Sequence[str]]) -> tuple[Floats, Floats]:
    """Two projections of the tf-idf of the windows, each scaled by the length of its vector.

    tf is 1 + log of the count; idf is -log of the share of *other* documents that have the word,
    plus 1/200: unlike log(n / df) it does not weigh rare words more as the corpus grows. The others
    are all but the document itself where its length is taken, and all but both where two meet: a
    word that two of 200 share is no rarer than one that two of 2,000 do.
    """
    counts = [dict[str, int]() for _ in windows]
    seen: dict[str, int] = {}
    for window, own in zip(windows, counts, strict=True):
        for word in window:
            own[word] = own.get(word, 0) + 1
        for word in own:
            seen[word] = seen.get(word, 0) + 1
    words = [word for word, count in seen.items() if count > 1]  # a word of one text meets none
    place = {word: number for number, word in enumerate(words)}
    alone = {word: _idf(count - 1, len(windows) - 1) for word, count in seen.items()}
    meeting = np.array([_idf(seen[word] - 2, len(windows) - 2) for word in words])
    signs = _signs(token_hashes(words))
    found = np.zeros((len(windows), 2 * DIMENSIONS))
    for row, own in enumerate(counts):
        tf = {word: 1 + math.log(count) for word, count in own.items()}
        length = math.sqrt(sum((weight * alone[word]) ** 2 for word, weight in tf.items()))
        known = [word for word in own if word in place]
        if length and known:
            at = [place[word] for word in known]
            values = np.array([tf[word] for word in known]) * meeting[at] / length
            found[row] = values.astype(np.float32) @ signs[at]
    found /= np.sqrt(DIMENSIONS)
    return found[:, :DIMENSIONS], found[:, DIMENSIONS:]


def _idf(having: int, others: int) -> float:
    return max(0.0, -math.log(having / max(1, others) + RARE))


def _signs(hashes: Hashes) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """512 signs a word, out of its hash by the generator SplitMix64."""
    steps = np.arange(1, 2 * DIMENSIONS // 64 + 1, dtype=np.uint64)
    state = hashes[:, None] + steps * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    state ^= state >> np.uint64(31)
    bits = np.unpackbits(state.astype("<u8").view(np.uint8), axis=1)
    return bits.astype(np.float32) * 2 - 1


def _window(text: Text) -> list[str]:
    """The lower-case words of 256 words, from a place that the id draws."""
    said = text.text.split()
    room = max(0, len(said) - WINDOW)
    start = int(digest(text.id), 16) % (room + 1)
    window = " ".join(said[start : start + WINDOW])
    return _LOWER.findall(unicodedata.normalize("NFKC", window))
