"""Disks that are full, read-only, gone, or give back something else than was written.

Each test names the row of the fault matrix that it covers; docs/faults.md lists them all.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import ROOT, Corpus, environment, furnished, runner
from corpus import store
from corpus.errors import DiskError
from corpus.model.journal import FLOOR, Journal
from corpus.records import Request
from servers import good, scripted
from test_build import prints

BUILD = (
    "build", "--writer", "claude", "--model", "claude-haiku-5-5", "--tokens", "2k",
    "--only", "advice", "--yes", "--base-url",
)  # fmt: skip
SIZE = 8 * 2**20  # of the mounted file system
KINDS = ("tmpfs", "ext4")


@pytest.fixture(params=KINDS)
def disk(request: pytest.FixtureRequest, folder: Path) -> Iterator[Path]:
    """A small file system of its own at the output of ``folder``."""
    where, image = folder / "output", folder / "image"
    where.mkdir()
    commands = [["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(where)]]
    if request.param == "ext4":
        image.write_bytes(b"")
        os.truncate(image, SIZE)
        commands = [
            ["mkfs.ext4", "-q", "-m", "0", str(image)],
            ["mount", "-o", "loop", str(image), str(where)],
        ]
    for command in commands:
        if shutil.which(command[0]) is None or done(*command):
            pytest.skip(f"no {request.param} can be mounted here: it takes root, and a loop device")
    yield where
    done("umount", "-l", str(where))


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory, server: tuple[str, Path]) -> dict[str, str]:
    """The digests of the files of a build that nothing has happened to."""
    folder = furnished(tmp_path_factory.mktemp("unbroken"))
    assert runner(folder)(*BUILD, server[0]).returncode == 0
    return prints(folder)


def done(*command: str) -> int:
    return subprocess.run(command, check=False, capture_output=True).returncode


def leave(disk: Path, room: int) -> None:
    """Fill the disk but for so many bytes."""
    with (disk / "ballast").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while (free := shutil.disk_usage(disk).free) > room:
            file.write(bytes(min(free - room, 2**16)))


def billed(ledger: Path) -> list[str]:
    return [json.loads(line)["request"] for line in ledger.read_text().splitlines()]


# Row 22: no room.


def test_row_22_a_disk_that_fills_stops_the_build_before_it_pays_for_what_has_no_room(
    corpus: Corpus,
    folder: Path,
    disk: Path,
    server: tuple[str, Path],
    unbroken: dict[str, str],
) -> None:
    before = len(billed(server[1]))
    leave(disk, FLOOR + 150_000)
    ended = corpus(*BUILD, server[0])
    assert (ended.returncode, "Traceback" in ended.stderr) == (74, False), ended.stderr
    (disk / "ballast").unlink()
    assert corpus(*BUILD, server[0]).returncode == 0
    bought = billed(server[1])[before:]
    assert len(bought) == len(set(bought)) > 0
    assert prints(folder) == unbroken


def test_row_22_a_disk_without_room_for_what_is_derived_is_74_and_costs_nothing(
    corpus: Corpus, folder: Path, disk: Path, server: tuple[str, Path]
) -> None:
    assert corpus(*BUILD, server[0]).returncode == 0
    whole, paid = prints(folder), len(billed(server[1]))
    for room in (12_000, 60_000):
        for derived in (*disk.glob("*/"), *disk.glob("*.jsonl")):
            shutil.rmtree(derived) if derived.is_dir() else derived.unlink()
        leave(disk, room)
        ended = corpus(*BUILD, server[0])
        assert (ended.returncode, "Traceback" in ended.stderr) == (74, False), ended.stderr
        (disk / "ballast").unlink()
    assert corpus(*BUILD, server[0]).returncode == 0
    assert (prints(folder), len(billed(server[1]))) == (whole, paid)


@pytest.mark.parametrize("length", [500, 5_000, 50_000])
def test_row_22_a_log_without_room_is_a_disk_error_and_is_whole_when_there_is_some(
    disk: Path, length: int
) -> None:
    rows = [{"id": str(number), "text": "x" * length} for number in range(50_000 // length + 4)]
    leave(disk, 8192)
    with (
        pytest.raises(DiskError, match="No space left"),
        store.Log(disk / "log.jsonl") as log,
    ):
        for row in rows:
            log.append([row])
    (disk / "ballast").unlink()
    with store.Log(disk / "log.jsonl") as log:
        log.append(rows)
    assert list(store.read_rows(disk / "log.jsonl")) == rows


# Row 23: no disk to write to.


def read_only(disk: Path) -> None:
    if done("mount", "-o", "remount,ro", str(disk)):
        pytest.skip("no file system can be made read-only here")


def test_row_23_a_read_only_output_is_refused_before_anything_is_asked(
    corpus: Corpus, disk: Path
) -> None:
    read_only(disk)
    with scripted(lambda *_: good()) as (address, seen):
        for output in ("output", "output/new"):
            ended = corpus(*BUILD, address, "-o", output)
            assert ended.returncode == 74, ended.stderr
            assert ended.stderr.count("\n") == 1
        assert len(seen) == 0


def test_row_23_a_build_on_a_read_only_disk_can_be_looked_at_and_nothing_crashes(
    corpus: Corpus, disk: Path, server: tuple[str, Path]
) -> None:
    assert corpus(*BUILD, server[0]).returncode == 0
    read_only(disk)
    for command in ((*BUILD, server[0]), ("report",), ("export",), ("batches", "list")):
        ended = corpus(*command)
        assert (ended.returncode, ended.stderr.count("\n")) == (74, 1), ended.stderr
    assert corpus("status").returncode == 0
    assert corpus("report", "--json").returncode == 74


def test_row_23_an_output_that_cannot_be_a_folder_is_refused_before_anything_is_asked(
    corpus: Corpus, folder: Path
) -> None:
    (folder / "file").touch()
    with scripted(lambda *_: good()) as (address, seen):
        for output in ("file", "file/output"):
            ended = corpus(*BUILD, address, "-o", output)
            assert (ended.returncode, "file" in ended.stderr) == (74, True), ended.stderr
        assert len(seen) == 0


def test_row_23_nothing_more_is_sent_when_the_output_is_taken_away(tmp_path: Path) -> None:
    request = Request("draft", "m", "", ({"role": "user", "content": "x"},), 10)
    with Journal(tmp_path / "output" / "journal.sqlite") as journal:
        shutil.rmtree(tmp_path / "output")
        with pytest.raises(DiskError, match="output: cannot be used"):
            journal.intend(request, 1)


# Row 27: the power fails.


def test_row_27_every_disk_that_a_loss_of_power_may_leave_holds_what_was_told(
    tmp_path: Path,
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("the writes of a run are seen with strace")
    command = ["-m", "benchmarks.torture", "--only", "power-loss", "--count", "1"]
    twin = tmp_path / "claims.json"
    ended = subprocess.run(
        [sys.executable, *command, "--json", str(twin), "--folder", str(tmp_path)],
        cwd=ROOT, env=environment(), check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if "strace may not trace here" in ended.stdout:
        pytest.skip("strace may not trace here")
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.count("power-loss") >= 3


# Row 28: the journal is not what it was.


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, server: tuple[str, Path]) -> Path:
    """A folder whose build was killed with replies in its journal, some only in the log."""
    folder = furnished(tmp_path_factory.mktemp("killed"))
    command = [sys.executable, "-m", "corpus", *BUILD, server[0]]
    snapshot = folder / "output" / "status.json"
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        while not (snapshot.exists() and '"attempts":1' in snapshot.read_text()):
            assert run.poll() is None
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
    assert (folder / "output" / "journal.sqlite-wal").stat().st_size > 0
    return folder


def flipped(journal: Path) -> None:
    """Turn one bit over in the last reply that the log holds."""
    log = journal.with_name("journal.sqlite-wal")
    data = bytearray(log.read_bytes())
    data[data.rindex(b'"end_turn"') + 3] ^= 4
    log.write_bytes(data)


def cut(journal: Path) -> None:
    log = journal.with_name("journal.sqlite-wal")
    os.truncate(log, log.stat().st_size // 3)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a bit flipped in the log": flipped,
    "the log cut": cut,
    "the log deleted": lambda journal: journal.with_name("journal.sqlite-wal").unlink(),
    "the file emptied": lambda journal: os.truncate(journal, 0),
    "the file cut": lambda journal: os.truncate(journal, journal.stat().st_size // 2),
    "file and log emptied": lambda journal: [
        os.truncate(file, 0) for file in journal.parent.glob("journal.sqlite*")
    ] and None,
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_row_28_a_damaged_journal_is_refused_or_does_no_harm(
    damage: Callable[[Path], None],
    killed: Path,
    tmp_path: Path,
    server: tuple[str, Path],
    unbroken: dict[str, str],
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(killed, folder)
    damage(folder / "output" / "journal.sqlite")
    before = len(billed(server[1]))
    ended = runner(folder)(*BUILD, server[0])
    if ended.returncode == 74:
        assert len(billed(server[1])) == before
        assert "corpus salvage" in ended.stderr or "status.json" in ended.stderr
    else:
        assert (ended.returncode, prints(folder)) == (0, unbroken), ended.stderr
