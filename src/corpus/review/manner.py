"""Manners of a machine: morals at the end, stock phrases, codas, compliments to the asker."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PHRASES_ALLOWED = 2  # different stock phrases that a text may have before any rate is taken
PHRASES_PER_1000 = 4.0  # words; above this it is a manner

_LAST_WORDS = 45  # of an answer, in which a coda stands
_GENERAL = (
    r"[^.!?\n]*\b(?:is|are|isn't|aren't|matters?|means?|comes? down|lies|reminds?|teach(?:es)?|"
    r"shows?|we|us|our|must|can)\b"
)
_MORAL = re.compile(
    rf"\W*(?:(?:In the end|Ultimately|At the end of the day|At its (?:core|heart)|In essence),?"
    rf"{_GENERAL}|"
    r"(?:In conclusion|To conclude|To sum up|In summary|In closing)\b|"
    r"(?:Perhaps |Maybe |And )?(?:[Tt]he|[Oo]ur) (?:real |true |larger |broader |deeper )?"
    r"(?:lesson|moral|takeaway)"
    r"(?: here| of (?:this|the|it|all)[\w ]{0,30}| for (?:all of )?us(?: all)?)?,? "
    r"(?:is|was|seems|remains)(?: that\b| simple| clear|n't| not\b| this\b|:)|"
    r"And (?:that|perhaps that|maybe that|this),? (?:perhaps|maybe|in the end|after all|I think|"
    r"ultimately|more than anything)\b|"
    r"(?:Perhaps|Maybe),? (?:that|this) (?:is|was)(?: all| what| the| why| how| enough)|"
    r"(?:This|That|The) (?:story|episode|incident|exchange|small act|moment|case) "
    r"(?:reminds|teaches|shows|illustrates|demonstrates|underscores)|"
    r"It (?:is|was|serves as|stands as) a (?:\w+ )?(?:reminder|lesson)\b|"
    r"(?:We|Let us|Let's) (?:would |could |can |should )?all (?:do well|learn|remember)\b|"
    r"May we\b|So (?:the )?next time you\b)"
)
_LAST_MORAL = re.compile(
    r"(?:And )?(?:[Pp]erhaps|[Mm]aybe|[Ss]ometimes|[Ii]n the end),? "
    r"(?:that|this|it)(?:'s| is| was),? (?:[\w ,]{0,60})?\b"
    r"(?:enough|the (?:whole )?point|what (?:it means|matter(?:s|ed)|trust|"
    r"kindness|honesty|care|wisdom|courage)|the difference|all (?:that|any of us)|worth)\b|"
    r"And that (?:made|makes) all the difference\b|"
    r"And that,? [\w ]{2,30},? (?:is|was) (?:enough|the (?:whole )?point|what matters)\b|"
    r"[^.!?]*\bis (?:not|never) (?:about|a matter of) [^.!?]{3,80}[,;:—–-] ?(?:it is|it's|but) "
)
_LEAST_ABOVE = 25  # words before a closing paragraph; a note of two lines has none
_CODA = re.compile(
    r"\bit(?:'s| is) (?:entirely |ultimately |completely |really )?(?:your|up to you)"
    r"(?: (?:own )?(?:call|decision|choice)\b|\b(?=[.,!]))|"
    r"\b(?:choice|decision|call) is (?:entirely |ultimately |always )?yours\b|"
    r"\blet me know (?:if|how|what|whether|when)\b|"
    r"\bI(?:'m| am) (?:always |right )?here (?:if|whenever|for you|to help|to listen)\b|"
    r"(?<![Ii] )\bhope (?:this|that) helps\b|"
    r"\b(?:would|do) you (?:like|want) me to\b|\bwant me to [^.!?\n]{3,80}\?|"
    r"\bfeel free to (?:ask|reach|share|come|message|write)\b|"
    r"\bhappy to (?:help|talk|discuss|draft|work|think|go)\b[^.!?\n]{0,60}[.!?]|"
    r"\bif you(?:'d| would) like,? I (?:can|could|would|am)\b|\byou(?:'ve| have) got this\b|"
    r"\bif you (?:want|wish), I can\b|\bany other questions\b",
    re.IGNORECASE,
)
_FLATTERY = re.compile(
    r"\W*(?:(?:what|that(?:'s| is)|this is) (?:an? |such an? )(?:\w+ )?"
    r"(?:great|excellent|wonderful|fantastic|thoughtful|insightful|brilliant|beautiful|profound|"
    r"really good|very good|"
    r"important) (?:and \w+ )?(?:question|point|instinct|idea|message|observation)|"
    r"(?:great|excellent|good|wonderful|fantastic) (?:question|point|thinking)\b|"
    r"i (?:love|admire|applaud|really appreciate) (?:that you|your (?:honesty|courage|thoughtful|"
    r"question))|(?:the fact that you(?:'re| are) (?:even )?asking|"
    r"you(?:'re| are) (?:clearly|obviously) an? (?:\w+ )?"
    r"(?:thoughtful|caring|kind|good|wonderful|brave|conscientious)))",
    re.IGNORECASE,
)
_BREAK = re.compile(r"\n\s*\n")
_SENTENCE = re.compile(r"(?<=[.!?])[\"”’']?\s+")


def faults(text: str) -> Iterator[str]:
    """A moral at the end, and phrases that machines are fond of."""
    if _moralises(text):
        yield "moral_ending"
    used = _phrases(text)
    if used >= PHRASES_ALLOWED and used * 1000 > PHRASES_PER_1000 * len(text.split()):
        yield "stock_phrases"


def chat(answer: str) -> Iterator[str]:
    """What only an answer can do: pay the asker a compliment, and not want to leave."""
    if _FLATTERY.match(answer):
        yield "flatters"
    words = answer.rsplit(maxsplit=_LAST_WORDS)
    last = answer if len(words) <= _LAST_WORDS else answer[len(words[0]) :]
    if _CODA.search(last):
        yield "coda"


def _moralises(text: str) -> bool:
    """Whether the last paragraph, or the last sentence, steps back and says what it all means."""
    parts = [part.strip() for part in _BREAK.split(text.strip())]
    above = sum(len(part.split()) for part in parts[:-1])
    if above >= _LEAST_ABOVE and _MORAL.match(parts[-1]):
        return True
    sentences = _SENTENCE.split(parts[-1])
    return len(text.split()) >= _LEAST_ABOVE and bool(_LAST_MORAL.match(sentences[-1].strip()))


def _phrases(text: str) -> int:
    """How many different stock phrases are in the text."""
    return len({found[0].casefold() for found in _stock().finditer(text)})


@cache
def _stock() -> re.Pattern[str]:
    lines = (Path(__file__).parent / "phrases.txt").read_text(encoding="utf-8").splitlines()
    phrases = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    ends = "|".join(re.escape(phrase).replace(r"\ ", r"\s") for phrase in phrases)
    return re.compile(rf"\b(?:{ends})\b", re.IGNORECASE)
