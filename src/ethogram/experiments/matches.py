"""Matches for tournaments: matrix games between strategies by name, and what is measured of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.errors import ConfigError
from ethogram.policies.coded.strategies import strategy
from ethogram.scene import Policies, scene
from ethogram.world import World
from ethogram.worlds.coded.matrix_game import MatrixGame

if TYPE_CHECKING:
    from ethogram.records.trajectories import Trajectory

__all__ = ["cooperation", "matrix_match", "points"]


@scene
def matrix_match(
    seats: list[str],
    game: Any = "prisoners-dilemma",
    options: Any = None,
    rounds: int = 200,
    going_on: float = 1.0,
    tell: bool = False,
    in_turn: bool = False,
    noise: float = 0.0,
) -> tuple[World, Policies]:
    """A matrix game between strategies.

    Args:
        seats: names of strategies (`tit for tat`, `axelrod: EvolvedHMM5`), as `strategy` takes them.
        game: the name of a game, or payoffs.
        options: the names of its options.
        rounds: how many at most.
        going_on: the probability that another round follows.
        tell: whether players know how many rounds are left.
        in_turn: whether they choose one after the other.
        noise: the probability with which another option is carried out.

    Raises:
        ConfigError: there is no such game or strategy, or the game is not one for so many.
    """
    world = MatrixGame(game, options, rounds=rounds, going_on=going_on, tell=tell, in_turn=in_turn, noise=noise)
    if len(seats) != len(world.possible_agents):
        raise ConfigError(f"this game is one of {len(world.possible_agents)} players, not of {len(seats)}")
    return world, {agent: strategy(name) for agent, name in zip(world.possible_agents, seats, strict=True)}


def points(paths: Sequence[Trajectory], world: World) -> dict[str, list[float]]:
    """What each agent was rewarded with in sum, in the order of the world's agents; 0 for those who never acted."""
    sums = {path.agent: float(np.sum(path.rewards)) for path in paths}
    return {"points": [sums.get(agent, 0.0) for agent in world.possible_agents]}


def cooperation(paths: Sequence[Trajectory], world: World) -> dict[str, list[float]]:
    """Of a matrix game: points a round, and the share of rounds in which each chose its first option."""
    if not isinstance(world, MatrixGame):
        raise ConfigError(f"cooperation() measures matrix games, not a {type(world).__name__}; write a measure of its own")
    first = {agent: own[0] for agent, own in zip(world.possible_agents, world.options, strict=True)}
    shares = {path.agent: float(np.mean([action.option == first[path.agent] for action in path.actions])) for path in paths}
    rounds = max(world.played, 1)
    return {
        "points": [total / rounds for total in points(paths, world)["points"]],
        "cooperation": [shares[agent] for agent in world.possible_agents],
    }
