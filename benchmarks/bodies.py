"""What `simulate` adds to a bare loop over a gymnasium env, and what a second worker is worth.

The bare loop is the one anybody writes: `env.reset`, then the policy function and `env.step` until the episode is over. Both
take the same steps from the same seeds of the benchmark; they are measured in turns, and the least of each counts.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import gymnasium
import numpy as np

from benchmarks.measuring import Row, best, spent
from ethogram.policy import coded
from ethogram.scene import scene
from ethogram.seeds import derive
from ethogram.simulation import Workers, rollouts, simulate
from ethogram.world import GymWorld

REPEATS = 5
EPISODES = 24
"""Of a thousand steps each: what two workers share."""


class Body(NamedTuple):
    """An env, what is done in it, and for how many episodes."""

    env: str
    act: Callable[[Any, Any], Any]
    episodes: int
    most: float
    """The goal, in percent over the bare loop."""


def _torque(seen: Any, space: Any) -> Any:
    """Something to do for every joint."""
    return np.sin(seen[: space.shape[0]]).astype(np.float32)


def _push(seen: Any, space: Any) -> Any:
    """After the block."""
    return seen[2:4].astype(np.float32)


def _roll(seen: Any, space: Any) -> Any:
    """Towards the goal."""
    return np.clip(seen["desired_goal"] - seen["achieved_goal"], -1, 1).astype(np.float32)


BODIES = (
    Body("CartPole-v1", lambda seen, space: int(seen[2] > 0), 6000, 20),
    Body("MountainCar-v0", lambda seen, space: 2 if seen[1] >= 0 else 0, 1000, 20),
    Body("PointMaze_UMaze-v3", _roll, 200, 10),
    Body("HalfCheetah-v5", _torque, 50, 10),
    Body("gym_pusht/PushT-v0", _push, 25, 10),
)


def _make(name: str) -> gymnasium.Env[Any, Any]:
    import gym_pusht  # noqa: F401 (registers its env)
    import gymnasium_robotics

    gymnasium.register_envs(gymnasium_robotics)
    return gymnasium.make(name)


def bare(env: gymnasium.Env[Any, Any], body: Body) -> int:
    """The loop one would write by hand; returns the number of steps."""
    act, space, steps = body.act, env.action_space, 0
    for episode in range(body.episodes):
        seen, _ = env.reset(seed=derive(derive(0, "world", episode), "env") % 2**31)  # as a GymWorld does in a run
        over = False
        while not over:
            seen, _, terminated, truncated, _ = env.step(act(seen, space))
            over = terminated or truncated
            steps += 1
    return steps


def ours(world: GymWorld, body: Body, record: Literal["all", "none"]) -> int:
    """The same with simulate."""
    return simulate(world, coded(body.act), episodes=body.episodes, record=record, progress=False).manifest.steps_done


def compare(body: Body) -> list[Row]:
    """CPU microseconds a step of the bare loop, and what simulate adds without and with the record."""
    env, world = _make(body.env), GymWorld(_make(body.env))
    works = {"bare": partial(bare, env, body), **{r: partial(ours, world, body, r) for r in ("none", "all")}}
    each: dict[str, list[float]] = {name: [] for name in works}
    taken: set[int] = set()
    for _ in range(REPEATS):
        for name, work in works.items():
            steps: list[int] = []
            took = spent(lambda work=work, steps=steps: steps.append(work()))
            each[name].append(took.cpu / steps[0] * 1e6)
            taken.add(steps[0])
    if len(taken) > 1:
        raise RuntimeError(f"the loops took different steps in {body.env}: {sorted(taken)}")
    least = {name: min(found) for name, found in each.items()}
    rows = [Row("bodies", body.env, "bare loop, CPU per step", least["bare"], "µs")]
    for record, label in (("none", "no record"), ("all", "full record")):
        over = 100 * (least[record] / least["bare"] - 1)
        rows.append(Row("bodies", f"{body.env}, {label}", "simulate over it", over, "%", body.most))
    return rows


@scene
def cheetah() -> Any:
    """A HalfCheetah whose torques come from a function."""
    return GymWorld(_make("HalfCheetah-v5")), coded(_torque)


def shared() -> list[Row]:
    """Wall-clock time of the same episodes with one worker and with two; both kept, so that they have started."""
    times = {}
    for count in (1, 2):
        with Workers(count) as workers:
            work = partial(rollouts, cheetah(), episodes=EPISODES, workers=workers, progress=False)
            work()
            times[count] = best(spent(work) for _ in range(3)).wall
    case = f"HalfCheetah-v5, {EPISODES} episodes of 1,000 steps, rollouts"
    return [
        Row("bodies", case, "one worker, steps a second", EPISODES * 1000 / times[1], "/s"),
        Row("bodies", case, "two workers over one", times[1] / times[2], "×", least=1.7),
    ]


def measure() -> list[Row]:
    """All bodies, then the workers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [row for body in BODIES for row in compare(body)] + shared()
