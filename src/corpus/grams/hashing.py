"""The hashes of words and of runs of words: constants that kernels and their twin share.

A word of the code points c1..cn has the hash that begins as 0 and becomes, point by point,
rotl(hash, 7) + mix((c + 1) SALT), modulo 2^64, where mix is the 64-bit finaliser of MurmurHash3
(Appleby). A run of words has the hash mix(w1 B^(n-1) + w2 B^(n-2) + ... + wn): order counts.
"""

from __future__ import annotations

from functools import lru_cache

SALT = 0xD6E8FEB86659FD93
BASE = 0x9E3779B97F4A7C15
MIXERS = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)
TURN = 7
MASK = (1 << 64) - 1


def mix(value: int) -> int:
    """The 64-bit finaliser of MurmurHash3."""
    for factor in MIXERS:
        value = ((value ^ (value >> 33)) * factor) & MASK
    return value ^ (value >> 33)


@lru_cache(maxsize=1 << 12)
def letter_hash(point: int) -> int:
    """The hash of a code point."""
    return mix(((point + 1) * SALT) & MASK)


@lru_cache(maxsize=1 << 18)
def word_hash(word: str) -> int:
    """The 64-bit hash of a word as it stands: normalise and fold it first."""
    value = 0
    for letter in word:
        turned = ((value << TURN) | (value >> (64 - TURN))) & MASK
        value = (turned + letter_hash(ord(letter))) & MASK
    return value
