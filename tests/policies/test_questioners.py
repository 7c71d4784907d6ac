"""Questioners and a judge of twenty questions: coded, learned and prompted."""

import math

import numpy as np
import pytest

from ethogram.errors import ConfigError, DataError
from ethogram.guessing import Ask, AskFreely, Guess, Knowledge, Recall, things
from ethogram.language import scripted
from ethogram.policies.coded.questioners import NameGuesser, RandomQuestions, Splitter
from ethogram.policies.learned import load
from ethogram.policies.learned.questioner import Practice, Questioner
from ethogram.policies.prompted.judge import Judge
from ethogram.policies.prompted.language_questioner import LanguageQuestioner
from ethogram.records import Trajectories
from ethogram.scene import Scene
from ethogram.simulation import rollouts, simulate
from ethogram.worlds.coded.question_game import QuestionGame

BASE = things()


def cube(bits):
    """2^bits things, each question asks for one bit."""
    values = (np.arange(2**bits)[:, None] >> np.arange(bits)) & 1
    keys = tuple(f"bit{k}" for k in range(bits))
    return Knowledge(
        tuple(f"n{i}" for i in range(2**bits)), keys, tuple(f"Is {k} set?" for k in keys), values.astype(np.uint8)
    )


def played(policy, world, episodes, seed=0):
    return rollouts(Scene(world, policy), episodes=episodes, seed=seed, progress=False)


def test_a_splitter_needs_as_many_questions_as_there_are_bits():
    base = cube(4)
    data = played(Splitter(base, sure=1), QuestionGame(base), 20)
    assert set(data.outcomes("turns").tolist()) == {5.0} and set(data.outcomes("score").tolist()) == {1.0}


def test_it_guesses_as_soon_as_that_pays():
    """Of four equally likely things none is as likely as 0.3; of two, either is."""
    data = played(Splitter(cube(4)), QuestionGame(cube(4)), 40)
    lengths = data.outcomes("turns")
    assert set(lengths.tolist()) == {4.0, 5.0} and all(isinstance(a, Guess) for t in data for a in t.actions[3:])


def test_a_splitter_beats_chance_and_chance_beats_naming():
    score = {}
    for name, policy in (("split", Splitter()), ("random", RandomQuestions()), ("names", NameGuesser())):
        score[name] = played(policy, QuestionGame(), 60).outcomes("score").mean()
    assert score["split"] > 0.85 > 0.4 > score["random"] > score["names"]


def test_whoever_reckons_with_errors_survives_them():
    world = QuestionGame(noise=0.1)
    trusting, wary = (played(Splitter(noise=p), world, 120).outcomes("success").mean() for p in (0.0, 0.1))
    assert wary > trusting + 0.05


def test_a_menu_costs_information():
    full, menu = (played(Splitter(menu=m), QuestionGame(), 60).outcomes("turns").mean() for m in (0, 5))
    assert menu > full + 1


def test_names_are_said_once():
    (t,) = played(NameGuesser(), QuestionGame(entities=["owl"]), 1)
    named = [action.entity for action in t.actions]
    assert len(set(named)) == len(named)


@pytest.fixture(scope="module")
def bits():
    return cube(5)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("base") / "bits.txt"
    questions = [f"bit{k} | Is bit{k} set?" for k in range(5)]
    named = [f"n{i}: " + " ".join(f"bit{k}" for k in range(5) if i >> k & 1) for i in range(32)]
    path.write_text("\n".join(["[questions]", *questions, "[things]", *named]))
    return str(path)


def learner(file, seed=0, **config):
    world = QuestionGame(file)
    spaces = world.observation_space("questioner"), world.action_space("questioner")
    return Questioner(*spaces, {"knowledge": file, "hidden": (32,), **config}, seed), world


def test_clones_a_splitter_onto_things_it_has_not_seen(file, tmp_path):
    from ethogram.nn.training import Training

    policy, world = learner(file, temperature=0.0)
    half = [f"n{i}" for i in range(0, 32, 2)] + ["n1", "n31"]
    data = played(Splitter(file), QuestionGame(file, half), 40)
    policy.fit(data, Training(steps=300, batch=64, lr=3e-3))
    rest = QuestionGame(file, [name for name in world.knowledge.names if name not in half])
    found = played(policy, rest, 40)
    assert found.outcomes("success").mean() == 1 and found.outcomes("turns").mean() < 8
    policy.save(tmp_path / "it")
    again = played(load(tmp_path / "it"), rest, 40)
    assert [t.actions for t in again] == [t.actions for t in found]
    with pytest.raises(DataError, match="not in the list"):
        loose = [t._replace(actions=[AskFreely(text="Well?"), *t.actions[1:]]) for t in data]
        policy.fit(Trajectories.of(loose, data.observation_space, data.action_space))


