"""LearnedWorld: the base of worlds that are fitted to trajectories.

A subclass says what the network is, how it is fitted, how a dream begins and goes on, and what is seen of it. Everything
around that is here: spaces, many dreams side by side, random numbers, cutting off, the state, saving and loading.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from gymnasium import Space
from gymnasium.spaces import Box
from pydantic import Field
from torch import Tensor, nn

from ethogram.errors import ConfigError, DataError
from ethogram.nn import saving
from ethogram.nn.layout import Observations
from ethogram.nn.settings import Settings
from ethogram.nn.training import Training, seeded
from ethogram.records.descriptions import describe, space_of
from ethogram.records.trajectories import Trajectories
from ethogram.seeds import derive
from ethogram.world import Step, World

__all__ = ["Dream", "LearnedWorld", "LearnedWorldConfig", "Moment", "Sequences"]

Dream = dict[str, Tensor]
"""The state of n dreams, each tensor of shape (n, ...)."""


class Moment(NamedTuple):
    """What a step of n dreams led to."""

    dream: Dream
    rewards: Tensor
    """Shape (n,)."""
    ended: Tensor
    """Whether the episode is over by the world's rules, shape (n,), bool."""


class LearnedWorldConfig(Settings):
    """What all learned worlds can be told; a subclass adds its architecture and how it is dreamt."""

    fixed: ClassVar[frozenset[str]] = frozenset()
    """Settings of the architecture that the shapes of its weights do not tell."""

    steps: int = Field(default=1000, ge=1, description="steps after which an episode is cut off")
    starts: int = Field(
        default=64, ge=1, description="beginnings of episodes that are kept; a dream begins with one of them"
    )
    sequence: int = Field(default=50, ge=2, description="steps of the sequences that it is fitted to")


