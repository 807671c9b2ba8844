"""The diversity of the whole: what many documents share that they should not.

No one number sees every fault, so each fault has its own metric and, where a threshold is portable,
its own gate: a copied passage, a template, a stock opening or ending, a favourite name, a hole in
the plan. There is no composite score. The default limits come from human prose with planted faults
(shared 8-grams: .001 in human text, .02 with 2 % templates, .10 with 10 %); a pilot of one's own is
the better measure, and ``limits`` takes it. Full-width scripts are counted by characters, so their
8-grams and skeletons are shorter and shared more easily.

Everything here depends on the set of the texts, not on their order.

Sources: Shaib et al., "Standardizing the measurement of text diversity" (2024, arXiv 2403.00553);
Li et al., "A diversity-promoting objective function" (2016), for distinct-2.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from corpus.errors import InputError, did_you_mean
from corpus.language import UNSPACED, Hashes, Reading, ngram_hashes, read, text_of, words
from corpus.records import Json, Metric, digest
from corpus.store import Row, read_rows

Limits = Mapping[str, tuple[float, float]]
Cells = Mapping[tuple[str, str], int]
Groups = dict[str, list[str]]
Edge = Literal["opening", "closing"]
Gate = Literal["pass", "warn", "fail"]
_GATES: tuple[Gate, Gate, Gate] = ("pass", "warn", "fail")

DEFAULTS: Limits = {
    "shared_ngram": (0.02, 0.10),
    "near_dup": (0.01, 0.05),
    "skeleton": (0.02, 0.10),
    "opening": (0.03, 0.10),
    "opening_repeated": (0.05, 0.30),
    "closing": (0.03, 0.10),
    "closing_repeated": (0.05, 0.30),
    "names": (0.05, 0.15),
    "distinct2": (0.10, 0.30),
    "coverage": (1.0, 0.0),
    "coverage_entropy": (0.9, 0.0),
}
"""Warn and fail, passed when the value is beyond; ``distinct2`` is the loss against a baseline."""

NGRAM = 8
OPENING = 4
CLOSING = 5
BUDGET = 90_000
LEAST_COUNT = 3
LEAST_KIND = 30
SKELETON_WORDS = 5
EVIDENCE = 5
LOOK = 1000

_SKELETON = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+(?:['\u2019][^\W_]+)*")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_HOLE = "_"


@dataclass(frozen=True, slots=True)
class Text:
    """A document as the suite sees it; ``section`` and ``kind`` are its cell of the plan."""

    id: str
    text: str
    section: str | None = None
    stream: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """A text with its words, sentences and names."""

    text: Text
    words: list[str]
    reading: Reading


@dataclass(frozen=True, slots=True)
class _Scale:
    """The limits in force, and the metric that a value becomes under them."""

    limits: Limits
    baseline: Mapping[str, float]

    def bounds(self, name: str) -> tuple[float | None, float | None]:
        """Where the gate of ``name`` warns and fails; None where it has no gate."""
        if name not in self.limits:
            return None, None
        warn, fail = self.limits[name]
        if name != "distinct2":
            return warn, fail
        known = self.baseline.get(name)
        return (None, None) if known is None else (known * (1 - warn), known * (1 - fail))

    def metric(
        self,
        name: str,
        value: float | None,
        n: int,
        unit: str,
        *,
        higher: bool = False,
        chance: bool = False,
        note: str = "",
        evidence: Iterable[Json] = (),
    ) -> Metric:
        """``value`` with its gate; by ``chance`` says that too few agree for the gate to speak."""
        warn, fail = self.bounds(name)
        gate: Gate | None = None
        if value is not None and warn is not None and fail is not None:
            sign = -1 if higher else 1
            far = 0 if chance else sum(sign * value > sign * limit for limit in (warn, fail))
            gate = _GATES[far]
        return Metric(name, value, gate, n, unit, warn, fail, higher, note, tuple(evidence))


def score(
    texts: Sequence[Text],
    *,
    allowed: Sequence[str] = (),
    plan_cells: Cells | None = None,
    limits: Limits = DEFAULTS,
    baseline: Mapping[str, float] | None = None,
    known_names: Collection[str] = (),
    near_duplicates: int | None = None,
) -> list[Metric]:
    """The suite over ``texts``; always the same metrics, with value None for what is not known.

    ``allowed`` are texts that may be quoted (the constitution, the seeds): their 8-grams, sentences
    and names count for nothing. ``plan_cells`` gives the documents planned per (section, kind);
    ``baseline`` the values of an earlier run by metric; ``near_duplicates`` how many documents have
    a near-copy. ``limits`` replaces single pairs of ``DEFAULTS``.

    Raises:
        InputError: a limit for a metric that has none.
    """
    for name in limits:
        if name not in DEFAULTS:
            raise InputError(f"limit '{name}': no such gate{did_you_mean(name, DEFAULTS)}")
    scale = _Scale({**DEFAULTS, **limits}, baseline or {})
    ordered = sorted(texts, key=lambda text: (text.id, text.text))
    docs = [_Read(text, words(text.text), read(text.text)) for text in ordered]
    quoted = [_Read(Text("", text), words(text), read(text)) for text in allowed]
    return [
        *_shared(docs, quoted, scale),
        _near_dup(docs, near_duplicates, scale),
        *_edges("opening", docs, scale),
        *_edges("closing", docs, scale),
        *_names(docs, quoted, known_names, scale),
        _distinct2(docs, scale),
        _skeleton(docs, quoted, scale),
        *_coverage(ordered, plan_cells, scale),
        _lengths(docs, scale),
    ]


def score_files(
    paths: Sequence[Path],
    *,
    baseline: Path | None = None,
    limits: Limits = DEFAULTS,
    allowed: Sequence[str] = (),
    known_names: Collection[str] = (),
    near_duplicates: int | None = None,
) -> list[Metric]:
    """The suite over JSON Lines with ``text`` or ``messages``; ids, sections, kinds where given.

    ``baseline`` is a file that holds the JSON of an earlier run (``as_json``).

    Raises:
        InputError: a row or a baseline that cannot be used; the message names file and row.
    """
    known = read_baseline(baseline) if baseline else None
    texts = [
        _text(row, path, number)
        for path in paths
        for number, row in enumerate(read_rows(path), start=1)
    ]
    return score(
        texts,
        allowed=allowed,
        limits=limits,
        baseline=known,
        known_names=known_names,
        near_duplicates=near_duplicates,
    )


def as_json(metrics: Iterable[Metric]) -> dict[str, Json]:
    """``{"metrics": {id: {"value", "gate", ...}}}``, the shape that scripts and baselines read."""
    rows = {metric.id: metric.row() for metric in metrics}
    for row in rows.values():
        row.pop("id")
        row["evidence"] = list(row["evidence"])
    return {"metrics": rows}


def read_baseline(path: Path) -> dict[str, float]:
    """The values by metric of a file in the shape of ``as_json``.

    Raises:
        InputError: the file cannot be read or has another shape.
    """
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))["metrics"]
        return {
            name: float(row["value"]) for name, row in metrics.items() if row["value"] is not None
        }
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not a baseline; give what `corpus score --json` printed"
        ) from error


def _text(row: Row, path: Path, number: int) -> Text:
    """The row as the suite sees it."""
    place = {
        key: row[key] for key in ("section", "stream", "kind") if isinstance(row.get(key), str)
    }
    name = str(row.get("id", f"{path.name}:{number}"))
    return Text(name, text_of(row, f"{path}, row {number}"), **place)


def _shared(docs: Sequence[_Read], quoted: Sequence[_Read], scale: _Scale) -> Iterator[Metric]:
    """The share of words inside an 8-gram that at least two documents have."""
    found = _shared_grams(docs)
    sizes = [len(doc.words) for doc in docs]
    before = np.cumsum([0, *sizes])
    free = np.concatenate([np.zeros(0, np.uint64), *(ngram_hashes(q.words, NGRAM) for q in quoted)])
    fresh = found.only(~np.isin(found.values, free))
    for name, grams in (("shared_ngram", fresh), ("shared_ngram_raw", found)):
        covered = np.zeros(before[-1], dtype=bool)
        for offset in range(NGRAM):
            covered[before[grams.docs] + grams.starts + offset] = True
        value = float(covered.mean()) if len(covered) else None
        note = "without what the allowed texts hold" if grams is fresh else "no gate"
        evidence = _most_shared(grams, docs)
        yield scale.metric(name, value, len(docs), "share of words", note=note, evidence=evidence)


@dataclass(frozen=True, slots=True)
class _Grams:
    """Places of 8-grams, ascending by hash, then document, then first word in the document."""

    values: Hashes
    docs: NDArray[np.int64]
    starts: NDArray[np.int64]

    def only(self, mask: NDArray[np.bool_]) -> _Grams:
        """The places where ``mask`` holds."""
        return _Grams(self.values[mask], self.docs[mask], self.starts[mask])

    def heads(self) -> NDArray[np.int64]:
        """The index of the first place of each 8-gram."""
        new = np.ones(len(self.values), dtype=bool)
        new[1:] = self.values[1:] != self.values[:-1]
        return np.flatnonzero(new)


def _shared_grams(docs: Sequence[_Read]) -> _Grams:
    """Every place of an 8-gram that at least two documents have, by one sort.

    Within a group of equals the documents ascend, so its first and last differ if it is shared.
    """
    hashes = [ngram_hashes(doc.words, NGRAM) for doc in docs]
    counts = np.array([len(found) for found in hashes], dtype=np.int64)
    values = np.concatenate([np.zeros(0, np.uint64), *hashes])
    numbers = np.repeat(np.arange(len(docs)), counts)
    starts = np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)
    order = np.argsort(values, kind="stable")
    grams = _Grams(values[order], numbers[order], starts[order])
    sizes = np.diff(np.append(heads := grams.heads(), len(values)))
    differs = grams.docs[heads] != grams.docs[heads + sizes - 1]
    return grams.only(np.repeat(differs, sizes))


def _most_shared(grams: _Grams, docs: Sequence[_Read]) -> list[Json]:
    """The 8-grams in most documents, without those that overlap one already listed."""
    heads = grams.heads()
    pairs = np.ones(len(grams.values), dtype=np.int64)
    pairs[1:] = (grams.values[1:] != grams.values[:-1]) | (grams.docs[1:] != grams.docs[:-1])
    counts = np.add.reduceat(pairs, heads) if len(heads) else pairs
    listed: list[Json] = []
    taken: set[tuple[int, int]] = set()
    for group in np.argsort(-counts, kind="stable")[:LOOK].tolist():
        head, count = int(heads[group]), int(counts[group])
        doc, start = int(grams.docs[head]), int(grams.starts[head])
        span = {(doc, place) for place in range(start, start + NGRAM)}
        if len(listed) < EVIDENCE and not span & taken:
            taken |= span
            firsts = np.flatnonzero(pairs[head:])[:3] + head
            ids = [docs[number].text.id for number in grams.docs[firsts[:count]].tolist()]
            listed.append(
                {
                    "text": " ".join(docs[doc].words[start : start + NGRAM]),
                    "count": count,
                    "ids": ids,
                }
            )
    return listed


def _near_dup(docs: Sequence[_Read], near: int | None, scale: _Scale) -> Metric:
    """The share of documents that have a near-copy, as the caller measured it."""
    value = near / len(docs) if near is not None and docs else None
    note = "" if near is not None else "not measured here; see `corpus dedup`"
    return scale.metric("near_dup", value, len(docs), "share of documents", note=note)


def _edges(name: Edge, docs: Sequence[_Read], scale: _Scale) -> Iterator[Metric]:
    """How often the most common first or last words come, and how many documents share theirs.

    Both are taken over all documents and within each kind of at least 30, and the worst stands:
    a stock opening of one kind drowns in the whole.
    """
    scopes: dict[str, list[_Read]] = defaultdict(list)
    for doc in docs:
        scopes["all documents"].append(doc)
        if doc.text.kind:
            scopes[f"kind {doc.text.stream or ''}/{doc.text.kind}"].append(doc)
    top, repeated = _Worst(), _Worst()
    for scope, members in scopes.items():
        groups = _by_edge(name, members)
        if not groups or (scope != "all documents" and len(members) < LEAST_KIND):
            continue
        common = {phrase: ids for phrase, ids in groups.items() if len(ids) > 1}
        n = sum(map(len, groups.values()))
        top.see(scope, max(map(len, groups.values())), n, groups)
        repeated.see(scope, sum(map(len, common.values())), n, common)
    yield top.metric(name, scale)
    yield repeated.metric(f"{name}_repeated", scale)


def _by_edge(name: Edge, docs: Iterable[_Read]) -> dict[str, list[str]]:
    """The ids of the documents by their first 4 or last 5 words; shorter documents have none.

    Two characters of a script without spaces count as one word.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for doc in docs:
        whole = doc.words if name == "opening" else doc.words[::-1]
        size = OPENING if name == "opening" else CLOSING
        size *= 2 if whole and _UNSPACED.match(whole[0]) else 1
        if len(whole) >= size:
            phrase = whole[:size] if name == "opening" else whole[:size][::-1]
            groups[" ".join(phrase)].append(doc.text.id)
    return groups


