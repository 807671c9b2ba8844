"""Notes on style: they never gate, because they say how a text is written, not how it repeats.

A collapsed corpus has a higher MTLD than human prose, and a dash is no fault; but a reader who
knows the figures of their own texts sees here what a model does more often. Rates are per 1,000
words of a sample of 2,000 documents drawn by id, as ratios of sums over documents.

Sources: McCarthy and Jarvis, "MTLD, vocd-D, and HD-D" (2010), for MTLD; the phrases are those that
the slop score of EQ-Bench and published audits of synthetic corpora count.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from corpus.records import Json, Metric
from corpus.score.columns import Columns
from corpus.score.intervals import Reading, jackknife
from corpus.score.scale import EVIDENCE, Scale

SAMPLE = 2_000
MTLD_SAMPLE = 300
MTLD_FACTOR = 0.72
MTLD_LEAST = 50  # words
PROSE = 12  # words of a last line that is prose

_PHRASES = {
    "not_x_but_y": r"""
        \b(?:it|this|that|he|she|they|there|which)(?:'s|\ is|\ was|\ isn't|\ wasn't|'re|\ were)?
        (?:\ not|\ isn't|\ wasn't)?\ (?:not\ )(?:just|only|merely|simply|about|because|a|an|the)?
        \b[^.!?;\n]{2,60}?(?:,\ but|;\ it's|[.]\ It's|\ [-\u2014]\ it's|,\ it's)\b
        | \bnot\ (?:just|only|merely|simply)\b[^.!?\n]{2,80}?\bbut\b
        | \bnot\ (?:a|an|the|because|to|in|as|that|for|out\ of)\ [^.!?,;\n]{2,50}?,?\ but\b
        | (?:less|isn't|wasn't)\ about\ [^.!?\n]{2,50}?(?:more\ about|it(?:'s|\ was)\ about)""",
    "offers": r"""
        \b(?:let\ me\ know\ if|(?:would\ you\ like|want)\ me\ to|i(?:'m|\ am)\ happy\ to
        |happy\ to\ (?:help|go|walk|talk)|i\ can\ help\ you|if\ you(?:'d|\ would)\ like,\ i
        |feel\ free\ to)\b""",
    "autonomy": r"""
        \b(?:(?:it's|is|it\ is)\ (?:entirely\ |ultimately\ |completely\ )?your\ (?:call|decision
        |choice)|(?:that's|is)\ (?:entirely\ )?up\ to\ you|your\ call\b|yours\ to\ (?:make|decide)
        |better\ than\ i\ (?:do|can)|only\ you\ can)""",
    "slop": r"""
        \b(?:delv(?:e|es|ing)|tapestry|testament\ to|symphony\ of|in\ today's|fast-paced
        |ever-(?:changing|evolving)|navigat(?:e|ing)\ the|landscape\ of|it's\ (?:worth\ noting
        |important\ to\ note)|at\ its\ core|at\ the\ end\ of\ the\ day|game-changer|multifaceted
        |nuanced|a\ breath\ (?:she|he|they|i)\ (?:hadn't|didn't)|something\ (?:shifted|loosened)
        |the\ silence\ stretched|a\ quiet\ kind\ of|the\ kind\ of\ (?:person|silence|question)
        |hung\ in\ the\ air|let\ that\ (?:sit|land)|genuinely|i\ hear\ you|you're\ absolutely)\b""",
    "em_dashes": "\u2014",
}
ANY_LANGUAGE = frozenset({"em_dashes"})
_COMPILED = {
    name: re.compile(pattern, re.VERBOSE | re.IGNORECASE) for name, pattern in _PHRASES.items()
}
_BROKEN = re.compile(r"(?:[,;\u2014\u2013\uff0c\u3001-]|\.\.\.|\u2026)$")
_FRAME = " *_`>\u201d\"\u2019')]"


def style(columns: Columns, scale: Scale) -> Iterator[Metric]:
    """Rates of stock phrases and moves, endings that are cut off, MTLD, and lengths."""
    chosen = np.sort(columns.drawn[:SAMPLE])
    small = Scale(columns, {}, scale.baseline)
    for name, pattern in _COMPILED.items():
        yield _rate(name, pattern, columns, chosen.tolist(), small)
    yield _cut_off(columns, small)
    yield _mtld(columns, small)
    yield _lengths(columns, small)


def _rate(
    name: str, pattern: re.Pattern[str], columns: Columns, chosen: Sequence[int], scale: Scale
) -> Metric:
    """Uses per 1,000 words, in the cells too, with the forms that most documents use."""
    part, whole = np.zeros(len(columns)), np.zeros(len(columns))
    foreign = [] if name in ANY_LANGUAGE else [d for d in chosen if not columns.english[d]]
    said: dict[str, list[str]] = defaultdict(list)
    for doc in sorted({*chosen} - {*foreign}):
        text = columns.texts[doc]
        found = pattern.findall(text.text.replace("\u2019", "'"))
        part[doc], whole[doc] = len(found), columns.sizes[doc] / 1000
        for form in sorted({" ".join(hit.lower().split()) for hit in found}):
            said[form].append(text.id)
    ranked = sorted(said.items(), key=lambda entry: (-len(entry[1]), entry[0]))[:EVIDENCE]
    evidence: list[Json] = [
        {"text": form, "count": len(ids), "ids": ids[:3]} for form, ids in ranked
    ]
    note = "a note on style, never a gate"
    if foreign:
        note = f"{len(foreign):,} of {len(chosen):,} documents are not English: of them no claim"
    return scale.share(name, part, whole, "per 1,000 words", note=note, evidence=evidence)


def _cut_off(columns: Columns, scale: Scale) -> Metric:
    """The share of documents whose last line is prose that no mark ends, or that breaks off.

    A short last line may be a signature, a heading or a list of links, so one that no mark ends
    must have 12 words; a dash, a comma or three dots break off wherever they stand.
    """
    part = np.zeros(len(columns), dtype=np.int64)
    evidence: list[Json] = []
    for doc, text in enumerate(columns.texts):
        last = text.text.rstrip().rpartition("\n")[2].strip(_FRAME)
        part[doc] = bool(_BROKEN.search(last)) or _unended(last)
        if part[doc] and len(evidence) < 4 * EVIDENCE:
            evidence.append({"text": last[-60:], "count": 1, "ids": [text.id]})
    whole = np.ones(len(columns), dtype=np.int64)
    unit, note = "share of documents", "the last line breaks off; a note, never a gate"
    return scale.share("cut_off", part, whole, unit, note=note, evidence=evidence)


def _unended(last: str) -> bool:
    """Whether a long line of prose ends in a letter."""
    return len(last.split()) >= PROSE and last[-1].isalpha() and "|" not in last


def _mtld(columns: Columns, scale: Scale) -> Metric:
    """The mean over documents of MTLD, forwards and backwards; a sample of 300."""
    chosen = [doc for doc in columns.drawn.tolist() if columns.sizes[doc] >= MTLD_LEAST]
    chosen = sorted(chosen[:MTLD_SAMPLE])
    values = []
    for doc in chosen:
        own = columns.words[columns.ends[doc] : columns.ends[doc + 1]].tolist()
        values.append((mtld(own) + mtld(own[::-1])) / 2)
    if not values:
        return scale.metric("mtld", Reading(None), "words", n=0, higher=True)
    mean, n = float(np.mean(values)), len(values)
    left = (mean * n - np.array(values)) / max(1, n - 1)
    reading = jackknife(mean, left)
    note = "vocabulary within a document; a template does not lower it; never a gate"
    return scale.metric("mtld", reading, "words", n=n, higher=True, interval="jackknife", note=note)


def mtld(said: Sequence[object]) -> float:
    """The mean length of runs of words whose type-token ratio stays above .72, in one direction."""
    factors, types, tokens = 0.0, set[object](), 0
    for word in said:
        types.add(word)
        tokens += 1
        if len(types) / tokens <= MTLD_FACTOR:
            factors, types, tokens = factors + 1, set(), 0
    if tokens:
        factors += (1 - len(types) / tokens) / (1 - MTLD_FACTOR)
    return len(said) / factors if factors else float(len(said))


def _lengths(columns: Columns, scale: Scale) -> Metric:
    """The median length, with the spread as evidence, and the median of every cell."""
    marks = (0, 5, 25, 50, 75, 95, 100)
    sizes = columns.sizes
    spread = [
        {"percentile": m, "words": float(np.percentile(sizes, m))} for m in marks if len(sizes)
    ]
    cells = [
        scale.cell(
            by,
            value,
            Reading(float(np.median(sizes[codes == number]))),
            int((codes == number).sum()),
        )
        for by, (values, codes) in columns.cells.items()
        for number, value in enumerate(values)
    ]
    median = float(np.median(sizes)) if len(sizes) else None
    return scale.metric("lengths", Reading(median), "words, median", cells=cells, evidence=spread)
