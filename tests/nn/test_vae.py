import math

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from ethogram.nn.training import Training, train
from ethogram.nn.vae import CVAE, VAE, Posterior, kl_to_standard


def test_kl_by_hand():
    assert kl_to_standard(torch.zeros(3), torch.zeros(3)).item() == 0
    assert kl_to_standard(torch.tensor([1.0]), torch.tensor([0.0])).item() == 0.5
    assert kl_to_standard(torch.tensor([0.0]), torch.tensor([math.log(4.0)])).item() == pytest.approx(
        (4 - math.log(4) - 1) / 2
    )
    mean, log_variance = torch.randn(4, 3), torch.randn(4, 3)
    oracle = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(-1)
    torch.testing.assert_close(Posterior(mean, log_variance).kl(), oracle)


def linear(noise=0.7):
    """A VAE that is probabilistic PCA with its exact posterior (its loadings are orthogonal), and log p(x)."""
    loadings = torch.tensor([[1.5, 0.0], [0.0, 0.8], [1.5, 0.0], [0.0, -0.8]])
    centre = torch.tensor([1.0, -2.0, 0.5, 0.0])
    model = VAE(4, 2, (), noise)
    precision = loadings.T @ loadings / noise**2 + torch.eye(2)
    gain = torch.linalg.inv(precision) @ loadings.T / noise**2
    with torch.no_grad():
        decoder, encoder = model.decoder[0], model.encoder[0]
        decoder.weight.copy_(loadings)
        decoder.bias.copy_(centre)
        encoder.weight.copy_(torch.cat([gain, torch.zeros(2, 4)]))
        encoder.bias.copy_(torch.cat([-gain @ centre, -precision.diag().log()]))
    return model, MultivariateNormal(centre, loadings @ loadings.T + noise**2 * torch.eye(4))


@torch.no_grad()
def test_elbo_is_the_evidence_at_the_exact_posterior_and_below_it_by_the_kl_elsewhere():
    model, evidence = linear()
    noise = torch.Generator().manual_seed(1)
    x = evidence.sample((3,))
    many = x.expand(100_000, 3, 4)
    exact = model.elbo(many, generator=noise)
    error = exact.std(0) / math.sqrt(len(many))
    assert ((exact.mean(0) - evidence.log_prob(x)).abs() < 4 * error + 1e-5).all()

    posterior = model.encode(x)
    model.encoder[0].bias += torch.tensor([0.3, 0.0, 0.0, 0.5])
    other = model.encode(x)
    gap = kl_divergence(*(Normal(p.mean, (p.log_variance / 2).exp()) for p in (other, posterior))).sum(-1)
    worse = model.elbo(many, generator=noise)
    error = worse.std(0) / math.sqrt(len(many))
    assert ((worse.mean(0) - (evidence.log_prob(x) - gap)).abs() < 4 * error + 1e-5).all() and (gap > 0.05).all()
    without = model.elbo(many, generator=noise, beta=0.0).mean(0)
    assert ((without - worse.mean(0) - other.kl()).abs() < 8 * error).all()


def test_a_conditional_one_learns_a_known_distribution():
    rng = np.random.default_rng(0)

    def draw(rng, n=256):
        c = rng.normal(size=(n, 1))
        return {"c": c, "x": 2 * c + rng.normal(size=(n, 1))}  # x | c is N(2c, 1): its entropy is known

    torch.manual_seed(0)
    model = CVAE(1, 1, 1, (32,), noise=0.5)

    def loss(batch, noise):
        return -model.elbo(batch["x"], batch["c"], noise).mean()

    train(model, loss, draw, Training(steps=800, lr=5e-3, schedule="cosine"), progress=False)
    test = {name: torch.from_numpy(array).float() for name, array in draw(rng, 20_000).items()}
    with torch.no_grad():
        bound = model.elbo(test["x"], test["c"], torch.Generator().manual_seed(0)).mean().item()
    entropy = 0.5 * math.log(2 * math.pi * math.e)
    assert -entropy - 0.05 < bound < -entropy + 0.03
