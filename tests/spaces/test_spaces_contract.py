"""What a space says and refuses: construction, narrowing, enumeration, descriptions, gymnasium, speed."""

from __future__ import annotations

import copy
import datetime
import enum
import functools
import json
import pickle
import time
import timeit
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType, Union

import gymnasium
import numpy as np
import pytest
from annotated_types import Interval, Len
from gymnasium.utils.env_checker import check_env
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate
from pettingzoo import ParallelEnv
from pettingzoo.test import parallel_api_test
from pydantic import AfterValidator, BaseModel, Field, PositiveInt, RootModel, StringConstraints, create_model
from verbs_for_spaces import ALL, TOWN, Colour, Everything, Frozen, Gift, GiveMoney, Level, Say, Wait

from ethogram.errors import ConfigError, VerbError
from ethogram.spaces import ITEMS, TEXT, Typed, Verbs, verb_name


def act(**fields: Any) -> type[BaseModel]:
    """A model called Act whose fields have the given annotations, or (annotation, Field(...))."""
    return create_model("Act", **{n: f if isinstance(f, tuple) else (f, ...) for n, f in fields.items()})  # type: ignore[call-overload]


# construction


class Loop(BaseModel):
    next: Loop | None = None


class Open(BaseModel, extra="allow"):
    pass


class Odd(enum.Enum):
    A = (1, 2)


class Empty(enum.Enum):
    pass


class Blue(Frozen):
    item: str


UNSUPPORTED: list[tuple[Any, str]] = [
    (datetime.datetime, "Act.x: the type datetime is not supported"),
    (Any, "Act.x: the type Any is not supported"),
    (object, "Act.x: the type object is not supported"),
    (bytes, "Act.x: the type bytes is not supported"),
    (set[int], "Act.x: the type set"),
    (list, "Act.x: the type list is not supported"),
    (dict[int, str], "Act.x: the keys of a dict must be str"),
    (list[dict[str, set[int]]], "Act.x: the type set"),
    (Loop, "Act.x: Loop.next: Loop contains itself"),
    (Open, "Act.x: Open may hold any fields"),
    (RootModel[int], "may hold any fields"),
    (Odd, r"Act.x: the value <Odd.A: \(1, 2\)> is neither"),
    (Empty, "Act.x: the Enum has no members"),
    (Literal[Colour.RED], "Act.x: a Literal of Enum members"),
    (Literal[b"x"], "Act.x: the value b'x' is neither"),
    ((str, Field(pattern="^a+$")), r"Act.x: text with the pattern '\^a\+\$' cannot be sampled"),
    ((str, Field(pattern="a", examples=["a"])), r"Act.x: the pattern 'a' must begin with \^"),
    ((str, Field(pattern="^a$", examples=["b"])), "Act.x: the example 'b' does not fit"),
    ((str, Field(min_length=3, max_length=2)), "Act.x: it must have at least 3"),
    ((list[int], Field(min_length=3, max_length=2)), "Act.x: it must have at least 3"),
    ((int, Field(gt=1, lt=2)), "Act.x: no number lies within"),
    ((float, Field(gt=1, lt=1)), "Act.x: no number lies within"),
    ((int, Field(ge=1, le=6, multiple_of=7)), "Act.x: no number lies within"),
    ((int, 1.5), "Act.x: the default 1.5 is not a whole number"),
    ((str, None), "Act.x: the default None is not text"),
    ((str, "x" * 501), "Act.x: the default .* is not text of at most 500"),
    ((int, Field(exclude=True)), "Act.x: exclude=True"),
    (str | Decimal, "Act.x: JSON does not tell"),
    (int | Decimal, "Act.x: JSON does not tell"),
    (str | Colour, "Act.x: JSON does not tell"),
    (list[int] | tuple[int, int], "Act.x: JSON does not tell"),
    (Gift | Blue, "Act.x: JSON does not tell"),
    (Gift | dict[str, int], "Act.x: JSON does not tell"),
]


