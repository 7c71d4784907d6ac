"""What all benchmarks share: a row of the table, the clock, and the machine they ran on.

CPU seconds of the process are the figure to trust: wall-clock seconds are only comparable on an idle machine.
"""

from __future__ import annotations

import gc
import importlib.metadata
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent


class Row(NamedTuple):
    """One measured figure, and the goal it is held to if it has one."""

    part: str
    case: str
    figure: str
    value: float
    unit: str
    most: float | None = None
    """The goal: at most this."""
    least: float | None = None
    """The goal: at least this."""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.most is not None:
            return self.value <= self.most
        return None if self.least is None else self.value >= self.least

    @property
    def goal(self) -> str:
        """The goal in words."""
        if self.most is not None:
            return f"≤ {self.most:,g}"
        return "" if self.least is None else f"≥ {self.least:,g}"


class Spent(NamedTuple):
    """What a piece of work took, in seconds."""

    cpu: float
    """Of this process, all threads."""
    wall: float


def spent(work: Callable[[], Any]) -> Spent:
    """The time that one call of `work` takes, the garbage of earlier work collected before."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.process_time() - cpu, time.perf_counter() - wall)


def best(times: Iterable[Spent]) -> Spent:
    """The least of several measurements of one thing: what else the machine does can only add to it."""
    found = list(times)
    return Spent(min(t.cpu for t in found), min(t.wall for t in found))


def machine() -> dict[str, Any]:
    """Where and on what the benchmarks ran."""
    packages = ("numpy", "polars", "pyarrow", "aiohttp", "pydantic", "pettingzoo")
    model = next((line for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ": unknown")
    return {
        "processor": model.split(":", 1)[1].strip(),
        "cores": os.cpu_count(),
        "load": [round(x, 2) for x in os.getloadavg()],
        "python": platform.python_version(),
        "commit": _git("rev-parse", "--short", "HEAD") + ("+" if _git("status", "--porcelain", "src") else ""),
        "packages": {name: importlib.metadata.version(name) for name in packages},
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
