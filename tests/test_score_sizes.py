"""Corpora of different sizes beside each other: rarefied values, against all samples in turn."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.records import Metric
from corpus.score import Baseline, Known, Text, score
from corpus.score.columns import Columns
from corpus.score.grams import NGRAM, shared_grams, sharers
from corpus.score.rarefy import at, favourites, marks, matched, shares

PARTS = "ba de fo gi ku la me no pa re si tu".split()
RARE = [a + b + c for a in PARTS for b in PARTS for c in PARTS]
PASSAGES = [" ".join(RARE[at : at + 10]) for at in range(0, 60, 10)]
HOLDERS = st.lists(st.sets(st.integers(0, 4)), min_size=3, max_size=7)


def text(number: int, passages: set[int] | frozenset[int] = frozenset()) -> Text:
    """Twelve words of its own between each of some passages."""
    said = [RARE[100 + 50 * number + place] for place in range(48)]
    parts = [" ".join(said[place : place + 12]) for place in range(0, 48, 12)]
    parts += [f"{PASSAGES[one]} {RARE[900 + number]}" for one in sorted(passages)]
    return Text(f"d{number:03}", " ".join(parts))


def by_id(metrics: list[Metric]) -> dict[str, Metric]:
    return {metric.id: metric for metric in metrics}


def mean_of_samples(others: list[set[int]], m: int, least: int = 1) -> float:
    """The expected share of documents that meet ``least`` of their others, over all samples."""
    found = [
        sum(len(others[doc] & set(chosen)) >= least for doc in chosen)
        for chosen in combinations(range(len(others)), m)
    ]
    return float(np.mean(found)) / m


@pytest.mark.parametrize("least", [1, 2])
@given(groups=st.lists(st.integers(0, 3), min_size=11, max_size=13))
@settings(max_examples=15)
def test_a_share_at_ten_documents_is_the_mean_over_all_samples(
    least: int, groups: list[int]
) -> None:
    n = len(groups)
    others = [{o for o in range(n) if groups[o] == groups[d] and o != d} for d in range(n)]
    curve = shares(np.array([len(own) for own in others]), n, n, least)
    assert [row["documents"] for row in curve] == [10, n]
    assert curve[0]["value"] == pytest.approx(mean_of_samples(others, 10, least))
    assert curve[-1]["value"] == pytest.approx(mean_of_samples(others, n, least))


@given(holders=HOLDERS)
@settings(max_examples=40)
def test_words_know_how_many_other_documents_have_a_phrase_around_them(
    holders: list[set[int]],
) -> None:
    columns = Columns.of([text(number, own) for number, own in enumerate(holders)])
    said = [columns.said(doc).split() for doc in range(len(columns))]
    runs = [{tuple(own[at : at + NGRAM]) for at in range(len(own))} for own in said]
    expected = []
    for doc, own in enumerate(said):
        for place in range(len(own)):
            starts = range(max(0, place - NGRAM + 1), min(place, len(own) - NGRAM) + 1)
            mine = {tuple(own[at : at + NGRAM]) for at in starts}
            expected.append(sum(bool(mine & runs[o]) for o in range(len(said)) if o != doc))
    assert sharers(shared_grams(columns)[0], columns).tolist() == expected


def test_the_favourite_of_a_sample_is_what_drawing_samples_gives() -> None:
    values = np.array([0] * 30 + [1] * 20 + list(range(2, 52)))
    usual = np.zeros(52)
    curve = favourites(np.arange(100), values, np.arange(100), usual, 0.3)
    rng = np.random.default_rng(5)
    drawn = [np.bincount(values[rng.permutation(100)[:20]]).max() / 20 for _ in range(2_000)]
    assert at(curve, 20) == pytest.approx(np.mean(drawn), rel=0.08)
    assert curve[-1] == {"documents": 100, "value": 0.3}


def test_what_one_document_has_is_in_few_samples_and_the_usual_is_taken_off() -> None:
    one, every = np.array([3]), np.arange(500)
    curve = favourites(one, np.array([0]), every, np.zeros(1), 1 / 500)
    assert at(curve, 50) == pytest.approx(1 / 500, rel=0.7)  # in a tenth of the samples 1 of 50
    assert at(favourites(every, every, every, np.zeros(500), 1 / 500), 50) == pytest.approx(0.02)
    assert at(favourites(every, every, every, np.full(500, 0.4), 0.0), 50) == 0
    few = at(favourites(every, every, every, np.full(500, 0.01), 0.0), 10)
    assert few == pytest.approx(1 / 10 - 0.01)


def test_every_curve_ends_in_the_value_and_the_figure_of_two_hundred_lies_on_it() -> None:
    twice = [text(20), Text("once more", text(20).text)]  # a form in two documents is no mould
    texts = [*(text(n % 12, {n % 5}) for n in range(240)), *twice]
    found = score(texts, near_duplicates={(texts[0].id, texts[0].text): 3})
    with_curve = [m for m in found if m.rarefied is not None]
    assert {"shared_ngram", "near_dup", "skeleton", "opening", "closing_repeated", "zstd_long"} <= {
        metric.id for metric in with_curve
    }
    for metric in with_curve:
        assert metric.curve[-1]["value"] == pytest.approx(metric.value)
        assert metric.rarefied == at(metric.curve, 200)


def test_a_small_and_a_large_corpus_meet_at_the_size_of_the_small_one() -> None:
    large = by_id(score([text(n, {n % 5} if n % 4 == 0 else set()) for n in range(16)]))
    known = {"shared_ngram": Known(0.5, 12, [{"documents": 10, "value": 0.4},
                                             {"documents": 12, "value": 0.5}])}  # fmt: skip
    found = by_id(score([text(n) for n in range(16)], baseline=Baseline(known)))["shared_ngram"]
    assert (found.baseline, found.baseline_n) == (0.5, 12)
    assert found.matched == {"documents": 12, "value": 0.0, "baseline": 0.5}
    assert large["shared_ngram"].matched is None


def against(value: float, n: int, *curve: tuple[int, float]) -> Metric:
    """The compression of 120 documents, 20 of them different, held to a baseline's."""
    rows = [{"documents": documents, "value": each} for documents, each in curve]
    base = Baseline({"zstd_long": Known(value, n, rows)})
    return by_id(score([text(n % 20) for n in range(120)], baseline=base))["zstd_long"]


