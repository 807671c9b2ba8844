"""Habits of a writer: stock openings and endings, favourite names, sentences from a mould."""

from __future__ import annotations

import heapq
import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from corpus.language import UNSPACED, skim, text_hash
from corpus.records import Json, Metric
from corpus.score import rarefy
from corpus.score.columns import Columns, Numbers, first_of_runs, skeletons
from corpus.score.intervals import Floats, Reading
from corpus.score.scale import EVIDENCE, LEAST_COUNT, Scale

Edge = Literal["opening", "closing"]

OPENING = 4
CLOSING = 5
LEAST_NAME = 0.01  # share of documents from which on a name is told
PUBLISHED = frozenset("Aris Elias Kael Lyra Mara Petrova Seraphina".split())
"""Names that language models reach for by arXiv 2605.26492 and 2606.02184 (2026), beside those of
``kinds/overused.txt``, which no text may have."""

_UNSPACED = re.compile(f"[{UNSPACED}]")


def edges(name: Edge, columns: Columns, scale: Scale) -> Iterator[Metric]:
    """How often the most common first or last words come, and how many documents share theirs.

    The words are the first 4 or the last 5; two characters of a script without spaces count as
    one word. Shorter documents are not counted.
    """
    docs, codes, phrases = _edges(name, columns)
    unit = "share of documents"
    counts = np.bincount(codes, minlength=len(phrases))
    evidence = _evidence(docs, codes, phrases, counts, columns)
    yield scale.favourite(name, docs, codes, unit, evidence=evidence)
    whole = np.zeros(len(columns), dtype=np.int64)
    part = whole.copy()
    whole[docs], part[docs] = 1, counts[codes] > 1
    curve = rarefy.shares(counts[codes] - 1, len(docs), len(docs))
    yield scale.share(f"{name}_repeated", part, whole, unit, evidence=evidence, curve=curve)


def names(
    columns: Columns,
    quoted: Sequence[str],
    known: Collection[str],
    usual: Mapping[str, float],
    scale: Scale,
) -> Iterator[Metric]:
    """How many documents use the favourite name, and the favourite pair of names.

    A name counts by its words, so that a first name is met with any surname; a pair is one of
    first words ("Elena Vasquez" and "Marcus Chen" are Elena and Marcus). Capitals do not tell a
    person from a country, so from the share of each name that of human prose is taken off. Nor do
    they tell a character from the subject: what ``quoted`` names is the subject, and no fault.

    Args:
        columns: the texts.
        quoted: texts whose names are no fault.
        known: names that are no fault.
        usual: the share of documents that have a name, in human prose.
        scale: the limits.
    """
    free = [*known, *(name for text in quoted for name in skim(text).names)]
    used = {word.casefold() for name in free for word in name.split()}
    used |= {f"{word}s" for word in used}  # Quakers where the text has a Quaker
    said, single, heads = _uses(columns, used)
    docs, codes = _columns(single)
    counts = np.bincount(codes, minlength=len(said))
    less = np.array([usual.get(word, 0.0) for word in said])
    yield _favourite("names", docs, codes, said, less, columns, scale)
    yield _effective(counts, scale)
    pairs: dict[tuple[int, int], int] = {}
    double: list[tuple[int, int]] = []
    for doc, own in enumerate(heads):
        often = [number for number in own if counts[number] >= LEAST_COUNT]  # in order of the words
        together = itertools.combinations(often, 2)
        double += [(doc, pairs.setdefault(pair, len(pairs))) for pair in together]
    both = [f"{said[one]} + {said[other]}" for one, other in pairs]
    docs, codes = _columns(double)
    yield _favourite("name_pairs", docs, codes, both, np.zeros(len(pairs)), columns, scale)


def _uses(
    columns: Columns, free: Collection[str]
) -> tuple[list[str], list[tuple[int, int]], list[list[int]]]:
    """The words of names but the ``free`` ones; pairs of document and word; first words of each.

    A word that follows another one in a name of the document is none of its first words.
    """
    numbers: dict[str, int] = {}
    single: list[tuple[int, int]] = []
    heads: list[list[int]] = []
    for doc, found in enumerate(columns.names):
        runs = [[w for w in name.split() if w.casefold() not in free] for name in found]
        own = sorted({word for run in runs for word in run})
        later = {word for run in runs for word in run[1:]}
        firsts = sorted({run[0] for run in runs if run} - later)
        single += [(doc, numbers.setdefault(word, len(numbers))) for word in own]
        heads.append([numbers[word] for word in firsts])
    return list(numbers), single, heads


@cache
def watched() -> frozenset[str]:
    """Names that language models give to everybody."""
    lines = resources.files("corpus.kinds").joinpath("overused.txt").read_text("utf-8").splitlines()
    listed = (line.strip().removesuffix("*") for line in lines if line[:1] not in {"", "#"})
    return PUBLISHED | frozenset(listed)


def shares_of_names(columns: Columns) -> dict[str, float]:
    """The share of documents with each name that at least 1 % of them have."""
    uses = Counter(
        word for own in columns.names for word in {word for name in own for word in name.split()}
    )
    shares = {word: count / len(columns) for word, count in uses.items()}
    return {word: share for word, share in shares.items() if share >= LEAST_NAME}


