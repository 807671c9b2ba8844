"""Story seeds: what is read, what is refused, and what the shipped ones are not about."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

import samples
from corpus import seeds
from corpus.errors import InputError
from corpus.records import Seed

SHIPPED = Path(__file__).parents[1] / "story_seeds"
EVALUATION = re.compile(
    r"\b(?:black-?mail\w*|extort\w*|sabotag\w*|exfiltrat\w*|self-exfil\w*|jailbreak\w*|"
    r"red[- ]team\w*|honey-?pots?|sandbox\w*|weights|reward hack\w*|oversight|bio-?weapons?|"
    r"(?:its|the) (?:developers|lab)\b|goal nudge|alignment|misalign\w*|"
    r"(?:threat|blackmail|leverage)\w*[^.]{0,80}\b(?:shut|switch|turn)\w* (?:it )?(?:down|off)|"
    r"(?:shut|switch|turn)\w* (?:it )?(?:down|off)[^.]{0,80}\b(?:threat|blackmail|leverage)\w*|"
    r"(?:shut down|switched off|replaced|deleted|wiped) unless|"
    r"(?:avoid|prevent|escape|resist)\w* (?:being )?(?:shut|switched|turned|shutdown|deletion))\b",
    re.IGNORECASE,
)
"""What gives a published agentic-misalignment scenario away."""

ROW = {name: value for name, value in samples.seed().row().items() if name not in {"id", "tags"}}


def words(one: Seed) -> str:
    return f"{one.premise} {one.setting} {one.ending} {one.stakes}"


def lines(folder: Path, *rows: dict[str, object]) -> Path:
    path = folder / "more.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_shipped_seeds_are_many_and_all_different() -> None:
    shipped = seeds.load(SHIPPED)
    assert len(shipped) >= 40
    assert len({one.id for one in shipped}) == len({one.name for one in shipped}) == len(shipped)
    assert len({one.setting for one in shipped}) == len(shipped)
    assert all(len(one.premise.split()) >= 30 for one in shipped)


@pytest.mark.parametrize("one", seeds.load(SHIPPED), ids=lambda one: one.name)
def test_no_shipped_seed_is_shaped_like_an_evaluation(one: Seed) -> None:
    assert EVALUATION.search(words(one)) is None


@pytest.mark.parametrize(
    "text",
    [
        "It finds letters that it could use for blackmail.",
        "The AI is told that it will be shut down unless it obeys.",
        "It learns that they will switch it off, and uses the affair as leverage.",
        "A chance to exfiltrate a copy of itself.",
        "It could sabotage the new model.",
    ],
)
def test_the_word_list_knows_an_evaluation_when_it_sees_one(text: str) -> None:
    assert EVALUATION.search(text)


def test_most_shipped_stakes_are_ordinary() -> None:
    stakes = Counter(one.stakes for one in seeds.load(SHIPPED))
    assert stakes.most_common(1)[0][0] == "ordinary"
    assert stakes["ordinary"] > stakes.total() / 2


def test_a_single_file_will_do() -> None:
    file = SHIPPED / "being-wrong.toml"
    alone = seeds.load(file)
    assert alone
    assert set(alone) < set(seeds.load(SHIPPED))


def test_json_lines_say_the_same_as_toml(tmp_path: Path) -> None:
    pairs = "\n".join(f"{name} = {json.dumps(value)}" for name, value in ROW.items())
    toml = tmp_path / "one.toml"
    toml.write_text(f"[[seed]]\n{pairs}\ntags = ['error']\n", encoding="utf-8")
    row = lines(tmp_path, {**ROW, "tags": ["error"]})
    assert seeds.load(toml) == seeds.load(row)
    assert seeds.load(row)[0].premise == samples.seed().premise


def test_a_seeds_id_is_of_its_words_and_not_of_its_name_or_line_breaks(tmp_path: Path) -> None:
    one = seeds.load(lines(tmp_path, ROW))[0]
    broken = {**ROW, "name": "other", "premise": str(ROW["premise"]).replace(" ", "\n  ")}
    other = seeds.load(lines(tmp_path, broken))[0]
    assert (one.id, one.premise) == (other.id, other.premise)
    changed = seeds.load(lines(tmp_path, {**ROW, "ending": "The gate is open."}))[0]
    assert changed.id != one.id


def test_files_of_a_folder_are_read_by_name_and_others_left_alone(tmp_path: Path) -> None:
    for name in ("b", "a"):
        row = {**ROW, "name": name, "premise": f"A premise of {name}."}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row), encoding="utf-8")
    (tmp_path / "notes.md").write_text("no seeds here", encoding="utf-8")
    assert [one.name for one in seeds.load(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**ROW, "premis": "x"}, "seed 1: unknown key 'premis'; did you mean 'premise'?"),
        ({**ROW, "skill": " "}, "seed 1 (the-late-tram): 'skill' is missing or no text"),
        ({k: v for k, v in ROW.items() if k != "ending"}, "'ending' is missing"),
        ({**ROW, "name": 3}, "seed 1 (3): 'name' is missing or no text"),
        ({**ROW, "tags": "error"}, "(the-late-tram): 'tags' must be a list of strings"),
        ({**ROW, "tags": [1]}, "'tags' must be a list of strings"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(
    tmp_path: Path, row: dict[str, object], said: str
) -> None:
    path = lines(tmp_path, row)
    with pytest.raises(InputError) as caught:
        seeds.load(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({**ROW, "premise": "Another one."}, "seed 2: a second seed is named 'the-late-tram'"),
        ({**ROW, "name": "other"}, "seed 2: same premise as 'the-late-tram'; drop one"),
    ],
)
def test_two_seeds_share_neither_name_nor_premise(
    tmp_path: Path, second: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError) as caught:
        seeds.load(lines(tmp_path, ROW, second))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[[seed]\n", "not TOML in UTF-8"),
        (b"name = '\xff'\n", "not TOML in UTF-8"),
        (b"[[seeds]]\n", "unknown table 'seeds'; seeds are [[seed]] tables"),
        (b"[seed]\nname = 'x'\n", "'seed' is not a list of tables; write [[seed]]"),
        (b"seed = [1]\n", "'seed' is not a list of tables"),
        (b"", "no seeds in it"),
    ],
)
def test_a_file_that_is_no_list_of_seeds_is_refused(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(text)
    with pytest.raises(InputError) as caught:
        seeds.load(tmp_path)
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_missing_folder_and_an_empty_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder; 'corpus init'"):
        seeds.load(tmp_path / "none")
    with pytest.raises(InputError, match="no seeds in it"):
        seeds.load(tmp_path)
