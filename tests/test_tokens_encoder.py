"""The quick engines: they agree on thousands of hard texts, or they are not used."""

import dataclasses
import hashlib
import importlib.util
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from corpus import export, store, tokens
from corpus.formats import Row
from corpus.tokens import Ids, Tokenizer, _agreed, _quick
from corpus.tokens import encoder as encoders
from corpus.tokens._hard import hard, unknown
from corpus.tokens._ranks import CASED, O200K
from corpus.tokens._reference import reference
from corpus.tokens.encoder import Disagreed, Encoder

GPT2 = tokens.load("gpt2")
INSTALLED = [name for name in _quick.ENGINES if importlib.util.find_spec(name)]
quick = pytest.mark.skipif(not INSTALLED, reason="the extra 'fast' is not installed")


def trained(folder: Path, pattern: str, *, normalized: bool) -> Tokenizer:
    """A byte-level vocabulary that cuts by ``pattern``, as newer models do."""
    engine = tokenizers.Tokenizer(tokenizers.models.BPE(ignore_merges=True))
    if normalized:
        engine.normalizer = tokenizers.normalizers.NFC()
    split = tokenizers.pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated")
    bytewise = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    engine.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([split, bytewise])
    engine.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=2000,
        special_tokens=["<|endoftext|>", "<think>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    engine.train_from_iterator(hard(), trainer)
    engine.save(str(folder / "tokenizer.json"))
    return tokens.load(str(folder))


@quick
@pytest.mark.parametrize("engine", INSTALLED)
@pytest.mark.parametrize("vocabulary", ["gpt2", "cased", "upper"])
def test_an_engine_gives_the_ids_of_the_reference_on_every_hard_text(
    tmp_path: Path, vocabulary: str, engine: str
) -> None:
    made = {
        "gpt2": lambda: GPT2,
        "cased": lambda: trained(tmp_path, CASED % "{1,3}", normalized=False),
        "upper": lambda: trained(tmp_path, O200K, normalized=True),
    }[vocabulary]()
    texts = [text for text in hard() if not any(mark in text for mark in made.literals())]
    assert len(texts) > 4000
    wrong = list(_quick.disagreements(made, _quick.ENGINES[engine](made.json()), texts))
    name, _ = _quick.found(made)
    assert wrong == [] or not name.startswith(engine)


def test_the_hard_texts_hold_only_characters_that_this_python_knows() -> None:
    found = {unicodedata.category(char) for text in hard() for char in text}
    assert not found & {"Cn", "Cs"}
    assert {"Lo", "Mn", "Nd", "Nl", "So", "Zs", "Cc", "Cf", "Co"} <= found


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_is_unknown_if_one_of_its_characters_is(text: str) -> None:
    assert unknown(text, set()) == any(unicodedata.category(char) == "Cn" for char in text)


def lying(about: str) -> Callable[[str], _quick.Encode]:
    """An engine that is right but for texts that hold ``about``."""

    def made(definition: str) -> _quick.Encode:
        del definition

        def encode(texts: Sequence[str]) -> list[Ids]:
            right = reference(GPT2, texts)
            return [ids + (about in text) for text, ids in zip(texts, right, strict=True)]

        return encode

    return made


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Sets which engines there are, all under the name of one that is installed."""

    def only(made: Callable[[str], _quick.Encode]) -> None:
        monkeypatch.setenv("CORPUS_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(_quick, "ENGINES", {"numpy": made})
        _quick.found.cache_clear()

    yield only
    _quick.found.cache_clear()


def test_an_engine_that_is_wrong_about_a_hard_text_is_never_used(engines: Callable) -> None:
    engines(lying("it's"))
    encoder = Encoder(GPT2)
    assert "numpy disagreed on" in encoder.engine
    assert [ids.tolist() for ids in encoder.encode(["it's"])] == [[270, 338, 50256]]


def test_the_shipped_vocabulary_as_ranks_is_the_published_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPUS_CACHE", str(tmp_path))
    path = _quick.ranks_of(GPT2)
    assert path is not None
    assert hashlib.sha256(path.read_bytes()).hexdigest() == _quick.SHIPPED
    path.write_bytes(path.read_bytes()[:-1])  # whoever cuts it has it made again
    assert _quick.ranks_of(GPT2) == path
    assert hashlib.sha256(path.read_bytes()).hexdigest() == _quick.SHIPPED
    monkeypatch.setenv("CORPUS_CACHE", "/dev/null/none")
    assert _quick.ranks_of(GPT2) is None


@pytest.mark.skipif("gigatoken" not in INSTALLED, reason="the extra 'fast' is not installed")
def test_gigatoken_cuts_alike_by_ranks_and_by_definition() -> None:
    path = _quick.ranks_of(GPT2)
    assert path is not None
    one, other = _quick.gigatoken_ranks(path), _quick.gigatoken(GPT2.json())
    for mine, theirs in zip(one(hard()), other(hard()), strict=True):
        assert np.array_equal(mine, theirs)


def test_what_an_engine_said_on_the_hard_texts_is_kept_until_something_changes(
    engines: Callable, tmp_path: Path
) -> None:
    asked = []

    def counting(definition: str) -> _quick.Encode:
        encode = lying("no text holds this")(definition)
        return lambda texts: asked.append(len(texts)) or encode(texts)

    for _ in range(2):
        engines(counting)
        assert _quick.tried(GPT2, "numpy")[0] is not None
    assert len(asked) == 1
    kept = next((tmp_path / "cache" / "engines").iterdir())
    kept.write_text("torn")
    engines(counting)
    assert _quick.tried(GPT2, "numpy")[0] is not None
    assert len(asked) == 2


def test_what_was_kept_holds_for_one_vocabulary_one_engine_and_one_way_to_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPUS_CACHE", str(tmp_path))

    def asked(definition: str = "d", library: str = GPT2.library) -> bool:
        times: list[int] = []
        one = dataclasses.replace(GPT2, library=library)
        _agreed.kept(one, "numpy", definition, lambda: times.append(1))
        return bool(times)

    assert (asked(), asked()) == (True, False)
    assert asked("another vocabulary")
    assert asked(library="tokenizers 9")
    for where, name, value in (
        (_agreed.importlib.metadata, "version", lambda _: "9"),
        (_agreed.platform, "node", lambda: "elsewhere"),
        (_agreed.platform, "machine", lambda: "another"),
        (_agreed.unicodedata, "unidata_version", "99"),
        (_agreed, "SOURCES", ("_hard.py",)),
    ):
        with monkeypatch.context() as other:
            other.setattr(where, name, value)
            assert asked()
        assert not asked()


def test_without_a_home_folder_or_a_sound_cache_the_texts_are_gone_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPUS_CACHE", str(tmp_path))
    assert _agreed.kept(GPT2, "numpy", "d", lambda: "one") == "one"
    next((tmp_path / "engines").iterdir()).write_text("[" * 200_000)
    assert _agreed.kept(GPT2, "numpy", "d", lambda: "two") == "two"
    assert _agreed.kept(GPT2, "numpy", "d", lambda: "three") == "two"

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(store, "cache_folder", homeless)
    assert _agreed.kept(GPT2, "numpy", "d", lambda: "four") == "four"
    assert _quick.ranks_of(GPT2) is None


def test_an_engine_is_made_anew_after_much_text_and_left_if_it_is_wrong_then(
    engines: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[str] = []
    engines(lambda definition: made.append(definition) or lying("no text holds this")(definition))
    monkeypatch.setattr(encoders, "REFRESH_CHARS", 20)
    encoder = Encoder(GPT2)
    wanted = [ids.tolist() for ids in encoder.encode(["A quiet day in the house."])]
    assert (len(made), encoder.engine.partition(" ")[0]) == (1, "numpy")
    assert [ids.tolist() for ids in encoder.encode(["A quiet day in the house."])] == wanted
    assert (len(made), encoder.engine.partition(" ")[0]) == (2, "numpy")
    monkeypatch.setenv("CORPUS_CACHE", str(tmp_path / "another"))
    monkeypatch.setattr(_quick, "ENGINES", {"numpy": lying("it's")})
    assert [ids.tolist() for ids in encoder.encode(["A quiet day in the house."])] == wanted
    assert encoder.engine == GPT2.library


def test_an_engine_that_is_wrong_about_an_early_document_is_found_out(engines: Callable) -> None:
    engines(lying("Fluxhaven"))
    with pytest.raises(Disagreed):
        Encoder(GPT2).encode(["All is well.", "In Fluxhaven it is not."])


def test_an_engine_that_is_wrong_later_is_found_out_by_a_full_comparison(engines: Callable) -> None:
    engines(lying("Fluxhaven"))
    long = "A quiet day. " * 6000
    Encoder(GPT2).encode([long, "Fluxhaven"])  # beyond the sample: what full is for
    with pytest.raises(Disagreed):
        Encoder(GPT2, full=True).encode([long, "Fluxhaven"])


def test_an_export_begins_again_without_an_engine_that_disagreed(
    tmp_path: Path, engines: Callable
) -> None:
    rows = [Row(id=f"r{n}", config="a", text=f"Day {n} in Fluxhaven.") for n in range(20)]
    wanted = export.export(rows, tmp_path / "a", tokenizer=GPT2, quick=False)
    engines(lying("Fluxhaven"))
    made = export.export(rows, tmp_path / "b", tokenizer=GPT2)
    assert made.tokens_sha256 == wanted.tokens_sha256
    assert made.more["encoder"]["engine"] == f"{GPT2.library} (numpy disagreed on a document)"


@pytest.mark.parametrize("text", ["a <|endoftext|> b", "new: \U000323af", "\u0378"])
def test_what_only_the_reference_can_be_trusted_with_goes_there(
    engines: Callable, text: str
) -> None:
    engines(lying(text[-1]) if "<" not in text else lying("<|endoftext|>"))
    encoder = Encoder(GPT2)
    [ids] = encoder.encode([text])
    assert ids.tolist() == [*GPT2.encode([text])[0], 50256]
    assert encoder.tally.literal == 1


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
def test_with_and_without_an_engine_the_ids_are_the_same(texts: list[str]) -> None:
    one, other = Encoder(GPT2).encode(texts), Encoder(GPT2, quick=False).encode(texts)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert all(ids[-1] == 50256 and (ids == 50256).sum() == 1 for ids in one)
