"""What `simulate` adds to a bare `for` loop over the same world with the same policy.

A run is as long as the distance between two checkpoints, so that what it adds is what a long run adds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

from benchmarks.measuring import Row, spent
from benchmarks.worlds import Meadow, Square, clapper, walker
from ethogram.policy import Policy
from ethogram.simulation import simulate
from ethogram.world import World

AGENTS, STEPS, REPEATS = 10_000, 100, 5
Make = tuple[Callable[[int], World], Callable[[], Policy]]


def bare(make: Make, agents: int, steps: int) -> None:
    """The loop one would write by hand."""
    world, policy = make[0](agents), make[1]()
    policy.reset(0, world.possible_agents)
    spaces = world.action_spaces
    observations, _ = world.reset(seed=0)
    for _ in range(steps):
        actions = policy.act(observations, spaces)
        observations, _, _, _, _ = world.step(actions)  # type: ignore[arg-type]


def ours(record: Literal["all", "actions", "none"], make: Make, agents: int, steps: int) -> None:
    """The same with simulate, which checks every action, writes a checkpoint, and the record if it is asked to."""
    simulate(make[0](agents), make[1](), steps=steps, record=record, progress=False)


def compare(name: str, make: Make, most: float | None) -> list[Row]:
    """CPU time of a bare loop, and of simulate without and with the record, taken in turns."""
    works = {"bare": bare, "none": partial(ours, "none"), "all": partial(ours, "all")}
    for work in works.values():
        work(make, 1000, 5)
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(REPEATS):
        for which, work in works.items():
            times[which].append(spent(partial(work, make, AGENTS, STEPS)).cpu)
    case = f"{AGENTS:,} coded agents, {name}"
    least = {which: min(taken) for which, taken in times.items()}  # what else the machine does can only add
    each = least["bare"] / AGENTS / STEPS * 1e6
    rows = [Row("loop", case, "bare for loop, CPU per agent-step", each, "µs")]
    for which, label in (("none", "no record"), ("all", "full record")):
        over = 100 * (least[which] / least["bare"] - 1)
        rows.append(Row("loop", f"{case}, {label}", "simulate over it", over, "%", most))
    return rows


def measure() -> list[Row]:
    """On a world written agent by agent, and on the hardest one."""
    return compare("world in Python", (Meadow, walker), 15) + compare("world in numpy", (Square, clapper), None)
