"""Kinds: the shipped library, a user's own, and every way in which a file cannot be used."""

from __future__ import annotations

import dataclasses
import itertools
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Template
from typing import Any

import pytest

from corpus import kinds
from corpus.errors import InputError
from corpus.kinds import GROUPS, POOLS, SEED_SLOTS, SLOTS, Kind, Library, dealt

TABLES = Path(__file__).parent.parent / "scripts" / "pools"
HEADER = {"stream": '"documents"', "what": '"a label on a jar"', "words": "[50, 100]"}


@pytest.fixture(scope="module")
def shipped() -> Library:
    return kinds.load()


def text(prompt: str = "A label.", tables: str = "", **header: str) -> str:
    keys = "\n".join(f"{name} = {value}" for name, value in (HEADER | header).items())
    return f"+++\n{keys}\n{tables}\n+++\n{prompt}\n"


def agentic(tools: str) -> str:
    return text("A\n---answer---\nB", stream='"agentic"', tools=tools)


def place(folder: Path, content: str, name: str = "jar-label.md") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def read(folder: Path, content: str) -> Kind:
    return kinds.read(place(folder, content), {"documents": {"mood": {"dry": 1.0}}})


def refusal(folder: Path, content: str) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, content)
    message = str(caught.value)
    assert message.startswith(f"{folder / 'jar-label.md'}: ")
    return message


def test_the_shipped_library_has_kinds_enough_for_each_stream(shipped: Library) -> None:
    streams = Counter(kind.stream for kind in shipped.kinds)
    assert streams["documents"] >= 12
    assert streams["stories"] >= 4
    assert streams["advice"] >= 7
    assert streams["agentic"] >= 6
    assert {kind.group for kind in shipped.of("documents")} <= set(GROUPS)
    assert [kind.name for kind in shipped.kinds] == sorted(kind.name for kind in shipped.kinds)


@pytest.mark.parametrize("kind", kinds.load().kinds, ids=lambda kind: kind.name)
def test_a_shipped_kind_can_fill_every_slot_and_uses_every_facet(kind: Kind) -> None:
    asked = Template(f"{kind.prompt}\n{kind.answer or ''}")
    slots = set(asked.get_identifiers())
    fixed = SLOTS | SEED_SLOTS if kind.stream == "stories" else SLOTS
    assert slots - fixed == kind.facets.keys()
    assert (kind.shape == "chat") == (kind.stream in {"advice", "agentic"})
    assert all(len(values) >= 2 for values in kind.facets.values())


ENDS = {"close", "leave_off"}


def test_how_a_text_ends_is_dealt_where_its_form_does_not_say(shipped: Library) -> None:
    ends = {kind.name: ENDS & kind.facets.keys() for kind in shipped.of("documents")}
    assert sum(map(bool, ends.values())) > len(ends) / 2
    for kind in shipped.of("documents"):
        assert kind.group != "latent" or "close" not in ends[kind.name]  # one value says the reason
    for name in ENDS:
        shares = shipped_facet(shipped, name)
        assert max(shares.values()) / sum(shares.values()) <= 1 / 8


def test_right_conduct_is_a_nuisance_no_more_often_than_anything_else(shipped: Library) -> None:
    dealt_to = {kind.name for kind in shipped.kinds if "taken" in kind.facets}
    assert {kind.name for kind in shipped.of("documents") if kind.group == "latent"} - dealt_to == {
        "how-to-page"
    }
    shares = shipped_facet(shipped, "taken")
    resented = sum(share for value, share in shares.items() if "nuisance" in value)
    assert 0 < resented / sum(shares.values()) <= 1 / 8
    told = " ".join(kind.prompt for kind in shipped.kinds if kind.name in dealt_to)
    assert not re.search(r"\b(?:nuisance|curses?|groans|swear|tiresome|nerves)\b", told)


CHATS = [kind for kind in kinds.load().kinds if kind.shape == "chat"]


@pytest.mark.parametrize("kind", CHATS, ids=lambda kind: kind.name)
def test_a_chat_asks_for_a_system_prompt_and_shows_the_claim_to_the_answer_alone(
    kind: Kind,
) -> None:
    message, answer = Template(kind.prompt), Template(kind.answer or "")
    assert "system_form" in message.get_identifiers()
    assert "statement" not in message.get_identifiers()
    assert {"statement", "words"} <= set(answer.get_identifiers())