class LearnedWorld(World):
    """A world that is fitted to trajectories, and is then a world of one agent, or of many dreaming side by side.

    A subclass, alone in its module, is found by the module's name. It sets `Config` and writes `build`, `fit`, `begin`,
    `advance`, `show` and `shown`. Before it is fitted, its dreams are those of its initial weights.

    Args:
        observation_space: of what it is fitted to; a small one of the subclass's own by default.
        action_space: of the same.
        config: settings, as an instance of `Config` or as a mapping.
        copies: how many agents dream it side by side, each on its own.
        seed: of the initial weights.

    Raises:
        ConfigError: settings that are wrong, or spaces that it cannot be fitted to.
    """

    Config: ClassVar[type[LearnedWorldConfig]] = LearnedWorldConfig
    spaces: ClassVar[tuple[Space[Any], Space[Any]]] = (Box(-1.0, 1.0, (3,)), Box(-1.0, 1.0, (2,)))
    """Of observations and actions, where none are given."""
    state_fields = ("dream", "taken")

    def __init__(
        self,
        observation_space: Space[Any] | None = None,
        action_space: Space[Any] | None = None,
        config: LearnedWorldConfig | Mapping[str, Any] | None = None,
        *,
        copies: int = 1,
        seed: int = 0,
    ) -> None:
        if copies < 1:
            raise ConfigError(f"copies = {copies} must be at least 1")
        self.lived_space: Any = copy.deepcopy(observation_space or self.spaces[0])
        self.acted_space: Any = copy.deepcopy(action_space or self.spaces[1])
        self.config: Any = self.Config.of(config)
        self.observed, self.acted = Observations(self.lived_space), Observations(self.acted_space)
        with seeded(derive(seed, "weights")):
            self.module: Any = self.build().eval()
        self.metadata = {"name": self.kind(), "render_modes": []}
        self.expected_steps = self.config.steps
        self.copies = copies
        self.possible_agents = ["dreamer"] if copies == 1 else [f"dreamer {i + 1}" for i in range(copies)]
        self.agents = []
        self.observation_spaces = dict.fromkeys(self.possible_agents, self.shown())
        self.action_spaces = dict.fromkeys(self.possible_agents, self.acted_space)  # pyright: ignore[reportAttributeAccessIssue]
        self.dream: dict[str, np.ndarray[Any, Any]] = {}
        self.taken = 0

    # --- what a subclass writes ---

    def build(self) -> nn.Module:
        """The network; its initial weights come from torch's own generator."""
        raise NotImplementedError

    def fit(
        self,
        data: Trajectories,
        training: Training | Mapping[str, Any] | None = None,
        *,
        to: str | Path | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Fit to trajectories.

        Args:
            data: in the spaces the world was made for.
            training: how.
            to: a folder for the checkpoints from which an interrupted fit goes on.
            progress: show progress on the terminal; None: where there is one.

        Raises:
            DataError: data in other spaces, or without what is needed.
        """
        raise NotImplementedError

    def begin(self, n: int, rng: np.random.Generator) -> Dream:
        """The beginnings of n dreams."""
        raise NotImplementedError

    def advance(self, dream: Dream, actions: Tensor, rng: np.random.Generator) -> Moment:
        """One step of n dreams, with actions as the columns (n, A) of numbers that a network reads."""
        raise NotImplementedError

    def show(self, dream: Dream) -> np.ndarray[Any, Any]:
        """What is observed of n dreams, shape (n, ...)."""
        raise NotImplementedError

    def shown(self) -> Space[Any]:
        """The space of what `show` gives for one dream."""
        raise NotImplementedError

    # --- being a world ---

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Begin a dream for each agent."""
        super().reset(seed)
        assert self.rng is not None
        self.taken = 0
        with torch.inference_mode():
            dream = self.begin(self.copies, self.rng)
            seen = self.show(dream)
        self._keep(dream)
        return self._by_agent(seen), {agent: {} for agent in self.agents}

    def step(self, actions: Mapping[str, Any]) -> Step:
        """Dream on; an agent whose dream has ended is gone, and what the others dream does not depend on it."""
        assert self.rng is not None
        live, idle = self.agents, self.idle(self.possible_agents[0])
        done = np.stack([np.asarray(actions.get(agent, idle)) for agent in self.possible_agents])
        with torch.inference_mode():
            dream = {name: torch.from_numpy(array) for name, array in self.dream.items()}
            moment = self.advance(dream, torch.from_numpy(self.acted.vector(done)), self.rng)
            seen = self._by_agent(self.show(moment.dream))
        self._keep(moment.dream)
        self.taken += 1
        rewards = dict(zip(self.possible_agents, moment.rewards.tolist(), strict=True))
        ended = dict(zip(self.possible_agents, moment.ended.tolist(), strict=True))
        cut = self.taken >= self.config.steps
        self.agents = [] if cut else [agent for agent in live if not ended[agent]]
        return (
            {agent: seen[agent] for agent in live},
            {agent: rewards[agent] for agent in live},
            {agent: ended[agent] for agent in live},
            {agent: cut and not ended[agent] for agent in live},
            {agent: {} for agent in live},
        )

    def _keep(self, dream: Dream) -> None:
        self.dream = {name: value.numpy() for name, value in dream.items()}

    def _by_agent(self, seen: np.ndarray[Any, Any]) -> dict[str, Any]:
        return dict(zip(self.possible_agents, seen, strict=True))

    # --- fitting, saving ---

    def check(self, data: Trajectories) -> None:
        """DataError where these are no trajectories, or not in the spaces of this world."""
        if not isinstance(data, Trajectories):
            raise DataError(
                f"a world is fitted to trajectories, not to a {type(data).__name__}: of a run, give run.trajectories()"
            )
        for what, own, given in (
            ("observations", self.lived_space, data.observation_space),
            ("actions", self.acted_space, data.action_space),
        ):
            if own != given:
                raise DataError(f"the {what} of the trajectories are in {given}, and those of the world in {own}")

    def variant(self, *, copies: int = 1, **settings: Any) -> Self:
        """The same world, dreamt with other settings (such as dropout or temperature) or by another number of agents.

        Raises:
            ConfigError: there is no such setting.
            DataError: it is one of the architecture, which cannot change any more.
        """
        config = _changed(self.config, settings, f"the world {self.kind()}")
        world = type(self)(self.lived_space, self.acted_space, config, copies=copies)
        saving.restore(world.module, self.module.state_dict(), f"the world {self.kind()}")
        return world

    @classmethod
    def kind(cls) -> str:
        """The name by which it is found: that of its module."""
        return cls.__module__.rpartition(".")[2]

    def save(self, path: str | Path) -> None:
        """Write a folder that `load` reads: `world.json` and `weights.safetensors`."""
        spec = {
            "world": self.kind(),
            "config": self.config.model_dump(mode="json"),
            "observation_space": describe(self.lived_space),
            "action_space": describe(self.acted_space),
        }
        saving.save(path, "world", spec, self.module)

    @classmethod
    def load(cls, path: str | Path, *, copies: int = 1, **settings: Any) -> Self:
        """Read a world; called on `LearnedWorld` itself, of whatever kind it is. See `ethogram.worlds.learned.load`."""
        spec, tensors = saving.load(path, "world")
        if cls is LearnedWorld:
            from ethogram.worlds import find

            found: Any = find(spec["world"])
            return found.load(path, copies=copies, **settings)
        if spec["world"] != cls.kind():
            raise DataError(f"{path} holds a world {spec['world']!r}, not {cls.kind()!r}; load it as what it is")
        spaces = space_of(spec["observation_space"]), space_of(spec["action_space"])
        world = cls(*spaces, _changed(cls.Config.of(spec["config"]), settings, path), copies=copies)
        saving.restore(world.module, tensors, path)
        return world


def _changed(config: LearnedWorldConfig, settings: Mapping[str, Any], where: str | Path) -> LearnedWorldConfig:
    """Settings with some of them changed; DataError where the weights were fitted with another value."""
    found = type(config).of({**config.model_dump(), **settings})
    for name in sorted(config.fixed):
        was, now = getattr(config, name), getattr(found, name)
        if was != now:
            raise DataError(f"{where} is of another architecture: its {name} is {was!r}, not {now!r}")
    return found


class Sequences:
    """Episodes as sequences of one length, drawn at random: step by step, with what lies beyond an end masked.

    Args:
        data: the episodes.
        length: L, steps of a sequence.
        seen: what is read of an episode's observations (T + 1, ...), as arrays (T + 1, ...) by name.
        acted: what is read of its actions, (T, A).
        from_beginnings: share of the sequences drawn that begin where an episode begins, beside those that chance to.

    Raises:
        DataError: there is no step, or an episode's final observation was not recorded.
    """

    def __init__(
        self,
        data: Trajectories,
        length: int,
        seen: Callable[[Any], Mapping[str, np.ndarray[Any, Any]]],
        acted: Callable[[Any], np.ndarray[Any, Any]],
        from_beginnings: float = 0.0,
    ) -> None:
        episodes = [t for t in data if len(t.rewards)]
        if not episodes:
            raise DataError("there is nothing to fit a world to: the trajectories hold no step")
        self.length, self.from_beginnings = length, from_beginnings
        self.lengths = np.array([len(t.rewards) for t in episodes])
        parts = [seen(t.observations) for t in episodes]
        self.seen = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        if len(next(iter(self.seen.values()))) != self.lengths.sum() + len(episodes):
            raise DataError("a world is fitted to episodes whose final observation was recorded, and in some it was not")
        self.actions = np.concatenate([acted(t.actions) for t in episodes])
        self.rewards = np.concatenate([t.rewards for t in episodes]).astype(np.float32)
        self.ended = np.zeros(len(self.rewards), np.float32)
        self.ended[self.lengths.cumsum() - 1] = [t.terminated for t in episodes]
        self._first = self.lengths.cumsum() - self.lengths

    @property
    def beginnings(self) -> np.ndarray[Any, Any]:
        """Rows of `seen` with the first observation of each episode."""
        return self._first + np.arange(len(self.lengths))

    @property
    def log_odds(self) -> float:
        """Of a step being an episode's end by the world's rules; as if half a step more had been one, and half not."""
        return float(np.log((self.ended.sum() + 0.5) / (len(self.ended) - self.ended.sum() + 0.5)))

    def draw(self, batch: int, rng: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
        """Sequences that begin at a random step of all steps, or some of them with an episode.

        Returns:
            What is seen by its names (B, L + 1, ...), `actions` (B, L, A), `rewards`, `ended` and `mask` (B, L) float32;
            beyond an episode's end its last step is repeated, and masked.
        """
        total = int(self.lengths.sum())
        start = rng.integers(total, size=batch)
        if self.from_beginnings:
            first = rng.random(batch) < self.from_beginnings
            start[first] = self._first[rng.integers(len(self._first), size=first.sum())]
        episode = np.searchsorted(self.lengths.cumsum(), start, side="right")
        last = self._first[episode] + self.lengths[episode] - 1
        steps = start[:, None] + np.arange(self.length)
        mask = steps <= last[:, None]
        steps = np.minimum(steps, last[:, None])
        after = np.minimum(start[:, None] + np.arange(self.length + 1), last[:, None] + 1) + episode[:, None]
        return {
            **{name: array[after] for name, array in self.seen.items()},
            "actions": self.actions[steps],
            "rewards": self.rewards[steps],
            "ended": self.ended[steps],
            "mask": mask.astype(np.float32),
        }
