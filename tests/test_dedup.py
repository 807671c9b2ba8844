"""Near-copies: what is found, what is not, and who stays."""

from __future__ import annotations

import itertools
import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from corpus import dedup, grams
from corpus.dedup import Item, Options, find
from corpus.dedup.constants import MASK
from corpus.dedup.names import Mask, names_of
from corpus.dedup.signatures import shingled, sign
from corpus.errors import InputError
from corpus.store import read_rows, write_rows

VOCABULARY = [
    a + b for a in "ba de fo gi ku la me no".split() for b in "rst lim nox vane pel".split()
]


def prose(seed: int, count: int = 120) -> list[str]:
    return [str(word) for word in np.random.default_rng(seed).choice(VOCABULARY, count)]


def edited(words: list[str], share: float, seed: int) -> list[str]:
    chances = np.random.default_rng(seed).random(len(words))
    return [
        word + "x" if chance < share else word for word, chance in zip(words, chances, strict=True)
    ]


def planted(families: int, copies: int) -> list[Item]:
    """Families of near-copies, from nearly the same to clearly under every threshold."""
    items = []
    for family in range(families):
        base = prose(family)
        items.append(Item(f"{family}-0", " ".join(base)))
        for copy in range(1, copies + 1):
            words = edited(base, copy * 0.02, 1000 * family + copy)
            items.append(Item(f"{family}-{copy}", " ".join(words)))
    return items


def string_shingles(text: str) -> set[tuple[str, ...]]:
    """The oracle: real 5-grams in a Python set, no hash anywhere."""
    words = re.findall(r"[^\W_]+", text.casefold())
    return {tuple(words[place : place + 5]) for place in range(max(1, len(words) - 4))}


def similarity(one: str, other: str) -> float:
    a, b = string_shingles(one), string_shingles(other)
    return len(a & b) / len(a | b)


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8])
def test_every_reported_similarity_is_the_exact_one(threshold: float) -> None:
    texts = {item.id: item.text for item in planted(60, 6)}
    items = [Item(name, text) for name, text in texts.items()]
    found = find(items, threshold=threshold)
    assert len(found) >= 30
    for duplicate in found:
        exact = similarity(texts[duplicate.id], texts[duplicate.original])
        assert duplicate.similarity == pytest.approx(exact)
        assert duplicate.similarity >= threshold


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8])
def test_next_to_no_true_pair_survives(threshold: float) -> None:
    items = planted(60, 6)
    gone = {duplicate.id for duplicate in find(items, threshold=threshold)}
    families = itertools.groupby(items, key=lambda item: item.id.split("-")[0])
    pairs = [
        (one.id, other.id)
        for _, family in families
        for one, other in itertools.combinations(family, 2)
        if similarity(one.text, other.text) >= threshold
    ]
    missed = [pair for pair in pairs if not gone.intersection(pair)]
    assert len(missed) <= 0.01 * len(pairs)


