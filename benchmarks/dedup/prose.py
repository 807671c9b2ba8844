"""Prose out of documentation files: HTML, plain text, dictionaries, pod and roff.

Nothing here is exact, and nothing has to be: what comes out is real English paragraphs, the same
ones from the same files. Tables, code, menus and other languages are left behind by one test, the
share of English function words.
"""

from __future__ import annotations

import gzip
import html
import re
from collections.abc import Iterator
from pathlib import Path

SHORTEST, LONGEST = 80, 2400
LEAST_FUNCTION_WORDS = 0.25
LEAST_LETTERS = 0.74

_FUNCTION_WORDS = frozenset(
    """
    a an and are as at be been but by can for from had has have he his if in into is it its may
    must no not of on one only or other she should so some such than that the their them then
    there these they this to up use used was we were what when where which who will with would
    you your
    """.split()
)
_HIDDEN = re.compile(
    r"<(script|style|head|pre|table|nav|footer)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE
)
_BLOCK = re.compile(
    r"</?(?:p|div|li|dd|dt|h[1-6]|ul|ol|dl|blockquote|section|td|tr|br\s*/)\b[^>]*>"
)
_TAG = re.compile(r"<[^>]{0,2000}>")
_ROLE = re.compile(r":[a-z:]+:`~?([^`<]*)(?:<[^`>]*>)?`")
_MARKUP = re.compile(r"``|\*\*|`_?|[{}|]|^\s*\.\. .*$", re.MULTILINE)
_POD = re.compile(r"^=.*$", re.MULTILINE)
_POD_CODE = re.compile(r"[A-Z]<+\s?([^<>|]*)(?:\|[^<>]*)?\s?>+")
_ROFF = re.compile(r"^[.'].*$|\\f[A-Z]|\\&", re.MULTILINE)
_BREAK = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_ALPHA = re.compile(r"[A-Za-z]+")


def paragraphs(path: Path) -> Iterator[str]:
    """Yield the English paragraphs of a file."""
    return pieces(_plain(path))


def pieces(plain: str) -> Iterator[str]:
    """Yield the English paragraphs, white space collapsed, of 80 to 2,400 characters."""
    for piece in _BREAK.split(plain):
        text = " ".join(piece.split())
        if SHORTEST <= len(text) <= LONGEST and english(text):
            yield text


def english(text: str) -> bool:
    """Whether a paragraph is English prose: mostly letters, a quarter of them function words."""
    words = _ALPHA.findall(text)
    if sum(map(len, words)) < LEAST_LETTERS * len(text):
        return False
    function = sum(word.lower() in _FUNCTION_WORDS for word in words)
    return function >= LEAST_FUNCTION_WORDS * len(words)


def _plain(path: Path) -> str:
    """The text of a file, its mark-up taken off as far as that goes by patterns."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":  # .gz, and the .dz of dictionaries
        data = gzip.decompress(data)
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    start = text[:1000].lower()
    if "<html" in start or "<!doctype" in start:
        text = _TAG.sub("", _BLOCK.sub("\n\n", _HIDDEN.sub("\n\n", text)))
        return html.unescape(text)
    if "\n=head" in text:
        return _POD_CODE.sub(r"\1", _POD.sub("\n", text))
    if text.startswith((".", "'")):
        return _ROFF.sub("\n", text)
    return _MARKUP.sub("", _ROLE.sub(r"\1", text))
