"""Twenty questions: the rules of the game, by hand."""

from functools import partial

import numpy as np
import pytest

from ethogram import simulate
from ethogram.errors import ConfigError
from ethogram.guessing import Answer, Ask, AskFreely, Guess, things
from ethogram.policies.human import Human
from ethogram.worlds.coded.question_game import QuestionGame
from ethogram.worlds.testing import check_world

ANIMAL, FLIES = "Is it an animal?", "Can it fly?"


def begun(entity="owl", **settings):
    world = QuestionGame(entities=[entity], **settings)
    world.reset(seed=0)
    return world


def say(world, action):
    """The answer, and whether the game is over."""
    seen, rewards, over, *_ = world.step({"questioner": action})
    return seen["questioner"].said[-1].answer, rewards["questioner"], over["questioner"]


@pytest.mark.parametrize("make", [partial(QuestionGame, judge="agent", turns=3), partial(QuestionGame, noise=0.3)])
def test_is_a_world(make):
    check_world(make, fresh_process=False)


def test_the_judge_answers_from_the_base():
    world = begun()
    assert [say(world, Ask(question=q))[0] for q in (ANIMAL, FLIES, "Is it a mammal?")] == ["yes", "yes", "no"]
    assert say(world, AskFreely(text="is the entity an  animal"))[0] == "yes", "fillers do not count"
    assert say(world, AskFreely(text="Is the thing that you are thinking of an animal?"))[0] == "yes"
    assert world.said[-1][0] == "Is it an animal?", "what leaks is taken out of the record"
    assert say(world, AskFreely(text="Has it ever been to Paris?"))[0] == "maybe"
    assert say(world, AskFreely(text="Is it a dog?"))[0] == "no"
    assert say(world, AskFreely(text="What is it?"))[0] == "no"


def test_only_whole_words_win():
    assert say(begun("car"), AskFreely(text="Is it a card?")) == ("maybe", 0.0, False)
    assert say(begun("car"), Guess(entity="a scar")) == ("no", 0.0, False)
    assert say(begun("car"), AskFreely(text="Perhaps a CAR, then?")) == ("bingo", 1.0, True)
    assert say(begun("sofa"), Guess(entity="couch")) == ("bingo", 1.0, True), "any of its names"
    assert say(begun("bow and arrow"), Guess(entity="bow"))[0] == "no"


@pytest.mark.parametrize(("turn", "paid"), [(1, 1.0), (5, 1.0), (6, 0.98), (19, 0.72), (20, 0.7), (None, 0.0)])
def test_what_a_win_is_worth(turn, paid):
    world = begun()
    for number in range(1, 21):
        seen = world._seen()["questioner"]
        assert seen.turn == number and bool(seen.told) == (number == 20)
        assert world.available("questioner").contains(Ask(question=ANIMAL)) == (number < 20)
        answer, reward, over = say(world, Guess(entity="owl" if number == turn else "dog"))
        if over:
            break
        assert answer == "no" and reward == 0
    assert reward == pytest.approx(paid) and over
    assert world.outcome()["score"] == pytest.approx(paid) and world.outcome()["turns"] == (turn or 20)
    assert world.said[-1][0].endswith("Is it right?") == (turn in (20, None))


def test_noise_turns_answers_round_once_and_for_all():
    questions = things().questions

    def answers(noise, seed):
        world = QuestionGame(entities=["owl"], noise=noise, turns=len(questions) + 2)
        world.reset(seed=seed)
        return [say(world, Ask(question=q))[0] for q in questions]

    true = np.array(answers(0.0, 1))
    assert (np.array(answers(1.0, 1)) != true).all(), "an owl is known in all respects"
    wrong = {p: np.array([np.array(answers(p, seed)) != true for seed in range(30)]) for p in (0.03, 0.1)}
    for p, found in wrong.items():
        assert abs(found.mean() - p) < 4 * (p * (1 - p) / found.size) ** 0.5
    assert (wrong[0.1] >= wrong[0.03]).all(), "who errs more is wrong about the same, and more"
    world = QuestionGame(entities=["owl"], noise=0.5)
    world.reset(seed=3)
    assert len({say(world, Ask(question=ANIMAL))[0] for _ in range(10)}) == 1


def test_an_agent_can_be_the_judge():
    world = QuestionGame(entities=["owl"], judge="agent")
    seen, _ = world.reset(seed=0)
    assert list(world.acting) == ["questioner"] and seen["judge"].entity == "owl"
    seen, *_ = world.step({"questioner": Ask(question=ANIMAL)})
    assert list(world.acting) == ["judge"] and seen["judge"].question == ANIMAL
    seen, *_ = world.step({"judge": Answer(answer="no")})
    assert seen["questioner"].said[-1].answer == "no" and list(world.acting) == ["questioner"]
    *_, over, _, _ = world.step({"questioner": Guess(entity="owl")})
    assert over == {"questioner": True, "judge": True}, "the name wins whatever a judge would say"


def test_a_person_plays_it(tmp_path):
    lines = iter(['ask question="Is it an animal?"', "ask_freely text='Does it quack?'", "guess entity=owl"])
    run = simulate(
        QuestionGame(entities=["owl"]), Human(ask=lambda _: next(lines)), seed=1, to=tmp_path / "run", progress=False
    )
    (t,) = run.trajectories()
    assert t.outcome["success"] == 1 and t.outcome["turns"] == 3 and t.outcome["score"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"noise": 2}, "noise=2"), ({"turns": 0}, "turns=0"), ({"judge": "x"}, "'x'"), ({"entities": ["unicorn"]}, "unicorn")],
)
def test_bad_arguments_are_refused(arguments, said):
    with pytest.raises(ConfigError, match=said):
        QuestionGame(**arguments)
