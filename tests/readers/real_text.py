"""Real text and its shards, for the tests of the trainers' own libraries.

The text is this repository's documentation and source, in paragraphs, or the JSON Lines file that
the environment variable CORPUS_READERS_TEXT names.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from corpus import formats, tokens
from corpus.formats import Layout, Outline, Row

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = Path(__file__).parents[2]
GPT2 = tokens.load("gpt2")
SHARD_TOKENS = 50_000


@dataclass(frozen=True)
class Shards:
    """One format's shards of the documents' training split, and the rows that they hold."""

    folder: Path
    files: list[Path]
    rows: list[Row]

    @property
    def ids(self) -> list[list[int]]:
        return [row.ids.tolist() for row in self.rows]


def texts() -> Iterator[str]:
    """Some thousand documents of real text."""
    given = os.environ.get("CORPUS_READERS_TEXT")
    if given:
        with Path(given).open(encoding="utf-8") as file:
            yield from (json.loads(line)["text"] for line in file)
        return
    for pattern in ("*.md", "*.py", "*.toml"):
        for path in sorted(ROOT.glob(f"[cdst]*/**/{pattern}")):
            for piece in path.read_text(encoding="utf-8").split("\n\n\n"):
                if piece.strip():
                    yield piece


def rows(*, masked: bool = False) -> list[Row]:
    """The texts with their ids; if ``masked``, the first words of every third carry no loss."""
    made = []
    for number, text in enumerate(texts()):
        # Literals of special tokens are tested on their own: most libraries take them for real.
        plain = text.replace("<|endoftext|>", "<end>")
        encoding = GPT2.engine.encode(plain, add_special_tokens=False)
        ids = np.array([*encoding.ids, 50256], dtype=np.uint32)
        about: dict[str, Any] = {}
        if masked:
            words = min(1 + number % 5, len(encoding.offsets) - 1) if number % 3 == 0 else 0
            while words and encoding.offsets[words][0] < encoding.offsets[words - 1][1]:
                words -= 1  # several tokens make one character: a span has whole ones
            loss = np.arange(len(ids)) >= words
            spans = ((0, encoding.offsets[words][0]),) if words else None
            about = {"no_loss": spans, "loss": loss}
        made.append(Row(f"d{number}", "documents", text=plain, ids=ids, **about))
    return made


def written(folder: Path, name: str, given: list[Row], **options: Any) -> Shards:
    """The shards of ``given`` in one format."""
    layout = Layout(GPT2, **options)
    parts = formats.plan(map(Outline.of, given), SHARD_TOKENS)
    formats.check([name], parts, layout)
    shards = formats.write(iter(given), parts, folder, [name], layout)[name]
    return Shards(folder / name, [folder / name / shard.file for shard in shards], given)
