"""Generative agents by their surrogate mind: the loop, its ablations, its state, and that nothing leaks."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from minds import Overheard, agents, live, step

from ethogram.errors import BudgetExhausted, CallFailed, ConfigError
from ethogram.policies.prompted.surrogate import SurrogateMind
from ethogram.policy import Fault
from ethogram.social import Do, Event, Go, Leave, Say, View, Wait
from ethogram.spaces import Verbs
from ethogram.worlds.coded.town import Town

VERBS = Verbs(Go, Say, Leave, Do, Wait)
OTTO, INES = "Otto Varga", "Ines Varga"


def view(minute: float, *events: Event, people=(), talking_to="", place="Wheel Workshop", things=None) -> View:
    return View(
        time=minute, clock=f"Monday {int(minute) // 60:02d}:{int(minute) % 60:02d}", place=place, activity="truing wheels",
        events=events, people=people, talking_to=talking_to, things=things or {},
    )  # fmt: skip


def seen(actor: str, text: str) -> Event:
    return Event(kind="seen", actor=actor, text=text, place="Wheel Workshop")


def told(actor: str, text: str, to: str = OTTO) -> Event:
    return Event(kind="told", actor=actor, text=text, place="Wheel Workshop", to=to)


def act(policy, look: View, agent: str = OTTO, space=VERBS):
    return asyncio.run(policy.act({agent: look}, {agent: space}))[agent]


def texts(policy, agent: str = OTTO) -> list[str]:
    return [node.text for node in policy.lives[agent].memory]


@pytest.fixture
def town():
    return Town("small", end="24:00")


# --- perception ---


def test_attention_retention_and_mundane_percepts(town):
    asked = []
    mind = Overheard(lambda name, arguments: asked.append(arguments["text"]) if name == "importance" else None)
    policy = agents(town, mind, attention=2, retention=2, reflection=False, planning=False)
    events = [seen("Keiko Lund", f"Keiko Lund is counting to {i}.") for i in range(4)]
    act(policy, view(600, *events))
    kept = [t for t in texts(policy) if "counting" in t]
    assert kept == ["Keiko Lund is counting to 0.", "Keiko Lund is counting to 1."]  # the two nearest
    act(policy, view(610, events[1], seen("Keiko Lund", "Keiko Lund leaves Wheel Workshop.")))  # the first is retained
    assert [t for t in texts(policy) if "counting" in t] == kept
    act(policy, view(620, seen("Amos Thorne", "Amos Thorne is coughing."), events[0]))  # by now forgotten by attention
    assert Counter(texts(policy))["Keiko Lund is counting to 0."] == 2
    assert Counter(asked)["Keiko Lund is counting to 0."] == 1  # but its importance is remembered
    assert "Keiko Lund leaves Wheel Workshop." not in asked  # mundane: nobody is asked


def test_words_to_others_are_noticed_but_understood_only_with_overhearing(town):
    heard = Event(kind="heard", actor=INES, to="Amos Thorne", text="The cake is for Otto.", place="Wheel Workshop")
    for overhearing in (False, True):
        policy = agents(town, overhearing=overhearing)
        act(policy, view(600, heard))
        assert any("cake" in t for t in texts(policy)) is overhearing
        assert any(t.startswith("Ines Varga talks to Amos Thorne") for t in texts(policy)) is not overhearing


def test_a_thing_that_has_changed_is_perceived_on_arrival(town):
    policy = agents(town)
    act(policy, view(600, things={"truing stand": "free"}))
    act(policy, view(610, things={"truing stand": "smoking"}))  # the world tells of that by an event
    assert not any("truing stand" in t and "is smoking" in t for t in texts(policy))
    act(policy, view(620, place="Mill Kitchen", things={"truing stand": "free"}))  # another of that name
    action = act(policy, view(630, things={"truing stand": "on fire"}))
    assert "The truing stand at Wheel Workshop is on fire." in texts(policy)
    assert action == Do(activity="dealing with the truing stand")  # law 7: replanned
    assert act(policy, view(640, things={"truing stand": "on fire"})).activity == "dealing with the truing stand"
    assert act(policy, view(650, things={"truing stand": "on fire"})).activity == "truing wheels"


def test_an_event_of_a_thing_is_reacted_to(town):
    policy = agents(town)
    act(policy, view(600))
    smoke = seen("tool wall", "Tool wall at Wheel Workshop is now burning.")
    assert act(policy, view(610, smoke)) == Do(activity="dealing with the tool wall")


# --- reflection ---


class Poignant(SurrogateMind):
    """Finds everything it is asked about equally important."""

    async def importance(self, moment, text):
        return 5.0


@pytest.mark.parametrize(("percepts", "reflects"), [(29, False), (30, True)])
def test_reflection_starts_exactly_at_the_threshold(town, percepts, reflects):
    policy = agents(town, Poignant(), threshold=150, planning=False)  # 30 percepts of 5
    life = policy.lives[OTTO]
    for i in range(percepts):
        act(policy, view(600 + 10 * i, seen("Keiko Lund", f"Keiko Lund is counting to {i}.")))
        thoughts = [node for node in life.memory if node.kind == "thought"]
        assert bool(thoughts) is (reflects and i == percepts - 1)
    assert life.unreflected == (0 if reflects else 145)


def test_thoughts_cite_memories_and_form_a_tree(town):
    policy = agents(town, threshold=30)
    live(town, policy, town.reset(0)[0])
    count = 0
    for life in policy.lives.values():
        for node in life.memory:
            assert all(id in life.memory and life.memory[id].id < node.id for id in node.evidence)
            count += node.kind == "thought" and len(node.evidence) > 1
    assert count > 10


# --- plans and talks ---


def test_nothing_new_asks_nothing(town):
    asked = []
    policy = agents(town, Overheard(lambda name, arguments: asked.append(name)))
    act(policy, view(600))
    assert {"day_plan", "hour_plan"} <= set(asked)
    asked.clear()
    assert [act(policy, view(600 + 10 * i)) for i in range(1, 5)] == [Do(activity="truing wheels")] * 4
    assert asked == []


def test_an_invitation_is_kept(town):
    policy = agents(town, Poignant())
    fact = "Otto Varga is giving a party at Mill Kitchen today from 11:00 to 12:00."
    policy.intervene(OTTO, "remember", {"text": fact, "importance": 9})
    assert isinstance(act(policy, view(600)), Do)
    assert act(policy, view(660)) == Go(to="Mill Kitchen")
    assert act(policy, view(670, place="Mill Kitchen")) == Do(activity="attending the party")
    assert act(policy, view(720, place="Mill Kitchen")) == Go(to="Wheel Workshop")
    plan = next(node for node in policy.lives[OTTO].memory if node.kind == "plan" and "party" in node.text)
    assert policy.lives[OTTO].memory[plan.evidence[0]].text == fact
    without = agents(town, Poignant(), planning=False)
    without.intervene(OTTO, "remember", {"text": fact})
    assert act(without, view(660)) != Go(to="Mill Kitchen") and not without.lives[OTTO].appointments


def test_a_talk_is_remembered_by_word_and_by_memo(town):
    policy = agents(town)
    reply = act(policy, view(600, told(INES, "Hello Otto."), people=(INES,), talking_to=INES))
    assert isinstance(reply, Say) and reply.to == INES
    bye = act(policy, view(600, told(INES, "The election is on Sunday."), people=(INES,), talking_to=INES))
    assert isinstance(bye, Leave)
    act(policy, view(610))
    said = next(node for node in policy.lives[OTTO].memory if node.words == "The election is on Sunday.")
    assert (said.source, said.subject, said.text) == (
        INES,
        INES,
        "Ines Varga said to Otto Varga: The election is on Sunday.",
    )
    memo = next(node for node in policy.lives[OTTO].memory if node.kind == "chat")
    assert said.id in memo.evidence and policy.lives[OTTO].talk is None
    again = view(620, seen(INES, "Ines Varga is singing."), people=(INES,))
    assert not isinstance(act(policy, again), Say)  # they have just talked


def test_nothing_is_told_twice_or_back(town):
    policy = agents(town, Poignant())
    fact = "Keiko Lund is running for mayor."
    policy.intervene(OTTO, "remember", {"text": fact})
    life = policy.lives[OTTO]
    for minute in (600, 700):
        replies = []
        while not replies or isinstance(replies[-1], Say):
            line = told(INES, f"Well {minute} {len(replies)}.")
            replies.append(act(policy, view(minute, line, people=(INES,), talking_to=INES)))
        act(policy, view(minute + 10))
        assert sum(fact in r.text for r in replies) == (minute == 600)
    assert fact in life.told[INES]
    act(policy, view(800, told("Amos Thorne", "The mayor of Ulm is a candidate.")))
    node = life.memory.nodes[-1]
    assert node not in life.untold("Amos Thorne", [node]) and node in life.untold(INES, [node])


# --- no leaks ---


@given(st.integers(0, 2**31))
@settings(max_examples=5, deadline=None)
def test_what_one_agent_knows_reaches_others_by_speech_alone(seed):
    town, secret = Town("small"), "zwetschge"
    holder = "Rafael Lund"
    heard = {holder}  # grows with what is said to whom

    def listen(name, arguments):
        moment = arguments["moment"]
        own = policy.lives[moment.name].memory
        assert moment.persona == policy.personas[moment.name]
        assert all(own.get(node.id) is node for node in [*moment.memories, *arguments.get("untold", ())])
        talk = policy.lives[moment.name].talk
        if talk and "talk" in arguments and talk.partner == arguments.get("partner"):
            assert list(arguments["talk"]) == talk.lines
        assert moment.name in heard or secret not in repr(arguments)

    policy = agents(town, Overheard(listen), seed)
    policy.intervene(holder, "remember", {"text": f"Rafael Lund has decided on the secret {secret} cake."})
    views = town.reset(seed)[0]
    while town.agents:
        for agent, look in views.items():
            if any(e.kind == "told" and secret in e.text for e in look.events):
                heard.add(agent)
        _, views = step(town, policy, views)
        for agent, life in policy.lives.items():
            assert agent in heard or secret not in json.dumps(life.state_dict(), default=lambda array: array.tolist())
    assert len(heard) > 1


# --- ablations ---


def run_day(seed: int = 0, **config):
    town = Town("small")
    policy = agents(town, seed=seed, **config)
    fact = town.people.facts[0]
    policy.intervene(fact.holder, "remember", {"text": fact.text})
    done, _ = live(town, policy, town.reset(seed)[0])
    knows = sum(any(fact.told_in(node.text) for node in life.memory) for life in policy.lives.values())
    return policy, done, knows


def test_ablations_change_what_they_should():
    full, done, knows = run_day(threshold=40)
    kinds = Counter(node.kind for life in full.lives.values() for node in life.memory)
    assert knows > 4 and min(kinds[k] for k in ("observation", "thought", "plan", "chat")) > 0

    none, _, knows = run_day(memory="none")
    assert knows == 0 and not any(len(life.memory) for life in none.lives.values())
    assert not any(life.appointments for life in none.lives.values()) and any(life.plan for life in none.lives.values())

    blind, _, knows = run_day(observation=False)
    assert knows == 1
    assert {n.source for life in blind.lives.values() for n in life.memory} <= {"own", "planted"}

    unplanned, other, _ = run_day(planning=False)
    assert not any(life.plan or life.appointments for life in unplanned.lives.values())
    assert other != done

    unreflective, _, _ = run_day(reflection=False, threshold=40)
    assert not any(node.kind == "thought" for life in unreflective.lives.values() for node in life.memory)

    for memory in ("random", "recency"):
        assert run_day(memory=memory)[1] != done
    assert run_day(threshold=40)[1] == done  # and the same again is the same


# --- state, faults, interviews ---


@pytest.mark.parametrize("minute", [640, 1000])
@pytest.mark.parametrize("memory", ["full", "random"])
def test_a_policy_loaded_in_mid_run_goes_on_identically(minute, memory):
    towns = [Town("small"), Town("small")]
    policy = agents(towns[0], seed=3, threshold=40, memory=memory)
    fact = towns[0].people.facts[0]
    policy.intervene(fact.holder, "remember", {"text": fact.text})
    _, views = live(towns[0], policy, towns[0].reset(3)[0], until=minute)
    for _ in range(200):  # stop within a conversation
        if any(life.talk for life in policy.lives.values()):
            break
        _, views = step(towns[0], policy, views)
    assert any(life.talk for life in policy.lives.values())
    arrays: list[np.ndarray] = []

    def kept(value):
        arrays.append(value)
        return {"array": len(arrays) - 1}

    state = json.loads(
        json.dumps(policy.state_dict(), default=kept), object_hook=lambda d: arrays[d["array"]] if "array" in d else d
    )
    towns[1].reset(99)
    towns[1].load_state_dict(towns[0].state_dict())
    copy = agents(towns[1], seed=3, threshold=40, memory=memory)
    copy.load_state_dict(state)
    assert live(towns[1], copy, views)[0] == live(towns[0], policy, views)[0]
    assert [texts(copy, a) for a in copy.lives] == [texts(policy, a) for a in policy.lives]


class Failing(SurrogateMind):
    def __init__(self, error):
        super().__init__()
        self.error = error

    async def day_plan(self, moment):
        if moment.name == OTTO:
            raise self.error
        return await super().day_plan(moment)


def test_a_failed_call_is_the_fault_of_one_agent_and_a_spent_budget_stops_all(town):
    both = {OTTO: view(600), INES: view(600)}
    spaces = dict.fromkeys(both, VERBS)
    policy = agents(town, Failing(CallFailed("the endpoint is gone")))
    actions = asyncio.run(policy.act(both, spaces))
    assert actions[OTTO] == Fault("the endpoint is gone") and isinstance(actions[INES], Go | Do)
    policy = agents(town, Failing(BudgetExhausted("no money left")))
    with pytest.raises(BudgetExhausted):
        asyncio.run(policy.act(both, spaces))


@pytest.mark.parametrize("memory", ["full", "random"])
def test_an_interview_changes_nothing(town, memory):
    policy = agents(town, memory=memory)
    policy.intervene(OTTO, "remember", {"text": "Keiko Lund gives a party at Mill Kitchen today at 17:00."})
    act(policy, view(600, told(INES, "The miller is in love with the postwoman.")))
    before = json.dumps(policy.state_dict(), default=lambda array: array.tolist())
    questions = ("Introduce yourself.", "What will you be doing at 2 pm?", "Is the miller in love?", "Who is Napoleon?")
    answers = [asyncio.run(policy.ask(OTTO, question)) for question in questions]
    assert json.dumps(policy.state_dict(), default=lambda array: array.tolist()) == before
    assert "bicycle mechanic" in answers[0] and "repairing gears" in answers[1]
    assert "I heard it from Ines Varga" in answers[2] and answers[3] == "I do not know."


def test_an_agent_is_changed_and_stays_so(town):
    policy = agents(town)
    policy.intervene(OTTO, "change", {"attribute": "occupation", "value": "baker"})
    assert "baker" in asyncio.run(policy.ask(OTTO, "Introduce yourself."))
    kept = agents(town)
    kept.load_state_dict(policy.state_dict())
    assert "baker" in asyncio.run(kept.ask(OTTO, "Introduce yourself."))
    policy.reset(0, [OTTO])
    assert "bicycle mechanic" in asyncio.run(policy.ask(OTTO, "Introduce yourself."))
    for attribute, value, message in (
        ("name", "Tim", "no attribute 'name'"),
        ("age", "old", "the age of .* cannot be 'old'"),
    ):
        with pytest.raises(ConfigError, match=message):
            policy.intervene(OTTO, "change", {"attribute": attribute, "value": value})


def test_interventions(town):
    policy = agents(town)
    policy.intervene(OTTO, "remember", {"text": "The bridge is closed.", "importance": 7})
    assert policy.lives[OTTO].memory.nodes[-1].source == "planted"
    policy.intervene(OTTO, "forget", {"text": "BRIDGE"})
    assert len(policy.lives[OTTO].memory) == 0
    for name, arguments in (("remember", {"text": "x", "importance": 11}), ("erase", {}), ("forget", {"what": "x"})):
        with pytest.raises(ConfigError):
            policy.intervene(OTTO, name, arguments)
    with pytest.raises(ConfigError, match="no agent 'Nobody'"):
        policy.intervene("Nobody", "forget", {"text": "x"})
    with pytest.raises(ConfigError, match="no persona is given for Nobody"):
        policy.reset(0, [OTTO, "Nobody"])
