"""A language model that writes: every judgement as constrained JSON, for models that can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from ethogram.policies.prompted.language_mind import LanguageMind
from ethogram.policies.prompted.memory import Node
from ethogram.policies.prompted.mind import Insight, Line, Moment, Reaction, Speech
from ethogram.policies.prompted.plan import Appointment, Piece, Stroke
from ethogram.social import Event
from ethogram.spaces import Typed, Verbs

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["StructuredMind"]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rating(_Form):
    """How much it matters."""

    digit: int = Field(ge=0, le=9)


class Questions(_Form):
    """Questions."""

    questions: list[str] = Field(max_length=5)


class Conclusion(_Form):
    """An insight."""

    insight: str = Field(max_length=200)
    because_of: list[int] = Field(max_length=8, description="numbers of the memories it follows from")


class Conclusions(_Form):
    """Insights."""

    insights: list[Conclusion] = Field(max_length=5)


class Hour(_Form):
    """Something to do."""

    hour: int = Field(ge=0, le=23)
    minute: Literal[0, 10, 15, 20, 30, 40, 45, 50]
    activity: str = Field(min_length=1, max_length=80, description="as in 'opening the cafe'")


class Day(_Form):
    """What is done when, in order."""

    plan: list[Hour] = Field(max_length=20)


class Part(_Form):
    """A step."""

    activity: str = Field(min_length=1, max_length=80)
    minutes: int = Field(ge=5, le=60)


class Parts(_Form):
    """Steps, in order."""

    steps: list[Part] = Field(max_length=16)


class Pick(_Form):
    """A place and a thing there."""

    place: str = Field(max_length=80)


class Use(_Form):
    """A thing to use."""

    thing: str = Field(max_length=80)


class Response(_Form):
    """What is done about it."""

    does: Literal["go on", "talk", "something else"]
    activity: str = Field(default="", max_length=80, description="for something else: what")


class Decision(_Form):
    """Yes or no."""

    goes: bool


class Words(_Form):
    """What is said."""

    says: str = Field(max_length=300)
    goodbye: bool = Field(description="whether the talk ends with these words")
    tells: list[int] = Field(default=[], max_length=4, description="numbers of what is passed on, if any")


class Sentence(_Form):
    """A sentence."""

    text: str = Field(max_length=300)


F = TypeVar("F", bound=BaseModel)


class StructuredMind(LanguageMind):
    """Decides by `LanguageModel.generate` constrained to a form for each kind of question.

    This is the paper's way of asking, with one difference: an answer is JSON under a schema, not prose that is taken apart.

    Args:
        model: the language model.
        shows: memories and lines of a talk that a prompt shows, at most.
        clip: characters of each that it shows, at most.
        max_tokens: of an answer; plans and insights may take three times as many.
    """

    calls_per_step = 1.0

    def __init__(self, model: LanguageModel, *, shows: int = 30, clip: int = 400, max_tokens: int = 200) -> None:
        super().__init__(model, shows=shows, clip=clip)
        self.max_tokens = max_tokens

    async def _form(
        self, form: type[F], template: str, moment: Moment, purpose: str, long: bool = False, **values: Any
    ) -> F:
        messages = self._messages(template, moment, values)
        return await self._filled(Typed(form), messages, moment, purpose, long)

    async def _filled(
        self, space: Any, messages: list[dict[str, str]], moment: Moment, purpose: str, long: bool = False
    ) -> Any:
        messages[-1]["content"] += f"\nAnswer with JSON:\n{space.describe()}"
        most = 3 * self.max_tokens if long else self.max_tokens
        reply = await self.model.generate(messages, space=space, agent=moment.name, purpose=purpose, max_tokens=most)
        return reply.value

    async def importance(self, moment: Moment, text: str) -> float:
        """1 + the digit."""
        return 1 + (await self._filled(Typed(Rating), self._rating(text), moment, "importance")).digit

    async def questions(self, moment: Moment, recent: Sequence[Node], n: int) -> list[str]:
        """As written."""
        return (await self._form(Questions, "questions", moment, "questions", n=n)).questions[:n]

    async def insights(self, moment: Moment, question: str, n: int) -> list[Insight]:
        """As written, with the memories whose numbers are cited."""
        found = await self._form(Conclusions, "insights", moment, "insight", long=True, question=question, n=n)
        nodes = moment.memories[: self.shows]
        return [
            Insight(one.insight, tuple(nodes[i - 1].id for i in one.because_of if 0 < i <= len(nodes)))
            for one in found.insights
        ]

    async def day_plan(self, moment: Moment) -> list[Stroke]:
        """As written."""
        return self._strokes(moment, await self._form(Day, "day", moment, "day", long=True))

    async def hour_plan(self, moment: Moment, strokes: Sequence[Stroke]) -> list[Stroke]:
        """As written."""
        return self._strokes(moment, await self._form(Day, "hours", moment, "hours", long=True, strokes=strokes))

    def _strokes(self, moment: Moment, day: Day) -> list[Stroke]:
        """Lines of a plan; one that is in the routine by the same name is done in the usual place."""
        usual = {slot.activity.lower(): slot for slot in moment.persona.routine}
        strokes = []
        for line in day.plan:
            slot = usual.get(line.activity.lower())
            place, thing = (slot.place, slot.thing) if slot else ("", "")
            strokes.append(Stroke(60 * line.hour + line.minute, line.activity, place, thing))
        return strokes

    async def minute_plan(self, moment: Moment, piece: Piece) -> list[tuple[str, float]]:
        """As written; a night is not divided."""
        if piece.activity.lower().startswith("sleep"):
            return []
        found = await self._form(Parts, "minutes", moment, "minutes", long=True, piece=piece)
        return [(step.activity, float(step.minutes)) for step in found.steps]

    async def improvise(self, moment: Moment) -> tuple[str, float]:
        """As written."""
        step = await self._form(Part, "improvise", moment, "improvise")
        return step.activity, float(step.minutes)

    async def place(self, moment: Moment, activity: str, places: Mapping[str, Sequence[str]]) -> tuple[str, str]:
        """The place, then the thing, each out of those there are."""
        if not places:
            return "", ""
        messages = self._messages("place", moment, {"activity": activity})
        place = (await self._filled(Verbs(Pick).where(Pick, place=list(places)), messages, moment, "place")).place
        things = list(places[place])
        if not things:
            return place, ""
        messages = self._messages("thing", moment, {"activity": activity, "place": place})
        space = Verbs(Use).where(Use, thing=["nothing", *things])
        thing = (await self._filled(space, messages, moment, "place")).thing
        return place, "" if thing == "nothing" else thing

    async def react(self, moment: Moment, event: Event, person: str, untold: Sequence[Node]) -> Reaction:
        """As written."""
        found = await self._form(Response, "react", moment, "react", event=event, person=person)
        if found.does == "talk" and person:
            return Reaction(talk=True)
        return Reaction(activity=found.activity) if found.does == "something else" else Reaction()

    async def commit(self, moment: Moment, node: Node, appointment: Appointment) -> bool:
        """As written."""
        return (await self._form(Decision, "commit", moment, "commit", node=node, appointment=appointment)).goes

    async def speak(self, moment: Moment, partner: str, talk: Sequence[Line], untold: Sequence[Node]) -> Speech:
        """As written."""
        found = await self._form(Words, "speak", moment, "speak", partner=partner, talk=talk, untold=untold)
        offered = untold[: self.shows]
        told = tuple(dict.fromkeys(offered[i - 1].id for i in found.tells if 0 < i <= len(offered)))
        return Speech(found.says, found.goodbye, told)

    async def memo(self, moment: Moment, partner: str, talk: Sequence[Line], heard: Sequence[Node]) -> str:
        """As written."""
        return (await self._form(Sentence, "memo", moment, "memo", partner=partner, talk=talk)).text

    async def intention(self, moment: Moment, partner: str, talk: Sequence[Line]) -> str:
        """As written."""
        return (await self._form(Sentence, "intention", moment, "intention", partner=partner, talk=talk)).text

    async def answer(self, moment: Moment, question: str) -> str:
        """As written."""
        return (await self._form(Sentence, "answer", moment, "interview", question=question)).text
