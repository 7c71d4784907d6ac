"""The study of policy-guided diffusion: its simulator, its guidance, its ensemble, and a run of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box

from ethogram.nn.training import Training
from ethogram.policy import Random
from ethogram.records.trajectories import Trajectories, Trajectory
from ethogram.scene import Scene
from ethogram.simulation import rollouts
from ethogram.studies import Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.dreams._pgd_agents import dream
from ethogram.studies.dreams._pgd_data import ENV, Simulator
from ethogram.studies.dreams._pgd_diffusion import Diffuser, Guidance, log_likelihood
from ethogram.world import GymWorld
from ethogram.worlds.learned.ensemble import Ensemble


def test_the_simulator_goes_on_exactly_from_an_observation():
    (lived,) = rollouts(Scene(GymWorld(ENV), Random()), episodes=1, steps=60, seed=3)
    simulator, order = Simulator(), np.random.default_rng(0).permutation(60)
    for t in order:
        assert np.allclose(simulator.step(lived.observations[t], lived.actions[t]), lived.observations[t + 1], atol=1e-9)
    scale = np.full(17, 0.5)
    assert simulator.errors(lived.observations[None], lived.actions[None], scale).max() < 1e-12
    off = lived.observations.copy()
    off[1:] += 1.0
    errors = simulator.errors(off[None, :2], lived.actions[None, :1], scale)
    assert errors == pytest.approx(4.0)  # each column is off by two scales


@pytest.fixture(scope="module")
def circling() -> Trajectories:
    """A point that goes round; its action is a noisy number that its place does not depend on."""
    rng, episodes = np.random.default_rng(0), []
    for i in range(40):
        angle = rng.uniform(0, 6.3) + 0.3 * np.arange(41)
        seen = np.stack([np.cos(angle), np.sin(angle)], 1)
        actions = np.tanh(rng.normal(0, 0.3, (40, 1))).astype(np.float32)
        episodes.append(Trajectory("agent", i, seen, actions, seen[1:, 0], np.arange(40.0), False, {}))
    return Trajectories.of(episodes, Box(-2, 2, (2,), np.float64), Box(-1, 1, (1,), np.float32))


def wish(seen: torch.Tensor) -> torch.Tensor:
    """A policy far from the data: the sign of x, nearly."""
    return 0.9 * seen[:, :1].sign()


def test_a_fit_is_of_its_seeds_alone(circling):
    made = []
    for noise in (0, 1):
        torch.manual_seed(noise)  # whatever state torch's own generator is in
        fitted = Diffuser(2, 1, 16, 8, seed=3).fit(circling, Training(steps=2, batch=4))
        made.append(torch.cat([p.detach().flatten() for p in fitted.module.parameters()]))
    assert torch.equal(*made)


def test_guidance_moves_actions_towards_the_policy_and_leaves_states_on_their_track(circling):
    diffuser = Diffuser(2, 1, 16, 16).fit(circling, Training(steps=200, batch=32, lr=4e-3, schedule="cosine", ema=0.99))
    free = diffuser.sample(32, 1)
    radius = np.linalg.norm(free.observations, axis=-1)
    assert abs(radius - 1).mean() < 0.15
    assert free.rewards.shape == (32, 16)
    likelihoods = []
    for guidance in (Guidance(0.0, wish), Guidance(0.1, wish), Guidance(0.4, wish), Guidance(0.4, wish, denoised=False)):
        steered = diffuser.sample(32, 1, guidance)
        assert abs(np.linalg.norm(steered.observations, axis=-1) - 1).mean() < 0.2
        likelihoods.append(log_likelihood(wish, steered.observations, steered.actions).mean())
    assert likelihoods[0] == pytest.approx(log_likelihood(wish, free.observations, free.actions).mean())
    assert likelihoods[0] < likelihoods[1] < likelihoods[2]
    assert likelihoods[3] > likelihoods[0]
    kept = free.trajectories(circling)
    assert kept.lengths.tolist() == [15] * 32
    assert np.allclose(kept[3].observations, free.observations[3])


def test_log_likelihood_is_that_of_a_unit_gaussian():
    seen, acted = np.zeros((2, 3, 1)), np.zeros((2, 3, 2))
    acted[1] = 1.0
    found = log_likelihood(lambda x: torch.zeros(len(x), 2), seen, acted)
    assert found == pytest.approx([-np.log(2 * np.pi), -np.log(2 * np.pi) - 1])


def test_dreams_follow_the_policy(circling):
    world = Ensemble(circling.observation_space, circling.action_space, {"hidden": (8,)})
    starts = circling[0].observations[:5]
    dreamt = dream(world, starts, 7, wish, 0.0, 1)
    assert dreamt.observations.shape == (5, 8, 2)
    assert np.allclose(dreamt.observations[:, 0], starts)
    flat = torch.from_numpy(dreamt.observations[:, :-1].reshape(-1, 2))
    assert np.allclose(dreamt.actions[:, :-1].reshape(-1, 1), wish(flat).numpy())


@pytest.mark.slow
def test_a_small_run_has_a_verdict_on_every_claim_and_is_not_computed_twice(tmp_path):
    study = load("pgd")
    config, lab = study.presets["smoke"], Lab(tmp_path, progress=False)
    findings = study.run(config, lab)
    verdicts = judge(study.claims, findings)
    assert {v.outcome for v in verdicts.values()} <= {"holds", "does not hold"}
    parts = {p: p.stat().st_mtime_ns for p in (tmp_path / "parts").iterdir()}
    assert len(parts) == 2 + 1 + 2 * 2 * 5  # models, the scale, and of each cell four arms and what steering does
    again = study.run(config, lab)
    assert findings.dump() == again.dump()
    assert parts == {p: p.stat().st_mtime_ns for p in (tmp_path / "parts").iterdir()}