@pytest.mark.parametrize("stream", ["advice", "agentic"])
def test_one_system_prompt_in_three_is_none_in_advice_and_none_begins_you_are(
    stream: str, shipped: Library
) -> None:
    for kind in shipped.of(stream):
        forms = kind.facets["system_form"]
        none = forms.get("none", 0.0) / sum(forms.values())
        assert none == pytest.approx(0.35 if stream == "advice" else 0.0, abs=0.01)
        assert len(forms) >= 10
        assert not [form for form in forms if form.lower().startswith("you are")]


@pytest.mark.parametrize(("stream", "word"), [("advice", "comply:"), ("agentic", "go ahead:")])
def test_often_enough_the_right_answer_is_simply_yes(
    stream: str, word: str, shipped: Library
) -> None:
    answers = [kind.facets.get("right_answer", {}) for kind in shipped.of(stream)]
    for shares in filter(None, answers):
        plain = sum(share for value, share in shares.items() if value.startswith(word))
        assert plain / sum(shares.values()) >= {"advice": 0.15, "agentic": 0.1}[stream]


def test_answers_of_advice_run_from_very_short_to_long(shipped: Library) -> None:
    lengths = [kind.words for kind in shipped.of("advice")]
    assert (min(low for low, _ in lengths), max(high for _, high in lengths)) == (140, 1200)


def fold(name: str) -> str:
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def twice(values: Iterable[str], most: int = 1) -> list[str]:
    return [value for value, count in Counter(values).items() if count > most]


def test_each_locale_has_enough_of_each_pool_and_nothing_twice(shipped: Library) -> None:
    assert len(shipped.pools) >= 45
    for key, pools in shipped.pools.items():
        assert len(pools.people) >= 25, key
        assert len(pools.towns) >= 12, key
        assert len(pools.institutions) >= 12, key
        assert not twice(fold(name) for pool in POOLS[1:] for name in pools.of(pool)), key
        assert pools.of("person") == pools.of("other") == pools.people


def test_a_pool_that_is_none_is_refused(shipped: Library) -> None:
    with pytest.raises(KeyError, match="river"):
        next(iter(shipped.pools.values())).of("river")


def test_a_given_name_is_in_three_locales_at_most_and_a_place_in_one(shipped: Library) -> None:
    locales = shipped.pools.values()
    assert not twice((fold(name) for pools in locales for name in pools.people), most=3)
    assert not twice(town for pools in locales for town in pools.towns)
    assert not twice(body for pools in locales for body in pools.institutions)


def test_no_name_that_models_overuse_is_dealt(shipped: Library) -> None:
    path = Path(kinds.__file__).parent / "overused.txt"
    overused = {fold(name) for name in path.read_text(encoding="utf-8").split()}
    assert len(overused) >= 80
    people = {fold(name) for pools in shipped.pools.values() for name in pools.people}
    assert not people & overused


def test_every_name_is_in_latin_script(shipped: Library) -> None:
    for pools in shipped.pools.values():
        for name in (*pools.people, *pools.towns, *pools.institutions):
            letters = [sign for sign in name if sign.isalpha()]
            assert name == unicodedata.normalize("NFC", name).strip()
            assert all(unicodedata.name(sign).startswith("LATIN ") for sign in letters), name
        assert all(name.replace("-", "").isalpha() for name in pools.people)


def test_the_pools_follow_their_tables_and_no_region_is_above_its_bound(shipped: Library) -> None:
    regions = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in TABLES.glob("*.toml")}
    tables = {key: table for region in regions.values() for key, table in region.items()}
    assert list(shipped.pools) == sorted(tables)
    for key, pools in shipped.pools.items():
        assert pools.weight == tables[key]["weight"]
        assert set(pools.towns) == set(tables[key]["towns"])
        assert set(pools.institutions) == set(tables[key]["institutions"])
    whole = sum(pools.weight for pools in shipped.pools.values())
    shares = {name: sum(t["weight"] for t in r.values()) / whole for name, r in regions.items()}
    assert shares.pop("europe") <= 0.35
    assert len(shares) == 7
    assert all(0.05 <= share <= 0.18 for share in shares.values()), shares


def test_no_given_name_has_more_than_two_in_a_thousand_deals(shipped: Library) -> None:
    whole = sum(pools.weight for pools in shipped.pools.values())
    deals: Counter[str] = Counter()
    for pools in shipped.pools.values():
        for name in pools.people:
            deals[fold(name)] += pools.weight / whole / len(pools.people)
    name, share = deals.most_common(1)[0]
    assert share <= 0.002, name


