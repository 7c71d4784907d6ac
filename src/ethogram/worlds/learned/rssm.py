"""A dream of vectors: a recurrent state-space model, with heads that tell the reward and the end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from gymnasium import Space
from gymnasium.spaces import Box
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ethogram.errors import ConfigError
from ethogram.nn.networks import MLP
from ethogram.nn.rssm import RSSM, State
from ethogram.nn.scaling import Scaler
from ethogram.nn.training import Training, train
from ethogram.records.trajectories import Trajectories
from ethogram.seeds import derive
from ethogram.worlds.learned._base import Dream, LearnedWorld, LearnedWorldConfig, Moment, Sequences

__all__ = ["RecurrentStateSpace", "RecurrentStateSpaceConfig"]


class RecurrentStateSpaceConfig(LearnedWorldConfig):
    """Settings of `RecurrentStateSpace`."""

    hidden: int = Field(default=200, ge=1, description="units of the recurrent part of the state")
    stochastic: int = Field(default=32, ge=1, description="numbers of the stochastic part of the state")
    units: int = Field(default=128, ge=1, description="units of the hidden layers")
    from_beginnings: float = Field(default=0.0, ge=0, le=1, description="share of sequences that begin with an episode")
    spread: float | None = Field(default=None, gt=0, description="of all that is seen, where the model does not tell it")
    weigh: bool = Field(default=True, description="numbers that are predicted badly are not given up: see `RSSM.elbo`")


class RecurrentStateSpace(LearnedWorld):
    """A world whose state is inferred from what was seen (Hafner et al. 2019, arXiv 1811.04551).

    Observed is what the model expects to be seen, in the space of what it was fitted to but without bounds. An episode ends
    with the probability that the model tells; its reward is the expected one.
    """

    Config = RecurrentStateSpaceConfig

    def build(self) -> nn.Module:
        """The model, its two heads, the scales of observations and rewards, and the beginnings of dreams."""
        config, size = self.config, self.observed.size
        if self.observed.images or not isinstance(self.lived_space, Box):
            raise ConfigError(f"this world is fitted to vectors, a Box of numbers, not to {self.lived_space}")
        module = nn.ModuleDict(
            {
                "model": RSSM(size, self.acted.size, config.hidden, config.stochastic, config.units, spread=config.spread),
                "heads": MLP(config.hidden + config.stochastic, 2, (config.units,), "elu"),
                "seen": Scaler(size),
                "reward": Scaler(1),
            }
        )
        module.register_buffer("starts", torch.zeros(config.starts, size))
        return module

    @property
    def model(self) -> RSSM:
        """The state-space model; it reads observations scaled by `scaled`."""
        return self.module.model

    def scaled(self, observations: Tensor) -> Tensor:
        """Observations as the model reads them."""
        return self.module.seen(observations)

    def shown(self) -> Space[Any]:
        """Of expected observations."""
        return Box(-np.inf, np.inf, self.lived_space.shape, np.float32)

    def fit(
        self,
        data: Trajectories,
        training: Training | Mapping[str, Any] | None = None,
        *,
        to: str | Path | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Maximise the evidence lower bound of sequences of observations, and the likelihood of rewards and ends.

        See `LearnedWorld.fit`.
        """
        self.check(data)
        training = Training.of(training, steps=2000, batch=32, lr=1e-3, clip=100.0)
        config, observed = self.config, self.observed
        sequences = Sequences(
            data, config.sequence, lambda x: {"seen": observed.vector(x)}, self.acted.vector, config.from_beginnings
        )
        self.module.seen.load_state_dict(Scaler.fit(sequences.seen["seen"]).state_dict())
        self.module.reward.load_state_dict(Scaler.fit(sequences.rewards[:, None]).state_dict())
        rng = np.random.default_rng(derive(training.seed, "beginnings"))
        rows = np.resize(rng.permutation(sequences.beginnings), config.starts)
        self.module.starts.copy_(torch.from_numpy(sequences.seen["seen"][rows]))
        with torch.no_grad():
            self.module.heads[-1].bias[1] = sequences.log_odds  # ends are rare: how rare need not be learnt
        folder = None if to is None else Path(to)
        train(
            self.module, self._loss, lambda rng: sequences.draw(training.batch, rng), training, to=folder, progress=progress
        )
        self.module.eval()
        return self

    def _loss(self, batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
        """Minus the bound for each step, plus the squared error of rewards and the cross-entropy of ends."""
        seen, mask = self.scaled(batch["seen"]), batch["mask"]
        filtered = self.model.filter(seen, batch["actions"], noise)
        evidence = self.model.elbo(seen, filtered, self.config.weigh)
        lived = torch.cat([torch.ones_like(mask[:, :1]), mask], 1)
        bound = ((evidence.log_likelihood - evidence.kl) * lived).sum() / lived.sum()
        reward, over = self.module.heads(filtered.states.features[:, 1:]).unbind(-1)
        scaled = self.module.reward(batch["rewards"].unsqueeze(-1)).squeeze(-1)
        told = 0.5 * (reward - scaled).square()
        told = told + F.binary_cross_entropy_with_logits(over, batch["ended"], reduction="none")
        return (told * mask).sum() / mask.sum() - bound

    # --- dreaming ---

    def begin(self, n: int, rng: np.random.Generator) -> Dream:
        """The state inferred from a beginning that was lived."""
        seen = self.module.starts[torch.from_numpy(rng.integers(self.config.starts, size=n))]
        start = self.model.initial(n)
        hidden = self.model.advance(start, torch.zeros(n, self.acted.size))
        posterior = self.model.posterior(hidden, self.model.embed(self.scaled(seen)))
        return {"hidden": hidden, "sample": posterior.mean + posterior.std * self._noise(n, rng)}

    def advance(self, dream: Dream, actions: Tensor, rng: np.random.Generator) -> Moment:
        """Draw the next state from the prior."""
        n = len(actions)
        state = self.model.dream(State(dream["hidden"], dream["sample"]), actions, self._noise(n, rng))
        reward, over = self.module.heads(state.features).unbind(-1)
        rewards = self.module.reward.inverse(reward.unsqueeze(-1)).squeeze(-1)
        ended = torch.from_numpy(rng.random(n, dtype=np.float32)) < over.sigmoid()
        return Moment(state._asdict(), rewards, ended)

    def show(self, dream: Dream) -> np.ndarray[Any, Any]:
        """What is expected to be seen, (n, *shape)."""
        told = self.model.decode(State(dream["hidden"], dream["sample"]).features).mean
        seen = self.module.seen.inverse(told).numpy()
        return seen.reshape(len(seen), *self.lived_space.shape)

    def _noise(self, n: int, rng: np.random.Generator) -> Tensor:
        return torch.from_numpy(rng.standard_normal((n, self.config.stochastic), dtype=np.float32))
