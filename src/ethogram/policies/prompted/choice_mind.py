"""A language model that chooses: every decision by the likelihoods it gives to options that code proposes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.policies.prompted.language_mind import LanguageMind
from ethogram.policies.prompted.memory import Node
from ethogram.policies.prompted.mind import Insight, Line, Moment, Reaction, Speech, attributed, chief_words
from ethogram.policies.prompted.plan import Appointment, Piece, Stroke
from ethogram.policies.prompted.templates import data
from ethogram.seeds import generator
from ethogram.social import Event

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["ChoiceMind"]

DIGITS = [str(digit) for digit in range(10)]


class ChoiceMind(LanguageMind):
    """Decides by `LanguageModel.choose`: for models that write poorly but whose likelihoods say something.

    What is a choice stays one; code proposes the options, and what is written freely is short and carries no decision.

    - importance: 1 + the expected digit 0 to 9 under the model's likelihoods, not its likeliest digit;
    - focal questions: among the subjects of recent memories, the likeliest;
    - insights: the memory that says most is chosen, then one sentence is written about it and the two next in retrieval,
      which it cites;
    - the day: the persona's routine as it is, or its longest part outside of the night spent at home or on an interest;
      hours are the same; a piece of more than an hour is divided in one of three chosen ways;
    - places, reactions, commitments: chosen;
    - talk: a written greeting; then it is chosen which untold observation or thought to pass on (nothing mundane), whether
      to make small talk, or to take leave. What is passed on is said in the words in which it is known, and nothing is
      added, so that a fact does not change on its way; small talk and goodbyes are written;
    - memo: the partner's most important words (as rated when they were heard); intentions are the commitments;
    - interviews: the memory that answers is chosen, or none; then a sentence is written.

    Args:
        model: the language model; `score` must be exact or top-k.
        shows: memories and lines that a prompt shows, and memories among which is chosen, at most.
        clip: characters of each that it shows, at most.
        average: whether choices between two options are averaged over both orders, against the bias of letters and places.
            Longer lists are put in one random order each time, so that the bias favours none of the options.
        turns: turns of one's own in a talk, at most; with the last it takes leave.
        sentences: tokens of a written sentence, at most.
        temperature: of written sentences; choices are always drawn from the model's own probabilities.
    """

    calls_per_step = 1.0

    def __init__(
        self,
        model: LanguageModel,
        *,
        shows: int = 3,
        clip: int = 100,
        average: bool = True,
        turns: int = 4,
        sentences: int = 20,
        temperature: float = 0.5,
    ) -> None:
        super().__init__(model, shows=shows, clip=clip)
        self.average, self.turns, self.sentences, self.temperature = average, turns, sentences, temperature

    async def _sentence(self, template: str, moment: Moment, purpose: str, **values: Any) -> str:
        """A short sentence of free text, on one line."""
        messages = self._messages(template, moment, values)
        reply = await self.model.generate(
            messages, max_tokens=self.sentences, temperature=self.temperature, agent=moment.name, purpose=purpose
        )
        return one_line(reply.text, moment.name)

    async def _choose(self, template: str, moment: Moment, purpose: str, options: Sequence[str], **values: Any) -> int:
        """The index of the option drawn from the model's probabilities."""
        return (await self._ranked(template, moment, purpose, options, values))[0]

    async def _ranked(
        self, template: str, moment: Moment, purpose: str, options: Sequence[str], values: dict[str, Any]
    ) -> list[int]:
        """The indices of the options: first the one drawn, then the others, likeliest first."""
        if len(options) == 1:
            return [0]
        messages = self._messages(template, moment, values)
        # What is asked names the agent and the time, so the draw depends on the question alone and needs no state.
        rng = generator(self._seed, "choice", moment.name, purpose, messages[-1]["content"])
        average = self.average and len(options) == 2
        order = np.arange(len(options)) if average else rng.permutation(len(options))
        listed = distinct(options)
        choice = await self.model.choose(
            messages, [listed[i] for i in order], rng=rng, average=average, agent=moment.name, purpose=purpose
        )
        rest = [int(order[i]) for i in np.argsort(-choice.probabilities, kind="stable") if i != choice.index]
        return [int(order[choice.index]), *rest]

    async def importance(self, moment: Moment, text: str) -> float:
        """1 + the expected digit."""
        scores = await self.model.score(self._rating(text), DIGITS, agent=moment.name, purpose="importance")
        likelihood = np.exp(np.asarray(scores.values) - max(scores.values))
        return 1 + float(likelihood @ np.arange(10) / likelihood.sum())

    async def questions(self, moment: Moment, recent: Sequence[Node], n: int) -> list[str]:
        """About the first of the eight subjects that come up most, as ranked by likelihood after a first one drawn."""
        counts = Counter(node.subject for node in recent if node.subject)
        subjects = [subject for subject, _ in sorted(counts.items(), key=lambda x: (-x[1], x[0]))[:8]]
        if not subjects:
            return []
        ranking = await self._ranked("questions_choice", moment, "questions", subjects, {})
        return [f"What about {subjects[i]}?" for i in ranking[:n]]

    async def insights(self, moment: Moment, question: str, n: int) -> list[Insight]:
        """One insight: a sentence about the chosen memory and those next to it."""
        nodes = moment.memories[: max(2, self.shows)]
        if not nodes:
            return []
        chief = await self._choose("insight_choice", moment, "insight", _texts(nodes), question=question)
        chosen = [nodes[chief], *(node for i, node in enumerate(nodes) if i != chief)][:3]
        text = await self._sentence("insight_sentence", moment, "insight", question=question, chosen=chosen)
        return [Insight(text, tuple(node.id for node in chosen))] if text else []

    async def day_plan(self, moment: Moment) -> list[Stroke]:
        """The routine, with its longest part perhaps replaced."""
        strokes = [Stroke(slot.minute, slot.activity, slot.place, slot.thing) for slot in moment.persona.routine]
        awake = [i for i, stroke in enumerate(strokes[:-1]) if not stroke.activity.lower().startswith("sleep")]
        if not awake:
            return strokes
        longest = max(awake, key=lambda i: strokes[i + 1].start - strokes[i].start)
        other = ["resting at home", *(f"spending time on {interest}" for interest in moment.persona.interests[:2])]
        activity = strokes[longest].activity
        days = ["the usual day", *(f"{instead} instead of {activity}" for instead in other)]
        chosen = await self._choose("day_choice", moment, "day", days)
        if chosen:
            place = moment.persona.home if chosen == 1 else ""
            strokes[longest] = Stroke(strokes[longest].start, other[chosen - 1], place)
        return strokes

    async def hour_plan(self, moment: Moment, strokes: Sequence[Stroke]) -> list[Stroke]:
        """The same."""
        return list(strokes)

    async def minute_plan(self, moment: Moment, piece: Piece) -> list[tuple[str, float]]:
        """One of three ways, for what takes more than an hour."""
        minutes = piece.end - piece.start
        if minutes <= 60 or piece.activity.lower().startswith("sleep"):
            return []
        ways = ["without a break", "with a break in the middle", "getting ready first and tidying up at the end"]
        way = await self._choose("minutes_choice", moment, "minutes", ways, piece=piece)
        activity = piece.activity
        if way == 1:
            return [(activity, minutes // 2 - 5), ("taking a break", 10), (activity, minutes)]
        if way == 2:
            return [(f"getting ready for {activity}", 10), (activity, minutes - 20), (f"tidying up after {activity}", 10)]
        return []

    async def improvise(self, moment: Moment) -> tuple[str, float]:
        """Half an hour of something in the routine or of interest."""
        options = list(dict.fromkeys(slot.activity for slot in moment.persona.routine))
        options += [f"spending time on {interest}" for interest in moment.persona.interests[:2]]
        options = options or ["walking around"]
        return options[await self._choose("improvise", moment, "improvise", options)], 30

    async def place(self, moment: Moment, activity: str, places: Mapping[str, Sequence[str]]) -> tuple[str, str]:
        """The place, then the thing."""
        names = self._likely(moment, activity, places)
        if not names:
            return "", ""
        place = names[await self._choose("place", moment, "place", names, activity=activity)]
        things = ["nothing", *places[place]]
        thing = await self._choose("thing", moment, "place", things, place=place, activity=activity)
        return place, things[thing] if thing else ""

    def _likely(self, moment: Moment, activity: str, places: Mapping[str, Sequence[str]]) -> list[str]:
        """At most eight places: those the agent frequents, then those whose names share words with the activity."""
        usual = {moment.persona.home, moment.place, *(slot.place for slot in moment.persona.routine)}
        words = set(activity.lower().split())
        shared = {place: len(words & set(" ".join([place, *things]).lower().split())) for place, things in places.items()}
        return sorted(places, key=lambda place: (-shared[place], place not in usual, place))[:8]

    async def react(self, moment: Moment, event: Event, person: str, untold: Sequence[Node]) -> Reaction:
        """Go on, talk or see to it."""
        options = [f"goes on {moment.activity}", f"talks to {person}" if person else "sees to it at once"]
        chosen = await self._choose("react", moment, "react", options, event=event, person=person)
        if not chosen:
            return Reaction()
        return Reaction(talk=True) if person else Reaction(activity=f"seeing to the {event.actor}"[:120])

    async def commit(self, moment: Moment, node: Node, appointment: Appointment) -> bool:
        """Yes or no."""
        return await self._choose("commit", moment, "commit", ["No", "Yes"], node=node, appointment=appointment) == 1

    async def speak(self, moment: Moment, partner: str, talk: Sequence[Line], untold: Sequence[Node]) -> Speech:
        """A greeting, a choice of what to do next, or a goodbye."""
        own = sum(line.speaker == moment.name for line in talk)
        end = own + 1 >= self.turns
        if own and not end:
            offered = [node for node in untold if node.kind in ("observation", "thought") and node.importance > 1][
                : self.shows
            ]
            options = ["makes small talk", "says goodbye", *(f"tells: {node.words}" for node in offered)]
            i = await self._choose("topic", moment, "topic", options, partner=partner, talk=talk)
            if i > 1:
                return Speech(offered[i - 2].words, False, (offered[i - 2].id,))
            end = i == 1
        about = "a goodbye" if end else "something friendly" if own else "a greeting"
        text = await self._sentence("sentence", moment, "speak", partner=partner, talk=talk, about=about)
        return Speech(text or ("Goodbye." if end else "Hello."), end)

    async def memo(self, moment: Moment, partner: str, talk: Sequence[Line], heard: Sequence[Node]) -> str:
        """The partner's most important words."""
        return chief_words(moment, partner, heard)

    async def intention(self, moment: Moment, partner: str, talk: Sequence[Line]) -> str:
        """None in words."""
        return ""

    async def answer(self, moment: Moment, question: str) -> str:
        """The memory that answers, with its source, or a sentence."""
        nodes = list(moment.memories[: self.shows])
        options = ["none of them", *_texts(nodes)]
        i = await self._choose("answer_choice", moment, "interview", options, question=question)
        if i:
            return attributed(nodes[i - 1])
        return await self._sentence("answer", moment, "interview", question=question)


def _texts(nodes: Sequence[Node]) -> list[str]:
    return [node.words for node in nodes]


def distinct(options: Sequence[str], length: int = 100) -> list[str]:
    """Options as they are shown: quoted as data in any prompt, short, and no two alike."""
    shown: list[str] = []
    for option in options:
        text = data(option)[:length]
        while text in shown:
            text += "."
        shown.append(text)
    return shown


def one_line(text: str, speaker: str = "") -> str:
    """What a model wrote as somebody's words, on one line: without `Name:` and quotation marks before it.

    A last sentence that was cut off is left out, unless it is the only one.
    """
    line = " ".join(text.split())
    if speaker:
        line = re.sub(rf"^(the talk so far: *)?\W*{re.escape(speaker)}( says| said)?\s*[:,]", "", line, flags=re.IGNORECASE)
    line = line.strip(' "“”')
    ends = [i for i, character in enumerate(line) if character in ".!?" and line[i + 1 : i + 2] in ("", " ")]
    return line[: ends[-1] + 1] if ends else line
