"""How long it takes until ethogram is there: `import ethogram` and `ethogram --help`, each in fresh processes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring import Row

REPEATS = 9


def seconds(command: Sequence[str]) -> float:
    """Median wall-clock seconds of a command, its first run (cold caches) left out."""
    times = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def measure() -> list[Row]:
    """Seconds of each command, the start of Python included."""
    python, case = sys.executable, "fresh process, Python's start included"
    ethogram = str(Path(python).with_name("ethogram"))
    return [
        Row("start", case, "python -c pass", seconds([python, "-c", "pass"]), "s"),
        Row("start", case, "import ethogram", seconds([python, "-c", "import ethogram"]), "s", most=0.5),
        Row("start", case, "from ethogram import simulate", seconds([python, "-c", "from ethogram import simulate"]), "s"),
        Row("start", case, "ethogram --help", seconds([ethogram, "--help"]), "s", most=0.7),
    ]
