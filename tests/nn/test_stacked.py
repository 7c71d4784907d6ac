"""Stacked networks: a copy learns what it would learn alone, by the optimiser it is said to be."""

import numpy as np
import pytest
import torch

from ethogram.nn.stacked import StackedAdam, StackedMLP, Streams


def trained(seeds: list[int], lr: float | list[float], steps: int = 20) -> tuple[StackedMLP, torch.Tensor]:
    """Networks after some steps towards a function, and their outputs on one input."""
    net = StackedMLP([3, 8, 2], seeds)
    adam, streams = StackedAdam(net, lr, weight_decay=0.1), Streams(seeds, "data")
    for _ in range(steps):
        x = torch.from_numpy(streams.random(16, 3))
        adam.step((net(x) - x[..., :2].square()).square().mean((1, 2)))
    return net, net(torch.full((len(seeds), 1, 3), 0.5)).detach()


def test_a_copy_does_not_depend_on_its_neighbours() -> None:
    _, together = trained([5, 6, 7], [0.01, 0.02, 0.03])
    _, alone = trained([6], 0.02)
    assert together[1].numpy() == pytest.approx(alone[0].numpy(), abs=1e-5)
    assert not np.allclose(together[0], together[1])


def test_the_optimiser_is_adamw() -> None:
    net, other = StackedMLP([3, 4, 1], [0]), StackedMLP([3, 4, 1], [0])
    ours = StackedAdam(net, 0.05, betas=(0.9, 0.99), eps=1e-5, weight_decay=0.2)
    theirs = torch.optim.AdamW(other.parameters(), 0.05, (0.9, 0.99), 1e-5, 0.2)
    x = torch.linspace(-1, 1, 12).view(1, 4, 3)
    for _ in range(10):
        ours.step(net(x).square().mean((1, 2)))
        theirs.zero_grad()
        other(x).square().mean().backward()
        theirs.step()
    for mine, their in zip(net.parameters(), other.parameters(), strict=True):
        assert mine.detach().numpy() == pytest.approx(their.detach().numpy(), abs=2e-5)


def test_streams_are_of_the_seed_and_the_name() -> None:
    one, two = Streams([1, 2], "a"), Streams([2, 3], "a")
    assert np.array_equal(one.random(4)[1], two.random(4)[0])
    assert not np.array_equal(one.random(4)[1], Streams([2], "b").random(4)[0])
