"""RandomMixing: people who meet others at random every day, read what those said last, and say what they think."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ethogram.errors import ConfigError
from ethogram.media import Day, Opine, Statement, Wait
from ethogram.spaces import Typed, Verbs
from ethogram.world import Step, World, intervention

__all__ = ["RandomMixing"]

ORDERS = ("synchronous", "asynchronous")
SUSCEPTIBLE, INFECTED, RECOVERED = "susceptible", "infected", "recovered"


class RandomMixing(World):
    """A claim goes round among people who meet at random (Liu et al., IJCAI 2024, "From Skepticism to Acceptance").

    Every day each person is given `meetings` others, drawn alike, reads what they said last, and says a sentence and whether
    it believes the claim. Belief is read as an epidemic: the susceptible who come to believe are infected, the infected who
    cease to are recovered, and may be infected again. The world ends after `days`, or two days after nobody believes.

    *Order.* `synchronous`: all read what was said up to the day before, and speak at once. `asynchronous` (the authors'
    released code): one after the other in a random order, each reading whoever has already spoken today, so that a rumour
    can pass through many people in a day. Meetings and order are drawn alike in both, once a day.

    A person that waits keeps to what it said. Outcome: `peak` and `final`, shares of believers; `belief_days`, the believers
    of each day added up; `days`.

    Args:
        people: how many; the first `believers` of a random order believe at the start.
        believers: how many believe at the start.
        meetings: others whom each meets in a day.
        days: at most.
        order: see above.
        believing: what the first believers have said.
        doubting: what all others have said.
        denials: days (from 1) on which an official denial is put to everybody.
        denial: its words.

    Raises:
        ConfigError: an option is out of range.
    """

    metadata = {"name": "random_mixing", "render_modes": []}
    time_unit = "day"
    state_fields = ("day", "texts", "beliefs", "health", "met", "queue", "denied", "quiet", "history")

    def __init__(
        self,
        people: int = 30,
        believers: int = 2,
        meetings: int = 3,
        days: int = 15,
        order: str = "synchronous",
        believing: str = "I heard the story and I am sure that it is true.",
        doubting: str = "I do not know of any such story.",
        denials: Sequence[int] = (),
        denial: str = "Officials say that the story is false.",
    ) -> None:
        if not (0 <= believers <= people and 1 <= meetings < people and days >= 1):
            raise ConfigError(
                f"random mixing needs 0 to {people} believers, fewer meetings than people, and a day or more; "
                f"not {believers}, {meetings}, {days}"
            )
        if order not in ORDERS:
            raise ConfigError(f"the order of random mixing is one of {', '.join(ORDERS)}, not {order!r}")
        self.believers, self.meetings, self.days, self.order = believers, meetings, days, order
        self._texts, self._denial, self.denials = (doubting, believing), denial, tuple(denials)
        self.expected_steps = days * (people if order == "asynchronous" else 1)
        self.possible_agents = [f"person {i + 1}" for i in range(people)]
        self.agents = []
        self._index = {agent: i for i, agent in enumerate(self.possible_agents)}
        self.observation_spaces = dict.fromkeys(self.possible_agents, Typed(Day))
        self.action_spaces = dict.fromkeys(self.possible_agents, Verbs(Opine, Wait))
        self._said: dict[tuple[int, str, bool], Statement] = {}
        self._seen: dict[str, Day] = {}

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Choose who believes, and whom everybody meets on the first day."""
        super().reset(seed)
        assert self.rng is not None
        people = len(self.possible_agents)
        first = set(self.rng.permutation(people)[: self.believers].tolist())
        self.beliefs = [i in first for i in range(people)]
        self.texts = [self._texts[belief] for belief in self.beliefs]
        self.health = [INFECTED if belief else SUSCEPTIBLE for belief in self.beliefs]
        self.day, self.quiet, self.denied = 1, 0, ""
        self.history = [sum(self.beliefs)]
        self._meet()
        return self.observe(), {agent: {} for agent in self.agents}

    def step(self, actions: Mapping[str, Any]) -> Step:
        """Let those speak whose turn it is; a day ends when all have spoken."""
        live = list(self.agents)
        speaking = self.queue[:1] if self.order == "asynchronous" else self.queue
        for i in speaking:
            self._speak(i, actions.get(self.possible_agents[i]))
        self.queue = self.queue[len(speaking) :]
        if self.queue:
            over, seen = False, self._views(speaking)
        else:
            over, seen = self._end_day(), self.observe()
        if over:
            self.agents = []
        infos: dict[str, dict[str, Any]] = {agent: {} for agent in live}
        return seen, dict.fromkeys(live, 0.0), dict.fromkeys(live, False), dict.fromkeys(live, over), infos

    @property
    def acting(self) -> Sequence[str]:
        """Everybody; in asynchronous order the one whose turn it is."""
        if not self.agents:
            return []
        return [self.possible_agents[i] for i in (self.queue[:1] if self.order == "asynchronous" else self.queue)]

    @property
    def now(self) -> float:
        """The day, from 1."""
        return float(self.day)

    def observe(self) -> dict[str, Day]:
        """What everybody perceives today, by what has been said up to now."""
        self._seen.clear()
        return self._views(())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back a state."""
        super().load_state_dict(state)
        self._seen.clear()

    def outcome(self) -> dict[str, float]:
        """Peak and final share of believers, belief-days and days, up to now."""
        people, past = len(self.possible_agents), self.history
        return {
            "peak": max(past) / people,
            "final": past[-1] / people,
            "belief_days": float(sum(past[1:])),
            "days": float(len(past) - 1),
        }

    @intervention
    def deny(self, text: str = "") -> None:
        """Put an official denial to everybody today, in these words or the usual ones."""
        self.denied = text[:280] or self._denial

    def _views(self, spoken: Sequence[int]) -> dict[str, Day]:
        """What everybody perceives; made anew only for those who have spoken, and those who read them today."""
        denial = self.denied or (self._denial if self.day in self.denials else "")
        for i, agent in enumerate(self.possible_agents):
            if agent not in self._seen or i in spoken or any(j in spoken for j in self.met[i]):
                met = tuple(self._statement(j) for j in self.met[i])
                self._seen[agent] = Day(day=self.day, mine=self._statement(i), met=met, denial=denial)
        return dict(self._seen)

    def _statement(self, i: int) -> Statement:
        """What somebody said last; made once for each thing said."""
        key = (i, self.texts[i], self.beliefs[i])
        if key not in self._said:
            self._said[key] = Statement(author=self.possible_agents[i], text=key[1], belief=key[2])
        return self._said[key]

    def _speak(self, i: int, action: Any) -> None:
        """Take what somebody says."""
        if not isinstance(action, Opine):
            return
        if action.belief:
            self.health[i] = INFECTED
        elif self.health[i] == INFECTED:
            self.health[i] = RECOVERED
        self.texts[i], self.beliefs[i] = action.post, action.belief

    def _end_day(self) -> bool:
        """Count, and begin the next day; whether there is none."""
        self.history.append(sum(self.beliefs))
        self.quiet = 0 if self.history[-1] else self.quiet + 1
        over = self.day >= self.days or self.quiet >= 2
        self.day += 1
        self.denied = ""
        self._meet()
        return over

    def _meet(self) -> None:
        """Draw whom everybody meets today, and the order in which they speak."""
        assert self.rng is not None
        people, k = len(self.possible_agents), self.meetings
        luck = self.rng.random((people, people - 1))
        others = luck.argpartition(k - 1, axis=1)[:, :k]
        others += others >= [[i] for i in range(people)]  # nobody meets itself
        self.met = others.tolist()
        order = self.rng.permutation(people).tolist()
        self.queue: list[int] = order if self.order == "asynchronous" else list(range(people))