@settings(max_examples=20, deadline=None)
@given(order=st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(order: random.Random) -> None:
    items = [Item(item.id, item.text, mask=True) for item in planted(5, 5)]
    expected = find(items)
    order.shuffle(items)
    assert find(items) == expected
    assert expected == sorted(expected, key=lambda duplicate: duplicate.id)


def test_what_was_kept_holds_no_more_duplicates() -> None:
    items = planted(30, 6)
    gone = {duplicate.id for duplicate in find(items)}
    assert gone
    assert find([item for item in items if item.id not in gone]) == []


def test_the_end_of_a_chain_stays() -> None:
    words = prose(7, 200)
    middle = words[:100] + [word + "q" for word in words[100:115]] + words[115:]
    end = middle[:40] + [word + "q" for word in middle[40:55]] + middle[55:]
    a, b, c = (" ".join(text) for text in (words, middle, end))
    assert similarity(a, b) >= 0.8
    assert similarity(b, c) >= 0.8
    assert similarity(a, c) < 0.8
    found = find([Item("a", a, score=2), Item("b", b, score=1), Item("c", c)], threshold=0.8)
    assert [duplicate.id for duplicate in found] == ["b"]


def test_the_better_score_stays_then_the_longer_text_then_the_smaller_id() -> None:
    words = prose(3)
    text, longer = " ".join(words), " ".join([*words, "coda"])
    assert [d.id for d in find([Item("a", longer), Item("b", text, score=1)])] == ["a"]
    assert [d.id for d in find([Item("a", text), Item("b", longer)])] == ["a"]
    assert [d.id for d in find([Item("b", text), Item("a", text)])] == ["b"]


def test_punctuation_case_and_compatibility_forms_do_not_hide_a_copy() -> None:
    (found,) = find(
        [Item("a", "The ﬁrst Straße, at dawn."), Item("b", "the first STRASSE -- at _dawn_")]
    )
    assert (found.id, found.original, found.similarity, found.method) == ("b", "a", 1.0, "exact")
    assert found.cluster == "a"


STORY = (
    "In the morning, {0} walked to the harbour because old {1} had asked {0} for help with the "
    "nets. The boats were late, and {1} said that {0} should wait by the wall. When the wind "
    "turned, {2} came down the hill with bread, and {0} gave half of it to {1} without a word. "
    "They talked about the lamp until, at last, {2} laughed and {0} agreed that it must be mended."
)


def test_a_story_with_other_names_is_found_only_with_the_mask() -> None:
    one = STORY.format("Elena", "Marcus", "Amara")
    other = STORY.format("Tomasz", "Ingrid Holm", "Wei")
    assert find([Item("a", one), Item("b", other)]) == []
    (found,) = find([Item("a", one, mask=True), Item("b", other, mask=True)])
    assert (found.method, found.similarity) == ("minhash-masked", 1.0)


def test_a_story_whose_people_changed_their_gender_is_found() -> None:
    one = STORY.format("Elena", "Marcus", "Amara") + " She thanked him for his bread, and he her."
    other = STORY.format("Tomasz", "Ingrid", "Wei") + " He thanked her for her bread, and she him."
    (found,) = find([Item("a", one, mask=True), Item("b", other, mask=True)], threshold=0.99)
    assert (found.method, found.similarity) == ("minhash-masked", 1.0)


def test_only_words_that_are_capitalised_inside_sentences_are_names() -> None:
    text = "Then Rosa left. Rain fell, and the rain hid Rosa. However Rosa, Rain or not, sang."
    assert names_of([text]).tolist() == [grams.word_hash("rosa")]


def test_names_are_counted_over_the_whole_corpus_and_its_vocabulary_may_be_large() -> None:
    many = [f"then w{place}x came, and W{place}x or Rosa{place} left" for place in range(9000)]
    found = names_of([*many, *many])
    assert set(found.tolist()) == {grams.word_hash(f"rosa{place}") for place in range(9000)}


def hidden(text: str, *names: str) -> list[int]:
    mask = Mask(np.array([grams.word_hash(name) for name in names], np.uint64))
    found: list[int] = mask.hide(grams.read(grams.pack([text]))).hashes.tolist()
    return found


def test_a_run_of_names_is_one_mask_and_a_list_of_names_none() -> None:
    assert hidden("Rosa, Li and Omar", "rosa", "li", "omar") == []
    the, sang, low = (grams.word_hash(word) for word in ("the", "sang", "low"))
    assert hidden("the Rosa Li sang low", "rosa", "li") == [the, MASK, sang, low]


def test_chinese_is_compared_by_characters() -> None:
    base = "清晨的港口很安静渔民们正在修补渔网老人说风会从东边来大家继续干活直到太阳升起"
    changed = base.replace("太阳", "月亮")
    other = "图书馆的灯一直亮到深夜年轻的管理员把书一本一本放回架上她想起昨天那个孩子问过的问题"
    (found,) = find([Item("a", base), Item("b", changed), Item("c", other)])
    assert (found.id, found.method) == ("b", "minhash")
    assert found.similarity == pytest.approx(similarity(" ".join(base), " ".join(changed)))


def test_very_short_and_wordless_texts_are_compared_whole() -> None:
    texts = {
        "a": "So it is.",
        "b": "so it is",
        "c": "so it was",
        "d": "",
        "e": " ",
        "f": "!",
        "g": "?",
    }
    found = find([Item(name, text) for name, text in texts.items()])
    assert [(duplicate.id, duplicate.original) for duplicate in found] == [("b", "a"), ("e", "d")]


@given(words=st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=40))
def test_the_hash_of_shingles_is_as_good_as_the_shingles(words: list[str]) -> None:
    expected = string_shingles(" ".join(words))
    assert len(set(dedup.shingles(" ".join(words)))) == len(expected)


HOSTILE = [
    "", " ", "!", "a", "a b c d e", "\ud800 lone", "x\udfff", "\0", "ﬁ Å Å \u0345 ͺ İ ß ŉ ΐ",
    "清晨的港口很安静" * 3, "กขคง", "a\u0301e\u0301 " * 9,
    "👩‍👩‍👧 family", "word " * 5000, "a" * 9999,
    "\u1161\u11a8 각", "१२३ ⅷ ² ½ …", "un_der_score _ __", "don't “quote” it—ever",
]  # fmt: skip


