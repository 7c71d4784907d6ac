"""Trajectories and their windows, against definitions spelled out one element at a time."""

import json
import re
from pathlib import Path

import gymnasium.spaces as gs
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from ethogram.errors import DataError
from ethogram.policy import Random
from ethogram.records import Goal, Trajectories, Trajectory, store
from ethogram.records.codec import codec, codec_of
from ethogram.records.descriptions import covering, describe, space_of
from ethogram.simulation import simulate
from ethogram.spaces import Typed, Verbs
from ethogram.world import World


class Walk(BaseModel):
    """Go somewhere."""

    to: str
    steps: int = 1


class Rest(BaseModel):
    """Do nothing."""


GOAL_ENV = gs.Dict(
    {
        "observation": gs.Box(-9, 9, (3,), np.float32),
        "achieved_goal": gs.Box(-9, 9, (2,)),
        "desired_goal": gs.Box(-9, 9, (2,)),
    }
)
SPACES = [
    gs.Box(-np.inf, 5, (3,), np.float64),
    gs.Box(np.array([0, -1], np.float32), np.array([1, np.inf], np.float32)),
    gs.Box(0, 255, (4, 5, 3), np.uint8),
    gs.Box(0, 1, (2, 3), np.bool_),
    gs.Box(0, 1, ()),
    gs.Discrete(5, start=-2),
    gs.MultiDiscrete([3, 4]),
    gs.MultiBinary(4),
    gs.Text(8),
    GOAL_ENV,
    gs.Tuple([gs.Box(0, 1, (2,)), gs.Dict({"deep": gs.Discrete(3), "words": gs.Text(4)})]),
    gs.Sequence(gs.Discrete(3)),
    Typed(Walk),
    Verbs(Walk, Rest),
]


def seeded(space, seed=3):
    space.seed(seed)
    return space


PLANE, SEVEN = gs.Box(-9, 9, (2,), np.float64), gs.Discrete(7)


def made(lengths, observations=PLANE, actions=SEVEN, final=True, agents=("ann",)):
    """Episodes of random members."""
    seeded(observations), seeded(actions)
    found = []
    for i, n in enumerate(lengths):
        seen = [observations.sample() for _ in range(n + final)]
        done = [actions.sample() for _ in range(n)]
        agent, outcome = agents[i % len(agents)], {"score": float(i)} if i % 2 else {}
        found.append(
            Trajectory(agent, i // len(agents), seen, done, np.arange(n) + 0.5, np.arange(n) * 2.0, i % 3 == 0, outcome)
        )
    return Trajectories.of(found, observations, actions)


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, tuple) and not hasattr(a, "_fields"):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return a == b


