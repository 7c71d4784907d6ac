"""Designed experiments against closed forms, statsmodels and scipy; what is registered stays; nothing is lost."""

import functools
import itertools
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured_units import logged, nothing, planted, still_life
from outbreak import cases, outbreak
from scipy import stats

from ethogram.errors import ConfigError, DataError, RunError
from ethogram.experiments import (
    CellsFailed,
    Experiment,
    Factor,
    OnScene,
    anything,
    difference,
    interaction,
    orders,
    rotations,
    trend,
)
from ethogram.experiments.analysis import effect_of, reliability, spreads, variance_ratio, variation
from ethogram.experiments.layouts import Layout, latin_square

PERSONA, DOSE = Factor("persona", ["a", "b"]), Factor("dose", [0, 1, 2], within=True)
T = {"test": "t", "alpha": 0.05, "resamples": 999, "seed": 0}
PERMUTED = {**T, "test": "permutation"}


def drawn(layout, seed=0):
    return np.random.default_rng(seed).normal(size=layout.shape)


@given(st.integers(2, 9))
@settings(max_examples=8, deadline=None)
def test_orders_are_balanced_for_place_and_for_what_comes_before(n):
    square = latin_square(n)
    assert all(sorted(row) == list(range(n)) for row in square)
    assert all(len(set(column)) == n for column in zip(*square[:n], strict=True))
    follows = [pair for row in square for pair in itertools.pairwise(row)]
    counts = {follows.count(pair) for pair in itertools.permutations(range(n), 2)}
    assert counts == {1 if n % 2 == 0 else 2}
    assert len(orders("order", range(n)).levels) == len(square)
    assert [row[0] for row in rotations("labels", "JKL").levels] == ["J", "K", "L"]


def test_units_are_assigned_at_random_and_evenly_within_blocks():
    layout = Layout((PERSONA, DOSE, Factor("town", ["x", "y", "z"], nuisance=True)), units=4, seed=1)
    assert layout.shape == (24, 3, 1, 1)
    for block in range(3):
        assert np.bincount(layout.cell_of[layout.block_of == block]).tolist() == [4, 4]
    others = [Layout(layout.factors, 4, seed=s).cell_of.tolist() for s in range(60)]
    assert len({tuple(o) for o in others}) > 50 and abs(np.mean([o[0] for o in others]) - 0.5) < 0.25
    trials = layout.trials({"size": 7})
    one = [t for t in trials if t.unit == 5]
    assert len({t.seed for t in one}) == 1 and [t.assignment["dose"] for t in one] == [0, 1, 2]
    assert len({t.assignment["unit"] for t in trials}) == 24 and one[0].assignment["size"] == 7
    towns = {t.unit: t.assignment["town"] for t in trials}
    assert [towns[u] for u in (0, 8, 16)] == ["x", "y", "z"]


def test_between_units_it_is_welch_and_in_blocks_of_one_it_is_the_paired_test():
    layout = Layout((PERSONA,), units=9)
    y = drawn(layout) * np.where(layout.cell_of == 1, 3, 1)[:, None, None, None]
    found = effect_of(difference("persona"), layout, y, **T)
    b, a = y[layout.cell_of == 1].ravel(), y[layout.cell_of == 0].ravel()
    oracle = stats.ttest_ind(b, a, equal_var=False)
    assert found.p == pytest.approx(oracle.pvalue)
    assert found.estimate[1:3] == pytest.approx(tuple(oracle.confidence_interval()))
    paired = Layout((PERSONA, Factor("pair", list(range(7)), nuisance=True)), units=1)
    y = drawn(paired, 1) + paired.block_of[:, None, None, None]
    b, a = y[paired.cell_of == 1].ravel(), y[paired.cell_of == 0].ravel()
    oracle = stats.ttest_rel(b, a)
    found = effect_of(difference("persona"), paired, y, **T)
    assert found.p == pytest.approx(oracle.pvalue) and found.estimate.high == pytest.approx(
        oracle.confidence_interval().high
    )


def test_within_units_a_unit_counts_once():
    layout = Layout((DOSE, Factor("wording", ["p", "q"], within=True, nuisance=True)), units=8, repeats=5)
    y = drawn(layout) + np.array([0.0, 1.0, 5.0])[:, None, None]
    found = effect_of(trend("dose"), layout, y, **T)
    slopes = [np.polyfit([0, 1, 2], unit.mean(axis=(1, 2)), 1)[0] for unit in y]
    oracle = stats.ttest_1samp(slopes, 0)
    assert found.estimate.value == pytest.approx(np.mean(slopes)) and found.p == pytest.approx(oracle.pvalue)
    assert found.estimate.n == 8
    gap = effect_of(difference("dose", [0, 2]), layout, y, **T)
    assert gap.estimate.value == pytest.approx((y[:, 2] - y[:, 0]).mean())


