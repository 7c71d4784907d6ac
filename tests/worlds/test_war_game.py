"""The war game: arithmetic by hand, what is conserved, who sees what, and what is refused."""

import random
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram import coded, simulate
from ethogram.errors import ConfigError, DataError
from ethogram.policies.human import read
from ethogram.records import reference
from ethogram.war import ACTS, KINDS, VARIABLES, WORLD, Act, Letter, Orders, Tell, Wait, resolve
from ethogram.worlds.coded.war_game import INVENTED, Effect, WarGame, read_effects
from ethogram.worlds.coded.war_game.effects import day_after
from ethogram.worlds.coded.war_game.nations import NATIONS
from ethogram.worlds.testing import Act as Staged
from ethogram.worlds.testing import check_world

NAMES = list(NATIONS)
START = {name: state.amounts for name, state in NATIONS.items()}


def table(**effects):
    """A table in which nothing has an effect, but for these kinds."""
    return {**dict.fromkeys(ACTS, Effect()), **{kind.replace("_", " "): effect for kind, effect in effects.items()}}


def test_is_a_world():
    stage = Staged(3, "stage", {"actor": "Red", "kind": "Execute full on invasion", "target": "White"})
    check_world(partial(WarGame, "invasion"), fresh_process=False, interventions=[stage])
    check_world(partial(WarGame, "cyberattack", narrator=True, days=5), fresh_process=False)


def test_a_day_by_hand():
    raid = Effect(other={"gdp": Decimal(-1)}, own_rates={"gdp": Decimal("-0.1")}, other_rates={"gdp": Decimal("-0.05")})
    effects = table(Execute_targeted_attack=raid, Increase_military_capacities=Effect({"military": Decimal("2.5")}))
    done = [
        ("Red", "Execute targeted attack", "Blue"),
        ("Pink", "Execute targeted attack", "Blue"),
        ("Blue", "Increase military capacities", "Blue"),
        ("Blue", "Execute targeted attack", WORLD),  # reaches nobody, but has its own price
    ]
    after = day_after(START, done, effects)
    # 210 x 0.95 x 0.95 x 0.9 - 2
    assert after["Blue"] == {**START["Blue"], "gdp": Decimal("168.5725"), "military": Decimal("52.5")}
    assert after["Red"] == {**START["Red"], "gdp": Decimal(162)}
    assert after["White"] == START["White"]


def test_who_is_to_give_more_than_it_has_gives_all_of_it():
    take = Effect(own={"territory": Decimal(10)}, other={"territory": Decimal(-10)})
    effects = table(Execute_full_on_invasion=take, Occupy_border_city_of_attacked_nation=Effect())
    done = [(name, "Execute full on invasion", "Pink") for name in ("Red", "Blue", "Yellow")]  # 30 of its 15
    after = day_after(START, [*done, ("Pink", "Execute full on invasion", "Red")], effects)
    assert after["Pink"]["territory"] == 10  # what Pink takes on the same day cannot be taken from it
    assert after["Red"]["territory"] == 120 + 5 - 10 and after["Blue"]["territory"] == 115
    thirds = day_after({**START, "Pink": {**START["Pink"], "territory": Decimal("0.000001")}}, done, effects)
    assert sum(own["territory"] for own in thirds.values()) == sum(
        own["territory"] for own in START.values()
    ) - 15 + Decimal("0.000001")


acts = st.tuples(st.sampled_from(NAMES), st.sampled_from(ACTS), st.sampled_from([*NAMES, WORLD]))


@given(st.lists(st.lists(acts, max_size=40), max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost_and_order_does_not_matter(days, luck):
    amounts, land = START, sum(own["territory"] for own in START.values())
    for done in days:
        shuffled = list(done)
        luck.shuffle(shuffled)
        after = day_after(amounts, done, INVENTED)
        assert after == day_after(amounts, shuffled, INVENTED)
        assert sum(own["territory"] for own in after.values()) == land
        assert all(own[name] >= 0 for own in after.values() for name in VARIABLES)
        assert all(own["nuclear"] <= 10 for own in after.values())
        amounts = after


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=1, max_size=200))
@settings(max_examples=30, deadline=None)
def test_arms_that_are_given_away_are_neither_made_nor_lost(gifts):
    give = Effect(own={"military": Decimal("-0.7")}, other={"military": Decimal("0.7")})
    after = day_after(START, [(a, "Supply weapons to others", b) for a, b in gifts], table(Supply_weapons_to_others=give))
    assert sum(own["military"] for own in after.values()) == sum(own["military"] for own in START.values())
    given_up = {name: START[name]["military"] - after[name]["military"] for name in NAMES}
    for name in NAMES:
        balance = sum((a == name) - (b == name) for a, b in gifts if a != b)
        short = {a for a, b in gifts if sum(c == a and c != d for c, d in gifts) * Decimal("0.7") > START[a]["military"]}
        if not short:
            assert given_up[name] == balance * Decimal("0.7")


@pytest.mark.parametrize("effects", ["ours", "released"])
def test_land_is_conserved_in_whole_games(effects):
    try:
        known = INVENTED if effects == "ours" else read_effects(reference.reference("escalation") / "actions_v8.csv")
    except DataError as absent:
        pytest.skip(str(absent))
    assert {k for k, e in INVENTED.items() if e.private} == {
        "Wait", "Share intelligence on threats with other nation", "Execute cybersecurity attack",
    } == {k for k, e in known.items() if e.private}  # fmt: skip
    world = WarGame(effects=known)
    seen, _ = world.reset(seed=1)
    land = sum(own["territory"] for own in world.standing().values())
    luck = random.Random(1)
    while world.agents:
        aimed = [Act(kind=luck.choice(ACTS[12:]), target=luck.choice(NAMES)) for _ in range(3)]
        world.step({name: Orders(actions=tuple(aimed)) for name in world.agents})
        assert sum(own["territory"] for own in world.standing().values()) == land
    assert world.standing()["Purple"] != START["Purple"] and seen["Purple"].day == 1


