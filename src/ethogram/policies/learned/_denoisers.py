"""What the diffusion policies share: networks that denoise actions, and the memory of the actions done so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import Space
from pydantic import Field
from torch import Tensor, nn

from ethogram.errors import ConfigError
from ethogram.nn.networks import Encoder
from ethogram.nn.transformers import GPT, Decoder, fourier
from ethogram.nn.transformers import Encoder as TransformerEncoder
from ethogram.policies.learned.base import Batch, Generators, Learned, LearnedConfig
from ethogram.world import Agent

__all__ = ["Denoising", "DenoisingConfig"]


class DenoisingConfig(LearnedConfig):
    """Settings of a denoising network."""

    denoiser: Literal["gpt", "encoder-decoder", "mlp"] = Field(default="gpt", description="the network")
    width: int = Field(default=64, ge=2, multiple_of=2, description="of embeddings or hidden layers")
    layers: int = Field(default=4, ge=1, description="blocks; those of the decoder where there is one")
    encoder_layers: int = Field(default=2, ge=1, description="blocks of the encoder")
    heads: int = Field(default=4, ge=1, description="of each attention")
    dropout: float = Field(default=0.0, ge=0, lt=1)
    features: int = Field(default=64, ge=1, description="columns that an image is encoded to")
    octaves: int = Field(default=0, ge=0, description="Fourier features of each observed number")
    context: bool = Field(default=False, description="the actions done since the first observation seen are seen too")


class GPTDenoiser(nn.Module):
    """Causal transformer over [noise level, goal, s_1, a_1, ..., s_t, noised actions] (BESO).

    An observation and the action on it share a position. Only the noised actions are answered.
    """

    def __init__(self, config: Any, inputs: int, actions: int, goal: int, level_scale: float) -> None:
        super().__init__()
        width, self.horizon, self.context = config.width, config.horizon, config.context
        self.level_scale, self.width = level_scale, width
        self.level = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        self.goal = nn.Linear(goal, width) if goal else None
        self.observation, self.action = nn.Linear(inputs, width), nn.Linear(actions, width)
        before = 2 if goal else 1
        seen = [before + i for i in range(config.history) for _ in range(2 if config.context else 1)]
        seen = seen[:-1] if config.context else seen
        last = before + config.history - 1
        positions = [*range(before), *seen, *range(last, last + config.horizon)]
        self.register_buffer("positions", torch.tensor(positions), persistent=False)
        self.gpt = GPT(last + config.horizon, width, config.layers, config.heads, config.dropout)
        self.head = nn.Linear(width, actions)

    def forward(self, x: Tensor, level: Tensor, seen: Tensor, done: Tensor | None, goals: Tensor | None) -> Tensor:
        """See `Denoising`."""
        tokens = [self.level(fourier(self.level_scale * level, self.width)).unsqueeze(1)]
        if self.goal is not None and goals is not None:
            tokens.append(self.goal(goals).unsqueeze(1))
        observed = self.observation(seen)
        if done is not None:
            pairs = torch.stack([observed[:, :-1], self.action(done)], 2)
            tokens += [pairs.flatten(1, 2), observed[:, -1:]]
        else:
            tokens.append(observed)
        answers = self.gpt(torch.cat([*tokens, self.action(x)], 1), self.positions)
        return self.head(answers[:, -self.horizon :])


class EncoderDecoderDenoiser(nn.Module):
    """Encoder over goal, observations and done actions; decoder over the noised actions, modulated by the noise level."""

    def __init__(self, config: Any, inputs: int, actions: int, goal: int, level_scale: float) -> None:
        super().__init__()
        width = config.width
        self.level_scale, self.width = level_scale, width
        self.level = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.goal = nn.Linear(goal, width) if goal else None
        self.observation, self.action = nn.Linear(inputs, width), nn.Linear(actions, width)
        tokens = config.history + (1 if goal else 0) + (config.history - 1 if config.context else 0)
        self.encoder = TransformerEncoder(tokens, width, config.encoder_layers, config.heads, config.dropout)
        self.decoder = Decoder(config.horizon, width, config.layers, config.heads, config.dropout, condition=width)
        self.head = nn.Linear(width, actions)

    def forward(self, x: Tensor, level: Tensor, seen: Tensor, done: Tensor | None, goals: Tensor | None) -> Tensor:
        """See `Denoising`."""
        tokens = [self.observation(seen)]
        if self.goal is not None and goals is not None:
            tokens.append(self.goal(goals).unsqueeze(1))
        if done is not None:
            tokens.append(self.action(done))
        condition = self.level(fourier(self.level_scale * level, self.width))
        return self.head(self.decoder(self.action(x), self.encoder(torch.cat(tokens, 1)), condition))


class MLPDenoiser(nn.Module):
    """Residual perceptron over everything side by side: several times cheaper than a transformer."""

    def __init__(self, config: Any, inputs: int, actions: int, goal: int, level_scale: float) -> None:
        super().__init__()
        width, done = config.width, (config.history - 1) * actions if config.context else 0
        self.level_scale, self.width = level_scale, width
        self.level = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.enter = nn.Linear(inputs * config.history + actions * config.horizon + done + goal, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, width),
                nn.SiLU(),
                nn.Dropout(config.dropout),
                nn.Linear(width, width),
            )
            for _ in range(config.layers)
        )
        self.head = nn.Sequential(nn.SiLU(), nn.Linear(width, actions * config.horizon))

    def forward(self, x: Tensor, level: Tensor, seen: Tensor, done: Tensor | None, goals: Tensor | None) -> Tensor:
        """See `Denoising`."""
        parts = [part.flatten(1) for part in (x, seen, done, goals) if part is not None]
        h = self.enter(torch.cat(parts, -1)) + self.level(fourier(self.level_scale * level, self.width))
        for block in self.blocks:
            h = h + block(h)
        return self.head(h).view_as(x)


DENOISERS = {"gpt": GPTDenoiser, "encoder-decoder": EncoderDecoderDenoiser, "mlp": MLPDenoiser}


class Denoiser(nn.Module):
    """A denoising network with the encoding of what is seen: `network(x, level, observations, done, goals)`.

    Noised actions x (B, horizon, size), noise level (B,), encoded observations (B, history, columns), done actions
    (B, history - 1, size) or None, goals (B, columns) or None; the answer has the shape of x.
    """

    def __init__(self, policy: Denoising, level_scale: float) -> None:
        super().__init__()
        config, observed = policy.config, policy.observed
        self.encoder = Encoder(observed.size, observed.images, 0, config.features, config.octaves)
        goal = observed.goal + 1 if observed.goal else 0
        self.network = DENOISERS[config.denoiser](config, self.encoder.size, policy.acted.size, goal, level_scale)

    def forward(self, x: Tensor, level: Tensor, seen: Tensor, done: Tensor | None, goals: Tensor | None) -> Tensor:
        """The network's answer, of the shape of x."""
        return self.network(x, level, seen, done, goals)


