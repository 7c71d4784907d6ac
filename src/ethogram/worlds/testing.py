"""Checks that any world has to pass, for the worlds of ethogram and of others alike.

from functools import partial
from ethogram.worlds import make
from ethogram.worlds.testing import check_world

def test_my_world():
    check_world(partial(make, "my_world"))
"""

from __future__ import annotations

import inspect
import json
import multiprocessing
import os
import random
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel

from ethogram.errors import ConfigError
from ethogram.policy import Random
from ethogram.records.checkpoints import load_state, save_state
from ethogram.world import World

__all__ = ["Act", "check_world"]

Make = Callable[[], World]


class Act(NamedTuple):
    """An intervention to be tried: before step `at`, `world.intervene(name, arguments)`."""

    at: int
    name: str
    arguments: dict[str, Any]


class _Moment(NamedTuple):
    """All that a world showed in one step."""

    acting: list[str]
    actions: dict[str, Any]
    seen: tuple[Any, ...]
    """What `step` (or `reset`) returned."""
    now: float | None


def check_world(
    make: Make, *, steps: int = 200, seed: int = 0, interventions: Sequence[Act] = (), fresh_process: bool = True
) -> None:
    """Check that a world keeps the contract of `ethogram.world.World`, by playing it with random actions.

    It passes PettingZoo's own tests without a warning; what it shows is in its spaces; `acting`, `available` and `idle`
    hang together, and actions nobody asked for change nothing; the same seed gives the same episode, in a new process too;
    a state saved at any time and put back into a new world goes on identically; it leaves the global random numbers alone;
    interventions take JSON and name what they do not know.

    Args:
        make: builds the world; for `fresh_process` it must be picklable (a module's function, or a `functools.partial`).
        steps: how long to play, at most.
        seed: of the episode and the actions.
        interventions: some to be made on the way.
        fresh_process: also play in a new process (about a second).

    Raises:
        AssertionError: the contract is broken; the message says where.
        ConfigError: an intervention is wrong, or the new process cannot be had.
    """
    _check_pettingzoo(make, steps)
    episode = _check_episode(make, steps, seed, interventions)
    _check_repetition(make, steps, seed, interventions, episode, fresh_process)
    _check_unasked(make, steps, seed, interventions, episode)
    for at in sorted({0, 1, len(episode) // 3, len(episode) - 2}):
        if 0 <= at < len(episode) - 1:
            _check_state(make, steps, seed, interventions, episode, at)
    _check_interventions(make(), seed)


def _check_pettingzoo(make: Make, steps: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own, at import, about its own games
        from pettingzoo.test import parallel_api_test, parallel_seed_test

    with warnings.catch_warnings(), open(os.devnull, "w") as quiet, _stdout(quiet):
        warnings.simplefilter("error")
        parallel_api_test(make(), steps)
        parallel_seed_test(make, steps)


@contextmanager
def _stdout(stream: Any) -> Iterator[None]:
    from contextlib import redirect_stdout

    with redirect_stdout(stream):
        yield


def _play(
    world: World, steps: int, seed: int, interventions: Sequence[Act] = (), *, check: bool = False, everyone: bool = False
) -> Iterator[_Moment]:
    """Play an episode with random actions out of what is available.

    Args:
        world: the world, which is reset.
        steps: at most so many.
        seed: of the world and of the actions.
        interventions: to be made.
        check: check what is shown on the way.
        everyone: give actions for agents that are not asked, too.
    """
    policy = Random()
    policy.reset(seed, world.possible_agents)
    before: float | None = None
    seen: tuple[Any, ...] = world.reset(seed=seed)
    observations: dict[str, Any] = dict(seen[0])
    yield _Moment(list(world.acting), {}, seen, world.now)
    for step in range(steps):
        if not world.agents:
            return
        for act in interventions:
            if act.at == step:
                world.intervene(act.name, act.arguments)
                observations |= world.observe()
        if check:
            before = _check_moment(world, observations, before)
        acting = list(world.acting)
        actions = dict(policy.act({a: observations[a] for a in acting}, {a: world.available(a) for a in acting}))
        others = {a: world.idle(a) for a in world.agents if a not in acting} if everyone else {}
        live = list(world.agents)
        seen = world.step(actions | others)
        if check:
            _check_returned(world, live, seen)
        observations = dict(seen[0])
        yield _Moment(acting, actions, seen, world.now)


def _check_moment(world: World, observations: Mapping[str, Any], before: float | None) -> float | None:
    """Check what a world shows between two steps; returns its time."""
    acting, agents = list(world.acting), list(world.agents)
    assert set(acting) <= set(agents), f"acting {sorted(set(acting) - set(agents))} are not among the live agents"
    assert len(set(acting)) == len(acting), f"an agent acts twice: {acting}"
    assert set(agents) <= set(world.possible_agents), "an agent is not among possible_agents"
    for agent in agents:
        assert agent in observations, f"{agent} is alive but observes nothing"
        space = world.observation_space(agent)
        assert space.contains(observations[agent]), f"{agent} observes what is not in its space: {observations[agent]!r}"
    for agent in acting:
        whole, part, idle = world.action_space(agent), world.available(agent), world.idle(agent)
        assert whole.contains(idle), f"the idle action {idle!r} of {agent} is not in its action space"
        assert part.contains(idle), f"the idle action {idle!r} of {agent} is not available to it"
        part.seed(len(observations))
        for _ in range(3):
            sample = part.sample()
            assert whole.contains(sample), f"what is available to {agent} is not part of its action space: {sample!r}"
    now = world.now
    assert now is None or before is None or now >= before, f"time runs backwards: from {before} to {now}"
    return now


def _check_returned(world: World, live: list[str], seen: tuple[Any, ...]) -> None:
    """Check what `step` returned, for the agents that were alive before it."""
    observations, rewards, terminations, truncations, infos = seen
    for name, values in (("rewards", rewards), ("terminations", terminations), ("truncations", truncations)):
        assert set(values) == set(live), f"{name} are not of exactly the live agents"
    assert set(observations) >= set(live) <= set(infos), "observations or infos of live agents are missing"
    for agent in live:
        space = world.observation_space(agent)
        assert space.contains(observations[agent]), f"{agent} observes what is not in its space: {observations[agent]!r}"
        assert np.isfinite(rewards[agent]), f"the reward of {agent} is {rewards[agent]}"
        ended = bool(terminations[agent] or truncations[agent])
        assert ended != (agent in world.agents), f"{agent} has {'' if ended else 'not '}ended but is still {world.agents}"


def _check_episode(make: Make, steps: int, seed: int, interventions: Sequence[Act]) -> list[_Moment]:
    """Play three episodes under all checks, and see that the global random numbers were left alone; returns the first."""
    world = make()
    assert world.possible_agents, "possible_agents is empty"
    before = _global_luck()
    episode, *_ = [list(_play(world, steps, seed + i, interventions, check=True)) for i in range(3)]
    for name, state in _global_luck().items():
        assert before.get(name, state) == state, f"the world draws from the global random numbers of {name}"
    assert len(episode) > 1, "the world ends before the first step"
    return episode


def _global_luck() -> dict[str, object]:
    """The state of every global generator that a world could draw from; torch's where torch has been imported."""
    found: dict[str, object] = {"random": random.getstate(), "numpy": np.random.get_state()[1].tobytes()}  # pyright: ignore
    if torch := sys.modules.get("torch"):
        found["torch"] = torch.default_generator.get_state().numpy().tobytes()
    return found


def _check_repetition(
    make: Make, steps: int, seed: int, interventions: Sequence[Act], episode: list[_Moment], fresh_process: bool
) -> None:
    world = make()
    for again in ("another world", "the same world, reset"):
        _assert_same(episode, _play(world, steps, seed, interventions), f"{again} with the same seed")
    if fresh_process:
        saved = os.environ.get("PYTHONHASHSEED")
        os.environ["PYTHONHASHSEED"] = "12345" if saved != "12345" else "54321"
        try:
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                text = pool.submit(_digest, make, steps, seed, list(interventions)).result()
        except BrokenProcessPool as error:
            raise ConfigError(
                'the new process cannot import the program: call check_world under `if __name__ == "__main__":` or from a '
                "test, or give fresh_process=False"
            ) from error
        finally:
            os.environ.pop("PYTHONHASHSEED")
            if saved is not None:
                os.environ["PYTHONHASHSEED"] = saved
        mine = [repr(plain(moment)) for moment in episode]
        differs = next((i for i, (a, b) in enumerate(zip_longest(mine, text)) if a != b), None)
        assert differs is None, f"a new process gives another episode with the same seed, from step {differs} on"


def _digest(make: Make, steps: int, seed: int, interventions: list[Act]) -> list[str]:
    return [repr(plain(moment)) for moment in _play(make(), steps, seed, interventions)]


def _check_unasked(make: Make, steps: int, seed: int, interventions: Sequence[Act], episode: list[_Moment]) -> None:
    """Idle actions of agents that are not asked must change nothing."""
    _assert_same(episode, _play(make(), steps, seed, interventions, everyone=True), "with actions nobody asked for")


def _check_state(make: Make, steps: int, seed: int, interventions: Sequence[Act], episode: list[_Moment], at: int) -> None:
    """Save the state after step `at`, put it into a new world, and go on there with the recorded actions."""
    world = make()
    player = _play(world, steps, seed, interventions)
    for _ in range(at + 1):
        next(player)
    state = world.state_dict()
    with tempfile.TemporaryDirectory() as folder:
        save_state(Path(folder) / "state", state)
        next(player)  # must not change the state that was given out
        save_state(Path(folder) / "later", state)
        loaded, later = load_state(Path(folder) / "state"), load_state(Path(folder) / "later")
    assert plain(loaded) == plain(later), f"the state given out after step {at} changes when the world goes on"
    other = make()
    other.load_state_dict(loaded)
    what = f"the state after step {at}, put back,"
    assert plain(list(other.acting)) == episode[at + 1].acting or interventions, f"{what} asks other agents to act"
    for step, moment in enumerate(episode[at + 1 :], at):
        for act in interventions:
            if act.at == step:
                other.intervene(act.name, act.arguments)
                other.observe()
        assert list(other.acting) == moment.acting, f"{what} asks other agents to act at step {step}"
        seen = other.step(moment.actions)
        assert plain(seen) == plain(moment.seen), f"{what} goes on differently at step {step}"


def _check_interventions(world: World, seed: int) -> None:
    world.reset(seed=seed)
    for name in world.interventions():
        for parameter in inspect.signature(getattr(world, name)).parameters.values():
            kind = str(parameter.annotation)
            assert not any(word in kind for word in ("ndarray", "Callable", "Path", "set[")), (
                f"intervention {name} takes {parameter.name}: {kind}, which JSON does not have"
            )
    for name, arguments in (("no such intervention", {}), ("state_dict", {})):
        try:
            world.intervene(name, arguments)
        except ConfigError:
            continue
        raise AssertionError(f"intervene({name!r}) is not refused with a ConfigError")


def _assert_same(episode: list[_Moment], other: Iterator[_Moment], what: str) -> None:
    for step, (one, two) in enumerate(zip_longest(episode, other)):
        assert plain(one) == plain(two), f"{what} gives another episode, from step {step} on"


def plain(value: Any) -> Any:
    """A value as plain Python that can be compared with `==` and has a `repr` that tells all: NaN equals NaN."""
    if isinstance(value, BaseModel):
        return type(value).__name__, plain(value.model_dump())
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return repr(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    return json.dumps(value, default=repr)
