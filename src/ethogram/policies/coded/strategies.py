"""Strategies for repeated matrix games, by their standard names: tit for tat and its kin, triggers, learners, level k.

    simulate(MatrixGame(rounds=100), {"player 1": strategy("tit for tat"), "player 2": strategy("axelrod: EvolvedHMM5")})

A player's first option stands for cooperation and its second for defection. Strategies see only what is observed: where
noise carries out something else than was chosen, they go by what was carried out, their own moves included.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
from gymnasium import Space
from pydantic import BaseModel

from ethogram.errors import ConfigError
from ethogram.policy import Policy
from ethogram.seeds import generator, generator_from, generator_state
from ethogram.world import Agent

__all__ = ["RULES", "STRATEGIES", "Match", "MemoryOne", "Strategy", "axelrod_strategy", "payoffs_told", "strategy"]

FIRST, SECOND = 0, 1


class Match:
    """A match as one of its players knows it: what a rule decides from.

    `mine` and `theirs` have the number of the option carried out in each round so far. Of several others, `theirs` is the
    highest: with two options, 1 where any of them defected.
    """

    __slots__ = ("_key", "_rng", "actions", "index", "left", "mine", "numbers", "rules", "theirs")

    def __init__(self, key: tuple[int, Agent], actions: Sequence[BaseModel]) -> None:
        self.actions = actions
        """Of the player, by their number."""
        self.index: dict[str, int] = {action.option: i for i, action in enumerate(actions)}  # type: ignore[attr-defined]
        self.mine: list[int] = []
        self.theirs: list[int] = []
        self.numbers: dict[str, float] = {}
        """What a rule wants to remember."""
        self.rules, self.left = "", None
        self._key = key
        self._rng: np.random.Generator | None = None

    @property
    def rng(self) -> np.random.Generator:
        """The player's own random numbers."""
        if self._rng is None:
            self._rng = generator(self._key[0], "strategy", self._key[1])
        return self._rng

    def see(self, seen: Any) -> None:
        """Take up what a player is told when it is to choose (a `Round`)."""
        self.rules, self.left = seen.rules, seen.left
        last = seen.last
        if last:
            you = seen.you
            try:
                if len(last) == 2:
                    mine, theirs = self.index[last[you]], self.index[last[1 - you]]
                else:
                    done = [self.index[option] for option in last]
                    mine, theirs = done.pop(you), max(done)
            except KeyError as error:
                raise ConfigError(
                    f"a strategy needs a game in which all players have the same options; {error} is none of its own: "
                    f"{', '.join(self.index)}"
                ) from None
            self.mine.append(mine)
            self.theirs.append(theirs)

    def state_dict(self) -> dict[str, Any]:
        """All that is remembered."""
        rng = None if self._rng is None else generator_state(self._rng)
        return {"mine": list(self.mine), "theirs": list(self.theirs), "numbers": dict(self.numbers), "rng": rng}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put it back."""
        self.mine, self.theirs, self.numbers = list(state["mine"]), list(state["theirs"]), dict(state["numbers"])
        self._rng = None if state["rng"] is None else generator_from(state["rng"])


Rule = Callable[[Match], int]
"""From a match to the number of the option chosen."""


class Strategy(Policy):
    """Plays matrix games by a rule, in as many seats as one likes.

    Args:
        rule: the name of one of `RULES`, or a function from a match as the player knows it to the number of its option.

    Raises:
        ConfigError: there is no such rule; or, when it acts, the space is not that of a choice among options, or players
            have different ones.
    """

    def __init__(self, rule: Rule | str = "tit for tat") -> None:
        self.rule = rule_of(rule) if isinstance(rule, str) else rule
        self._seed = 0
        self._matches: dict[Agent, Match] = {}
        self._kept: Mapping[str, Any] = {}

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """A match begins."""
        self._seed, self._matches, self._kept = seed, {}, {}

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> dict[Agent, Any]:
        """Ask the rule for each player."""
        actions = {}
        for agent, seen in observations.items():
            match = self._matches.get(agent)
            if match is None:
                match = self._matches[agent] = self._begin(agent, spaces[agent])
            match.see(seen)
            actions[agent] = match.actions[self.rule(match)]
        return actions

    def _begin(self, agent: Agent, space: Space[Any]) -> Match:
        match = Match((self._seed, agent), options_of(space))
        if agent in self._kept:
            match.load_state_dict(self._kept[agent])
        return match

    def state_dict(self) -> dict[str, Any]:
        """What each player remembers."""
        matches = {**self._kept, **{agent: match.state_dict() for agent, match in self._matches.items()}}
        return {"seed": self._seed, "matches": matches}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put it back."""
        self._seed, self._kept, self._matches = state["seed"], dict(state["matches"]), {}


