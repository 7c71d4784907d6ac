"""Behaviour retrieval: scores and weights by hand, verdicts from made-up parts, and a run of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box

from ethogram.measures import Estimate
from ethogram.policy import Policy
from ethogram.records.trajectories import Trajectories, Trajectory
from ethogram.records.windows import Goal
from ethogram.studies import Findings, Lab
from ethogram.studies.claims import judge
from ethogram.studies.imitation import _behavior_retrieval as retrieval
from ethogram.studies.imitation import behavior_retrieval as study
from ethogram.studies.imitation._behavior_retrieval_findings import report
from ethogram.studies.imitation._behavior_retrieval_goals import GOAL_ARMS, Told, with_goals


def test_scores_are_relative_to_the_prior() -> None:
    prior = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [10.0, 0.0]])
    target = torch.tensor([[0.0, 0.0], [10.0, 2.0]])
    np.testing.assert_allclose(retrieval.scores(prior, target), [1, 0, 0.8, 0.6], atol=1e-6)


def test_half_of_a_batch_is_the_targets() -> None:
    def shares(kept: np.ndarray, target: int, demonstrations: bool = True) -> np.ndarray:
        weights = retrieval.arm_weights(kept, target, demonstrations)
        return weights / weights.sum()

    kept = np.array([True, False, True, False])
    np.testing.assert_allclose(shares(kept, 2), [0.25, 0, 0.25, 0, 0.25, 0.25])
    np.testing.assert_allclose(shares(kept, 2, False), [0.5, 0, 0.5, 0, 0, 0])
    np.testing.assert_allclose(shares(np.zeros(4, bool), 2), [0, 0, 0, 0, 0.5, 0.5])


def test_the_embedding_ends_in_the_raw_action_or_knows_none() -> None:
    rng = np.random.default_rng(0)
    seen, actions = rng.normal(size=(40, 39)).astype(np.float32), rng.uniform(-1, 1, (40, 4)).astype(np.float32)
    settings = study.presets["smoke"].model_dump(mode="json")
    both, states = (retrieval.embed(seen, a, settings, 1) for a in (actions, None))
    assert both(seen, actions).shape == (40, settings["latent"] + 4) and states(seen, actions).shape == (
        40,
        settings["latent"],
    )
    np.testing.assert_array_equal(both(seen, actions)[:, -4:], actions)
    assert torch.equal(states(seen, actions), states(seen, -actions))
    assert not torch.equal(both(seen, actions)[:, :-4], both(seen, -actions)[:, :-4])


def test_a_push_is_the_episodes_and_of_the_asked_size() -> None:
    push = retrieval.Push(0.2)
    drawn = np.stack([push(np.zeros(4)) for _ in range(4000)])
    assert drawn.std() == pytest.approx(0.2, rel=0.1)
    assert np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1] == pytest.approx(0.9, abs=0.03)
    push.reset(3)
    first, state = push(np.zeros(4)), push.state_dict()
    after = push(np.zeros(4))
    push.load_state_dict(state)
    assert (push(np.zeros(4)) == after).all() and (first != after).any()


@pytest.mark.parametrize(("behind", "outcome"), [(0.3, "holds"), (0.12, "does not hold"), (0.0, "does not hold")])
def test_about_20_points_ahead_of_both_goal_arms(behind: float, outcome: str) -> None:
    found = Findings()
    for arm, gap in zip(GOAL_ARMS, (0.3, behind), strict=True):
        found.estimate("ahead-all", Estimate(gap, gap - 0.05, gap + 0.05, 15, "made up"), "gap", arm=arm)
    assert judge(study.claims[-1:], found)["beats-goal-conditioned"].outcome == outcome


class Asked(Policy):
    """Does the goal it is told, and remembers it."""

    def __init__(self) -> None:
        self.told: list[float] = []

    def act(self, observations, spaces):
        seen = observations["a"]
        assert (seen["observation"] == 5).all()
        self.told.append(float(seen["desired_goal"][0]))
        return {"a": seen["desired_goal"]}


def test_told_is_one_goal_an_episode_drawn_by_its_seed() -> None:
    asked, seen = Asked(), {"a": np.full(2, 5.0)}
    policy = Told(asked, np.array([[0.0, 0], [1, 1], [2, 2]]))
    for seed in range(40):
        policy.reset(seed, ["a"])
        policy.act(seen, {})
        state = policy.state_dict()
        policy.reset(seed + 1, ["a"])
        policy.load_state_dict(state)
        policy.act(seen, {})
    first, second = asked.told[::2], asked.told[1::2]
    assert first == second and set(first) == {0.0, 1.0, 2.0}


def test_goals_are_later_observations_of_the_same_episode() -> None:
    steps = np.arange(6, dtype=np.float32)[:, None]
    did, zeros = np.zeros((5, 1), np.float32), np.zeros(5)
    episodes = [Trajectory("a", i, steps + 100 * i, did, zeros, np.arange(5.0), True) for i in range(2)]
    space = Box(-np.inf, np.inf, (1,), np.float32)
    data = with_goals(Trajectories.of(episodes, space, space))
    assert [float(t.observations["desired_goal"][0, 0]) for t in data] == [5, 105]
    batch = data.windows(1, 1, Goal("future")).batch(np.arange(10).repeat(20), np.random.default_rng(0))
    goals, now = batch["goals"][:, 0], batch["observations"]["observation"][:, 0, 0]
    assert (goals // 100 == now // 100).all() and (goals > now).all()


def made_up(rng: np.random.Generator, success: dict[str, float], kept: list[int]) -> dict:
    arms = {arm: {"kept": kept, "successes": rng.binomial(1, p, 50).tolist()} for arm, p in success.items()}
    arms["states only"]["kept"] = [50, 50, 0]
    return {"base": 0.1, "quantiles": {}, "demonstrations": {}, "arms": arms}


@pytest.mark.parametrize("good", [True, False])
def test_verdicts_follow_from_the_parts(good: bool) -> None:
    rng, config = np.random.default_rng(0), study.Config()
    lows = ("balanced", "target only", "prior only", "states only", *GOAL_ARMS, *(f"delta {d:g}" for d in config.deltas))
    success = {"retrieval": 0.8 if good else 0.3, "oracle": 0.9, **dict.fromkeys(lows, 0.3)}
    kept = [80, 20, 0] if good else [15, 85, 0]
    found = [({"task": task}, made_up(rng, success, kept)) for _ in range(5) for task in config.tasks]
    findings = Findings()
    report(findings, config.tasks, config.delta, config.deltas, found)
    outcomes = {name: verdict.outcome for name, verdict in judge(study.claims, findings).items()}
    assert set(outcomes.values()) == {"holds" if good else "does not hold"}
    assert findings.get(f"enrichment-{config.tasks[0]}").value == pytest.approx(8 if good else 1.5)
    assert set(findings.figures) == {"arms", "delta"}


def test_a_small_run(tmp_path) -> None:
    config = study.presets["smoke"]
    findings = study.run(config, Lab(tmp_path, seed=1, progress=False))
    assert findings.get("success-by-delta", "0").n == 2 and "seeds of 2 rollouts" in findings.summary
    again = study.run(config, Lab(tmp_path, seed=1, progress=False))  # from what was kept
    assert again.dump() == findings.dump()
    assert {v.outcome for v in judge(study.claims, findings).values()} <= {"not tested", "holds", "does not hold"}
