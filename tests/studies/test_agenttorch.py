"""agenttorch: its laws and equations by hand, the torch program beside the world, and the study at its smallest."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from ethogram.columns import Asked, observed
from ethogram.errors import ConfigError
from ethogram.policies.prompted.archetype import Archetype
from ethogram.populations import Population, erdos_renyi
from ethogram.simulation import simulate
from ethogram.studies import Lab
from ethogram.studies.claims import judge
from ethogram.studies.registry import load
from ethogram.studies.society._agenttorch_forecast import MEMORY, REPORTED, past_infections
from ethogram.studies.society._agenttorch_gradient import Outbreak, fit
from ethogram.studies.society._agenttorch_labour import predicted, regression
from ethogram.studies.society._agenttorch_scenes import answers, fear, willingness
from ethogram.worlds.coded.new_york import NewYork


def infections_of_world(network, r, infected, seed):
    n = len(network)
    table = pl.DataFrame({"name": [str(i) for i in range(n)], "age": ["30t39"] * n})
    world = NewYork(Population(table, {"contacts": network}), r=r, past=np.array([float(infected)]), threads=1)
    run = simulate(world, steps=7 * len(r), seed=seed, progress=False)
    return observed(run)["infections"].to_numpy()[1:].reshape(-1, 7).sum(1)


def asked(age, cases):
    return Asked(decision="?", options=("yes", "no"), who={"age": age}, facts={"cases": cases}, people=1)


def test_stated_laws_by_hand():
    law = fear(base=0.3, strength=0.5, reference=95.0)
    assert law(asked("40t49", 95.0))[0] == pytest.approx(0.3)
    odds = 0.3 / 0.7 * math.exp(0.5) * math.sqrt(4)  # care of the old, and (395 + 5) / (95 + 5) to the power 0.5
    assert law(asked("65A", 395.0))[0] == pytest.approx(odds / (1 + odds))
    assert fear(0.3, 0.0, 95.0)(asked("40t49", 9999.0))[0] == pytest.approx(0.3)
    work = willingness(0.1)
    assert work(asked("30t39", 0.0))[0] == pytest.approx(1 / (1 + math.exp(-1.6)))
    assert work(asked("30t39", 500.0))[0] < work(asked("30t39", 0.0))[0]
    assert isinstance(answers({"law": "willingness", "strength": 0.1}), Archetype)
    with pytest.raises(ConfigError, match="no stated law"):
        answers({"law": "courage"})


def test_cases_of_weeks_become_infections_of_days():
    past = past_infections(np.array([70.0, 7.0]))
    assert len(past) == 14 and set(past[:7]) == {7 / REPORTED / 7} and set(past[7:]) == {70 / REPORTED / 7}
    few = past_infections(np.array([1.0, 0.0, 2.0]))
    assert sum(few) == 3 / REPORTED and all(x == int(x) for x in few) and sum(few[:7]) == 2 / REPORTED
    assert len(past_infections(np.ones(99))) == 7 * MEMORY


def test_regression_gives_back_what_was_planted():
    rng = np.random.default_rng(1)
    force, claims = rng.uniform(1e5, 2e5, 40), rng.uniform(1e3, 1e5, 40)
    abc = np.array([-4.0, 2.5, 30.0])
    found = regression(force, claims, predicted(abc, force, claims))
    assert found == pytest.approx(abc, rel=1e-6)


def test_the_torch_program_is_the_world_and_its_gradient_finds_r():
    import torch

    torch.set_num_threads(1)
    n, r = 6000, np.array([3.2, 2.0])
    network = erdos_renyi(n, 10 / n, rng=1)
    world = np.mean([infections_of_world(network, r, 200, seed) for seed in range(6)], axis=0)
    program = Outbreak(network, np.full(n, 1.03), 200)
    with torch.no_grad():
        runs = np.stack([program.cases(torch.as_tensor(r, dtype=torch.float32), seed).numpy() for seed in range(6)])
    error = 4 * runs.std(0) * np.sqrt(2 / 6) + 1
    assert (np.abs(runs.mean(0) - world) < error).all()
    found = np.array(fit(program, world, 25, seed=1).r)
    assert np.abs(found / r - 1).mean() < 0.1
    assert np.abs(found - 2.95).max() > 0.3  # it moved away from where it began


@pytest.mark.slow
def test_the_study_at_its_smallest(tmp_path):
    study = load("agenttorch")
    findings = study.run(study.presets["smoke"], Lab(tmp_path, seed=1, model="coded", progress=False))
    verdicts = judge(study.claims, findings)
    assert verdicts["calls-by-archetype"].outcome == "holds"
    for name in ("a-million-in-two-seconds", "r-recovered", "fear-forecasts-better", "final-size"):
        assert verdicts[name].outcome == "not tested"  # too little of everything
    assert findings.get("final_size_gap", "R = 4.5").value == pytest.approx(0, abs=0.15)
    assert findings.get("questions", "stated law, each person").value == 20
    assert findings.get("city_people").value == 3000
    assert {"forecasts", "calibration", "labour"} == set(findings.figures)
    assert "made up" in " ".join(findings.notes)
    again = study.run(study.presets["smoke"], Lab(tmp_path, seed=1, model="coded", progress=False))
    assert again.dump()["measured"] == findings.dump()["measured"]
