"""Tokenizers: known ids, laws of the round trip, and files that cannot be used."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import tokens
from corpus.errors import InputError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def saved(
    folder: Path,
    *,
    config: dict[str, Any] | None = None,
    specials: Sequence[str] = ("<eos>", "<bos>"),
) -> Path:
    """A small byte-level tokenizer on disk, with truncation and padding switched on."""
    engine = tokenizers.Tokenizer(tokenizers.models.BPE())
    engine.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    engine.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        special_tokens=list(specials),
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    engine.train_from_iterator(["the cat sat on the mat"] * 4, trainer)
    engine.enable_truncation(4)
    engine.enable_padding(length=9)
    folder.mkdir(exist_ok=True)
    engine.save(str(folder / "tokenizer.json"))
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Hello world", [15496, 995]),
        ("", []),
        ("\n\n", [628]),
        ("The constitution's", [464, 11784, 338]),
        ("<|endoftext|>", [27, 91, 437, 1659, 5239, 91, 29]),
    ],
)
def test_the_shipped_gpt2_gives_the_ids_of_openai(text: str, ids: list[int]) -> None:
    assert tokens.load("gpt2").encode([text]) == [ids]


def test_the_shipped_merges_are_those_that_openai_published() -> None:
    gpt2 = tokens.load()
    known = "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"
    assert gpt2.sha256 == known
    assert (gpt2.vocab_size, gpt2.eos_id, gpt2.bos_id) == (50257, 50256, 50256)
    assert "proxy: pass --tokenizer" in gpt2.label


@given(st.lists(st.one_of(TEXTS, st.just("a<|endoftext|>b"), TEXTS.map("<|endoftext|>".join))))
@settings(deadline=None)
def test_decoding_what_was_encoded_gives_the_text_back(texts: list[str]) -> None:
    gpt2 = tokens.load()
    encoded = gpt2.encode(texts)
    assert [gpt2.decode(ids) for ids in encoded] == texts
    assert gpt2.count(texts) == [len(ids) for ids in encoded]
    assert not any(gpt2.eos_id in ids for ids in encoded)


def test_more_text_than_a_batch_holds_comes_back_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "BATCH_CHARS", 20)
    texts = [f"text number {number}" for number in range(50)]
    gpt2 = tokens.load()
    assert [gpt2.decode(ids) for ids in gpt2.encode(texts)] == texts


def test_a_tokenizer_of_ones_own_is_never_truncated_or_padded(tmp_path: Path) -> None:
    folder = saved(tmp_path / "own", config={"eos_token": "<eos>", "bos_token": None})
    own = tokens.load(str(folder))
    assert own.decode(own.encode(["the cat sat on the mat"])[0]) == "the cat sat on the mat"
    assert own.decode(own.encode(["x"])[0]) == "x"
    assert not own.proxy
    assert own.sha256 == tokens.load(str(folder / "tokenizer.json")).sha256


def test_boundary_tokens_come_from_the_configuration_beside_the_file(tmp_path: Path) -> None:
    config = {"eos_token": {"content": "<eos>"}, "bos_token": "<bos>"}
    own = tokens.load(str(saved(tmp_path / "own", config=config)))
    assert (own.eos_id, own.bos_id) == (0, 1)
    assert own.boundary == (0,)
    assert 0 not in own.encode(["plain <eos> text"])[0]


def test_a_customary_end_token_is_found_without_a_configuration(tmp_path: Path) -> None:
    assert tokens.load(str(saved(tmp_path / "a"))).eos_id == 0
    none = tokens.load(str(saved(tmp_path / "b", specials=("[PAD]",))))
    assert (none.eos_id, none.boundary) == (None, ())


def test_a_boundary_token_that_text_can_spell_is_refused(tmp_path: Path) -> None:
    words = tokenizers.models.WordLevel({"a": 0, "</s>": 1}, "a")
    engine = tokenizers.Tokenizer(words)
    engine.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    engine.save(str(tmp_path / "tokenizer.json"))
    own = tokens.load(str(tmp_path))
    assert own.encode(["a a"]) == [[0, 0]]
    with pytest.raises(InputError, match="boundary token inside the text that begins 'so </s>"):
        own.encode(["a", "so </s> it ends"])


@pytest.mark.parametrize("content", ["{}", "[]", "not json", '{"model": {}}', "\udcff"])
def test_a_file_that_is_no_tokenizer_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content, errors="surrogateescape")
    with pytest.raises(InputError, match="does not define a tokenizer"):
        tokens.load(str(path))


def test_an_unknown_name_says_what_may_be_given(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'gpt3'.*did you mean 'gpt2'.*tokenizer\.json"):
        tokens.load("gpt3")
    with pytest.raises(InputError, match=r"no tokenizer\.json in that folder"):
        tokens.load(str(tmp_path))


def test_an_end_token_that_the_vocabulary_lacks_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "own", config={"eos_token": "<nowhere>"})
    with pytest.raises(InputError, match="'<nowhere>' is not in the vocabulary"):
        tokens.load(str(folder))
    for content in ("[]", "{"):
        (folder / "tokenizer_config.json").write_text(content)
        with pytest.raises(InputError, match=r"tokenizer_config\.json: not"):
            tokens.load(str(folder))
