"""What kernels and their twins must agree on."""

from __future__ import annotations

from corpus.grams import word_hash

SHINGLE = 5
"""Words of a shingle."""
PERMUTATIONS = 128
SEED = 1
KEY_SEED, KEY_FACTOR = 0x811C9DC5, 0x9E3779B1
DIGEST = 0x9FB21C651E98DF25

CAPITALISED = 0.9
"""The share of its uses inside sentences above which a capitalised word is a name."""
LEAST_USES = 2
MOST_MASKED = 0.5
"""The share of names above which what is left of a text says nothing."""

MASK = word_hash("\0name")
PRONOUN = word_hash("\0pronoun")
PRONOUNS = "he him his himself she her hers herself".split()
