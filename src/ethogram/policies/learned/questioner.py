"""A questioner of twenty questions that is fitted to recorded games, and then learns from play.

    asker = Questioner(world.observation_space(agent), world.action_space(agent)).fit(run.trajectories())
    asker.practise(things)

The network decides *what* is asked next, and *when* to guess. It sees the answers so far, question by question, as a set
(which order they came in is not shown), the turn, and two numbers that say how far the game is: how likely the likeliest
thing is, and the entropy over all things. It never sees which things these are. *What* is guessed is not learned but
recalled: the thing of the base that is likeliest by the answers. So things that were in no game it learned from can be
guessed as well as others, provided that it asks what tells them from the rest: that is what has to generalise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium.spaces as gs
import numpy as np
import torch
import torch.nn.functional as F
from gymnasium import Space
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from ethogram.errors import ConfigError, DataError
from ethogram.guessing.knowledge import Knowledge, things
from ethogram.guessing.many import features
from ethogram.guessing.recall import Recall
from ethogram.guessing.vocabulary import Ask, Guess, Questioning
from ethogram.nn.networks import MLP
from ethogram.nn.scaling import Scaling
from ethogram.policies.learned._practice import Practice, practise
from ethogram.policies.learned.base import Batch, Generators, Learned, LearnedConfig, Seen
from ethogram.records.trajectories import Trajectories
from ethogram.records.windows import Windows
from ethogram.seeds import derive
from ethogram.world import Agent

__all__ = ["Practice", "Questioner", "QuestionerConfig"]


class QuestionerConfig(LearnedConfig):
    """Settings."""

    observation_scaling: Scaling = "none"
    action_scaling: Scaling = "none"
    hidden: tuple[PositiveInt, ...] = Field(default=(128, 128), description="widths of the perceptron")
    temperature: float = Field(default=0.8, ge=0, description="of the draw of an action; 0 takes the likeliest")
    noise: float = Field(default=0.0, ge=0, lt=0.5, description="the share of wrong answers that it reckons with")
    knowledge: str = Field(default="", description="file of the base that it knows; empty: the one that comes along")


class Questioner(Learned):
    """Chooses questions with a small network; see the module."""

    Config = QuestionerConfig
    net: nn.Sequential

    def __init__(
        self,
        observation_space: Space[Any],
        action_space: Space[Any],
        config: LearnedConfig | Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        settings: Any = self._settings(config)
        if (settings.history, settings.horizon, settings.goal) != (1, 1, False):
            raise ConfigError("a questioner decides turn by turn on all that was said: leave history, horizon and goal")
        base = Knowledge.load(settings.knowledge) if settings.knowledge else things()
        self.recall = Recall(base, settings.noise)
        count = len(base.questions)
        self._numeric = gs.Box(-np.inf, np.inf, (3 * count + 3,), np.float32), gs.Discrete(count + 1)
        super().__init__(*self._numeric, settings, seed)
        self.observation_space, self.action_space = observation_space, action_space

    # --- what the base asks for ---

    def build(self) -> nn.Sequential:
        """A perceptron to the logits of each question and of a guess, and a value: (B, K + 2)."""
        return MLP(self.observed.size, self.acted.classes[0] + 1, self.config.hidden, "tanh")

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Mean negative log-likelihood of what was done."""
        return F.cross_entropy(self.net(batch["observations"][:, -1])[:, :-1], batch["actions"][:, -1, 0])

    def predict(self, observations: Seen, goals: Tensor | None, generators: Generators) -> Tensor:
        """Not used: see `act`."""
        raise NotImplementedError

    def _fit_scalers(self, data: Trajectories) -> None:
        """The features are of one size already."""

    def _windows(self, data: Trajectories) -> Windows:
        windows = self.numeric(data).windows()
        if not len(windows):
            raise DataError("there is nothing to fit to: the trajectories hold no turn")
        return windows

    def numeric(self, data: Trajectories) -> Trajectories:
        """Games as the network sees them: features, and the number of the question asked, or K for a guess.

        Raises:
            DataError: somebody asks what is not in the list.
        """
        base = self.recall.knowledge
        place: dict[str, int] = {question: k for k, question in enumerate(base.questions)}
        found = []
        for t in data:
            done = [len(place) if isinstance(a, Guess) else place.get(getattr(a, "question", ""), -1) for a in t.actions]
            if -1 in done:
                raise DataError(f"game {t.episode} has a question that is not in the list; a questioner cannot imitate that")
            seen = [self._features(one)[0] for one in t.observations]
            found.append(t._replace(observations=np.stack(seen), actions=np.array(done, np.int64)))
        return Trajectories.of(found, *self._numeric)

    def _features(self, seen: Questioning) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """What the network sees of a game, (columns,), and the probabilities of all things, (N,)."""
        answers, weights = self.recall.remember(seen.said)
        shares = self.recall.shares(weights)
        return features(answers, shares, seen.turn - 1, seen.turns)[0], shares[0]

    # --- learning from play ---

    def practise(
        self,
        entities: Sequence[int],
        practice: Practice | None = None,
        *,
        noise: float | None = None,
        seed: int = 0,
    ) -> list[float]:
        """Learn from games against the coded judge, with the score as the only reward; the mean score of each round.

        Args:
            entities: what is to be guessed, by number in the base.
            practice: how.
            noise: of the judges; None: what it reckons with.
            seed: of things, judges and draws.
        """
        practice = practice or Practice()
        scores = practise(
            self.net, self.recall, entities, self.config.noise if noise is None else noise, practice, derive(seed, "rl")
        )
        self.fitted = True
        return scores

    # --- acting ---

    def act(self, observations: Mapping[Agent, Questioning], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """A question or a guess for each agent; in the last turn a guess."""
        if self._seed is None or not self.fitted:
            raise ConfigError("a questioner must be fitted, or have practised, and be reset with a seed before it acts")
        base, count = self.recall.knowledge, len(self.recall.knowledge.questions)
        read = [self._features(seen) for seen in observations.values()]
        with torch.inference_mode():
            logits = self.net(torch.from_numpy(np.stack([seen for seen, _ in read])))[:, :-1].double().numpy()
        actions = {}
        for (agent, seen), (_, shares), row in zip(observations.items(), read, logits, strict=True):
            chosen = self._draw(row, agent, seen.turn) if seen.turn < seen.turns else count
            guess = Guess(entity=base.called(int(shares.argmax())))
            actions[agent] = guess if chosen == count else Ask(question=base.questions[chosen])
        return actions

    def _draw(self, logits: np.ndarray[Any, Any], agent: Agent, turn: int) -> int:
        assert self._seed is not None
        if not self.config.temperature:
            return int(logits.argmax())
        sums = np.exp((logits - logits.max()) / self.config.temperature).cumsum()
        uniform = derive(self._seed, "questioner", agent, turn) / 2**63
        return min(int(np.searchsorted(sums, uniform * sums[-1], side="right")), len(sums) - 1)
