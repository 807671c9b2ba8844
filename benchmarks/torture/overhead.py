"""What a direct call costs this process beyond the bare SDK: processor time, not waiting.

The same requests go to the same server, sixteen at a time, in alternating rounds: once through the
client with its journal, limiter, budget and checks, once through ``anthropic.Anthropic`` in a pool
of threads with its retries off. Each round is a process of its own; what it used is told by the
system (``getrusage``: user and system time of all its threads, from making the client to closing
it).
"""

from __future__ import annotations

import json
import resource
import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anthropic
from benchmarks.torture import stand
from benchmarks.torture.claims import Claim

from corpus.model import Model
from corpus.model.journal import Journal
from corpus.records import Request

NAME = "overhead"
ROUNDS = 5  # of each of the two
AT_A_TIME = 16
SERVER = ("--latency", "0.05")
MOST = 2.0  # target: milliseconds over the bare SDK


def overhead(folder: Path, seed: int, count: int) -> list[Claim]:
    """``ROUNDS`` rounds of ``count`` calls each, ours and bare in turn; the medians."""
    used: dict[str, list[float]] = {"ours": [], "bare": []}
    wrong = 0
    with stand.server(None, *SERVER) as address:
        for number in range(ROUNDS):
            wanted = stand.requests(f"overhead-{seed}-{number}", count)
            ways = {
                "ours": _ours(folder / str(number) / "journal.sqlite", address, wanted),
                "bare": _bare(address, wanted),
            }
            for way in sorted(ways, reverse=bool(number % 2)):
                child = stand.fork(_measured(ways[way]))
                wrong += child.end(600.0) != 0 or child.told("used").get("answered") != count
                used[way].append(1000 * child.told("used").get("seconds", 0.0) / count)
    ours, bare = (statistics.median(used[way]) for way in ("ours", "bare"))
    over = sorted(one - other for one, other in zip(used["ours"], used["bare"], strict=True))
    median = statistics.median(over)
    return [
        Claim(NAME, f"CPU per direct call over the bare SDK, {AT_A_TIME} at a time, "
              f"{ROUNDS} rounds of {count:,}", f"<= {MOST:.0f} ms",
              f"{median:+.2f} ms ({over[0]:+.2f} to {over[-1]:+.2f}): {ours:.2f} ms, bare "
              f"{bare:.2f} ms; {wrong} rounds incomplete", not wrong and median <= MOST),
    ]  # fmt: skip


def _measured(work: Callable[[], int]) -> Callable[[stand.Say], None]:
    """A round: how many were answered, and the seconds of processor time that it took."""

    def measure(say: stand.Say) -> None:
        before = resource.getrusage(resource.RUSAGE_SELF)
        answered = work()
        after = resource.getrusage(resource.RUSAGE_SELF)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        say(f"used {json.dumps({'answered': answered, 'seconds': seconds})}")

    return measure


def _ours(path: Path, address: str, wanted: list[Request]) -> Callable[[], int]:
    def work() -> int:
        who = stand.writer(address, concurrency=AT_A_TIME)
        with Journal(path) as journal, Model(who, journal, batch=False) as model:
            return sum(reply.stop == "end_turn" for reply in model.answer(wanted))

    return work


def _bare(address: str, wanted: list[Request]) -> Callable[[], int]:
    def work() -> int:
        with (
            anthropic.Anthropic(api_key="key", base_url=address, max_retries=0) as client,
            ThreadPoolExecutor(AT_A_TIME) as pool,
        ):
            return sum(pool.map(lambda request: _create(client, request), wanted))

    return work


def _create(client: anthropic.Anthropic, request: Request) -> bool:
    messages: list[anthropic.types.MessageParam] = [
        {"role": "user", "content": turn["content"]} for turn in request.messages
    ]
    message = client.messages.create(
        model=request.model, max_tokens=request.max_tokens, messages=messages
    )
    return message.stop_reason == "end_turn"
