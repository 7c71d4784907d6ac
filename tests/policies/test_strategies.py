"""Strategies of repeated games: each beside its twin in axelrod, by hand where there is none, and their state."""

import numpy as np
import pytest

from ethogram.errors import ConfigError
from ethogram.policies.coded.strategies import RULES, STRATEGIES, MemoryOne, axelrod_strategy, payoffs_told, strategy
from ethogram.policy import Coded
from ethogram.scene import Scene
from ethogram.simulation import rollouts
from ethogram.worlds.coded.matrix_game import Choose, MatrixGame

SIDES = ("cooperate", "defect")
TWINS = {
    "always first": "Cooperator",
    "always second": "Defector",
    "alternator": "Alternator",
    "tit for tat": "TitForTat",
    "suspicious tit for tat": "SuspiciousTitForTat",
    "anti tit for tat": "AntiTitForTat",
    "tit for two tats": "TitFor2Tats",
    "two tits for tat": "TwoTitsForTat",
    "hard tit for tat": "HardTitForTat",
    "win-stay lose-shift": "WinStayLoseShift",
    "grim trigger": "Grudger",
    "soft majority": "GoByMajority",
    "hard majority": "HardGoByMajority",
    "prober": "Prober",
}
CHANCES = {
    "generous tit for tat": "GTFT",
    "joss": "FirstByJoss",
    "firm but fair": "FirmButFair",
    "zero-determinant extortion": "ZDExtort2",
    "zero-determinant generosity": "ZDGTFT2",
}


def played(policy, opponent, rounds=60, noise=0.0, seed=0, game="prisoners-dilemma", **options):
    """What both chose in each round, and what both saw carried out, as lists of option numbers."""
    world = MatrixGame(game, rounds=rounds, noise=noise, **options)
    names = {option: i for i, option in enumerate(world.options[0])}
    paths = rollouts(Scene(world, {"player 1": policy, "player 2": opponent}), episodes=1, seed=seed)
    chosen = [[names[action.option] for action in path.actions] for path in paths]
    seen = [[names[option] for option in seen.last] for seen in paths[0].observations[1:]]
    return chosen, seen


def sequence(moves):
    """An opponent that plays so."""
    return Coded(lambda seen, space: Choose(option=SIDES[moves[seen.round - 1]]))


@pytest.mark.slow
@pytest.mark.parametrize("name", TWINS)
def test_a_strategy_moves_as_its_twin_in_axelrod(name):
    """On random opponents of several kinds, with noise and without: the twin is axelrod's own match, not our adapter."""
    axl = pytest.importorskip("axelrod")
    sides = (axl.Action.C, axl.Action.D)
    rng = np.random.default_rng(5)
    for trial in range(6):
        moves = (rng.random(60) < rng.choice([0.1, 0.5, 0.9])).astype(int).tolist()
        chosen, seen = played(strategy(name), sequence(moves), noise=0.1 * (trial % 2), seed=trial)
        player, other = getattr(axl, TWINS[name])(), axl.Player()
        theirs = []
        for mine, opposite in seen:
            theirs.append(sides.index(player.strategy(other)))
            player.update_history(sides[mine], sides[opposite])
            other.update_history(sides[opposite], sides[mine])
        assert chosen[0] == theirs
        # and through our adapter, which is told of the same noise by what it observes
        assert played(axelrod_strategy(TWINS[name]), sequence(moves), noise=0.1 * (trial % 2), seed=trial) == (chosen, seen)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANCES)
def test_a_memory_one_strategy_has_the_chances_of_its_twin(name):
    axl = pytest.importorskip("axelrod")
    c, d = axl.Action.C, axl.Action.D
    twin = getattr(axl, CHANCES[name])()
    twin.set_match_attributes()
    rule = RULES[name]
    assert isinstance(rule, MemoryOne)
    theirs = [twin._four_vector[pair] for pair in ((c, c), (c, d), (d, c), (d, d))]
    assert [*rule.chances[0], *rule.chances[1]] == pytest.approx(theirs)
    assert rule.first == (twin._initial == c)


