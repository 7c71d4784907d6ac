"""What designed experiments are tested on: laws with planted effects, at the top of a module so that processes find them."""

import os
from pathlib import Path

from ethogram.seeds import generator


def planted(assignment, seed):
    """0.6 for persona b, 0.3 a unit of dose; the unit's own level and luck each have a standard deviation of 1."""
    own = generator(assignment["unit"], "own").normal()
    luck = generator(seed, str(assignment)).normal()
    return 0.6 * (assignment.get("persona") == "b") + 0.3 * assignment.get("dose", 0) + own + luck


def nothing(assignment, seed):
    """The same without effects."""
    return generator(assignment["unit"], "own").normal() + generator(seed, str(assignment)).normal()


def still_life(assignment, seed):
    """Always the same."""
    return 1.0


def logged(assignment, seed):
    """Several outcomes; notes down in the file `log` that it was called, and fails where it is told to."""
    log = Path(assignment["log"])
    with log.open("a") as file:
        file.write(f"{os.getpid()}\n")
    if (log.parent / "fail").exists() and assignment["persona"] == "b":
        raise ValueError("no luck today")
    return {"first": planted(assignment, seed), "second": 1.0}
