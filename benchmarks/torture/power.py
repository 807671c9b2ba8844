"""Power loss: the states of the disk that a traced run could have left behind.

A small run is traced (``strace``): what it wrote, truncated, created, removed and synced, and when
it told its caller that a request may be sent or that a reply is safe. From that, disks are built
for each moment: all that was written; only what was synced; all but one write that was not synced
yet, or only a part of it in sectors of 512 bytes; only that one write; and the changes to the
directory up to each point. (Not every subset of the writes that were not synced.) Every such disk
is opened as a journal, and what had been told by then must be there. The method is that of ALICE
(Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014), with a file system that
promises nothing but what was synced.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.torture import filled, stand
from benchmarks.torture.claims import Claim, skipped

from corpus.errors import CorpusError
from corpus.model.journal import Journal, sha256
from corpus.records import Request

NAME = "power-loss"
FILE = "journal.sqlite"
CHARACTERS = 3000  # of a reply
SECTOR = 512
CHUNK = 250  # states that one process opens
TRACED = "openat,lseek,write,pwrite64,ftruncate,fsync,fdatasync,rename,unlink"


class Op(NamedTuple):
    """One line of the trace: ``what`` was done to ``file``."""

    what: str  # create, write, truncate, unlink, sync, told
    file: str
    offset: int = 0
    data: bytes = b""


class State(NamedTuple):
    """A disk: its files, and what had been told when the power failed."""

    files: dict[str, bytes]
    told: frozenset[str]


def loss(folder: Path, seed: int, count: int) -> list[Claim]:
    """Trace a run of ``count`` requests and open every disk that it could leave."""
    if shutil.which("strace") is None:
        return [skipped(NAME, "all crash states of a traced run", "no strace here")]
    ops = _trace(folder, seed, count)
    acks = sum(op.what == "told" and op.data.startswith(b"ack") for op in ops)
    if acks != count:
        return [skipped(NAME, "all crash states of a traced run", "strace may not trace here")]
    ram = Path("/dev/shm")  # noqa: S108 - where syncs cost nothing: the states are what counts
    work = ram / f"torture-{os.getpid()}" if ram.is_dir() else folder / "states"
    work.mkdir()
    try:
        found = _open_all(work, ops)
    finally:
        shutil.rmtree(work)
    writes, syncs = (sum(op.what == what for op in ops) for what in ("write", "sync"))
    return [
        Claim(NAME, f"crash states of a run of {count} requests ({writes} writes, {syncs} syncs)",
              "0 unreadable", f"{found['unreadable']} of {found['states']:,}",
              not found["unreadable"] and found["states"] > 0),
        Claim(NAME, "acknowledged replies lost or changed, over all states", "0",
              f"{found['lost']} of {found['acked']:,}", not found["lost"]),
        Claim(NAME, "requests free to be sent, and not on record, over all states", "0",
              f"{found['unknown']} of {found['sent']:,}", not found["unknown"]),
    ]  # fmt: skip


def run(folder: str, seed: str, count: str) -> None:
    """What is traced: two runs over one journal, so that a log is written back and removed."""
    wanted, path = _wanted(seed, int(count)), Path(folder) / FILE
    half = (len(wanted) + 1) // 2
    for part in (wanted[:half], wanted[half:]):
        with Journal(path) as journal:
            for request in part:
                attempt = journal.intend(request, filled.WORST).result()
                os.write(1, f"sent {attempt}\n".encode())
                body = filled.body(request.key, CHARACTERS)
                journal.keep(attempt, request.key, body, request_id="req", cost=1).result()
                os.write(1, f"ack {request.key} {sha256(body)}\n".encode())


def _wanted(seed: str, count: int) -> list[Request]:
    return stand.requests(f"power-{seed}", count)


def _trace(folder: Path, seed: int, count: int) -> list[Op]:
    """Run it under ``strace`` and read what it did to the folder."""
    here, log = folder / "out", folder / "trace"
    here.mkdir()
    command = ["strace", "-f", "-y", "-xx", "-s", "10000000", "-e", f"trace={TRACED}", "-o"]
    command += [str(log), sys.executable, "-m", "benchmarks.torture.power", str(here)]
    done = subprocess.run(
        [*command, str(seed), str(count)], check=False, stdout=subprocess.PIPE, text=True
    )
    return _Reader(here).ops(log) if done.returncode == 0 else []


_CALL = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FILE = re.compile(r"^(\d+)<([^>]*)>")


@dataclass
class _Reader:
    """Reads a trace; only what concerns one folder, and what was told on standard output."""

    folder: Path
    names: set[str] = field(default_factory=set)
    places: dict[str, int] = field(default_factory=dict)  # of files written without an offset
    begun: dict[str, str] = field(default_factory=dict)  # calls that another thread interrupted

    def ops(self, log: Path) -> list[Op]:
        """The trace as operations, in the order in which they ended."""
        lines = (self._whole(line) for line in log.read_text("latin-1").splitlines())
        return [op for line in lines if line and (op := self._op(line)) is not None]

    def _whole(self, line: str) -> str:
        """A call in one piece: its second half, joined to the first."""
        process, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith("<unfinished ...>"):
            self.begun[process] = text.removesuffix("<unfinished ...>").rstrip()
            return ""
        if text.startswith("<..."):
            return self.begun.pop(process, "") + text.partition("resumed>")[2]
        return text

    def _op(self, text: str) -> Op | None:
        match = _CALL.match(text)
        if match is None or int(match[3]) < 0:
            return None
        call, given, result = match[1], match[2], int(match[3])
        if call in {"openat", "unlink", "rename"}:
            return self._named(call, given)
        at = _FILE.match(given)
        if at is None:
            return None
        if call == "write" and at[1] == "1":
            return Op("told", "", data=_bytes(given))
        path = Path(_text(at[2]))
        if path == self.folder and call in {"fsync", "fdatasync"}:
            return Op("sync", ".")
        return self._changed(call, path.name, given, result) if self._ours(path) else None

    def _named(self, call: str, given: str) -> Op | None:
        path = Path(_bytes(given).decode())
        if not self._ours(path):
            return None
        if call == "rename":
            raise ValueError(f"a rename that this trial does not know: {path}")
        if call == "unlink":
            self.names.discard(path.name)
            return Op("unlink", path.name)
        if "O_CREAT" in given and path.name not in self.names:
            self.names.add(path.name)
            return Op("create", path.name)
        return None

    def _changed(self, call: str, name: str, given: str, result: int) -> Op | None:
        if call in {"fsync", "fdatasync"}:
            return Op("sync", name)
        if call == "lseek":
            self.places[name] = result
            return None
        if call == "ftruncate":
            return Op("truncate", name, int(given.rsplit(",", 1)[1]))
        data = _bytes(given)[:result]
        if call == "pwrite64":
            return Op("write", name, int(given.rsplit(",", 1)[1]), data)
        place = self.places.get(name, 0)
        self.places[name] = place + len(data)
        return Op("write", name, place, data)

    def _ours(self, path: Path) -> bool:
        return path.parent == self.folder


def _bytes(given: str) -> bytes:
    match = _STRING.search(given)
    return bytes.fromhex(match[1].replace("\\x", "")) if match else b""


def _text(given: str) -> str:
    """A path, which some versions of the tracer spell in hex as well."""
    return bytes.fromhex(given.replace("\\x", "")).decode() if given.startswith("\\x") else given


@dataclass
class _Disk:
    """What a run has done to a folder so far, by what would survive the loss of power."""

    synced: dict[int, bytes] = field(default_factory=dict)  # by inode
    open: dict[int, list[Op]] = field(default_factory=dict)  # since that file's last sync
    names: dict[str, int] = field(default_factory=dict)  # as a running system sees them
    entries: list[dict[str, int]] = field(default_factory=lambda: [{}])  # and since the last sync

    def do(self, op: Op) -> None:
        """Apply an operation."""
        if op.what == "create":
            self.names = self.names | {op.file: len(self.synced)}
            self.open[len(self.synced)], self.synced[len(self.synced)] = [], b""
            self.entries.append(self.names)
        elif op.what == "unlink":
            self.names = {name: inode for name, inode in self.names.items() if name != op.file}
            self.entries.append(self.names)
        elif op.what == "sync" and op.file == ".":
            self.entries = [self.names]
        elif op.what == "sync":
            inode = self.names[op.file]
            self.synced[inode] = _apply(self.synced[inode], self.open[inode])
            self.open[inode] = []
        elif op.what != "told":
            self.open[self.names[op.file]].append(op)

    def states(self) -> Iterator[dict[str, bytes]]:
        """The disks that a loss of power may leave now; some of them more than once."""
        for names in self.entries:
            yield self._files(names, self.open)
            yield self._files(names, {})
        for inode, ops in self.open.items():
            if inode not in self.names.values():
                continue
            for place, op in enumerate(ops):
                before, after = ops[:place], ops[place + 1 :]
                for part in ([], *([torn] for torn in _torn(op))):
                    yield self._files(self.names, {**self.open, inode: before + part + after})
                yield self._files(self.names, {inode: [op]})

    def _files(self, names: dict[str, int], ops: dict[int, list[Op]]) -> dict[str, bytes]:
        return {
            name: _apply(self.synced[inode], ops.get(inode, [])) for name, inode in names.items()
        }


def _torn(op: Op) -> Iterator[Op]:
    """A write of which only the first or only the last sectors reached the disk."""
    first = SECTOR - op.offset % SECTOR
    for cut in range(first, len(op.data), SECTOR):
        yield op._replace(data=op.data[:cut])
        yield op._replace(offset=op.offset + cut, data=op.data[cut:])


def _apply(data: bytes, ops: list[Op]) -> bytes:
    if not ops:
        return data
    file = bytearray(data)
    for op in ops:
        end = op.offset + len(op.data)
        if op.what == "truncate":
            file = file[: op.offset] + bytes(max(0, op.offset - len(file)))
        else:
            file += bytes(max(0, end - len(file)))
            file[op.offset : end] = op.data
    return bytes(file)


def _states(ops: list[Op]) -> Iterator[State]:
    """Every different disk, with what had been told by then."""
    disk, told = _Disk(), frozenset[str]()
    seen: set[bytes] = set()
    for op in ops:
        disk.do(op)
        if op.what == "told":
            told = told | {op.data.decode().strip()}
        for files in disk.states():
            mark = hashlib.sha256()
            for name, data in sorted(files.items()):
                mark.update(f"{name} {len(data)} ".encode() + data)
            mark.update(len(told).to_bytes(4))
            if mark.digest() not in seen:
                seen.add(mark.digest())
                yield State(files, told)


def _open_all(work: Path, ops: list[Op]) -> Counter[str]:
    """Open every state, in as many processes as there are cores."""
    total: Counter[str] = Counter()
    running: list[stand.Child] = []
    for number, chunk in enumerate(_chunks(_states(ops))):
        running.append(stand.fork(_opener(work / str(number), chunk)))
        if len(running) >= (os.cpu_count() or 1):
            total += _outcome(running.pop(0))
    for child in running:
        total += _outcome(child)
    return total


def _chunks(states: Iterator[State]) -> Iterator[list[State]]:
    chunk: list[State] = []
    for state in states:
        chunk.append(state)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    yield chunk


def _outcome(child: stand.Child) -> Counter[str]:
    if child.end() != 0:
        return Counter(unreadable=CHUNK, states=CHUNK)  # it crashed: none of them counts
    return Counter(child.told("counts"))


def _opener(work: Path, states: list[State]) -> Callable[[stand.Say], None]:
    """What a process does with its share of the states."""

    def open_them(say: stand.Say) -> None:
        counts: Counter[str] = Counter()
        for state in states:
            counts += _open(work, state)
        say(f"counts {json.dumps(counts)}")

    return open_them


def _open(work: Path, state: State) -> Counter[str]:
    """Open one disk and look for everything that had been told."""
    work.mkdir()
    for name, data in state.files.items():
        (work / name).write_bytes(data)
    words = [line.split() for line in state.told]
    acked = {word[1]: word[2] for word in words if word[0] == "ack"}
    sent = {int(word[1]) for word in words if word[0] == "sent"}
    counts = Counter(states=1, acked=len(acked), sent=len(sent))
    try:
        with Journal(work / FILE) as journal:
            kept = {one.key: sha256(one.body) for one in journal.replies(list(acked))}
            ids = journal.submit(lambda c: c.execute("SELECT id FROM attempt").fetchall())
            known = {row[0] for row in ids.result()}
            check = journal.submit(lambda c: c.execute("PRAGMA quick_check").fetchone()).result()
        counts["unreadable"] = check[0] != "ok"
        counts["lost"] = sum(kept.get(key) != mark for key, mark in acked.items())
        counts["unknown"] = len(sent - known)
    except CorpusError:
        counts["unreadable"] = 1
    shutil.rmtree(work)
    return counts


if __name__ == "__main__":
    run(*sys.argv[1:])
