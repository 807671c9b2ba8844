"""An index that is kept: the texts that stayed, with their signatures, for the next corpus.

A folder of segments, one for each run that added something, and ``index.json``, which is written
last and names them. A segment holds the texts (UTF-8, end to end), their ids, digests, signatures
(uint32, a row of 128, as datasketch has them) and the signatures with names hidden; signatures are
mapped, not read. An id that comes again takes the place of its earlier self.
"""

from __future__ import annotations

import json
import os
import shutil
import unicodedata
import zlib
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from corpus import grams
from corpus.dedup.constants import PERMUTATIONS, SEED, SHINGLE
from corpus.dedup.names import Mask
from corpus.dedup.signatures import Banding, band_keys, digests, shingled, sign
from corpus.dedup.sources import Filed, Part, Source
from corpus.dedup.survey import Hidden, Survey, chunks
from corpus.errors import DiskError, InputError
from corpus.grams import Hashes
from corpus.grams.types import Codes, Flags, Ints
from corpus.store import write_json

MADE_WITH = {
    "shingle": SHINGLE,
    "permutations": PERMUTATIONS,
    "seed": SEED,
    "scheme": "affine32",
    "words": 2,
    "unicode": unicodedata.unidata_version,
}
_ROW = 4 * PERMUTATIONS  # bytes of a signature
_BLOCK = 1 << 22
_MATRICES = ("signatures", "hidden")


@dataclass(slots=True)
class Index:
    """The rows of an index that stand beside a corpus; empty where there is none yet."""

    path: Path | None
    ids: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    names: Hashes = field(default_factory=lambda: np.zeros(0, np.uint64))
    segments: list[dict[str, Any]] = field(default_factory=list)
    _loaded: list[_Segment] = field(default_factory=list)
    _again: dict[str, tuple[_Segment, int]] = field(default_factory=dict)

    def survey(self, chosen: Banding) -> Survey:
        """What is known of its texts."""
        keys = [_keys(one.signatures, chosen, one.rows) for one in self._loaded]
        return Survey(
            np.concatenate([np.zeros((chosen.bands, 0), np.uint32), *keys], axis=1),
            np.concatenate([np.zeros(0, np.int32), *(one.words[one.rows] for one in self._loaded)]),
            np.concatenate(
                [np.zeros(0, np.uint64), *(one.digests[one.rows] for one in self._loaded)]
            ),
        )

    def hidden(self, chosen: Banding) -> Hidden:
        """The keys of its texts with names hidden, as they were when each was added."""
        keys, places, first = [np.zeros((chosen.bands, 0), np.uint32)], [np.zeros(0, np.int32)], 0
        for one in self._loaded:
            worth = one.worth[one.rows] > 0
            keys.append(_keys(one.hidden, chosen, one.rows[worth]))
            places.append((np.flatnonzero(worth) + first).astype(np.int32))
            first += len(one.rows)
        return Hidden(np.concatenate(keys, axis=1), np.concatenate(places))

    def add(
        self, source: Source, places: Sequence[int], ids: Sequence[str], mask: Mask | None
    ) -> None:
        """Keep texts for the next time: a new segment, then the list that names it."""
        fresh = [at for at, place in enumerate(places) if not self._same(ids[at], source, place)]
        places, ids = [places[at] for at in fresh], [ids[at] for at in fresh]
        if self.path is None or not places:
            return
        folder = self.path / f"{len(self.segments) + 1:06d}"
        try:
            shutil.rmtree(folder, ignore_errors=True)  # what a run that was cut off has left
            folder.mkdir(parents=True)
            _write(folder, source, np.array(places, np.int64), ids, mask)
            files = {file.name: _sum(file) for file in sorted(folder.iterdir())}
        except OSError as error:
            raise DiskError(f"{folder}: cannot be written ({error.strerror})") from error
        segments = [*self.segments, {"name": folder.name, "rows": len(ids), "files": files}]
        write_json(self.path / "index.json", {"made_with": MADE_WITH, "segments": segments})

    def _same(self, name: str, source: Source, place: int) -> bool:
        """Whether the index has this text under this id already."""
        if name not in self._again:
            return False
        one, row = self._again[name]
        theirs = Filed([Part(one.texts, one.starts[row : row + 1], one.starts[row + 1 : row + 2])])
        return theirs.some([0]).body == source.some([place]).body


