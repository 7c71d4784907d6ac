"""Arms under paired random numbers, sweeps, and what is left of them when they are killed."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from outbreak import Outbreak, built, cases, outbreak
from scipy import stats

from ethogram.errors import ConfigError, RunError
from ethogram.experiments import CellsFailed, compare, grid, sweep
from ethogram.experiments.arms import Band, pairing
from ethogram.seeds import derive
from ethogram.simulation import Intervention, simulate

VICTIM = Path(__file__).with_name("sweep_victim.py")


def test_a_planted_effect_is_found_and_pairing_pays(tmp_path):
    arms = {
        "control": {},
        "distance": {"interventions": [Intervention(5, "distance", {"beta": 0.25})]},
        "placebo": {"gamma": 0.2},
    }
    found = compare(outbreak, arms, measure=cases, replicates=12, steps=25, seed=3, to=tmp_path)
    # by hand: the same seeds in both arms, simulated apart from the experiment
    seeds = [derive(3, "replicate", r) for r in range(12)]
    plain = [cases(simulate(outbreak(), steps=25, seed=s)) for s in seeds]
    kept = [cases(simulate(outbreak(), steps=25, seed=s, interventions=arms["distance"]["interventions"])) for s in seeds]
    gap = np.array([k["total"] - p["total"] for k, p in zip(kept, plain, strict=True)])
    effect = found.effects["distance"]["total"]
    low, high = stats.t.interval(0.95, 11, gap.mean(), stats.sem(gap))
    np.testing.assert_allclose(
        [effect.difference.value, effect.difference.low, effect.difference.high], [gap.mean(), low, high]
    )
    assert effect.difference.below and effect.variance_ratio < 0.9
    series = found.effects["distance"]["daily"].series
    assert series is not None and (series.value[:5] == 0).all() and (series.high[:5] == 0).all()  # the same until then
    np.testing.assert_allclose(
        series.value, np.mean([np.subtract(k["daily"], p["daily"]) for k, p in zip(kept, plain, strict=True)], 0)
    )
    placebo = found.effects["placebo"]["total"]
    assert placebo.difference == placebo.difference._replace(value=0, low=0, high=0) and placebo.variance_ratio == 0
    assert found.table.shape == (36, 5) and found.table["seed"].to_list()[:12] == seeds
    assert "distance: total -" in str(found) and found.means["control"]["total"].value == np.mean(
        [p["total"] for p in plain]
    )


def test_pairing_and_bands_against_closed_forms():
    x, y = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])
    assert pairing(x, y) == (pytest.approx(1.0), pytest.approx(1 / 5))  # var 1, 4, of the difference 1
    assert np.isnan(pairing(x, np.ones(3))[0]) and np.isnan(pairing(np.ones(3), np.ones(3))[1])
    band = Band.of(np.array([[0.0, 1.0], [2.0, 1.0]]))
    half = stats.t.ppf(0.975, 1)  # standard error 1 at the first point, 0 at the second
    np.testing.assert_allclose([band.low, band.high], [[1 - half, 1], [1 + half, 1]])


def test_what_is_kept_is_not_computed_again(tmp_path):
    log = tmp_path / "log"
    arms = {"control": {"log": str(log)}, "hot": {"beta": 0.9, "log": str(log)}}
    first = compare(outbreak, arms, measure=cases, replicates=2, steps=6, to=tmp_path / "x")
    again = compare(outbreak, arms, measure=cases, replicates=3, steps=6, to=tmp_path / "x")
    assert built(log) == 6 and again.table.filter(again.table["replicate"] < 2).equals(first.table)
    other = compare(outbreak, arms, measure=peak, replicates=3, steps=6, to=tmp_path / "x")  # from the runs that are kept
    assert other.table["peak"].to_list() == [max(daily) for daily in again.table["daily"]]
    with pytest.raises(CellsFailed, match="begun with recipe"):  # another arm under the same name, in the same folder
        compare(outbreak, {"control": {"n": 50}, "hot": {}}, measure=cases, replicates=2, steps=6, to=tmp_path / "x")


def peak(run):
    return {"peak": max(cases(run)["daily"])}


def test_a_sweep_is_the_same_on_any_number_of_processes(tmp_path):
    points = grid(beta=np.array([0.3, 0.6]), n=np.array([100, 500]))
    assert points[1] == {"beta": 0.3, "n": 500}
    alone = sweep(outbreak, points, measure=cases, replicates=2, steps=15, seed=1)
    both = sweep(outbreak, points, measure=cases, replicates=2, steps=15, seed=1, workers=2)
    assert alone.equals(both) and alone.columns == ["beta", "n", "replicate", "seed", "daily", "total"]
    assert alone["seed"].n_unique() == 2 and not alone.equals(
        sweep(outbreak, points, measure=cases, replicates=2, steps=15, seed=2)
    )


def test_failed_cells_are_named_and_the_others_kept(tmp_path):
    log = tmp_path / "log"
    points = [{"log": str(log), "fault": fault, "beta": b} for b, fault in enumerate(["", "raise", "", "die", ""])]
    with pytest.raises(CellsFailed, match=r"[23] of 5") as caught:
        sweep(outbreak, points, measure=cases, steps=4, workers=2, to=tmp_path / "x")
    failures = caught.value.failures
    assert any('fault="raise"' in name and "ValueError: no such people" in why for name, why in failures.items())
    assert any('fault="die"' in name and "died" in why for name, why in failures.items())
    before = built(log)
    for point in points:
        point["fault"] = ""
    assert sweep(outbreak, points, measure=cases, steps=4, to=tmp_path / "x").height == 5
    assert built(log) - before in (2, 3)  # beside the dead one, one more may have been under way


def test_wrong_arguments_are_named():
    with pytest.raises(ConfigError, match="cannot be called so: got an unexpected keyword argument 'beat'"):
        sweep(outbreak, [{"beat": 1}], measure=cases)
    with pytest.raises(ConfigError, match="must be a function marked @scene"):
        sweep(Outbreak, [{}], measure=cases)
    with pytest.raises(ConfigError, match="control 'none' is not among the arms"):
        compare(outbreak, {"a": {}}, measure=cases, control="none")
    with pytest.raises(ConfigError, match="top of a module"):
        sweep(outbreak, [{}, {"beta": 1}], measure=lambda run: {}, workers=2, steps=2)
    with pytest.raises(RunError, match=r"finite numbers .* 'x' is nan"):
        sweep(outbreak, [{}], measure=lambda run: {"x": float("nan")}, steps=2)


def test_killed_at_any_moment_only_cells_in_flight_are_lost(tmp_path):
    """A real SIGKILL; the workers go with their parent, and what was finished is not computed again."""
    log, folder = tmp_path / "log", tmp_path / "x"

    def start():
        return subprocess.Popen([sys.executable, str(VICTIM), str(folder), str(log)])

    with start() as victim:
        while len(list(folder.glob("cells/*.json"))) < 3:
            assert victim.poll() is None
            time.sleep(0.01)
        victim.kill()
    kept = {path.name: path.read_bytes() for path in folder.glob("cells/*.json")}
    time.sleep(0.4)  # longer than a cell takes: a worker that lived on would build another
    begun = built(log)
    time.sleep(0.4)
    assert built(log) == begun <= len(kept) + 2
    with start() as victim:
        assert victim.wait(60) == 0
    assert built(log) == begun + 12 - len(kept)
    assert all((folder / "cells" / name).read_bytes() == data for name, data in kept.items())
    whole = compare(outbreak, {"a": {"beta": 0.4}, "b": {"beta": 0.6}}, measure=cases, replicates=6, steps=20)
    import sweep_victim

    assert sweep_victim.experiment(folder, log).table.drop("seed").equals(whole.table.drop("seed"))
