"""The study of networks that learn arithmetic: its equations and curves by hand, and all of it at the smallest scale."""

import json

import numpy as np
import pytest

from ethogram.decisions import Gambles, Hyperbolic, Payments, ProspectTheory
from ethogram.decisions.models import weight
from ethogram.records.reference import VARIABLE
from ethogram.seeds import generator
from ethogram.studies import Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.people import _arithmetic_gpt_corpus as corpus
from ethogram.studies.people import _arithmetic_gpt_curves as curves
from ethogram.studies.people import arithmetic_gpt as study
from ethogram.studies.people._arithmetic_gpt_readout import ridge_logit


def words(tokens):
    """Tokens as numbers and signs that one can read."""
    signs = {corpus.PLUS: "+", corpus.MINUS: "-", corpus.EQUALS: "=", corpus.UNKNOWN: "?"}
    found = []
    for t in map(int, tokens):
        if t in signs:
            found.append(signs[t])
        elif t < corpus.FIRST_CHANCE:
            found.append(t - corpus.LARGEST)
        else:
            chance = t < corpus.UNKNOWN
            found.append((t - corpus.FIRST_CHANCE) / 100 if chance else f"{corpus.DAYS[t - corpus.FIRST_DELAY]}d")
    return found


def test_equations_of_options():
    a, b = Gambles.of([[[0.05, -1.0], [0.95, 26.0]]]), Gambles.of([[[1.0, 300.0]]])
    assert words(corpus.single(a)[0]) == [0.95, 26, "+", 0.05, -1, "="]
    assert words(corpus.difference(a, b)[0]) == [0.95, 26, "+", 0.05, -1, "+", 1.0, -120, "="]
    now, later = Payments(np.array([10.0]), np.array([0.0])), Payments(np.array([38.3]), np.array([170.0]))
    assert words(corpus.difference(later, now)[0]) == ["168d", 38, "+", "0d", -10, "="]
    many = Gambles.of([[[0.25, 10.0], [0.25, 12.0], [0.3, 40.0], [0.2, 42.0]]])
    few = corpus.condensed(many)
    assert few.outcomes[0] == pytest.approx([40.8, 11]) and few.expected == pytest.approx(many.expected)


@pytest.mark.parametrize(("name", "twin"), [corpus.CORPORA[::2], corpus.CORPORA[1::2]])
def test_equations_of_corpora_are_true_and_twins_differ_in_their_answers_alone(name, twin):
    equations, twins = (corpus.draw(generator(1, "a"), one, 400) for one in (name, twin))
    for tokens in [*equations["gamble"], *equations["gambles"]]:
        said = words(tokens)
        at = said.index("=")
        terms = [(said[i], said[i + 1]) for i in range(0, at, 3)]
        if all(p != "?" for p, _ in terms):  # chances are rounded to per cents, the answer to whole amounts
            exact = sum(p * x for p, x in terms)
            assert abs(np.clip(exact, -120, 120) - said[-1]) <= 0.5 + 0.005 * sum(abs(x) for _, x in terms) + 1e-9
    signs = twins["gamble"][:, -1]
    assert set(signs) == {corpus.PLUS, corpus.MINUS} and (twins["gamble"][:, :-1] == equations["gamble"][:, :-1]).all()


def test_ecological_numbers_are_mostly_extreme_chances_and_small_amounts():
    drawn = {name: corpus._gambles(generator(2, name), name == "ecological", 4000, 2)[0] for name in corpus.CORPORA[:2]}
    told = {name: tokens[..., 0][tokens[..., 0] != corpus.UNKNOWN] for name, tokens in drawn.items()}
    extreme = {name: np.mean(np.abs(t - corpus.FIRST_CHANCE - 50) >= 45) for name, t in told.items()}
    small = {name: np.mean(np.abs(tokens[..., 1] - corpus.LARGEST) <= 12) for name, tokens in drawn.items()}
    hidden = np.mean(drawn["uniform"][..., 0] == corpus.UNKNOWN)
    assert extreme["ecological"] > 0.4 > 0.2 > extreme["uniform"] and hidden == pytest.approx(0.1, abs=0.02)
    assert small["ecological"] > 0.4 > 0.2 > small["uniform"]


