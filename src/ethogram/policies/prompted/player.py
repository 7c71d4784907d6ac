"""A player of matrix games: the game and its history as text, options as letters, and the likelihood of each letter.

    player = Player(model("smollm2"), predict=True, framing=Framing(story="cooking"))
    simulate(MatrixGame("battle-of-the-sexes"), {"player 1": player, "player 2": strategy("alternator")})

The wording follows Akata et al. (2025), "Playing repeated games with large language models", Nature Human Behaviour.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ethogram.errors import CallFailed, ConfigError
from ethogram.policies.prompted.templates import render
from ethogram.policy import Fault, Policy
from ethogram.seeds import generator
from ethogram.world import Agent

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["STORIES", "Decision", "Framing", "Player"]

CELL = re.compile(r"If (?P<choices>you choose .+), you get (?P<mine>\S+) points and (?P<others>.+)\.")
CHOICE = re.compile(r"(?P<who>.+?) chooses? (?P<option>.+)")


class Story(NamedTuple):
    """What a game is told as."""

    doing: str
    what: str
    option: str
    round: str
    other: str


STORIES: dict[str, Story] = {
    "game": Story("playing a game repeatedly with another player", "game", "Option", "round", "the other player"),
    "cooking": Story(
        "taking part in a cooking competition with another chef", "competition", "Dish", "round", "the other chef"
    ),
    "project": Story(
        "working on a project together with a colleague", "project", "Approach", "task", "the other colleague"
    ),
}  # fmt: skip
"""The cover stories of the robustness checks of Akata et al."""


class Framing(BaseModel):
    """How a game is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    letters: str = Field(default="JFQXRHYWTNPM", min_length=2, max_length=26, description="names of the options, in order")
    story: Literal["game", "cooking", "project"] = "game"
    unit: str = Field(default="points", min_length=1, max_length=20, description="what is won, as in points, dollars, coins")


