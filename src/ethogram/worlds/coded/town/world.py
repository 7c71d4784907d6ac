"""The town: people walk, work, talk and sleep on a map of tiles, by the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ethogram.errors import ConfigError
from ethogram.social import Do, Event, Go, Leave, Say, View, Wait
from ethogram.spaces import Typed, Verbs
from ethogram.world import Step, World, intervention
from ethogram.worlds.coded.town.clock import DAY, WEEKDAYS, clock, minutes
from ethogram.worlds.coded.town.layout import STREET, Layout
from ethogram.worlds.coded.town.people import People, Person
from ethogram.worlds.coded.town.source import nearest

__all__ = ["Town"]

_MOST = 50
"""The most events, people and things of one view: the capacity of its space."""


class Town(World):
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

    Raises:
        ConfigError: a file or value is wrong; the message names file and line.
    """

    metadata: dict[str, Any] = {"name": "town", "render_modes": []}
    time_unit: ClassVar[str] = "minute"
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
        self.start, self.end = _time(start, "start"), (days - 1) * DAY + _time(end, "end")
        if self.end <= self.start:
            raise ConfigError(
                f"town: it ends ({end} of day {days}) before it starts ({start}); give a later end or more days"
            )
        self.layout = Layout(_find(map, "map.toml"))
        self.people = People(_find(people or map, "people.toml"), self.layout)
        self.persons: list[Person] = list(self.people.persons.values())
        self.possible_agents = list(self.people.persons)
        self.agents = []
        self._index = {name: i for i, name in enumerate(self.possible_agents)}
        self._home = [self.layout.index[p.home] for p in self.persons]
        self._keys = [{self.layout.index[p] for p in (q.home, q.work) if p} for q in self.persons]
        self._parts: dict[Any, Verbs] = {}
        names = sorted({thing for place in self.layout.places for thing in place.things})
        verbs = Verbs(Go, Say, Leave, Do, Wait).where(Go, to=self.layout.names).where(Say, to=self.possible_agents)
        self._verbs = verbs.where(Do, thing=["", *names])
        self.action_spaces = dict.fromkeys(self.possible_agents, self._verbs)
        self.observation_spaces = dict.fromkeys(self.possible_agents, Typed(View))

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode at `start`, with everyone at home."""
        super().reset(seed)
        n = len(self.persons)
        self.time = self.start
        self.tile = np.full(n, -1, np.int32)
        self.place = list(self._home)
        for i in range(n):
            self.tile[i] = self._spot(self.place[i])
        self.going = [-1] * n
        self.activity = ["getting up"] * n
        self.asleep = [p.sleep.contain(self.time) for p in self.persons]
        self.inbox: list[list[Event]] = [[] for _ in range(n)]
        self.shown = [0] * n
        self.talks: list[dict[str, Any]] = []
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
        touched = self._answer(dict(asked)) if self.talks else self._begin(asked)
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
            return [self.possible_agents[i] for i in sorted(talk["pair"][talk["turn"]] for talk in self.talks)]
        return [a for i, a in enumerate(self.agents) if not self.asleep[i] and self.going[i] < 0]

    def observe(self) -> dict[str, View]:
        """The views as they are now, after an intervention."""
        return self._views(range(len(self.persons))) if self.agents else {}

    # --- conversations ---

    def _begin(self, asked: list[tuple[int, Any]]) -> set[int]:
        """Take what everybody chose to do at a tick; what is said first opens conversations. In random order."""
        touched: set[int] = set()
        sayings = [(i, action) for i, action in asked if isinstance(action, Say)]
        self.intents = {str(i): _dump(action) for i, action in asked if isinstance(action, Go | Do | Wait)}
        assert self.rng is not None
        for k in self.rng.permutation(len(sayings)):
            i, action = sayings[k]
            j: int = self._index.get(action.to, i)
            talk = self._talk_of(i)
            if talk is None:
                if not self._near[i, j] or self._talk_of(j) is not None:
                    continue
                talk = {"pair": [i, j], "turn": 0, "said": 0}
                self.talks.append(talk)
            if talk["pair"] in ([i, j], [j, i]) and talk["pair"][talk["turn"]] == i:
                touched |= self._speak(talk, action.text)
        self.talks = [talk for talk in self.talks if talk["said"] < self.turns]
        return touched

    def _answer(self, actions: dict[int, Any]) -> set[int]:
        """Take the next words of each conversation, and drop those that are over."""
        touched: set[int] = set()
        going_on: list[dict[str, Any]] = []
        for talk in self.talks:
            i, j = talk["pair"][talk["turn"]], talk["pair"][1 - talk["turn"]]
            action = actions[i]
            touched |= {i, j}
            if isinstance(action, Say) and action.to == self.possible_agents[j]:
                touched |= self._speak(talk, action.text)
                if talk["said"] < self.turns:
                    going_on.append(talk)
            elif isinstance(action, Leave) and action.text:
                touched |= self._speak(talk, action.text)
        self.talks = going_on
        return touched

    def _talk_of(self, i: int) -> dict[str, Any] | None:
        return next((talk for talk in self.talks if i in talk["pair"]), None)

    def _speak(self, talk: dict[str, Any], text: str) -> set[int]:
        """Let the one whose turn it is say something; returns who perceived it, the speaker included."""
        i, j = talk["pair"][talk["turn"]], talk["pair"][1 - talk["turn"]]
        talk["said"] += 1
        talk["turn"] = 1 - talk["turn"]
        speaker, hearer, place = self.possible_agents[i], self.possible_agents[j], self._where(i)
        self.inbox[j].append(_event("told", speaker, text, place, hearer))
        overheard = _event("heard", speaker, text, place, hearer)
        others = [k for k in np.flatnonzero(self._near[i]).tolist() if k != j]
        for k in others:
            self.inbox[k].append(overheard)
        return {i, j, *others}

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

    def _start_activity(self, i: int, activity: str, thing: str = "") -> None:
        """Let a person do something else, giving back the thing used before and taking up the new one."""
        place = self.layout.names[self.place[i]]
        self._changed[i] |= activity != self.activity[i]
        self.activity[i] = activity
        before = self.using.pop(str(i), None)
        after = [place, thing] if thing in self.things[place] and [place, thing] not in self.using.values() else None
        if after:
            self.using[str(i)] = after
        for used in (before, after):
            if used and before != after:
                self._show(i, *used)

    def _show(self, i: int, place: str, thing: str) -> None:
        """Let those near `i` see the state of a thing."""
        text = f"{thing} at {place} is now {self._state(place, thing)}."
        seen = _event("seen", thing, text[:1].upper() + text[1:], place)
        for k in np.flatnonzero(self._near[i]).tolist():
            self.inbox[k].append(seen)

    def _state(self, place: str, thing: str) -> str:
        """The state of a thing: who uses it for what, or the state it is in when nobody does."""
        user = next((int(i) for i, used in self.using.items() if used == [place, thing]), None)
        if user is None:
            return self.things[place][thing]
        return f"in use by {self.possible_agents[user]} ({self.activity[user]})"

    def _set_out(self, i: int, place: int) -> None:
        self._start_activity(i, f"walking to {self.layout.names[place]}")
        self.going[i] = place

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

    def _walk(self) -> None:
        """Move everybody who is on the way by at most `pace` tiles; who arrives takes a free spot of the place."""
        region = self.layout.region
        for i, place in enumerate(self.going):
            if place < 0:
                continue
            following, _ = self.layout.ways(place)
            tile = self.tile[i]
            for _ in range(self.pace):
                tile = following[tile]
                if region[tile] == place:
                    break
            self.tile[i] = tile
            if region[tile] == place:
                self.tile[i] = self._spot(place)
                self.place[i], self.going[i], self.activity[i] = place, -1, "arriving"
                self._changed[i] = True

    def _spot(self, place: int) -> int:
        """A random free tile of the place, or any where none is free."""
        tiles = self.layout.tiles[place]
        free = tiles[~np.isin(tiles, self.tile)]
        assert self.rng is not None
        return int(self.rng.choice(free if len(free) else tiles))

    def _sleep(self) -> None:
        """Wake up who has slept enough, send home whose bedtime has come, and let sleep who is at home then."""
        for i, person in enumerate(self.persons):
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

    def _look(self) -> None:
        """Find who is near whom: `_near` (n, n) bool, `_far` (n, n) the distance in tiles."""
        row, column = np.divmod(self.tile, self.layout.width)
        far = np.maximum(np.abs(row[:, None] - row), np.abs(column[:, None] - column))
        region, awake = self.layout.region[self.tile], ~np.array(self.asleep)
        near = (region[:, None] == region) & (far <= self.sight) & awake[:, None] & awake
        np.fill_diagonal(near, False)
        self._near, self._far = near, far

    def _perceive(self, before: np.ndarray, stood: np.ndarray) -> None:
        """Tell everybody who came near or changed his activity near him, the nearest first, and who has gone."""
        new = self._near & (~before | self._changed)
        seer, seen = np.nonzero(new)
        seen = seen[np.lexsort((seen, self._far[seer, seen], seer))]  # nonzero gives seers in order
        doing: dict[int, Event] = {}
        for i, j in zip(seer.tolist(), seen.tolist(), strict=True):
            if j not in doing:
                doing[j] = self._sight_of(j)
            self.inbox[i].append(doing[j])
        moved = self.layout.region[self.tile] != stood
        left = before & ~self._near & moved & ~moved[:, None] & ~np.array(self.asleep)[:, None]
        for i, j in np.argwhere(left).tolist():
            place = self._where(i)
            self.inbox[i].append(
                _event("seen", self.possible_agents[j], f"{self.possible_agents[j]} leaves {place}.", place)
            )

    def _sight_of(self, j: int) -> Event:
        name, place = self.possible_agents[j], self._where(j)
        text = f"{name} is walking by." if place == self.layout.street else f"{name} is {self.activity[j]} at {place}."
        return _event("seen", name, text, place)

    def _where(self, i: int) -> str:
        """The name of the place on whose tiles the person stands; that of the street on the street."""
        region = int(self.layout.region[self.tile[i]])
        return self.layout.street if region == STREET else self.layout.names[region]

    def _views(self, touched: Any) -> dict[str, View]:
        """The views of all agents, those of `touched` made anew."""
        for i in touched:
            self._cache[i] = None
        views = [self._view(i) if view is None else view for i, view in enumerate(self._cache)]
        self._cache = list(views)
        return dict(zip(self.possible_agents, views, strict=True))

    def _view(self, i: int) -> View:
        """What a person perceives now; everything in it follows from the state."""
        talk, place, going = self._talk_of(i), self.layout.names[self.place[i]], self.going[i]
        partner = "" if talk is None else self.possible_agents[talk["pair"][talk["pair"][0] == i]]
        near = np.flatnonzero(self._near[i])
        if len(near) > _MOST:
            near = np.sort(near[np.argsort(self._far[i, near], kind="stable")[:_MOST]])
        self.shown[i] = len(self.inbox[i])
        things = list(self.things[place])[:_MOST] if going < 0 else []
        return View.model_construct(
            time=float(self.time),
            clock=clock(self.time, self.weekday),
            place=place,
            going="" if going < 0 else self.layout.names[going],
            activity=f"talking to {partner}" if partner else self.activity[i],
            events=_latest(self.inbox[i]),
            people=tuple(self.possible_agents[k] for k in near.tolist()),
            things={thing: self._state(place, thing) for thing in things},
            talking_to=partner,
        )

    # --- what is open to whom ---

    def available(self, agent: str) -> Verbs:
        """In a conversation: to answer, leave or fall silent; else to go where it is open, to speak, to use what is there."""
        i = self._index[agent]
        talk = self._talk_of(i)
        if talk is not None and talk["pair"][talk["turn"]] == i:
            return self._part(self.possible_agents[talk["pair"][1 - talk["turn"]]])
        if agent not in self.agents or self.talks or self.asleep[i] or self.going[i] >= 0:
            return self._part(None)
        places = tuple(n for p, n in enumerate(self.layout.names) if p != self.place[i] and self._open_to(i, p))
        near = tuple(self.possible_agents[k] for k in np.flatnonzero(self._near[i]).tolist())
        return self._part((places, near, tuple(self.things[self.layout.names[self.place[i]]])))

    def _part(self, key: Any) -> Verbs:
        """The part of the action space for a partner in conversation, for (places, people, things), or for nothing."""
        if key not in self._parts:
            if len(self._parts) > 10_000:
                self._parts.clear()
            if key is None:
                part = self._verbs.only(Wait)
            elif isinstance(key, str):
                part = self._verbs.only(Say, Leave, Wait).where(Say, to=[key])
            else:
                places, people, things = key
                open_now = [v for v, any_ in ((Go, places), (Say, people), (Do, True), (Wait, True)) if any_]
                part = self._verbs.only(*open_now).where(Do, thing=["", *things])
                part = part.where(Go, to=places) if places else part
                part = part.where(Say, to=people) if people else part
            self._parts[key] = part
        return self._parts[key]

    def _open_to(self, i: int, place: int) -> bool:
        """Whether a person may enter a place now: in its opening hours, or with a key, and not where it is shut."""
        if place in self.shut:
            return False
        return place in self._keys[i] or self.layout.places[place].open.contain(self.time)

    # --- interventions ---

    @intervention
    def tell(self, agent: str, text: str, speaker: str = "a stranger") -> None:
        """Let an agent be told something: an event of its next view."""
        i = self._known(agent, self._index, "agent")
        self.inbox[i].append(_event("told", speaker, _speech(text), self._where(i), agent))

    @intervention
    def announce(self, place: str, text: str) -> None:
        """Let everybody who is awake in a place hear something: an event of their next views."""
        region = self._known(place, self.layout.index, "place")
        for i, tile in enumerate(self.tile.tolist()):
            if self.layout.region[tile] == region and not self.asleep[i]:
                self.inbox[i].append(_event("heard", "an announcement", _speech(text), place))

    @intervention
    def set_thing(self, place: str, thing: str, state: str) -> None:
        """Put a thing into a state, which it is in whenever nobody uses it."""
        self._known(place, self.layout.index, "place")
        self._known(thing, self.things[place], f"thing in {place}")
        self.things[place][thing] = _speech(state)

    @intervention
    def close_place(self, place: str) -> None:
        """Shut a place: nobody may enter it until `reopen_place`, and those in it or on the way to it walk home."""
        region = self._known(place, self.layout.index, "place")
        self.shut = sorted({*self.shut, region})
        for i, home in enumerate(self._home):
            here = region in (self.going[i], self.place[i] if self.going[i] < 0 else -1)
            if here and home != region:
                self._set_out(i, home)

    @intervention
    def reopen_place(self, place: str) -> None:
        """Undo `close_place`."""
        self.shut = [p for p in self.shut if p != self._known(place, self.layout.index, "place")]

    @staticmethod
    def _known(name: str, known: Mapping[str, Any], kind: str) -> Any:
        if name not in known:
            raise ConfigError(f"the town has no {kind} {name!r}{nearest(str(name), known)}")
        return known[name]

    # --- state ---

    def state_dict(self) -> dict[str, Any]:
        """The complete state."""
        return super().state_dict() | {"inbox": [[event.model_dump() for event in events] for events in self.inbox]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back a state; what is derived from it is computed again."""
        super().load_state_dict(state)
        self.inbox = [[Event(**event) for event in events] for events in state["inbox"]]
        self._changed = np.zeros(len(self.persons), bool)
        self._cache = [None] * len(self.persons)
        self._look()


