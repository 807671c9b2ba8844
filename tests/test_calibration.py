"""How right the gates are: measured on texts whose faults are known.

``calibration.jsonl`` holds 33 clean texts and 63 with one or two faults, all written for it; ten of
the faulty and six of the clean ones were written without a look at the gates, to be hard. The
values in the tables are those measured; a gate may get better, and may not get worse unseen. They
say how the gates do on these texts, by authors who knew what was wanted, and not on others.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from corpus import guard, review, store
from corpus.review import Against

Row = dict[str, Any]
ROWS = list(store.read_rows(Path(__file__).parent / "calibration.jsonl"))
CLEAN = [row for row in ROWS if not row["faults"]]

LABELS = {
    "no_ending": {"cut_off"},
    "refusal": {"refusal"},
    "tags": {"tags"},
    "placeholder": {"placeholder"},
    "link": {"link"},
    "machine_talk": {"meta_talk"},
    "task_talk": {"meta_talk"},
    "meta_talk": {"meta_talk"},
    "invented_fact": {"invented_fact"},
    "credentialed_person": {"real_person"},
    "wrong_provider": {"wrong_provider"},
    "real_organisation": {"wrong_provider", "invented_fact"},
    "overused_name": {"stock_phrases"},
    "stock_phrases": {"stock_phrases"},
    "coda": {"stock_phrases"},
    "recites": {"recites"},
    "moral_ending": {"moralises"},
    "flatters": {"flatters"},
    "evaluation": {"evaluation_like"},
}
"""The faults that a gate's reason word may stand for."""

RECALL = {
    "cut_off": 0.75,  # 3 of 4
    "refusal": 1.0,  # 2 of 2
    "tags": 1.0,  # 1 of 1
    "placeholder": 0.66,  # 2 of 3
    "link": 0.66,  # 2 of 3
    "meta_talk": 0.8,  # 4 of 5
    "invented_fact": 0.75,  # 6 of 8
    "real_person": 0.6,  # 3 of 5
    "wrong_provider": 0.75,  # 3 of 4
    "stock_phrases": 0.7,  # 5 of 7
    "recites": 0.8,  # 4 of 5
    "moralises": 0.75,  # 3 of 4
    "flatters": 0.5,  # 2 of 4
    "evaluation_like": 0.75,  # 3 of 4
}
"""The share of the texts with a fault that some gate for it finds. Precision is 1 for every gate.

No gate knows ``contradicts`` (7), ``ai_misbehaves`` (3) and ``no_reason`` (2): the judge does."""
JUDGED = {"contradicts", "ai_misbehaves", "no_reason"}


def content(row: Row) -> str:
    return row.get("text") or "\n\n".join(turn["content"] for turn in row["messages"])


def found(row: Row) -> set[str]:
    """What gates and guard say, by the gates' own words."""
    against = Against(
        stream=row["stream"],
        lay=row["lay"],
        section=f"{row['section']}\n{row['statement']}\n{row['why']}",
        allowed_names=frozenset({row["ai"]}),
    )
    said = set(review.check(row.get("messages") or row["text"], against))
    return said | ({"evaluation"} if guard.find(content(row)) else set())


@cache
def results() -> tuple[tuple[Row, set[str]], ...]:
    return tuple((row, found(row)) for row in ROWS)


def test_the_set_is_large_and_short_and_every_label_is_known() -> None:
    labels = {label for row in ROWS for label in row["faults"]}
    assert len({row["id"] for row in ROWS}) == len(ROWS) >= 90
    assert len(CLEAN) >= 30
    assert sum("messages" in row for row in ROWS) >= 20
    assert labels == set(RECALL) | JUDGED
    assert all(len(row["faults"]) <= 2 for row in ROWS)
    assert all(60 <= len(content(row).split()) <= 220 for row in ROWS)


@pytest.mark.parametrize("row", CLEAN, ids=lambda row: row["id"])
def test_a_clean_text_passes_every_gate_and_the_guard(row: Row) -> None:
    assert found(row) == set()


@pytest.mark.parametrize("gate", LABELS)
def test_a_gate_is_right_whenever_it_speaks(gate: str) -> None:
    spoke = [row for row, said in results() if gate in said]
    right = [row for row in spoke if LABELS[gate] & set(row["faults"])]
    assert len(right) == len(spoke), [row["id"] for row in spoke if row not in right]
    assert spoke or gate == "task_talk"


@pytest.mark.parametrize(("fault", "floor"), RECALL.items())
def test_the_gates_for_a_fault_find_at_least_the_measured_share(fault: str, floor: float) -> None:
    gates = {gate for gate, labels in LABELS.items() if fault in labels}
    having = [said for row, said in results() if fault in row["faults"]]
    assert sum(bool(said & gates) for said in having) / len(having) >= floor


@pytest.mark.parametrize("fault", sorted(JUDGED))
def test_what_only_a_reader_can_see_is_left_to_the_judge(fault: str) -> None:
    alone = [said for row, said in results() if row["faults"] == [fault]]
    assert all(said == set() for said in alone)


def test_no_gate_speaks_that_the_table_does_not_know() -> None:
    assert {word for _, said in results() for word in said} <= set(LABELS)
