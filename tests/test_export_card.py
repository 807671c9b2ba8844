"""The dataset card and its Croissant twin: what loaders parse and what people must be told."""

import ast
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from corpus import export, formats, tokens
from corpus.export.card import hint
from corpus.formats import Row

GPT2 = tokens.load("gpt2")
FACTS = {
    "license": "cc-by-4.0",
    "models": ["claude-x"],
    "constitution": {"name": "A charter", "digest": "abc123"},
    "gates": {"openings": "warn", "distinct": "pass"},
    "counts": {"documents": {"planned": 50, "written": 48, "rejected": 5, "duplicate": 3,
                             "kept": 40}},
    "guard": {"mode": "drop", "held_out": 7, "found": {"blackmail": 2, "sabotage": 1}},
}  # fmt: skip


def rows() -> list[Row]:
    """Texts and chats."""
    turn = {"role": "user", "content": "Should I?"}
    texts = [
        Row(id=f"t{n}", config="documents", text=f"A day {n}.", metadata={"section": f"s{n % 5}"})
        for n in range(40)
    ]
    return [*texts, *(Row(id=f"c{n}", config="advice", messages=(turn,)) for n in range(12))]


def card(folder: Path, **options: Any) -> str:
    """The card of an export."""
    settings = {"tokenizer": GPT2, "facts": FACTS, "formats": ["parquet"]} | options
    export.publish(rows(), folder, **settings)
    return (folder / "parquet" / "README.md").read_text(encoding="utf-8")


def test_the_head_is_yaml_that_names_every_config_split_and_file(tmp_path: Path) -> None:
    head = yaml.safe_load(card(tmp_path).split("---")[1])
    assert (head["license"], head["size_categories"]) == ("cc-by-4.0", ["n<1K"])
    assert "synthetic" in head["tags"]
    told = {
        (one["config_name"], file["split"]): len(list((tmp_path / "parquet").glob(file["path"])))
        for one in head["configs"]
        for file in one["data_files"]
    }
    assert set(told.values()) == {1}
    assert {name for name, _ in told} == {"documents", "advice"}


def test_a_person_is_told_where_it_comes_from_and_what_it_is_not(tmp_path: Path) -> None:
    text = card(tmp_path)
    for words in (
        "Written by: claude-x", "digest `abc123`", "Licence: cc-by-4.0", "gates, warn: `openings`",
        "3 texts shaped like a known evaluation, 7 held-out prompts", "## Known limits",
        "| documents | 50 | 48 | 5 | 3 | 40 |", "hardly your model's",
    ):  # fmt: skip
        assert words in text, words
    assert "none was given" in card(tmp_path / "b", facts={})


def test_sections_are_listed_with_a_share_and_steps_for_a_late_mix(tmp_path: Path) -> None:
    text = card(tmp_path)
    assert sorted(re.findall(r"^\| (s\d) \| (\d+) \|", text, re.MULTILINE)) == [
        (f"s{n}", "8") for n in range(5)
    ]
    words = " ".join(hint(1_000_000))
    assert "a last phase of 10,000,000 tokens" in words
    assert "at most 40,000 tokens" in words


def test_there_are_lines_to_load_each_format_that_was_written(tmp_path: Path) -> None:
    names = [name for name in formats.names() if name != "arrayrecord"]
    text = card(tmp_path, formats=names)
    codes = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(codes) == len(names)
    for code in codes:
        ast.parse(code)
    paths = [one for code in codes for one in re.findall(r'"PATH/([^"]*)"', code)]
    assert len(paths) == len(names)
    for path in paths:
        assert list(tmp_path.glob(path)) or list(tmp_path.glob(f"{path}.*")), path


def test_the_lines_for_datasets_load_what_they_say(tmp_path: Path) -> None:
    import datasets

    text = card(tmp_path)
    code = re.search(r"```python\n(from datasets.*?)```", text, re.DOTALL)
    assert code is not None
    config, split = re.findall(r'"(\w+)", split="(\w+)"', code[1])[0]
    found = datasets.load_dataset(
        str(tmp_path / "parquet"), config, split=split, cache_dir=str(tmp_path / "cache")
    )
    assert {row["id"][0] for row in found} == {"t"}


def test_croissant_lists_every_shard_with_its_sha256(tmp_path: Path) -> None:
    card(tmp_path, croissant=True)
    told = json.loads((tmp_path / "parquet" / "croissant.json").read_text())
    for file in told["distribution"]:
        assert formats.sha256(tmp_path / "parquet" / file["contentUrl"]) == file["sha256"]
    assert (told["license"], told["@type"]) == ("cc-by-4.0", "sc:Dataset")
    assert export.verify(tmp_path) == []
    card(tmp_path)
    assert not (tmp_path / "parquet" / "croissant.json").exists()


READ = """
import sys
import mlcroissant

data = mlcroissant.Dataset(jsonld=sys.argv[1])
assert not data.metadata.ctx.issues.errors, data.metadata.ctx.issues.errors
print(sum(1 for one in data.metadata.record_sets for _ in data.records(one.name)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["parquet", "jsonl"])
def test_mlcroissant_accepts_the_description_and_reads_every_row(tmp_path: Path, name: str) -> None:
    if importlib.util.find_spec("mlcroissant") is None:
        pytest.skip("mlcroissant is not installed: pip install 'mlcroissant>=1.1'")
    card(tmp_path, croissant=True, formats=["parquet", "jsonl"])
    path = tmp_path / name / "croissant.json"
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["52"], done.stderr
