"""Train a tiny GPT on an export, from three of its formats, and compare what they gave.

    corpus export FILE.jsonl -o EXPORT --format megatron --format nanogpt --format parquet
    python examples/train_tiny/train.py EXPORT

The same batches are drawn from Megatron's pair (mapped into memory by its index), from nanoGPT's
``train.bin``, and from the Parquet (through ``datasets``, tokenized here). They must be equal, id
by id. The model is then trained once from the shards and once from the Parquet, from the same
start: both losses must fall, and be the same. Needs torch and datasets; no GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # the folder is here: nothing is to be fetched

import datasets
import numpy as np
import torch
from model import Tiny

from corpus import tokens

Ids = np.ndarray[tuple[int], np.dtype[np.int64]]
KINDS = {4: np.int32, 8: np.uint16}


def megatron(export: Path, config: str, made: dict[str, Any]) -> Ids:
    """The ids of Megatron's pairs, each sequence from where the index says."""
    del made
    found = []
    for path in sorted((export / "megatron" / config).glob("train-*.idx")):
        raw = path.read_bytes()
        _, _, code, count, _ = struct.unpack_from("<9sQBQQ", raw)
        lengths = np.frombuffer(raw, np.int32, count, 34)
        starts = np.frombuffer(raw, np.int64, count, 34 + 4 * count)
        ids = np.memmap(path.with_suffix(".bin"), dtype=KINDS[code], mode="r")
        size = ids.itemsize
        found += [ids[a // size : a // size + n] for a, n in zip(starts, lengths, strict=True)]
    return np.concatenate(found).astype(np.int64)


def nanogpt(export: Path, config: str, made: dict[str, Any]) -> Ids:
    """The ids of nanoGPT's one file."""
    del made
    return np.fromfile(export / "nanogpt" / config / "train.bin", np.uint16).astype(np.int64)


def parquet(export: Path, config: str, made: dict[str, Any]) -> Ids:
    """The texts of the Parquet, tokenized here, an end-of-text id after each."""
    rows = datasets.load_dataset(str(export / "parquet"), config, split="train")
    tokenizer = tokens.load(made["tokenizer"]["name"])
    end = made["tokenizer"]["eos_id"]
    ids = [[*document, end] for document in tokenizer.encode(list(rows["text"]))]
    return np.concatenate([np.array(document, dtype=np.int64) for document in ids])


SOURCES = {"megatron": megatron, "nanogpt": nanogpt, "parquet": parquet}


def batches(ids: Ids, steps: int, size: int, context: int, seed: int) -> Iterator[torch.Tensor]:
    """Yield ``steps`` batches of ``size`` windows of ``context + 1`` ids, from seeded places."""
    chance = np.random.default_rng(seed)
    for _ in range(steps):
        starts = chance.integers(0, len(ids) - context, size)
        yield torch.from_numpy(np.stack([ids[start : start + context + 1] for start in starts]))


def train(ids: Ids, vocabulary: int, chosen: argparse.Namespace) -> list[float]:
    """The loss of every step, in nats per token."""
    torch.manual_seed(chosen.seed)
    model = Tiny(vocabulary, chosen.context)
    optimizer = torch.optim.AdamW(model.parameters(), lr=chosen.rate)
    losses = []
    for batch in batches(ids, chosen.steps, chosen.batch, chosen.context, chosen.seed):
        loss = model(batch[:, :-1], batch[:, 1:])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def compared(sources: dict[str, Ids], chosen: argparse.Namespace) -> int:
    """How many batches are equal in all sources; raises on the first that is not."""
    drawn = [
        batches(ids, chosen.steps, chosen.batch, chosen.context, chosen.seed)
        for ids in sources.values()
    ]
    count = 0
    for first, *others in zip(*drawn, strict=True):
        if not all(torch.equal(first, other) for other in others):
            raise SystemExit(f"batch {count} is not the same in {', '.join(sources)}")
        count += 1
    return count


def fell(losses: list[float]) -> tuple[float, float]:
    """The mean of the first and of the last tenth; raises if it is not lower."""
    tenth = max(1, len(losses) // 10)
    first, last = sum(losses[:tenth]) / tenth, sum(losses[-tenth:]) / tenth
    if not last < first:
        raise SystemExit(f"the loss did not fall: {first:.3f} to {last:.3f}")
    return first, last


def options(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("export", type=Path, help="a folder with megatron/, nanogpt/ and parquet/")
    parser.add_argument("--config", default="default", help="the subset to train on")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> dict[str, Any]:
    """Compare, train twice, and print what came of it as one JSON object."""
    chosen = options(arguments)
    torch.set_num_threads(chosen.threads)
    made = json.loads((chosen.export / "manifest.json").read_text(encoding="utf-8"))
    sources = {name: read(chosen.export, chosen.config, made) for name, read in SOURCES.items()}
    told: dict[str, Any] = {"ids": {name: len(ids) for name, ids in sources.items()}}
    told["equal_batches"] = compared(sources, chosen)
    begun = time.process_time()
    runs = {
        name: train(sources[name], made["tokenizer"]["vocab_size"], chosen)
        for name in ("megatron", "parquet")
    }
    told["cpu_seconds"] = round(time.process_time() - begun, 1)
    for name, losses in runs.items():
        told[f"loss_{name}"] = [round(value, 4) for value in fell(losses)]
    if runs["megatron"] != runs["parquet"]:
        raise SystemExit("the two runs do not have the same losses, step by step")
    print(json.dumps(told, indent=1))
    return told


if __name__ == "__main__":
    main(sys.argv[1:])
