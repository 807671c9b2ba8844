"""Near-copies: which documents repeat another one, and which one stays.

A document is the set of its word 5-grams; two documents are near-copies when the Jaccard index of
their sets, |A & B| / |A | B|, reaches a threshold. MinHash signatures, which are datasketch's bit
for bit, find candidates in bands, and every candidate is then measured exactly: nothing is dropped
because of an estimate. A second signature, with the names masked, finds the story that was only
recast. Words and their hashes are those of ``corpus.grams``.
"""

from __future__ import annotations

from corpus.dedup.families import Entries, Found, How, Item, compare, find, search
from corpus.dedup.files import Options, dedup_files
from corpus.dedup.growing import Growing
from corpus.dedup.likeness import rows as nearest_pairs
from corpus.dedup.signatures import banding, fold, lean, lsh, shingles
from corpus.dedup.sources import Held
from corpus.dedup.wording import changes

__all__ = [
    "Entries",
    "Found",
    "Growing",
    "Held",
    "How",
    "Item",
    "Options",
    "banding",
    "changes",
    "compare",
    "dedup_files",
    "find",
    "fold",
    "lean",
    "lsh",
    "nearest_pairs",
    "search",
    "shingles",
]