def test_factorial_effects_are_those_of_least_squares_and_anova():
    import pandas as pd
    import statsmodels.formula.api as smf
    from statsmodels.stats.anova import anova_lm

    kind = Factor("kind", ["x", "y", "z"])
    layout = Layout((PERSONA, kind), units=5)
    y = drawn(layout) + layout.cell_of[:, None, None, None] / 3
    cells = [layout.cells[c] for c in layout.cell_of]
    frame = pd.DataFrame({"y": y.ravel(), "a": [c[0] for c in cells], "k": [str(c[1]) for c in cells]})
    table = anova_lm(smf.ols("y ~ C(a) * C(k)", frame).fit(), typ=2)
    for term, row in ((("persona",), "C(a)"), (("kind",), "C(k)"), (("persona", "kind"), "C(a):C(k)")):
        assert effect_of(anything(*term), layout, y, **T).p == pytest.approx(table.loc[row, "PR(>F)"])
    mixed = Layout((PERSONA, DOSE), units=6)
    y = drawn(mixed, 2)
    unit, dose, value = np.repeat(np.arange(12), 3), np.tile(np.arange(3), 12), y.ravel()
    both = mixed.cell_of[unit] * 3 + dose
    models = [[unit], [unit, dose], [unit, dose, both]]  # the split-plot analysis as nested least squares
    dummies = [np.hstack([(g[:, None] == np.unique(g)).astype(float) for g in model]) for model in models]
    rss = [((value - x @ np.linalg.lstsq(x, value, rcond=None)[0]) ** 2).sum() for x in dummies]
    for i, term in enumerate([("dose",), ("persona", "dose")]):
        share = (rss[i] - rss[i + 1]) / (rss[i] - rss[i + 1] + rss[2])
        assert effect_of(anything(*term), mixed, y, **T).estimate.value == pytest.approx(share)
    twice = Layout((Factor("dose", [0, 1], within=True), Factor("time", ["m", "n"], within=True)), units=10)
    y = drawn(twice, 2)
    gaps = (y[:, 3] - y[:, 2] - y[:, 1] + y[:, 0]).ravel()
    both = effect_of(interaction("dose", "time"), twice, y, **T)
    assert both.estimate.value == pytest.approx(gaps.mean()) and both.p == pytest.approx(stats.ttest_1samp(gaps, 0).pvalue)
    assert effect_of(anything("dose", "time"), twice, y, **T).p == pytest.approx(both.p)


def test_a_fraction_gives_effects_and_knows_its_aliases():
    names = "abcd"
    factors = tuple(Factor(n, [-1, 1]) for n in names)
    half = Layout(factors, units=3, fraction={"d": ("a", "b", "c")})
    assert len(half.cells) == 8 and half.aliases(frozenset("ab")) == [frozenset("cd")]
    signs = np.array(half.cells)[half.cell_of] * 2 - 1
    y = (2 * signs[:, 0] - 3 * signs[:, 1] * signs[:, 2])[:, None, None, None] + 0.01 * drawn(half)
    assert effect_of(difference("a"), half, y, **T).estimate.value == pytest.approx(4, abs=0.05)
    assert effect_of(interaction("b", "c"), half, y, **T).estimate.value == pytest.approx(-12, abs=0.1)
    assert effect_of(difference("d"), half, y, **T).estimate.value == pytest.approx(0, abs=0.05)
    with pytest.raises(ConfigError, match="cannot be told from"):
        Experiment("x", planted, factors, [interaction("a", "b"), interaction("c", "d")], 3, fraction=half.fraction)