@dataclass(slots=True)
class _Worst:
    """The largest share seen, and where."""

    scope: str = ""
    count: int = 0
    n: int = 0
    groups: Groups = field(default_factory=dict)

    def see(self, scope: str, count: int, n: int, groups: Groups) -> None:
        """Keep the larger share; the first of equals."""
        if not self.n or count * self.n > self.count * n:
            self.scope, self.count, self.n, self.groups = scope, count, n, groups

    def metric(self, name: str, scale: _Scale) -> Metric:
        """The share as a metric; fewer than 3 documents are chance."""
        return scale.metric(
            name,
            self.count / self.n if self.n else None,
            self.n,
            "share of documents",
            chance=self.count < LEAST_COUNT,
            note=self.scope,
            evidence=_top(self.groups),
        )


def _names(
    docs: Sequence[_Read], quoted: Sequence[_Read], known: Collection[str], scale: _Scale
) -> Iterator[Metric]:
    """How many documents use the favourite name, and the favourite pair of names.

    A name counts by its words, so that a first name is met with any surname; a pair is one of
    first words ("Elena Vasquez" and "Marcus Chen" are Elena and Marcus).
    """
    used = {word.casefold() for name in known for word in name.split()}
    used |= {word.casefold() for q in quoted for name in q.reading.names for word in name.split()}
    single: Groups = defaultdict(list)
    heads: list[tuple[str, set[str]]] = []
    for doc in docs:
        runs = [[w for w in name.split() if w.casefold() not in used] for name in doc.reading.names]
        later = {word for run in runs for word in run[1:]}
        heads.append((doc.text.id, {run[0] for run in runs if run} - later))
        for word in sorted({word for run in runs for word in run}):
            single[word].append(doc.text.id)
    double: Groups = defaultdict(list)
    for name, firsts in heads:
        common = sorted(word for word in firsts if len(single[word]) >= LEAST_COUNT)
        for pair in itertools.combinations(common, 2):
            double[" + ".join(pair)].append(name)
    for metric, groups in (("names", single), ("name_pairs", double)):
        worst = _Worst()
        if docs:
            worst.see("", max(map(len, groups.values()), default=0), len(docs), groups)
        yield worst.metric(metric, scale)


