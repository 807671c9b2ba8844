"""What each trainer will not train on, at a given length of its sequences.

Trainers cut a corpus into sequences in their own ways and say nothing of what falls off. These are
their rules, applied to the lengths of the documents as they were written; nothing is guessed. A
trainer that takes windows at random, or packs whole documents, drops nothing and is listed so.

Sources, by trainer: Megatron-Core ``gpt_dataset.py`` (``(tokens - 1) // seq_length`` samples per
prefix); nanoGPT ``train.py`` (``get_batch``); llm.c ``dataloader.h`` (``(tokens - 1) // T`` per
file, at one sequence per step); modded-nanogpt ``BOSFinder`` (a document's first ``T`` ids);
OLMo-core ``NumpyFSLDataset`` (``tokens // T`` per file); datatrove ``DatatroveFileDataset``
(``tokens // (T + 1)`` per file); nanochat ``dataloader.py`` (best fit of 1,000 documents, the
shortest cropped); TRL ``pack_dataset`` with ``bfd`` (a document's first ``T`` tokens); torchtitan
``HuggingFaceTextDataset`` (one stream in pieces of ``T + 1``).
"""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from corpus.export.arrange import Arranged
from corpus.export.index import Numbers
from corpus.formats import Part

BUFFER = 1000  # documents that nanochat chooses from, at least
BATCH = 128  # documents that it takes at a time

Rule = Callable[[Numbers, int], int]  # lengths of documents, length of a sequence -> tokens lost


def windows(lengths: Numbers, length: int) -> int:
    """Sequences that share their last token with the next one: the rest of the stream is lost."""
    tokens = int(lengths.sum())
    used = (tokens - 1) // length * length + 1
    return tokens - used if used > 1 else tokens


def blocks(lengths: Numbers, length: int) -> int:
    """Whole sequences one after the other: the rest of the stream is lost."""
    return int(lengths.sum()) % length


def pieces(lengths: Numbers, length: int) -> int:
    """The same with one token more in each, so that every position has a next one."""
    return int(lengths.sum()) % (length + 1)


def nothing(lengths: Numbers, length: int) -> int:
    """Windows begin anywhere, so every token is in one; unless the stream is too short for any."""
    return 0 if lengths.sum() > length else int(lengths.sum())


def heads(lengths: Numbers, length: int) -> int:
    """Documents are cut after ``length`` tokens."""
    return int(np.maximum(lengths - length, 0).sum())


def best_fit(lengths: Numbers, length: int) -> int:
    """Rows of ``length + 1``: the longest document that fits, else a crop of the shortest.

    The last rows, which nanochat would fill from the next epoch, are filled with what is left.
    """
    waiting: list[int] = []
    coming = iter(lengths.tolist())
    lost = room = 0
    while True:
        while len(waiting) < BUFFER and (batch := list(itertools.islice(coming, BATCH))):
            for size in batch:
                insort(waiting, size)
        if not waiting:
            return lost
        room = room or length + 1
        fits = bisect_right(waiting, room)
        if fits:
            room -= waiting.pop(fits - 1)
        else:
            lost += waiting.pop(0) - room
            room = 0


# format -> trainer, what happens in words, the rule, and whether it looks at files one by one
TRAINERS: Mapping[str, Sequence[tuple[str, str, Rule, bool]]] = {
    "megatron": [("Megatron-Core", "the tail of each prefix", windows, True)],
    "nanogpt": [("nanoGPT", "nothing: windows begin anywhere", nothing, True)],
    "llmc": [
        ("llm.c", "the tail of each file", windows, True),
        ("modded-nanogpt", "what a document has beyond the length", heads, True),
    ],
    "olmo": [("OLMo-core", "the tail of each file", blocks, True)],
    "datatrove": [("datatrove", "the tail of each file", pieces, True)],
    "parquet": [
        ("nanochat", "crops where no document fits", best_fit, False),
        ("TRL, bfd packing", "what a document has beyond the length", heads, False),
        ("torchtitan", "the tail of the stream", pieces, False),
    ],
    "jsonl": [
        ("TRL, bfd packing", "what a document has beyond the length", heads, False),
        ("torchtitan", "the tail of the stream", pieces, False),
    ],
}
OTHER = [("any that truncates", "what a document has beyond the length", heads, False)]


def dropped(
    arranged: Arranged, parts: Sequence[Part], formats: Iterable[str], length: int
) -> list[dict[str, Any]]:
    """Per format, trainer, config and split: tokens, how many of them are lost, and to what.

    Counts are by the tokenizer of this export, one boundary token per document included.
    """
    lengths = arranged.index.tokens[arranged.numbers]
    ends = np.cumsum([part.documents for part in parts])
    files = [lengths[end - part.documents : end] for part, end in zip(parts, ends, strict=True)]
    found = []
    for name in formats:
        for trainer, what, rule, by_file in TRAINERS.get(name, OTHER):
            for config, split in dict.fromkeys((part.config, part.split) for part in parts):
                mine = [
                    file
                    for part, file in zip(parts, files, strict=True)
                    if (part.config, part.split) == (config, split)
                ]
                whole = np.concatenate(mine)
                one_file = name == "nanogpt" or not by_file
                lost = sum(rule(file, length) for file in ([whole] if one_file else mine))
                found.append(
                    {
                        "format": name,
                        "trainer": trainer,
                        "config": config,
                        "split": split,
                        "tokens": int(whole.sum()),
                        "lost": lost,
                        "share": round(lost / int(whole.sum()), 6),
                        "what": what,
                    }
                )
    return found
