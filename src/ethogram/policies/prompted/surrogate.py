"""A coded mind: generative agents without a language model, by stated laws."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from ethogram.policies.prompted.memory import Node
from ethogram.policies.prompted.mind import Insight, Line, Moment, Reaction, Speech, attributed, chief_words
from ethogram.policies.prompted.plan import DAY, Appointment, Piece, Stroke, clock_text
from ethogram.seeds import derive
from ethogram.social import Event

__all__ = ["SurrogateLaw", "SurrogateMind"]

IMPORTANCE: tuple[tuple[int, str], ...] = (
    (9, "fire|burning|flooded|death|died|dead|wedding|marry|divorce|accident|pregnant|robbed"),
    (8, "party|invited|invites|invitation|festival|election|candidate|running for|mayor|secret|exhibition|concert"),
    (6, "argue|arguing|argued|fight|angry|crying|loves?|dating|ill|hospital|news|debate|broken"),
    (4, "plans?|planning|decided|wants|hopes|believes|knows|learned|teaching|friend|paints|painting|writing|research"),
)
"""Importance by keyword: the first line with a word of the text counts; what interests the agent counts as the third."""
MUNDANE, SPOKEN = 2.0, 3.0
URGENT = re.compile(r"\b(on fire|burning|flooded|overflowing|smoking|screaming)\b", re.IGNORECASE)
CLOSE = re.compile(r"friend|wife|husband|spouse|partner|sister|brother|mother|father|son|daughter|sibling|family|cousin")


class SurrogateLaw(BaseModel):
    """The numbers of the surrogate's laws."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    talk: float = Field(default=0.3, ge=0, le=1, description="probability of opening a talk with an acquaintance one meets")
    talk_close: float = Field(default=0.6, ge=0, le=1, description="the same with a friend or relative")
    talk_stranger: float = Field(default=0.1, ge=0, le=1, description="the same with somebody one does not know")
    news: float = Field(default=7, description="a memory of this importance, not yet told to a person, is news for them")
    talk_news: float = Field(default=2, ge=1, description="factor on the above where there is news to tell")
    worth: float = Field(default=4, description="importance from which a memory is worth telling at all")
    tells: int = Field(default=1, ge=0, description="memories told in one turn")
    turns: int = Field(default=2, ge=1, description="turns in which one tells something, after which a talk is ended")
    accepts: float = Field(default=0.35, ge=0, le=1, description="probability of accepting an invitation to an occasion")
    accepts_close: float = Field(default=0.25, ge=0, le=1, description="added where one's friend or relative is named in it")
    accepts_interest: float = Field(default=0.25, ge=0, le=1, description="added where it touches an interest")


