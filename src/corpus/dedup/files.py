"""``corpus dedup``: JSON Lines in, what stays and what repeats out, in little memory.

A file is read twice: once for its texts, which go to a scratch file as they are, and once to copy
the lines that stay, byte for byte. In memory are the ids and some hundred bytes for each row.
"""

from __future__ import annotations

import time
from array import array
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from corpus.dedup.families import Entries, Found, How, check, compare, cores
from corpus.dedup.index import Index, open_index
from corpus.dedup.likeness import Vectors, supplied
from corpus.dedup.likeness import rows as rows_of
from corpus.dedup.names import named_by
from corpus.dedup.signatures import banding
from corpus.dedup.sources import Chosen, Filed, Spool
from corpus.errors import InputError
from corpus.language import text_of
from corpus.store import read_placed, read_rows, replacing, write_rows


@dataclass(frozen=True, slots=True)
class Options:
    """What the command takes beside its files.

    ``against`` are files whose texts the result must not repeat; ``index`` is a folder that
    remembers what was kept; ``ner`` names a spaCy pipeline that finds more names. ``likeness`` asks
    for so many of the nearest pairs among what stays, by words, or by ``embeddings`` (NumPy, a row
    for each id of ``embedding_ids``).
    """

    threshold: float = 0.7
    mask_names: bool = True
    exact: bool = False
    against: Sequence[Path] = ()
    index: Path | None = None
    ner: str | None = None
    workers: int = field(default_factory=cores)
    likeness: int = 0
    embeddings: Path | None = None
    embedding_ids: Path | None = None


def dedup_files(paths: Sequence[Path], output: Path, options: Options) -> dict[str, Any]:
    """Read JSON Lines, write ``kept.jsonl`` and ``duplicates.jsonl``; return counts and seconds.

    A row has an ``id`` (string or integer) and a ``text``, or ``messages`` whose turns are joined.
    Rows that stay are written as they came, in their order.

    Raises:
        InputError: a row that cannot be used (file and row are named), an id that comes twice, an
            output that would replace an input, or an index that does not fit.
        DiskError: the output cannot be written.
    """
    start = time.perf_counter()
    check(options.threshold)
    targets = output / "kept.jsonl", output / "duplicates.jsonl"
    _check_paths([*paths, *options.against], targets)
    with Spool(_standing(output)) as spool, ExitStack() as stack:
        rows = _Rows(paths)
        rows.read(spool)
        held = open_index(options.index, rows.ids, stack)
        ids = [*held.ids, *rows.ids, *_against(options.against, spool)]
        source = Filed([*held.parts, spool.part()])
        found = _compare(source, ids, len(rows.ids), held, options)
        dropped = {duplicate.id for duplicate in found.duplicates}
        with replacing(targets[0]) as kept:
            kept.writelines(rows.kept(dropped))
        write_rows(targets[1], (duplicate.row() for duplicate in found.duplicates))
        places = [at for at, name in enumerate(rows.ids, len(held.ids)) if name not in dropped]
        if options.likeness:
            stay = [ids[at] for at in places]
            near = rows_of(Chosen(source, places), stay, options.likeness, _given(options, stay))
            write_rows(output / "likeness.jsonl", near)
        if options.index:
            held.add(source, places, [ids[at] for at in places], found.mask)
    counts = _summary(len(rows.ids), len(ids) - len(rows.ids), found, options)
    return counts | {"seconds": time.perf_counter() - start}


def _compare(source: Filed, ids: Sequence[str], own: int, held: Index, options: Options) -> Found:
    """The search over the index, the rows (``own`` of them) and what they are held against."""
    entries = Entries.alike(ids, mask=options.mask_names)
    entries.fixed[: len(held.ids)] = entries.fixed[len(held.ids) + own :] = 1
    names = named_by(options.ner, source) if options.ner else np.zeros(0, np.uint64)
    how = How(options.threshold, exact=options.exact, workers=options.workers, names=names)
    return compare(source, entries, how, held)


def _given(options: Options, ids: Sequence[str]) -> Vectors | None:
    """The user's embeddings of these texts, if there are any."""
    if options.embeddings is None:
        return None
    beside = options.embedding_ids or options.embeddings.with_suffix(".jsonl")
    return supplied(options.embeddings, beside, ids)