def _event(kind: Any, actor: str, text: str, place: str, to: str = "") -> Event:
    return Event.model_construct(kind=kind, actor=actor, text=text, place=place, to=to)


def _latest(events: list[Event]) -> tuple[Event, ...]:
    """The events of a view: all, or if they are too many the latest, speech before sights."""
    if len(events) <= _MOST:
        return tuple(events)
    by_weight = sorted(range(len(events)), key=lambda k: (events[k].kind != "seen", k))
    return tuple(events[k] for k in sorted(by_weight[-_MOST:]))


def _dump(action: Go | Do | Wait) -> dict[str, Any]:
    return {"verb": type(action).__name__.lower(), **action.model_dump()}


def _speech(text: str) -> str:
    """A text given from outside, checked to fit into an event."""
    if not isinstance(text, str) or not 0 < len(text) <= 400:
        raise ConfigError(f"a text for the town has 1 to 400 characters, not {str(text)[:40]!r}")
    return text


def _time(text: str, name: str) -> int:
    try:
        return minutes(text)
    except ValueError as error:
        raise ConfigError(f"town: {name}: {error}") from error


def _find(given: str | Path, file: str) -> Path:
    """The path of a town's file: given as such, as its folder, or by the name of a town that comes with ethogram."""
    towns = Path(__file__).parent / "towns"
    for path in (towns / given / file, Path(given) / file, Path(given)):
        if path.is_file():
            return path
    names = sorted(p.name for p in towns.iterdir() if p.is_dir())
    raise ConfigError(
        f"there is no town {str(given)!r}: give one of {', '.join(names)}, or the path of a {file} (or of its folder)"
    )