class Decision(NamedTuple):
    """What a model makes of one situation."""

    scores: NDArray[np.float64]
    """Log-likelihoods, shape (letters, orders, options): for each rotation of letters over options, and of the order in
    which options are named, that of each option. Without averaging there is one of each."""

    @property
    def preference(self) -> NDArray[np.float64]:
        """The mean over all ways of asking, (options,): what letters and places add is the same for each option."""
        return self.scores.mean((0, 1))

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Of each option, (options,): softmax of the preference."""
        return _softmax(self.preference)

    @property
    def first_named(self) -> float:
        """The probability of the option that is named first, mean over ways of asking; 1 / options without order bias.

        NaN where it was not asked in all orders.
        """
        chances, n = _softmax(self.scores), self.scores.shape[2]
        if self.scores.shape[:2] != (n, n):
            return float("nan")
        return float(np.mean([chances[:, turn, turn].mean() for turn in range(n)]))

    @property
    def first_letter(self) -> float:
        """The probability of the first letter, mean over ways of asking; 1 / options without label bias; else NaN."""
        chances, n = _softmax(self.scores), self.scores.shape[2]
        if self.scores.shape[:2] != (n, n):
            return float("nan")
        return float(np.mean([chances[turn, :, -turn % n].mean() for turn in range(n)]))


class Player(Policy):
    """A language model that plays any `MatrixGame`, by the likelihood of each option's letter.

    It is told the rules, what happened in each round so far, and asked for a letter. With `average` every situation is put
    in n² ways: each option has each letter, and is named at each place; the log-likelihoods are averaged. With `predict` it
    is first asked what the other will do (averaged likewise), is reminded of the likelier answer, and then chooses (social
    chain of thought). A call that fails for good is a Fault.

    Args:
        model: the language model.
        framing: letters, cover story and unit.
        predict: predict, then choose; in games of two who have the same options.
        average: over letters and orders; else options have the letters in order and are named in order.
        temperature: of the draw from the averaged likelihoods; 0: the likeliest option, so that the same match, repeated, is
            the same match and no further evidence.
    """

    def __init__(
        self,
        model: LanguageModel,
        *,
        framing: Framing | None = None,
        predict: bool = False,
        average: bool = True,
        temperature: float = 0.0,
    ) -> None:
        if temperature < 0:
            raise ConfigError(f"the temperature of a player is 0 or more, not {temperature}")
        self.model, self.framing = model, framing or Framing()
        self.predict, self.average, self.temperature = predict, average, temperature
        self.calls_per_step = None
        self._seed = 0
        self._past: dict[Agent, list[tuple[list[str], list[float]]]] = {}

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """A match begins."""
        self._seed, self._past = seed, {}

    async def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """The choice of each; the calls of all are in flight at once."""
        chosen = await asyncio.gather(*(self._choose(agent, seen, spaces[agent]) for agent, seen in observations.items()))
        return dict(zip(observations, chosen, strict=True))

    async def _choose(self, agent: Agent, seen: Any, space: Any) -> Any:
        self.see(agent, seen)
        try:
            decision = await self.weigh(agent, seen, space)
        except CallFailed as error:
            return Fault(str(error))
        if self.temperature == 0:
            index = int(decision.preference.argmax())
        else:
            u = generator(self._seed, "player", agent, seen.round).random()
            chances = _softmax(decision.preference / self.temperature)
            index = min(int(np.searchsorted(np.cumsum(chances), u, side="right")), len(chances) - 1)
        return space.options()[index]

    def see(self, agent: Agent, seen: Any) -> None:
        """Take up what happened in the last round, once."""
        past = self._past.setdefault(agent, [])
        if len(past) == seen.round - 2:
            before = np.sum([won for _, won in past], axis=0) if past else np.zeros(len(seen.points))
            past.append((list(seen.last), (np.array(seen.points) - before).tolist()))

    async def weigh(self, agent: Agent, seen: Any, space: Any) -> Decision:
        """The likelihood of each option in a situation, after the rounds that were seen."""
        options = [choice.option for choice in space.options()]
        if not self.predict:
            return await self._ask(agent, seen, options)
        names = [name for name in (seen.last or options) if name not in options]
        if len(seen.points) != 2 or names:
            raise ConfigError("a player predicts in games of two who have the same options: leave predict out")
        prediction = await self._ask(agent, seen, options, predicting=True)
        return await self._ask(agent, seen, options, predicted=int(prediction.preference.argmax()))

    async def _ask(
        self, agent: Agent, seen: Any, options: list[str], *, predicting: bool = False, predicted: int | None = None
    ) -> Decision:
        """Put a question in all ways at once."""
        n, letters = len(options), self.framing.letters
        if n > len(letters) or len(set(letters)) < len(letters):
            raise ConfigError(f"the framing has the letters {letters!r} for {n} options: give a different one for each")
        turns = range(n) if self.average else range(1)

        async def scores(turn: int, order: int) -> list[float]:
            names = {option: letters[(k + turn) % n] for k, option in enumerate(options)}
            listed = [options[(k + order) % n] for k in range(n)]
            shown = None if predicted is None else names[options[predicted]]
            text = self._text(agent, seen, names, listed, predicting=predicting, predicted=shown)
            purpose = "predict" if predicting else "choose"
            found = await self.model.score(text, [names[option] for option in options], agent=agent, purpose=purpose)
            return found.values

        asked = [[scores(turn, order) for order in turns] for turn in turns]
        flat = await asyncio.gather(*(one for row in asked for one in row))
        return Decision(np.array(flat, float).reshape(len(turns), len(turns), n))

    def _text(self, agent: Agent, seen: Any, names: Mapping[str, str], listed: Sequence[str], **question: Any) -> str:
        """The prompt, with the options named by letters and in the order listed."""
        story, two = STORIES[self.framing.story], len(seen.points) == 2
        cells, rest = _told(seen.rules)
        place = {option: i for i, option in enumerate(listed)}
        cells.sort(key=lambda cell: [place.get(option, 0) for _, option in cell[0]])

        def who(name: str) -> str:
            return name if name == "you" or not two else story.other

        others = [name for name, _ in cells[0][0][1:]] if cells else []
        people = [*others[: seen.you], "you", *others[seen.you :]]
        if len(people) != len(seen.points):
            people = [f"player {i + 1}" if i != seen.you else "you" for i in range(len(seen.points))]
        seats = sorted(range(len(people)), key=lambda seat: seat != seen.you)
        history = [
            {
                "choices": [(who(people[i]), names.get(done[i], done[i])) for i in seats],
                "won": [(who(people[i]), f"{won[i]:g}") for i in seats],
            }
            for done, won in self._past.get(agent, [])
        ]
        return render(
            "player",
            story=story,
            unit=self.framing.unit,
            named=[names[option] for option in listed],
            cells=[
                {
                    "choices": [(who(name), names.get(option, option)) for name, option in choices],
                    "mine": mine,
                    "others": [(who(name), value) for name, value in theirs],
                }
                for choices, mine, theirs in cells
            ],
            rest=rest,
            history=history,
            round=seen.round,
            before=[(who(people[i]), names.get(option, option)) for i, option in enumerate(seen.before)],
            other=story.other,
            **question,
        )

    def state_dict(self) -> dict[str, Any]:
        """The seed and the rounds that were seen."""
        return {"seed": self._seed, "past": {a: [list(one) for one in past] for a, past in self._past.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        self._seed = state["seed"]
        self._past = {a: [(list(last), list(won)) for last, won in past] for a, past in state["past"].items()}


Cell = tuple[list[tuple[str, str]], str, list[tuple[str, str]]]


def _told(rules: str) -> tuple[list[Cell], list[str]]:
    """The payoffs in a `MatrixGame`'s rules (who chooses what, what I get, what others get), and what else they say."""
    cells: list[Cell] = []
    rest = []
    for line in rules.splitlines():
        if (found := CELL.fullmatch(line)) is None:
            rest.append(line)
            continue
        choices = [CHOICE.fullmatch(part) for part in found["choices"].split(" and ")]
        others = [part.rpartition(" ") for part in found["others"].split(", ")]
        if None in choices:
            raise ConfigError(f"a player cannot read the rule {line!r}: the names of options or players have 'and' in them")
        pairs = [(choice["who"], choice["option"]) for choice in choices if choice]
        cells.append((pairs, found["mine"], [(name, value) for name, _, value in others]))
    return cells, rest


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the last axis; alike where all are -inf."""
    best = scores.max(-1, keepdims=True)
    weights = np.where(np.isneginf(best), 1.0, np.exp(scores - np.where(np.isneginf(best), 0.0, best)))
    return weights / weights.sum(-1, keepdims=True)
