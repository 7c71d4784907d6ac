"""What the scripts of all peers share; they run in environments of their own, with nothing of ethogram in them."""

from __future__ import annotations

import json
import os
import resource
import sys
import time

ROOT, N = sys.argv[1], int(sys.argv[2])
"""Address of the server, and how many agents."""
BASE = f"{ROOT}/v1"
os.environ.update(OPENAI_API_KEY="none", OPENAI_BASE_URL=BASE, OPENAI_API_BASE=BASE, NO_PROXY="*")


class Timed:
    """Times a block of `steps` agent-steps and prints the result as the last line."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def __enter__(self) -> Timed:
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            report(self.steps, time.perf_counter() - self.wall, time.process_time() - self.cpu)


def report(steps: int, wall: float, cpu: float) -> None:
    """Print what was measured."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"steps": steps, "wall": wall, "cpu": cpu, "memory": memory}), flush=True)
