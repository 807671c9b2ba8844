"""The nouns of the program: frozen, JSON-safe, named by the digest of what they hold.

Every record has ``row()``, the JSON object that stands in the files of a build, and
``from_row``, its inverse. Ids are content digests, so the same order, text or request has the
same id on every machine and in every run; nothing here knows about time or arrival order.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import Any, Literal, Self

Stream = Literal["documents", "stories", "advice", "agentic"]
STREAMS: tuple[Stream, ...] = ("documents", "stories", "advice", "agentic")

Json = Any  # a JSON value; the type system has no recursive alias that reads well


def canonical(value: Json) -> bytes:
    """The one JSON form that digests are taken of: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def digest(*values: Json, chars: int = 16) -> str:
    """The first ``chars`` hex digits of the sha256 of the canonical JSON of ``values``."""
    return hashlib.sha256(canonical(values)).hexdigest()[:chars]


class Record:
    """What all nouns share: a JSON form and its inverse."""

    __slots__ = ()

    def row(self) -> dict[str, Json]:
        """The record as a JSON object, fields in the order of their definition."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_row(cls, row: Mapping[str, Json]) -> Self:
        """The record that ``row`` describes; unknown keys are ignored, lists become tuples."""
        values = {}
        for spec in dataclasses.fields(cls):  # type: ignore[arg-type]
            if spec.name in row:
                value = row[spec.name]
                values[spec.name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)


SELF_ENDED = frozenset({"end_turn", "stop_sequence"})  # how a reply stops that ended by itself


@dataclass(frozen=True, slots=True)
class Section(Record):
    """A part of the constitution that is written about: a heading's own text, or a piece of it.

    ``id`` is ``<path slug>~<8 hex of the text digest>``; ``path`` are the headings from the
    document's title down; ``context`` is what a reader of ``text`` alone would miss (the
    own text of the parents, shortened); ``part`` of ``parts`` counts from 1 where a long body was
    split.
    """

    id: str
    path: tuple[str, ...]
    text: str
    context: str = ""
    source: str = ""
    part: int = 1
    parts: int = 1

    @property
    def title(self) -> str:
        """The last heading, with the part where the body was split."""
        name = self.path[-1] if self.path else self.source
        return name if self.parts == 1 else f"{name} ({self.part}/{self.parts})"


@dataclass(frozen=True, slots=True)
class Principle(Record):
    """One claim of a section, its reason, and the words of the section that prove it.

    ``quote`` is a verbatim substring of the section's text. ``source`` is ``"model"`` or
    ``"sentence"``. The principle is the unit of coverage.
    """

    id: str
    section: str
    statement: str
    why: str
    quote: str
    source: str


@dataclass(frozen=True, slots=True)
class Seed(Record):
    """The germ of a story: a premise, the skill of mind it shows, what is at stake, how it ends."""

    id: str
    name: str
    premise: str
    skill: str
    stakes: str
    setting: str
    ending: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Brief(Record):
    """The order for one document (the literature's "doc idea"): everything that was dealt to it.

    ``words`` is the length to aim at; ``language`` is empty for English; ``injection`` names the
    values under which an answer is drafted, ``tools`` the families of its tools. ``attempt`` is 1
    for a fresh deal and grows when the brief replaces one whose document was rejected; ``number``
    is its place in plan order.
    """

    id: str
    stream: Stream
    kind: str
    section: str
    principle: str
    seed: str | None
    words: int
    facets: dict[str, str]
    number: int
    round: int
    attempt: int = 1
    replaces: str | None = None
    language: str = ""
    injection: str = ""
    tools: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request(Record):
    """One call of the Messages API, complete; nothing is added behind its back.

    ``key`` names it in the journal: the digest of all that is sent plus ``sample``, the index
    that tells wanted repetitions apart. ``stage`` and ``brief`` are bookkeeping and not in the key.
    """

    stage: str
    model: str
    system: str
    messages: tuple[dict[str, str], ...]
    max_tokens: int
    stop_sequences: tuple[str, ...] = ()
    sample: int = 0
    brief: str = ""

    @cached_property
    def key(self) -> str:
        """32 hex digits of the digest of the rendered request and its sample index."""
        return digest(self.body(), self.sample, chars=32)

    def body(self) -> dict[str, Json]:
        """The JSON body of ``POST /v1/messages``, cache marks aside."""
        body: dict[str, Json] = {
            "model": self.model,
            "max_tokens": self.max_tokens,
            "messages": list(self.messages),
        }
        if self.system:
            body["system"] = self.system
        if self.stop_sequences:
            body["stop_sequences"] = list(self.stop_sequences)
        return body


@dataclass(frozen=True, slots=True)
class Usage(Record):
    """Tokens as the provider counted them, by price class; ``output`` includes thinking.

    ``cache_write`` are those written for five minutes, ``cache_write_1h`` those for an hour.
    """

    input: int = 0
    output: int = 0
    cache_write: int = 0
    cache_read: int = 0
    cache_write_1h: int = 0

    @property
    def prompt(self) -> int:
        """All tokens of the prompt, cached or not."""
        return self.input + self.cache_write + self.cache_write_1h + self.cache_read


@dataclass(frozen=True, slots=True)
class Reply(Record):
    """What came back for a request, after it was committed to the journal.

    ``stop`` is the API's stop reason, with the category of a refusal, ``text`` the joined text
    blocks, ``replayed`` whether it was bought by an earlier run, ``batch`` whether by batch,
    ``cost`` micro-dollars or None where the price is unknown.
    """

    key: str
    text: str
    stop: str
    model: str
    usage: Usage = field(default_factory=Usage)
    cost: int | None = 0
    replayed: bool = False
    batch: bool = False

    @classmethod
    def from_row(cls, row: Mapping[str, Json]) -> Self:
        """The reply that ``row`` describes, its usage too."""
        values = {spec.name: row[spec.name] for spec in dataclasses.fields(cls) if spec.name in row}
        return cls(**{**values, "usage": Usage.from_row(row.get("usage", {}))})


@dataclass(frozen=True, slots=True)
class Document(Record):
    """A text or a chat that was written; its line is never rewritten or deleted."""

    id: str
    stream: Stream
    kind: str
    brief: str
    section: str
    seed: str | None
    text: str | None
    messages: tuple[dict[str, str], ...] | None
    facets: dict[str, str]
    generator: dict[str, str]
    parents: tuple[str, ...] = ()
    tools: str | None = None
    synthetic: bool = True
    quality: str | None = None

    def row(self) -> dict[str, Json]:
        """The contract's shape: ``text`` or ``messages``; ``tools`` only where given."""
        row = dataclasses.asdict(self)
        row.pop("text" if self.text is None else "messages")
        if self.tools is None:
            row.pop("tools")
        return row

    @classmethod
    def from_row(cls, row: Mapping[str, Json]) -> Self:
        """The document that ``row`` describes."""
        given = {"text": None, "messages": None, **row}
        names = {spec.name for spec in dataclasses.fields(cls)}
        values = {name: value for name, value in given.items() if name in names}
        for name in ("messages", "parents"):
            if values.get(name) is not None:
                values[name] = tuple(values[name])
        return cls(**values)

    @property
    def body(self) -> str:
        """What a reader would read: the text, or the chat's turns one after the other."""
        if self.text is not None:
            return self.text
        return "\n\n".join(turn["content"] for turn in self.messages or ())


@dataclass(frozen=True, slots=True)
class Review(Record):
    """The judgement of a document: ``accept``, or ``reject`` with the words for why."""

    id: str
    verdict: Literal["accept", "reject"]
    reasons: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Duplicate(Record):
    """A document that repeats ``original``; ``similarity`` is the exact Jaccard index."""

    id: str
    original: str
    similarity: float
    method: str
    cluster: str


@dataclass(frozen=True, slots=True)
class Metric(Record):
    """A value of the diversity suite and what its gate says: pass, warn, fail, or None for no gate.

    ``n`` documents of ``words`` words on average were measured. ``low`` and ``high`` are the ends
    of the 95 % interval, found by the method that ``interval`` names; ``baseline`` is the value to
    compare with, of ``baseline_n`` documents. ``evidence`` holds what a reader would ask to see;
    ``cells`` the same measure per section, stream and kind, as ``{"by", "cell", "value", "n",
    "words", "low", "high", "gate"}``; ``curve`` its growth with the number of documents.

    Where a value depends on that number, ``rarefied`` is the one to expect of 200 of them, and
    ``matched`` holds ``value`` and ``baseline`` at the smaller corpus's number of ``documents``.
    """

    id: str
    value: float | None
    gate: Literal["pass", "warn", "fail"] | None
    n: int
    unit: str = ""
    warn: float | None = None
    fail: float | None = None
    higher_is_better: bool = False
    note: str = ""
    evidence: tuple[Json, ...] = ()
    words: float | None = None
    low: float | None = None
    high: float | None = None
    interval: str = ""
    baseline: float | None = None
    baseline_n: int | None = None
    rarefied: float | None = None
    matched: dict[str, Json] | None = None
    cells: tuple[Json, ...] = ()
    curve: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Shard(Record):
    """One shard of an export; ``file`` is relative to the folder of its format.

    ``beside`` are the files that belong to it (an index, a mask): ``file``, ``bytes``, ``sha256``.
    """

    file: str
    config: str
    split: str
    bytes: int
    documents: int
    tokens: int
    sha256: str
    beside: tuple[dict[str, Json], ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """All its files, its own first."""
        return (self.file, *(other["file"] for other in self.beside))

    def below(self, folder: PurePath) -> Shard:
        """The same shard, its files told from where ``folder`` stands."""
        beside = (other | {"file": (folder / other["file"]).as_posix()} for other in self.beside)
        file = (folder / self.file).as_posix()
        return dataclasses.replace(self, file=file, beside=tuple(beside))