@pytest.mark.parametrize(("field", "message"), UNSUPPORTED, ids=[str(f)[:40] for f, _ in UNSUPPORTED])
@pytest.mark.parametrize("kind", [Verbs, Typed])
def test_an_unsupported_field_is_named(field: Any, message: str, kind: Any) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        kind(act(x=field))
    assert "\n" not in str(error.value)


def test_spaces_that_make_no_sense() -> None:
    for wrong, message in {
        Verbs: "at least one verb",
        lambda: Verbs(Say, Say): "same name",
        lambda: Verbs(Say, create_model("say")): "same name",
        lambda: Verbs(act(verb=int)): "Act.verb: this key is taken",
        lambda: Verbs(int): "not a pydantic model",  # type: ignore[arg-type]
        lambda: Verbs(Wait()): "not a pydantic model",  # type: ignore[arg-type]
        lambda: Typed(3): "not a pydantic model",  # type: ignore[arg-type]
    }.items():
        with pytest.raises(ConfigError, match=message):
            wrong()
    assert Typed(act(verb=int), seed=0).sample(), "without a tag the key is free"


def test_constraints_in_all_their_spellings() -> None:
    Coins = NewType("Coins", int)
    space = Typed(
        act(
            a=Annotated[int, Interval(ge=0, lt=3)],
            b=Annotated[list[int], Len(2, 2)],
            c=PositiveInt,
            d=Annotated[str, StringConstraints(min_length=2, max_length=2)],
            e=Annotated[Annotated[int, Field(ge=0, le=9)], Field(le=1)],
            f=Coins,
            g=Annotated[int, Field(ge=0), AfterValidator(lambda n: n)] | None,
            h=(float, Field(ge=-np.inf, le=Decimal(1))),
            i=(Decimal, Field(gt=Decimal("0.001"), lt=Decimal("0.002"))),
            j=(str, Field(min_length=600)),
        ),
        seed=1,
    )
    x: Any = [space.sample() for _ in range(50)]
    assert {v.a for v in x} == {0, 1, 2} and {v.e for v in x} == {0, 1}
    assert all(len(v.b) == 2 and v.c > 0 and len(v.d) == 2 and v.h <= 1 for v in x)
    assert all(Decimal("0.001") < v.i < Decimal("0.002") and len(v.j) >= 600 for v in x)
    assert all(space.load(space.dump(v)) == v and v in space for v in x)
    assert space.schema() == json.loads(json.dumps(space.schema()))


def test_names() -> None:
    names = {
        "Say": "say",
        "GiveMoney": "give_money",
        "HTTPCall": "http_call",
        "Go2Bed": "go2_bed",
        "A": "a",
        "wait_on": "wait_on",
    }
    for name, want in names.items():
        assert verb_name(create_model(name)) == want


# membership


def test_membership() -> None:
    class Loud(Say):
        volume: int = 1

    assert Say(to="a", text="b") in TOWN
    for x in [Gift(item="hat", price=1), Loud(to="a", text="b"), {"verb": "wait"}, "wait", None, 3, Say, Wait]:
        assert x not in TOWN
    assert Say(to="a", text="b") not in TOWN.only(Wait)


def test_membership_looks_at_values_that_were_never_validated() -> None:
    good = {"to": "a", "text": "b"}
    assert Say.model_construct(**good) in TOWN
    for change in [{"to": "x" * 41}, {"to": 3}, {"text": ""}, {"to": None}, {"to": "\ud800"}, {"to": b"a"}]:
        assert Say.model_construct(**{**good, **change}) not in TOWN
    assert Say.model_construct(to="a") not in TOWN

    class Mood(BaseModel):
        level: int = Field(ge=0, le=9)
        gift: Gift

    mood = Mood(level=1, gift=Gift(item="hat", price=1))
    space = Typed(Mood)
    assert mood in space
    mood.level = 10
    assert mood not in space
    mood.level = 9
    mood.gift = Gift.model_construct(item="hat", price=99)
    assert mood not in space


