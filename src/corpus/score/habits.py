"""Habits of a writer: stock openings and endings, favourite names, sentences from a mould."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal

from corpus.language import UNSPACED
from corpus.records import Metric
from corpus.score.scale import LEAST_COUNT, Doc, Groups, Scale, Worst, top

Edge = Literal["opening", "closing"]

OPENING = 4
CLOSING = 5
LEAST_KIND = 30
SKELETON_WORDS = 5

_SKELETON = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+(?:['\u2019][^\W_]+)*")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_HOLE = "_"


def edges(name: Edge, docs: Sequence[Doc], scale: Scale) -> Iterator[Metric]:
    """How often the most common first or last words come, and how many documents share theirs.

    Both are taken over all documents and within each kind of at least 30, and the worst stands:
    a stock opening of one kind drowns in the whole.
    """
    scopes: dict[str, list[Doc]] = defaultdict(list)
    for doc in docs:
        scopes["all documents"].append(doc)
        if doc.text.kind:
            scopes[f"kind {doc.text.stream or ''}/{doc.text.kind}"].append(doc)
    common, repeated = Worst(), Worst()
    for scope, members in scopes.items():
        groups = _by_edge(name, members)
        if not groups or (scope != "all documents" and len(members) < LEAST_KIND):
            continue
        doubles = {phrase: ids for phrase, ids in groups.items() if len(ids) > 1}
        n = sum(map(len, groups.values()))
        common.see(scope, max(map(len, groups.values())), n, groups)
        repeated.see(scope, sum(map(len, doubles.values())), n, doubles)
    yield common.metric(name, scale)
    yield repeated.metric(f"{name}_repeated", scale)


def names(
    docs: Sequence[Doc], quoted: Sequence[Doc], known: Collection[str], scale: Scale
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
        often = sorted(word for word in firsts if len(single[word]) >= LEAST_COUNT)
        for pair in itertools.combinations(often, 2):
            double[" + ".join(pair)].append(name)
    for metric, groups in (("names", single), ("name_pairs", double)):
        worst = Worst()
        if docs:
            worst.see("", max(map(len, groups.values()), default=0), len(docs), groups)
        yield worst.metric(metric, scale)


def skeleton(docs: Sequence[Doc], quoted: Sequence[Doc], scale: Scale) -> Metric:
    """The share of sentences whose form without capitals and numbers is in 3 or more documents.

    Only sentences with at least 5 words of their own count.
    """
    free = {form for q in quoted for form in forms(q)}
    uses: Groups = defaultdict(list)
    for doc in docs:
        for form in forms(doc):
            uses[form].append(doc.text.id)
    shared = {
        form: sorted(once)
        for form, ids in uses.items()
        if form not in free and len(once := set(ids)) >= LEAST_COUNT
    }
    total = sum(map(len, uses.values()))
    value = sum(len(uses[form]) for form in shared) / total if total else None
    return scale.metric("skeleton", value, len(docs), "share of sentences", evidence=top(shared))


def _by_edge(name: Edge, docs: Iterable[Doc]) -> dict[str, list[str]]:
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


def forms(doc: Doc) -> Iterator[str]:
    """The skeletons of the sentences: capitalised words and numbers become one hole a run."""
    for sentence in doc.reading.sentences:
        form = [
            _HOLE if word[0].isupper() or word[0].isdigit() else word.casefold()
            for word in _SKELETON.findall(sentence)
        ]
        if len(form) - form.count(_HOLE) >= SKELETON_WORDS:
            runs = itertools.groupby(form, key=lambda word: word == _HOLE)
            yield " ".join(_HOLE if hole else " ".join(run) for hole, run in runs)
