"""simulate on numeric worlds: the record, its readers, determinism, interventions, faults."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import polars as pl
import pytest
from gymnasium.spaces import Discrete
from pond import Pond, hop, pond

from ethogram.errors import ConfigError, RunError
from ethogram.policy import Policy, Random, coded
from ethogram.records import Run
from ethogram.scene import Scene
from ethogram.simulation import Intervention, branch, replay, restore, simulate, simulate_async
from ethogram.world import GymWorld


def same_tables(a: Run, b: Run) -> bool:
    """Whether two records hold the same events, bit for bit."""
    return all(a.arrow(t).drop_columns(drop).equals(b.arrow(t).drop_columns(drop)) for t, drop in DROP.items())


DROP: dict[str, list[str]] = {"steps": [], "notes": [], "calls": ["seconds", "cost", "cached", "faults"]}


def test_the_record_says_who_acted_and_what_came_of_it():
    run = simulate(pond(frogs=4, days=30), seed=3)
    steps = run.steps.collect()
    assert run.manifest.status == "complete"
    assert run.manifest.steps_done == 30
    acted = steps.filter(pl.col("action").is_not_null())
    assert acted.filter(pl.col("agent") == "frog 1")["step"].to_list() == [
        s for s in range(30) if s % 2 == 1 and s in acted.filter(pl.col("agent") == "frog 1")["step"].to_list()
    ]
    assert (acted["time"] == acted["step"] * 1.5).all()
    last = steps.filter(pl.col("ended") == "last")
    assert sorted(last["agent"]) == sorted(run.manifest.agents)
    assert last["observation"].null_count() == 0
    ends = steps.filter(pl.col("ended").is_in(["terminated", "truncated"]))
    assert sorted(ends["agent"]) == sorted(run.manifest.agents)


def test_rewards_are_those_of_the_world():
    world, policy = Pond(3, 10), coded(hop)
    run = simulate(world, policy, seed=1)
    for t in run.trajectories():
        assert len(t.observations) == len(t.actions) + 1
        assert not t.terminated
    frog = run.trajectories()[0]
    # frog 0 acts at every step: its reward is minus the distance it observes next
    assert np.allclose(frog.rewards, [-abs(o[0]) for o in frog.observations[1:]])


def test_same_seed_same_record_and_another_seed_another():
    a, b, c = (simulate(pond(), seed=s, episodes=2) for s in (5, 5, 6))
    assert same_tables(a, b)
    assert not same_tables(a, c)


def test_checkpoints_do_not_show_in_the_record():
    a = simulate(pond(), seed=2, checkpoint_every=7)
    b = simulate(pond(), seed=2, checkpoint_every=1000)
    assert len(a.manifest.checkpoints) > len(b.manifest.checkpoints)
    assert same_tables(a, b)


def test_sql_reads_the_tables():
    run = simulate(pond(frogs=2), steps=10)
    found = run.sql("select agent, count(*) as n from steps where action is not null group by agent order by agent")
    assert found.rows() == [("frog 0", 10), ("frog 1", 5)]
    with pytest.raises(Exception, match="cannot be answered"):
        run.sql("select nothing from nowhere")


def test_replay_is_exact_and_counts_what_it_compared():
    run = simulate(pond(), seed=4, episodes=2)
    found = replay(run)
    assert found.exact, found.divergences
    assert found.agent_steps == run.steps.filter(pl.col("action").is_not_null()).collect().height


def test_replay_names_the_first_difference_of_each_agent(tmp_path):
    run = simulate(pond(), seed=4, to=tmp_path / "run")
    original = hop

    def other(observation: Any, space: Any, rng: np.random.Generator) -> int:
        action = original(observation, space, rng)
        return -1 if observation[0] > 2 else action

    scene = pond()._replace(policies=coded(other))
    found = replay(run, scene)
    assert not found.exact
    first = found.divergences[0]
    assert first.event == "action"
    steps = run.steps.filter(pl.col("agent") == first.agent, pl.col("action").is_not_null()).collect()
    expected = [s for s, o, a in steps.select("step", "observation", "action").rows() if o[0] > 2 and a != -1]
    assert first.step == expected[0]
    assert len({d.agent for d in found.divergences}) == len(found.divergences)


def test_restore_gives_the_state_before_a_step():
    run = simulate(pond(frogs=3), seed=8, checkpoint_every=10)
    for step in (0, 7, 20, 33):
        world = restore(run, step).world
        assert isinstance(world, Pond)
        assert world.clock == step
        seen = run.steps.filter(pl.col("step") == step, pl.col("agent") == "frog 0").collect()["observation"][0]
        assert world.position["frog 0"] == seen[0]
    with pytest.raises(RunError, match="no step"):
        restore(run, 10_000)


def test_a_branch_departs_at_the_intervention_and_shares_the_luck(tmp_path):
    run = simulate(pond(frogs=3), seed=8, to=tmp_path / "run")
    same = branch(run, 20, to=tmp_path / "same")
    assert same.arrow("steps").equals(run.arrow("steps"))
    windy = branch(run, 20, [Intervention(20, "blow", {"wind": 0.25})], to=tmp_path / "windy")
    before = pl.col("step") < 20
    assert windy.steps.filter(before).collect().equals(run.steps.filter(before).collect())
    fork = (pl.col("step") == 20) & pl.col("action").is_not_null()
    still = run.steps.filter(fork).collect()["observation"].to_list()
    blown = windy.steps.filter(fork).collect()["observation"].to_list()
    assert [o[1] for o in still] == [0.0] * len(still)
    assert [o[1] for o in blown] == [0.25] * len(blown)
    assert windy.manifest.parent is not None
    assert replay(windy).exact
    with pytest.raises(ConfigError, match="before the fork"):
        branch(run, 20, [Intervention(3, "blow", {"wind": 1.0})], to=tmp_path / "early")
    with pytest.raises(ConfigError, match="has no intervention 'rain'"):
        branch(run, 20, [Intervention(20, "rain")], to=tmp_path / "rain")


class Sulky(Policy):
    """Gives no action to one frog, nonsense for another, the right thing for the rest."""

    def act(self, observations: Any, spaces: Any) -> Any:
        return {a: "jump!" if a == "frog 2" else 1 for a in observations if a != "frog 1"}


def test_what_is_no_action_becomes_the_idle_one_and_is_said():
    run = simulate(Pond(3, 6), Sulky())
    faults = run.steps.filter(pl.col("action").is_not_null()).collect()
    by_agent = {a: set(g["fault"].to_list()) for (a,), g in faults.group_by("agent")}
    assert by_agent["frog 0"] == {None}
    assert by_agent["frog 1"] == {"the policy gave no action"}
    assert by_agent["frog 2"] == {"not in the space open to the agent: jump!"}
    assert set(faults.filter(pl.col("fault").is_not_null())["action"]) == {0}


def test_numbers_outside_a_shared_space_are_found():
    world = Pond(20, 3)

    class Far(Policy):
        def act(self, observations: Any, spaces: Any) -> Any:
            return {a: 7 if a == "frog 10" else 1 for a in observations}

    steps = simulate(world, Far()).steps.filter(pl.col("fault").is_not_null()).collect()
    assert set(steps["agent"]) == {"frog 10"}
    assert isinstance(world.action_space("frog 0"), Discrete)


def test_several_policies_in_one_run():
    asked: list[str] = []

    class Watcher(Policy):
        async def act(self, observations: Any, spaces: Any) -> Any:
            await asyncio.sleep(0)
            asked.extend(observations)
            return dict.fromkeys(observations, 0)

    watcher, rest = Watcher(), coded(hop)
    run = simulate(Pond(4, 6), lambda a: watcher if a == "frog 3" else rest)
    assert set(asked) == {"frog 3"}
    assert run.manifest.steps_done == 6
    with pytest.raises(ConfigError, match="'frog 1' has no policy"):
        simulate(Pond(2), {"frog 0": rest})
    with pytest.raises(ConfigError, match="wrap a function with @coded"):
        simulate(Pond(2), {"frog 0": hop, "frog 1": hop})  # type: ignore[dict-item]


def test_from_within_an_event_loop():
    async def main() -> tuple[Run, Run]:
        return simulate(pond(), steps=5), await simulate_async(pond(), steps=5)

    a, b = asyncio.run(main())
    assert same_tables(a, b)


def test_a_gymnasium_env_is_a_world():
    run = simulate(GymWorld("CartPole-v1"), Random(), episodes=3, seed=1, checkpoint_every=9)
    for t in run.trajectories():
        assert t.terminated
        assert t.rewards.tolist() == [1.0] * len(t.actions)
        assert t.observations[0].shape == (4,)
        assert t.observations[0].dtype == np.float32
        assert len(t.observations) == len(t.actions) + 1


def test_record_less_or_nothing():
    run = simulate(pond(), steps=10, record="actions")
    steps = run.steps.collect()
    assert steps["observation"].null_count() == steps.height > 0
    assert replay(run).exact
    none = simulate(pond(), steps=10, record="none")
    assert none.steps.collect().height == 0
    assert none.manifest.steps_done == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"episodes": 0}, "episodes is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"record": "some"}, "record is 'some'"),
        ({"interventions": [Intervention(0, "rain")]}, "has no intervention 'rain'; it has: blow"),
        ({"interventions": [Intervention(0, "blow", {"storm": 1})]}, "does not take"),
        ({"interventions": [Intervention(0, "blow", {"wind": 1.0}, agent="toad")]}, "unknown agent 'toad'"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        simulate(pond(), **{"steps": 3, **arguments})


def test_neither_world_nor_policies():
    with pytest.raises(ConfigError, match="not a World: wrap"):
        simulate(object(), Random())  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="needs policies"):
        simulate(Pond())
    with pytest.raises(ConfigError, match="brings its own policies"):
        simulate(pond(), Random())


def test_a_world_that_observes_nan_repeats():
    class Blind(Pond):
        def _see(self, agent: str) -> np.ndarray[Any, Any]:
            return np.array([self.position[agent], np.nan])

    run = simulate(Blind(3, 12), coded(lambda seen, space: 0), seed=2)
    assert replay(run, Scene(Blind(3, 12), coded(lambda seen, space: 0))).exact
    other = replay(run, Scene(Blind(3, 12), coded(lambda seen, space: 1)))
    assert {d.event for d in other.divergences} == {"action"}
