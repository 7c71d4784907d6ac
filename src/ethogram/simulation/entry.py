"""simulate: run worlds with policies, and keep the record."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
import weakref
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal, NoReturn

from ethogram.aio import run_coroutine
from ethogram.errors import BudgetExhausted, ConfigError, RunError
from ethogram.records.durable import lasting
from ethogram.records.manifest import Manifest
from ethogram.records.recorder import Recorder
from ethogram.records.run import Run
from ethogram.records.tables import StepCodec
from ethogram.scene import Policies, Scene, policies_for
from ethogram.session import Call, Position
from ethogram.simulation.crew import Crew
from ethogram.simulation.guides import Divergence, RecordedSteps, RecordGuide, explain_call
from ethogram.simulation.keeper import Keeper, checkpoint_name
from ethogram.simulation.loop import Intervention, Loop, Place
from ethogram.simulation.progress import Progress
from ethogram.simulation.sessions import RunSession
from ethogram.world import World

__all__ = ["simulate", "simulate_async"]

Record = Literal["all", "actions", "none"]


def simulate(
    world: World | Scene,
    policies: Policies | None = None,
    *,
    steps: int | None = None,
    episodes: int = 1,
    seed: int = 0,
    to: str | Path | None = None,
    interventions: Sequence[Intervention] = (),
    resume: bool = False,
    record: Record = "all",
    checkpoint_every: int | None = None,
    progress: bool | None = None,
) -> Run:
    """Run a world with policies and return the record.

    Args:
        world: a world, or a scene (then `policies` is left out).
        policies: one policy for all agents, a mapping from agent to policy, or a function from agent to policy; may be left
            out where no agent has a choice.
        steps: at most so many steps an episode; None: until the world ends it.
        episodes: how many episodes.
        seed: everything random in the run derives from it.
        to: the run folder; None: a temporary one that goes with the returned Run.
        interventions: what is done to the run from outside, and before which step.
        resume: go on with the run in `to` if there is one: nothing recorded is computed or paid again.
        record: `all`; `actions` (no observations); `none` (no rows at all; model calls are recorded always).
        checkpoint_every: steps between two checkpoints; None: at least 100, and so many that checkpoints take no more than a
            fiftieth of the time.
        progress: show a progress line; None: where the terminal can.

    Returns:
        The run. A budget that is used up ends it cleanly: `run.manifest.status` is then `stopped`.

    Raises:
        ConfigError: wrong arguments.
        RunError: the folder cannot be written, is in use, or its record does not fit to what is to be resumed.
    """
    return run_coroutine(
        simulate_async(
            world,
            policies,
            steps=steps,
            episodes=episodes,
            seed=seed,
            to=to,
            interventions=interventions,
            resume=resume,
            record=record,
            checkpoint_every=checkpoint_every,
            progress=progress,
        )
    )


async def simulate_async(
    world: World | Scene,
    policies: Policies | None = None,
    *,
    steps: int | None = None,
    episodes: int = 1,
    seed: int = 0,
    to: str | Path | None = None,
    interventions: Sequence[Intervention] = (),
    resume: bool = False,
    record: Record = "all",
    checkpoint_every: int | None = None,
    progress: bool | None = None,
) -> Run:
    """`simulate` for code that runs in an event loop already."""
    scene = as_scene(world, policies)
    _check(steps, episodes, seed, record, checkpoint_every)
    manifest = manifest_of(scene, steps, episodes, seed, interventions, record, checkpoint_every)
    folder = Path(tempfile.mkdtemp(prefix="ethogram-") if to is None else to)
    if resume and (folder / "manifest.json").exists():
        run = Run(folder)
        _same(run, manifest)
        if run.manifest.status == "complete":
            return run
        await _resume(run, scene, interventions, progress)
    else:
        with lasting(to is not None):
            recorder = Recorder.create(folder, manifest, codec_for(scene.world))
            try:
                await drive(build_loop(scene, recorder.manifest, interventions), recorder, progress)
            except BaseException:
                if to is None:
                    shutil.rmtree(folder, ignore_errors=True)
                raise
    run = Run(folder)
    if to is None:
        run.in_memory = True  # a lazy table may outlive the run, and with it the folder
        weakref.finalize(run, shutil.rmtree, folder, ignore_errors=True)
    return run


def as_scene(world: World | Scene, policies: Policies | None) -> Scene:
    """A scene from what `simulate` was given."""
    if isinstance(world, Scene):
        if policies is not None:
            raise ConfigError("a scene brings its own policies: give either a scene, or a world and policies")
        return world
    if not isinstance(world, World):
        raise ConfigError(f"the world is a {type(world).__name__}, not a World: wrap a gymnasium env in GymWorld(env)")
    return Scene(world, policies_for(world, policies))


def _check(steps: int | None, episodes: int, seed: int, record: str, checkpoint_every: int | None) -> None:
    for name, value, least in (("steps", steps, 1), ("episodes", episodes, 1), ("checkpoint_every", checkpoint_every, 1)):
        if value is not None and value < least:
            raise ConfigError(f"{name} is {value}, and must be at least {least}")
    if not isinstance(seed, int) or seed < 0:
        raise ConfigError(f"seed is {seed!r}, and must be a whole number, 0 or more")
    if record not in ("all", "actions", "none"):
        raise ConfigError(f"record is {record!r}, and must be 'all', 'actions' or 'none'")


def manifest_of(
    scene: Scene,
    steps: int | None,
    episodes: int,
    seed: int,
    interventions: Sequence[Intervention],
    record: Record,
    checkpoint_every: int | None,
) -> Manifest:
    """The manifest of a run that is about to begin."""
    world, recipe = scene.world, scene.recipe
    return Manifest(
        world=str(world.metadata.get("name", type(world).__name__)),
        recipe=recipe._asdict() if recipe else None,
        seed=seed,
        episodes=episodes,
        steps=steps,
        record=record,
        checkpoint_every=checkpoint_every,
        agents=list(world.possible_agents),
        time_unit=world.time_unit,
        spaces=codec_for(world).specs,
        interventions=[i._asdict() for i in interventions],
    )


def _same(run: Run, manifest: Manifest) -> None:
    """RunError where a run to be resumed was begun with other arguments."""
    for field in ("world", "recipe", "seed", "episodes", "steps", "record", "agents", "spaces", "interventions"):
        was, now = getattr(run.manifest, field), getattr(manifest, field)
        if was != now:
            raise RunError(
                f"cannot resume {run.path}: it was begun with {field} = {str(was)[:120]}, not {str(now)[:120]}; "
                "give the same, or another folder"
            )


def codec_for(world: World) -> StepCodec:
    """The codec of the world's spaces."""
    agents = world.possible_agents
    return StepCodec.of({a: world.observation_space(a) for a in agents}, {a: world.action_space(a) for a in agents})


