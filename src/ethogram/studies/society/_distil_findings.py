"""The pictures and the summary of `distil`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from ethogram.studies.drawing import SERIES, canvas
from ethogram.studies.findings import Findings
from ethogram.studies.society._distil_parts import GRID
from ethogram.studies.society._distil_sea import LAW, MOST, law

__all__ = ["draw_law", "draw_likelihood", "draw_places", "tell"]


def draw_law(findings: Findings, parts: list[dict[str, Any]]) -> None:
    """Mean takes over the stock, and the stock over time."""
    figure, (left, right) = canvas(columns=2)
    for colour, agent in zip(SERIES, LAW, strict=False):
        left.plot(GRID, law(agent, GRID) @ np.arange(MOST + 1), color=colour, label=agent)
        for part in parts:
            left.plot(GRID, part["expected"][agent], color=colour, linewidth=0.8, alpha=0.6, linestyle="--")
    left.axvspan(*np.mean([part["seen"] for part in parts], axis=0), color="#888888", alpha=0.12, linewidth=0)
    left.set_xlabel("stock")
    left.set_ylabel("mean take")
    left.legend(fontsize=8)
    for arm, colour in (("teacher", SERIES[0]), ("student", SERIES[1])):
        for i, part in enumerate(parts):
            right.plot(part["curves"][arm], color=colour, linewidth=1, alpha=0.7, label=arm if i == 0 else None)
    right.set_xlabel("step")
    right.set_ylabel("mean stock")
    right.legend(fontsize=8)
    caption = (
        "Left: how many fish each fisher takes on average, by the stated law (full) and by the students fitted to the most "
        "episodes (dashed, one a replication); shaded is where nine tenths of the situations lie. Right: the mean stock "
        "over time with teachers and with students."
    )
    findings.figure("law", figure, caption)


def draw_likelihood(findings: Findings) -> None:
    """Held-out log-likelihood of the student and of simple rules."""
    found = [m for m in findings.measured if m.name == "town_log_likelihood"]
    figure, (axes,) = canvas(height=2.6)
    for i, m in enumerate(reversed(found)):
        colour = SERIES[1] if m.arm == "student" else SERIES[0]
        axes.plot([m.estimate.low, m.estimate.high], [i, i], color=colour)
        axes.plot(m.estimate.value, i, "o", color=colour)
    axes.set_yticks(range(len(found)), [m.arm for m in reversed(found)])
    axes.set_xlabel("log-likelihood of a held-out action, nats")
    findings.figure(
        "likelihood", figure, "How well what people in the town do is predicted on held-out days, with intervals."
    )


def draw_places(findings: Findings, parts: list[dict[str, Any]], most: int = 4) -> None:
    """Where people are over the day, with teachers and with students."""
    figure, (axes,) = canvas()
    shares: dict[str, dict[str, dict[int, float]]] = {}
    total: Counter[str] = Counter()
    for arm in ("teacher", "student"):
        counts: dict[int, Counter[str]] = {}
        for part in parts:
            for key, n in part[arm]["where"].items():
                _, hour, place = key.split("|")
                counts.setdefault(int(hour), Counter())[place] += n
                total[place] += n
        for hour, own in counts.items():
            for place, n in own.items():
                shares.setdefault(place, {}).setdefault(arm, {})[hour] = n / own.total()
    hours = range(24)
    for colour, (place, _) in zip(SERIES, total.most_common(most), strict=False):
        for arm, style in (("teacher", "-"), ("student", "--")):
            values = [shares[place].get(arm, {}).get(hour, np.nan) for hour in hours]
            axes.plot(hours, values, style, color=colour, label=place if arm == "teacher" else None)
    axes.set_xlabel("hour of the day")
    axes.set_ylabel("share of those awake")
    axes.legend(fontsize=8)
    caption = (
        f"The share of people in the {most} busiest places over the day, with the teachers (full) and with their students "
        "(dashed), all replications together."
    )
    findings.figure("places", figure, caption)


def tell(findings: Findings, episodes: int, played: bool, model: str) -> None:
    """The summary."""
    tv, near, floor = (
        findings.get("sea_tv", f"{episodes} episodes"),
        findings.get("town_places"),
        findings.get("town_places_floor"),
    )
    student, rules = (
        findings.get("town_log_likelihood", "student"),
        ("frequency", "own frequency", "timetable", "persistence"),
    )
    best = max(rules, key=lambda rule: findings.get("town_log_likelihood", rule).value)
    text = (
        f"Fitted to {episodes} episodes of fishers with a stated law, students choose within {tv.value:.3f} of it in total "
        f"variation. In the town they give a held-out action {student.value:.2f} nats, where the best simple rule ({best}) "
        f"gives {findings.get('town_log_likelihood', best).value:.2f}; the places in which people spend their hours differ "
        f"by {near.value:.3f} from the teachers', which differ by {floor.value:.3f} from themselves with other seeds. "
    )
    untold = findings.get("town_untold", "student").value
    text += f"Having no memory, they told {untold:.1f} times a day what nobody had told them. "
    ratio = findings.get("speed_up", "surrogate, town").value
    text += f"They decide {ratio:.1f} times as fast as the coded surrogate"
    if played:
        text += f" and {findings.get('speed_up', 'language model').value:,.0f} times as fast as {model}"
    findings.summary = text + "."
    findings.note(
        "The town's teacher is the coded surrogate, not a language model: that the student is like it says nothing about "
        "people. The speed of the surrogate is that of a few coded laws and a memory; the student's gain is over a model."
    )
