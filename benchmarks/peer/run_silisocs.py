"""SiliSocS: its packaged scenario with N agents; a step is the difference between a run of three steps and one of one."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import BASE, N, report


def run(steps: int) -> tuple[float, float]:
    """Wall and CPU seconds of a run."""
    settings = {
        "sim.llm.provider": "openai_compatible",
        "sim.llm.name": "instant",
        "sim.llm.api_base": BASE,
        "sim.llm.api_key": "none",
        "num_agents": N,
        "num_steps": steps,
        "sim.engine.executor": "threads",
    }
    command = [str(Path(sys.executable).with_name("silisocs")), *(f"{key}={value}" for key, value in settings.items())]
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=tempfile.mkdtemp(prefix="silisocs-"), capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


short, long = run(1), run(3)
report(2 * N, long[0] - short[0], long[1] - short[1])
