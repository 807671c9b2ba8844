"""The fault matrix: that docs/faults.md covers it, and the rows that have no other home.

Disks are in test_disk.py, huge and hostile inputs in test_hostile.py, the provider's own faults in
test_calls.py and test_batches.py.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batchserver import running
from conftest import ROOT, Corpus, environment
from servers import bad, scripted

ROWS = 44
SOURCE = ROOT / "src" / "corpus"
KEY = "sk-canary-6e1f0c9b2a7d4835"
BUILD = ("--writer", "claude", "--model", "claude-haiku-5-5", "--tokens", "2k", "--yes")


# The table itself.


def table() -> dict[int, list[str]]:
    """The cells of each row of docs/faults.md by its number."""
    lines = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {int(row[0]): row for row in rows if row[0].isdecimal()}


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_row_of_the_matrix_names_tests_that_exist() -> None:
    rows = table()
    assert sorted(rows) == list(range(1, ROWS + 1))
    for number, (_, fault, what, tests) in rows.items():
        assert fault
        assert what
        named = re.findall(r"`(tests/\w+\.py)::(test_\w+)`", tests)
        for file, name in named:
            assert name in functions(ROOT / file), f"row {number}: {file} has no {name}"
        assert named or "not here:" in tests, f"row {number}: no test and no reason"


def test_every_trial_that_the_table_names_can_be_run() -> None:
    trials = functions_of_torture()
    named = set(re.findall(r"`torture ([\w-]+)`", json.dumps(table())))
    assert named
    assert named <= trials


def functions_of_torture() -> set[str]:
    """The names of the trials, as its ``TRIALS`` lists them."""
    tree = ast.parse((ROOT / "benchmarks" / "torture" / "__main__.py").read_text(encoding="utf-8"))
    dicts = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    return {
        ast.literal_eval(key) for d in dicts if isinstance(d, ast.Dict) for key in d.keys if key
    }


# Row 18: many results, in no order.

MANY = 20_000
GATHER = """
import resource, sys
from pathlib import Path
from corpus.model import Model, Writer
from corpus.model.batches import Batches
from corpus.model.journal import Journal
from corpus.model.prices import Purse
from corpus.records import Request

def requests():
    for number in range(int(sys.argv[2])):
        yield Request("draft", "m", "", ({"role": "user", "content": f"text {number}"},), 10)

writer = Writer("claude", "m", sys.argv[1], "k", batches=True)
with Journal(Path(sys.argv[3]) / "journal.sqlite") as journal:
    batches = Batches.of(writer, journal, None, Purse(None, 0), lambda _: None)
    batches.most = int(sys.argv[2])
    batches.put(list(requests()))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    batches.gather()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, journal.accounts())
"""


def test_row_18_twenty_thousand_results_in_no_order_are_never_held_at_once(tmp_path: Path) -> None:
    long = "word " * 1000  # of a reply: 100 MB in all

    def mangle(_: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in rows:
            row["result"]["message"]["content"][0]["text"] = long
        return rows[1::2] + rows[::2]

    with running() as provider:
        provider.mangle = mangle
        ended = subprocess.run(
            [sys.executable, "-c", GATHER, provider.address, str(MANY), str(tmp_path)],
            env=environment(), capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    grown, _, accounts = ended.stdout.partition(" ")
    assert f"'ok': {MANY}" in accounts
    assert int(grown) < 50_000  # kB


# Row 29: other settings, another constitution, on resume.


def billed(ledger: Path) -> list[str]:
    return [json.loads(line)["request"] for line in ledger.read_text().splitlines()]


@pytest.mark.parametrize("change", ["settings", "constitution"])
def test_row_29_a_change_buys_what_a_fresh_build_would_and_the_first_did_not(
    corpus: Corpus, folder: Path, server: tuple[str, Path], change: str
) -> None:
    def build(output: str) -> list[str]:
        before = len(billed(server[1]))
        ended = corpus("build", *BUILD, "--only", "advice", "--base-url", server[0], "-o", output)
        assert ended.returncode == 0, ended.stderr
        return billed(server[1])[before:]

    first = build("output")
    if change == "settings":
        (folder / "corpus.toml").write_text("seed = 7\nattempts = 2\n", encoding="utf-8")
    else:
        charter = folder / "constitution" / "charter.md"
        text = charter.read_text(encoding="utf-8").replace("so early,", "so early and plainly,")
        charter.write_text(text, encoding="utf-8")
    changed, fresh = build("output"), build("fresh")
    assert sorted(changed) == sorted(set(fresh) - set(first))
    assert 0 < len(changed) <= len(fresh)
    assert build("output") == []


# Rows 36 and 43: the key.


def leaks(folder: Path, *said: str) -> list[str]:
    """Where the key stands: files by name, and what was printed."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    found = [str(path) for path in files if KEY.encode() in path.read_bytes()]
    return found + [text[:200] for text in said if KEY in text]


@pytest.mark.parametrize("way", ["--batch", "--no-batch"])
def test_row_36_the_key_is_in_no_artefact_and_no_log_of_a_whole_build(
    corpus: Corpus, folder: Path, server: tuple[str, Path], way: str
) -> None:
    environ = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_LOG": "debug"}
    ended = corpus("--debug", "build", *BUILD, way, "--base-url", server[0], **environ)
    assert ended.returncode in {0, 3}, ended.stderr[-2000:]
    assert "DEBUG" in ended.stderr
    assert (folder / "output" / "manifest.json").exists()
    assert leaks(folder, ended.stdout, ended.stderr) == []


