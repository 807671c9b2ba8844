"""``python -m corpus.model.rehearsal``: the stand-in as a child that ends with its parent."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from dataclasses import fields
from pathlib import Path

from corpus.errors import CorpusError
from corpus.model.rehearsal.server import Options, run


def main() -> int:
    """Serve; the address is the first line of standard output."""
    parser = argparse.ArgumentParser(prog="python -m corpus.model.rehearsal", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ledger", type=Path)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--faults", default="")
    parser.add_argument("--clock", choices=("wall", "manual"), default="wall")
    for name in ("batch-seconds", "latency"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    for name in ("rpm", "burst", "itpm", "otpm"):
        parser.add_argument(f"--{name}", type=float)
    parser.add_argument("--silent", action="store_true")
    given = vars(parser.parse_args())
    given["manual"] = given.pop("clock") == "manual"
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        run(Options(**{one.name: given[one.name] for one in fields(Options)}), _tell)
    except CorpusError as error:
        sys.stderr.write(f"rehearsal: {error}\n")
        return error.exit_code
    return 0


def _tell(address: str) -> None:
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    """A parent that was killed closes the pipe: then there is nobody left to serve."""
    while sys.stdin.read(1):
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
