"""Behaviour cloning, BESO and a diffusion policy on plain torch, as their authors' repositories are built.

Observations are normalised tensors in a deque, the sampler is a loop written out, the data set is one tensor of windows, and
training is the loop that everybody writes: AdamW, a clipped gradient, an average of the weights. The networks are the very
ones that ours runs, so that what differs is what surrounds them.
"""

from __future__ import annotations

import copy
import math
from collections import deque
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn


class Plain:
    """What the three share: normalisation, history, training.

    Args:
        network: called by `loss` and `draw`.
        observations: (N, columns) of the data, for the normalisation.
        actions: (N, size).
        history: observations that the policy sees.
        octaves: Fourier features of them.
    """

    def __init__(self, network: nn.Module, observations: np.ndarray, actions: np.ndarray, history: int = 1) -> None:
        self.network = copy.deepcopy(network)
        self.mean, self.std = torch.from_numpy(observations.mean(0)), torch.from_numpy(observations.std(0))
        low, high = torch.from_numpy(actions.min(0)), torch.from_numpy(actions.max(0))
        self.middle, self.half = (low + high) / 2, (high - low) / 2
        self.low, self.high = low, high
        self.history = history
        self.reset()

    def reset(self) -> None:
        """An episode begins."""
        self.seen: deque[Tensor] = deque(maxlen=self.history)
        self.done: deque[Tensor] = deque([torch.zeros(len(self.middle))] * (self.history - 1), maxlen=self.history - 1)

    def windows(self, episodes: Sequence[tuple[np.ndarray, np.ndarray]], horizon: int) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised observations (N, history, columns), actions (N, history - 1 + horizon, size), mask, of all steps."""
        seen, done, mask = [], [], []
        for observations, actions in episodes:
            for t in range(len(actions)):
                at = np.arange(t - self.history + 1, t + horizon)
                seen.append(observations[np.clip(at[: self.history], 0, None)])
                done.append(actions[np.clip(at, 0, len(actions) - 1)])
                mask.append((at >= 0) & (at < len(actions)))
        scaled = (torch.from_numpy(np.array(seen)) - self.mean) / self.std
        return scaled, (torch.from_numpy(np.array(done)) - self.middle) / self.half, torch.from_numpy(np.array(mask))

    def train(self, data: tuple[Tensor, Tensor, Tensor], steps: int, batch: int, lr: float, ema: float) -> None:
        """Fit to windows."""
        network = self.network.train()
        parameters = list(network.parameters())
        average = [p.detach().clone() for p in parameters]
        optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=0.0)
        for _ in range(steps):
            index = torch.randint(len(data[0]), (batch,))
            optimizer.zero_grad()
            loss = self.loss(*(part[index] for part in data))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            loss.item()
            with torch.no_grad():
                for kept, p in zip(average, parameters, strict=True):
                    kept.lerp_(p, 1 - ema)
        network.eval()

    @torch.inference_mode()
    def act(self, observation: np.ndarray) -> np.ndarray:
        """The action for one observation."""
        seen = (torch.from_numpy(observation) - self.mean) / self.std
        self.seen.extend([seen] if self.seen else [seen] * self.history)
        drawn = self.draw(torch.stack(tuple(self.seen))[None])[0, 0]
        self.done.append(drawn)
        return torch.clamp(drawn * self.half + self.middle, self.low, self.high).numpy()

    def loss(self, seen: Tensor, actions: Tensor, mask: Tensor) -> Tensor:
        """Of a batch of windows."""
        raise NotImplementedError

    def draw(self, seen: Tensor) -> Tensor:
        """Actions (1, horizon, size) for (1, history, columns)."""
        raise NotImplementedError


class PlainBC(Plain):
    """Squared error; the network maps flat observations to an action."""

    def loss(self, seen: Tensor, actions: Tensor, mask: Tensor) -> Tensor:
        return (((self.network(seen.flatten(1)) - actions[:, -1]) ** 2).sum(-1) * mask[:, -1]).sum() / mask[:, -1].sum()

    def draw(self, seen: Tensor) -> Tensor:
        return self.network(seen.flatten(1))[:, None]


class PlainBESO(Plain):
    """EDM preconditioning, log-logistic noise levels, DDIM; `network(x, level, seen, done, None)`."""

    data_std = 0.5

    def denoise(self, x: Tensor, sigma: Tensor, seen: Tensor, done: Tensor) -> Tensor:
        variance = sigma**2 + self.data_std**2
        skip, out, scale = self.data_std**2 / variance, sigma * self.data_std / variance.sqrt(), 1 / variance.sqrt()
        answer = self.network(scale[:, None, None] * x, sigma.log() / 4, seen, done, None)
        return skip[:, None, None] * x + out[:, None, None] * answer

    def loss(self, seen: Tensor, actions: Tensor, mask: Tensor) -> Tensor:
        before = self.history - 1
        done, clean = actions[:, :before] * mask[:, :before, None], actions[:, before:]
        low, high = (1 / (1 + math.exp(-(math.log(s) - math.log(0.5)) / 0.5)) for s in (0.005, 1.0))
        u = torch.rand(len(clean), dtype=torch.float64) * (high - low) + low
        sigma = (math.log(0.5) + 0.5 * torch.logit(u)).exp().float()
        variance = sigma**2 + self.data_std**2
        weight = (variance / (sigma * self.data_std) ** 2)[:, None, None]
        denoised = self.denoise(clean + sigma[:, None, None] * torch.randn(clean.shape), sigma, seen, done)
        return (weight * (denoised - clean) ** 2 * mask[:, before:, None]).sum() / mask[:, before:].sum() / clean.shape[-1]

    def draw(self, seen: Tensor) -> Tensor:
        sigmas = [*np.exp(np.linspace(math.log(1.0), math.log(0.005), 3)), 0.0]
        done = torch.stack(tuple(self.done))[None]
        x = torch.randn(1, 1, len(self.middle)) * sigmas[0]
        for now, after in pairwise(sigmas):
            denoised = self.denoise(x, torch.full((1,), now, dtype=torch.float32), seen, done)
            x = denoised + after / now * (x - denoised)
        return x


class PlainDiffusion(Plain):
    """DDPM with a cosine schedule of 16 steps, one action; `network(x, t, seen, None, None)`."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        edges = torch.cos((torch.linspace(0, 1, 17, dtype=torch.float64) + 0.008) / 1.008 * math.pi / 2) ** 2
        self.kept = (1 - (1 - edges[1:] / edges[:-1]).clamp(max=0.999)).cumprod(0).float()

    def loss(self, seen: Tensor, actions: Tensor, mask: Tensor) -> Tensor:
        clean, mask = actions[:, self.history - 1 :], mask[:, self.history - 1 :, None]
        t, noise = torch.randint(16, (len(clean),)), torch.randn(clean.shape)
        kept = self.kept[t][:, None, None]
        told = self.network(kept.sqrt() * clean + (1 - kept).sqrt() * noise, t, seen, None, None)
        return ((told - noise) ** 2 * mask).sum() / mask.sum() / clean.shape[-1]

    def draw(self, seen: Tensor) -> Tensor:
        x = torch.randn(1, 1, len(self.middle))
        for t in range(15, -1, -1):
            told = self.network(x, torch.full((1,), t), seen, None, None)
            now, after = self.kept[t], self.kept[t - 1] if t else torch.ones(())
            clean = ((x - (1 - now).sqrt() * told) / now.sqrt()).clamp(-1, 1)
            beta = 1 - now / after
            mean = after.sqrt() * beta / (1 - now) * clean + (now / after).sqrt() * (1 - after) / (1 - now) * x
            x = mean + (((1 - after) / (1 - now) * beta).sqrt() * torch.randn(x.shape) if t else 0)
        return x
