"""EDM core against closed forms (a Gaussian, a mixture of Gaussians) and diffusers' schedulers."""

import math

import pytest
import torch
from torch import nn

from ethogram.errors import ConfigError
from ethogram.nn.diffusion import (
    SAMPLERS,
    Density,
    Preconditioned,
    Sampling,
    classifier_free,
    drop,
    guided,
    schedule,
    wide,
)

MEANS = torch.tensor([[-1.0, 0.5], [1.0, 0.5], [0.0, -1.0]])
WEIGHTS = torch.tensor([0.5, 0.3, 0.2])
SPREAD = 0.2


def mixture(x: torch.Tensor, sigma: torch.Tensor, weights: torch.Tensor = WEIGHTS) -> torch.Tensor:
    """The exact denoiser of a mixture of three Gaussians."""
    variance = wide(SPREAD**2 + sigma**2, x)
    distances = ((x[:, None] - MEANS) ** 2).sum(-1)
    posterior = torch.softmax(weights.log() - distances / (2 * variance), -1)
    centers = (SPREAD**2 * x[:, None] + wide(sigma**2, x)[:, None] * MEANS) / variance[:, None]
    return (posterior[..., None] * centers).sum(1)


def gaussian(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """The exact denoiser of a Gaussian of standard deviation 0.5."""
    return x * wide(0.25 / (0.25 + sigma**2), x)


def energy_distance(a: torch.Tensor, b: torch.Tensor) -> float:
    between, n = torch.cdist(a, b).mean(), len(a)
    within = [torch.cdist(s, s).sum() / (n * (n - 1)) for s in (a, b)]
    return float(2 * between - within[0] - within[1])


def seeded(seed: int):
    generator = torch.Generator().manual_seed(seed)
    return lambda like: torch.randn(like.shape, generator=generator, dtype=like.dtype)


class Asked(nn.Module):
    """A network that answers a constant and keeps what it was asked."""

    def __init__(self, answer: float) -> None:
        super().__init__()
        self.answer, self.asked = answer, []

    def forward(self, x: torch.Tensor, level: torch.Tensor, *condition: torch.Tensor) -> torch.Tensor:
        self.asked.append((x, level, *condition))
        return torch.full_like(x, self.answer)


def test_preconditioning_identities() -> None:
    sigma = torch.tensor([0.01, 0.5, 3.0, 80.0], dtype=torch.float64)
    skip, out, scale, level = Preconditioned(nn.Identity(), sigma_data=0.5).scalings(sigma)
    # inputs of unit variance; targets of unit variance; c_skip makes c_out as small as can be (EDM, appendix B.6)
    torch.testing.assert_close(scale**2 * (sigma**2 + 0.25), torch.ones(4, dtype=torch.float64))
    torch.testing.assert_close(out**2, (1 - skip) ** 2 * 0.25 + skip**2 * sigma**2)
    torch.testing.assert_close(skip[1], torch.tensor(0.5, dtype=torch.float64))
    torch.testing.assert_close(level[3], torch.tensor(math.log(80) / 4, dtype=torch.float64))


def test_loss_is_the_weighted_denoising_error() -> None:
    network = Asked(0.3)
    model = Preconditioned(network, sigma_data=0.5)
    clean, noise, sigma = torch.randn(5, 3), torch.randn(5, 3), torch.rand(5) + 0.1
    goal = torch.randn(5, 2)
    loss = model.loss(clean, sigma, noise, goal)
    denoised = model(clean + sigma[:, None] * noise, sigma, goal)
    weight = (sigma**2 + 0.25) / (sigma * 0.5) ** 2
    torch.testing.assert_close(loss, weight[:, None] * (denoised - clean) ** 2, rtol=1e-4, atol=1e-5)
    assert network.asked[0][2] is goal and network.asked[1][2] is goal


def test_denoiser_of_a_gaussian_needs_no_network() -> None:
    # where the data are N(0, sigma_data^2), the skip connection alone is the exact denoiser
    x, sigma = torch.randn(6, 2), torch.rand(6) * 3 + 0.01
    torch.testing.assert_close(Preconditioned(Asked(0.0), sigma_data=0.5)(x, sigma), gaussian(x, sigma))


def test_densities_have_their_quantiles() -> None:
    generator, n = torch.Generator().manual_seed(0), 20_000
    normal = Density(kind="log_normal", location=-1.2, scale=1.2).draw(n, generator).log()
    assert abs(normal.mean() + 1.2) < 0.03 and abs(normal.std() - 1.2) < 0.03
    uniform = Density(kind="log_uniform", sigma_min=0.01, sigma_max=1.0).draw(n, generator)
    assert uniform.min() >= 0.01 and uniform.max() <= 1.0
    assert abs(uniform.median().log10() + 1) < 0.03
    density = Density(sigma_min=0.1, sigma_max=1.0, location=math.log(0.5), scale=0.5)
    drawn = density.draw(n, generator)
    assert drawn.min() >= 0.1 and drawn.max() <= 1.0

    def below(s: float) -> float:  # the log-logistic distribution function
        return 1 / (1 + (s / 0.5) ** (-1 / 0.5))

    for s in (0.2, 0.4, 0.7):
        expected = (below(s) - below(0.1)) / (below(1.0) - below(0.1))
        assert abs((drawn < s).float().mean() - expected) < 0.015
    again = density.draw(5, torch.Generator().manual_seed(3))
    torch.testing.assert_close(again, density.draw(5, torch.Generator().manual_seed(3)))


@pytest.mark.parametrize("kind", ["karras", "exponential"])
def test_schedules_are_those_of_diffusers(kind: str) -> None:
    from diffusers import EDMEulerScheduler

    oracle = EDMEulerScheduler(sigma_min=0.005, sigma_max=1.0, sigma_schedule=kind)
    oracle.set_timesteps(7)
    torch.testing.assert_close(schedule(kind, 7, 0.005, 1.0), oracle.sigmas, rtol=1e-5, atol=1e-7)


def test_linear_schedule_and_a_single_step() -> None:
    torch.testing.assert_close(schedule("linear", 3, 0.2, 1.0), torch.tensor([1.0, 0.6, 0.2, 0.0]))
    for kind in ("karras", "exponential", "linear"):
        torch.testing.assert_close(schedule(kind, 1, 0.2, 1.0), torch.tensor([1.0, 0.0]))


def oracle_steps(scheduler, x: torch.Tensor, seed: int | None = None) -> torch.Tensor:
    """Sample with a scheduler of diffusers whose network tells the noise (x - D) / sigma of the mixture."""
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    for i, t in enumerate(scheduler.timesteps):
        scheduler.scale_model_input(x, t)
        sigma = scheduler.sigmas[scheduler.step_index if scheduler.step_index is not None else i]
        noise = (x - mixture(x, sigma.expand(len(x)))) / sigma
        x = scheduler.step(noise, t, x, **({} if generator is None else {"generator": generator})).prev_sample
    return x


def test_euler_and_dpmpp_take_the_steps_of_diffusers() -> None:
    from diffusers import EDMDPMSolverMultistepScheduler, EDMEulerScheduler

    kinds = {
        "euler": EDMEulerScheduler(0.01, 2.0, 0.5),
        "dpmpp_2m": EDMDPMSolverMultistepScheduler(0.01, 2.0, 0.5, final_sigmas_type="zero", euler_at_final=True),
    }
    for name, scheduler in kinds.items():
        scheduler.set_timesteps(9)
        x = torch.randn(20, 2, generator=torch.Generator().manual_seed(0)) * 2
        ours, theirs = SAMPLERS[name](mixture, x, scheduler.sigmas), x
        for i, t in enumerate(scheduler.timesteps):
            sigma = scheduler.sigmas[i]
            skip, out, _, _ = Preconditioned(nn.Identity(), 0.5).scalings(sigma)
            network = (mixture(theirs, sigma.expand(20)) - skip * theirs) / out  # their network is EDM's F
            scheduler.scale_model_input(theirs, t)
            theirs = scheduler.step(network, t, theirs).prev_sample
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in diffusers
def test_heun_and_ancestral_take_the_steps_of_diffusers() -> None:
    from diffusers import EulerAncestralDiscreteScheduler, HeunDiscreteScheduler

    x = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    scheduler = EulerAncestralDiscreteScheduler(num_train_timesteps=1000)
    scheduler.set_timesteps(8)
    start = x * scheduler.sigmas[0]
    ours = SAMPLERS["euler_ancestral"](mixture, start, scheduler.sigmas, noise=seeded(5))
    torch.testing.assert_close(ours, oracle_steps(scheduler, start, seed=5), rtol=1e-3, atol=1e-4)

    heun = HeunDiscreteScheduler(num_train_timesteps=1000)
    heun.set_timesteps(8)
    levels = torch.cat([heun.sigmas[:1], heun.sigmas[1::2]])
    ours = SAMPLERS["heun"](mixture, x * levels[0], levels)
    torch.testing.assert_close(ours, oracle_heun(heun, x * levels[0]), rtol=1e-3, atol=1e-4)


def oracle_heun(scheduler, x: torch.Tensor) -> torch.Tensor:
    """Diffusers' Heun lists each evaluation as a step of its own; in the second one sigma is that of the next level."""
    for t in scheduler.timesteps:
        index = scheduler.step_index
        scheduler.scale_model_input(x, t)
        index = scheduler.step_index if index is None else index
        sigma = scheduler.sigmas[index]
        x = scheduler.step((x - mixture(x, sigma.expand(len(x)))) / sigma, t, x).prev_sample
    return x


@pytest.mark.parametrize("name", ["euler", "heun"])
@pytest.mark.parametrize("churn, raised", [(0.2, 1.2), (10.0, math.sqrt(2))])
def test_churn_by_hand(name: str, churn: float, raised: float) -> None:
    # one step from 1 to 1/2: gamma = min(S_churn / 1, sqrt 2 - 1); where all data are 0 both methods then go straight to 0
    x, sigmas = torch.full((1, 1), 3.0), torch.tensor([1.0, 0.5])
    got = SAMPLERS[name](lambda x, s: 0 * x, x, sigmas, noise=torch.ones_like, churn=churn)
    assert got.item() == pytest.approx((3 + math.sqrt(raised**2 - 1)) * 0.5 / raised)


def test_orders_of_convergence() -> None:
    # dx/dsigma = sigma x / (0.25 + sigma^2) has the solution x ~ sqrt(0.25 + sigma^2)
    x = torch.ones(1, 1, dtype=torch.float64)
    exact = math.sqrt((0.25 + 0.1**2) / (0.25 + 2.0**2))

    def error(name: str, steps: int) -> float:
        sigmas = torch.linspace(2.0, 0.1, steps + 1, dtype=torch.float64)
        return abs(float(SAMPLERS[name](gaussian, x, sigmas)) - exact)

    slopes = {name: math.log2(error(name, 64) / error(name, 128)) for name in ("euler", "ddim", "heun", "dpmpp_2m")}
    assert slopes["euler"] == pytest.approx(1, abs=0.1) and slopes["ddim"] == pytest.approx(1, abs=0.1)
    assert slopes["heun"] == pytest.approx(2, abs=0.15) and slopes["dpmpp_2m"] == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize("name", SAMPLERS)
def test_steps_between_equal_levels_change_nothing(name: str) -> None:
    x, eta = torch.randn(9, 2), {"eta": 0.0} if name == "euler_ancestral" else {}
    once, thrice = torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0, 1.0, 0.0])
    torch.testing.assert_close(SAMPLERS[name](mixture, x, thrice, **eta), SAMPLERS[name](mixture, x, once, **eta))


