"""The study of repeated games: its parts by hand, and all of it at the smallest scale on the released records."""

import os
from collections import Counter

import numpy as np
import pytest

from ethogram.records.reference import VARIABLE
from ethogram.records.repeated_games import Match, Person
from ethogram.studies import Findings, Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.society import _repeated_games_model as models
from ethogram.studies.society import _repeated_games_people as humans
from ethogram.studies.society import _repeated_games_records as records
from ethogram.studies.society import _repeated_games_strategies as kinds


def test_a_wrong_record_is_found():
    match = Match("PD", ("a", "b"), [(0, 1), (1, 1)], [(0, 10), (5, 5)], [(0, 10), (5, 15)])
    assert records.replay(match, records.PAYOFFS["PD"]).exact == 2
    assert records.replay(match._replace(totals=[(0, 10), (5, 14)]), records.PAYOFFS["PD"]).exact == 1
    assert records.replay(match._replace(points=[(10, 0), (5, 5)]), records.PAYOFFS["PD"]).exact == 1
    assert records.normalised(records.replay(match, records.PAYOFFS["PD"]).data, records.PAYOFFS["PD"]) == [0.25, 0.75]


def test_scores_of_equilibria():
    assert records.nash(records.PAYOFFS["PD"]) == 0.5
    assert records.nash(records.PAYOFFS["BoS"]) == pytest.approx(0.85)
    # ranks without a pure equilibrium; each mixes half and half to make the other indifferent
    assert records.nash([[[4, 1], [1, 4]], [[1, 4], [4, 1]]]) == pytest.approx(2.5 / 4)


def test_games_that_are_missing_leave_an_interval():
    values = [0.5, 0.6, 0.7, 0.8]
    sample = records.finite(values, 8, 1)
    half = 3.182446 * np.std(values, ddof=1) / 2 * np.sqrt(0.5)  # Student's t with 3 degrees of freedom
    assert sample.high - sample.value == pytest.approx(half, rel=1e-5) and sample.value == pytest.approx(0.65)
    everything = records.finite(values, 4, 7)
    assert everything.low == everything.high == pytest.approx(0.65)
    assert records.finite(values, 8, 7).high > sample.high


def person(moves, scores, game="BoS", opponent="Base"):
    return Person("1", game, opponent, "LLM", moves, scores)


def test_moves_of_the_machine_follow_from_scores():
    assert humans.consistent(person([0, 0, 1, 1], [7, 0, 10, 0])) == [(0, 0), (1, 0), (1, 1), (0, 1)]
    assert humans.consistent(person([0, 0, 1, 1], [8, 0, 10, 5], "PD")) == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert humans.consistent(person([1], [7])) is None


def test_people_against_tables_by_hand():
    """Tables that differ in rounds 2 and 3: the label is right in one of the two."""
    base = {(): 0, (0,): 0, (0, 0): 0}
    prompted = {(): 0, (0,): 1, (0, 0): 1}
    tables = {(game, label): t for game in ("PD", "BoS") for label, t in (("Base", base), ("Prompted", prompted))}
    findings = Findings()
    humans.tables_against_records(findings, [person([0, 0, 0], [7, 0, 7])] * 3, tables)
    assert findings.get("lookup_agreement", "BoS").value == pytest.approx(2 / 3)
    assert findings.get("lookup_alike", "BoS").value == 1
    assert findings.get("lookup_differ", "BoS").value == 0 and findings.get("lookup_differ_last", "BoS").value == 1
    assert findings.get("lookup_expected", "BoS").value == pytest.approx((1 + 0.5 + 0.75) / 3)


def test_cohens_d_and_shares_of_rounds():
    d = humans.cohen([1, 2, 3], [0, 1, 2])
    assert d.value == pytest.approx(1) and d.low < 0 < d.high
    share = humans.ratio([[1, 2], [0, 0], [2, 2]])
    assert share.value == 0.75 and 0 <= share.low < share.high <= 1


def test_framings_are_balanced():
    nine = models.framings(9)
    assert set(Counter((f.story, f.unit) for f in nine).values()) == {1}
    assert set(Counter((f.story, f.letters) for f in nine).values()) == {1} and len(set(models.framings(27))) == 27


def test_the_planted_law_is_found_with_its_biases():
    findings = Findings()
    models.probe(findings, models.SURROGATE, 3)
    assert findings.get("model_reciprocity", "surrogate").value == pytest.approx(2 * models.LIKES)
    assert findings.get("model_alternates", "surrogate").value == pytest.approx(0)
    assert findings.get("model_scot", "surrogate").value == pytest.approx(2 * models.LIKES)
    arm = "surrogate, PD, after one defection"
    p = {(n, k): 1 / (1 + np.exp(-(models.LIKES + models.NAMED * n + models.LETTER * k))) for n in (1, -1) for k in (1, -1)}
    first = np.mean([v if n == 1 else 1 - v for (n, _), v in p.items()])
    letter = np.mean([v if k == 1 else 1 - v for (_, k), v in p.items()])
    assert findings.get("model_order_bias", arm).value == pytest.approx(first)
    assert findings.get("model_label_bias", arm).value == pytest.approx(letter)


def test_copies_of_a_match_count_once():
    matches = [Match("PD", ("a", "b"), [(0, 1), (1, 1), (1, 0), (1, 0)], [], [])] * 3
    matches.append(Match("PD", ("a", "b"), [(0, 0), (0, 1), (1, 1), (1, 0)], [], []))
    world = records.PAYOFFS["PD"]
    seen = [records.replay(m._replace(points=[(0, 0)] * 4, totals=[(0, 0)] * 4), world).data[:1] for m in matches]
    found = kinds.named(seen, draws=2, seed=1, resamples=20)
    assert found["matches"] == 2 and found["name"] == "grim trigger"


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} is not set: the released records are not here")
def test_smoke(tmp_path):
    study = load("repeated-games")
    findings = study.run(study.presets["smoke"], Lab(tmp_path, 0, "coded", progress=False))
    verdicts = judge(study.claims, findings)
    sure = ("points-replay", "unforgiving", "coded-players-named", "grim", "biases-beside-results", "planted-law-found")
    assert {name: verdicts[name].outcome for name in sure} == dict.fromkeys(sure, "holds"), verdicts
    assert verdicts["model-reciprocates"].outcome == "not tested"
    assert verdicts["scores-by-model"].outcome == "not tested"
    assert set(findings.figures) == {"families", "tables", "strategies", "clones", "biases-surrogate"}