class SurrogateMind:
    """Decides by laws that are stated here, so that the loop of generative agents can be studied with no model in it.

    It stands for a person in nothing but this list; a study that uses it must say so.

    1. *Importance* is looked up by keyword (`IMPORTANCE`), 6 for a word that is among the agent's interests, 3 for other
       speech, 2 for anything else.
    2. *Focal questions* are about the subjects on which recent memories add up the most importance ("What about Ana?").
    3. *Insights*: for each subject of at least two of the retrieved observations one sentence, which ends with the most
       important of them and cites all.
    4. *Plans* are the persona's routine with starts moved by -10, 0 or 10 minutes (drawn each day; getting up and going to
       sleep are not moved); hours are the same; pieces are not divided further.
    5. *Without a plan* it does, for half an hour, a line of its routine drawn at random, whatever the time, and sleeps at
       night (23 to 7 h).
    6. *Place*: where the routine has the activity, else the place (and thing there) that shares the most words with it;
       home for sleeping and in doubt.
    7. *Reactions*: an urgent state (fire, flood, ...) is dealt with for 15 minutes. A person who is met is talked to with
       probability `talk`, `talk_close` for friends and relatives, `talk_stranger` for people not known, times `talk_news` if
       the agent has news for them (`news`) among the memories retrieved.
    8. *Talk*: a greeting, then in each turn the `tells` first of the untold memories that were retrieved, as far as worth
       telling (`worth`), in the words in which they were heard. Only observations are told that do not name the partner,
       and of what others said only what is not in the first person. It takes its leave with the `turns`-th of these turns,
       or when it has nothing to tell.
    9. *Memo* of a talk: with whom, and the partner's most important words. *Intention*: none in words (law 10).
    10. *Invitations*: one's own occasions are always kept. Others' with probability `accepts` + `accepts_close` where a
        friend or relative is named in it or told it + `accepts_interest` where it touches an interest; not where another
        appointment is in the way.
    11. *Interviews*: its summary, its plan at the hour asked, or what it retrieved and from whom; else that it does not
        know.

    Each draw is a hash of the seed, the agent, the law, the time and what it is about: it depends on nothing else, so arms
    of an experiment share their luck.
    """

    calls_per_step = 0.0

    def __init__(self, law: SurrogateLaw | None = None) -> None:
        self.law = law or SurrogateLaw()
        self._seed = 0

    def reset(self, seed: int) -> None:
        """Take the seed that all draws derive from."""
        self._seed = seed

    def _draw(self, moment: Moment, *names: str | int) -> float:
        return derive(self._seed, "surrogate", moment.name, *names) / 2**63

    async def importance(self, moment: Moment, text: str) -> float:
        """Law 1."""
        lower = text.lower()
        interests = {word for interest in moment.persona.interests for word in _words(interest)}
        for score, pattern in IMPORTANCE:
            if re.search(rf"\b(?:{pattern})\b", lower):
                return float(score)
            if score == 6 and interests & _words(lower):
                return 6.0
        return SPOKEN if " said to " in text else MUNDANE

    async def questions(self, moment: Moment, recent: Sequence[Node], n: int) -> list[str]:
        """Law 2."""
        weight: Counter[str] = Counter()
        for node in recent:
            if node.subject:
                weight[node.subject] += node.importance  # type: ignore[assignment]
        return [f"What about {subject}?" for subject, _ in sorted(weight.items(), key=lambda x: (-x[1], x[0]))[:n]]

    async def insights(self, moment: Moment, question: str, n: int) -> list[Insight]:
        """Law 3."""
        about: dict[str, list[Node]] = {}
        for node in moment.memories:
            if node.subject and node.kind == "observation":
                about.setdefault(node.subject, []).append(node)
        found = []
        for subject, nodes in sorted(about.items(), key=lambda x: (-len(x[1]), x[0])):
            if len(nodes) > 1 and len(found) < n:
                chief = max(nodes, key=lambda x: (x.importance, x.created, x.id))
                text = f"{moment.name} has noticed {subject} {len(nodes)} times of late, above all this: {chief.words}"
                found.append(Insight(text, tuple(node.id for node in nodes)))
        return found

    async def day_plan(self, moment: Moment) -> list[Stroke]:
        """Law 4."""
        day = int(moment.time // DAY)
        strokes = []
        for i, slot in enumerate(moment.persona.routine):
            fixed = i == 0 or _asleep(slot.activity)
            shift = 0 if fixed else 10 * (int(self._draw(moment, "plan", day, i) * 3) - 1)
            strokes.append(Stroke(min(max(slot.minute + shift, 0), DAY - 1), slot.activity, slot.place, slot.thing))
        return strokes

    async def hour_plan(self, moment: Moment, strokes: Sequence[Stroke]) -> list[Stroke]:
        """Law 4."""
        return list(strokes)

    async def minute_plan(self, moment: Moment, piece: Piece) -> list[tuple[str, float]]:
        """Law 4."""
        return []

    async def improvise(self, moment: Moment) -> tuple[str, float]:
        """Law 5."""
        minute = moment.time % DAY
        lines = [slot.activity for slot in moment.persona.routine if not _asleep(slot.activity)]
        if not 420 <= minute < 1380:
            return "sleeping", (420 - minute) % DAY
        if not lines:
            return "walking around", 30
        return lines[int(self._draw(moment, "improvise", int(moment.time)) * len(lines))], 30

    async def place(self, moment: Moment, activity: str, places: Mapping[str, Sequence[str]]) -> tuple[str, str]:
        """Law 6."""
        words, home = _words(activity), moment.persona.home
        slot = next((s for s in moment.persona.routine if s.activity == activity and s.place in places), None)
        if slot is not None:
            return slot.place, slot.thing
        shared = {p: len(words & _words(" ".join([p, *things]))) for p, things in places.items()}
        best = max(places, key=lambda p: (shared[p], p == moment.place), default="")
        if (_asleep(activity) or not shared.get(best)) and home in places:
            best = home
        things = places.get(best, ())
        thing = max(things, key=lambda x: len(words & _words(x)), default="")
        return best, thing if words & _words(thing) else ""

    async def react(self, moment: Moment, event: Event, person: str, untold: Sequence[Node]) -> Reaction:
        """Law 7."""
        if URGENT.search(event.text) and event.actor != person:
            return Reaction(activity=f"dealing with the {event.actor}")
        if not person:
            return Reaction()
        law, tie = self.law, moment.persona.knows.get(person)
        p = law.talk_stranger if tie is None else law.talk_close if CLOSE.search(tie) else law.talk
        if any(node.importance >= law.news and _passed_on(node, person) for node in untold):
            p *= law.talk_news
        return Reaction(talk=self._draw(moment, "talk", person, int(moment.time)) < p)

    async def commit(self, moment: Moment, node: Node, appointment: Appointment) -> bool:
        """Law 10."""
        words = node.words
        if moment.name in words:
            return True
        p = self.law.accepts
        named = [who for who, tie in moment.persona.knows.items() if CLOSE.search(tie)]
        if any(who in words or who == node.source for who in named):
            p += self.law.accepts_close
        if any(_words(interest) & _words(words) for interest in moment.persona.interests):
            p += self.law.accepts_interest
        free = not any(
            piece.start < appointment.end and appointment.start < piece.end and piece.activity.startswith("attending")
            for piece in moment.plan
        )
        return free and self._draw(moment, "accept", appointment.place, int(appointment.start)) < p

    async def speak(self, moment: Moment, partner: str, talk: Sequence[Line], untold: Sequence[Node]) -> Speech:
        """Law 8."""
        turn = sum(line.speaker == moment.name for line in talk)
        if turn == 0:
            return Speech(f"Hello {partner}. How are you?", end=False)
        worth = [node for node in untold if node.importance >= self.law.worth and _passed_on(node, partner)][
            : self.law.tells
        ]
        if not worth:
            return Speech(f"Goodbye {partner}.", end=True)
        return Speech(" ".join(node.words for node in worth), turn >= self.law.turns, tuple(node.id for node in worth))

    async def memo(self, moment: Moment, partner: str, talk: Sequence[Line], heard: Sequence[Node]) -> str:
        """Law 9."""
        return chief_words(moment, partner, heard)

    async def intention(self, moment: Moment, partner: str, talk: Sequence[Line]) -> str:
        """Law 9."""
        return ""

    async def answer(self, moment: Moment, question: str) -> str:
        """Law 11."""
        lower = question.lower()
        if re.search(r"introduce|who are you|yourself|describe you", lower):
            return moment.persona.summary
        hour = re.search(r"\b(\d{1,2})(?::(\d{2}))?\s*(am|pm)?\b", lower)
        if hour and moment.plan and re.search(r"will you|be doing|are you doing|plan", lower):
            h = int(hour[1]) % 24
            h = h % 12 + 12 if hour[3] == "pm" else h
            at = moment.time // DAY * DAY + 60 * h + int(hour[2] or 0)
            piece = next((p for p in moment.plan if p.start <= at < p.end), None)
            if piece:
                return f"At {clock_text(at)} I am {piece.activity}{f' at {piece.place}' if piece.place else ''}."
        words = _words(lower) - _words(moment.name.lower())
        known = [node for node in moment.memories if len(words & _words(node.text)) >= min(2, len(words))]
        if not known:
            return "I do not know."
        best = max(known, key=lambda node: len(words & _words(node.text)))
        return f"Yes. {attributed(best)}"


def _passed_on(node: Node, partner: str) -> bool:
    """Whether a memory is told: what was perceived, but not what concerns the partner or what others said of themselves."""
    if node.kind != "observation" or partner in node.words:
        return False
    return node.predicate != "said to" or not re.search(r"\b(I|me|my|we|our)\b", node.words)


def _asleep(activity: str) -> bool:
    return activity.lower().startswith(("sleep", "asleep"))


_STOP = frozenset(
    """a an the and or of in on at to for with by from is are was were be been do does did you your i my me he she it his her
    its they their that this what who when where how about there know knows any some will would have has had not no so as
    """.split()  # noqa: SIM905
)


def _words(text: str) -> set[str]:
    """The words of a text that carry meaning, without a plural s."""
    return {w.rstrip("s") for w in re.findall(r"[a-zäöüß]+", text.lower()) if w not in _STOP and len(w) > 2}