def identical(a, b):
    """Whether all is the same but the number of the episode."""
    return len(a) == len(b) and all(all(map(same, (x[0], *x[2:]), (y[0], *y[2:]))) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("space", SPACES, ids=lambda s: type(s).__name__)
def test_saved_and_loaded_exactly(space, tmp_path, monkeypatch):
    data = made([3, 1, 4, 2], observations=space, actions=gs.Box(-1, 1, (2,)))
    data.save(tmp_path / "d")
    assert identical(Trajectories.load(tmp_path / "d"), data)
    assert identical(Trajectories.load(tmp_path / "d")[[3, 0]], data[np.array([False, False, False, True])] + data[:1])
    monkeypatch.setattr(store, "BATCH_BYTES", 16)  # many pieces
    (data[1:] + Trajectories.load(tmp_path / "d")[:2]).save(tmp_path / "e")
    again = Trajectories.load(tmp_path / "e")
    assert identical(again, list(data[1:]) + list(data[:2]))
    assert same(again.steps().next_observations, (data[1:] + data[:2]).steps().next_observations)
    assert again.observation_space == space and again.action_space == data.action_space
    spec = codec(space).spec
    assert json.loads(json.dumps(spec)) == spec
    values = [seeded(space).sample(), None, space.sample()]
    for one in (codec(space), codec_of(spec)) if not isinstance(space, gs.Sequence) else (codec(space),):
        assert all(map(same, one.decode(one.encode(values)), values))


def test_several_spaces_are_covered_by_one():
    assert covering([gs.Discrete(3), gs.Discrete(2, start=4)]) == gs.Discrete(6)
    wide = covering([gs.Box(0, 1, (2,)), gs.Box(-np.inf, 0.5, (2,))])
    assert wide == gs.Box(-np.inf, 1, (2,))
    verbs = Verbs(Walk, Rest)
    assert covering([verbs.only(Rest), verbs, verbs.where(Walk, to=["home"])]) == Verbs(Rest, Walk)
    assert "Values" in repr(covering([gs.Discrete(3), gs.Box(0, 1)]))
    assert space_of(describe(wide)) == wide
    with pytest.raises(DataError, match="does not describe a space"):
        space_of({"type": "Box", "shape": "wide"})


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=5),
    history=st.integers(1, 4),
    horizon=st.integers(1, 4),
    stride=st.integers(1, 3),
    final=st.booleans(),
)
def test_windows_are_as_defined(lengths, history, horizon, stride, final):
    data = made(lengths, final=final)
    windows = data.windows(history, horizon, Goal("last"), stride)
    expected = [(e, t) for e, n in enumerate(lengths) for t in range(0, n, stride)]
    assert len(windows) == len(expected)
    if not expected:
        with pytest.raises(DataError, match="no window to draw"):
            windows.sample(2, np.random.default_rng(0))
        return
    batch = windows.batch(np.arange(len(windows)))
    for i, (e, t) in enumerate(expected):
        one = data[e]
        steps = range(t - history + 1, t + horizon)
        assert (batch["episode"][i], batch["step"][i]) == (e, t)
        assert np.array_equal(batch["observations"][i], [one.observations[max(k, 0)] for k in range(t - history + 1, t + 1)])
        assert batch["actions"][i].tolist() == [one.actions[min(max(k, 0), lengths[e] - 1)] for k in steps]
        assert batch["mask"][i].tolist() == [0 <= k < lengths[e] for k in steps]
        assert np.array_equal(batch["goals"][i], one.observations[-1])


def counting(n):
    """One episode in which the state at step t is t."""
    states = np.arange(n + 1.0)[:, None]
    return Trajectory("a", 0, states, np.zeros(n, int), np.zeros(n), np.arange(n), False)


def distances(goal, horizon=2, n=400, draws=4000):
    data = Trajectories.of([counting(n)], gs.Box(0, n, (1,), np.float64), gs.Discrete(1))
    batch = data.windows(1, horizon, goal).batch(np.full(draws, 10), np.random.default_rng(1))
    return batch["goals"][:, 0] - 10


def test_goals_in_hindsight_have_the_stated_distances():
    future = distances(Goal("future"))
    assert (future.min(), future.max()) == (2, 390)  # from after the window to the end
    assert abs(future.mean() - 196) < 8  # 4.6 standard errors of a uniform on 2 ... 390
    assert set(distances(Goal("future", steps=(5, 8)))) == {5, 6, 7, 8}
    far = distances(Goal("geometric", p=0.1))
    assert far.min() == 2
    assert abs(far.mean() - (1 + 10)) < 0.75  # five standard errors of 1 + Geometric(0.1)
    assert distances(Goal("geometric", p=0.001)).max() == 390  # beyond the end is the end
    assert set(distances(Goal("last"))) == {390}
    with pytest.raises(DataError, match="give batch"):
        made([4]).windows(goal=Goal("future")).batch(np.array([0]))


