"""A GPT small enough to train on a laptop: two layers, one file, nothing but torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Block(nn.Module):
    """Attention to what came before, then a perceptron, each added to its input."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.think = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, width) to the same."""
        batch, time, width = x.shape
        shape = batch, time, self.heads, width // self.heads
        parts = self.mix(self.before(x)).split(width, dim=2)
        query, key, value = (part.view(shape).transpose(1, 2) for part in parts)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, time, width))
        return x + self.think(self.between(x))


class Tiny(nn.Module):
    """Predicts the next id; input and output share one embedding."""

    def __init__(
        self, vocabulary: int, context: int, *, width: int = 64, layers: int = 2, heads: int = 4
    ) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.last = nn.LayerNorm(width)
        for table in (self.tokens, self.places):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        """The mean cross entropy, in nats per token, of ``targets`` after ``ids``."""
        x = self.tokens(ids) + self.places(torch.arange(ids.shape[1]))
        logits = functional.linear(self.last(self.blocks(x)), self.tokens.weight)
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
