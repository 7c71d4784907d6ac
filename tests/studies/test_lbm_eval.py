"""The study of evaluation: its rules, the shift, the data needed to match, and a run of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box

from ethogram.measures import barnard_region
from ethogram.policy import Coded
from ethogram.studies import Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.imitation import _lbm_eval_statistics as statistics
from ethogram.studies.imitation._lbm_eval_findings import matching
from ethogram.studies.imitation._lbm_eval_policies import LedAway

torch.set_num_threads(1)


def test_exact_rates_by_hand() -> None:
    # of three rollouts each, only 3 against 0 could be rejected, at twice p³(1-p)³
    table = np.zeros((4, 4), bool)
    table[3, 0] = table[0, 3] = True
    assert statistics.exact_rate(table, 0.4, 0.4) == pytest.approx(2 * 0.4**3 * 0.6**3)
    assert statistics.exact_rate(table, 1.0, 0.0) == 1


def test_the_fixed_number_is_the_least_that_suffices(tmp_path) -> None:
    n = statistics.fixed_number({"p": 0.9, "q": 0.3, "power": 0.8}, Lab(tmp_path))
    power = [statistics.exact_rate(barnard_region(k, k), 0.9, 0.3) for k in (n - 5, n)]
    assert power[0] < 0.8 <= power[1]


def test_every_rule_finds_a_large_gap_and_few_false_alarms(tmp_path) -> None:
    for name, rule in statistics.RULES.items():
        rng = np.random.default_rng(1)
        assert sum(rule.rejects(rng, 0.9, 0.1, 50) for _ in range(20)) == 20, name
        item = {"rule": name, "p": 0.5, "n": 50, "runs": 60}
        assert statistics.false_alarms(item, Lab(tmp_path))["value"] < 0.3, name


def test_demonstrations_needed_to_match() -> None:
    sizes = (1, 10, 100)
    assert matching(sizes, [0.5, 0.6, 0.9], 0.4) == 1
    assert matching(sizes, [0.2, 0.6, 0.9], 0.4) == pytest.approx(math.sqrt(10))  # half way on the logarithm
    assert matching(sizes, [0.2, 0.6, 0.9], 0.95) == 100


def test_the_hand_is_led_away_alike_whatever_the_policy() -> None:
    space = Box(-1.0, 1.0, (4,), np.float32)

    def play(action: float, seed: int) -> np.ndarray:
        policy = LedAway(Coded(lambda seen, space: np.full(4, action, np.float32)), steps=3)
        policy.reset(seed, ["a", "b"])
        acts = [policy.act({"a": 0, "b": 0}, {"a": space, "b": space}) for _ in range(5)]
        return np.array([[act["a"], act["b"]] for act in acts])

    one, other = play(0.5, 7), play(-0.5, 7)
    assert (one[:3] == other[:3]).all() and (one[3:] == 0.5).all() and (other[3:] == -0.5).all()
    assert np.linalg.norm(one[0, 0]) == pytest.approx(1, abs=1e-6) and one[0, 0, 3] == 0
    assert not (one[0, 0] == one[0, 1]).any() or (one[0, 0, :3] != one[0, 1, :3]).all()
    assert (play(0.5, 8)[0, 0, :3] != one[0, 0, :3]).all()


@pytest.mark.slow
def test_the_study_runs(tmp_path) -> None:
    found = load("lbm-eval")
    config = found.configure("smoke")
    findings = found.run(config, Lab(tmp_path, progress=False))
    assert set(findings.figures) == {"power", "data-to-match", "posteriors"}
    verdicts = judge(found.claims, findings)
    assert verdicts["letters-are-cliques"].outcome == "holds"
    assert all(verdict.outcome != "not tested" for verdict in verdicts.values())
    assert found.run(config, Lab(tmp_path, progress=False)).dump() == findings.dump()
