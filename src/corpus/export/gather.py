"""Where rows come from: the join of a build's files, or anybody's JSON Lines.

A build's lines are never rewritten, so what ships is decided here, by looking up each document's
brief, its last review, and whether it repeats another. Texts stay on disk: what is remembered of a
row is its place.
"""

from __future__ import annotations

import abc
import shutil
import tempfile
import weakref
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, overload

from corpus import store
from corpus.errors import DiskError, InputError
from corpus.export.check import checked
from corpus.export.table import Column, Table
from corpus.formats import Row
from corpus.records import STREAMS, Document, Review


class Placed(Sequence[Row], abc.ABC):
    """Rows that stay on disk, to be read from front to back or one by one.

    What is known of each is the file that it is in, its first byte there and its bytes.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = [self._seekable(path) for path in paths]
        self._stamps = [stamp(path) for path in self._paths]
        self._files: dict[int, IO[bytes]] = {}
        self._firsts: list[int] = []  # the number of the first row of each file
        self._places = Table({"start": "Q", "length": "Q"})
        self._looked_up: tuple[Column, Column] | None = None

    @abc.abstractmethod
    def made(self, fields: dict[str, Any]) -> Row:
        """The row that the object on a line says."""

    @abc.abstractmethod
    def where(self, number: int) -> str:
        """The words for where row ``number`` stands."""

    def check_unchanged(self) -> None:
        """Refuse what was read if a file is not what it was when it was first looked at.

        Raises:
            InputError: one was written to meanwhile.
        """
        for path, before in zip(self._paths, self._stamps, strict=True):
            if stamp(path) != before:
                raise InputError(f"{path}: was changed while it was exported; run it again")

    def begin(self) -> None:
        """Remember that the next rows are of the next file."""
        self._firsts.append(len(self))

    def place(self, start: int, length: int) -> None:
        """Remember where the next row is."""
        self._looked_up = None
        self._places.add(start, length)

    def forget(self) -> None:
        """Forget all places."""
        self._looked_up = None
        self._firsts.clear()
        self._places.clear()

    def file(self, number: int) -> int:
        """The number of the file that holds row ``number``."""
        return bisect_right(self._firsts, number) - 1

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, number: int) -> Row: ...

    @overload
    def __getitem__(self, number: slice) -> list[Row]: ...

    def __getitem__(self, number: int | slice) -> Row | list[Row]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        if self._looked_up is None:
            self._looked_up = self._places.column("start"), self._places.column("length")
        starts, lengths = self._looked_up
        file = self.file(number)
        if file not in self._files:
            self._files[file] = self._paths[file].open("rb", buffering=0)
        return self.made(
            store.read_at(self._files[file], int(starts[number]), int(lengths[number]))
        )

    def __iter__(self) -> Iterator[Row]:
        try:
            for number in range(len(self)):
                yield self[number]
        finally:
            self.close()

    def close(self) -> None:
        """Close what is open; it is opened again when it is needed."""
        for file in self._files.values():
            file.close()
        self._files.clear()
        self._looked_up = None

    def _seekable(self, path: Path) -> Path:
        """``path``, or a copy of what comes out of it where it is a pipe.

        Raises:
            DiskError: there is no room for the copy.
        """
        if path.is_file() or path.is_dir() or not path.exists():
            return path  # what cannot be read is said when it is read
        try:
            folder = tempfile.TemporaryDirectory(prefix="corpus-")
            weakref.finalize(self, folder.cleanup)
            copy = Path(folder.name) / "rows.jsonl"
            with path.open("rb") as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
        except OSError as error:
            raise DiskError(
                f"{path}: cannot be copied to {tempfile.gettempdir()} ({error.strerror}); name a "
                f"folder with room in TMPDIR, or give a file"
            ) from error
        return copy


def stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of change, by which a file that was written to is told."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


class FileRows(Placed):
    """The rows of JSON Lines files. Their places are known once they were read through."""

    def __init__(self, paths: Sequence[Path], by: str | None = None) -> None:
        super().__init__(paths)
        self._names = [str(path) for path in paths]
        self._by = by

    def __iter__(self) -> Iterator[Row]:
        self.forget()
        for path in self._paths:
            self.begin()
            for start, length, fields in store.read_placed(path):
                self.place(start, length)
                try:
                    row = self.made(fields)
                except InputError as error:
                    raise InputError(f"{self.where(len(self) - 1)}: {error}") from error
                yield row

    def made(self, fields: dict[str, Any]) -> Row:
        """The row, all of its fields checked."""
        return checked(fields, self._by)

    def where(self, number: int) -> str:
        """File and row, rows counted from 1."""
        file = self.file(number)
        return f"{self._names[file]}, row {number - self._firsts[file] + 1}"


def rows_of_files(paths: Sequence[Path], by: str | None = None) -> FileRows:
    """The rows of JSON Lines files with ``id`` and ``text`` or ``messages``, read when asked for.

    ``tools``, ``no_loss``, ``source``, ``added``, ``created`` and ``metadata`` are taken as the
    contract has them; every other field (``section``, ``seed``, ``cluster``, ``quality``, ...) is
    kept in the metadata. All rows are of the config ``default``, unless ``by`` names the field that
    says of which. Reading a row that cannot be exported as it is raises InputError.
    """
    return FileRows(paths, by)


class BuildRows(Placed):
    """The documents of a build that ship, in the order of its briefs."""

    def __init__(self, folder: Path, *, created: str = "") -> None:
        super().__init__([folder / "documents.jsonl"])
        self._created = created
        self._reviews = {row["id"]: row for row in store.read_rows(folder / "reviews.jsonl")}
        repeats = store.read_if_there(folder / "duplicates.jsonl")
        self._clusters = {row["original"]: row["cluster"] for row in repeats}
        gone = {row["id"] for row in repeats}
        briefs = [row["id"] for row in store.read_rows(folder / "briefs.jsonl")]
        accepted: dict[str, dict[str, tuple[int, int]]] = {brief: {} for brief in briefs}
        parents: dict[str, tuple[str, ...]] = {}
        for start, length, document in documents(folder / "documents.jsonl"):
            verdict = self._reviews.get(document.id, {}).get("verdict")
            if document.brief in accepted and document.id not in gone and verdict == "accept":
                accepted[document.brief][document.id] = (start, length)
                parents[document.id] = document.parents
        kept = [(name, known[name]) for known in accepted.values() for name in sorted(known)]
        replaced = {parent for name, _ in kept for parent in parents[name]}
        self.begin()
        for name, place in dict(kept).items():  # a text that two briefs came to ships once
            if name not in replaced:
                self.place(*place)

    def made(self, fields: dict[str, Any]) -> Row:
        """The export row of the document."""
        document = Document.from_row(fields)
        review = Review.from_row(self._reviews[document.id])
        cluster = self._clusters.get(document.id)
        return row_of(document, review, cluster, created=self._created)

    def where(self, number: int) -> str:
        """The document's id."""
        return f"document {self[number].id!r}"


