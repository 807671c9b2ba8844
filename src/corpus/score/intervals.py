"""Values with the ends of their 95 % intervals, in closed form: no resampling.

Every method takes documents as drawn at random, so copies of one text make the ends too narrow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Z = 1.959964  # of the normal distribution, 95 %
WILSON, LINEARISED, JACKKNIFE = "Wilson", "linearised ratio", "jackknife over documents"


@dataclass(frozen=True, slots=True)
class Reading:
    """A value with the ends of its 95 % interval; None where they are not known."""

    value: float | None
    low: float | None = None
    high: float | None = None


def wilson(count: float, n: float) -> Reading:
    """A share with Wilson's score interval."""
    if not n:
        return Reading(None)
    count, n, z2 = float(count), float(n), Z * Z
    share = count / n
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low = 0.0 if not count else max(0.0, middle - half)
    high = 1.0 if count == n else min(1.0, middle + half)
    return Reading(share, low, high)


def lows(counts: NDArray[Any], n: NDArray[Any]) -> Floats:
    """The low ends of Wilson's intervals."""
    share, z2 = counts / n, Z * Z
    half = Z * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    found: Floats = (share + z2 / (2 * n) - half) / (1 + z2 / n)
    return found


def jackknife(value: float, left_out: Floats) -> Reading:
    """``value`` with the interval of the delete-one (or delete-a-group) jackknife.

    ``left_out`` are the values without each document or group in turn (Efron and Tibshirani, "An
    Introduction to the Bootstrap", 1993, chapter 11).
    """
    n = len(left_out)
    if n < 2:  # noqa: PLR2004 - one value has no spread
        return Reading(value)
    spread = left_out - left_out.mean()
    half = Z * math.sqrt((n - 1) / n * float(spread @ spread))
    return Reading(value, value - half, value + half)


def linearised(value: float, total: float, squares: float, n: int) -> Reading:
    """A ratio of sums over ``n`` documents, with the sum of its squared residuals."""
    if not total:
        return Reading(None)
    if n < 2:  # noqa: PLR2004 - one document has no spread
        return Reading(float(value))
    half = Z * math.sqrt(n / (n - 1) * squares) / total
    return Reading(float(value), max(0.0, float(value) - half), float(value) + half)