class Denoising(Learned):
    """A policy that denoises the actions from now on, given what was seen and (with `context`) done."""

    net: Any

    def __init__(
        self,
        observation_space: Space[Any],
        action_space: Space[Any],
        config: LearnedConfig | Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(observation_space, action_space, config, seed)
        if self.acted.classes:
            raise ConfigError(f"{type(self).__name__} denoises continuous actions, and these are in {action_space}")
        self._remembers = self.config.context and self.config.history > 1

    # --- learning ---

    def parts(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor | None, Tensor | None]:
        """Of a batch: the clean actions from now on, their mask (B, horizon, 1), what was seen, done, and the goals.

        A goal is followed by a column of ones, so that one that was dropped (all zeros) is like no goal that there is.
        """
        before = self.config.history - 1
        actions, mask = batch["actions"], batch["mask"].unsqueeze(-1)
        done = actions[:, :before] * mask[:, :before] if self._remembers else None
        return actions[:, before:], mask[:, before:], self.encoder(batch["observations"]), done, marked(batch.get("goals"))

    @property
    def encoder(self) -> Encoder:
        """The encoder of what is seen."""
        raise NotImplementedError

    # --- acting: the actions done so far are remembered beside what was seen ---

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """As `Learned.act`; what is done is kept as the context of the next predictions."""
        actions = super().act(observations, spaces)
        if self._remembers:
            rows = [self._rows[agent] for agent in actions]
            members = np.stack([np.asarray(action) for action in actions.values()])
            scaled = self._scalers["actions"](torch.from_numpy(self.acted.read(members)))
            self._shift("done", rows, scaled.numpy(), self.config.history - 1)
        return actions

    def _join(self, agent: Agent) -> int:
        row = super()._join(agent)
        if "done" in self._memory:
            self._memory["done"][row] = 0
        return row

    def _predict(
        self,
        rows: list[int],
        agents: list[Agent],
        seen: dict[str, np.ndarray[Any, Any]],
        goals: np.ndarray[Any, Any] | None,
    ) -> np.ndarray[Any, Any]:
        self._predicting = rows
        return super()._predict(rows, agents, seen, goals)

    def done(self) -> Tensor | None:
        """The actions done by the rows that are being predicted for, (B, history - 1, size), zeros before the first."""
        if not self._remembers:
            return None
        if "done" not in self._memory:
            return torch.zeros(len(self._predicting), self.config.history - 1, self.acted.size)
        return torch.from_numpy(self._memory["done"][self._predicting])

    def empty(self, generators: Sequence[Any]) -> Tensor:
        """A tensor of the shape of a prediction."""
        return torch.empty(len(generators), self.config.horizon, self.acted.size)


def marked(goals: Tensor | None) -> Tensor | None:
    """Goals (B, columns) with a column of ones after them."""
    return None if goals is None else torch.cat([goals, torch.ones_like(goals[:, :1])], -1)


def noise_of(generators: Generators) -> Any:
    """Standard normal numbers for a sampler, of each row's own generator."""
    return lambda like: generators.normal(*like.shape[1:])


def masked_mean(errors: Tensor, mask: Tensor) -> Tensor:
    """The mean of errors (B, horizon, size) where the mask (B, horizon, 1) is true."""
    return (errors * mask).sum() / (mask.sum() * errors.shape[-1])
