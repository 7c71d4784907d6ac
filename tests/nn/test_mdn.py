"""The mixture-density LSTM against hand values, and what dropout leaves alone."""

import math

import pytest
import torch

from ethogram.nn.mdn import MDNLSTM, Masks, Memory, Prediction
from ethogram.nn.networks import Mixture

NORM = math.log(math.sqrt(2 * math.pi))


def prediction(logits, means, stds):
    parts = [torch.tensor(x)[..., None] for x in (means, stds)]
    zero = torch.zeros(())
    return Prediction(Mixture(torch.tensor(logits), *parts), zero, zero)


def test_likelihood_is_a_product_of_mixtures():
    # first number: 1/4 N(0, 1) + 3/4 N(2, 0.5); second: N(1, 2), twice the same component
    made = prediction([[0.0, math.log(3)], [5.0, 5.0]], [[0.0, 2.0], [1.0, 1.0]], [[1.0, 0.5], [2.0, 2.0]])
    first = 0.25 * math.exp(-0.5) / math.sqrt(2 * math.pi) + 0.75 * math.exp(-2.0) / (0.5 * math.sqrt(2 * math.pi))
    second = -0.5 * (2 / 2) ** 2 - math.log(2) - NORM
    assert made.log_likelihood(torch.tensor([1.0, 3.0])).item() == pytest.approx(math.log(first) + second, rel=1e-6)


def test_draws_have_the_moments_of_the_mixture_at_any_temperature():
    made = prediction([[0.0, math.log(3)]], [[0.0, 2.0]], [[1.0, 0.5]])
    generator = torch.Generator().manual_seed(0)
    uniform, normal = torch.rand(200_000, 1, generator=generator), torch.randn(200_000, 1, generator=generator)
    whole = Prediction(Mixture(*(x.expand(200_000, *x.shape) for x in made.latent)), made.reward, made.ended)
    for temperature in (1.0, 0.5):
        share = 1 / (1 + 3 ** (1 / temperature))
        mean = (1 - share) * 2
        variance = temperature * (share * 1 + (1 - share) * 0.25) + share * mean**2 + (1 - share) * (2 - mean) ** 2
        drawn = whole.sample(uniform, normal, temperature)
        assert drawn.mean().item() == pytest.approx(mean, abs=0.01)
        assert drawn.var().item() == pytest.approx(variance, rel=0.02)
    assert (whole.sample(uniform, normal, 0.0) == 2.0).all()


def test_a_sequence_is_its_steps_and_agrees_with_torch():
    torch.manual_seed(1)
    model = MDNLSTM(3, 2, hidden=8, mixtures=2)
    latents, actions = torch.randn(4, 6, 3), torch.randn(4, 6, 2)
    told, memory = model(latents, actions)
    own = model.begin(4)
    for t in range(6):
        own = model.step(latents[:, t], actions[:, t], own)
        assert torch.allclose(model.predict(own.hidden).latent.means, told.latent.means[:, t], atol=1e-6)
    reference = torch.nn.LSTM(5, 8, batch_first=True)
    reference.load_state_dict(
        {
            "weight_ih_l0": model.reads.weight,
            "bias_ih_l0": model.reads.bias,
            "weight_hh_l0": model.recurs.weight,
            "bias_hh_l0": torch.zeros(32),
        }
    )
    # torch has the gates as input, forget, cell, output; ours are input, forget, cell, output too
    _, (hidden, cell) = reference(torch.cat([latents, actions], -1))
    assert torch.allclose(hidden[0], memory.hidden, atol=1e-6) and torch.allclose(cell[0], memory.cell, atol=1e-6)


def test_masks_spare_actions_and_hold_for_the_sequence():
    torch.manual_seed(2)
    model = MDNLSTM(3, 2, hidden=8)
    masks = Masks.of(torch.rand(5, 11), 3, 0.4)
    values = set(torch.cat(masks, -1).unique().tolist())
    assert sorted(values) == pytest.approx([0.0, 1 / 0.6])
    nothing = Masks(torch.zeros(5, 3), torch.zeros(5, 8))
    actions = torch.randn(5, 4, 2)
    one = model(torch.randn(5, 4, 3), actions, masks=nothing)[1]
    other = model(torch.randn(5, 4, 3), actions, masks=nothing)[1]
    assert torch.equal(one.hidden, other.hidden)  # latents are hidden from it ...
    assert not torch.equal(
        one.hidden, model(torch.zeros(5, 4, 3), 2 * actions, masks=nothing)[1].hidden
    )  # ... actions are not
    memory = Memory(torch.randn(5, 8), torch.randn(5, 8))
    latents = torch.randn(5, 4, 3)
    whole, _ = model(latents, actions, memory, masks)
    for t in range(4):
        memory = model.step(latents[:, t], actions[:, t], memory, masks)
    assert torch.allclose(model.predict(memory.hidden).ended, whole.ended[:, -1], atol=1e-6)
