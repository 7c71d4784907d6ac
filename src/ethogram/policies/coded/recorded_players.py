"""Players of matrix games as they were recorded: move by move, or from a table of answers to what the other did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import Space

from ethogram.errors import ConfigError
from ethogram.policies.coded.scripted import Scripted
from ethogram.policy import Policy
from ethogram.world import Agent

__all__ = ["LookupPlayer", "RecordedPlayer"]


class RecordedPlayer(Policy):
    """Does in each round what was recorded. It reads `you` and `round` of a `Round`.

    Args:
        moves: `moves[round - 1][seat]` is the number of the option; one policy can sit in all seats.
    """

    def __init__(self, moves: Sequence[Sequence[int]]) -> None:
        self.moves = moves
        self._options: dict[Agent, list[Any]] = {}

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Begin again."""
        self._options = {}

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """The recorded options; ConfigError where the record ends before the match."""
        actions = {}
        for agent, seen in observations.items():
            if seen.round > len(self.moves):
                raise ConfigError(f"the record of {agent} ends after round {len(self.moves)}: play no more rounds than that")
            if agent not in self._options:
                self._options[agent] = spaces[agent].options()  # type: ignore[attr-defined]
            actions[agent] = self._options[agent][self.moves[seen.round - 1][seen.you]]
        return actions


class LookupPlayer(Scripted):
    """Answers from tables, in a game of two with options of the same names, like the GPT-4 that people met in Akata et al.

    Args:
        tables: each from the numbers of the other's moves so far to the number of the player's option. In every round one of
            them is drawn: the page on which people played did so.
    """

    def __init__(self, *tables: Mapping[tuple[int, ...], int]) -> None:
        super().__init__()
        if not tables:
            raise ConfigError("a lookup player needs at least one table of answers")
        self.tables = tables

    def script(self, observation: Any, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Any:
        """The answer to the other's moves so far; ConfigError where the table has none."""
        options: list[Any] = space.options()  # type: ignore[attr-defined]
        moves = memory.setdefault("moves", [])
        if observation.last:
            names = [choice.option for choice in options]
            moves.append(names.index(observation.last[1 - observation.you]))
        table = self.tables[int(rng.integers(len(self.tables))) if len(self.tables) > 1 else 0]
        if tuple(moves) not in table:
            raise ConfigError(f"the table has no answer in round {observation.round}, after the moves {moves}")
        return options[table[tuple(moves)]]
