"""Faults on demand: which request meets which, the same for the same seed.

A share of requests (``429=0.04,cut=0.01``), drawn by seed, request and how often it came, whatever
the order of arrival; or a script, a file of lines ``<number> <fault>``, by number of arrival. For
requests to Messages and for the creation of a batch:

    400, 401, ... 529   an error of that status, before anything is generated
    reset               the connection is cut before anything is generated
    drop                the connection is cut after generation (or creation): no reply
    cut                 the reply is cut in its middle
    html                a page with status 200 instead of the reply, which was generated
    late                an error 500 after generation (or creation)
    refusal             the model refuses, with a category
    errored             of a batch: this request ends as an error of the provider
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from pathlib import Path

from corpus.errors import InputError

NAMES = {"reset", "drop", "cut", "html", "late", "refusal", "errored"}
_STATUSES = {400, 401, 402, 403, 404, 408, 409, 413, 429, 500, 503, 504, 529}


class Faults:
    """What happens to each request.

    Raises:
        InputError: the shares or the script cannot be read.
    """

    def __init__(self, given: str = "", seed: int = 0) -> None:
        path = Path(given) if given and "=" not in given else None
        self._script = {} if path is None else _script(path)
        self._shares = _shares(given) if path is None else []
        self._seed = seed
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def next(self, name: str) -> str:
        """The fault that the request called ``name`` meets this time, or an empty string."""
        with self._lock:
            self._seen[name] += 1
            found = self._script.get(self._seen.total(), "")
            return found or self._drawn(f"{self._seed} {name} {self._seen[name]}")

    def of_item(self, name: str) -> str:
        """``errored``, ``refusal`` or nothing, for a request of a batch."""
        found = self._drawn(f"{self._seed} {name} item")
        return found if found in {"errored", "refusal"} else ""

    def _drawn(self, text: str) -> str:
        chance = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64
        for fault, share in self._shares:
            if chance < share:
                return fault
            chance -= share
        return ""


def _shares(given: str) -> list[tuple[str, float]]:
    found = []
    for part in filter(None, given.split(",")):
        name, _, share = part.partition("=")
        try:
            found.append((_known(name.strip(), part), float(share)))
        except ValueError:
            raise InputError(f"--faults {part!r}: the share is no number from 0 to 1") from None
    if not 0 <= sum(share for _, share in found) <= 1 or any(share < 0 for _, share in found):
        raise InputError(f"--faults {given!r}: the shares do not add up to 0 to 1")
    return found


def _script(path: Path) -> dict[int, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(
            f"--faults {path}: {error.strerror}; give shares such as 429=0.1"
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(f"--faults {path}: no text in UTF-8 (byte {error.start})") from None
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    for row in rows:
        if len(row) != 2 or not row[0].isdecimal():  # noqa: PLR2004 - a number and a name
            raise InputError(f"--faults {path}: {' '.join(row)!r} is no '<number> <fault>'")
    return {int(number): _known(name, str(path)) for number, name in rows}


def _known(name: str, where: str) -> str:
    if name in NAMES or (name.isdecimal() and int(name) in _STATUSES):
        return name
    raise InputError(f"--faults {where}: unknown fault {name!r}; an HTTP status or {sorted(NAMES)}")
