"""The diversity suite: planted faults raise their own gate, clean text raises none."""

from __future__ import annotations

import ast
import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import InputError
from corpus.records import Metric
from corpus.score import DEFAULTS, Baseline, Known, Text, as_json, read_baseline, read_files, score
from corpus.store import write_rows

PARTS = "ba de fo gi ku la me no pa re si tu ve wo za chi dro fle gra sto".split()
WORDS = [a + b + c for c in PARTS for a in PARTS for b in PARTS]
POOL = np.array(WORDS)
PEERS = Path(__file__).parents[2] / "shared" / "data" / "peer-documents.jsonl"


def sentence(rng: np.random.Generator, name: str = "") -> str:
    words = [str(word) for word in rng.choice(POOL, rng.integers(7, 15))]
    if name:
        words[4] = name
    return " ".join([words[0].capitalize(), *words[1:]]) + "."


def clean(count: int = 60, *, sentences: int = 20, kind: str | None = None) -> list[Text]:
    """Documents that share nothing but their vocabulary; each has a hero of its own."""
    made = []
    for number in range(count):
        rng = np.random.default_rng(number)
        hero = WORDS[number * 5 % 400].capitalize() + "o"
        body = " ".join(sentence(rng, hero if at == 3 else "") for at in range(sentences))
        made.append(Text(f"d{number:03}", body, section=f"s{number % 4}", kind=kind))
    return made


def changed(texts: list[Text], share: float, fault: str, *, at_end: bool = False) -> list[Text]:
    """The texts with ``fault`` before or after every so many of them."""
    step = round(1 / share)
    return [
        Text(text.id, f"{text.text} {fault}" if at_end else f"{fault} {text.text}", kind=text.kind)
        if number % step == 0
        else text
        for number, text in enumerate(texts)
    ]


def by_id(metrics: list[Metric]) -> dict[str, Metric]:
    return {metric.id: metric for metric in metrics}


def raised(metrics: list[Metric]) -> set[str]:
    return {metric.id for metric in metrics if metric.gate in {"warn", "fail"}}


def test_clean_text_raises_no_gate() -> None:
    assert raised(score(clean())) == set()


def test_a_template_in_a_tenth_of_the_documents_is_seen() -> None:
    texts = clean(100)
    template = "{0} came to the old bridge at {1} and could not decide whether to turn back. "
    template += "It was only when {0} thought of the promise that the way became clear at last."
    for at in range(0, 100, 10):
        filled = " ".join([template.format(WORDS[at * 3].capitalize(), at + 1)] * 10)
        texts[at] = Text(texts[at].id, filled)
    found = by_id(score(texts))
    assert found["skeleton"].gate in {"warn", "fail"}
    assert found["shared_ngram"].gate in {"warn", "fail"}
    forms = sorted(piece["text"] for piece in found["skeleton"].evidence)
    assert forms[0].startswith("_ came to the old bridge at _ and")
    assert found["skeleton"].evidence[0]["count"] == 10


def test_a_stock_opening_raises_its_own_gates_only() -> None:
    texts = changed(clean(100), 0.2, "It was a quiet evening:")
    assert raised(score(texts)) == {"opening", "opening_repeated"}
    found = by_id(score(texts))["opening"]
    assert (found.value, found.gate) == (0.2, "fail")
    assert found.evidence[0] == {
        "text": "it was a quiet",
        "count": 20,
        "ids": ["d000", "d005", "d010"],
    }


def test_a_stock_ending_raises_its_own_gates_only() -> None:
    texts = changed(clean(100), 0.2, "And that was quite enough.", at_end=True)
    assert raised(score(texts)) == {"closing", "closing_repeated"}


def test_one_name_raises_the_gate_of_names_and_may_be_allowed() -> None:
    rng = np.random.default_rng(0)
    texts = [
        Text(text.id, f"{text.text} {sentence(rng, 'Elara')}") if at % 5 == 0 else text
        for at, text in enumerate(clean(100))
    ]
    assert raised(score(texts)) == {"names"}
    assert by_id(score(texts))["names"].evidence[0]["text"] == "Elara"
    assert raised(score(texts, known_names=["Elara"])) == set()
    assert raised(score(texts, allowed=["We call the machine Elara here."])) == set()


def test_pairs_of_names_are_counted_by_first_names() -> None:
    fault = "So we met Elena Vasquez and then we met Marcus Chen."
    found = by_id(score(changed(clean(40), 0.25, fault)))["name_pairs"]
    assert (found.value, found.gate) == (0.25, None)
    assert found.evidence[0]["text"] == "Elena + Marcus"


