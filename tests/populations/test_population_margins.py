"""Proportional fitting and raking against hand-worked values, closed forms and properties; drawing; bad targets."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ethogram.errors import ConfigError, DataError
from ethogram.populations import Fit, Persona, from_margins, from_microdata, integerise, post_stratify, rake

AGE = {"young": 0.3, "old": 0.7}
SEX = {"f": 0.52, "m": 0.48}


def cells(weights: pl.DataFrame, *by: str) -> dict:
    """The fitted weight of each combination."""
    return {tuple(row[:-1]): row[-1] for row in weights.group_by(by).agg(pl.col("weight").sum()).iter_rows()}


def test_two_by_two_worked_by_hand() -> None:
    """Fitting keeps the odds ratio of the seed, 1*4 / (2*3): the cell x solves x^2 + 225 x - 2800 = 0."""
    seed = pl.DataFrame({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "n": [1, 2, 3, 4]})
    fitted = from_margins(
        {"a": {0: 40, 1: 60}, "b": {0: 35, 1: 65}}, 100, seed_table=seed, weights="n", tolerance=1e-12, rng=1
    )
    x = (-225 + np.sqrt(225**2 + 4 * 2800)) / 2
    assert x == pytest.approx(11.8232, abs=1e-4)
    expected = {(0, 0): x, (0, 1): 40 - x, (1, 0): 35 - x, (1, 1): 25 + x}
    assert cells(fitted.weights, "a", "b") == pytest.approx(expected, abs=1e-8)
    assert fitted.population.table.columns == ["name", "a", "b"]


def test_one_round_worked_by_hand() -> None:
    """Rows to (10, 20): 1/3 and 2/3 of 10, halves of 20, so columns of 13.33 and 16.67, scaled to 12 and 18."""
    seed = pl.DataFrame({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "n": [1, 2, 1, 1]})
    raked = rake(seed, {"a": {0: 10, 1: 20}, "b": {0: 12, 1: 18}}, weights="n", tolerance=0.5, max_iterations=1)
    assert raked.weights == pytest.approx([10 / 3 * 0.9, 20 / 3 * 1.08, 10 * 0.9, 10 * 1.08])
    assert raked.fit.iterations == 1
    assert raked.fit.cells["achieved"].to_list() == pytest.approx([10.2, 19.8, 12, 18])


def test_an_independent_seed_gives_the_product_of_the_margins() -> None:
    fitted = from_margins({"age": AGE, "sex": SEX, "party": {"a": 0.5, "b": 0.4, "c": 0.1}}, 1000, rng=1)
    got = cells(fitted.weights, "age", "sex", "party")
    assert len(got) == 12
    for (age, sex, party), weight in got.items():
        assert weight == pytest.approx(1000 * AGE[age] * SEX[sex] * {"a": 0.5, "b": 0.4, "c": 0.1}[party])
    assert fitted.fit.iterations == 1


def test_three_ways_with_shared_attribute_worked_by_hand() -> None:
    """Margins (a, b) and (a, c) with a flat seed: n_abc = n_ab n_ac / n_a, independence given a."""
    ab = {(0, 0): 10, (0, 1): 30, (1, 0): 24, (1, 1): 36}
    ac = {(0, 0): 8, (0, 1): 32, (1, 0): 45, (1, 1): 15}
    got = cells(from_margins({("a", "b"): ab, ("a", "c"): ac}, 100, rng=1).weights, "a", "b", "c")
    for (a, b, c), weight in got.items():
        assert weight == pytest.approx(ab[a, b] * ac[a, c] / {0: 40, 1: 60}[a])
    assert got[0, 0, 0] == pytest.approx(2.0) and got[1, 1, 0] == pytest.approx(27.0)


def test_three_ways_in_a_circle_keep_the_interaction_of_the_seed() -> None:
    """Margins (a, b), (b, c), (a, c) leave only the three-way odds ratio, which is that of the seed."""
    rng = np.random.default_rng(2)
    truth = rng.random((2, 2, 2)) + 0.2
    seed = pl.DataFrame({"a": [0, 0, 0, 0, 1, 1, 1, 1], "b": [0, 0, 1, 1] * 2, "c": [0, 1] * 4, "n": range(1, 9)})
    targets = {
        ("a", "b"): {(i, j): truth.sum(2)[i, j] for i in (0, 1) for j in (0, 1)},
        ("b", "c"): {(i, j): truth.sum(0)[i, j] for i in (0, 1) for j in (0, 1)},
        ("a", "c"): {(i, j): truth.sum(1)[i, j] for i in (0, 1) for j in (0, 1)},
    }
    got = np.array(
        from_margins(targets, 50, seed_table=seed, weights="n", tolerance=1e-12, rng=1).weights["weight"]
    ).reshape(2, 2, 2)
    for axis in range(3):
        assert got.sum(axis) == pytest.approx(truth.sum(axis) * 50 / truth.sum())

    def interaction(n: np.ndarray) -> float:
        return (n[0, 0, 0] * n[0, 1, 1] * n[1, 0, 1] * n[1, 1, 0]) / (n[1, 1, 1] * n[1, 0, 0] * n[0, 1, 0] * n[0, 0, 1])

    assert interaction(got) == pytest.approx(interaction(np.arange(1.0, 9).reshape(2, 2, 2)))


@st.composite
def problems(draw: st.DrawFn) -> tuple[dict, pl.DataFrame, int]:
    """Consistent targets (the margins of a random joint table), a seed of survey rows that cover it, and a size."""
    shape = draw(st.lists(st.integers(1, 4), min_size=2, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    joint = rng.gamma(1.0, size=shape) + 0.01
    at = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, len(shape))
    rows = np.concatenate([at, at[rng.integers(0, len(at), 3 * len(at))]])
    seed = pl.DataFrame({f"x{i}": rows[:, i] for i in range(len(shape))}).with_columns(
        n=pl.Series(rng.random(len(rows)) + 0.1)
    )
    axes = [(i,) for i in range(len(shape))] + ([(0, 1)] if draw(st.booleans()) else [])
    targets = {}
    for kept in draw(st.permutations(axes)):
        margin = joint.sum(axis=tuple(i for i in range(len(shape)) if i not in kept))
        index = [tuple(int(j) for j in place) for place in np.ndindex(margin.shape)]
        targets[tuple(f"x{i}" for i in kept)] = {place if len(place) > 1 else place[0]: margin[place] for place in index}
    return targets, seed, draw(st.integers(1, 400))


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(0, 1000))
def test_margins_are_kept_and_drawn_within_the_bound(problem: tuple[dict, pl.DataFrame, int], rng: int) -> None:
    targets, seed, n = problem
    fitted = from_margins(targets, n, seed_table=seed, weights="n", rng=rng)
    weights = fitted.weights["weight"].to_numpy()
    assert weights.sum() == pytest.approx(n)
    for attributes, numbers in targets.items():
        got = cells(fitted.weights, *attributes)
        total = sum(numbers.values())
        for category, number in numbers.items():
            key = category if isinstance(category, tuple) else (category,)
            assert got[key] == pytest.approx(number / total * n, abs=1e-6 * n)
    # the fitted weights are log-linear in the margins: no more than these was changed in the seed
    codes = [fitted.weights.select(pl.struct(a).rank("dense")).to_series().to_numpy() for a in targets]
    design = np.concatenate([np.equal.outer(code, np.unique(code)) for code in codes], axis=1).astype(float)
    change = np.log(weights / seed["n"].to_numpy())
    fit, *_ = np.linalg.lstsq(design, change, rcond=None)
    assert design @ fit == pytest.approx(change, abs=1e-6)
    # whole numbers: exactly n people, and the categories of the first attribute within 1 of what was fitted
    table = fitted.population.table
    assert table.height == n
    first = next(iter(targets))[0]
    drawn, expected = dict(table[first].value_counts().iter_rows()), cells(fitted.weights, first)
    assert all(abs(drawn.get(value, 0) - weight) < 1 + 1e-6 for (value,), weight in expected.items())
    for margin in fitted.fit.margins.iter_rows(named=True):
        assert margin["total_absolute_error"] <= 2 * seed.height


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 50), min_size=1, max_size=40), st.integers(1, 200), st.integers(0, 10**6))
def test_whole_numbers_are_the_weights_rounded_up_or_down(weights: list[float], n: int, rng: int) -> None:
    if sum(weights) < 1e-6:
        weights = [1.0]
    weight = np.array(weights) * (n / sum(weights))
    counts = integerise(weight, rng)
    assert counts.sum() == n
    assert (np.abs(counts - weight) < 1 + 1e-9).all()
    runs = np.abs(np.cumsum(counts - weight))
    assert (runs < 1 + 1e-6).all()  # so the sum over any run is off by less than 2, and from the first row by less than 1


def test_the_expected_whole_number_is_the_weight() -> None:
    weight = np.array([0.2, 2.5, 0.05, 1.0, 0.9, 0.35, 3.0])
    rng = np.random.default_rng(1)
    draws = np.array([integerise(weight, rng) for _ in range(4000)])
    assert (draws[:, [3, 6]] == [1, 3]).all()
    for column, share in [(0, 0.2), (1, 0.5), (2, 0.05), (4, 0.9), (5, 0.35)]:
        low, high = stats.binom.interval(0.999999, 4000, share)
        assert low <= (draws[:, column] - np.floor(weight[column])).sum() <= high
    assert integerise([2.0, 3.0], 1).tolist() == [2, 3]
    assert integerise([], 1).tolist() == []


def test_survey_rows_are_copied_whole() -> None:
    survey = pl.DataFrame(
        {"name": ["r1", "r2", "r3", "r4"], "age": ["young", "young", "old", "old"], "sex": [*"fmfm"], "trust": [1, 2, 3, 4]}
    )
    fitted = from_margins({"age": AGE, "sex": SEX}, 500, seed_table=survey, prefix="citizen", rng=3)
    table = fitted.population.table
    assert table.columns == ["name", "copy_of", "age", "sex", "trust"]
    assert fitted.population.names[0] == "citizen-001" and fitted.population.names[-1] == "citizen-500"
    original = {row["name"]: row for row in survey.iter_rows(named=True)}
    for row in table.iter_rows(named=True):
        assert {**row, "name": row["copy_of"]} == {**original[row["copy_of"]], "copy_of": row["copy_of"]}
    assert abs((table["age"] == "young").sum() - 150) <= 1
    assert table["age"][:20].n_unique() == 2  # in random order
    assert fitted.weights["weight"].sum() == pytest.approx(500)


def test_targets_as_tables_counts_and_with_rounding() -> None:
    census = pl.DataFrame({"sex": ["f", "m"], "age": ["old", "young"], "people": [70_000, 30_000]})
    fitted = from_margins({("age", "sex"): census}, 10, rng=1)
    assert fitted.population.table.group_by("age", "sex").len().sort("age").rows() == [("old", "f", 7), ("young", "m", 3)]
    rounded = from_margins({"age": {"young": 30, "old": 69.9}, "sex": SEX}, 1000, rescale=True, rng=1)
    assert abs((rounded.population.table["age"] == "young").sum() - 1000 * 30 / 99.9) < 1


def test_a_category_with_target_zero_stays_empty() -> None:
    seed = pl.DataFrame({"age": ["young", "old", "child"], "k": [1, 2, 3]})
    fitted = from_margins({"age": {**AGE, "child": 0}}, 100, seed_table=seed, rng=1)
    assert "child" not in fitted.population.table["age"].to_list()
    assert fitted.fit.margins["max_ratio"].to_list() == [1.0]


def test_the_fit_reports_and_prints() -> None:
    table = pl.DataFrame({"age": ["young", "old", "old", "old"], "sex": ["f", "m", "f", "m"]})
    fit = rake(table, {"age": AGE, "sex": {"f": 0.5, "m": 0.5}}, tolerance=1e-9).fit
    assert fit.margins["total"].to_list() == pytest.approx([4, 4])
    assert fit.margins["standardised_error"].max() < 1e-8  # pyright: ignore
    drawn = from_margins({"age": AGE, "sex": {"f": 0.5, "m": 0.5}}, 7, rng=1).fit
    row = drawn.margins.row(0, named=True)
    got = drawn.cells.filter(margin="age")["achieved"].to_list()
    error = abs(got[0] - 2.1) + abs(got[1] - 4.9)
    assert row["total_absolute_error"] == pytest.approx(error)
    assert row["standardised_error"] == pytest.approx(error / 7)
    assert row["max_ratio"] == pytest.approx(max(got[0] / 2.1, 2.1 / got[0], got[1] / 4.9, 4.9 / got[1]))
    text = str(drawn)
    assert "age: young" in text and "standardised error" in text and text.endswith("1 iteration")
    empty = from_margins({"age": {"rare": 0.001, "common": 0.999}}, 3, rng=1).fit
    assert empty.margins["max_ratio"].to_list() == [float("inf")]


def test_measures_of_misfit_worked_by_hand() -> None:
    cells = {
        "margin": ["a", "a", "b", "b"],
        "category": [*"xyxy"],
        "target": [2.0, 8.0, 0.0, 10.0],
        "achieved": [4.0, 6.0, 0.0, 10.0],
    }
    over = Fit(pl.DataFrame(cells), 3, "by hand")
    assert over.margins.rows() == [("a", 2, 10.0, 4.0, 0.4, 2.0), ("b", 2, 10.0, 0.0, 0.0, 1.0)]
    under = Fit(pl.DataFrame({**cells, "achieved": [1.0, 9.0, 1.0, 9.0]}), 3, "by hand")
    assert under.margins.rows() == [("a", 2, 10.0, 2.0, 0.2, 2.0), ("b", 2, 10.0, 2.0, 0.2, float("inf"))]
    assert str(under).endswith("by hand; 3 iterations")


def test_a_fit_of_many_categories_prints_those_furthest_off() -> None:
    from io import StringIO

    from rich.console import Console

    many = from_margins({"town": {f"t{i}": 1 + i % 3 for i in range(100)}}, 150, rng=1).fit
    assert many.shown().height == 12 and "(88 closer ones not shown)" in str(many)
    console = Console(file=StringIO(), width=120)
    console.print(many)
    assert "88 closer" in console.file.getvalue()  # pyright: ignore


def test_raked_weights_keep_the_margins_and_say_what_they_cost() -> None:
    rng = np.random.default_rng(0)
    n = 800
    sample = pl.DataFrame({"age": rng.choice(["young", "old"], n, p=[0.6, 0.4]), "sex": rng.choice(["f", "m"], n)})
    design = rng.random(n) + 0.5
    raked = rake(sample, {"age": AGE, "sex": SEX}, weights=design)
    assert raked.weights.sum() == pytest.approx(n)  # shares: weights of mean 1
    assert raked.weights[(sample["age"] == "young").to_numpy()].sum() / n == pytest.approx(0.3, abs=1e-6)
    assert raked.weights[(sample["sex"] == "f").to_numpy()].sum() / n == pytest.approx(0.52, abs=1e-6)
    assert raked.effective_sample_size == pytest.approx(n / raked.design_effect)
    assert 1 < raked.design_effect < 3
    people = rake(sample, {"age": {"young": 3e6, "old": 7e6}}, weights=design)
    assert people.weights.sum() == pytest.approx(1e7)


def test_effective_sample_size_worked_by_hand() -> None:
    raked = rake(pl.DataFrame({"g": ["a", "b", "b"]}), {"g": {"a": 2, "b": 2}})
    assert raked.weights.tolist() == [2, 1, 1]
    assert raked.effective_sample_size == pytest.approx(16 / 6)
    assert raked.design_effect == pytest.approx(1.125)
    mean = raked.mean([10, 20, 40])
    assert mean.value == pytest.approx(20)
    assert mean.standard_error == pytest.approx(np.sqrt(4 * 100 + 0 + 400) / 4)
    assert mean.n == 3


def test_post_stratification_worked_by_hand() -> None:
    table = pl.DataFrame({"g": ["a", "a", "b", "b"], "y": [1, 3, 10, 14]})
    mean = post_stratify(table, "y", {"g": {"a": 0.25, "b": 0.75}})
    assert mean.value == pytest.approx(9.5)
    assert mean.standard_error**2 == pytest.approx(0.25**2 * 2 / 2 + 0.75**2 * 8 / 2)
    assert mean.n == 4
    assert rake(table, {"g": {"a": 0.25, "b": 0.75}}).mean(table["y"]).value == pytest.approx(9.5)
    left_out = pl.concat([table, pl.DataFrame({"g": ["c"], "y": [1000]})])
    assert post_stratify(left_out, "y", {"g": {"a": 1, "b": 3, "c": 0}}) == mean


def test_post_stratified_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(300):
        group = rng.choice(["a", "b"], 200, p=[0.7, 0.3])  # people of b answer too rarely: they are half of all
        y = np.where(group == "a", 1.0, 3.0) + rng.normal(size=200)
        mean = post_stratify(pl.DataFrame({"g": group, "y": y}), "y", {"g": {"a": 0.5, "b": 0.5}})
        covered += abs(mean.value - 2.0) < 1.96 * mean.standard_error
    low, high = stats.binom.interval(0.9999, 300, 0.95)
    assert low <= covered <= high


def test_microdata_are_drawn_by_weight_and_condition() -> None:
    survey = pl.DataFrame({"name": ["a", "b", "c"], "age": [20, 40, 60], "w": [1.0, 3.0, 96.0]})
    drawn = from_microdata(survey, 4000, weights="w", where=pl.col("age") < 50, rng=1)
    assert drawn.table.columns == ["name", "copy_of", "age"]
    count = (drawn.table["copy_of"] == "a").sum()
    low, high = stats.binom.interval(0.999999, 4000, 0.25)
    assert low <= count <= high and set(drawn.table["copy_of"]) == {"a", "b"}
    once = from_microdata(survey, 3, replace=False, persona_type=Persona, rng=1)
    assert sorted(once.table["copy_of"]) == ["a", "b", "c"]
    assert from_microdata(survey, 50, rng=1).equals(from_microdata(survey, 50, rng=1))
    assert not from_microdata(survey, 50, rng=1).equals(from_microdata(survey, 50, rng=2))


SURVEY = pl.DataFrame({"age": ["young", "old"], "sex": ["f", "m"], "w": [1.0, None], "z": [0, 0]})


@pytest.mark.parametrize(
    ("targets", "options", "said"),
    [
        ({"age": AGE, "sex": {"f": 1, "m": 2}}, {}, "sex adds up to 3, but age to 1: .*rescale=True"),
        (
            {"age": AGE, ("age", "sex"): {("young", "f"): 0.5, ("old", "m"): 0.5}},
            {},
            "disagree on age young: 0.3 against 0.5",
        ),
        ({"age": AGE, ("age", "sex"): {("young", "f"): 0.3, ("aged", "m"): 0.7}}, {}, "disagree on age old: 0.7 against 0"),
        ({("a", "b"): {(0, 0): 1, (1, 1): 1}, ("b", "c"): {(0, 0): 2}}, {}, "disagree on b 0: 1 against 2"),
        ({"age": {"young": -1, "old": 2}}, {}, "age gives young the number -1"),
        ({"age": {"young": float("nan"), "old": 2}}, {}, "young the number nan"),
        ({"age": {"young": None, "old": 2}}, {}, "young the number nan"),
        ({"age": {"young": 0, "old": 0}}, {}, "adds up to 0"),
        ({"age": {1: 1, 2: 2}, ("age", "sex"): {("1", "f"): 3}}, {}, "two types, Int64 and String"),
        ({"age": pl.DataFrame({"age": ["a", "a"], "n": [1, 2]})}, {}, "same category twice"),
        ({"age": AGE}, {"seed_table": SURVEY.head(1)}, "No row of the seed .* age old, whose target is 7"),
        ({"age": {"young": 1}}, {"seed_table": SURVEY}, r"Row 1 \(from 0\) of the table has age 'old', .* does not list"),
        ({"age": {1: 1, 2: 2}}, {"seed_table": SURVEY.with_columns(age=pl.lit(True))}, "another type"),
        (
            {"age": {"x": 1}},
            {"seed_table": pl.DataFrame({"age": [1]})},
            "gives age values of another type than the table has: String against Int64",
        ),
        ({"age": {1.5: 1}}, {"seed_table": pl.DataFrame({"age": [1]})}, "Float64 against Int64"),
        ({"shoe": {"x": 1}}, {"seed_table": SURVEY}, "no column 'shoe'"),
        ({"age": AGE}, {"seed_table": SURVEY, "weights": "v"}, "no column of numbers called 'v'"),
        ({"age": AGE}, {"seed_table": SURVEY, "weights": "w"}, r"Row 1 \(from 0\) has the weight nan"),
        ({"age": AGE}, {"seed_table": SURVEY, "weights": "z"}, "All weights are 0"),
        ({"age": AGE}, {"seed_table": SURVEY, "weights": [1, 2, 3]}, "one weight a row"),
        ({"age": AGE}, {"seed_table": SURVEY.clear()}, "no rows"),
        (
            {"age": AGE, "sex": {"f": 0.5, "m": 0.5}},
            {"seed_table": SURVEY},
            "did not converge in 1000 iterations: (age|sex) .* off",
        ),
        (
            {"age": {"young": 1, "old": 0}, "sex": {"f": 0.5, "m": 0.5}},
            {"seed_table": SURVEY},
            "No row .* sex m, whose target is 5",
        ),
    ],
)
def test_targets_that_cannot_be_met_are_refused(targets, options, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        from_margins(targets, 10, rng=1, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("targets", "n", "options", "said"),
    [
        ({}, 10, {}, "no targets"),
        ({"age": AGE}, 0, {}, "1 or more individuals"),
        ({"age": {}}, 10, {}, "no categories"),
        ({(): {}}, 10, {}, "called by an attribute"),
        ({("age", "age"): {}}, 10, {}, "tuple of different ones"),
        ({"name": {"ann": 1}}, 10, {}, "cannot be called 'name'"),
        ({("age", "sex"): {"young": 1}}, 10, {}, "'young' must be a tuple of 2 values"),
        ({"age": {"young": 1, 2: 1}}, 10, {}, "mixes types"),
        ({"age": {"young": "many"}}, 10, {}, "mixes types|number"),
        ({"age": pl.DataFrame({"age": ["a"], "n": [1], "m": [2]})}, 10, {}, "one of numbers, not: age, n, m"),
        ({"age": pl.DataFrame({"age": ["a"], "n": ["x"]})}, 10, {}, "one of numbers"),
        ({"age": AGE}, 10, {"weights": [1, 2]}, "Weights are those of a seed table"),
        ({"age": AGE}, 10, {"tolerance": 0}, "tolerance above 0"),
        ({"age": AGE}, 10, {"max_iterations": 0}, "at least 1 iteration"),
        ({f"x{i}": {str(j): 1 for j in range(10)} for i in range(8)}, 10, {}, r"1e\+08 combinations, .* seed_table"),
    ],
)
def test_wrong_requests_are_refused(targets, n: int, options, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        from_margins(targets, n, rng=1, **options)


@pytest.mark.parametrize(
    ("error", "act", "said"),
    [
        (DataError, lambda: integerise([-1.0, 2.0], 1), "0 or more"),
        (DataError, lambda: integerise([0.5, 0.7], 1), "add up to a whole number, not to 1.2"),
        (DataError, lambda: from_microdata(SURVEY, 5, where=pl.col("age") == "x", rng=1), "No row"),
        (DataError, lambda: from_microdata(SURVEY, 5, replace=False, rng=1), "5 individuals .* from 2 rows"),
        (ConfigError, lambda: from_microdata(SURVEY, 0, rng=1), "1 or more"),
        (ConfigError, lambda: from_microdata(SURVEY, 5, where=pl.col("shoe") == 1, rng=1), "cannot be selected"),
        (ConfigError, lambda: from_microdata(SURVEY, 5, where=pl.col("z").sum() == 0, rng=1), "true or false for each row"),
        (ConfigError, lambda: post_stratify(SURVEY, "z", {"age": AGE, "sex": SEX}), "one margin"),
        (DataError, lambda: post_stratify(SURVEY, "z", {"age": AGE}), "stratum age young has 1 rows"),
        (DataError, lambda: post_stratify(SURVEY, "y", {"age": AGE}), "no column 'y'"),
        (DataError, lambda: post_stratify(SURVEY, "w", {"age": AGE}), r"row 1 \(from 0\) is missing"),
        (DataError, lambda: post_stratify(SURVEY, "sex", {"age": AGE}), "must be numbers"),
        (DataError, lambda: rake(SURVEY, {"age": AGE}).mean([1]), "one value a row"),
    ],
)
def test_other_wrong_requests_are_refused(error, act, said: str) -> None:
    with pytest.raises(error, match=said):
        act()
