"""Runs of parts of speech that many documents share, by a spaCy pipeline that the user has.

Shaib et al., "Detection and measurement of syntactic templates in generated text" (2024, arXiv
2407.00211) count part-of-speech templates; their rate is 1 for any text of some length, so this is
the share of runs of 8 tags that a tenth of the documents have.
"""

from __future__ import annotations

import numpy as np

from corpus.language import run_hashes, tagger, token_hashes
from corpus.records import Json, Metric
from corpus.score.columns import Columns, first_of_runs
from corpus.score.intervals import Reading
from corpus.score.scale import EVIDENCE, LEAST_COUNT, Scale

WIDTH = 8
COMMON = 0.10  # of documents
SAMPLE = 300  # documents
CUT = 3_000  # characters of a document


def syntax(columns: Columns, pipeline: str | None, scale: Scale) -> Metric:
    """The share of POS-8-grams that at least 10 % of the documents, and 3, have.

    A sample of 300 documents drawn by id, and the first 3,000 characters of each.

    Raises:
        InputError: the pipeline is not installed, or has no tagger.
    """
    unit = "share of POS-8-grams"
    if pipeline is None:
        note = "not measured; name a spaCy pipeline with --pipeline"
        return scale.metric("syntax", Reading(None), unit, n=0, note=note)
    chosen = np.sort(columns.drawn[:SAMPLE])
    texts = [columns.texts[doc].text[:CUT] for doc in chosen.tolist()]
    tags = [[tag for _, tag in own] for own in tagger(pipeline, texts)]
    hashes = [run_hashes(token_hashes(own), WIDTH) for own in tags]
    docs = np.repeat(np.arange(len(tags)), [len(own) for own in hashes])
    starts = np.concatenate([np.zeros(0, np.int64), *(np.arange(len(own)) for own in hashes)])
    values = np.concatenate([np.zeros(0, np.uint64), *hashes])
    order = np.argsort(values, kind="stable")
    values, docs, starts = values[order], docs[order], starts[order]
    heads = np.flatnonzero(first_of_runs(values))
    sizes = np.diff(np.append(heads, len(values)))
    once = (first_of_runs(values) | first_of_runs(docs)).astype(np.int64)
    counts = np.add.reduceat(once, heads) if len(heads) else sizes
    common = np.repeat(counts >= max(LEAST_COUNT, COMMON * len(chosen)), sizes)
    part, whole = np.zeros(len(columns), np.int64), np.zeros(len(columns), np.int64)
    part[chosen] = np.bincount(docs[common], minlength=len(chosen))
    whole[chosen] = np.bincount(docs, minlength=len(chosen))
    evidence: list[Json] = []
    for group in np.lexsort((values[heads], -counts))[:EVIDENCE].tolist():
        doc, start = int(docs[heads[group]]), int(starts[heads[group]])
        if counts[group] >= LEAST_COUNT:
            ids = [columns.texts[int(chosen[doc])].id]
            said = " ".join(tags[doc][start : start + WIDTH])
            evidence.append({"text": said, "count": int(counts[group]), "ids": ids})
    return scale.share("syntax", part, whole, unit, note=f"by {pipeline}", evidence=evidence)
