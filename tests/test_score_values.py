"""The figures of the suite against the published definitions, written out plainly."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.language import words
from corpus.score import Novelty, Text, score
from corpus.score.columns import Columns
from corpus.score.grams import distinct2, shared_grams
from corpus.score.intervals import wilson
from corpus.score.parity import ngram_diversity, self_repetition
from corpus.score.scale import Scale
from corpus.score.style import mtld
from corpus.score.topics import effective, project, vendi

TEXTS = st.lists(
    st.lists(st.sampled_from("ab cd ef gh".split()), min_size=1, max_size=30).map(" ".join),
    min_size=1,
    max_size=8,
)


def runs(said: list[str], width: int) -> list[tuple[str, ...]]:
    return [tuple(said[at : at + width]) for at in range(len(said) - width + 1)]


def columns(texts: list[str]) -> Columns:
    return Columns.of([Text(f"d{number:03}", text) for number, text in enumerate(texts)])


@settings(deadline=None)
@given(texts=TEXTS)
def test_self_repetition_is_that_of_salkar(texts: list[str]) -> None:
    own = [set(runs(text.split(), 4)) for text in texts]
    uses = Counter(run for document in own for run in document)
    expected = [math.log(1 + sum(uses[run] - 1 for run in document)) for document in own]
    assert self_repetition(texts) == pytest.approx(sum(expected) / len(texts))


@settings(deadline=None)
@given(texts=TEXTS)
def test_ngram_diversity_is_the_sum_of_distinct_shares(texts: list[str]) -> None:
    said = " ".join(texts).split(" ")
    counted = [runs(said, width) for width in range(1, 5)]
    expected = sum(len(set(found)) / len(found) for found in counted if found)
    assert ngram_diversity(texts) == pytest.approx(expected)


@pytest.mark.parametrize("order", [1.0, 2.0])
def test_vendi_is_the_entropy_of_the_eigenvalues_of_the_kernel(order: float) -> None:
    rows = np.random.default_rng(3).normal(size=(12, 5))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(unit @ unit.T / 12).clip(1e-300)
    if order == 1:
        expected = math.exp(-sum(value * math.log(value) for value in values))
    else:
        expected = 1 / sum(value**2 for value in values)
    assert vendi(rows, order) == pytest.approx(expected, abs=1e-6)


def test_effective_topics_are_one_over_the_mean_squared_cosine_of_all_pairs() -> None:
    rows = np.random.default_rng(1).normal(size=(9, 4))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    squares = [(unit[i] @ unit[j]) ** 2 for i in range(9) for j in range(9) if i != j]
    assert effective(unit, unit).value == pytest.approx(1 / np.mean(squares))
    left = [
        np.mean([(unit[i] @ unit[j]) ** 2 for i in some for j in some if i != j])
        for out in range(9)
        for some in [[n for n in range(9) if n != out]]
    ]
    half = 1.959964 * math.sqrt(8 / 9 * sum((value - np.mean(left)) ** 2 for value in left))
    assert effective(unit, unit).low == pytest.approx(1 / (np.mean(squares) + half))


def test_two_projections_give_the_squared_cosine_of_the_texts_themselves() -> None:
    rng = np.random.default_rng(0)
    windows = [[f"w{n}" for n in rng.choice(400, 60)] for _ in range(300)]
    first, second = project(windows)
    kinds = np.array([[window.count(f"w{n}") for n in range(400)] for window in windows])
    others = ((kinds > 0).sum(axis=0) - 1) / 299
    weights = np.where(kinds > 0, 1 + np.log(kinds.clip(1)), 0) * -np.log(others + 1 / 200)
    unit = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    assert effective(first, second).value == pytest.approx(effective(unit, unit).value, rel=0.2)


@settings(deadline=None)
@given(texts=TEXTS)
def test_shared_passages_are_those_of_two_documents(texts: list[str]) -> None:
    own = [words(text) for text in texts]
    holders = Counter(run for said in own for run in set(runs(said, 8)))
    expected = {
        (doc, start)
        for doc, said in enumerate(own)
        for start, run in enumerate(runs(said, 8))
        if holders[run] > 1
    }
    found, new = shared_grams(columns(texts))
    assert set(zip(found.docs.tolist(), found.starts.tolist(), strict=True)) == expected
    assert new.sum() == len(holders)


def test_the_jackknife_of_distinct_pairs_is_that_of_leaving_each_document_out() -> None:
    texts = ["a b c a b d", "a b x y", "c a b", "x y z x y"]
    found = distinct2(columns(texts), Scale(columns(texts)))

    def ratio(chosen: list[str]) -> float:
        pairs = [pair for text in chosen for pair in runs(text.split(), 2)]
        return len(set(pairs)) / len(pairs)

    left = [ratio([text for text in texts if text != out]) for out in texts]
    half = 1.959964 * math.sqrt(3 / 4 * sum((value - np.mean(left)) ** 2 for value in left))
    assert found.value == pytest.approx(ratio(texts))
    assert found.high == pytest.approx(ratio(texts) + half)


def test_wilson_is_the_interval_of_the_textbook() -> None:
    found = wilson(10, 100)
    assert (found.value, round(found.low or 0, 4), round(found.high or 0, 4)) == (
        0.1,
        0.0552,
        0.1744,
    )
    assert wilson(0, 20).low == 0


def test_mtld_counts_the_words_until_the_types_run_out() -> None:
    assert mtld("a b c d".split()) == 4
    assert mtld("a a a a".split()) == 2
    assert mtld("a b a b".split()) == pytest.approx(4 / (1 + (1 - 1) / 0.28))


def share_of_new(known: Novelty, texts: list[str]) -> float:
    counts = [known.add(text) for text in texts]
    return sum(new for new, _ in counts) / sum(every for _, every in counts)


def test_novelty_is_the_share_of_new_8_grams_and_stays_so_when_the_sample_is_thinned() -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{n}" for n in rng.integers(0, 5000, 400)) for _ in range(40)]
    exact, thinned = Novelty(), Novelty(most=500)
    assert share_of_new(exact, texts) == share_of_new(thinned, texts) == 1
    assert exact.estimate == 40 * 393
    assert thinned.estimate == pytest.approx(40 * 393, rel=0.2)
    assert share_of_new(exact, texts[:5]) == share_of_new(thinned, texts[:5]) == 0


def test_the_growth_curve_bends_where_documents_repeat() -> None:
    rng = np.random.default_rng(0)
    fresh = [" ".join(f"w{n}" for n in rng.integers(0, 900, 60)) for _ in range(50)]
    found = [
        {m.id: m for m in score([Text(f"{n}", text) for n, text in enumerate(texts)])}["novelty"]
        for texts in (fresh, fresh[:10] * 5)
    ]
    assert found[0].value == 1
    assert (found[1].value or 0) < 0.2
    assert found[1].curve[-1]["ngrams"] == 10 * 53
    assert [point["documents"] for point in found[0].curve] == list(range(5, 51, 5))


def test_a_word_that_two_texts_share_weighs_by_the_texts_that_are_neither() -> None:
    said = ["ferry harbour", "ferry lantern", "meadow orchard", "pebble quarry"]
    first, second = project([text.split() for text in said])
    shared, others = math.log(200), -math.log(1 / 3 + 1 / 200)  # of 2 texts none; of 3 one
    cosine = shared**2 / (others**2 + shared**2)
    assert first[0] @ first[1] == pytest.approx(cosine, rel=1e-5)
    assert second[0] @ second[1] == pytest.approx(cosine, rel=1e-5)


def test_texts_of_one_vocabulary_warn_whatever_the_baseline() -> None:
    rng = np.random.default_rng(0)
    texts = [Text(f"{n}", " ".join(f"x{w}" for w in rng.integers(0, 60, 90))) for n in range(110)]
    found = {metric.id: metric for metric in score(texts)}["eff_topics"]
    assert found.gate in {"warn", "fail"}
    assert (found.warn, found.fail) == (30, 5)
    few = {metric.id: metric for metric in score(texts[:50])}["eff_topics"]
    assert few.gate == "pass"