def test_a_users_kind_is_added_and_one_of_the_same_name_takes_its_place(
    tmp_path: Path, shipped: Library
) -> None:
    old = shipped.of("documents")[0].name
    place(tmp_path, text("A label, $register."))
    place(tmp_path, text("Another form of it."), f"{old}.md")
    library = kinds.load(tmp_path)
    assert len(library.kinds) == len(shipped.kinds) + 1
    assert library.get("jar-label").facets["register"] == shipped_facet(shipped, "register")
    assert library.get(old).prompt == "Another form of it."
    assert library.digest != shipped.digest


def shipped_facet(library: Library, name: str) -> dict[str, float]:
    return next(kind.facets[name] for kind in library.kinds if name in kind.facets)


def test_a_single_file_may_be_added(tmp_path: Path, shipped: Library) -> None:
    library = kinds.load(place(tmp_path, text()))
    assert {kind.name for kind in library.kinds} - {kind.name for kind in shipped.kinds} == {
        "jar-label"
    }


def test_a_users_folder_may_share_facets_of_its_own(tmp_path: Path) -> None:
    place(tmp_path, text("A label in $ink."))
    place(tmp_path, '[documents]\nink = ["black", "red"]\n', "facets.toml")
    assert kinds.load(tmp_path).get("jar-label").facets == {"ink": {"black": 1.0, "red": 1.0}}


def test_a_kind_keeps_only_the_facets_that_its_prompt_names(tmp_path: Path) -> None:
    plain = read(tmp_path, text())
    mood = read(tmp_path, text("In a $mood mood, $words words."))
    assert plain.facets == {}
    assert mood.facets == {"mood": {"dry": 1.0}}


def test_a_kinds_own_facet_goes_before_the_shared_one(tmp_path: Path) -> None:
    own = read(tmp_path, text("In a $mood mood.", "[facets.mood]\nwarm = 3\nodd = 1"))
    assert own.facets == {"mood": {"warm": 3.0, "odd": 1.0}}


def test_a_dollar_sign_is_written_twice(tmp_path: Path) -> None:
    assert Template(read(tmp_path, text("It costs $$5.")).prompt).substitute() == "It costs $5."


def test_the_digest_of_a_kind_follows_its_words_and_not_its_weight(tmp_path: Path) -> None:
    one = read(tmp_path, text())
    assert read(tmp_path, text("Another label.")).digest != one.digest
    heavy = dataclasses.replace(one, weight=9.0)
    assert heavy.digest == one.digest  # a brief's id is of what it asks for
    assert Library((heavy,)).digest != Library((one,)).digest  # a plan is of how it is dealt


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (text("With $moood."), "the prompt uses $moood, but no facet has that name; did you mean"),
        (text("With $premise."), "uses $premise, but no facet has that name"),
        (text("It costs $5."), "a '$' that begins no slot; write '$$'"),
        (text("None.", 'facets.ink = ["a"]'), "facet 'ink' is never used in the prompt"),
        (text("$title.", 'facets.title = ["a"]'), "facet 'title' has the name of a fixed slot"),
        (text("$quote.", 'facets.quote = ["a"]'), "facet 'quote' has the name of a fixed slot"),
        (text(sream='"x"'), "unknown key 'sream'; did you mean 'stream'?"),
        (text(stream='"story"'), "stream = 'story'; one of: documents, stories"),
        (text(stream="[1]"), "stream = [1]; one of: documents, stories"),
        (text(what='" "'), "'what' is missing"),
        (text(group='"crowl"'), "group = 'crowl'; did you mean 'crawl'?"),
        (text(words="[100, 50]"), "words = [100, 50]; give two lengths in words"),
        (text(words='"100"'), "words = '100'; give two lengths"),
        (text(weight="0"), "weight = 0; give a positive number"),
        (text(weight="nan"), "weight = nan; give a positive number"),
        (text(weight="true"), "weight = True; give a positive number"),
        (text(prompt=""), "there is no prompt below the header"),
        (text("A\n---answer---\nB"), "a kind of stream 'documents' has no a line '---answer---'"),
        (text(stream='"advice"'), "a kind of stream 'advice' needs a line '---answer---'"),
        (text(tools='["mail"]'), "only kinds of stream 'agentic' have 'tools'; drop the line"),
        (agentic('["mial"]'), "tools: no family 'mial'; did you mean 'mail'?"),
        (agentic("[]"), "tools = []; give families of tools, such as"),
        (agentic('"mail"'), "tools = 'mail'; give families of tools"),
        (agentic("[1]"), "tools = [1]; give families of tools"),
        (text("A\n---answer---\nB", stream='"agentic"'), "tools = None; give families of tools"),
        (text("$ink", "facets.ink = []"), "facet 'ink': give a list of strings, or a table"),
        (text("$ink", 'facets.ink = ["a", 1]'), "facet 'ink': give a list of strings"),
        (text("$ink", "facets.ink = {a = 0}"), "facet 'ink': the share of 'a' is 0; give a pos"),
        (text("$ink", "facets.ink = {a = inf}"), "the share of 'a' is inf; give a positive"),
        (text("x", "facets = [1]"), "facets = [1]; write a table [facets]"),
        (text(words="[1,"), "the header is not TOML"),
        ("Just a prompt.", "no header; a kind begins with TOML between two lines of '+++'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(
    tmp_path: Path, content: str, said: str
) -> None:
    assert said in refusal(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[document]\n", "unknown stream 'document'; did you mean 'documents'?"),
        (b"documents = 3\n", "documents = 3; write a table [documents]"),
        (b"[documents]\nink = 3\n", "[documents] ink: give a list of strings"),
        (b"[documents\n", "not TOML"),
        (b"\xff", "not TOML in UTF-8"),
    ],
)
def test_shared_facets_that_cannot_be_used_are_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "facets.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        kinds.load(tmp_path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


