"""A model as a world: what its class may say, its record, its state, and what is refused."""

import enum
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from ethogram import Intervention, branch, replay, simulate
from ethogram.columns import (
    Columns,
    column,
    count,
    each,
    grid,
    levers,
    mixing,
    network,
    observe,
    observed,
    panel,
    tally,
    total,
    transfer,
    turn,
    whole,
)
from ethogram.columns.sizes import free, refuse
from ethogram.errors import ConfigError, DataError
from ethogram.populations import Network, Population, erdos_renyi
from ethogram.scene import scene
from ethogram.worlds.coded.epidemic import Epidemic
from ethogram.worlds.coded.wealth import Wealth
from ethogram.worlds.testing import Act, check_world


class Mood(enum.IntEnum):
    CALM = 0
    ANGRY = 1


SCALE = np.float32(0.5)


def doubled(x):
    return 2 * x * SCALE


class Moods(Columns):
    """Rules that take things from around them."""

    anger: float = 0.2
    by_level: np.ndarray = (0.0, 0.5, 1.0)  # type: ignore[assignment]
    mood = column("int8", Mood.CALM)
    level = column("int8")
    heat = column("float32")
    counts = tally("mood", ("calm", "angry"))
    levers = levers(anger=(0.0, 1.0))

    def start(self, rng):
        self.level = rng.integers(0, 3, self.n)

    @each("mood", "heat")
    def feel(mood, level, by_level, anger, heat, u):
        """Anger comes, and goes."""
        if mood == Mood.CALM and u < anger * by_level[level]:
            return Mood.ANGRY, heat + doubled(math.exp(-1.0))
        return Mood.CALM, heat

    @observe("warmest", "mean")
    def heats(self):
        return {"warmest": self.heat.max(), "mean": self.heat.mean(dtype=float)}

    def over(self):
        return self.step_number >= 30

    def reward(self):
        return -float(self.heat.mean())


@pytest.fixture
def contacts():
    return erdos_renyi(200, 0.05, rng=1)


@scene
def epidemic(n: int = 200, panel: int = 0):
    return Epidemic(n, panel=panel), None


def test_the_worlds_keep_the_contract():
    check_world(Moods, steps=40, interventions=[Act(3, "set", {"anger": 0.9})], fresh_process=False)


def test_rules_take_constants_functions_and_arrays():
    w = Moods(500)
    w.reset(seed=1)
    w.step({"observer": {"anger": np.array(1.0)}})
    assert w.mood[w.level == 2].all() and not w.mood[w.level == 0].any()
    assert w.heat.max() == pytest.approx(math.exp(-1))
    w.by_level = [1.0, 1.0, 1.0]
    w.mood = Mood.CALM
    w.step({"observer": {"anger": np.array(1.0)}})
    assert w.counts == {"calm": 0, "angry": 500}
    seen, rewards, *_ = w.step({"observer": w.idle("observer")})
    assert seen["observer"]["mean"] == pytest.approx(-rewards["observer"]) and w.anger == 1.0


def test_a_grids_panel_says_where_its_rows_are():
    class Streets(Columns):
        people = column("int8")
        around = grid()

        def start(self, rng):
            self.people[:] = np.arange(self.n) % 3

    rows = panel(simulate(Streets((3, 4), panel=12), steps=1, seed=1))
    assert rows.columns == ["episode", "step", "time", "row", "line", "cell", "people"]
    assert (rows["line"] * 4 + rows["cell"] == rows["row"]).all() and rows["cell"].max() == 3 and rows["line"].max() == 2

    class Lines(Streets):
        line = column("int8")

    with pytest.raises(ConfigError, match="the panel of a grid has a column 'line'"):
        Lines((3, 4), panel=2)


