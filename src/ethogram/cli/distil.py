"""What `distil` does."""

from __future__ import annotations

from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from ethogram.cli.record import runs_in
from ethogram.cli.show import console, print_json
from ethogram.errors import ConfigError

__all__ = ["distil_runs"]

HELD_OUT = 0.1
"""The share of the episodes on which the student is judged."""


def distil_runs(path: Path, name: str, to: Path, steps: int, seed: int, as_json: bool) -> None:
    """`ethogram distil`: fit a small policy to the records of a run, or of all runs of a study, and save it."""
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ConfigError(f"{to} is there already: choose another folder with --to")
    import numpy as np

    from ethogram.nn.training import Training
    from ethogram.policies.learned.distilled import Distilled

    data = reduce(add, [run.trajectories() for run in runs_in(path, name).values()])
    train, held_out = data.split(1 - HELD_OUT, HELD_OUT, seed=seed)
    if not len(held_out):
        train = data
    training = Training(steps=steps, batch=256, lr=3e-3, weight_decay=1e-2, schedule="cosine", seed=seed)
    student = Distilled(data.observation_space, data.action_space, seed=seed).fit(train, training)
    student.save(to)
    found: dict[str, Any] = {
        "folder": str(to),
        "trajectories": len(train),
        "steps": int(train.lengths.sum()),
        "templates": len(student.config.templates),
    }
    if len(held_out):
        likely, done = student.likelihoods(held_out)
        _, chosen = student.likelihoods(train)
        counts = np.bincount(chosen, minlength=likely.shape[1]) + 1 / likely.shape[1]
        found["held_out"] = len(done)
        found["log_likelihood"] = float(np.log(likely[np.arange(len(done)), done]).mean())
        found["log_likelihood_frequency"] = float(np.log(counts / counts.sum())[done].mean())
    if as_json:
        print_json(found)
        return
    out = console()
    out.print(f"A student of {found['steps']:,} decisions, with {found['templates']} templates of actions, is in {to}.")
    if len(held_out):
        out.print(
            f"It gives each of {found['held_out']:,} decisions of held-out episodes {found['log_likelihood']:.2f} nats; how "
            f"often each is taken gives {found['log_likelihood_frequency']:.2f}."
        )
    else:
        out.print("There are too few episodes to hold one out, so it has not been judged.")
