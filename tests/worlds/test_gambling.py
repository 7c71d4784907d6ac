"""Choices between gambles, and gamblers who choose by a model."""

from functools import partial

import numpy as np
import polars as pl
import pytest

from ethogram import simulate
from ethogram.decisions import ExpectedValue, Gambles, ProspectTheory
from ethogram.errors import ConfigError
from ethogram.policies.coded.gamblers import Gambler
from ethogram.policy import Random
from ethogram.worlds.coded.gambling import Gambling
from ethogram.worlds.testing import check_world


def test_the_world_keeps_the_contract():
    check_world(partial(Gambling, agents=3))


def test_outcomes_come_as_often_as_said():
    rare = Gambles.of([[[0.2, 10.0], [0.8, -1.0]]] * 3000)
    run = simulate(Gambling(rare, rare), Random(), seed=1)
    rewards = run.steps.filter(pl.col("action").is_not_null()).collect()["reward"]
    assert set(rewards) == {10.0, -1.0}
    assert (rewards == 10.0).mean() == pytest.approx(0.2, abs=0.025)


@pytest.mark.parametrize("model", [ExpectedValue({"sensitivity": 0.05}), ProspectTheory({"sensitivity": 0.4})])
def test_a_gambler_chooses_with_its_model_s_probabilities(model):
    a, b = Gambles.of([[[0.8, 40.0], [0.2, 0.0]]]), Gambles.of([[[1.0, 30.0]]])
    world = Gambling(a, b, agents=3000)
    simulate(world, Gambler(model), seed=3)
    assert world.outcome()["chose b"] == pytest.approx(float(model.predict(a, b)[0]), abs=0.03)


def test_default_choices_go_by_expected_value_but_people_s_would_not():
    world = Gambling(agents=5)
    run = simulate(world, Gambler(), seed=1)
    first = run.steps.filter(pl.col("agent") == "chooser 1", pl.col("action").is_not_null()).collect()
    taken = ["B" in action for action in first["action"]]
    assert taken == (world.b.expected > world.a.expected).tolist()
    certain = ProspectTheory(
        {"gain": 0.88, "loss": 0.88, "aversion": 2.25, "gamma": 0.61, "delta": 0.69, "sensitivity": 1.0}
    )
    p = certain.predict(world.a, world.b)
    assert p[0] > 0.5 > p[2] and p[3] < 0.5  # the sure gain, the risky loss, the long shot


def test_feedback_is_told_or_not():
    seen = []

    class Watching(Gambler):
        def script(self, observation, space, memory, rng):
            seen.append(observation.got)
            return super().script(observation, space, memory, rng)

    simulate(Gambling(feedback=False), Watching(), seed=1)
    assert seen == [None] * 4
    seen.clear()
    simulate(Gambling(), Watching(), seed=1)
    assert seen[0] is None and all(isinstance(got, float) for got in seen[1:])


def test_wrong_arguments():
    with pytest.raises(ConfigError, match="1 and 4 gambles"):
        Gambling(Gambles.of([[[1.0, 2.0]]]))
    assert np.isfinite(Gambling().a.expected).all()
