"""Homes, schools, workplaces and their contacts: margins kept, plausible ages, and layers that add up."""

import time
from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.errors import ConfigError, DataError
from ethogram.populations import (
    Network,
    Population,
    cliques,
    combine,
    contacts,
    count_groups,
    erdos_renyi,
    households,
    layered,
    lognormal_sizes,
    power_law_sizes,
    schools,
    workplaces,
)

HOMES = {1: 0.28, 2: 0.345, 3: 0.155, 4: 0.13, 5: 0.06, 6: 0.02, 7: 0.01}


def people(n: int, seed: int = 0, areas: int = 4) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    chance = np.where(np.arange(95) < 65, 1.0, np.exp(-(np.arange(95) - 65) / 12))
    age = rng.choice(95, n, p=chance / chance.sum())
    return pl.DataFrame(
        {
            "name": [f"p{i}" for i in range(n)],
            "age": age,
            "area": rng.choice([f"area {a}" for a in range(areas)], n),
            "working": (age >= 18) & (age < 66) & (rng.random(n) < 0.75),
        }
    )


def sizes_of(groups: np.ndarray) -> Counter[int]:
    """How many groups of each size there are."""
    return Counter(Counter(groups[groups >= 0].tolist()).values())


def test_numbers_that_add_up_are_kept_and_others_scaled() -> None:
    assert [part.tolist() for part in count_groups({3: 2, 1: 4}, 10, rng=1)] == [[1, 3], [4, 2]]
    assert [part.tolist() for part in count_groups({1: 1, 3: 2}, 70, rng=1)] == [[1, 3], [10, 20]]
    assert [part.tolist() for part in count_groups({2: 1}, 7, rng=1)] == [[1, 2], [1, 3]]  # one is left over
    assert count_groups({1: 0.5, 5000: 0.5}, 10, rng=1)[0] @ count_groups({1: 0.5, 5000: 0.5}, 10, rng=1)[1] == 10
    assert [part.tolist() for part in count_groups({1: 1}, 0, rng=1)] == [[1], [0]]


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.integers(1, 12), st.floats(0.01, 1), min_size=1, max_size=8),
    st.integers(0, 500),
    st.integers(0, 10**6),
)
def test_groups_take_up_everybody_and_keep_their_shares(sizes: dict[int, float], n: int, seed: int) -> None:
    size, count = count_groups(sizes, n, rng=seed)
    assert (count >= 0).all() and size @ count == n and (np.diff(size) > 0).all()
    groups = n / sum(s * share for s, share in sizes.items())  # that many, times the shares
    for s, c in zip(size.tolist(), count.tolist(), strict=True):
        expected = groups * sizes.get(s, 0.0)
        # rounding costs one, people left over (fewer than two of the largest) cost what fits into them
        assert abs(c - expected) <= 2 + 2 * max(sizes) / min(sizes)


def test_the_tail_of_workplace_sizes_is_kept_on_average() -> None:
    sizes = power_law_sizes(2.0, 2000)
    assert sum(sizes.values()) == pytest.approx(1)
    assert sizes[10] / sizes[100] == pytest.approx(100)
    expected = 30_000 / sum(size * share for size, share in sizes.items())
    large = np.array(
        [sum(c for s, c in zip(*count_groups(sizes, 30_000, rng=r), strict=True) if s > 200) for r in range(60)]
    )
    tail = expected * sum(share for size, share in sizes.items() if size > 200)
    assert large.mean() == pytest.approx(tail, abs=0.7) and np.ptp(large) <= 6
    lognormal = lognormal_sizes(8.0, 1.2, 5000)
    assert sum(share for size, share in lognormal.items() if size <= 8) == pytest.approx(0.5, abs=0.05)
    assert list(lognormal_sizes(8.0, 1.2, 9, least=4)) == [4, 5, 6, 7, 8, 9]


