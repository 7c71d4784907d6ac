"""The lab: what a study's `run(config, lab)` works with. It keeps every run in the study's folder and does none twice."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ethogram.errors import BudgetExhausted, ConfigError
from ethogram.seeds import derive

if TYPE_CHECKING:
    from ethogram.records import Run
    from ethogram.scene import Scene
    from ethogram.simulation import Intervention

__all__ = ["Lab"]

T = TypeVar("T")
R = TypeVar("R")


class Lab:
    """A study's folder, its seed and its model.

    Args:
        dir: the study's folder; runs go to `dir/runs/NAME`.
        seed: of the whole study: whatever is random in it derives from it.
        model: the spelling of the language model (or the surrogate's word), to be given to scenes; empty where none plays.
        progress: show progress on the terminal; None: where there is one.
    """

    def __init__(self, dir: str | Path, seed: int = 0, model: str = "", progress: bool | None = None) -> None:
        self.dir = Path(dir)
        self.seed = seed
        self.model = model
        self.progress = progress
        self.stopped = ""
        """Why a budget ended a run, once one has."""

    def seeds(self, n: int) -> list[int]:
        """`n` seeds for replications, the same whenever the study is run with this seed."""
        return [derive(self.seed, "replication", i) for i in range(n)]

    def simulate(
        self,
        name: str,
        scene: Scene,
        *,
        steps: int | None = None,
        episodes: int = 1,
        seed: int | None = None,
        interventions: Sequence[Intervention] = (),
        record: Literal["all", "actions", "none"] = "all",
        checkpoint_every: int | None = None,
    ) -> Run:
        """Run a scene and keep it as `runs/NAME`. A run that is there is gone on with, or returned where it is complete.

        Args:
            name: of the run, as in `full-seed-3`.
            scene: made by a `@scene` function, so that the run can be replayed, branched and interviewed.
            steps: of each episode; None: until the world ends it.
            episodes: how many.
            seed: the study's own by default.
            interventions: what the experimenter does at which step.
            record: what of the steps is kept.
            checkpoint_every: steps between two checkpoints; None: as `simulate` sees fit.

        Returns:
            The run, complete, or cut short where a budget ran out (`run.manifest.status` is then `stopped`).

        Raises:
            RunError: `runs/NAME` holds a run of something else.
            BudgetExhausted: a budget has already ended an earlier run.
        """
        from ethogram.simulation import simulate

        if scene.recipe is None:
            raise ConfigError(f"the scene of run {name!r} must be made by a function marked @scene")
        path = self.dir / "runs" / name
        if self.stopped and not _complete(path):
            raise BudgetExhausted(f"run {name!r} was not begun: {self.stopped}")
        run = simulate(
            scene,
            steps=steps,
            episodes=episodes,
            seed=self.seed if seed is None else seed,
            to=path,
            interventions=interventions,
            resume=True,
            record=record,
            checkpoint_every=checkpoint_every,
            progress=self.progress,
        )
        if run.manifest.status == "stopped":
            self.stopped = run.manifest.reason
        return run

    def map(self, function: Callable[[T, Lab], R], items: Iterable[T], processes: int = 1) -> list[R]:
        """`[function(item, lab) for item in items]`, on several processes where asked: for arms × seeds that are cheap.

        Args:
            function: defined at the top level of a module; may call `lab.simulate` with a name of the item's own.
            items: JSON-like values.
            processes: how many; each imports the study afresh, which takes about a second. A budget is kept by one alone.
        """
        from ethogram.language.budget import in_force

        work = list(items)
        if processes == 1 or len(work) < 2 or in_force():
            return [function(item, self) for item in work]
        import signal
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import active_children, get_context

        os.environ.setdefault("OMP_NUM_THREADS", "1")  # the workers share the cores among themselves
        quiet = Lab(self.dir, self.seed, self.model, progress=False)
        module = sys.modules[function.__module__]
        call = partial(_call, module.__name__, module.__file__, function.__name__, quiet)
        # an interrupt kills the workers outright: their runs are safe against that, and the parent says what happened
        interrupt = (signal.SIGINT, signal.SIG_DFL)
        with ProcessPoolExecutor(min(processes, len(work)), get_context("spawn"), signal.signal, interrupt) as pool:
            try:
                return list(self._tracked(pool.map(call, work), function.__name__, len(work)))
            except BaseException:
                for worker in active_children():
                    worker.terminate()
                raise

    def parts(self, function: Callable[[T, Lab], R], items: Iterable[T], processes: int = 1) -> list[R]:
        """Like `map`, and each result is kept in `dir/parts`, so that a study that was cut short goes on where it was.

        Args:
            function: defined at the top level of a module; gives JSON values.
            items: JSON values; each names one part of the study (an arm and a seed), and is the key of its result.
            processes: how many; each computes on one thread.
        """
        work = list(items)
        paths = [self.dir / "parts" / f"{function.__name__}-{_digest(item)}.json" for item in work]
        missing = [(item, str(path), function.__name__) for item, path in zip(work, paths, strict=True) if not path.exists()]
        if missing:
            (self.dir / "parts").mkdir(parents=True, exist_ok=True)
            module = sys.modules[function.__module__]
            named = [(item, path, name, module.__name__, module.__file__) for item, path, name in missing]
            self.map(_part, named, processes)
        return [json.loads(path.read_text("utf-8"))["result"] for path in paths]

    def made(self, name: str, make: Callable[[Path], None]) -> Path:
        """The folder `dir/made/NAME` with what `make(folder)` put there (data, a fitted policy): made once, then kept.

        `make` gets an unfinished folder that an earlier, interrupted attempt may have left things in.
        """
        path = self.dir / "made" / name
        if not path.exists():
            unfinished = path.with_name(path.name + ".part")
            unfinished.mkdir(parents=True, exist_ok=True)
            make(unfinished)
            try:
                unfinished.rename(path)
            except OSError:  # another process has made it meanwhile
                if not path.exists():
                    raise
                shutil.rmtree(unfinished, ignore_errors=True)
        return path

    def _tracked(self, results: Iterable[R], name: str, total: int) -> Iterable[R]:
        """The results, with a progress line on the terminal while they come in."""
        from rich.console import Console
        from rich.progress import track

        shown = sys.stderr.isatty() if self.progress is None else self.progress
        return track(results, name, total, console=Console(stderr=True), transient=True, disable=not shown)


def _digest(item: Any) -> str:
    return hashlib.blake2b(json.dumps(item, sort_keys=True).encode(), digest_size=10).hexdigest()


def _part(work: tuple[Any, str, str, str, str | None], lab: Lab) -> None:
    """Compute one part of a study and keep its result, with what it is the result of."""
    from ethogram.records.manifest import replace_file

    item, path, name, module, file = work
    result = _call(module, file, name, lab, item)
    text = json.dumps({"part": name, "item": item, "result": result}, ensure_ascii=False, indent=1)
    replace_file(Path(path), text.encode() + b"\n")


def _call(module: str, file: str | None, name: str, lab: Lab, item: Any) -> Any:
    """Call a function by name in a worker process, where a user's study file must be imported first."""
    from ethogram.studies.registry import USER, user_module

    found = user_module(Path(file)) if file and module.startswith(USER) else importlib.import_module(module)
    return getattr(found, name)(item, lab)


def _complete(path: Path) -> bool:
    """Whether there is a complete run in the folder."""
    from ethogram.records import Manifest

    return (path / "manifest.json").exists() and Manifest.read(path).status == "complete"