def open_index(path: Path | None, without: Collection[str], stack: ExitStack) -> Index:
    """The rows of the index at ``path``, but for the ids that come again.

    ``stack`` closes its files.

    Raises:
        InputError: it is no index, was made with other parameters, or is damaged.
    """
    if path is None or not path.exists():
        return Index(path)
    found = _listed(path)
    loaded = [_Segment.load(path / entry["name"], entry, stack) for entry in found["segments"]]
    index = Index(path, segments=found["segments"])
    wanted, again = set(without), set(without)
    for one in reversed(loaded):
        fresh = [name not in again for name in one.ids]
        again.update(one.ids)
        for row, name in enumerate(one.ids):
            if name in wanted:
                index._again.setdefault(name, (one, row))  # noqa: SLF001 - its own maker
        one.rows = np.flatnonzero(np.array(fresh, bool))
    for one in loaded:
        index.ids += [one.ids[row] for row in one.rows.tolist()]
        index.parts.append(Part(one.texts, one.starts[:-1][one.rows], one.starts[1:][one.rows]))
        index.names = np.union1d(index.names, one.names)
    index._loaded = loaded  # noqa: SLF001 - its own maker
    return index


@dataclass(slots=True)
class _Segment:
    """One segment, its columns in memory, its matrices mapped; ``rows`` are those that count."""

    texts: int
    ids: list[str]
    starts: grams.Places
    digests: Hashes
    words: Ints
    worth: Flags
    names: Hashes
    signatures: Codes
    hidden: Codes
    rows: grams.Places = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def load(cls, folder: Path, entry: dict[str, Any], stack: ExitStack) -> _Segment:
        """A segment whose files are what the list says."""
        for name, (size, check) in entry["files"].items():
            path = folder / name
            if not path.is_file() or _sum(path) != [size, check]:
                raise InputError(f"{path}: damaged or not there; remove the index and make it anew")

        def column(name: str, kind: type[Any]) -> Any:  # noqa: ANN401 - an array of any kind
            return np.fromfile(folder / name, kind)

        def matrix(name: str) -> Codes:
            return np.memmap(folder / name, np.uint32, "r", shape=(entry["rows"], PERMUTATIONS))

        return cls(
            texts=stack.enter_context((folder / "texts").open("rb")).fileno(),
            ids=json.loads((folder / "ids.json").read_text("utf-8")),
            starts=column("starts", np.int64),
            digests=column("digests", np.uint64),
            words=column("words", np.int32),
            worth=column("worth", np.uint8),
            names=column("names", np.uint64),
            signatures=matrix("signatures"),
            hidden=matrix("hidden"),
        )


def _listed(path: Path) -> dict[str, Any]:
    """What ``index.json`` says, if this program can go on from it."""
    try:
        found = json.loads((path / "index.json").read_text("utf-8"))
        made, _ = found["made_with"], [entry["files"] for entry in found["segments"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: no index, or a damaged one; give another --index") from error
    for name, value in MADE_WITH.items():
        if made.get(name) != value:
            raise InputError(
                f"{path}: made with {name} {made.get(name)!r}, and this is {value!r}; "
                f"remove the index and make it anew"
            )
    return dict(found)


def _keys(signatures: Codes, chosen: Banding, rows: grams.Places) -> Codes:
    """The band keys of some rows, mapped a piece at a time."""
    pieces = [rows[at : at + 4096] for at in range(0, len(rows), 4096)]
    keys = [band_keys(np.ascontiguousarray(signatures[piece]), chosen) for piece in pieces]
    return np.concatenate([np.zeros((chosen.bands, 0), np.uint32), *keys], axis=1)


def _write(
    folder: Path, source: Source, places: grams.Places, ids: Sequence[str], mask: Mask | None
) -> None:
    """The files of a segment."""
    (folder / "ids.json").write_text(json.dumps(list(ids)), "utf-8")
    names = mask.names if mask else np.zeros(0, np.uint64)
    names.tofile(folder / "names")
    with ExitStack() as stack:
        files = {
            name: stack.enter_context((folder / name).open("wb"))
            for name in ("texts", "starts", "digests", "words", "worth", *_MATRICES)
        }
        end = np.zeros(1, np.int64)
        files["starts"].write(end.tobytes())
        for part in chunks(source.sizes[places]):
            texts = source.some(places[part.start : part.stop].tolist())
            files["texts"].write(texts.body)
            files["starts"].write((texts.ends + end).tobytes())
            end += len(texts.body)
            for name, column in _columns(texts, mask).items():
                files[name].write(column.tobytes())
        for file in files.values():
            file.flush()
            os.fsync(file.fileno())


def _columns(texts: grams.Packed, mask: Mask | None) -> dict[str, Any]:
    """What a segment knows of these texts."""
    words = grams.read(texts)
    hidden = mask.hide(words) if mask else words
    found = shingled(words)
    return {
        "digests": digests(found),
        "words": np.diff(words.places).astype(np.int32),
        "worth": (np.diff(hidden.places) > 0).astype(np.uint8) * (mask is not None),
        "signatures": sign(found),
        "hidden": sign(shingled(hidden)),
    }


def _sum(path: Path) -> list[int]:
    """The size of a file and its CRC-32."""
    check = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            check = zlib.crc32(block, check)
    return [path.stat().st_size, check]