def test_planted_curves_are_found_on_a_line_in_many_dimensions():
    rng = np.random.default_rng(0)
    axis = np.linalg.qr(rng.normal(size=(20, 1)))[0][:, 0]
    p, x, t = np.linspace(0, 1, 60), np.arange(-50.0, 51), np.linspace(0, 10, 60)
    worth = np.where(x >= 0, np.abs(x) ** 0.5, -1.5 * np.abs(x) ** 0.7 * 50**-0.2)
    places = [curves.scaled(np.outer(y, axis) + 3) for y in (weight(p, 0.6), worth, 1 / (1 + 0.8 * t))]
    assert curves.weighting(-places[0], p)["gamma"] == pytest.approx(0.6, abs=0.01), "whichever way round"
    found = curves.utility(places[1], x)
    assert [found[name] for name in ("alpha", "beta", "lambda")] == pytest.approx([0.5, 0.7, 1.5], rel=0.03)
    assert curves.discount(places[2], t)["k"] == pytest.approx(0.8, abs=0.02)


def test_the_readout_finds_planted_coefficients():
    x = np.random.default_rng(0).normal(size=(4000, 3))
    rate = 1 / (1 + np.exp(-(0.5 + x @ [1.0, -2.0, 0.0])))
    weak, strong = ridge_logit(x, rate, np.ones(len(x)), (10.0, 1e-8), x)[::-1]
    assert np.abs(weak - rate).max() < 1e-3
    assert strong.std() < 0.1 * rate.std()


@pytest.fixture
def people(tmp_path, monkeypatch):
    """Choices of planted choosers, in the layouts of the real files."""
    rng, folder = np.random.default_rng(0), tmp_path / "data"
    (folder / "choices13k").mkdir(parents=True)
    (folder / "hbayesdm").mkdir()
    p, x = rng.uniform(size=(160, 2)), rng.integers(-30, 60, (160, 2, 2)).astype(float)
    gambles = [[[[q, a], [1 - q, b]] for q, (a, b) in zip(p[:, i], x[:, i], strict=True)] for i in range(2)]
    rates = ProspectTheory({"sensitivity": 0.2}).predict(*(Gambles.of(side) for side in gambles))
    rows = [f"{i},True,20,{i % 40 == 0},{rate:.3f}" for i, rate in enumerate(rates)]
    (folder / "choices13k" / "selections.csv").write_text("\n".join(["Problem,Feedback,n,Amb,bRate", *rows]))
    problems = {str(i): {"A": a, "B": b} for i, (a, b) in enumerate(zip(*gambles, strict=True))}
    (folder / "choices13k" / "problems.json").write_text(json.dumps(problems))
    later = Payments(rng.uniform(11, 50, 12), rng.choice([1.0, 30.0, 170.0], 12))
    model = Hyperbolic({"k": 0.02, "sensitivity": 0.5})
    chance = model.predict(Payments(np.full(12, 10.0), np.zeros(12)), later)
    told = [
        f"{who}\t{later.delays[i]}\t{later.amounts[i]:.1f}\t0\t10\t{int(rng.random() < chance[i])}"
        for who in range(4)
        for i in range(12)
    ]
    head = "subjID\tdelay_later\tamount_later\tdelay_sooner\tamount_sooner\tchoice"
    (folder / "hbayesdm" / "dd_exampleData.txt").write_text("\n".join([head, *told]))
    monkeypatch.setenv(VARIABLE, str(folder))


def test_smoke(people, tmp_path, monkeypatch):
    config, lab = study.presets["smoke"], Lab(tmp_path / "lab", progress=False)
    findings = study.run(config, lab)
    assert findings.dump() == study.run(config, lab).dump(), "from its parts"
    assert set(findings.figures) == {"curves", "scores-gambles", "scores-payments"}
    assert findings.get("r2_gambles", "prospect theory").value > 0.5
    verdicts = judge(study.claims, findings)
    assert verdicts["calculates"].outcome == "does not hold", "with twenty steps nothing is learned"
    assert verdicts["beats-prospect-theory"].outcome == "does not hold"
    assert load("arithmetic-gpt").presets.keys() == {"smoke", "laptop", "paper"}
    monkeypatch.delenv(VARIABLE)
    without = study.run(config, lab)
    outcomes = {name: verdict.outcome for name, verdict in judge(study.claims, without).items()}
    assert outcomes["beats-prospect-theory"] == outcomes["beats-hyperbola"] == "not tested"
    assert sum("is missing" in note for note in without.notes) == 2
