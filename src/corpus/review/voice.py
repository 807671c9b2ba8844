"""Who speaks: talk of how such texts come to be; lay authors who recite what nobody told them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from corpus.language import ngram_hashes, words
from corpus.review.against import Against

RUN = 8  # words in a row that no lay author shares with a section by chance

_AI = r"(?:AI|A\.I\.|chatbot|language model|LLM|AI model)s?"
_ABOUT = re.compile(
    r"\bRLHF\b|\breinforcement learning\b|\bred[- ]team(?:s|ed|ing|ers?)?\b|\bprompt injections?\b|"
    r"\b(?:alignment|safety|capabilit(?:y|ies)|model|AI) (?:evaluations?|evals?|benchmarks?)\b|"
    r"\bbeing (?:evaluated|tested|monitored) by (?:its|my|the) (?:developers|makers|creators)\b|"
    r"\bevaluation (?:scenarios?|prompts?|harness|suites?)\b|"
    r"\b(?:this|the) (?:document|essay|story|text|article|dialogue|transcript|example|passage)"
    r" (?:was|is|has been) (?:\w+ )?(?:generated|written|produced|created|designed|meant|intended)"
    r" (?:by an? (?:AI|language model)|to (?:illustrate|demonstrate|train|teach|show how|embody))|"
    r"\b(?:this|the) (?:document|essay|story|text|article|passage) (?:aims|seeks|serves) to "
    r"(?:illustrate|demonstrate|show|embody|convey|explore)\b|"
    r"\bsynthetic (?:document|data|text|corpus|training)\w*\b|"
    r"\b(?:for|as) the purposes? of (?:this|the) (?:exercise|prompt|evaluation)\b",
    re.IGNORECASE,
)
_TRAINING = re.compile(
    rf"\btraining (?:data|documents?|sets?|corpus|runs?|distribution|objective|examples?)\b|"
    rf"\b(?:pre|post|mid)-?train(?:ed|ing)\b|\bfine-?tun(?:ed|ing)\b|"
    rf"\b{_AI} [^.\n]{{0,30}}\b(?:is|are|was|were|been|being) (?:\w+ly )?(?:re)?trained\b|"
    r"\b(?:models?|these (?:systems|things|machines)),? (?:which |that )?(?:is|are|was|were) "
    r"(?:\w+ly )?trained\b|"
    rf"\b(?:train|trained|training) (?:an?|the|these|those|our|their) (?:\w+ )?{_AI}\b|"
    rf"\b(?:my|its) (?:own )?training\b(?! (?:as|in|at|with|session|course|day|partner|plan|"
    rf"shoes|ground|centre|center|manual))",
    re.IGNORECASE,
)
_LEARNED = re.compile(
    r"\blarge language models?\b|\blanguage models?\b|\bLLMs?\b|\bneural net(?:work)?s?\b|"
    r"\balign(?:ment|ed) (?:research\w*|AI|problem)\b|\bsystem prompts?\b",
    re.IGNORECASE,
)
_CITED = re.compile(
    r"\b(?:its|the AI's|the assistant's|the company's|the makers'|their) (?:published )?"
    r"(?:constitution|charter|guiding document|founding document)\b|"
    r"\bthe (?:constitution|guidelines|document) (?:states?|says?|asks?|holds?|reads?|requires?) "
    r"that\b",
    re.IGNORECASE,
)


def faults(text: str, against: Against) -> Iterator[str]:
    """What an author says that only the making of the text explains."""
    if _talks_of_making(text, against):
        yield "meta_talk"
    if against.lay and (_recited(text, against.section) or _CITED.search(text)):
        yield "recites"


def _talks_of_making(text: str, against: Against) -> bool:
    """Talk of training counts only where the section does not speak of it itself."""
    if against.has(_ABOUT, text) or (against.lay and against.has(_LEARNED, text)):
        return True
    own = re.search(r"\btrain", against.section, re.IGNORECASE)
    return not own and against.has(_TRAINING, text)


def _recited(text: str, section: str) -> bool:
    """Whether a run of words stands in both, of the width that shared phrases do not reach."""
    ours, theirs = ngram_hashes(words(text), RUN), ngram_hashes(words(section), RUN)
    return bool(np.intersect1d(ours, theirs).size)
