"""How to load what was written: a few lines for the trainers of each format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

BLOCKS: Mapping[str, tuple[str, str]] = {
    "parquet": (
        "datasets, TRL, torchtitan; nanochat takes the folder of one config as its data folder",
        "from datasets import load_dataset\n\n"
        'rows = load_dataset("PATH/parquet", "{config}", split="{split}")',
    ),
    "jsonl": (
        "datasets, dolma, Levanter, Axolotl",
        "from datasets import load_dataset\n\n"
        'rows = load_dataset("PATH/jsonl", "{config}", split="{split}")',
    ),
    "megatron": (
        "Megatron-Core, NeMo, GPT-NeoX, MaxText: --data-path takes the prefix",
        "from megatron.core.datasets.indexed_dataset import IndexedDataset\n\n"
        'data = IndexedDataset("PATH/megatron/{first}")',
    ),
    "olmo": (
        "OLMo-core: dtype uint16 below 65,536 ids, else uint32; with masks, label_mask_paths too",
        "from olmo_core.data import NumpyDatasetDType, NumpyFSLDatasetConfig\n\n"
        'config = NumpyFSLDatasetConfig.glob("PATH/olmo/{config}/{split}-*.npy",\n'
        "                                    dtype=NumpyDatasetDType.uint16, ...)",
    ),
    "nanogpt": (
        "nanoGPT: a folder per config is its data folder",
        "import numpy as np\n\n"
        'data = np.memmap("PATH/nanogpt/{config}/train.bin", dtype=np.uint16, mode="r")',
    ),
    "llmc": (
        "llm.c, modded-nanogpt: a pattern of files",
        'train_files = "PATH/llmc/{config}/{config}_train_*.bin"',
    ),
    "datatrove": (
        "datatrove, nanotron",
        "from datatrove.utils.dataset import DatatroveFolderDataset\n\n"
        'data = DatatroveFolderDataset("PATH/datatrove/{config}", seq_len=2048,\n'
        '                              filename_pattern="{split}-*.ds")',
    ),
    "webdataset": (
        "WebDataset",
        'import webdataset as wds\n\ndata = wds.WebDataset("PATH/webdataset/{first}.tar").decode()',
    ),
    "mds": (
        "mosaicml-streaming, which checks sha256 as it reads",
        "from streaming import StreamingDataset\n\n"
        'data = StreamingDataset(local="PATH/mds/{config}", split="{split}",\n'
        '                        validate_hash="sha256")',
    ),
    "arrayrecord": (
        "Grain, MaxText",
        "import glob\n\nimport grain.python as grain\n\n"
        'data = grain.ArrayRecordDataSource(sorted(glob.glob(\n    "PATH/arrayrecord/{config}/{split}-*")))',
    ),
}


def snippets(files: Mapping[str, str]) -> list[str]:
    """The lines for each format, with its first shard; ``PATH`` is the folder of all formats."""
    lines = []
    for name, file in files.items():
        if name in BLOCKS:
            readers, code = BLOCKS[name]
            config, _, base = file.partition("/")
            first = file[: -len("".join(PurePath(file).suffixes)) or None]
            split = base.partition("-")[0].partition("/")[0]
            for slot, value in (("config", config), ("split", split), ("first", first)):
                code = code.replace(f"{{{slot}}}", value)
            lines += [f"{name}: {readers}.", "", "```python", *code.split("\n"), "```", ""]
    return lines
