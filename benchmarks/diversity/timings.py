"""CPU seconds, growth, and equality with the packages of others."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from corpora import babble, sample

from corpus.score import Text, score
from corpus.score.parity import ngram_diversity, self_repetition
from corpus.score.topics import vendi

PEERS = Path(__file__).parent / "peers.py"


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of this process, all threads."""
    before = time.process_time()
    work()
    return time.process_time() - before


def speed(texts: Sequence[Text], _given: argparse.Namespace) -> None:
    """The suite without dedup, on 1,000 to 30,000 documents of 450 words."""
    score(texts[:50])  # imports
    taken: dict[int, float] = {}
    for count in (1_000, 3_000, 10_000, 30_000):
        made = babble(texts, count)
        taken[count] = cpu(lambda made=made: score(made))
        print(f"{count:6,} documents: {taken[count]:.1f} CPU-s", flush=True)
    print(f"3k -> 30k: {taken[30_000] / taken[3_000]:.1f}x")


def parity(texts: Sequence[Text], given: argparse.Namespace) -> None:
    """Values and CPU seconds beside ``diversity`` 0.3.1 and ``vendi-score`` 0.0.3."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.json"
        for count in (500, 1000, 1900):
            own = [text.text for text in sample(texts, count)]
            rows = np.random.default_rng(count).normal(size=(count, 64)).tolist()
            path.write_text(json.dumps({"texts": own, "rows": rows}), "utf-8")
            run = subprocess.run(
                [given.peers, PEERS, path], check=True, capture_output=True, text=True
            )
            theirs = json.loads(run.stdout.splitlines()[-1])
            matrix = np.array(rows)
            ours: dict[str, Callable[[], float]] = {
                "self_repetition": lambda own=own: self_repetition(own),
                "ngram_diversity": lambda own=own: ngram_diversity(own),
                "vendi_q1": lambda matrix=matrix: vendi(matrix),
                "vendi_q2": lambda matrix=matrix: vendi(matrix, 2),
            }
            for name, measure in ours.items():
                seconds, value = cpu(measure), measure()
                there = theirs[name]
                print(
                    f"n={count} {name}: ours {value:.7f} in {seconds:.2f} CPU-s, theirs "
                    f"{there['value']:.7f} in {there['seconds']:.2f}: "
                    f"{there['seconds'] / max(seconds, 1e-9):.1f}x, difference "
                    f"{abs(value - there['value']):.1e}",
                    flush=True,
                )


def shuffled(texts: Sequence[Text], _given: argparse.Namespace) -> None:
    """The same values whatever the order."""
    own = sample(texts, 400)
    first = score(own)
    random.Random(1).shuffle(own)  # noqa: S311 - chance that is no secret
    print("identical" if score(own) == first else "DIFFERENT")


RUNS = {"speed": speed, "parity": parity, "shuffled": shuffled}