def build_loop(scene: Scene, manifest: Manifest, interventions: Sequence[Intervention]) -> Loop:
    """A loop at the beginning of a run."""
    crew = Crew(scene.policies, scene.world.possible_agents)
    each = [policy.calls_per_step for policy in crew.of.values()]
    steps = manifest.steps or scene.world.expected_steps
    expected = int(sum(c or 0 for c in each) * steps * manifest.episodes) if steps and None not in each else None
    session = RunSession(manifest.seed, on_call=lambda order, call: None, say=print, expected_calls=expected)
    return Loop(
        world=scene.world,
        crew=crew,
        session=session,
        codec=codec_for(scene.world),
        seed=manifest.seed,
        episodes=manifest.episodes,
        steps=manifest.steps,
        interventions=list(interventions),
        record=manifest.record,
    )


async def drive(
    loop: Loop, recorder: Recorder, progress: bool | None, first: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Run the loop to its end (or until it is stopped) and record it; the recorder is closed whatever happens.

    `first` is awaited before, with the recording on: it brings a branch to its fork.
    """
    manifest = recorder.manifest
    display = Progress(manifest, progress, agents=len(manifest.agents))
    session = loop.session
    session._on_call = recorder.call
    session._say = display.say
    started = time.monotonic()

    def finish(status: str, reason: str = "") -> None:
        name = checkpoint_name(loop.place)
        due = status == "complete" and name not in manifest.checkpoints
        recorder.finish(status, reason, time.monotonic() - started, loop.state_dict() if due else None, name)

    loop.keeper = Keeper(loop, recorder, display)
    try:
        with display:
            if first is not None:
                await first()
            await loop.run()
            finish("complete")
    except BudgetExhausted as stop:
        finish("stopped", str(stop))
        display.say(f"stopped: {stop}")
    except (KeyboardInterrupt, asyncio.CancelledError):
        finish("interrupted", "interrupted by the user")
        raise
    except RunError:
        raise
    except BaseException as error:
        with contextlib.suppress(RunError):
            finish("failed", f"{type(error).__name__}: {error}"[:500])
        raise
    finally:
        recorder.close()


async def _resume(run: Run, scene: Scene, interventions: Sequence[Intervention], progress: bool | None) -> None:
    """Repeat what is recorded since the last checkpoint, without model calls, then go on."""
    run.demand_sound()
    loop = build_loop(scene, run.manifest, interventions)
    recorder, journalled = Recorder.reopen(run.path, loop.codec)
    try:
        run = Run(run.path)
        await repeat(run, loop, recorded_end(run, journalled.commits[-1][:2] if journalled.commits else None))
        loop.session.kept = {call.position for _, call in journalled.calls}
    except BaseException:
        recorder.close()
        raise
    await drive(loop, recorder, progress)


def recorded_end(run: Run, journalled: tuple[int, int] | None) -> Place:
    """The step after the last complete one."""
    if journalled is not None:
        return Place(journalled[0], journalled[1] + 1)
    if run.manifest.checkpoints:
        episode, step = map(int, run.manifest.checkpoints[-1].split("-"))
        sealed = Place(episode, step)
    else:
        sealed = Place(0, 0)
    last = run.steps.select("episode", "step", "ended").tail(1).collect().rows()
    return max([sealed, *(Place(e, s + (ended != "last")) for e, s, ended in last)])


async def repeat(run: Run, loop: Loop, until: Place, *, from_start: bool = False) -> None:
    """Bring a loop to `until` along the record: from the last checkpoint before it, model calls answered from the record.

    With `from_start` no checkpoint is used, so that every step happens again.

    Raises:
        RunError: where world, policies or prompts do other than what is recorded.
    """
    if not from_start and (kept := run.checkpoint(until)) is not None:
        loop.load_state_dict(kept[1])
    loop.session.answer_from(run.all_calls())

    def stop(divergence: Divergence) -> NoReturn:
        raise RunError(
            f"{run.path} does not repeat: at episode {divergence.episode}, step {divergence.step} the {divergence.event} "
            f"of {divergence.agent} differs ({divergence.detail}); code, prompt or model has changed since"
        )

    def differs(position: Position, key: str, found: Call | None, messages: list[dict[str, str]] | None) -> NoReturn:
        where = (position.agent, position.episode, position.step)
        stop(Divergence(*where, "call", explain_call(found, position, key, messages)))

    loop.session.on_mismatch = differs
    if loop.place < until and run.manifest.record == "all":
        loop.guide = RecordGuide(RecordedSteps(run, loop.codec), loop.crew.of, stop)
    loop.until = until
    try:
        await loop.run()
    finally:
        loop.guide, loop.until, loop.session.on_mismatch = None, None, None
