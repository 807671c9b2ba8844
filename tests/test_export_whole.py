"""Whole or not there: kills, full disks, workers, changed inputs, damage, and other exports."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpus import export, formats, store, tokens
from corpus.errors import DiskError, InputError
from corpus.export.tokenized import TokenFile
from corpus.formats import Row

GPT2 = tokens.load("gpt2")
FORMATS = [name for name in formats.names() if name != "arrayrecord"]  # has a package of its own
WORDS = "the cat sat on a mat and told of it all day long in a quiet house by the sea".split()


def text(path: Path, count: int = 300, seed: int = 0, **more: Any) -> Path:
    """A file of so many rows about twenty sections."""
    chance = random.Random(seed)
    lines = (
        {"id": f"r{n}", "text": " ".join(chance.choices(WORDS, k=200)), "section": f"s{n % 20}",
         **more}
        for n in range(count)
    )  # fmt: skip
    store.write_rows(path, lines)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` with its bytes."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def line(*arguments: object) -> list[str]:
    """The words of ``corpus export``."""
    return [sys.executable, "-m", "corpus", "export", *map(str, arguments)]


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """``corpus export`` as a process, run to its end."""
    return subprocess.run(line(*arguments), capture_output=True, text=True, check=False)


def made(folder: Path, source: Path, **options: Any) -> dict[str, Any]:
    """The manifest of an export in every format, several shards of each."""
    settings = {"tokenizer": GPT2, "formats": FORMATS, "shard_tokens": 20_000} | options
    return export.publish(export.rows_of_files([source]), folder, **settings)


def test_kill_and_run_again_gives_the_bytes_of_a_run_that_was_left_alone(tmp_path: Path) -> None:
    source = text(tmp_path / "in.jsonl", 400)
    some = ("parquet", "jsonl", "megatron", "datatrove")
    arguments = [source, "--shard-tokens", 4_000, *(f"--format={name}" for name in some)]
    started = time.monotonic()
    assert command(*arguments, "-o", tmp_path / "whole").returncode == 0
    took = time.monotonic() - started
    killed = 0
    for share in (0.6, 0.85):
        words = line(*arguments, "-o", tmp_path / "killed")
        with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
            time.sleep(took * share)
            process.kill()
        killed += process.returncode == -signal.SIGKILL
    assert killed
    assert command(*arguments, "-o", tmp_path / "killed").returncode == 0
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


STOPPED = """
import os, signal, sys

file = sys.argv.pop(1)


def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and file in arguments[0]:
        os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(hook)
from corpus.cli import main

main()
"""


@pytest.mark.parametrize(
    "file", ["parquet/default/.train-00001", "olmo/default/.train-00000", "README", "/.manifest"]
)
def test_a_kill_at_any_file_leaves_no_manifest_and_a_rerun_mends_it(
    tmp_path: Path, file: str
) -> None:
    source = text(tmp_path / "in.jsonl", 60)
    some = [source, "--shard-tokens=4000", "--format=olmo", "--format=parquet", "-o"]
    words = [sys.executable, "-c", STOPPED, file, "export", *map(str, some)]
    killed = subprocess.run([*words, tmp_path / "killed"], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed" / "manifest.json").exists()
    assert "export again" in export.verify(tmp_path / "killed")[0]
    options: dict[str, Any] = {"formats": ["olmo", "parquet"], "shard_tokens": 4000}
    made(tmp_path / "killed", source, **options)
    made(tmp_path / "whole", source, **options)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_any_number_of_workers_gives_the_same_bytes(tmp_path: Path) -> None:
    source = text(tmp_path / "in.jsonl", 40)
    flags = ["--format=megatron", "--format=parquet", "--shard-tokens=4000"]
    for workers in (1, 2):
        found = command(source, *flags, "--workers", workers, "--no-quick", "-o",
                        tmp_path / str(workers))  # fmt: skip
        assert found.returncode == 0
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_text_digests_do_not_depend_on_the_container_or_the_shards(tmp_path: Path) -> None:
    source = text(tmp_path / "in.jsonl", 60)
    sums = {
        (one["text_sha256"], one["tokens_sha256"])
        for name in FORMATS
        for one in [made(tmp_path / name, source, formats=[name], shard_tokens=len(name) * 1000)]
    }
    assert len(sums) == 1


# another export, an input that changes, a disk that is full


def test_an_export_of_other_rows_is_not_written_over_unless_asked(tmp_path: Path) -> None:
    one, other = text(tmp_path / "1.jsonl", 50), text(tmp_path / "2.jsonl", 50, seed=1)
    made(tmp_path / "out", one, formats=["jsonl"])
    before = contents(tmp_path / "out")
    for source, options in ((other, {}), (one, {"seed": 7})):
        with pytest.raises(InputError, match=r"holds another export.*--replace"):
            made(tmp_path / "out", source, formats=["jsonl"], **options)
        assert contents(tmp_path / "out") == before
    made(tmp_path / "out", one, formats=["jsonl"])
    assert contents(tmp_path / "out") == before
    made(tmp_path / "out", other, formats=["nanogpt"], replace=True)
    assert not (tmp_path / "out" / "jsonl").exists()  # nothing would vouch for it
    assert export.verify(tmp_path / "out") == []


def test_the_command_says_that_another_export_is_there_and_exits_2(tmp_path: Path) -> None:
    one, other = text(tmp_path / "1.jsonl", 20), text(tmp_path / "2.jsonl", 20, seed=1)
    assert command(one, "-o", tmp_path / "out").returncode == 0
    refused = command(other, "-o", tmp_path / "out")
    assert refused.returncode == 2
    assert "pass --replace" in refused.stderr
    assert command(other, "-o", tmp_path / "out", "--replace").returncode == 0
    assert command(other, "-o", tmp_path / "out", "--verify").returncode == 0
    assert command(one, other, "--verify").returncode == 2


def test_an_input_that_is_written_to_meanwhile_is_noticed(tmp_path: Path) -> None:
    source = text(tmp_path / "in.jsonl", 20)
    rows = export.rows_of_files([source])
    list(rows)
    with source.open("a") as file:
        file.write("\n")
    with pytest.raises(InputError, match=r"in\.jsonl: was changed while it was exported"):
        export.publish(rows, tmp_path / "out", tokenizer=GPT2)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_pipe_that_cannot_be_copied_is_said_with_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "no folder").write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no folder"))
    with pytest.raises(DiskError, match=r"pipe: cannot be copied to .*no folder .* TMPDIR"):
        export.rows_of_files([tmp_path / "pipe"])


def test_a_pipe_is_read_as_a_file_is(tmp_path: Path) -> None:
    source = text(tmp_path / "in.jsonl", 20)
    made(tmp_path / "a", source, formats=["jsonl"])
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["/bin/sh", "-c", f"exec cat {source} > {pipe}"]):
        made(tmp_path / "b", pipe, formats=["jsonl"])
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


# verification of every format


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export in every format."""
    folder = tmp_path_factory.mktemp("exported")
    made(folder / "out", text(folder / "in.jsonl", 100))
    return folder / "out"


