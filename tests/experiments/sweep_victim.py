"""An experiment that is meant to be killed: `python sweep_victim.py FOLDER LOG`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from outbreak import cases, outbreak

from ethogram.experiments import compare


def experiment(folder, log):
    arms = {name: {"beta": beta, "log": str(log), "hold": 0.15} for name, beta in (("a", 0.4), ("b", 0.6))}
    return compare(outbreak, arms, measure=cases, replicates=6, steps=20, workers=2, to=folder)


if __name__ == "__main__":
    experiment(sys.argv[1], sys.argv[2])
