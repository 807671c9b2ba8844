"""Section -> principles: the claims it makes, each with its why and a verbatim quote.

By the model, once per section: ``ask`` and ``read``, pure both ways. For a writer that cannot do
it, ``by_sentence`` takes the sentences that state a norm or give a reason, which is cruder and says
so in ``source``. A quote that is not in the section is never kept.

A claim is one about what the AI does, weighs or cares about. A constitution also says what its
makers hope, promise or are unsure of; a text about an errand cannot carry that, and is paid for
all the same. So the model is asked for what follows from it for the AI, and a claim whose actor is
a maker is dropped; by sentence, those of a section give way wherever it has others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

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
    r"there|instead|however|finally|second|third|in (?:such|these|those|this|that)|for example|"
    r"for instance|example|below|above|as (?:with|an? example)|for (?:this|that|these) reasons?)\b",
    re.IGNORECASE,
)
_LINK = re.compile(  # how a sentence hangs on the one before it; it stands as well without
    r"^(?:rather|similarly|relatedly|likewise|indeed|of course|importantly|ultimately|conversely|"
    r"in addition|additionally|furthermore|moreover|in particular|in general|more generally|"
    r"more broadly|again|also|that said|thus|therefore|given this|at the same time|overall|"
    r"despite this[^,:]*(?:, though)?)\s*[,:]\s+(?=\w)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^[^.,:;!?]{2,60}:\s+(?=[A-Z])")  # the name of a point, before what it says
_FRAGMENT = re.compile(r"^(?:not )?\w+ing\b|:$", re.IGNORECASE)
_PAGE = re.compile(r"\b(?:document|section|guidelines? (?:above|below)|above|below)\b")
_NO_REASON = re.compile(  # a sentence that follows and goes somewhere else
    r"^(?:but|and|below|above|example|for example|for instance|that said|at the same time|however|"
    r"this includes|these include|indeed|here|we also|in what follows|if)\b|:$",
    re.IGNORECASE,
)
_POINTS = re.compile(r"^(?:this|these|it|they|such|otherwise|without)\b", re.IGNORECASE)
_MAKER = re.compile(
    r"^(?:we|our|i|anthropic|the (?:makers?|authors?|company|developers?|document|constitution))\b"
    r"(?!.{0,40}?\b(?:wants?|wish(?:es)?|would like|asks?|expects?|hopes?) (?:for )?[A-Z]\w+ to\b)",
    re.IGNORECASE,
)


def ask(section: Section, model: str, sample: int = 0, ai_name: str = "the AI") -> Request:
    """The request that takes the principles out of a section."""
    slots = {"title": " > ".join(section.path), "section": section.text, "ai": ai_name}
    system, user = prompts.render("principles", slots)
    turns = ({"role": "user", "content": user},)
    return Request("principles", model, system, turns, MAX_TOKENS, sample=sample)


def read(section: Section, reply: Reply) -> tuple[tuple[Principle, ...], int]:
    """The principles in a reply and how many blocks were dropped.

    A block is dropped when a field is missing, when its claim is about what the makers do, or when
    its quote is not in the section; white space and the shape of quotation marks may differ, the
    section's own letters are what is kept.
    """
    kept: dict[str, Principle] = {}
    blocks = list(between(reply.text, "principle"))
    for block in blocks:
        fields = {
            name: text.strip() for name in _FIELDS for text in islice(between(block, name), 1)
        }
        quote = find_quote(fields.get("quote", ""), section.text)
        said = len(fields) == len(_FIELDS) and all(fields.values())
        if said and quote and not _MAKER.match(fields["statement"]):
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


def by_sentence(section: Section, ai_name: str = "") -> tuple[Principle, ...]:
    """From 1 to ``MOST`` principles, each a sentence of the section, in its order.

    Best are sentences that state a norm and give its reason themselves; then norms whose neighbour
    gives one; then the rest. A sentence that leans on the one before it is passed over, and so is
    one in which the AI of that name has nothing to do, if the section has another. Where no
    sentence can be quoted (a table, say), the first line of the section must do.
    """
    found = sentences(_plain(section.text))
    every = list(_candidates(found, ai_name)) or [
        _Candidate(0, at, text, text, acts=False) for at, text in enumerate(found)
    ]
    candidates = [one for one in every if one.acts] or every
    ranked = sorted(candidates, key=lambda one: (-one.rank, one.place))[:MOST]
    made = tuple(
        _principle(section, one.claim, one.why, quote, "sentence")
        for one in sorted(ranked, key=lambda one: one.place)
        if (quote := find_quote(found[one.place], section.text))
    )
    line = section.text.strip().split("\n")[0]
    return made or (_principle(section, line, line, line, "sentence"),)


class _Candidate(NamedTuple):
    """A sentence that can stand alone; ``acts`` where it says what the AI does or should do."""

    rank: int
    place: int
    claim: str
    why: str
    acts: bool


def _candidates(found: list[str], ai_name: str) -> Iterator[_Candidate]:
    name = re.escape(ai_name)
    acts = re.compile(
        rf"(?:^|[,;:] |\b(?:that|if|because|when|and|but|while|where) ){name}(?:’s|'s)?\s+\w+"
        rf"|\b(?:want|wants|like|ask|asks|expect|hope for|hope|allow|help) {name} to\b"
    )
    for at, sentence in enumerate(found):
        claim = _alone(sentence)
        words = len(claim.split())
        if not SHORTEST <= words <= LONGEST or _ANAPHORA.match(claim) or _FRAGMENT.search(claim):
            continue
        after = found[at + 1] if at + 1 < len(found) else ""
        norm, reason = bool(_NORM.search(claim)), bool(_REASON.search(claim))
        if not norm and not reason:
            continue
        why = after if not reason and _explains(after, acts) else claim
        rank = 4 * (norm and reason) + 2 * norm + reason + bool(_REASON.search(after))
        rank -= 4 * bool(_PAGE.search(claim))  # about the text, and no use away from it
        does = bool(ai_name and acts.search(claim)) and not _MAKER.match(claim)
        yield _Candidate(rank, at, claim, why, does)


def _explains(after: str, acts: re.Pattern[str]) -> bool:
    """Whether a sentence reads as the reason for the one before it, and not as a further claim."""
    if not after or _NO_REASON.search(after):
        return False
    return bool(_REASON.search(after) or (_POINTS.match(after) and not acts.search(after)))


def _alone(sentence: str) -> str:
    """A sentence without what ties it to the one before, or names the point that it makes."""
    bare = _LABEL.sub("", _LINK.sub("", sentence))
    return bare[:1].upper() + bare[1:]


def _plain(text: str) -> str:
    """Markdown without its marks at the beginning of lines."""
    return re.sub(r"^[ \t]*(?:[*+-]|\d+[.)]|#+|>)[ \t]+", "", text, flags=re.MULTILINE)


def _principle(section: Section, statement: str, why: str, quote: str, source: str) -> Principle:
    statement, why = " ".join(statement.split()), " ".join(why.split())
    name = digest(section.id, statement, quote)
    return Principle(name, section.id, statement, why, quote, source)