def signed(texts: list[str]) -> NDArray[np.uint32]:
    return sign(shingled(grams.read(grams.pack(texts))))


def test_signatures_are_datasketch_s_bit_for_bit() -> None:
    chance = np.random.default_rng(3)
    drawn = [" ".join(chance.choice(VOCABULARY, size)) for size in chance.integers(0, 60, 2000)]
    texts = [*HOSTILE, *drawn]
    for text, row in zip(texts, signed(texts), strict=True):
        theirs = MinHash(128, seed=1, scheme="affine32", hashfunc=dedup.fold)
        theirs.update_batch(dedup.shingles(text))
        assert np.array_equal(theirs.hashvalues, row), text


def test_signatures_go_into_datasketch_s_own_index() -> None:
    items = planted(20, 3)
    rows = signed([item.text for item in items])
    index = dedup.lsh(rows, [item.id for item in items], 0.7)
    (again,) = signed([items[0].text + " And a coda."])
    assert items[0].id in index.query(dedup.lean(again))
    assert dedup.lean(rows[0]).jaccard(dedup.lean(rows[1])) > 0.6
    assert "0-0" not in index.query(dedup.lean(signed(["Nothing of the kind is here."])[0]))


@settings(deadline=None)
@given(threshold=st.floats(0.2, 1.0))
def test_bands_promise_the_recall_and_fit_the_signature(threshold: float) -> None:
    chosen = dedup.banding(threshold)
    likeness = np.linspace(threshold, 1, 500)
    assert chosen.bands * chosen.rows <= 128
    assert np.mean(1 - (1 - likeness**chosen.rows) ** chosen.bands) >= 0.998


def test_the_usual_threshold_has_25_bands_of_5() -> None:
    assert (dedup.banding(0.7).bands, dedup.banding(0.7).rows) == (25, 5)


@pytest.mark.parametrize("threshold", [0, -1, 1.01])
def test_a_threshold_without_meaning_is_refused(threshold: float) -> None:
    with pytest.raises(InputError, match="threshold"):
        find([], threshold=threshold)


def test_an_id_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'a' comes 2 times"):
        find([Item("a", "one"), Item("a", "two")])
    path = tmp_path / "in.jsonl"
    write_rows(path, [{"id": "a", "text": "one"}, {"id": "a", "text": "two"}])
    with pytest.raises(InputError, match=r"in\.jsonl, row 2: id 'a' is also at .*row 1"):
        dedup.dedup_files([path], tmp_path / "out", Options())


def test_files_keep_their_rows_as_they_came(tmp_path: Path) -> None:
    text = " ".join(prose(1))
    chat = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": text}]
    rows = [
        {"z": 1.5, "id": "b", "text": text, "meta": {"é": None}},
        {"messages": chat, "id": 7},
        {"id": "a", "text": text},
        {
            "z": 0.1,
            "id": "c",
            "text": "Something else that is said only once.",
            "meta": {"é": None},
        },
    ]
    write_rows(tmp_path / "in.jsonl", rows)
    dedup.dedup_files([tmp_path / "in.jsonl"], tmp_path / "out", Options())
    kept = list(read_rows(tmp_path / "out" / "kept.jsonl"))
    assert [list(row.items()) for row in kept] == [list(rows[place].items()) for place in (1, 3)]
    gone = list(read_rows(tmp_path / "out" / "duplicates.jsonl"))
    assert [(row["id"], row["original"], row["cluster"]) for row in gone] == [
        ("a", "7", "7"),
        ("b", "7", "7"),
    ]


def test_the_counts_add_up(tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", [{"id": i.id, "text": i.text} for i in planted(8, 3)])
    counts = dedup.dedup_files([tmp_path / "in.jsonl"], tmp_path / "out", Options())
    gone = list(read_rows(tmp_path / "out" / "duplicates.jsonl"))
    assert counts["documents"] == 32
    assert counts["documents"] - counts["kept"] == counts["duplicates"] == len(gone) > 0
    assert counts["clusters"] == len({row["cluster"] for row in gone}) == 8
    assert sum(counts["methods"].values()) == counts["duplicates"] <= counts["candidates"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "no id"}, 'row 1: no "id"'),
        ({"id": "a"}, 'row 1: no "text" and no "messages"'),
        ({"id": "a", "messages": [{"content": 3}]}, 'row 1: "messages" must be objects'),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, row: object, message: str) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        dedup.dedup_files([path], tmp_path / "out", Options())
    assert not (tmp_path / "out").exists()


def test_an_input_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    write_rows(path, [{"id": "a", "text": "one"}])
    with pytest.raises(InputError, match="choose another folder"):
        dedup.dedup_files([path], tmp_path, Options())