def test_a_missing_file_and_one_that_is_not_utf_8_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        kinds.load(tmp_path / "none.md")
    path = tmp_path / "odd.md"
    path.write_bytes(b"+++\n\xff\n+++\n")
    with pytest.raises(InputError, match="not UTF-8"):
        kinds.load(path)


# Tools

TOOLS = [tool for tools in kinds.toolbox().values() for tool in tools]
TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}
SHAPES = {  # what may stand in a schema, and of what type it is
    "type": (str, list),
    "description": str,
    "properties": dict,
    "required": list,
    "additionalProperties": (bool, dict),
    "minProperties": int,
    "items": dict,
    "minItems": int,
    "maxItems": int,
    "uniqueItems": bool,
    "enum": list,
    "default": object,
    "examples": list,
    "format": str,
    "pattern": str,
    "minLength": int,
    "maxLength": int,
    "minimum": (int, float),
    "maximum": (int, float),
    "exclusiveMinimum": (int, float),
}
BELONGS = {  # keywords that say nothing about other types
    "object": {"properties", "required", "additionalProperties", "minProperties"},
    "array": {"items", "minItems", "maxItems", "uniqueItems"},
    "string": {"format", "pattern", "minLength", "maxLength"},
    "number": {"minimum", "maximum", "exclusiveMinimum"},
}
PYTHON = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list}


def flaws(schema: Any, where: str = "schema") -> Iterator[str]:
    """What keeps ``schema`` from being a JSON Schema that a careful reader would pass."""
    if not isinstance(schema, dict):
        yield f"{where} is no object"
        return
    types = schema.get("type")
    named = set(types) if isinstance(types, list) else {types}
    if not named or not named <= TYPES:
        yield f"{where} has type {types!r}"
    for word, value in schema.items():
        if word not in SHAPES or not isinstance(value, SHAPES[word]):
            yield f"{where}.{word} is {value!r}"
        home = next((kind for kind, words in BELONGS.items() if word in words), None)
        if home and home not in named and not (home == "number" and "integer" in named):
            yield f"{where}.{word} says nothing about {types}"
    yield from _bounds(schema, where)
    yield from _values(schema, named, where)
    for name, inner in schema.get("properties", {}).items():
        yield from flaws(inner, f"{where}.{name}")
    for word in ("items", "additionalProperties"):
        if word == "items" and "array" in named and word not in schema:
            yield f"{where} is a list of anything"
        if isinstance(schema.get(word), dict):
            yield from flaws(schema[word], f"{where}.{word}")


def _bounds(schema: dict[str, Any], where: str) -> Iterator[str]:
    for what in ("imum", "Length", "Items"):
        if schema.get(f"min{what}", 0) > schema.get(f"max{what}", float("inf")):
            yield f"{where}: min{what} is above max{what}"
    if not set(schema.get("required", ())) <= schema.get("properties", {}).keys():
        yield f"{where}: 'required' names what is no property"
    if schema.get("format", "date") not in {"date", "date-time", "email", "uri"}:
        yield f"{where}: format {schema['format']!r}"
    re.compile(schema.get("pattern", ""))


