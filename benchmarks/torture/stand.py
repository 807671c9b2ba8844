"""The test stand: a server with a ledger, children that are forked and killed, and their words.

A child is a whole run of the program's own client side: it opens the journal, asks the model, and
acknowledges each reply on a pipe, as a build would print it. The parent keeps what was
acknowledged. Whether anything was lost or bought twice is then told by two witnesses that the
child could not touch: the pipe, and the server's ledger.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anthropic  # noqa: F401 - once, before the forks: it takes longer than most children live

from corpus.errors import CorpusError, Interrupted
from corpus.model import Model, Writer, batchlog, direct, rehearsal
from corpus.model.batches import Batches
from corpus.model.journal import Journal
from corpus.model.prices import price_of
from corpus.model.rehearsal.requests import digest
from corpus.model.replies import read_reply
from corpus.model.wire import wire
from corpus.records import Reply, Request

CRASHED = 99  # exit code of a child that met an exception that nobody foresaw
CLIENT = (direct, Batches)  # likewise imported before the forks
MICRO = 1_000_000  # pico-dollars in a micro-dollar, micro-dollars in a dollar
PRICE = price_of(rehearsal.MODEL, {})


def requests(label: str, count: int, start: int = 0, *, words: int = 30) -> list[Request]:
    """``count`` requests, all different; their texts tell where they come from."""
    return [
        Request(
            stage="draft",
            model=rehearsal.MODEL,
            system="",
            messages=({"role": "user", "content": f"{label}-{number:06d}: about {words} words."},),
            max_tokens=4 * words,
        )
        for number in range(start, start + count)
    ]


def writer(address: str, *, quiet: float = 2.0, concurrency: int | None = None) -> Writer:
    """The stand-in as a writer that has batches."""
    return Writer(
        "rehearse", rehearsal.MODEL, address, "key",
        batches=True, quiet=quiet, concurrency=concurrency,
    )  # fmt: skip


def billed_as(request: Request) -> str:
    """What the ledger calls a request, direct or by batch."""
    return digest(wire(request))


def fingerprint(text: str) -> str:
    """What is acknowledged of a reply besides its key."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Child:
    """A forked process and what it has said so far."""

    pid: int
    pipe: int
    heard: bytearray = field(default_factory=bytearray)
    code: int | None = None  # exit code, negative for the signal that ended it

    def listen(self, seconds: float) -> bool:
        """Take in what it says for so long; False once it has closed its end."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self.pipe], [], [], left)[0]:
                if not (said := os.read(self.pipe, 1 << 16)):
                    return False
                self.heard += said
        return True

    def kill(self, number: signal.Signals) -> None:
        """Send a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def end(self, patience: float = 120.0) -> int:
        """Hear it out and return its exit code; one that hangs is killed."""
        if self.listen(patience):
            self.kill(signal.SIGKILL)
            while self.listen(1.0):
                pass
        os.close(self.pipe)
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def acknowledged(self) -> Iterator[tuple[str, str]]:
        """Key and fingerprint of each reply that it announced; a torn last line was none."""
        for line in bytes(self.heard).decode().split("\n")[:-1]:
            if line.startswith("ack "):
                _, key, mark = line.split()
                yield key, mark

    def told(self, word: str) -> dict[str, Any]:
        """The JSON that it sent under ``word``, or an empty object."""
        for line in bytes(self.heard).decode().split("\n")[:-1]:
            if line.startswith(word + " "):
                found: dict[str, Any] = json.loads(line.removeprefix(word + " "))
                return found
        return {}


def chance(seed: int) -> random.Random:
    """Chance that can be had again; it keeps no secrets."""
    return random.Random(seed)  # noqa: S311


Say = Callable[[str], None]


