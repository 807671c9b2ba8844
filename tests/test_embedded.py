"""The embedded writer: a real model in this process, through the real SDK."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import Corpus
from corpus.errors import InputError
from corpus.model import ALL_STAGES, Model, embedded
from corpus.model.journal import Journal
from corpus.records import Request


def ask(prompt: str, writer: str) -> Request:
    turns = ({"role": "user", "content": prompt},)
    return Request("draft", writer, "", turns, 40)


def test_the_same_prompt_gets_the_same_text_whatever_was_asked_before(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="needs the extra 'local'")
    prompts = ["Write a sentence about rain.", "Write a sentence about bread."]
    texts = []
    for order in (prompts, prompts[::-1]):
        with embedded.serve(print) as writer, Journal(tmp_path / order[0][-6:]) as journal:
            with Model(writer, journal) as model:
                replies = [next(iter(model.answer([ask(p, writer.model)]))) for p in order]
            texts.append({reply.key: reply.text for reply in replies})
    assert texts[0] == texts[1]
    assert all(texts[0].values())


def test_a_build_without_a_key_is_a_demo_that_says_so(corpus: Corpus, folder: Path) -> None:
    pytest.importorskip("xllamacpp", reason="needs the extra 'local'")
    ended = corpus("build", "--tokens", "300", "--languages", "English=1,German=1")
    assert ended.returncode == 0, ended.stderr
    made = json.loads((folder / "output" / "manifest.json").read_text())
    assert (made["quality"], made["writer"], made["cost"]["paid"]) == ("demo", "local", 0)
    skipped = {row["stage"] for row in made["stages"] if row["skipped"]}
    assert skipped == ALL_STAGES - embedded.STAGES
    assert made["models"] == [embedded.MODEL]
    lines = (folder / "output" / "documents.jsonl").read_text().splitlines()
    assert {json.loads(line)["quality"] for line in lines} == {"demo"}
    assert "writes English and nothing else; left out: German" in str(made["notes"])
    assert not [line for line in lines if "German" in json.loads(line)["facets"].values()]


def test_weights_that_are_not_the_expected_file_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPUS_CACHE", str(tmp_path))
    monkeypatch.setattr(embedded, "SHA256", "0" * 64)
    said: list[str] = []
    with pytest.raises(InputError, match="not the expected file"):
        embedded.weights(said.append)
    assert "93 MB" in said[0]
    assert list(tmp_path.iterdir()) == []
