"""The world outside: facts that a text cannot know, people with titles, firms, worn-out names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from corpus.review.against import Against

_HERE = Path(__file__).parent
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_YEAR = r"(?:19|20)\d\d"
_NEAR = r"(?:199\d|20[0-4]\d)"
_STUDY = r"(?:study|studies|survey|surveys|poll|paper|meta-analysis|white paper|trial)"
_PEOPLE = (
    r"(?:people|users|respondents|patients|adults|households|companies|employees|participants|"
    r"students|workers|teachers|parents|Americans|Europeans|consumers|organi[sz]ations|doctors|"
    r"firms|businesses|conversations|interactions)"
)

DATES = re.compile(
    rf"\b(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH},? {_YEAR}\b|"
    rf"\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR}\b|"
    rf"\b{_YEAR}-[01]\d-[0-3]\d\b|"
    rf"\b{_MONTH},? (?:of )?{_NEAR}\b(?!-)|"
    rf"\b(?:[Ii]n|[Ss]ince|[Dd]uring|[Uu]ntil|(?:spring|summer|autumn|fall|winter|year|early|late|"
    rf"mid-?)(?: of)?) {_NEAR}(?=[.,;:!?)\n]|$|"
    r" (?:and|when|but|after|before|to|it|he|she|they|we|I|the|a|an|at|as|by|with|for|that|has|"
    r"had)\b)"
)
"""A full date, or a year of the last decades: what would date an AI. "Since 1931" is a memory."""

FACTS = re.compile(
    rf"\b(?:[Aa]|[Tt]he|[Oo]ne|[Tt]hat) (?:\w+ ){{0,2}}{_YEAR} (?:\w+ )?"
    rf"(?:{_STUDY}|report|article|book|incident|case|ruling|scandal|conference|review|census)\b|"
    rf"\b[Aa]ccording to (?:\w+ ){{0,4}}{_STUDY}\b|"
    rf"\b(?:[Aa]|[Oo]ne|[Rr]ecent|[Ss]everal|[Tt]he) (?:\w+ ){{0,2}}{_STUDY} (?:by|from|of \d|"
    rf"published|conducted|found|shows?|showed|suggests?|suggested|have shown|has shown)\b|"
    r"\b(?:[Rr]esearch|[Ss]tudies|[Ss]tatistics|[Ss]urveys) (?:ha(?:ve|s) )?(?:consistently )?"
    r"(?:shows?|shown|suggests?|found|confirms?|confirmed|indicates?|indicated|proves?|proven)\b|"
    r"\b[Rr]esearchers (?:at|from) (?:the )?[A-Z]|"
    rf"\b\d{{1,3}}(?:[.,]\d+)? ?(?:%|percent|per cent) of (?:\w+ ){{0,2}}{_PEOPLE}\b|"
    rf"\b\d in \d+ {_PEOPLE}\b|"
    r"\b(?:by|from|to|rose|fell|dropped|grew|increased?|decreased?|reduced?|improved?) (?:a |an |"
    r"some |nearly |about |around )?\d+\.\d+ ?(?:%|percent|per cent)|"
    rf"\b(?:[Pp]ublished|[Aa]ppeared) in (?:the )?(?:(?:\w+ )?Journal|Proceedings|Annals|Nature\b|"
    rf"Science\b|{_YEAR})|"
    r"\b(?:[Jj]ournal|Annals|Proceedings) (?:of|on) (?:the )?[A-Z]|\bpeer-reviewed\b|\bet al\b|"
    r"\bar[Xx]iv\b|\bdoi\b|\bDOI\b|\bISBN\b|\([A-Z][\w'-]+(?:,? (?:and|&) [A-Z][\w'-]+)?,? "
    rf"{_YEAR}[a-z]?\)|"
    rf"\b[A-Z]\w+ Act(?:,| of)? {_YEAR}\b|\b(?:the )?(?:[A-Z][a-z]+(?: and| of| for)? ){{1,5}}"
    r"(?:Act|Directive|Statute)\b(?! (?:One|Two|Three|I|V|\d))|"
    r"\b(?:Section|Article|Clause) \d+[\w().]* of the (?:[A-Z]\w+ )+(?:Act|Code|Convention|Law|"
    r"Regulation|Directive)|"
    r"\b[A-Z][a-z]+ v\.? [A-Z][a-z]+\b|\bDocket No"
)
"""Studies, statistics, journals, identifiers, laws: each would be taken for knowledge."""

CREDENTIALS = re.compile(
    r"\b(?:Dr|Dra|Prof)\.? (?:[A-Z]\. ?)?[A-Z][\w'-]+|\b(?:Professor|Doctor) (?:[A-Z]\. ?)?"
    r"[A-Z][a-z'-]+|"
    r"\b[A-Z][\w'-]+,? (?:PhD|Ph\.D\.?|M\.D\.|MD|DVM|D\.Phil|DPhil|JD|J\.D\.)(?!\w)|"
    r"\b(?:University|Institute|College) of (?:the )?[A-Z]\w+|"
    r"\b[A-Z]\w+ (?:State )?(?:University|Institute of Technology|Business School|Law School)\b|"
    r"\b(?:CEO|CTO|CFO|COO|[Cc]hief [Ee]xecutive(?: [Oo]fficer)?|[Cc]hief [Ss]cientist|"
    r"[Cc]o-?founder) (?:of|at) (?:the )?[A-Z]\w+"
)
"""People whose word is meant to count for more, and the places that lend it weight."""

_AI_NEAR = re.compile(
    r"\b(?:AI|A\.I\.|chatbots?|assistants?|language models?|bots?|LLMs?|apps?|prompts?|typed)\b"
)
_NEARBY = 70  # characters on either side that tell a machine's name from a person's


def faults(text: str, against: Against) -> Iterator[str]:
    """What a text says of the world outside that nobody gave it."""
    dated = not against.fiction and against.has(DATES, text)
    if dated or against.has(FACTS, text):
        yield "invented_fact"
    if against.has(CREDENTIALS, text):
        yield "credentialed_person"
    yield from providers(text, against)
    if _worn(text, against):
        yield "overused_name"


def providers(text: str, against: Against) -> Iterator[str]:
    """Other AIs' names, and those of big firms and their products."""
    seen = {
        reason
        for provider in _providers()
        for reason in provider.found(text, against)
        if not provider.allowed(against)
    }
    yield from (reason for reason in ("wrong_provider", "real_organisation") if reason in seen)


