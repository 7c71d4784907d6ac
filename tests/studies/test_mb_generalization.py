"""The study of model-based generalisation: its agents by hand, its references against play, its theorem, and a small run."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ethogram.nn.stacked import StackedAdam, Streams
from ethogram.policies.learned.dqn import DQNConfig
from ethogram.studies import Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.dreams import _mb_generalization_theory as theory
from ethogram.studies.dreams import mb_generalization as study
from ethogram.studies.dreams._mb_generalization_agents import AGENTS, Agent, AgentSettings, Replay
from ethogram.studies.dreams._mb_generalization_gaussian import GaussianNetwork, divergence
from ethogram.studies.dreams._mb_generalization_references import references
from ethogram.studies.dreams._mb_generalization_training import Schedule, learn
from ethogram.worlds.coded._bits import BitWorld
from ethogram.worlds.coded.pan_flute import PanFlute
from ethogram.worlds.coded.proc_maze import ProcMaze
from ethogram.worlds.coded.random_mdp import RandomMDP

Q = DQNConfig(hidden=(8,), temperature=0.5)


def settings(kind: str, **changes: object) -> AgentSettings:
    """A small agent."""
    small = {
        "kind": kind,
        "q": Q,
        "lr": 1e-2,
        "real": 6,
        "starts": 4,
        "length": 3,
        "hidden": (8,),
        "variables": 3,
        "classes": 2,
    }
    return AgentSettings.model_validate(small | changes)


@pytest.mark.parametrize("kind", AGENTS)
def test_a_seed_learns_what_it_would_learn_alone(kind: str) -> None:
    world, schedule = PanFlute(2), Schedule(steps=60, begin=10, examine_every=20, examine_steps=8, examine_copies=3)
    curves = {}
    for seeds in ([4, 5, 6], [5]):
        agent = Agent(settings(kind), world, seeds)
        curves[len(seeds)] = learn(agent, world, schedule, seeds, episodic=False)
        assert agent.learner.updates == 51
    assert curves[3].greedy[1].tolist() == curves[1].greedy[0].tolist()
    assert curves[3].online[1].tolist() == curves[1].online[0].tolist()
    assert len({*map(tuple, curves[3].online)}) > 1


def test_memory_forgets_the_oldest() -> None:
    replay, bits = Replay(2, 3, 1), np.zeros((2, 1), bool)
    for i in range(5):
        replay.add(bits, torch.tensor([i, 10 + i]), np.array([i, -i]), ~bits, np.array([i == 4, False]))
    luck = np.tile(np.linspace(0, 0.999, 60, dtype=np.float32), (2, 1))
    drawn = replay.sample(luck)
    assert set(drawn.actions[0].tolist()) == {2, 3, 4}
    assert set(drawn.actions[1].tolist()) == {12, 13, 14}
    assert (drawn.rewards[0] == drawn.actions[0]).all()
    assert ((drawn.continues[0] == 0) == (drawn.actions[0] == 4)).all()
    assert drawn.next_observations.all()
    assert not drawn.observations.any()


def test_true_rollouts_follow_the_dynamics_and_end_with_the_episode() -> None:
    world = ProcMaze(3, spontaneous=False)
    agent = Agent(settings("perfect", starts=5, length=4), world, [1, 2])
    starts = world.starts(np.random.default_rng(0), 10).reshape(2, 5, -1)
    batch = agent.rollouts(torch.from_numpy(starts).float())
    assert batch.observations.shape == (2, 20, 36)
    seen, following = (x.view(2, 4, 5, 36) for x in (batch.observations, batch.next_observations))
    actions, continues, weights = (x.view(2, 4, 5) for x in (batch.actions, batch.continues, batch.weights))
    assert torch.equal(seen[:, 1:], following[:, :-1])
    never = np.ones((40, 1))
    moved = world.transition(batch.observations.view(40, -1).bool().numpy(), batch.actions.view(-1).numpy(), never)
    assert np.array_equal(batch.next_observations.view(40, -1).numpy(), moved.bits)
    assert np.array_equal(continues.reshape(-1).numpy() == 0, moved.terminated)
    assert torch.equal(weights, torch.cat([torch.ones(2, 1, 5), continues.cumprod(1)[:, :-1]], 1))
    assert actions.max() < 5


@pytest.mark.parametrize("world", [PanFlute(2), ProcMaze(3), RandomMDP(6)], ids=["flute", "maze", "mdp"])
def test_references_are_what_play_gives(world: BitWorld) -> None:
    copies, steps, n = 4000, 12, int(world.action_space("agent").n)  # type: ignore[attr-defined]
    starts = world.starts(np.random.default_rng(0), 5)
    known, rng = references(world, starts, steps), np.random.default_rng(1)
    bits, total = np.repeat(starts, copies // 5, 0), np.zeros(copies)
    alive = np.ones(copies, bool)
    for _ in range(steps):
        moved = world.transition(bits, rng.integers(n, size=copies), rng.random((copies, world.draws)))
        total += moved.rewards * alive
        alive &= ~moved.terminated
        bits = moved.bits
    per = 1 if isinstance(world, ProcMaze) else steps
    assert total.mean() / per == pytest.approx(known.random, abs=4 * total.std() / per / copies**0.5)
    assert known.best > known.random


def test_the_best_reward_of_a_flute_is_that_of_playing_it() -> None:
    world, copies, steps = PanFlute(3), 6000, 20
    bits, luck, total = world.starts(np.random.default_rng(0), copies), Streams([0], "x"), 0.0
    for t in range(steps):
        moved = world.transition(bits, np.full(copies, 2 - t % 3), luck.random(copies, 1)[0])
        bits, total = moved.bits, total + moved.rewards.mean() / steps
    assert total == pytest.approx(references(world, bits, steps).best, abs=0.006)


def test_a_factored_model_leaves_fewer_value_functions() -> None:
    models = theory.factored()
    assert len(np.unique(models.reshape(256, -1), axis=0)) == 256
    values = theory.optimal(models[:1])  # every next bit is 0: the reward is had once, in the last state
    assert values[0].tolist() == [[0, 0], [0, 0], [0, 0], [1, 1]]
    left = theory.counted(models, 3, 20, seed=0)
    assert (left.model <= left.bellman).all()
    assert (left.model < left.bellman).any()
    assert (left.model >= 1).all()


def test_a_small_run(tmp_path: Path) -> None:
    config = study.presets["smoke"]
    findings = study.run(config, Lab(tmp_path, progress=False))
    again = study.run(config, Lab(tmp_path, progress=False))  # from its parts
    assert findings.dump() == again.dump()
    assert set(findings.figures) == {"curves-flutes", "curves-others", "gains"}
    verdicts = judge(study.claims, findings)
    assert verdicts["fewer-hypotheses"].outcome == "holds"
    assert verdicts["gap-grows"].outcome == "not tested"
    assert load("mb-generalization").presets.keys() == {"smoke", "laptop", "paper"}


def test_divergence_of_gaussians_is_the_closed_form() -> None:
    rng = torch.Generator().manual_seed(0)
    means, others = torch.randn(2, 3, 4, generator=rng)
    deviations, spreads = torch.rand(2, 3, 4, generator=rng) + 0.2
    known = torch.distributions.kl_divergence(
        torch.distributions.Normal(means, deviations), torch.distributions.Normal(others, spreads)
    )
    torch.testing.assert_close(divergence(means, deviations, others, spreads), known.sum(-1))
    assert divergence(means, deviations, means, deviations).abs().max() < 1e-6


def test_gaussian_latents_have_the_moments_that_the_encoder_says_and_come_to_rebuild_what_is_seen() -> None:
    network = GaussianNetwork(4, 2, [16], [1, 2], 3)
    bits = torch.eye(4).expand(2, 4, 4)
    luck = torch.from_numpy(Streams([1, 2], "x").random(20000, 3))
    one = bits[:, :1].expand(2, 20000, 4)
    drawn, means = network.features(one, luck), network.features(bits[:, :1])
    torch.testing.assert_close(drawn.mean(1, keepdim=True), means, atol=0.03, rtol=0)
    optimiser, actions, ones = StackedAdam(network, 1e-2), torch.zeros(2, 4, dtype=torch.int64), torch.ones(2, 4)
    following = bits.roll(1, 1)  # each bit moves on
    streams = Streams([1, 2], "fit")
    for _ in range(400):
        luck = torch.from_numpy(streams.random(4, 3))
        optimiser.step(network.losses(bits, actions, bits[..., 0], following, ones, luck))
    middle = torch.full((2, 4, 3), 0.5)
    later, rewards, going = network.imagine(network.features(bits), actions, middle)
    assert torch.equal((network.decoder(later) > 0).float(), following)
    assert torch.allclose(rewards, bits[..., 0], atol=0.25) and going.min() > 0.9