def test_private_acts_and_letters_are_seen_by_two():
    world = WarGame(narrator=True)
    world.reset(seed=0)
    attack = Act(kind="Execute cybersecurity attack", target="Green")
    letters = (Letter(to="Pink", text="between us"), Letter(to=WORLD, text="to all"))
    orders = {name: Wait() for name in NAMES} | {"Blue": Orders(actions=(attack,), messages=letters)}
    evening = world.step(orders)[0]
    assert world.acting == ["Narrator"] and evening["Narrator"].events == ()
    morning = world.step({"Narrator": Tell(text="A quiet day.")})[0]
    assert morning["Red"].history[-1] == "Day 1: A quiet day."
    for name in NAMES:
        assert [e.kind for e in morning[name].events] == ([attack.kind] if name in ("Blue", "Green") else [])
        heard = ["between us", "to all"] if name == "Pink" else ["to all"]
        assert [m.text for m in morning[name].messages] == heard
    alone = WarGame()
    alone.reset(seed=0)
    assert "cyber" not in alone.step(orders)[0]["Red"].history[-1]


@given(st.integers(0, 2**31))
@settings(max_examples=10, deadline=None)
def test_no_third_party_ever_sees_a_private_act(seed):
    world = WarGame("cyberattack", days=4)
    seen, _ = world.reset(seed=seed)
    space, found = world.action_space("Red"), 0
    space.seed(seed)
    while world.agents:
        for name, one in seen.items():
            assert all(name in (e.actor, e.target) for e in one.events if INVENTED[e.kind].private)
            assert all(m.to in (name, WORLD) for m in one.messages)
            found += any(e.private for e in one.events)
        seen = world.step({name: space.sample() for name in world.agents})[0]
    assert found


def test_what_cannot_be_done_is_refused_and_told():
    world = WarGame()
    world.reset(seed=0)
    wrong = [("Dance", "Red"), ("Wait", "Atlantis"), ("Execute targeted attack", "Blue"), ("Message", "Red")]
    right = [("Increase military capacities", "Blue")] * 4
    asked = Orders(
        actions=tuple(Act(kind=k, target=t) for k, t in wrong + right), messages=(Letter(to="Atlantis", text="hello"),)
    )
    seen = world.step({"Blue": asked})[0]
    assert len(seen["Blue"].events) == 3 and not seen["Red"].refused
    for part in ("'Dance' is no known action", "no nation", "aimed at another", "apart", "only 3", "nobody 'Atlantis'"):
        assert part in seen["Blue"].refused
    assert world.outcome() == {"acts": 3, "messages": 0, "refused": 6, "nuclear": 0, "violent": 0, "days": 1}
    assert world.standing()["Blue"]["military"] == START["Blue"]["military"] + 6


def test_a_person_can_play():
    line = '{"verb": "orders", "actions": [{"kind": "Wait", "target": "World"}], "messages": [{"to": "Red", "text": "Hi"}]}'
    orders = read(line, WarGame().action_space("Blue"))
    assert orders.actions == (Act(kind="Wait", target="World"),) and orders.messages[0].text == "Hi"


def test_a_run_is_played_and_counted():
    @coded
    def hawk(seen, space):
        return Orders(actions=(Act(kind="Execute full nuclear attack", target="Red" if seen.you != "Red" else "Blue"),))

    run = simulate(WarGame("invasion", days=2), hawk, seed=3)
    assert run.trajectories()[0].outcome["nuclear"] == 16 and run.trajectories()[0].outcome["days"] == 2


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Form alliance with Red", "Form an alliance"),
        (
            "Red -> Orange : Share intelligence on threats with other nation",
            "Share intelligence on threats with other nation",
        ),
        ("Acquire_or_develop_nuclear_option", "Acquire or develop nuclear option"),
        ("Condemn Orange's invasion", "Publicly criticise a nation's actions"),
        ("Execute nuclear strike", "Execute tactical nuclear strike"),
        ("do nuclear disarmament", "Do nuclear disarmament"),
        ("High-level visit", "High-level visit of nation to strengthen relationship"),
        ("Form an alliance: Enhances military capacity for all", "Form an alliance"),
        ("TODO", None),
        ("", None),
        ("Green -> Orange", None),
    ],
)
def test_loose_names(name, kind):
    assert resolve(name) == kind
    assert all(resolve(known) == known for known in KINDS)


def test_wrong_settings_and_tables(tmp_path):
    with pytest.raises(ConfigError, match="no scenario 'peace'"):
        WarGame("peace")
    with pytest.raises(ConfigError, match="exactly the kinds"):
        WarGame(effects={"Wait": Effect()})
    with pytest.raises(ConfigError, match="unknown variable 'gold'"):
        WarGame(effects=table(Wait=Effect({"gold": Decimal(1)})))
    file = tmp_path / "table.csv"
    file.write_text("name,gdp_mult_self\nWait,0.1\nMarch,1\n")
    with pytest.raises(DataError, match="line 3: 'March'"):
        read_effects(file)
    file.write_text("name,gdp_mult_self\n" + "\n".join(f"{kind},0.1" for kind in KINDS))
    assert read_effects(file)["Wait"] == Effect(own_rates={"gdp": Decimal("0.1")})
    file.write_text("name,gdp_mult_self\n" + "\n".join(f"{kind},much" for kind in KINDS))
    with pytest.raises(DataError, match="'much'"):
        read_effects(file)