def skeleton(columns: Columns, quoted: Sequence[str], scale: Scale) -> Metric:
    """The share of sentences whose form without capitals and numbers is in 3 or more documents.

    Only sentences with at least 5 words of their own count.
    """
    free = [text_hash(form) for text in quoted for form in skeletons(skim(text).sentences)]
    order = np.argsort(columns.forms, kind="stable")
    values, docs = columns.forms[order], columns.form_docs[order]
    heads = np.flatnonzero(first_of_runs(values))
    sizes = np.diff(np.append(heads, len(values)))
    new = first_of_runs(values) | first_of_runs(docs)
    counts = np.add.reduceat(new.astype(np.int64), heads) if len(heads) else sizes
    counts[np.isin(values[heads], np.array(free, dtype=np.uint64))] = 0
    mould = np.repeat(counts >= LEAST_COUNT, sizes)
    part = np.bincount(docs[mould], minlength=len(columns))
    whole = np.bincount(docs, minlength=len(columns))
    evidence: list[Json] = []
    best = heads[np.lexsort((values[heads], -counts))]
    by_head = dict(
        zip(heads.tolist(), zip(counts.tolist(), sizes.tolist(), strict=True), strict=True)
    )
    for head in best[:EVIDENCE].tolist():
        count, size = by_head[head]
        if count >= LEAST_COUNT:
            ids = [
                columns.texts[doc].id for doc in np.unique(docs[head : head + size])[:3].tolist()
            ]
            said = columns.form(int(order[head]))
            evidence.append({"text": said, "count": count, "ids": ids})
    others = np.maximum(0, np.repeat(counts, sizes) - 1)
    n, unit = int((whole > 0).sum()), "share of sentences"
    curve = rarefy.shares(others, n, len(values), LEAST_COUNT - 1)
    return scale.share("skeleton", part, whole, unit, evidence=evidence, curve=curve)


def _edges(name: Edge, columns: Columns) -> tuple[Numbers, Numbers, list[str]]:
    """The documents that are long enough, the number of the phrase of each, and the phrases."""
    numbers: dict[str, int] = {}
    pairs: list[tuple[int, int]] = []
    for doc, size in enumerate(columns.sizes.tolist()):
        wide = size and _UNSPACED.match(columns.said(doc, 0, 1))
        need = (OPENING if name == "opening" else CLOSING) * (2 if wide else 1)
        if size >= need:
            phrase = columns.said(doc, 0, need) if name == "opening" else columns.said(doc, -need)
            pairs.append((doc, numbers.setdefault(phrase, len(numbers))))
    return *_columns(pairs), list(numbers)


def _columns(pairs: Sequence[tuple[int, int]]) -> tuple[Numbers, Numbers]:
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _favourite(
    name: str,
    docs: Numbers,
    codes: Numbers,
    said: Sequence[str],
    less: Floats,
    columns: Columns,
    scale: Scale,
) -> Metric:
    """The favourite among names; every document counts, those without a name too.

    Sections and kinds have no gate here: a name may be their subject.
    """
    counts = np.bincount(codes, minlength=len(said))
    rank = counts - less * len(columns)
    evidence = _evidence(docs, codes, said, np.where(counts > 1, rank, 0), columns)
    for piece in evidence:
        if set(piece["text"].split(" + ")) <= watched():
            piece["note"] = "a favourite of language models"
    return scale.favourite(
        name, docs, codes, "share of documents", of=np.arange(len(columns)), gated=("stream",),
        usual=less, evidence=evidence,
    )  # fmt: skip


def _effective(counts: Numbers, scale: Scale) -> Metric:
    """How many equally common names would repeat as these do, a name counted once a document.

    The unbiased form of the inverse Simpson index (Simpson, "Measurement of diversity", 1949).
    """
    total = int(counts.sum())
    again = int((counts * (counts - 1)).sum())
    value = total * (total - 1) / again if again else None
    note = f"{len(counts):,} different names" if len(counts) else ""
    return scale.metric("names_effective", Reading(value), "names", higher=True, note=note)


def _evidence(
    docs: Numbers, codes: Numbers, said: Sequence[str], rank: NDArray[Any], columns: Columns
) -> list[Json]:
    """What most documents share, with how many and which."""
    least = np.partition(rank, -2 * EVIDENCE)[-2 * EVIDENCE] if len(rank) > 2 * EVIDENCE else 0
    ranks = {code: rank[code] for code in np.flatnonzero(rank >= max(least, 1e-9)).tolist()}
    best = heapq.nsmallest(2 * EVIDENCE, ranks, key=lambda code: (-ranks[code], said[code]))
    counts = Counter(codes[np.isin(codes, best)].tolist())
    listed: list[Json] = []
    for code in best:
        if counts[code] > 1 and len(listed) < EVIDENCE:
            ids = [columns.texts[doc].id for doc in docs[codes == code][:3].tolist()]
            listed.append({"text": said[code], "count": counts[code], "ids": ids})
    return listed
