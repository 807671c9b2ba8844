"""The report's gates for CI, and two builds side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buildfolders import (
    Row,
    accept,
    brief,
    document,
    fill,
    kept,
    manifest,
    metric,
    proof,
    reject,
    repeat,
)
from conftest import ROOT, Corpus
from corpus import report
from corpus.errors import InputError


def made(where: Path, *scores: Row, number: int = 6, **more: object) -> Path:
    """A whole build in a folder of that name, as the command line finds it."""
    kept(where, number, scores=list(scores))
    (where / "manifest.json").write_text(json.dumps(manifest(**more)))
    return where


def facts(where: Path, other: Path | None = None) -> Row:
    given = json.loads((where / "manifest.json").read_text())
    beside = facts(other) if other else None
    return report.collect(where, given, other=beside, other_name="other")


def test_a_number_is_held_to_its_limits(tmp_path: Path) -> None:
    found = facts(made(tmp_path / "a", metric("names", value=0.25)))
    assert report.broken(found, under=["names=0.2", "kept=6"], over=["names=30%"]) == []
    assert report.broken(found, under=["kept=7"]) == ["kept is 6, under 7"]
    assert report.broken(found, over=["names=20%"]) == ["names is 0.25, over 20%"]


def test_what_was_not_measured_cannot_pass(tmp_path: Path) -> None:
    found = facts(made(tmp_path / "a", metric("distinct2", value=None, gate=None)))
    assert report.broken(found, under=["distinct2=0.5"]) == [
        "distinct2 was not measured (limit: 0.5)"
    ]


@pytest.mark.parametrize(("level", "times"), [("warn", 2), ("fail", 1)])
def test_a_gate_of_the_build_breaks_at_its_level_or_worse(
    tmp_path: Path, level: str, times: int
) -> None:
    gates = [metric("names"), metric("opening", gate="warn"), metric("closing", gate="pass")]
    assert len(report.broken(facts(made(tmp_path / "a", *gates)), on=level)) == times


@pytest.mark.parametrize("limit", ["nams=1", "names=much", "names", "names=nan"])
def test_a_limit_that_means_nothing_is_refused(tmp_path: Path, limit: str) -> None:
    found = facts(made(tmp_path / "a", metric("names")))
    with pytest.raises(InputError, match="--fail-under"):
        report.broken(found, under=[limit])


def test_a_verdict_that_got_worse_is_told_from_one_that_was_bad_before(tmp_path: Path) -> None:
    old = made(tmp_path / "old", metric("names", gate="warn"), metric("opening", gate="fail"))
    new = made(tmp_path / "new", metric("names", gate="fail"), metric("opening", gate="fail"))
    found = facts(new, old)
    assert report.broken(found, worse=True) == ["names went from warn to fail"]
    with pytest.raises(InputError, match="--compare"):
        report.broken(facts(new), worse=True)


def test_two_builds_stand_side_by_side(tmp_path: Path) -> None:
    old = made(tmp_path / "old", metric("names", value=0.1, gate="warn"), seed=1)
    new = made(tmp_path / "new", metric("names", value=0.2), seed=2)
    found = facts(new, old)["compare"]
    [row] = found["metrics"]
    assert (row["values"], row["better"]) == ([0.1, 0.2], -1)
    assert found["comparable"]
    assert ["seed", "1", "2"] in found["settings"]
    assert found["cells"]["only"] == [0, 0]


def test_a_difference_inside_the_intervals_is_no_change(tmp_path: Path) -> None:
    old = made(tmp_path / "old", metric("names", value=0.20, low=0.18, high=0.23))
    near = made(tmp_path / "near", metric("names", value=0.22, low=0.19, high=0.25))
    far = made(tmp_path / "far", metric("names", value=0.30, low=0.27, high=0.33))
    found = [facts(new, old)["compare"]["metrics"][0]["better"] for new in (near, far)]
    assert found == [0, -1]


def test_builds_of_another_size_are_not_called_better_or_worse(tmp_path: Path) -> None:
    old = made(tmp_path / "old", metric("names", value=0.1), number=12)
    new = made(tmp_path / "new", metric("names", value=0.2))
    found = facts(new, old)["compare"]
    assert (found["comparable"], found["metrics"][0]["better"]) == (False, 0)
    page = report.write(new, manifest(), other=facts(old), other_name="old")
    assert "Not of one size" in page.read_text("utf-8")


def test_the_command_writes_the_page_and_exits_by_its_gates(corpus: Corpus, folder: Path) -> None:
    made(folder / "output", metric("names"))
    made(folder / "other", metric("names", gate="pass"))
    page = folder / "output" / "report" / "index.html"
    assert corpus("report").returncode == 0
    broken = corpus("report", "--compare", "other", "--fail-on", "worse", "--fail-under", "kept=9")
    assert broken.returncode == 3
    assert "kept is 6, under 9; names went from pass to fail; see" in broken.stderr
    assert "Beside another build" in page.read_text("utf-8")
    assert corpus("report", "--fail-over", "names=1").returncode == 0


def test_a_report_of_a_former_run_can_be_compared_with(corpus: Corpus, folder: Path) -> None:
    made(folder / "output", metric("names"))
    corpus("report")
    (folder / "output" / "report" / "report.json").rename(folder / "before.json")
    said = json.loads(corpus("report", "--compare", "before.json", "--json").stdout)
    assert said["compare"]["name"] == "before.json"
    assert all(one["values"][0] == one["values"][1] for one in said["compare"]["numbers"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--compare", "nowhere"), "nowhere"),
        (("--compare", "output/manifest.json"), "no report"),
        (("--fail-on", "worse"), "--compare OTHER"),
        (("--fail-under", "nams=1"), "did you mean 'names'"),
    ],
)
def test_bad_input_to_the_report_is_one_line_and_exit_2(
    corpus: Corpus, folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    made(folder / "output", metric("names"))
    ended = corpus("report", *arguments)
    assert ended.returncode == 2, ended.stderr
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_guide_names_every_key_of_the_twin(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "report.md").read_text("utf-8").partition("## `report.json`")[2]
    heads = [line.split("|")[1] for line in guide.splitlines() if line.startswith("| `")]
    named = {name.strip(" `") for head in heads for name in head.split(",")}
    assert named == {*facts(made(tmp_path / "a"))}


@pytest.mark.slow
def test_a_hundred_thousand_documents_make_a_page_of_less_than_two_megabytes(
    tmp_path: Path,
) -> None:
    number = range(100_000)
    words = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "nrstlmk"]
    texts = [" ".join(words[(n * k + k * k) % len(words)] for k in range(1, 200)) for n in number]
    sections = [
        {"id": f"s{n}", "title": f"Section {n}", "path": ["All", f"S{n}"]} for n in range(400)
    ]
    cells = [
        {"section": f"s{n % 400}", "kind": f"kind-{n % 37}", "stream": "documents"} for n in number
    ]
    fill(
        tmp_path,
        briefs=[brief(n, **cells[n]) for n in number],
        documents=[document(n, f"{texts[n]} <&>", **cells[n]) for n in number],
        reviews=[reject(n, f"reason {n % 60}") if n % 9 == 0 else accept(n) for n in number],
        duplicates=[repeat(n, n - 1) for n in number[1::11]],
        scores=[
            metric(f"m{n}", evidence=[proof(texts[n][:60], f"d{n}", f"d{n + 9}")] * 20)
            for n in range(60)
        ],
    )
    given = manifest(constitution={"name": "Large", "sections": sections})
    page = report.write(tmp_path, given, other=report.collect(tmp_path, given), other_name="itself")
    assert page.stat().st_size <= 2_000_000
    facts = report.read_twin(page)
    assert (facts["headline"]["written"], len(facts["map"]["points"])) == (100_000, 5_000)
    assert len(facts["reading"]["documents"]) == 96
