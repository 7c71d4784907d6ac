"""Models of choice: worths by hand, planted parameters recovered, people's choices predicted on problems held out."""

import json

import numpy as np
import pytest

from ethogram.decisions import (
    MODELS,
    Choices,
    ExpectedUtility,
    ExpectedValue,
    FeatureLogit,
    Gambles,
    ProspectTheory,
    SmallNet,
    cross_validated,
    read_choices,
)
from ethogram.decisions.models import weight
from ethogram.errors import ConfigError, DataError
from ethogram.records.reference import reference


def problems(n, seed=0, people=200):
    """Random pairs of gambles, unchosen yet."""
    rng = np.random.default_rng(seed)

    def some():
        p = rng.dirichlet(np.ones(3), n)
        return Gambles(p, rng.integers(-20, 40, (n, 3)).astype(float))

    no = np.zeros(n, dtype=bool)
    return Choices(some(), some(), np.zeros(n), np.full(n, float(people)), np.arange(n), no, no)


def chosen(data, model, seed=0):
    """The same problems, chosen by a model."""
    rng = np.random.default_rng(seed)
    rate = rng.binomial(data.people.astype(int), model.predict(data.a, data.b)) / data.people
    return Choices(data.a, data.b, rate, data.people, data.problem, data.feedback, data.ambiguous)


def test_worths_by_hand():
    g = Gambles.of([[[0.25, 16.0], [0.75, -4.0]], [[1.0, 4.0]]])
    assert g.expected == pytest.approx([1.0, 4.0]) and g.spread == pytest.approx([np.sqrt(75), 0])
    assert ExpectedValue().worth(g) == pytest.approx([1.0, 4.0])
    root = ExpectedUtility({"gain": 0.5, "loss": 0.5})
    assert root.worth(g) == pytest.approx([0.25 * 4 - 0.75 * 2, 2.0])
    pt = ProspectTheory({"gain": 0.5, "loss": 0.5, "aversion": 2.0, "gamma": 0.6, "delta": 0.7})
    w = [weight(np.array(p), c) for p, c in ((0.25, 0.6), (0.75, 0.7))]
    assert pt.worth(g) == pytest.approx([w[0] * 4 - w[1] * 2 * 2, 2.0])
    flat = ProspectTheory({"gain": 0.5, "loss": 0.5, "aversion": 1.0, "gamma": 1.0, "delta": 1.0})
    many = problems(50).a
    assert flat.worth(many) == pytest.approx(root.worth(many))
    assert weight(np.array(0.05), 0.6) > 0.05 and weight(np.array(0.95), 0.6) < 0.95


def test_probabilities_are_logistic():
    sure, other = Gambles.of([[[1.0, 2.0]]]), Gambles.of([[[1.0, 5.0]]])
    p = ExpectedValue({"sensitivity": 0.5, "bias": 0.1}).predict(sure, other)
    assert p == pytest.approx(1 / (1 + np.exp(-(0.5 * 3 + 0.1))))


def test_planted_parameters_are_recovered():
    true = ProspectTheory({"sensitivity": 2.5, "gain": 0.7, "loss": 0.9, "aversion": 1.8, "gamma": 0.6, "delta": 0.8})
    data = problems(1500)
    true.scale = float(np.std(np.concatenate([data.a.expected, data.b.expected])))
    found = ProspectTheory().fit(chosen(data, true), restarts=2)
    for name, value in true.parameters.items():
        assert found.parameters[name] == pytest.approx(value, abs=0.15 * max(abs(value), 0.5)), name


def test_the_model_that_chose_predicts_best_on_problems_held_out():
    true = ExpectedUtility({"sensitivity": 3.0, "gain": 0.5, "loss": 0.9})
    true.scale = 8.0
    data = chosen(problems(600, seed=2), true)
    scores = {name: cross_validated(make, data, folds=3).log_loss() for name, make in list(MODELS.items())[:2]}
    assert scores["expected utility"] < scores["expected value"]
    ceiling = cross_validated(lambda: FeatureLogit(), data, folds=3)
    assert 0.3 < ceiling.r_squared() < 1 and len(ceiling.by_fold()) == 3
    assert cross_validated(lambda: SmallNet(width=8), data, folds=2).r_squared() > 0.3


def test_rows_of_one_problem_are_never_split():
    data = problems(60)
    twice = Choices(data.a, data.b, data.rate, data.people, np.arange(60) // 2, data.feedback, data.ambiguous)
    held = cross_validated(ExpectedValue, twice, folds=5)
    assert (held.fold[::2] == held.fold[1::2]).all() and set(held.fold) == set(range(5))
    with pytest.raises(ConfigError, match="30 problems cannot be split into 31 folds"):
        cross_validated(ExpectedValue, twice, folds=31)


def test_wrong_parameters_and_gambles_are_refused():
    with pytest.raises(ConfigError, match="ExpectedValue has no parameter 'gamma'; it has sensitivity, bias"):
        ExpectedValue({"gamma": 1.0})
    with pytest.raises(ConfigError, match=r"ProspectTheory: gamma=3 is out of 0.28 to 1.5"):
        ProspectTheory({"gamma": 3.0})
    with pytest.raises(DataError, match=r"gamble 1 has probabilities \[0.5, 0.6\], which must not be negative and sum to 1"):
        Gambles.of([[[1.0, 2.0]], [[0.5, 1.0], [0.6, 2.0]]])


def test_files_of_choices(tmp_path):
    with pytest.raises(DataError, match=r"there is no selections.csv"):
        read_choices(tmp_path)
    (tmp_path / "c13k_problems.json").write_text(json.dumps({"0": {"A": [[1, 3]], "B": [[0.5, 8], [0.5, 0]]}}))
    (tmp_path / "c13k_selections.csv").write_text("Problem,Feedback,n,Amb,bRate\n7,True,15,False,0.6\n")
    data = read_choices(tmp_path)
    assert data.a.expected == pytest.approx([3]) and data.b.expected == pytest.approx([4]) and data.problem.tolist() == [7]
    (tmp_path / "c13k_selections.csv").write_text("row,Problem,Feedback,n,Amb,bRate\n5,7,True,15,False,0.6\n")
    with pytest.raises(DataError, match="has no problem for row 5"):
        read_choices(tmp_path)
    (tmp_path / "c13k_selections.csv").write_text("Problem,n\n7,15\n")
    with pytest.raises(DataError, match="has no column 'Feedback'"):
        read_choices(tmp_path)


def test_people_are_between_chance_and_expected_value():
    try:
        data = read_choices(reference("choices13k"))
    except DataError as error:
        pytest.skip(str(error))
    clear = data[data.feedback & ~data.ambiguous]
    value, utility = (cross_validated(make, clear, folds=5).r_squared() for make in (ExpectedValue, ExpectedUtility))
    assert value == pytest.approx(0.44, abs=0.04) and utility == pytest.approx(0.55, abs=0.04)
    assert utility > value
