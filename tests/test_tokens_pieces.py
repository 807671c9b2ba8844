"""SentencePiece models: trained here, read as every other vocabulary is."""

import builtins
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import export, tokens
from corpus.errors import InputError
from corpus.formats import Row, names
from corpus.tokens import Tokenizer
from corpus.tokens.encoder import Encoder

sentencepiece = pytest.importorskip("sentencepiece")

MARKS = ["<start_of_turn>", "[INST]"]
SAID = ["Otis keeps the depot's books and says what is so.", "It is late; the gate is closed."]
TEXTS = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("🦊é the\n")))


@pytest.fixture(scope="module", params=["bpe", "unigram"])
def model(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The folder of a model that has nothing but ``tokenizer.model``."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SAID * 20),
        model_writer=out,
        vocab_size=360,
        model_type=request.param,
        byte_fallback=True,
        hard_vocab_limit=False,
        user_defined_symbols=[*MARKS, "\n\n"],
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        minloglevel=2,
    )
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "tokenizer.model").write_bytes(out.getvalue())
    return folder


@pytest.fixture(scope="module")
def tokenizer(model: Path) -> Tokenizer:
    return tokens.load(str(model))


def test_a_model_gives_the_ids_that_its_own_library_gives(
    model: Path, tokenizer: Tokenizer
) -> None:
    own = sentencepiece.SentencePieceProcessor(model_file=str(model / "tokenizer.model"))
    texts = [*SAID, "", "  two\n\nlines", "naïve 🦊 \0 日本語"]
    assert tokenizer.encode(texts) == own.encode(texts)
    assert (tokenizer.eos_id, tokenizer.bos_id) == (own.eos_id(), own.bos_id()) == (2, 1)
    assert tokenizer.vocab_size == len(own)
    assert tokenizer.library.startswith("sentencepiece ")
    assert tokens.load(str(model / "tokenizer.model")).sha256 == tokenizer.sha256


def test_marks_stay_text_and_runs_of_blanks_are_left_as_they_are(tokenizer: Tokenizer) -> None:
    spelled = ["</s>", "<s>", "<unk>", *MARKS]
    [ids] = tokenizer.encode([f"a {' '.join(spelled)} b\n\nc"])
    known = {mark: tokenizer.engine.token_to_id(mark) for mark in [*spelled, "\n\n"]}
    assert [mark for mark, number in known.items() if number in ids] == ["\n\n"]
    assert set(tokenizer.literals()) >= {"</s>", "<s>", *MARKS}
    assert tokenizer.decode(ids).strip() == f"a {' '.join(spelled)} b\n\nc"


def trained(folder: Path, **settings: Any) -> Path:
    """A unigram model that knows few characters, with marks and a tag as pieces of the user."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SAID * 20), model_writer=out, hard_vocab_limit=False,
        vocab_size=360, user_defined_symbols=[*MARKS, "<b>", "</h1>"], minloglevel=2, **settings,
    )  # fmt: skip
    (folder / "tokenizer.model").write_bytes(out.getvalue())
    return folder / "tokenizer.model"


@pytest.mark.parametrize("bytewise", [True, False])
def test_tags_are_the_librarys_own_and_so_are_marks_that_could_not_be_spelled(
    tmp_path: Path, *, bytewise: bool
) -> None:
    path = trained(tmp_path, byte_fallback=bytewise)
    own, mine = sentencepiece.SentencePieceProcessor(model_file=str(path)), tokens.load(str(path))
    text = "It <b>is</h1> late."
    assert mine.encode([text]) == [own.encode(text)]
    spelled = f"It {MARKS[0]} is {MARKS[1]} late."
    [ids] = mine.encode([spelled])
    assert own.unk_id() not in ids
    assert (ids == own.encode(spelled)) == (not bytewise)
    assert mine.decode(ids).strip() == spelled


@pytest.mark.parametrize("count", ["2", "all", "", "-1"])
def test_a_number_of_threads_that_is_none_is_passed_over(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch, count: str
) -> None:
    wanted = tokenizer.encode(SAID)
    monkeypatch.setenv("RAYON_NUM_THREADS", count)
    assert tokenizer.encode(SAID) == wanted


@given(texts=st.lists(TEXTS, max_size=4))
def test_every_document_ends_once_whatever_it_spells(
    tokenizer: Tokenizer, texts: list[str]
) -> None:
    for ids in Encoder(tokenizer).encode([*texts, "</s>"]):
        assert ids[-1] == tokenizer.eos_id
        assert np.isin(ids, [tokenizer.eos_id, tokenizer.bos_id]).sum() == 1


@given(text=TEXTS.filter(len), data=st.data())
def test_a_token_that_touches_a_masked_character_carries_no_loss(
    tokenizer: Tokenizer, text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    ids, loss = tokenizer.encode_masked(text, [(start, len(text))])
    [whole] = tokenizer.encode([text])
    assert ids.tolist() == whole
    kept = ids[loss].tolist()
    assert whole[: len(kept)] == kept
    spelled = tokenizer.decode(kept)  # less the blank that the model puts first
    assert any(text[:start].startswith(blank + spelled) for blank in ("", " "))


def test_the_tokens_around_a_masked_word_are_trained_on(tokenizer: Tokenizer) -> None:
    text = "It is late; 🦊 the gate is closed."
    ids, loss = tokenizer.encode_masked(text, [(6, 13)])
    first = next(n for n, one in enumerate(loss.tolist()) if not one)
    last = len(loss) - loss.tolist()[::-1].index(False)
    assert tokenizer.decode(ids[:first].tolist()).strip() == "It is"
    assert tokenizer.decode(ids[last:].tolist()).strip() == "the gate is closed."


@pytest.mark.parametrize("name", [name for name in names() if name != "arrayrecord"])
def test_every_format_takes_such_a_model(tmp_path: Path, tokenizer: Tokenizer, name: str) -> None:
    rows = [Row(id=f"r{n}", config="a", text=f"{SAID[n % 2]} </s> {n}") for n in range(12)]
    made = export.publish(rows, tmp_path, tokenizer=tokenizer, formats=[name])
    assert made["encoder"]["engine"] == tokenizer.library
    assert export.verify(tmp_path, tokenizer) == []


def test_a_broken_model_is_bad_input(tmp_path: Path, model: Path) -> None:
    raw = (model / "tokenizer.model").read_bytes()
    for content in (raw[:-7], b"junk", b"", b"\xff" * 40):
        path = tmp_path / "tokenizer.model"
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a SentencePiece model"):
            tokens.load(str(path))


def test_without_the_library_one_line_says_what_to_install(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def absent(name: str, *others: Any) -> Any:
        if name == "sentencepiece":
            raise ImportError(name)
        return real(name, *others)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(InputError, match=r"constitution-corpus\[sentencepiece\]"):
        tokens.load(str(model))
