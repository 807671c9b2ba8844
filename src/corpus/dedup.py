"""Near-copies: which documents repeat another one, and which one stays.

A document is the set of its word 5-grams; two documents are near-copies when the Jaccard index of
their sets, |A & B| / |A | B|, reaches a threshold. datasketch finds candidates (MinHash signatures
in banded LSH tables), and every candidate is then measured exactly: nothing is dropped because of
an estimate. A second signature, with the names masked, finds the story that was only recast.
This room is the only one that knows datasketch.

Documents are taken best first, and each is compared with those that were kept before it. So a
document is dropped only for being close to one that stays, never at the end of a chain of small
steps; the best of a family always stays; and the order of the input changes nothing.

Sources: Broder, "On the resemblance and containment of documents" (1997), for shingles and
MinHash; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3, for banding.
"""

from __future__ import annotations

import hashlib
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from datasketch import MinHash, MinHashLSH

from corpus.errors import InputError
from corpus.language import UNSPACED, Hashes, ngram_hashes, text_of
from corpus.records import Duplicate
from corpus.store import Row, read_rows, write_rows

SHINGLE = 5
PERMUTATIONS = 128
SEED = 1
RECALL = 0.999
CAPITALISED = 0.9
LEAST_USES = 2
MOST_MASKED = 0.5
MASK = "\0name"

_TOKEN = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")
_INNER = re.compile(r"(?<=[\w,] )[^\W\d_]\w+")
_BATCH = 4096


@dataclass(frozen=True, slots=True)
class Item:
    """A text to compare; ``score`` ranks it among its likes; ``mask`` asks for the second look."""

    id: str
    text: str
    score: float = 0.0
    mask: bool = False


@dataclass(frozen=True, slots=True)
class Banding:
    """``bands`` of ``rows`` signature values each, and the recall that they promise."""

    bands: int
    rows: int
    recall: float


@dataclass(frozen=True, slots=True)
class _Match:
    """A document that stays, and how similar it is."""

    id: str
    similarity: float


@dataclass(slots=True)
class Found:
    """The duplicates, and how many candidate pairs were measured for them."""

    duplicates: list[Duplicate] = field(default_factory=list)
    candidates: int = 0

    def add(self, name: str, match: _Match | None, method: str) -> bool:
        """Note a duplicate where there is a match; say whether there was."""
        if match:
            original = match.id
            self.duplicates.append(Duplicate(name, original, match.similarity, method, original))
        return match is not None


def tokens(text: str) -> list[str]:
    r"""The words that shingles are made of: runs of ``\w`` without the underscore.

    The text is normalised by NFKC and case-folded first. In scripts without spaces between words
    (Han, kana, Thai, Lao, Burmese, Khmer) every character is a word, so that their shingles are
    character 5-grams. A text without any word is one word.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _TOKEN.findall(plain) or [plain.strip()]


def shingles(words: Sequence[str]) -> Hashes:
    """The hashes of the word 5-grams, sorted and unique; fewer than 5 words are one shingle.

    The hash is that of ``language.ngram_hashes``, over the words of ``tokens``.
    """
    return np.unique(ngram_hashes(words, min(SHINGLE, len(words))))


def fold(shingle: int) -> int:
    """The ``hashfunc`` given to datasketch: the upper 32 bits of a shingle's 64."""
    return shingle >> 32


