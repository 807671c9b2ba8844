"""Weights and epochs: how much of each config goes into training, by leaving out or repeating.

Only the train split is mixed; what is held out stays as it is. Documents are whole, so what comes
out is near to what was asked for, and what came out is what is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from corpus.errors import InputError, did_you_mean
from corpus.export.index import Index, Numbers
from corpus.export.match import fitting

MOST_EPOCHS = 100
Passes = list[Numbers]  # the rows of a config that are read in the first epoch, the second, ...


def goals(index: Index, train: Numbers, mix: Mapping[str, float], epochs: Mapping[str, float]
          ) -> dict[str, float]:  # fmt: skip
    """How often each config is read: 1 for once, 2.5 for twice and a half of it again.

    ``epochs`` says so itself, for a config by name or for all under ``""``. ``mix`` gives weights
    by tokens: the shares are met by reading the scarcest config as often as ``epochs`` allows (once
    by default), and the others less.

    Raises:
        InputError: a name is no config, a config has no weight, or a number makes no sense.
    """
    held = np.bincount(index.config[train], index.tokens[train], minlength=len(index.configs))
    sizes = {name: int(held[code]) for code, name in enumerate(index.configs)}
    for flag, given in (("--mix", mix), ("--epochs", epochs)):
        for name, value in given.items():
            if name and name not in sizes:
                raise InputError(f"{flag} {name}: no such config{did_you_mean(name, sizes)}")
            if not 0 <= value <= MOST_EPOCHS and flag == "--epochs":
                raise InputError(f"{flag} {value:g}: must be from 0 to {MOST_EPOCHS}")
            if value < 0:
                raise InputError(f"{flag} {name}={value:g}: must not be negative")
    most = {name: epochs.get(name, epochs.get("", 1.0)) for name in sizes}
    if not mix:
        return most
    if missing := sorted(sizes.keys() - mix.keys()):
        raise InputError(f"--mix: '{missing[0]}' has no weight; give it one, 0 to leave it out")
    weighted = [name for name in sizes if mix[name] > 0 and sizes[name]]
    if not weighted:
        raise InputError("--mix: every weight is 0, so nothing would be left; give one a weight")
    scale = min(most[name] * sizes[name] / mix[name] for name in weighted)
    return {name: scale * mix[name] / sizes[name] if sizes[name] else 0.0 for name in sizes}


def passes(index: Index, rows: Numbers, epochs: float) -> Passes:
    """The rows of one config for each time that it is read, the last one perhaps not whole.

    ``rows`` come in the order of their places; every later epoch has an order of its own.
    """
    whole = int(epochs + 1e-9)
    size = int(index.tokens[rows].sum())
    found = [shuffled(index, rows, epoch) for epoch in range(whole)]
    rest = round((epochs - whole) * size)
    if rest > 0:
        found.append(fitting(shuffled(index, rows, whole), index.tokens, rest))
    return found


def shuffled(index: Index, rows: Numbers, epoch: int) -> Numbers:
    """``rows`` in the order of one epoch: their own in the first, then another for each.

    The places, which are digests already, are mixed with the epoch (the finalizer of SplitMix64,
    Steele, Lea and Flood 2014), so that the order depends on seed, id and epoch alone.
    """
    if not epoch:
        return rows
    mixed = index.halves()[1][rows] + np.uint64(epoch * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return rows[np.argsort(mixed ^ (mixed >> np.uint64(31)), kind="stable")]


def realised(
    index: Index,
    mix: Mapping[str, float],
    asked: Mapping[str, float],
    rows: Mapping[str, Numbers],
    read: Mapping[str, Passes],
) -> dict[str, Any]:
    """What the mixture came to, per config: weight, share of tokens, epochs, tokens, documents."""
    tokens = index.tokens
    sizes = {name: sum(int(tokens[one].sum()) for one in found) for name, found in read.items()}
    whole = sum(sizes.values())
    return {
        name: {
            **({"weight": mix[name]} if mix else {}),
            "epochs_asked": round(asked[name], 6),
            "epochs": round(sizes[name] / max(1, int(tokens[rows[name]].sum())), 6),
            "share": round(sizes[name] / whole, 6) if whole else 0.0,
            "tokens": sizes[name],
            "documents": sum(map(len, found)),
            "distinct": len(np.unique(np.concatenate([*found, rows[name][:0]]))),
        }
        for name, found in read.items()
    }
