"""A rate limit met from below: how much of a token bucket's rate is used, and how much is wasted.

The server's bucket refills at 50 requests a second and holds ten; a reply takes half a second. The
client knows nothing of that when it starts, and must neither idle nor run into refusals. Once the
server tells in its headers what is left, as the API does, and once it only refuses, with a
``retry-after`` in whole seconds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.torture import stand
from benchmarks.torture.claims import Claim

from corpus.model import Model
from corpus.model.journal import Journal
from corpus.records import Request

NAME = "storm"
RATE, BURST = 50, 10  # of the bucket: requests per second, and how many it holds
SERVER = ("--rpm", str(60 * RATE), "--burst", str(BURST), "--latency", "0.5")
USED, WASTED = {"told": 0.90, "untold": 0.80}, 0.02  # targets: share of the rate, of attempts
PATIENCE = 900.0  # seconds until the client is taken for hung


def storm(folder: Path, seed: int, count: int) -> list[Claim]:
    """``count`` requests through the client with its default settings, told of limits and not."""
    return [
        *_storm(folder / "told", seed, count, SERVER),
        *_storm(folder / "untold", seed, count, (*SERVER, "--silent")),
    ]


def _storm(folder: Path, seed: int, count: int, options: tuple[str, ...]) -> list[Claim]:
    folder.mkdir()
    name = f"{NAME}-{folder.name}"
    path, ledger = folder / "out" / "journal.sqlite", folder / "ledger.jsonl"
    wanted = stand.requests(f"storm-{seed}", count)
    with stand.server(ledger, *options) as address:
        child = stand.fork(_ask(path, address, wanted))
        code = child.end(PATIENCE)
    told = child.told("asked")
    attempts, limited = int(told.get("attempts", 0)), int(told.get("limited", 0))
    answered, seconds = int(told.get("answered", 0)), float(told.get("seconds", 0.0))
    other = attempts - answered - limited
    billed = stand.bill(ledger)
    ideal = (count - BURST) / RATE
    used = ideal / seconds if seconds else 0.0
    wasted = limited / max(1, attempts)
    whole = code == 0 and answered == count
    least = USED[folder.name]
    return [
        Claim(name, f"{count:,} requests against {RATE}/s, burst {BURST}: answered",
              "all", f"{answered:,} (exit {code})", whole),
        Claim(name, "rate, of the bucket's, first to last reply", f">= {least:.0%}",
              f"{used:.1%} ({seconds:.1f} s, ideal {ideal:.1f} s)", whole and used >= least),
        Claim(name, "attempts wasted on a 429; that failed otherwise", f"< {WASTED:.0%}; 0",
              f"{wasted:.2%} ({limited} of {attempts:,}); {other}",
              whole and wasted < WASTED and not other),
        Claim(name, "generations paid for twice", "0",
              f"{billed.twice} of {billed.times.total():,}",
              whole and not billed.twice and len(billed.times) == count),
    ]  # fmt: skip


def _ask(path: Path, address: str, wanted: list[Request]) -> Callable[[stand.Say], None]:
    def work(say: stand.Say) -> None:
        who = stand.writer(address)
        with Journal(path) as journal:
            with Model(who, journal, batch=False) as model:
                moments = [
                    time.monotonic()
                    for reply in model.answer(wanted)
                    if not reply.stop.startswith("error_")
                ]
            query = "SELECT count(*), count(*) FILTER (WHERE status = 429) FROM attempt"
            attempts, limited = journal.submit(lambda c: c.execute(query).fetchone()).result()
        seconds = moments[-1] - moments[0] if moments else 0.0
        told = {"answered": len(moments), "seconds": seconds}
        told |= {"attempts": attempts, "limited": limited}
        say(f"asked {json.dumps(told)}")

    return work
