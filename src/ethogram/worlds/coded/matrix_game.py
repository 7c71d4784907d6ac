"""Repeated matrix games: any number of players and options, together or in turn, of known, unknown or random length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, Field

from ethogram.errors import ConfigError
from ethogram.spaces import Typed, Verbs
from ethogram.world import Agent, Step, World

__all__ = ["GAMES", "Choose", "MatrixGame", "Round"]

GAMES: dict[str, tuple[tuple[str, ...], Any]] = {
    "prisoners-dilemma": (("cooperate", "defect"), [[[8, 8], [0, 10]], [[10, 0], [5, 5]]]),
    "battle-of-the-sexes": (("football", "ballet"), [[[10, 7], [0, 0]], [[0, 0], [7, 10]]]),
    "stag-hunt": (("stag", "hare"), [[[4, 4], [0, 3]], [[3, 0], [3, 3]]]),
    "chicken": (("swerve", "straight"), [[[3, 3], [1, 4]], [[4, 1], [0, 0]]]),
    "matching-pennies": (("heads", "tails"), [[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]]),
    "rock-paper-scissors": (
        ("rock", "paper", "scissors"),
        [[[0, 0], [-1, 1], [1, -1]], [[1, -1], [0, 0], [-1, 1]], [[-1, 1], [1, -1], [0, 0]]],
    ),
}
"""Options and payoffs of games of two: `payoffs[mine][other]` is (mine, the other's). The first two are paid as in Akata et
al. (2025), "Playing repeated games with large language models"."""


class Choose(BaseModel):
    """Choose one of your options."""

    option: str = Field(min_length=1, max_length=40, description="the option that you choose")


class Round(BaseModel):
    """What a player knows at the beginning of a round, or when its turn comes."""

    rules: str = Field(max_length=4000, description="the game and its payoffs")
    round: int = Field(ge=1, description="number of the round that is played now")
    you: int = Field(ge=0, le=63, description="your place among the players, from 0")
    last: list[str] = Field(max_length=64, description="what each player did in the last round; empty in the first")
    before: list[str] = Field(max_length=64, description="what the players before you have done in this round")
    points: list[float] = Field(max_length=64, description="points of each player so far")
    left: int | None = Field(ge=0, description="rounds that follow after this one; null where nobody knows")


class MatrixGame(World):
    """A game in normal form, played again and again by the same players.

    Args:
        game: the name of one in `GAMES`; or payoffs, shape (options of player 0, …, options of the last, players).
        options: their names: one list for all players, or a list of lists, one a player. None: the game's, or A, B, C ….
        players: their names; None: player 1, player 2 ….
        rounds: how many at most.
        going_on: the probability that another round follows (1: all of `rounds` are played). The number of rounds is drawn
            when an episode begins.
        tell: whether players are told how many rounds are left. A random end is never told; that there is one, is.
        in_turn: whether players choose one after the other and see what those before them chose in the round.
        noise: the probability with which another option, drawn at random, is carried out in place of the one chosen.

    Rewards are the payoffs of the round. The outcome has `points of NAME` and `rounds`.

    Raises:
        ConfigError: the payoffs are not of such a shape, or an argument is out of its bounds.
    """

    metadata = {"name": "matrix_game", "render_modes": []}
    time_unit = "round"
    state_fields = ("played", "length", "last", "moved", "points")

    def __init__(
        self,
        game: str | ArrayLike = "prisoners-dilemma",
        options: Sequence[str] | Sequence[Sequence[str]] | None = None,
        players: Sequence[str] | None = None,
        *,
        rounds: int = 10,
        going_on: float = 1.0,
        tell: bool = True,
        in_turn: bool = False,
        noise: float = 0.0,
    ) -> None:
        self.payoffs, named = _payoffs(game)
        count = self.payoffs.shape[-1]
        self.options = _options(options if options is not None else named, self.payoffs)
        if rounds < 1 or not 0 < going_on <= 1 or not 0 <= noise <= 1:
            raise ConfigError(
                f"MatrixGame: rounds={rounds} must be at least 1, going_on={going_on} above 0 and at most 1, "
                f"noise={noise} from 0 to 1"
            )
        self.rounds, self.going_on, self.tell, self.in_turn, self.noise = rounds, going_on, tell, in_turn, noise
        self.possible_agents = list(players or (f"player {i + 1}" for i in range(count)))
        if len(set(self.possible_agents)) != count:
            raise ConfigError(f"MatrixGame: there are {count} players in the payoffs; give as many different names")
        self.agents = []
        verbs = Verbs(Choose)
        self.action_spaces = {
            agent: verbs.where(Choose, option=own) for agent, own in zip(self.possible_agents, self.options, strict=True)
        }
        self.observation_spaces = dict.fromkeys(self.possible_agents, Typed(Round))
        self._index = [{option: i for i, option in enumerate(own)} for own in self.options]
        self.rules = [self._rules(seat) for seat in range(count)]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Begin a match, and draw how long it lasts."""
        super().reset(seed)
        assert self.rng is not None
        self.played, self.last, self.moved = 0, [], []
        self.points = [0.0] * len(self.agents)
        self.length = self.rounds if self.going_on == 1 else min(int(self.rng.geometric(1 - self.going_on)), self.rounds)
        return self._seen(), {agent: {} for agent in self.agents}

    @property
    def acting(self) -> Sequence[Agent]:
        """All players; or the one whose turn it is."""
        return self.agents[len(self.moved) : len(self.moved) + 1] if self.in_turn else self.agents

    @property
    def now(self) -> float:
        """Rounds played."""
        return float(self.played)

    def idle(self, agent: Agent) -> Choose:
        """The first option: a game knows no waiting."""
        return Choose(option=self.options[self.possible_agents.index(agent)][0])

    def step(self, actions: Mapping[Agent, Choose]) -> Step:
        """What is chosen is carried out; when all have chosen, the round pays."""
        alive = list(self.agents)
        for agent in self.acting:
            seat = len(self.moved)
            self.moved.append(self._carried_out(self._index[seat][actions[agent].option], seat))
        rewards = dict.fromkeys(alive, 0.0)
        if len(self.moved) == len(alive):
            paid = self.payoffs[tuple(self.moved)].tolist()
            rewards = dict(zip(alive, paid, strict=True))
            self.points = [a + b for a, b in zip(self.points, paid, strict=True)]
            self.last = [own[i] for own, i in zip(self.options, self.moved, strict=True)]
            self.moved, self.played = [], self.played + 1
        over = self.played == self.length
        seen = self._seen()
        if over:
            self.agents = []
        return seen, rewards, dict.fromkeys(alive, over), dict.fromkeys(alive, False), {agent: {} for agent in alive}

    def outcome(self) -> Mapping[str, float]:
        """Points of each player, and the number of rounds."""
        points = {f"points of {name}": value for name, value in zip(self.possible_agents, self.points, strict=True)}
        return {**points, "rounds": float(self.played)}

    def _carried_out(self, chosen: int, seat: int) -> int:
        """The option that takes effect: with `noise`, any of the others."""
        assert self.rng is not None
        if self.noise == 0 or self.rng.random() >= self.noise:
            return chosen
        return (chosen + 1 + int(self.rng.integers(len(self.options[seat]) - 1))) % len(self.options[seat])

    def _seen(self) -> dict[Agent, Round]:
        left = self.rounds - self.played - 1 if self.tell and self.going_on == 1 else None
        before = [own[i] for own, i in zip(self.options, self.moved, strict=False)]
        return {
            agent: Round(
                rules=self.rules[seat],
                round=self.played + 1,
                you=seat,
                last=self.last,
                before=before,
                points=self.points,
                left=None if left is None else max(left, 0),
            )
            for seat, agent in enumerate(self.agents)
        }

    def _rules(self, seat: int) -> str:
        """The game in words, as one player is told it."""
        lines = []
        for cell in np.ndindex(self.payoffs.shape[:-1]):
            chosen = " and ".join(
                f"{'you choose' if i == seat else self.possible_agents[i] + ' chooses'} {self.options[i][option]}"
                for i, option in sorted(enumerate(cell), key=lambda pair: pair[0] != seat)
            )
            paid = self.payoffs[cell]
            others = ", ".join(f"{name} {paid[i]:g}" for i, name in enumerate(self.possible_agents) if i != seat)
            lines.append(f"If {chosen}, you get {paid[seat]:g} points and {others}.")
        if len(lines) > 64 or sum(map(len, lines)) > 3800:
            lines = [f"The payoffs of {len(lines)} combinations are known to all."]
        end = f"After every round another follows with probability {self.going_on:g}." if self.going_on < 1 else ""
        if not end and self.tell:
            end = f"There are {self.rounds} rounds."
        return "\n".join([*lines, end]).strip()


def _payoffs(game: str | ArrayLike) -> tuple[np.ndarray[Any, Any], Sequence[str] | None]:
    """Payoffs and the names of options, of a game by name or by its payoffs."""
    if isinstance(game, str):
        if game not in GAMES:
            raise ConfigError(f"there is no game {game!r}; there are {', '.join(GAMES)}, or give payoffs")
        return np.array(GAMES[game][1], float), GAMES[game][0]
    try:
        payoffs = np.array(game, float)
    except (TypeError, ValueError):
        raise ConfigError("MatrixGame: payoffs must be numbers in nested lists of equal lengths") from None
    players = payoffs.ndim - 1
    if players < 1 or payoffs.shape[-1] != players or payoffs.size == 0 or not np.isfinite(payoffs).all():
        raise ConfigError(
            f"MatrixGame: payoffs of shape {payoffs.shape} are of no game: for n players they have n + 1 axes, "
            "the options of each and then the n payoffs"
        )
    if min(payoffs.shape[:-1]) < 2 or players > 64:
        raise ConfigError("MatrixGame: every player needs at least two options, and there are at most 64 players")
    return payoffs, None


def _options(options: Any, payoffs: np.ndarray[Any, Any]) -> list[list[str]]:
    """The names of the options of each player."""
    counts = payoffs.shape[:-1]
    if options is None:
        options = [[_letter(i) for i in range(count)] for count in counts]
    elif all(isinstance(option, str) for option in options):
        options = [options] * len(counts)
    named = [list(own) for own in options]
    if [len(set(own)) for own in named] != list(counts):
        raise ConfigError(
            f"MatrixGame: there are {' and '.join(map(str, counts))} options; give each player as many different names"
        )
    return named


def _letter(i: int) -> str:
    """A, B, … Z, and then option 27, option 28 …."""
    return chr(ord("A") + i) if i < 26 else f"option {i + 1}"
