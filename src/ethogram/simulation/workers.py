"""Workers: processes that run episodes of scenes."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from ethogram.errors import EthogramError, RunError
from ethogram.records.trajectories import Trajectory
from ethogram.scene import Recipe

__all__ = ["Job", "Workers"]


class Job(NamedTuple):
    """Episodes to be run side by side."""

    recipe: Recipe | None
    seed: int
    steps: int | None
    episodes: list[int]
    copied: bool
    """Whether agents are named as those of copies are, even if it is one episode."""


class Workers:
    """Processes that run episodes; kept between calls of `rollouts`, so that what they import is paid for once.

        with Workers(2) as workers:
            for epoch in range(10):
                found = rollouts(scene(epoch), episodes=100, workers=workers)

    Each builds a scene when its recipe first comes, and keeps it until another one comes. An interrupt, an error or the end
    of the `with` block ends them.

    Args:
        count: how many.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._processes: dict[Connection, Any] = {}

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes at once."""
        for connection, process in self._processes.items():
            connection.close()
            process.kill()
            process.join()
        self._processes = {}

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        while len(self._processes) < self.count:
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs,), daemon=True, name="ethogram-worker")
            process.start()
            theirs.close()
            self._processes[ours] = process

    def map(self, jobs: Sequence[Job], advance: Callable[[int], None]) -> list[list[Trajectory]]:
        """The result of each job, in order. `advance` hears of the number of episodes that are complete.

        Raises:
            RunError: a worker died; the others are ended.
            EthogramError: what a job raised; the workers are ended.
        """
        found: list[list[Trajectory]] = [[] for _ in jobs]
        try:
            self._start()
            waiting = iter(enumerate(jobs))
            busy: dict[Connection, tuple[int, Job]] = {}
            idle = list(self._processes)
            while True:
                while idle and (following := next(waiting, None)) is not None:
                    self._send(idle[-1], following[1])
                    busy[idle.pop()] = following
                if not busy:
                    return found
                for connection in wait(list(busy)):
                    assert isinstance(connection, Connection)
                    at, job = busy.pop(connection)
                    found[at] = self._receive(connection, job)
                    idle.append(connection)
                    advance(len(job.episodes))
        except BaseException:
            self.close()
            raise

    def _send(self, connection: Connection, job: Job) -> None:
        with contextlib.suppress(OSError):  # a dead worker is noticed where its answer is read
            connection.send(job)

    def _receive(self, connection: Connection, job: Job) -> list[Trajectory]:
        try:
            answer = connection.recv()
        except (EOFError, OSError):
            process = self._processes[connection]
            process.join()
            raise RunError(
                f"a worker died (exit code {process.exitcode}) in episode {job.episodes[0]}: look for its message above, "
                "and for what may have ended it (memory); then run again, with fewer workers if need be"
            ) from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def serve(connection: Connection) -> None:
    """The work of a worker: run the jobs that come, until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the parent, which ends its workers
    os.environ["OMP_NUM_THREADS"] = "1"
    from ethogram.simulation.rollouts import Stage

    recipe: Recipe | None = None
    stage: Stage | None = None
    with contextlib.suppress(EOFError, OSError):
        while True:
            job: Job = connection.recv()
            try:
                if stage is None or job.recipe != recipe:
                    assert job.recipe is not None
                    stage, recipe = Stage(job.recipe.build()), job.recipe
                answer: Any = stage.run(job)
            except EthogramError as error:
                answer = error
            except Exception as error:
                import traceback

                traceback.print_exc()
                answer = RunError(f"episode {job.episodes[0]} failed in a worker: {type(error).__name__}: {error}")
            connection.send(answer)
