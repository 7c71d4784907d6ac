"""The loop: the one place where worlds and policies meet."""

from __future__ import annotations

import asyncio
import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import gymnasium.spaces as gs
import numpy as np
import pyarrow as pa

from ethogram.errors import ConfigError
from ethogram.policy import Fault
from ethogram.records.journal import Commit
from ethogram.records.lean import Lean
from ethogram.records.tables import StepCodec
from ethogram.seeds import derive
from ethogram.session import use
from ethogram.simulation.crew import Crew, Spaces
from ethogram.simulation.memory import Memory
from ethogram.simulation.rows import Moment, Rows
from ethogram.simulation.sessions import RunSession
from ethogram.simulation.solo import Solo, suits
from ethogram.world import Agent, AsyncWorld, Step, World

if TYPE_CHECKING:
    from ethogram.simulation.keeper import Keeper

__all__ = ["Guide", "Intervention", "Loop", "Place"]

YIELD_SECONDS = 0.05
"""How often a loop of coded policies gives way to the event loop, so that Ctrl-C is heard."""


class Place(NamedTuple):
    """A step of a run."""

    episode: int
    step: int


START = Place(0, 0)


class Intervention(NamedTuple):
    """Something that an experimenter does to a run, by name and with JSON arguments, before step `at` of an episode.

    `name` is a method marked `@intervention` of the world or, with `agent`, of that agent's policy.
    """

    at: int
    name: str
    arguments: dict[str, Any] = {}
    agent: str | None = None
    episode: int = 0


class Guide(Protocol):
    """Holds a loop to a record: sees what happens, and may put the recorded actions in place of the new ones."""

    def observed(self, place: Place, agents: Sequence[Agent], column: pa.Array | None) -> None:
        """What the agents observe, as a column."""
        ...

    def decided(self, place: Place, actions: dict[Agent, Any], faults: dict[Agent, str]) -> None:
        """What they decided; may be changed in place."""
        ...

    def happened(self, place: Place, rows: pa.RecordBatch) -> None:
        """All rows of the step."""
        ...


