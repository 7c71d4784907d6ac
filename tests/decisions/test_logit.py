"""The multinomial logit: by hand, against statsmodels, planted coefficients recovered; the choices of Swissmetro."""

import numpy as np
import pytest

from ethogram.decisions.logit import MultinomialLogit
from ethogram.decisions.trips import MODES, read_trips, swissmetro
from ethogram.errors import ConfigError, DataError

BETA = np.array([0.8, -1.2, 0.4])


def planted(n, seed=0, beta=BETA, options=4):
    """Choices by known coefficients, of options of which about a fifth is not available."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, options, len(beta))) * [1.0, 5.0, 0.1]
    there = rng.random((n, options)) < 0.8
    there[:, :2] = True
    p = MultinomialLogit(coefficients=beta / [1.0, 5.0, 0.1]).predict(x, there)
    return x, (rng.random((n, 1)) > np.cumsum(p, 1)).sum(1), there


def test_probabilities_by_hand():
    x = np.log(np.array([[[2.0], [3.0], [5.0]]]))
    logit = MultinomialLogit(coefficients=np.ones(1))
    assert logit.predict(x)[0] == pytest.approx([0.2, 0.3, 0.5])
    assert logit.predict(x, [[True, True, False]])[0] == pytest.approx([0.4, 0.6, 0.0])
    far = logit.predict([[[1e4], [0.0]]])
    assert far[0].tolist() == [1.0, 0.0]


def test_one_constant_is_the_log_odds():
    x = np.zeros((40, 2, 1))
    x[:, 1] = 1
    fitted = MultinomialLogit(["B"]).fit(x, np.arange(40) < 30)
    assert fitted.coefficient("B") == pytest.approx(np.log(3)) and fitted.cov[0, 0] == pytest.approx(1 / 30 + 1 / 10)
    assert fitted.log_likelihood == pytest.approx(30 * np.log(0.75) + 10 * np.log(0.25))
    assert fitted.null == pytest.approx(40 * np.log(0.5)) and 0 < fitted.rho_squared < 1


def test_as_statsmodels():
    from statsmodels.discrete.conditional_models import ConditionalLogit

    x, chosen, there = planted(300)
    fitted = MultinomialLogit().fit(x, chosen, there)
    taken = np.zeros(there.shape)
    taken[np.arange(300), chosen] = 1
    group = np.repeat(np.arange(300)[:, None], 4, 1)
    oracle = ConditionalLogit(taken[there], x[there], groups=group[there]).fit(disp=False)
    assert fitted.coefficients == pytest.approx(oracle.params, abs=1e-4)
    assert fitted.errors == pytest.approx(oracle.bse, rel=1e-3)
    assert fitted.log_likelihood == pytest.approx(oracle.llf)


def test_planted_coefficients_are_recovered_with_their_errors():
    true = BETA / [1.0, 5.0, 0.1]
    z = []
    for seed in range(40):
        fitted = MultinomialLogit().fit(*planted(500, seed))
        z.append((fitted.coefficients - true) / fitted.errors)
    z = np.array(z)
    assert np.abs(z.mean(0)).max() < 0.6 and 0.9 <= (np.abs(z) < 1.96).mean() <= 0.99


def test_choices_told_twice_by_each_person_do_not_count_twice():
    x, chosen, there = planted(400)
    once = MultinomialLogit().fit(x, chosen, there, np.arange(400))
    twice = MultinomialLogit().fit(*(np.repeat(part, 2, axis=0) for part in (x, chosen, there, np.arange(400))))
    assert twice.coefficients == pytest.approx(once.coefficients, rel=1e-6)
    assert twice.errors == pytest.approx(once.errors, rel=1e-6)
    naive = MultinomialLogit().fit(*(np.repeat(part, 2, axis=0) for part in (x, chosen, there)))
    assert naive.errors == pytest.approx(MultinomialLogit().fit(x, chosen, there).errors / np.sqrt(2), rel=1e-6)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda x, c, a: (x[0], c, a), ConfigError, "of shape"),
        (lambda x, c, a: (x, c[:-1], a), ConfigError, "chosen is of shape"),
        (lambda x, c, a: (x, c, a[:, :2]), ConfigError, "available is of shape"),
        (
            lambda x, c, a: (np.where(x == x[3, 0, 0], np.nan, x), c, a),
            DataError,
            "choice 3 has attributes",
        ),
        (lambda x, c, a: (x, c * 0 + 9, a), DataError, "in choice 0 option 9"),
        (lambda x, c, a: (x, c, a & ~np.eye(4, dtype=bool)[c]), DataError, "which is not available"),
        (lambda x, c, a: (x[..., [0, 0]], c, a), DataError, "x1, x2 say the same"),
        (lambda x, c, a: (x * 0 + np.arange(50)[:, None, None], c, a), DataError, "between options|say the same"),
        (lambda x, c, a: (np.eye(4)[c][..., None], c, a), DataError, "tell every choice apart"),
    ],
)
def test_what_cannot_be_fitted_is_said(change, error, said):
    with pytest.raises(error, match=said):
        MultinomialLogit().fit(*change(*planted(50)))


HEADER = "ID,PURPOSE,GA,TRAIN_AV,CAR_AV,SM_AV,TRAIN_TT,TRAIN_CO,TRAIN_HE,SM_TT,SM_CO,SM_HE,CAR_TT,CAR_CO,CHOICE\n"
ROWS = "7,1,0,1,1,1,112,48,120,63,52,20,117,65,2\n8,3,1,1,0,1,100,2000,30,60,2100,10,0,0,1\n8,3,1,1,0,1,9,9,9,9,9,9,0,0,0\n"


def test_the_published_layout(tmp_path):
    (tmp_path / "t.csv").write_text(HEADER + ROWS)
    trips = read_trips(tmp_path / "t.csv")
    assert len(trips) == 2 and trips.chosen.tolist() == [1, 0] and trips.person.tolist() == [7, 8]
    assert trips.cost.tolist() == [[48, 52, 65], [0, 0, 0]] and trips.headway[0].tolist() == [120, 20, 0]
    assert trips.available[1].tolist() == [True, True, False] and trips.free.tolist() == [False, True]
    x, names = trips.attributes()
    assert dict(zip(names, x[0, 0], strict=True)) == {"train": 1, "car": 0, "time": 1.12, "cost": 0.48, "headway": 1.2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a table of choices"),
        ("ID,CHOICE\n1,2\n", "has no column 'TRAIN_CO'"),
        (HEADER + ROWS.replace("112", "long"), "something other than numbers"),
        (HEADER + ROWS.replace("65,2", "65,7"), "line 2: a number is missing, CHOICE is not 0 to 3"),
    ],
)
def test_other_files_are_refused(tmp_path, text, said):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        read_trips(tmp_path / "t.csv")
    with pytest.raises(DataError, match="is not a table of choices"):
        read_trips(tmp_path / "absent.csv")


def test_swissmetro_gives_the_published_logit():
    """Biogeme's example `logit01` (Bierlaire 2023): commuting and business trips, constants, time and cost."""
    try:
        trips = swissmetro()
    except DataError as absent:
        pytest.skip(str(absent))
    some = trips[np.isin(trips.purpose, (1, 3))]
    x, names = some.attributes(headway=False)
    fitted = MultinomialLogit(names).fit(x, some.chosen, some.available)
    published = {"train": -0.701, "car": -0.155, "time": -1.28, "cost": -1.08}
    assert {name: round(fitted.coefficient(name), 4) for name in names} == pytest.approx(published, abs=6e-3)
    assert fitted.log_likelihood == pytest.approx(-5331.252, abs=0.01)
    clustered = MultinomialLogit(names).fit(x, some.chosen, some.available, some.person)
    assert (clustered.errors > 1.2 * fitted.errors).all(), "nine answers of a person are not nine people"
    assert MODES[int(np.bincount(some.chosen).argmax())] == "Swissmetro"
