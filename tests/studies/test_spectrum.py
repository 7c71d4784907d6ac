"""SPeCtrum: planted people, retrieval, real people's items, judges, and the whole on made-up data."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ethogram.errors import DataError
from ethogram.language import scripted
from ethogram.measures import Estimate
from ethogram.populations.depths import answered, identity
from ethogram.questionnaires import instrument
from ethogram.questionnaires.datasets.bfi import TEXTS
from ethogram.simulation import simulate
from ethogram.studies import Findings, Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.people import _spectrum_asked as asked
from ethogram.studies.people import _spectrum_bfi as real
from ethogram.studies.people import _spectrum_findings as told
from ethogram.studies.people import _spectrum_judge as judges
from ethogram.studies.people import _spectrum_people as planted
from ethogram.studies.people import _spectrum_retrieval as retrieval
from ethogram.studies.people import _spectrum_words as words


def test_people_are_made_by_the_law():
    everybody = planted.people(12, 3)
    assert everybody == planted.people(12, 3) != planted.people(12, 4)
    for person in everybody:
        kinds = [s.kind for s in person.statements]
        assert {kind: kinds.count(kind) for kind in planted.KINDS} == planted.SHARES
        text = planted.told(person, "SPC")
        assert planted.sentences(text) == [s for part in planted.PARTS for s in person.parts[part]]
        assert planted.told(person, "SC") == "\n".join(text.splitlines()[::2])
        job = next(line for line in person.parts["S"] if line.startswith("Job: "))
        assert job.removeprefix("Job: ").rstrip(".") not in planted.told(person, "PC")


def test_no_statement_has_the_words_of_its_description():
    for pool in (words.JOBS, words.HOMES, words.HOUSEHOLDS, words.EDUCATION, words.PASTIMES, words.LOVES, words.HATES):
        assert len({fact.told for fact in pool}) == len({fact.said for fact in pool}) == len(pool)
        for fact in pool:
            shared = set(re.findall(r"[a-z]{4,}", fact.told)) & set(re.findall(r"[a-z]{4,}", fact.said.lower()))
            assert not shared - retrieval.STOP, fact
    assert set(words.TRAITS) == set(planted.SCORED.values())
    assert set(words.VALUES) == {score.name for score in instrument(planted.VALUES).scores}
    assert retrieval.shared_masked(["Likes old boats.", "Then rests."], ["An OLD boat and boats."]) == [
        "Likes old ….",
        "Then rests.",
    ]


def test_scores_and_priorities_by_hand():
    form = instrument(planted.TRAITS)
    answers = [dict.fromkeys(form.items, 3.0) | {"e1": 5.0, "e2": 5.0, "e3": 5.0}]
    assert planted.scores(planted.TRAITS, answers)["extraversion"] == pytest.approx([(5 + 1 + 5 + 7 * 3) / 10])
    assert planted.priorities({"a": 2.0, "b": 5.0, "c": 5.0}) == {"a": -2.0, "b": 1.0, "c": 1.0}
    low = planted._answers(form, dict.fromkeys(words.TRAITS, -9.0), np.random.default_rng(0))
    assert low["e1"] == 1 and low["e2"] == 5, "reverse keys turn the law round"
    high = planted._answers(instrument(planted.VALUES), dict.fromkeys(words.VALUES, 9.0), np.random.default_rng(0))
    assert set(high.values()) == {6.0}


def test_ranks_by_hand_with_ties():
    near = np.array([[0.9, 0.5, 0.5], [0.2, 0.2, 0.2], [0.1, 0.9, 0.1]])
    reciprocal, first = retrieval.ranked(near, np.array([0, 1, 2]))
    assert reciprocal == pytest.approx([1, (1 + 1 / 2 + 1 / 3) / 3, (1 / 2 + 1 / 3) / 2])
    assert first == pytest.approx([1, 1 / 3, 0])
    assert retrieval.chance(3) == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    weights = np.array([1.0, 3.0, 1.0])
    assert retrieval.sheets(near[:, :2], np.array([0, 0, 1]), weights)[0] == pytest.approx(
        [(0.9 + 0.6) / 4, (0.5 + 0.6) / 4]
    )
    rng = np.random.default_rng(0)
    luck = retrieval.ranked(rng.random((4000, 20)), rng.integers(20, size=4000))[0]
    assert luck.mean() == pytest.approx(retrieval.chance(20), abs=0.015)


def test_a_statement_finds_the_sentence_that_means_it():
    said = [["Loves dogs.", "Job: baker."], ["Loves snow.", "Job: lawyer."], ["Loves snow.", "Job: baker."]]
    near = retrieval.likeness(["I adore puppies.", "I plead before judges in court."], said)
    assert near.argmax(1).tolist() == [0, 1]
    twin = retrieval.likeness(["Flakes of ice."], [["Loves snow."], ["Loves snow.", "Loves snow."]])
    assert twin[0, 0] == twin[0, 1], "equal sentences are exactly equal"


def test_what_is_planted_is_found_and_what_is_shuffled_is_not(tmp_path):
    found = [retrieval.retrieved({"people": 40, "seed": seed}, Lab(tmp_path)) for seed in (1, 2)]
    rank = {view: np.mean([one[view]["sheet"] for one in found]) for view in retrieval.VIEWS}
    assert rank["C"] > 0.6 > 0.4 > rank["S"] > 0.15 and rank["SPC"] > rank["C"]
    assert abs(rank[retrieval.SHUFFLED] - retrieval.chance(40)) < 0.05
    assert 0.3 < rank[retrieval.MASKED] <= rank["C"] + 0.02
    assert found[0]["C"]["mixed"][-1] > found[0]["C"]["mixed"][0], "life finds people who speak of their lives"
    assert found[0]["S"]["mixed"][-1] < found[0]["S"]["mixed"][0]
    assert min(one["recovered"]["extraversion"] for one in found) > 0.85


def test_the_share_at_which_descriptions_are_level():
    steps = np.array(retrieval.MIXES)

    def level(c, s, p):
        return told.level_share({"C": {"mixed": c}, "S": {"mixed": s}, "P": {"mixed": p}})

    assert level(steps, 0 * steps + 0.25, 0 * steps) == pytest.approx(0.25)
    assert level(steps + 1, steps, steps) == 0 and level(steps, steps, 0 * steps) == 1


def test_halves_take_two_or_three_items_of_each_trait():
    items = [f"{letter}{i}" for letter in "acen" for i in range(1, 6)]
    seen = set()
    for seed in range(30):
        given, wanted = real.halves(items, np.random.default_rng(seed))
        assert sorted([*given, *wanted]) == list(range(20))
        counts = [sum(items[i][0] == letter for i in given) for letter in "acen"]
        assert set(counts) <= {2, 3}
        seen |= set(counts)
    assert seen == {2, 3}


def test_ridge_finds_a_plane_and_nothing_in_noise():
    rng = np.random.default_rng(0)
    x, train = rng.normal(size=(4000, 3)), np.arange(4000) < 3000
    y = 3.5 + x @ np.array([[0.3, 0.0], [0.2, 0.0], [0.0, 0.1]])
    assert real.predicted(x, y, train) == pytest.approx(y[~train], abs=0.02)
    noise = rng.normal(3.5, 0.5, (4000, 1))
    assert real.predicted(x, noise, train) == pytest.approx(noise[train].mean(), abs=0.1)
    given = np.arange(10.0)[:, None]
    others = real.design("P of another", given, given, rng)
    assert sorted(others[:, 0]) == sorted(given[:, 0]) and (others != given).all()
    assert real.design("SP", x[:10], given, rng).shape == (10, 4)


def made_up(count, seed=0):
    """People whose items hang together by trait, and who have nothing to do with their demographics."""
    rng = np.random.default_rng(seed)
    items = [f"{letter}{i}" for letter in "acen" for i in range(1, 6)]
    latent = np.repeat(rng.normal(size=(count, 4)), 5, axis=1)
    answers = np.clip(np.rint(3.5 + latent + rng.normal(0, 0.8, (count, 20))), 1, 6)
    return items, answers, rng.normal(size=(count, 3))


def test_items_say_more_than_demographics_where_it_is_so(tmp_path, monkeypatch):
    monkeypatch.setattr(real, "real_people", lambda limit, seed: made_up(500))
    findings = Findings()
    results = [real.accuracies({"people": 0, "seed": seed, "folds": 2}, Lab(tmp_path)) for seed in (1, 2)]
    told.tell_real(findings, results)
    assert findings.get("accuracy_gain", "P - S").above and findings.get("p_over_s").above
    assert not findings.get("accuracy_gain", "S - mean").above
    assert not findings.get("accuracy_gain", "P of another - mean").above


def test_real_people_are_read_from_the_package():
    try:
        items, answers, social = real.real_people(50, 1)
    except DataError as error:
        pytest.skip(str(error))
    assert answers.shape == (50, len(items)) and social.shape[0] == 50
    assert np.isfinite(answers).all() and np.isfinite(social).all() and set(np.unique(answers)) <= set(range(1, 7))
    assert (answers == real.real_people(50, 1)[1]).all() and (answers != real.real_people(50, 2)[1]).any()
    for person in asked.asked_of(2, 3, 1):
        known = dict(asked.PAIR.findall(person["told"]["P"]))
        assert not set(person["phrases"]) & set(known) and set(known.values()) <= set(asked.SAID)
        assert person["told"]["SP"] == f"{person['told']['S']}\n{person['told']['P']}"


def test_the_surrogate_goes_by_its_law():
    everybody = planted.people(5, 1)
    text, mine = planted.told(everybody[0], "C"), everybody[0].statements[0].text
    with_law = asyncio.run(judges.judged(judges.opened(judges.SURROGATE), text, {"own": [mine]}))["own"][0]
    law = judges.odds(judges.SYSTEM + text, mine)
    assert with_law == pytest.approx(1 / (1 + np.exp(-law)), abs=1e-6), "the bias for what stands first is averaged out"
    yes = asyncio.run(judges.judged(judges.opened(judges.YES_SAYER), text, {"own": [mine]}))["own"][0]
    assert yes > 0.99
    questions = judges.put(everybody, 20, 1)
    assert set(questions["person 1"]["own"]) == {s.text for s in everybody[0].statements}
    assert not set(questions["person 1"]["own"]) & set(questions["person 1"]["others"])
    other = judges.descriptions(everybody, retrieval.SHUFFLED, 1)
    assert all(other[p.name] != planted.told(p, "C") for p in everybody)
    assert set(other.values()) == {planted.told(p, "C") for p in everybody}


def test_statements_are_answered_in_the_world_of_surveys():
    run = simulate(judges.twenty_statements("coded", "C", people=5, judged=2, statements=2, seed=1), seed=1)
    assert run.manifest.status == "complete"
    asked = run.calls.collect()
    assert asked.height == 16, "two people, four statements, two orders of the answers"
    assert set(asked["agent"]) == {"person 1", "person 2"}


def test_the_surrogate_that_knows_the_keys_by_hand():
    told_ = [(TEXTS["e1"], 2.0), (TEXTS["e4"], 4.0), (TEXTS["n1"], 6.0)]
    assert asked.expected(told_, TEXTS["e3"]) == pytest.approx((5 + 4) / 2), "e1 is reversed"
    assert asked.expected(told_, TEXTS["e2"]) == pytest.approx(7 - 4.5) and asked.expected(told_, TEXTS["o1"]) == 3.5
    person = {
        "told": {"S": identity(social="Age: 34."), "P": answered([(TEXTS["n1"], "very accurate")])},
        "phrases": [TEXTS["n2"]],
        "answers": [6.0],
        "mean": [3.5],
    }
    person["told"]["SP"] = "\n".join(person["told"].values())
    found = asyncio.run(asked._as(scripted(rate=asked.rate), person))
    assert found["mean"] == found["S"] == pytest.approx(0.5) and found["P"] == found["SP"] > 0.95


def verdict(name, measured):
    study, findings = load("spectrum"), Findings()
    for key, arm, value, low, high in measured:
        findings.estimate(key, Estimate(value, low, high, 9, "made up"), key, arm=arm)
    return judge(study.claims, findings)[name].outcome


def test_verdicts_follow_from_intervals():
    ahead = ("mrr_gain", "C - S", 0.4, 0.3, 0.5)
    assert verdict("life-beats-social-and-personal", [ahead, ("mrr_gain", "C - P", 0.2, 0.11, 0.3)]) == "holds"
    assert verdict("life-beats-social-and-personal", [ahead, ("mrr_gain", "C - P", 0.2, 0.09, 0.3)]) == "does not hold"
    assert verdict("all-at-least-life", [("mrr_gain", "SPC - C", 0.0, -0.01, 0.01)]) == "holds"
    assert verdict("all-beats-life", [("mrr_gain", "SPC - C", 0.0, -0.01, 0.01)]) == "does not hold"
    assert verdict("shuffled-at-chance", [("above_chance", retrieval.SHUFFLED, 0.03, 0.02, 0.04)]) == "does not hold"
    arm = "model: smollm2, "
    told_all, shuffled = (
        ("tells_apart", f"{arm}SPC", 0.1, 0.05, 0.15),
        ("tells_apart", f"{arm}{retrieval.SHUFFLED}", 0, -1, 1),
    )
    assert verdict("model-knows-its-own", [told_all, shuffled]) == "holds"
    assert verdict("model-knows-its-own", [told_all, (*shuffled[:2], 0.1, 0.01, 0.2)]) == "does not hold"
    assert verdict("model-knows-its-own", [told_all]) == "not tested"


def test_smoke_without_real_people(tmp_path, monkeypatch):
    def absent(limit, seed):
        raise DataError("not installed")

    monkeypatch.setattr(real, "real_people", absent)
    study = load("spectrum")
    findings = study.run(study.configure("smoke"), Lab(tmp_path, 1, "coded", progress=False))
    verdicts = judge(study.claims, findings)
    assert verdicts["items-far-more-than-demographics"].outcome == "not tested"
    assert verdicts["acceptance-alone-says-nothing"].outcome == "holds"
    assert verdicts["model-knows-its-own"].outcome == "not tested"
    assert set(findings.figures) == {"retrieval", "judges"} and any("not installed" in note for note in findings.notes)
    again = study.run(study.configure("smoke"), Lab(tmp_path, 1, "coded", progress=False))
    assert again.dump() == findings.dump()


@pytest.fixture
def endpoint():
    """The spelling of a model at a server of OpenAI's protocol, which answers at random."""
    server = Path(__file__).parents[1] / "language" / "server.py"
    command = [sys.executable, str(server), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().split()[-1]}/v1#mock"
        process.kill()


def test_a_model_at_an_endpoint_judges(tmp_path, monkeypatch, endpoint):
    monkeypatch.setattr(real, "real_people", lambda limit, seed: made_up(60))
    someone = {"told": dict.fromkeys(asked.ARMS, "Age: 34."), "phrases": [TEXTS["o1"]], "answers": [3.0], "mean": [3.5]}
    monkeypatch.setattr(asked, "asked_of", lambda people, items, seed: [someone] * 2)
    study = load("spectrum")
    findings = study.run(study.configure("smoke"), Lab(tmp_path, 1, endpoint, progress=False))
    assert {m.arm for m in findings.measured if m.name == "tells_apart" and m.arm.startswith("model")} == {
        f"model: {endpoint}, SPC",
        f"model: {endpoint}, {retrieval.SHUFFLED}",
    }
    assert judge(study.claims, findings)["model-knows-its-own"].outcome in ("holds", "does not hold")
    assert set(findings.figures) == {"retrieval", "real-people", "judges"}
    assert "asked_gain" in {m.name for m in findings.measured if m.arm == f"model: {endpoint}, P - S"}
