"""What `stockagent` finds: from its parts to estimates and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.measures import Estimate, mean, paired_difference
from ethogram.measures.markets import autocorrelation, correlation, excess_kurtosis, gini, log_returns, tail_index
from ethogram.studies import Findings
from ethogram.studies.claims import Reported

__all__ = ["CHANNELS", "FACTS", "REGISTERED", "auctions", "audits", "channels", "facts", "measures_of", "rates", "wealth"]

Run = Mapping[str, Any]
REGISTERED = ("volatility", "mispricing", "volume")
"""The measures on which a channel can be found to act: the first two are of prices, the last is activity."""
CHANNELS = ("reports", "board", "rate events", "loans")
LABELS = {
    "volatility": "Standard deviation of daily log returns",
    "mispricing": "Mean distance of the log price from 20 times the true earnings",
    "volume": "Shares traded on a day",
    "orders": "Orders a trader gives on a day",
    "lent": "Lent on a day",
    "inequality": "Gini of net worth at the end",
}
FACTS = {
    "kurtosis": "Excess kurtosis of daily returns",
    "tail": "Tail index (Hill, 5 %) of daily returns",
    "volume-volatility": "Correlation of absolute return and volume on a day",
    "memory": "Autocorrelation of absolute returns, mean of lags 1 to 5",
    "returns-memory": "Autocorrelation of returns, lag 1",
    "together": "Correlation of the returns of A and B",
    "volatility": LABELS["volatility"],
}
ZI = Reported("close to 100 %", "Gode and Sunder 1993, abstract", 1.0)


def average(values: Sequence[float], level: float = 0.95) -> Estimate:
    """The mean over runs, of those in which the number exists."""
    return mean([value for value in values if np.isfinite(value)], level=level)


def returns_of(run: Run) -> dict[str, NDArray[np.float64]]:
    """Daily log returns by stock."""
    return {stock: log_returns(prices) for stock, prices in run["prices"].items()}


def measures_of(run: Run) -> dict[str, float]:
    """The measures of one run, mean over stocks; money in millions."""
    days, traders = len(run["lent"]), len(run["kinds"])
    gaps = [
        np.mean(np.abs(np.log(np.array(prices[1:]) / np.array(run["values"][stock]))))
        for stock, prices in run["prices"].items()
    ]
    return {
        "volatility": float(np.mean([r.std() for r in returns_of(run).values()])),
        "mispricing": float(np.mean(gaps)),
        "volume": float(np.mean([np.mean(v) for v in run["volumes"].values()])),
        "orders": sum(map(sum, run["orders"].values())) / days / traders,
        "lent": sum(run["lent"]) / days / 1e8,
        "inequality": gini(np.maximum(run["closing"], 0).astype(float)),
    }


def facts_of(run: Run) -> dict[str, float]:
    """The stylised facts of one run, mean over stocks."""
    returns = returns_of(run)
    rows = []
    for stock, r in returns.items():
        size = np.abs(r)
        rows.append(
            (
                excess_kurtosis(r),
                tail_index(r),
                correlation(size, run["volumes"][stock]),
                float(np.mean(autocorrelation(size, range(1, 6)))),
                autocorrelation(r, [1])[0],
            )
        )
    first, second = list(returns.values())[:2]
    means = [float(value) for value in np.mean(rows, 0)]
    return dict(zip(FACTS, [*means, correlation(first, second), measures_of(run)["volatility"]], strict=True))


def audits(findings: Findings, reckless: Sequence[Mapping[str, int]], coded: Sequence[Mapping[str, int]]) -> None:
    """Conservation and refusals, added up over the audited runs."""
    for arm, parts in (("reckless traders", reckless), ("coded traders", coded)):
        for name, key, words in (
            ("audit_steps", "steps", "Steps after which all accounts were looked at"),
            ("audit_trades", "trades", "Trades in them"),
            ("bankrupt", "bankrupt", "Traders who went bankrupt"),
            ("forced_sales", "forced sales", "Forced sales"),
        ):
            findings.estimate(name, Estimate.exact(sum(part[key] for part in parts), len(parts)), words, arm=arm)
        for name, key, words in (
            ("cash_off", "cash off", "Largest change of all cash together, in cents"),
            ("shares_off", "shares off", "Largest change of all shares of a stock together"),
            ("accounts_off", "accounts off", "Accounts that differ from those booked from the record"),
            ("below_zero", "below zero", "Accounts below zero after a step"),
        ):
            findings.estimate(name, Estimate.exact(max(part[key] for part in parts), len(parts)), words, arm=arm)
    refused = sum(part["refused"] for part in reckless)
    logged = sum(part["with reason"] for part in reckless)
    findings.estimate("refused", Estimate.exact(refused, len(reckless)), "Refusals of reckless traders")
    share = Estimate.exact(logged / refused if refused else float("nan"), refused)
    findings.estimate("refused_logged", share, "Refusals that are in the record with action and reason", unit="%")
    wrong = Estimate.exact(sum(part["wrong"] for part in reckless), refused)
    findings.estimate("refused_wrong", wrong, "Actions that were refused against the rules, or not refused against them")


def auctions(findings: Findings, parts: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Efficiency with and without the budget constraint, and what the constraint adds."""
    for name, part in parts.items():
        for kind in ("constrained", "unconstrained"):
            arm = f"{name}, {kind}"
            paper = ZI if kind == "constrained" else None
            words = "Share of the possible gains that zero intelligence makes"
            findings.estimate("efficiency", mean(part[kind]), words, arm=arm, unit="%", paper=paper)
            findings.estimate("auction_trades", mean(part[f"{kind} trades"]), "Trades in an auction", arm=arm)
        gain = paired_difference(part["constrained"], part["unconstrained"])
        findings.estimate("efficiency_gain", gain, "What the budget constraint adds to it", arm=name, unit="%")


