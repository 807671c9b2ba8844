"""Kinds: the shipped library, a user's own, and every way in which a file cannot be used."""

from __future__ import annotations

import dataclasses
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from string import Template

import pytest

from corpus import kinds
from corpus.errors import InputError
from corpus.kinds import GROUPS, POOLS, SEED_SLOTS, SLOTS, Kind, Library

TABLES = Path(__file__).parent.parent / "scripts" / "pools"
HEADER = {"stream": '"documents"', "what": '"a label on a jar"', "words": "[50, 100]"}


@pytest.fixture(scope="module")
def shipped() -> Library:
    return kinds.load()


def text(prompt: str = "A label.", tables: str = "", **header: str) -> str:
    keys = "\n".join(f"{name} = {value}" for name, value in (HEADER | header).items())
    return f"+++\n{keys}\n{tables}\n+++\n{prompt}\n"


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
    assert streams["advice"] >= 2
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


def test_the_pool_of_given_names_is_large_and_without_doubles(shipped: Library) -> None:
    assert len(shipped.names) >= 100
    assert len(set(shipped.names)) == len(shipped.names)


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
    assert dataclasses.replace(one, weight=9.0).digest == one.digest


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
