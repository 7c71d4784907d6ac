"""Pictures of `stockagent`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import erfc, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.measures import mean
from ethogram.measures.markets import autocorrelation
from ethogram.studies import Findings
from ethogram.studies.drawing import SERIES, canvas
from ethogram.studies.society._stockagent_findings import CHANNELS, LABELS, returns_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "auction_picture",
    "borrowing_picture",
    "channel_picture",
    "fact_picture",
    "price_picture",
    "tape_picture",
    "wealth_picture",
]

WORDS = {"zero": "zero intelligence", "value": "fundamentalists", "trend": "chartists", "crowd": "followers"}
COLOURS = dict(zip(WORDS, ("#8a8a8a", SERIES[0], SERIES[1], SERIES[2]), strict=True))


def price_picture(run: Mapping[str, Any], reports: Sequence[int], events: Sequence[int]) -> Figure:
    """Prices and values day by day, and the volume below."""
    figure, (axes,) = canvas(7.5, 4.2)
    days = np.arange(len(run["lent"]) + 1)
    low = min(min(prices) for prices in run["prices"].values()) / 100
    high = max(max(prices) for prices in run["prices"].values()) / 100
    tallest = max(max(volumes) for volumes in run["volumes"].values())
    for i, (stock, prices) in enumerate(run["prices"].items()):
        axes.step(days[1:], np.array(run["values"][stock]) / 100, where="post", color=SERIES[i], linewidth=1, linestyle="--")
        axes.plot(days, np.array(prices) / 100, color=SERIES[i], linewidth=1.6, label=stock)
        bars = np.array(run["volumes"][stock]) / tallest * 0.25 * (high - low)
        base = low - 0.32 * (high - low)
        axes.bar(days[1:] + 0.45 * i - 0.2, bars, 0.45, bottom=base, color=SERIES[i], alpha=0.55, linewidth=0)
    for day, _ in _within(reports, [""] * len(reports), len(run["lent"])):
        axes.axvline(day, color="#888888", linewidth=0.8, linestyle=":")
    for day, text in _within(events, ("rates cut", "rates raised"), len(run["lent"])):
        axes.text(day, 1.01, text, transform=axes.get_xaxis_transform(), ha="center", color="#666666", fontsize=9)
    axes.set(xlabel="day (dotted lines: reports)", ylabel="price")
    axes.legend(title="stock", fontsize=9)
    return figure


def tape_picture(run: Mapping[str, Any], stock: str, first: int, last: int) -> Figure:
    """Every order of some days at its limit price, over the price."""
    figure, (axes,) = canvas(7.5, 4.0)
    orders = [row for row in run["tape"] if row[1] == stock and first <= row[0] < last + 1]
    for side, colour, marker in (("buy", SERIES[0], "^"), ("sell", SERIES[1], "v")):
        own = [(when, price / 100) for when, _, way, price in orders if way == side]
        x, y = zip(*own, strict=True) if own else ((), ())
        axes.plot(x, y, marker, color=colour, alpha=0.5, markersize=4, markeredgewidth=0, linestyle="", label=side)
    days = np.arange(first, last + 1)
    prices = np.array(run["prices"][stock][first : last + 1]) / 100
    axes.step(days, prices, where="post", color="#333333", linewidth=1.2, label="price in the evening")
    axes.step(days, np.array(run["values"][stock][first - 1 : last]) / 100, "--", where="post", color="#666666", linewidth=1)
    near = [price / 100 for _, _, _, price in orders]
    if near:
        axes.set_ylim(*np.quantile(near, [0.002, 0.998]))
    axes.set(xlabel="day (dashed: 20 times the earnings)", ylabel=f"price of {stock}")
    axes.legend(fontsize=9, ncols=3, loc="upper left")
    return figure


def wealth_picture(run: Mapping[str, Any]) -> Figure:
    """Net worth of every trader relative to the first day, by kind; the median of each kind in bold."""
    figure, axes = canvas(7.5, 3.4, 4)
    worths = np.array(run["worths"], float)
    relative = np.clip(worths / worths[:, :1], 0.05, 20)
    for axis, (kind, words) in zip(axes, WORDS.items(), strict=True):
        own = relative[np.array(run["kinds"]) == kind]
        axis.plot(own.T, color=COLOURS[kind], alpha=0.35, linewidth=0.8)
        if len(own):
            axis.plot(np.median(own, 0), color=COLOURS[kind], linewidth=2.6)
        axis.axhline(1, color="#888888", linewidth=0.8)
        axis.set_yscale("log")
        axis.set_ylim(relative.min() * 0.9, relative.max() * 1.1)
        axis.set_yticks([0.05, 0.2, 1, 5, 20], ["0.05", "0.2", "1", "5", "20"])
        axis.minorticks_off()
        axis.set_title(words, fontsize=10)
        axis.set_xlabel("day")
        if axis is not axes[0]:
            axis.tick_params(labelleft=False)
    axes[0].set_ylabel("net worth, first day = 1")
    return figure


def borrowing_picture(runs: Mapping[tuple[str, bool], Sequence[Mapping[str, Any]]], events: Sequence[int]) -> Figure:
    """What is lent on a day, mean of the last eleven days, with the rate events and without."""
    figure, axes = canvas(7.5, 3.6, 2)
    for axis, law in zip(axes, ("sensitive", "blind"), strict=True):
        for there, colour, label in ((False, "#8a8a8a", "no rate events"), (True, SERIES[1], "rate events")):
            lent = np.array([run["lent"] for run in runs[law, there]], float) / 1e8
            width = min(11, lent.shape[1])
            smooth = np.stack([np.convolve(row, np.ones(width) / width, "valid") for row in lent])
            days = np.arange(smooth.shape[1]) + width
            axis.plot(days, smooth.mean(0), color=colour, label=label)
            error = smooth.std(0) / np.sqrt(len(smooth))
            axis.fill_between(days, smooth.mean(0) - error, smooth.mean(0) + error, color=colour, alpha=0.2, linewidth=0)
        for day, text in _within(events, ("cut", "raised"), len(runs[law, True][0]["lent"])):
            axis.axvline(day, color="#888888", linewidth=1, linestyle="--")
            axis.text(day, 1.01, text, transform=axis.get_xaxis_transform(), ha="center", color="#666666", fontsize=9)
        axis.set_title(f"rate-{law} borrowers", fontsize=10.5, pad=16)
        axis.set_xlabel("day")
        axis.set_ylim(bottom=0)
    axes[0].set_ylabel("lent on a day, millions")
    axes[0].legend(fontsize=9)
    return figure


def auction_picture(parts: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Efficiency of every double auction, with the budget constraint and without."""
    figure, (axes,) = canvas(7.5, 3.4)
    rng = np.random.default_rng(0)  # of the jitter alone
    for i, part in enumerate(parts.values()):
        for kind, colour, shift in (("constrained", SERIES[0], -0.15), ("unconstrained", SERIES[1], 0.15)):
            values = np.array(part[kind])
            x = i + shift + rng.uniform(-0.08, 0.08, len(values))
            axes.plot(x, values, ".", color=colour, alpha=0.45, markeredgewidth=0, label="" if i else kind)
            axes.plot([i + shift - 0.1, i + shift + 0.1], [values.mean()] * 2, color=colour)
    axes.axhline(0.9, color="#888888", linestyle="--", linewidth=1)
    axes.set_xticks(range(len(parts)), list(parts))
    axes.set(ylabel="share of the possible gains", ylim=(min(0, axes.get_ylim()[0]), 1.05))
    axes.grid(axis="x", visible=False)
    axes.legend(fontsize=9, loc="center left")
    return figure


