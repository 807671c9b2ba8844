"""The command line: what it prints, what it refuses, and how fast it answers."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from conftest import ROOT, Corpus, environment
from corpus import cli

COMMANDS = ("init", "plan", "build", "status", "report", "export", "dedup", "score", "rehearse")


def test_help_costs_under_three_tenths_of_a_second_of_cpu() -> None:
    # A bound of the contract: CPU seconds, the least of three runs.
    costs = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "corpus", "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs) < 0.3


def test_help_imports_nothing_that_is_slow() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from corpus.cli import cli;"
        "CliRunner().invoke(cli, ['build', '--help']);"
        "print({'anthropic', 'spacy', 'datasketch', 'pyarrow', 'numpy', 'rich'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ended.stdout.strip() == "set()"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_stands_in_the_readme(name: str) -> None:
    ended = CliRunner().invoke(cli.cli, [name, "--help"])
    assert ended.exit_code == 0
    assert f"corpus {name}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_quick_start_has_exactly_two_blocks_of_one_line() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = [part.split("```")[0] for part in readme.split("```sh\n")[1:]]
    assert len(blocks) == 2
    assert all(block.count("\n") == 1 for block in blocks)


def test_the_examples_of_init_can_be_planned_and_are_not_overwritten(
    corpus: Corpus, folder: Path
) -> None:
    made = corpus("init", "mine")
    assert made.returncode == 0
    plan = corpus("plan", "--config", "mine/corpus.toml", "--constitution", "mine/constitution")
    assert plan.returncode == 0, plan.stderr
    again = corpus("init", "mine")
    assert again.returncode == 2
    assert "mine/corpus.toml is there already" in again.stderr
    assert (folder / "mine" / "story_seeds").is_dir()


def test_init_on_a_full_disk_leaves_nothing_and_can_be_run_again(
    corpus: Corpus, tmp_path: Path
) -> None:
    given = f"ulimit -f 8; {sys.executable} -m corpus init new"
    ended = subprocess.run(
        ["/bin/bash", "-c", given],
        cwd=tmp_path,
        env=environment(),
        stderr=-1,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (74, 1), ended.stderr
    assert list((tmp_path / "new").iterdir()) == []
    assert corpus("init", str(tmp_path / "new")).returncode == 0


def test_a_plan_shows_requests_tokens_and_price_and_writes_nothing(
    corpus: Corpus, folder: Path
) -> None:
    before = sorted(folder.rglob("*"))
    ended = corpus("plan", "--json", "--writer", "claude", "--tokens", "50k")
    plan = json.loads(ended.stdout)
    documents = plan["streams"]["documents"]
    text = {"spec", "check", "draft", "rewrite", "judge"}
    assert set(documents["requests"]) - {"blind"} == text
    assert set(plan["streams"]["advice"]["requests"]) - {"blind"} == text | {"message", "polish"}
    assert documents["kept_tokens"] == 21_000
    assert (
        0 < documents["price"]["low"] <= documents["price"]["likely"] < documents["price"]["high"]
    )
    half = documents["price"]["likely"] / 2
    assert documents["price_batch"]["likely"] == pytest.approx(half, rel=0.01)
    assert sorted(folder.rglob("*")) == before


def test_a_model_without_a_price_shows_tokens_and_refuses_a_budget(corpus: Corpus) -> None:
    plan = corpus("plan", "--json", "--writer", "claude", "--model", "mystery")
    streams = json.loads(plan.stdout)["streams"]
    assert streams["documents"]["price"] is None
    assert streams["documents"]["output_tokens"] > 0
    refused = corpus("plan", "--writer", "claude", "--model", "mystery", "--budget", "5")
    assert refused.returncode == 2
    assert "'mystery' is not known" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("build", "--tokens", "many"), "tokens = 'many'"),
        (("build", "--mix", "essays=1"), "unknown stream 'essays'"),
        (("build", "--kinds", "story_seeds"), "no kinds in it"),
        (("build", "--constitution", "nowhere"), "--constitution nowhere"),
        (("build", "--seeds", "nowhere"), "--seeds nowhere"),
        (("build", "--config", "nowhere.toml"), "nowhere.toml"),
        (("build", "--writer", "claude"), "set ANTHROPIC_API_KEY"),
        (("build", "--base-url", "http://example.org"), "clear text"),
        (("build", "--concurrency", "lots"), "--concurrency 'lots'"),
        (("build", "--tokenizer", "nothing"), "nothing"),
        (("build", "--concurrency", "\u00b2"), "--concurrency '\u00b2'"),
        (("build", "--only", "stories", "--without", "stories"), "nothing would be written"),
        (("build", "--only", "stories", "--mix", "documents=1"), "--only and --mix"),
        (("build", "--seed", "x"), "'--seed'"),
        (("plan", "--tokenizer", "nothing"), "tokenizer 'nothing'"),
        (("plan", "--tokens", "99999999999"), "more than 10B"),
        (("score", "/dev/null"), "no document in it"),
        (("dedup", "--threshold", "2", "a.jsonl", "-o", "out"), "'--threshold'"),
        (("nothing",), "No such command 'nothing'"),
        (("status",), "no build has run here"),
        (("report",), "no build in it"),
        (("export", "constitution"), "no build in it"),
        (("export", "a.jsonl"), "needs -o DIR"),
        (("score", "nowhere.jsonl"), "nowhere.jsonl"),
        (("dedup", "nowhere.jsonl", "-o", "out"), "nowhere.jsonl"),
    ],
)
def test_bad_input_is_one_line_that_names_it_and_exit_2(
    arguments: tuple[str, ...], said: str, corpus: Corpus
) -> None:
    ended = corpus(*arguments)
    assert ended.returncode == 2, ended.stderr
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", [("plan",), ("--help",), ("export", "--help")])
def test_a_full_disk_behind_standard_output_is_told_in_a_line(
    command: tuple[str, ...], folder: Path
) -> None:
    with Path("/dev/full").open("w") as full:
        arguments = [sys.executable, "-m", "corpus", *command]
        ended = subprocess.run(
            arguments, cwd=folder, env=environment(), stdout=full, stderr=-1, text=True, check=False
        )
    assert ended.returncode == 74, ended.stderr
    assert ended.stderr == "corpus: standard output cannot be written (No space left on device)\n"


def test_a_key_with_a_line_break_is_refused_and_told_nowhere(corpus: Corpus, folder: Path) -> None:
    ended = corpus("build", ANTHROPIC_API_KEY="sk-secret\r")
    assert ended.returncode == 2, ended.stderr
    assert "ANTHROPIC_API_KEY: holds a character" in ended.stderr
    assert "sk-secret" not in ended.stdout + ended.stderr
    assert not (folder / "output").exists()


def test_debug_shows_where_an_error_came_from(corpus: Corpus) -> None:
    assert "Traceback" in corpus("--debug", "status").stderr


def test_an_unknown_setting_is_an_error_with_a_hint(corpus: Corpus, folder: Path) -> None:
    (folder / "corpus.toml").write_text("tokns = 5\n")
    ended = corpus("plan")
    assert ended.returncode == 2
    assert "corpus.toml: unknown key 'tokns'; did you mean 'tokens'?" in ended.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("[gates]\nopenings = [0.1, 0.2]", "did you mean 'opening'?"),
        ("formats = ['parquett']", "did you mean 'parquet'?"),
        ("tokenizer = 'nothing'", "tokenizer 'nothing'"),
        ("mix = {documents = 1e308, stories = 1e308}", "too large to be added up"),
    ],
)
def test_what_could_not_be_used_at_the_end_is_refused_before_anything_is_spent(
    given: str, said: str, corpus: Corpus, folder: Path
) -> None:
    (folder / "corpus.toml").write_text(given)
    for command in ("plan", "build"):
        ended = corpus(command, "--writer", "rehearse")
        assert ended.returncode == 2
        assert said in ended.stderr
    assert not (folder / "output").exists()


def test_dedup_and_score_speak_json(corpus: Corpus, folder: Path) -> None:
    text = "the ferry leaves at noon because the tide turns and nobody wants to wait for it again"
    rows = [{"id": f"{n}", "text": text if n < 2 else f"{n} {text[::-1]}"} for n in range(3)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = json.loads(corpus("dedup", "rows.jsonl", "-o", "out", "--json").stdout)
    assert (found["documents"], found["kept"]) == (3, 2)
    duplicate = json.loads((folder / "out" / "duplicates.jsonl").read_text())
    assert set(duplicate) == {"id", "original", "similarity", "method", "cluster"}
    scored = corpus("score", "rows.jsonl", "--json")
    assert scored.returncode == 3
    assert json.loads(scored.stdout)["metrics"]["near_dup"]["gate"] == "fail"


def test_a_demo_build_is_exported_only_on_demand(corpus: Corpus, folder: Path) -> None:
    built = corpus("build", "--writer", "rehearse", "--tokens", "6k", "--only", "documents")
    assert built.returncode == 0, built.stderr
    refused = corpus("export", "--format", "jsonl")
    assert refused.returncode == 2
    assert "--allow-demo" in refused.stderr
    assert corpus("export", "--format", "jsonl", "--allow-demo").returncode == 0
    assert corpus("export", "--verify").returncode == 0
    shard = next((folder / "output" / "shards" / "jsonl").rglob("train*.jsonl"))
    shard.write_bytes(shard.read_bytes().replace(b"the", b"teh", 1))
    damaged = corpus("export", "--verify")
    assert damaged.returncode == 1
    assert shard.name in damaged.stderr


def test_status_calls_a_build_stopped_whose_process_is_gone(corpus: Corpus, folder: Path) -> None:
    import socket

    ended = subprocess.Popen([sys.executable, "-c", ""], env=environment())
    ended.wait()
    row = {"pid": ended.pid, "host": socket.gethostname(), "state": "running", "round": 1}
    row |= {"stage": "draft", "done": 1, "total": 2, "kept": 0, "tokens": 0, "tokens_goal": 9}
    (folder / "output").mkdir()
    (folder / "output" / "status.json").write_text(json.dumps(row | {"seconds": 3.0}) + "\n")
    assert "stopped: round 1, draft 1/2" in corpus("status").stdout


@pytest.mark.parametrize("command", ["export", "report", "status"])
def test_a_damaged_file_of_a_build_is_named(command: str, corpus: Corpus, folder: Path) -> None:
    (folder / "output").mkdir()
    for name in ("briefs.jsonl", "documents.jsonl", "reviews.jsonl"):
        (folder / "output" / name).touch()
    (folder / "output" / "manifest.json").write_text('{"shards": [')
    (folder / "output" / "status.json").write_text('{"state": "done", "pid": 1}')
    ended = corpus(command)
    assert ended.returncode == 2, ended.stderr
    assert ("status.json" if command == "status" else "manifest.json") in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_day_that_cannot_be_is_named(corpus: Corpus) -> None:
    ended = corpus("build", "--writer", "rehearse", SOURCE_DATE_EPOCH="99999999999999")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
    assert "SOURCE_DATE_EPOCH '99999999999999'" in ended.stderr


def test_a_build_on_a_terminal_shows_its_stages_and_ends_with_a_summary(folder: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "corpus", "build", "--writer", "rehearse", "--tokens", "2k"]
    with subprocess.Popen(command, cwd=folder, env=environment(TERM="xterm"), stdout=theirs) as run:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the terminal is gone when the build has ended
            while part := os.read(ours, 65536):
                shown += part
    os.close(ours)
    assert run.returncode in {0, 3}
    assert all(word in shown for word in (b"rewrite", b"judge", b"/s", b"documents kept of"))


IMPORT = """
import os, signal, sys, time
from corpus.cli import signals
sys.path.insert(0, sys.argv[1])
signals.install()
try:
    import slow
    time.sleep(10)
except KeyboardInterrupt:
    print(sys.modules["slow"].whole)
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_signal_during_an_import_waits_for_its_end(number: str, tmp_path: Path) -> None:
    body = f"import os, signal\nos.kill(os.getpid(), signal.{number})\nwhole = sum(range(9))\n"
    (tmp_path / "slow.py").write_text(body)
    command = [sys.executable, "-c", IMPORT, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, "36\n"), ended.stderr