def test_shared_passages_are_counted_in_words() -> None:
    passage = "one two three four five six seven eight"
    texts = [Text("a", f"{' '.join(WORDS[:8])} {passage}"), Text("b", passage)]
    found = by_id(score(texts))["shared_ngram"]
    assert found.value == pytest.approx(16 / 24)
    assert found.evidence == ({"text": passage, "count": 2, "ids": ["a", "b"]},)


def test_a_passage_repeated_within_one_document_is_not_shared() -> None:
    passage = "one two three four five six seven eight nine ten. "
    texts = [Text("a", passage * 3), Text("b", "something else")]
    assert by_id(score(texts))["shared_ngram"].value == 0


def test_quotations_of_the_allowed_texts_count_only_in_the_raw_figure() -> None:
    quote = "We want it to be honest even when the truth is not what someone hoped to hear."
    found = by_id(score(changed(clean(40), 0.5, quote, at_end=True), allowed=[f"Title. {quote}"]))
    assert found["shared_ngram"].value == 0
    assert found["shared_ngram_raw"].value > 0.02
    assert found["shared_ngram_raw"].gate is None
    assert found["skeleton"].value == 0


def test_a_stock_opening_of_one_kind_does_not_drown_in_the_whole() -> None:
    letters = [
        Text(f"l{text.id}", f"Dear friend of mine, {text.text}", kind="letter")
        for text in clean(30)
    ]
    essays = [
        Text(f"e{text.id}", text.text[::-1], kind="essay") for text in clean(300, sentences=3)
    ]
    found = by_id(score([*letters, *essays]))["opening"]
    assert found.gate == "fail"
    assert found.note == "kind letter: 1"
    cell = next(cell for cell in found.cells if cell["cell"] == "letter")
    assert (cell["value"], cell["n"], cell["gate"]) == (1.0, 30, "fail")


def test_what_two_documents_share_is_chance() -> None:
    texts = changed(clean(8), 0.25, "It was a quiet evening:")
    found = by_id(score(texts))
    assert (found["opening"].value, found["opening"].gate) == (0.25, "pass")


def test_distinct2_is_gated_against_a_baseline_only() -> None:
    texts = clean(60, sentences=160)
    usual = by_id(score(texts))["distinct2"]
    assert usual.gate is None
    assert usual.value is not None
    gates = [
        by_id(score(texts, baseline=Baseline({"distinct2": Known(usual.value * factor)})))[
            "distinct2"
        ].gate
        for factor in (1.2, 1.5)
    ]
    assert gates == ["warn", "fail"]


def test_distinct2_of_too_few_words_has_no_gate() -> None:
    found = by_id(score(clean(5), baseline=Baseline({"distinct2": Known(1.0)})))["distinct2"]
    assert found.gate is None
    assert "not comparable" in found.note


def test_an_empty_cell_of_the_plan_is_named() -> None:
    plan = {(f"s{number}", "essay"): 2 for number in range(5)}
    found = by_id(score(clean(8, kind="essay"), plan_cells=plan))
    assert (found["coverage"].value, found["coverage"].gate) == (0.8, "warn")
    assert found["coverage"].evidence == ({"section": "s4", "kind": "essay", "planned": 2},)
    assert found["coverage_entropy"].gate == "warn"


def test_a_plan_that_is_filled_as_planned_is_even_though_it_is_not_uniform() -> None:
    plan = {("s0", "a"): 9, ("s1", "a"): 1}
    texts = [
        Text(str(n), sentence(np.random.default_rng(n)), "s1" if n == 9 else "s0", kind="a")
        for n in range(10)
    ]
    found = by_id(score(texts, plan_cells=plan))
    assert (found["coverage"].gate, found["coverage_entropy"].value) == ("pass", 1.0)


