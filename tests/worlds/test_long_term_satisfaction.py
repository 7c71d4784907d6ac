"""The users of long-term satisfaction: their law by hand, the noise-free figures, and what is shown of them."""

import math
from typing import Any

import numpy as np
import pytest

from ethogram.errors import ConfigError
from ethogram.worlds.coded.long_term_satisfaction import LongTermSatisfaction, respond


def constant(choc: float, clickbait: np.ndarray, steps: int = 60) -> np.ndarray:
    """Mean engagement with constant clickbait of the user with g = 0.8 and h = 0.5, without noise."""
    exposure, total = np.full(clickbait.shape, 0.5 / (1 - 0.8)), np.zeros(clickbait.shape)
    for _ in range(steps):
        engagement, exposure = respond(exposure, clickbait, choc, 0.8, 0.5)
        total += engagement / steps
    return total


def test_one_item_by_hand() -> None:
    engagement, exposure = respond(np.array([2.0]), 0.75, 12.0, 0.9, 0.5)
    assert engagement[0] == pytest.approx(10 / (1 + math.exp(-1)))
    assert exposure[0] == pytest.approx(1.8 - 0.5)  # clickbait above a half lowers it
    assert respond(np.array([2.0]), 0.25, 12.0, 0.9, 0.5).exposure[0] == pytest.approx(1.8 + 0.5)


def test_the_best_constant_item_depends_on_the_group() -> None:
    grid = np.round(np.arange(0, 1.001, 0.05), 2)
    curves = {choc: constant(choc, grid) for choc in (6, 10, 14, 22)}
    assert [grid[curve.argmax()] for curve in curves.values()] == [0.05, 0.25, 0.35, 0.40]
    greedy = [curves[choc][-1] for choc in (6, 22)]
    assert greedy == pytest.approx([0.73, 2.66], abs=0.006)
    assert [curves[choc].max() for choc in (6, 22)] == pytest.approx([3.67, 7.13], abs=0.006)


def test_the_world_follows_the_law() -> None:
    world = LongTermSatisfaction(groups=(6, 21), users=3, horizon=20, engagement_noise=0, reveal=True)
    seen = world.reset(seed=1)[0]["recommender"]
    rng = np.random.default_rng(0)
    memory, sensitivity = seen[:, 3].astype(float), seen[:, 4].astype(float)
    exposure, total = 0.5 / (1 - memory), 0.0
    assert seen[:, 2].tolist() == [6, 6, 6, 21, 21, 21]
    assert not seen[:, 1].any()
    for i in range(20):
        shown = rng.random(6).astype(np.float32)
        seen, rewards, _, late, _ = world.step({"recommender": shown})
        engagement, exposure = respond(exposure, shown, world.choc, memory, sensitivity)
        np.testing.assert_allclose(seen["recommender"][:, 1], engagement, rtol=1e-4)
        np.testing.assert_allclose(seen["recommender"][:, 5], 1 / (1 + np.exp(-sensitivity * exposure)), rtol=1e-4)
        total += rewards["recommender"]
        assert late["recommender"] == (i == 19)
    assert world.outcome()["engagement"] == pytest.approx(total / 20)


def test_users_are_drawn_from_the_stated_distributions() -> None:
    world = LongTermSatisfaction(groups=(10,), users=20_000)
    signal = world.reset(seed=2)[0]["recommender"][:, 0]
    assert (signal.mean(), signal.std()) == pytest.approx((10, 3), abs=0.07)
    for drawn in (world.memory, world.sensitivity):
        uniform = np.exp(drawn)
        assert (uniform.min(), uniform.max()) == pytest.approx((1.01, 2.6), abs=0.001)
        assert uniform.mean() == pytest.approx(1.805, abs=0.012)
    assert abs(np.corrcoef(world.memory, world.sensitivity)[0, 1]) < 0.03


def test_bad_settings_are_refused() -> None:
    wrong: list[dict[str, Any]] = [{"groups": ()}, {"users": 0}, {"horizon": 0}, {"signal_noise": -1.0}]
    for settings in wrong:
        with pytest.raises(ConfigError):
            LongTermSatisfaction(**settings)
