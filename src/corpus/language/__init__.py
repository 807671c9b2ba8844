"""Sentences, words and names of a text: what the counters count.

``read`` goes by spaCy's blank English pipeline, ``skim`` by regular expressions over texts by the
thousand; no model is loaded, so nothing is downloaded. Names are found by their capitals: good for
English and its neighbours, blind where a script has no case, and too generous for German, which
capitalises every noun. ``tagger`` and ``entity_uses`` take a pipeline that the user has. This room
is the only one that knows spaCy.
"""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus import grams
from corpus.errors import InputError
from corpus.grams import UNSPACED
from corpus.language.pipeline import read
from corpus.language.sentences import Reading, skim

__all__ = [
    "UNSPACED", "Hashes", "Reading", "entity_uses", "names", "ngram_hashes", "read", "run_hashes",
    "sentences", "skim", "tagger", "text_hash", "text_of", "token_hashes", "words",
]  # fmt: skip

Hashes = NDArray[np.uint64]

_WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+(?:'[^\W_{UNSPACED}]+)*")

_HALVES = re.compile("[\ud800-\udfff]")
_NO_NAMED = frozenset({"", *"DATE TIME PERCENT MONEY QUANTITY ORDINAL CARDINAL".split()})

_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIXERS = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))


def sentences(text: str) -> list[str]:
    """The sentences of ``text``, inner white space folded into single spaces; see ``read``."""
    return read(text).sentences


def names(text: str) -> list[str]:
    """The names in ``text``, one for each use: runs of capitalised words inside a sentence.

    Left out are the first word of a sentence or of a quotation, function words, acronyms, months,
    weekdays, demonyms and forms of address, headings, and lines in title case.
    """
    return read(text).names


def words(text: str) -> list[str]:
    """The words of ``text`` for counting: NFKC, case-folded, no punctuation.

    A word is a run of letters and digits with its inner apostrophes, straight in the result; in
    scripts without spaces between words (Han, kana, Thai, Lao, Burmese, Khmer) every character
    is a word.
    """
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    return _WORD.findall(plain.casefold())


def ngram_hashes(tokens: Sequence[str], width: int) -> Hashes:
    """The 64-bit hash of each run of ``width`` tokens, in the order of the text.

    With w the first 8 bytes of the blake2b of a token (little-endian), the hash of a run is
    (w1 B + w2) B + ... + wn mod 2^64 with B = 0x9E3779B97F4A7C15, then mixed by the 64-bit
    finaliser of MurmurHash3: the same on every machine and in every run.
    """
    return run_hashes(token_hashes(tokens), width)


def token_hashes(tokens: Sequence[str]) -> Hashes:
    """The ``text_hash`` of each token."""
    return np.fromiter(map(_token_hash, tokens), dtype=np.uint64, count=len(tokens))


def run_hashes(values: Hashes, width: int) -> Hashes:
    """The hash of each run of ``width`` token hashes; see ``ngram_hashes``."""
    total = np.zeros(max(0, len(values) - width + 1), dtype=np.uint64)
    for place in range(width):
        total = total * _BASE + values[place : place + len(total)]
    shift = np.uint64(33)
    for factor in _MIXERS:
        total = (total ^ (total >> shift)) * factor
    return total ^ (total >> shift)


def text_hash(text: str) -> int:
    """The first 8 bytes of the blake2b of a text, little-endian."""
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


_token_hash = lru_cache(maxsize=1 << 18)(text_hash)  # the vocabulary is small, the text is not


def tagger(name: str, texts: Iterable[str]) -> Iterator[list[tuple[str, str]]]:
    """Words with their universal part-of-speech tags, by a spaCy pipeline of the user's.

    It is loaded from where it is installed; nothing is fetched.

    Raises:
        InputError: the pipeline is not installed, or it does not tag.
    """
    import spacy

    try:
        pipeline = spacy.util.load_model(name, exclude=["ner"])
    except (OSError, ValueError) as error:
        raise InputError(
            f"--pipeline {name}: spaCy has no such pipeline; install one, and give its package's "
            f"name or its folder"
        ) from error
    pipeline.max_length = sys.maxsize
    for doc in pipeline.pipe(texts, batch_size=16):
        found = [(token.text, token.pos_) for token in doc if not token.is_space]
        if found and not any(tag for _, tag in found):
            raise InputError(f"--pipeline {name}: it has no tagger; give one that tags")
        yield found


def entity_uses(texts: Iterable[str], pipeline: str) -> dict[str, tuple[int, int]]:
    """How often each word is used, and how often as part of a named entity.

    Words are those of ``corpus.grams``. ``pipeline`` is a spaCy pipeline of the user's, by name or
    folder, that finds entities; dates and numbers are not names.

    Raises:
        InputError: there is no such pipeline, or it finds no entities.
    """
    import spacy

    try:
        found = spacy.util.load_model(pipeline)
    except (OSError, ValueError) as error:
        raise InputError(
            f"spaCy pipeline {pipeline!r}: not installed here; 'pip install' it, or give a folder"
        ) from error
    if not {"ner", "entity_ruler"}.intersection(found.pipe_names):
        raise InputError(f"spaCy pipeline {pipeline!r}: finds no named entities; give another")
    total: Counter[str] = Counter()
    named: Counter[str] = Counter()
    for doc in found.pipe(_HALVES.sub("\ufffd", text) for text in texts):
        for token in doc:
            for word in grams.words(token.text):
                total[word] += 1
                named[word] += token.ent_type_ not in _NO_NAMED
    return {word: (count, named[word]) for word, count in total.items()}


def text_of(row: Mapping[str, Any], where: str) -> str:
    """What a reader of a row would read: its ``text``, or the turns of its ``messages``.

    Raises:
        InputError: the row has neither, or they are not text; ``where`` names file and row.
    """
    if isinstance(row.get("text"), str):
        return str(row["text"])
    turns = row.get("messages")
    if not isinstance(turns, list):
        raise InputError(f'{where}: no "text" and no "messages"; every row needs one of them')
    return "\n\n".join(_content(turn, where) for turn in turns)


def _content(turn: object, where: str) -> str:
    """The words of one turn; a turn that only calls tools has none."""
    content = turn.get("content") if isinstance(turn, dict) else turn
    if content is None and isinstance(turn, dict):
        return ""
    if not isinstance(content, str):
        raise InputError(f'{where}: "messages" must be objects whose "content" is a string')
    return content
