"""A training to be killed: dropout, noise, averaged weights, validation. Run as a script it trains into the folder given."""

import sys
from pathlib import Path

import numpy as np
import torch

from ethogram.nn import training
from ethogram.nn.networks import MLP

SETTINGS = training.Training(
    steps=400,
    batch=32,
    lr=1e-2,
    warmup=20,
    schedule="cosine",
    clip=0.5,
    ema=0.98,
    weight_decay=0.01,
    validate_every=10,
    seed=3,
)
X = np.random.default_rng(0).normal(size=(200, 5))
Y = np.sin(X[:, :2])


def module():
    with training.seeded(1):
        return MLP(5, 2, (16, 16), dropout=0.2)


def draw(rng):
    chosen = rng.integers(len(X), size=SETTINGS.batch)
    return {"x": X[chosen], "y": Y[chosen]}


def fit(net, settings=SETTINGS, to=None, draw=draw, validated=True, after=None):
    held_out = training.tensors({"x": X, "y": Y})
    steps = 0

    def loss(batch, noise):
        nonlocal steps
        steps += net.training
        if after is not None and steps > after:
            raise KeyboardInterrupt
        jitter = 0.1 * torch.randn(batch["x"].shape, generator=noise)
        return (net(batch["x"] + jitter) - batch["y"]).square().mean()

    validate = (lambda noise: loss(held_out, noise)) if validated else None
    return training.train(net, loss, draw, settings, validate=validate, to=to, progress=False)


if __name__ == "__main__":
    torch.set_num_threads(1)
    training.CHECKPOINT_SECONDS = 0.0
    fit(module(), to=Path(sys.argv[1]))
