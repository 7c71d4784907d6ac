"""What `arithmetic-gpt` finds: from its parts to estimates, tables and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.measures import Estimate, bootstrap, hierarchical_mean, mean
from ethogram.studies import Findings, Reported
from ethogram.studies.drawing import SERIES, canvas
from ethogram.studies.people._arithmetic_gpt_corpus import DAYS, LARGEST
from ethogram.studies.people._arithmetic_gpt_parts import NETWORKS

__all__ = ["SOURCE", "calculation", "curves", "patience", "scores"]

Results = Mapping[str, Sequence[Mapping[str, Any]]]
"""Of each arm, a result for each seed."""
SOURCE = "notes by others about the paper (adjusted R² of a fit to all rows, 10M parameters), not the paper itself"
REPORTED = {
    ("gambles", "ecological"): Reported("70.8 %", SOURCE, 0.708),
    ("gambles", "uniform"): Reported("69.3 %", SOURCE, 0.693),
    ("gambles", "prospect theory"): Reported("51.5 %", SOURCE, 0.515),
}
CURVES = {
    ("chances", "gamma"): ("γ of the weighting curve", Reported(".58", SOURCE, 0.58)),
    ("amounts", "alpha"): ("α, curvature of gains", Reported(".42", SOURCE, 0.42)),
    ("amounts", "beta"): ("β, curvature of losses", Reported(".45", SOURCE, 0.45)),
    ("amounts", "lambda"): ("λ, losses against gains", Reported("1.4", SOURCE, 1.4)),
    ("delays", "k"): ("k of the discount curve, per year", Reported(".08, unit not seen", SOURCE)),
}
PATHS = ("ecological", "uniform")


def calculation(findings: Findings, results: Results) -> None:
    """How well the networks calculate equations that they have not seen, each on both distributions."""
    import polars as pl

    rows = []
    for arm in PATHS:
        for kind in ("gamble", "gambles", "payment", "payments"):
            row: dict[str, Any] = {"corpus": arm, "equations": kind}
            for of in PATHS:
                values = [run["right"][of][kind] for run in results[arm]]
                found = mean(values)
                row[f"new {of} ones"] = f"{found.value:.3f}"
                if of == arm:
                    findings.estimate(f"right_{kind}", found, f"Answers against true values, {kind}: correlation", arm=arm)
            rows.append(row)
    caption = (
        "Correlation of networks' answers (means of what they expect after the `=`) with true values, in equations drawn "
        "anew: single gambles, differences of two, single payments, differences of two. Means over seeds."
    )
    findings.table("calculation", pl.DataFrame(rows), caption)


def scores(findings: Findings, of: str, rate: NDArray[np.float64], results: Results, ours: tuple[str, ...]) -> None:
    """R², log-loss and squared error of networks and baselines on problems held out, and differences between arms.

    Args:
        findings: to add to.
        of: `gambles` or `payments`.
        rate: what people chose, shape (rows,).
        results: predictions of each arm, and of each seed where it has several.
        ours: baselines that the ecological networks are compared with.
    """
    import polars as pl

    variance = rate.var()
    lost = {arm: [(rate - np.array(run["predicted"])) ** 2 / variance for run in runs] for arm, runs in results.items()}
    rows = []
    for arm, runs in results.items():
        explained = [1 - part for part in lost[arm]]
        found = hierarchical_mean(explained) if len(runs) > 1 else mean(explained[0])
        label = f"Variance of people's choices between {of} that is explained, problems held out"
        findings.estimate(f"r2_{of}", found, label, arm=arm, unit="%", paper=REPORTED.get((of, arm)))
        loss, error = (float(np.mean([run[name] for run in runs])) for name in ("log_loss", "mse"))
        whole = f"[{found.low:.3f}, {found.high:.3f}]" if found.bounded else ""
        rows.append((arm, round(found.value, 3), whole, round(loss, 4), round(100 * error, 2), len(runs)))
    schema = ["arm", "R²", "interval", "log-loss", "MSE × 100", "seeds"]
    frame = pl.DataFrame(rows, schema=schema, orient="row").sort("R²", descending=True)
    caption = (
        f"Choices between {of}: each row predicted by a fit that has not seen its problem. R² is 1 - Σ error² / Σ (rate - "
        "mean)², log-loss is a choice's, in nats, error is that of rates. Intervals by resampling problems, and seeds."
    )
    findings.table(f"scores-{of}", frame, caption)
    pairs = [
        ("ecological", "uniform"),
        ("ecological", "ecological ablated"),
        ("uniform", "uniform ablated"),
        ("ecological ablated", "untrained"),
        ("uniform ablated", "untrained"),
        *(("ecological", name) for name in ours),
    ]
    for one, other in pairs:
        others = lost[other] if len(lost[other]) > 1 else lost[other] * len(lost[one])
        gain = hierarchical_mean([b - a for a, b in zip(lost[one], others, strict=True)])
        findings.estimate(f"gain_{of}", gain, f"Variance explained ({of}): difference", arm=f"{one} - {other}", unit="%")
    _bars(findings, of, frame)


def _bars(findings: Findings, of: str, frame: Any) -> None:
    figure, (axes,) = canvas(height=4.0)
    names = frame["arm"].to_list()[::-1]
    colours = [SERIES[0] if name in NETWORKS else SERIES[5] for name in names]
    values = frame["R²"].to_list()[::-1]
    axes.barh(names, values, color=colours, height=0.65)
    for i, (name, value) in enumerate(zip(names, values, strict=True)):
        found = findings.get(f"r2_{of}", name)
        if found.bounded:
            axes.plot([found.low, found.high], [i, i], color="#1f1d1a", linewidth=1.2)
        end = max(value, 0, found.high if found.bounded else 0)
        axes.annotate(f"{value:.2f}", (end, i), (4, -3), textcoords="offset points", fontsize=8.5)
    axes.set_xlabel(f"R² on held-out problems ({of})")
    axes.set_xlim(min(0, *values), 1)
    axes.axvline(0, color="#888888", linewidth=0.8)
    caption = (
        f"Choices between {of}: networks trained on arithmetic alone, read out linearly, and models fitted to choices; "
        "95 % intervals."
    )
    findings.figure(f"scores-{of}", figure, caption)


def curves(findings: Findings, results: Results) -> None:
    """Weighting, utility and discount curves that lie in the networks, and how they are drawn."""
    import polars as pl

    rows = []
    for arm in NETWORKS:
        for (what, name), (label, paper) in CURVES.items():
            values = [run["curves"][what][name] for run in results[arm]]
            found = mean(values)
            told = paper if arm == "ecological" else None
            findings.estimate(f"curve_{name}", found, label, arm=arm, paper=told)
            fit = float(np.mean([run["curves"][what]["r2"] for run in results[arm]]))
            rows.append((arm, label, f"{found.value:.3f}", f"[{found.low:.3f}, {found.high:.3f}]", round(fit, 3)))
    schema = ["network", "parameter", "mean of seeds", "95 % interval", "R² of the curve"]
    caption = (
        "Curves nearest to one-dimensional scalings of what networks make of single chances, amounts (with a chance of 1) "
        "and delays. Where the last column is low there is no such curve in the network, and the parameter says nothing."
    )
    findings.table("curves", pl.DataFrame(rows, schema=schema, orient="row"), caption)
    gammas = {arm: [run["curves"]["chances"]["gamma"] for run in results[arm]] for arm in PATHS}
    flatter = mean([u - e for e, u in zip(gammas["ecological"], gammas["uniform"], strict=True)])
    findings.estimate("gamma_gap", flatter, "γ of the uniform corpus's networks minus that of the ecological corpus's")
    _lines(findings, results)


def _lines(findings: Findings, results: Results) -> None:
    figure, panels = canvas(width=10, height=3.4, columns=3)
    across = {"chances": np.arange(101) / 100, "amounts": np.arange(-LARGEST, LARGEST + 1), "delays": DAYS / 365}
    labels = {"chances": "chance", "amounts": "amount", "delays": "delay in years"}
    for axes, (what, x) in zip(panels, across.items(), strict=True):
        for k, arm in enumerate(PATHS):
            for i, run in enumerate(results[arm]):
                y = np.array(run["places"][what])
                y = y * (np.sign(np.corrcoef(x, y)[0, 1]) * (-1 if what == "delays" else 1) or 1)
                y = (y - y.min()) / max(float(np.ptp(y)), 1e-12)
                axes.plot(x, y, color=SERIES[k], linewidth=0.9, alpha=0.75, label=arm if i == 0 else None)
        axes.set_xlabel(labels[what])
    panels[0].plot([0, 1], [0, 1], color="#888888", linewidth=0.8, linestyle="--")
    panels[0].set_ylabel("place on the line (0 to 1)")
    panels[0].legend(fontsize=8.5)
    caption = (
        "Where networks of the ecological and the uniform corpus, one of each seed, put single chances, amounts and delays "
        "on a line (one-dimensional scaling, stretched to 0 to 1)."
    )
    findings.figure("curves", figure, caption)


def patience(findings: Findings, k: Sequence[float]) -> Estimate:
    """The median of people's own discount rates."""
    found = bootstrap(k, np.median, "percentile", what="median")
    label = "How fast people discount, hyperbolically: median of each person's own k, per day"
    return findings.estimate("people_k", found, label)
