"""Learned: the base of policies that are fitted to trajectories.

A subclass says what the network is, what its loss is, and how it predicts; everything around that is here: turning
observations into numbers, scaling, windows, training, saving and loading; and, in `_acting`, what happens when it acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from gymnasium import Space
from torch import Tensor, nn

from ethogram.errors import ConfigError, DataError
from ethogram.nn import saving
from ethogram.nn.layout import Actions, Observations
from ethogram.nn.scaling import Scaler, Scaling
from ethogram.nn.training import History, Training, seeded, tensors, train
from ethogram.policies.learned._acting import Acting, Seen
from ethogram.policies.learned._generators import Generators
from ethogram.policies.learned._settings import LearnedConfig, Relabel
from ethogram.records.descriptions import describe, space_of
from ethogram.records.trajectories import Trajectories
from ethogram.records.windows import Goal, Windows
from ethogram.seeds import derive, generator

__all__ = ["Batch", "Generators", "Learned", "LearnedConfig", "Relabel", "Seen"]

Batch = dict[str, Any]
"""What a loss gets: `observations` (Seen), `actions` (B, history - 1 + horizon, size) in the network's scale or whole
numbers from 0, `mask` (B, history - 1 + horizon), and `goals` (B, columns) where there are any."""

_VALIDATION_WINDOWS = 4096


class Learned(Acting):
    """A policy that is fitted to trajectories. A subclass, alone in its module, is found by the module's name.

    It sets `Config` and writes `build`, `loss` and `predict`. In these `self.observed` and `self.acted` say what there is
    to see and to do, `self.config` is its settings, and `self.net` is what `build` gave. Before it is fitted it acts by its
    initial weights.

    Args:
        observation_space: of the agents it will act for.
        action_space: of the same.
        config: settings, as an instance of `Config` or as a mapping.
        seed: of the initial weights.

    Raises:
        ConfigError: settings that are wrong, or spaces that it cannot work in.
    """

    Config: ClassVar[type[LearnedConfig]] = LearnedConfig

    def __init__(
        self,
        observation_space: Space[Any],
        action_space: Space[Any],
        config: LearnedConfig | Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        self.observation_space, self.action_space = observation_space, action_space
        self.config: Any = self._settings(config)
        self.observed = Observations(observation_space, self.config.goal)
        self.acted = Actions(action_space)
        with seeded(derive(seed, "weights")):
            self.net = self.build()
        scalers = {"observations": self.observed.size, "goals": self.observed.goal}
        scalers["actions"] = 0 if self.acted.classes else self.acted.size
        self._scalers = nn.ModuleDict({name: Scaler(size) for name, size in scalers.items() if size})
        self.module = nn.ModuleDict({"scalers": self._scalers, "net": self.net}).eval()
        """What is trained and saved."""
        self.fitted = False
        self.history: History | None = None
        """The losses of the last fit."""
        if self.acted.classes and self.config.ensemble is not None:
            raise ConfigError("discrete actions cannot be averaged: leave ensemble at None, or act in a Box")
        self._prepare()

    # --- what a subclass writes ---

    def build(self) -> nn.Module:
        """The network; its initial weights come from torch's own generator."""
        raise NotImplementedError

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """The number to make small, shape (). Actions that are not in the batch's `mask` must not count."""
        raise NotImplementedError

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
        """Fit to trajectories; a fitted policy goes on from what it is, with the scaling it has.

        Args:
            data: in this policy's spaces.
            training: how, as a `Training` or as a mapping.
            weights: of each window (step) of `data`, (N,): how often it is drawn, relatively.
            validation: trajectories on which the loss is measured; the weights best on them are kept.
            to: a folder for the checkpoint from which an interrupted fit goes on.
            progress: show progress on the terminal; None: where there is one.

        Raises:
            ConfigError: settings that are wrong.
            DataError: data in other spaces, or without a step.
        """
        training = Training.of(training)
        windows = self._windows(data)
        if not self.fitted:
            self._fit_scalers(data)

        def draw(rng: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
            return self._arrays(windows.sample(training.batch, rng, weights))

        def loss(batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
            return self.loss(self._scaled(batch), noise)

        held_out = None if validation is None else self._held_out(validation, training)

        def validate(noise: torch.Generator) -> float:
            assert held_out is not None
            return float(np.mean([self.loss(self._scaled(batch), noise).item() for batch in held_out]))

        self.history = train(
            self.module,
            loss,
            draw,
            training,
            validate=validate if held_out else None,
            to=None if to is None else Path(to),
            progress=progress,
        )
        self.fitted = True
        return self

    def _windows(self, data: Trajectories) -> Windows:
        if not isinstance(data, Trajectories):
            raise DataError(
                f"a policy is fitted to trajectories, not to a {type(data).__name__}: of a run, give run.trajectories()"
            )
        for what, own, given in (
            ("observations", self.observation_space, data.observation_space),
            ("actions", self.action_space, data.action_space),
        ):
            if own != given:
                raise DataError(
                    f"the {what} of the trajectories are in {given}, and those of the policy in {own}; make the policy "
                    "with the spaces of its trajectories, data.observation_space and data.action_space"
                )
        relabel, goal = self.config.relabel, None
        if self.observed.goal and relabel.kind != "desired":
            goal = Goal(relabel.kind, relabel.p, relabel.steps)
        windows = data.windows(self.config.history, self.config.horizon, goal)
        if not len(windows):
            raise DataError("there is nothing to fit to: the trajectories hold no step")
        return windows

    def _fit_scalers(self, data: Trajectories) -> None:
        """Fit the scaling of vectors, goals and continuous actions to all of the data."""
        observed, config = self.observed, self.config
        reads: dict[str, tuple[Any, Scaling]] = {
            "observations": (lambda t: observed.vector(t.observations), config.observation_scaling),
            "goals": (lambda t: observed.goals(t.observations["achieved_goal"]), config.observation_scaling),
            "actions": (lambda t: self.acted.read(t.actions), config.action_scaling),
        }
        for name, (read, kind) in reads.items():
            if name in self._scalers:
                fitted = Scaler.fit(np.concatenate([_finite(read(t), name, i) for i, t in enumerate(data)]), kind)
                self._scalers[name].load_state_dict(fitted.state_dict())

    def _held_out(self, data: Trajectories, training: Training) -> list[dict[str, Tensor]]:
        """The windows for validation: all of them, or as many as is quick, drawn once."""
        windows, rng = self._windows(data), generator(training.seed, "held out")
        chosen = np.arange(len(windows))
        if len(chosen) > _VALIDATION_WINDOWS:
            chosen = rng.choice(chosen, _VALIDATION_WINDOWS, replace=False)
        parts = np.array_split(chosen, -(-len(chosen) // training.batch))
        return [tensors(self._arrays(windows.batch(part, rng))) for part in parts]

    def _arrays(self, windows: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
        """A batch of windows as arrays of numbers, by flat names."""
        found = {f"seen/{name}": array for name, array in self.observed.read(windows["observations"]).items()}
        found["actions"], found["mask"] = self.acted.read(windows["actions"]), windows["mask"]
        if self.observed.goal:
            goals = windows["goals"] if "goals" in windows else windows["observations"]["desired_goal"][:, -1]
            found["goals"] = self.observed.goals(goals)
        return found

    def _scaled(self, batch: Mapping[str, Tensor]) -> Batch:
        """Such a batch as a loss takes it."""
        found: Batch = {name: value for name, value in batch.items() if not name.startswith("seen/")}
        seen = {name.removeprefix("seen/"): value for name, value in batch.items() if name.startswith("seen/")}
        found["observations"] = self._see(seen)
        if not self.acted.classes:
            found["actions"] = self._scalers["actions"](batch["actions"])
        if self.observed.goal:
            found["goals"] = self._scalers["goals"](batch["goals"])
        return found

    # --- saving ---

    @classmethod
    def kind(cls) -> str:
        """The name by which it is found: that of its module."""
        return cls.__module__.rpartition(".")[2]

    def save(self, path: str | Path) -> None:
        """Write a folder that `load` reads: `policy.json` and `weights.safetensors`."""
        if not self.fitted:
            raise ConfigError(f"this {type(self).__name__} is not fitted yet: fit it before it is saved")
        spec = {
            "policy": self.kind(),
            "config": self.config.model_dump(mode="json"),
            "observation_space": describe(self.observation_space),
            "action_space": describe(self.action_space),
        }
        saving.save(path, "policy", spec, self.module)

    @classmethod
    def load(
        cls, path: str | Path, observation_space: Space[Any] | None = None, action_space: Space[Any] | None = None
    ) -> Self:
        """Read a policy; called on `Learned` itself, of whatever kind it is.

        Args:
            path: the folder that `save` wrote.
            observation_space: where given, must be the one it was fitted to.
            action_space: likewise.

        Raises:
            DataError: the folder is damaged, or holds a policy of another kind, architecture or space.
        """
        spec, tensors = saving.load(path, "policy")
        if cls is Learned:
            from ethogram.policies.learned import find

            return find(spec["policy"]).load(path, observation_space, action_space)  # pyright: ignore[reportReturnType]
        if spec["policy"] != cls.kind():
            raise DataError(f"{path} holds a policy {spec['policy']!r}, not {cls.kind()!r}; load it as what it is")
        for key, given in (("observation_space", observation_space), ("action_space", action_space)):
            if given is not None and describe(given) != spec[key]:
                raise DataError(
                    f"{path} was fitted to the {key} {space_of(spec[key])}, not to {given}; use it in a world of its "
                    "spaces, or fit another"
                )
        policy = cls(space_of(spec["observation_space"]), space_of(spec["action_space"]), spec["config"])
        saving.restore(policy.module, tensors, path)
        policy.fitted = True
        return policy

    @classmethod
    def _settings(cls, config: LearnedConfig | Mapping[str, Any] | None) -> LearnedConfig:
        settings = cls.Config.of(config)
        if settings.execute > settings.horizon:
            raise ConfigError(
                f"{cls.__name__} cannot execute {settings.execute} actions of the {settings.horizon} that it predicts; "
                "set execute to at most horizon"
            )
        return settings


def _finite(values: np.ndarray[Any, Any], what: str, trajectory: int) -> np.ndarray[Any, Any]:
    """The values (T, columns); DataError where one of them is no number."""
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        step, column = wrong[0].tolist()
        raise DataError(
            f"the {what} of trajectory {trajectory} hold {values[step, column]} at step {step}, in number {column}; "
            "leave such episodes out, or mend them"
        )
    return values
