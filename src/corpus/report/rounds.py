"""What a build learned from round to round: what it shunned, dealt first, and dealt no more.

``loop.jsonl`` has a row a round. Here the rows are turned round: each order to later texts, each
hole and each stopped arm with the rounds that it held for, so that a reader sees what an order did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from corpus.report.folder import Build, Row, clip

ORDERS = 80  # that are listed
HOLES = 40
ARMS = 12
SAID = 160  # characters of an order
T = TypeVar("T")
PLAIN = ("round", "documents", "words", "ngrams", "novelty", "topics")


def rounds(build: Build) -> Row:
    """``rounds`` one by one; ``bans``, ``holes`` and ``stopped`` with their rounds; lowest arms.

    ``bans``, ``holes`` and ``stopped`` are ``{what, rounds}``, those with most rounds first;
    ``arms`` the parts of the plan whose last texts said least that was new, as ``{what, novelty}``.
    """
    rows = build.rounds
    last: Row = rows[-1] if rows else {}
    arms = sorted((last.get("arms") or {}).items(), key=lambda arm: (arm[1], arm[0]))
    lists = [_lists(row) for row in rows]
    return {
        "rounds": [
            {**{key: row.get(key) for key in PLAIN}, **_sizes(own)}
            for row, own in zip(rows, lists, strict=True)
        ],
        "arms": [{"what": _arm(build, arm), "novelty": share} for arm, share in arms[:ARMS]],
        "bans": _turned((own["bans"] for own in lists), ORDERS, lambda said: clip(said, SAID)),
        "holes": _turned((own["holes"] for own in lists), HOLES, partial(_hole, build)),
        "stopped": _turned((own["stopped"] for own in lists), ORDERS, partial(_arm, build)),
        "listed": {
            key: len({one for own in lists for one in own[key]}) for key in ("bans", "holes")
        },
    }


def _lists(row: Row) -> dict[str, list[Any]]:
    """The three lists of a round: texts, (stream, section, kind), and names of arms."""
    return {
        "bans": [str(one) for one in row.get("bans") or ()],
        "holes": [tuple(str(part) for part in hole) for hole in row.get("holes") or ()],
        "stopped": [str(arm) for arm in row.get("stopped") or ()],
    }


def _sizes(own: dict[str, list[Any]]) -> Row:
    return {f"{key}_listed": len(values) for key, values in own.items()}


def _arm(build: Build, arm: str) -> str:
    what, _, name = arm.partition(" ")
    return f"section {build.title(name)}" if what == "section" else arm


def _hole(build: Build, hole: tuple[str, str, str]) -> str:
    stream, section, kind = hole
    return f"{build.title(section)}: {kind} ({stream})"


def _turned(lists: Iterable[Sequence[T]], most: int, named: Callable[[T], str]) -> list[Row]:
    """Each thing that was listed, as a reader knows it, with the rounds after which it was."""
    held: dict[T, list[int]] = {}
    for number, listed in enumerate(lists, 1):
        for one in dict.fromkeys(listed):
            held.setdefault(one, []).append(number)
    ranked = sorted(held.items(), key=lambda entry: (-len(entry[1]), entry[1][0]))
    return [{"what": named(what), "rounds": numbers} for what, numbers in ranked[:most]]
