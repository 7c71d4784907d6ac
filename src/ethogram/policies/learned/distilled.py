"""Distilled: a small network in the place of a policy that is slow or dear, such as one played by a language model.

    student = Distilled(data.observation_space, data.action_space).fit(data)        # data = run.trajectories()
    simulate(world, student)

Whatever the teacher was, its records are pairs of a situation and an action. The student reads the situation with a stated
featuriser and gives a distribution over the templates of the actions seen (`ethogram.policies.learned._situations`), by
maximum likelihood; it acts by drawing from that distribution what is open to the agent now. It has no memory but what the
observation shows (or `history` of them), which is what it loses against a teacher that remembers.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import gymnasium.spaces as gs
import numpy as np
import torch
import torch.nn.functional as F
from gymnasium import Space
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from ethogram.errors import ConfigError, DataError, VerbError
from ethogram.nn.networks import MLP
from ethogram.nn.scaling import Scaling
from ethogram.nn.training import Training
from ethogram.policies.learned import _situations as situations
from ethogram.policies.learned.base import Batch, Generators, Learned, LearnedConfig, Seen
from ethogram.policy import Fault
from ethogram.records.trajectories import Trajectories, Trajectory
from ethogram.records.windows import Windows
from ethogram.seeds import derive
from ethogram.world import Agent

__all__ = ["Distilled", "DistilledConfig"]

_KEPT = 20_000
"""The most actions and spaces that are kept for the next time."""


class DistilledConfig(LearnedConfig):
    """Settings; the last four are found in the data where they are not given."""

    observation_scaling: Scaling = "none"
    action_scaling: Scaling = "none"
    buckets: int = Field(default=4096, ge=1, description="into which tokens are hashed")
    width: int = Field(default=64, ge=1, description="of a token's vector")
    hidden: tuple[PositiveInt, ...] = Field(default=(128,), description="widths of the perceptron")
    dropout: float = Field(default=0.0, ge=0, lt=1)
    bins: int = Field(default=16, ge=1, description="quantiles into which numbers are divided")
    agents: bool = Field(default=True, description="whether it sees who acts; without, all agents share one policy")
    most: int = Field(default=1000, ge=1, description="the most templates; rarer actions are left out")
    temperature: float = Field(default=1.0, gt=0, description="of the draw; 1: as likely as in the data")
    templates: tuple[str, ...] = Field(default=(), description="the actions")
    edges: dict[str, list[float]] = Field(default={}, description="mean, deviation and quantiles of each number")
    tokens: int = Field(default=0, ge=0, description="the most tokens of an observation that are read")


class _Network(nn.Module):
    """Tokens to the sum of their vectors, beside the numbers; a perceptron to the logits (B, templates + 1).

    The vectors are 0 at first, and what is in no batch stays so: a word that was never seen says nothing.
    """

    def __init__(self, config: DistilledConfig) -> None:
        super().__init__()
        self.tokens = max(config.tokens, 1)
        self.padding = config.buckets
        self.vectors = nn.EmbeddingBag(config.buckets + 1, config.width, mode="sum")
        nn.init.zeros_(self.vectors.weight)
        inputs = (config.width + len(config.edges)) * config.history
        self.body = MLP(inputs, len(config.templates) + 1, config.hidden, dropout=config.dropout)

    def forward(self, seen: Tensor) -> Tensor:
        """Seen (B, history, tokens + numbers)."""
        tokens = seen[..., : self.tokens].long().flatten(0, 1)
        blank = (tokens == self.padding).sum(-1, keepdim=True)  # padding_idx would do, and is several times as slow
        vectors = self.vectors(tokens) - blank * self.vectors.weight[self.padding]
        both = torch.cat([vectors.unflatten(0, seen.shape[:2]), seen[..., self.tokens :]], -1)
        return self.body(both.flatten(1))


class Distilled(Learned):
    """A distribution over templates of actions, fitted to any policy's records; see the module."""

    Config = DistilledConfig

    def __init__(
        self,
        observation_space: Space[Any],
        action_space: Space[Any],
        config: LearnedConfig | Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        situations.check_choices(action_space)
        settings: Any = self._settings(config)
        if settings.horizon != 1 or settings.goal or "none" not in (settings.observation_scaling, settings.action_scaling):
            raise ConfigError("a distilled policy decides step by step: leave horizon, goal and the scalings as they are")
        self.seed = seed
        size = max(settings.tokens, 1) + len(settings.edges)
        numbers, choices = gs.Box(-np.inf, np.inf, (size,), np.float32), gs.Discrete(len(settings.templates) + 1)
        super().__init__(numbers, choices, settings, seed)
        self._numeric = numbers, choices
        self.observation_space, self.action_space = observation_space, action_space
        self._reader = situations.Reader(settings.buckets, settings.edges, settings.agents)
        self._place = {template: i for i, template in enumerate(settings.templates)}
        needs = [situations.slots(template) for template in settings.templates]
        self._slots = sorted(frozenset().union(*needs))
        self._needs = np.array([[slot in own for slot in self._slots] for own in needs], bool).reshape(
            len(needs), len(self._slots)
        )
        self._spaces: dict[int, tuple[Space[Any], dict[str, Any]]] = {}

    # --- learning ---

    def fit(
        self,
        data: Trajectories,
        training: Training | Mapping[str, Any] | None = None,
        *,
        weights: np.ndarray[Any, Any] | None = None,
        validation: Trajectories | None = None,
        to: str | Path | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Fit to records; where the settings hold no templates yet, they are first found in the data."""
        if not self.config.templates:
            self.__init__(self.observation_space, self.action_space, self._found_in(data), self.seed)
        training = Training.of(training, weight_decay=1e-2)
        return super().fit(data, training, weights=weights, validation=validation, to=to, progress=progress)

    def _found_in(self, data: Trajectories) -> DistilledConfig:
        """The settings with templates, numbers and size as the data has them."""
        counts: Counter[str] = Counter()
        numbers: dict[str, list[float]] = {}
        tokens = []
        reader = situations.Reader(self.config.buckets, {}, self.config.agents)
        for trajectory in data:
            for situation, action in self._pairs(trajectory):
                counts[action] += 1
                for path, value in situations.numbers_in(situation).items():
                    numbers.setdefault(path, []).append(value)
                tokens.append(len(reader.read(trajectory.agent, situation)[0]))
        if not counts:
            raise DataError("there is nothing to fit to: the trajectories hold no step")
        always = {path: values for path, values in numbers.items() if len(values) == len(tokens)}
        edges = situations.edges_of(always, self.config.bins)
        kept = sorted(counts, key=lambda template: (-counts[template], template))[: self.config.most]
        longest = int(np.quantile(tokens, 0.999)) + len(edges)
        return self.config.model_copy(update={"templates": tuple(kept), "edges": edges, "tokens": min(longest, 256)})

    def _pairs(self, t: Trajectory) -> list[tuple[Any, str]]:
        """Each situation as JSON, and the template of the action taken in it."""
        found = []
        for observation, action in zip(self._members(t.observations), self._members(t.actions), strict=False):
            situation = situations.plain(self.observation_space, observation)
            refers = situations.references(t.agent, situation)
            found.append((situation, situations.abstract(situations.plain(self.action_space, action), refers)))
        return found

    @staticmethod
    def _members(column: Any) -> Sequence[Any]:
        """The members of a trajectory's column, one by one."""
        if isinstance(column, dict):
            parts = {key: Distilled._members(part) for key, part in column.items()}
            return [dict(zip(parts, values, strict=True)) for values in zip(*parts.values(), strict=True)]
        if isinstance(column, tuple):
            return list(zip(*map(Distilled._members, column), strict=True))
        return column

    def numeric(self, data: Trajectories) -> Trajectories:
        """The same trajectories as the network sees them: tokens and numbers, and the number of the template chosen.

        What is no template (an action that is rare, or was not in the data of the fit) is the last number.
        """
        found = []
        for t in data:
            pairs = self._pairs(t)
            seen = (
                np.stack([self._vector(t.agent, s) for s, _ in pairs]) if pairs else np.zeros((0, *self._numeric[0].shape))
            )
            chosen = np.array([self._place.get(template, len(self._place)) for _, template in pairs], np.int64)
            found.append(t._replace(observations=seen, actions=chosen))
        return Trajectories.of(found, *self._numeric)

    def _vector(self, agent: Agent, situation: Any) -> np.ndarray[Any, Any]:
        tokens, numbers = self._reader.read(agent, situation)
        most = self.config.tokens
        padded = tokens[:most] + [self.config.buckets] * (most - len(tokens))
        return np.array([*padded, *numbers], np.float32)

    def _windows(self, data: Trajectories) -> Windows:
        windows = self.numeric(data).windows(self.config.history)
        if not len(windows):
            raise DataError("there is nothing to fit to: the trajectories hold no step")
        return windows

    def _fit_scalers(self, data: Trajectories) -> None:
        """Numbers are standardised by the featuriser."""

    # --- what the base asks for ---

    def build(self) -> nn.Module:
        """The network."""
        return _Network(self.config)

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Mean negative log-likelihood of the template chosen."""
        return F.cross_entropy(self.net(batch["observations"]), batch["actions"][:, -1, 0])

    def predict(self, observations: Seen, goals: Tensor | None, generators: Generators) -> Tensor:
        """A template drawn for each row, whether it is open or not."""
        likely = (self.net(observations) / self.config.temperature).softmax(-1)
        return (generators.uniform(1) >= likely.cumsum(-1)[:, :-1]).sum(-1)[:, None, None]

    # --- what it thinks ---

    def likelihoods(self, data: Trajectories) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """What it would do at each step of some records, at temperature 1, and what was done.

        Returns:
            Probabilities (N, templates + 1) with that of any other action last, and the numbers of the templates (N,).
        """
        windows = self._windows(data)
        found, done = [], []
        with torch.inference_mode():
            for part in np.array_split(np.arange(len(windows)), -(-len(windows) // 1024)):
                batch = windows.batch(part)
                found.append(self.net(torch.from_numpy(batch["observations"])).double().softmax(-1).numpy())
                done.append(batch["actions"][:, -1])
        return np.concatenate(found), np.concatenate(done)

    # --- acting ---

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """An action for each agent, drawn among the templates that are open to it; a Fault where none is."""
        if self._seed is None:
            raise ConfigError("a distilled policy must be reset with a seed before it acts")
        if not self.fitted:
            raise ConfigError("this distilled policy is not fitted yet: fit it to records before it acts")
        agents = list(observations)
        rows = [self._rows[agent] if agent in self._rows else self._join(agent) for agent in agents]
        seen = [situations.plain(self.observation_space, observation) for observation in observations.values()]
        vectors = np.stack([self._vector(agent, situation) for agent, situation in zip(agents, seen, strict=True)])
        remembered = self._remember(rows, {"vector": vectors})["vector"]
        with torch.inference_mode():
            logits = self.net(torch.from_numpy(remembered))[:, :-1] / self.config.temperature
            likely = (logits - logits.amax(-1, keepdim=True)).double().exp().numpy()
        actions = {}
        for agent, row, situation, weights in zip(agents, rows, seen, likely, strict=True):
            self._counts[row] += 1
            actions[agent] = self._draw(
                agent, self._counts[row], situations.references(agent, situation), weights, spaces[agent]
            )
        return actions

    def _draw(
        self, agent: Agent, count: int, refers: Mapping[str, str], weights: np.ndarray[Any, Any], space: Space[Any]
    ) -> Any:
        """Draw in proportion to the weights, again without the one drawn where it is not open: exact, and few are tried."""
        assert self._seed is not None
        missing = np.array([slot not in refers for slot in self._slots], bool)
        weights[(self._needs & missing).any(1)] = 0.0
        known = self._known(space)
        for attempt in range(len(weights)):
            sums = weights.cumsum()
            if sums[-1] <= 0:
                break
            uniform = derive(self._seed, "distilled", agent, count, attempt) / 2**63
            chosen = min(int(np.searchsorted(sums, uniform * sums[-1], side="right")), len(weights) - 1)
            text = situations.ground(self.config.templates[chosen], refers)
            if text not in known:
                known[text] = _action(space, text)
            if known[text] is not None:
                return known[text]
            weights[chosen] = 0.0
        return Fault("nothing that the distilled policy has seen done is open here")

    def _known(self, space: Space[Any]) -> dict[str, Any]:
        """The actions made for a space so far; worlds give the same object where the same is open."""
        if id(space) not in self._spaces:
            if len(self._spaces) >= _KEPT:
                self._spaces.clear()
            self._spaces[id(space)] = space, {}
        known = self._spaces[id(space)][1]
        if len(known) >= _KEPT:
            known.clear()
        return known


def _action(space: Space[Any], text: str) -> Any:
    """The action, or None where it is not open."""
    try:
        return situations.actions_of(space, text)
    except (VerbError, ValueError, TypeError, json.JSONDecodeError):
        return None
