"""What learned models of worlds of bits have in common: fitted to single transitions, they tell what one action leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import torch
from gymnasium import Space
from gymnasium.spaces import Discrete, MultiBinary
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from ethogram.errors import ConfigError, DataError
from ethogram.nn.networks import Activation
from ethogram.nn.training import History, Training, train
from ethogram.records.trajectories import Trajectories
from ethogram.seeds import generator
from ethogram.worlds.learned._base import Dream, LearnedWorld, LearnedWorldConfig, Moment

__all__ = ["BitModel", "BitModelConfig", "BitNetwork"]


class BitModelConfig(LearnedWorldConfig):
    """Settings of any model of bits."""

    fixed: ClassVar[frozenset[str]] = frozenset({"activation"})

    hidden: tuple[PositiveInt, ...] = Field(default=(200, 200, 200), description="widths of the hidden layers")
    activation: Activation = Field(default="elu", description="between layers")


class BitNetwork(Protocol):
    """A model of transitions in S copies. What a dream is made of (`features`) is up to it: the bits, or a code of them."""

    draws: int
    """Uniform random numbers that `features`, `imagine` and `losses` take for each row."""

    def features(self, bits: Tensor, luck: Tensor | None = None) -> Tensor:
        """Observations (S, B, D) as the states (S, B, F) of dreams; the likeliest ones where there is no luck."""
        ...

    def imagine(self, states: Tensor, actions: Tensor, luck: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Next states (S, B, F), mean rewards (S, B) and probabilities that it goes on (S, B), of actions (S, B) int64."""
        ...

    def losses(
        self, bits: Tensor, actions: Tensor, rewards: Tensor, following: Tensor, continues: Tensor, luck: Tensor
    ) -> Tensor:
        """The loss of each copy (S,) on transitions: (S, B, D), (S, B), (S, B), (S, B, D), (S, B) and luck (S, B, draws)."""
        ...

    def rebuild(self, states: Tensor) -> Tensor:
        """The likeliest bits (S, B, D) of states of dreams."""
        ...


class BitModel(LearnedWorld):
    """A world of bits as a model tells it. A reward is the expected one; the end is drawn. A subclass writes `network`."""

    Config = BitModelConfig
    spaces: ClassVar[tuple[Space[Any], Space[Any]]] = (MultiBinary(4), Discrete(2))
    history: History | None = None
    """The losses of the last fit."""

    def network(self, bits: int, actions: int, seeds: Sequence[int]) -> nn.Module:
        """The model, a `BitNetwork`."""
        raise NotImplementedError

    def build(self) -> nn.Module:
        """The network, and observations that dreams begin with."""
        if not (isinstance(self.lived_space, MultiBinary) and isinstance(self.acted_space, Discrete)):
            raise ConfigError(f"{self.kind()} tells of MultiBinary bits and Discrete actions, not of {self.lived_space}")
        model = self.network(self.observed.size, self.acted.size, [int(torch.randint(2**62, ()))])
        module = nn.ModuleDict({"model": model})
        module.register_buffer("beginnings", torch.zeros(self.config.starts, self.observed.size))
        return module

    def fit(
        self,
        data: Trajectories,
        training: Training | Mapping[str, Any] | None = None,
        *,
        to: str | Path | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Fit to transitions drawn uniformly; see `LearnedWorld.fit`."""
        self.check(data)
        training = Training.of(training, steps=2000, batch=64, lr=1e-3)
        steps = data.steps()
        if not len(steps.rewards):
            raise DataError("there is nothing to fit a world to: no step of the trajectories has a next observation")
        columns = {
            "bits": self.observed.vector(steps.observations),
            "actions": np.asarray(steps.actions, np.int64) - int(self.acted_space.start),  # type: ignore[attr-defined]
            "rewards": steps.rewards.astype(np.float32),
            "following": self.observed.vector(steps.next_observations),
            "continues": (~steps.terminated).astype(np.float32),
        }

        def draw(rng: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
            index = rng.integers(len(steps.rewards), size=training.batch)
            return {name: column[index] for name, column in columns.items()}

        first = columns["bits"][steps.step == 0]
        chosen = generator(training.seed, "beginnings").integers(len(first), size=self.config.starts)
        self.module.beginnings.copy_(torch.from_numpy(first[chosen]))  # type: ignore[operator,union-attr]
        self.history = train(self.module, self._loss, draw, training, to=None if to is None else Path(to), progress=progress)
        return self

    @property
    def _model(self) -> Any:
        return self.module["model"]  # type: ignore[index]

    def _loss(self, batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
        luck = torch.rand(1, len(batch["rewards"]), self._model.draws, generator=noise)
        return self._model.losses(**{name: value[None] for name, value in batch.items()}, luck=luck)[0]

    # --- dreaming ---

    def begin(self, n: int, rng: np.random.Generator) -> Dream:
        """With observations that episodes began with."""
        bits: Any = self.module.beginnings
        chosen = torch.from_numpy(rng.integers(len(bits), size=n))
        return {"states": self._model.features(bits[chosen][None], self._luck(n, rng))[0]}

    def advance(self, dream: Dream, actions: Tensor, rng: np.random.Generator) -> Moment:
        """As the network tells."""
        n = len(actions)
        states, rewards, going = self._model.imagine(dream["states"][None], actions.argmax(-1)[None], self._luck(n, rng))
        ended = torch.from_numpy(rng.random(n)) >= going[0]
        return Moment({"states": states[0]}, rewards[0], ended)

    def show(self, dream: Dream) -> np.ndarray[Any, Any]:
        """The likeliest bits."""
        return self._model.rebuild(dream["states"][None])[0].numpy().astype(np.int8)

    def shown(self) -> Space[Any]:
        """The space that it was fitted in."""
        return self.lived_space

    def _luck(self, n: int, rng: np.random.Generator) -> Tensor:
        return torch.from_numpy(rng.random((1, n, self._model.draws), np.float32))
