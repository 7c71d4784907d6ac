"""Mazes are tunnels that are connected; the expert walks shortest ways, and its trace is its search."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.errors import ConfigError
from ethogram.policies.coded.maze import UNKNOWN, MazeExpert, search, trace
from ethogram.seeds import generator
from ethogram.worlds.coded.maze import Maze, tunnels

SMALL = np.array([[1, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 0, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]])


@settings(deadline=None, max_examples=25)
@given(st.integers(5, 26), st.integers(0, 10**6), st.sampled_from([0.0, 0.1, 1.0]))
def test_tunnels(size: int, seed: int, shortcuts: float) -> None:
    walls = tunnels(size, generator(seed, "t"), shortcuts)
    assert (
        walls[[0, -1]].all() and walls[:, [0, -1]].all() and walls[2::2, 2::2].all() and not walls[1 : size - 2 : 2, 1].all()
    )
    queue, seen = deque([(1, 1)]), {(1, 1)}
    while queue:
        row, column = queue.popleft()
        for cell in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if not walls[cell] and cell not in seen:
                seen.add(cell)
                queue.append(cell)
    junctions = ((size - 1) // 2) ** 2
    free = int((walls == 0).sum())
    assert len(seen) == free
    assert free == 2 * junctions - 1 if shortcuts == 0 else free >= 2 * junctions - 1


def test_search_and_trace_by_hand() -> None:
    goal, agent = np.zeros((5, 5), int), np.zeros((5, 5), int)
    goal[1, 1] = agent[3, 2] = 1
    layer, action = search(SMALL, goal)
    assert layer[1:4, 1:4].tolist() == [[0, 1, 2], [1, -1, 3], [2, 3, 4]]
    assert action[1:4, 1:4].tolist() == [[4, 3, 3], [0, 4, 0], [0, 3, 0]]  # from the far corner up, the lesser of two
    maps = trace(np.stack([SMALL, goal, agent], -1))
    assert maps.shape == (4, 5, 5)
    assert [(m != UNKNOWN).sum() for m in maps] == [0, 2, 4, 6]
    assert maps[2, 3, 2] == UNKNOWN and maps[3, 3, 2] == 3


def test_expert_walks_a_shortest_way() -> None:
    world, policy = Maze(size=20), MazeExpert()
    for seed in range(5):
        seen, _ = world.reset(seed=seed)
        policy.reset(seed, ["agent"])
        while world.agents:
            seen = world.step(dict(policy.act(seen, world.action_spaces)))[0]
        outcome = world.outcome()
        assert outcome["success"] == 1 and outcome["steps"] == outcome["shortest"] >= 2


def test_a_maze_is_its_number() -> None:
    one, two = Maze(maze=7), Maze()
    first = one.reset(seed=1)[0]["agent"]
    second = two.reset(seed=2, options={"maze": 7})[0]["agent"]
    np.testing.assert_array_equal(first[..., :2], second[..., :2])
    assert (first[..., 2] != second[..., 2]).any() and two.outcome()["maze"] == 7
    assert (two.reset(seed=2)[0]["agent"][..., 0] != first[..., 0]).any()


def test_walls_stop_and_time_runs_out() -> None:
    world = Maze(maze=3, steps=4)
    world.reset(seed=0)
    world.place = np.array([1, 1])
    flags = [world.step({"agent": np.int64(0)})[3]["agent"] for _ in range(4)]
    assert flags == [False, False, False, True] and world.place.tolist() == [1, 1] and world.outcome()["success"] == 0
    with pytest.raises(ConfigError):
        Maze(size=4)