def jaccard(one: Hashes, other: Hashes) -> float:
    """The exact Jaccard index of two sorted, unique shingle sets."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)


@cache
def banding(threshold: float, recall: float = RECALL) -> Banding:
    """The widest bands whose predicted recall reaches ``recall``.

    Two sets of similarity s share one of b bands of r values with the probability
    1 - (1 - s^r)^b; the prediction is its mean over s from the threshold to 1. The wider the
    bands, the fewer pairs are measured in vain. At 0.7 this is 25 bands of 5.
    """
    likeness = np.linspace(threshold, 1.0, 2001)
    for rows in range(PERMUTATIONS // 2, 0, -1):
        bands = PERMUTATIONS // rows
        promised = float(np.mean(1 - (1 - likeness**rows) ** bands))
        if promised >= recall:
            break
    return Banding(bands, rows, promised)


def name_words(texts: Iterable[str]) -> frozenset[str]:
    """The words, case-folded, that these texts write with a capital in over 90 % of their uses.

    Only uses inside a sentence count, taken as those that follow a word or a comma and one space,
    and at least two are needed (the corpus's own truecasing; no model).
    """
    uses: Counter[str] = Counter()
    for text in texts:
        uses.update(_INNER.findall(unicodedata.normalize("NFKC", text)))
    capital: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for word, count in uses.items():
        total[word.casefold()] += count
        capital[word.casefold()] += count if word[0].isupper() else 0
    return frozenset(
        word
        for word, count in total.items()
        if count >= LEAST_USES and capital[word] > CAPITALISED * count
    )


def masked(words: Sequence[str], names: AbstractSet[str]) -> list[str] | None:
    """The words with each run of names as one mask.

    None where there is no name, or where names are over half of the text: what is left of a list
    of names says nothing.
    """
    hidden = [MASK if word in names else word for word in words]
    if not 0 < hidden.count(MASK) <= MOST_MASKED * len(hidden):
        return None
    before = ["", *hidden]
    return [
        word for word, last in zip(hidden, before, strict=False) if (word, last) != (MASK, MASK)
    ]


def find(items: Sequence[Item], *, threshold: float = 0.7) -> list[Duplicate]:
    """The items that repeat a better one, sorted by id.

    Better is: the higher score, then the more words, then the smaller id. ``method`` is "exact"
    (the same words in the same order; similarity 1), "minhash", or "minhash-masked", where both
    items ask for the mask and ``similarity`` is that of the masked texts. ``cluster`` is the id
    of the document that stays for the whole family. Time grows with the number of words, and
    with the pairs that are candidates.

    Raises:
        InputError: the threshold is not in (0, 1], or two items have the same id.
    """
    return search(items, threshold=threshold).duplicates


def search(items: Sequence[Item], *, threshold: float = 0.7) -> Found:
    """``find``, with its count of candidates."""
    _check(items, threshold)
    ask = any(item.mask for item in items)
    names = name_words(item.text for item in items) if ask else frozenset()
    read = [(item, tokens(item.text)) for item in items]
    read.sort(key=lambda pair: (-pair[0].score, -len(pair[1]), pair[0].id))
    exact: dict[bytes, str] = {}
    kept = {"minhash": _Kept(threshold), "minhash-masked": _Kept(threshold)}
    found = Found()
    for item, words in read:
        content = _digest(words)
        looks = {"minhash": _Look(shingles(words))}
        if item.mask and (hidden := masked(words, names)):
            looks["minhash-masked"] = _Look(shingles(hidden))
        if content in exact:
            found.add(item.id, _Match(exact[content], 1.0), "exact")
        elif not any(found.add(item.id, kept[how].nearest(looks[how]), how) for how in looks):
            exact[content] = item.id
            for how, look in looks.items():
                kept[how].add(item.id, look)
    found.duplicates.sort(key=lambda duplicate: duplicate.id)
    found.candidates = sum(index.candidates for index in kept.values())
    return found


def dedup_files(
    paths: Sequence[Path], output: Path, *, threshold: float = 0.7, mask_names: bool = True
) -> dict[str, Any]:
    """Read JSON Lines, write ``kept.jsonl`` and ``duplicates.jsonl``; return counts and seconds.

    A row has an ``id`` (string or integer) and a ``text``, or ``messages`` whose turns are joined.
    Rows that stay are written as they came, in their order. Everything is held in memory.

    Raises:
        InputError: a row that cannot be used (file and row are named), an id that comes twice, or
            an output that would replace an input.
        DiskError: the output cannot be written.
    """
    start = time.perf_counter()
    targets = output / "kept.jsonl", output / "duplicates.jsonl"
    for path in paths:
        if path.resolve() in {target.resolve() for target in targets}:
            raise InputError(f"{path}: would be replaced by the result; choose another folder")
    rows = dict(_identified(paths))
    items = [
        Item(name, text_of(row, where), mask=mask_names) for name, (row, where) in rows.items()
    ]
    found = search(items, threshold=threshold)
    dropped = {duplicate.id for duplicate in found.duplicates}
    write_rows(targets[0], (row for name, (row, _) in rows.items() if name not in dropped))
    write_rows(targets[1], (duplicate.row() for duplicate in found.duplicates))
    return _summary(len(rows), found, threshold) | {"seconds": time.perf_counter() - start}


def _summary(documents: int, found: Found, threshold: float) -> dict[str, Any]:
    """The counts of a run."""
    methods = Counter(duplicate.method for duplicate in found.duplicates)
    chosen = banding(threshold)
    return {
        "documents": documents,
        "kept": documents - len(found.duplicates),
        "duplicates": len(found.duplicates),
        "clusters": len({duplicate.cluster for duplicate in found.duplicates}),
        "methods": {how: methods[how] for how in ("exact", "minhash", "minhash-masked")},
        "candidates": found.candidates,
        "threshold": threshold,
        "bands": chosen.bands,
        "rows": chosen.rows,
        "predicted_recall": round(chosen.recall, 5),
    }


def _identified(paths: Iterable[Path]) -> Iterator[tuple[str, tuple[Row, str]]]:
    """Yield each row under its id, with the words for where it stands."""
    seen: dict[str, str] = {}
    for path in paths:
        for number, row in enumerate(read_rows(path), start=1):
            where = f"{path}, row {number}"
            name = row.get("id")
            if isinstance(name, bool) or not isinstance(name, str | int):
                raise InputError(f'{where}: no "id"; every row needs one, a string or an integer')
            if str(name) in seen:
                raise InputError(
                    f"{where}: id {name!r} is also at {seen[str(name)]}; ids are unique"
                )
            seen[str(name)] = where
            yield str(name), (row, where)


def _check(items: Sequence[Item], threshold: float) -> None:
    """Refuse what has no meaning."""
    if not 0 < threshold <= 1:
        raise InputError(f"threshold {threshold}: must be over 0 and at most 1")
    name, count = Counter(item.id for item in items).most_common(1)[0] if items else ("", 0)
    if count > 1:
        raise InputError(f"id {name!r} comes {count} times; ids must be unique")


class _Look:
    """A document as one method sees it: its shingles, and their signature."""

    __slots__ = ("shingles", "signature")

    def __init__(self, shingles: Hashes) -> None:
        self.shingles = shingles
        self.signature = _blank_signature().copy()
        for start in range(0, len(shingles), _BATCH):  # bounds the memory of a very long text
            self.signature.update_batch(shingles[start : start + _BATCH].tolist())


class _Kept:
    """The documents that stay, so that the next one can be compared with them."""

    def __init__(self, threshold: float) -> None:
        chosen = banding(threshold)
        self.threshold = threshold
        self.candidates = 0
        self._ids: list[str] = []
        self._shingles: list[Hashes] = []
        self._index = MinHashLSH(num_perm=PERMUTATIONS, params=(chosen.bands, chosen.rows))

    def nearest(self, look: _Look) -> _Match | None:
        """The most similar document that stays, the better of equals; None below the threshold."""
        near = cast("list[int]", self._index.query(look.signature))
        self.candidates += len(near)
        measured = [(jaccard(look.shingles, self._shingles[place]), -place) for place in near]
        similarity, place = max(measured, default=(0.0, 0))
        return _Match(self._ids[-place], similarity) if similarity >= self.threshold else None

    def add(self, name: str, look: _Look) -> None:
        """Let a document stay."""
        self._index.insert(len(self._ids), look.signature)
        self._ids.append(name)
        self._shingles.append(look.shingles)


@cache
def _blank_signature() -> MinHash:
    """The empty signature whose copies share one set of permutations."""
    return MinHash(num_perm=PERMUTATIONS, seed=SEED, scheme="affine32", hashfunc=fold)


def _digest(words: Iterable[str]) -> bytes:
    """What two texts share when they have the same words in the same order."""
    return hashlib.sha256("\n".join(words).encode("utf-8", "surrogatepass")).digest()