def test_permutations_are_those_of_the_assignment():
    layout = Layout((PERSONA, Factor("pair", list(range(4)), nuisance=True)), units=1)
    y = drawn(layout, 3)
    own = {(b, c): v for b, c, v in zip(layout.block_of, layout.cell_of, y.ravel(), strict=True)}
    gaps = [own[b, 1] - own[b, 0] for b in range(4)]
    t = lambda d: abs(np.mean(d)) / np.std(d)  # noqa: E731
    all_signs = [t(np.multiply(gaps, signs)) for signs in itertools.product([1, -1], repeat=4)]
    exact = np.mean([value >= t(gaps) * (1 - 1e-9) for value in all_signs])
    found = effect_of(difference("persona"), layout, y, **{**PERMUTED, "resamples": 20_000})
    assert found.p == pytest.approx(exact, abs=0.01)
    same = np.repeat([0.0, 1.0], 5)[np.argsort(np.argsort(Layout((PERSONA,), 5).cell_of, kind="stable"))]
    certain = effect_of(difference("persona"), Layout((PERSONA,), 5), same[:, None, None, None], **T)
    assert certain.p == pytest.approx(2 / 252, abs=0.005), "where nothing varies a t test would say p = 0"


def test_shares_have_newcombes_interval():
    from ethogram.measures import proportion_difference

    layout = Layout((PERSONA,), units=20)
    y = np.zeros(layout.shape)
    y[np.flatnonzero(layout.cell_of == 1)[:9]] = 1
    found = effect_of(difference("persona"), layout, y, **PERMUTED).estimate
    assert found[:3] == pytest.approx(proportion_difference((9, 20), (0, 20))[:3])
    slope = effect_of(trend("persona"), Layout((Factor("persona", [0, 10]),), units=20), y, **PERMUTED).estimate
    assert slope.value == pytest.approx(found.value / 10) and slope.high < 0.1
    turned = effect_of(difference("persona", ["b", "a"]), layout, y, **PERMUTED).estimate
    assert turned[:3] == pytest.approx((-found.value, -found.high, -found.low))


def test_power_is_that_of_statsmodels_and_of_simulation():
    from statsmodels.stats.power import TTestIndPower, TTestPower

    e = Experiment("x", planted, [PERSONA], [difference("persona", smallest=0.6)], 30, test="t", correction="none")
    oracle = TTestIndPower().power(0.6, 30, 0.05)
    assert e.power(e.analysis[0], sd=1.0) == pytest.approx(oracle, abs=1e-6)
    assert e.units_for(e.analysis[0], sd=1.0) == int(np.ceil(TTestIndPower().solve_power(0.6, power=0.8, alpha=0.05)))
    within = Experiment("x", planted, [DOSE], [trend("dose")], 12, test="t", correction="none")
    sd = 2**0.5 * (1 - 0.5) ** 0.5 / 2**0.5  # of a unit's slope: noise sd 1 over the root of the sum of squares, 2
    assert within.power(within.analysis[0], effect=0.3, sd=2**0.5, correlation=0.5) == pytest.approx(
        TTestPower().power(0.3 / sd, 12, 0.05), abs=1e-6
    )
    both = Experiment("x", nothing, [PERSONA, DOSE], [difference("persona"), trend("dose")], 12, resamples=199)
    found = both.simulated_power(planted, runs=150)
    for contrast, effect in zip(both.analysis, (0.6, 0.3), strict=True):
        share = found[contrast.name]
        assert share.low - 0.03 < both.power(contrast, effect=effect, sd=2**0.5, correlation=0.5) < share.high + 0.06
    null = both.simulated_power(nothing, runs=150)
    assert all(share.low <= 0.05 for share in null.values()), "Holm: at most alpha"
    with pytest.raises(ConfigError, match="simulated_power"):
        both.power(anything("persona"), sd=1, effect=1)


@pytest.mark.parametrize("factors", [(PERSONA, DOSE), (PERSONA, DOSE, Factor("town", ["x", "y", "z"], nuisance=True))])
def test_intervals_cover(factors):
    layout = Layout(factors, units=4)
    b = (layout.cell_of == 1)[:, None, None, None]
    dose = np.arange(3)[:, None, None]
    covered = dict.fromkeys(("persona", "dose", "both"), 0)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        own = rng.normal(size=(layout.n, 1, 1, 1)) + 3.0 * layout.block_of[:, None, None, None]
        y = own + rng.normal(size=layout.shape) * (1 + b) + 0.6 * b + 0.3 * dose + 0.2 * b * dose
        asked = {"persona": (difference("persona"), 0.8), "dose": (trend("dose"), 0.4)}
        for name, (contrast, truth) in {**asked, "both": (interaction("persona", "dose"), 0.2)}.items():
            found = effect_of(contrast, layout, y, **T).estimate
            covered[name] += found.low < truth < found.high
    assert all(181 <= count <= 199 for count in covered.values()), covered


