"""Sentences and names by spaCy's blank English pipeline: what is quoted, planned or fed back.

Only its tokenizer and its rule-based sentencizer are used. No model is loaded, so nothing is
downloaded. ``language.skim`` is its quick twin for what is only counted.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import TYPE_CHECKING

from corpus.language.sentences import Reading, blocks, names_of

if TYPE_CHECKING:
    from spacy.language import Language

_ENDLESS = re.compile(r"\S{400}")
_HALVES = re.compile("[\ud800-\udfff]")
_OPENER = re.compile(r"""(?<=[.!?…])\s+(["“\u2018'([]+)$""")


def read(text: str) -> Reading:
    """Sentences and names in one pass of the tokenizer; texts of any length.

    A blank line, a heading and a list item always end a sentence; Markdown's markers at the start
    of a line, and its bold face, are no part of it.
    """
    reading = Reading([], [])
    text = _HALVES.sub("\ufffd", text)  # the tokenizer cannot take half a surrogate pair
    # and it takes the length of a word to the square
    found = ((_ENDLESS.sub(r"\g<0> ", body), heading) for body, heading in blocks(text))
    for doc, heading in _pipeline().pipe(found, as_tuples=True):
        opener = ""
        for sentence in doc.sents:
            said, opener = _split_opener(opener + sentence.text.strip())
            reading.sentences.append(said)
            if not heading and said[1:] != said[1:].lower():
                reading.names.extend(names_of([token.text for token in sentence]))
    return reading


def _split_opener(sentence: str) -> tuple[str, str]:
    """Cut off the quotation mark that the sentencizer leaves behind but that opens what follows."""
    mark = _OPENER.search(sentence)
    return (sentence[: mark.start()], mark[1]) if mark else (sentence, "")


@cache
def _pipeline() -> Language:
    """The blank pipeline; its length limit guards models that are not here."""
    import spacy

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    pipeline.max_length = sys.maxsize
    return pipeline
