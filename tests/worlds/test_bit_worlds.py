"""PanFlute, ProcMaze, ButtonGrid and the random MDP: rules worked out by hand; batches that are the worlds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.errors import ConfigError
from ethogram.seeds import generator
from ethogram.worlds.coded._bits import BitWorld
from ethogram.worlds.coded.button_grid import ButtonGrid
from ethogram.worlds.coded.pan_flute import PanFlute
from ethogram.worlds.coded.proc_maze import ProcMaze
from ethogram.worlds.coded.random_mdp import RandomMDP

WORLDS = (PanFlute(3), ProcMaze(4), ProcMaze(5), ButtonGrid(3, 2), RandomMDP(6))
NEVER = np.array([[0.999, 0.5]])


def play(world: BitWorld, bits: np.ndarray, actions: list[int], luck: np.ndarray = NEVER) -> tuple[np.ndarray, list[float]]:
    """The state after some actions of one copy, and the rewards on the way."""
    rewards = []
    for action in actions:
        moved = world.transition(bits, np.array([action]), luck)
        bits = moved.bits
        rewards.append(float(moved.rewards[0]))
    return bits, rewards


@pytest.mark.parametrize("world", WORLDS, ids=lambda w: f"{type(w).__name__}{w.observation_space('agent').n}")
def test_a_batch_is_the_world_many_times(world: BitWorld) -> None:
    seeds, n = [3, 4, 5, 6], world.action_space("agent").n  # type: ignore[attr-defined]
    chosen = np.random.default_rng(0).integers(n, size=(80, len(seeds)))
    rngs = [generator(seed, "world") for seed in seeds]  # the stream that a world is seeded with
    bits = np.concatenate([world.starts(rng, 1) for rng in rngs])
    alive, seen, rewarded = np.ones(len(seeds), bool), [bits], []
    for actions in chosen:
        moved = world.transition(bits, actions, np.stack([rng.random(world.draws) for rng in rngs]))
        bits = moved.bits
        seen.append(bits)
        rewarded.append(moved.rewards)
    for i, seed in enumerate(seeds):
        observed, _ = world.reset(seed=seed)
        assert np.array_equal(observed["agent"], seen[0][i])
        for t in range(len(chosen)):
            if not world.agents:
                break
            observed, rewards, *_ = world.step({"agent": chosen[t, i]})
            assert np.array_equal(observed["agent"], seen[t + 1][i])
            assert rewards["agent"] == rewarded[t][i]
    assert alive.all()


def test_notes_travel_and_a_chord_is_worth_one() -> None:
    flute = PanFlute(3, spontaneous=False)  # cells: pipe 0 is 0; pipe 1 is 1, 2; pipe 2 is 3, 4, 5
    bits = flute.starts(np.random.default_rng(0), 1)
    for action, cells in ((2, [3]), (1, [1, 4]), (0, [0, 2, 5]), (0, [0])):
        bits, _ = play(flute, bits, [action])
        assert np.flatnonzero(bits[0]).tolist() == cells
    silent = flute.starts(np.random.default_rng(0), 1)
    assert play(flute, silent, [2, 1, 0, 2, 1, 0, 2])[1] == [0, 0, 0, 1, 0, 0, 1]
    assert play(flute, silent, [0, 1, 2, 0, 1, 2, 0])[1] == [0] * 7


def test_all_ends_may_sound_by_themselves() -> None:
    flute = PanFlute(3)
    lucky = np.array([[0.11]])  # just below 1/9
    bits, _ = play(flute, flute.starts(np.random.default_rng(0), 1), [0], lucky)
    assert np.flatnonzero(bits[0]).tolist() == [0, 2, 5]
    assert play(flute, flute.starts(np.random.default_rng(0), 1), [1], np.array([[0.112]]))[0][0].nonzero()[0].tolist() == [
        1
    ]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 7))
def test_a_maze_is_a_tree_that_cannot_be_dug_further(seed: int, size: int) -> None:
    grid = ProcMaze(size).starts(np.random.default_rng(seed), 1).reshape(size, size, 4)
    opened, wall = grid[:, :, 3], grid[:, :, 2]
    assert np.array_equal(opened, ~wall)
    edges = (opened[1:] & opened[:-1]).sum() + (opened[:, 1:] & opened[:, :-1]).sum()
    assert edges == opened.sum() - 1
    assert opened.sum() >= size  # a walk that could still go on would not have stopped
    for channel in (0, 1):
        assert grid[:, :, channel].sum() == 1
        assert opened[grid[:, :, channel]].all()


def maze(rows: list[str]) -> np.ndarray:
    """A maze's bits from rows of `P`, `G`, `#` and `.`."""
    cells = np.array([list(row) for row in rows])
    channels = [cells == "P", cells == "G", cells == "#", cells != "#"]
    return np.stack(channels, -1).reshape(1, -1)


