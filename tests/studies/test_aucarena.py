"""The study of auctions: its parts by hand, a model that plays, and all of it at the smallest scale."""

import json

import pytest

from ethogram.language import scripted
from ethogram.studies import Findings, Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.society import _aucarena_findings as found
from ethogram.studies.society import _aucarena_model as played
from ethogram.studies.society import _aucarena_parts as parts
from ethogram.studies.society import _aucarena_scene as scenes

SMALL = {"items": 4, "budget": 8000, "overestimate": 0.1, "seed": 3}


def test_items_are_half_of_either_kind():
    items = scenes.items_of(10, 1)
    assert sorted((item.price, item.value) for item in items) == [(1000, 2000)] * 5 + [(5000, 10_000)] * 5
    assert [item.name for item in items] == [f"item {i + 1}" for i in range(10)]
    assert items != scenes.items_of(10, 2)


def test_the_mean_of_the_second_highest():
    """Known to four digits: -1 / sqrt(pi) for two, 0 for three, 0.4950 for five (Harter 1961)."""
    assert [found.second_highest(n) for n in (2, 3, 5)] == pytest.approx([-0.56419, 0.0, 0.49502], abs=1e-4)


def test_an_auction_among_the_truthful_that_goes_wrong_is_seen():
    findings, claim = Findings(), next(c for c in load("aucarena").claims if c.name == "second-price")
    right = parts.outbid({"draws": 20, "seed": 1, "apart": True}, None)
    found.second_price(findings, right, right)
    assert judge((claim,), findings)["second-price"].outcome == "holds"
    wrong = Findings()
    found.second_price(wrong, [*right, [300, 300, 200, 300]], right)
    assert judge((claim,), wrong)["second-price"].outcome == "does not hold"


def test_planted_errors_are_all_found_and_a_blind_audit_is_seen(monkeypatch):
    item = {**SMALL, "each": 6}
    errors, caught, statuses, alarms = parts.injected(item, None)
    assert errors == 6 * statuses == caught > 50 and alarms == 0
    real = parts.audit
    monkeypatch.setattr(parts, "audit", lambda believed, truth: real({**believed, "budget": truth["budget"]}, truth))
    assert parts.injected(item, None)[1] < errors


def test_conduct_by_hand():
    item = {**SMALL, "kind": "no belief correction", "slip": 1.0}
    one = parts.seated(item, None)
    assert one["wrong_self"] == one["left_self"] and one["left_others"] > 0
    assert parts.seated({**SMALL, "kind": "rule"}, None).keys() == {"profit", "items", "refused"}
    assert parts._changed([[0, [3, 2, 1]], [1, [2, 2]], [2, [1]]]) == pytest.approx(2 / 3)
    assert parts._changed([[0, [3, 2, 1]]]) is None
    assert [parts._priority([[0, [3, 2, 1]], [2, [3]]], place) for place in range(3)] == [3, 2, 3]
    assert parts._priority([], 1) is None and parts._rank([3, 3, 3], [1, 2, 3]) is None
    assert parts._rank([1, 2, 3], [5, 4, 0]) == pytest.approx(-1)


def test_who_earns_more_is_rated_higher():
    contest = {kind: {"profit": float(i), "items": 1.0} for i, kind in enumerate(("rule", "static", "adaptive"))}
    upset = {kind: {"profit": -float(i), "items": 1.0} for i, kind in enumerate(contest)}
    findings = Findings()
    found.rated(findings, [[contest] * 10] * 4 + [[upset]], 0)
    skills = [findings.get("skill", kind).value for kind in ("rule", "static", "adaptive")]
    assert skills == sorted(skills) and findings.get("earns_more", "rule").value == 0.8
    assert findings.get("strength", "adaptive").low > findings.get("strength", "rule").high
    assert findings.get("separation", "rule").value > 3


def test_a_model_plays_every_arm(tmp_path, monkeypatch):
    """It writes nonsense for every other status, and bids what it has not got: nothing crashes, all is counted."""
    asked = []

    def respond(request):
        asked.append(request.messages[-1]["content"])
        if "What do you learn" in asked[-1]:
            return '{"tips": ["Keep money."]}'
        if "Write your status" in asked[-1]:
            return "I do not know."
        if "a priority" in asked[-1]:
            return json.dumps({"reason": "", "priorities": [1] * asked[-1].count("called out at")})
        return '{"verb": "bid", "amount": 999999}'

    monkeypatch.setattr(played, "open_model", lambda spec, cache=None: scripted(respond, name="odd"))
    monkeypatch.setattr("ethogram.language.model", lambda spec, cache=None: scripted(respond, name="odd"))
    findings, lab = Findings(), Lab(tmp_path, 3, "odd", progress=False)
    played.tell(findings, lab, [7], 3, 1, {"rule": [parts.seated({**SMALL, "kind": "rule"}, lab)]})
    assert findings.get("full_auctions").value == findings.get("full_auctions").n == len(played.MODEL_ARMS) + 1
    assert (
        findings.get("calls_failed", "writing, status").value == 1
        and findings.get("calls_failed", "writing, bid").value == 0
    )
    assert findings.get("conduct_refused", "model: writing").value == 1
    assert "Keep money." in findings.notes[-1]
    again = Findings()
    played.tell(again, lab, [7], 3, 1, {})
    assert [m for m in again.measured if m.arm.startswith("model: ")] == [
        m for m in findings.measured if m.arm.startswith("model: ") and "seat" not in m.arm
    ], "runs are kept"


@pytest.mark.slow
def test_smoke(tmp_path):
    study = load("aucarena")
    lab = Lab(tmp_path, 0, "coded", progress=False)
    findings = study.run(study.presets["smoke"], lab)
    again = study.run(study.presets["smoke"], lab)
    assert again.dump() == findings.dump(), "its parts are kept"
    verdicts = judge(study.claims, findings)
    for claim in ("second-price", "winners-curse", "errors-found"):
        assert verdicts[claim].outcome == "holds", claim
    assert verdicts["model-plays"].outcome == "not tested"
    assert {"skill", "course", "curse", "arms"} <= set(findings.figures) and "conduct" in findings.tables
