"""Pictures and words of `agenttorch`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ethogram.studies import Findings
from ethogram.studies.drawing import SERIES, canvas

__all__ = ["draw_calibration", "draw_forecasts", "draw_labour", "tell"]


def draw_forecasts(findings: Findings, told: list[dict[str, Any]], first: int) -> None:
    """Cases of the test weeks and the forecasts from each origin, for two neighbourhoods."""
    shown = told[:2]
    figure, panels = canvas(width=9, height=3.4, columns=len(shown))
    for axes, part in zip(panels, shown, strict=True):
        weeks = [f["origin"] + 1 + i for f in part["fear"] for i in range(len(f["came"]))]
        came = [c for f in part["fear"] for c in f["came"]]
        axes.plot(weeks, came, color="#555555", linewidth=1.5, label="cases")
        for key, colour, label in (("fear", SERIES[0], "fear of cases"), ("constant", SERIES[1], "constant behaviour")):
            for i, f in enumerate(part[key]):
                ahead = np.arange(len(f["forecast"])) + f["origin"] + 1
                axes.plot(ahead, np.maximum(f["forecast"], 0.5), color=colour, linewidth=1.8, label=None if i else label)
        axes.set_yscale("log")
        axes.set_title(part["name"], fontsize=10)
        axes.set_xlabel(f"week of the record (test weeks from {first + 1})")
    panels[0].set_ylabel("cases in a week")
    panels[0].legend(fontsize=8)
    caption = "Weekly cases and forecasts of four weeks, each made from what was known at its first week, R matched to it."
    findings.figure("forecasts", figure, caption)


def draw_calibration(findings: Findings, parts: list[dict[str, Any]]) -> None:
    """Planted weekly R and what was found, and how the loss falls."""
    figure, (left, right) = canvas(width=9, height=3.4, columns=2)
    for arm, colour, marker in (("gradient", SERIES[0], "o"), ("random search", SERIES[1], "x")):
        for i, part in enumerate(parts):
            left.plot(part["true"], part["r"][arm], marker, color=colour, markersize=4, label=None if i else arm)
    low, high = min(min(p["true"]) for p in parts), max(max(p["true"]) for p in parts)
    left.plot([low, high], [low, high], color="#888888", linewidth=1)
    left.set_xlabel("planted R of a week")
    left.set_ylabel("found")
    left.legend(fontsize=8)
    for part in parts:
        right.plot(np.arange(1, len(part["losses"]) + 1), part["losses"], color=SERIES[0], linewidth=1, alpha=0.7)
    right.set_yscale("log")
    right.set_xlabel("simulator call")
    right.set_ylabel("loss (squared log ratio)")
    caption = (
        "Left: planted weekly R, and R found by gradient and by random search. Right: the loss of the gradient's calls."
    )
    findings.figure("calibration", figure, caption)


def draw_labour(findings: Findings, parts: list[dict[str, Any]]) -> None:
    """Unemployment of two boroughs as recorded and as the model has it."""
    shown = parts[:2]
    figure, panels = canvas(width=9, height=3.4, columns=len(shown))
    for axes, part in zip(panels, shown, strict=True):
        axes.plot(part["months"], part["rate"], color="#555555", linewidth=1.5, label="recorded")
        for arm, colour in zip(("recorded labour force", "willingness that cases lower"), SERIES, strict=False):
            axes.plot(part["months"], part["arms"][arm]["curve"], color=colour, label=arm)
        axes.axvline(part["months"][part["fit"]] - 0.5, color="#888888", linewidth=1)
        axes.set_xlabel("months since January 2019")
    panels[0].set_ylabel("unemployment, per cent")
    panels[0].legend(fontsize=8)
    caption = (
        "Unemployment of the Bronx (left) and Brooklyn from labour force and claims; test months are right of the line."
    )
    findings.figure("labour", figure, caption)


def tell(findings: Findings, kind: str, neighbourhoods: int) -> None:
    """The summary and the notes."""
    better = sum(m.estimate.above for m in findings.measured if m.name == "fear_gain")
    found = {m.arm: m.estimate.value for m in findings.measured if m.name == "forecast_error"}
    last = {arm.removesuffix(", last week"): value for arm, value in found.items() if arm.endswith(", last week")}
    still = sum(value < found[f"{name}, fear of cases"] for name, value in last.items())
    error, search = findings.get("r_error", "gradient"), findings.get("r_error", "random search")
    gaps = [abs(m.estimate.value) for m in findings.measured if m.name == "final_size_gap"]
    averted = findings.get("averted", "paired seeds")
    findings.summary = (
        f"People who fear cases forecast four weeks of cases better than people who do not change in {better} of "
        f"{neighbourhoods} neighbourhoods (interval above zero); repeating last week's cases has a smaller mean error than "
        f"they have in {still}. Weekly R that was planted came back with a mean error of "
        f"{100 * error.value:.1f} % by gradient, and of {100 * search.value:.0f} % by random search with as many simulator "
        f"calls. Final sizes on a complete graph differ from analytic ones by at most {max(gaps):.3f}. Over twelve weeks "
        f"fear averts {averted.value:,.0f} infections [{averted.low:,.0f}, {averted.high:,.0f}]."
    )
    if kind == "synthetic":
        findings.note("All data of this run are made up: a small city in the format of agent-torch's wheel.")
    else:
        findings.note(
            "The people and contacts of Astoria stand in for those of all five neighbourhoods; by their area code, BK0101, "
            "they live in Brooklyn. The population that ships as New York is of Brooklyn alone and has no contacts."
        )
    findings.note(
        "Fear is a stated law, no model's answer and not people's: whatever draws growth to zero would gain, as "
        "may repeating last week, whose error stands beside. That half of the infections are reported is an assumption."
    )
    findings.note(
        "An archetype's answer is a group's share, from which individuals draw; it is not what any one person would say."
    )
