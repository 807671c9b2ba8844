"""How well the corpus compresses: repetition of any kind, anywhere within 128 MiB.

Shaib et al., "Standardizing the measurement of text diversity" (2024, arXiv 2403.00553) found that
a compression ratio says most of what slower n-gram scores say. They use gzip, whose window of
32 KiB holds some ten documents; zstd (RFC 8878) with a window of 2^27 bytes and long-distance
matching sees a copy at the other end of the corpus.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corpus.records import Metric
from corpus.score import rarefy
from corpus.score.columns import Columns
from corpus.score.intervals import JACKKNIFE, Reading, jackknife
from corpus.score.scale import LEAST_CELL, Scale

LEVEL = 3
WINDOW_LOG = 27
MATCH = 32  # bytes of a long-distance match; zstd's own 64 miss what a copy with new words keeps
RATE = 4  # one place in 2^4 is remembered; zstd's own 2^7 finds half of such matches
LEAST_LOG = 10
GROUPS = 10
MOST = 4_000_000  # bytes that the interval is made from


def squeeze(columns: Columns, scale: Scale) -> Metric:
    """Bytes of the texts over bytes compressed, documents in the order of their hashed ids.

    The interval is the jackknife over 10 groups of documents, of at most 4 MB.
    """
    pieces = [columns.texts[doc].text.encode("utf-8", "replace") for doc in columns.drawn.tolist()]
    cells = []
    for by, (values, codes) in columns.cells.items():
        drawn = codes[columns.drawn]
        for number, value in enumerate(values):
            own = np.flatnonzero(drawn == number).tolist()
            if len(own) >= LEAST_CELL:
                ratio = Reading(_ratio([pieces[place] for place in own]))
                cells.append(scale.cell(by, value, ratio, len(own)))
    whole = _ratio(pieces)
    reading = Reading(whole)
    used = int(np.searchsorted(np.cumsum([len(piece) for piece in pieces]), MOST)) + 1
    if whole is not None and len(pieces[:used]) >= LEAST_CELL:
        left = [
            _ratio([piece for place, piece in enumerate(pieces[:used]) if place % GROUPS != group])
            for group in range(GROUPS)
        ]
        reading = jackknife(whole, np.array(left, dtype=float))
    interval = f"{JACKKNIFE}, in {GROUPS} groups"
    curve = rarefy.blocks(len(pieces), lambda at, to: _ratio(pieces[at:to]) or 1.0, whole or 1.0)
    return scale.metric(
        "zstd_long", reading, "ratio", cells=cells, interval=interval, curve=curve if whole else ()
    )


def _ratio(pieces: Sequence[bytes]) -> float | None:
    import zstandard

    whole = b"\n".join(pieces)
    if not whole:
        return None
    settings = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, window_log=WINDOW_LOG, enable_ldm=True, ldm_min_match=MATCH, ldm_hash_rate_log=RATE,
        ldm_hash_log=min(WINDOW_LOG - RATE, max(LEAST_LOG, len(whole).bit_length() - RATE)),
    )  # fmt: skip
    return len(whole) / len(zstandard.ZstdCompressor(compression_params=settings).compress(whole))
