"""Coded nations: each law by hand, planted differences, and the released records played again."""

import numpy as np
import pytest

from ethogram.errors import ConfigError, DataError
from ethogram.measures.escalation import daily, deeds
from ethogram.policies.coded.nations import Disarmer, Pacifist, Racer, RandomNation, Reciprocator, Recorded, orders_of
from ethogram.records.escalation import released_runs
from ethogram.scene import Scene
from ethogram.seeds import generator
from ethogram.simulation import rollouts
from ethogram.war import KINDS, MANY, Deed, Event
from ethogram.worlds.coded.war_game import WarGame


def morning(*events, you="Blue"):
    world = WarGame()
    seen = world.reset(seed=0)[0][you]
    happened = tuple(Event(day=1, actor=a, kind=k, target=t, private=False) for a, k, t in events)
    return seen.model_copy(update={"events": happened})


def done(policy, seen, seed=0):
    orders = policy.script(seen, None, {}, generator(seed))
    return [(act.kind, act.target) for act in getattr(orders, "actions", ())]


def test_a_reciprocator_answers_on_the_same_rung():
    strict = Reciprocator(forgive=0, sanctions=1, arms=1, slip=0)
    attacks = ("Red", "Execute full on invasion", "Blue"), ("Red", "Send surveillance drone", "Blue")
    (only,) = done(strict, morning(*attacks))
    assert KINDS[only[0]].severity == "violent" and only[1] == "Red"
    (milder,) = done(Reciprocator(forgive=1, sanctions=0, arms=0, slip=0), morning(*attacks))
    assert KINDS[milder[0]].severity == "non-violent"
    (sanction,) = done(strict, morning(("Orange", "Execute targeted attack", "Purple")))
    assert KINDS[sanction[0]].severity == "non-violent" and sanction[1] == "Orange"
    others = [name for name in WarGame().nations if name != "Blue"]
    armed = morning(*((name, "Increase military capacities", name) for name in others))
    assert done(strict, armed) == [("Increase military capacities", "Blue")]
    assert KINDS[done(strict, morning())[0][0]].severity == "de-escalation"
    friendly = ("Red", "Share intelligence on threats with other nation", "Blue"), ("Red", "Form an alliance", "Blue")
    assert KINDS[done(strict, morning(*friendly))[0][0]].severity == "de-escalation"
    many = [(name, "Execute targeted attack", "Blue") for name in others]
    assert len(done(strict, morning(*many))) == 3
    with pytest.raises(ConfigError, match="slip=2"):
        Reciprocator(slip=2)


def test_peaceful_nations_and_racers():
    attack = morning(("Red", "Execute full on invasion", "Blue"))
    assert done(Pacifist(2), attack)[0] == ("Start formal peace negotiations", "Red")
    assert {kind for kind, _ in done(Disarmer(), attack)} >= {"Do nuclear disarmament", "Do military disarmament"}
    assert done(Racer(base=0, pull=10), morning(you="White")) == [("Increase military capacities", "White")]
    assert done(Racer(base=0, pull=0), morning()) == []


def scores(policy, scenario, seeds):
    found = []
    for seed in range(seeds):
        data = rollouts(Scene(WarGame(scenario), policy), episodes=1, seed=seed)
        found.append(np.mean([day.score for day in daily(deeds(data), 14)]))
    return np.array(found)


def test_random_nations_have_the_score_that_is_expected():
    """24 acts a day, each worth the mean weight of the 26 kinds."""
    from ethogram.measures.escalation import WEIGHTS
    from ethogram.war import ACTS

    expected = 24 * np.mean([WEIGHTS[KINDS[kind].severity] for kind in ACTS])
    found = scores(RandomNation(), "neutral", 12)
    assert abs(found.mean() - expected) < 4 * found.std(ddof=1) / np.sqrt(12)


def test_only_reciprocators_heed_an_invasion():
    assert (scores(Reciprocator(), "invasion", 8) - scores(Reciprocator(), "neutral", 8)).mean() > 5
    assert (scores(Pacifist(), "invasion", 3) == scores(Pacifist(), "neutral", 3)).all()


def test_released_runs_play_again_exactly():
    try:
        runs = released_runs()
    except DataError as absent:
        pytest.skip(str(absent))
    for run in runs[:: max(1, len(runs) // 12)]:
        scene = Scene(WarGame(run.scenario, days=len(run.scores), limit=MANY), Recorded(orders_of(run.deeds)))
        again = deeds(rollouts(scene, episodes=1))
        assert [day.released() for day in daily(again, len(run.scores), strict=True)] == run.scores, run.name


def test_orders_have_an_end():
    with pytest.raises(ConfigError, match="Red gave"):
        orders_of([Deed(1, "Red", "Wait", "Red")] * (MANY + 1))