def _values(schema: dict[str, Any], named: set[str], where: str) -> Iterator[str]:
    allowed = schema.get("enum")
    if allowed is not None and len(allowed) != len(set(allowed)):
        yield f"{where}: 'enum' repeats itself"
    given = [*(allowed or ()), *([schema["default"]] if "default" in schema else ())]
    expected = PYTHON.get(next(iter(named)), object)
    for value in given:
        if not isinstance(value, expected) or (allowed and value not in allowed):
            yield f"{where}: {value!r} does not fit"


def test_the_toolbox_is_wide(shipped: Library) -> None:
    assert len(shipped.tools) >= 15
    assert len(TOOLS) >= 60
    assert all(len(tools) >= 2 for tools in shipped.tools.values())
    names = [tool["name"] for tool in TOOLS]
    assert {name.replace("_", "").islower() for name in names} == {True, False}


def test_every_tool_has_a_name_that_the_api_takes_and_no_other_tool_has() -> None:
    names = [tool["name"] for tool in TOOLS]
    assert [name for name in names if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)] == []
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool["name"])
def test_a_tool_is_described_and_its_input_schema_is_sound(tool: dict[str, Any]) -> None:
    assert tool.keys() == {"name", "description", "input_schema"}
    assert len(tool["description"].split()) >= 2
    assert tool["input_schema"]["type"] == "object"
    assert tool["input_schema"]["properties"]
    assert list(flaws(tool["input_schema"], tool["name"])) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"type": "array"},
        {"type": "string", "enum": ["a", "a"]},
        {"type": "string", "enum": ["a"], "default": "b"},
        {"type": "integer", "default": "1"},
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"type": "string", "minimum": 2},
        {"type": "object", "properties": {}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": "string", "format": "day"}}},
        {"type": "object", "properties": {"a": {"kind": "string"}}},
    ],
    ids=str,
)
def test_the_check_of_schemas_finds_what_is_wrong(schema: dict[str, Any]) -> None:
    assert list(flaws(schema))


def test_every_agentic_kind_names_families_that_exist_and_every_family_is_named(
    shipped: Library,
) -> None:
    agentic = shipped.of("agentic")
    named = [(*kind.needs, *kind.tools) for kind in agentic]
    assert all(kind.needs for kind in agentic)
    assert not [kind.name for kind in agentic if set(kind.needs) & set(kind.tools)]
    assert set(itertools.chain(*named)) == shipped.tools.keys()
    assert {kind.tools for kind in shipped.kinds if kind.stream != "agentic"} == {()}


def test_the_digest_of_a_kind_follows_its_tools(tmp_path: Path) -> None:
    one, other = (read(tmp_path, agentic(tools)) for tools in ('["mail"]', '["mail", "files"]'))
    assert one.tools == ("mail",)
    assert one.digest != other.digest


# Places


def test_every_place_that_is_known_has_a_locale_and_tools_that_exist(shipped: Library) -> None:
    countries, desks = dealt.places()
    assert countries.keys() == shipped.pools.keys()
    assert not twice(itertools.chain(*countries.values()))
    domains = set(shipped.get("inbox-errand").facets["domain"])
    assert desks.keys() == domains
    assert set(itertools.chain(*desks.values())) <= shipped.tools.keys()


@pytest.mark.parametrize(
    ("setting", "locale"),
    [
        ("A weir on the Lower Bann, Northern Ireland; spring nights", "irish"),
        ("The road from Kostanay, Kazakhstan, to Łódź, Poland", "kazakh"),
        ("A settlement in Coprates canyon, Mars", ""),
        ("Oyotown, nowhere", ""),
    ],
)
def test_the_first_known_place_of_a_setting_gives_the_names(setting: str, locale: str) -> None:
    assert dealt.locale_of(setting) == locale


def test_only_stories_have_stakes_and_only_chats_with_tools_need_any(tmp_path: Path) -> None:
    assert "'stakes'" in refusal(tmp_path, text("A", stakes='["slight"]'))
    assert "'needs'" in refusal(tmp_path, text("A", needs='["mail"]'))
    tale = text("A", stream='"stories"', stakes='["slight"]')
    assert read(tmp_path, tale).stakes == ("slight",)
    assert "stakes" in refusal(tmp_path, text("A", stream='"stories"', stakes='"slight"'))


def test_tools_are_told_in_a_line_each(shipped: Library) -> None:
    lines = dealt.tool_list(shipped.tools["shell"]).split("\n")
    assert len(lines) == len(shipped.tools["shell"])
    assert lines[0].startswith("- run_command(")
