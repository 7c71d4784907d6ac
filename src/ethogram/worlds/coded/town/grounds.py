"""The grounds of a town: where people are, what they do and use there, and what an experimenter can change of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.errors import ConfigError
from ethogram.seeds import generator
from ethogram.social import Event
from ethogram.world import World, intervention
from ethogram.worlds.coded.town.layout import STREET
from ethogram.worlds.coded.town.senses import event, near_and_far
from ethogram.worlds.coded.town.source import nearest

if TYPE_CHECKING:
    from ethogram.worlds.coded.town.layout import Layout
    from ethogram.worlds.coded.town.people import Person

__all__ = ["Grounds"]


class Grounds(World):
    """Where the people of a `Town` are and what they do there, by index; and its interventions."""

    layout: Layout
    persons: list[Person]
    time: int
    pace: int
    sight: int
    tile: np.ndarray
    """The tile that each stands on, (n,) int32; -1 for who is not in town."""
    place: list[int]
    """Where each is, or was last."""
    going: list[int]
    """Where each is on the way to, or -1."""
    activity: list[str]
    asleep: list[bool]
    away: list[bool]
    inbox: list[list[Event]]
    """What each is still to perceive."""
    things: dict[str, dict[str, str]]
    """By place and thing: the state of a thing that nobody uses."""
    using: dict[str, list[str]]
    """By person: the place and the thing that it uses."""
    shut: list[int]
    _index: dict[str, int]
    _home: list[int]
    _keys: list[set[int]]
    _changed: np.ndarray
    _near: np.ndarray
    _far: np.ndarray

    # --- where people are ---

    def _where(self, i: int) -> str:
        """The name of the place on whose tiles the person stands; that of the street on the street."""
        region = int(self.layout.region[self.tile[i]])
        return self.layout.street if region == STREET else self.layout.names[region]

    def _present(self) -> list[str]:
        """Who is in town."""
        return [name for name, away in zip(self.possible_agents, self.away, strict=True) if not away]

    def _spot(self, place: int, rng: np.random.Generator | None) -> int:
        """A random free tile of the place, or any where none is free."""
        tiles = self.layout.tiles[place]
        free = tiles[~np.isin(tiles, self.tile)]
        assert rng is not None
        return int(rng.choice(free if len(free) else tiles))

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
                self.tile[i] = self._spot(place, self.rng)
                self.place[i], self.going[i], self.activity[i] = place, -1, "arriving"
                self._changed[i] = True

    def _set_out(self, i: int, place: int) -> None:
        self._start_activity(i, f"walking to {self.layout.names[place]}")
        self.going[i] = place

    def _look(self) -> None:
        """Find who is near whom."""
        region, awake = self.layout.region[self.tile], ~np.array(self.asleep)
        self._near, self._far = near_and_far(self.tile, region, awake, self.layout.width, self.sight)

    def _open_to(self, i: int, place: int) -> bool:
        """Whether a person may enter a place now: in its opening hours, or with a key, and not where it is shut."""
        if place in self.shut:
            return False
        return place in self._keys[i] or self.layout.places[place].open.contain(self.time)

    # --- what they do and use ---

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
        seen = event("seen", thing, text[:1].upper() + text[1:], place)
        for k in np.flatnonzero(self._near[i]).tolist():
            self.inbox[k].append(seen)

    def _state(self, place: str, thing: str) -> str:
        """The state of a thing: who uses it for what, or the state it is in when nobody does."""
        user = next((int(i) for i, used in self.using.items() if used == [place, thing]), None)
        if user is None:
            return self.things[place][thing]
        return f"in use by {self.possible_agents[user]} ({self.activity[user]})"

    # --- interventions ---

    @intervention
    def tell(self, agent: str, text: str, speaker: str = "a stranger") -> None:
        """Let an agent be told something: an event of its next view."""
        i = self._known(agent, self._index, "agent")
        if self.away[i]:
            raise ConfigError(f"{agent} is not in town yet: `arrive` brings newcomers")
        self.inbox[i].append(event("told", speaker, _speech(text), self._where(i), agent))

    @intervention
    def arrive(self, agent: str, place: str = "") -> None:
        """Bring a newcomer to town: to a place, or home. Who is near sees it."""
        i = self._known(agent, self._index, "agent")
        if not self.away[i]:
            raise ConfigError(f"{agent} is in town already")
        region = self._known(place, self.layout.index, "place") if place else self._home[i]
        self.away[i] = self.asleep[i] = False
        # Its own luck: the town's draws stay as they would have been.
        self.tile[i] = self._spot(region, generator(self.time, "arrive", agent))
        self.place[i], self.activity[i], self.agents = region, "arriving", self._present()
        self._look()
        seen = event("seen", agent, f"{agent} is arriving at {self._where(i)}.", self._where(i))
        for k in np.flatnonzero(self._near[i]).tolist():
            self.inbox[k].append(seen)

    @intervention
    def announce(self, place: str, text: str) -> None:
        """Let everybody who is awake in a place hear something: an event of their next views."""
        region = self._known(place, self.layout.index, "place")
        for i, tile in enumerate(self.tile.tolist()):
            if self.layout.region[tile] == region and not self.asleep[i]:
                self.inbox[i].append(event("heard", "an announcement", _speech(text), place))

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
            if self.away[i]:
                continue
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


def _speech(text: str) -> str:
    """A text given from outside, checked to fit into an event."""
    if not isinstance(text, str) or not 0 < len(text) <= 400:
        raise ConfigError(f"a text for the town has 1 to 400 characters, not {str(text)[:40]!r}")
    return text
