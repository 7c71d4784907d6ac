"""Games with people in them: who waits for whom, and the scene that makes a record of one repeatable."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from gymnasium import Space

from ethogram.errors import ConfigError, EthogramError
from ethogram.policy import Fault, Policy
from ethogram.scene import scene
from ethogram.spaces import Verbs
from ethogram.world import Agent, World

__all__ = ["Seat", "Tables", "Turn", "game"]


class Turn(NamedTuple):
    """What a person is asked: to choose, out of a space, on what it sees."""

    agent: Agent
    seen: Any
    space: Verbs
    answer: asyncio.Future[Any]


class Seat(Policy):
    """A person's seat: waits until somebody has chosen."""

    repeatable: ClassVar[bool] = False

    def __init__(self) -> None:
        self.turn: Turn | None = None
        """What the person is asked now."""

    async def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """Wait for the person's choice for each agent in turn."""
        chosen = {}
        for agent, seen in observations.items():
            space = spaces[agent]
            if not isinstance(space, Verbs):
                chosen[agent] = Fault("the studio has forms for worlds of verbs only")
                continue
            self.turn = Turn(agent, seen, space, asyncio.get_running_loop().create_future())
            try:
                chosen[agent] = await self.turn.answer
            finally:
                self.turn = None
        return chosen


@scene
def game(world: str, seat: str, others: str) -> tuple[World, dict[Agent, Policy]]:
    """A world with a person in one seat; the others are played by a policy of this name."""
    from ethogram import policies, worlds

    made = worlds.make(world)
    if seat not in made.possible_agents:
        raise ConfigError(f"there is no seat {seat!r} in {world}: there are {', '.join(made.possible_agents[:20])}")
    if not isinstance(made.action_space(seat), Verbs):
        raise ConfigError(
            f"what one does in {world} is no verb, so that there is no form for it; try `ethogram play {world}`"
        )
    rest = policies.make(others)
    return made, {agent: Seat() if agent == seat else rest for agent in made.possible_agents}


class Tables:
    """The games that people play here, by the folder of their record."""

    def __init__(self) -> None:
        self.seats: dict[Path, Seat] = {}
        self._games: dict[Path, asyncio.Task[Any]] = {}
        self.problems: dict[Path, str] = {}

    async def begin(self, folder: Path, world: str, seat: str, others: str, steps: int, seed: int = 0) -> Path:
        """Begin a game; returns the folder of its record. ConfigError where it cannot be laid."""
        from ethogram.simulation import simulate_async

        table = await asyncio.to_thread(game, world, seat, others)
        assert isinstance(table.policies, dict)
        path, k = folder / f"{world}-0", 1
        while path.exists():
            path, k = folder / f"{world}-{k}", k + 1
        taken = table.policies[seat]
        assert isinstance(taken, Seat)
        self.seats[path] = taken

        async def play() -> None:
            try:
                await simulate_async(table, steps=steps, seed=seed, to=path, progress=False)
            except EthogramError as error:
                self.problems[path] = str(error)
            except (AttributeError, TypeError) as error:
                self.problems[path] = f"the policy {others} cannot play in {world}: {error}"
            finally:
                self.seats.pop(path, None)

        self._games[path] = asyncio.create_task(play())
        while not (path / "manifest.json").exists() and not self._games[path].done():
            await asyncio.sleep(0.05)
        if not (path / "manifest.json").exists():
            raise ConfigError(self.problems.get(path, f"the game in {world} did not begin"))
        return path

    def leave(self, path: Path) -> None:
        """End a game; what was played is kept."""
        if path in self._games:
            self._games[path].cancel()
