"""What was measured on human prose and ships with the program; ``human.json`` says on what.

Written by ``benchmarks/diversity`` (``python benchmarks/diversity reference``), never by hand.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any


@cache
def shipped() -> dict[str, Any]:
    """The file: ``about``, ``values`` by metric, ``names``, ``alphabet``, ``moves``."""
    path = resources.files("corpus.score") / "human.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found
