"""The benchmark of near-duplicates: what is planted, and the truth that tools are held to."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path
from statistics import median

import pytest
from benchmarks.dedup import planted, truth
from benchmarks.dedup.judge import chains, due, neighbours
from benchmarks.dedup.prose import pieces
from benchmarks.dedup.spoken import shingles
from hypothesis import given
from hypothesis import strategies as st

from corpus.dedup import Item, find

ROOT = Path(__file__).resolve().parents[1]
POOL = [
    piece
    for path in sorted(ROOT.glob("constitution/**/*.md"))
    for piece in pieces(path.read_text(encoding="utf-8"))
]


@pytest.fixture(scope="module")
def corpus() -> list[planted.Planted]:
    return list(planted.plant(POOL, 500, 1))


def by_sets(texts: list[str], threshold: float) -> dict[tuple[int, int], float]:
    sets = [shingles(text) for text in texts]
    measured = {
        (a, b): len(sets[a] & sets[b]) / len(sets[a] | sets[b])
        for a, b in combinations(range(len(sets)), 2)
    }
    return {pair: likeness for pair, likeness in measured.items() if likeness >= threshold}


def test_copies_of_every_kind_are_as_near_as_their_kind_says(
    corpus: list[planted.Planted],
) -> None:
    text = {row.id: row.text for row in corpus}
    copies = [row for row in corpus if row.kind]
    assert set(Counter(row.kind for row in copies)) == set(planted.KINDS)
    assert 0.12 < len(copies) / len(corpus) < 0.25
    nearest = dict.fromkeys(planted.KINDS, (0.3, 0.999)) | {
        "exact": (1.0, 1.0),
        "case and marks": (1.0, 1.0),
        "1 % substituted": (0.85, 0.96),
        "5 % substituted": (0.5, 0.75),
        "15 % appended": (0.82, 0.93),
        "20 % cut off": (0.74, 0.86),
    }
    for kind, (least, most) in nearest.items():
        near = [truth.jaccard(row.text, text[row.source]) for row in copies if row.kind == kind]
        assert least <= median(near) <= most, kind  # one may append what stands there already


def test_a_smaller_corpus_is_the_beginning_of_a_larger_one(corpus: list[planted.Planted]) -> None:
    assert list(planted.plant(POOL, 200, 1)) == corpus[:200]
    assert list(planted.plant(POOL, 200, 2)) != corpus[:200]


@pytest.mark.parametrize("threshold", [0.5, 0.7])
def test_the_join_finds_what_comparing_all_pairs_finds(
    corpus: list[planted.Planted], threshold: float
) -> None:
    texts = [row.text for row in corpus[:200]]
    assert truth.pairs(texts, threshold).pairs() == by_sets(texts, threshold)


@given(
    st.lists(st.lists(st.sampled_from(["a", "B", "č", "界", "-"]), max_size=12), max_size=12),
    st.sampled_from([0.1, 0.3, 0.5, 2 / 3, 0.7, 0.75, 1.0]),
)
def test_the_join_is_exact_for_any_texts(drawn: list[list[str]], threshold: float) -> None:
    texts = [" ".join(said) for said in drawn]
    assert truth.pairs(texts, threshold).pairs() == by_sets(texts, threshold)


@given(st.text(), st.text())
def test_the_program_measures_what_plain_sets_measure(one: str, more: str) -> None:
    texts = {"a": one, "b": f"{one} {more}"}
    for found in find([Item(name, text) for name, text in texts.items()], threshold=0.3):
        assert found.similarity == truth.jaccard(*texts.values())


def test_a_truth_that_lost_a_pair_or_holds_a_false_one_is_noticed(
    corpus: list[planted.Planted],
) -> None:
    texts = [row.text for row in corpus]
    place = {row.id: at for at, row in enumerate(corpus)}
    copies = [{"id": row.id, "source": row.source} for row in corpus if row.kind]
    right = truth.pairs(texts, 0.7)
    assert truth.check(right, texts, copies, place, 0.7) == 0
    lost = truth.Truth(*(column[::2] for column in right))
    assert truth.check(lost, texts, copies, place, 0.7) > 0
    bent = right._replace(similarity=right.similarity - 0.001)
    assert truth.check(bent, texts, copies, place, 0.7) > 0


def test_the_end_of_a_chain_is_due_only_where_chains_are_merged() -> None:
    texts = [" ".join(map(str, range(at, at + 40))) for at in (0, 4, 8)]
    near = neighbours(truth.pairs(texts, 0.7))
    assert near == {0: {1}, 1: {0, 2}, 2: {1}}
    assert due(near, [0, 1, 2]) == {1}
    assert due(near, [1, 0, 2]) == {0, 2}
    assert chains(near) == [{0, 1, 2}]