def rows_of_build(folder: Path, *, created: str = "") -> BuildRows:
    """The documents of a build that ship, in the order of its briefs.

    A document ships if its brief is in the plan, its last review accepts it, it repeats no other
    document, and no other document that ships was made of it. ``created`` is the build's date.

    Raises:
        InputError: a file of the build is missing, or a line in it is not what it should be.
    """
    return BuildRows(folder, created=created)


def documents(path: Path) -> Iterator[tuple[int, int, Document]]:
    """Yield the documents of ``path`` after their places, each line checked for its fields."""
    for number, (start, length, fields) in enumerate(store.read_placed(path), start=1):
        try:
            document = Document.from_row(fields)
        except TypeError as error:
            raise InputError(f"{path}, row {number}: not a document ({error})") from error
        if document.stream not in STREAMS:
            raise InputError(f"{path}, row {number}: unknown stream '{document.stream}'")
        yield start, length, document


def row_of(document: Document, review: Review, cluster: str | None, *, created: str) -> Row:
    """The export row of a build's document."""
    return Row(
        id=document.id,
        config=document.stream,
        text=document.text,
        messages=document.messages,
        tools=document.tools,
        source=f"constitution-corpus/{document.stream}",
        added=created,
        created=created,
        metadata={
            "stream": document.stream,
            "kind": document.kind,
            "section": document.section,
            "seed": document.seed,
            "cluster": cluster,
            "facets": document.facets,
            "generator": document.generator,
            "brief": document.brief,
            "parents": list(document.parents),
            "review": review.scores,
            "synthetic": document.synthetic,
            "quality": document.quality,
        },
    )