def test_a_pilot_says_how_much_units_vary():
    pilot = Experiment(
        "x", planted, [PERSONA, DOSE, Factor("town", ["x", "y"], nuisance=True)], [trend("dose")], 60, repeats=2
    )
    found = pilot.conduct(progress=False).variation()
    assert found["sd"] == pytest.approx(2**0.5, abs=0.1) and found["correlation"] == pytest.approx(0.5, abs=0.08)
    assert pilot.units_for(trend("dose"), effect=0.3, **found) in (6, 7), "24 units in all, in four cells and blocks"
    alone = Layout((PERSONA,), units=6)
    y = drawn(alone, 4)
    sd = np.sqrt(np.mean([y[alone.cell_of == c].var(ddof=1) for c in (0, 1)]))
    assert variation(alone, y) == (pytest.approx(sd), 0.0)


def test_repeated_measurements_are_not_replications():
    layout = Layout((PERSONA,), units=4, repeats=25)
    wrong = naive = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        y = rng.normal(size=(8, 1, 1, 1)) + 0.5 * rng.normal(size=layout.shape)
        wrong += effect_of(difference("persona"), layout, y, **T).p < 0.05
        naive += stats.ttest_ind(y[layout.cell_of == 1].ravel(), y[layout.cell_of == 0].ravel()).pvalue < 0.05
    assert wrong < 20 and naive > 80


def test_reliability_is_that_of_shrout_and_fleiss():
    table = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
    among = 4 * table.mean(1).var(ddof=1)
    inside = ((table - table.mean(1, keepdims=True)) ** 2).sum() / 18
    found = variance_ratio(among, inside, 4, 5, 18)
    assert found[:3] == pytest.approx((0.166, -0.133, 0.723), abs=1e-3), "their ICC(1, 1), tables 2 and 4"
    layout = Layout((DOSE,), units=300, repeats=2)
    own, luck = drawn(Layout((DOSE,), units=300)), drawn(layout, 1)
    known = reliability(difference("dose", [0, 2]), layout, own + luck * 0.5)
    assert known.low < 1 / (1 + 0.25) < known.high
    assert reliability(trend("dose"), Layout((DOSE,), 5), drawn(Layout((DOSE,), 5))) is None


def test_an_effect_that_hangs_on_the_wording_is_seen():
    wording = Factor("wording", ["p", "q", "r"], within=True, nuisance=True)
    layout = Layout((DOSE, wording), units=30)
    y = drawn(layout)
    (calm,) = spreads(trend("dose"), layout, y)
    bent = y + np.array([0.0, 1.0, 2.0])[:, None, None] * np.array([0.0, 0.0, 1.0])[:, None]
    (found,) = spreads(trend("dose"), layout, bent)
    assert found.p < 1e-4 < calm.p and found.values[2] - calm.values[2] == pytest.approx(1)
    town = Layout((PERSONA, Factor("town", ["x", "y"], nuisance=True)), units=20)
    moved = drawn(town) + 3.0 * ((town.cell_of == 1) & (town.block_of == 1))[:, None, None, None]
    (found,) = spreads(difference("persona"), town, moved)
    assert found.p < 1e-4 and found.values[1] - found.values[0] > 2


@pytest.mark.parametrize(
    ("factors", "analysis", "units", "says"),
    [
        ([PERSONA], [trend("persona")], 5, "not numbers"),
        ([PERSONA], [difference("dose")], 5, "no treatment of this design"),
        ([DOSE], [difference("dose")], 5, "name two of them"),
        ([DOSE], [difference("dose", [0, 3])], 5, "no level 3"),
        ([PERSONA], [difference("persona")], 1, "two units a cell"),
        ([PERSONA, DOSE], [interaction("persona")], 5, "two or more"),
        ([PERSONA, Factor("w", ["p", "q"], nuisance=True)], [difference("w")], 5, "treatments are: persona"),
        ([PERSONA], [], 5, "no analysis"),
        ([PERSONA, PERSONA], [difference("persona")], 5, "same name"),
    ],
)
def test_an_analysis_that_does_not_fit_is_refused_in_a_sentence(factors, analysis, units, says):
    with pytest.raises(ConfigError, match=says):
        Experiment("x", planted, factors, analysis, units)


def test_arguments_of_run_are_constants():
    with pytest.raises(ConfigError, match="constants="):
        Experiment("x", functools.partial(planted), [PERSONA], [difference("persona")], 5)
    with pytest.raises(ConfigError, match="factor \\(or the unit\\) and a constant"):
        Experiment("x", planted, [PERSONA], [difference("persona")], 5, constants={"unit": 3})


