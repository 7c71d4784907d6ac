"""The study of Sim2Rec: its references against play and brute force, its policy's memory, its codes, and a small run."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from ethogram.nn.ppo import ActorCritic, PPOSettings
from ethogram.nn.training import Training, seeded
from ethogram.scene import Scene
from ethogram.simulation import rollouts
from ethogram.studies import Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.society import sim2rec as study
from ethogram.studies.society._sim2rec_agents import ARMS, Recommender, Sizes, fit_groups, learn, load_groups, save_groups
from ethogram.studies.society._sim2rec_codes import gaussian_kl, judge_codes
from ethogram.studies.society._sim2rec_references import Users, constants, optimum, quadrature
from ethogram.worlds.coded.long_term_satisfaction import LongTermSatisfaction, respond

TRAINING = (6.0, 8.0, 20.0)
SIZES = Sizes(recurrent=8, extracted=4, hidden=(16,), code=2)


def test_the_optimum_is_that_of_all_sequences() -> None:
    horizon, items = 5, 5
    for memory, sensitivity in ((0.2, 0.9), (0.9, 0.3)):
        best = 0.0
        for shown in product(np.linspace(0, 1, items), repeat=horizon):
            exposure, total = np.array([0.5 / (1 - memory)]), 0.0
            for clickbait in shown:
                engagement, exposure = respond(exposure, clickbait, 14.0, memory, sensitivity)
                total += engagement[0]
            best = max(best, total / horizon)
        user = Users(np.array([memory]), np.array([sensitivity]), np.ones(1))
        assert optimum(14.0, user, horizon, items, points=2001) == pytest.approx(best, abs=1e-4)


def test_a_constant_item_brings_what_it_brings_in_the_world() -> None:
    world, total = LongTermSatisfaction((14,), 20_000, horizon=50), 0.0
    world.reset(seed=0)
    while world.agents:
        total += world.step({"recommender": np.full(20_000, 0.4)})[1]["recommender"] / 50
    users = quadrature()
    assert users.weights.sum() == pytest.approx(1)
    (known,) = constants(14, users, np.array([0.4]), 50)
    assert total == pytest.approx(known, abs=0.03)
    assert optimum(14, users, 50) > known


@pytest.fixture(scope="module")
def groups() -> object:
    return fit_groups(TRAINING, 20, 2, (16,), Training(steps=400, lr=5e-3, schedule="cosine", seed=1))


def test_the_code_of_a_group_predicts_groups_it_has_not_seen(groups: object, tmp_path: Path) -> None:
    save_groups(groups, tmp_path, 2, (16,))  # type: ignore[arg-type]
    found = judge_codes(load_groups(tmp_path), TRAINING, (2, 14, 26), 10, seed=3)
    assert found["r2_between"] > 0.9 and found["r2_beyond"] > 0.9
    assert found["r2_between"] < found["mean_between"] + 0.02
    assert found["permuted"] == 0 and found["kl"] < 0.3
    with seeded(0):
        blind = fit_groups(TRAINING, 20, 2, (16,), Training(steps=1, lr=1e-12))
    for parameter in blind.encoder.parameters():
        parameter.data.zero_()  # codes that say nothing
    assert judge_codes(blind, TRAINING, (2, 14, 26), 10, seed=3)["r2_between"] < 0.1


def test_gaussian_divergence_by_hand() -> None:
    assert gaussian_kl(np.array(1.0), 2.0, np.array(1.0), np.array(2.0)) == 0
    # log(2 / 1) + (1 + 9) / 8 - 1 / 2
    assert gaussian_kl(np.array(0.0), 1.0, np.array(3.0), np.array(2.0)) == pytest.approx(np.log(2) + 10 / 8 - 0.5)


@pytest.mark.parametrize("name", ["universal", "sim2rec", "oracle"])
def test_a_recommender_learns_and_can_go_on_from_its_state(name: str, groups: object) -> None:
    arm = ARMS[name]
    net, curve = learn(arm, TRAINING, 4, 10, 2, SIZES, PPOSettings(), groups, seed=1)  # type: ignore[arg-type]
    again, _ = learn(arm, TRAINING, 4, 10, 2, SIZES, PPOSettings(), groups, seed=1)  # type: ignore[arg-type]
    assert len(curve) == 2
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))
    world = LongTermSatisfaction((6, 20), 5, 8, reveal=arm.reveal)
    policies = [Recommender(net, groups if arm.code else None, 2) for _ in range(2)]  # type: ignore[arg-type]
    space = {"recommender": world.action_space("recommender")}
    seen = world.reset(seed=4)[0]
    policies[0].reset(0, ["recommender"])
    for _ in range(3):
        seen = world.step(dict(policies[0].act(seen, space)))[0]
    policies[1].reset(0, ["recommender"])
    policies[1].load_state_dict(policies[0].state_dict())
    acts = [policy.act(seen, space)["recommender"] for policy in policies]
    assert np.array_equal(*acts) and world.action_space("recommender").contains(acts[0])


def test_users_of_a_group_share_their_code_and_nothing_else(groups: object) -> None:
    with seeded(0):
        net = ActorCritic(2, context=2, recurrent=4)
    policy = Recommender(net, groups, 3)  # type: ignore[arg-type]
    seen = torch.from_numpy(LongTermSatisfaction(TRAINING, 4).reset(seed=0)[0]["recommender"])
    codes = policy.codes(seen)
    assert torch.equal(codes, codes[::4].repeat_interleave(4, 0)) and len(codes.unique(dim=0)) == 3
    other = seen.clone()
    other[5] += 3  # a user of the second group
    changed = (policy.codes(other) != codes).any(1)
    assert changed.tolist() == [False] * 4 + [True] * 4 + [False] * 4


def test_training_raises_engagement() -> None:
    found = []
    for batches in (1, 40):
        net, _ = learn(ARMS["universal"], (14.0,), 32, 20, batches, SIZES, PPOSettings(lr=1e-2), None, seed=2)
        world = LongTermSatisfaction((14,), 2000, 20)
        (session,) = rollouts(Scene(world, Recommender(net, None, 1)), episodes=1, progress=False)
        assert session.outcome["engagement"] == pytest.approx(session.observations[1:, :, 1].mean(), rel=1e-5)
        found.append(session.outcome["engagement"])
    assert found[1] > found[0] + 0.15


def test_a_small_run(tmp_path: Path) -> None:
    config = study.presets["smoke"]
    findings = study.run(config, Lab(tmp_path, progress=False))
    again = study.run(config, Lab(tmp_path, progress=False))  # from its parts
    assert findings.dump() == again.dump()
    assert set(findings.figures) == {"test-group", "range", "codes"}
    verdicts = judge(study.claims, findings)
    assert verdicts["order-is-nothing"].outcome == "holds"
    assert "not tested" not in {verdict.outcome for verdict in verdicts.values()}
    assert findings.get("optimum").value > findings.get("engagement", "constant").value * 0.9
    assert load("sim2rec").presets.keys() == {"smoke", "laptop", "paper"}
    with pytest.raises(ValueError, match="one of the training groups"):
        study.Config(test=8)
    with pytest.raises(ValueError, match="not divisible"):
        study.Config(tested=50)
