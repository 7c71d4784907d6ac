"""The agents of the study: Q-learners that differ in nothing but where their batches come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from ethogram.errors import ConfigError
from ethogram.nn.stacked import StackedAdam, Streams
from ethogram.policies.learned.dqn import DQNConfig, QLearner, Transitions, boltzmann
from ethogram.studies.dreams._mb_generalization_gaussian import GaussianNetwork
from ethogram.worlds.coded._bits import BitWorld
from ethogram.worlds.learned.bernoulli_model import BernoulliNetwork
from ethogram.worlds.learned.categorical_model import CategoricalNetwork

__all__ = ["AGENTS", "Agent", "AgentSettings", "Kind", "Replay"]

Kind = Literal["replay", "simple", "latent", "gaussian", "perfect"]
AGENTS: tuple[Kind, ...] = get_args(Kind)
LATENT = (CategoricalNetwork, GaussianNetwork)


class AgentSettings(BaseModel):
    """One agent."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = Field(description="where the batches of Q-learning come from")
    q: DQNConfig = Field(default=DQNConfig(temperature=0.1), description="Q-learning; the temperature is that of exploring")
    lr: float = Field(default=1e-4, gt=0, description="step size of AdamW, of Q and of the model")
    real: int = Field(default=32, ge=1, description="real transitions an update of the model draws")
    starts: int = Field(default=32, ge=1, description="of these, how many rollouts start from")
    length: int = Field(default=10, ge=1, description="steps of a rollout; a batch of replay has starts * length")
    hidden: tuple[int, ...] = Field(default=(200, 200, 200), description="widths of the hidden layers of the model")
    variables: int = Field(
        default=32, ge=1, description="one-hot variables of the latent model; times classes: Gaussian ones"
    )
    classes: int = Field(default=32, ge=2, description="classes of each")


class Replay:
    """What S copies have seen, one transition of each a step.

    Args:
        copies: S.
        capacity: steps that are kept; the oldest are forgotten.
        bits: width of an observation.
    """

    def __init__(self, copies: int, capacity: int, bits: int) -> None:
        self.observations = torch.zeros(copies, capacity, bits, dtype=torch.uint8)
        self.following = torch.zeros_like(self.observations)
        self.actions = torch.zeros(copies, capacity, dtype=torch.int64)
        self.rewards, self.continues = torch.zeros(copies, capacity), torch.zeros(copies, capacity)
        self.copies, self.capacity, self.seen = torch.arange(copies)[:, None], capacity, 0

    def add(self, bits: np.ndarray, actions: Tensor, rewards: np.ndarray, following: np.ndarray, ends: np.ndarray) -> None:
        """One transition of each copy: (S, D), (S,), (S,), (S, D), (S,)."""
        at = self.seen % self.capacity
        self.observations[:, at], self.following[:, at] = torch.from_numpy(bits), torch.from_numpy(following)
        self.actions[:, at] = actions
        self.rewards[:, at], self.continues[:, at] = torch.from_numpy(rewards), torch.from_numpy(~ends)
        self.seen += 1

    def sample(self, luck: np.ndarray) -> Transitions:
        """Transitions drawn uniformly, with repetition; `luck` (S, B) uniform in [0, 1)."""
        index = self.copies, torch.from_numpy((luck * min(self.seen, self.capacity)).astype(np.int64))
        continues = self.continues[index]
        return Transitions(
            self.observations[index].float(),
            self.actions[index],
            self.rewards[index],
            self.following[index].float(),
            continues,
            torch.ones_like(continues),
        )


