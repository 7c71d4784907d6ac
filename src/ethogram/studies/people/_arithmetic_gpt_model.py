"""The networks of `arithmetic-gpt`: small GPTs that learn equations token by token, and what they make of options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ethogram.nn.checkpoints import read_checkpoint, write_checkpoint
from ethogram.nn.training import Training, seeded, train
from ethogram.nn.transformers import GPT
from ethogram.seeds import derive, generator
from ethogram.studies.people._arithmetic_gpt_corpus import EQUALS, LARGEST, LENGTH, SIZE, Corpus, draw

__all__ = ["Calculator", "Shape", "calculates", "embedded", "load", "losses", "made", "parameters"]

Array = NDArray[np.float32]
GIVEN = 1.0
"""Weight of the loss on what is given in an equation, beside its answer: numbers drawn at random cannot be foretold."""


class Shape(NamedTuple):
    """Size of a network."""

    width: int
    layers: int
    heads: int


class Calculator(nn.Module):
    """A causal transformer over the tokens of equations; the last layer is the table of tokens again."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.tokens = nn.Embedding(SIZE, shape.width)
        nn.init.normal_(self.tokens.weight, std=0.02 * (320 / shape.width) ** 0.5)
        self.body = GPT(LENGTH, shape.width, shape.layers, shape.heads)

    def forward(self, tokens: Tensor) -> Tensor:
        """What is known at each token, (B, T) to (B, T, width)."""
        return self.body(self.tokens(tokens) * self.tokens.embedding_dim**0.5)

    def next(self, hidden: Tensor) -> Tensor:
        """Logits of the token that follows, (..., width) to (..., SIZE)."""
        return functional.linear(hidden, self.tokens.weight)


def parameters(shape: Shape) -> int:
    """How many numbers are learned."""
    return sum(p.numel() for p in Calculator(shape).parameters())


def made(folder: Path, shape: Shape, corpus: Corpus | None, steps: int, batch: int, rate: float, seed: int) -> None:
    """Train a network on a corpus (None: leave it as it began), and keep it in a folder; resumable.

    All networks of one seed begin with the same weights.
    """
    warmup = min(100, -(-steps // 10))
    training = Training(steps=steps, batch=batch, lr=rate, warmup=warmup, schedule="cosine", clip=1.0, seed=seed)
    with seeded(derive(seed, "weights") % 2**63):
        network = Calculator(shape)
    facts: dict[str, object] = {"shape": list(shape), "losses": []}
    if corpus is not None:

        def loss(batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
            parts = []
            for equations in batch.values():
                logits = network.next(network(equations[:, :-1]))
                each = functional.cross_entropy(logits.flatten(0, 1), equations[:, 1:].flatten(), reduction="none")
                each = each.view(len(equations), -1).mean(0)
                parts += [GIVEN * each[:-1].mean(), each[-1]]
            return torch.stack(parts).mean()

        history = train(
            network, loss, lambda rng: draw(rng, corpus, training.batch), training, to=folder / "training", progress=False
        )
        facts["losses"] = [float(part.mean()) for part in np.array_split(history.losses, min(50, training.steps))]
    write_checkpoint(folder / "network.safetensors", facts, dict(network.state_dict()))
    (folder / "training" / "checkpoint.safetensors").unlink(missing_ok=True)  # it is three times as large


def load(folder: Path) -> Calculator:
    """The network that `made` kept."""
    facts, weights = read_checkpoint(folder / "network.safetensors")
    network = Calculator(Shape(*facts["shape"]))
    network.load_state_dict(weights)
    return network.eval()


def losses(folder: Path) -> list[float]:
    """The losses of a network's training, in fifty parts; none where it was not trained."""
    return list(read_checkpoint(folder / "network.safetensors")[0]["losses"])


@torch.no_grad()
def embedded(network: Calculator, texts: Sequence[NDArray[np.int64]], batch: int = 512) -> Array:
    """What is known at the last token of each text, (texts, width)."""
    found = np.empty((len(texts), network.tokens.embedding_dim), dtype=np.float32)
    lengths = np.array([len(text) for text in texts])
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        for start in range(0, len(rows), batch):
            some = rows[start : start + batch]
            found[some] = network(torch.from_numpy(np.stack([texts[i] for i in some])))[:, -1].numpy()
    return found


@torch.no_grad()
def calculates(network: Calculator, corpus: Corpus, n: int, seed: int) -> dict[str, float]:
    """How well it calculates new equations of a corpus: correlation of its answers with the true ones, by kind."""
    found = {}
    for kind, tokens in draw(generator(seed, "new"), corpus, n).items():
        at = int(np.flatnonzero(tokens[0] == EQUALS)[0])
        logits = network.next(torch.from_numpy(embedded(network, list(tokens[:, : at + 1]))))
        values = torch.arange(2 * LARGEST + 1) - float(LARGEST)
        answer = (logits[:, : len(values)].softmax(-1) @ values).numpy()
        found[kind] = float(np.corrcoef(answer, tokens[:, -1] - LARGEST)[0, 1])
    return found