def test_goals_of_a_goal_env_are_what_was_achieved():
    data = made([5, 3], observations=GOAL_ENV)
    batch = data.windows(2, 1, Goal("future")).sample(50, np.random.default_rng(0))
    assert batch["observations"]["desired_goal"].shape == (50, 2, 2)
    for goal, episode, step in zip(batch["goals"], batch["episode"], batch["step"], strict=True):
        assert any(np.array_equal(goal, later) for later in data[int(episode)].observations["achieved_goal"][step + 1 :])
    with pytest.raises(DataError, match="no entry 'place'"):
        data.windows(goal=Goal("last", key="place"))


def test_weights_of_windows():
    windows = made([5, 5]).windows()
    weights = np.zeros(10)
    weights[[2, 7]] = 1, 3
    drawn = windows.sample(4000, np.random.default_rng(0), weights)
    where = drawn["episode"] * 5 + drawn["step"]
    assert set(where) == {2, 7}
    assert abs((where == 7).mean() - 0.75) < 0.03
    with pytest.raises(DataError, match="there are 10 windows"):
        windows.sample(3, np.random.default_rng(0), np.full(10, np.nan))
    with pytest.raises(DataError, match="there are 10 windows"):
        windows.sample(3, np.random.default_rng(0), np.ones(4))


def test_split_by_episode_and_steps():
    data = made([2, 3, 4, 1, 5, 2, 3, 4], agents=("ann", "bob"))
    parts = data.split(0.5, 0.25, 0.25, seed=4)
    assert [len(p) for p in parts] == [4, 2, 2]  # four episodes of two agents each
    owners = [set(p.episodes) for p in parts]
    assert set.union(*owners) == {0, 1, 2, 3} and sum(map(len, owners)) == 4
    twice = data[:4] + made([2, 3], agents=("ann", "bob"))
    assert twice.episodes.tolist() == [0, 0, 1, 1, 4, 4]  # numbered on: no episode of one is taken for one of the other
    assert sorted(len(p) for p in twice.split(2, 1)) == [2, 4]
    assert [list(p.episodes) for p in data.split(0.5, 0.25, 0.25, seed=4)] == [list(p.episodes) for p in parts]
    steps = data.steps()
    assert len(steps.rewards) == data.lengths.sum()
    assert np.array_equal(steps.observations[2], data[1].observations[0])
    assert np.array_equal(steps.next_observations[1], data[0].observations[2])
    assert steps.terminated.sum() == data.terminated.sum() and steps.terminated[1]
    assert made([2, 3], final=False).steps().step.tolist() == [0, 0, 1]
    assert np.allclose(data.returns(), [t.rewards.sum() for t in data])
    assert np.array_equal(data.outcomes("score"), [np.nan, 1, np.nan, 3, np.nan, 5, np.nan, 7], equal_nan=True)
    with pytest.raises(DataError, match="no episode of the trajectories has an outcome 'scroe'; did you mean 'score'"):
        data.outcomes("scroe")


def mapped_bytes(path: Path) -> int:
    """How much of a mapped file is in this process's memory."""
    found = re.findall(rf"{re.escape(str(path))}\n(?:.*\n)*?Rss: +(\d+) kB", Path("/proc/self/smaps").read_text())
    assert found, "the file is not mapped"
    return 1024 * sum(map(int, found))


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="looks into /proc/self/smaps")
def test_opening_and_a_window_touch_only_their_pages(tmp_path):
    n, pictures = 2000, np.zeros((2001, 96, 96, 3), np.uint8)
    pictures[:, 0, 0, 0] = np.arange(2001) % 251
    images = gs.Box(0, 255, (96, 96, 3), np.uint8)
    one = counting(n)._replace(observations=pictures)
    Trajectories.of([one], images, gs.Discrete(1)).save(tmp_path / "d")
    file = tmp_path / "d" / "observations.arrow"
    assert file.stat().st_size > 55e6
    data = Trajectories.load(tmp_path / "d")
    opened = mapped_bytes(file)
    assert opened < 2**20
    batch = data.windows(history=2).sample(4, np.random.default_rng(0))
    assert np.array_equal(batch["observations"][:, 1, 0, 0, 0], batch["step"] % 251)
    assert mapped_bytes(file) - opened < 4 * (2**21 + 2 * 96 * 96 * 3)  # the rows, and what a kernel maps around a page