class _Rows:
    """The rows of the input: their ids, in order, and how many each file has."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.ids: list[str] = []
        self._paths = paths
        self._counts: list[int] = []
        self._states: list[tuple[int, int]] = []
        self._lines = array("q")  # where each row's line begins, and its bytes

    def read(self, spool: Spool) -> None:
        """Read every row; its text goes to the spool."""
        seen: dict[str, int] = {}
        for path in self._paths:
            before = len(self.ids)
            self._states.append(_state(path))
            for number, (start, size, row) in enumerate(read_placed(path), start=1):
                where = f"{path}, row {number}"
                name = row.get("id")
                if isinstance(name, bool) or not isinstance(name, str | int):
                    raise InputError(f'{where}: no "id"; a row needs one, a string or an integer')
                name = str(name)
                if seen.setdefault(name, len(self.ids)) != len(self.ids):
                    other = self._where(seen[name])
                    raise InputError(f"{where}: id {name!r} is also at {other}; ids are unique")
                spool.add(text_of(row, where))
                self.ids.append(name)
                self._lines.extend((start, size))
            self._counts.append(len(self.ids) - before)

    def kept(self, dropped: Collection[str]) -> Iterator[bytes]:
        """The lines of the rows that stay, as they came."""
        places = iter(range(len(self.ids)))
        for path, count, state in zip(self._paths, self._counts, self._states, strict=True):
            if _state(path) != state:
                raise InputError(f"{path}: has changed while it was read; run again")
            with path.open("rb") as file:
                for place in islice(places, count):
                    if self.ids[place] not in dropped:
                        file.seek(self._lines[2 * place])
                        line = file.read(self._lines[2 * place + 1])
                        yield line.removeprefix(BOM_UTF8).rstrip(b"\r\n") + b"\n"

    def _where(self, place: int) -> str:
        """File and row of a place."""
        for path, count in zip(self._paths, self._counts, strict=False):
            if place < count:
                return f"{path}, row {place + 1}"
            place -= count
        return f"{self._paths[len(self._counts)]}, row {place + 1}"


def _state(path: Path) -> tuple[int, int]:
    """What changes when a file does.

    Raises:
        InputError: it is not there.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    return found.st_size, found.st_mtime_ns


def _against(paths: Sequence[Path], spool: Spool) -> Iterator[str]:
    """Put the texts of other files into the spool; yield what each is called: file#id."""
    for path in paths:
        for number, row in enumerate(_other_rows(path), start=1):
            name = row.get("id")
            spool.add(text_of(row, f"{path}, row {number}"))
            yield f"{path.name}#{number if name is None else name}"


def _other_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of JSON Lines or of a Parquet file, as far as they are needed."""
    if path.suffix != ".parquet":
        yield from read_rows(path)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns = {"id", "text", "messages"}.intersection(file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=1024, columns=sorted(columns)):
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"--against {path}: cannot be read as Parquet ({reason})") from error


def _check_paths(inputs: Sequence[Path], targets: Sequence[Path]) -> None:
    """Refuse to replace what is read, and what can be read only once."""
    for path in inputs:
        if path.is_fifo() or path.is_char_device():
            raise InputError(f"{path}: a pipe, and it is read twice; save it to a file first")
        if path.resolve() in {target.resolve() for target in targets}:
            raise InputError(f"{path}: would be replaced by the result; choose another folder")


def _standing(folder: Path) -> Path:
    """The folder, or the nearest one over it that is there."""
    return next(one for one in (folder, *folder.absolute().parents) if one.is_dir())


def _summary(documents: int, others: int, found: Found, options: Options) -> dict[str, Any]:
    """The counts of a run."""
    methods = Counter({"exact": 0, "minhash": 0, "minhash-masked": 0})
    methods.update(duplicate.method for duplicate in found.duplicates)
    chosen = banding(options.threshold)
    return {
        "documents": documents,
        "compared_with": others,
        "kept": documents - len(found.duplicates),
        "duplicates": len(found.duplicates),
        "clusters": len({duplicate.cluster for duplicate in found.duplicates}),
        "methods": dict(methods),
        "candidates": found.candidates,
        "threshold": options.threshold,
        "bands": 0 if options.exact else chosen.bands,
        "rows": 0 if options.exact else chosen.rows,
        "predicted_recall": 1.0 if options.exact else round(chosen.recall, 5),
        "cores": options.workers,
    }
