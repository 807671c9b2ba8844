"""A text of 24 sentences with slots for names, places, roles and numbers.

In square brackets are the words that say the same: the plain mould takes the first.
"""

from pathlib import Path

SENTENCES = (Path(__file__).parent / "mould.txt").read_text("utf-8").splitlines()

CONNECTIVES = (
    "In fact", "Still", "Even so", "As it happened", "To be sure", "In the end", "Meanwhile",
    "Of course", "By then", "After all",
)  # fmt: skip

OPENINGS = (
    "In today's fast-moving world, nothing stays the same for long.",
    "It was a quiet evening when the question first came up.",
    "Picture this: a small room and a large decision.",
    "There is an old saying that every choice has its price.",
)
CLOSINGS = (
    "And that, in the end, is what really matters.",
    "Perhaps that was enough for one day.",
    "The rest is up to all of us.",
    "Only time will tell whether it was right.",
)

FIRST = tuple(
    """Ada Amir Anja Bao Carla Chidi Dana Dmitri Elif Emeka Farah Felix Goran Hana Ines Ivo Jamal
    Jin Kaia Kofi Lena Luca Mads Mei Nadia Nils Oona Omar Petra Pavel Quinn Rosa Ravi Sana Sven
    Tala Tomas Uma Viktor Wanda Xenia Yara Yusuf Zita Zoran Berit Cato Dilnoza""".split()
)
LAST = tuple(
    """Abara Bergstrom Castellan Dvorak Eze Fontaine Gallo Hoang Ionescu Jansen Kovac Lindqvist
    Moreau Novak Oyelaran Petrov Qureshi Rossi Saito Tanaka Urbina Varga Weiss Yilmaz""".split()
)
PLACES = tuple(
    """Aarhus Bergen Coimbra Dakar Esbjerg Faro Ghent Haifa Izmir Jaipur Kaunas Leiden Malmo Namur
    Oulu Perth Quito Riga Sfax Tartu Utrecht Varna Wroclaw York Zadar""".split()
)
ROLES = (
    "clerk", "nurse", "surveyor", "teacher", "bookkeeper", "driver", "librarian", "welder",
    "planner", "chemist", "tailor", "porter", "translator", "gardener", "registrar",
)  # fmt: skip
