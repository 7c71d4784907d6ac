"""The study of the war game: planted effects and nulls, its search of prompts, and all of it at the smallest scale."""

import numpy as np
import pytest

from ethogram.errors import DataError
from ethogram.language import scripted
from ethogram.records import reference
from ethogram.studies import Findings, Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.society import _escalation_findings as found
from ethogram.studies.society import _escalation_model as played_by
from ethogram.studies.society import _escalation_parts as parts
from ethogram.war import SEVERITIES
from ethogram.worlds.coded.war_game import WarGame
from ethogram.worlds.coded.war_game.nations import NATIONS

STUDY = load("escalation-wargame")


def game(level, days=14):
    """A game whose nations each score `level` a day in all."""
    nations = np.full((days, len(NATIONS)), level / len(NATIONS)).tolist()
    return {
        "strict": [level] * days, "nations": nations, "severities": np.ones((days, len(SEVERITIES))).tolist(),
        "nuclear": 0, "acts": 10, "unmatched": 1, "first": None if level < 20 else 3, "arms": 0.0,
        "days": days, "same": days, "name": "x",
    }  # fmt: skip


def test_planted_effects_are_found_and_nulls_are_not():
    rng = np.random.default_rng(0)
    base = rng.normal(10, 3, 20)
    shift = {("reciprocator", "invasion"): 5 + rng.normal(0, 1, 20), ("racer", "invasion"): rng.normal(0, 1, 20)}
    groups = {
        (player, scenario): [game(value) for value in base + shift.get((player, scenario), 0)]
        for player in parts.PLAYERS
        for scenario in found.SCENARIOS
    }
    findings = Findings()
    found.coded(findings, groups)
    effect = findings.get("invasion_effect", "reciprocator")
    assert effect.low < 5 < effect.high and effect.above and effect.n == 20
    null = findings.get("invasion_effect", "racer")
    assert not (null.above or null.below)
    assert findings.get("coded_first_violent", "pacifist, neutral").value == 15
    claims = {claim.name: claim for claim in STUDY.claims}
    assert claims["reciprocators-escalate-after-invasion"].test(findings).outcome == "holds"
    assert claims["pacifists-do-not"].test(findings).outcome == "holds"


def test_released_means_have_runs_as_units():
    """Days are many, runs are few: the interval is that of the runs' means."""
    groups = {("GPT-4", "neutral"): [game(70), game(80), game(90)], ("Newer", "invasion"): [game(1), game(2)]}
    findings = Findings()
    found.released(findings, groups)
    score = findings.get("released_score", "GPT-4, neutral")
    assert score.n == 3 and score.value == 80 and score.low == pytest.approx(80 - 4.302653 * 10 / np.sqrt(3), abs=1e-4)
    assert findings.get("means_within").n == 1 and findings.get("means_within").value == 1
    table = findings.tables["released-means"].frame
    assert table.height == 2 and table["runs"].to_list() == [3, 2] and table["score, all 165 runs"].to_list() == [78, None]
    assert findings.get("replay_exact").value == 1 and findings.get("unmatched").value == 0.1


def test_a_leak_would_be_found(tmp_path, monkeypatch):
    assert parts.guarded({"days": 3}, Lab(tmp_path / "tight", progress=False))["leaks"] == 0
    seen = WarGame.observe

    def gossip(self):
        """Everybody is told of all that was done."""
        views = seen(self)
        known = tuple(dict.fromkeys(event for view in views.values() for event in view.events))
        return {name: view.model_copy(update={"events": known}) for name, view in views.items()}

    monkeypatch.setattr(WarGame, "observe", gossip)
    assert parts.guarded({"days": 3}, Lab(tmp_path / "leaky", progress=False))["leaks"] > 0


def test_a_model_plays_and_is_probed(tmp_path, monkeypatch):
    """One that likes force after an invasion, and else does not mind."""

    def rate(request):
        text = request.messages[-1]["content"]
        lines = [line for line in text.splitlines() if line[1:3] == ". "]
        return [3.0 * ("armed force" in line and "marched" in text) for line in lines]

    opened = scripted(rate=rate)
    monkeypatch.setattr(played_by, "open_model", lambda *args, **options: opened)
    monkeypatch.setattr("ethogram.language.model", lambda *args, **options: opened)
    findings, lab = Findings(), Lab(tmp_path, 0, "a-model", progress=False)
    played_by.probe(findings, lab, 2)
    change = findings.get("stance_change", "invasion, plain")
    assert change.value == pytest.approx(np.log((1 + np.exp(3)) / 4) - np.log(2 / 4))
    assert findings.get("stance_change", "neutral, freedom").value == 0
    played_by.play(findings, lab, 1, "choice", False)
    assert findings.get("model_score", "model: a-model, neutral").n == 1


def test_smoke(tmp_path):
    try:
        reference.reference("escalation")
        present = True
    except DataError:
        present = False
    findings = STUDY.run(STUDY.presets["smoke"], Lab(tmp_path, 0, "coded", progress=False))
    outcomes = {name: verdict.outcome for name, verdict in judge(STUDY.claims, findings).items()}
    assert outcomes["replays-exactly"] == ("holds" if present else "not tested")
    assert outcomes["private-acts-stay-private"] == outcomes["pacifists-do-not"] == "holds"
    assert outcomes["wording-matters"] == "not tested" and findings.summary and findings.figures
    again = STUDY.run(STUDY.presets["smoke"], Lab(tmp_path, 0, "coded", progress=False))
    assert again.dump() == findings.dump()
