"""What the report works out from texts: habits, topics, growth, marks, clusters, lineage."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildfolders import (
    brief,
    document,
    kept,
    manifest,
    metric,
    proof,
    reject,
    repeat,
)
from corpus import report
from corpus.model.journal import Journal
from corpus.model.past import recall, recall_from
from corpus.records import Request
from corpus.report import copies, folder, marks, samples, topics
from corpus.score import Text

SEA = "harbour tide anchor gull mast rope salt quay".split()
BREAD = "oven dough flour crust yeast baker loaf salt".split()


def about(words: list[str], start: int) -> str:
    return " ".join(words[(start * 3 + n * n) % len(words)] for n in range(40))


def test_names_have_their_share_and_say_why_they_are_there(tmp_path: Path) -> None:
    texts = [
        f"We met Elara and then Halvard at noon, with Otis there, on day {n}." for n in range(4)
    ]
    texts += ["Then nobody came." for _ in range(4)]
    dealt = [brief(n, facets={"person": "Halvard"} if n < 3 else {}) for n in range(8)]
    given_manifest = manifest(constitution={"name": "A charter", "ai": "Otis", "sections": []})
    found = report.collect(kept(tmp_path, texts, briefs=dealt), given_manifest)["habits"]
    names = {one["what"]: one for one in found["names"]}
    assert names["Elara"]["share"] == 0.5
    assert [names[n]["watched"] for n in ("Elara", "Halvard", "Otis")] == [True, False, False]
    assert (names["Halvard"]["dealt"], names["Otis"]["own"]) == (3, True)
    assert [one["what"] for one in found["pairs"]] == ["Elara + Halvard"]


def test_openings_and_closings_are_counted_in_a_healthy_corpus_too(tmp_path: Path) -> None:
    texts = [f"It was late when {n} came home. Nobody ever asked her why." for n in "abc"]
    found = report.collect(
        kept(tmp_path, [*texts, "Another text with no such end here."]), manifest()
    )
    habits = found["habits"]
    assert [(one["what"], one["documents"]) for one in habits["openings"]] == [
        ("it was late when", 3)
    ]
    assert habits["closings"][0]["what"] == "nobody ever asked her why"
    assert habits["closings"][0]["share"] == 0.75


def test_a_cell_has_its_share_of_the_tokens_of_its_kind(tmp_path: Path) -> None:
    counted = manifest(by_kind={"essay": {"tokens": 900}, "short_story": {"tokens": 500}})
    texts = ["word " * (5 + n) for n in range(12)]
    cover = report.collect(kept(tmp_path, texts), counted)["coverage"]
    columns = [kind for _, kind in cover["columns"]]
    sums = dict.fromkeys(columns, 0)
    for _, column, _, _, tokens in cover["cells"]:
        sums[columns[column]] += tokens
    assert abs(sums["essay"] - 900) <= len(cover["cells"])
    assert abs(sums["short_story"] - 500) <= len(cover["cells"])


@pytest.mark.parametrize(("text", "words"), [("one two", 2), ("\u4f60\u597d", 2), ("a \u4f60b", 3)])
def test_a_character_is_a_word_where_a_script_has_no_spaces(text: str, words: int) -> None:
    assert folder.length(text) == words


def test_a_build_without_a_manifest_says_so_and_names_sections_by_their_ids(tmp_path: Path) -> None:
    where = kept(tmp_path, ["one"], briefs=[brief(0, section="all/being-honest~0a1b2c3d")])
    facts = report.collect(where, {})
    assert facts["coverage"]["rows"][0]["group"] == "Being honest"
    page = report.write(where, {}).read_text("utf-8")
    assert "this build has no manifest" in page
    assert "no tokenizer is recorded" in page


def test_an_id_of_ones_own_is_not_cut_to_where_all_are_alike() -> None:
    assert folder.short("0123456789abcdef") == "01234567"
    assert folder.short("matrix_000001") == "matrix_000001"


def test_many_sections_without_headings_share_rows_in_runs(tmp_path: Path) -> None:
    flat = [{"id": f"s{n}", "title": f"t{n}", "path": ["All"]} for n in range(10_000)]
    rows = kept(tmp_path, ["word"] * 12)
    cover = report.collect(rows, manifest(constitution={"sections": flat}))["coverage"]
    assert len(cover["rows"]) == 3_334
    assert cover["rows"][1]["title"] == "t3 and 2 after it"
    assert sum(have for _, _, _, have, _ in cover["cells"]) == 12


def test_two_vocabularies_are_two_regions_that_are_named_by_their_words() -> None:
    said = [about(SEA, n).split() for n in range(20)] + [about(BREAD, n).split() for n in range(12)]
    cards = [{"id": str(n), "stream": "documents", "kind": "essay"} for n in range(32)]
    found = topics.topic_map(cards, said, topics.vectors(said))
    belongs = [point["at"][2] for point in found["points"]]
    assert {*belongs[:20]} == {0}
    assert set(found["regions"][0]["words"]) <= {*SEA}
    assert found["regions"][0]["documents"] == 20


def test_copies_add_nothing_to_the_curve() -> None:
    said = [about(SEA, n).split() for n in range(24)]
    texts = [Text(f"t{n}", " ".join(one)) for n, one in enumerate([*said, *said])]
    blocks = topics.growth([*said, *said], texts)
    assert blocks[0]["phrases"] > 0
    assert [block["phrases"] for block in blocks[12:]] == [0.0] * 12
    assert blocks[-1]["documents"] == 48


@given(st.lists(st.lists(st.sampled_from(SEA + BREAD)), min_size=1, max_size=12))
def test_a_text_is_a_direction_of_length_one_or_nothing(said: list[list[str]]) -> None:
    lengths = np.linalg.norm(topics.vectors(said), axis=1)
    assert all(length == 0 or math.isclose(length, 1, rel_tol=1e-5) for length in lengths)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=60), st.integers(0, 40))
def test_a_sample_gives_every_cell_its_share(cells: list[tuple[int, int]], most: int) -> None:
    entries = [
        folder.Entry(f"e{n}", "documents", f"k{kind}", f"s{section}", "", 1, "kept")
        for n, (section, kind) in enumerate(cells)
    ]
    drawn = folder.spread(entries, most)
    assert len(drawn) == len({*drawn}) == min(most, len(entries))
    for cell in {*cells}:
        want = cells.count(cell) * len(drawn) / max(1, len(cells))
        have = sum(cells[int(name[1:])] == cell for name in drawn)
        assert abs(have - want) <= 1 + len({*cells}) / 2


def test_a_mould_is_found_again_with_whatever_stood_in_its_hole() -> None:
    found = marks.pattern("_ said the _ was better left alone")
    assert found is not None
    assert found.search("Then Mara Voss said the Lighthouse Keeper was better, left alone.")
    assert not found.search("then she said the lamp was better left alone")
    assert marks.pattern("Elara") is None


turn = st.text(alphabet="ab ,.'", max_size=60)
wanted = st.lists(st.text(alphabet="ab ", min_size=5, max_size=12), max_size=4)


@given(st.lists(turn, max_size=3), wanted)
def test_marks_stand_in_order_and_never_overlap(turns: list[str], phrases: list[str]) -> None:
    pieces = [{"what": phrase, "metric": "m", "count": 2} for phrase in phrases]
    spots = marks.marks([["", text] for text in turns], pieces)
    for spot in spots:
        found = marks.pattern(spot["what"])
        assert found
        assert found.fullmatch(turns[spot["turn"]], spot["start"], spot["end"])
    order = [(spot["turn"], edge) for spot in spots for edge in (spot["start"], spot["end"])]
    assert order == sorted(order)


def test_a_repeated_phrase_is_marked_in_the_document_itself(tmp_path: Path) -> None:
    scores = [metric("opening", evidence=[proof("on a grey cold tuesday", "d0")])]
    where = kept(tmp_path, ["On a grey, cold Tuesday it rained."], scores=scores)
    page = report.write(where, manifest()).read_text("utf-8")
    assert '<mark title="shared (opening)">On a grey, cold Tuesday</mark> it rained.' in page


def test_a_cluster_shows_its_members_and_the_words_in_which_they_differ(tmp_path: Path) -> None:
    texts = ["the old lamp was lit", "the new lamp was lit", "the red lamp was lit", "no more"]
    same = [{**repeat(n, 0), "similarity": n / 10, "cluster": "c"} for n in (1, 2, 3)]
    found = report.collect(kept(tmp_path, texts, duplicates=same), manifest())["duplicates"]
    [cluster] = found["shown"]
    assert (found["total"], found["clusters"], found["largest"]) == (3, 1, 4)
    assert (cluster["documents"], cluster["title"]) == (4, "the old lamp was lit")
    assert [m["id"] for m in cluster["members"]] == ["d1", "d2", "d3"]
    assert cluster["members"][1]["diff"][1:3] == [["-", "old"], ["+", "red"]]
    assert cluster["members"][copies.DIFFS]["diff"] is None


def test_a_metric_of_a_part_stands_beside_that_of_the_whole(tmp_path: Path) -> None:
    scores = [metric("names"), metric("names", scope="stories", gate="pass", evidence=[proof("A")])]
    found = report.collect(kept(tmp_path, ["one"], scores=scores), manifest())["metrics"]
    assert [(m["id"], m["scope"]) for m in found] == [("names", ""), ("names/stories", "stories")]
    page = report.write(tmp_path, manifest()).read_text("utf-8")
    assert '<th scope="row">stories</th>' in page
    assert page.count('<li><a href="#v-names"') == 1


def test_a_cell_with_a_gate_of_its_own_is_a_measure_of_its_part(tmp_path: Path) -> None:
    cell = {"by": "section", "cell": "s1", "value": 0.4, "n": 40, "low": 0.3, "high": 0.5}
    cells = [{**cell, "gate": "fail"}, {**cell, "cell": "s2", "gate": None}]
    scores = [metric("names", gate="warn", low=0.1, high=0.3, cells=cells)]
    facts = report.collect(kept(tmp_path, ["one"] * 4, scores=scores), manifest())
    assert [m["scope"] for m in facts["metrics"]] == ["", "section Section 1"]
    assert facts["metrics"][1]["unit"] == "share"
    assert [row["gates"] for row in facts["coverage"]["rows"]][:3] == [{}, {"fail": 1}, {}]
    page = report.write(tmp_path, manifest()).read_text("utf-8")
    assert '<th scope="row">section Section 1</th>' in page
    assert 'title="fail, n = 40, 95%: 30.0% to 50.0%"' in page
    assert report.broken(facts, on="fail") == ["names/section s1 fails (40.0%)"]


def test_a_move_is_shown_where_it_is_made_with_its_lift(tmp_path: Path) -> None:
    move = {"text": "^ it was not * but", "count": 2, "ids": ["d0"], "share": 0.5, "lift": 9.0}
    scores = [metric("moves", gate=None, evidence=[move])]
    where = kept(tmp_path, ["It was not grief and fear, but relief."] * 2, scores=scores)
    page = report.write(where, manifest()).read_text("utf-8")
    assert "<mark>It was not grief and fear, but</mark> relief." in page
    assert "share 50.0%, lift 9.0" in page


def bought(path: Path, replies: list[tuple[str, str]]) -> tuple[list[str], Journal]:
    """A journal with those replies, by stage; the keys, and the journal still held."""
    journal, keys = Journal(path), []
    for number, (stage, text) in enumerate(replies):
        asked = Request(stage, "m", "", ({"role": "user", "content": f"{number}"},), 10)
        body = (
            '{"content": [{"type": "text", "text": "%s"}], "stop_reason": "end_turn", "model": "m"}'
        )
        attempt = journal.intend(asked, 1).result()
        journal.keep(attempt, asked.key, body % text, request_id="r", cost=1).result()
        keys.append(asked.key)
    return keys, journal


REPLIES = [
    ("spec", "<spec>the plan</spec>"),
    ("draft", "<document>a first try</document>"),
    ("rewrite", "<defects>it drags</defects><answer>done</answer>"),
]


def lived(where: Path) -> tuple[Path, Journal]:
    keys, journal = bought(where / "journal.sqlite", REPLIES)
    row = document(0, "done", parents=keys[:2], generator={"model": "m", "request": keys[2]})
    return kept(where, ["done"], documents=[row]), journal


def test_a_document_shows_its_plan_its_draft_and_the_faults_that_were_named(tmp_path: Path) -> None:
    where, journal = lived(tmp_path)
    inside = report.collect(where, manifest(), recall=recall(journal))["reading"]["documents"][0]
    journal.close()
    after = report.collect(where, manifest())["reading"]["documents"][0]
    steps = [(step["stage"], step["text"]) for step in after["steps"]]
    assert steps == [("spec", "the plan"), ("draft", "a first try"), ("defects", "it drags")]
    assert inside == after


def test_a_journal_that_is_held_or_damaged_or_gone_is_left_alone(tmp_path: Path) -> None:
    where, journal = lived(tmp_path)
    path = where / "journal.sqlite"
    assert recall_from(path)({"x"}) == {}
    page = report.write(where, manifest()).read_text("utf-8")
    assert "2 requests led to this text; their replies are not at hand." in page
    journal.close()
    before = path.read_bytes()
    assert len(recall_from(path)(bought(tmp_path / "other.sqlite", REPLIES)[0])) == 3
    assert path.read_bytes() == before
    path.write_bytes(b"no journal at all" * 99)
    assert recall_from(path)({"x"}) == recall_from(where / "nowhere")({"x"}) == {}


def test_a_page_that_would_be_too_big_cuts_what_is_read(tmp_path: Path) -> None:
    where = kept(tmp_path, ["<&>" * 9_000] * 3)
    card = report.collect(where, manifest())["reading"]["documents"][0]
    less = samples.cut(card, 100)
    assert len(less["turns"][0][1]) == 100
    assert less["cut"] == 27_000 - 100


def test_reasons_of_rejected_documents_are_shown_with_what_the_review_said(tmp_path: Path) -> None:
    where = kept(tmp_path, ["short"], reviews=[reject(0, "too_short: 1 word of 40", prose=2)])
    page = report.write(where, manifest()).read_text("utf-8")
    assert "too_short: 1 word of 40 (prose 2)" in page
