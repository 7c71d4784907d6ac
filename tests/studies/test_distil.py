"""The study of distillation: its measures by hand, and all of it at the smallest scale."""

from pathlib import Path

import numpy as np
import pytest

from ethogram.records import Trajectories, Trajectory
from ethogram.simulation import rollouts
from ethogram.social import Event, Say, View, Wait
from ethogram.spaces import Typed, Verbs
from ethogram.studies import Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.society import distil as study
from ethogram.studies.society._distil_sea import law, sea, situations
from ethogram.studies.society._distil_town import baselines, macro, occupancy_distance
from ethogram.worlds.coded.town import Town


def test_fishers_keep_the_stated_law():
    for agent, mean in (("fisher 2", 10 / (1 + np.exp(1.2))), ("fisher 3", 5.0)):
        chances = law(agent, 1.0)
        assert chances.sum() == pytest.approx(1) and chances @ np.arange(11) == pytest.approx(mean)
    agents, stocks, done = situations(rollouts(sea(), episodes=20, seed=1, progress=False))
    assert len(agents) == len(stocks) == len(done) == 20 * 50 * 4
    for agent in ("fisher 1", "fisher 4"):
        mine = np.array(agents) == agent
        expected = law(agent, stocks[mine]) @ np.arange(11)
        error = (done[mine] - expected).mean() / (done[mine].std() / np.sqrt(mine.sum()))
        assert abs(error) < 4


def test_hours_spent_elsewhere():
    a = {"ann|8|shop": 3, "ann|8|green": 1, "bob|9|green": 2}
    assert occupancy_distance(a, a) == 0
    # ann: half of |3/4 - 1/2| + |1/4 - 1/2|; bob's hour is not in both
    assert occupancy_distance(a, {"ann|8|shop": 2, "ann|8|green": 2, "cat|7|green": 1}) == pytest.approx(0.25)


def day(agent, texts, heard=()):
    """A day in which somebody says some things, at 8:00, 8:10 ...; `heard` at the second of these times."""
    views = [
        View(time=480 + 10 * i, clock="", place="shop", activity="", talking_to="Bo" if i else "",
             events=tuple(Event(kind="told", actor="Bo", text=text, place="shop") for text in heard if i == 1))
        for i in range(len(texts))
    ]  # fmt: skip
    done = [Say(to="Bo", text=text) if text else Wait() for text in texts]
    return Trajectory(agent, 0, views, done, np.zeros(len(texts)), np.arange(len(texts)), False)


def records(*days):
    return Trajectories.of(days, Typed(View), Verbs(Say, Wait))


def test_what_was_told_to_nobody_is_found():
    world = Town("small")
    fact = world.people.facts[0]
    other = next(name for name in world.possible_agents if name != fact.holder)
    told = ["", fact.text, fact.text]
    found = macro(records(day(other, told), day(fact.holder, told), day(other, told, heard=[fact.text])), world)
    assert found["told"] == [6] and found["untold"] == [2] and found["utterances"] == [6] and found["talks"] == [0]
    assert found["where"] == {f"{other}|8|shop": 6, f"{fact.holder}|8|shop": 3}


def test_simple_rules_by_hand():
    train, test = records(day("ann", ["a", "a", "b"])), records(day("ann", ["b", "b"]))
    numbers = [t._replace(actions=np.array(n)) for t, n in ((train[0], [0, 0, 1]), (test[0], [1, 1]))]
    found = {name: np.exp(v) for name, v in baselines(train, [numbers[0]], test, [numbers[1]], 2).items()}
    overall = 1.5 / 4  # one of three, and half a count of one spread over two
    own = (1 + overall) / 4
    assert found["frequency"] == pytest.approx([overall, overall]) and found["own frequency"] == pytest.approx([own, own])
    assert found["timetable"] == pytest.approx([(1 + own) / 4] * 2)
    again = 2 / 4  # one repeat in two, and one in two before
    assert found["persistence"] == pytest.approx([own, again + (1 - again) * own])


@pytest.mark.slow
def test_all_of_it_at_the_smallest_scale(tmp_path: Path):
    config = study.presets["smoke"]
    findings = study.run(config, Lab(tmp_path, seed=3, model="coded", progress=False))
    verdicts = judge(study.claims, findings)
    assert verdicts["faster-than-the-model"].outcome == "not tested"
    assert {name for name, v in verdicts.items() if v.outcome == "not tested"} == {"faster-than-the-model"}
    assert 0 < findings.get("sea_tv", "4 episodes").value < 1
    assert set(findings.figures) == {"law", "likelihood", "places"} and "nats" in findings.summary
    assert findings.get("town_untold", "teacher").value == 0
    assert load("distil").cell == "coded world, prompted and learned policies"
