"""JSON Lines to train.bin and val.bin as nanoGPT prepares them, one process.

Arguments: IN RANKS OUT. The ranks of GPT-2 come from a file, since tiktoken would fetch them.
Source: karpathy/nanoGPT, data/openwebtext/prepare.py: the same calls, split and dtype; 16 batches
instead of 1,024, because this text is 300 times smaller.
"""

import sys
from pathlib import Path

import numpy as np
import tiktoken
from datasets import load_dataset
from tiktoken.load import load_tiktoken_bpe

source, ranks, out = sys.argv[1:]
PATTERN = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""
encoding = tiktoken.Encoding(
    name="gpt2",
    pat_str=PATTERN,
    mergeable_ranks=load_tiktoken_bpe(ranks),
    special_tokens={"<|endoftext|>": 50256},
)


def process(example: dict[str, str]) -> dict[str, object]:
    ids = encoding.encode_ordinary(example["text"])
    ids.append(encoding.eot_token)
    return {"ids": ids, "len": len(ids)}


Path(out).mkdir(parents=True, exist_ok=True)
dataset = load_dataset("json", data_files=source, cache_dir=f"{out}/cache")
parts = dataset["train"].train_test_split(test_size=0.0005, seed=2357, shuffle=True)
parts["val"] = parts.pop("test")
tokenized = parts.map(process, remove_columns=["text"], desc="tokenizing", num_proc=1)
for split, rows in tokenized.items():
    length = int(np.sum(rows["len"], dtype=np.uint64))
    path = Path(out) / f"{split}.bin"
    array = np.memmap(path, dtype=np.uint16, mode="w+", shape=(length,))
    total, place = min(16, len(rows)), 0
    for number in range(total):
        batch = rows.shard(num_shards=total, index=number, contiguous=True).with_format("numpy")
        if len(batch):
            joined = np.concatenate(batch["ids"])
            array[place : place + len(joined)] = joined
            place += len(joined)
    array.flush()