@dataclass
class Loop:
    """A world and a crew, run step by step.

    What it does in a step: interventions; ask the policies of all agents in `acting`; put the idle action for what is
    missing or outside its space; step the world; hand the rows to `commit`.
    """

    world: World
    crew: Crew
    session: RunSession
    codec: StepCodec
    seed: int
    episodes: int
    steps: int | None
    interventions: Sequence[Intervention] = ()
    record: str = "all"
    keeper: Keeper | None = None
    """Keeps the record of every complete step."""
    memory: Memory | None = None
    """Keeps what happens as trajectories."""
    guide: Guide | None = None
    place: Place = START
    """The next step."""
    observations: dict[Agent, Any] = field(default_factory=dict)
    begun: bool = False
    """Whether the episode at `place` has been reset."""
    until: Place | None = None
    """Stop before this step."""

    def __post_init__(self) -> None:
        kind = type(self.world)
        plain = kind.available is World.available and kind.action_space is World.action_space
        self._spaces = self.world.action_spaces if plain else None
        distinct = {id(s): s for s in self._spaces.values()} if self._spaces else {}
        self._shared = next(iter(distinct.values())) if len(distinct) == 1 else None
        self.rows = Rows(self.codec, self.record)
        self._suited = suits(self.world)

    async def run(self) -> bool:
        """Run until the episodes are over (True), or `until` is reached (False)."""
        with use(self.session):
            yielded = clock.monotonic()
            solo = Solo(self) if self._alone() else None
            while True:
                if not self.begun:
                    self.begin()
                while self.alive:
                    if self.until is not None and self.place >= self.until:
                        return False
                    await (self.step() if solo is None else solo.run())
                    if clock.monotonic() - yielded > YIELD_SECONDS:
                        await asyncio.sleep(0)
                        yielded = clock.monotonic()
                if self.place.episode + 1 >= self.episodes:
                    return True
                self.place, self.begun = Place(self.place.episode + 1, 0), False

    def _alone(self) -> bool:
        """Whether steps can be taken by `Solo`."""
        plain = self._suited and self.guide is None and self.until is None and not self.interventions
        return plain and (self.keeper is None or self.keeper.lean is not None or self.record == "none")

    @property
    def alive(self) -> bool:
        """Whether the episode goes on."""
        return bool(self.world.agents) and (self.steps is None or self.place.step < self.steps)

    def begin(self) -> None:
        """Reset world and policies for the episode at `place`."""
        episode = self.place.episode
        self.session.at(episode, 0)
        observations, _ = self.world.reset(seed=derive(self.seed, "world", episode))
        self.observations = dict(observations)
        self.crew.reset(derive(self.seed, "policy", episode))
        self.begun = True

    @property
    def now(self) -> float:
        """Simulated time; the number of steps where the world keeps none."""
        now = self.world.now
        return float(self.place.step if now is None else now)

    async def step(self) -> None:
        """One step."""
        place, world = self.place, self.world
        self.session.at(*place)
        self._intervene()
        time, acting = self.now, list(world.acting)
        seen = self.observations
        if acting != list(seen):
            seen = dict(zip(acting, map(seen.__getitem__, acting), strict=True))
        lean = self._lean(acting)
        members = lean.see(seen[acting[0]]) if lean else b""  # before policy or world may write into them
        column = None if lean or not (self.keeper or self.guide) else self.rows.seen(acting, seen)
        if self.guide:
            self.guide.observed(place, acting, column)
        spaces = self._spaces or Spaces(world, acting)
        actions = await self.crew.act(seen, spaces, self.guide is not None) if acting else {}
        faults = self.settle(acting, actions, spaces)
        if self.guide:
            self.guide.decided(place, actions, faults)
        if lean and faults:
            lean, column = None, self.rows.seen(acting, seen)
        elif lean:
            members += lean.do(actions[acting[0]])
        if self.memory:
            self.memory.acted(acting, seen, actions, faults, time)
        came = await world.step_async(actions) if isinstance(world, AsyncWorld) else world.step(actions)
        moment = Moment(place, time, acting, actions, faults, {}, {}, {}, (place, time))
        self.happened(moment, column, came, members if lean else None)

    def _lean(self, acting: Sequence[Agent]) -> Lean | None:
        """The layout of lean rows, where the step can be recorded so."""
        return self.keeper.lean if self.keeper is not None and self.guide is None and len(acting) == 1 else None

    def happened(self, moment: Moment, column: pa.Array | None, came: Step, members: bytes | None = None) -> None:
        """The world has been stepped: go on to the next place, and tell who keeps the record.

        Args:
            moment: the step as far as it was known before.
            column: what was observed before it, encoded.
            came: what the world returned.
            members: observation and action as parts of a lean row, where the step is to be recorded as one.
        """
        observed, rewards, terminated, truncated, _ = came
        everyone = observed.keys() >= self.observations.keys()
        self.observations = dict(observed) if everyone else {**self.observations, **observed}
        episode, step = moment.place
        self.place = Place(episode, step + 1)
        over = [a for ends in (terminated, truncated) if any(ends.values()) for a, end in ends.items() if end]
        how = {a: "terminated" if terminated.get(a) else "truncated" for a in over}
        rest = () if self.alive else self.world.agents
        last = {a: self.observations[a] for a in (*how, *rest)}
        if not self.alive:
            self.note_outcome()
        if self.memory:
            self.memory.came(rewards, how, last)
        if self.keeper is None and self.guide is None:
            return
        after = (self.place, self.now) if last else moment.after
        if members is not None and self.keeper:
            agent = moment.acting[0]
            if self.session.notes:
                self.keeper.notes(moment.place, self.session.notes)
            through = (self.place, self.now, last[agent]) if last else None
            reward = rewards.get(agent, 0.0)
            self.keeper.step(moment.place, moment.time, reward, how.get(agent, ""), members, through)
            self.keeper.count(1)
            self.keeper.rest()
            return
        rows = self.rows.of(moment._replace(rewards=rewards, how=how, last=last, after=after), column)
        if self.guide:
            self.guide.happened(Place(*moment.place), rows)
        if self.keeper:
            self.keeper.commit(Commit(episode, step, rows, list(self.session.notes)))

    def note_outcome(self) -> None:
        """Note what the world says came of the episode; ConfigError where it is not numbers."""
        outcome = self.world.outcome()
        try:
            numbers = {str(name): float(value) for name, value in outcome.items()}
        except (TypeError, ValueError) as error:
            kind = type(self.world).__name__
            raise ConfigError(f"outcome() of world {kind} must give numbers by name: {error}") from error
        if numbers:
            self.session.note("", "outcome", numbers)

    def _intervene(self) -> None:
        due = [i for i in self.interventions if (i.episode, i.at) == self.place]
        for intervention in due:
            if intervention.agent is None:
                self.world.intervene(intervention.name, intervention.arguments)
            elif intervention.agent in self.crew.of:
                policy = self.crew.of[intervention.agent]
                policy.intervene(intervention.agent, intervention.name, intervention.arguments)
            else:
                raise ConfigError(f"intervention {intervention.name!r} names the unknown agent {intervention.agent!r}")
        if due:
            self.observations.update(self.world.observe())

    def settle(self, acting: Sequence[Agent], actions: dict[Agent, Any], spaces: Mapping[Agent, Any]) -> dict[Agent, str]:
        """Put the idle action for each that is missing, a Fault, or outside its space; returns why, by agent."""
        if self._all_inside(acting, actions):
            return {}
        faults: dict[Agent, str] = {}
        for agent in acting:
            action = actions.get(agent)
            if isinstance(action, Fault):
                faults[agent] = action.reason
            elif action is None:
                faults[agent] = "the policy gave no action"
            elif not spaces[agent].contains(action):
                faults[agent] = f"not in the space open to the agent: {str(action)[:200]}"
            else:
                continue
            actions[agent] = self.world.idle(agent)
        for agent in actions.keys() - set(acting):
            del actions[agent]
        return faults

    def _all_inside(self, acting: Sequence[Agent], actions: Mapping[Agent, Any]) -> bool:
        """Whether all actions are in a discrete space that all agents share, found in one sweep; False where unsure."""
        space = self._shared
        if not isinstance(space, gs.Discrete) or len(actions) != len(acting) or len(acting) < 8:
            return False
        try:
            distinct = set(actions.values())
        except TypeError:
            return False
        return len(distinct) <= 64 and all(map(space.contains, distinct)) and all(map(actions.__contains__, acting))

    def state_dict(self) -> dict[str, Any]:
        """The complete state between two steps."""
        seen = list(self.observations)
        column = self.codec.column("observation", seen, [self.observations[a] for a in seen])
        sink = pa.BufferOutputStream()
        batch = pa.RecordBatch.from_arrays([pa.array(seen, pa.string()), column], names=["agent", "observation"])
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return {
            "place": list(self.place),
            "begun": self.begun,
            "observations": np.frombuffer(sink.getvalue().to_pybytes(), np.uint8),
            "world": self.world.state_dict() if self.begun else {},
            "crew": self.crew.state_dict() if self.begun else {},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back a state that `state_dict` gave."""
        self.place, self.begun = Place(*state["place"]), state["begun"]
        if not self.begun:
            return
        table = pa.ipc.open_stream(pa.py_buffer(state["observations"].tobytes())).read_all()
        agents = table["agent"].to_pylist()
        seen = self.codec.values("observation", agents, table["observation"].combine_chunks())
        self.crew.reset(derive(self.seed, "policy", self.place.episode))
        self.world.load_state_dict(state["world"])
        self.crew.load_state_dict(state["crew"])
        self.observations = dict(zip(agents, seen, strict=True))