@pytest.mark.parametrize("damage", [flipped, truncated])
@pytest.mark.parametrize("name", FORMATS)
def test_verify_finds_damage_to_any_file_of_a_shard(
    tmp_path: Path, exported: Path, name: str, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(exported, folder)
    told = json.loads((folder / "manifest.json").read_text())
    shard = next(one for one in told["shards"] if one["format"] == name)
    for file in (shard["file"], *(other["file"] for other in shard.get("beside", ()))):
        whole = (folder / file).read_bytes()
        damage(folder / file)
        problems = export.verify(folder)
        assert any(file in problem for problem in problems), problems
        (folder / file).write_bytes(whole)
    assert export.verify(folder) == []


@pytest.mark.parametrize("name", FORMATS)
def test_verify_finds_wrong_ids_whose_checksum_was_made_right(tmp_path: Path, name: str) -> None:
    rows = [Row(id=f"r{n}", config="a", text=f"Day {n}.") for n in range(9)]
    others = [Row(id=f"r{n}", config="a", text=f"Day {n}!") for n in range(9)]
    options: dict[str, Any] = {"tokenizer": GPT2, "formats": [name]}
    told = export.publish(rows, tmp_path / "a", **options)
    export.publish(others, tmp_path / "b", **options)
    for shard in told["shards"]:
        for file in (shard, *shard.get("beside", ())):
            file.update(formats.seal(tmp_path / "b" / file["file"]))
    store.write_json(tmp_path / "b" / "manifest.json", told)
    assert any("tokens_sha256" in problem for problem in export.verify(tmp_path / "b"))


def test_verify_finds_an_end_of_text_in_the_middle_of_a_document(tmp_path: Path) -> None:
    row = Row(id="r", config="a", text="One day, and another.")
    told = export.publish([row], tmp_path, tokenizer=GPT2, formats=["megatron"])
    [shard] = told["shards"]
    data = bytearray((tmp_path / shard["file"]).read_bytes())
    data[2:4] = (50256).to_bytes(2, "little")
    (tmp_path / shard["file"]).write_bytes(data)
    shard.update(formats.seal(tmp_path / shard["file"]))
    store.write_json(tmp_path / "manifest.json", told)
    assert "2 end-of-text tokens for 1 documents" in export.verify(tmp_path)[0]


def test_a_damaged_manifest_is_a_problem_found_and_no_bad_usage(tmp_path: Path) -> None:
    made(tmp_path / "a", text(tmp_path / "in.jsonl", 20), formats=["jsonl"])
    (tmp_path / "a" / "manifest.json").write_text('{"version": "1", "shards": [')
    found = command(tmp_path / "a", "--verify")
    assert (found.returncode, found.stdout) == (1, "0 shards read again, 1 problems\n")
    assert "manifest.json: cannot be read as a manifest" in found.stderr
    assert command(tmp_path, "--verify").returncode == 2


@pytest.mark.parametrize("field", ["documents", "tokens"])
@pytest.mark.parametrize("name", FORMATS)
def test_verify_finds_a_wrong_count_in_any_format(
    tmp_path: Path, exported: Path, name: str, field: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(exported, folder)
    told = json.loads((folder / "manifest.json").read_text())
    shard = next(one for one in told["shards"] if one["format"] == name)
    shard[field] += 1
    store.write_json(folder / "manifest.json", told)
    [problem] = export.verify(folder)
    assert f"{shard['file']}: holds {shard[field] - 1} {field}" in problem


# memory


def test_ids_wait_in_files_that_no_crash_can_leave_behind(tmp_path: Path) -> None:
    ids = TokenFile(tmp_path, 50257)
    assert list(tmp_path.iterdir()) == []
    ids.close()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_text(tmp_path: Path) -> None:
    peaks = []
    for count in (4_000, 80_000):  # 3 MB and 60 MB
        source = text(tmp_path / f"{count}.jsonl", count)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        assert command(source, "--format=megatron", "--format=jsonl", "-o",
                       tmp_path / str(count)).returncode == 0  # fmt: skip
        peaks.append(max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024)
    assert peaks[1] < 1.15 * peaks[0]
    assert peaks[1] < 300