def test_a_memory_one_strategy_draws_with_its_chances():
    always = {0: [0] * 1500, 1: [1] * 1500}
    for theirs, moves in always.items():
        (mine, _), _ = played(STRATEGIES["generous tit for tat"](), sequence(moves), rounds=1500)
        assert np.mean(mine) == pytest.approx((0, 2 / 3)[theirs], abs=0.05)


def test_those_without_twin_by_hand():
    moves = [0, 1, 1, 0, 0, 1]
    assert played(strategy("defect once"), sequence(moves), rounds=6)[0][0] == [1, 0, 0, 0, 0, 0]
    assert played(strategy("turn taker"), sequence(moves), rounds=6)[0][0] == [0, 1, 0, 1, 0, 1]
    assert played(strategy("contrite tit for tat"), sequence(moves), rounds=6)[0][0] == [0, 0, 1, 1, 0, 0]


def test_contrition_ends_a_feud_that_noise_began():
    """One slip: two of tit for tat defect in turn for ever, two contrite ones forget it after the victim's one answer."""
    feud, contrite = STRATEGIES["tit for tat"], STRATEGIES["contrite tit for tat"]
    for make, later in ((feud, [[0, 1], [1, 0], [0, 1]]), (contrite, [[0, 1], [0, 0], [0, 0]])):
        policies = {"player 1": make(), "player 2": make()}
        world = MatrixGame(rounds=9)
        seen, _ = world.reset(seed=0)
        for name, policy in policies.items():
            policy.reset(1, [name])
        spaces, moves = world.action_spaces, []
        for turn in range(4):
            done = {name: policies[name].act({name: seen[name]}, spaces)[name] for name in policies}
            if turn == 0:
                done["player 1"] = Choose(option="defect")  # the slip
            seen, *_ = world.step(done)
            moves.append([SIDES.index(option) for option in world.last])
        assert moves == [[1, 0], *later]


def test_replies_to_payoffs_by_hand():
    """Rock, paper, scissors: level 1 is indifferent and takes rock, level 2 paper; replies to 2, 2, 1 (paper, ...)."""
    names = ("rock", "paper", "scissors")
    opponent = Coded(lambda seen, space: Choose(option=names[[2, 2, 1, 0][seen.round - 1]]))
    found = {
        name: played(strategy(name), opponent, rounds=4, game="rock-paper-scissors")[0][0]
        for name in ("level 1", "level 2", "best reply", "fictitious play")
    }
    assert found == {
        "level 1": [0, 0, 0, 0],
        "level 2": [1, 1, 1, 1],
        "best reply": [0, 0, 0, 2],
        "fictitious play": [0, 0, 0, 0],
    }
    world = MatrixGame("battle-of-the-sexes")
    assert (payoffs_told(world.rules[0], world.options[0]) == world.payoffs).all()
    assert (payoffs_told(world.rules[1], world.options[0]) == world.payoffs.transpose(1, 0, 2)[:, :, ::-1]).all()


def test_of_several_others_one_defector_counts():
    payoffs = np.zeros((2, 2, 2, 3))
    world = MatrixGame(payoffs, SIDES, rounds=4)
    once = Coded(lambda seen, space: Choose(option=SIDES[seen.round == 2]))
    scene = Scene(world, {"player 1": strategy("tit for tat"), "player 2": strategy("always first"), "player 3": once})
    paths = rollouts(scene, episodes=1)
    assert [action.option for action in paths[0].actions] == ["cooperate", "cooperate", "defect", "cooperate"]


