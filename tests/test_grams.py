"""Words and n-grams as hashes: the compiled kernels against the definition, over all of Unicode."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import grams
from corpus.grams import compiled, jit, native, plain, table
from corpus.grams.definition import TOKEN
from corpus.grams.hashing import BASE, MASK, mix

POINTS = st.characters(codec=None, exclude_categories=())
STRANGE = "".join(table.special_points()) + "\u1161\u11a8각_,. aB" * 400
TEXTS = st.lists(
    st.one_of(st.text(POINTS), st.text(st.sampled_from(STRANGE)), st.text("aB, '_\n\u2026\u00a0")),
    max_size=6,
)


def assert_same(texts: list[str]) -> None:
    packed = grams.pack(texts)
    for capitals in (False, True):
        ours, twin = (one.read(packed, capitals=capitals) for one in (native, plain))
        assert ours.places.tolist() == twin.places.tolist()
        assert ours.hashes.tolist() == twin.hashes.tolist()
        assert ours.marks.tolist() == twin.marks.tolist()
    for whole in (False, True):
        runs, same = (one.ngrams(ours, 5, whole=whole) for one in (native, plain))
        assert runs.hashes.tolist() == same.hashes.tolist()
        assert runs.places.tolist() == same.places.tolist()


@settings(max_examples=300, deadline=None)
@given(texts=TEXTS)
def test_kernel_and_twin_give_the_same_bits(texts: list[str]) -> None:
    assert_same(texts)


def around(point: int) -> str:
    """A code point where its class, case and neighbours show."""
    text = chr(point)
    return f"x, {text}Ab {text} ,{text}aB{text}{text}"


def test_every_code_point_that_folds_combines_or_changes_is_read_by_definition() -> None:
    points = [ord(text) for text in table.special_points()]
    rest = np.random.default_rng(1).choice(0x110000, 4000, replace=False).tolist()
    assert len(points) > 7000
    assert_same(
        [around(point) for point in [*points, *rest, *range(0x300), *range(0xD7F0, 0xD810)]]
    )


@pytest.mark.parametrize("harm", ["none", "cut", "flipped", "folder"])
def test_the_table_is_kept_and_made_anew_where_it_is_damaged(tmp_path: Path, harm: str) -> None:
    made = table.table()
    assert np.array_equal(table.kept(tmp_path), made)
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    if harm == "folder":  # no file, and none that could be written
        path.unlink()
        path.mkdir()
    elif harm != "none":
        path.write_bytes(data[:-9] if harm == "cut" else data[:9] + b"?" + data[10:])
    assert np.array_equal(table.kept(tmp_path), made)
    assert harm == "folder" or path.read_bytes() == data


@pytest.mark.slow
def test_all_of_unicode_is_read_by_definition() -> None:
    for start in range(0, 0x110000, 0x2000):
        assert_same([around(point) for point in range(start, start + 0x2000)])


@given(text=st.text(POINTS))
def test_words_are_those_of_nfkc_and_case_folding(text: str) -> None:
    plain_text = unicodedata.normalize("NFKC", text).casefold()
    expected = TOKEN.findall(plain_text) or [plain_text.strip()]
    assert grams.words(text) == expected
    found = native.read(grams.pack([text])).hashes.tolist()
    assert found == [grams.word_hash(word) for word in expected]


def test_a_word_is_letters_and_digits_or_one_character_of_an_unspaced_script() -> None:
    assert grams.words("It's über_cool: 3½ ﬁsh") == ["it", "s", "über", "cool", "31", "2", "fish"]
    assert grams.words("東京タワー and กข") == [*"東京タワー", "and", "ก", "ข"]


def test_an_n_gram_is_the_polynomial_of_its_word_hashes() -> None:
    words = [grams.word_hash(word) for word in "one two three".split()]
    (found,) = grams.ngrams(grams.read(grams.pack(["One, two: three"])), 3).hashes.tolist()
    assert found == mix((words[0] * BASE * BASE + words[1] * BASE + words[2]) & MASK)
    assert len(grams.ngrams(grams.read(grams.pack(["one two"])), 3).hashes) == 0


def test_the_order_of_letters_and_of_words_counts() -> None:
    texts = ["ab", "ba", "a b", "b a", "aab", "abb"]
    found = grams.ngrams(grams.read(grams.pack(texts)), 5, whole=True)
    assert len(set(found.hashes.tolist())) == len(texts)


@given(words=st.lists(st.text("abcdefghij0123456789", min_size=1, max_size=8), min_size=2))
def test_no_two_short_words_share_a_hash(words: list[str]) -> None:
    assert len({grams.word_hash(word) for word in words}) == len(set(words))


@pytest.mark.parametrize("size", [7, 8, 9, 15, 16, 17, 63, 64, 65, 127, 200])
def test_words_of_any_length_are_read_wherever_they_stand(size: int) -> None:
    for letter in ("a", "Q", "7", "\u00e9", "\u00c9", "\u0416", "\u1e9e", "\u6f22", "\U0001d400"):
        word = letter * size
        assert_same([f"{'.' * at}{word}, {'x' * at}{word} {word}" for at in range(0, 70, 3)])


def test_no_two_words_of_a_large_vocabulary_share_a_hash() -> None:
    words = {f"{stem}{number}" for stem in ("a", "ba", "word", "straße") for number in range(20000)}
    assert len({grams.word_hash(word) for word in words}) == len(words)


def test_a_capital_is_seen_only_inside_a_sentence() -> None:
    text = "Then Rosa left. Rain fell,  Ann, Bo said (Max) é Éva and I"
    words = grams.words(text)
    for kernels in (native, plain):
        marks = kernels.read(grams.pack([text]), capitals=True).marks.tolist()
        shown = [word for word, mark in zip(words, marks, strict=True) if mark & grams.CAPITAL]
        assert shown == ["rosa", "bo", "éva"]


@pytest.mark.parametrize("forbid", ["CORPUS_KERNELS=plain", "numba"])
def test_without_numba_the_answers_are_the_same(forbid: str) -> None:
    code = """
import sys
if sys.argv[1] == "numba": sys.modules["numba"] = None
from corpus import dedup, grams
words = [f"w{n * n % 977}" for n in range(60_000)]
items = [dedup.Item(str(n), " ".join(words[n * 40 : n * 40 + 300])) for n in range(150)]
items += [dedup.Item(f"{n}+", items[n].text + " Anna met Anna.", mask=True) for n in range(90)]
found = dedup.search(items, threshold=0.6)
print(len(found.duplicates), found.duplicates, found.candidates, grams.is_compiled())
"""
    env = os.environ | ({"CORPUS_KERNELS": "plain"} if "=" in forbid else {})
    plain, compiled = (
        subprocess.run(
            [sys.executable, "-c", code, name],
            env=given,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name, given in ((forbid, env), ("", os.environ))
    )
    assert int(plain.split()[0]) > 90
    assert plain == compiled.replace(" True\n", " False\n") != compiled


def test_a_kernel_is_named_by_all_that_it_may_be_compiled_from(tmp_path: Path) -> None:
    names = []
    for number in (1, 2, 2):
        room = tmp_path / str(len(names))
        room.mkdir()
        (room / "constants.py").write_text(f"FACTOR = {number}\n")
        os.utime(room / "constants.py", (0, 0))  # times say nothing
        names.append(jit.sources(room))
    assert names[1] == names[2] != names[0]
    assert compiled.read.__qualname__ == f"read-{jit.sources(Path(jit.__file__).parent)}"
