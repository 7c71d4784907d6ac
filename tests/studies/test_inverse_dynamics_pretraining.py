"""The study of inverse dynamics pretraining: what an objective may see, what stays frozen, verdicts, and a run of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ethogram.studies import Findings, Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.imitation import _inverse_dynamics_finetuning as finetuning
from ethogram.studies.imitation import inverse_dynamics_pretraining as study
from ethogram.studies.imitation._inverse_dynamics_findings import report
from ethogram.studies.imitation._inverse_dynamics_objectives import OBJECTIVES, Episodes, pretrain, shifted
from ethogram.worlds.coded.point_mass import disc

torch.set_num_threads(1)
RNG = np.random.default_rng(0)
EPISODES = Episodes(
    np.stack([[disc(p, 32)[None] for p in RNG.uniform(-0.29, 0.29, (6, 2))] for _ in range(3)]),
    RNG.uniform(-1, 1, (3, 5, 2)).astype(np.float32),
    RNG.uniform(-1, 1, (3, 2)).astype(np.float32),
)


def weights(name: str, episodes: Episodes) -> torch.Tensor:
    features, loss = pretrain(name, episodes, (4, 4), steps=3, batch=8, seed=1)
    assert np.isfinite(loss)
    return torch.cat([p.detach().flatten() for p in features.parameters()])


@pytest.mark.parametrize("name", OBJECTIVES)
def test_only_one_arm_is_told_the_goal_and_each_uses_what_it_says(name: str) -> None:
    own = weights(name, EPISODES)
    goals = EPISODES._replace(goals=EPISODES.goals[::-1].copy())
    actions = EPISODES._replace(actions=EPISODES.actions[::-1].copy())
    assert (weights(name, goals) != own).any() == (name == "cloning with context")
    assert (weights(name, actions) != own).any() == (name != "contrastive")


def test_pictures_are_shifted_by_at_most_a_pixel() -> None:
    picture = disc(np.array([0.03, -0.02]), 32)[None]
    found = shifted(np.stack([picture] * 200), np.random.default_rng(0))
    allowed = {np.roll(picture, move, (1, 2)).tobytes() for move in ((a, b) for a in (-1, 0, 1) for b in (-1, 0, 1))}
    assert {p.tobytes() for p in found} == allowed and found.dtype == np.uint8


def test_a_pretrained_encoder_stays_as_it_is() -> None:
    features, _ = pretrain("cloning", EPISODES, (4, 4), steps=2, batch=8, seed=1)
    before = [p.detach().clone() for p in features.parameters()]
    data = finetuning.demonstrations(32, [0.1, 0.2], 1, seed=0)
    module = finetuning.fine_tune(features, (4, 4), data, steps=5, seed=0)
    assert all(torch.equal(a, b) for a, b in zip(before, features.parameters(), strict=True))
    assert module.features is features
    untrained, scratch = (finetuning.fine_tune(None, (4, 4), data, steps=n, seed=0) for n in (1, 5))
    first, last = (torch.cat([p.flatten() for p in m.features.parameters()]) for m in (untrained, scratch))
    assert not torch.equal(first, last)


def test_demonstrations_of_pictures_and_numbers_are_the_same_and_enough_of_them_suffice() -> None:
    goal = [0.1, -0.2]
    seen, known = (finetuning.demonstrations(pixels, goal, 8, seed=3) for pixels in (32, None))
    assert all(np.array_equal(a.actions, b.actions) for a, b in zip(seen, known, strict=True))
    np.testing.assert_array_equal(seen[0].observations[7][..., 0], disc(known[0].observations[7][:2].astype(float), 32))
    module = finetuning.fine_tune(None, (), known, steps=1000, seed=0)
    assert np.mean(finetuning.successes(module, (), goal, 5, seed=0)) > 0.5


def planted(rates: dict[str, float]) -> Findings:
    """Findings as they would be if each arm had a success rate of its own, at any size."""
    rng, found = np.random.default_rng(0), []
    for _ in range(5):
        for name in (*OBJECTIVES, study.SCRATCH, study.STATES):
            for episodes in (0,) if name in (study.SCRATCH, study.STATES) else (10, 1000):
                rate = 0.3 if episodes == 10 else rates.get(name, 0.3)
                scores = {str(n): (rng.random(60) < rate).astype(float).tolist() for n in (2, 50)}
                item = {"arm": name, "reach": 1, "episodes": episodes}
                found.append((item, {"success": scores, "loss": 1.0, "probe": 0.1} if episodes else {"success": scores}))
    findings = Findings()
    report(findings, (10, 1000), (2, 50), (), found)
    return findings


def test_verdicts_follow_what_was_planted() -> None:
    verdicts = judge(study.claims, planted({"inverse dynamics": 0.9, "true state": 0.9, "cloning with context": 0.8}))
    assert {name for name, verdict in verdicts.items() if verdict.outcome != "holds"} == {"scratch-catches-up"}
    verdicts = judge(study.claims, planted({"inverse dynamics": 0.5, "true state": 0.9, "cloning": 0.5, "scratch": 0.5}))
    kept = {name for name, verdict in verdicts.items() if verdict.outcome == "holds"}
    assert kept == {
        "beats-explicit-forward",
        "beats-implicit-forward",
        "beats-contrastive",
        "crossing",
        "scratch-catches-up",
    }


@pytest.mark.slow
def test_the_study_runs(tmp_path) -> None:
    found = load("inverse-dynamics-pretraining")
    config = found.configure("smoke", {"reaches": (), "pretraining": (2, 3)})
    findings = found.run(config, Lab(tmp_path, progress=False))
    assert set(findings.figures) == {"curves", "posteriors"} and "cloning" in findings.summary
    assert all(verdict.outcome != "not tested" for verdict in judge(found.claims, findings).values())
    again = found.run(config, Lab(tmp_path, progress=False))
    assert again.dump() == findings.dump()