def test_what_is_registered_stays(tmp_path):
    def made(**changes):
        given = {"units": 3, "analysis": [difference("persona", smallest=1.0)], **changes}
        return Experiment("x", planted, [PERSONA], **given)

    report = made().conduct(tmp_path / "x", progress=False)
    kept = json.loads((tmp_path / "x" / "registration.json").read_text())
    assert kept["hash"] == report.hash == made().hash and report.hash in str(report)
    for changes, named in (
        ({"alpha": 0.1}, "alpha"),
        ({"units": 4}, "units"),
        ({"analysis": [difference("persona")]}, "analysis"),
    ):
        with pytest.raises(RunError, match=f"registered with {named}"):
            made(**changes).conduct(tmp_path / "x", progress=False)
    with pytest.raises(RunError, match="registered with run"):
        Experiment("x", nothing, [PERSONA], units=3, analysis=made().analysis).conduct(tmp_path / "x", progress=False)
    kept["experiment"]["alpha"] = 0.1
    (tmp_path / "x" / "registration.json").write_text(json.dumps(kept))
    with pytest.raises(RunError, match="was changed after"):
        made(alpha=0.1).conduct(tmp_path / "x", progress=False)
    (tmp_path / "x" / "registration.json").unlink()
    with pytest.raises(RunError, match="no registration"):
        made().conduct(tmp_path / "x", progress=False)
    assert "exploratory, not registered" in str(report.explore(anything("persona")))


def test_a_null_is_not_called_absence_unless_it_is_shown():
    wide = Experiment("x", nothing, [PERSONA], [difference("persona", smallest=0.3)], 6, seed=1).conduct(progress=False)
    narrow = Experiment("x", nothing, [DOSE], [trend("dose", smallest=0.5)], 60, seed=1).conduct(progress=False)
    (wide,), (narrow,) = wide.effects.values(), narrow.effects.values()
    assert wide.verdict == "undecided" and narrow.verdict == "no effect that matters" and wide.detectable > 1
    for units, verdict in ((2, "undecided"), (8, "no effect that matters")):
        still = Experiment("x", still_life, [DOSE], [trend("dose", smallest=0.5)], units).conduct(progress=False)
        assert [e.verdict for e in still.effects.values()] == [verdict], "two units that are alike say nothing of others"
    found = Experiment("x", planted, [DOSE], [trend("dose", smallest=0.1)], 60, repeats=2).conduct(progress=False)
    (effect,) = found.effects.values()
    assert effect.verdict == "effect" and effect.estimate.above
    assert re.search(r"effect \[80% power for .*; retest -?\d", str(effect))


def test_what_was_measured_is_kept_and_the_rest_made_up_for(tmp_path):
    log = tmp_path / "log"
    e = Experiment("x", logged, [PERSONA], [difference("persona")], 3, outcome="first", constants={"log": str(log)})
    (tmp_path / "fail").touch()
    with pytest.raises(CellsFailed, match="3 of 6 cells failed") as caught:
        e.conduct(tmp_path / "x", progress=False)
    assert "no luck today" in str(caught.value)
    (tmp_path / "fail").unlink()
    report = e.conduct(tmp_path / "x", workers=2, progress=False)
    assert len(log.read_text().splitlines()) == 6 + 3
    again = e.conduct(tmp_path / "x", progress=False)
    assert len(log.read_text().splitlines()) == 9 and str(again) == str(report)
    alone = e.conduct(progress=False)
    assert (alone.outcomes == report.outcomes).all() and set(report.table.columns) >= {"persona", "first", "second"}
    with pytest.raises(DataError, match="registered outcome 'third'"):
        Experiment("x", logged, [PERSONA], e.analysis, 2, outcome="third", constants={"log": str(log)}).conduct(
            progress=False
        )


def total(run):
    return {"cases": cases(run)["total"]}


def test_any_scene_can_be_experimented_on():
    e = Experiment(
        "outbreak",
        OnScene(outbreak, total, steps=15),
        [Factor("beta", [0.3, 0.6, 0.9], within=True)],
        [trend("beta")],
        units=6,
        outcome="cases",
    )
    report = e.conduct(progress=False)
    (slope,) = report.effects.values()
    assert slope.verdict == "effect" and slope.estimate.above
    assert [levels["beta"] for levels, _ in report.means()] == [0.3, 0.6, 0.9]
    assert report.means()[2][1].value > report.means()[0][1].value