def channel_picture(findings: Findings) -> Figure:
    """The change that each channel makes to each measure, relative to the whole market's."""
    figure, (axes,) = canvas(7.5, 4.2)
    shown = list(LABELS)
    for k, channel in enumerate(CHANNELS):
        for i, name in enumerate(shown):
            change, whole = findings.get(f"{name}_change", channel), abs(findings.get(name, "full").value)
            if not whole or not change.bounded:
                continue
            y = i + 0.18 * (k - 1.5)
            axes.plot([change.low / whole, change.high / whole], [y, y], color=SERIES[k], linewidth=1.6)
            axes.plot(change.value / whole, y, "o", color=SERIES[k], markersize=4.5, label="" if i else channel)
    axes.axvline(0, color="#888888", linewidth=1)
    axes.set_yticks(range(len(shown)), shown)
    axes.invert_yaxis()
    axes.set_xscale("symlog", linthresh=0.25)
    axes.set_xticks([-1, -0.2, 0, 0.2, 1], ["-100 %", "-20 %", "0", "+20 %", "+100 %"])
    axes.minorticks_off()
    axes.set_xlabel("change that the channel makes, relative to the whole market")
    axes.legend(fontsize=9, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


def fact_picture(crews: Mapping[str, Sequence[Mapping[str, Any]]], lags: int = 15) -> Figure:
    """Left: how often returns of a size or more occur, beside a normal distribution; right: memory of absolute returns."""
    figure, (left, right) = canvas(7.5, 3.6, 2)
    for k, (crew, runs) in enumerate(crews.items()):
        series = [r for run in runs for r in returns_of(run).values() if r.std() > 0]
        sizes = np.sort(np.concatenate([np.abs(r - r.mean()) / r.std() for r in series]))
        rarer = 1 - np.arange(len(sizes)) / len(sizes)
        shown = np.unique(np.geomspace(1, len(sizes), 150).astype(int)) - 1
        left.plot(sizes[::-1][shown], rarer[::-1][shown], color=SERIES[k], linewidth=1.6)
        memory = np.array([autocorrelation(np.abs(r), range(1, lags + 1)) for r in series])
        right.plot(range(1, lags + 1), [mean(column).value for column in memory.T], ".-", color=SERIES[k], label=crew)
    x = np.linspace(0.05, 4.2, 80)
    left.plot(x, [erfc(value / sqrt(2)) for value in x], color="#888888", linestyle="--", linewidth=1)
    left.set(
        xscale="log", yscale="log", xlabel="size of a return, in standard deviations", ylabel="share as large or larger"
    )
    left.set_xlim(0.1, None)
    right.axhline(0, color="#888888", linewidth=0.8)
    right.set(xlabel="lag, days", ylabel="autocorrelation of size")
    right.legend(fontsize=8.5)
    return figure


def _within(days: Sequence[int], words: Sequence[str], last: int) -> list[tuple[int, str]]:
    """Days, each with its words, that are not after the last."""
    return [(day, text) for day, text in zip(days, words, strict=True) if day <= last]
