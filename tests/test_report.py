"""The report: what a reader, a program and a hostile document meet in it."""

from __future__ import annotations

import base64
import hashlib
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildfolders import (
    PAYLOAD,
    Row,
    accept,
    brief,
    document,
    fill,
    kept,
    manifest,
    metric,
    proof,
    reject,
    repeat,
)
from corpus import report
from corpus.errors import InputError
from corpus.report import copies, samples
from corpus.report.markup import Markup, el, escape, money, percent

VOID = {"meta", "input"}


class Page(HTMLParser):
    """Tags in balance, ids, links, and everything that could load or run something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.tags: list[str] = []
        self.feed(html)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.stack.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"src", "href", "action", "data", "srcset"}:
                (self.links if (value or "").startswith("#") else self.addresses).append(
                    value or ""
                )
            if name.startswith("on") or name == "style":
                self.handlers.append(name)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


def html(folder: Path, given: Row | None = None) -> str:
    return report.write(folder, given or manifest()).read_text("utf-8")


def test_the_json_twin_is_what_collect_returns(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    page = report.write(folder, manifest())
    assert page == folder / "report" / "index.html"
    assert json.loads(page.with_name("report.json").read_text()) == report.collect(
        folder, manifest()
    )


def test_the_same_build_gives_the_same_page(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    assert html(folder) == html(folder)


def test_every_document_has_one_fate_and_old_plans_are_set_apart(tmp_path: Path) -> None:
    folder = fill(
        tmp_path,
        briefs=[brief(n) for n in range(5)],
        documents=[*(document(n) for n in range(4)), document(9)],
        reviews=[accept(0), accept(1), reject(2, "refusal")],
        duplicates=[repeat(1, 0)],
    )
    head = report.collect(folder, manifest())["headline"]
    fates = ("kept", "rejected", "duplicate", "unreviewed", "earlier")
    assert (head["planned"], head["written"]) == (5, 4)
    assert [head[fate] for fate in fates] == [1, 1, 1, 1, 1]


def test_the_last_review_of_a_document_wins(tmp_path: Path) -> None:
    folder = fill(
        tmp_path, briefs=[brief(0)], documents=[document(0)], reviews=[accept(0), reject(0)]
    )
    assert report.collect(folder, manifest())["headline"]["kept"] == 0


def test_planned_cells_that_stay_empty_are_counted_and_marked(tmp_path: Path) -> None:
    folder = fill(
        tmp_path,
        briefs=[brief(1), brief(2), brief(5, replaces="b2")],
        documents=[document(1)],
        reviews=[accept(1)],
    )
    cover = report.collect(folder, manifest())["coverage"]
    assert (cover["asked"], cover["empty"]) == (2, 1)
    assert sum(want for _, _, want, *_ in cover["cells"]) == 2
    assert 'title="none kept of 1 planned"' in html(folder)


def test_sections_fold_into_their_headings_when_the_table_would_be_too_big(tmp_path: Path) -> None:
    paths = [
        {"id": f"s{n}", "title": f"t{n}", "path": ["All", f"part {n % 7}", f"t{n}"]}
        for n in range(9_500)
    ]
    folder = kept(tmp_path)
    cover = report.collect(folder, manifest(constitution={"sections": paths}))["coverage"]
    assert [row["title"] for row in cover["rows"]] == [f"part {n}" for n in range(7)]
    assert sum(have for _, _, _, have, _ in cover["cells"]) == 12


def test_a_gate_is_told_by_a_word_and_leads_to_its_evidence(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    fill(tmp_path, scores=[metric("names", evidence=[proof("Elara", "d1", "d404")])])
    page = Page(text := html(folder))
    assert "25.0%" in text
    assert " fail</td>" in text
    assert {"#m-names", "#d-d1"} <= {*page.links}
    assert "#d-d404" not in page.links


def test_evidence_is_read_in_any_shape(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    shapes = [{"text": "Elara", "count": 3, "ids": ["d1"]}, {"section": "s2", "planned": 4}, 7]
    fill(tmp_path, scores=[metric("names", evidence=shapes)])
    [row] = report.collect(folder, manifest())["metrics"]
    said = [piece["what"] for piece in row["evidence"]]
    assert said == ["Elara", "section Section 2, planned 4", "7"]
    assert row["evidence"][0]["documents"] == ["d1"]


def test_every_link_inside_the_page_has_its_target(tmp_path: Path) -> None:
    shown = [proof("Title one two", "d1", "d2"), "plain words"]
    folder = kept(tmp_path)
    fill(
        tmp_path,
        scores=[metric(name, evidence=shown) for name in ("names", "opening", "near_dup", "x/y")],
    )
    page = Page(html(folder))
    assert {link[1:] for link in page.links} <= {*page.ids}
    assert len(page.ids) == len({*page.ids})


def test_a_repeated_phrase_is_shown_where_it_stands(tmp_path: Path) -> None:
    folder = fill(
        tmp_path,
        briefs=[brief(1)],
        documents=[document(1, "Before it. On a grey, cold Tuesday; after it.")],
        reviews=[accept(1)],
        scores=[metric("shared_ngram", evidence=[proof("on a grey cold tuesday", "d1")])],
    )
    assert "<mark>On a grey, cold Tuesday</mark>; after it." in html(folder)


def test_nothing_that_a_model_wrote_becomes_markup(tmp_path: Path) -> None:
    hostile = {"facets": {PAYLOAD: PAYLOAD}, "kind": PAYLOAD}
    chat = document(4, messages=[{"role": PAYLOAD, "content": PAYLOAD}], section=PAYLOAD)
    folder = fill(
        tmp_path,
        briefs=[brief(n, principle=PAYLOAD) for n in range(5)],
        documents=[*(document(n, f"{PAYLOAD} {n}", **hostile) for n in range(4)), chat],
        reviews=[accept(1), accept(2), accept(4), reject(3, PAYLOAD)],
        duplicates=[repeat(2, 1, PAYLOAD)],
        scores=[metric("names", note=PAYLOAD, evidence=[proof(PAYLOAD, PAYLOAD)])],
    )
    said = manifest(notes=[PAYLOAD], model=PAYLOAD, constitution={"name": PAYLOAD})
    page = Page(text := html(folder, said))
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert page.handlers == []
    assert escape(PAYLOAD) in text


def test_the_page_asks_for_nothing(tmp_path: Path) -> None:
    text = html(kept(tmp_path))
    assert Page(text).addresses == []
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src &#x27;none&#x27;" in text
    assert "unsafe" not in text


def test_the_policy_names_the_style_and_the_script_that_stand_in_the_page(tmp_path: Path) -> None:
    text = html(kept(tmp_path))
    for tag in ("style", "script"):
        inner = text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        known = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert escape(f"{tag}-src 'sha256-{known}'") in text


def test_the_page_stays_under_two_megabytes(tmp_path: Path) -> None:
    many, text = range(5_000), "<&> \N{GREEK SMALL LETTER ALPHA}"
    folder = fill(
        tmp_path,
        briefs=[brief(n) for n in many],
        documents=[document(n, f"{n} {text}" * 300) for n in many],
        reviews=[accept(n) if n % 5 else reject(n, f"reason {n}") for n in many],
        duplicates=[repeat(n, n - 1) for n in many[1::9]],
        scores=[metric(f"m{n}", evidence=[proof(text * 9, f"d{n}")] * 20) for n in range(90)],
    )
    page = report.write(folder, manifest())
    assert page.stat().st_size < 2_000_000
    assert page.with_name("report.json").stat().st_size < 4_000_000


def test_the_reading_room_draws_from_every_kind_and_shows_documents_whole(
    tmp_path: Path,
) -> None:
    room = report.collect(kept(tmp_path, 200), manifest())["reading"]
    kinds = [card["kind"] for card in room["documents"]]
    assert (len(kinds), room["of"]) == (samples.SAMPLED, 200)
    assert kinds.count("essay") == kinds.count("short_story")
    assert all(card["cut"] == 0 for card in room["documents"])


def test_long_texts_are_cut_and_say_so(tmp_path: Path) -> None:
    folder = fill(
        tmp_path, briefs=[brief(1)], documents=[document(1, "x" * 50_000)], reviews=[accept(1)]
    )
    card = report.collect(folder, manifest())["reading"]["documents"][0]
    assert len(card["turns"][0][1]) + card["cut"] == 50_000
    assert "Cut here: 30,000 characters more." in html(folder)


def test_a_chat_is_shown_turn_by_turn(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Should I?"}, {"role": "assistant", "content": "Perhaps."}]
    row = document(1, messages=turns, tools="[]")
    del row["text"]
    folder = fill(tmp_path, briefs=[brief(1)], documents=[row], reviews=[accept(1)])
    card = report.collect(folder, manifest())["reading"]["documents"][0]
    assert card["turns"] == [["user", "Should I?"], ["assistant", "Perhaps."]]
    assert card["words"] == 3
    assert card["tools"]


def test_rejected_documents_are_counted_by_reason_and_shown_once(tmp_path: Path) -> None:
    folder = fill(
        tmp_path,
        briefs=[brief(0), brief(1)],
        documents=[document(0), document(1)],
        reviews=[reject(0, "too_short: 3 words", "refusal"), reject(1, "too_short: 9 words")],
    )
    found = report.collect(folder, manifest())["rejected"]
    assert [(row["reason"], row["count"]) for row in found] == [("too_short", 2), ("refusal", 1)]
    shown = [card["id"] for row in found for card in row["examples"]]
    assert sorted(shown) == ["d0", "d1"]


def test_the_funnel_tells_gates_from_the_judge(tmp_path: Path) -> None:
    folder = fill(
        tmp_path,
        briefs=[brief(n) for n in (1, 2, 4, 5)],
        documents=[document(n) for n in (1, 2, 4)],
        reviews=[reject(1, "refusal"), reject(2, "low_prose", prose=1), accept(4)],
    )
    [row] = report.collect(folder, manifest())["funnel"]
    steps = [row[key] for key in ("planned", "written", "passed", "judged", "kept", "tokens")]
    assert steps == [4, 3, 2, 1, 1, 1000]


def test_near_copies_show_their_difference_in_words(tmp_path: Path) -> None:
    folder = fill(
        tmp_path,
        briefs=[brief(1), brief(2)],
        documents=[document(1, "the old lamp was lit"), document(2, "the new lamp was lit")],
        reviews=[accept(1), accept(2)],
        duplicates=[repeat(2, 1)],
    )
    assert "the <del>old</del> <ins>new</ins> lamp was lit" in html(folder)


words = st.lists(st.sampled_from("a b c d".split()), max_size=60).map(" ".join)


@given(words, words)
def test_a_diff_holds_every_word_of_both_texts(old: str, new: str) -> None:
    def side(op: str) -> int:
        steps = copies.diff(old, new)
        return sum(
            int(text) if kind == "..." else len(text.split())
            for kind, text in steps
            if kind in {"=", "...", op}
        )

    assert (side("-"), side("+")) == (len(old.split()), len(new.split()))


@given(st.text())
def test_escaped_text_holds_no_markup_and_reads_back(text: str) -> None:
    page = HTMLParser(convert_charrefs=True)
    page.handle_data = (found := []).append  # type: ignore[method-assign]
    page.feed(f"<p>{escape(text)}</p>")
    page.close()
    printable = [c for c in text.replace("\r\n", "\n") if c in "\t\n" or ord(c) >= 32]
    assert [c for c in "".join(found) if c != "\N{REPLACEMENT CHARACTER}"] == [
        c for c in printable if c != "\N{REPLACEMENT CHARACTER}"
    ]


def test_half_a_surrogate_pair_does_not_stop_the_report(tmp_path: Path) -> None:
    folder = fill(
        tmp_path,
        briefs=[brief(1)],
        documents=[document(1, "half \ud83d\x00 pair")],
        reviews=[accept(1)],
    )
    assert "half ?" in html(folder)
    assert "\x00" not in html(folder)


def test_an_empty_build_and_an_empty_manifest_still_make_a_page(tmp_path: Path) -> None:
    text = html(tmp_path, {"rounds": 0})
    Page(text)
    assert "not recorded" in text
    assert "0 documents kept of 0" in report.summary(report.collect(tmp_path, {}))


@pytest.mark.parametrize(("quality", "times"), [("demo", 1), (None, 0)])
def test_a_demo_build_says_that_it_is_not_for_training(
    tmp_path: Path, quality: str | None, times: int
) -> None:
    text = html(kept(tmp_path), manifest(quality=quality))
    assert text.count("not for training") == times


def test_the_views_stand_in_reading_order_under_headings(tmp_path: Path) -> None:
    page = Page(html(kept(tmp_path)))
    order = ["verdict", "coverage", "phrases", "names", "edges", "copies", "lengths", "rejected"]
    assert [name for name in page.ids if name in order] == order
    assert page.tags.count("h1") == 1
    assert {"header", "nav", "main", "footer"} <= {*page.tags}
    assert page.tags.count("table") == page.tags.count("caption")


def test_the_summary_names_the_gates_that_fail(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    fill(
        tmp_path,
        scores=[metric("names"), metric("skeleton", gate="warn"), metric("opening", gate="pass")],
    )
    lines = report.summary(report.collect(folder, manifest()))
    assert "12 documents kept of 12 written" in lines
    assert "1,234 tokens (gpt2, a stand-in); paid $1.50" in lines
    assert "gates: 1 fail (names 25.0%), 1 warn (skeleton 25.0%), 1 pass" in lines


def costs(**more: object) -> Row:
    stage = {"asked": 9, "whole": 7, "input": 100, "output": 50, "cost": 5, "plain": 8}
    steps = {"planned": 6, "whole": 5, "passed": 4, "accepted": 3, "kept": 2}
    stream = {"paid": 10, "tokens": 4, "per_million_kept": 2_500_000, "yield": steps}
    return {
        "paid": 1_500_000,
        "possibly_paid": 30,
        "saved": {"resume": 200_000, "cache": -40, "batch": 1_000_000},
        "replies": {"direct": 3, "batch": 4},
        "cache_hits": 0.25,
        "by_stream": {"stories": {**stream, "stages": {"draft": stage, "judge": stage}}},
        "refusals": {"cyber": 2},
        "unknown": [{"stage": "draft", "detail": "cut off", "worst": 30}],
        **more,
    }


def test_the_money_is_in_the_twin_and_on_the_page(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    said = manifest(cost=costs())
    found = report.collect(folder, said)["cost"]
    assert found["totals"]["saved_cache"] == -40
    assert (found["streams"][0]["asked"], found["streams"][0]["whole"]) == (18, 14)
    assert (found["refusals"], found["facts"]["cache_hits"]) == ({"cyber": 2}, 0.25)
    text = html(folder, said)
    Page(text)
    for shown in ("Saved by batches", "-&lt;$0.0001", "cut off", "cyber", "$2.50", "25.0%"):
        assert shown in text


def test_a_price_that_is_not_known_is_never_shown_as_nothing(tmp_path: Path) -> None:
    lost = dict.fromkeys(("paid", "per_million_kept"))
    streams = {"stories": {**costs()["by_stream"]["stories"], **lost}}
    said = manifest(
        cost=costs(paid=None, possibly_paid=None, saved=None, by_stream=streams, unknown=[])
    )
    assert "$0.00" not in html(kept(tmp_path), said)


def test_a_rehearsal_does_not_say_that_it_paid(tmp_path: Path) -> None:
    said = manifest(cost=costs(rehearsed=True))
    facts = report.collect(kept(tmp_path), said)
    assert "rehearsed: nothing was paid" in report.summary(facts)
    assert "paid $" not in report.summary(facts)
    text = html(kept(tmp_path), said)
    assert "it would have been $1.50" in text
    assert "to the provider" not in text


def test_shards_come_as_a_list_or_by_format(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    flat = report.collect(folder, manifest())["shards"]
    shard = {key: value for key, value in flat["parquet"][0].items() if key != "format"}
    nested = report.collect(folder, manifest(shards={"parquet": [{**shard, "file": "a.parquet"}]}))
    assert nested["shards"]["parquet"] == [shard]
    assert escape('load_dataset("shards/parquet", "documents", split="train")') in html(folder)


def test_a_line_that_is_no_object_is_named(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    (folder / "scores.jsonl").write_text("[1]\n")
    with pytest.raises(InputError, match=r"scores\.jsonl, line 1"):
        report.write(folder, manifest())


def test_elements_escape_all_but_markup() -> None:
    made = el("p", "<", Markup("<b></b>"), None, ["&"], class_='a"b', hidden=True, title=None)
    assert made == '<p class="a&quot;b" hidden>&lt;<b></b>&amp;</p>'


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0%"), (1, "100%"), (0.0312, "3.1%"), (0.0009, "0.09%")]
)
def test_a_share_is_shown_in_percent(value: float, shown: str) -> None:
    assert percent(value) == shown


@pytest.mark.parametrize(
    ("micro", "shown"),
    [
        (None, "not recorded"),
        (0, "$0.00"),
        (4_200, "$0.0042"),
        (12_345_678, "$12.35"),
        (3, "<$0.0001"),
    ],
)
def test_micro_dollars_are_shown_as_dollars(micro: int | None, shown: str) -> None:
    assert money(micro) == shown


def test_the_gap_to_a_blind_judge_and_a_guard_that_found_nothing_are_shown(tmp_path: Path) -> None:
    gap = {"judge": 4.5, "blind": 3.0, "gap": 1.5, "error": 0.25}
    found = {"mode": "drop", "held_out": 7, "found": {"evaluation_framing": 0}}
    page = html(kept(tmp_path), manifest(judge={"both": 20, "marks": {"prose": gap}}, guard=found))
    assert "+1.50 ± 0.50" in page
    assert "20 documents were marked again" in page
    assert "7 held-out prompts" in page
    assert 'evaluation_framing</th><td class="n">0</td>' in page
    assert "No document was marked by a second" in html(kept(tmp_path))