def test_ddim_is_euler_in_these_variables() -> None:
    x, sigmas = torch.randn(9, 2) * 2, schedule("linear", 5, 0.1, 2.0)
    torch.testing.assert_close(SAMPLERS["ddim"](mixture, x, sigmas), SAMPLERS["euler"](mixture, x, sigmas))


@pytest.mark.parametrize("name", [*SAMPLERS, "heun with churn"])
def test_samplers_reach_the_mixture_as_steps_grow(name: str) -> None:
    n, generator = 2000, torch.Generator().manual_seed(1)
    centers = MEANS[torch.multinomial(WEIGHTS, n, True, generator=generator)]
    target = centers + SPREAD * torch.randn(n, 2, generator=generator)
    distances = []
    for steps in (2, 6, 60):
        churn = 8.0 if "churn" in name else 0.0
        sampling = Sampling(sampler=name.split()[0], schedule="karras", steps=steps, sigma_max=20, churn=churn)
        distances.append(energy_distance(sampling.sample(mixture, torch.empty(n, 2), seeded(2)), target))
    assert distances[0] > distances[1] > distances[2] - 1e-3
    assert distances[2] < 0.006  # two samples of the target are as far apart in 1 of 100 draws


def test_guide_and_classifier_free_guidance() -> None:
    x, sigma = torch.randn(7, 2), torch.rand(7) + 0.1
    flat = torch.full((3,), 1 / 3)
    free, given = lambda x, s: mixture(x, s, flat), mixture
    torch.testing.assert_close(classifier_free(given, free, 0)(x, sigma), free(x, sigma))
    torch.testing.assert_close(classifier_free(given, free, 1)(x, sigma), given(x, sigma))
    expected = free(x, sigma) + 2.5 * (given(x, sigma) - free(x, sigma))
    torch.testing.assert_close(classifier_free(given, free, 2.5)(x, sigma), expected)
    # the gradient of log N(x; 0, 0.25 + sigma^2) added to the score zero of a flat density makes the Gaussian's denoiser
    push = guided(lambda x, s: x, lambda x, d, s: d - wide(s**2 / (0.25 + s**2), x) * x)
    torch.testing.assert_close(push(x, sigma), gaussian(x, sigma))
    sampling = Sampling(sampler="heun", steps=40, schedule="karras", sigma_max=20)
    drawn = sampling.sample(lambda x, s: x, torch.empty(4000, 1), seeded(0), lambda x, d, s: gaussian(x, s))
    assert abs(drawn.std() - 0.5) < 0.02


def test_goals_are_dropped_whole() -> None:
    goals = torch.rand(2000, 3, 2) + 1
    dropped = drop(goals, 0.1, torch.Generator().manual_seed(0))
    zeros = (dropped == 0).flatten(1)
    assert (zeros.all(1) | ~zeros.any(1)).all()
    assert 0.07 < zeros.all(1).float().mean() < 0.13


@pytest.mark.parametrize("kind", [Density, Sampling])
def test_noise_levels_that_do_not_fall_are_refused(kind):
    with pytest.raises(ConfigError, match=f"settings of {kind.__name__} do not go together: sigma_min is 2, and must be"):
        kind(sigma_min=2, sigma_max=1)