def test_observed_and_panel():
    run = simulate(epidemic(panel=4), steps=6, seed=2)
    table = observed(run)
    assert table["step"].to_list() == list(range(7))
    assert (table.select("susceptible", "exposed", "infected", "recovered").sum_horizontal() == 200).all()
    rows = panel(run)
    assert rows.columns == ["episode", "step", "time", "row", "state"]
    assert rows.height == 4 * 7 and rows["row"].n_unique() == 4
    other = simulate(epidemic(), steps=2, seed=2)
    with pytest.raises(DataError, match="panel="):
        panel(other)
    with pytest.raises(DataError, match="no observations"):
        observed(simulate(epidemic(), steps=2, seed=2, record="actions"))


def test_resume_replay_branch_and_interventions(tmp_path):
    set_beta = [Intervention(5, "set", {"beta": 0.9})]
    run = simulate(epidemic(), steps=12, seed=2, to=tmp_path / "a", checkpoint_every=4, interventions=set_beta)
    assert replay(run).exact
    forked = branch(run, 5, [Intervention(5, "set", {"beta": 0.0})], to=tmp_path / "b")
    whole, stopped = observed(run), observed(forked)
    assert whole["infected"][:6].equals(stopped["infected"][:6])
    assert stopped["susceptible"].tail(6).n_unique() == 1 < whole["susceptible"].tail(6).n_unique()
    with pytest.raises(ConfigError, match="no parameter 'alpha'"):
        simulate(epidemic(), steps=2, interventions=[Intervention(1, "set", {"alpha": 1})])


def test_an_episode_begins_with_the_constructor_s_parameters():
    w = Epidemic(100, beta=0.3)
    w.reset(seed=1)
    w.set(beta=0.5)
    assert w.beta == 0.5
    w.reset(seed=1)
    assert w.beta == 0.3


def test_a_population_brings_columns_levels_and_networks():
    class Village(Columns):
        age = column("int16")
        kind = column("int8")
        friends = network()
        older = count("friends", of=lambda age, their_age: their_age > age)

    table = {"name": ["a", "b", "c"], "age": [30, 40, 50], "kind": ["rich", "poor", "rich"]}
    w = Village(Population(table, {"friends": [("a", "b"), ("b", "c")]}))
    w.reset(seed=1)
    assert w.n == 3 and w.age.tolist() == [30, 40, 50]
    assert w.levels["kind"] == ("poor", "rich") and w.kind.tolist() == [1, 0, 1]
    assert w.older.tolist() == [1, 1, 0]


def test_inherited_models_keep_their_order_and_change_their_rules():
    class Base(Columns):
        gain: float = 1.0
        x = column("float64")

        @each("x")
        def first(x, gain):
            return x + gain

        @each("x")
        def second(x):
            return x * 10

    class Derived(Base):
        gain: float = 2.0

        @each("x")
        def first(x, gain):
            return x - gain

    for model, value in ((Base, 10.0), (Derived, -20.0)):
        w = model(3)
        w.reset(seed=1)
        w.step({})
        assert w.x.tolist() == [value] * 3


def test_rules_without_source_work():
    space = {"Columns": Columns, "column": column, "each": each, "__name__": "nowhere"}
    code = "class Blind(Columns):\n    x = column('int32')\n    @each('x')\n    def grow(x, row):\n        return x + row\n"
    exec(compile(code, "<nowhere>", "exec"), space)
    w = space["Blind"](4)
    w.reset(seed=1)
    w.step({})
    assert w.x.tolist() == [0, 1, 2, 3]


CHANGED = """
import numpy as np
from ethogram.columns import Columns, column, each
GAIN = {gain}
class Growing(Columns):
    x = column("int32")
    @each("x")
    def grow(x): return x + GAIN
w = Growing(3)
w.reset(seed=1)
w.step({{}})
print(*w.x)
"""


def test_compiled_rules_are_kept_and_a_changed_constant_is_seen(tmp_path):
    def grown(gain):
        file = tmp_path / "model.py"
        file.write_text(CHANGED.format(gain=gain))
        environment = {**os.environ, "ETHOGRAM_COLUMNS": str(tmp_path / "kept")}
        done = subprocess.run([sys.executable, file], capture_output=True, text=True, env=environment, check=True)
        return done.stdout.split(), sorted(p.name for p in (tmp_path / "kept").rglob("*grow*.nb[ic]"))

    first, kept = grown(2)
    again, still = grown(2)
    other, more = grown(3)
    assert first == again == ["2"] * 3 and other == ["3"] * 3
    assert kept == still and len(kept) < len(more)