def test_what_is_broken_is_said_in_one_sentence(tmp_path):
    data = made([3, 2])
    data.save(tmp_path / "d")
    data.save(tmp_path / "d")  # over another data set: fine
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    with pytest.raises(DataError, match="something other than trajectories"):
        data.save(tmp_path / "other")
    with pytest.raises(DataError, match=r"trajectories\.json is missing"):
        Trajectories.load(tmp_path / "none")
    about = tmp_path / "d" / "trajectories.json"
    whole = about.read_text()
    for text, message in (("{", "no sound"), (whole.replace('"format": 1', '"format": 9'), "format 9"), ("{}", "no sound")):
        about.write_text(text)
        with pytest.raises(DataError, match=message):
            Trajectories.load(tmp_path / "d")
    about.write_text(whole.replace("Discrete", "Continuous"))
    with pytest.raises(DataError, match="does not describe a space"):
        Trajectories.load(tmp_path / "d")
    about.write_text(whole)
    file = tmp_path / "d" / "actions.arrow"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"actions\.arrow has \d+ bytes"):
        Trajectories.load(tmp_path / "d")
    size = json.loads(whole)["bytes"]["actions"]
    file.write_bytes(b"\0" * size)
    with pytest.raises(DataError, match="no sound trajectories"):
        Trajectories.load(tmp_path / "d")
    with pytest.raises(DataError, match="trajectory 0 has 2 observations, 3 actions"):
        Trajectories.of([data[0]._replace(observations=np.zeros((2, 2)))], data.observation_space, data.action_space)
    with pytest.raises(DataError, match="trajectory 0 does not fit"):
        Trajectories.of([data[0]], gs.Box(0, 1, (3,)), data.action_space)
    with pytest.raises(DataError, match="other spaces"):
        data + made([2], actions=gs.Discrete(3))


class Relay(World):
    """Two agents act in turn; the one who waits is paid; bob leaves first. Observations are of a GoalEnv."""

    metadata = {"name": "relay", "render_modes": []}
    state_fields = ("t",)

    def __init__(self):
        self.possible_agents = ["ann", "bob"]
        self.agents = []
        self.observation_spaces = dict.fromkeys(self.possible_agents, GOAL_ENV)
        self.action_spaces = {"ann": gs.Box(0, 1, (2,)), "bob": gs.Box(-1, 0.5, (2,))}
        self.t = 0

    def seen(self):
        return {a: {k: np.full(s.shape, self.t, s.dtype) for k, s in GOAL_ENV.spaces.items()} for a in self.agents}

    @property
    def acting(self):
        return [self.agents[self.t % len(self.agents)]] if self.agents else []

    def reset(self, seed=None, options=None):
        super().reset(seed)
        self.t = 0
        return self.seen(), {}

    def step(self, actions):
        rewards = {a: 1.0 if a in actions else 10.0 for a in self.agents}
        self.t += 1
        ended = {a: self.t == 6 or (a == "bob" and self.t == 4) for a in self.agents}
        observed = self.seen()
        self.agents = [a for a in self.agents if not ended[a]]
        return observed, rewards, ended, dict.fromkeys(ended, False), {a: {} for a in ended}


def test_an_episode_that_is_there_twice_stays_on_one_side():
    space = gs.Box(-9, 9, (1,))
    one = [Trajectory("a", i, np.full((2, 1), i), np.zeros((1, 1)), [1.0], [0.0], False) for i in range(9)]
    twice = Trajectories.of(one, space, space)
    twice = twice + twice
    parts = [{float(t.observations[0, 0]) for t in part} for part in twice.split(0.5, 0.5, seed=3)]
    assert not parts[0] & parts[1] and len(parts[0] | parts[1]) == 9
    with pytest.raises(DataError, match="shares of a split"):
        twice.split(float("nan"), 1)