def options_of(space: Space[Any]) -> list[Any]:
    """The actions of a player, in the order of its options; ConfigError where the space is no choice among options."""
    options = getattr(space, "options", list)()
    if len(options) < 2 or not all(hasattr(option, "option") for option in options):
        raise ConfigError(f"a strategy chooses one of two or more options, as in a MatrixGame; it cannot play in {space}")
    return options


def payoffs_told(rules: str, options: Sequence[str]) -> np.ndarray[Any, Any]:
    """The payoffs of a game of two, read from the rules that one of its players is told.

    Args:
        rules: as a `Round` has them.
        options: of both players, in order.

    Returns:
        Shape (options, options, 2), read-only: by what I choose and what the other does, what I get and what the other
        gets.

    Raises:
        ConfigError: the rules do not tell the payoffs of all pairs of these options.
    """
    return _told(rules, tuple(options))


@lru_cache(64)
def _told(rules: str, options: tuple[str, ...]) -> np.ndarray[Any, Any]:
    names = "|".join(re.escape(option) for option in sorted(options, key=len, reverse=True))
    told = re.compile(rf"If you choose ({names}) and .+ chooses ({names}), you get (\S+) points and .+ (\S+)\.")
    index = {option: i for i, option in enumerate(options)}
    payoffs = np.full((len(options), len(options), 2), math.nan)
    for line in rules.splitlines():
        if (found := told.fullmatch(line)) is not None:
            mine, other, own, others = found.groups()
            payoffs[index[mine], index[other]] = float(own), float(others)
    if np.isnan(payoffs).any():
        raise ConfigError("the rules of this game do not tell the payoffs of two players with the same options")
    payoffs.setflags(write=False)
    return payoffs


class MemoryOne:
    """Chooses the first option with a probability that depends on the last round alone (Nowak & Sigmund 1990).

    Args:
        cc, cd, dc, dd: that probability, by what I did (c: the first option) and what the other did.
        first: the same in the first round.

    Raises:
        ConfigError: something is no probability.
    """

    def __init__(self, cc: float, cd: float, dc: float, dd: float, first: float = 1.0) -> None:
        self.chances = ((cc, cd), (dc, dd))
        self.first = first
        if not all(0 <= chance <= 1 for chance in (cc, cd, dc, dd, first)):
            raise ConfigError(f"a memory-one strategy has five probabilities, not {(cc, cd, dc, dd, first)}")

    def __call__(self, match: Match) -> int:
        """Draw, unless it is certain; the options beyond the second count as the second."""
        chance = self.chances[match.mine[-1] > 0][match.theirs[-1] > 0] if match.mine else self.first
        if chance == 1 or chance == 0:
            return FIRST if chance else SECOND
        return FIRST if match.rng.random() < chance else SECOND


def always(option: int, match: Match) -> int:
    """One option, whatever happens."""
    return option


def tit_for_tat(match: Match) -> int:
    """Begin with the first option, then do what the other did."""
    return match.theirs[-1] if match.theirs else FIRST


