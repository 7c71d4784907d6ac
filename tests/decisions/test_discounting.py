"""Delayed payments: discount factors by hand, planted parameters recovered, the right model told from the wrong one."""

from typing import Literal

import numpy as np
import pytest

from ethogram.decisions import (
    DISCOUNTING,
    DelayedChoices,
    Exponential,
    GeneralisedHyperbolic,
    Hyperbolic,
    Payments,
    QuasiHyperbolic,
    by_person,
    by_problem,
    cross_validated,
    read_delayed,
)
from ethogram.decisions.gambles import Choices, Gambles
from ethogram.errors import ConfigError, DataError
from ethogram.records.reference import reference


def offered(n, seed=0, people=1):
    """Random choices between money now or soon and more of it later, not yet chosen; each problem put to all people."""
    rng = np.random.default_rng(seed)
    sooner = Payments(np.full(n, 20.0), rng.choice([0.0, 0.0, 10.0], n))
    later = Payments(rng.uniform(21, 80, n), sooner.delays + np.exp(rng.uniform(0, 6, n)))
    problem, person = np.tile(np.arange(n), people), np.repeat(np.arange(people), n)
    return DelayedChoices(sooner[problem], later[problem], np.zeros(n * people), np.ones(n * people), problem, person)


def chosen(data, model, times=1, seed=0):
    """The same, chosen by a model, each so many times."""
    rate = np.random.default_rng(seed).binomial(times, model.predict(data.a, data.b)) / times
    return DelayedChoices(data.a, data.b, rate, np.full(len(data), float(times)), data.problem, data.person)


def test_factors_by_hand():
    t = np.array([0.0, 10.0])
    assert Exponential({"k": 0.1}).factor(t) == pytest.approx([1, np.exp(-1)])
    assert Hyperbolic({"k": 0.1}).factor(t) == pytest.approx([1, 0.5])
    assert GeneralisedHyperbolic({"k": 0.1, "power": 2.0}).factor(t) == pytest.approx([1, 0.25])
    assert QuasiHyperbolic({"k": 0.1, "present": 0.7}).factor(t) == pytest.approx([1, 0.7 * np.exp(-1)])
    model = Hyperbolic({"k": 0.1, "sensitivity": 2.0})
    model.scale = 10.0
    p = model.predict(Payments(np.array([5.0]), np.array([0.0])), Payments(np.array([12.0]), np.array([10.0])))
    assert p == pytest.approx([1 / (1 + np.exp(-2 * (0.6 - 0.5)))])


@pytest.mark.parametrize(
    "true",
    [
        Exponential({"k": 0.004, "sensitivity": 6.0}),
        Hyperbolic({"k": 0.02, "sensitivity": 6.0}),
        GeneralisedHyperbolic({"k": 0.05, "power": 0.6, "sensitivity": 8.0}),
        QuasiHyperbolic({"k": 0.003, "present": 0.7, "sensitivity": 8.0}),
    ],
    ids=lambda model: type(model).__name__,
)
def test_planted_parameters_are_recovered(true):
    data = offered(1500)
    true.scale = float(np.mean(np.concatenate([data.a.amounts, data.b.amounts])))
    found = type(true)().fit(chosen(data, true, 20), restarts=2)
    for name, value in true.parameters.items():
        assert found.parameters[name] == pytest.approx(value, rel=0.15), name


def test_the_model_that_chose_predicts_best_by_problem_and_by_person():
    true = Hyperbolic({"k": 0.02, "sensitivity": 8.0})
    true.scale = 20.0
    data = chosen(offered(150, people=12), true)
    ways: tuple[tuple[Literal["problem", "person"], np.ndarray], ...] = (("problem", data.problem), ("person", data.person))
    for by, group in ways:
        held = {name: cross_validated(DISCOUNTING[name], data, 4, by=by) for name in ("exponential", "hyperbolic")}
        assert held["hyperbolic"].log_loss() < held["exponential"].log_loss()
        folds = held["hyperbolic"].fold
        assert all(len(np.unique(folds[group == one])) == 1 for one in np.unique(group))
    with pytest.raises(ConfigError, match="12 people cannot be split into 13 folds"):
        cross_validated(Hyperbolic, data, 13, by="person")
    gambles, no = Gambles.of([[[1.0, 2.0]]] * 4), np.zeros(4, bool)
    with pytest.raises(ConfigError, match="do not say who chose"):
        cross_validated(Hyperbolic, Choices(gambles, gambles, np.zeros(4), np.ones(4), np.arange(4), no, no), 2, by="person")


def test_rows_of_a_problem_are_put_together():
    data = offered(3, people=2)
    rate = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 0.0])
    together = by_problem(DelayedChoices(data.a, data.b, rate, data.people, data.problem, data.person))
    assert together.rate.tolist() == [1.0, 0.5, 0.0] and together.people.tolist() == [2, 2, 2]
    assert together.b.amounts == pytest.approx(data.b.amounts[:3]) and (together.person == -1).all()


HEAD = "subjID\ttrial\tdelay_later\tamount_later\tdelay_sooner\tamount_sooner\tchoice\n"


def test_files_of_delayed_choices(tmp_path):
    with pytest.raises(DataError, match=r"dd_exampleData.txt is not a table of delayed choices"):
        read_delayed(tmp_path)
    path = tmp_path / "dd_exampleData.txt"
    path.write_text(HEAD + "3\t1\t6\t10.5\t0\t10\t1\n3\t2\t170\t38.3\t0\t10\t0\n9\t1\t6\t10.5\t0\t10\t0\n")
    data = read_delayed(tmp_path)
    assert data.person.tolist() == [3, 3, 9] and data.rate.tolist() == [1, 0, 0]
    assert data.problem[0] == data.problem[2] != data.problem[1]
    assert data.b.amounts.tolist() == [10.5, 38.3, 10.5] and data.b.delays.tolist() == [6, 170, 6]
    assert data.a.amounts.tolist() == [10] * 3 and data.a.delays.tolist() == [0] * 3
    for line, said in (("3\t1\t6\t10.5\t0\t10\t2\n", "line 2: "), ("3\t1\t6\tmuch\t0\t10\t1\n", "other than numbers")):
        path.write_text(HEAD + line)
        with pytest.raises(DataError, match=said):
            read_delayed(path)
    path.write_text("subjID\tchoice\n1\t1\n")
    with pytest.raises(DataError, match="has no column 'delay_later'"):
        read_delayed(path)


def test_people_discount_more_steeply_at_first():
    try:
        data = read_delayed(reference("hbayesdm"))
    except DataError as error:
        pytest.skip(str(error))
    fits = {name: DISCOUNTING[name]().fit(data) for name in ("exponential", "hyperbolic")}
    loss = {name: cross_validated(DISCOUNTING[name], data, 5).log_loss() for name in fits}
    assert loss["hyperbolic"] < loss["exponential"] < np.log(2)
    each = [model.parameters["k"] for model in by_person(Hyperbolic, data).values()]
    assert len(each) == len(np.unique(data.person)) and 1e-4 < np.median(each) < 1