def rates(findings: Findings, runs: Mapping[tuple[str, bool], Sequence[Run]], days: Sequence[int]) -> None:
    """What the rate events do to borrowing: with them less without, on the same luck.

    Args:
        findings: to add to.
        runs: by law of borrowing, and whether the events took place.
        days: of the cut, and of the rise after it.
    """
    spans = {"change": (days[0], None), "after_cut": days, "after_rise": (days[1], None)}
    words = {"change": "from the cut on", "after_cut": "from the cut to the rise", "after_rise": "from the rise on"}
    for law in ("sensitive", "blind"):
        for name, (first, last) in spans.items():
            if first > len(runs[law, True][0]["lent"]):
                continue
            lent = {
                there: [sum(run["lent"][first - 1 : last and last - 1]) / 1e8 for run in runs[law, there]]
                for there in (True, False)
            }
            if name == "change":
                findings.estimate(
                    "borrowed", mean(lent[False]), "Lent from the cut on, had there been none", arm=law, unit="M"
                )
            change = paired_difference(lent[True], lent[False])
            label = f"Lent {words[name]}, with rate events minus without"
            findings.estimate(f"borrowed_{name}", change, label, arm=law, unit="M")


def channels(findings: Findings, arms: Mapping[str, Sequence[Run]]) -> None:
    """What each channel does: the whole market less the one without it, on the same luck.

    The intervals of the registered measures are wide enough for all of them together (Bonferroni).
    """
    import polars as pl

    full = [measures_of(run) for run in arms["full"]]
    for name, words in LABELS.items():
        findings.estimate(name, average([one[name] for one in full]), words, arm="full")
    rows = []
    for channel in CHANNELS:
        found = [measures_of(run) for run in arms[channel]]
        for name, words in LABELS.items():
            level = 1 - 0.05 / (len(REGISTERED) * len(CHANNELS)) if name in REGISTERED else 0.95
            change = paired_difference([one[name] for one in full], [one[name] for one in found], level=level)
            label = f"{words}: with {channel} minus without"
            findings.estimate(f"{name}_change", change, label, arm=channel)
            rows.append((channel, words, change.value, change.low, change.high, name in REGISTERED))
    names = ("channel", "measure", "with minus without", "low", "high", "registered")
    caption = (
        f"What each channel does to the market of coded traders, over {len(full)} paired seeds. Intervals of the registered "
        f"measures hold for all {len(REGISTERED) * len(CHANNELS)} together at 95 %, the others each for itself."
    )
    findings.table("channels", pl.DataFrame(rows, names, orient="row"), caption)


def facts(findings: Findings, crews: Mapping[str, Sequence[Run]]) -> None:
    """The stylised facts, and how far prices come to be from value, by who trades."""
    import polars as pl

    rows = []
    for crew, runs in crews.items():
        found = [facts_of(run) for run in runs]
        for name, words in FACTS.items():
            key = f"fact_{name.replace('-', '_')}"
            estimate = findings.estimate(key, average([one[name] for one in found]), words, arm=crew)
            rows.append((crew, words, estimate.value, estimate.low, estimate.high))
        gap = average([measures_of(run)["mispricing"] for run in runs])
        findings.estimate("crew_mispricing", gap, LABELS["mispricing"], arm=crew)
        rows.append((crew, LABELS["mispricing"], gap.value, gap.low, gap.high))
    gaps = {crew: [measures_of(run)["mispricing"] for run in runs] for crew, runs in crews.items()}
    anchored = paired_difference(gaps["zero intelligence"], gaps["with fundamentalists"])
    findings.estimate("anchored", anchored, "Mispricing by zero intelligence alone, minus that where half know the value")
    frame = pl.DataFrame(rows, ("traders", "measure", "mean", "low", "high"), orient="row")
    findings.table("facts", frame, "Stylised facts by who trades: means over runs with 95 % intervals.")


def wealth(findings: Findings, runs: Sequence[Run]) -> None:
    """How net worth changed in a run by temperament and by kind of trader, and whether traders do what they said."""
    for what, words in (("temperaments", "temperament"), ("kinds", "kind of trader")):
        changes = [_changes(run, what) for run in runs]
        for group in sorted({group for one in changes for group in one}):
            values = [one[group] for one in changes if group in one]
            label = f"Change of the net worth of a {words}, relative to all traders'"
            findings.estimate("wealth", average(values), label, arm=f"{words}: {group}", unit="%")
    changes = [_changes(run, "temperaments") for run in runs]
    pairs = [(one["aggressive"], one["conservative"]) for one in changes if {"aggressive", "conservative"} <= one.keys()]
    label = "Change of net worth, aggressive minus conservative"
    if len(pairs) > 1:
        change = paired_difference([bold for bold, _ in pairs], [careful for _, careful in pairs])
        findings.estimate("bold_minus_careful", change, label, unit="%")
    for kind in runs[0]["consistency"]:
        values = [run["consistency"].get(kind, float("nan")) for run in runs]
        words = "What was forecast and what was done next day (Cohen's kappa)"
        findings.estimate("consistency", average(values), words, arm=kind)


def _changes(run: Run, what: str) -> dict[str, float]:
    """By group: its net worth at the end over that at the beginning, less the same of all traders together."""
    groups, opening, closing = np.array(run[what]), np.array(run["opening"], float), np.array(run["closing"], float)
    overall = closing.sum() / opening.sum()
    return {
        str(group): float(closing[groups == group].sum() / opening[groups == group].sum() - overall)
        for group in np.unique(groups)
    }
