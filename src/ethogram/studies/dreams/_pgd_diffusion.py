"""Diffusion over segments of trajectories, and its guidance by a policy.

A segment is 32 steps of (observation, action, reward), actions through arctanh, all standardised. Guidance adds
`lambda_t g` to the action channels of what the denoiser says, at every noise level but the last, where g is the gradient of
`log pi(a|s)` with respect to these channels at the denoised (or the noisy) segment, states held fixed; and

    lambda_t = coefficient * ((1 - t / T) + 0.3 sin(pi (t + 1) / T))

The policy is deterministic: its likelihood is a Gaussian of unit deviation around its action.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn

from ethogram.nn import saving
from ethogram.nn.diffusion import Density, Preconditioned, Sampling
from ethogram.nn.scaling import Scaler
from ethogram.nn.training import Training, seeded, train
from ethogram.nn.unet1d import UNet1d
from ethogram.records.trajectories import Trajectories, Trajectory
from ethogram.seeds import derive

STRIDE = 8
"""Steps between the beginnings of two segments of the data."""
EDGE = 0.999
"""Actions are held this far from 1, where arctanh has no bound."""
SAMPLED_AT_ONCE = 256
Array = np.ndarray[Any, Any]
Decide = Callable[[Tensor], Tensor]
"""From observations (B, D) as they are to actions (B, A) in [-1, 1]."""


class Segments(NamedTuple):
    """N generated segments of T steps, in the units of the world."""

    observations: Array
    """(N, T, D)."""
    actions: Array
    """(N, T, A) in (-1, 1)."""
    rewards: Array
    """(N, T)."""

    def trajectories(self, like: Trajectories) -> Trajectories:
        """As episodes of T - 1 transitions: the last step's successor was not generated."""
        space: Any = like.action_space
        times = np.arange(float(self.actions.shape[1] - 1))
        episodes = [
            Trajectory("agent", i, seen, acted[:-1].astype(space.dtype), rewards[:-1].astype(np.float64), times, False, {})
            for i, (seen, acted, rewards) in enumerate(zip(*self, strict=True))
        ]
        return Trajectories.of(episodes, like.observation_space, space)


class Guidance(NamedTuple):
    """How a policy steers."""

    coefficient: float
    decide: Decide
    normalised: bool = True
    """Divide the gradient of each segment by its root mean square."""
    denoised: bool = True
    """Take the gradient at what the denoiser says; else at the noisy segment."""


class Diffuser:
    """A denoiser of segments, and the scale of their channels; `seed` is that of its initial weights."""

    def __init__(self, seen: int, acted: int, length: int, width: int, seed: int = 0) -> None:
        self.seen, self.acted, self.length, self.width = seen, acted, length, width
        with seeded(derive(seed, "weights")):
            network = UNet1d(seen + acted + 1, width)
        self.module = nn.ModuleDict({"scale": Scaler(seen + acted + 1), "denoiser": Preconditioned(network, 1.0)})
        self.denoiser: Any = self.module["denoiser"]
        self.scale: Any = self.module["scale"]
        self.sampling = Sampling(sampler="heun", schedule="karras", steps=16, sigma_min=0.002, sigma_max=80.0, churn=5.0)

    def fit(self, data: Trajectories, training: Training) -> Self:
        """Fit to all segments of the data (EDM's loss, noise levels log-normal with -1.2 and 1.2)."""
        segments = self._cut(data)
        self.scale.load_state_dict(Scaler.fit(segments.reshape(-1, segments.shape[-1])).state_dict())
        scaled = self.scale(torch.from_numpy(segments)).numpy()
        density = Density(kind="log_normal", location=-1.2, scale=1.2)

        def draw(rng: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
            return {"segments": scaled[rng.integers(len(scaled), size=training.batch)]}

        def loss(batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
            clean = batch["segments"]
            sigma = density.draw(len(clean), noise)
            return self.denoiser.loss(clean, sigma, torch.randn(clean.shape, generator=noise)).mean()

        train(self.module, loss, draw, training, progress=False)
        return self

    def _cut(self, data: Trajectories) -> Array:
        """Segments (N, T, channels)."""
        found = []
        for t in data:
            actions = np.arctanh(np.clip(t.actions, -EDGE, EDGE))
            n = len(actions)
            whole = np.concatenate([t.observations[:n], actions, t.rewards[:, None]], 1).astype(np.float32)
            found += [whole[i : i + self.length] for i in range(0, n - self.length + 1, STRIDE)]
        return np.stack(found)

    @torch.inference_mode()
    def sample(self, n: int, seed: int, guidance: Guidance | None = None) -> Segments:
        """Generate n segments."""
        noise = torch.Generator().manual_seed(seed % 2**63)
        parts = [
            self.sampling.sample(
                self.denoiser,
                torch.empty(min(SAMPLED_AT_ONCE, n - i), self.length, self.seen + self.acted + 1),
                lambda like: torch.randn(like.shape, generator=noise),
                None if guidance is None or guidance.coefficient == 0 else self._guide(guidance),
            )
            for i in range(0, n, SAMPLED_AT_ONCE)
        ]
        values = self.scale.inverse(torch.cat(parts)).numpy()
        seen, actions, rewards = np.split(values, [self.seen, self.seen + self.acted], -1)
        return Segments(seen, np.tanh(actions), rewards[..., 0])

    def _guide(self, guidance: Guidance) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
        levels = self.sampling.sigmas()[:-1]
        spread = self.scale.scale[self.seen : self.seen + self.acted]

        def guide(x: Tensor, denoised: Tensor, sigma: Tensor) -> Tensor:
            t, last = int((levels > sigma[0] * 1.0001).sum()), len(levels) - 1
            if t >= last:
                return denoised
            weight = guidance.coefficient * ((1 - t / last) + 0.3 * math.sin(math.pi * (t + 1) / last))
            at = self.scale.inverse(denoised if guidance.denoised else x)
            seen, u = at[..., : self.seen], at[..., self.seen : self.seen + self.acted]
            action = u.tanh()
            wanted = guidance.decide(seen.reshape(-1, self.seen)).reshape(action.shape)
            gradient = (wanted - action) * (1 - action**2) * spread
            if guidance.normalised:
                gradient = gradient / gradient.square().mean((1, 2), keepdim=True).sqrt().clamp_min(1e-6)
            denoised = denoised.clone()
            denoised[..., self.seen : self.seen + self.acted] += weight * gradient
            return denoised

        return guide

    def save(self, path: Path) -> None:
        """Write a folder that `load` reads."""
        spec = {"seen": self.seen, "acted": self.acted, "length": self.length, "width": self.width}
        saving.save(path, "diffuser", spec, self.module)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        spec, tensors = saving.load(path, "diffuser")
        made = cls(**spec)
        saving.restore(made.module, tensors, path)
        made.module.eval()
        return made


def log_likelihood(
    decide: Decide, observations: np.ndarray[Any, Any], actions: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """`log pi(a|s)` of the actions of segments (N, T, ...), a mean over each, (N,): unit Gaussians around `decide`."""
    with torch.inference_mode():
        flat = torch.from_numpy(np.ascontiguousarray(observations.reshape(-1, observations.shape[-1]), np.float32))
        wanted = decide(flat).numpy().reshape(actions.shape)
    a = actions.shape[-1]
    return (-0.5 * ((actions - wanted) ** 2).sum(-1) - 0.5 * a * math.log(2 * math.pi)).mean(-1)
