"""DDPM against diffusers' schedulers and a Gaussian, whose noise can be told exactly."""

import pytest
import torch
from torch import nn

from ethogram.nn.ddpm import DDPM, betas, cumulative


class Exact(nn.Module):
    """Tells the noise in samples of N(0, 0.5^2) exactly: `E[noise | x] = sqrt(1 - a) x / (0.25 a + 1 - a)`."""

    def __init__(self, process: DDPM) -> None:
        super().__init__()
        self.kept = cumulative(process.schedule, process.steps)

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        a = self.kept[t][:, None]
        return (1 - a).sqrt() * x / (0.25 * a + 1 - a)


def seeded(seed: int):
    generator = torch.Generator().manual_seed(seed)
    return lambda like: torch.randn(like.shape, generator=generator)


def test_betas_are_those_of_diffusers() -> None:
    from diffusers import DDPMScheduler

    for kind, steps, options in (
        ("cosine", 16, {"beta_schedule": "squaredcos_cap_v2"}),
        ("linear", 1000, {"beta_schedule": "linear"}),
    ):
        oracle = DDPMScheduler(steps, **options)
        torch.testing.assert_close(betas(kind, steps).float(), oracle.betas, rtol=1e-4, atol=1e-6)
    assert all(cumulative("linear", steps)[-1] < 2e-3 for steps in (1, 2, 5, 50))  # nothing but noise is left


def oracle_steps(scheduler, network: nn.Module, x: torch.Tensor, seed: int, **options: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    for t in scheduler.timesteps:
        told = network(x, torch.full((len(x),), int(t)))
        x = scheduler.step(told, int(t), x, generator=generator, **options).prev_sample
    return x


@pytest.mark.parametrize("clip", [None, 0.6])
def test_ancestral_sampling_takes_the_steps_of_diffusers(clip: float | None) -> None:
    from diffusers import DDPMScheduler

    process = DDPM(steps=16, clip=clip)
    oracle = DDPMScheduler(
        16, beta_schedule="squaredcos_cap_v2", clip_sample=clip is not None, clip_sample_range=clip or 1.0
    )
    oracle.set_timesteps(16)
    start = torch.randn(10, 3)
    draws = seeded(4)
    ours = process.sample(Exact(process), start, lambda like, first=[start]: first.pop() if first else draws(like))
    torch.testing.assert_close(ours, oracle_steps(oracle, Exact(process), start, 4), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("eta", [0.0, 0.7])
def test_ddim_takes_the_steps_of_diffusers(eta: float) -> None:
    from diffusers import DDIMScheduler

    process = DDPM(steps=50, sampler="ddim", sampling_steps=8, eta=eta)
    assert process.timesteps() == [49, 42, 35, 28, 21, 14, 7, 0]
    oracle = DDIMScheduler(50, beta_schedule="squaredcos_cap_v2", clip_sample=False)
    oracle.set_timesteps(7)  # a stride of 50 // 7 = 7
    oracle.timesteps = torch.tensor(process.timesteps())
    start = torch.randn(10, 3)
    draws = seeded(4)
    ours = process.sample(Exact(process), start, lambda like, first=[start]: first.pop() if first else draws(like))
    torch.testing.assert_close(ours, oracle_steps(oracle, Exact(process), start, 4, eta=eta), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("sampler", ["ancestral", "ddim"])
def test_samples_of_a_gaussian_have_its_spread(sampler: str) -> None:
    process = DDPM(steps=200, sampler=sampler)
    drawn = process.sample(Exact(process), torch.empty(10_000, 1), seeded(0))
    assert abs(float(drawn.std()) - 0.5) < 0.015 and abs(float(drawn.mean())) < 0.02


def test_loss_is_least_for_the_exact_network() -> None:
    process = DDPM(steps=50)
    clean = 0.5 * torch.randn(20_000, 1, generator=torch.Generator().manual_seed(0))

    class Shifted(Exact):
        def forward(self, x: torch.Tensor, t: torch.Tensor, shift: float = 0.0) -> torch.Tensor:
            return super().forward(x, t) + shift

    losses = [
        float(process.loss(Shifted(process), clean, torch.Generator().manual_seed(1), shift).mean())
        for shift in (0, 0.2, -0.2)
    ]
    # a constant added to the exact answer adds its square
    assert losses[1] == pytest.approx(losses[0] + 0.04, abs=0.01)
    assert losses[2] == pytest.approx(losses[0] + 0.04, abs=0.01)
