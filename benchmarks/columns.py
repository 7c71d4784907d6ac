"""Populations of 10³ to 8.4 · 10⁶ agents: ethogram's column engine beside hand-written C and beside other frameworks.

Each figure is of a process of its own, on one thread unless it says otherwise, after a first step, over 20 steps, none of
them collecting data; the best of what was measured. Agent-steps are counted by second of CPU. `benchmarks/peer/populations/`
has the models, and the check figures by which all engines are compared are printed beside them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import ROOT, Row
from benchmarks.peers import Peer, installed

SCRIPTS = ROOT / "benchmarks" / "peer" / "populations"
PEERS = {
    "mesa": Peer("mesa", ("mesa==3.3.1", "networkx==3.6.1"), ()),
    "mesa_frames": Peer("mesa-frames", ("mesa-frames==0.1.0a0",), ()),
    "ambr": Peer("ambr", ("ambr==0.5.2",), ()),
    "starsim": Peer("starsim", ("starsim==3.7.2",), ()),
    "agent_torch": Peer("agent-torch", ("agent-torch==0.6.0", "torch==2.13.0", "pyarrow", "langchain<1", "epiweeks"), ()),
}
MODELS = ("wealth", "sir", "schelling", "opinion")
STEPS = 20
SETTLED = ("wealth", "opinion")
"""Models of which every pass over the steps costs about the same; of the others the first pass is measured."""
CITY = 8_400_000
SIZES = (1_000, 10_000, 100_000, 1_000_000, CITY)


@cache
def networks() -> tempfile.TemporaryDirectory[str]:
    """Where the networks are that all engines read."""
    return tempfile.TemporaryDirectory()


def prepare(n: int) -> str:
    """The folder, with the networks of n agents in it."""
    from ethogram.populations.generators import barabasi_albert, erdos_renyi

    folder = Path(networks().name)
    if not (folder / f"random-{n}-indptr.npy").exists():
        for kind, network in (("scale-free", barabasi_albert(n, 5, rng=1)), ("random", erdos_renyi(n, 10 / (n - 1), rng=1))):
            for part in ("indices", "indptr"):
                np.save(folder / f"{kind}-{n}-{part}.npy", getattr(network, part))
    return str(folder)


def run(engine: str, model: str, n: int, steps: int = STEPS, threads: int = 1, times: int = 1) -> dict[str, Any]:
    """What an engine takes for a model: the best of `times` processes; `cpu` and `wall` in seconds, `found`."""
    python = installed(PEERS[engine]) if engine in PEERS else Path(sys.executable)
    script = "c.py" if engine == "c" else f"{engine}_.py"
    passes = 3 if model in SETTLED and engine in ("c", "ethogram") and n < CITY else 1
    command = [str(python), str(SCRIPTS / script), prepare(n), model, str(n), str(steps), str(passes)]
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS")
    quiet = {"PYTHONWARNINGS": "ignore", "STARSIM_INSTALL_FONTS": "0"}
    env = {**os.environ, **quiet, **dict.fromkeys(names, str(threads)), "PYTHONPATH": str(ROOT / "src")}
    made = []
    for _ in range(times):
        done = subprocess.run(command, capture_output=True, text=True, timeout=1200, env=env, check=False)
        if done.returncode:
            raise RuntimeError(f"{engine} failed on {model} with {n:,} agents:\n{done.stderr[-2000:]}")
        made.append(json.loads(done.stdout.strip().splitlines()[-1]))
    return {**made[0], "cpu": min(m["cpu"] for m in made), "wall": min(m["wall"] for m in made)}


def speed(n: int, found: dict[str, Any], steps: int = STEPS) -> float:
    """Millions of agent-steps by second of CPU."""
    return n * steps / found["cpu"] / 1e6


def checks(model: str, n: int, engine: str, found: dict[str, Any]) -> list[Row]:
    """The figures by which engines are compared."""
    return [
        Row("columns", f"{model}, {n:,} agents", f"{engine}: {k}", v, "") for k, v in found["found"].items() if k != "peak"
    ]


def beside_c() -> list[Row]:
    """ethogram and hand-written C, in turn."""
    rows = []
    for n in (1_000_000, CITY):
        for model in ("wealth", "sir", "opinion"):
            case = f"{model}, {n:,} agents"
            ours = theirs = None
            for _ in range(3 if n < CITY else 2):
                one, other = run("ethogram", model, n), run("c", model, n)
                ours = one if ours is None or one["cpu"] < ours["cpu"] else ours
                theirs = other if theirs is None or other["cpu"] < theirs["cpu"] else theirs
            assert ours is not None and theirs is not None
            rows += [
                Row("columns", case, "ethogram, million agent-steps a core-second", speed(n, ours), "M/s"),
                Row("columns", case, "C, million agent-steps a core-second", speed(n, theirs), "M/s"),
                Row("columns", case, "ethogram / C, time", ours["cpu"] / theirs["cpu"], "×", most=1.5),
                Row("columns", case, "ethogram, peak memory", ours["found"]["peak"], "MB"),
                *checks(model, n, "ethogram", ours),
                *checks(model, n, "C", theirs),
            ]
    return rows


BESIDE = (
    (1_000_000, "wealth", ("agent_torch", "ambr", "mesa_frames"), 1.5),
    (1_000_000, "sir", ("ambr", "starsim", "agent_torch", "mesa_frames"), 3),
    (1_000_000, "schelling", ("agent_torch",), 2),
    (1_000_000, "opinion", ("agent_torch",), 8),
    *((100_000, model, ("mesa",), 100) for model in MODELS),
)
"""Agents, model, other frameworks, and how many times as fast as the fastest of them ethogram is to be."""


def beside_frameworks() -> list[Row]:
    """ethogram and other frameworks that run on a CPU."""
    rows = []
    for n, model, peers, goal in BESIDE:
        case = f"{model}, {n:,} agents"
        ours = run("ethogram", model, n, times=2)
        rows += [Row("columns", case, "ethogram, million agent-steps a core-second", speed(n, ours), "M/s")]
        rows += checks(model, n, "ethogram", ours)
        fastest = 0.0
        for peer in peers:
            steps = 5 if (peer, model) in (("agent_torch", "opinion"), ("mesa_frames", "sir")) else STEPS
            found = run(peer, model, n, steps)
            fastest = max(fastest, speed(n, found, steps))
            rows.append(Row("columns", case, f"{peer}, million agent-steps a core-second", speed(n, found, steps), "M/s"))
            rows += checks(model, n, f"{peer} ({steps} steps)", found)
        rows.append(Row("columns", case, "ethogram / fastest peer, speed", speed(n, ours) / fastest, "×", least=goal))
    return rows


def whole(engine: str, model: str, n: int) -> float:
    """CPU seconds of a whole process: import, build, compile or load, and 20 steps."""
    before = os.times()
    run(engine, model, n, STEPS - 1)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def small() -> list[Row]:
    """A thousand agents, everything included, with the compiled loops kept from an earlier run."""
    rows = []
    for model in MODELS:
        run("ethogram", model, 1_000)  # compiles, if nothing has
        ours, theirs = (min(whole(engine, model, 1_000) for _ in range(2)) for engine in ("ethogram", "mesa"))
        case = f"{model}, 1,000 agents, the whole process"
        rows += [
            Row("columns", case, "ethogram", ours, "s"),
            Row("columns", case, "mesa", theirs, "s"),
            Row("columns", case, "ethogram / mesa", ours / theirs, "×", most=1),
        ]
    return rows


def scaling() -> list[Row]:
    """Cost of an agent-step by size, and what a second thread brings."""
    rows = []
    for model in MODELS:
        costs = {}
        for n in SIZES[2:]:
            found = run("ethogram", model, n, times=2)
            costs[n] = 1e9 * found["cpu"] / n / STEPS
            rows.append(Row("columns", f"{model}, {n:,} agents", "ethogram, an agent-step", costs[n], "ns"))
        goal = 1.25 if model in ("wealth", "schelling") else None  # the others gather at random beyond the cache
        ratio = max(costs.values()) / costs[100_000]
        rows.append(
            Row("columns", f"{model}, 10⁵ to 8.4 · 10⁶ agents", "dearest / 10⁵, an agent-step", ratio, "×", most=goal)
        )
    for model in ("wealth", "sir"):
        one, two = (run("ethogram", model, 1_000_000, threads=t, times=3) for t in (1, 2))
        assert {**one["found"], "peak": 0} == {**two["found"], "peak": 0}, "results depend on the number of threads"
        case = f"{model}, 1,000,000 agents"
        rows.append(Row("columns", case, "one thread / two, wall time", one["wall"] / two["wall"], "×", least=1.7))
    return rows


CITY_RUN = """
import json, resource, sys, time
import numpy as np
from ethogram.populations.network import Network
from ethogram.simulation import simulate
from ethogram.worlds.coded.epidemic import Epidemic
from ethogram.columns import observed
indptr, indices = (np.load(f"{sys.argv[1]}/random-{sys.argv[2]}-{part}.npy") for part in ("indptr", "indices"))
n = int(sys.argv[2])
network = Network(indptr, indices)
del indptr, indices
world = Epidemic(n, contacts=network)
began, busy = time.perf_counter(), time.process_time()
run = simulate(world, steps=100, seed=1)
wall, cpu = time.perf_counter() - began, time.process_time() - busy
table = observed(run)
assert table.height >= 100
peak = next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak, "recovered": int(table["recovered"][-1]) / n}))
"""


def city() -> list[Row]:
    """A whole epidemic of a city, with the counts of each day recorded."""
    command = [sys.executable, "-c", CITY_RUN, prepare(CITY), str(CITY)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"the epidemic of a city failed:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout)
    case = f"an epidemic of 100 days, {CITY:,} people, daily counts recorded"
    return [
        Row("columns", case, "two threads, wall time", found["wall"], "s", most=15),
        Row("columns", case, "CPU", found["cpu"], "s"),
        Row("columns", case, "peak memory", found["peak"], "MB", most=1024),
        Row("columns", case, "recovered at the end", found["recovered"], ""),
    ]


def begun() -> list[Row]:
    """Import and first step, with the compiled loops kept from an earlier run."""
    code = (
        "import time; began = time.perf_counter()\n"
        "from ethogram.worlds.coded.wealth import Wealth\n"
        "world = Wealth(100_000); world.reset(seed=1); world.step({})\n"
        "print(time.perf_counter() - began)"
    )
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in "1234"
    ]
    return [Row("columns", "wealth, 100,000 agents", "import and first step", min(times), "s", most=0.6)]


def measure() -> list[Row]:
    """All of it."""
    with networks():
        return [*begun(), *small(), *beside_c(), *beside_frameworks(), *scaling(), *city()]
