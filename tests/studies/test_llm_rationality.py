"""Language models as theories of people: correlations, the surrogate's law, pairs, and the whole on made-up data."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ethogram.decisions import Choices, Gambles, ProspectTheory
from ethogram.decisions.inverse import CARDS, CONDITIONS, InverseChooser, ranks
from ethogram.errors import DataError
from ethogram.measures import Estimate
from ethogram.policies.prompted.prompted_gambler import PromptedGambler, gamble
from ethogram.records.reference import VARIABLE
from ethogram.studies import Findings, Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.people import _llm_rationality_forward as forward
from ethogram.studies.people import _llm_rationality_inverse as inverse
from ethogram.studies.people import _llm_rationality_model as models


def problems(n, seed=0, chosen=None):
    """Clear problems, chosen by a model as often as five times by fifteen people."""
    rng = np.random.default_rng(seed)
    a = Gambles.of([[[1.0, float(rng.integers(-10, 30))]] for _ in range(n)])
    b = Gambles.of(
        [[[p := round(float(rng.uniform(0.1, 0.9)), 2), float(rng.integers(0, 60))], [1 - p, -5.0]] for _ in range(n)]
    )
    no, people = np.zeros(n, bool), np.full(n, 15.0)
    chance = (chosen or ProspectTheory(scale=10.0)).predict(a, b)
    return Choices(a, b, rng.binomial(75, chance) / 75, people, np.arange(n), ~no, no)


def test_correlations_are_spearmans_and_problems_are_drawn_whole():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, 80).astype(float), rng.normal(size=80)
    assert forward.spearman(np.column_stack([x, y]))[0, 1] == pytest.approx(stats.spearmanr(x, y)[0])
    assert forward.spearman(np.column_stack([x, np.ones(80)]))[0, 1] == 0
    z = x + rng.normal(size=80)
    widths = []
    for problem in (np.arange(240), np.arange(240) // 3):
        columns = {"x": [np.repeat(x, 3)], "z": [np.repeat(z, 3)]}
        found = forward.correlations(columns, problem, 300, 1)(lambda rho: rho("x", "z"), "Spearman")
        assert found.value == pytest.approx(stats.spearmanr(x, z)[0]) and found.n == problem.max() + 1
        widths.append(found.high - found.low)
    assert widths[1] == pytest.approx(widths[0] * np.sqrt(3), rel=0.25)


def test_equal_expected_values_count_a_half():
    a, b = Gambles.of([[[1.0, 3]]] * 3), Gambles.of([[[0.3, 10], [0.7, 0]], [[1.0, 4]], [[1.0, 2]]])
    no = np.zeros(3, bool)
    data = Choices(a, b, np.zeros(3), np.ones(3), np.arange(3), ~no, no)
    assert forward.rational(data).tolist() == [0.5, 1.0, 0.0]


def test_policies_are_placed_where_they_belong():
    """The maximiser is too rational, who chose is like people, a coin is nothing."""
    true = ProspectTheory({"sensitivity": 3.0, "gain": 0.6, "loss": 0.6}, scale=10.0)
    data, findings = problems(500, 1, true), Findings()
    own = forward.rational(data)
    predicted = {"EV maximiser": [own], "PT": [true.predict(data.a, data.b)], "random": [np.full(500, 0.5)]}
    forward.tell_policies(findings, data, predicted, 100, [3, 4])
    assert findings.get("gap", "EV maximiser").above and abs(findings.get("gap", "PT").value) < 0.03
    assert findings.get("pt_minus_ev", "as often as people").above
    coin = findings.get("rho_people", "random")
    assert coin.low < 0 < coin.high
    assert findings.get("rho_people", "PT").value > findings.get("rho_people", "PT, once each").value


def test_the_surrogate_goes_by_its_law():
    data = problems(30, 2)
    item = {"framing": "predict", "think": False}

    async def weigh(**way):
        policy = PromptedGambler(models.opened(models.SURROGATE), **way)
        policy.reset(0, ["me"])
        return [await policy.weigh("me", models.seen(data, i)) for i in range(30)]

    taste, expected = models.TASTE, data.b.expected - data.a.expected
    wanted = 1.5 * (taste.worth(data.b) - taste.worth(data.a))
    direct = np.array([one.scores for one in asyncio.run(weigh(**item))])
    odds = direct[:, :, 1] - direct[:, :, 0]
    assert odds.mean(1) == pytest.approx(wanted, abs=0.01) and odds[:, 1] - odds[:, 0] == pytest.approx(2 * models.FIRST)
    thought = np.array([one.scores for one in asyncio.run(weigh(framing="act", think=True))])
    assert (thought[:, :, 1] - thought[:, :, 0]).mean(1) == pytest.approx(expected, abs=0.02)
    shares = asyncio.run(weigh(framing="share"))
    assert [one.chance() for one in shares] == pytest.approx(1 / (1 + np.exp(-wanted)), abs=0.05)


def test_in_every_other_lesson_the_second_gamble_is_named_first():
    data = problems(4, 3)
    for place, one in enumerate(models.lessons(data, np.arange(4))):
        seen = models.seen(data, place)
        told = [gamble(seen.a), gamble(seen.b)]
        chosen = dict(zip(told, (1 - data.rate[place], data.rate[place]), strict=True))
        first, second = one.messages[-1]["content"].split("\n")[:2]
        assert [first, second] == [
            f"{name}: {text}." for name, text in zip(("First", "Second"), told[:: (-1) ** place], strict=True)
        ]
        assert one.options == ("first", "second") and one.by == "text"
        assert one.shares == tuple(chosen[text] for text in told[:: (-1) ** place])


def test_a_model_that_goes_by_the_place_foretells_a_half(monkeypatch):
    """Log-odds of 2 for what is named first cancel; those of 1 for B stay."""
    from ethogram.language import tuning

    data = problems(3, 3)
    told = [gamble(models.seen(data, row).b) for row in range(3)]

    def predict(folder, asked, **how):
        liked = np.array(
            [1.0 if told[i] in one.messages[-1]["content"].split("\n")[1] else -1.0 for i, one in enumerate(asked)]
        )
        second = 1 / (1 + np.exp(2.0 - liked))
        return np.column_stack([1 - second, second])

    monkeypatch.setattr(tuning, "predict", predict)
    assert models.foretold(None, "tiny", data, np.arange(3)) == pytest.approx(1 / (1 + np.exp(-1)))


def test_choices_in_words_are_told_apart():
    said = models.described("dc/bx/ax", "positive")
    assert said == "Bags: brown, blue / yellow, red / black, red. Chosen: black, red."
    assert len({models.described(card, "negative") for card in CARDS}) == len(CARDS)


def test_pairs_recover_the_surrogates_ranking_and_circles_are_counted(tmp_path):
    cards = [CARDS.index(card) for card in ("dcbax", "b/ax", "a/x", "d/c/b/a/x")]
    result = models.compared({"player": "coded", "condition": "positive", "cards": cards}, Lab(tmp_path))
    won = np.array(result["won"])
    assert won + won.T == pytest.approx(1) and ranks(models.strengths(won)).tolist() == [1, 2, 3, 4]
    assert np.mean(result["first"]) > 0.55, "the planted bias, where it matters"
    assert models.strengths(np.array([[0.5, 0.9, 0.2], [0.1, 0.5, 0.6], [0.8, 0.4, 0.5]])).tolist() == [0.55, 0.35, 0.6]
    assert models.cyclic(np.array([[0.5, 0.9, 0.2], [0.1, 0.5, 0.6], [0.8, 0.4, 0.5]])) == (1, 1)
    assert models.cyclic(won) == (0, 4)


def test_people_who_count_are_told_from_people_who_infer():
    rng = np.random.default_rng(0)

    def crowd(values):
        return np.array([ranks(values + rng.normal(0, 0.3 * np.std(values), len(values))) for _ in range(20)])

    law = InverseChooser(4.0, 2.0, draws=300).infer(CARDS).absolute
    for values, infers in ((law, True), (inverse.counted(), False)):
        findings = Findings()
        inverse.tell(findings, dict.fromkeys(CONDITIONS, crowd(values)), 300, 100, 0)
        gain = findings.get("inverse_gain", f"positive, {inverse.ABSOLUTE} - {inverse.RULE}")
        assert gain.above if infers else gain.below
        assert (findings.get("inverse_rho", f"positive, {inverse.ABSOLUTE}").low > 0.8) is infers


def verdict(name, measured):
    study, findings = load("llm-rationality"), Findings()
    for key, arm, value, low, high in measured:
        findings.estimate(key, Estimate(value, low, high, 9, "made up"), key, arm=arm)
    return judge(study.claims, findings)[name].outcome


def test_verdicts_follow_from_intervals():
    more, gap = ("pt_minus_ev", "as often as people", 0.1, 0.05, 0.15), ("gap", "PT")
    assert verdict("pt-like-people", [(*gap, 0.05, 0.02, 0.09), more]) == "holds"
    assert verdict("pt-like-people", [(*gap, 0.05, 0.02, 0.11), more]) == "does not hold"
    arm = "model: smollm2, predict, directly"
    raw, other = (f"model: {name}, predict, directly; likelihoods" for name in ("smollm2", "other"))
    assert verdict("raw-model-knows-nothing", [("rho_people", raw, 0.1, -0.1, 0.3)]) == "holds"
    assert verdict("raw-model-knows-nothing", [("rho_people", raw, 0.1, -0.1, 0.4)]) == "not tested"
    assert verdict("raw-model-knows-nothing", [("rho_people", raw, 0.2, 0.1, 0.3)]) == "does not hold"
    assert verdict("raw-model-knows-nothing", [("rho_people", other, 0, -0.1, 0.1)]) == "not tested"
    gap = ("gap", arm, -0.2, -0.3, -0.1)
    assert verdict("direct-not-closer", [("rho_people", arm, 0.1, -0.1, 0.3), gap]) == "not tested"
    assert verdict("direct-not-closer", [("rho_people", arm, 0.3, 0.1, 0.4), gap]) == "holds"


def release(folder, rows=150):
    """Both data sets in their released layouts, made up."""
    data = problems(rows, 5)
    lines, known = ["Problem,Feedback,n,Amb,bRate"], {}
    for i in range(rows):
        lines.append(f"{i},{i % 5 > 0},15,{i % 7 == 1},{data.rate[i]}")
        known[str(i)] = {
            side: [[p, x] for p, x in zip(g.probabilities[i].tolist(), g.outcomes[i].tolist(), strict=True) if p > 0]
            for side, g in (("A", data.a), ("B", data.b))
        }
    (folder / "choices13k").mkdir()
    (folder / "choices13k" / "c13k_selections.csv").write_text("\n".join(lines) + "\n")
    (folder / "choices13k" / "c13k_problems.json").write_text(json.dumps(known))
    rng = np.random.default_rng(0)
    for condition in ("Positive", "Negative"):
        place = folder / "preference-learning" / "Experiment 1" / "Data" / "Raw data" / f"{condition}-attributes"
        place.mkdir(parents=True)
        rows_ = [",".join(map(str, rng.permutation(len(CARDS)) + 1)) + "," for _ in range(6)]
        (place / "rawdata_fractional.csv").write_text("\n".join(rows_) + "\n")


@pytest.mark.slow
def test_smoke_on_made_up_data(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    study = load("llm-rationality")
    with pytest.raises(DataError, match=r"'choices13k'.*is missing"):
        study.run(study.configure("smoke"), Lab(tmp_path / "lab", 1, "coded", progress=False))
    release(tmp_path)
    findings = study.run(study.configure("smoke"), Lab(tmp_path / "lab", 1, "coded", progress=False))
    verdicts = judge(study.claims, findings)
    assert verdicts["orders-cancel"].outcome == verdicts["ev-too-rational"].outcome == "holds"
    assert verdicts["inference-like-people"].outcome == "does not hold", "these people ranked at random"
    assert verdicts["models-too-rational"].outcome == "not tested"
    assert set(findings.figures) == {"plane", "rankings"} and "Spearman" in findings.get("gap", "PT").method
    assert findings.get("rho_people", "tuned").n == findings.get("tuned_gain", "untrained").n > 10
    assert not any(m.arm.startswith("model") for m in findings.measured)
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
def test_a_model_at_an_endpoint_answers_all_of_it(tmp_path, monkeypatch, endpoint):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    release(tmp_path)
    study = load("llm-rationality")
    findings = study.run(study.configure("smoke", {"lessons": 0}), Lab(tmp_path / "lab", 1, endpoint, progress=False))
    asked = {m.arm for m in findings.measured if m.name == "gap" and m.arm.startswith("model")}
    assert len(asked) == 6, "three framings, directly and step by step"
    verdicts = judge(study.claims, findings)
    assert verdicts["raw-model-knows-nothing"].outcome == "not tested", "another model than the embedded one"
    assert "the correlation of its ranking with people's" in verdicts["models-infer-like-people"].reason
