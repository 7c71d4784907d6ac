"""A long record of a town, for what must be quick: rows of a short real run, over and over, with times of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from ethogram.records import Run
from ethogram.records.journal import Commit
from ethogram.records.recorder import Recorder
from ethogram.records.tables import StepCodec

PIECE = 5_000
"""Steps written at once."""


def lengthened(run: Run, to: Path, steps: int) -> Run:
    """Write a record of `steps` steps in which all agents of `run` act, with its observations and actions."""
    manifest = run.manifest.model_copy(
        update={"recipe": None, "status": "running", "sealed": 0, "segments": [], "checkpoints": [], "steps_done": 0}
    )
    codec = StepCodec(manifest.spaces)
    rows = run.arrow("steps")
    agents = manifest.agents
    recorder = Recorder.create(to, manifest, codec)
    rest = [
        (text or ",")[(text or ",").index(",") :] for text in rows["observation"].to_pylist()
    ]  # behind the time, so that all differ
    own = [np.flatnonzero(np.array(rows["agent"].to_pylist()) == agent)[:-2] for agent in agents]
    for first in range(0, steps, PIECE):
        n = min(PIECE, steps - first)
        step = np.repeat(np.arange(first, first + n), len(agents))
        picked = np.stack([some[np.arange(first, first + n) % len(some)] for some in own], axis=1).ravel()
        seen = [f'{{"time":{420.0 + 10 * s}{rest[k]}' for s, k in zip(step.tolist(), picked.tolist(), strict=True)]
        done = rows["action"].take(pa.array(picked)).combine_chunks()
        batch = pa.RecordBatch.from_arrays(
            [
                pa.array(np.zeros(len(step), np.int32)),
                pa.array(step.astype(np.int32)),
                pa.array(420.0 + 10.0 * step),
                pa.array(agents * n, pa.string()),
                pa.array(seen, pa.string()),
                done,
                pa.array(np.zeros(len(step))),
                pa.array([""] * len(step), pa.string()),
                pa.nulls(len(step), pa.string()),
            ],
            schema=codec.schema,
        )
        recorder.commit(Commit(0, first + n - 1, batch, [], n))
        manifest.steps_done += n
        if recorder.wants_sealing:
            recorder.seal(None)
    recorder.finish("complete", "", 1.0, None, "")
    recorder.close()
    return Run(to)