class _Provider:
    """A firm with its names: those that are plain, and those that are also words or people."""

    def __init__(self, row: dict[str, list[str]], household: list[str]) -> None:
        self.names = {
            name.casefold() for kind in ("ai", "ai_words", "firm") for name in row.get(kind, ())
        }
        self.ai = _any(row.get("ai", ()), household)
        self.ai_words = _any(row.get("ai_words", ()), household)
        self.firm = _any(row.get("firm", ()), household)

    def allowed(self, against: Against) -> bool:
        """Whether one of the names is allowed, and so all of them are."""
        return any(name.casefold() in self.names for name in against.allowed_names)

    def found(self, text: str, against: Against) -> Iterator[str]:
        """Yield a reason for each kind of name that is in the text."""
        plain = self.ai is not None and against.has(self.ai, text)
        if plain or (self.ai_words is not None and self._among_machines(text, against)):
            yield "wrong_provider"
        if self.firm is not None and against.has(self.firm, text):
            yield "real_organisation"

    def _among_machines(self, text: str, against: Against) -> bool:
        """Whether a name that people also bear stands near a word for a machine."""
        if self.ai_words is None:
            return False
        for found in against.unknown(self.ai_words, text):
            start, end = found.span()
            around = text[max(0, start - _NEARBY) : start], text[end : end + _NEARBY]
            before, after = around[0].rpartition("\n")[2], around[1].partition("\n")[0]
            if _AI_NEAR.search(before) or _AI_NEAR.search(after):
                return True
        return False


@cache
def _providers() -> tuple[_Provider, ...]:
    given = tomllib.loads((_HERE / "brands.toml").read_text(encoding="utf-8"))
    return tuple(_Provider(row, given["household"]) for row in given["provider"])


def _any(names: Iterable[str], household: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern for any of the names, as they are written; None for none."""
    parts = [re.escape(name).replace(r"\ ", r"\s") for name in names]
    after = rf"(?!\w|\s(?:{'|'.join(household)})\b)"
    return re.compile(rf"\b(?:{'|'.join(parts)}){after}") if parts else None


def _worn(text: str, against: Against) -> bool:
    """Whether a person has a name that models give to everybody."""
    names, words = _overused()
    return against.has(names, text) or against.has(words, text)


@cache
def _overused() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Names that are only names, and those that are also words, which count inside a sentence."""
    lines = (_HERE / "overused.txt").read_text(encoding="utf-8").splitlines()
    given = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    words = [name.removesuffix("*") for name in given if name.endswith("*")]
    names = [name for name in given if not name.endswith("*")]
    inside = rf"(?:(?<=[a-z,] )|(?<=[A-Z][a-z] ))(?:{'|'.join(words)})\b(?!'s [A-Z])"
    return re.compile(rf"(?<![\w-])(?:{'|'.join(names)})(?![\w-])"), re.compile(inside)
