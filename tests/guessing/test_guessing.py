"""The base of knowledge, what is recalled of it, names and scores, and games side by side."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.errors import ConfigError, DataError
from ethogram.guessing import Ask, Guess, Knowledge, Recall, asked, names_it, normalise, score, things
from ethogram.guessing.knowledge import DEPENDS, NO, YES
from ethogram.guessing.many import Games, told
from ethogram.guessing.recall import UNASKED
from ethogram.worlds.coded.question_game import QuestionGame

BASE = things()
SMALL = """
[questions]
animal | Is it an animal?
barks | Does it bark?
big | Is it big?
red | Is it red?
[implications]
barks -> animal
[kinds]
beast: animal ?big
[things]
dog|hound < beast: barks   # a comment
fox < beast: red
whale < beast: big
rock: -big
"""


def written(tmp_path, text):
    path = tmp_path / "base.txt"
    path.write_text(text)
    return path


def test_the_base_is_large_and_small_enough():
    from ethogram.guessing import knowledge

    assert len(BASE) >= 200 and len(BASE.questions) >= 60
    assert (knowledge.Path(knowledge.__file__).with_name("things.txt")).stat().st_size < 200_000
    for k, key in enumerate(BASE.properties):
        share = (BASE.values[:, k] == YES).mean()
        assert 0 < share < 1, f"{key} tells nothing"


def test_no_name_is_in_another():
    for names in BASE.names:
        for other in BASE.names:
            assert names == other or not any(names_it(name, other) for name in names.split("|")), (names, other)


@pytest.mark.parametrize(
    ("thing", "yes", "no"),
    [
        ("bat", "mammal flies night", "bird legs4 eggs made"),
        ("penguin", "bird sea eggs", "flies mammal"),
        ("whale", "mammal sea huge", "fish legs4 fur eggs"),
        ("platypus", "mammal eggs", "bird"),
        ("couch", "furniture sit made", "alive electric"),
        ("tomato", "vegetable red", "made"),
        ("snail", "spineless shell slow", "insect legsmany"),
        ("submarine", "vehicle floats", "wheels flies"),
    ],
)
def test_what_everybody_knows(thing, yes, no):
    values = BASE.values[BASE.index(thing)]
    for expected, words in ((YES, yes), (NO, no)):
        for key in words.split():
            assert values[BASE.properties.index(key)] == expected, key


def test_a_file_of_ones_own(tmp_path):
    base = Knowledge.load(written(tmp_path, SMALL))
    assert base.names == ("dog|hound", "fox", "whale", "rock") and base.index("hound") == 0 and base.called(0) == "dog"
    assert base.values.tolist() == [[1, 1, 2, 0], [1, 0, 2, 1], [1, 0, 1, 0], [0, 0, 0, 0]]
    world = QuestionGame(tmp_path / "base.txt", ["hound"])
    world.reset(seed=1)
    assert world.step({"questioner": Ask(question="Is it big?")})[0]["questioner"].said[-1].answer == "maybe"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("fox < beast:", "fox < best:"), "line 13: 'fox' is of a kind 'best'"),
        (("whale < beast: big", "whale < beast: huge"), "line 14: 'whale' has 'huge'"),
        (("barks | Does it bark?", "barks Does it bark?"), "line 4"),
        (("[kinds]", "[sorts]"), r"no section \[sorts\]"),
        (("rock: -big", "rock: barks"), "'rock' is barks but not animal"),
        (("Is it big?", "Is it bigger than a fox?"), "names the thing 'fox'"),
        (("beast: red", "beast: -big"), "no question tells 'fox' and 'whale' apart"),
        (("whale < beast: big", "fox < beast: big"), "'fox' is there twice"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path, change, said):
    text = SMALL.replace(*change)
    with pytest.raises(DataError, match=said):
        Knowledge.load(
            written(tmp_path, text.replace("whale < beast: big", "whale < beast: -big") if "apart" in said else text)
        )


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        Knowledge.load(tmp_path / "nothing.txt")


def test_parts_of_a_split_are_disjoint():
    parts = BASE.split(0.6, 0.2, 0.2, seed=3)
    assert sorted(i for part in parts for i in part) == list(range(len(BASE))) and len(parts[0]) == round(0.6 * len(BASE))


def test_scores_by_hand():
    """The released rule, worked out: 1 up to turn 5, then 0.02 less a turn; nothing where it was not found."""
    assert [round(score(True, t), 2) for t in (1, 5, 6, 10, 20)] == [1.0, 1.0, 0.98, 0.9, 0.7]
    assert score(False, 3) == 0.0


def test_what_leaks_is_normalised():
    assert normalise("Is the entity you are thinking of  alive?") == "Is it alive?"
    assert normalise("Is the thing that you're thinking of alive?") == "Is it alive?"
    assert normalise("Is the animal you're thinking of big?") == "Is the animal big?"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return Knowledge.load(written(tmp_path_factory.mktemp("base"), SMALL))


def test_bayes_by_hand(base):
    """P(thing | "barks: yes") with errors of 10 %: 0.9 of the dog to 0.1 of each of the three that do not bark."""
    recall = Recall(base, 0.1)
    weights = recall.heard(recall.start(1), np.array([1]), np.array([YES]))
    np.testing.assert_allclose(recall.shares(weights)[0], np.array([9, 1, 1, 1]) / 12, rtol=1e-5)
    answers, remembered = recall.remember(world_said(base, [Ask(question="Does it bark?"), Guess(entity="hound")]))
    assert answers.tolist() == [[UNASKED, NO, UNASKED, UNASKED]]
    np.testing.assert_allclose(recall.shares(remembered)[0], np.array([0, 9, 9, 9]) / 27, rtol=1e-5)


def world_said(base, actions):
    world = QuestionGame(base, ["rock"])
    world.reset(seed=0)
    for action in actions:
        seen, *_ = world.step({"questioner": action})
    return seen["questioner"].said


@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.03, 0.2]))
@settings(max_examples=25, deadline=None)
def test_gains_are_mutual_information(seed, noise):
    """Against a brute-force sum over things and answers."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 3, (6, 4))
    values[np.arange(6), :3] = (np.arange(6)[:, None] >> np.arange(3)) & 1  # six different codes
    base = Knowledge(tuple("abcdef"), tuple("wxyz"), ("w1", "x1", "y1", "z1"), values.astype(np.uint8))
    shares = rng.dirichlet(np.ones(6)).astype(np.float32)
    for k in range(4):
        joint = np.zeros((6, 3))
        for i in range(6):
            value = values[i, k]
            joint[i, value] += shares[i] * (1 if value == DEPENDS else 1 - noise)
            if value != DEPENDS:
                joint[i, 1 - value] += shares[i] * noise
        outer = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
        known = joint > 0
        mutual = (joint[known] * np.log2(joint[known] / outer[known])).sum()
        assert Recall(base, noise).gains(shares[None])[0, k] == pytest.approx(mutual, abs=1e-5)


