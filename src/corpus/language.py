"""Sentences, words and names of a text: what the counters count.

Only spaCy's blank English pipeline is used: its tokenizer, its rule-based sentencizer and its
lexical attributes. No model is loaded, so nothing is downloaded, and names are found by their
capitals: good for English and its neighbours, blind where a script has no case, and too generous
for German, which capitalises every noun. This room is the only one that knows spaCy.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from corpus import grams
from corpus.errors import InputError
from corpus.grams import UNSPACED as UNSPACED  # noqa: PLC0414 - the rooms above have it from here

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Span, Token

Hashes = NDArray[np.uint64]


_WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+(?:'[^\W_{UNSPACED}]+)*")

_MARKER = re.compile(r"\s*(?:#{1,6}\s+|[-*+•]\s+|\d{1,3}[.)]\s+|>\s?|\|\s?)+")
_OPENER = re.compile(r"""(?<=[.!?…])\s+(["“\u2018'([]+)$""")
_HEADING = re.compile(r"\s*#{1,6}\s")
_RULE = re.compile(r"[\s\-=_*|:#>+`~]*")
_ENDLESS = re.compile(r"\S{400}")
_HALVES = re.compile("[\ud800-\udfff]")
_WIDE_STOP = re.compile("(?<=[。\uff01\uff1f])(?![。\uff01\uff1f」』”\u2019\uff09])")

_LEADS_ON = {",", "'s", "\u2019s", "-", "&", "Mr.", "Mrs.", "Ms.", "Dr.", "St.", "Prof."}
_CLOSERS = {".", "!", "?", "…", '"', "”", "\u2019", ")"}
_CAPITALISED = """
january february march april may june july august september october november december
monday tuesday wednesday thursday friday saturday sunday today tomorrow yesterday
spring summer autumn winter christmas easter ramadan diwali hanukkah
north south east west northern southern eastern western god lord earth internet web
mr mrs ms dr prof sir madam dame saint st aunt uncle mother father grandma grandpa mom mum dad
ai ais i ok okay yes no hello hi hey dear oh ah well
chapter section part figure table appendix question answer note user assistant human system
african american arab argentine asian australian austrian belgian brazilian british canadian
chilean chinese colombian cuban czech danish dutch egyptian english ethiopian european filipino
finnish french german ghanaian greek hebrew hindi hungarian indian indonesian iranian iraqi
irish islamic israeli italian jamaican japanese jewish kenyan korean latin lebanese malaysian
mexican moroccan muslim nigerian norwegian pakistani persian peruvian polish portuguese
romanian roman russian scottish somali spanish swedish swiss syrian thai turkish ukrainian
vietnamese welsh christian catholic buddhist hindu
"""
_NO_NAMES = frozenset(_CAPITALISED.split())

_NO_NAMED = frozenset({"", *"DATE TIME PERCENT MONEY QUANTITY ORDINAL CARDINAL".split()})

_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIXERS = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))


@dataclass(frozen=True, slots=True)
class Reading:
    """What one pass over a text finds, in the order of the text."""

    sentences: list[str]
    names: list[str]


def words(text: str) -> list[str]:
    """The words of ``text`` for counting: NFKC, case-folded, no punctuation.

    A word is a run of letters and digits with its inner apostrophes, straight in the result; in
    scripts without spaces between words (Han, kana, Thai, Lao, Burmese, Khmer) every character
    is a word. A regular expression, some ten times faster than the tokenizer.
    """
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    return _WORD.findall(plain.casefold())


def sentences(text: str) -> list[str]:
    """The sentences of ``text``, inner white space folded into single spaces.

    A blank line, a heading and a list item always end a sentence; Markdown's markers at the start
    of a line, and its bold face, are no part of it.
    """
    return read(text).sentences


def names(text: str) -> list[str]:
    """The names in ``text``, one for each use: runs of capitalised words inside a sentence.

    Left out are the first word of a sentence or of a quotation, function words, acronyms, months,
    weekdays, demonyms and forms of address, headings, and lines in title case.
    """
    return read(text).names


