"""Four populations that every engine simulates alike, and how a run of one is measured. Needs numpy only.

`wealth`: everybody begins with 1 and at every step gives 1, if there is one, to anybody. `sir`: on a random network of mean
degree 10, an infected contact infects with probability 0.05 and the infected recover with 0.1; 1 % are infected at first.
`schelling`: two kinds on a torus, 80 % of the cells taken; who has fewer than 3 of 8 neighbours of the own kind moves to a
random empty cell. `opinion`: everybody takes the mean of the own and all near (0.2) opinions on a scale-free network.
All synchronous, where the engine can be.

Usage of the scripts beside this one: `python NAME.py NETWORKS MODEL N STEPS PASSES`; prints one line of JSON.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

BETA, GAMMA, INFECTED, NEAR, DENSITY, WANTED = 0.05, 0.1, 0.01, 0.2, 0.8, 3
KINDS = {"sir": "random", "opinion": "scale-free"}


def network(kind, n):
    """The network's indptr and indices."""
    return (np.load(Path(sys.argv[1], f"{kind}-{n}-{part}.npy")) for part in ("indptr", "indices"))


def ties(kind, n):
    """Every tie twice, as sources and targets."""
    indptr, indices = network(kind, n)
    return np.repeat(np.arange(n, dtype=np.int32), np.diff(indptr)), indices


def states(n, dtype=np.int8):
    """Who is infected at first."""
    found = np.zeros(n, dtype)
    found[np.random.default_rng(1).permutation(n)[: round(INFECTED * n)]] = 1
    return found


def opinions(n):
    return np.random.default_rng(1).random(n, np.float32)


def side(n):
    """Cells along a side of the town of n people."""
    return round((n / DENSITY) ** 0.5)


def town(n):
    """Cells: 0 empty, 1 and 2 the kinds of people."""
    cells = np.zeros(side(n) ** 2, np.int8)
    people = np.random.default_rng(1).permutation(cells.size)[: min(n, cells.size - 1)]
    cells[people] = 1 + np.arange(len(people)) % 2
    return cells.reshape(side(n), -1)


def wealth_found(wealth):
    ordered = np.sort(np.asarray(wealth)).astype(float)
    n = len(ordered)
    gini = 2 * (np.arange(1, n + 1) * ordered).sum() / (n * ordered.sum()) - (n + 1) / n
    return {"poor": float((ordered == 0).mean()), "gini": float(gini)}


def sir_found(state):
    state = np.asarray(state)
    return {name: float((state == value).mean()) for value, name in enumerate(("susceptible", "infected", "recovered"))}


def town_found(cells):
    cells = np.asarray(cells)
    alike, company = np.zeros(cells.shape), np.zeros(cells.shape)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            if dy or dx:
                other = np.roll(cells, (dy, dx), (0, 1))
                alike += other == cells
                company += other > 0
    taken = cells > 0
    return {"similar": float((alike[taken] / np.maximum(company[taken], 1)).mean())}


def opinion_found(opinion):
    return {"spread": float(np.asarray(opinion, float).std())}


def peak():
    """The most memory the process has held, in MB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main(models):
    """Build the model of that size, take a first step, and time the steps after it; the best of so many passes."""
    name, n, steps, passes = sys.argv[2], *map(int, sys.argv[3:6])
    model = models[name](n)
    model.run(1)
    cpu, wall, found = [], [], {}
    for _ in range(passes):
        clock, busy = time.perf_counter(), time.process_time()
        model.run(steps)
        wall.append(time.perf_counter() - clock)
        cpu.append(time.process_time() - busy)
        found = found or {**model.found(), "peak": peak()}
    print(json.dumps({"cpu": min(cpu), "wall": min(wall), "found": found}))
