"""What the writing leaves in a text: tags, gaps to fill in, links, talk about the task, no end."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TAG = re.compile(
    r"</?(?:document|answer|message|defects|section|draft|content|text|thinking)\b",
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
_LINK = re.compile(r"https?://|\bwww\.\w|\b[\w.]{1,64}@\w+\.\w{2,}\b")
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
_MOST_SIGNED = 12  # words of a last line that may be a name, a credit or a bit of the page
_SMALL = 3  # letters of a word that needs no capital in a name; words of a credit without any
_UNFINISHED = frozenset(
    "a an and as at but for he her his in is it its of on or she so".split()
) | {*"that the then their there they this to was we were when where which who with you".split()}


def faults(text: str) -> Iterator[str]:
    """What was left in a text that no reader should find."""
    yield from leftovers(text)
    if _MACHINE.search(text):
        yield "machine_talk"
    if _TASK.search(text):
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


def ended(text: str) -> bool:
    """Whether a text comes to an end: by a stop, or by a list, a signature, a line of the page.

    A dash may end a talk that is interrupted. A last line without a stop is a signature when it
    is short, stands below another line, and writes every longer word with a capital; or when it
    is three words at most, apart from a text that has ended.
    """
    if _END.search(text):
        return True
    above, _, last = text.rstrip().rpartition("\n")
    words = last.split()
    if not above or len(words) > _MOST_SIGNED:
        return False
    bare = [word.strip(".,;()'’&@#") for word in words]
    if above.endswith("\n") and _END.search(above) and len(bare) <= _SMALL:
        return bare[-1] not in _UNFINISHED
    longer = [word for word in bare if len(word) > _SMALL] or bare[:1]
    return all(not word[:1].islower() for word in longer)