def _distinct2(docs: Sequence[_Read], scale: _Scale) -> Metric:
    """Distinct word pairs over all word pairs, in a sample of 90,000 words drawn by id.

    The figure falls as a text grows, so only equal budgets compare; and genres differ, so the
    gate speaks only against a baseline.
    """
    left, pairs = BUDGET, [np.zeros(0, np.uint64)]
    for doc in sorted(docs, key=lambda doc: (digest(doc.text.id), doc.text.text)):
        pairs.append(ngram_hashes(doc.words[:left], 2))
        left -= min(left, len(doc.words))
    values = np.sort(np.concatenate(pairs))
    value = (1 + np.count_nonzero(np.diff(values))) / len(values) if len(values) else None
    note = f"first {BUDGET:,} words in the order of hashed ids"
    if left:
        note = f"only {BUDGET - left:,} of {BUDGET:,} words: no gate, not comparable"
        scale = _Scale(scale.limits, {})
    return scale.metric("distinct2", value, len(docs), "ratio", higher=True, note=note)


def _skeleton(docs: Sequence[_Read], quoted: Sequence[_Read], scale: _Scale) -> Metric:
    """The share of sentences whose form without capitals and numbers is in 3 or more documents.

    Only sentences with at least 5 words of their own count.
    """
    free = {form for q in quoted for form in _forms(q)}
    uses: Groups = defaultdict(list)
    for doc in docs:
        for form in _forms(doc):
            uses[form].append(doc.text.id)
    shared = {
        form: sorted(set(ids))
        for form, ids in uses.items()
        if len(ids) >= LEAST_COUNT and form not in free
    }
    shared = {form: ids for form, ids in shared.items() if len(ids) >= LEAST_COUNT}
    total = sum(map(len, uses.values()))
    value = sum(len(uses[form]) for form in shared) / total if total else None
    return scale.metric("skeleton", value, len(docs), "share of sentences", evidence=_top(shared))


