"""The study of fake news: its parts by hand, and all of it at the smallest scale."""

import numpy as np
import pytest

from ethogram.language import scripted
from ethogram.measures.cascades import Cascade
from ethogram.records import Run
from ethogram.studies import Findings, Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.society import _cascades as real
from ethogram.studies.society import _fps_findings as found
from ethogram.studies.society import _fps_parts as parts
from ethogram.studies.society import _fps_scene as scenes
from ethogram.studies.society._fps_model import play


def test_schedules():
    assert (
        parts.schedule(1, 3, 10) == [1, 4, 7, 10]
        and parts.schedule(4, 0, 10) == [4]
        and parts.schedule(*parts.NONE, 9) == []
    )


def test_what_no_other_beats():
    cost, benefit = np.array([0, 1, 2, 2, 5]), np.array([0, 4, 4, 6, 6])
    assert found._efficient(cost, benefit).tolist() == [True, True, False, True, False]


def test_credulity_is_by_hand():
    def person(*traits, education=4):
        return scenes.Citizen(name="x", age=30, traits=traits, education=scenes.EDUCATION[education])

    assert scenes.credulity(person("agreeable", "neurotic")) == 1
    assert scenes.credulity(person("agreeable", education=8)) == -0.5
    assert scenes.credulity(person("antagonistic", education=0)) == -0.5
    values = [scenes.credulity(one) for one in scenes.citizens(2000, 1)]
    assert abs(np.mean(values)) < 0.06


def runs(slope, seed, count=12, people=60):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        x = rng.normal(0, 0.7, people)
        ever = rng.random(people) < 1 / (1 + np.exp(-(slope * x + rng.normal(0, 0.5))))
        made.append({"first": [True] * 2 + [False] * (people - 2), "ever": ever.tolist(), "credulity": x.tolist()})
    return made


def test_a_planted_slope_is_found_and_nulls_are_not(monkeypatch):
    planted = Findings()
    found.trait(planted, runs(1.5, 1), 0)
    slope = planted.get("trait_slope")
    assert slope.above and slope.low < 1.5 < slope.high and planted.get("trait_beyond").above
    assert planted.get("trait_shuffled").value < 0.12
    monkeypatch.setattr(found, "SHUFFLES", 1)
    wrong = 0
    for seed in range(30):
        null = Findings()
        found.trait(null, runs(0.0, seed), seed)
        wrong += null.get("trait_slope").above or null.get("trait_slope").below
    assert wrong <= 5, "in error by construction: 1.5 of 30"


def test_trees_of_belief_follow_who_was_read():
    from ethogram.simulation import rollouts

    data = rollouts(scenes.mixing(people=60, days=8, rates=[1.0, 0.0], believers=1), episodes=1, seed=2, progress=False)
    shapes = parts.trees(data)
    assert len(shapes) == 1, "under the SIS law nobody believes who has not read a believer"
    assert shapes[0].size == parts.beliefs(data).any(0).sum() > 20 and shapes[0].depth > 1


def test_without_real_cascades_the_claim_is_not_tested(monkeypatch):
    monkeypatch.delenv("ETHOGRAM_DATA", raising=False)
    findings = Findings()
    real.beside_reality(findings, [Cascade(5, 2, 3, 2.0, 1.5, 4.0)], "x", 0)
    assert "ETHOGRAM_DATA" in findings.notes[0] and not findings.measured
    claims = {claim.name: claim for claim in load("fps-fake-news").claims}
    assert judge((claims["cascades-as-real"],), findings)["cascades-as-real"].outcome == "not tested"


def test_a_models_run_from_the_cache_is_the_same(tmp_path, monkeypatch):
    asked = []

    def respond(request):
        asked.append(request)
        return f"So {len(asked)} say."

    made = lambda spec, cache=None: scripted(respond, lambda r: [0.0, -1.0], name="talk", cache=cache)  # noqa: E731
    monkeypatch.setattr("ethogram.language.model", made)
    findings, lab = Findings(), Lab(tmp_path, 3, "talk", progress=False)
    play(findings, lab, people=4, days=2, mind="choice")
    assert findings.get("model_repeats").value == 1 and findings.get("model_calls_again").value == 0
    arm = "model: talk, full"
    assert 0 < findings.get("distinct_1", arm).value <= 1 and findings.get("model_belief_days", arm).n == 4
    calls = sum(
        not call.cached for name in ("full", "again") for _, call in Run(tmp_path / "runs" / f"model-{name}").all_calls()
    )
    assert calls == 4 * 2 * 5


@pytest.mark.slow
def test_smoke(tmp_path):
    study = load("fps-fake-news")
    config = study.presets["smoke"]
    lab = Lab(tmp_path, 0, "coded", progress=False)
    findings = study.run(config, lab)
    again = study.run(config, lab)
    assert again.dump() == findings.dump(), "its parts are kept"
    verdicts = judge(study.claims, findings)
    assert verdicts["early-beats-late"].outcome == "holds" and verdicts["model-repeats"].outcome == "not tested"
    assert {"orders", "ablations", "denials"} <= set(findings.figures) and "denials" in findings.tables