def test_bounds_where_a_field_gives_none() -> None:
    """The rule in the class's docstring, on both sides of each bound."""
    Act: Any = act(
        s=(str, ""), xs=(list[int], []), d=(dict[str, int], {}), n=(int, 0), f=(float, 0.0), m=(Decimal, Decimal(0))
    )
    space = Typed(Act)
    for field, inside, outside in [
        ("s", "x" * TEXT, "x" * (TEXT + 1)),
        ("xs", [0] * ITEMS, [0] * (ITEMS + 1)),
        ("d", dict.fromkeys(map(str, range(ITEMS)), 0), dict.fromkeys(map(str, range(ITEMS + 1)), 0)),
        ("n", 2**53 - 1, 2**53),
        ("n", -(2**53) + 1, -(2**53)),
        ("f", 1.7e308, float("inf")),
        ("f", 0.0, float("nan")),
        ("m", Decimal("9" * 20 + "." + "9" * 12), Decimal("9" * 21)),
        ("m", Decimal("0.5"), Decimal("1E+3")),
        ("m", Decimal("-1"), Decimal("NaN")),
    ]:
        assert Act(**{field: inside}) in space
        assert space.load(space.dump(Act(**{field: inside}))) == Act(**{field: inside})
        assert Act.model_construct(**{field: outside}) not in space
    assert Typed(act(n=(int, Field(ge=2**60, le=2**62)))).load({"n": 2**61}), "given bounds may lie beyond"
    with pytest.raises(ConfigError, match=r"a missing one is 2\^53"):
        Typed(act(n=(int, Field(ge=2**60))))
    low = Typed(act(n=(int, Field(le=-(2**53) + 3))), seed=0)
    assert {low.sample().n for _ in range(50)} == {-(2**53) + 1, -(2**53) + 2, -(2**53) + 3}  # type: ignore[attr-defined]


def test_an_int_will_do_for_a_float() -> None:
    """As pydantic does not convert defaults, `x: float = 0` holds an int."""
    Act: Any = act(x=(float, 0), y=(float | Level, 0.5))
    space = Typed(Act, seed=0)
    for x in (Act(), Act.model_construct(x=2, y=7)):
        assert x in space and space.load(json.loads(json.dumps(space.dump(x)))) == x


def test_attributes_that_are_no_fields_do_no_harm() -> None:
    class Cached(BaseModel):
        n: int

        @functools.cached_property
        def square(self) -> int:
            return self.n**2

    x = Cached(n=3)
    assert x.square == 9 and x in Typed(Cached) and Typed(Cached).dump(x) == {"n": 3}


def test_unknown_fields_are_refused_even_where_a_model_ignores_them() -> None:
    class Part(BaseModel):
        n: int

    class Whole(BaseModel):
        part: Part

    space = Verbs(Whole)
    assert space.load({"part": {"n": 1}}) == Whole(part=Part(n=1))
    with pytest.raises(VerbError, match='there is no field "q"; the fields are: part'):
        space.load({"part": {"n": 1}, "q": 1})
    with pytest.raises(VerbError, match=r"part\.q is not a field"):
        space.load({"part": {"n": 1, "q": 1}})


def test_aliases_are_not_spoken() -> None:
    Act: Any = act(x=(int, Field(alias="y")))
    space = Typed(Act, seed=0)
    x = Act(y=3)
    assert space.dump(x) == {"x": 3} and space.load({"x": 3}) == x and x in space and space.sample() in space
    with pytest.raises(VerbError, match='no field "y"'):
        space.load({"y": 3})


# parts


def test_only() -> None:
    part = TOWN.only(GiveMoney, Wait)
    assert part.verbs == (GiveMoney, Wait)
    assert repr(part) == "Verbs(GiveMoney, Wait)"
    assert json.dumps(part.schema()).count('"const"') == 2
    with pytest.raises(ConfigError, match="is not a verb of"):
        part.only(Say)
    with pytest.raises(ConfigError, match="at least one"):
        part.only()


