"""What a generative agent asks of its mind.

`GenerativeAgents` keeps the memory, the plan and the talk; whatever takes judgement it asks of a `Mind`. There are three:
the coded `SurrogateMind` and the language model's `ChoiceMind` and `StructuredMind`. A mind is told one agent's own
situation (`Moment`) and knows nothing else: it keeps nothing about agents, so nothing can leak from one to another by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ethogram.policies.prompted.character import Character
from ethogram.policies.prompted.memory import Node
from ethogram.policies.prompted.plan import Appointment, Piece, Stroke
from ethogram.social import Event

__all__ = ["Insight", "Line", "Mind", "Moment", "Reaction", "Speech", "attributed", "chief_words"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One agent's situation, as far as it knows it itself."""

    persona: Character
    time: float
    """Minutes since midnight of the first day."""
    clock: str
    """The same for people: `Monday 08:10`."""
    place: str
    activity: str
    memories: tuple[Node, ...] = ()
    """What it retrieved for the question at hand, best first."""
    plan: tuple[Piece, ...] = ()
    """Its plan for today; empty where it has none."""

    @property
    def name(self) -> str:
        """The agent's name."""
        return self.persona.name


class Line(NamedTuple):
    """A line of a conversation."""

    speaker: str
    text: str


class Speech(NamedTuple):
    """What an agent says next."""

    text: str
    end: bool
    """Whether it takes its leave with these words."""
    told: tuple[int, ...] = ()
    """The memories passed on by them, as far as known."""


class Insight(NamedTuple):
    """A conclusion drawn from memories."""

    text: str
    evidence: tuple[int, ...]
    """Ids of the memories that it follows from; among those that were shown."""


class Reaction(NamedTuple):
    """The answer to something perceived: go on (neither), talk to the person, or do something else for a while."""

    talk: bool = False
    activity: str = ""
    minutes: int = 15


def attributed(node: Node) -> str:
    """What a memory says, and by whom the agent was told."""
    how = {"own": "", "planted": "", "seen": " I saw it."}.get(node.source, f" I heard it from {node.source}.")
    return f"{node.words}{how}"


def chief_words(moment: Moment, partner: str, heard: Sequence[Node]) -> str:
    """A memo of a talk: with whom, and the partner's most important words."""
    if not heard:
        return f"{moment.name} talked with {partner}."
    return f"{moment.name} talked with {partner}, who said: {max(heard, key=lambda node: node.importance).words}"


class Mind(Protocol):
    """The judgements of an agent; each method is about the one agent whose `Moment` it is given.

    A method may raise `CallFailed` (that agent then has a fault in this step) or `BudgetExhausted` (the run stops).
    """

    calls_per_step: float
    """Model calls for an agent in a step of a town, at a guess."""

    def reset(self, seed: int) -> None:
        """An episode begins; whatever is random derives from `seed` and from what the method is asked."""
        ...

    async def importance(self, moment: Moment, text: str) -> float:
        """How poignant this is: 1 (brushing teeth) to 10 (a break-up, a college acceptance) (section 4.1)."""
        ...

    async def questions(self, moment: Moment, recent: Sequence[Node], n: int) -> list[str]:
        """The n most salient questions that can be answered about the recent memories (section 4.2)."""
        ...

    async def insights(self, moment: Moment, question: str, n: int) -> list[Insight]:
        """Up to n insights that follow from `moment.memories`, which were retrieved for the question."""
        ...

    async def day_plan(self, moment: Moment) -> list[Stroke]:
        """The day in broad strokes: 5 to 8 things with the time each starts, waking up and going to sleep among them."""
        ...

    async def hour_plan(self, moment: Moment, strokes: Sequence[Stroke]) -> list[Stroke]:
        """The same day in pieces of an hour or so."""
        ...

    async def minute_plan(self, moment: Moment, piece: Piece) -> list[tuple[str, float]]:
        """A piece divided into (activity, minutes), 5 to 15 minutes each; an empty list leaves it whole."""
        ...

    async def improvise(self, moment: Moment) -> tuple[str, float]:
        """What to do now and for how many minutes, for an agent that does not plan."""
        ...

    async def place(self, moment: Moment, activity: str, places: Mapping[str, Sequence[str]]) -> tuple[str, str]:
        """Where to do something: a place out of `places`, then a thing out of those there, or none (section 5.1)."""
        ...

    async def react(self, moment: Moment, event: Event, person: str, untold: Sequence[Node]) -> Reaction:
        """What to do about something perceived (section 4.3.1).

        `person` may be talked to (empty: nobody); `untold` as in `speak`.
        """
        ...

    async def commit(self, moment: Moment, node: Node, appointment: Appointment) -> bool:
        """Whether to put an occasion it was told of (`node`) into its plan."""
        ...

    async def speak(self, moment: Moment, partner: str, talk: Sequence[Line], untold: Sequence[Node]) -> Speech:
        """The next words to the partner, given the talk so far (section 4.3.2); `talk` is empty when it is opened.

        `untold` are those of `moment.memories` that the agent has not told this partner and that are not by or of it.
        """
        ...

    async def memo(self, moment: Moment, partner: str, talk: Sequence[Line], heard: Sequence[Node]) -> str:
        """What is worth remembering of a talk that is over, one sentence in the third person.

        `heard` are the memories of what the partner said.
        """
        ...

    async def intention(self, moment: Moment, partner: str, talk: Sequence[Line]) -> str:
        """What the talk means for the agent's plans, one sentence in the third person; empty if nothing."""
        ...

    async def answer(self, moment: Moment, question: str) -> str:
        """The answer to an interviewer."""
        ...