def read(text: str) -> Reading:
    """Sentences and names in one pass of the tokenizer; texts of any length."""
    reading = Reading([], [])
    text = _HALVES.sub("\ufffd", text)  # the tokenizer cannot take half a surrogate pair
    blocks = [(body, heading) for body, heading in _blocks(text) if body]
    for doc, heading in _pipeline().pipe(blocks, as_tuples=True):
        opener = ""
        for sentence in doc.sents:
            found, opener = _split_opener(opener + sentence.text.strip())
            reading.sentences.append(found)
            if not heading and found[1:] != found[1:].lower():
                reading.names.extend(_names(sentence))
    return reading


def ngram_hashes(tokens: Sequence[str], width: int) -> Hashes:
    """The 64-bit hash of each run of ``width`` tokens, in the order of the text.

    With w the first 8 bytes of the blake2b of a token (little-endian), the hash of a run is
    (w1 B + w2) B + ... + wn mod 2^64 with B = 0x9E3779B97F4A7C15, then mixed by the 64-bit
    finaliser of MurmurHash3: the same on every machine and in every run.
    """
    count = len(tokens)
    values = np.fromiter(map(_token_hash, tokens), dtype=np.uint64, count=count)
    total = np.zeros(max(0, count - width + 1), dtype=np.uint64)
    for place in range(width):
        total = total * _BASE + values[place : place + len(total)]
    shift = np.uint64(33)
    for factor in _MIXERS:
        total = (total ^ (total >> shift)) * factor
    return total ^ (total >> shift)


@lru_cache(maxsize=1 << 18)
def _token_hash(token: str) -> int:
    """The first 8 bytes of the blake2b of a token; the vocabulary is small, the text is not."""
    data = token.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


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


def entity_uses(texts: Iterable[str], pipeline: str) -> dict[str, tuple[int, int]]:
    """How often each word is used, and how often as part of a named entity.

    Words are those of ``corpus.grams``. ``pipeline`` is a spaCy pipeline of the user's, by name or
    folder, that finds entities; dates and numbers are not names.

    Raises:
        InputError: there is no such pipeline, or it finds no entities.
    """
    import spacy

    try:
        found = spacy.load(pipeline)
    except OSError as error:
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


@cache
def _pipeline() -> Language:
    """The blank pipeline; its length limit guards models that are not here."""
    import spacy

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    pipeline.max_length = sys.maxsize
    return pipeline


def _blocks(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the runs of lines that no sentence crosses, and whether each is a heading."""
    held: list[str] = []
    for line in text.splitlines():
        marker = _MARKER.match(line)
        if marker or _RULE.fullmatch(line):
            yield from _split_wide(held)
            held = []
        if _RULE.fullmatch(line):
            continue
        body = " ".join(line[marker.end() if marker else 0 :].replace("**", "").split())
        body = _ENDLESS.sub(r"\g<0> ", body)  # the tokenizer takes a word's length to the square
        if _HEADING.match(line):
            yield body, True
        else:
            held.append(body)
    yield from _split_wide(held)


def _split_wide(lines: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield a block in pieces: full-width stops have no space after them to go by."""
    for piece in _WIDE_STOP.split(" ".join(lines)):
        yield piece.strip(), False


def _split_opener(sentence: str) -> tuple[str, str]:
    """Cut off the quotation mark that the sentencizer leaves behind but that opens what follows."""
    mark = _OPENER.search(sentence)
    return (sentence[: mark.start()], mark[1]) if mark else (sentence, "")


def _names(sentence: Span) -> Iterator[str]:
    """Yield the names of one sentence, runs joined by a space."""
    tokens = list(sentence)
    if _title_case(tokens):
        return
    run: list[str] = []
    for before, token in itertools.pairwise(tokens):
        leads_on = before.is_alpha or before.text in _LEADS_ON
        named = token.text[0].isupper() and leads_on and _is_name(token)
        if run and not (named and before.is_alpha):
            yield " ".join(run)
            run = []
        if named:
            run.append(token.text)
    if run:
        yield " ".join(run)


def _is_name(token: Token) -> bool:
    """Whether a capitalised token can be a name by its shape and by the stop lists."""
    text = token.text
    return (
        len(text) > 1
        and token.is_alpha
        and not token.is_upper
        and not token.is_stop
        and token.lower_ not in _NO_NAMES
    )


def _title_case(tokens: list[Token]) -> bool:
    """Whether this is a title: no full stop, and no content word in lower case."""
    if tokens[-1].text in _CLOSERS:
        return False
    return not any(token.is_lower and token.is_alpha and not token.is_stop for token in tokens)
