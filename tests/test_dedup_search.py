"""The search as a whole, against brute force; large families; rounds; the join of all pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import grams
from corpus.dedup import Growing, Item, compiled, find, plain, search
from corpus.dedup.signatures import _permutations, banding, look, look_at

WORDS = [a + b for a in "ba de fo gi ku la me no".split() for b in "rst lim nox vane".split()]
NAMES = "Rosa Omar Ingrid Wei Tomasz Amara".split()


@pytest.fixture(autouse=True)
def _compiled() -> None:
    grams.expect(grams.WORTH_COMPILING)


def copies(seed: int, families: int, most: int, *, mask: bool = False) -> list[Item]:
    """Texts of some families, copied with words changed, names swapped, parts cut and moved."""
    chance = np.random.default_rng(seed)
    items = []
    for family in range(families):
        base = [str(word) for word in chance.choice(WORDS, chance.integers(8, 90))]
        for copy in range(chance.integers(1, most + 1)):
            share = chance.choice([0, 0.01, 0.03, 0.06])
            words = [w if chance.random() > share else str(chance.choice(WORDS)) for w in base]
            words = words[: int(len(words) * chance.choice([1, 1, 0.85]))]
            name, score = str(chance.choice(NAMES)), float(chance.integers(0, 3))
            text = " ".join(["and then", name, "came, and", name, *words])
            masked = mask and bool(chance.random() < 0.8)
            items.append(Item(f"{family}-{copy}", text, score=score, mask=masked))
    return items


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    words = grams.words(text)
    return frozenset(tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4)))


def by_brute_force(items: Sequence[Item], threshold: float) -> dict[str, tuple[str, float]]:
    """The definition: best first, each held against all that stay; plain texts only."""
    ranked = sorted(items, key=lambda i: (-i.score, -len(grams.words(i.text)), i.id))
    sets = {item.id: shingles(item.text) for item in items}
    stay: list[str] = []
    gone = {}
    for item in ranked:
        mine = sets[item.id]
        found = [(len(mine & sets[o]) / len(mine | sets[o]), -p) for p, o in enumerate(stay)]
        likeness, place = max(found, default=(0.0, 0))
        if likeness >= threshold:
            gone[item.id] = (stay[-place], likeness)
        else:
            stay.append(item.id)
    return gone


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1 << 30), threshold=st.sampled_from([0.3, 0.5, 0.7, 0.8, 1.0]))
def test_all_pairs_is_brute_force_to_the_last_digit(seed: int, threshold: float) -> None:
    items = copies(seed, 12, 9)
    found = search(items, threshold=threshold, all_pairs=True).duplicates
    expected = by_brute_force(items, threshold)
    assert {one.id: (one.original, one.similarity) for one in found} == expected


@pytest.mark.parametrize("mask", [False, True])
def test_bands_find_next_to_all_that_all_pairs_finds(*, mask: bool) -> None:
    items = copies(8, 500, 6, mask=mask)
    ours, every = ({one.id for one in search(items, all_pairs=how).duplicates} for how in (0, 1))
    assert len(every) > 300
    assert len(ours ^ every) <= 0.005 * len(every)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1 << 30), workers=st.sampled_from([1, 2, 3]))
def test_rounds_and_threads_end_where_one_search_ends(seed: int, workers: int) -> None:
    items = copies(seed, 25, 5, mask=True)
    growing = Growing(0.7)
    for end in (1, 20, 21, len(items)):
        assert growing.find(items[:end]) == search(items[:end], workers=workers).duplicates
    assert growing.find(items[5:]) == find(items[5:])


def test_a_name_that_only_a_later_round_shows_is_masked_in_earlier_texts_too() -> None:
    story = "at dawn {} went down to the old harbour and mended the blue nets alone until noon came"
    one, other = (Item(name, story.format(name), mask=True) for name in ("Wei", "Amara"))
    later = Item(
        "z", "It was said that Wei knew, and Wei left. But Amara, Amara stayed.", mask=True
    )
    growing = Growing(0.7)
    assert growing.find([one, other]) == []
    (found,) = growing.find([one, other, later])
    assert (found.id, found.original, found.method) == ("Wei", "Amara", "minhash-masked")


def test_a_round_may_be_the_first_whose_names_are_hidden() -> None:
    plain_items = [item._replace(mask=False) for item in copies(4, 12, 3)]
    items = plain_items + [item._replace(id=f"+{item.id}") for item in copies(4, 12, 3, mask=True)]
    growing = Growing(0.7)
    assert growing.find(plain_items) == find(plain_items)
    assert growing.find(items) == find(items)
    more = [*items, Item("z", items[0].text)]
    assert growing.find(more) == find(more)


def test_what_was_read_without_capitals_is_read_again_where_names_are_hidden() -> None:
    first = [Item("p", "It was said that Wei knew, and Wei left. But Amara, Amara stayed.")]
    tale = (
        "One morning {} came down to the harbour early, and the boats had gone out without a word."
    )
    items = first + [Item(name, tale.format(name), mask=True) for name in ("Wei", "Amara")]
    growing = Growing(0.7)
    growing.find(first)
    assert [(one.id, one.original) for one in growing.find(items)] == [("Wei", "Amara")]
    assert growing.find(items) == find(items)


def test_blocks_in_another_order_are_other_words() -> None:
    ask = "Did the clerk tell the truth about it? "
    blocks = {"Y": f"{ask}Yes. ", "N": f"{ask}No. "}
    for orders in (("YNNY", "NYYN"), ("YNNYYN", "YNYNNY")):
        one, other = ("".join(blocks[b] for b in order) + ask for order in orders)
        (found,) = find([Item("a", one), Item("b", other)])
        assert (found.similarity, found.method) == (1.0, "minhash")


def test_a_corpus_may_outgrow_the_plain_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    items = copies(2, 30, 5, mask=True)
    expected = find(items)
    monkeypatch.setattr("corpus.grams._loaded", [])
    growing = Growing(0.7)
    assert growing.find(items[:20])
    assert not grams.is_compiled()
    grams.expect(grams.WORTH_COMPILING)
    assert growing.find(items) == expected


def test_a_family_of_hundreds_costs_each_member_once() -> None:
    chance = np.random.default_rng(5)
    base = [str(word) for word in chance.choice(WORDS, 400)]
    items = [Item(f"{copy:03}", " ".join([*base, f"end{copy}"])) for copy in range(600)]
    items += [Item(f"x{copy}", " ".join(base)) for copy in range(600)]
    found = search(items)
    assert len(found.duplicates) == 1199
    assert {one.original for one in found.duplicates} == {"000"}
    assert found.candidates <= 1199


def test_a_fixed_item_stays_and_is_named_as_what_the_copy_is_held_against() -> None:
    text = " ".join(WORDS)
    items = [Item("a", text, score=9), Item("e1", text, fixed=True), Item("e2", text, fixed=True)]
    (found,) = find(items)
    assert (found.id, found.original, found.method) == ("a", "e1", "against-exact")


def test_families_too_large_for_memory_are_measured_on_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    items = copies(3, 40, 6, mask=True)
    expected = find(items)
    monkeypatch.setattr("corpus.dedup.families.MOST_IN_MEMORY", 50)
    monkeypatch.setattr("corpus.dedup.families.BATCH_WORDS", 300)
    assert find(items) == expected


@pytest.mark.parametrize("rows", [5, 8])
def test_kernels_and_their_twin_fill_the_same_arrays(rows: int) -> None:
    texts = [item.text for item in copies(1, 40, 5)] + ["", "one", "one two three four"]
    words = grams.read(grams.pack(texts))
    found = grams.ngrams(words, 5, whole=True)
    signed = np.empty((2, len(texts), 128), np.uint32)
    keys = np.empty((4, 120 // rows, len(texts)), np.uint32)
    digests = np.empty((2, len(texts)), np.uint64)
    for at, room in enumerate((compiled, plain)):
        room.sign(found.hashes, found.places, *_permutations(), signed[at])
        room.band_keys(signed[at], rows, keys[at])
        factors, terms = (column[:120] for column in _permutations())
        room.look(words.hashes, words.places, factors, terms, rows, keys[2 + at], digests[at])
    assert np.array_equal(*signed)
    assert all(np.array_equal(keys[0], other) for other in keys[1:])
    assert np.array_equal(*digests)
    assert len(set(digests[0].tolist())) == len(set(texts))


def test_texts_are_looked_at_as_their_words_are() -> None:
    odd = [
        "",
        "\u2026 !",
        "e\u0301t\u00e9 \ufb01n",
        "\u6771\u4eac\u30bf\u30ef\u30fc",
        "one",
        "Two w\u00f6rds",
    ]
    texts = grams.pack([*odd, *(item.text for item in copies(7, 20, 3)), *odd])
    words = grams.plain.read(texts)
    keys, counts, digests = look_at(texts, banding(0.7))
    same, sums = look(words, banding(0.7))
    assert grams.is_compiled()
    assert np.array_equal(keys, same)
    assert np.array_equal(digests, sums)
    assert np.array_equal(counts, np.diff(words.places))