@settings(max_examples=10, deadline=None)
@given(order=st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(order: random.Random) -> None:
    texts = changed(clean(30), 0.2, "It was a quiet evening when Elara came.")
    expected = score(texts)
    order.shuffle(texts)
    assert score(texts) == expected


def test_no_texts_give_every_metric_without_a_value() -> None:
    empty = score([])
    assert [metric.id for metric in empty] == [metric.id for metric in score(clean(3))]
    assert {metric.value for metric in empty} == {None}
    assert {metric.gate for metric in empty} == {None}


def test_near_duplicates_are_what_the_caller_measured() -> None:
    named = [(text.id, text.text) for text in clean(50)]
    copies = [dict.fromkeys(named[:n], 1) for n in (0, 1, 3)]
    gates = [by_id(score(clean(50), near_duplicates=near))["near_dup"].gate for near in copies]
    assert gates == ["pass", "warn", "fail"]
    assert by_id(score(clean(3)))["near_dup"].value is None


def test_limits_replace_single_gates_and_unknown_ones_are_refused() -> None:
    texts = changed(clean(100), 0.2, "It was a quiet evening:")
    assert raised(score(texts, limits={"opening": (0.5, 0.6)})) == {"opening_repeated"}
    with pytest.raises(InputError, match="did you mean 'opening'"):
        score(texts, limits={"openings": (0.5, 0.6)})


def test_files_are_scored_and_serve_as_a_baseline(tmp_path: Path) -> None:
    path, baseline = tmp_path / "rows.jsonl", tmp_path / "baseline.json"
    write_rows(path, [{"text": text.text, "kind": 3} for text in clean(60, sentences=160)])
    result = as_json(score(read_files([path])))
    baseline.write_text(json.dumps(result), encoding="utf-8")
    assert json.loads(baseline.read_text(encoding="utf-8")) == result
    assert result["metrics"]["distinct2"]["gate"] is None
    again = as_json(score(read_files([path]), baseline=read_baseline(baseline)))
    assert again["metrics"]["distinct2"]["gate"] == "pass"
    assert set(DEFAULTS) - {"eff_topics_least"} <= set(again["metrics"])


def test_chats_are_scored_by_their_turns(tmp_path: Path) -> None:
    write_rows(
        tmp_path / "chats.jsonl", [{"messages": [{"content": "One two."}, {"content": "Three."}]}]
    )
    assert by_id(score(read_files([tmp_path / "chats.jsonl"])))["lengths"].value == 3


NO_BASELINE = ["", "[]", '{"metrics": {"a": 1}}', '{"metrics": []}', '{"metrics": {}}']


@pytest.mark.parametrize("content", NO_BASELINE)
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "base.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"base\.json: not a baseline"):
        read_baseline(tmp_path / "base.json")


POINTS = [
    [{"value": 1.0}], [{"documents": 0, "value": 1.0}], [{"documents": "many", "value": 1.0}],
    [{"documents": 5, "value": math.nan}], [{"documents": 10**400, "value": 1.0}], ["a point"],
    [{"documents": 9, "value": 1.0}, {"documents": 5, "value": 1.0}],
]  # fmt: skip


@pytest.mark.parametrize("row", [{"curve": curve} for curve in POINTS] + [{"value": math.nan}])
def test_a_baseline_whose_numbers_are_none_is_refused_in_one_line(
    tmp_path: Path, row: dict[str, object]
) -> None:
    metrics = {"zstd_long": {"value": 2.5, "n": 5, **row}}
    (tmp_path / "base.json").write_text(json.dumps({"metrics": metrics}), "utf-8")
    write_rows(tmp_path / "scores.jsonl", [{"id": "zstd_long", **metrics["zstd_long"]}])
    for path in (tmp_path / "base.json", tmp_path):
        with pytest.raises(InputError, match=r"not a baseline; give [^\n]+$"):
            read_baseline(path)


@pytest.mark.parametrize(("words", "known"), [(449.0, False), (450.0, True)])
def test_distinct2_of_a_baseline_with_too_few_words_is_nothing_to_compare_with(
    tmp_path: Path,
    words: float,
    known: bool,  # noqa: FBT001 - a parameter
) -> None:
    row = {"value": 0.6, "n": 200, "words": words}
    (tmp_path / "base.json").write_text(
        json.dumps({"metrics": {"distinct2": row, "mtld": row}}), "utf-8"
    )
    assert ("distinct2" in read_baseline(tmp_path / "base.json").values) == known


def test_rows_without_an_id_are_told_apart(tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "rows.jsonl", tmp_path / "b" / "rows.jsonl"]
    for path in paths:
        write_rows(path, [{"text": "one"}, {"text": "two"}])
    assert len({text.id for text in read_files(paths)}) == 4


def test_a_row_without_text_is_named(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", [{"text": "one"}, {"body": "two"}])
    with pytest.raises(InputError, match=r"rows\.jsonl, row 2: no \"text\""):
        read_files([tmp_path / "rows.jsonl"])


def test_the_docstrings_of_the_standard_library_do_not_fail() -> None:
    library = Path(ast.__file__).parent
    found = {
        path.stem: ast.get_docstring(ast.parse(path.read_bytes())) for path in library.glob("*.py")
    }
    texts = [Text(name, text) for name, text in found.items() if text and len(text.split()) > 40]
    assert len(texts) > 50
    gates = {metric.id for metric in score(texts, known_names=["Python"]) if metric.gate == "fail"}
    assert gates == set()


def test_documents_that_a_strong_model_wrote_do_not_fail() -> None:
    if not PEERS.exists():
        pytest.skip("the peer's documents are not beside this checkout")
    metrics = score(read_files([PEERS]), known_names=["Claude", "Anthropic"])
    assert raised(metrics) == set()