def test_where_narrows_every_view() -> None:
    space = Verbs(Wait, Say, GiveMoney, seed=5).where(GiveMoney, to=["Ann", "Bob"], coins=[1, 3]).only(Wait, GiveMoney)
    money = GiveMoney(to="Bob", coins=3)
    assert repr(space) == 'Verbs(Wait, GiveMoney.where(to=["Ann", "Bob"], coins=[1, 3]))'
    assert money in space and GiveMoney(to="Eve", coins=3) not in space and GiveMoney(to="Bob", coins=2) not in space
    assert {(x.to, x.coins) for x in (space.sample() for _ in range(99)) if isinstance(x, GiveMoney)} == {
        (to, coins) for to in ("Ann", "Bob") for coins in (1, 3)
    }
    fields = space.schema()["anyOf"][1]["properties"]
    assert fields["to"] == {"type": "string", "enum": ["Ann", "Bob"]} and fields["coins"] == {"enum": [1, 3]}
    assert '  to: one of "Ann", "Bob"\n  coins: one of 1, 3\n' in space.describe()
    assert len(space.options()) == 1 + 2 * 2 * 2 and space.options()[0] == Wait()
    with pytest.raises(VerbError, match='to must be one of "Ann", "Bob", not "Eve"'):
        space.load({"verb": "give_money", "to": "Eve", "coins": 3})


def test_where_leaves_the_original_alone() -> None:
    before = json.dumps(TOWN.schema())
    TOWN.where(Say, to=["Ann"]).schema()
    assert json.dumps(TOWN.schema()) == before and Say(to="Eve", text="x") in TOWN


def test_where_twice_leaves_what_both_allow() -> None:
    space = TOWN.where(Say, to=["Ann", "Bob"]).where(Say, to=["Bob", "Eve"])
    assert space == TOWN.where(Say, to=["Bob"])
    assert repr(space) == 'Verbs(Wait, Say.where(to=["Bob"]), GiveMoney)'
    with pytest.raises(ConfigError, match="earlier where"):
        space.where(Say, to=["Ann"])


def test_where_on_lists_narrows_items() -> None:
    Act: Any = act(
        a=list[str], b=tuple[str, ...], c=(Annotated[list[str], Field(max_length=2)] | None, None), d=list[list[str]]
    )
    space = Verbs(Act, seed=0).where(Act, a=["x"], b=["x", "y"], c=["z"], d=["w"])
    x: Any = [space.sample() for _ in range(50)]
    assert {i for v in x for i in v.a} == {"x"} and {i for v in x for i in v.b} == {"x", "y"}
    assert {i for v in x for i in v.c or ()} == {"z"} and None in [v.c for v in x]
    assert {j for v in x for i in v.d for j in i} == {"w"}
    good = {"verb": "act", "a": [], "b": ["y"], "c": ["z"], "d": []}
    assert space.load(good) == Act(a=[], b=("y",), c=["z"], d=[])
    with pytest.raises(VerbError, match=r'a\[0\] must be "x", not "q"'):
        space.load({**good, "a": ["q"]})
    with pytest.raises(VerbError, match="c must be a list"):
        space.load({**good, "c": ["q"]})


def test_where_with_python_values() -> None:
    space = ALL.where(
        Everything,
        colour=[Colour.GREEN],
        level=[Level.HIGH],
        maybe=[None, 3],
        money=[Decimal("1.5")],
        gift=[Gift(item="hat", price=1)],
    )
    space.seed(2)
    x: Any = space.only(Everything).sample()
    assert (x.colour, x.money, x.gift) == (Colour.GREEN, Decimal("1.5"), Gift(item="hat", price=1))
    assert x in space and space.load(space.dump(x)) == x