def test_a_return_that_is_none_is_its_episodes_alone():
    space = gs.Box(-9, 9, (1,))
    rewards = ([1.0, 2.0], [np.nan], [0.5, 0.25, 3.0], [])
    some = [Trajectory("a", i, np.zeros((len(r) + 1, 1)), np.zeros((len(r), 1)), r, r, False) for i, r in enumerate(rewards)]
    data = Trajectories.of(some, space, space)
    assert np.array_equal(data.returns(), [3, np.nan, 3.75, 0], equal_nan=True)
    assert data[[2, 0]].returns().tolist() == [3.75, 3]


def test_what_a_type_cannot_hold_is_refused():
    def made(seen, did):
        return Trajectories.of(
            [Trajectory("a", 0, seen, did, [0.0], [0.0], False)], gs.Box(0, 255, (2,), np.uint8), gs.Discrete(3)
        )

    assert made([[1.0, 2.0], [3, 4]], [1.0])[0].actions.tolist() == [1]
    with pytest.raises(DataError, match=r"of type uint8, which does not hold 0\.5"):
        made([[0.5, 1.0], [0, 0]], [1])
    with pytest.raises(DataError, match=r"of type int64, which does not hold 1\.7"):
        made([[1, 2], [3, 4]], [1.7])


@pytest.mark.parametrize(
    "space, good, bad",
    [
        (gs.Box(np.array([-1, -np.inf], np.float32), 1), [-1.0000001, -1e9], [-1.01, 0]),
        (gs.Box(-1, 1, (2,)), [1, 0], [0, np.nan]),
        (gs.Discrete(3, start=2), 4, 5),
        (gs.MultiDiscrete([2, 3]), [1, 2], [2, 0]),
        (gs.Dict({"a": gs.MultiBinary(1), "b": gs.Tuple([gs.Discrete(2)])}), {"a": [1], "b": (1,)}, {"a": [0], "b": (-1,)}),
    ],
)
def test_an_action_outside_of_its_space_is_refused_with_its_place(space, good, bad):
    def made(*actions):
        return Trajectory("a", 0, [0] * (len(actions) + 1), list(actions), [0.0] * len(actions), [0.0] * len(actions), False)

    assert len(Trajectories.of([made(good, good)], gs.Discrete(1), space)) == 1
    with pytest.raises(DataError, match=r"action of trajectory 1 at step 2 is .* outside of .*; clip such actions"):
        Trajectories.of([made(good), made(good, good, bad)], gs.Discrete(1), space)


def test_a_run_gives_its_trajectories():
    run = simulate(Relay(), Random(), episodes=2, seed=1)
    data = run.trajectories()
    assert [(t.agent, t.episode) for t in data] == [("ann", 0), ("bob", 0), ("ann", 1), ("bob", 1)]
    ann, bob = data[0], data[1]
    # ann acts at 0, 2, 4, 5; bob at 1 and 3; who waits gets 10, counted to the step before
    assert ann.times.tolist() == [0, 2, 4, 5] and bob.times.tolist() == [1, 3]
    assert ann.rewards.tolist() == [11, 11, 1, 1] and bob.rewards.tolist() == [11, 1]
    assert ann.observations["observation"][:, 0].tolist() == [0, 2, 4, 5, 6]
    assert bob.observations["achieved_goal"].shape == (3, 2) and bob.observations["observation"].dtype == np.float32
    assert ann.terminated and bob.terminated
    assert data.observation_space == GOAL_ENV
    assert data.action_space == gs.Box(-1, 1, (2,))  # covers both
    assert isinstance(run.arrow("steps")["observation"].type, pa.StructType)
    assert [t.agent for t in run.trajectories("bob")] == ["bob", "bob"]
    with pytest.raises(DataError, match="no agent 'cat'"):
        run.trajectories("cat")
    with pytest.raises(DataError, match="recorded without"):
        simulate(Relay(), Random(), seed=1, record="actions").trajectories().windows()
