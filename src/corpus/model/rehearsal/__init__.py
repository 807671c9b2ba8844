"""A local stand-in for Messages and Message Batches: for rehearsing a build, and for the tests.

It answers over real HTTP to the real SDK: the same request always gets the same text, another
request another one, in the form that the prompt asks for. It runs as a process of its own (``corpus
rehearse``) and bills every generation to a ledger that outlives both sides. What it does not do:
streaming, tools, images; and it takes any model's name.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from corpus.errors import InputError
from corpus.model import Writer

NAME = "rehearse"
MODEL = "claude-haiku-5-5"  # a model with a price, so that money is rehearsed as well
QUIET = 2.0  # seconds: a batch of this server is listed at once or never


@contextmanager
def process(*options: str) -> Iterator[str]:
    """Run the stand-in in a process of its own; the value is its address.

    Raises:
        InputError: it did not start; what it said stands on standard error.
    """
    command = [sys.executable, "-m", "corpus.model.rehearsal", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as run:  # noqa: S603 - our own module
        if run.stdout is None or not (address := run.stdout.readline().strip()):
            raise InputError("the rehearsal server did not start")
        try:
            yield address
        finally:
            run.terminate()


@contextmanager
def serve(
    model: str | None, address: str | None = None, state: Path | None = None
) -> Iterator[Writer]:
    """A writer that rehearses: everything as with Claude, and nothing to pay.

    Args:
        model: the model to name in requests.
        address: a stand-in that runs already; None starts one for as long as the writer is used.
        state: folder of that one's batches and ledger, so that a killed build finds them again.
    """
    options = () if state is None else ("--state", str(state))
    with nullcontext(address) if address else process(*options) as found:
        yield Writer(
            name=NAME,
            model=model or MODEL,
            base_url=found,
            api_key="rehearsal",
            quality="demo",
            batches=True,
            cache=True,
            quiet=QUIET,
            origin=address or NAME,
        )