def test_a_gate_against_a_larger_baseline_holds_both_to_one_size() -> None:
    value = against(1, 120).value or 0.0
    found = against(9 * value, 400, (50, value), (200, value), (400, 9))
    assert found.gate == "pass"
    assert found.warn == pytest.approx(1.1 * value)
    assert "the gate is that of 120 documents" in found.note


def test_a_gate_against_a_smaller_baseline_holds_both_to_one_size() -> None:
    whole = against(1, 120)
    there = at(whole.curve, 10) or 0.0
    found = against(there, 10, (5, 1.0), (10, there))
    assert (whole.value or 0.0) > 1.4 * there
    assert (found.gate, found.value) == ("pass", whole.value)
    assert against(there / 1.2, 10, (5, 1.0), (10, there / 1.2)).gate == "warn"


def test_a_gate_against_a_baseline_of_one_size_is_of_all_documents() -> None:
    assert "the gate is that of" not in against(2.0, 120, (50, 1.5), (120, 2.0)).note


def test_a_baseline_without_a_curve_is_called_one_that_may_be_of_another_size() -> None:
    said = "the baseline has no curve"
    assert said in against(2.0, 400).note
    assert said not in against(2.0, 120).note
    known = Baseline({"eff_topics": Known(9.0, 400)})  # which does not grow with the documents
    found = by_id(score([text(n % 12) for n in range(30)], baseline=known))["eff_topics"]
    assert found.value is not None
    assert said not in found.note


def test_curves_that_do_not_meet_are_not_compared() -> None:
    assert matched([], [{"documents": 5, "value": 1.0}]) is None
    assert matched([{"documents": 5, "value": 1.0}], [{"documents": 20, "value": 1.0}]) is None
    assert at([{"documents": 10, "vendi2": 3.0}], 10) is None
    assert marks(10) == []
    assert marks(1000) == [10, 20, 50, 100, 200, 500]