def _forms(doc: _Read) -> Iterator[str]:
    """The skeletons of the sentences: capitalised words and numbers become one hole a run."""
    for sentence in doc.reading.sentences:
        form = [
            _HOLE if word[0].isupper() or word[0].isdigit() else word.casefold()
            for word in _SKELETON.findall(sentence)
        ]
        if len(form) - form.count(_HOLE) >= SKELETON_WORDS:
            runs = itertools.groupby(form, key=lambda word: word == _HOLE)
            yield " ".join(_HOLE if hole else " ".join(run) for hole, run in runs)


def _coverage(texts: Sequence[Text], planned: Cells | None, scale: _Scale) -> Iterator[Metric]:
    """The share of planned cells with a document, and how evenly the plan was filled.

    Evenness is the entropy of the documents over the planned cells, divided by that of the plan.
    """
    plan = {cell: count for cell, count in sorted((planned or {}).items()) if count > 0}
    made = Counter((text.section or "", text.kind or "") for text in texts)
    empty = [cell for cell in plan if not made[cell]]
    share = 1 - len(empty) / len(plan) if plan else None
    even = _entropy([made[cell] for cell in plan]), _entropy(list(plan.values()))
    note = "" if plan else "no plan given"
    unit = "share of planned cells"
    holes = [
        {"section": section, "kind": kind, "planned": plan[section, kind]}
        for section, kind in empty
    ]
    yield scale.metric("coverage", share, len(plan), unit, higher=True, note=note, evidence=holes)
    value = min(1.0, even[0] / even[1]) if even[1] else None
    yield scale.metric("coverage_entropy", value, len(plan), "ratio", higher=True, note=note)


def _entropy(counts: Sequence[int]) -> float:
    """Shannon's entropy of the shares, in nats."""
    total = sum(counts)
    return -sum(count / total * math.log(count / total) for count in counts if count)


def _lengths(docs: Sequence[_Read], scale: _Scale) -> Metric:
    """The lengths of the documents: a note on style, no gate."""
    sizes = [len(doc.words) for doc in docs]
    marks = (0, 5, 25, 50, 75, 95, 100)
    spread = [
        {"percentile": mark, "words": float(np.percentile(sizes, mark))} for mark in marks if sizes
    ]
    median = float(np.median(sizes)) if sizes else None
    return scale.metric("lengths", median, len(docs), "words, median", evidence=spread)


def _top(groups: Groups) -> list[Json]:
    """What most documents share, with how many and which."""
    ranked = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [
        {"text": text, "count": len(ids), "ids": ids[:3]}
        for text, ids in ranked[:EVIDENCE]
        if len(ids) > 1
    ]