def test_walls_and_borders_stop_and_the_goal_ends_a_step_later() -> None:
    world = ProcMaze(3)
    assert world.worst == 7
    assert ProcMaze(4).worst == 10
    assert world.chance == pytest.approx(0.1 / 7)
    start, unlucky = maze(["P#G", ".#.", "..."]), np.array([[0.02]])
    for action, wanted in ((0, "P#G .#. ..."), (1, "P#G .#. ..."), (4, "P#G .#. ..."), (3, ".#G P#. ...")):
        assert np.array_equal(play(world, start, [action], unlucky)[0], maze(wanted.split()))
    way = [3, 3, 4, 4, 1, 1]
    bits, rewards = play(world, start, way, unlucky)
    assert rewards == [-1] * 6
    moved = world.transition(bits, np.array([0]), unlucky)
    assert moved.terminated.tolist() == [True]
    assert moved.rewards.tolist() == [-1]
    carried = world.transition(start, np.array([3]), np.array([[0.01]]))
    assert carried.terminated.tolist() == [False]
    assert carried.bits.reshape(9, 4)[:, 0].argmax() == 2


def test_buttons_toggle_and_a_solved_grid_gives_way_to_another() -> None:
    world = ButtonGrid(2, 2)
    bits = np.zeros((1, 4, 3), bool)
    bits[0, 0, 0] = bits[0, 1, 2] = bits[0, 2, 2] = True  # player top left; buttons top right and bottom left, off
    luck = np.array([[0.5, 0.99, 0.0, 0.0]])
    flat = bits.reshape(1, -1)

    def buttons(actions: list[int]) -> tuple[list[int], list[int]]:
        grid = play(world, flat, actions, luck)[0].reshape(4, 3)
        return np.flatnonzero(grid[:, 1]).tolist(), np.flatnonzero(grid[:, 2]).tolist()

    assert buttons([4]) == ([1], [2])
    assert buttons([4, 4]) == ([1], [2])  # against the border: not stepped on again
    assert buttons([4, 2, 4]) == ([], [1, 2])
    after, rewards = play(world, flat, [4, 2, 3, 0], luck)
    assert rewards == [0, 0, 0, 1]
    grid = after.reshape(4, 3)  # cells 3; then the first free one, and the first of the rest
    assert [np.flatnonzero(grid[:, c]).tolist() for c in range(3)] == [[3], [], [0, 1]]
    lucky = play(world, flat, [0], np.array([[0.02, 0, 0, 0]]))[0].reshape(4, 3)  # below 1 / 40
    assert np.flatnonzero(lucky[:, 1]).tolist() == [1, 2]


def test_layouts_of_buttons_are_uniform() -> None:
    grids = ButtonGrid(3, 2).starts(np.random.default_rng(0), 20000).reshape(-1, 9, 3)
    cells = np.argwhere(grids[:, :, 2])[:, 1].reshape(-1, 2)
    assert (cells[:, 0] != cells[:, 1]).all()
    counts = np.bincount(9 * cells[:, 0] + cells[:, 1], minlength=81)
    assert np.sort(counts[counts > 0]) == pytest.approx(np.full(36, 20000 / 36), rel=0.2)


def test_the_random_mdp_follows_its_table() -> None:
    world = RandomMDP(6, 3)
    assert (world.successors == 0).sum() == 1
    state, action = (int(x) for x in np.argwhere(world.successors == 0)[0])
    bits, rewards = play(world, np.eye(6, dtype=bool)[[state]], [action, 0], np.array([[0.5, 0.99]]))
    assert rewards == [0, 1]
    assert bits.argmax() == 5  # anywhere: the sixth of six
    assert play(world, np.eye(6, dtype=bool)[[3]], [1], np.array([[0.1, 0.9]]))[0].argmax() == 0  # below 1 / 6


@pytest.mark.parametrize(
    "make",
    [lambda: PanFlute(0), lambda: ProcMaze(1), lambda: ButtonGrid(2, 5), lambda: RandomMDP(1), lambda: ProcMaze(steps=0)],
)
def test_impossible_worlds_are_refused(make: object) -> None:
    with pytest.raises(ConfigError):
        make()  # type: ignore[operator]