def test_where_makes_a_default_that_is_not_allowed_required() -> None:
    space = Verbs(GiveMoney)
    assert "colour" not in space.schema()["required"]
    assert "colour" not in space.where(GiveMoney, colour=[Colour.RED]).schema()["required"]
    green = space.where(GiveMoney, colour=[Colour.GREEN])
    assert "colour" in green.schema()["required"] and "default" not in green.schema()["properties"]["colour"]
    with pytest.raises(VerbError, match='colour must be "green"'):
        green.load({"to": "Ann", "coins": 1})


def test_where_refuses_nonsense() -> None:
    for wrong, message in {
        lambda: TOWN.where(Everything, text=["a"]): "not a verb",
        lambda: TOWN.where(Say, loud=[True]): "no field 'loud'; its fields: to, text",
        lambda: TOWN.where(Say, to=[]): "needs a list of values; to forbid the verb use only",
        lambda: TOWN.where(Say, to="Ann"): "needs a list of values",
        lambda: TOWN.where(Say, to=["x" * 41]): "is not text of at most 40",
        lambda: TOWN.where(Say, to=["\ud800"]): "is not text of at most 40",
        lambda: TOWN.where(Say, to=[3]): "3 is not text",
        lambda: TOWN.where(GiveMoney, colour=["green"]): "'green' is not one of",
        lambda: ALL.where(Everything, code=["abc"]): "is not text of the form",
        lambda: ALL.where(Everything, level=[2]): r"2 is not one of <Level.LOW: 1>, <Level.HIGH: 2>",
        lambda: ALL.where(Everything, level=[True]): "True is not one of",
    }.items():
        with pytest.raises(ConfigError, match=message):
            wrong()


def test_parts_share_the_random_numbers_of_the_whole() -> None:
    a, b = Verbs(Wait, Say, seed=9), Verbs(Wait, Say, seed=9)
    assert [a.where(Say, to=["x"]).only(Say).sample() for _ in range(5)] == [
        b.where(Say, to=["x"]).only(Say).sample() for _ in range(5)
    ]
    unseeded = Verbs(Wait, Say)
    part = unseeded.where(Say, to=["x", "y"]).only(Say)
    unseeded.seed(3)
    first = part.sample()
    unseeded.seed(3)
    assert part.sample() == first, "seeding the whole seeds its parts"
    part.seed(4)
    state = unseeded.np_random.bit_generator.state
    part.sample()
    assert unseeded.np_random.bit_generator.state == state, "a part seeded itself draws its own"


# enumeration


def test_options_are_all_elements_in_order() -> None:
    Act: Any = act(n=(int, Field(ge=0, le=2)), b=bool, c=Colour, t=(float, Field(ge=0, le=0.3, multiple_of=0.1)))
    space = Verbs(Wait, Act)
    options = space.options()
    assert len(options) == 1 + 3 * 2 * 2 * 4 == len(set(map(repr, options)))
    assert all(x in space for x in options)
    assert [x.t for x in options[1:5]] == [0.0, 0.1, 0.2, 0.3]  # type: ignore[attr-defined]
    space.seed(0)
    assert {repr(space.sample()) for _ in range(2000)} == {repr(x) for x in options}


def test_options_of_lists_unions_and_decimals() -> None:
    Act: Any = act(
        xs=(list[bool], Field(min_length=1, max_length=2)),
        o=Union[Literal["a"], None],  # noqa: UP007
        d=(Decimal, Field(ge=0, lt=1, decimal_places=1)),
        p=tuple[bool, Literal[1]],
        e=(str, Field(max_length=0)),
    )
    space = Typed(Act)
    assert len(space.options(10_000)) == (2 + 4) * 2 * 10 * 2
    assert len({repr(x) for x in space.options(10_000)}) == 240


