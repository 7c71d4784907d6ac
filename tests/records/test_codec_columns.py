"""Struct columns of the steps table: what a run with Dict and Tuple spaces keeps, read back from disk and resumed."""

import gymnasium as gym
import gymnasium.spaces as gs
import numpy as np
import pyarrow as pa

from ethogram import GymWorld, Random, Run, simulate
from ethogram.scene import Scene
from ethogram.simulation import replay

PICTURE = gs.Box(0, 255, (3, 4, 3), np.uint8)


class Nested(gym.Env):
    """Sees a Dict with a Tuple in it, acts with a Dict."""

    metadata = {"render_modes": []}

    def __init__(self):
        inner = gs.Tuple([gs.Discrete(5), gs.Box(0, 9, (), np.float64), gs.Text(5, min_length=0)])
        self.observation_space = gs.Dict({"image": PICTURE, "inner": inner, "flags": gs.MultiBinary(3)})
        self.action_space = gs.Dict({"move": gs.Box(-1, 1, (2,)), "grip": gs.Discrete(2)})
        self.t = 0

    def seen(self):
        rng = np.random.default_rng(self.t)
        image = rng.integers(0, 256, PICTURE.shape, dtype=np.uint8)
        inner = (np.int64(self.t % 5), np.array(float(self.t)), "ab"[: self.t % 3])
        return {"image": image, "inner": inner, "flags": rng.integers(0, 2, 3, dtype=np.int8)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self.seen(), {}

    def step(self, action):
        self.t += 1
        return self.seen(), float(action["move"].sum()), self.t == 5, False, {}


class Still(GymWorld):
    """The same with an action that stands in for one that failed."""

    def idle(self, agent):
        return {"move": np.zeros(2, np.float32), "grip": np.int64(0)}


def test_nested_spaces_are_struct_columns_and_come_back_exactly(tmp_path):
    simulate(Still(Nested()), Random(), episodes=2, seed=1, to=tmp_path / "run", checkpoint_every=2, progress=False)
    run = Run(tmp_path / "run")
    assert isinstance(run.arrow("steps")["observation"].type, pa.StructType)
    data = run.trajectories()
    assert data.observation_space == Nested().observation_space and data.action_space == Nested().action_space
    env = Nested()
    for t in data:
        assert t.terminated and len(t.rewards) == 5
        env.reset()
        for i in range(6):
            seen = env.seen()
            assert np.array_equal(t.observations["image"][i], seen["image"])
            assert np.array_equal(t.observations["flags"][i], seen["flags"])
            assert [part[i] for part in t.observations["inner"]] == [*seen["inner"]]
            env.t += 1
        assert np.allclose(t.rewards, t.actions["move"].sum(1))
    assert t.actions["grip"].dtype == np.int64 and t.observations["image"].dtype == np.uint8


def test_such_a_run_is_replayed_and_gone_on_with(tmp_path):
    scene = Scene(Still(Nested()), Random())
    whole = simulate(scene, episodes=2, seed=4, to=tmp_path / "whole", progress=False)
    assert replay(whole, scene).exact
    simulate(scene, episodes=2, steps=3, seed=4, to=tmp_path / "short", checkpoint_every=2, progress=False)
    short = Run(tmp_path / "short").trajectories()
    assert np.array_equal(short[1].actions["move"], whole.trajectories()[1].actions["move"][:3])
    assert len(short[1].observations["image"]) == 4 and not short[1].terminated
