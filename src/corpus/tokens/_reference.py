"""The reference: ids as ``tokenizers`` gives them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from corpus.tokens import Ids, Tokenizer


def reference(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Ids]:
    """The ids of each text, no boundary token among them."""
    if not texts:
        return []
    encoded = tokenizer.engine.encode_batch_fast(list(texts), add_special_tokens=False)
    return [np.frombuffer(array("I", one.ids), dtype=np.uint32) for one in encoded]