@pytest.mark.parametrize(
    "answer",
    [
        bad(401, f"invalid x-api-key {KEY}", "authentication_error"),
        bad(400, f"Authorization: Bearer {KEY}", "invalid_request_error"),
        bad(404, f"no such page for {KEY}", "not_found_error"),
    ],
)
@pytest.mark.parametrize("way", ["--batch", "--no-batch"])
def test_row_36_a_server_that_sends_the_key_back_does_not_get_it_written_down(
    corpus: Corpus, folder: Path, answer: bytes, way: str
) -> None:
    environ = {"ANTHROPIC_API_KEY": KEY}
    with scripted(lambda *_: answer) as (address, seen):
        for flags in ((), ("--debug",)):
            ended = corpus(*flags, "build", *BUILD, way, "--base-url", address, **environ)
            assert ended.returncode != 0
            assert leaks(folder, ended.stdout, ended.stderr) == []
        assert KEY in seen.heads[0]


def test_row_36_a_key_in_the_settings_or_the_address_is_refused_and_not_repeated(
    corpus: Corpus, folder: Path
) -> None:
    (folder / "corpus.toml").write_text(f'api_key = "{KEY}"\n', encoding="utf-8")
    ended = corpus("build", *BUILD)
    assert (ended.returncode, KEY in ended.stderr) == (2, False)
    (folder / "corpus.toml").unlink()
    for address in (f"http://me:{KEY}@127.0.0.1:9", f"https://{KEY}@example.org"):
        ended = corpus("build", *BUILD, "--base-url", address)
        assert (ended.returncode, "ANTHROPIC_API_KEY" in ended.stderr) == (2, True), ended.stderr
        assert leaks(folder, ended.stdout, ended.stderr) == []


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1.example.org", "http://192.0.2.7:8000", "http://localhost.", "//x"]
)
def test_row_43_a_key_never_leaves_in_clear_for_another_machine(
    corpus: Corpus, folder: Path, address: str
) -> None:
    for environ in ({}, {"ANTHROPIC_BASE_URL": address}):
        flags = () if environ else ("--base-url", address)
        ended = corpus("build", *BUILD, *flags, ANTHROPIC_API_KEY=KEY, **environ)
        assert (ended.returncode, "--base-url" in ended.stderr) == (2, True), ended.stderr
    assert not (folder / "output" / "corpus.toml").exists()


def test_row_43_an_address_that_was_changed_on_disk_is_checked_by_every_command(
    corpus: Corpus, folder: Path
) -> None:
    from corpus.model import batchlog
    from corpus.model.journal import Journal
    from corpus.records import Request

    (folder / "output").mkdir()
    request = Request("draft", "m", "", ({"role": "user", "content": "x"},), 10)
    with Journal(folder / "output" / "journal.sqlite") as journal:
        batchlog.intend(journal, "feedfacefeedface", [request], [None], 0.0)
    settings = 'writer = "claude"\nbase_url = "http://192.0.2.7"\n'
    (folder / "output" / "corpus.toml").write_text(settings, encoding="utf-8")
    for command in (("cancel", "feedfacefeedface"), ("adopt", "feedfacefeedface", "msgbatch_1")):
        more = ("--yes",) if command[0] == "cancel" else ()
        ended = corpus("batches", *command, *more, ANTHROPIC_API_KEY=KEY)
        assert (ended.returncode, "in clear text" in ended.stderr) == (2, True), ended.stderr


# Rows 38 to 41 and 44: what this program does not do at all.

UNSAFE = {
    "csv", "pickle", "marshal", "shelve", "dill", "joblib", "yaml", "tarfile", "gzip", "bz2",
    "lzma", "zipfile", "multiprocessing", "concurrent.futures.process",
}  # fmt: skip
ALLOWED = {
    "model/embedded.py": {"zipfile"},  # one wheel, whose one member is checked against its sha256
    "tokens/__init__.py": {"gzip"},  # the vocabulary that comes with the package
    "formats/jsonl.py": {"gzip"},  # what an export wrote, read again row by row
    "formats/olmo.py": {"csv", "gzip"},  # the table that OLMo-core reads; no sheet program does
    "formats/webdataset.py": {"tarfile"},  # members are read in memory, and never unpacked
}
CALLS = {"eval", "exec", "fork", "forkpty", "system", "popen", "unpack_archive"}


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", ""))


def test_rows_38_to_40_and_44_no_csv_no_pickle_no_yaml_no_archive_and_no_fork_in_the_source() -> (
    None
):
    for path in SOURCE.rglob("*.py"):
        tree, name = ast.parse(path.read_text("utf-8")), path.relative_to(SOURCE).as_posix()
        found = {word for word in imports(tree) if word in UNSAFE or word.split(".")[0] in UNSAFE}
        assert found == ALLOWED.get(name, set()), name
        assert CALLS.isdisjoint(calls(tree)), name
        assert ".csv" not in path.read_text("utf-8").replace(".csv.gz", ""), name


def test_row_39_the_rules_of_the_linter_that_forbid_them_are_on() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    off = {code for part in (lint["ignore"], *lint["per-file-ignores"].values()) for code in part}
    assert {"S301", "S302", "S307", "S506", "S102", "S202"}.isdisjoint(off)
    assert not any(code in {"S", "S3", "S5"} for code in off)


def test_row_41_what_is_installed_is_pinned_and_no_model_is_fetched_by_a_bare_name() -> None:
    pins = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert all(re.fullmatch(r"#.*|[\w.-]+==[\w.+-]+( ;.*)?", pin.strip()) for pin in pins if pin)
    for path in SOURCE.rglob("*.py"):
        text = path.read_text("utf-8")
        assert not re.search(r"spacy\.(load|cli)|en_core_web|en-core-web", text), path
        assert not re.search(r"hf_hub_download|snapshot_download|from_pretrained", text), path
