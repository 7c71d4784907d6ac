"""Strategies of the library axelrod as policies.

Its import takes about 12 s of CPU, nearly all of it in `axelrod.strategies`, which builds every strategy several times over
to sort them into lists. There is no public way to import one alone (each module needs the package, which builds them all),
so the import is put off until the first one is asked for.
"""

from __future__ import annotations

import difflib
import math
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from gymnasium import Space

from ethogram.errors import ConfigError, not_installed
from ethogram.policies.coded.strategies import options_of, payoffs_told
from ethogram.policy import Policy
from ethogram.seeds import derive
from ethogram.world import Agent

__all__ = ["AxelrodStrategy"]


@cache
def library() -> Any:
    """The package; ConfigError where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what axelrod imports
            import axelrod
    except ModuleNotFoundError as error:
        raise not_installed(error, "a strategy of axelrod") from error
    return axelrod


def plain(name: str) -> str:
    """A name without what does not count in it."""
    return "".join(sign for sign in name.lower() if sign.isalnum())


@cache
def classes() -> dict[str, Any]:
    """The classes of all strategies, by plain names."""
    every = library().all_strategies
    return {plain(one.name): one for one in every} | {plain(one.__name__): one for one in every}


class AxelrodStrategy(Policy):
    """A strategy of axelrod in seats of games of two with two options each; the first option is its C.

    Its history is what was carried out in each round, its own moves included, as axelrod has it where there is noise. It is
    told the number of rounds where players are (else: infinite), the payoffs where the game is symmetric (else it believes
    in 5, 3, 1, 0), and never the noise. What is random in it follows the seed of the run.

    Args:
        name: of the class or of the strategy; capitals, spaces and signs do not count.
        **arguments: of the class.

    Raises:
        ConfigError: as `axelrod_strategy` says.
    """

    def __init__(self, name: str, **arguments: Any) -> None:
        found = classes().get(plain(name))
        if found is None:
            near = [classes()[n].__name__ for n in difflib.get_close_matches(plain(name), classes(), 3)]
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise ConfigError(f"axelrod has no strategy {name!r}{hint}")
        self._make = found
        self._arguments = arguments
        try:
            fair = library().Classifiers.obey_axelrod(found(**arguments))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"axelrod's {found.__name__} cannot be made with {arguments}: {error}") from error
        if not fair:
            raise ConfigError(
                f"axelrod's {found.__name__} does not keep to a match: it reads code or changes state of others"
            )
        self._seed = 0
        self._seats: dict[Agent, Seat] = {}
        self._kept: Mapping[str, Any] = {}

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """A match begins."""
        self._seed, self._seats, self._kept = seed, {}, {}

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> dict[Agent, Any]:
        """Ask the player in each seat."""
        actions = {}
        for agent, seen in observations.items():
            seat = self._seats.get(agent)
            if seat is None:
                player = self._make(**self._arguments)
                seat = Seat(player, options_of(spaces[agent]), seen, derive(self._seed, "axelrod", agent))
                self._seats[agent] = seat
                for mine, theirs in self._kept.get(agent, ()):
                    seat.chosen()
                    seat.happened(mine, theirs)
            actions[agent] = seat.act(seen)
        return actions

    def state_dict(self) -> dict[str, Any]:
        """The moves of each match: repeated on the same seed they bring a player to where it was."""
        return {"seed": self._seed, "moves": {**self._kept, **{a: seat.moves for a, seat in self._seats.items()}}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put it back; players are brought there when they next act."""
        self._seed, self._seats = state["seed"], {}
        self._kept = {agent: [tuple(pair) for pair in moves] for agent, moves in state["moves"].items()}


class Seat:
    """A player of axelrod, and what stands for its opponent: a player that only has a history."""

    def __init__(self, player: Any, options: list[Any], seen: Any, seed: int) -> None:
        axelrod = library()
        if len(options) != 2:
            raise ConfigError(f"a strategy of axelrod plays with two options, not with {len(options)}")
        self.player, self.other = player, axelrod.Player()
        self.moves: list[tuple[int, int]] = []
        """Mine and theirs of each round: 0 (C) or 1 (D)."""
        self._sides = (axelrod.Action.C, axelrod.Action.D)
        self._options = options
        self._index = {option.option: i for i, option in enumerate(options)}
        length = math.inf if seen.left is None else seen.round + seen.left
        player.set_match_attributes(length=length, game=told_game(seen.rules, list(self._index)), noise=0)
        player.set_seed(seed % 2**32)

    def act(self, seen: Any) -> Any:
        """The player's choice, after what is told of the last round."""
        if seen.last:
            if len(seen.last) != 2 or not self._index.keys() >= set(seen.last):
                raise ConfigError("a strategy of axelrod plays games of two players with the same two options")
            self.happened(self._index[seen.last[seen.you]], self._index[seen.last[1 - seen.you]])
        return self._options[self._sides.index(self.chosen())]

    def chosen(self) -> Any:
        """What the player wants to do."""
        return self.player.strategy(self.other)

    def happened(self, mine: int, theirs: int) -> None:
        """Tell the player what was carried out."""
        mine_, theirs_ = self._sides[mine], self._sides[theirs]
        self.player.update_history(mine_, theirs_)
        self.other.update_history(theirs_, mine_)
        self.moves.append((mine, theirs))


def told_game(rules: str, options: list[str]) -> Any:
    """The game as axelrod has it; None (its default) where the rules do not tell a symmetric game of two."""
    try:
        payoffs = payoffs_told(rules, options)
    except ConfigError:
        return None
    if (payoffs[:, :, 0] != payoffs[:, :, 1].T).any():
        return None
    (r, s), (t, p) = payoffs[:, :, 0].tolist()
    return library().Game(r=r, s=s, t=t, p=p)
