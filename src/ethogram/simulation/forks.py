"""What can be done with a record: replay it, put its state back at any step, fork it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ethogram.aio import run_coroutine
from ethogram.errors import ConfigError, RunError
from ethogram.records.recorder import Recorder
from ethogram.records.run import Run
from ethogram.scene import Recipe, Scene
from ethogram.session import Call, Position
from ethogram.simulation.entry import build_loop, codec_for, drive, manifest_of, recorded_end, repeat
from ethogram.simulation.guides import Divergence, RecordedSteps, RecordGuide, explain_call
from ethogram.simulation.loop import Intervention, Loop, Place

__all__ = ["Replay", "branch", "replay", "restore", "scene_of"]


@dataclass
class Replay:
    """What a replay found."""

    steps: int
    agent_steps: int
    calls: int
    divergences: list[Divergence]
    """The first event of each agent that differs from the record; empty where the run repeats bit for bit."""
    seconds: float

    @property
    def exact(self) -> bool:
        """Whether the whole run repeated."""
        return not self.divergences


def scene_of(run: Run) -> Scene:
    """The scene that a run was made of, built again from its recipe."""
    recipe = run.manifest.recipe
    if recipe is None:
        raise RunError(
            f"{run.path} does not say how its world and policies are built (it was not made from a @scene function): "
            "give them yourself, as a Scene"
        )
    return Recipe(recipe["function"], recipe["arguments"]).build()


def _interventions(run: Run) -> list[Intervention]:
    return [Intervention(**i) for i in run.manifest.interventions]


def _loop(run: Run, scene: Scene | None) -> Loop:
    if run.manifest.status == "running":
        raise RunError(f"{run.path} is still running or was killed: wait for it, or resume it first")
    run.demand_sound()
    loop = build_loop(scene or scene_of(run), run.manifest, _interventions(run))
    if loop.codec.specs != run.manifest.spaces:
        raise RunError(f"{run.path} was recorded with other spaces than its world has now, so it cannot be repeated")
    return loop


def replay(run: Run | str | Path, scene: Scene | None = None) -> Replay:
    """Execute a recorded run again, with every model call answered from the record, and compare step by step.

    The world is kept on the recorded track, so that each agent's first divergence is its own.

    Args:
        run: the run or its folder.
        scene: its world and policies; by default built from the run's recipe.

    Raises:
        RunError: where the record is damaged, has no observations and actions, or cannot be built again.
    """
    run = run if isinstance(run, Run) else Run(run)
    if run.manifest.record == "none":
        raise RunError(f"{run.path} was recorded without steps, so there is nothing to compare a replay with")
    loop = _loop(run, scene)
    divergences: dict[str, Divergence] = {}
    guide = RecordGuide(RecordedSteps(run, loop.codec), loop.crew.of, lambda d: divergences.setdefault(d.agent, d))
    session = loop.session
    session.answer_from(run.all_calls())

    def differs(position: Position, key: str, found: Call | None, messages: list[dict[str, str]] | None) -> Call:
        guide.diverged(position.agent, position, "call", explain_call(found, position, key, messages))
        return found or Call(position, "", "generate", key, [], error="the record has no answer to this call")

    session.on_mismatch = differs
    loop.guide, loop.until = guide, recorded_end(run, None)
    started = time.perf_counter()
    run_coroutine(loop.run())
    seconds = time.perf_counter() - started
    for position in sorted(session.by_position.keys() - session.asked):
        first = divergences.get(position.agent)
        if position[:2] < tuple(loop.until) and (first is None or position[:2] < (first.episode, first.step)):
            divergences[position.agent] = Divergence(
                position.agent,
                position.episode,
                position.step,
                "call",
                f"the recorded call for {position.purpose!r} (number {position.n}) was not made",
            )
    order = sorted(divergences.values(), key=lambda d: (d.episode, d.step, d.agent))
    return Replay(run.manifest.steps_done, guide.agent_steps, len(session.asked), order, seconds)


def restore(
    run: Run | str | Path, step: int | None = None, *, episode: int | None = None, scene: Scene | None = None
) -> Scene:
    """World and policies of a run as they were before `step` (default: at the end), for interviews and inspection.

    Raises:
        RunError: where the run never came so far, or does not repeat.
    """
    run = run if isinstance(run, Run) else Run(run)
    loop = _loop(run, scene)
    end = recorded_end(run, None)
    place = end if step is None else Place(end.episode if episode is None else episode, step)
    if place > end or min(place) < 0:
        raise RunError(f"{run.path} has no step {place.step} in episode {place.episode}: it ends before step {end.step}")
    run_coroutine(repeat(run, loop, place))
    if not loop.begun:
        loop.begin()
    return Scene(loop.world, loop.crew.of, scene.recipe if scene else None)


def branch(
    run: Run | str | Path,
    at: int,
    interventions: Sequence[Intervention] = (),
    *,
    to: str | Path,
    steps: int | None = None,
    episode: int = 0,
    scene: Scene | None = None,
    progress: bool | None = None,
) -> Run:
    """Fork a run before step `at`: repeat it up to there from the record, intervene, and run on.

    All random streams stay those of the run, so that run and branch differ by the interventions alone. A model call after
    the fork is paid for only where its request differs from every recorded one.

    Args:
        run: the run or its folder.
        at: the step before which the branch departs, in `episode`.
        interventions: what is done in the branch, beside what was done in the run; none before `at`.
        to: the branch's folder.
        steps: another length of the episodes; None: as in the run.
        episode: the episode of the fork.
        scene: world and policies; by default built from the run's recipe.
        progress: show a progress line.
    """
    run = run if isinstance(run, Run) else Run(run)
    fork, end = Place(episode, at), recorded_end(run, None)
    if fork > end or min(fork) < 0:
        raise RunError(f"{run.path} cannot be forked before step {at} of episode {episode}: it ends before step {end.step}")
    if early := [i for i in interventions if (i.episode, i.at) < fork]:
        raise ConfigError(f"intervention {early[0].name!r} is at step {early[0].at}, before the fork at step {at}")
    if run.manifest.record != "all":
        raise RunError(f"{run.path} was recorded without observations, so it cannot be forked; record it with 'all'")
    loop = _loop(run, scene)
    loop.interventions = [*_interventions(run), *interventions]
    loop.steps = steps if steps is not None else run.manifest.steps
    m = run.manifest
    made = scene or Scene(loop.world, loop.crew.of, Recipe(**m.recipe) if m.recipe else None)
    manifest = manifest_of(made, loop.steps, m.episodes, m.seed, loop.interventions, m.record, m.checkpoint_every)
    manifest.parent = {"run": str(run.path.resolve()), "episode": episode, "at": at}
    recorder = Recorder.create(Path(to), manifest, codec_for(loop.world))

    async def to_the_fork() -> None:
        session = loop.session
        session.adopt = True
        await repeat(run, loop, fork, from_start=True)
        session.by_key = {call.key: call for call in session.by_position.values() if call.error is None}
        session.by_position = {}

    run_coroutine(drive(loop, recorder, progress, to_the_fork))
    return Run(to)
