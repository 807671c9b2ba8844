"""Vocabularies of other kinds than ``tokenizer.json``, and what of a text carries no loss."""

import json
from itertools import accumulate
from pathlib import Path

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from corpus import tokens
from corpus.errors import InputError
from corpus.tokens._ranks import BY_SIZE, SPELLED, merges, ranks_file

GPT2 = tokens.load("gpt2")
TEXTS = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("🦊é ñ的\n")))
BYTES = {char: byte for byte, char in SPELLED.items()}


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GPT-2's vocabulary as tiktoken publishes it: a token in base64 and its rank per line."""
    path = tmp_path_factory.mktemp("ranks") / "r50k_base.tiktoken"
    path.write_bytes(ranks_file(GPT2.engine.get_vocab()))
    return path


def test_ranks_give_the_ids_of_the_vocabulary_that_they_are(ranks: Path) -> None:
    found = tokens.load(str(ranks))
    texts = ["It's 1234  words,\n\n  naïve 🦊 <|endoftext|>", "x" * 50, "", " \t", "日本語"]
    assert found.encode(texts) == GPT2.encode(texts)
    assert (found.vocab_size, found.eos_id, found.bos_id) == (50257, 50256, 50256)
    assert not found.proxy
    assert tokens.load(str(ranks.parent)).sha256 == found.sha256


def test_merges_are_the_last_step_to_each_token() -> None:
    ranks = {bytes([n]): n for n in range(256)} | {b"ab": 256, b"cd": 257, b"abcd": 258}
    assert merges(ranks) == [("a", "b"), ("c", "d"), ("ab", "cd")]


def test_special_tokens_of_published_ranks_stand_beyond_the_ranks() -> None:
    for size, known in BY_SIZE.items():
        marks = known.all()
        assert len(set(marks.values())) == len(marks)
        assert {known.eos, known.bos or known.eos} <= marks.keys()
        assert size == 50280 or min(marks.values()) >= size
    assert len(BY_SIZE[128000].all()) == 256


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"YQ== 0\nYg== 1\n", "2 ranks, and a ranks file does not say"),
        (b"YQ== 0\n?? x\n", "line 2: not a token in base64"),
        (b"YQ== 0\nYg==\n", "line 2: not a token in base64"),
    ],
)
def test_ranks_that_cannot_be_used_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "some.tiktoken"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        tokens.load(str(path))


def test_a_pair_of_vocabulary_and_merges_is_read_as_gpt2_published_it(tmp_path: Path) -> None:
    model = json.loads(GPT2.json())["model"]
    (tmp_path / "vocab.json").write_text(json.dumps(model["vocab"]))
    lines = ["#version: 0.2", *(" ".join(pair) for pair in model["merges"])]
    (tmp_path / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = tokens.load(str(tmp_path))
    texts = ["It's naïve 🦊 <|endoftext|>\n"]
    assert (found.encode(texts), found.eos_id) == (GPT2.encode(texts), 50256)
    (tmp_path / "merges.txt").write_text("a b c\n")
    with pytest.raises(InputError, match="do not define a tokenizer"):
        tokens.load(str(tmp_path))


def test_a_gguf_file_is_refused_with_what_to_give_instead(tmp_path: Path) -> None:
    path = tmp_path / "model-q4.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00")
    with pytest.raises(InputError, match=r"GGUF.*give the tokenizer.json"):
        tokens.load(str(path))


def test_marks_stay_text_even_where_the_vocabulary_does_not_call_them_special(
    tmp_path: Path,
) -> None:
    engine = tokenizers.Tokenizer.from_str(GPT2.json())
    engine.add_tokens(["<think>", "    ", "[INST]"])
    engine.save(str(tmp_path / "tokenizer.json"))
    found = tokens.load(str(tmp_path))
    [ids] = found.encode(["a<think>b [INST]    c"])
    spelled = {name: engine.token_to_id(name) for name in ("<think>", "    ", "[INST]")}
    assert [name for name, number in spelled.items() if number in ids] == ["    "]
    assert sorted(found.literals()) == ["<think>", "<|endoftext|>", "[INST]"]


@st.composite
def masked(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]]]:
    """A text and spans of it, in order and apart."""
    text = draw(TEXTS.filter(len))
    edges = sorted(draw(st.sets(st.integers(0, len(text)), min_size=2, max_size=8)))
    return text, list(zip(edges[::2], edges[1::2], strict=False))


@given(masked())
def test_a_token_carries_no_loss_if_one_of_its_bytes_is_of_a_masked_character(
    given_text: tuple[str, list[tuple[int, int]]],
) -> None:
    text, spans = given_text
    ids, loss = GPT2.encode_masked(text, spans)
    characters = [n for n, char in enumerate(text) for _ in char.encode()]  # of each byte
    sizes = [len(GPT2.engine.id_to_token(number)) for number in ids.tolist()]
    ends = list(accumulate(sizes))
    assert ends[-1] == len(characters)
    for start, end, trained in zip([0, *ends], ends, loss.tolist(), strict=False):
        touched = {characters[byte] for byte in range(start, end)}
        assert trained == (not any(touched & set(range(*span)) for span in spans))


def test_a_post_processor_that_trims_offsets_hides_no_masked_blank(tmp_path: Path) -> None:
    engine = tokenizers.Tokenizer.from_str(GPT2.json())
    engine.post_processor = tokenizers.processors.ByteLevel(trim_offsets=True)
    engine.save(str(tmp_path / "tokenizer.json"))
    _, loss = tokens.load(str(tmp_path)).encode_masked("one two", [(3, 4)])
    assert loss.tolist() == [True, False]
