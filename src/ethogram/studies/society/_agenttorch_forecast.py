"""Forecasts of weekly cases in five neighbourhoods, with people who fear cases and with people who do not change.

At an origin (the end of a week) two things are known: cases so far, and a behaviour. R is found such that the simulated last
week of a window has the cases it had; then the next four weeks are simulated with this R, from the state that past cases
make. Both behaviours go through the same steps with the same seeds, so that what differs is behaviour alone. The strength of
fear is chosen on origins whose four weeks all lie before the test weeks.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ethogram.columns import observed
from ethogram.scene import Scene
from ethogram.seeds import derive
from ethogram.simulation import simulate
from ethogram.studies.lab import Lab
from ethogram.studies.society import _agenttorch_data as data
from ethogram.studies.society._agenttorch_scenes import folder, outbreak, residents

__all__ = ["BASE", "HORIZON", "REPORTED", "forecasts", "infections", "past_infections", "weekly"]

HORIZON = 4
"""Weeks ahead."""
WINDOW = 3
"""Weeks that are simulated again to find R; the last of them is matched."""
MEMORY = 26
"""Weeks for which one who was infected is immune at the beginning of a simulation."""
REPORTED = 0.5
"""Share of infections that become cases: an assumption, the same for all behaviours."""
BASE = 0.3
"""Share that isolates at the reference, in both behaviours."""
R_RANGE = (0.3, 20.0)


def past_infections(cases: np.ndarray[Any, Any]) -> list[float]:
    """Infections 0, 1, 2, … days ago from weekly cases (weeks,), the newest last, in whole numbers."""
    newest = cases[::-1][:MEMORY] / REPORTED / 7
    running = np.round(np.cumsum(np.repeat(newest, 7)))
    return np.diff(running, prepend=0.0).tolist()


def infections(scene: Scene, days: int, seed: int) -> np.ndarray[Any, Any]:
    """Infections of each day of a run, shape (days,)."""
    run = simulate(scene, steps=days, seed=seed, progress=False)
    return observed(run)["infections"].to_numpy()[1 : days + 1]


def weekly(scene: Scene, weeks: int, seed: int) -> np.ndarray[Any, Any]:
    """Cases of each week of a run, shape (weeks,), before rounding."""
    return REPORTED * infections(scene, 7 * weeks, seed).reshape(weeks, 7).sum(1)


def matched(kind: str, law: dict[str, Any], cases: np.ndarray[Any, Any], seed: int, halvings: int) -> float:
    """The R with which the last week of a window that begins `WINDOW` weeks ago has the cases it had (bisection)."""
    past = past_infections(cases[:-WINDOW])
    low, high = (math.log(r) for r in R_RANGE)
    for _ in range(halvings):
        middle = (low + high) / 2
        found = weekly(outbreak(kind, law, [math.exp(middle)], past, REPORTED), WINDOW, seed)[-1]
        low, high = (middle, high) if found < cases[-1] else (low, middle)
    return math.exp((low + high) / 2)


def forecasts(item: dict[str, Any], lab: Lab) -> list[dict[str, Any]]:
    """Forecasts from each origin of an item (neighbourhood, behaviours by strength of fear, origins, seeds).

    Returns:
        For each origin and strength: R, the mean forecast of each week, what came, and the error: the mean over weeks of
        |log(1 + forecast) - log(1 + cases)|.
    """
    kind, name = item["kind"], item["neighbourhood"]
    cases = data.cases(folder(kind))[name].to_numpy()
    reference = 1e5 * float(np.median(cases[: item["fit_weeks"]])) / len(residents(kind))
    found = []
    for origin in item["origins"]:
        known, came = cases[: origin + 1], cases[origin + 1 : origin + 1 + HORIZON]
        for strength in item["strengths"]:
            law = {"law": "fear", "base": BASE, "strength": strength, "reference": reference}
            seed = derive(item["seed"], name, origin)
            r = matched(kind, law, known, derive(seed, "match"), item["halvings"])
            ahead = outbreak(kind, law, [r], past_infections(known), REPORTED)
            runs = [weekly(ahead, HORIZON, derive(seed, i)) for i in range(item["replicates"])]
            mean = np.mean(runs, axis=0)
            error = float(np.abs(np.log1p(mean) - np.log1p(came)).mean())
            found.append(
                {
                    "origin": origin,
                    "strength": strength,
                    "r": r,
                    "forecast": mean.tolist(),
                    "came": came.tolist(),
                    "error": error,
                    "persistence": float(np.abs(np.log1p(known[-1]) - np.log1p(came)).mean()),
                }
            )
    return found
