"""Document kinds: one Markdown file each, a TOML header between ``+++`` lines and a prompt.

A kind is added by adding a file; no Python is touched. The prompt is a ``string.Template``: its
slots are the kind's own facets, the shared facets of its stream (``facets.toml``), and the fixed
slots in ``SLOTS`` and ``SEED_SLOTS``. A file that cannot be used is refused by name, with the slot.

A kind of the agentic stream names the families of tool definitions (``tools.json``) without which
its chores make no sense (``needs``), and others that may stand with its chats (``tools``). A kind
of story may name the ``stakes`` of the seeds that suit it. Pairs of facets that cannot live in one
text stand in ``never``, each as ``"facet = how its value begins"``.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from string import Template
from typing import Any, Literal

from corpus import store
from corpus.errors import InputError, did_you_mean
from corpus.kinds.dealt import POOLS, Pools, Tool, places, pools, toolbox
from corpus.records import STREAMS, Stream, digest

SLOTS = frozenset({"words", "statement", "why", "title", *POOLS})
SEED_SLOTS = frozenset({"premise", "skill", "stakes", "setting", "ending"})
GROUPS = ("crawl", "discussion", "latent", "identity")
ANSWER = "---answer---"
RESERVED = SLOTS | {"section", "context", "quote"}  # what an order says of itself

_KEYS = {
    "stream",
    "what",
    "group",
    "words",
    "weight",
    "facets",
    "tools",
    "needs",
    "stakes",
    "never",
}
Weights = dict[str, float]
Start = tuple[str, str]  # a facet, and how a value of it begins


@dataclass(frozen=True)
class Kind:
    """A kind of document.

    ``facets`` maps each facet that its prompt uses to weighted values; ``shape`` is ``"chat"`` for
    the advice streams, whose prompt has a part for the user's message and one for the answer.
    Of the families of tool definitions an agentic kind always has those in ``needs``, and may have
    those in ``tools``; others have none. ``stakes`` are those of the seeds that suit a kind of
    story; none named, all do.
    """

    name: str
    stream: Stream
    what: str
    words: tuple[int, int]
    weight: float
    facets: dict[str, Weights]
    prompt: str
    answer: str | None
    group: str
    shape: Literal["prose", "chat"]
    tools: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    stakes: tuple[str, ...] = ()
    never: tuple[tuple[Start, Start], ...] = ()

    def clashing(self, name: str, dealt: Mapping[str, str]) -> set[str]:
        """The values of a facet that cannot live with what is dealt already."""
        both = (*self.never, *((other, one) for one, other in self.never))
        starts = tuple(
            start
            for (facet, begin), (other, start) in both
            if other == name and dealt.get(facet, "").startswith(begin)
        )
        return {value for value in self.facets[name] if starts and value.startswith(starts)}

    @cached_property
    def digest(self) -> str:
        """What the kind asks for, as 16 hex digits; a part of every brief's id."""
        return digest(
            self.name,
            self.stream,
            self.what,
            self.words,
            self.facets,
            self.prompt,
            self.answer,
            *self.tools,
            *([["needs", *self.needs]] if self.needs else []),
        )


@dataclass(frozen=True)
class Library:
    """All kinds that were found, the pools that names are dealt from, the tools by family."""

    kinds: tuple[Kind, ...]
    pools: Mapping[str, Pools] = field(default_factory=dict)
    tools: Mapping[str, tuple[Tool, ...]] = field(default_factory=dict)

    def of(self, stream: str) -> tuple[Kind, ...]:
        """The kinds of a stream, by name."""
        return tuple(kind for kind in self.kinds if kind.stream == stream)

    def get(self, name: str) -> Kind:
        """The kind of that name."""
        return next(kind for kind in self.kinds if kind.name == name)

    def tool_text(self, families: Iterable[str]) -> str:
        """The tool definitions of some families as JSON, as a record holds them; empty of none."""
        found = [tool for family in families for tool in self.tools[family]]
        return json.dumps(found, ensure_ascii=False) if found else ""

    @cached_property
    def digest(self) -> str:
        """What all kinds say, and how they are dealt, as 16 hex digits."""
        return digest(
            [[k.digest, k.weight, k.group, k.stakes, k.never] for k in self.kinds],
            [dataclasses.asdict(locale) for _, locale in sorted(self.pools.items())],
            dict(self.tools),
            *map(dict, places()),
        )


