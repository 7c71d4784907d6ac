"""The labour part beside the boroughs' series: unemployment from the labour force and claims, fit and test months apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from ethogram.columns import observed
from ethogram.seeds import derive
from ethogram.simulation import simulate
from ethogram.studies.lab import Lab
from ethogram.studies.society import _agenttorch_data as data
from ethogram.studies.society._agenttorch_scenes import folder, market, residents

__all__ = ["IN", "labour", "regression"]

IN = {
    "Bronx": "Pelham Bay",
    "Brooklyn": "Bay Ridge",
    "Manhattan": "Upper West Side",
    "Queens": "Astoria",
    "Staten Island": "Port Richmond",
}
"""The neighbourhood of each borough whose cases are known."""
STRENGTHS = (0.0, 0.01, 0.02, 0.04)
"""How much cases lower willingness to work."""


def regression(
    force: np.ndarray[Any, Any], claims: np.ndarray[Any, Any], rate: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """(a, b, c) of rate = a · log(force) + b · log(claims) + c, by least squares; arrays of shape (months,)."""
    return np.linalg.lstsq(np.column_stack([np.log(force), np.log(claims), np.ones(len(force))]), rate, rcond=None)[0]


def predicted(abc: np.ndarray[Any, Any], force: np.ndarray[Any, Any], claims: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The unemployment that (a, b, c) give, per cent."""
    return abc[0] * np.log(force) + abc[1] * np.log(claims) + abc[2]


def months_of(kind: str, neighbourhood: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Months from January 2019 in which cases of weeks are known, and their sums, by the last day of the week."""
    table = data.cases(folder(kind))
    month = (12 * (table["date"].dt.year() - 2019) + table["date"].dt.month() - 1).to_numpy()
    months = np.unique(month)
    sums = np.array([table[neighbourhood].to_numpy()[month == m].sum() for m in months])
    return months, sums


def labour(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """Unemployment of a borough in its test months, by recorded and by simulated labour forces.

    The months with known cases are split: the first `share` of them fit (a, b, c), the people a row stands for and how much
    cases lower willingness; the rest tests.
    """
    kind, borough = item["kind"], item["borough"]
    neighbourhood = IN[borough] if kind == "shipped" else data.cases(folder(kind)).columns[1 + data.BOROUGHS.index(borough)]
    record = data.labour(folder(kind), borough)
    months, cases = months_of(kind, neighbourhood)
    kept = months < len(record.force)
    months, covid = months[kept], 1e5 * cases[kept] / len(residents(kind))
    force, rate, claims = record.force[months], record.unemployment[months], record.claims[months]
    fit = np.arange(len(months)) < round(item["share"] * len(months))
    test = ~fit
    found: dict[str, Any] = {"months": months.tolist(), "rate": rate.tolist(), "fit": int(fit.sum()), "arms": {}}

    def keep(arm: str, curve: np.ndarray[Any, Any], **more: Any) -> None:
        error = np.abs(curve - rate)[test]
        level = float(np.abs(rate[test]).mean())
        found["arms"][arm] = {
            "curve": curve.tolist(),
            "error": float(error.mean()),
            "rmse": float(np.sqrt(np.square(error).mean())),
            "nd": float(error.mean() / level),
            "r": float(np.corrcoef(curve[test], rate[test])[0, 1]) if np.ptp(curve[test]) > 0 else 0.0,
            **more,
        }

    keep("last fit month", np.full(len(rate), rate[fit][-1]))
    abc = regression(force[fit], claims[fit], rate[fit])
    keep("recorded labour force", predicted(abc, force, claims))
    series = {
        "claims": claims.tolist(),
        "covid": covid.tolist(),
        "benefit": (record.amount / record.claims)[months].tolist(),
    }
    made: dict[float, np.ndarray[Any, Any]] = {}
    for strength in STRENGTHS:
        scene = market(kind, {"law": "willingness", "strength": strength}, **series)
        runs = []
        for i in range(item["replicates"]):
            run = simulate(scene, steps=len(months), seed=derive(item["seed"], borough, i), progress=False)
            runs.append(observed(run)["labour_force"].to_numpy()[1 : len(months) + 1])
        simulated = np.mean(runs, axis=0)
        made[strength] = simulated * (force[fit].mean() / simulated[fit].mean())
    best = min(made, key=lambda strength: float(np.abs(made[strength] - force)[fit].mean()))
    for arm, strength in (("constant willingness", 0.0), ("willingness that cases lower", best)):
        more = {"strength": strength, "force_error": float((np.abs(made[strength] - force) / force)[test].mean())}
        keep(arm, predicted(abc, made[strength], claims), **more)
    found["force_still"] = float((np.abs(force[fit].mean() - force) / force)[test].mean())
    return found
