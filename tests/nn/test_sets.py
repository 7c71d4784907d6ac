"""Sets: the product of experts by hand, order that is nothing, and an autoencoder that tells groups apart."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.nn.sets import SetAutoencoder, SetEncoder, in_order, product_of_experts
from ethogram.nn.training import Training, seeded, train


def test_the_product_of_experts_by_hand() -> None:
    means = torch.tensor([[1.0, 0.0], [4.0, 0.0], [7.0, 6.0]])
    variances = torch.tensor([[1.0, 1.0], [0.5, 2.0], [1.0, 2.0]])
    found = product_of_experts(means, variances)
    # precisions 1, 2, 1: mean (1 + 8 + 7) / 4; and 1, 1/2, 1/2: mean 3 / 2
    assert found.mean.tolist() == pytest.approx([4.0, 1.5])
    assert found.log_variance.exp().tolist() == pytest.approx([0.25, 0.5])
    grid = torch.linspace(-10, 15, 20001, dtype=torch.float64)
    density = torch.exp(-0.5 * ((grid[:, None] - means[:, 0]) ** 2 / variances[:, 0]).sum(1))
    density /= density.sum()
    assert (density * grid).sum().item() == pytest.approx(4.0, abs=1e-6)
    assert (density * (grid - 4) ** 2).sum().item() == pytest.approx(0.25, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_order_is_nothing(n: int, columns: int, seed: int) -> None:
    with seeded(seed):
        encoder = SetEncoder(columns, 4, (16,))
        x = torch.randint(-3, 4, (3, n, columns)) + 0.1 * torch.randn(3, n, 1).round(decimals=1)  # many ties
        order = torch.randperm(n)
    assert torch.equal(in_order(x), in_order(x[:, order]))
    rows = [tuple(row) for row in x[0].tolist()]
    assert [tuple(row) for row in in_order(x)[0].tolist()] == sorted(rows)
    for a, b in zip(encoder(x), encoder(x[:, order]), strict=True):
        assert torch.equal(a, b)


def test_more_members_make_a_surer_code() -> None:
    with seeded(0):
        encoder, x = SetEncoder(2, 3), torch.randn(40, 2)
    few, many = encoder(x[:10]), encoder(x)
    assert (many.log_variance < few.log_variance).all()
    twice = encoder(torch.cat([x, x]))
    assert torch.allclose(twice.mean, many.mean, atol=1e-5)
    assert torch.allclose(twice.log_variance, many.log_variance - np.log(2), atol=1e-5)


def test_the_bound_by_hand() -> None:
    with seeded(1):
        model, x = SetAutoencoder(1, 1, (4,)), torch.randn(5, 1)
    posterior = model.encode(x)
    noise = torch.randn((1,), generator=torch.Generator().manual_seed(3))
    mean, deviation = model.describe(posterior.mean + (0.5 * posterior.log_variance).exp() * noise)
    density = torch.distributions.Normal(mean, deviation).log_prob(x).sum()
    kl = torch.distributions.kl_divergence(
        torch.distributions.Normal(posterior.mean, (0.5 * posterior.log_variance).exp()), torch.distributions.Normal(0, 1)
    )
    found = model.elbo(x, torch.Generator().manual_seed(3))
    assert found.item() == pytest.approx(((density - kl.sum()) / 5).item(), rel=1e-5)


def test_it_learns_the_distribution_of_each_set() -> None:
    with seeded(0):
        model = SetAutoencoder(1, 2, (32,))

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        centre, spread = rng.uniform(-2, 2, (32, 1, 1)), rng.uniform(0.2, 1.0, (32, 1, 1))
        return {"x": centre + spread * rng.standard_normal((32, 40, 1))}

    training = Training(steps=600, lr=5e-3, schedule="cosine")
    train(model, lambda batch, noise: -model.elbo(batch["x"], noise).mean(), draw, training, progress=False)
    rng = np.random.default_rng(7)
    for centre, spread in ((-1.5, 0.3), (0.5, 0.9), (1.2, 0.5)):
        x = torch.from_numpy(rng.normal(centre, spread, (1, 2000, 1)).astype(np.float32))
        with torch.no_grad():
            mean, deviation = model.describe(model.encode(x).mean)
        assert mean.item() == pytest.approx(centre, abs=0.12)
        assert deviation.item() == pytest.approx(spread, abs=0.15)
