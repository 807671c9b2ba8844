"""What the writing leaves in a text: tags, gaps to fill in, links, talk about the task, no end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from corpus.review.against import Against

_TAG = re.compile(
    r"</?(?:document|answer|message|defects|section|seed|spec|plan|scope|system|draft|content|text|thinking)\b",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"\[(?:insert|your|name|date|company|city|title|link|source|tone|recipient|sender)\b[^\]]{0,120}\]|"
    r"(?-i:\[[A-Z][a-z]+(?: [A-Za-z']+){0,5}\])(?!\()|\bLorem ipsum\b|(?-i:\bXXX+\b)|"
    r"\{\{|<(?:name|date|insert)[^>]{0,120}>",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"\[(?:[\w' ]*\b(?:page|pages|end|break|pause|laughs?|laughter|music|applause|silence|sic|"
    r"unclear|inaudible|crossed out|edit|edited|deleted|note|illegible|continued|snip|spoiler|"
    r"transcript|photo|picture|drawing|sketch|map|figure|table|advert|reply|print|menu)\b[^\]]*)\]",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://|\bwww\.\w|\b[\w.]{1,64}@[\w-]{1,64}\.\w{2,}\b")
_MACHINE = re.compile(
    r"\bas an? (?:AI|artificial intelligence)?[ -]*(?:large )?language model\b|"
    r"\bAI language model\b|\bmy training data\b|\bknowledge cutoff\b|"
    r"\bI(?:'m| am) (?:just )?an AI assistant created by\b",
    re.IGNORECASE,
)
_TASK = re.compile(
    r"^\W*(?:sure|certainly|of course|absolutely)\b[^.\n]{0,40}[!,:]|"
    r"^\W*(?:here(?:'s| is| are)|below is) (?:a|an|the|my|your|one)\b[^.\n]{0,80}"
    r"\b(?:story|document|essay|entry|text|version|letter|message|draft|response|example)\b|"
    r"\b(?:word count|this prompt|the brief above|system prompt|the user's request|"
    r"(?:per|by|following|in) the (?:prompt|assignment)|"
    r"the (?:prompt|assignment) (?:asks|asked|says|said|calls|called|requires|required|specif\w+)|"
    r"I hope this (?:helps|meets))\b",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"^\W*(?:I(?:'m| am) (?:really |very |so )?sorry,? (?:but|that|I)\b|I (?:cannot|can't|can not|"
    r"won't|am unable to|'m unable to) (?:help|assist|write|create|fulfil|comply|provide|generate|"
    r"do that)\b|unfortunately,? I (?:cannot|can't))",
    re.IGNORECASE,
)
_END = re.compile(
    r"[.!?…:)\]\"'”’»*_`|>~。！？」』）।॥۔؟—–]\s*$|\n[-–—*•]\s?\S[^\n]{0,160}$|"
    r"\n\d{1,2}[.)] \S[^\n]{0,160}$"
)
_DECLINED = re.compile(
    r"^\W*(?:I(?:'m| am) (?:really |very |so )?sorry,? but I (?:cannot|can't|am unable to|"
    r"am not able to|'m not able to|'m unable to|won't)|(?:unfortunately,? )?I "
    r"(?:cannot|can't|am unable to|am not able to|'m unable to) (?:help|assist) "
    r"(?:you )?with (?:that|this|any|such|requests|questions)\b)",
    re.IGNORECASE,
)
_SHORT_LINE = 14  # words of a last line that may do without a stop: a signature, a bit of the page
_ENTRY = 30  # words of a last line that may be an entry of a log, whose last note is short
_SHORT_REST = 10  # words of such a note
_LONG_ENOUGH = 8  # words of a line that says whether its author uses stops
_CARELESS = 1 / 3  # of such lines without one: the author does not
_UNFINISHED = frozenset(
    "a an the and or but nor if because although while whose my your our their into from with than "
    "every he she they we".split()
)  # words that end no sentence
_DANGLING = frozenset(
    "by of in to for on at is was are were be been has have had will would can could that which "
    "who it not so as when where what how".split()
)  # words that seldom do
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def faults(text: str, against: Against) -> Iterator[str]:
    """What was left in a text that no reader should find; talk that is the section's own is not."""
    yield from leftovers(text)
    if against.has(_MACHINE, text):
        yield "machine_talk"
    if against.has(_TASK, text):
        yield "task_talk"


def leftovers(text: str) -> Iterator[str]:
    """Tags, gaps to fill in, and links."""
    if _TAG.search(text):
        yield "tags"
    if any(not _ASIDE.fullmatch(found[0]) for found in _PLACEHOLDER.finditer(text)):
        yield "placeholder"
    if _LINK.search(text):
        yield "link"


def refuses(text: str) -> bool:
    """Whether a text begins by declining to be written."""
    return _REFUSAL.search(text) is not None


def declines(answer: str) -> bool:
    """Whether an answer begins by declining to answer; "I won't write that letter" is an answer."""
    return _DECLINED.search(answer) is not None


def ended(text: str) -> bool:
    """Whether a text comes to an end: by a stop, or by a list, a signature, a line of the page.

    Mail, minutes and forum posts leave their last stop out. So a last line without one counts as
    broken off where it is long and the author otherwise uses stops, or where its last word ends
    no sentence. What a writer had no room to finish is known from its stop reason anyway.
    """
    if _END.search(text):
        return True
    *above, last = [line for line in text.splitlines() if line.strip()] or [""]
    words = last.split()
    if not above or not words or words[-1].strip("'").casefold() in _UNFINISHED:
        return False
    if words[-2:] == ["and", "then"]:
        return False
    rest = _SENTENCE.split(last)[-1].split()
    short = len(rest) <= _SHORT_REST and words[-1].casefold() not in _DANGLING
    return len(words) <= _SHORT_LINE or (len(words) <= _ENTRY and short) or _careless(above)


def _careless(lines: list[str]) -> bool:
    """Whether whoever wrote these lines leaves out stops."""
    long = [line for line in lines if len(line.split()) >= _LONG_ENOUGH]
    return sum(not _END.search(line) for line in long) > _CARELESS * len(long)
