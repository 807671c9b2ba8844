"""Section -> principles: the claims it makes, each with its why and a verbatim quote.

By the model, once per section: ``ask`` and ``read``, pure both ways. For a writer that cannot do
it, ``by_sentence`` takes the sentences that state a norm or give a reason, which is cruder and says
so in ``source``. A quote that is not in the section is never kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from corpus import prompts
from corpus.language import sentences
from corpus.prompts import between
from corpus.records import Principle, Reply, Request, Section, digest

MAX_TOKENS = 6_000
MOST = 8  # principles by sentence from one section
SHORTEST, LONGEST = 6, 60  # words of a sentence that can be one
LONGEST_QUOTE = 10_000  # characters that are looked for with other white space or marks

_BOLD = r"(?:\*\*)?"
_FIELDS = ("statement", "why", "quote")
_NORM = re.compile(
    r"\b(should|must|may (?:not|never)|ought|never|always|want|wants|hope|ask|asks|expect|owes?|"
    r"has to|have to|needs? to|does not|do not|will not|cannot)\b",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(because|since|so that|for this reason|therefore|otherwise|which is why|in order to|"
    r"the reason|as a result)\b",
    re.IGNORECASE,
)
_ANAPHORA = re.compile(
    r"^(this|that|these|those|it|they|he|she|such|but|and|or|so|yet|neither|nor|still|here|then|"
    r"there|instead|however|finally|second|third)\b",
    re.IGNORECASE,
)


def ask(section: Section, model: str, sample: int = 0) -> Request:
    """The request that takes the principles out of a section."""
    slots = {"title": " > ".join(section.path), "section": section.text}
    system, user = prompts.render("principles", slots)
    turns = ({"role": "user", "content": user},)
    return Request("principles", model, system, turns, MAX_TOKENS, sample=sample)


def read(section: Section, reply: Reply) -> tuple[tuple[Principle, ...], int]:
    """The principles in a reply and how many blocks were dropped.

    A block is dropped when a field is missing or its quote is not in the section; white space and
    the shape of quotation marks may differ, the section's own letters are what is kept.
    """
    kept: dict[str, Principle] = {}
    blocks = list(between(reply.text, "principle"))
    for block in blocks:
        fields = {
            name: text.strip() for name in _FIELDS for text in islice(between(block, name), 1)
        }
        quote = find_quote(fields.get("quote", ""), section.text)
        if len(fields) == len(_FIELDS) and quote and fields["statement"] and fields["why"]:
            made = _principle(section, fields["statement"], fields["why"], quote, "model")
            kept[made.id] = made
    return tuple(kept.values()), len(blocks) - len(kept)


def find_quote(quote: str, text: str) -> str | None:
    """The passage of ``text`` that ``quote`` copies, in the text's own letters, or None."""
    words = quote.replace("**", "").strip().strip('"“”').split()
    if not words:
        return None
    if (plain := " ".join(words)) in text:
        return plain
    if len(plain) > LONGEST_QUOTE:  # a pattern is no small thing
        return None
    pattern = r"\s+".join(_loose(word) for word in words)
    found = re.search(pattern, text)
    return found[0] if found else None


def _loose(word: str) -> str:
    """A pattern for a word: either shape of quotation marks, bold face or not."""
    same = {**dict.fromkeys('"“”', '["“”]'), **dict.fromkeys("'’‘", "['’‘]")}
    return _BOLD + _BOLD.join(same.get(mark) or re.escape(mark) for mark in word) + _BOLD


def by_sentence(section: Section) -> tuple[Principle, ...]:
    """From 1 to ``MOST`` principles, each a sentence of the section, in its order.

    Best are sentences that state a norm and give its reason themselves; then norms whose neighbour
    gives one; then the rest. A sentence that leans on the one before it is passed over. Where no
    sentence can be quoted (a table, say), the first line of the section must do.
    """
    found = sentences(_plain(section.text))
    candidates = list(_candidates(found)) or [(0, at, text) for at, text in enumerate(found)]
    ranked = sorted(candidates, key=lambda entry: (-entry[0], entry[1]))[:MOST]
    chosen = sorted(ranked, key=lambda entry: entry[1])
    made = tuple(
        _principle(section, found[at], why, quote, "sentence")
        for _, at, why in chosen
        if (quote := find_quote(found[at], section.text))
    )
    line = section.text.strip().split("\n")[0]
    return made or (_principle(section, line, line, line, "sentence"),)


def _candidates(found: list[str]) -> Iterator[tuple[int, int, str]]:
    """(rank, place, why) of each sentence that can stand alone."""
    for at, sentence in enumerate(found):
        if not SHORTEST <= len(sentence.split()) <= LONGEST or _ANAPHORA.match(sentence):
            continue
        after = found[at + 1] if at + 1 < len(found) else ""
        norm, reason = bool(_NORM.search(sentence)), bool(_REASON.search(sentence))
        if not norm and not reason:
            continue
        why = sentence if reason or not after else after
        yield 4 * (norm and reason) + 2 * norm + reason + bool(_REASON.search(after)), at, why


def _plain(text: str) -> str:
    """Markdown without its marks at the beginning of lines."""
    return re.sub(r"^[ \t]*(?:[*+-]|\d+[.)]|#+|>)[ \t]+", "", text, flags=re.MULTILINE)


def _principle(section: Section, statement: str, why: str, quote: str, source: str) -> Principle:
    statement, why = " ".join(statement.split()), " ".join(why.split())
    name = digest(section.id, statement, quote)
    return Principle(name, section.id, statement, why, quote, source)
