"""What choices reveal: posteriors against quadrature, ties that must be ties, counts by hand, files as released."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm, spearmanr

from ethogram.decisions import Gambles, PriorityHeuristic
from ethogram.decisions.inverse import CARDS, InverseChooser, feature_counts, options, ranks, read_rankings
from ethogram.errors import ConfigError, DataError
from ethogram.records.reference import reference


def test_options_and_counts_by_hand():
    assert options("dc/bx/ax").tolist() == [[0, 0, 1, 1, 0], [0, 1, 0, 0, 1], [1, 0, 0, 0, 1]]
    counted = dict(zip(CARDS, feature_counts(CARDS).tolist(), strict=True))
    assert counted["dx/cx/bx/ax"] == [2, 3, 3, 3] and counted["dcb/a/x"] == [1, 4, 2, 0] and counted["bax"] == [3, 0, 0, 0]
    assert len(set(CARDS)) == len(CARDS) and "" not in CARDS
    for wrong in ("a/b", "ay/x", "aa/x", "a//x"):
        with pytest.raises(ConfigError):
            options(wrong)


@pytest.mark.parametrize(("mean", "sd", "temperature"), [(4.0, 2.0, 1.0), (-4.0, 2.0, 1.0), (1.0, 0.5, 0.25)])
def test_two_options_against_quadrature(mean, sd, temperature):
    """Of a/x: with z = u_x - u_a, E[u_x | x chosen] = mean + E[z s(z)], because s(z) is a half on average."""

    def integrand(z):
        return z * norm.pdf(z, 0, sd * np.sqrt(2)) / (1 + np.exp(-z / temperature))

    expected = mean + quad(integrand, -30 * sd, 30 * sd)[0]
    found = InverseChooser(mean, sd, temperature, draws=20_000).infer(["a/x", "x"])
    assert found.absolute == pytest.approx([expected, mean], abs=0.02 * sd)
    assert found.surprise == pytest.approx([2, 1], abs=0.03)
    assert found.relative[1] == pytest.approx(0.2, abs=0.01), "a choice without an alternative says nothing"


def test_choices_that_say_the_same_are_tied():
    cards = ["a/x", "b/x", "ab/ax", "bad/bax", "cbad/cbax"]
    found = InverseChooser(draws=50).infer(cards)
    assert np.ptp(np.round(found.absolute, 9)) == 0 and set(ranks(found.absolute)) == {3.0}
    nothing = InverseChooser(draws=50).infer(["x", "bx/ax", "dx/cx/bx/ax", "dcbax"])
    assert nothing.absolute == pytest.approx([4.0] * 4, abs=1e-9)


@given(st.sampled_from(CARDS), st.sampled_from("bcd"))
def test_forgoing_one_more_without_x_never_speaks_against_x(card, other):
    before, after = InverseChooser(draws=100).infer([card, f"{other}/{card}"]).absolute
    assert after >= before - 1e-9


def test_a_sharp_chooser_reveals_the_largest_of_two():
    """E[max of two standard normals] = 1 / sqrt(pi)."""
    found = InverseChooser(0.0, 1.0, temperature=0.01, draws=20_000).infer(["a/x"])
    assert found.absolute[0] == pytest.approx(1 / np.sqrt(np.pi), abs=0.02)
    with pytest.raises(ConfigError, match="give positive numbers"):
        InverseChooser(temperature=0.0)


def write(folder, condition, rows):
    path = folder / "Experiment 1" / "Data" / "Raw data" / f"{condition}-attributes" / "rawdata_fractional.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(map(str, row)) + ",\n" for row in rows))


def test_files_of_rankings(tmp_path):
    with pytest.raises(DataError, match=r"there is no Experiment 1/.*Positive-attributes/rawdata_fractional.csv"):
        read_rankings(tmp_path)
    n = len(CARDS)
    order, tied = np.arange(1.0, n + 1), np.full(n, (n + 1) / 2)
    write(tmp_path, "Positive", [order, tied])
    write(tmp_path, "Negative", [order[::-1]])
    found = read_rankings(tmp_path)
    assert found["positive"].tolist() == [order.tolist(), tied.tolist()] and found["negative"][0, 0] == n
    write(tmp_path, "Negative", [order, order + 1])
    with pytest.raises(DataError, match="row 2: its ranks do not add up"):
        read_rankings(tmp_path)
    write(tmp_path, "Negative", [order[:-1]])
    with pytest.raises(DataError, match="do not rank"):
        read_rankings(tmp_path)
    write(tmp_path, "Negative", [["one"] * n])
    with pytest.raises(DataError, match="not a table of numbers"):
        read_rankings(tmp_path)


def test_people_infer_much_as_the_model_does():
    try:
        rankings = read_rankings(reference("preference-learning"))
    except DataError as error:
        pytest.skip(str(error))
    found = InverseChooser().infer(CARDS)
    assert spearmanr(found.absolute, rankings["positive"].mean(0)).statistic > 0.8  # type: ignore[attr-defined]


def test_the_priority_heuristic_chooses_as_in_its_paper():
    """Four choices of Kahneman and Tversky (1979): certainty, common ratio, reflection, a long shot; and one undecided."""
    a = [[(0.8, 4000), (0.2, 0)], [(0.2, 4000), (0.8, 0)], [(0.8, -4000), (0.2, 0)], [(0.001, 5000), (0.999, 0)], [(1, 3)]]
    b = [[(1.0, 3000)], [(0.25, 3000), (0.75, 0)], [(1.0, -3000)], [(1.0, 5)], [(1, 3)]]
    heuristic = PriorityHeuristic()
    assert heuristic.says(Gambles.of(a), Gambles.of(b)).tolist() == [1, -1, -1, -1, 0]
    assert heuristic.says(Gambles.of(b), Gambles.of(a)).tolist() == [-1, 1, 1, 1, 0], "sides do not matter"
    assert heuristic.predict(Gambles.of(a), Gambles.of(b)).tolist() == [1, 0, 0, 0, 0.5]
