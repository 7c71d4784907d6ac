"""Distilled policies: the featuriser and templates by hand, and that a student learns what its teacher does."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from pydantic import BaseModel

from ethogram.errors import ConfigError, DataError
from ethogram.nn.training import Training
from ethogram.policies.learned import _situations as situations
from ethogram.policies.learned import load
from ethogram.policies.learned.distilled import Distilled
from ethogram.policy import Fault, coded
from ethogram.scene import Scene
from ethogram.simulation import rollouts, simulate
from ethogram.spaces import Typed, Verbs
from ethogram.world import World

torch.set_num_threads(1)


class Room(BaseModel):
    """What one sees."""

    place: str
    people: tuple[str, ...] = ()
    warmth: float = 0.0


class Greet(BaseModel):
    """Say hello."""

    to: str
    text: str


class Go(BaseModel):
    """Walk."""

    to: str


class Wait(BaseModel):
    """Stay."""


VERBS = Verbs(Greet, Go, Wait)


class House(World):
    """Two who move between two rooms; a visitor of another name each time stands in one of them."""

    metadata = {"name": "house", "render_modes": []}
    state_fields = ("at", "t", "visitor")

    def __init__(self, visitors=("Cat", "Dan", "Eve")):
        self.visitors, self.possible_agents, self.agents = visitors, ["ann", "bob"], []
        self.observation_spaces = dict.fromkeys(self.possible_agents, Typed(Room))
        self.action_spaces = dict.fromkeys(self.possible_agents, VERBS)

    def reset(self, seed=None, options=None):
        super().reset(seed)
        self.at, self.t = {"ann": "hall", "bob": "attic"}, 0
        self.visitor = ["hall", self.visitors[0]]
        return self.seen(), {}

    def seen(self):
        place, name = self.visitor
        here = {a: (name,) if self.at[a] == place else () for a in self.at}
        return {a: Room(place=self.at[a], people=here[a], warmth=float(self.t)) for a in self.agents}

    def available(self, agent):
        place, name = self.visitor
        verbs = VERBS.where(Go, to=["attic" if self.at[agent] == "hall" else "hall"])
        return verbs.where(Greet, to=[name]) if self.at[agent] == place else verbs.only(Go, Wait)

    def step(self, actions):
        for agent, action in actions.items():
            if isinstance(action, Go):
                self.at[agent] = action.to
        self.t += 1
        self.visitor = [["hall", "attic"][self.rng.integers(2)], self.visitors[self.rng.integers(len(self.visitors))]]
        live, over = list(self.agents), self.t == 12
        seen = self.seen()
        self.agents = [] if over else live
        return seen, dict.fromkeys(live, 0.0), dict.fromkeys(live, False), dict.fromkeys(live, over), {a: {} for a in live}


@coded
def host(seen, space):
    """Greets who is there by name; else goes to the other room."""
    if seen.people:
        return Greet(to=seen.people[0], text=f"Hello {seen.people[0]}, welcome to the {seen.place}!")
    return Go(to="attic" if seen.place == "hall" else "hall")


def student_of(data, steps=150, **config):
    return Distilled(data.observation_space, data.action_space, config, seed=1).fit(
        data, Training(steps=steps, batch=256, lr=1e-2)
    )


@pytest.fixture(scope="module")
def data():
    return rollouts(Scene(House(), host), episodes=20, seed=1, progress=False)


def test_templates_refer_to_the_situation():
    refers = situations.references("ann", {"place": "hall", "people": ["Cat", "Dan"], "warmth": 3.0, "long": "x" * 99})
    assert refers == {"place": "hall", "people.0": "Cat", "people.1": "Dan", "self": "ann"}
    template = situations.abstract({"verb": "greet", "to": "Dan", "text": "Dan, this is ann in the halls; hall."}, refers)
    assert json.loads(template) == {
        "verb": "greet",
        "to": "{people.1}",
        "text": "{people.1}, this is {self} in the halls; {place}.",
    }
    assert situations.slots(template) == {"people.1", "self", "place"}
    there = {"people.1": 'Al "Ace" Bo', "self": "bob", "place": "den"}
    assert json.loads(situations.ground(template, there))["text"] == 'Al "Ace" Bo, this is bob in the halls; den.'
    with pytest.raises(KeyError):
        situations.ground(template, {"self": "bob", "place": "den"})


def test_the_featuriser_reads_what_it_says():
    reader = situations.Reader(2**20, situations.edges_of({"warmth": [0.0, 1.0, 2.0, 3.0]}, 2), agents=True)
    seen = {"place": "the hall", "people": ["Cat"], "warmth": 3.0, "open": True}
    tokens, numbers = reader.read("ann", seen)
    words = [
        "place=the hall",
        "place:the",
        "place:hall",
        "people*=1",
        "people.*=Cat",
        "people.*:cat",
        "open=True",
        "warmth~1",
    ]
    assert {reader._bucket(w) for w in words} <= set(tokens)
    assert reader._bucket("ann|place:hall") in tokens and reader._bucket("agent=ann") in tokens
    assert numbers == pytest.approx([(3 - 1.5) / np.std([0, 1, 2, 3])])
    assert set(reader.read("bob", seen)[0]) != set(tokens)
    silent = situations.Reader(2**20, {}, agents=False)
    assert silent.read("ann", seen) == silent.read("bob", seen)


def test_a_student_does_what_its_teacher_did_with_people_it_never_met(data, tmp_path):
    student = student_of(data)
    assert len(student.config.templates) == 3  # greet whoever is there, go up, go down
    likely, done = student.likelihoods(data)
    assert np.log(likely[np.arange(len(done)), done]).mean() > -0.05
    with pytest.raises(ConfigError, match="reset"):
        student.act({"ann": Room(place="hall")}, {"ann": VERBS})
    played = simulate(House(visitors=("Zoe", "Yan")), student, seed=3).trajectories()
    for t in played:
        for seen, action in zip(t.observations, t.actions, strict=False):
            assert action == host.function(seen, None), "three sure templates: the draw is the teacher's choice"
    student.save(tmp_path / "student")
    again = load(tmp_path / "student")
    assert isinstance(again, Distilled) and np.array_equal(again.likelihoods(data)[0], likely)
    with pytest.raises(DataError, match="fitted to the action_space"):
        Distilled.load(tmp_path / "student", action_space=Discrete(3))


def test_draws_follow_the_probabilities_among_what_is_open():
    rng = np.random.default_rng(0)
    chance = coded(lambda seen, space, rng: np.int64(rng.choice(4, p=[0.1, 0.2, 0.3, 0.4])))

    class Dice(World):
        metadata = {"name": "dice", "render_modes": []}

        def __init__(self):
            self.possible_agents, self.agents = ["a"], []
            self.observation_spaces, self.action_spaces = {"a": Box(0, 1, (2,))}, {"a": Discrete(4)}

        def reset(self, seed=None, options=None):
            super().reset(seed)
            return {"a": np.zeros(2, np.float32)}, {}

        def step(self, actions):
            return {"a": np.zeros(2, np.float32)}, {"a": 0.0}, {"a": False}, {"a": False}, {"a": {}}

    records = rollouts(Scene(Dice(), chance), episodes=4, steps=500, seed=int(rng.integers(9)), progress=False)
    student = student_of(records, 300, buckets=16, width=4, hidden=())
    likely = student.likelihoods(records)[0][0]
    shares = np.bincount(np.concatenate([t.actions for t in records]), minlength=4) / 2000
    assert likely[[student.config.templates.index(str(i)) for i in range(4)]] == pytest.approx(shares, abs=0.03)
    student.reset(5, ["a"])
    open_now = Discrete(2, start=2)
    drawn = [int(student.act({"a": np.zeros(2, np.float32)}, {"a": open_now})["a"]) for _ in range(1500)]
    assert set(drawn) == {2, 3}
    assert np.mean(np.array(drawn) == 3) == pytest.approx(0.4 / 0.7, abs=0.05)  # four standard errors
    kept = student.state_dict()
    following = [int(student.act({"a": np.zeros(2, np.float32)}, {"a": open_now})["a"]) for _ in range(20)]
    student.load_state_dict(kept)
    assert [int(student.act({"a": np.zeros(2, np.float32)}, {"a": open_now})["a"]) for _ in range(20)] == following
    assert isinstance(student.act({"a": np.zeros(2, np.float32)}, {"a": Discrete(2, start=7)})["a"], Fault)


def test_what_it_cannot_do_is_said(data):
    with pytest.raises(ConfigError, match="use bc"):
        Distilled(Box(0, 1, (2,)), Box(0, 1, (2,)))
    with pytest.raises(ConfigError, match="step by step"):
        Distilled(data.observation_space, data.action_space, {"horizon": 2, "execute": 2})
    with pytest.raises(ConfigError, match="not fitted"):
        student = Distilled(data.observation_space, data.action_space)
        student.reset(0, ["ann"])
        student.act({"ann": Room(place="hall")}, {"ann": VERBS})
    with pytest.raises(DataError, match="nothing to fit to"):
        student_of(data[:0])


def test_the_command_line_distils_a_run(tmp_path: Path, capsys):
    from ethogram.cli import dispatch

    simulate(House(), host, episodes=12, seed=2, to=tmp_path / "run", progress=False)
    words = ["distil", str(tmp_path / "run"), "--to", str(tmp_path / "student"), "--steps", "40", "--json"]
    assert dispatch(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["held_out"] > 0 and said["log_likelihood"] > said["log_likelihood_frequency"]
    assert isinstance(load(tmp_path / "student"), Distilled)
    assert dispatch(words) == 2 and "is there already" in capsys.readouterr().err