def test_import_is_light():
    code = "import ethogram.columns, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numba", "torch", "polars", "pyarrow", "scipy"} & set(loaded)


LINEAR = """
import sys
import numpy as np
from numba import njit
from ethogram.worlds.coded.wealth import Wealth
world = Wealth(10)
world.reset(seed=1)
world.step({})
print("scipy.linalg" in sys.modules)
matrix = np.array([[2.0, 1.0], [1.0, 3.0]])
print(np.allclose(njit(lambda a: a @ np.linalg.inv(a))(matrix), np.eye(2)))
"""


def test_a_first_step_looks_for_no_linear_algebra_and_leaves_it_working():
    done = subprocess.run([sys.executable, "-c", LINEAR], capture_output=True, text=True, check=True).stdout.split()
    assert done == ["False", "True"]


def test_memory_is_stated_and_refused():
    n = 100
    ties = erdos_renyi(n, 0.1, rng=1)
    parts = Epidemic(n, contacts=ties).memory()
    assert parts["columns"] == parts["a checkpoint"] == n
    assert parts["networks"] == 8 * (n + 1) + 4 * len(ties.indices)
    assert parts["counts"] == 16 + 4 * n
    assert Wealth(n).memory()["amounts on their way"] == 4 * n
    there = free()
    assert there is None or there > 10**7
    with pytest.raises(ConfigError, match=r"Wealth needs 4\.\d GB of memory \(columns 1.* but 1\.0 GB are free"):
        refuse("Wealth", {"columns": 1_500_000_000, "a checkpoint": 3_000_000_000, "networks": 10**12}, 10**9)


def test_events_must_go_on():
    class Stuck(Columns):
        due = column("float64", 0.5)

        @turn(order="events", time="due")
        def ring(row, due, now):
            due[row] = now

    w = Stuck(3)
    w.reset(seed=1)
    with pytest.raises(ConfigError, match="row 0 set its time to one that is not after now"):
        w.step({})


def build(**body):
    return type("Model", (Columns,), {"__module__": __name__, "x": column("int8"), **body})


CLASSES = [
    (lambda: build(r=each("x")(lambda y: 1)), "asks for 'y', which is not there"),
    (lambda: build(r=each("y")(lambda x: 1)), "writes 'y', which is no column"),
    (lambda: build(r=each("x", "x")(lambda x: (1, 1))), "writes column 'x' twice"),
    (lambda: build(r=each()(lambda x: 1)), "names no column that it writes"),
    (lambda: build(r=each("x")(lambda x=1: 1)), "argument 'x' must be plain"),
    (lambda: build(c=count("near", of=lambda x: True)), "'near' is no neighbourhood"),
    (lambda: build(m=mixing(2), c=total("m", of=lambda weight: weight)), "only ties of a network have a weight"),
    (lambda: build(m=mixing("k")), "names no whole-number parameter"),
    (lambda: build(m=mixing(0)), "at least one other row"),
    (lambda: build(a=grid(), b=grid()), "two grids"),
    (lambda: build(t=tally("y", ("a",))), "names no whole-number column"),
    (lambda: build(t=tally("x", ("a",)), a=observe(lambda self: 1.0)), "under the same name twice"),
    (lambda: build(u=column("int8")), "has a meaning of its own"),
    (lambda: build(agents=column("int8")), "is a part of every world"),
    (lambda: build(their_x=column("int8")), "would mean a neighbour's 'x'"),
    (lambda: build(y=column("complex64")), "whole, real or truth numbers"),
    (lambda: build(y=column("nonsense")), "not a type of numbers"),
    (lambda: build(r=transfer("x", to="nobody")(lambda x: 1)), "neither 'anyone' nor"),
    (lambda: build(r=turn(order="sideways")(lambda row: 1)), "the orders are"),
    (lambda: build(r=turn(order="events")(lambda row: 1)), "needs the column of times"),
    (lambda: build(r=turn(order="events", time="x")(lambda row: 1)), "must be a float column"),
    (lambda: build(l=levers(nothing=(0, 1))), "must be a number parameter"),
    (lambda: build(g=grid())(10), "make no square grid"),
    (lambda: build(g=grid())((2, 9)), "at least 3 lines"),
    (lambda: build()(0), "must be a number of rows from 1"),
    (lambda: build()(5, y=1), "has no parameter 'y'"),
    (lambda: build()(5, panel=6), "panel is 6"),
    (lambda: build(net=network())(5), "needs the network 'net'"),
    (lambda: build(net=network())(5, net=3), "must be a Network, not int"),
    (lambda: build(net=network())(5, net=erdos_renyi(4, 0.5, rng=1)), "has 4 nodes, but there are 5 rows"),
    (
        lambda: build(net=network(), c=total("net", of=lambda weight: weight))(5, net=erdos_renyi(5, 0.5, rng=1)),
        "'net' has no weights",
    ),
    (lambda: Epidemic(100, beta="much"), "'beta' must be a number, not 'much'"),
    (lambda: Epidemic(100, beta=[1.0]), "'beta' must be a number"),
    (lambda: Columns(5), "write a class"),
]


