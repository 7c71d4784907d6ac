"""The state of one generative agent between two steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ethogram.policies.prompted.character import Character
from ethogram.policies.prompted.memory import MemoryStream, Node
from ethogram.policies.prompted.mind import Line, Moment
from ethogram.policies.prompted.plan import Appointment, Piece, Plan
from ethogram.social import View

__all__ = ["Life", "Talk"]


@dataclass
class Talk:
    """A conversation under way, as one side has it."""

    partner: str
    lines: list[Line] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)
    """Memories of what the partner said in it."""
    told: list[str] = field(default_factory=list)
    """What was passed on in it."""
    met: bool = False
    """Whether the partner is known to have taken part."""


@dataclass
class Life:
    """One agent: its persona, its memory, and where it stands. Nothing here is shared with another agent."""

    persona: Character
    memory: MemoryStream
    planted: list[str] = field(default_factory=list)
    """What it is to remember when it next acts."""
    pending: list[int] = field(default_factory=list)
    """Memories that tell of an occasion about which it has not yet made up its mind."""
    appointments: list[Appointment] = field(default_factory=list)
    decided: list[Appointment] = field(default_factory=list)
    plan: Plan | None = None
    improvised: Piece | None = None
    """What an agent that does not plan is doing."""
    talk: Talk | None = None
    told: dict[str, list[str]] = field(default_factory=dict)
    """What it has passed on, by whom it was told."""
    met: dict[str, float] = field(default_factory=dict)
    """When it last talked with each person (minutes)."""
    considered: dict[str, float] = field(default_factory=dict)
    """When it last thought of approaching each person (minutes)."""
    retained: list[str] = field(default_factory=list)
    """What it perceived last."""
    things: dict[str, str] = field(default_factory=dict)
    """The states of things, by `place: thing`, as last seen."""
    places: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Where it does what: place and thing by activity."""
    unreflected: float = 0.0
    """Importance perceived since the last reflection."""
    fresh: int = 0
    """Number of memories since the last reflection."""
    changed: dict[str, Any] = field(default_factory=dict)
    """What of the persona is another than it was given, by attribute."""
    time: float = 0.0
    clock: str = ""
    place: str = ""
    activity: str = ""
    """When, where and doing what it was last asked to act."""

    @property
    def name(self) -> str:
        """The agent's name."""
        return self.persona.name

    def become(self, changed: Mapping[str, Any]) -> None:
        """Have another persona from now on: attributes by name.

        Raises:
            ValidationError: an attribute is unknown, or a value does not fit it.
        """
        self.persona = type(self.persona).model_validate({**self.persona.model_dump(), **changed})
        self.changed |= changed

    def look(self, view: View) -> None:
        """Take in when and where it is asked to act."""
        self.time, self.clock, self.place, self.activity = view.time, view.clock, view.place, view.activity

    def moment(self, memories: Sequence[Node] = ()) -> Moment:
        """The situation as a mind is told it."""
        plan = tuple(self.plan.pieces) if self.plan else ()
        return Moment(self.persona, self.time, self.clock, self.place, self.activity, tuple(memories), plan)

    def untold(self, partner: str, memories: Sequence[Node]) -> list[Node]:
        """Those of `memories` that this agent has not told the partner and that are not by or of it; each content once."""
        known = set(self.told.get(partner, ()))
        if self.talk and self.talk.partner == partner:
            known.update(self.talk.told, (line.text for line in self.talk.lines))
        fresh: dict[str, Node] = {}
        for node in memories:
            if partner not in (node.source, node.subject) and node.words not in known:
                fresh.setdefault(node.words, node)
        return list(fresh.values())

    def state_dict(self) -> dict[str, Any]:
        """Everything but the persona as it was given: JSON values and arrays."""
        talk = self.talk
        return {
            "memory": self.memory.state_dict(),
            "planted": list(self.planted),
            "pending": list(self.pending),
            "appointments": [list(a) for a in self.appointments],
            "decided": [list(a) for a in self.decided],
            "plan": None if self.plan is None else [list(p) for p in self.plan.pieces],
            "improvised": None if self.improvised is None else list(self.improvised),
            "talk": None if talk is None else {**vars(talk), "lines": [list(line) for line in talk.lines]},
            "told": {who: list(texts) for who, texts in self.told.items()},
            "met": dict(self.met),
            "considered": dict(self.considered),
            "retained": list(self.retained),
            "things": dict(self.things),
            "places": {activity: list(where) for activity, where in self.places.items()},
            "unreflected": self.unreflected,
            "fresh": self.fresh,
            "changed": dict(self.changed),
            "time": self.time,
            "clock": self.clock,
            "place": self.place,
            "activity": self.activity,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what `state_dict` gave."""
        self.memory.load_state_dict(state["memory"])
        self.planted, self.pending = list(state["planted"]), list(state["pending"])
        self.appointments = [Appointment(*a) for a in state["appointments"]]
        self.decided = [Appointment(*a) for a in state["decided"]]
        self.plan = None if state["plan"] is None else Plan([Piece(*p) for p in state["plan"]])
        self.improvised = None if state["improvised"] is None else Piece(*state["improvised"])
        talk = state["talk"]
        self.talk = None if talk is None else Talk(**{**talk, "lines": [Line(*line) for line in talk["lines"]]})
        self.told = {who: list(texts) for who, texts in state["told"].items()}
        self.met = {who: float(time) for who, time in state["met"].items()}
        self.considered = {who: float(time) for who, time in state["considered"].items()}
        self.retained, self.things = list(state["retained"]), dict(state["things"])
        self.places = {activity: (where[0], where[1]) for activity, where in state["places"].items()}
        self.become(state["changed"])
        for name in ("unreflected", "fresh", "time", "clock", "place", "activity"):
            setattr(self, name, state[name])
