"""The hashes of words and of runs of words: constants that kernels and their twin share.

A word is hashed eight bytes at a time: its UTF-8, filled up with zero bytes, is the little-endian
numbers c1..cn. The hash begins as the number of its bytes and becomes, number by number,
(hash ^ c) FACTOR modulo 2^64, of which the upper half is then xored into the lower. Both steps can
be undone, so two words of up to eight bytes never have the same hash. A run of words has the hash
mix(w1 B^(n-1) + w2 B^(n-2) + ... + wn), where mix is the 64-bit finaliser of MurmurHash3 (Appleby):
order counts.
"""

from __future__ import annotations

from functools import lru_cache

FACTOR = 0xD6E8FEB86659FD93
BASE = 0x9E3779B97F4A7C15
MIXERS = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)
MASK = (1 << 64) - 1


def mix(value: int) -> int:
    """The 64-bit finaliser of MurmurHash3."""
    for factor in MIXERS:
        value = ((value ^ (value >> 33)) * factor) & MASK
    return value ^ (value >> 33)


@lru_cache(maxsize=1 << 18)
def word_hash(word: str) -> int:
    """The 64-bit hash of a word as it stands: normalise and fold it first."""
    data = word.encode("utf-8", "surrogatepass")
    value = len(data)
    for at in range(0, len(data), 8):
        value = ((value ^ int.from_bytes(data[at : at + 8], "little")) * FACTOR) & MASK
        value ^= value >> 32
    return value