@pytest.mark.parametrize(("make", "words"), CLASSES, ids=[words for _, words in CLASSES])
def test_what_does_not_fit_together_is_refused_in_a_sentence(make, words):
    with pytest.raises(ConfigError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_rules_that_use_what_they_cannot_are_refused():
    table = {"a": 1}
    model = build(r=each("x")(lambda x: table["a"]))
    with pytest.raises(ConfigError, match="uses 'table', a dict"):
        model(5)
    with pytest.raises(ConfigError, match="reset the world first"):
        _ = build()(5).x


RULES = [
    (lambda x: x + 0.5, "returns real numbers for a column of whole ones"),
    (lambda x: (x, x), "returns UniTuple.*where a number is wanted"),
    (lambda x: x.size, r"Unknown attribute 'size' of type int8 \(in 'return x.size'\)"),
]


@pytest.mark.parametrize(("rule", "words"), RULES, ids=["real", "tuple", "attribute"])
def test_rules_that_cannot_be_compiled_are_refused_in_a_sentence(rule, words):
    w = build(r=each("x")(rule))(5)
    w.reset(seed=1)
    with pytest.raises(ConfigError, match=f"a rule of r cannot be compiled: .*{words}") as caught:
        w.step({})
    assert "\n" not in str(caught.value)


def test_names_of_the_loops_own_are_free():
    class Shadow(Columns):
        marks = column("int32", 1)
        result = column("int32")
        amount: int = 3
        at: int = 1
        slots = network()
        found = count("slots", of=lambda their_marks, at: their_marks == at)

        @each("result")
        def stream(found, amount):
            return found * amount

        @transfer("marks", to="slots")
        def unit(marks, amount):
            return marks * amount

    w = Shadow(3, slots=Network.from_edges([0], [1], 3))
    w.reset(seed=1)
    w.step({})
    assert w.result.tolist() == [3, 3, 0] and w.marks.tolist() == [1, 1, 1] and w.found.tolist() == [1, 1, 0]


def test_whole_methods_have_a_generator_of_their_own():
    class Drawn(Columns):
        x = column("float64")

        @whole
        def draw(self, rng):
            self.x = rng.random(self.n)

    w = Drawn(5)
    w.reset(seed=1)
    drawn = []
    for _ in range(2):
        w.step({})
        drawn.append(w.x.tolist())
    w.reset(seed=1)
    w.step({})
    assert w.x.tolist() == drawn[0] != drawn[1]


def test_networks_may_have_rows_without_ties():
    w = Epidemic(5, contacts=Network.from_edges([], [], 5), seeds=0.2, beta=1.0, gamma=0.0)
    w.reset(seed=1)
    w.step({})
    assert w.tallies["infected"] == 1
