"""The settings of a build: ``corpus.toml``, the flags over it, and what they come to.

One frozen record; its fields are the keys of the file. Unknown keys are errors with a hint, because
a misspelt setting that is silently ignored costs a whole run. This room reads, checks and prints
settings; it decides nothing.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from corpus import store
from corpus.errors import InputError, did_you_mean
from corpus.records import STREAMS

MIX = {"documents": 4.2, "stories": 3.0, "advice": 1.65, "agentic": 1.15}
DEFAULT_MODEL = "claude-sonnet-5-5"
WRITERS = ("claude", "local", "rehearse")
HEADINGS = ("markdown", "infer")
GUARD = ("report", "drop", "allow")
STAGES = (  # of a build, each of which may have a model of its own
    "principles", "spec", "check", "message", "polish", "draft", "rewrite", "judge", "blind",
)  # fmt: skip
BESIDE = ("seeds", "quiz", "deliberate")  # stages of 'seeds grow', 'quiz' and 'rewrite'
WITHOUT = ("rewrite", "reasons", "constitution", "stories")  # ablations
BEST_MARK = 5  # that a judge can give
_TYPES: dict[str, Any] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": (int, float),
    "dict": dict,
}
MOST_TOKENS = 10_000_000_000
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}


@dataclass(frozen=True)
class Settings:
    """What ``corpus build`` goes by; see the commented ``corpus.toml`` of ``corpus init``.

    ``tokens`` None leaves the dial to the writer: 200k for a strong one, 3.6k for the demo writer.
    ``budget`` is in dollars.
    """

    constitution: str = "constitution"
    seeds: str = "story_seeds"
    output: str = "output"
    kinds: str | None = None
    headings: str = "markdown"
    tokens: int | None = None
    mix: dict[str, float] = field(default_factory=lambda: dict(MIX))
    seed: int = 0
    writer: str | None = None
    model: str | None = None
    models: dict[str, str] = field(default_factory=dict)
    base_url: str | None = None
    ai_name: str | None = None
    concurrency: int | None = None
    batch: bool | None = None
    budget: float | None = None
    languages: dict[str, float] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    guard: str = "drop"
    held_out: tuple[str, ...] = ()
    blind: float = 0.1
    round_tokens: int = 500_000
    attempts: int = 3
    judge_at_least: int = 3
    threshold: float = 0.7
    tokenizer: str = "gpt2"
    formats: tuple[str, ...] = ("parquet", "jsonl")
    shard_tokens: int = 100_000_000
    license: str | None = None
    baseline: str | None = None
    novelty_floor: float = 0.3
    gates: dict[str, list[float]] = field(default_factory=dict)
    prices: dict[str, dict[str, float]] = field(default_factory=dict)

    def with_flags(self, flags: Mapping[str, Any]) -> Self:
        """These settings with every flag that was given put over them."""
        given = {name: value for name, value in flags.items() if value is not None}
        return dataclasses.replace(self, **_checked("the command line", given))

    def streams(self) -> dict[str, float]:
        """The mix without the streams that an ablation leaves out."""
        out = {"stories"} & set(self.without)
        return {stream: share for stream, share in self.mix.items() if stream not in out}

    def toml(self) -> str:
        """The settings as a ``corpus.toml`` that says the same."""
        values = dataclasses.asdict(self)
        tables = {name: value for name, value in values.items() if isinstance(value, dict)}
        lines = [
            f"{name} = {_toml(value)}"
            for name, value in values.items()
            if value is not None and name not in tables
        ]
        for name, table in tables.items():
            lines += _table(name, table)
        return "\n".join(lines) + "\n"


def load(path: Path | None) -> Settings:
    """The settings in ``path``; the defaults where it is None.

    Raises:
        InputError: the file is missing or no TOML, or a key or value cannot be used.
    """
    if path is None:
        return Settings()
    return Settings(**_checked(str(path), store.read_toml(path, f"--config {path}")))


def count(text: str | int, where: str = "--tokens") -> int:
    """A number of tokens as people write it: ``200k``, ``3M``, ``1.5m``, ``20000``."""
    found = re.fullmatch(r"\s*([\d_]*\.?\d+)\s*([kmb]?)\s*", str(text).lower())
    value = int(Decimal(found[1].replace("_", "")) * _UNITS[found[2]]) if found else 0
    if value <= 0:
        raise InputError(f"{where} {text!r}: not a number of tokens; such as 200k or 3M")
    if value > MOST_TOKENS:
        raise InputError(
            f"{where} {text!r}: more than 10B; build in parts, with seeds of their own"
        )
    return value


def mix(text: str) -> dict[str, float]:
    """Shares of the streams as people write them: ``documents=5,stories=3,advice=2``."""
    return shares("--mix", text)


def shares(where: str, text: str) -> dict[str, float]:
    """Names with their shares as people write them: ``one=5,other=3``."""
    wanted = {"--mix": ("stream", "documents=5,stories=3,advice=2")}
    noun, example = wanted.get(where, ("language", "English=8,German=2"))
    parts = [part.partition("=") for part in text.split(",")]
    try:
        found = {name.strip(): float(share) for name, _, share in parts}
    except ValueError as error:
        raise InputError(f"{where} {text!r}: write {noun}=share, such as {example}") from error
    if len(found) < len(parts):
        raise InputError(f"{where} {text!r}: a {noun} is given twice; give each one share")
    return found


def _checked(where: str, given: Mapping[str, Any]) -> dict[str, Any]:
    known = {spec.name: spec for spec in dataclasses.fields(Settings)}
    values = dict(given)
    for name, value in given.items():
        if name not in known:
            raise InputError(f"{where}: unknown key '{name}'{did_you_mean(name, known)}")
        if name == "tokens":
            values[name] = count(value, f"{where}: tokens =")
        elif name in {"formats", "held_out"}:
            values[name] = _texts(where, name, value)
        elif name == "without":
            values[name] = _without(where, value)
        elif name == "concurrency" and value == "auto":
            values[name] = None
        else:
            _check(where, name, value, str(known[name].type))
    return values


def _check(where: str, name: str, value: Any, wanted: str) -> None:  # noqa: ANN401 - from TOML
    """Refuse a value of the wrong type or out of its range."""
    word = re.split(r"[ \[]", wanted, maxsplit=1)[0]
    if not isinstance(value, _TYPES[word]) or (isinstance(value, bool) and word != "bool"):
        raise InputError(f"{where}: {name} = {value!r}: a {word} is wanted")
    allowed = {"writer": WRITERS, "headings": HEADINGS, "guard": GUARD}.get(name)
    if allowed and value not in allowed:
        raise InputError(f"{where}: {name} = {value!r}{did_you_mean(str(value), allowed)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{where}: {name} = {value!r}: a finite number is wanted")
    positive = {"budget", "concurrency", "attempts", "shard_tokens", "round_tokens"}
    if name in positive and value <= 0:
        raise InputError(f"{where}: {name} = {value!r}: must be more than 0")
    if name in {"blind", "novelty_floor"} and not 0 <= value <= 1:
        raise InputError(f"{where}: {name} = {value!r}: a share from 0 to 1")
    if name == "threshold" and not 0 < value <= 1:
        raise InputError(f"{where}: threshold = {value!r}: a similarity above 0, at most 1")
    if name == "judge_at_least" and not 1 <= value <= BEST_MARK:
        raise InputError(f"{where}: {name} = {value!r}: a mark from 1 to {BEST_MARK}")
    if name in _TABLES:
        _TABLES[name](where, value)


def _check_mix(where: str, shares: Mapping[str, Any]) -> None:
    for stream in shares:
        if stream not in STREAMS:
            raise InputError(
                f"{where}: mix: unknown stream '{stream}'{did_you_mean(stream, STREAMS)}"
            )
    _check_shares(where, "mix", shares)
    if not sum(shares.values()):
        raise InputError(f"{where}: mix: every share is 0; nothing would be written")


def _check_models(where: str, models: Mapping[str, Any]) -> None:
    for stage, model in models.items():
        if stage not in {*STAGES, *BESIDE}:
            every = did_you_mean(stage, (*STAGES, *BESIDE))
            raise InputError(f"{where}: models: no stage '{stage}'{every}")
        if not isinstance(model, str) or not model:
            raise InputError(f"{where}: models: {stage} = {model!r}: a model's name is wanted")


def _check_prices(where: str, prices: Mapping[str, Any]) -> None:
    for name, value in prices.items():
        if not isinstance(value, dict):
            raise InputError(f"{where}: prices: '{name}' is no table; write [prices.{name}]")


def _check_languages(where: str, shares: Mapping[str, Any]) -> None:
    _check_shares(where, "languages", shares)
    if shares and not sum(shares.values()):
        raise InputError(f"{where}: languages: every share is 0; nothing would be written")


def _check_shares(where: str, name: str, shares: Mapping[str, Any]) -> None:
    for value, share in shares.items():
        if not _is_number(share) or share < 0:
            raise InputError(
                f"{where}: {name}: {value} = {share!r}: a share of 0 or more is wanted"
            )
    if not math.isfinite(sum(shares.values())):
        raise InputError(f"{where}: {name}: the shares are too large to be added up")


def _check_gates(where: str, gates: Mapping[str, Any]) -> None:
    for name, limits in gates.items():
        if not isinstance(limits, list) or [_is_number(limit) for limit in limits] != [True] * 2:
            raise InputError(f"{where}: gates: {name} = {limits!r}: [warn, fail] is wanted")


_TABLES: dict[str, Callable[[str, Mapping[str, Any]], None]] = {
    "mix": _check_mix,
    "models": _check_models,
    "languages": _check_languages,
    "gates": _check_gates,
    "prices": _check_prices,
}


def _is_number(value: Any) -> bool:  # noqa: ANN401 - from TOML
    return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)


def _texts(where: str, name: str, value: Any) -> tuple[str, ...]:  # noqa: ANN401 - from TOML
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
        raise InputError(f"{where}: {name} = {value!r}: a list of strings is wanted")
    return tuple(value)


def _without(where: str, value: Any) -> tuple[str, ...]:  # noqa: ANN401 - from TOML
    """Ablations, each once, in the order of ``WITHOUT``."""
    given = _texts(where, "without", value)
    for name in given:
        if name not in WITHOUT:
            raise InputError(f"{where}: without: '{name}'{did_you_mean(name, WITHOUT)}")
    return tuple(name for name in WITHOUT if name in given)


def _toml(value: Any) -> str:  # noqa: ANN401 - any setting
    """A value as TOML; JSON writes strings, numbers, booleans and lists the same way, DEL aside."""
    text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")


def _table(name: str, table: Mapping[str, Any]) -> list[str]:
    """The lines of a table and of those within it; only one within another is told when empty."""
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    flat = [f"{_key(key)} = {_toml(value)}" for key, value in table.items() if key not in inner]
    lines = ["", f"[{name}]", *flat] if flat or "." in name else []
    for key, deep in inner.items():
        lines += _table(f"{name}.{_key(key)}", deep)
    return lines


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)