class Agent:
    """An agent in S copies, each with its own seed and stream of random numbers.

    Args:
        settings: of all copies.
        world: what it acts in; its `transition` is called by the perfect model alone.
        seeds: one for each copy.
        lr: in place of the settings' step size, one for each copy.
        temperature: in place of the settings' temperature, one for each copy.
    """

    def __init__(
        self,
        settings: AgentSettings,
        world: BitWorld,
        seeds: Sequence[int],
        lr: Sequence[float] | None = None,
        temperature: Sequence[float] | None = None,
    ) -> None:
        self.settings, self.world = settings, world
        bits, self.actions = world.observation_space("agent").shape[0], int(world.action_space("agent").n)  # type: ignore[index,attr-defined]
        step_size = settings.lr if lr is None else lr
        warmth = torch.as_tensor(settings.q.temperature if temperature is None else temperature, dtype=torch.float32)
        if not (warmth > 0).all():
            raise ConfigError("an agent of this study explores by a softmax: give it a temperature above 0")
        self.temperature = warmth.expand(len(seeds)).reshape(-1, 1, 1)
        self.model: BernoulliNetwork | CategoricalNetwork | GaussianNetwork | None = None
        if settings.kind == "simple":
            self.model = BernoulliNetwork(bits, self.actions, settings.hidden, seeds, settings.q.activation)
        elif settings.kind == "latent":
            sizes = settings.variables, settings.classes
            self.model = CategoricalNetwork(bits, self.actions, settings.hidden, seeds, *sizes, settings.q.activation)
        elif settings.kind == "gaussian":
            size = settings.variables * settings.classes  # as many numbers as a code has
            self.model = GaussianNetwork(bits, self.actions, settings.hidden, seeds, size, settings.q.activation)
        self.optimiser = StackedAdam(self.model, step_size) if self.model is not None else None
        inputs = self.model.width if isinstance(self.model, LATENT) else bits
        self.learner = QLearner(inputs, self.actions, seeds, settings.q, step_size)
        self.acting, self.replaying, self.imagining = (Streams(seeds, name) for name in ("act", "replay", "imagine"))

    def features(self, bits: np.ndarray) -> Tensor:
        """What Q sees of observations (S, B, D)."""
        seen = torch.from_numpy(bits).float()
        if not isinstance(self.model, LATENT):
            return seen
        return self.model.features(seen, self._luck(self.acting, seen.shape[1], self.model.draws))

    def explore(self, bits: np.ndarray) -> Tensor:
        """Actions (S,) drawn from the softmax over Q-values of observations (S, D)."""
        values = self.learner.values(self.features(bits[:, None]))
        return boltzmann(values, self.temperature, self._luck(self.acting, 1, self.actions))[:, 0]

    def exploit(self, bits: np.ndarray) -> np.ndarray:
        """The actions (S, B) of the largest Q-values of observations (S, B, D), without drawing any random number."""
        seen = torch.from_numpy(bits).float()
        return self.learner.values(seen if self.model is None else self.model.features(seen)).argmax(-1).numpy()

    def update(self, replay: Replay) -> None:
        """One update of Q, from starts * length transitions; before it one of the model, if any, from `real` ones."""
        starts, length = self.settings.starts, self.settings.length
        if self.settings.kind == "replay":
            self.learner.update(replay.sample(self.replaying.random(starts * length)))
            return
        real = replay.sample(self.replaying.random(self.settings.real))
        if self.model is not None and self.optimiser is not None:
            luck = self._luck(self.imagining, self.settings.real, self.model.draws)
            self.optimiser.step(self.model.losses(*real[:5], luck))
        self.learner.update(self.rollouts(real.observations[:, :starts]))

    @torch.no_grad()
    def rollouts(self, bits: Tensor) -> Transitions:
        """Transitions (S, starts * length) of rollouts of the present policy, from observations (S, starts, D)."""
        _, starts, _ = bits.shape
        draws = self.world.draws if self.model is None else self.model.draws
        luck = self._luck(self.imagining, self.settings.length, starts, self.actions + draws)
        seen = bits
        if isinstance(self.model, LATENT):
            seen = self.model.features(bits, self._luck(self.imagining, starts, draws))
        alive = torch.ones(bits.shape[:2])
        steps: list[tuple[Tensor, ...]] = []
        for t in range(self.settings.length):
            chosen = boltzmann(self.learner.values(seen), self.temperature, luck[:, t, :, : self.actions])
            chances = luck[:, t, :, self.actions :]
            following, rewards, continues = (self._truly if self.model is None else self.model.imagine)(
                seen, chosen, chances
            )
            steps.append((seen, chosen, rewards, following, continues, alive))
            seen, alive = following, alive * continues
        return Transitions(*(torch.cat(parts, 1) for parts in zip(*steps, strict=True)))

    def _truly(self, bits: Tensor, actions: Tensor, luck: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the true dynamics makes of it, in the form of a model's `imagine`."""
        shape = actions.shape
        moved = self.world.transition(
            bits.flatten(0, 1).bool().numpy(), actions.flatten().numpy(), luck.flatten(0, 1).numpy()
        )
        rewards, continues = torch.from_numpy(moved.rewards).float(), torch.from_numpy(~moved.terminated).float()
        return torch.from_numpy(moved.bits).float().view(bits.shape), rewards.view(shape), continues.view(shape)

    def _luck(self, streams: Streams, *shape: int) -> Tensor:
        return torch.from_numpy(streams.random(*shape))