def load(*extra: Path) -> Library:
    """The shipped kinds and those of ``extra`` (files or folders), sorted by name.

    A kind of the user's with the name of a shipped one takes its place.

    Raises:
        InputError: a file cannot be used; the message names the file and the key or slot.
    """
    home = Path(__file__).parent
    shared = _shared(home / "facets.toml")
    found: dict[str, Kind] = {}
    for place in (home, *extra):
        own = _shared(place / "facets.toml") if place.is_dir() else {}
        own = {stream: {**shared.get(stream, {}), **own.get(stream, {})} for stream in STREAMS}
        files = sorted(place.glob("*.md")) if place.is_dir() else [place]
        if not files:
            raise InputError(f"--kinds {place}: no kinds in it; a kind is a Markdown file")
        for path in files:
            kind = read(path, own)
            found[kind.name] = kind
    kinds = tuple(found[name] for name in sorted(found))
    return Library(kinds, pools(), toolbox())


def read(path: Path, shared: Mapping[str, Mapping[str, Weights]]) -> Kind:
    """The kind in one file, checked against the facets that its stream shares."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        _, header, prompt = text.split("+++\n", 2)
        given = store.toml(header.encode(), f"{path}: the header is")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 (byte {error.start})") from error
    except ValueError as error:
        raise InputError(
            f"{path}: no header; a kind begins with TOML between two lines of '+++'"
        ) from error
    return _kind(path, given, prompt.strip(), shared)


def _kind(
    path: Path, given: dict[str, Any], text: str, shared: Mapping[str, Mapping[str, Weights]]
) -> Kind:
    for key in given:
        if key not in _KEYS:
            raise InputError(f"{path}: unknown key '{key}'{did_you_mean(key, _KEYS)}")
    stream = given.get("stream")
    if stream not in STREAMS:
        raise InputError(f"{path}: stream = {stream!r}; one of: {', '.join(STREAMS)}")
    what = given.get("what")
    if not isinstance(what, str) or not what.strip():
        raise InputError(f"{path}: 'what' is missing: say in a few words what such a text is")
    group = given.get("group", "crawl")
    if group not in GROUPS:
        raise InputError(f"{path}: group = {group!r}{did_you_mean(str(group), GROUPS)}")
    prompt, answer = _parts(path, stream, text)
    facets = given.get("facets", {})
    if not isinstance(facets, dict):
        raise InputError(f"{path}: facets = {facets!r}; write a table [facets]")
    own = {name: weights(f"{path}: facet '{name}'", v) for name, v in facets.items()}
    facets_used = _facets(path, f"{prompt}\n{answer or ''}", own, shared.get(stream, {}), stream)
    return Kind(
        name=path.stem,
        stream=stream,
        what=what.strip(),
        words=_words(path, given.get("words")),
        weight=_weight(path, given.get("weight", 1)),
        facets=facets_used,
        prompt=prompt,
        answer=answer,
        group=group,
        shape="prose" if answer is None else "chat",
        tools=_tools(path, stream, given, "tools"),
        needs=_tools(path, stream, given, "needs"),
        stakes=_stakes(path, stream, given.get("stakes")),
        never=_never(path, given.get("never", []), facets_used),
    )


def _parts(path: Path, stream: str, text: str) -> tuple[str, str | None]:
    if not text:
        raise InputError(f"{path}: there is no prompt below the header")
    prompt, mark, answer = text.partition(f"\n{ANSWER}\n")
    if bool(mark) != (stream in {"advice", "agentic"}):
        rule = "needs" if not mark else "has no"
        raise InputError(f"{path}: a kind of stream '{stream}' {rule} a line '{ANSWER}'")
    return prompt.strip(), answer.strip() if mark else None


def _facets(
    path: Path, text: str, own: dict[str, Weights], shared: Mapping[str, Weights], stream: str
) -> dict[str, Weights]:
    """The facets that the prompt uses; every slot must have a source, every own facet a use."""
    template = Template(text)
    if not template.is_valid():
        raise InputError(f"{path}: a '$' that begins no slot; write '$$' for a dollar sign")
    slots = set(template.get_identifiers())
    fixed = SLOTS | SEED_SLOTS if stream == "stories" else SLOTS
    known = fixed | own.keys() | shared.keys()
    for slot in sorted(slots - known):
        raise InputError(
            f"{path}: the prompt uses ${slot}, but no facet has that name"
            f"{did_you_mean(slot, known)}"
        )
    for name in own:
        if name not in slots:
            raise InputError(f"{path}: facet '{name}' is never used in the prompt")
        if name in fixed | RESERVED:
            raise InputError(f"{path}: facet '{name}' has the name of a fixed slot; rename it")
    merged = {**shared, **own}
    return {name: merged[name] for name in sorted(slots - fixed)}


def weights(where: str, value: Any) -> Weights:  # noqa: ANN401 - straight from TOML
    """A facet's values with their shares: from a list (equal shares) or a table value -> share.

    Raises:
        InputError: it is neither, is empty, or a share is not a positive number.
    """
    if isinstance(value, list):
        value = dict.fromkeys(value, 1) if all(isinstance(v, str) for v in value) else None
    if not isinstance(value, dict) or not value:
        raise InputError(f"{where}: give a list of strings, or a table of string = share")
    for name, share in value.items():
        if not _positive(share):
            raise InputError(f"{where}: the share of {name!r} is {share!r}; give a positive number")
    return {name: float(share) for name, share in value.items()}


def _shared(path: Path) -> dict[str, dict[str, Weights]]:
    if not path.exists():
        return {}
    tables = store.read_toml(path)
    for stream, facets in tables.items():
        if stream not in STREAMS:
            raise InputError(f"{path}: unknown stream '{stream}'{did_you_mean(stream, STREAMS)}")
        if not isinstance(facets, dict):
            raise InputError(f"{path}: {stream} = {facets!r}; write a table [{stream}]")
    return {
        stream: {name: weights(f"{path}: [{stream}] {name}", v) for name, v in facets.items()}
        for stream, facets in tables.items()
    }


def _tools(path: Path, stream: str, given: dict[str, Any], key: str) -> tuple[str, ...]:
    """The families of tools that a kind names; agentic kinds need some, others may have none."""
    value = given.get(key)
    if stream != "agentic":
        if value is not None:
            raise InputError(f"{path}: only kinds of stream 'agentic' have '{key}'; drop the line")
        return ()
    if value is None and {"tools", "needs"} & given.keys():
        return ()
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        raise InputError(f'{path}: {key} = {value!r}; give families of tools, such as ["mail"]')
    for family in value:
        if family not in toolbox():
            raise InputError(
                f"{path}: {key}: no family '{family}'{did_you_mean(family, toolbox())}"
            )
    return tuple(dict.fromkeys(value))


def _never(
    path: Path,
    value: Any,  # noqa: ANN401 - from TOML
    facets: Mapping[str, Weights],
) -> tuple[tuple[Start, Start], ...]:
    """Pairs of facets with the beginnings of values that cannot meet."""
    pairs: list[tuple[Start, Start]] = []
    for pair in value if isinstance(value, list) else [value]:
        if not isinstance(pair, list) or len(pair) != 2:  # noqa: PLR2004 - a pair
            raise InputError(f'{path}: never: {pair!r}; write ["facet = begins so", "other = so"]')
        one, other = (_start(path, text, facets) for text in pair)
        pairs.append((one, other))
    return tuple(pairs)


def _start(path: Path, text: Any, facets: Mapping[str, Weights]) -> Start:  # noqa: ANN401 - from TOML
    name, _, begin = (part.strip() for part in str(text).partition("="))
    if not begin or not [v for v in facets.get(name, ()) if v.startswith(begin)]:
        raise InputError(f"{path}: never: {text!r}: no value of a facet '{name}' begins so")
    return name, begin


def _stakes(path: Path, stream: str, value: Any) -> tuple[str, ...]:  # noqa: ANN401 - from TOML
    if value is None:
        return ()
    if stream != "stories":
        raise InputError(f"{path}: only kinds of stream 'stories' have 'stakes'; drop the line")
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        raise InputError(f'{path}: stakes = {value!r}; give a list of them, such as ["ordinary"]')
    return tuple(value)


def _words(path: Path, value: Any) -> tuple[int, int]:  # noqa: ANN401 - straight from TOML
    match value:
        case [int(low), int(high)] if 0 < low <= high:
            return low, high
    raise InputError(f"{path}: words = {value!r}; give two lengths in words, such as [400, 900]")


def _weight(path: Path, value: Any) -> float:  # noqa: ANN401 - straight from TOML
    if not _positive(value):
        raise InputError(f"{path}: weight = {value!r}; give a positive number")
    return float(value)


def _positive(value: Any) -> bool:  # noqa: ANN401 - straight from TOML
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 < value < math.inf