def test_households_have_the_sizes_of_the_margin_and_an_adult_each() -> None:
    counts = {1: 600, 2: 700, 3: 300, 4: 250, 5: 100}
    n = sum(size * count for size, count in counts.items())
    table = people(n, seed=1)
    age = table["age"].to_numpy()
    for areas in (None, table["area"]):
        home = households(age, counts, areas=areas, rng=2)
        assert home.dtype == np.int32 and home.min() == 0 and len(np.unique(home)) == home.max() + 1
        if areas is None:
            assert sizes_of(home) == counts
        else:  # an area may have to split one
            assert sum(abs(sizes_of(home)[s] - c) for s, c in counts.items()) <= 3 * 4
            assert table.with_columns(home=home).group_by("home").agg(pl.col("area").n_unique())["area"].max() == 1
        assert (np.bincount(home, age >= 18) >= 1).all()
        assert np.array_equal(home, households(age, counts, areas=areas, rng=2))
        assert not np.array_equal(home, households(age, counts, areas=areas, rng=3))


def test_those_who_live_together_are_of_fitting_ages() -> None:
    age = people(20_000)["age"].to_numpy()
    home = households(age, HOMES, rng=1)

    def fitting(home: np.ndarray) -> tuple[float, float, float]:
        """Shares of children with a parent's age in the house, and mean gaps of siblings and of couples, in years."""
        table = pl.DataFrame({"home": home, "age": age}).with_columns(child=pl.col("age") < 18)
        gap = table.filter("child").join(table.filter(~pl.col("child")), on="home", how="left")
        gap = gap.with_columns(years=pl.col("age_right") - pl.col("age"))
        parent = gap.group_by("home", "age").agg(pl.col("years").is_between(15, 46).any())["years"].mean()
        siblings = table.filter("child").group_by("home").agg(pl.col("age").std(), n=pl.len()).filter(pl.col("n") > 1)
        couples = table.group_by("home").agg(pl.col("age"), n=pl.len(), kids=pl.col("child").any())
        couples = couples.filter((pl.col("n") == 2) & ~pl.col("kids"))["age"].list
        return float(parent), float(siblings["age"].mean()), float((couples.max() - couples.min()).mean())  # pyright: ignore

    parent, siblings, couples = fitting(home)
    assert parent > 0.97 and siblings < 3 and couples < 6
    parent, siblings, couples = fitting(np.random.default_rng(1).permutation(home))
    assert parent < 0.8 and siblings > 4 and couples > 15
    alone = np.bincount(home)[home] == 1
    assert age[alone].min() >= 18


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.data())
def test_the_nearest_age_is_taken_as_by_looking_at_all(left: list[int], data: st.DataObject) -> None:
    from ethogram.populations.layer_kernels import nearest_ages

    wanted = data.draw(st.lists(st.integers(-3, 14), max_size=sum(left)))
    remaining = Counter({age: count for age, count in enumerate(left) if count})
    expected = []
    for want in wanted:
        want = min(max(want, 0), len(left) - 1)
        expected.append(min(remaining.elements(), key=lambda age: (abs(age - want), -age)))
        remaining[expected[-1]] -= 1
    counts = np.array(left)
    assert nearest_ages(np.array(wanted, dtype=np.int64), counts).tolist() == expected
    assert counts.tolist() == [remaining[age] for age in range(len(left))]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=15), st.integers(0, 99), st.data())
def test_areas_are_filled_to_the_last_place(sizes: list[int], seed: int, data: st.DataObject) -> None:
    from ethogram.populations.layer_kernels import fill_areas

    cuts = sorted(data.draw(st.lists(st.integers(0, sum(sizes)), max_size=4)))
    capacity = np.diff([0, *cuts, sum(sizes)])
    found, per_area = fill_areas(np.bincount(sizes), capacity, np.array([seed], dtype=np.uint64))
    assert [part.sum() for part in np.split(found, np.cumsum(per_area)[:-1])] == capacity.tolist()
    splits = len(found) - len(sizes)
    assert 0 <= splits <= len(cuts)
    if splits == 0:
        assert sorted(found.tolist()) == sorted(sizes)


