"""Figures of the study beso: the sweep of guidance, samplers by their number of steps, and starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ethogram.measures import Estimate
from ethogram.studies.drawing import SERIES, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["guidance_picture", "samplers_picture", "starts_picture"]


def guidance_picture(sweep: Sequence[tuple[float, Estimate, Estimate]], goal_free: Estimate, cloned: Estimate) -> Figure:
    """Result and reward by lambda, and two references for the result."""
    figure, (ax,) = canvas()
    _line(ax, [(x, result) for x, result, _ in sweep], "result", SERIES[0])
    _line(ax, [(x, reward) for x, _, reward in sweep], "reward", SERIES[1])
    ax.axhline(goal_free.value, color=SERIES[0], linestyle=":", linewidth=1.2, label="result without goals")
    ax.axhline(cloned.value, color=SERIES[0], linestyle="--", linewidth=1.2, label="result of cloning, squared error")
    ax.set(xlabel="guidance, lambda", ylabel="share of rollouts", ylim=(0, 1.02))
    ax.legend(fontsize=9)
    return figure


def samplers_picture(grid: Mapping[str, Sequence[tuple[int, Estimate]]]) -> Figure:
    """Result by number of steps, a line for each sampler, set a little apart."""
    figure, (ax,) = canvas()
    for i, (sampler, points) in enumerate(grid.items()):
        apart = 1 + 0.04 * (i - (len(grid) - 1) / 2)
        _line(ax, [(steps * apart, estimate) for steps, estimate in points], sampler, SERIES[i % len(SERIES)])
    ticks = sorted({steps for points in grid.values() for steps, _ in points})
    ax.set_xscale("log")
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.minorticks_off()
    ax.set(xlabel="denoising steps", ylabel="result, share of rollouts", ylim=(0, 1.02))
    ax.legend(fontsize=9)
    return figure


def starts_picture(starts: Mapping[str, Mapping[str, tuple[Estimate, Estimate]]]) -> Figure:
    """Result, and paler beside it reward, of each policy by start; some are tried from one start alone."""
    figure, (ax,) = canvas()
    policies = list(dict.fromkeys(policy for pairs in starts.values() for policy in pairs))
    for i, policy in enumerate(policies):
        label: str | None = policy
        for at, pairs in enumerate(starts.values()):
            x = at + 0.2 * (i - (len(policies) - 1) / 2)
            for e, shift, alpha in zip(pairs.get(policy, ()), (-0.03, 0.03), (1.0, 0.35), strict=False):
                ax.plot(x + shift, e.value, "o", color=SERIES[i], alpha=alpha, label=label)
                label = None
                if e.bounded:
                    ax.plot([x + shift] * 2, [e.low, e.high], color=SERIES[i], alpha=alpha)
    ax.set_xticks(range(len(starts)), list(starts))
    ax.set(xlabel="start", ylabel="share of rollouts", xlim=(-0.5, len(starts) - 0.5), ylim=(0, 1.02))
    ax.legend(fontsize=9, loc="lower left", ncols=2)
    return figure


def _line(ax: Axes, points: Sequence[tuple[float, Estimate]], label: str, color: str) -> None:
    """Values joined by a line, with their intervals."""
    xs, values = [x for x, _ in points], [e.value for _, e in points]
    ax.plot(xs, values, "o-", color=color, label=label, markersize=4)
    for x, e in points:
        if e.bounded:
            ax.plot([x, x], [e.low, e.high], color=color, linewidth=1)
