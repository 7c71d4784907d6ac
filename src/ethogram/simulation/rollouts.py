"""rollouts: many episodes of a scene, in parallel, kept in memory.

For evaluating a policy or gathering data. Episode i begins in the same way whatever the policy is, and comes out the same
however many processes share the work. It is the loop of `simulate` that runs; what is left out is the run folder.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral

from ethogram.aio import run_coroutine
from ethogram.errors import ConfigError
from ethogram.records.descriptions import covering
from ethogram.records.trajectories import Trajectories, Trajectory
from ethogram.scene import Policies, Scene
from ethogram.seeds import derive
from ethogram.simulation.copies import Copies
from ethogram.simulation.crew import Crew
from ethogram.simulation.entry import as_scene, codec_for
from ethogram.simulation.loop import Loop, Place
from ethogram.simulation.memory import FAULTS, Memory
from ethogram.simulation.progress import bar
from ethogram.simulation.sessions import RunSession
from ethogram.simulation.workers import Job, Workers
from ethogram.world import World

__all__ = ["Stage", "rollouts"]


def rollouts(
    world: World | Scene,
    policies: Policies | None = None,
    *,
    episodes: int | Sequence[int] = 1,
    steps: int | None = None,
    seed: int = 0,
    workers: int | Workers = 1,
    together: int = 1,
    progress: bool | None = None,
) -> Trajectories:
    """Run episodes and return them as trajectories, in the order of `episodes` and of the world's agents.

    Episode i is the one that `simulate(world, policies, seed=seed)` runs as its episode i: the world is reset with
    `derive(seed, "world", i)` and the policies with `derive(seed, "policy", i)`. A policy must forget between episodes all
    that `reset` does not give back.

    Args:
        world: a world, or a scene (then `policies` is left out); a scene made by a function marked `@scene` where `workers`
            or `together` is more than 1.
        policies: as in `simulate`.
        episodes: how many (the first so many), or which.
        steps: at most so many steps an episode; None: until the world ends it.
        seed: everything random derives from it.
        workers: how many processes share the work, started for this call; or `Workers` that are kept between calls.
        together: so many copies of the world are stepped side by side, and the policies act on all of them in one call.
            They then see agents called `agent@0`, `agent@1` ... and are reset once for the group, with the seed of its first
            episode. Groups do not depend on `workers`, and so the results do not either.
        progress: show a progress line; None: where the terminal can.

    Warns:
        RuntimeWarning: actions were no members of their space; the outcome `faults` counts those of each trajectory.

    Raises:
        ConfigError: wrong arguments.
        RunError: a worker died.
    """
    scene = as_scene(world, policies)
    count, most = workers.count if isinstance(workers, Workers) else workers, 1 if steps is None else steps
    for name, value, least in (("steps", most, 1), ("workers", count, 1), ("together", together, 1), ("seed", seed, 0)):
        if not (isinstance(value, Integral) and value >= least):
            raise ConfigError(f"{name} is {value!r}, and must be a whole number, at least {least}")
    if not isinstance(episodes, Integral | Iterable):
        raise ConfigError(f"episodes is {episodes!r}: give how many, or numbers from 0 on")
    chosen = list(range(int(episodes))) if isinstance(episodes, Integral) else list(episodes)
    if not chosen or not all(isinstance(i, Integral) and i >= 0 for i in chosen):
        raise ConfigError(f"episodes is {episodes!r}: give how many, or numbers from 0 on")
    if scene.recipe is None and (together > 1 or isinstance(workers, Workers) or workers > 1):
        raise ConfigError(
            "several workers or copies need a scene that can be built again: write a function in a module that returns "
            "world and policies, mark it @scene (from ethogram.scene), and give what it returns"
        )
    groups = [chosen[i : i + together] for i in range(0, len(chosen), together)]
    jobs = [Job(scene.recipe, seed, steps, group, together > 1) for group in groups]
    with bar(scene.world.metadata.get("name", "episodes"), len(chosen), progress) as advance:
        if isinstance(workers, int) and workers == 1:
            stage = Stage(scene)
            found = []
            for job in jobs:
                found.append(stage.run(job))
                advance(len(job.episodes))
        elif isinstance(workers, Workers):
            found = workers.map(jobs, advance)
        else:
            with Workers(min(workers, len(jobs))) as started:
                found = started.map(jobs, advance)
    agents, of = scene.world.possible_agents, (scene.world.observation_space, scene.world.action_space)
    spaces = (covering(space(agent) for agent in agents) for space in of)
    trajectories = [t for group in found for t in group]
    if faulty := [t for t in trajectories if FAULTS in t.outcome]:
        warnings.warn(_told(faulty, len(trajectories)), RuntimeWarning, stacklevel=2)
    return Trajectories.of(trajectories, *spaces)


def _told(faulty: list[Trajectory], total: int) -> str:
    """What the warning about actions outside their space says."""
    count = sum(int(t.outcome[FAULTS]) for t in faulty)
    what = "1 action" if count == 1 else f"{count} actions"
    were = "was no member of its space" if count == 1 else "were no members of their space"
    return (
        f"{what} in {len(faulty)} of {total} trajectories {were}, and the idle action was taken instead: the outcome "
        f"{FAULTS!r} counts them, and simulate records what was wrong"
    )


class Stage:
    """A scene on which episodes are run; copies of its world are built when they are first needed.

    Args:
        scene: world and policies.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._worlds = [scene.world]
        self._crew = Crew(scene.policies, scene.world.possible_agents)
        self._codec = codec_for(scene.world)

    def run(self, job: Job) -> list[Trajectory]:
        """The trajectories of a job's episodes, in order."""
        with one_thread():
            return self._together(job) if job.copied else self._alone(job)

    def _alone(self, job: Job) -> list[Trajectory]:
        world, (episode,) = self.scene.world, job.episodes
        memory = self._play(world, self._crew, job)
        return memory.trajectories(episode, {a: a for a in world.possible_agents}, world.outcome())

    def _together(self, job: Job) -> list[Trajectory]:
        assert job.recipe is not None
        while len(self._worlds) < len(job.episodes):
            self._worlds.append(job.recipe.build().world)
        copies = Copies(self._worlds[: len(job.episodes)], [derive(job.seed, "world", i) for i in job.episodes])
        crew = Crew(lambda agent: self._crew.of[copies.home[agent][1]], copies.possible_agents)
        memory = self._play(copies, crew, job)
        found = []
        for i, episode in enumerate(job.episodes):
            names = {name: own for name, (copy, own) in copies.home.items() if copy == i}
            found += memory.trajectories(episode, names, copies.worlds[i].outcome())
        return found

    def _play(self, world: World, crew: Crew, job: Job) -> Memory:
        episode = job.episodes[0]
        memory = Memory(world)
        loop = Loop(
            world=world,
            crew=crew,
            session=RunSession(job.seed, on_call=lambda order, call: None, say=print),
            codec=self._codec,
            seed=job.seed,
            episodes=episode + 1,
            steps=job.steps,
            record="none",
            memory=memory,
            place=Place(episode, 0),
        )
        run_coroutine(loop.run())
        return memory


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread, where it is loaded: sums then do not depend on the machine's cores."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
