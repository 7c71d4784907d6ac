"""How the town works: walking, talking, perceiving, sleeping, interventions, state, speed."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ethogram.errors import ConfigError
from ethogram.policy import Random
from ethogram.records.checkpoints import load_state, save_state
from ethogram.social import Do, Event, Go, Leave, Say, Wait
from ethogram.worlds.coded.town import Town

MAP = """
name = "Row"
grid = '''
aaaaa...........bbb
aaaaa...........bbb
....................
'''
""".replace("....................", "...................")

PLACES = """
[places.a]
name = "Hall"
things = { "lamp" = "off", "piano" = "closed" }

[places.b]
name = "Shop"
open = "08:00-18:00"
"""


def person(name: str, home: str = "Hall", **more: str) -> str:
    lines = [f'name = "{name}"', "age = 30", f'home = "{home}"', *(f'{key} = "{value}"' for key, value in more.items())]
    return "[[people]]\n" + "\n".join(lines) + "\n"


def row(folder: Path, *people: str, **options: Any) -> Town:
    """A hall and a shop eleven tiles apart; everybody lives in the hall."""
    (folder / "map.toml").write_text(MAP + PLACES)
    (folder / "people.toml").write_text("\n".join(people or [person(n) for n in ("Ann", "Ben", "Cat", "Dan")]))
    town = Town(folder, **{"start": "09:00", "end": "22:00"} | options)
    town.reset(seed=0)
    return town


def idle(town: Town, **actions: Any) -> dict[str, Any]:
    return {agent: actions.get(agent, Wait()) for agent in town.acting}


def texts(view: Any, kind: str) -> list[str]:
    return [event.text for event in view.events if event.kind == kind]


def test_walking_takes_ticks_and_walkers_are_not_asked(tmp_path: Path) -> None:
    town = row(tmp_path, person("Ann"), pace=4)
    _, distance = town.layout.ways(town.layout.index["Shop"])
    ticks = -(-int(distance[town.tile[0]]) // 4)
    observations, *_ = town.step({"Ann": Go(to="Shop")})
    view = observations["Ann"]
    assert town.now == 540 + 10 * ticks, "the world went on until she could be asked again"
    assert (view.place, view.going, view.activity, view.clock) == ("Shop", "", "arriving", f"Monday 09:{10 * ticks:02d}")

    town = row(tmp_path, person("Ann"), person("Ben"), pace=4)
    observations, *_ = town.step({"Ann": Go(to="Shop"), "Ben": Wait()})
    assert town.acting == ["Ben"] and town.now == 550
    assert (observations["Ann"].place, observations["Ann"].going) == ("Hall", "Shop")
    assert observations["Ann"].activity == "walking to Shop"
    assert town.available("Ann") == town.action_space("Ann").only(Wait)


def test_a_conversation_takes_turns_while_the_clock_stands(tmp_path: Path) -> None:
    town = row(tmp_path)
    observations, *_ = town.step(idle(town, Ann=Say(to="Ben", text="Hello."), Ben=Go(to="Shop")))
    assert town.acting == ["Ben"] and town.now == 540
    view = observations["Ben"]
    assert view.talking_to == "Ann" and view.activity == "talking to Ann"
    assert view.events[-1] == Event(kind="told", actor="Ann", text="Hello.", place="Hall", to="Ben")
    assert texts(observations["Cat"], "heard") == ["Hello."], "those near overhear it"
    assert observations["Ann"].talking_to == "Ben" and not texts(observations["Ann"], "told")
    assert town.available("Ben").verbs == (Say, Leave, Wait)
    observations, *_ = town.step({"Ben": Say(to="Ann", text="Hello you."), "Cat": Go(to="Shop")})
    assert town.acting == ["Ann"] and town.now == 540
    assert texts(observations["Ann"], "told") == ["Hello you."]
    observations, *_ = town.step({"Ann": Leave(text="Bye.")})
    assert town.now == 550 and texts(observations["Ben"], "told") == ["Bye."], "Ben has not acted on it yet"
    assert observations["Ben"].place == "Shop", "what he had chosen before the talk is done after it"
    assert texts(observations["Cat"], "heard") == ["Hello.", "Hello you.", "Bye."]
    assert observations["Cat"].place == "Hall", "the action of somebody who was not asked is ignored"


@pytest.mark.parametrize("ending", [Leave(), Wait(), Go(to="Shop"), Do(activity="leaving"), Say(to="Cat", text="Hi.")])
def test_any_other_action_ends_a_conversation(tmp_path: Path, ending: Any) -> None:
    town = row(tmp_path)
    town.step(idle(town, Ann=Say(to="Ben", text="Hello.")))
    observations, *_ = town.step({"Ben": ending})
    assert town.now == 550 and not town.talks
    assert observations["Ben"].place == "Hall" and observations["Ben"].talking_to == ""
    assert texts(observations["Cat"], "told") == []


def test_conversations_end_by_themselves(tmp_path: Path) -> None:
    town = row(tmp_path, turns=3)
    town.step(idle(town, Ann=Say(to="Ben", text="one")))
    town.step({"Ben": Say(to="Ann", text="two")})
    observations, *_ = town.step({"Ann": Say(to="Ben", text="three")})
    assert town.now == 550 and texts(observations["Ben"], "told") == ["three"]


def test_conversations_run_in_parallel_and_nobody_is_in_two(tmp_path: Path) -> None:
    town = row(tmp_path)
    town.step(idle(town, Ann=Say(to="Ben", text="A"), Cat=Say(to="Dan", text="C")))
    assert town.acting == ["Ben", "Dan"]
    observations, *_ = town.step({"Ben": Say(to="Ann", text="B"), "Dan": Wait()})
    assert town.acting == ["Ann"] and town.now == 540
    assert texts(observations["Dan"], "heard")[-1] == "B"
    for seed in range(20):  # whoever is drawn first has the other's ear
        town.reset(seed=seed)
        observations, *_ = town.step(idle(town, Ann=Say(to="Cat", text="A"), Ben=Say(to="Cat", text="B")))
        assert len(town.talks) == 1 and texts(observations["Cat"], "told") in (["A"], ["B"])
    town.reset(seed=0)
    observations, *_ = town.step(idle(town, Ann=Say(to="Ben", text="A"), Ben=Say(to="Ann", text="B")))
    assert len(town.talks) == 1, "two who speak to each other at once are in one conversation"
    assert texts(observations["Ann"], "told") == ["B"] and texts(observations["Ben"], "told") == ["A"]


def test_wrong_but_well_formed_acts_have_no_effect(tmp_path: Path) -> None:
    town = row(tmp_path, *(person(n) for n in ("Ann", "Ben", "Cat", "Dan")), start="07:00", end="22:00")
    wrong = idle(town, Ann=Say(to="Ann", text="Me?"), Ben=Go(to="Shop"), Cat=Go(to="Hall"), Dan=Leave(text="Bye."))
    observations, *_ = town.step(wrong)
    assert town.now == 430
    assert all(view.place == "Hall" and not view.events for view in observations.values())
    assert "Shop" not in str(town.available("Ben")), "it is closed"
    observations, *_ = town.step(idle(town, Ann=Do(activity="playing", thing="organ")))
    assert observations["Ann"].things == {"lamp": "off", "piano": "closed"} and observations["Ann"].activity == "playing"


def test_things_are_in_use_by_one(tmp_path: Path) -> None:
    town = row(tmp_path)
    play = Do(activity="playing a waltz", thing="piano")
    observations, *_ = town.step(idle(town, Ann=play, Ben=play))
    assert observations["Cat"].things["piano"] == "in use by Ann (playing a waltz)"
    assert "Piano at Hall is now in use by Ann (playing a waltz)." in texts(observations["Cat"], "seen")
    assert "Ann is playing a waltz at Hall." in texts(observations["Cat"], "seen")
    observations, *_ = town.step(idle(town, Ann=play, Ben=play))
    assert not any(view.events for view in observations.values()), "what goes on is no news"
    observations, *_ = town.step(idle(town, Ann=Go(to="Shop")))
    assert observations["Cat"].things["piano"] == "closed"
    assert {"Ann leaves Hall.", "Piano at Hall is now closed."} <= set(texts(observations["Cat"], "seen"))
    assert "Ann" not in observations["Cat"].people


def test_news_come_nearest_first(tmp_path: Path) -> None:
    town = row(tmp_path, sight=4)
    town.tile[:] = town.layout.tiles[0][[0, 4, 2, 1]]  # Ann, and at 4, 2 and 1 tiles Ben, Cat and Dan
    town._look()
    observations, *_ = town.step({a: Do(activity=f"sitting with {a}") for a in town.acting})
    assert [e.actor for e in observations["Ann"].events] == ["Dan", "Cat", "Ben"]
    town.sight = 3
    town._look()
    assert town.observe()["Ann"].people == ("Cat", "Dan")


def test_who_comes_is_seen_by_those_there_and_sees_them(tmp_path: Path) -> None:
    town = row(tmp_path, person("Ann"), person("Ben", home="Shop"))
    observations, *_ = town.step(idle(town, Ann=Go(to="Shop"), Ben=Do(activity="counting change")))
    assert texts(observations["Ben"], "seen") == ["Ann is arriving at Shop."]
    assert texts(observations["Ann"], "seen") == ["Ben is counting change at Shop."]
    observations, *_ = town.step(idle(town))
    assert texts(observations["Ben"], "seen") == ["Ann is waiting at Shop."], "what she perceived before is gone"


def test_people_sleep_at_home(tmp_path: Path) -> None:
    town = row(tmp_path, person("Ann", sleep="21:00-06:00"), person("Ben", sleep="23:00-07:00"), days=2, pace=30)
    town.step(idle(town, Ann=Go(to="Shop")))
    while town.now < 21 * 60:
        observations, *_ = town.step(idle(town))
    assert observations["Ann"].going == "Hall" and town.acting == ["Ben"]
    observations, *_ = town.step(idle(town))
    assert observations["Ann"].activity == "sleeping" and town.acting == ["Ben"]
    assert observations["Ben"].people == () and "Ann" not in str(town.available("Ben"))
    while town.acting == ["Ben"]:
        observations, *_ = town.step(idle(town, Ben=Do(activity="dancing")))
    assert town.now == 1440 + 360 and town.acting == ["Ann"], "the night was passed over"
    assert observations["Ann"].activity == "getting up" and observations["Ann"].clock == "Tuesday 06:00"
    assert "Ben is dancing at Hall." not in texts(observations["Ann"], "seen"), "asleep one perceives nothing"


def test_opening_hours_bind_those_without_a_key(tmp_path: Path) -> None:
    town = row(tmp_path, person("Ann", work="Shop"), person("Ben"), start="07:00")
    assert "Shop" in str(town.available("Ann")) and "Shop" not in str(town.available("Ben"))
    while town.now < 480:
        town.step(idle(town))
    assert "Shop" in str(town.available("Ben"))


def test_the_end(tmp_path: Path) -> None:
    town = row(tmp_path, end="09:20")
    *_, truncations, _ = town.step(idle(town))
    assert not any(truncations.values())
    observations, rewards, terminations, truncations, _ = town.step(idle(town))
    assert all(truncations.values()) and not any(terminations.values()) and town.agents == [] and town.acting == []
    assert observations["Ann"].clock == "Monday 09:20" and set(rewards.values()) == {0.0}
    assert town.step({}) == ({}, {}, {}, {}, {})


def test_interventions(tmp_path: Path) -> None:
    town = row(tmp_path, person("Ann"), person("Ben"), person("Cat", home="Shop"))
    town.intervene("tell", {"agent": "Ann", "text": "The mill burns.", "speaker": "a child"})
    assert town.observe()["Ann"].events[-1] == Event(
        kind="told", actor="a child", text="The mill burns.", place="Hall", to="Ann"
    )
    town.intervene("announce", {"place": "Hall", "text": "Tea is ready."})
    assert [texts(town.observe()[a], "heard") for a in ("Ann", "Ben", "Cat")] == [["Tea is ready."]] * 2 + [[]]
    town.intervene("set_thing", {"place": "Hall", "thing": "lamp", "state": "broken"})
    assert town.observe()["Ben"].things["lamp"] == "broken"
    town.intervene("close_place", {"place": "Hall"})
    observations, *_ = town.step(idle(town, Cat=Go(to="Hall")))
    assert [observations[a].place for a in ("Ann", "Cat")] == ["Hall", "Shop"], "they live there; she may not enter"
    town.intervene("reopen_place", {"place": "Hall"})
    town.step(idle(town, Cat=Go(to="Hall")))
    town.intervene("close_place", {"place": "Hall"})
    assert town.observe()["Cat"].going == "Shop", "who does not live there is sent home"
    for name, arguments, message in (
        ("tell", {"agent": "Eve", "text": "x"}, "no agent 'Eve'"),
        ("announce", {"place": "Hell", "text": "x"}, "no place 'Hell'; did you mean 'Hall'"),
        ("set_thing", {"place": "Hall", "thing": "lump", "state": "x"}, "no thing in Hall 'lump'; did you mean 'lamp'"),
        ("tell", {"agent": "Ann", "text": ""}, "1 to 400 characters"),
        ("tell", {"agent": "Ann"}, "does not take"),
    ):
        with pytest.raises(ConfigError, match=message):
            town.intervene(name, arguments)


VERA = {"name": "Vera", "age": 31, "home": "Hall", "plan": ["10:00 Shop: looking around"]}


def test_a_newcomer_changes_nothing_until_it_arrives(tmp_path: Path) -> None:
    people = [person("Ann"), person("Ben", home="Shop")]
    without, town = row(tmp_path, *people, end="12:00"), row(tmp_path, *people, end="12:00", newcomers=[VERA])
    town.reset(seed=3)
    without.reset(seed=3)
    assert town.possible_agents == ["Ann", "Ben", "Vera"] and town.agents == ["Ann", "Ben"]
    assert "Vera" not in town.observe()
    for _ in range(4):
        seen, *_ = town.step(idle(town, Ann=Go(to="Shop")))
        assert seen == without.step(idle(without, Ann=Go(to="Shop")))[0]
    before = repr(town.rng.bit_generator.state)
    town.intervene("arrive", {"agent": "Vera", "place": "Shop"})
    assert repr(town.rng.bit_generator.state) == before, "its place is not drawn from the town's luck"
    assert town.agents == ["Ann", "Ben", "Vera"] and "Vera" in town.acting
    view = town.observe()["Vera"]
    assert view.place == "Shop" and "Ann" in view.people
    assert "Vera is arriving at Shop." in texts(town.observe()["Ann"], "seen")
    kept = row(tmp_path, *people, end="12:00", newcomers=[VERA])
    kept.load_state_dict(load_and_save(town, tmp_path))
    for _ in range(5):
        acts = idle(town, Vera=Say(to="Ann", text="Hello."))
        assert town.step(acts)[0] == kept.step(acts)[0]
    with pytest.raises(ConfigError, match="Vera is in town already"):
        town.intervene("arrive", {"agent": "Vera"})


def load_and_save(town: Town, folder: Path) -> Any:
    """The state as it comes back from a checkpoint."""
    save_state(folder / "state", town.state_dict())
    return load_state(folder / "state")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "Vera", "age": 31}, "a newcomer's home: Field required"),
        ({**VERA, "home": "Hell"}, "'Vera' has an unknown place 'Hell'; did you mean 'Hall'"),
        ({**VERA, "name": "Ann"}, "'Ann' is called as somebody or some place"),
        ({**VERA, "plan": ["shop at ten"]}, "a plan whose entries are not all written"),
        ({**VERA, "plan": ["10:00 Mill: x"]}, "unknown place 'Mill'"),
        ({**VERA, "knows": {"Eve": "aunt"}}, "knows an unknown person 'Eve'"),
    ],
)
def test_wrong_newcomers_are_refused(tmp_path: Path, given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        row(tmp_path, person("Ann"), newcomers=[given])


def test_what_concerns_who_is_away_is_refused(tmp_path: Path) -> None:
    town = row(tmp_path, person("Ann"), newcomers=[VERA])
    with pytest.raises(ConfigError, match="Vera is not in town yet"):
        town.intervene("tell", {"agent": "Vera", "text": "x"})
    town.intervene("close_place", {"place": "Hall"})
    assert "Vera" not in town.step(idle(town))[0]


def test_what_is_told_between_two_views_is_not_lost(tmp_path: Path) -> None:
    """An event that comes after the view an agent acts on stays for the next view."""
    town = row(tmp_path)
    town.intervene("tell", {"agent": "Ann", "text": "Psst."})
    observations, *_ = town.step(idle(town))
    assert texts(observations["Ann"], "told") == ["Psst."]
    observations, *_ = town.step(idle(town))
    assert texts(observations["Ann"], "told") == []


def test_too_many_events_leave_out_sights_first(tmp_path: Path) -> None:
    town = row(tmp_path)
    town.intervene("tell", {"agent": "Ann", "text": "first"})
    for _ in range(60):
        town.inbox[0].append(Event(kind="seen", actor="Ben", text="Ben waves.", place="Hall"))
    view = town.observe()["Ann"]
    assert len(view.events) == 50 and view.events[0].text == "first"
    assert town.observation_space("Ann").contains(view)


def test_state_in_the_middle_of_conversations(tmp_path: Path) -> None:
    """At every single step of an evening with much talk: save, load into a new town, and go on side by side."""
    town, mirror = Town("small", start="20:30"), Town("small", start="20:30")
    policy = Random()
    policy.reset(1, town.possible_agents)
    observations, _ = town.reset(seed=5)
    talking = 0
    while town.agents:
        talking += bool(town.talks)
        save_state(tmp_path / "state", town.state_dict())
        mirror.load_state_dict(load_state(tmp_path / "state"))
        assert list(mirror.acting) == list(town.acting) and mirror.now == town.now
        spaces = {a: town.available(a) for a in town.acting}
        assert spaces == {a: mirror.available(a) for a in mirror.acting}
        chatty = {a: s.only(Say) if Say in s.verbs else s for a, s in spaces.items()}
        actions = policy.act({a: observations[a] for a in town.acting}, chatty)
        stepped, mirrored = town.step(actions), mirror.step(actions)
        assert stepped == mirrored
        observations = stepped[0]
    assert talking > 20
    json.dumps(town.state_dict(), default=lambda value: value.tolist() if isinstance(value, np.ndarray) else 1 / 0)


def crowd(folder: Path, n: int) -> Town:
    """A town of n people in n / 10 houses around a square."""
    houses = n // 10
    signs = [chr(0x4E00 + i) for i in range(houses)]
    rows = ["." * (houses // 2 * 4 + 1)]
    for half in (signs[: houses // 2], signs[houses // 2 :]):
        rows += ["." + "".join(sign * 3 + "." for sign in half)] * 3 + ["." * len(rows[0])] * 3
    tables = "\n".join(f'[places.{json.dumps(sign)}]\nname = "House {i}"' for i, sign in enumerate(signs))
    (folder / "map.toml").write_text("name = 'Crowd'\ngrid = '''\n" + "\n".join(rows) + "\n'''\n" + tables)
    (folder / "people.toml").write_text("".join(person(f"P{i}", f"House {i % houses}") for i in range(n)))
    return Town(folder, start="09:00", end="15:00")


@pytest.mark.parametrize(("n", "limit"), [(25, 0.002), (1000, 0.25)])
def test_speed(tmp_path: Path, n: int, limit: float) -> None:
    """A step of 25 agents takes 2 ms at most, and 1,000 agents are feasible (of processor time, best of two)."""
    town = Town("sallow_reach", start="08:00", end="20:00") if n == 25 else crowd(tmp_path, n)
    policy = Random()
    best = np.inf
    for seed in range(2):
        policy.reset(seed, town.possible_agents)
        observations, _ = town.reset(seed=seed)
        steps, spent = 0, 0.0
        while town.agents and steps < (60 if n == 25 else 15):
            actions = policy.act({a: observations[a] for a in town.acting}, {a: town.available(a) for a in town.acting})
            begun = time.process_time()
            observations, *_ = town.step(actions)
            spent += time.process_time() - begun
            steps += 1
        best = min(best, spent / steps)
    print(f"{n} agents: {1000 * best:.2f} ms a step")
    assert best < limit
