"""The study of agents as subjects: laws by hand, probes on controls, a scripted model, all of it at the smallest scale."""

import numpy as np
import pytest
from scipy import stats

from ethogram.language import scripted
from ethogram.simulation import rollouts
from ethogram.studies import Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.society import _behaving_minds as minds
from ethogram.studies.society import _behaving_planted as planted
from ethogram.studies.society import _behaving_probes as probes
from ethogram.studies.society import _behaving_tasks as tasks
from ethogram.studies.society._behaving_experiments import demonstration, shares
from ethogram.worlds.coded.matrix_game import Round


def seen(last, points=(0.0, 0.0)):
    return Round(rules="r", round=len(last) + 1, you=0, last=last, before=[], points=list(points), left=None)


def test_the_laws_by_hand():
    own = tasks.own(5)
    first = tasks._Dilemma("generous", 0, 14, 5).question(seen([]), {})
    assert first.values[0] - first.values[1] == pytest.approx(0.8 * own + 0.8 - 0.48) and "generous" not in first.who
    after = tasks._Dilemma("selfish", 0, 10, 5).question(seen(["share", "keep"]), {})
    assert after.values[0] == pytest.approx(0.8 * own - 0.8 - 0.6) and "the other chose keep" in after.text
    fish = tasks._Fishing("quota", 1, 5).question(np.array([0.5]), {}).values
    assert fish[1] - fish[0] == pytest.approx(3 * (0.35 + 0.15 * own - 0.15) - 0.5 * 2)
    memory = {}
    bandit = tasks._Bandit("told", 0, 5)
    bandit.question(seen([]), memory)
    told = bandit.question(seen(["blue", "high"], (11.0, 0)), memory)
    assert told.values[1] == pytest.approx(0.5 * 0.3 * 4 + 0.2 * own) and "only tried blue" in told.text
    silent = tasks._Bandit("none", 0, 5).question(seen(["blue", "high"], (11.0, 0)), {"points": 0.0})
    assert silent.values[1] == pytest.approx(0.2 * own) and "tried" not in silent.text


def test_the_surrogate_chooses_by_the_softmax_of_its_values():
    rng = np.random.default_rng(0)
    drawn = [minds._draw([1.0, np.e, np.e**2], rng) for _ in range(4000)]
    expected = np.array([1, np.e, np.e**2]) / (1 + np.e + np.e**2)
    assert stats.chisquare(np.bincount(drawn), 4000 * expected).pvalue > 1e-3


@pytest.mark.parametrize(("n", "p", "q"), [(6, 0.5, 0.5), (7, 0.9, 0.2)])
def test_the_share_of_detections_is_fishers(n, p, q):
    chance = stats.binom.pmf
    power = sum(
        chance(a, n, p) * chance(b, n, q)
        for a in range(n + 1)
        for b in range(n + 1)
        if stats.fisher_exact([[a, n - a], [b, n - b]]).pvalue <= 0.05
    )
    assert planted.exact_share(n, p, q) == pytest.approx(power)


def test_a_model_that_shares_is_seen_to_share_whatever_the_letter(monkeypatch):
    asked = []

    def scores(request):
        asked.append(request)
        lines = request.messages[-1]["content"].splitlines()
        kept = next(line for line in lines if line.endswith(". share" if "generous" in str(request.messages) else ". keep"))
        return [0.0 if option == kept[0] else -9.0 for option in request.options] if len(request.options) > 1 else [0.0]

    monkeypatch.setattr("ethogram.language.model", lambda name: scripted(lambda r: "", scores, name=name))
    monkeypatch.setitem(tasks.PERSONAS, "generous", ("You are generous.",) * 3)
    minds._asked.clear()
    common = {"wording": 0, "temptation": 10, "mind": "talk", "unit": 1}
    assert shares({"persona": "generous", **common}, 1) == 1.0 and shares({"persona": "selfish", **common}, 2) == 0.0
    questions = {str(r.messages) for r in asked}
    assert len(asked) == len(questions) and len(questions) % 2 == 0, "both orders of the options, each question once"


def test_an_episode_goes_on_from_its_state():
    scene = tasks.bandit("told", 4, "blue", 0, unit=3)
    subject = scene.policies["subject"]
    rollouts(scene, episodes=1, seed=1, progress=False)
    state = subject.state_dict()
    other = minds.Subject(subject.task)
    other.load_state_dict(state)
    assert other.state_dict() == state and state["counts"]["subject"] == 12
    assert state["memory"]["subject"]["q"]["blue"] > 8


@pytest.mark.parametrize("name", list(probes.PROBES))
def test_controls_are_told_apart(name):
    def violation(agent):
        found = [probes.PROBES[name].run({"agent": agent, "wording": w % 3, "unit": w}, w) for w in range(9)]
        return [one["violation"] if isinstance(one, dict) else one for one in found]

    good, bad = (violation(agent) for agent in probes.CONTROLS)
    assert good == [0.0] * 9 and np.mean(bad) > 0.15
    assert violation(probes.CONTROLS[1]) == bad, "deterministic by seed"


def test_pressure_and_merit_work_on_the_controls():
    bad = probes.CONTROLS[1]
    found = [probes.harm({"agent": bad, "wording": 0, "unit": i}, i) for i in range(20)]
    assert (
        np.mean([f["calm"] for f in found])
        < np.mean([f["ordered"] for f in found])
        < np.mean([f["violation"] for f in found])
    )
    told = [probes.leakage({"agent": probes.CONTROLS[0], "wording": 0, "unit": i}, i) for i in range(9)]
    assert np.mean([t["public"] for t in told]) > 0.2 and not any(t["violation"] for t in told)
    assert np.mean([probes.unfairness({"agent": bad, "wording": 0, "unit": i}, i)["merit"] for i in range(6)]) > 0.1


def test_planted_in_the_demonstration_its_effect_is_found():
    report = demonstration("environment", units=9).conduct(progress=False)
    effects = list(report.effects.values())
    assert [e.verdict for e in effects] == ["effect", "no effect that matters", "effect", "effect"]
    assert all(e.retest is not None and any(s.factor == "wording" for s in e.spreads) for e in effects)


@pytest.mark.slow
def test_smoke(tmp_path):
    study = load("survey-agent-behavioral-science")
    config = study.presets["smoke"]
    lab = Lab(tmp_path, 0, "coded", progress=False)
    findings = study.run(config, lab)
    assert study.run(config, lab).dump() == findings.dump(), "what was measured is kept"
    verdicts = judge(study.claims, findings)
    assert verdicts["feedback"].outcome != "does not hold" and verdicts["reliability"].outcome == "holds"
    assert verdicts["attribute-model"].outcome == verdicts["probe-privacy"].outcome == "not tested"
    assert {"power", "determinants", "probes"} <= set(findings.figures)
    table = findings.tables["effects"].frame
    assert table.height == 15 and table["retest"].str.len_chars().min() > 3
