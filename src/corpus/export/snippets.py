"""How to load what was written: a few lines for the trainers of each format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

READERS: Mapping[str, str] = {
    "parquet": "datasets, TRL, torchtitan; nanochat takes the folder of one config",
    "jsonl": "datasets, dolma, Levanter, Axolotl",
    "megatron": "Megatron-Core, NeMo, GPT-NeoX, MaxText: their data path is the prefix",
    "olmo": "OLMo-core; with masks, give label_mask_paths too",
    "nanogpt": "nanoGPT: the folder of a config is its data folder",
    "llmc": "llm.c, modded-nanogpt: a pattern of files",
    "datatrove": "datatrove, nanotron",
    "webdataset": "WebDataset",
    "mds": "mosaicml-streaming, which checks sha256 as it reads",
    "arrayrecord": "Grain, MaxText",
}
CODE: Mapping[str, str] = {
    "parquet": """
from datasets import load_dataset

rows = load_dataset("PATH/parquet", "{config}", split="{split}")
""",
    "jsonl": """
from datasets import load_dataset

rows = load_dataset("PATH/jsonl", "{config}", split="{split}")
""",
    "megatron": """
from megatron.core.datasets.indexed_dataset import IndexedDataset

data = IndexedDataset("PATH/megatron/{first}")
""",
    "olmo": """
from olmo_core.data import NumpyFSLDatasetConfig, TokenizerConfig

config = NumpyFSLDatasetConfig.glob(
    "PATH/olmo/{config}/{split}-*.npy",
    tokenizer=TokenizerConfig({vocabulary}, eos_token_id={eos}, pad_token_id={eos}),
    sequence_length=2048,
)
""",
    "nanogpt": """
import numpy as np

data = np.memmap("PATH/nanogpt/{config}/train.bin", dtype=np.uint16, mode="r")
""",
    "llmc": """
train_files = "PATH/llmc/{config}/{config}_train_*.bin"
""",
    "datatrove": """
from datatrove.utils.dataset import DatatroveFolderDataset

data = DatatroveFolderDataset(
    "PATH/datatrove/{config}", seq_len=2048, filename_pattern="{split}-*.ds"
)
""",
    "webdataset": """
import webdataset as wds

data = wds.WebDataset("PATH/webdataset/{first}.tar").decode()
""",
    "mds": """
from streaming import StreamingDataset

data = StreamingDataset(local="PATH/mds/{config}", split="{split}", validate_hash="sha256")
""",
    "arrayrecord": """
import glob

import grain.python as grain

data = grain.ArrayRecordDataSource(sorted(glob.glob("PATH/arrayrecord/{config}/{split}-*")))
""",
}


def snippets(files: Mapping[str, str], tokenizer: Mapping[str, Any]) -> list[str]:
    """The lines for each format, by its first shard; ``PATH`` is the folder of all formats."""
    about = {"vocabulary": tokenizer["vocab_size"], "eos": tokenizer["eos_id"]}
    lines = []
    for name in filter(CODE.__contains__, files):
        config, _, base = files[name].partition("/")
        first = files[name].removesuffix("".join(PurePath(base).suffixes))
        split = base.partition("-")[0].partition("/")[0]
        code = CODE[name].strip()
        slots = {"config": config, "split": split, "first": first, **about}
        for slot, value in slots.items():
            code = code.replace(f"{{{slot}}}", str(value))
        lines += [f"{name}: {READERS[name]}.", "", "```python", *code.split("\n"), "```", ""]
    return lines
