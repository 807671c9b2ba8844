"""What the stand-in writes: random words with some grammar, in the form that a prompt asks for.

The text passes the gates of a build and resembles nothing; it is a function of the request alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

REJECTED = 0.05  # share of the texts that the rehearsed judge finds off their brief
DRIFTED = 0.02  # share of the plans that leave a card out, and of those that fail their check

COPIED = 0.2  # share of the seeds that repeat one they were shown

_NOUNS = """
kettle ledger garden ferry window sparrow bucket harbour pocket violin ladder orchard blanket
signal meadow hinge lantern recipe market valley bridge needle saddle cradle furnace compass
shoulder winter letter carpet engine shelf thread basket corner island river teacher nurse porter
mason clerk cousin neighbour stranger driver gardener baker sailor painter farmer child mistake
answer habit promise doubt reason custom lesson border shadow candle feather pebble barrel chimney
drawer envelope fiddle gutter hammer iron jacket kitchen lemon mirror napkin oven pencil quilt
rudder spoon table umbrella vessel wagon yard almond butter cabin dairy errand fence grain hollow
insect journal keeper linen mill notice onion parcel queue roof stable timber uncle veil wheel
apron bench cellar dough elbow flour glove hedge inkwell jug knot loaf mortar nest oar plank
quarry rope sieve tray urn vine well yarn anchor bolt crate dial easel flask gate hook
""".split()
_VERBS = """
carries mends follows weighs answers keeps forgets borrows measures opens hides turns lifts counts
crosses paints warms gathers leaves finds names washes folds sorts trusts questions repairs delays
returns shelters studies feeds warns greets teaches watches needs joins divides copies presses
moves admires tests marks clears ties loads
""".split()
_LINKS = """
because although until since while whenever unless before after though
""".split()
_QUALITIES = """
narrow patient early crooked honest quiet stubborn useful heavy distant plain careful bitter
bright slow familiar broken gentle uneven warm hasty private ordinary thin proud steady cold
sudden restless dusty loyal awkward shallow tender rough modest rare humble
""".split()
_JOINS = (" ", " ", "\n\n")


def compose(prompt: str, chance: random.Random) -> str:
    """What the prompt asks for: a form that it shows, or texts between the tags that it names."""
    for mark, form in _FORMS.items():
        if mark in prompt:
            return form(prompt, chance)
    ordered = re.search(r"about (\d+) words", prompt)
    words = int(ordered[1]) if ordered else 60
    tags = re.findall(r"between <(\w+)> and </\1>", prompt)
    parts = []
    for tag in tags:
        text = "the second sentence drags" if tag == "defects" else prose(words, chance)
        parts.append(f"<{tag}>\n{text}\n</{tag}>")
    return "\n".join(parts) or prose(words, chance)


def prose(words: int, chance: random.Random) -> str:
    """About so many words in sentences and paragraphs."""
    text, count = "", 0
    while count < words:
        sentence = _sentence(chance)
        text += (chance.choice(_JOINS) if text else "") + sentence
        count += len(sentence.split())
    return text


def _sentence(chance: random.Random) -> str:
    def clause() -> str:
        noun, other = chance.sample(_NOUNS, 2)
        quality = chance.choice(_QUALITIES)
        verb = chance.choice(_VERBS)
        return chance.choice(
            (
                f"a {quality} {noun} {verb} the {other}",
                f"the {noun} {verb} every {quality} {other}",
                f"no {noun} {verb} its {other}",
                f"some {quality} {noun} {verb} one {other}",
            )
        )

    joined = f"{clause()} {chance.choice(_LINKS)} {clause()}"
    text = chance.choice((clause(), joined, joined, f"{joined}, and {clause()}"))
    return text[0].upper() + text[1:] + "."


def _principles(prompt: str, chance: random.Random) -> str:
    """Up to four sentences of the section, each with a reason, in blocks."""
    found = re.search(r"<section>\n(.*?)\n</section>", prompt, re.DOTALL)
    section = found[1] if found else ""
    sentences: list[str] = re.findall(r"[A-Z][^.!?\n]{30,300}[.!?]", section)
    quotes = chance.sample(sentences, min(4, len(sentences))) or [section[:80].strip()]
    return "\n".join(
        f"<principle>\n<statement>{quote}</statement>\n<why>{_sentence(chance)}</why>\n"
        f"<quote>{quote}</quote>\n</principle>"
        for quote in quotes
    )


def _review(prompt: str, chance: random.Random) -> str:
    """Mostly an acceptance; one text in twenty is off its brief."""
    accepted = chance.random() > REJECTED
    names = re.findall(r"^(\w+): 1-5$", prompt, re.MULTILINE)
    lines = [f"{name}: {chance.choice((3, 4, 4, 5))}" for name in names]
    lines += [f"faults: {'none' if accepted else 'off_brief'}"]
    lines += [f"verdict: {'accept' if accepted else 'reject'}"]
    return "<review>\n" + "\n".join(lines) + "\n</review>"


def _questions(prompt: str, chance: random.Random) -> str:
    """As many questions of each sort as are asked for."""
    asked = re.search(r"Reply with (\d+) questions of each sort", prompt)
    count = int(asked[1]) if asked else 1
    return "\n".join(
        f"<question>\n<sort>{sort}</sort>\n<ask>{_sentence(chance)} Why?</ask>\n"
        f"<key>{_sentence(chance)}</key>\n</question>"
        for sort in ("recall", "false", "open")
        for _ in range(count)
    )


def _seeds(prompt: str, chance: random.Random) -> str:
    """As many seeds as are asked for, the skills in turn; one in five repeats a parent."""
    asked = re.search(r"Reply with (\d+) germs", prompt)
    skills = re.search(r"The new ones are about: (.+)", prompt)
    parents = re.findall(r"^- (.+) \(", prompt, re.MULTILINE)
    found = []
    for number in range(int(asked[1]) if asked else 1):
        name = "-".join(chance.sample(_NOUNS, 4))
        skill = (skills[1] if skills else "patience").split("; ")[number % 2]
        premise = prose(60, chance).replace("\n\n", " ")
        if parents and chance.random() < COPIED:
            premise = chance.choice(parents)
        fields = {"name": name, "premise": premise, "skill": skill, "stakes": "ordinary",
                  "setting": _sentence(chance), "ending": _sentence(chance),
                  "tags": "comedy, tram"}  # fmt: skip
        inner = "\n".join(f"<{key}>{value}</{key}>" for key, value in fields.items())
        found.append(f"<seed>\n{inner}\n</seed>")
    return "\n".join(found)


def _cards(prompt: str) -> list[str]:
    """The cards of a prompt, in their order."""
    _, _, after = prompt.partition("The cards:\n")
    return re.findall(r"^\d+\. (.+)$", after.partition("\n\n")[0], re.MULTILINE)


def _spec(prompt: str, chance: random.Random) -> str:
    """A plan that uses every dealt name and answers for every card; a few leave one out."""
    named = re.search(r"The names that were dealt: (.+)", prompt)
    names = f" There are {named[1]}." if named else ""
    cards = _cards(prompt)
    kept = cards[:-1] if chance.random() < DRIFTED else cards
    shown = "\n".join(f"{n}: {_sentence(chance)}" for n, _ in enumerate(kept, 1))
    return f"<spec>\nplan: {prose(60, chance)}{names}\nturn: {_sentence(chance)}\n{shown}\n</spec>"


def _check(prompt: str, chance: random.Random) -> str:
    """Every card is there; a few plans miss one."""
    cards = _cards(prompt)
    lost = chance.randrange(len(cards)) if cards and chance.random() < DRIFTED else None
    lines = (f"{n + 1}: {'no' if n == lost else 'yes'}" for n in range(len(cards)))
    return "<check>\n" + "\n".join(lines) + "\n</check>"


_FORMS: dict[str, Callable[[str, random.Random], str]] = {
    "<principle>": _principles,
    "<review>": _review,
    "<spec>": _spec,
    "<check>": _check,
    "<question>": _questions,
    "<seed>\n<name>": _seeds,
}
