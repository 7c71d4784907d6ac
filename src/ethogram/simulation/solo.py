"""Solo: the loop's steps where one agent plays a gymnasium env, without mappings, coroutines or Arrow rows.

The events and the record are those of `Loop.step`; a step whose action fails goes that way.
"""

from __future__ import annotations

import inspect
import time as clock
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import gymnasium.spaces as gs
import numpy as np
from gymnasium import Space

from ethogram.errors import CallFailed
from ethogram.policy import Coded, Fault, Policy
from ethogram.simulation.memory import copied
from ethogram.simulation.rows import Moment
from ethogram.world import Agent, GymWorld, World

if TYPE_CHECKING:
    from ethogram.simulation.loop import Loop

__all__ = ["Solo", "suits"]

STRETCH_SECONDS = 0.01
"""About how long steps are taken before the loop gives way."""
FEW = 16
"""The numbers of a Box of up to so many are checked one by one, which is faster than numpy."""


def suits(world: World) -> bool:
    """Whether a world is a gymnasium env that `GymWorld.advance` is all there is to know of."""
    names = ("step", "acting", "now", "available", "action_space")
    return isinstance(world, GymWorld) and all(getattr(type(world), n) is getattr(GymWorld, n) for n in names)


class Solo:
    """Takes the steps of a loop whose world `suits`, and which has neither guide nor interventions."""

    def __init__(self, loop: Loop) -> None:
        assert isinstance(loop.world, GymWorld)
        self.loop = loop
        self.world = loop.world
        self.agent: Agent = loop.world.possible_agents[0]
        self._space = loop.world.action_spaces[self.agent]
        self._member = quick_check(self._space)
        self._stretch = 1
        self._counted = 0
        """How many steps of the stretch the keeper has counted already."""

    async def run(self) -> None:
        """Take steps until the episode is over, or it is time to give way."""
        loop, began = self.loop, clock.perf_counter()
        while loop.alive:
            most = self._stretch if loop.keeper is None else min(self._stretch, loop.keeper.room)
            before, self._counted = loop.place.step, 0
            try:
                await self._steps(most)
            finally:
                if loop.keeper is not None:
                    loop.keeper.count(loop.place.step - before - self._counted)
            if loop.keeper is not None:
                loop.keeper.rest()
            if clock.perf_counter() - began > STRETCH_SECONDS:
                self._stretch = max(1, self._stretch // 2)
                return
            self._stretch = min(2 * self._stretch, 4096)

    async def _steps(self, most: int) -> None:
        """Take at most so many steps of the episode."""
        loop, session, keeper, agent = self.loop, self.loop.session, self.loop.keeper, self.agent
        advance, choose, member = self.world.advance, chooser(loop.crew.of[agent], agent, self._space), self._member
        path = loop.memory.path(agent) if loop.memory else None
        lean = keeper.lean if keeper else None
        pack, see, do, put = (lean.pack, lean.see, lean.do, keeper.put) if lean and keeper else (None, None, None, None)
        episode, step = loop.place
        seen, members, limit = loop.observations[agent], b"", loop.steps or -1
        end = step + most
        try:
            while step < end:
                if session.used:
                    session.at(episode, step)
                else:
                    session.step = step
                try:
                    action = choose(seen)
                except CallFailed as error:
                    action = Fault(str(error))
                if not member(action):
                    action, fault = await self._settle(action)
                    if fault:
                        loop.place, loop.observations = loop.place._replace(step=step), {agent: seen}
                        self._faulty(action, fault)
                        step, seen = loop.place.step, loop.observations[agent]
                        if not loop.alive:
                            return
                        continue
                if see is not None:
                    members = see(seen) + do(action)  # before the world may write into them  # pyright: ignore[reportOptionalCall]
                if path is not None:
                    path.append(copied(seen), copied(action), step)
                seen, reward, terminated, truncated = advance(action)
                step += 1
                if path is not None:
                    path.rewards[-1] = reward
                if terminated or truncated or step == limit:
                    loop.place, loop.observations = loop.place._replace(step=step), {agent: seen}
                    self._over(reward, terminated, truncated, members)
                    return
                if session.notes and keeper is not None:
                    keeper.notes((episode, step - 1), session.notes)
                if put is not None:
                    put(pack(episode, step - 1, step - 1, reward, 0) + members)  # pyright: ignore[reportOptionalCall]
        finally:
            loop.place, loop.observations = loop.place._replace(step=step), {agent: seen}

    async def _settle(self, action: Any) -> tuple[Any, dict[Agent, str]]:
        """An action that the quick check was not sure of, or the idle action and why."""
        if inspect.isawaitable(action):
            try:
                action = await action
            except CallFailed as error:
                action = Fault(str(error))
        actions = {self.agent: action}
        faults = self.loop.settle([self.agent], actions, {self.agent: self._space})
        return actions[self.agent], faults

    def _faulty(self, action: Any, faults: dict[Agent, str]) -> None:
        """A step whose action failed."""
        loop, actions = self.loop, {self.agent: action}
        self._counted += 1
        time, acting, seen = float(loop.place.step), [self.agent], loop.observations
        column = loop.rows.seen(acting, seen) if loop.keeper is not None else None
        if loop.memory:
            loop.memory.acted(acting, seen, actions, faults, time)
        came = self.world.step(actions)
        loop.happened(Moment(loop.place, time, acting, actions, faults, {}, {}, {}, (loop.place, time)), column, came)

    def _over(self, reward: float, terminated: bool, truncated: bool, members: bytes) -> None:
        """The episode has ended with the step before `loop.place`; `members` are those of its lean row."""
        loop, agent, keeper = self.loop, self.agent, self.loop.keeper
        (episode, step), seen = loop.place, loop.observations[agent]
        loop.note_outcome()
        if loop.memory:
            how = {agent: "terminated" if terminated else "truncated"} if terminated or truncated else {}
            loop.memory.came({}, how, {agent: seen})
        if keeper is None:
            return
        if loop.session.notes:
            keeper.notes((episode, step - 1), loop.session.notes)
        if keeper.lean is not None:
            how = "terminated" if terminated else "truncated" if truncated else ""
            keeper.step((episode, step - 1), float(step - 1), reward, how, members, ((episode, step), float(step), seen))


def chooser(policy: Policy, agent: Agent, space: Space[Any]) -> Callable[[Any], Any]:
    """From an observation to the policy's action for it, or to an awaitable of that."""
    if isinstance(policy, Coded) and type(policy).act is Coded.act:
        return policy.alone(agent, space)
    spaces = {agent: space}

    async def later(answer: Awaitable[Mapping[Agent, Any]]) -> Any:
        return (await answer).get(agent)

    def choose(seen: Any) -> Any:
        answer = policy.act({agent: seen}, spaces)
        return later(answer) if inspect.isawaitable(answer) else answer.get(agent)

    return choose


def quick_check(space: Space[Any]) -> Callable[[Any], bool]:
    """A check that is True only for members of the space; False for others and where it is not sure."""
    if isinstance(space, gs.Discrete):
        low, high = int(space.start), int(space.start + space.n)
        return lambda action: bool((type(action) is int or type(action) is np.int64) and low <= action < high)
    if not isinstance(space, gs.Box) or space.low.size > FEW:
        return lambda action: not isinstance(action, Fault | Awaitable | None) and bool(space.contains(action))
    ndarray, dtype, shape, flat = np.ndarray, space.dtype, space.shape, len(space.shape) == 1
    lows, highs = space.low.reshape(-1).tolist(), space.high.reshape(-1).tolist()
    low, high, bounds = max(lows), min(highs), list(zip(lows, highs, strict=True))

    def inside(action: Any) -> bool:
        if type(action) is not ndarray or action.shape != shape:
            return False
        if action.dtype is not dtype and action.dtype != dtype:  # the first is true of most, and quicker
            return False
        values = action.tolist() if flat else action.reshape(-1).tolist()
        for value in values:  # all() takes twice as long
            if not low <= value <= high:  # nor is nan
                break
        else:
            return True
        for value, (least, most) in zip(values, bounds, strict=True):  # noqa: SIM110
            if not least <= value <= most:
                return False
        return True

    return inside
