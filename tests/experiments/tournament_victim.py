"""A tournament that is meant to be killed: `python tournament_victim.py FOLDER LOG`."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np

from ethogram.experiments.matches import matrix_match, points
from ethogram.experiments.tournaments import tournament
from ethogram.scene import scene

NAMES = ("tit for tat", "always second", "random")


@scene
def slow_match(seats, log=None):
    """A match that leaves a line in a log when it is built, and takes its time."""
    world, policies, _ = matrix_match(seats, rounds=5)
    if log:
        with Path(log).open("a") as file:
            file.write("built\n")
        time.sleep(0.1)
    return world, policies


def both(paths, world):
    """Points by seat, and one number for the match."""
    return {**points(paths, world), "total": float(np.sum(points(paths, world)["points"]))}


def played(folder, log):
    """The tournament of the test."""
    options = {"log": str(log)} if log else {}
    return tournament(NAMES, slow_match, measure=both, replicates=3, workers=2 if log else 1, to=folder, arguments=options)


if __name__ == "__main__":
    played(sys.argv[1], sys.argv[2])
