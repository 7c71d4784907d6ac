"""Where simulations are computed: in this process, in several of this machine, or on a Ray cluster."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

from ethogram.errors import ConfigError, EthogramError, RunError, not_installed

__all__ = ["Executor", "Outcome", "Processes", "Ray", "Task", "executor"]

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
DIED = "a worker process died while this, or what ran beside it, was computed (look for its message above; out of memory?)"
GIVE_UP = 3
"""After so many pools of processes in a row that gave nothing."""


class Task(Protocol):
    """Something to be computed, that depends on nothing but what is in it."""

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """What another process must be able to find."""
        ...

    def compute(self) -> Any:
        """The result."""
        ...


class Outcome(NamedTuple):
    """What came of a task."""

    at: int
    """Its number."""
    result: Any
    error: str = ""
    """Why there is no result; else empty."""


class Executor(Protocol):
    """Computes tasks somewhere. Within a `with` block, what it started goes on from call to call."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

    def outcomes(self, tasks: Sequence[tuple[int, Task]]) -> Iterator[Outcome]:
        """The outcome of each numbered task, as they come in; one that fails does not hold up the others."""
        ...


def executor(workers: int | Executor, tasks: int) -> Executor:
    """What computes so many tasks. A budget is kept by one process alone, so inside of one there are no others.

    Raises:
        ConfigError: the number of workers is not positive.
    """
    from ethogram.language.budget import in_force

    if not isinstance(workers, int):
        return workers
    if workers < 1:
        raise ConfigError(f"workers is {workers}, and must be at least 1")
    return Here() if workers == 1 or tasks < 2 or in_force() else Processes(min(workers, tasks))


def attempt(at: int, task: Task) -> Outcome:
    """The outcome of a task. It is what workers run, so it does not raise."""
    try:
        return Outcome(at, task.compute())
    except EthogramError as error:
        return Outcome(at, None, str(error) or type(error).__name__)
    except Exception as error:
        import traceback

        last = traceback.extract_tb(error.__traceback__)[-1]
        return Outcome(at, None, f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno})")


class Held:
    """Something that begins with the outermost `with` block around it, and ends with that."""

    _depth = 0

    def __enter__(self) -> Self:
        if not self._depth:
            self._begin()
        self._depth += 1
        return self

    def __exit__(self, *exc: object) -> None:
        self._depth -= 1
        if not self._depth:
            self._end()

    def _begin(self) -> None:
        """Start what there is to start."""

    def _end(self) -> None:
        """End it."""


class Here(Held):
    """This process."""

    def outcomes(self, tasks: Sequence[tuple[int, Task]]) -> Iterator[Outcome]:
        """The outcomes in order."""
        for at, task in tasks:
            yield attempt(at, task)


class Processes(Held):
    """Processes of this machine, one thread each. They end with this one, even if it is killed.

        with Processes(2) as workers:                        # started once, for both
            first = sweep(scene, points, measure=measure, workers=workers)
            second = sweep(scene, others, measure=measure, workers=workers)

    Args:
        count: how many.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool: ProcessPoolExecutor | None = None
        self._others: set[Any] = set()

    def _end(self) -> None:
        """End the processes at once."""
        if self._pool is None:
            return
        ours = set(multiprocessing.active_children()) - self._others
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in ours:
            process.kill()
            process.join()
        self._pool = None

    def outcomes(self, tasks: Sequence[tuple[int, Task]]) -> Iterator[Outcome]:
        """The outcomes as they come in. Where a process dies, what was under way fails and new processes go on.

        Raises:
            ConfigError: a function of a task cannot be handed to another process.
            RunError: processes die again and again before anything has come of them.
        """
        waiting, deaths = list(reversed(tasks)), 0
        if waiting:
            portable(waiting[-1][1])
        with one_thread_each():
            while waiting:
                deaths += 1
                for found in self._until_one_dies(waiting):
                    deaths = deaths if found.error == DIED else 0
                    yield found
                if deaths == GIVE_UP:
                    raise RunError(
                        "the worker processes die before anything is computed: look for their message above (a script "
                        "with workers must have what it does under if __name__ == '__main__')"
                    )

    def _until_one_dies(self, waiting: list[tuple[int, Task]]) -> Iterator[Outcome]:
        if self._pool is None:
            self._others = set(multiprocessing.active_children())
            self._pool = ProcessPoolExecutor(self.count, multiprocessing.get_context("spawn"), begin)
        flying: dict[Future[Outcome], int] = {}
        broken = False
        while flying or (waiting and not broken):
            while waiting and not broken and len(flying) < self.count:
                try:
                    future = self._pool.submit(attempt, *waiting[-1])
                except BrokenProcessPool:
                    broken = True
                else:
                    flying[future] = waiting.pop()[0]
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                at, died = flying.pop(future), isinstance(future.exception(), BrokenProcessPool)
                broken = broken or died
                yield Outcome(at, None, DIED) if died else future.result()
        if broken:
            self._end()


def begin() -> None:
    """The beginning of a worker: leave interrupts to the parent, and go when it goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def portable(task: Task) -> None:
    """ConfigError where a task's functions are not at the top of a module, where other processes find them."""
    for function in task.functions:
        try:
            pickle.dumps(function)
        except (pickle.PicklingError, AttributeError) as error:
            name = getattr(function, "__qualname__", function)
            raise ConfigError(f"{name} must be defined at the top of a module to be used in several processes") from error


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes that are started inside of the block share the cores among themselves: each computes on one thread."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class Ray(Held):
    """A Ray cluster, with the extra `ray`: `sweep(..., workers=Ray("auto"))`.

    Results come back to the caller, who keeps them. Runs that `compare` keeps are written where they are computed, so its
    folder should then be one that all nodes share.

    Args:
        address: of the cluster, as `ray.init` takes it (`auto`, `host:port`, `ray://host:port`); None: one that is started
            on this machine.
        cpus: how many processors a simulation takes.
        **options: further ones of `ray.init`; `runtime_env={"working_dir": "."}` brings your modules to all nodes.
    """

    def __init__(self, address: str | None = None, cpus: float = 1, **options: Any) -> None:
        self.address = address
        self.cpus = cpus
        self.options = {"log_to_driver": False, **({} if address else {"include_dashboard": False}), **options}
        self._ours = False

    def _begin(self) -> None:
        try:
            import ray
        except ModuleNotFoundError as error:
            raise not_installed(error, "computing on Ray") from error
        if not ray.is_initialized():
            try:
                ray.init(address=self.address, **self.options)
            except (ConnectionError, ValueError) as error:
                raise ConfigError(f"there is no Ray cluster at {self.address!r}: {error}") from error
            self._ours = True

    def _end(self) -> None:
        import ray

        if self._ours:
            ray.shutdown()
            self._ours = False

    def outcomes(self, tasks: Sequence[tuple[int, Task]]) -> Iterator[Outcome]:
        """The outcomes as they come in; what a lost machine was at is computed again elsewhere."""
        import ray
        from ray.exceptions import RayError

        remote = ray.remote(attempt).options(num_cpus=self.cpus)
        room = max(1, 2 * int(ray.cluster_resources().get("CPU", 1) / self.cpus))
        waiting = list(reversed(tasks))
        flying: dict[Any, int] = {}
        while waiting or flying:
            while waiting and len(flying) < room:
                at, task = waiting.pop()
                flying[remote.remote(at, task)] = at
            for reference in ray.wait(list(flying))[0]:
                at = flying.pop(reference)
                try:
                    yield ray.get(reference)
                except RayError as error:
                    yield Outcome(at, None, str(error).strip().splitlines()[-1])
