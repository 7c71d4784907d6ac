"""What our learned policies cost beside the same networks on plain torch: latency of an action, updates a second.

The networks are those of the studies: 2 x 256 units for behaviour cloning, a transformer of 4 x 64 for BESO with 3 steps of
DDIM, a residual perceptron of 3 x 96 for the diffusion policy with 16 steps. Both sides see the last five observations
(behaviour cloning one), draw their own noise, and are measured in turns on one thread; the least of each counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from gymnasium.spaces import Box

from benchmarks.measuring import Row, best, spent
from benchmarks.plain import Plain, PlainBC, PlainBESO, PlainDiffusion
from ethogram.nn.training import Training
from ethogram.policies.learned import find
from ethogram.records.trajectories import Trajectories, Trajectory

REPEATS = 5
ACTIONS, STEPS, BATCH = 300, 60, 128
OBSERVED, ACTED = 10, 4
EPISODES, LENGTH = 40, 80


class Case(NamedTuple):
    """A policy of ours, and its plain twin."""

    name: str
    kind: str
    settings: dict[str, Any]
    plain: Callable[..., Plain]
    network: Callable[[Any], Any]
    """Of ours, the network that the plain one runs too."""


CASES = (
    Case("behaviour cloning", "bc", {}, PlainBC, lambda net: torch.nn.Sequential(net.core, net.head)),
    Case("BESO", "beso", {"history": 5}, PlainBESO, lambda net: net.network.network),
    Case("diffusion policy", "ddpm", {"history": 5, "layers": 3}, PlainDiffusion, lambda net: net.network),
)


def made() -> list[tuple[np.ndarray, np.ndarray]]:
    """Episodes of observations and actions; their values do not matter."""
    rng = np.random.default_rng(0)
    return [
        (
            rng.standard_normal((LENGTH + 1, OBSERVED)).astype(np.float32),
            rng.uniform(-1, 1, (LENGTH, ACTED)).astype(np.float32),
        )
        for _ in range(EPISODES)
    ]


def compare(case: Case) -> list[Row]:
    """Latency and updates of one case, ours over plain in percent."""
    episodes = made()
    spaces = Box(-10, 10, (OBSERVED,)), Box(-1, 1, (ACTED,))
    zeros = np.zeros(LENGTH)
    data = Trajectories.of([Trajectory("a", i, o, a, zeros, zeros, True) for i, (o, a) in enumerate(episodes)], *spaces)
    policy = find(case.kind)(*spaces, case.settings)
    settings = {"batch": BATCH, "lr": 1e-3, "clip": 1.0, "ema": 0.995}
    policy.fit(data, Training(steps=5, **settings), progress=False)
    history = policy.config.history
    flat = (np.concatenate([o for o, _ in episodes]), np.concatenate([a for _, a in episodes]))
    plain = case.plain(case.network(policy.net), *flat, history)
    windows = plain.windows(episodes, 1)
    observations = episodes[0][0]
    acting = {"agent": spaces[1]}

    def ours_acts() -> None:
        policy.reset(0, ["agent"])
        for i in range(ACTIONS):
            policy.act({"agent": observations[i % LENGTH]}, acting)

    def plain_acts() -> None:
        plain.reset()
        for i in range(ACTIONS):
            plain.act(observations[i % LENGTH])

    def ours_trains() -> None:
        policy.fit(data, Training(steps=STEPS, **settings), progress=False)

    def plain_trains() -> None:
        plain.train(windows, STEPS, BATCH, 1e-3, 0.995)

    rows = []
    for figure, count, unit, ours, theirs in (
        ("an action of one agent", ACTIONS, "ms", ours_acts, plain_acts),
        (f"an update with {BATCH} windows", STEPS, "ms", ours_trains, plain_trains),
    ):
        times: dict[str, list[Any]] = {"ours": [], "plain": []}
        ours()
        theirs()
        for _ in range(REPEATS):
            times["ours"].append(spent(ours))
            times["plain"].append(spent(theirs))
        least = {which: best(taken).cpu / count * 1e3 for which, taken in times.items()}
        rows.append(Row("learned", case.name, f"plain torch, CPU for {figure}", least["plain"], unit))
        rows.append(Row("learned", case.name, f"ours, CPU for {figure}", least["ours"], unit))
        over = 100 * (least["ours"] / least["plain"] - 1)
        rows.append(Row("learned", case.name, f"ours over plain torch, {figure}", over, "%", 10))
    return rows


def measure() -> list[Row]:
    """All cases."""
    torch.set_num_threads(1)
    return [row for case in CASES for row in compare(case)]
