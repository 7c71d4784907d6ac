"""Which strategy a player follows: a mixture of known strategies with a trembling hand, fitted to recorded matches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from ethogram.errors import ConfigError, DataError
from ethogram.measures.estimate import Estimate, check_level
from ethogram.policy import Policy
from ethogram.records import Trajectories
from ethogram.records.trajectories import Trajectory
from ethogram.seeds import derive, generator

__all__ = ["StrategyClassifier"]

Array = NDArray[np.float64]
STEPS, NEAR, LEAST = 500, 1e-9, 1e-6


class StrategyClassifier:
    """Names the strategy behind moves: strategy frequency estimation (Dal Bó and Fréchette 2011, American Economic Review).

    A player is one of the strategies, of shares w in the population. In each round it does as the strategy says with
    probability 1 - e, and else any of the m options alike: P(move) = (1 - e) P(move | strategy, history) + e / m. What a
    strategy says is had by letting it see the recorded observations: it is asked for its move in each recorded situation,
    whatever it would have done before. Strategies that draw are asked `draws` times, and their moves in different rounds
    count as independent given the history.

    Args:
        strategies: what makes a policy, by name. The policies read observations only, and their actions have an `option`.
        draws: how often each is asked.
        seed: of what they draw.

    Raises:
        ConfigError: there are no strategies, or `draws` is less than 1.
    """

    def __init__(self, strategies: Mapping[str, Callable[[], Policy]], *, draws: int = 20, seed: int = 0) -> None:
        if not strategies or draws < 1:
            raise ConfigError(f"a classifier of strategies needs strategies, and draws={draws} to be at least 1")
        self.strategies, self.draws, self.seed = dict(strategies), draws, seed
        self.weights = dict.fromkeys(strategies, 1 / len(strategies))
        """The share of each strategy; all alike before `fit`."""
        self.tremble = 0.05
        """The probability e of a slip."""
        self._data: list[list[tuple[Array, int]]] = []
        self._known: dict[Hashable, tuple[Array, int]] = {}

    def fit(self, data: Trajectories, groups: Sequence[Hashable] | None = None) -> Self:
        """Estimate shares and tremble by expectation-maximisation.

        Args:
            data: matches, each seen by the player who is to be classified.
            groups: who played each match; matches of one player have one strategy. None: each match is a player of its own.

        Raises:
            DataError: there are no matches, or as many groups as matches are not given.
        """
        if not len(data) or (groups is not None and len(groups) != len(data)):
            raise DataError(f"the classifier got {len(data)} matches and {len(groups or ())} groups: give a group for each")
        units: dict[Hashable, list[tuple[Array, int]]] = {}
        for i, match in enumerate(data):
            units.setdefault(i if groups is None else groups[i], []).append(self._said(match, data.action_space))
        self._data = list(units.values())
        weights, self.tremble = _maximised([_stacked(unit) for unit in self._data])
        self.weights = dict(zip(self.strategies, weights.tolist(), strict=True))
        return self

    def shares(self, level: float = 0.95, seed: int = 0, resamples: int = 200) -> dict[str, Estimate]:
        """The share of each strategy among the players of the last `fit`, by bootstrap over players."""
        if not self._data:
            raise ConfigError("the classifier has seen no matches: call fit first")
        check_level(level)
        rng, count = generator(seed, "shares"), len(self._data)
        parts = [_stacked(unit) for unit in self._data]
        drawn = [_maximised([parts[i] for i in rng.integers(count, size=count)])[0] for _ in range(resamples)]
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
        method = "share by expectation-maximisation, bootstrap over players"
        return {
            name: Estimate(weight, float(low[k]), float(high[k]), count, method, level)
            for k, (name, weight) in enumerate(self.weights.items())
        }

    def log_likelihoods(self, matches: Trajectories) -> dict[str, float]:
        """The log-likelihood of one player's moves under each strategy, with the tremble as fitted, in nats."""
        said, slips = _stacked([self._said(match, matches.action_space) for match in matches])
        return dict(zip(self.strategies, _likelihood(said, slips, self.tremble).sum(1).tolist(), strict=True))

    def posterior(self, matches: Trajectories) -> dict[str, float]:
        """How probable each strategy is for one player, after its matches; the shares are the prior."""
        found = np.array(list(self.log_likelihoods(matches).values()))
        with np.errstate(divide="ignore"):
            found = found + np.log(list(self.weights.values()))
        odds = np.exp(found - found.max())
        return dict(zip(self.strategies, (odds / odds.sum()).tolist(), strict=True))

    def classify(self, matches: Trajectories) -> str:
        """The most probable strategy of one player."""
        found = self.posterior(matches)
        return max(found, key=lambda name: found[name])

    def _said(self, match: Trajectory, space: Space[Any]) -> tuple[Array, int]:
        """The probability that each strategy gives each move, shape (strategies, T), and the number of options."""
        options = tuple(choice.option for choice in space.options())  # type: ignore[attr-defined]
        done = tuple(action.option for action in match.actions)
        seen = tuple(str(one) for one in match.observations[: len(done)])
        key = match.agent, options, done, seen
        if key not in self._known:
            self._known[key] = self._asked(match, space, done), len(options)
        return self._known[key]

    def _asked(self, match: Trajectory, space: Space[Any], done: Sequence[str]) -> Array:
        """How often each strategy does what was done, (strategies, T)."""
        said = np.zeros((len(self.strategies), len(done)))
        for k, (name, make) in enumerate(self.strategies.items()):
            for draw in range(self.draws):
                policy = make()
                policy.reset(derive(self.seed, name, draw), [match.agent])
                for t, (seen, option) in enumerate(zip(match.observations, done, strict=False)):
                    action = policy.act({match.agent: seen}, {match.agent: space})
                    if isinstance(action, Awaitable):
                        raise ConfigError(f"the strategy {name!r} waits for something: classify with coded ones")
                    said[k, t] += action[match.agent].option == option
        return said / self.draws


