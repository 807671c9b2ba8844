"""Likeness that is told and drops nothing: who is nearest, by what, and where the words differ."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.dedup import Held, Options, dedup_files
from corpus.dedup.likeness import diff, nearest, rows, vectors
from corpus.errors import InputError
from corpus.store import read_rows, write_rows

CHANCE = np.random.default_rng()
VOCABULARY = [f"{a}{b}{c}" for a in "bdfgklm" for b in "aeiou" for c in "rstnpvxzwj"]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    CHANCE.bit_generator.state = np.random.default_rng(4).bit_generator.state


def drawn(count: int = 200) -> list[str]:
    shares = 1 / np.arange(1, len(VOCABULARY) + 1)
    shuffled = CHANCE.permutation(VOCABULARY)
    return [str(word) for word in CHANCE.choice(shuffled, count, p=shares / shares.sum())]


def retold(words: list[str], share: float) -> str:
    return " ".join(w if CHANCE.random() > share else str(CHANCE.choice(VOCABULARY)) for w in words)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_a_text_with_half_of_its_words_replaced_is_still_the_nearest(share: float) -> None:
    texts = [drawn() for _ in range(60)]
    found = vectors(Held([" ".join(t) for t in texts] + [retold(t, share) for t in texts]))
    ranked = np.argmax(found[:60] @ found[60:].T, axis=1)
    assert np.mean(ranked == np.arange(60)) >= 0.95


def test_the_projection_keeps_cosines() -> None:
    texts = [" ".join(drawn()) for _ in range(40)]
    halves = itertools.pairwise(text.split() for text in texts)
    texts += [" ".join(one[:120] + other[:80]) for one, other in halves]
    found = vectors(Held(texts))
    words = sorted({word for text in texts for word in text.split()})
    counts = np.array([[text.split().count(word) for word in words] for text in texts])
    weights = np.where(counts, 1 + np.log(np.maximum(counts, 1)), 0)
    weights = weights * np.log((1 + len(texts)) / (1 + (counts > 0).sum(axis=0)))
    whole = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    assert np.abs(found @ found.T - whole @ whole.T).mean() < 0.06


def test_pairs_come_once_nearest_first_and_the_same_every_time() -> None:
    texts = [drawn() for _ in range(30)]
    source = Held([" ".join(t) for t in texts] + [retold(t, 0.2) for t in texts])
    found = nearest(vectors(source), 30)
    assert {pair[:2] for pair in found} == {(n, n + 30) for n in range(30)}
    assert [pair[2] for pair in found] == sorted((pair[2] for pair in found), reverse=True)
    assert found == nearest(vectors(source), 30)


@pytest.mark.parametrize("texts", [[], ["alone"], ["", "!"], ["a b", "a b"]])
def test_few_texts_have_few_neighbours(texts: list[str]) -> None:
    assert len(list(rows(Held(texts), [str(n) for n in range(len(texts))], 5))) <= 1


def test_a_diff_tells_what_each_text_has_alone() -> None:
    same = [f"w{n}" for n in range(20)]
    one, other = " ".join(["old", *same, "end"]), " ".join([*same, "new", "end"])
    assert diff(one, other) == [
        ["-", "old"], ["=", "w0 w1 w2 w3 … w16 w17 w18 w19"], ["+", "new"], ["=", "end"],
    ]  # fmt: skip


def write(folder: Path) -> list[str]:
    texts = [" ".join(drawn()) for _ in range(8)]
    ids = [f"t{n}" for n in range(9)]
    given = [*texts, retold(texts[3].split(), 0.15)]
    write_rows(folder / "in.jsonl", [{"id": i, "text": t} for i, t in zip(ids, given, strict=True)])
    write_rows(folder / "ids.jsonl", [{"id": i} for i in reversed(ids)])
    return ids


def test_the_command_tells_the_nearest_pairs_and_drops_nothing(tmp_path: Path) -> None:
    write(tmp_path)
    found = dedup_files([tmp_path / "in.jsonl"], tmp_path / "out", Options(likeness=1))
    (row,) = read_rows(tmp_path / "out" / "likeness.jsonl")
    assert (row["id"], row["other"], row["by"]) == ("t3", "t8", "words")
    assert found["duplicates"] == 0
    assert 0 < row["jaccard"] < 0.7 < row["cosine"]


def test_embeddings_of_the_user_s_decide_where_they_are_given(tmp_path: Path) -> None:
    ids = write(tmp_path)
    rows_given = np.eye(9, 12)
    rows_given[2] = rows_given[6] * 3 + 0.1
    np.save(tmp_path / "e.npy", rows_given[::-1])
    options = Options(
        likeness=1, embeddings=tmp_path / "e.npy", embedding_ids=tmp_path / "ids.jsonl"
    )
    dedup_files([tmp_path / "in.jsonl"], tmp_path / "out", options)
    (row,) = read_rows(tmp_path / "out" / "likeness.jsonl")
    assert (row["id"], row["other"], row["by"]) == (ids[2], ids[6], "embedding")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((8, 4)), r"one row of floats for each id .*\(9\), and is float64 \(8, 4\)"),
        (np.zeros((9, 4), int), "and is int64"),
        (np.full((9, 4), np.nan), "no finite number"),
        (np.array([{}] * 9), "no NumPy file that can be read"),
    ],
)
def test_embeddings_that_do_not_fit_are_refused(tmp_path: Path, array: Any, message: str) -> None:
    write(tmp_path)
    np.save(tmp_path / "e.npy", array, allow_pickle=True)
    options = Options(
        likeness=1, embeddings=tmp_path / "e.npy", embedding_ids=tmp_path / "ids.jsonl"
    )
    with pytest.raises(InputError, match=message):
        dedup_files([tmp_path / "in.jsonl"], tmp_path / "out", options)
