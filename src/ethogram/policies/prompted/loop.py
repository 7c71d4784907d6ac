"""What a generative agent does in one step: perceive, remember, reflect, plan, react, talk, carry on.

References:
    Park et al. (2023), Generative Agents: Interactive Simulacra of Human Behavior, sections 3 and 4, and its released code
    where the paper is silent (attention, retention, number of questions and insights, memo and planning thought).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from gymnasium import Space
from pydantic import BaseModel, ConfigDict, Field

from ethogram import session
from ethogram.policies.prompted.life import Life, Talk
from ethogram.policies.prompted.memory import RETRIEVALS, Kind, Node, Retrieval
from ethogram.policies.prompted.mind import Line, Mind
from ethogram.policies.prompted.plan import DAY, WEEKDAYS, Appointment, Piece, Plan, appointment_in, clock_text, tiled
from ethogram.social import Do, Event, Go, Leave, Say, View, Wait

__all__ = ["GenerativeConfig", "Loop"]

MUNDANE = re.compile(r"\b(idle|arriving|walking (by|to)|leaves|waiting|getting up|in use by|talks to)\b")
"""Percepts of importance 1, about which no mind is asked (the released code does so for what is idle)."""


class GenerativeConfig(BaseModel):
    """Parameters and ablations. Defaults are the paper's, or its released code's where the paper gives none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    memory: Retrieval | Literal["full", "none", "recency", "relevance", "importance", "random", "released"] = Field(
        default="full", description="how memories are retrieved; `none`: nothing is ever remembered"
    )
    observation: bool = Field(default=True, description="perceived events and talks enter the memory")
    reflection: bool = Field(default=True, description="insights are drawn from memories")
    planning: bool = Field(default=True, description="a day is planned and appointments are kept")
    attention: int = Field(
        default=3, ge=0, description="events perceived at a time, the nearest; speech to the agent is extra"
    )
    retention: int = Field(default=5, ge=0, description="an event equal to one of the last so many is not perceived again")
    overhearing: bool = Field(default=False, description="words said to others nearby are understood, not just noticed")
    retrieved: int = Field(default=30, ge=1, description="memories retrieved for a focal question or an interview")
    context: int = Field(default=10, ge=1, description="memories retrieved for a decision or a turn in a talk")
    threshold: float = Field(
        default=150, gt=0, description="summed importance of what was perceived that starts a reflection"
    )
    questions: int = Field(default=3, ge=1, description="focal questions of a reflection")
    insights: int = Field(default=5, ge=1, description="insights for each question, at most")
    salience: float = Field(
        default=6, description="importance from which an event is reacted to even if nobody can be talked to"
    )
    meeting: float = Field(default=120, ge=0, description="minutes after a talk before the same person is approached again")
    reconsider: float = Field(default=60, ge=0, description="minutes before approaching the same person is thought of again")
    capacity: int | None = Field(default=None, ge=10, description="memories kept by an agent; None: all")

    @property
    def by(self) -> Retrieval | None:
        """The retrieval that `memory` names; None where nothing is remembered."""
        if isinstance(self.memory, Retrieval):
            return self.memory
        return RETRIEVALS.get(self.memory)


