"""The U-Net along time: what it begins as, what an output depends on, and the lengths it can take."""

import pytest
import torch

from ethogram.errors import ConfigError
from ethogram.nn.training import seeded
from ethogram.nn.unet1d import UNet1d


@pytest.fixture
def net() -> UNet1d:
    """One whose last layer of each block, zero at the beginning, has learnt something."""
    with seeded(0):
        net = UNet1d(3, width=8, multiples=(1, 2, 4))
        for parameter in net.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.3)
    return net.double()


def test_it_begins_by_saying_the_same_of_everything_and_all_of_it_can_learn() -> None:
    with seeded(1):
        net, x, level = UNet1d(3, width=8), torch.randn(2, 8, 3), torch.rand(2)
    assert (net(x, level) == net.outward[-1].bias).all()
    with torch.no_grad():
        net.outward[-1].weight.fill_(0.1)
    for block in (*net.down, net.middle, *net.up):
        torch.nn.init.normal_(block.second.weight)
    net(x, level).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())


def test_an_output_depends_on_its_own_sequence_and_level_and_on_all_of_its_steps(net: UNet1d) -> None:
    with seeded(2):
        x, level = torch.randn(3, 16, 3, dtype=torch.float64), torch.rand(3, dtype=torch.float64)
    before = net(x, level)
    assert before.shape == (3, 16, 3)
    for changed, levels in ((x + torch.eye(3)[1, :, None, None], level), (x, level + torch.eye(3)[1])):
        moved = (net(changed, levels) - before).abs().amax(-1)
        assert (moved[[0, 2]] < 1e-12).all() and (moved[1] > 1e-6).all()
    x = x.requires_grad_()
    (slope,) = torch.autograd.grad(net(x, level)[0, 0].sum(), x)
    assert (slope[0].abs().amax(-1) > 0).all() and not slope[1:].any()  # the first step is told of the last, far away


def test_lengths_and_settings_that_do_not_fit(net: UNet1d) -> None:
    with pytest.raises(ConfigError, match="10 steps cannot be halved 2 times"):
        net(torch.zeros(1, 10, 3, dtype=torch.float64), torch.zeros(1, dtype=torch.float64))
    for wrong in ({"width": 7}, {"kernel": 4}):
        with pytest.raises(ConfigError, match="even width and an odd kernel"):
            UNet1d(3, **wrong)