def test_pupils_go_to_a_school_of_their_area_in_a_class_of_their_age() -> None:
    table = people(12_000, seed=3)
    found = schools(table["age"].to_numpy(), areas=table["area"], school_ages=(6, 17), school_size=250, class_size=20, rng=1)
    table = table.with_columns(school=found.school, school_class=found.school_class)
    pupil = table["age"].is_between(6, 17)
    assert ((table["school"] >= 0) == pupil).all() and ((table["school_class"] >= 0) == pupil).all()
    classes = table.filter(pupil).group_by("school_class").agg(pl.col("school", "age", "area").n_unique(), size=pl.len())
    assert classes.select("school", "age", "area").max().row(0) == (1, 1, 1)
    assert classes["size"].max() <= 20 and classes["size"].mean() > 10
    at = table.filter(pupil).group_by("area", "school").agg(size=pl.len())
    assert at["size"].is_between(200, 300).all()
    spread = at.group_by("area").agg(pl.col("size").max() - pl.col("size").min(), schools=pl.len())
    assert spread["size"].max() <= 1 and spread["schools"].min() > 1
    assert table["school_class"].max() == classes.height - 1
    nobody = schools([30, 40], rng=1)
    assert nobody.school.tolist() == nobody.school_class.tolist() == [-1, -1]


def test_workplaces_have_the_sizes_of_the_margin() -> None:
    counts = {1: 50, 2: 30, 10: 12, 70: 3}
    workers = sum(size * count for size, count in counts.items())
    working = np.random.default_rng(1).permutation(np.arange(600) < workers)
    place = workplaces(working, counts, rng=4)
    assert sizes_of(place) == counts
    assert ((place >= 0) == working).all()
    assert np.array_equal(place, workplaces(working, counts, rng=4))


def test_contacts_are_all_in_small_groups_and_some_in_large_ones() -> None:
    rng = np.random.default_rng(5)
    group = rng.permutation(np.repeat([-1, 0, 1, 2, 3, 4], [30, 1, 2, 11, 12, 3000]))
    network = contacts(group, 10, rng=1)
    source, target = network.edges()
    assert (group[source] == group[target]).all()
    degree = network.degree()
    for which, size in ((-1, 1), (0, 1), (1, 2), (2, 11)):
        assert (degree[group == which] == size - 1).all()
    assert degree[group == 3].mean() == pytest.approx(10, abs=1)
    assert degree[group == 4].mean() == pytest.approx(10, rel=0.03)
    assert degree[group == 4].var() == pytest.approx(10, rel=0.15)  # binomial
    everyone = contacts(group, rng=1)
    assert everyone.equals(cliques([int(g) if g >= 0 else f"alone {i}" for i, g in enumerate(group)]))
    assert contacts(np.full(5, -1), rng=1).n_edges == 0


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 9), st.booleans(), st.integers(0, 10**6))
def test_combined_layers_add_their_weights_up(n: int, directed: bool, seed: int) -> None:
    layers = {name: erdos_renyi(n, 0.4, directed=directed, rng=seed + i) for i, name in enumerate("abc")}
    weights = {"a": 3.0, "b": 0.5, "c": 1.25}
    total: Counter[tuple[int, int]] = Counter()
    for name, network in layers.items():
        for source, target in zip(*(ends.tolist() for ends in network.edges()), strict=True):
            total[source, target] += weights[name]  # pyright: ignore
    source, target = (np.array([pair[end] for pair in total], dtype=np.int64) for end in (0, 1))
    expected = Network.from_edges(source, target, n, weights=list(total.values()), directed=directed)
    assert combine(layers, weights).equals(expected)


