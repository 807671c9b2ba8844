"""Who writes: chosen from the settings, refused where it must be, and then started.

``profile`` and ``check`` touch nothing, so that a run which cannot be is refused before a journal
is opened, an output is marked or weights are fetched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from corpus import settings
from corpus.errors import InputError
from corpus.model import (
    Writer,
    check_address,
    check_budget,
    check_ways,
    embedded,
    rehearsal,
)
from corpus.model.embedded import STAGES as LOCAL_STAGES
from corpus.settings import Settings


def profile(given: Settings) -> Writer:
    """The writer that a run would use, without starting or asking anything."""
    name = _name(given)
    if name == "local":
        return Writer("local", "embedded", stages=LOCAL_STAGES, compact=True, free=True)
    if name == "rehearse":
        model = given.model or rehearsal.MODEL
        return Writer("rehearse", model, batches=True, cache=True, models=given.models)
    model = given.model or settings.DEFAULT_MODEL
    return Writer(
        "claude", model, base_url=_address(given), batches=True, cache=True, models=given.models
    )


def check(given: Settings) -> Writer:
    """The profile of a writer that can do what the settings ask of it.

    Raises:
        InputError: it lacks a key, batches, or a price to keep a budget by.
    """
    author = profile(given)
    if author.name == "claude" and not (_address(given) or _key()):
        raise InputError(
            "--writer claude: no key; set ANTHROPIC_API_KEY, or give --base-url, or use "
            "--writer local"
        )
    for variable, key in _keys():
        if not (key.isascii() and key.isprintable()):
            raise InputError(f"{variable}: holds a character that no key has; set it again")
    if author.name == "local" and not embedded.is_installed():
        raise InputError(embedded.MISSING)
    check_address(author)
    budget = None if given.budget is None else round(given.budget * 1_000_000)
    check_budget(author, given.prices, budget)
    check_ways(author, given.batch)
    return author


@contextmanager
def writer(given: Settings, say: Callable[[str], None]) -> Iterator[Writer]:
    """The writer that the settings choose: Claude when a key or address is set, else the demo.

    Raises:
        InputError: the chosen writer lacks what it needs.
    """
    author = check(given)
    if author.name == "local":
        with embedded.serve(say) as served:
            yield served
    elif author.name == "rehearse":
        state = Path(given.output) / "rehearsal"
        with rehearsal.serve(given.model, given.base_url, state) as served:
            yield replace(served, models=given.models)
    else:
        yield replace(author, api_key=_key() or "none", concurrency=given.concurrency)


def _name(given: Settings) -> str:
    return given.writer or ("claude" if _address(given) or _key() else "local")


def _address(given: Settings) -> str | None:
    return given.base_url or os.environ.get("ANTHROPIC_BASE_URL")


def _key() -> str | None:
    return next((key for _, key in _keys()), None)


def _keys() -> list[tuple[str, str]]:
    """The keys that are set, each after its variable; the first is used."""
    names = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
    return [(name, key) for name in names if (key := os.environ.get(name))]