def _stacked(unit: Sequence[tuple[Array, int]]) -> tuple[Array, Array]:
    """All rounds of a player: probabilities (strategies, rounds), and of each move as a slip (rounds,)."""
    return np.concatenate([said for said, _ in unit], 1), np.concatenate([np.full(s.shape[1], 1 / m) for s, m in unit])


def _likelihood(said: Array, slips: Array, tremble: float) -> Array:
    """Log-likelihoods, (strategies, rounds)."""
    return np.log((1 - tremble) * said + tremble * slips)


def _maximised(units: Sequence[tuple[Array, Array]]) -> tuple[Array, float]:
    """Shares and tremble at the maximum of the likelihood; whether a move was a slip is a latent variable as well."""
    lengths = np.array([len(slips) for _, slips in units])
    said, slips = np.concatenate([s for s, _ in units], 1), np.concatenate([s for _, s in units])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    owner = np.repeat(np.arange(len(units)), lengths)
    weights, tremble = np.full(len(said), 1 / len(said)), 0.05
    for _ in range(STEPS):
        logs = (
            np.add.reduceat(_likelihood(said, slips, tremble), starts, axis=1) + np.log(np.maximum(weights, 1e-300))[:, None]
        )
        belief = np.exp(logs - logs.max(0))
        belief /= belief.sum(0)  # (strategies, players)
        slipped = tremble * slips / ((1 - tremble) * said + tremble * slips)
        new = belief.mean(1)
        tremble_new = float(np.clip((belief[:, owner] * slipped).sum() / len(slips), LEAST, 1 - LEAST))
        done = np.abs(new - weights).max() < NEAR and abs(tremble_new - tremble) < NEAR
        weights, tremble = new, tremble_new
        if done:
            break
    return weights, tremble
