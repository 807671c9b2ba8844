"""What a build says while it runs, and the snapshot that other processes read.

``Watch`` prints plain lines and publishes ``status.json``; a terminal gets a livelier one from the
command line. Nothing here has any effect on what is built.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from corpus import store
from corpus.errors import CorpusError

EVERY = 1.0  # seconds between two snapshots
LINES_EVERY = 10.0  # seconds between two lines of progress


class Watch:
    """Counts the steps of a build and tells of them.

    Args:
        say: prints one line.
    """

    def __init__(self, say: Callable[[str], None] = print) -> None:
        self.say = say
        self.confirm: Callable[[str], bool] | None = None  # asks a person; None: nobody is there
        self.goal = 0
        self._path: Path | None = None
        self._attempts: Callable[[], int] = lambda: 0
        self._published = self._said = 0.0
        self._began = time.monotonic()
        self._stage_began = self._began
        self.state: dict[str, Any] = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "state": "running",
            "stage": "read",
            "round": 0,
            "done": 0,
            "total": 0,
            "kept": 0,
            "tokens": 0,
            "tokens_goal": 0,
        }

    def publish(self, path: Path, attempts: Callable[[], int] = lambda: 0) -> None:
        """From now on keep a snapshot at ``path``, with the number of attempts on record."""
        self._path, self._attempts = path, attempts
        self._snapshot(now=True)

    def stage(self, name: str, total: int, number: int | None = None) -> None:
        """A stage begins, with so many steps; ``number`` is its round."""
        self.state |= {"stage": name, "done": 0, "total": total, "batches": [], "waiting": 0}
        if number is not None:
            self.state["round"] = number
        self._stage_began = time.monotonic()
        self._snapshot(now=True)

    def step(self, steps: int = 1) -> None:
        """So many more steps of the stage are done."""
        self.state["done"] += steps
        self._snapshot()
        if time.monotonic() - self._said > LINES_EVERY:
            self._said = time.monotonic()
            self.tell()

    def waits(self, batches: Sequence[str], seconds: float) -> None:
        """Batches are waited for, these so long by now."""
        self.state |= {"batches": list(batches), "waiting": round(seconds)}
        self._snapshot()

    def kept(self, documents: int, tokens: int) -> None:
        """So many documents and tokens are kept so far."""
        self.state |= {"kept": documents, "tokens": tokens, "tokens_goal": self.goal}
        self._snapshot(now=True)

    def done(self) -> None:
        """The build is whole."""
        self.state |= {"state": "done", "seconds": round(time.monotonic() - self._began, 1)}
        self._snapshot(now=True)

    def failed(self, reason: str) -> None:
        """The build stopped early, for this reason."""
        self.state |= {"state": "stopped", "reason": reason}
        self._snapshot(now=True)

    def tell(self) -> None:
        """Print where the build is."""
        self.say(self.line())

    def line(self) -> str:
        """Where the build is, in a line: stage, done of total, tokens, rate, time to go."""
        state = self.state
        text = f"round {state['round']} {state['stage']:<8} {state['done']}/{state['total']}"
        if state["tokens_goal"]:
            text += f"  kept {state['kept']} documents, {state['tokens']:,} of {self.goal:,} tokens"
        left = self.seconds_left()
        return text if left is None else f"{text}  {self.rate():.1f}/s, {left:.0f} s to go"

    def rate(self) -> float:
        """Steps of this stage per second."""
        return float(self.state["done"]) / max(0.001, time.monotonic() - self._stage_began)

    def seconds_left(self) -> float | None:
        """Seconds that this stage probably still takes; None while nobody can know."""
        rate = self.rate()
        return (self.state["total"] - self.state["done"]) / rate if rate else None

    def _snapshot(self, *, now: bool = False) -> None:
        if self._path and (now or time.monotonic() - self._published > EVERY):
            self._published = time.monotonic()
            with contextlib.suppress(CorpusError):  # the journal may be closed by now
                self.state["attempts"] = self._attempts()
            row = self.state | {"seconds": round(self._published - self._began, 1)}
            store.write_rows(self._path, [row])
