"""``corpus rehearse``: the stand-in server at a terminal."""

from __future__ import annotations

from typing import Any

import click

from corpus.errors import InputError
from corpus.model.prices import dollars
from corpus.model.rehearsal.server import Options, run

_PICOS = 1_000_000  # in a micro-dollar


def _options(given: dict[str, Any]) -> Options:
    """The command's flags as the server's options."""
    rest = {name: value for name, value in given.items() if name != "clock"}
    return Options(**rest, manual=given["clock"] == "manual")


def serve(given: dict[str, Any]) -> None:
    """Serve until Ctrl-C, then say what it would have cost.

    Raises:
        InputError: the port or a file cannot be had, or the faults cannot be read.
    """
    try:
        totals = run(_options(given), _announce)
    except OSError as error:
        raise InputError(
            f"corpus rehearse: {error.strerror} (port {given['port']}); give another --port, or "
            f"a --ledger or --state that can be written"
        ) from None
    paid = -(-(totals.get("direct_picos", 0) + totals.get("batch_picos", 0)) // _PICOS)
    click.echo(
        f"{totals.get('direct', 0):,} direct, {totals.get('batch', 0):,} by batch, "
        f"{totals['requests']:,} different; in earnest {dollars(paid)}"
    )


def _announce(address: str) -> None:
    click.echo(address)
    click.echo(f"  corpus build --writer rehearse --base-url {address}")
    click.echo(f"  ANTHROPIC_BASE_URL={address} ANTHROPIC_API_KEY=rehearsal  # any client")
