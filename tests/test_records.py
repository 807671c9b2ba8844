"""Records: every noun survives its JSON form, and its name depends on what it holds alone."""

from __future__ import annotations

import builtins
import dataclasses
import json
import types
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from corpus import records
from corpus.errors import CorpusError, InputError, did_you_mean
from corpus.records import Document, Record, Reply, Request, Section, Usage, canonical, digest

NOUNS = [
    records.Section,
    records.Principle,
    records.Seed,
    records.Brief,
    records.Request,
    records.Usage,
    records.Reply,
    records.Review,
    records.Duplicate,
    records.Metric,
    records.Shard,
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBER = st.integers(0, 10**9)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
PLAIN: dict[type, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: NUMBER,
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    type(None): st.none(),
}
REQUEST = Request("draft", "m", "be plain", ({"role": "user", "content": "hello"},), 100)


def values(of: Any) -> st.SearchStrategy[Any]:
    """Values of a field by its type; what JSON cannot tell from it is left out."""
    inner = typing.get_args(of)
    match typing.get_origin(of) or of:
        case records.Json:
            found = JSON
        case typing.Literal:
            found = st.sampled_from(inner)
        case types.UnionType | typing.Union:
            found = st.one_of(*(values(one) for one in inner))
        case builtins.tuple:
            found = st.lists(values(inner[0]), max_size=3).map(tuple)
        case builtins.dict:
            found = st.dictionaries(values(inner[0]), values(inner[1]), max_size=3)
        case _:
            found = nouns(of) if dataclasses.is_dataclass(of) else PLAIN[of]
    return found


def nouns(cls: Any) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(cls)
    wanted = {spec.name: values(hints[spec.name]) for spec in dataclasses.fields(cls)}
    return st.builds(cls, **wanted)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A document with a text or with messages, as the contract has it."""
    made = draw(nouns(Document))
    turns = made.messages or ({"role": "user", "content": "hello"},)
    text = draw(st.none() | TEXT)
    return dataclasses.replace(made, text=text, messages=turns if text is None else None)


def through_json(row: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(row))


@pytest.mark.parametrize("cls", NOUNS, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_every_noun_comes_back_from_its_row(cls: type[Record], data: st.DataObject) -> None:
    one = data.draw(nouns(cls))
    assert cls.from_row(through_json(one.row())) == one


@given(documents())
def test_a_document_comes_back_and_says_text_or_messages(one: Document) -> None:
    row = one.row()
    assert Document.from_row(through_json(row)) == one
    assert ("text" in row) != ("messages" in row)
    assert ("tools" in row) == (one.tools is not None)


@given(st.dictionaries(TEXT, JSON, min_size=1), JSON)
def test_a_digest_does_not_know_the_order_of_keys(table: dict[str, Any], other: Any) -> None:
    turned = dict(reversed(table.items()))
    assert digest(table, other) == digest(turned, other)
    assert canonical(table) == canonical(turned)


@given(JSON, JSON)
def test_a_digest_tells_values_apart(one: Any, other: Any) -> None:
    assert (digest(one) == digest(other)) == (canonical(one) == canonical(other))


def test_a_digest_is_the_same_in_every_run_and_on_every_machine() -> None:
    assert canonical({"b": [1, None], "a": "é"}) == '{"a":"é","b":[1,null]}'.encode()
    assert digest("a", 1) == "135f17a475a61afd"
    assert digest("a", 1, chars=4) == digest("a", 1)[:4]


@pytest.mark.parametrize("change", [{"stage": "judge"}, {"brief": "b2"}])
def test_a_requests_key_knows_nothing_of_its_bookkeeping(change: dict[str, Any]) -> None:
    assert dataclasses.replace(REQUEST, **change).key == REQUEST.key


@pytest.mark.parametrize(
    "change",
    [
        {"sample": 1},
        {"model": "n"},
        {"system": "be brief"},
        {"messages": ({"role": "user", "content": "hello!"},)},
        {"max_tokens": 101},
        {"stop_sequences": ("x",)},
    ],
)
def test_a_requests_key_changes_with_all_that_is_sent(change: dict[str, Any]) -> None:
    assert dataclasses.replace(REQUEST, **change).key != REQUEST.key


def test_the_body_of_a_request_leaves_out_what_is_empty() -> None:
    bare = dataclasses.replace(REQUEST, system="")
    assert "system" not in bare.body()
    assert "stop_sequences" not in bare.body()
    assert REQUEST.body()["system"] == "be plain"
    assert dataclasses.replace(REQUEST, stop_sequences=("x",)).body()["stop_sequences"] == ["x"]


def test_unknown_keys_of_a_row_are_passed_over() -> None:
    row = samples.section().row()
    assert Section.from_row({**row, "colour": "red"}) == samples.section()
    assert Reply.from_row({"key": "k", "text": "", "stop": "x", "model": "m"}).usage == Usage()


@pytest.mark.parametrize(
    ("part", "path", "title"),
    [((1, 1), ("A", "B"), "B"), ((2, 3), ("A", "B"), "B (2/3)"), ((1, 1), (), "rules.md")],
)
def test_a_section_is_called_by_its_last_heading(
    part: tuple[int, int], path: tuple[str, ...], title: str
) -> None:
    made = samples.section(path=path, part=part[0], parts=part[1], source="rules.md")
    assert made.title == title


def test_the_body_of_a_chat_is_all_that_was_said() -> None:
    chat = samples.written("Do not.", samples.order(samples.chat_kind()))
    assert chat.body == f"{samples.MESSAGE}\n\nDo not."
    assert samples.written("A notice.").body == "A notice."


def test_every_error_has_an_exit_code_of_its_own() -> None:
    codes = [leaf.exit_code for leaf in CorpusError.__subclasses__()]
    assert sorted(codes) == [2, 3, 4, 5, 6, 74, 75]
    assert (CorpusError.exit_code, InputError.exit_code) == (1, 2)


def test_a_near_miss_is_named_and_else_all_that_is_known() -> None:
    assert did_you_mean("storys", ["stories", "advice"]) == "; did you mean 'stories'?"
    assert did_you_mean("zzz", ["stories", "advice"]) == "; known: advice, stories"
