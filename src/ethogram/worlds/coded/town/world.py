"""The town: people walk, work, talk and sleep on a map of tiles, by the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ethogram.errors import ConfigError
from ethogram.social import Do, Event, Go, Say, View, Wait
from ethogram.spaces import Typed, Verbs
from ethogram.world import Step
from ethogram.worlds.coded.town.choices import Choices
from ethogram.worlds.coded.town.clock import DAY, WEEKDAYS, clock, clock_time
from ethogram.worlds.coded.town.grounds import Grounds
from ethogram.worlds.coded.town.layout import Layout
from ethogram.worlds.coded.town.people import People, Person
from ethogram.worlds.coded.town.senses import MOST, event, gone, latest, nearest_of, news
from ethogram.worlds.coded.town.source import nearest, town_file
from ethogram.worlds.coded.town.talk import Speech, Talk, answer, begin, find, sides

__all__ = ["Town"]


class Town(Grounds):
    """People on a map of tiles, in ticks of some minutes, speaking the common vocabulary (`ethogram.social`).

    At a tick everyone who is awake and not on the way acts at once. Who says something to somebody near opens a
    conversation of two: the steps that follow ask only those whose turn it is, all conversations in parallel, while the
    clock stands; they end by any action other than `Say` to the partner, or after `turns` utterances. Then what the
    others (and the partner before) chose to do is done, and the clock goes on until somebody is asked again. At bedtime
    people walk home and sleep.

    One perceives who and what is near: in the same place (or on the street) and at most `sight` tiles away. Events in a
    view come tick by tick, within one the nearest first; speech to the agent is `told`, other speech near by `heard`.
    Rewards are 0. The episode ends, truncated, at `end` of the last day.

    Args:
        map: a town that comes with ethogram (a folder of `towns/`), or the path of a map file or of a folder with
            `map.toml` and `people.toml`.
        people: a town that comes with ethogram, or the path of a people file; default: the people of `map`.
        start: clock time of the first day at which the episode begins.
        end: clock time of the last day at which it ends.
        days: number of days.
        weekday: name of the first day.
        tick: minutes of a tick.
        pace: tiles that people walk in a tick.
        sight: tiles (in the larger of the two directions) within which people perceive and can speak to each other.
        turns: utterances after which a conversation ends.
        newcomers: people besides those of the file, described as there. They are not in town until the intervention `arrive`
            brings them; until then all is as if there were none.

    Raises:
        ConfigError: a file or value is wrong; the message names file and line.
    """

    metadata: dict[str, Any] = {"name": "town", "render_modes": []}
    time_unit: ClassVar[str] = "minute"
    newcomer: ClassVar[type[Person]] = Person
    """How somebody is described who joins a town that is under way."""
    state_fields: ClassVar[tuple[str, ...]] = (
        "time",
        "tile",
        "place",
        "going",
        "activity",
        "asleep",
        "shown",
        "talks",
        "intents",
        "things",
        "using",
        "shut",
        "away",
    )

    def __init__(
        self,
        map: str | Path = "small",
        people: str | Path = "",
        *,
        start: str = "06:00",
        end: str = "24:00",
        days: int = 1,
        weekday: str = "Monday",
        tick: int = 10,
        pace: int = 40,
        sight: int = 4,
        turns: int = 8,
        newcomers: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        for name, value, least in (
            ("days", days, 1),
            ("tick", tick, 1),
            ("pace", pace, 1),
            ("turns", turns, 1),
            ("sight", sight, 0),
        ):
            if not isinstance(value, int) or value < least:
                raise ConfigError(f"town: {name} must be a whole number from {least} on, not {value!r}")
        if weekday not in WEEKDAYS:
            raise ConfigError(f"town: unknown weekday {weekday!r}{nearest(weekday, WEEKDAYS)}")
        self.tick, self.pace, self.sight, self.turns = tick, pace, sight, turns
        self.weekday = WEEKDAYS.index(weekday)
        self.start, self.end = clock_time(start, "start"), (days - 1) * DAY + clock_time(end, "end")
        self.expected_steps = int((self.end - self.start) / tick)  # talks take steps more, sleepers act in fewer
        if self.end <= self.start:
            raise ConfigError(
                f"town: it ends ({end} of day {days}) before it starts ({start}); give a later end or more days"
            )
        self.layout = Layout(town_file(map, "map.toml"))
        self.people = People(town_file(people or map, "people.toml"), self.layout)
        self.newcomers = self.people.newcomers(newcomers, self.layout)
        self.persons: list[Person] = [*self.people.persons.values(), *self.newcomers]
        self.possible_agents = [person.name for person in self.persons]
        self.agents = []
        self._index = {name: i for i, name in enumerate(self.possible_agents)}
        self._home = [self.layout.index[p.home] for p in self.persons]
        self._keys = [{self.layout.index[p] for p in (q.home, q.work) if p} for q in self.persons]
        names = sorted({thing for place in self.layout.places for thing in place.things})
        self._choices = Choices(self.layout.names, self.possible_agents, names)
        self.action_spaces = dict.fromkeys(self.possible_agents, self._choices.all)
        self.observation_spaces = dict.fromkeys(self.possible_agents, Typed(View))

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode at `start`, with everyone at home."""
        super().reset(seed)
        n, here = len(self.persons), len(self.persons) - len(self.newcomers)
        self.away = [i >= here for i in range(n)]
        self.agents = self._present()
        self.time = self.start
        self.tile = np.full(n, -1, np.int32)
        self.place = list(self._home)
        for i in range(here):
            self.tile[i] = self._spot(self.place[i], self.rng)
        self.going = [-1] * n
        self.activity = ["getting up"] * n
        self.asleep = [away or p.sleep.contain(self.time) for p, away in zip(self.persons, self.away, strict=True)]
        self.inbox: list[list[Event]] = [[] for _ in range(n)]
        self.shown = [0] * n
        self.talks: list[Talk] = []
        self.intents: dict[str, dict[str, Any]] = {}
        self.things = {p.name: dict(p.things) for p in self.layout.places}
        self.using: dict[str, list[str]] = {}
        self.shut: list[int] = []
        self._changed = np.zeros(n, bool)
        self._cache: list[View | None] = [None] * n
        self._look()
        if not self.acting:
            self._advance()
        return self._views(range(n)), {agent: {} for agent in self.agents}

    def step(self, actions: Mapping[str, Any]) -> Step:
        """Let those act who were asked; then, unless a conversation awaits an answer, let time pass."""
        if not self.agents:
            return {}, {}, {}, {}, {}
        asked = [(self._index[agent], actions.get(agent) or Wait()) for agent in self.acting]
        for i, _ in asked:
            del self.inbox[i][: self.shown[i]]
            self.shown[i] = 0
        touched = {i for i, _ in asked} | (self._answer(dict(asked)) if self.talks else self._begin(asked))
        if not self.talks:
            self._carry_out()
            self._advance()
            touched = set(range(len(self.persons)))
        live, over = list(self.agents), self.time >= self.end
        if over:
            self.agents = []
        infos: dict[str, dict[str, Any]] = {agent: {} for agent in live}
        return (
            self._views(touched),
            dict.fromkeys(live, 0.0),
            dict.fromkeys(live, False),
            dict.fromkeys(live, over),
            infos,
        )

    @property
    def now(self) -> float:
        """Minutes since midnight of the first day."""
        return float(self.time)

    @property
    def acting(self) -> Sequence[str]:
        """Those whose turn it is in the conversations; where there are none, all who are awake and not on the way."""
        if self.talks:
            return [self.possible_agents[i] for i in sorted(sides(talk)[0] for talk in self.talks)]
        return [a for a in self.agents if not self.asleep[i := self._index[a]] and self.going[i] < 0]

    @property
    def places(self) -> dict[str, tuple[str, ...]]:
        """All places, each with the things in it."""
        return {place.name: tuple(place.things) for place in self.layout.places}

    def observe(self) -> dict[str, View]:
        """The views as they are now, after an intervention."""
        return self._views(range(len(self.persons))) if self.agents else {}

    # --- conversations ---

    def _begin(self, asked: list[tuple[int, Any]]) -> set[int]:
        """Take what everybody chose at a tick: what is said opens conversations, in random order; the rest is kept."""
        assert self.rng is not None
        self.intents = {str(i): _dump(action) for i, action in asked if isinstance(action, Go | Do | Wait)}
        sayings = [(i, action) for i, action in asked if isinstance(action, Say)]
        order = self.rng.permutation(len(sayings)).tolist()
        self.talks, speeches = begin([sayings[k] for k in order], self._near, self._index, self.turns)
        return self._deliver(speeches)

    def _answer(self, actions: dict[int, Any]) -> set[int]:
        """Take the next words of each conversation, and drop those that are over."""
        pairs = {i for talk in self.talks for i in talk["pair"]}
        self.talks, speeches = answer(self.talks, actions, self._index, self.turns)
        return pairs | self._deliver(speeches)

    def _deliver(self, speeches: list[Speech]) -> set[int]:
        """Let speech be perceived by who is spoken to and by others near; returns all whose view changes."""
        touched: set[int] = set()
        for i, j, text in speeches:
            speaker, hearer, place = self.possible_agents[i], self.possible_agents[j], self._where(i)
            self.inbox[j].append(event("told", speaker, text, place, hearer))
            overheard = event("heard", speaker, text, place, hearer)
            others = [k for k in np.flatnonzero(self._near[i]).tolist() if k != j]
            for k in others:
                self.inbox[k].append(overheard)
            touched |= {i, j, *others}
        return touched

    # --- time ---

    def _carry_out(self) -> None:
        """Do what was chosen at the tick, now that all conversations are over."""
        self._changed = np.zeros(len(self.persons), bool)
        for key, verb in self.intents.items():
            i = int(key)
            if verb["verb"] == "wait":
                self._start_activity(i, "waiting")
            elif verb["verb"] == "do":
                self._start_activity(i, verb["activity"], verb["thing"])
            elif (
                (place := self.layout.index.get(verb["to"], -1)) >= 0 and self._open_to(i, place) and place != self.place[i]
            ):
                self._set_out(i, place)
        self.intents = {}

    def _advance(self) -> None:
        """Let ticks pass until somebody is to act or the episode ends."""
        while self.time < self.end:
            self.time += self.tick
            before, stood = self._near, self.layout.region[self.tile]
            self._walk()
            self._sleep()
            self._look()
            self._perceive(before, stood)
            self._changed[:] = False
            if self.acting:
                return

    def _sleep(self) -> None:
        """Wake up who has slept enough, send home whose bedtime has come, and let sleep who is at home then."""
        for i, person in enumerate(self.persons):
            if self.away[i]:
                continue
            tired = person.sleep.contain(self.time)
            if self.asleep[i] and not tired:
                self.asleep[i] = False
                self._start_activity(i, "getting up")
            elif tired and not self.asleep[i]:
                if self.place[i] == self._home[i] and self.going[i] < 0:
                    self._start_activity(i, "sleeping")
                    self.asleep[i] = True
                elif self.going[i] != self._home[i]:
                    self._set_out(i, self._home[i])

    # --- perception ---

    def _perceive(self, before: np.ndarray, stood: np.ndarray) -> None:
        """Tell everybody who came near or changed his activity near him, the nearest first, and who has gone.

        Args:
            before: who was near whom before this tick.
            stood: the region everybody was in before this tick.
        """
        doing: dict[int, Event] = {}
        for i, j in news(self._near, before, self._changed, self._far):
            if j not in doing:
                name, place = self.possible_agents[j], self._where(j)
                on_way = place == self.layout.street
                text = f"{name} is walking by." if on_way else f"{name} is {self.activity[j]} at {place}."
                doing[j] = event("seen", name, text, place)
            self.inbox[i].append(doing[j])
        moved = self.layout.region[self.tile] != stood
        for i, j in gone(self._near, before, moved, ~np.array(self.asleep)):
            name, place = self.possible_agents[j], self._where(i)
            self.inbox[i].append(event("seen", name, f"{name} leaves {place}.", place))

    def _views(self, touched: Any) -> dict[str, View]:
        """The views of all agents, those of `touched` made anew."""
        for i in touched:
            self._cache[i] = None
        views = [self._view(i) if view is None else view for i, view in enumerate(self._cache)]
        self._cache = list(views)
        return {a: v for a, v, away in zip(self.possible_agents, views, self.away, strict=True) if not away}

    def _view(self, i: int) -> View:
        """What a person perceives now; everything in it follows from the state."""
        talk, place, going = find(self.talks, i), self.layout.names[self.place[i]], self.going[i]
        partner = "" if talk is None else self.possible_agents[talk["pair"][talk["pair"][0] == i]]
        near = nearest_of(self._near[i], self._far[i])
        self.shown[i] = len(self.inbox[i])
        things = list(self.things[place])[:MOST] if going < 0 else []
        return View.model_construct(
            time=float(self.time),
            clock=clock(self.time, self.weekday),
            place=place,
            going="" if going < 0 else self.layout.names[going],
            activity=f"talking to {partner}" if partner else self.activity[i],
            events=latest(self.inbox[i]),
            people=tuple(self.possible_agents[k] for k in near),
            things={thing: self._state(place, thing) for thing in things},
            talking_to=partner,
        )

    # --- what is open to whom ---

    def available(self, agent: str) -> Verbs:
        """To answer or leave, in a conversation; else to go where it is open, speak to who is near, use what is there."""
        i = self._index[agent]
        talk = find(self.talks, i)
        if talk is not None and sides(talk)[0] == i:
            return self._choices.talking(self.possible_agents[sides(talk)[1]])
        if agent not in self.agents or self.talks or self.asleep[i] or self.going[i] >= 0:
            return self._choices.nothing
        here = self.place[i]
        places = tuple(name for p, name in enumerate(self.layout.names) if p != here and self._open_to(i, p))
        people = tuple(self.possible_agents[k] for k in nearest_of(self._near[i], self._far[i]))
        return self._choices.free(places, people, tuple(self.things[self.layout.names[here]]))

    # --- state ---

    def state_dict(self) -> dict[str, Any]:
        """The complete state."""
        return super().state_dict() | {"inbox": [[e.model_dump() for e in events] for events in self.inbox]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back a state; what is derived from it is computed again."""
        super().load_state_dict(state)
        self.inbox = [[Event(**e) for e in events] for events in state["inbox"]]
        self._changed = np.zeros(len(self.persons), bool)
        self._cache = [None] * len(self.persons)
        self._look()


def _dump(action: Go | Do | Wait) -> dict[str, Any]:
    return {"verb": type(action).__name__.lower(), **action.model_dump()}