def suspicious_tit_for_tat(match: Match) -> int:
    """Tit for tat that begins with the second option."""
    return match.theirs[-1] if match.theirs else SECOND


def anti_tit_for_tat(match: Match) -> int:
    """Begin with the first option, then do the opposite of what the other did."""
    return int(match.theirs[-1] == FIRST) if match.theirs else FIRST


def tit_for_two_tats(match: Match) -> int:
    """Defect after two defections of the other in a row."""
    return SECOND if len(match.theirs) > 1 and all(match.theirs[-2:]) else FIRST


def two_tits_for_tat(match: Match) -> int:
    """Defect twice after each defection of the other."""
    return SECOND if any(match.theirs[-2:]) else FIRST


def hard_tit_for_tat(match: Match) -> int:
    """Defect after a defection of the other in any of the last three rounds."""
    return SECOND if any(match.theirs[-3:]) else FIRST


def grim_trigger(match: Match) -> int:
    """Cooperate until the other defects; then never again."""
    if match.theirs and match.theirs[-1]:
        match.numbers["triggered"] = 1
    return SECOND if match.numbers else FIRST


def contrite_tit_for_tat(match: Match) -> int:
    """Tit for tat that does not answer a defection which answers an own one by mistake (Wu & Axelrod 1995, in standings).

    A player is in bad standing who defected on one in good standing; one in bad standing cooperates, and gets its good
    standing back by doing so. It defects on those in bad standing.
    """
    if not match.mine:
        return FIRST
    mine, theirs = match.mine[-1] > 0, match.theirs[-1] > 0
    good, other_good = not match.numbers.get("I am bad"), not match.numbers.get("other is bad")
    match.numbers["I am bad"] = int(mine and other_good if good else mine)
    match.numbers["other is bad"] = int(theirs and good if other_good else theirs)
    return SECOND if match.numbers["other is bad"] and not match.numbers["I am bad"] else FIRST


def majority(tie: int, match: Match) -> int:
    """Do what the other has done more often; at a tie, `tie`."""
    if match.theirs:
        match.numbers["defections"] = match.numbers.get("defections", 0) + (match.theirs[-1] > 0)
    ahead = 2 * match.numbers.get("defections", 0) - len(match.theirs)
    return tie if ahead == 0 else SECOND if ahead > 0 else FIRST


def prober(match: Match) -> int:
    """Defect, cooperate, cooperate; for good defect if the other let that pass, else play tit for tat."""
    if len(match.mine) < 3:
        return SECOND if not match.mine else FIRST
    if match.theirs[1] == match.theirs[2] == FIRST:
        return SECOND
    return tit_for_tat(match)


def alternator(match: Match) -> int:
    """First and second option in turn, by the last own move that was carried out."""
    return int(match.mine[-1] == FIRST) if match.mine else FIRST


def turn_taker(match: Match) -> int:
    """First option in odd rounds and second in even ones, whatever is carried out."""
    return len(match.mine) % 2


def defect_once(match: Match) -> int:
    """Defect in the first round and cooperate ever after (Akata et al. 2025)."""
    return FIRST if match.mine else SECOND


def random(match: Match) -> int:
    """Any option with the same probability."""
    return int(match.rng.integers(len(match.actions)))


def best_reply(match: Match) -> int:
    """The best reply to the other's last move (Cournot); at first, to all its options alike. The lowest number wins ties."""
    payoffs = payoffs_told(match.rules, list(match.index))[:, :, 0]
    return int((payoffs[:, match.theirs[-1]] if match.theirs else payoffs.mean(axis=1)).argmax())


def fictitious_play(match: Match) -> int:
    """The best reply to how often the other did what so far (Brown 1951), all options counted once before it begins."""
    payoffs = payoffs_told(match.rules, list(match.index))[:, :, 0]
    counts = 1 + np.bincount(match.theirs, minlength=len(match.actions))
    return int((payoffs @ counts).argmax())


