"""The classifier of strategies: likelihoods by hand, planted strategies, shares and slips recovered."""

import math

import numpy as np
import pytest

from ethogram.errors import ConfigError, DataError
from ethogram.measures.strategies import StrategyClassifier
from ethogram.policies.coded.recorded_players import RecordedPlayer
from ethogram.policies.coded.strategies import STRATEGIES
from ethogram.policy import Policy
from ethogram.scene import Scene
from ethogram.simulation import rollouts
from ethogram.worlds.coded.matrix_game import MatrixGame

NAMES = ("always first", "always second", "turn taker", "tit for tat", "grim trigger", "random")
ZOO = {name: STRATEGIES[name] for name in NAMES}


def played(mine, theirs):
    """A match as its first player saw it."""
    moves = list(zip(mine, theirs, strict=True))
    return rollouts(Scene(MatrixGame(rounds=len(mine)), RecordedPlayer(moves)), episodes=1, progress=False)[:1]


class Slips(Policy):
    """A strategy that takes any option, all alike, with a probability."""

    def __init__(self, name, tremble):
        self.inner, self.tremble = STRATEGIES[name](), tremble

    def reset(self, seed, agents):
        self.inner.reset(seed, agents)
        self.rng = np.random.default_rng(seed)

    def act(self, observations, spaces):
        meant = self.inner.act(observations, spaces)
        slip = {agent: spaces[agent].options()[int(self.rng.integers(2))] for agent in observations}
        return {agent: slip[agent] if self.rng.random() < self.tremble else meant[agent] for agent in observations}


def planted(names, opponents=("turn taker", "random"), tremble=0.0, seed=0):
    """A match of each named strategy with each opponent, as the strategy saw it."""
    found = None
    for i, name in enumerate(names):
        for j, opponent in enumerate(opponents):
            scene = Scene(MatrixGame(rounds=10), {"player 1": Slips(name, tremble), "player 2": STRATEGIES[opponent]()})
            one = rollouts(scene, episodes=1, seed=seed * 10_000 + i * 100 + j, progress=False)[:1]
            found = one if found is None else found + one
    return found


def test_likelihoods_by_hand():
    classifier = StrategyClassifier(ZOO, draws=200)
    classifier.tremble = 0.2
    found = classifier.log_likelihoods(played([0, 1, 1, 1], [1, 0, 0, 0]))
    hit, miss = math.log(0.9), math.log(0.1)
    assert found["grim trigger"] == pytest.approx(4 * hit)
    assert found["tit for tat"] == pytest.approx(2 * hit + 2 * miss)
    assert found["always second"] == pytest.approx(3 * hit + miss)
    assert found["random"] == pytest.approx(4 * math.log(0.5), abs=0.4)
    posterior = classifier.posterior(played([0, 1, 1, 1], [1, 0, 0, 0]))
    assert sum(posterior.values()) == pytest.approx(1)
    assert max(posterior, key=posterior.get) == "grim trigger"


def test_planted_shares_and_slips_are_recovered():
    rng = np.random.default_rng(1)
    truth = {"tit for tat": 0.5, "grim trigger": 0.2, "always second": 0.3}
    names = list(rng.choice(list(truth), size=60, p=list(truth.values())))
    data = planted(names, tremble=0.2)
    groups = [i for i in range(60) for _ in range(2)]
    classifier = StrategyClassifier(ZOO, draws=8).fit(data, groups)
    assert classifier.tremble == pytest.approx(0.2, abs=0.05)
    shares = classifier.shares(resamples=60)
    for name in ZOO:
        assert shares[name].low - 0.03 <= names.count(name) / 60 <= shares[name].high + 0.03
    right = [classifier.classify(data[2 * i : 2 * i + 2]) == name for i, name in enumerate(names)]
    assert np.mean(right) > 0.9


def test_shares_settle_what_one_match_leaves_open():
    """Against one who cooperates, always first, tit for tat and the trigger look alike; what is common then decides."""
    data = planted(["always first"] * 6, opponents=("always second",)) + played([0] * 5, [0] * 5)
    classifier = StrategyClassifier(ZOO, draws=4).fit(data)
    assert classifier.weights["always first"] > 0.9 and classifier.classify(played([0] * 5, [0] * 5)) == "always first"


def test_what_is_wrong_is_said():
    with pytest.raises(ConfigError, match="needs strategies"):
        StrategyClassifier({})
    with pytest.raises(ConfigError, match="call fit first"):
        StrategyClassifier(ZOO).shares()
    with pytest.raises(DataError, match="1 matches and 2 groups"):
        StrategyClassifier(ZOO).fit(played([0], [0]), ["a", "b"])