def test_a_layered_population_has_its_columns_and_networks() -> None:
    population = Population(people(6000), networks={"friends": erdos_renyi(6000, 0.001, rng=1)})
    town = layered(population, household_sizes=HOMES, workplace_sizes=power_law_sizes(2.0, 500), area="area", rng=1)
    table = town.table
    assert town.networks.keys() == {"friends", "household", "school", "work", "contacts"}
    assert table.select("household", "school", "school_class", "workplace").dtypes == [pl.Int32] * 4
    for network, column in (("household", "household"), ("school", "school_class")):
        groups = [(value, -1) if value >= 0 else (i, 0) for i, value in enumerate(table[column])]
        assert town.networks[network].equals(cliques(groups))
    size = table.filter(pl.col("workplace") >= 0).group_by("workplace").len()
    workers = size["len"].sum()
    assert town.networks["work"].n_edges * 2 / workers == pytest.approx(
        sum(s * min(s - 1, 16) for s in size["len"]) / workers, rel=0.03
    )
    source, target = town.networks["contacts"].edges()
    together = town.networks["household"].to_scipy()[source, target]
    school, work = (town.networks[name].to_scipy()[source, target] for name in ("school", "work"))
    assert np.allclose(town.networks["contacts"].edge_weights(), 3.0 * together + 0.6 * school + 0.6 * work)
    again = layered(population, household_sizes=HOMES, workplace_sizes=power_law_sizes(2.0, 500), area="area", rng=1)
    assert again.equals(town)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: count_groups({}, 5, rng=1), ConfigError, "whole numbers of members"),
        (lambda: count_groups({0: 1}, 5, rng=1), ConfigError, "of 1 or more"),
        (lambda: count_groups({1: -1}, 5, rng=1), ConfigError, "0 or more"),
        (lambda: power_law_sizes(2.0, 0), ConfigError, "least size"),
        (lambda: lognormal_sizes(0.0, 1.0, 5), ConfigError, "above 0"),
        (lambda: households([5, 6, 40], {1: 1}, rng=1), DataError, "3 households need as many adults .* only 1 among 3"),
        (lambda: households([5.5], {1: 1}, rng=1), DataError, "whole numbers of years"),
        (lambda: households([30, 30], {1: 1}, areas=[1], rng=1), DataError, "one area for each of 2"),
        (lambda: schools([7], class_size=0, rng=1), ConfigError, "sizes of 1 or more"),
        (lambda: workplaces(np.array([1, 0]), {1: 1}, rng=1), DataError, "truth values"),
        (lambda: contacts([0.5], rng=1), DataError, "whole numbers"),
        (lambda: contacts([0], -1, rng=1), ConfigError, "0 or more"),
        (lambda: combine({}, {}), ConfigError, "needs a weight"),
        (lambda: combine({"a": cliques([1, 1])}, {"a": 0.0}), ConfigError, "needs a weight above 0"),
        (lambda: combine({"a": cliques([1]), "b": cliques([1, 1])}, {"a": 1, "b": 1}), ConfigError, "same number of nodes"),
        (
            lambda: layered(Population(people(5).drop("working")), household_sizes={5: 1}, workplace_sizes={1: 1}, rng=1),
            DataError,
            "no column 'working'",
        ),
    ],
)
def test_impossible_layers_are_refused(make, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        make()


@pytest.mark.slow
def test_a_million_people_take_seconds() -> None:
    make = {"household_sizes": HOMES, "workplace_sizes": power_law_sizes(2.0, 5000), "area": "area", "rng": 1}
    layered(Population(people(2000)), **make)  # loads what is compiled
    population = Population(people(10**6, areas=125))
    spent = time.process_time()
    town = layered(population, **make)
    spent = time.process_time() - spent
    assert spent < 10, spent
    counts, n = sizes_of(town.table["household"].to_numpy()), sum(size * share for size, share in HOMES.items())
    for size, share in HOMES.items():
        assert counts[size] == pytest.approx(share * 10**6 / n, abs=130)
    adults = town.table.group_by("household").agg((pl.col("age") >= 18).any())
    assert adults["age"].all()