def test_learns_to_ask_from_the_score_alone(file):
    """From nothing: guesses and repeated questions at first, then a question a bit."""
    policy, world = learner(file, temperature=0.5)
    scores = policy.practise(range(32), Practice(rounds=40, games=48, lr=4e-3, warmup=2), seed=1)
    assert len(scores) == 40 and np.mean(scores[-10:]) > 0.9
    assert played(policy, world, 50).outcomes("score").mean() > 0.9
    twin, _ = learner(file, temperature=0.5)
    assert twin.practise(range(32), Practice(rounds=3, games=48, lr=4e-3, warmup=2), seed=1) == scores[:3]


def test_nothing_is_learned_where_judges_know_nothing(file):
    """The null: with answers that are noise, practice cannot make more of a game than naming its 20 things of 32."""
    policy, _ = learner(file, noise=0.49)
    scores = policy.practise(range(32), Practice(rounds=15, games=48, lr=3e-3), noise=0.5, seed=1)
    assert np.mean(scores[-5:]) < 20 / 32


def test_a_model_chooses_from_a_menu_of_questions_not_asked():
    asked = []

    def rate(request):
        asked.append(request.messages)
        return [0.0] * len(request.options)

    policy = LanguageQuestioner(scripted(rate=rate), Recall(BASE), menu=4)
    data = played(policy, QuestionGame(), 2)
    for t in data:
        questions = [action.question for action in t.actions if isinstance(action, Ask)]
        assert len(set(questions)) == len(questions) > 5
        assert isinstance(t.actions[-1], Guess)
    lines = asked[-1][-1]["content"].splitlines()
    assert sum(line[:2] in ("A.", "B.", "C.", "D.") for line in lines) == 4
    assert any(f"{n}. " in line for n in (1, 2) for line in lines), "what was said before is shown"


def test_a_model_that_knows_what_tells_most_plays_like_the_surrogate():
    """Scoring questions by their gain is the law of the splitter with a menu."""
    recall = Recall(BASE)
    gains = dict(zip(BASE.questions, recall.gains(recall.shares(recall.start()))[0], strict=True))

    def rate(request):
        shown = {line[0]: line[3:] for line in request.messages[-1]["content"].splitlines() if line[1:3] == ". "}
        return [math.log(1e-9 + gains.get(shown.get(letter, ""), 0.0)) * 50 for letter in request.options]

    policy = LanguageQuestioner(scripted(rate=rate), recall, menu=6)
    dull = LanguageQuestioner(scripted(rate=lambda r: [0.0] * len(r.options)), recall, menu=6)
    first = {
        name: [gains[t.actions[0].question] for t in played(p, QuestionGame(turns=2), 30)]
        for name, p in (("sharp", policy), ("dull", dull))
    }
    assert np.mean(first["sharp"]) > np.mean(first["dull"]) + 0.2


def test_a_model_asks_freely_and_what_it_says_is_looked_through():
    said = iter(["Is it the entity you're thinking of?\nUser: Bingo!", "Is it an owl?"])
    policy = LanguageQuestioner(scripted(lambda request: next(said)), mind="free")
    (t,) = played(policy, QuestionGame(entities=["owl"]), 1)
    assert t.outcome["success"] == 1 and t.outcome["turns"] == 2
    assert "\n" not in t.actions[0].text


def test_a_model_can_be_the_judge(tmp_path):
    def rate(request):
        text = request.messages[-1]["content"]
        assert '"owl"' in text
        shown = {line[0]: line[3:] for line in text.splitlines() if line[1:3] == ". "}
        return [0.0 if shown[letter] == ("yes" if "animal" in text else "no") else -20.0 for letter in request.options]

    class InOrder(Splitter):
        def pick(self, open_, shares, rng):
            return int(open_[0])

    world = QuestionGame(entities=["owl"], judge="agent", turns=4)
    run = simulate(
        world, {"questioner": InOrder(), "judge": Judge(scripted(rate=rate))}, to=tmp_path / "run", progress=False
    )
    (t,) = run.trajectories("questioner")
    answers = {one["asked"]: one["answer"] for one in t.observations[-1]["said"]}
    assert answers["Is it an animal?"] == "yes" and answers["Is it a living thing or a part of one?"] == "no"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Splitter(sure=0), "how sure"),
        (lambda: Splitter(menu=-1), "menu"),
        (lambda: LanguageQuestioner(scripted(), mind="bank"), "base to recall"),
        (lambda: LanguageQuestioner(scripted(), Recall(BASE), menu=30), "not 30"),
        (lambda: learner("", history=2), "turn by turn"),
    ],
)
def test_bad_arguments_are_refused(make, said):
    with pytest.raises(ConfigError, match=said):
        make()


def test_while_only_the_value_learns_the_policy_stays_what_it_is(file):
    import torch

    policy, _ = learner(file)
    seen = torch.rand(7, 18)
    before = policy.net(seen).detach()
    policy.practise(range(32), Practice(rounds=2, games=16, warmup=2), seed=1)
    after = policy.net(seen).detach()
    assert torch.equal(before[:, :-1], after[:, :-1]) and not torch.equal(before[:, -1], after[:, -1])
