"""Journals with something in them, filled through the journal's own methods."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from benchmarks.torture import stand

from corpus.model.journal import Journal, sha256
from corpus.model.rehearsal import MODEL
from corpus.records import Request

AT_A_TIME = 8  # calls in flight
WORST = 1000
TEXT = 1 << 20  # characters that replies are cut from


@cache
def _text() -> str:
    chance = stand.chance(0)
    words = (f"{chance.getrandbits(40):x}" for _ in range(TEXT // 8))
    return " ".join(words)


def body(key: str, characters: int) -> str:
    """A raw reply of about that size, a function of the key alone."""
    start = int(key[:8], 16) % TEXT
    return json.dumps({
        "id": f"msg_{key[:24]}", "type": "message", "role": "assistant", "model": MODEL,
        "content": [{"type": "text", "text": f"{key} {_text()[start : start + characters]}"}],
        "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": characters // 4},
    })  # fmt: skip


def fill(
    journal: Journal, wanted: Iterable[Request], characters: int, at_a_time: int = AT_A_TIME
) -> None:
    """Keep a reply to each request, as a run of direct calls with so many in flight does."""
    group: list[Request] = []
    for request in wanted:
        group.append(request)
        if len(group) == at_a_time:
            _fill(journal, group, characters)
            group = []
    _fill(journal, group, characters)


def _fill(journal: Journal, group: Sequence[Request], characters: int) -> None:
    with _one_commit(journal):
        attempts = [journal.intend(request, WORST) for request in group]
    numbers = [attempt.result() for attempt in attempts]
    with _one_commit(journal):
        kept = [
            journal.keep(
                number, request.key, body(request.key, characters),
                request_id=f"req_{request.key[:8]}", cost=cost(request.key),
            )
            for request, number in zip(group, numbers, strict=True)
        ]  # fmt: skip
    for one in kept:
        one.result()


@contextmanager
def _one_commit(journal: Journal) -> Iterator[None]:
    """Hold the journal's thread until all is queued, so that the same file comes out every time."""
    held, ready = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        held.set()
        ready.wait()

    journal.submit(hold)
    held.wait()
    try:
        yield
    finally:
        ready.set()


def cost(key: str) -> int:
    """What the reply to ``key`` is said to have cost."""
    return 100 + int(key[:4], 16) % 800


def expected(wanted: Iterable[Request], characters: int) -> dict[str, str]:
    """Key and digest of what ``fill`` keeps."""
    return {request.key: sha256(body(request.key, characters)) for request in wanted}


def leave_open(path: Path, wanted: Sequence[Request], characters: int) -> None:
    """Fill a journal in a process that dies without closing it, so that its log stays."""

    def work(say: stand.Say) -> None:
        journal = Journal(path)
        fill(journal, wanted, characters)
        say("filled {}")

    if stand.fork(work).end() != 0:
        raise RuntimeError(f"{path} cannot be filled")