@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.1]))
@settings(max_examples=15, deadline=None)
def test_games_side_by_side_are_the_world_s(seed, noise):
    """The same actions in the world and in arrays: the same answers, lengths and scores."""
    recall, rng = Recall(BASE, noise), np.random.default_rng(seed)
    world = QuestionGame(noise=noise)
    world.reset(seed=seed)
    games = Games(recall, np.array([world.entity]), world.luck[None], noise)
    earned = [0.0, 0.0]
    while world.agents:
        if rng.random() < 0.3 or games.turn == 19:
            number, name = len(BASE.questions), BASE.called(int(games.weights[0].argmax()))
            action = Guess(entity=name)
        else:
            number = int(rng.integers(len(BASE.questions)))
            action = Ask(question=BASE.questions[number])
        seen, rewards, *_ = world.step({"questioner": action})
        earned[0] += rewards["questioner"]
        earned[1] += float(games.step(np.array([number]))[0])
        answers, weights = recall.remember(seen["questioner"].said)
        if not games.over[0]:
            assert (answers == games.answers).all()
            np.testing.assert_allclose(weights, games.weights, rtol=1e-4)
    assert games.over[0] and earned[0] == earned[1]
    assert (games.won[0], games.length[0]) == (world.bingo, len(world.said))


def test_what_a_judge_says_of_what_depends_is_never_wrong(base):
    said = told(base, np.array([0, 3]), np.zeros((2, 4)), np.array([0.0, 1.0]))
    assert said[0].tolist() == base.values[0].tolist() and said[1].tolist() == [1, 1, 1, 1]


def test_a_judge_who_is_wrong_half_of_the_time_is_no_use():
    with pytest.raises(ConfigError, match="noise"):
        Recall(BASE, 0.5)


def test_words_of_a_guess():
    assert asked(Guess(entity="owl")) == "Is it owl?" and asked(Guess(entity="owl"), last=True) == "Is it owl? Is it right?"