class Loop:
    """The loop of one agent after another; all that changes is in the `Life` that a method is given.

    Args:
        mind: takes the judgements.
        places: the places one can go to, each with the things that are there.
        config: parameters and ablations.
    """

    def __init__(self, mind: Mind, places: Mapping[str, Sequence[str]], config: GenerativeConfig) -> None:
        self.mind, self.places, self.config = mind, places, config

    async def step(self, life: Life, view: View, space: Space[Any]) -> Any:
        """The agent's verb, given what it perceives."""
        await self._recall(life, view)
        events = await self._perceive(life, view)
        if life.talk and life.talk.partner != view.talking_to:
            await self._remember_talk(life, view)
        if view.talking_to:
            return await self._speak(life, view)
        await self._reflect(life, view)
        if self.config.planning:
            await self._plan_day(life, view)
            await self._commit(life, view)
        reaction = await self._react(life, view, events, space)
        return reaction if reaction is not None else await self._carry_on(life, view, space)

    async def _recall(self, life: Life, view: View) -> None:
        """Take up what the persona remembers from the start."""
        while life.planted:
            text = life.planted[0]
            importance = await self._importance(life, view, text)
            del life.planted[0]
            self.store(life, text, "observation", importance, view.time, subject=life.name)

    async def _perceive(self, life: Life, view: View) -> list[tuple[Event, float]]:
        """Store what is new within the span of attention; returns it, with its importance (sections 4.1 and 5)."""
        config, talk, noticed = self.config, life.talk, self._noticed(life, view)
        life.look(view)
        if view.talking_to and (talk is None or talk.partner != view.talking_to):
            if talk:
                await self._remember_talk(life, view)
            talk = life.talk = Talk(view.talking_to)
        if talk and view.talking_to == talk.partner:
            talk.met = True
        for event in view.events:
            if event.kind == "told":
                await self._hear(life, view, event)
        new: list[tuple[Event, float]] = []
        for event in noticed:
            if len(new) == config.attention:
                break
            if event.text in life.retained:
                continue
            importance = await self._importance(life, view, event.text)
            life.retained = [*life.retained, event.text][-config.retention :] if config.retention else []
            new.append((event, importance))
            if config.observation:
                source = event.actor if event.kind == "heard" else "seen"
                life.unreflected += importance
                self.store(life, event.text, "observation", importance, view.time, source=source, subject=event.actor)
        return new

    def _noticed(self, life: Life, view: View) -> list[Event]:
        """Events other than speech to the agent; on arrival also what has changed there since the agent left."""
        events, arrived = [], view.place != life.place
        for event in view.events:
            if event.kind == "seen":
                events.append(event)
            elif event.kind == "heard":
                text = f"{event.actor} talks to {event.to}."
                if self.config.overhearing:
                    text = f"{event.actor} said to {event.to}: {event.text}"
                events.append(event.model_copy(update={"text": text}))
        for thing, state in view.things.items():
            if life.things.get(f"{view.place}: {thing}", state) != state and arrived:
                text = f"The {thing} at {view.place} is {state}."
                events.append(Event(kind="seen", actor=thing, text=text, place=view.place))
        life.things.update({f"{view.place}: {thing}": state for thing, state in view.things.items()})
        return events

    async def _hear(self, life: Life, view: View, event: Event) -> None:
        """Take in speech to the agent, and remember it word for word with its speaker."""
        talk = life.talk
        if talk and talk.partner == event.actor:
            talk.lines.append(Line(event.actor, event.text))
            talk.met = True
        if not self.config.observation or self.config.by is None:
            return
        text = f"{event.actor} said to {life.name}: {event.text}"
        importance = await self._importance(life, view, text)
        life.unreflected += importance
        node = self.store(
            life, text, "observation", importance, view.time,
            source=event.actor, subject=event.actor, predicate="said to", object=event.text,
        )  # fmt: skip
        if node and talk and talk.partner == event.actor:
            talk.heard.append(node.id)

    async def _speak(self, life: Life, view: View) -> Any:
        """The next words of a conversation (section 4.3.2)."""
        talk = life.talk
        assert talk is not None
        life.met[talk.partner] = view.time
        last = talk.lines[-1].text if talk.lines else ""
        memories = self.retrieve(life, f"{talk.partner} {last}", self.config.context, view.time)
        untold = life.untold(talk.partner, memories)
        speech = await self.mind.speak(life.moment(memories), talk.partner, tuple(talk.lines), untold)
        text = speech.text[:400]
        talk.lines.append(Line(life.name, text))
        talk.told += [life.memory[id].words for id in speech.told]
        return Leave(text=text) if speech.end or not text else Say(to=talk.partner, text=text)

    async def _remember_talk(self, life: Life, view: View) -> None:
        """A talk is over: write a memo of it and what it means for one's plans."""
        talk = life.talk
        life.talk = None
        if talk is None or not talk.met:
            return
        life.told.setdefault(talk.partner, []).extend(talk.told)
        if not self.config.observation or self.config.by is None:
            return
        memories = self.retrieve(life, talk.partner, self.config.context, view.time)
        moment, lines = life.moment(memories), tuple(talk.lines)
        evidence = tuple(id for id in talk.heard if id in life.memory)
        memo = await self.mind.memo(moment, talk.partner, lines, [life.memory[id] for id in evidence])
        # A talk matters as much as what was said in it; the mind was asked about that when it was heard.
        importance = max((life.memory[id].importance for id in evidence), default=1.0)
        self.store(life, memo, "chat", importance, view.time, subject=talk.partner, evidence=evidence)
        intention = await self.mind.intention(moment, talk.partner, lines) if self.config.planning else ""
        if intention.strip():
            importance = await self._importance(life, view, intention)
            self.store(life, intention, "thought", importance, view.time, subject=talk.partner, evidence=evidence)

    async def _reflect(self, life: Life, view: View) -> None:
        """Draw insights once the importance of what was perceived reaches the threshold (section 4.2)."""
        config = self.config
        if not config.reflection or config.by is None or life.unreflected < config.threshold:
            return
        recent = [node for node in life.memory.nodes[-life.fresh :] if node.kind != "plan"][-100:]
        life.unreflected, life.fresh = 0.0, 0
        for question in await self.mind.questions(life.moment(recent), recent, config.questions):
            memories = self.retrieve(life, question, config.retrieved, view.time)
            shown = {node.id for node in memories}
            insights = await self.mind.insights(life.moment(memories), question, config.insights)
            for insight in insights[: config.insights]:
                evidence = tuple(dict.fromkeys(id for id in insight.evidence if id in shown))
                if evidence and insight.text.strip():
                    importance = await self._importance(life, view, insight.text)
                    node = self.store(life, insight.text, "thought", importance, view.time, evidence=evidence)
                    if node:
                        _note(life, "reflection", {"question": question, "text": node.text, "evidence": list(evidence)})

    async def _plan_day(self, life: Life, view: View) -> None:
        """Plan the day when it is new: broad strokes, then hours, then what was agreed (section 4.3)."""
        if life.plan and life.plan.start <= view.time < life.plan.end:
            return
        day = int(view.time // DAY)
        memories = self.retrieve(life, f"{life.name}'s plans for {_weekday(view)}", self.config.context, view.time)
        moment = life.moment(memories)
        strokes = await self.mind.day_plan(moment)
        hours = await self.mind.hour_plan(moment, strokes)
        life.plan = Plan(tiled(hours or strokes, day))
        for appointment in life.appointments:
            life.plan.insert(_attendance(life, appointment))
        steps = ", ".join(f"{clock_text(piece.start)} {piece.activity}" for piece in life.plan.pieces)
        self.store(life, f"{life.name}'s plan for {_weekday(view)}: {steps}"[:500], "plan", 5, view.time, subject=life.name)
        _note(life, "plan", {"day": day, "pieces": [list(piece) for piece in life.plan.pieces]})

    async def _commit(self, life: Life, view: View) -> None:
        """Make up one's mind about occasions one was told of, and put those one will go to into the plan."""
        while life.pending:
            id = life.pending[0]
            node = life.memory.get(id)
            found = node and appointment_in(node.words, now=view.time, weekday=_weekday(view), places=self.places)
            if node and found and found not in life.decided:
                memories = self.retrieve(life, node.words, self.config.context, view.time)
                if await self.mind.commit(life.moment(memories), node, found):
                    self._agree(life, view, node, found)
                life.decided.append(found)
            life.pending.remove(id)

    def _agree(self, life: Life, view: View, node: Node, appointment: Appointment) -> None:
        life.appointments.append(appointment)
        piece = _attendance(life, appointment)
        if life.plan:
            life.plan.insert(piece)
        when = f"from {clock_text(piece.start)} to {clock_text(piece.end)}"
        text = f"{life.name} plans on {piece.activity} at {piece.place} {when}."
        self.store(life, text, "plan", node.importance, view.time, subject=life.name, evidence=(node.id,))
        _note(life, "appointment", {"evidence": node.id, **appointment._asdict()})

    async def _react(self, life: Life, view: View, events: list[tuple[Event, float]], space: Space[Any]) -> Any:
        """Decide on what was perceived: None to go on, or the first words of a talk; may change the plan (section 4.3.1)."""
        config = self.config
        for event, importance in events:
            person = event.actor if event.actor in view.people and self._approachable(life, view, event.actor) else ""
            if not person and (event.actor in view.people or importance < config.salience):
                continue
            if person:
                life.considered[person] = view.time
            memories = self.retrieve(life, f"{person} {event.text}".strip(), config.context, view.time)
            untold = life.untold(person, memories) if person else []
            moment = life.moment(memories)
            reaction = await self.mind.react(moment, event, person, untold)
            if reaction.talk and person:
                speech = await self.mind.speak(moment, person, (), untold)
                say = Say(to=person, text=speech.text[:400]) if speech.text.strip() else None
                if say and space.contains(say):
                    told = [life.memory[id].words for id in speech.told]
                    life.talk = Talk(person, [Line(life.name, say.text)], told=told)
                    life.met[person] = view.time
                    return say
            elif reaction.activity:
                piece = Piece(view.time, view.time + reaction.minutes, reaction.activity, view.place, fine=True)
                life.improvised = piece
                if life.plan:
                    life.plan.insert(piece)
                _note(life, "reaction", {"event": event.text, "activity": reaction.activity})
                return None
        return None

    def _approachable(self, life: Life, view: View, person: str) -> bool:
        met, considered = life.met.get(person, -math.inf), life.considered.get(person, -math.inf)
        return view.time - met >= self.config.meeting and view.time - considered >= self.config.reconsider

    async def _carry_on(self, life: Life, view: View, space: Space[Any]) -> Any:
        """Go on with the plan, or without plans with whatever comes to mind: go there, then do it."""
        piece = life.plan.at(view.time) if life.plan else None
        if piece is None:
            piece = await self._improvise(life, view)
        if not piece.place:
            where = life.places.get(piece.activity)
            if where is None:
                open_places = {p: t for p, t in self.places.items() if p == view.place or space.contains(Go(to=p))}
                where = await self.mind.place(life.moment(), piece.activity, open_places)
                life.places[piece.activity] = where
            piece = self._change(life, piece, place=where[0] or view.place, thing=piece.thing or where[1])
        if piece.place != view.place:
            go = Go(to=piece.place)
            return go if space.contains(go) else Wait()
        if life.plan and not piece.fine and piece.end - piece.start > 15:
            parts = await self.mind.minute_plan(life.moment(), piece)
            life.plan.decompose(piece, parts)
            piece = life.plan.at(view.time) or piece
        do = Do(activity=piece.activity[:120], thing=piece.thing)
        if not space.contains(do):
            do = do.model_copy(update={"thing": ""})
        return do if space.contains(do) else Wait()

    async def _improvise(self, life: Life, view: View) -> Piece:
        piece = life.improvised
        if piece is None or not piece.start <= view.time < piece.end:
            memories = self.retrieve(life, f"{life.name} {view.activity}", self.config.context, view.time)
            activity, minutes = await self.mind.improvise(life.moment(memories))
            piece = life.improvised = Piece(view.time, view.time + max(5, minutes), activity, fine=True)
        return piece

    def _change(self, life: Life, piece: Piece, **changes: Any) -> Piece:
        if life.plan and piece in life.plan.pieces:
            return life.plan.replace(piece, **changes)
        life.improvised = piece._replace(**changes)
        return life.improvised

    # --- memory ---

    async def _importance(self, life: Life, view: View, text: str) -> float:
        """The importance of a text; asked once for each text an agent remembers."""
        if self.config.by is None:
            return 1.0
        known = life.memory.known(text)
        if known is not None:
            return known.importance
        if MUNDANE.search(text) and " said to " not in text:
            return 1.0
        return min(10.0, max(1.0, float(await self.mind.importance(life.moment(), text))))

    def retrieve(self, life: Life, query: str, k: int, now: float, touch: bool = True) -> list[Node]:
        """The k memories that matter most to `query`, as the configuration ranks them."""
        by = self.config.by
        return [] if by is None else [r.node for r in life.memory.retrieve(query, now=now, k=k, by=by, touch=touch)]

    def store(
        self,
        life: Life,
        text: str,
        kind: Kind,
        importance: float,
        created: float,
        *,
        source: str = "own",
        subject: str = "",
        predicate: str = "",
        object: str = "",
        evidence: Sequence[int] = (),
    ) -> Node | None:
        """Remember something (unless the agent remembers nothing) and write it to the run's notes."""
        if self.config.by is None:
            return None
        node = life.memory.add(
            text, kind=kind, created=created, importance=importance,
            source=source, subject=subject, predicate=predicate, object=object, evidence=evidence,
        )  # fmt: skip
        life.fresh += 1
        if kind == "observation" and source != "seen":
            life.pending.append(node.id)
        _note(
            life,
            "memory",
            {"id": node.id, "kind": kind, "text": text, "importance": importance, "source": source,
             "evidence": list(evidence)},
        )  # fmt: skip
        return node


def _attendance(life: Life, appointment: Appointment) -> Piece:
    return Piece(appointment.start, appointment.end, f"attending the {appointment.occasion}", appointment.place, fine=True)


def _weekday(view: View) -> str:
    return next((day for day in WEEKDAYS if view.clock.startswith(day)), "")


def _note(life: Life, kind: str, data: dict[str, Any]) -> None:
    run = session.current()
    if run is not None:
        run.note(life.name, kind, data)
