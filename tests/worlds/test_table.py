"""The table: what its goals mean, that its state is complete, and demonstrators that vary and succeed."""

import numpy as np
import pytest

from ethogram import worlds
from ethogram.errors import ConfigError
from ethogram.worlds.testing import Act, check_world

pytest.importorskip("pymunk")

from functools import partial

from ethogram.policies.coded.table import TableDemonstrator
from ethogram.worlds.coded.table import ZONES, Table


def play(world: Table, policy: TableDemonstrator, seed: int) -> dict[str, float]:
    seen, _ = world.reset(seed=seed)
    policy.reset(seed, ["agent"])
    rewards = world.outcome()["placed"]
    while world.agents:
        seen, more, *_ = world.step(dict(policy.act(seen, world.action_spaces)))
        rewards += more["agent"]
    assert rewards == world.outcome()["placed"]
    return dict(world.outcome())


def test_contract_with_zones_pictures_and_another_goal() -> None:
    make = partial(worlds.make, "table", blocks=3, zones=4, goals="zones", pixels=12)
    check_world(make, steps=40, fresh_process=False, interventions=[Act(5, "set_goal", {"goal": [-1, 2, 0]})])


def test_state_put_back_in_the_middle_of_a_push() -> None:
    """Contacts are not part of the state, and need not be: pushing goes on to the last bit as if nothing had been."""
    world = Table(spread=0)
    world.reset(seed=0)
    world.pusher = world.positions[0] - (0.0, 9.0)
    push = {"agent": np.array([0.1, 1.0], np.float32)}
    for _ in range(5):
        world.step(push)
    assert np.hypot(*(world.positions[0] - world.initial[0])) > 1, "it pushes"
    other = Table(spread=0)
    other.reset(seed=9)
    other.load_state_dict(world.state_dict())
    for _ in range(10):
        one, two = world.step(push)[0]["agent"], other.step(push)[0]["agent"]
        assert all(np.array_equal(one[key], two[key]) for key in one)


def test_blocks_move_only_where_they_are_pushed() -> None:
    world = Table(spread=0)
    world.reset(seed=0)
    start = world.positions.copy()
    for _ in range(20):
        world.step({"agent": np.array([-2.0, 0.0], np.float32)})
    np.testing.assert_allclose(world.positions, start, atol=1e-9)
    np.testing.assert_allclose(world.pusher, [10.0, 10.0])
    world.pusher = start[0] - (0.0, 9.0)
    for _ in range(4):
        world.step({"agent": np.array([0.0, 2.0], np.float32)})
    moved = world.positions - start
    assert moved[0] == pytest.approx([0, 7], abs=0.4) and not moved[1].any()  # 8 cm less the gap of 1 cm; contacts are soft


def test_goals_rewards_and_outcome() -> None:
    world = Table(blocks=3, zones=3, goal=[2, -1, 0], stop=False)
    seen = world.reset(seed=1)[0]["agent"]
    np.testing.assert_allclose(seen["desired_goal"].reshape(3, 2)[[0, 2]], ZONES[[2, 0]])
    np.testing.assert_allclose(seen["desired_goal"][2:4], seen["achieved_goal"][2:4])
    nothing = {"agent": np.zeros(2, np.float32)}
    for block, zone in ((2, 0), (1, 1), (0, 2)):
        world.positions[block] = ZONES[zone] + 6.9
        world.step(nothing)
    assert world.outcome() == {"success": 1, "placed": 2, "order": 321, "zones": 321, "steps": 3}
    world.positions[0] = ZONES[2] + 7.1
    world.step(nothing)
    assert world.outcome() == {"success": 0, "placed": 1, "order": 32, "zones": 21, "steps": 4}
    assert world.sentence() == "push the red block to the bottom right and the blue block to the top left"
    anywhere = Table(goal="any")
    assert not anywhere.reset(seed=0)[0]["agent"]["desired_goal"].any()
    anywhere.positions[:] = ZONES[[0, 0]] + [[0, 6], [0, -6]]
    assert not anywhere.step(nothing)[2]["agent"], "two blocks in one zone are not enough"
    anywhere.positions[0] = ZONES[1]
    assert anywhere.step(nothing)[2]["agent"] and anywhere.outcome()["zones"] == 21


def test_goals_as_zones() -> None:
    world = Table(goals="zones", goal=[1, -1])
    seen = world.reset(seed=0)[0]["agent"]
    np.testing.assert_array_equal(seen["desired_goal"], [0, 1, 0, 0])
    world.positions[1] = ZONES[0]
    seen = world.step({"agent": np.zeros(2, np.float32)})[0]["agent"]
    np.testing.assert_array_equal(seen["achieved_goal"], [0, 0, 1, 0])


def test_demonstrations_succeed_and_vary() -> None:
    world = Table(goal="any", spread=0)
    outcomes = [play(world, TableDemonstrator(), seed) for seed in range(16)]
    assert sum(o["success"] for o in outcomes) >= 15
    assert len({(o["order"], o["zones"]) for o in outcomes if o["success"]}) == 4, "both orders, both ways round"
    asked = Table(blocks=3, zones=3, asked=2)
    assert sum(play(asked, TableDemonstrator(3), seed)["success"] for seed in range(5)) >= 4


def test_play_goes_on() -> None:
    world = Table(stop=False, steps=250)
    policy = TableDemonstrator(play=True)
    seen, _ = world.reset(seed=0)
    policy.reset(0, ["agent"])
    visits = set()
    while world.agents:
        seen = world.step(dict(policy.act(seen, world.action_spaces)))[0]
        visits.add(world.outcome()["zones"])
    assert len(visits) >= 5


@pytest.mark.parametrize(
    "options", [{"blocks": 5}, {"asked": 3}, {"goal": [0, 0]}, {"goal": [0]}, {"goal": [2, -1]}, {"spread": 20}]
)
def test_wrong_options_are_refused(options: dict) -> None:
    with pytest.raises(ConfigError):
        Table(**options)
