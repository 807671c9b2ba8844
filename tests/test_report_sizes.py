"""Builds of different sizes side by side, and what else the folder holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buildfolders import Row, kept, manifest, metric, near
from corpus import report
from corpus.errors import InputError
from corpus.report import gates
from corpus.report.compare import load
from corpus.report.measures import ORDER, told, verdict_of
from corpus.score import Text, score


def share(value: float, curve: list[tuple[int, float]], **more: object) -> Row:
    points = [{"documents": n, "value": v} for n, v in curve]
    return metric("opening_repeated", value=value, curve=points, n=curve[-1][0], fail=0.3, **more)


def compared(folder: Path, small: Row, large: Row) -> Row:
    """The one measure of a build of 40 documents beside an earlier one of 10."""
    old = report.collect(kept(folder / "old", 10, scores=[small]), manifest())
    now = report.collect(
        kept(folder / "now", 40, scores=[large]), manifest(), other=old, other_name="old"
    )
    found: Row = {**now["compare"]["metrics"][0], "facts": now}
    return found


SMALL = share(0.01, [(10, 0.01)], gate="pass", low=0.005, high=0.015)


def test_builds_of_two_sizes_are_compared_at_the_smaller_one(tmp_path: Path) -> None:
    large = share(0.06, [(10, 0.02), (40, 0.06)], gate="warn", low=0.05, high=0.07)
    found = compared(tmp_path, SMALL, large)
    assert found["even"] == {"documents": 10, "values": [0.01, 0.02]}
    assert found["values"] == [0.01, 0.06]
    assert found["better"] == -1
    assert gates.broken(found["facts"], worse=True) == ["opening_repeated went from pass to warn"]


def test_a_verdict_that_changed_by_size_alone_is_not_worse(tmp_path: Path) -> None:
    large = share(0.06, [(10, 0.01), (40, 0.06)], gate="warn", low=0.05, high=0.07)
    found = compared(tmp_path, SMALL, large)
    assert found["better"] == 0
    assert gates.broken(found["facts"], worse=True) == []


def test_a_verdict_is_worse_only_where_the_intervals_at_one_size_are_clear(tmp_path: Path) -> None:
    large = share(0.06, [(10, 0.014), (40, 0.06)], gate="warn", low=0.05, high=0.07)
    found = compared(tmp_path, SMALL, large)
    assert found["even"]["values"] == [0.01, 0.014]
    assert found["better"] == 0


@pytest.mark.parametrize(("there", "better"), [(0.2, 0), (0.29, -1)])
def test_a_share_of_nothing_in_few_documents_is_no_proof_that_there_is_none(
    tmp_path: Path, there: float, better: int
) -> None:
    small = share(0.0, [(10, 0.0)], gate="pass", low=0.0, high=0.0, unit="share of words")
    large = share(there, [(10, there), (40, there)], gate="warn", low=there, high=there + 0.01)
    assert compared(tmp_path, small, large)["better"] == better


def test_a_figure_that_showed_no_spread_is_clear_of_none(tmp_path: Path) -> None:
    plain = {"low": 2.5, "high": 2.5, "unit": "ratio"}
    small = share(2.5, [(10, 2.5)], gate="pass", warn=2.9, **plain)
    large = share(3.0, [(10, 2.6), (40, 3.0)], gate="warn", warn=2.9, **plain)
    assert compared(tmp_path, small, {**large, "fail": 4.0})["better"] == 0


@pytest.mark.parametrize(("judged", "better"), [("pass", -1), (None, 0)])
def test_a_verdict_of_a_part_is_worse_where_the_other_build_judged_it_too(
    tmp_path: Path, judged: str | None, better: int
) -> None:
    essay = {"by": "kind", "cell": "essay", "value": 0.3, "n": 30}
    there, here = ([{**essay, "gate": gate}] for gate in (judged, "fail"))
    curve = [(10, 0.01), (40, 0.04)]
    large = share(0.04, curve, gate="fail", low=0.03, high=0.05, cells=here)
    assert compared(tmp_path, {**SMALL, "cells": there}, large)["better"] == better


def test_a_former_report_with_a_curve_of_no_documents_is_refused(tmp_path: Path) -> None:
    facts = report.collect(kept(tmp_path / "old", 10, scores=[SMALL]), manifest())
    facts["metrics"][0]["curve"] = [{"documents": 0, "value": 0.01}]
    (tmp_path / "report.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"report\.json: no report"):
        load(tmp_path / "report.json")


def test_the_page_shows_both_values_at_one_size(tmp_path: Path) -> None:
    large = share(0.06, [(10, 0.0123), (40, 0.06)], gate="warn")
    now = compared(tmp_path, SMALL, large)["facts"]
    page = report.render(now)
    assert "1.0% to 1.2%" in page
    assert "of 10 documents" in page


def test_a_value_stands_beside_that_of_two_hundred_and_a_baseline_at_its_size(
    tmp_path: Path,
) -> None:
    both = {"documents": 500, "value": 0.031, "baseline": 0.017}
    row = metric("opening_repeated", n=900, rarefied=0.0234, baseline=0.05, baseline_n=500,
                 matched=both)  # fmt: skip
    page = report.render(report.collect(kept(tmp_path, 3, scores=[row]), manifest()))
    assert "of 200: 2.3%" in page
    assert "baseline 5.0% (n = 500)" in page
    assert "at 500 documents 3.1%, baseline 1.7%" in page


MATCHED = metric(
    "zstd_long", value=3.0, gate="pass", n=2000, warn=2.8, fail=3.5, unit="ratio", baseline=2.5,
    baseline_n=100, matched={"documents": 100, "value": 2.6, "baseline": 2.5},
)  # fmt: skip


def test_value_bar_and_verdict_of_a_matched_gate_are_of_one_size(tmp_path: Path) -> None:
    assert (told(MATCHED), verdict_of(MATCHED)) == (2.6, ORDER["pass"])
    facts = report.collect(kept(tmp_path, 3, scores=[MATCHED]), manifest())
    row = report.render(facts).partition('id="v-zstd')[2].partition("</tr>")[0]
    assert '<td class="n">2.6<small>at 100 documents</small><small>of all: 3</small>' in row
    assert f'width="{2.6 * 160 / (3.5 * 1.25):.1f}" height="6"' in row


def test_a_gate_that_is_no_part_of_a_baseline_is_of_the_value_as_it_is() -> None:
    assert told({**MATCHED, "id": "opening_repeated"}) == 3.0
    assert verdict_of({**MATCHED, "id": "opening_repeated"}) == ORDER["warn"]


def test_the_nearest_pairs_are_shown_with_what_was_dealt_to_both(tmp_path: Path) -> None:
    diff = [["=", "a b … c"], ["-", "<b>left</b>"], ["+", " ".join(["right"] * 40)]]
    pairs = [
        {"id": "d0", "other": "d3", "cosine": 0.91, "by": "words", "jaccard": 0.25, "diff": diff},
        {"id": "d0", "other": "gone", "cosine": 0.9, "by": "words", "jaccard": 0.0, "diff": []},
    ]
    facts = report.collect(kept(tmp_path, 5, likeness=pairs), manifest())
    (pair,) = facts["duplicates"]["nearest"]
    assert (pair["id"], pair["other"], pair["cosine"]) == ("d0", "d3", 0.91)
    dealt = {"stream": "stories", "kind": "short_story", "place": "a harbour"}
    assert pair["alike"] == dealt
    assert pair["diff"][2] == ["+", " ".join(["right"] * 24) + " [16 more]"]
    page = report.render(facts)
    assert "<del>&lt;b&gt;left&lt;/b&gt;</del>" in page
    assert "25.0% of their 5-word runs" in page


def test_a_document_that_is_near_to_many_is_in_two_of_the_pairs_shown(tmp_path: Path) -> None:
    pairs = [near(0, other, "x") for other in (1, 2, 3)] + [near(3, 4, "y")]
    facts = report.collect(kept(tmp_path, 5, likeness=pairs), manifest())
    shown = [(pair["id"], pair["other"]) for pair in facts["duplicates"]["nearest"]]
    assert shown == [("d0", "d1"), ("d0", "d2"), ("d3", "d4")]


ROUND = {"documents": 4, "words": 90, "ngrams": 80, "novelty": 0.5, "topics": 9.5}


def test_the_rounds_tell_what_was_shunned_dealt_first_and_stopped(tmp_path: Path) -> None:
    hole = ["documents", "s1", "essay"]
    rows = [
        {**ROUND, "round": 1, "arms": {}, "stopped": [], "holes": [hole], "bans": ["so <i>", "x"]},
        {**ROUND, "round": 2, "arms": {"section s2": 0.125, "kind essay": 0.5},
         "stopped": ["section s2"], "holes": [], "bans": ["so <i>"]},
    ]  # fmt: skip
    facts = report.collect(kept(tmp_path, 4, loop=rows), manifest())
    loop = facts["loop"]
    assert loop["bans"] == [{"what": "so <i>", "rounds": [1, 2]}, {"what": "x", "rounds": [1]}]
    assert loop["holes"] == [{"what": "Section 1: essay (documents)", "rounds": [1]}]
    assert loop["stopped"] == [{"what": "section Section 2", "rounds": [2]}]
    assert loop["arms"][0] == {"what": "section Section 2", "novelty": 0.125}
    page = report.render(facts)
    assert "so &lt;i&gt;" in page
    assert "1 to 2 (the last)" in page


def test_sections_of_one_title_stay_apart_and_are_told_with_the_heading_above(
    tmp_path: Path,
) -> None:
    made = manifest()
    made["constitution"]["sections"] = [
        {"id": name, "title": "Exceptions", "path": ["All", above, "Exceptions"]}
        for name, above in (("a", "Honesty"), ("b", "Care"))
    ]
    holes = [["documents", name, "essay"] for name in "ab"]
    row = {**ROUND, "round": 1, "arms": {}, "stopped": ["section b"], "holes": holes, "bans": []}
    loop = report.collect(kept(tmp_path, 4, loop=[row]), made)["loop"]
    said = ["Honesty / Exceptions: essay (documents)", "Care / Exceptions: essay (documents)"]
    assert [hole["what"] for hole in loop["holes"]] == said
    assert (loop["listed"]["holes"], loop["rounds"][0]["holes_listed"]) == (2, 2)
    assert loop["stopped"] == [{"what": "section Care / Exceptions", "rounds": [1]}]


LOST = {"format": "megatron", "trainer": "Megatron-Core", "config": "documents", "split": "train",
        "tokens": 1000, "lost": 25, "share": 0.025, "what": "the tail of each prefix"}  # fmt: skip


@pytest.mark.parametrize("known", [True, False])
def test_what_trainers_drop_is_shown_or_how_to_learn_it(tmp_path: Path, known: bool) -> None:  # noqa: FBT001 - a parameter
    made = manifest(seq_len=512, dropped=[LOST]) if known else manifest()
    page = report.render(report.collect(kept(tmp_path, 2), made))
    assert ("Megatron-Core" in page) == known
    assert ("corpus export OUTPUT --seq-len N" in page) != known
    assert ("2.5%" in page) == known


def test_the_curve_of_topics_ends_in_the_figure_of_the_verdict(tmp_path: Path) -> None:
    said = [" ".join(f"word{(n * k) % 97}" for k in range(1, 60)) for n in range(1, 41)]
    suite = {m.id: m for m in score([Text(f"d{n}", text) for n, text in enumerate(said)])}
    facts = report.collect(kept(tmp_path, said), manifest())
    assert facts["growth"]["blocks"][-1]["topics"] == pytest.approx(suite["eff_topics"].value)