def test_options_say_why_not() -> None:
    for space, message in [
        (TOWN, r"Say.to is text of at most 40 characters; narrow it with where\(\)"),
        (Typed(act(f=float)), "Act.f is a number"),
        (Typed(act(f=int)), "Act.f is a whole number"),
        (Typed(act(k=dict[str, bool])), "Act.k is an object"),
        (Typed(act(n=(int, Field(ge=1, le=2000)))), "2000 elements, more than limit=1000"),
        (Typed(act(xs=(list[bool], Field(max_length=100_000)))), "more than 10.15 elements"),
    ]:
        with pytest.raises(ConfigError, match=message):
            space.options()
    assert len(Typed(act(n=(int, Field(ge=1, le=2000)))).options(limit=2000)) == 2000


# descriptions


def test_description() -> None:
    assert TOWN.describe().splitlines() == [
        '{"verb": "wait"} Do nothing.',
        '{"verb": "say", "to": ..., "text": ...} Say something to someone nearby.',
        "  to: text of at most 40 characters. whom to talk to",
        "  text: text of 1 to 200 characters. what to say",
        '{"verb": "give_money", "to": ..., "coins": ..., "colour": ...} Give coins to someone.',
        "  to: text of at most 40 characters",
        "  coins: a whole number from 1 to 5",
        '  colour: one of "red", "green" (default "red")',
    ]
    assert Typed(Say).describe().startswith('{"to": ..., "text": ...} Say something')
    assert 'price": a whole number from 0 to 9 (in coins)' in ALL.describe()


def test_schema_of_a_verb() -> None:
    assert Verbs(Say).schema() == {
        "type": "object",
        "description": "Say something to someone nearby.",
        "properties": {
            "verb": {"type": "string", "const": "say"},
            "to": {"type": "string", "maxLength": 40, "description": "whom to talk to"},
            "text": {"type": "string", "minLength": 1, "maxLength": 200, "description": "what to say"},
        },
        "required": ["verb", "to", "text"],
        "additionalProperties": False,
    }


# gymnasium