@pytest.mark.parametrize("name", STRATEGIES)
def test_state_goes_on_where_it_was(name):
    world = MatrixGame(rounds=30)
    scene = Scene(world, {"player 1": strategy(name), "player 2": strategy("random")})
    whole = [action.option for action in rollouts(scene, episodes=1, seed=3)[0].actions]
    paths = rollouts(scene, episodes=1, seed=3)
    first, second = strategy(name), strategy(name)
    first.reset(7, ["player 1"])
    spaces = world.action_spaces
    alone = [first.act({"player 1": seen}, spaces)["player 1"] for seen in paths[0].observations[:12]]
    second.reset(1, ["player 1"])
    second.load_state_dict(first.state_dict())
    rest = paths[0].observations[12:30]
    assert [first.act({"player 1": s}, spaces) for s in rest] == [second.act({"player 1": s}, spaces) for s in rest]
    assert len(alone) == 12 and [action.option for action in paths[0].actions] == whole  # and the same again by seed


@pytest.mark.slow
def test_the_adapter_plays_axelrods_own_matches():
    """Deterministic strategies that look at payoffs, length and whole histories: every move as in axelrod's own match."""
    axl = pytest.importorskip("axelrod")
    game = axl.Game(r=8, s=0, t=10, p=5)
    sides = (axl.Action.C, axl.Action.D)
    pairs = [("Gradual", "AdaptiveTitForTat"), ("FirstByDowning", "OmegaTFT"), ("BackStabber", "Prober3")]
    for one, other in pairs:
        players = (getattr(axl, one)(), getattr(axl, other)())
        theirs = axl.Match(players, turns=40, game=game, match_attributes={"length": 40, "game": game, "noise": 0}).play()
        assert not any(axl.Classifiers["stochastic"](player) for player in players)
        chosen, _ = played(axelrod_strategy(one), axelrod_strategy(other), rounds=40)
        assert chosen == [[sides.index(pair[seat]) for pair in theirs] for seat in (0, 1)]


@pytest.mark.slow
def test_the_adapter_keeps_seed_and_state():
    pytest.importorskip("axelrod")
    runs = [played(axelrod_strategy("random"), axelrod_strategy("Hard Prober"), seed=seed)[0] for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    world = MatrixGame(rounds=30)
    paths = rollouts(
        Scene(world, {"player 1": strategy("axelrod: ZD-Extort-2"), "player 2": strategy("random")}), episodes=1
    )
    first, second = axelrod_strategy("ZDExtort2"), axelrod_strategy("ZDExtort2")
    first.reset(9, ["player 1"])
    for seen in paths[0].observations[:10]:
        first.act({"player 1": seen}, world.action_spaces)
    second.load_state_dict(first.state_dict())
    for seen in paths[0].observations[10:30]:
        same = [policy.act({"player 1": seen}, world.action_spaces)["player 1"] for policy in (first, second)]
        assert same[0] == same[1]


@pytest.mark.slow
def test_what_axelrod_cannot_do_here_is_said():
    pytest.importorskip("axelrod")
    with pytest.raises(ConfigError, match="did you mean TitForTat"):
        axelrod_strategy("tit for tatt")
    with pytest.raises(ConfigError, match="does not keep to a match"):
        axelrod_strategy("Darwin")
    with pytest.raises(ConfigError, match="two options, not with 3"):
        played(axelrod_strategy("TitForTat"), strategy("random"), game="rock-paper-scissors")


def test_wrong_names_games_and_numbers_are_said():
    with pytest.raises(ConfigError, match="no strategy 'tit'"):
        strategy("tit")
    with pytest.raises(ConfigError, match="same options"):
        played(
            strategy("tit for tat"),
            Coded(lambda seen, space: Choose(option="c")),
            game=np.zeros((2, 2, 2)),
            options=[["a", "b"], ["c", "d"]],
        )
    with pytest.raises(ConfigError, match="five probabilities"):
        MemoryOne(1, 2, 0, 0)
    with pytest.raises(ConfigError, match="do not tell"):
        payoffs_told("The payoffs of 81 combinations are known to all.", ["a", "b"])
