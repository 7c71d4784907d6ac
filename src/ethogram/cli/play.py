"""What `play` does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.cli import Interrupted
from ethogram.cli.show import assignments, console, plain
from ethogram.errors import ConfigError
from ethogram.scene import Scene, scene

if TYPE_CHECKING:
    from ethogram.policy import Policy
    from ethogram.records import Run
    from ethogram.world import Agent, World

__all__ = ["play_world", "playing"]


def play_world(
    name: str, seats: list[str], others: str | None, changes: list[str], steps: int | None, seed: int, to: Path | None
) -> None:
    """`ethogram play`: a person has the seats, coded policies or those of a scene have the others."""
    from ethogram.simulation import simulate

    table = playing(name, assignments(changes, "--set"), others, seats)
    world = table.world
    seats = seats or list(world.possible_agents[:1])
    path = to or free_folder(name.rpartition(":")[2])
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ConfigError(f"{path} is there already: choose another folder with --to")
    print(f"You are {' and '.join(seats)}. An empty line is no action; Ctrl-C or the end of the input leaves the game.")
    try:
        run = simulate(table, steps=steps, seed=seed, to=path, progress=False)
    except KeyboardInterrupt:
        raise Interrupted(f"you left the game; what was played is kept in {path}") from None
    except (AttributeError, TypeError) as error:
        if others is None:
            raise
        raise ConfigError(f"the policy {others} cannot play in {name} ({error}); what was played is in {path}") from error
    show(run, world, path)


@scene
def playing(name: str, options: dict[str, Any], others: str | None, seats: list[str]) -> tuple[World, Any]:
    """A world with a person in these seats (or the first), as a scene, so that the record can be replayed."""
    table = laid(name, others, options)
    places = table.world.possible_agents
    if unknown := [seat for seat in seats if seat not in places]:
        raise ConfigError(f"there is no seat {unknown[0]!r} in {name}; there are {', '.join(map(repr, places[:20]))}")
    return table.world, seated(table, seats or list(places[:1]))


def laid(name: str, others: str | None, options: dict[str, Any]) -> Scene:
    """The world with whoever plays in it but you."""
    from ethogram import policies, worlds
    from ethogram.errors import RunError
    from ethogram.scene import Recipe

    if ":" not in name:
        return Scene(worlds.make(name, **options), policies.make(others or "random"))
    if others is not None:
        raise ConfigError(f"the scene {name} brings its own policies, so leave out --others")
    try:
        return Recipe(name, options).build()
    except (RunError, TypeError) as error:
        raise ConfigError(f"cannot lay the scene {name}: {error}") from error


def seated(table: Scene, seats: list[str]) -> dict[Agent, Policy]:
    """Who has each seat."""
    from ethogram.policies.human import Human
    from ethogram.policy import Policy

    you = Human(asked)

    def sitting(agent: Agent) -> Policy:
        if agent in seats:
            return you
        if isinstance(table.policies, Policy):
            return table.policies
        return table.policies(agent) if callable(table.policies) else table.policies[agent]

    return {agent: sitting(agent) for agent in table.world.possible_agents}


def asked(prompt: str) -> str:
    """A line from the person. What other agents wrote is shown without what a terminal would take for a command."""
    if sys.stdin.isatty() and sys.stdout.isatty():  # otherwise input() would hold a lock while it waits
        try:
            return input(plain(prompt))
        except EOFError:
            raise KeyboardInterrupt from None
    print(plain(prompt), end="", flush=True)
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as unbuffered:
        line = unbuffered.readline()
    if not line:
        raise KeyboardInterrupt
    return line.decode(errors="replace").rstrip("\n")


def free_folder(name: str) -> Path:
    """The first of `runs/play/NAME-0`, `-1` … that is not there."""
    number = 0
    while (path := Path("runs") / "play" / f"{name}-{number}").exists():
        number += 1
    return path


def show(run: Run, world: World, path: Path) -> None:
    """Print what came of it."""
    import polars as pl
    from rich.markup import escape

    out = console()
    rewards = run.steps.filter(pl.col("reward").is_not_null()).group_by("agent", maintain_order=True)
    totals = rewards.agg(pl.col("reward").sum()).collect()
    for agent, reward in totals.filter((pl.col("reward") != 0).any()).iter_rows():
        out.print(f"{escape(plain(agent))}: {reward:g} in rewards")
    for what, value in world.outcome().items():
        out.print(f"{escape(what)}: {value:g}")
    out.print(f"The record is in {path}.")