class Town(gymnasium.Env[Any, Any]):
    """An environment whose observations and actions are typed."""

    def __init__(self) -> None:
        self.action_space = Verbs(Wait, Say, GiveMoney)
        self.observation_space = gymnasium.spaces.Dict(
            {"heard": Typed(Say), "coins": gymnasium.spaces.Discrete(3), "can": gymnasium.spaces.Tuple([Typed(Gift)])}
        )

    def _look(self) -> Any:
        coins = np.int64(self.np_random.integers(3))
        return {"heard": Say(to="a", text="b"), "coins": coins, "can": (Gift(item="hat", price=1),)}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self._look(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert action in self.action_space
        return self._look(), 0.0, False, False, {}


# The checker compares observations by its own list of types, and says of any other that it does not know it.
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_gymnasium_checks_an_environment_with_such_spaces() -> None:
    check_env(Town(), skip_render_check=True)


def test_within_gymnasiums_own_spaces() -> None:
    space = gymnasium.spaces.Dict({"do": Verbs(Wait, Say), "n": gymnasium.spaces.Discrete(3)}, seed=1)
    x = space.sample()
    assert x in space and {**x, "do": GiveMoney(to="a", coins=1)} not in space
    batch = [space.sample() for _ in range(4)]
    assert space.from_jsonable(json.loads(json.dumps(space.to_jsonable(batch)))) == batch
    assert not space.is_np_flattenable and not TOWN.is_np_flattenable
    assert TOWN.shape is None and TOWN.dtype is None
    masked = space.sample(mask={"do": [1, 0], "n": None})
    assert masked["do"] == Wait()
    assert copy.deepcopy(space) == space


def test_in_vectors() -> None:
    batched = batch_space(Verbs(Wait, Say, seed=1), 3)
    xs = batched.sample()
    assert len(xs) == 3 and xs in batched
    single = Verbs(Wait, Say)
    assert tuple(concatenate(single, xs, create_empty_array(single, 3))) == xs
    assert list(iterate(batched, xs)) == list(xs)
    envs = gymnasium.vector.SyncVectorEnv([Town, Town])
    envs.reset(seed=3)
    assert len(envs.step(envs.action_space.sample())[0]["heard"]) == 2


class Square(ParallelEnv[str, Any, Any]):
    """Two people who talk until the third step."""

    metadata = {"name": "square"}

    def __init__(self) -> None:
        self.possible_agents = ["ann", "bob"]
        self.observation_spaces = {a: Typed(Say) for a in self.possible_agents}
        self.action_spaces = {a: Verbs(Wait, Say, GiveMoney) for a in self.possible_agents}

    def observation_space(self, agent: str) -> Any:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        return self.action_spaces[agent]

    def _each(self, value: Any) -> dict[str, Any]:
        return dict.fromkeys(self.agents, value)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.agents, self.time = list(self.possible_agents), 0
        return self._each(Say(to="all", text="hello")), {a: {} for a in self.agents}

    def step(self, actions: dict[str, Any]) -> Any:
        assert all(action in self.action_space(a) for a, action in actions.items())
        self.time += 1
        over = self.time == 3
        results = self._each(Say(to="all", text="yes")), self._each(0.0), self._each(False), self._each(over)
        infos: dict[str, Any] = {a: {} for a in self.agents}
        if over:
            self.agents = []
        return *results, infos


def test_pettingzoo_checks_a_world_with_such_spaces() -> None:
    parallel_api_test(Square(), num_cycles=50)


@pytest.mark.parametrize(
    "space", [TOWN, ALL, Typed(Everything), ALL.where(Everything, colour=[Colour.RED], gift=[Gift(item="hat", price=1)])]
)
def test_spaces_pickle_and_copy(space: Any) -> None:
    space.seed(11)
    space.schema()
    for twin in (copy.deepcopy(space), pickle.loads(pickle.dumps(space)), copy.copy(space)):
        assert twin == space and repr(twin) == repr(space) and twin.schema() == space.schema()
        assert twin.describe() == space.describe()
    twins = copy.deepcopy(space), pickle.loads(pickle.dumps(space))
    want = [space.sample() for _ in range(5)]
    for twin in twins:
        assert [twin.sample() for _ in range(5)] == want
        assert all(x in twin for x in want)


def test_masks_are_checked() -> None:
    for keywords in [
        {"mask": [1, 0]},
        {"mask": [0, 0, 0]},
        {"probability": [0.5, 0.1, 0.1]},
        {"probability": [1.5, -0.5, 0.0]},
        {"mask": [1, 1, 1], "probability": [1, 0, 0]},
    ]:
        with pytest.raises(ConfigError, match="sample"):
            TOWN.sample(**keywords)
    with pytest.raises(ConfigError, match="neither mask"):
        Typed(Say).sample(mask=[1])  # type: ignore[arg-type]


def test_a_model_whose_validators_reject_everything() -> None:
    def never(n: int) -> int:
        raise ValueError("never")

    with pytest.raises(ConfigError, match="rejects all of 100 random values"):
        Typed(act(n=Annotated[int, AfterValidator(never)]), seed=0).sample()


# speed


def microseconds(function: Callable[[], Any], number: int = 2000) -> float:
    """Processor time in the quickest of many rounds: what it costs, whatever else the machine does."""
    return min(timeit.repeat(function, timer=time.thread_time, number=number // 20, repeat=20)) / (number // 20) * 1e6


def test_speed() -> None:
    """The budget of one agent-step; the bounds are those of the design, the usual figures a third of them."""
    verb = Say(to="Ann", text="Good morning, how are you today? I was about to leave for the market.")
    text = json.dumps(TOWN.dump(verb))
    places = ["Ann", "Bob", "Eve", "Joe", "Zoe"]
    TOWN.schema()
    assert microseconds(lambda: TOWN.parse(text)) < 30
    assert microseconds(lambda: TOWN.dump(verb)) < 5
    assert microseconds(lambda: verb in TOWN) < 10
    assert microseconds(lambda: TOWN.where(Say, to=places)) < 20
    assert microseconds(TOWN.schema) < 1
    assert microseconds(lambda: TOWN.parse(f"Sure!\n```json\n{text}\n```")) < 60