def level_k(level: int, match: Match) -> int:
    """The best reply to level k - 1, where level 0 does anything with the same probability (Stahl & Wilson 1994)."""
    if level == 0:
        return random(match)
    payoffs = payoffs_told(match.rules, list(match.index))
    return _level(level, payoffs[:, :, 0], payoffs[:, :, 1].T)


def _level(level: int, mine: np.ndarray[Any, Any], others: np.ndarray[Any, Any]) -> int:
    """What level k chooses; payoffs of both players by what they do themselves and what the other does."""
    count = len(mine)
    belief = np.full(count, 1 / count) if level == 1 else np.eye(count)[_level(level - 1, others, mine)]
    return int((mine @ belief).argmax())


RULES: dict[str, Rule] = {
    "always first": partial(always, FIRST),
    "always second": partial(always, SECOND),
    "random": random,
    "alternator": alternator,
    "turn taker": turn_taker,
    "defect once": defect_once,
    "tit for tat": tit_for_tat,
    "suspicious tit for tat": suspicious_tit_for_tat,
    "anti tit for tat": anti_tit_for_tat,
    "tit for two tats": tit_for_two_tats,
    "two tits for tat": two_tits_for_tat,
    "hard tit for tat": hard_tit_for_tat,
    "contrite tit for tat": contrite_tit_for_tat,
    "generous tit for tat": MemoryOne(1, 1 / 3, 1, 1 / 3),  # as generous as a defector's payoffs 5, 3, 1, 0 allow
    "joss": MemoryOne(0.9, 0, 0.9, 0),
    "firm but fair": MemoryOne(1, 0, 1, 2 / 3),
    "win-stay lose-shift": MemoryOne(1, 0, 0, 1),
    "zero-determinant extortion": MemoryOne(8 / 9, 1 / 2, 1 / 3, 0),  # factor 2, payoffs 5, 3, 1, 0: Press & Dyson 2012
    "zero-determinant generosity": MemoryOne(1, 1 / 8, 1, 1 / 4),  # the same: Stewart & Plotkin 2013
    "grim trigger": grim_trigger,
    "soft majority": partial(majority, FIRST),
    "hard majority": partial(majority, SECOND),
    "prober": prober,
    "best reply": best_reply,
    "fictitious play": fictitious_play,
    "level 0": partial(level_k, 0),
    "level 1": partial(level_k, 1),
    "level 2": partial(level_k, 2),
}
"""The rule of each strategy, by its standard name."""

STRATEGIES: dict[str, Callable[[], Policy]] = {name: partial(Strategy, name) for name in RULES}
"""A new policy of each strategy, by its standard name."""


def rule_of(name: str) -> Rule:
    """A rule by name; ConfigError where there is none."""
    if name not in RULES:
        raise ConfigError(f"there is no strategy {name!r}; there are {', '.join(RULES)}, and 'axelrod: NAME'")
    return RULES[name]


def strategy(name: str) -> Policy:
    """A strategy by its name in `STRATEGIES`, or `axelrod: NAME` with the name of one of the library axelrod.

    Raises:
        ConfigError: there is none of that name.
    """
    library, colon, own = name.partition(":")
    if colon and library.strip().lower() == "axelrod":
        return axelrod_strategy(own.strip())
    return Strategy(name)


def axelrod_strategy(name: str, **arguments: Any) -> Policy:
    """One of the more than 200 strategies of the library axelrod, as a policy. The first takes some 10 s to import.

    Args:
        name: of the class (`TitForTat`) or of the strategy (`Tit For Tat`); capitals and spaces do not count.
        **arguments: of the class.

    Raises:
        ConfigError: axelrod is not installed, has none of that name, or has one that breaks the rules of a match.
    """
    from ethogram.policies.coded._axelrod import AxelrodStrategy

    return AxelrodStrategy(name, **arguments)