def fork(work: Callable[[Say], None]) -> Child:
    """Run ``work`` in a child; it exits as the command line would, with the error's code."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Child(pid, reading)
    os.close(reading)
    code = CRASHED
    try:
        code = _run(work, lambda line: _write(writing, f"{line}\n".encode()))
    except BaseException:  # noqa: BLE001 - a child must never return into its parent's code
        traceback.print_exc(file=sys.stderr)
    os._exit(code)


def _run(work: Callable[[Say], None], say: Say) -> int:
    signal.signal(signal.SIGTERM, _interrupt)  # as corpus.cli does
    signal.signal(signal.SIGINT, _interrupt)
    try:
        work(say)
    except CorpusError as error:
        say(f"error {json.dumps({'type': type(error).__name__, 'text': str(error)})}")
        return error.exit_code
    except KeyboardInterrupt:
        return Interrupted.exit_code
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _write(pipe: int, data: bytes) -> None:
    while data:
        data = data[os.write(pipe, data) :]


def ask(path: Path, who: Writer, wanted: list[Request], *, batch: bool) -> Callable[[Say], None]:
    """What a child does: open the journal, ask for ``wanted``, acknowledge each reply."""

    def work(say: Say) -> None:
        with Journal(path) as journal:
            say(f"opened {json.dumps(as_found(journal))}")
            with Model(who, journal, batch=batch) as model:
                for reply in model.answer(wanted):
                    if not reply.stop.startswith("error_"):
                        say(f"ack {reply.key} {fingerprint(reply.text)}")

    return work


def as_found(journal: Journal) -> dict[str, Any]:
    """How the last process left the journal: calls cut off by its death, batches by state."""
    query = (
        "SELECT count(*) FROM attempt WHERE state = 'unknown' AND detail LIKE 'the process ended%'"
    )
    cut_off = journal.submit(lambda c: c.execute(query).fetchone()[0]).result()
    states = Counter(batch.state for batch in batchlog.under_way(journal))
    return {"cut_off": cut_off, "batches": states, "attempts": journal.attempts()}


def read_back(path: Path, keys: list[str]) -> dict[str, str]:
    """Key and fingerprint of every reply that the journal holds, in a process of its own."""

    def work(say: Say) -> None:
        with Journal(path) as journal:
            for kept in journal.replies(keys):
                say(f"ack {kept.key} {fingerprint(text_of(kept.key, kept.body).text)}")

    child = fork(work)
    if child.end() != 0:
        raise RuntimeError(f"{path} cannot be read back: {child.told('error')}")
    return dict(child.acknowledged())


def text_of(key: str, body: str) -> Reply:
    """A raw body as a reply."""
    return read_reply(key, body, PRICE)


@contextmanager
def server(ledger: Path | None, *options: str) -> Iterator[str]:
    """The stand-in in a process of its own, billing to ``ledger`` if there is one; its address."""
    billing = ("--ledger", str(ledger)) if ledger else ()
    with rehearsal.process(*billing, *options) as address:
        yield address


@dataclass(frozen=True)
class Bill:
    """The ledger's word: how often each request was generated, and what all of it cost.

    The amounts are the server's own exact ones, each rounded up as the journal does it.
    """

    times: Counter[str]
    cost: int  # micro-dollars, of every generation
    once: int  # micro-dollars, of one generation of each request

    @property
    def twice(self) -> int:
        """Generations that were paid for once more than needed."""
        return self.times.total() - len(self.times)


def bill(ledger: Path) -> Bill:
    """Add the ledger up; a row is one generation, and a row that is being written is none yet."""
    times: Counter[str] = Counter()
    cost = once = 0
    for line in ledger.read_text().split("\n")[:-1] if ledger.exists() else ():
        row = json.loads(line)
        price = -(-row["cost_picos"] // MICRO)
        cost += price
        once += 0 if row["request"] in times else price
        times[row["request"]] += 1
    return Bill(times, cost, once)


def dollars(micro: int) -> str:
    """An amount to its last digit."""
    return f"${micro / MICRO:,.6f}"
