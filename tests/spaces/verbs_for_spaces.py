"""Verbs that the tests of spaces share: random ones, and a fixed set with one field of each kind."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Annotated, Any, Literal

from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, create_model

from ethogram.spaces import Typed, Verbs


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Gift(Frozen):
    """A gift."""

    item: Literal["book", "hat"]
    price: int = Field(ge=0, le=9, description="in coins")


class Loss(Frozen):
    item: Literal["dog"]
    name: str = "Rex"


class Wait(Frozen):
    """Do nothing."""


class Say(Frozen):
    """Say something to someone nearby.

    This paragraph is for programmers.
    """

    to: str = Field(max_length=40, description="whom to talk to")
    text: str = Field(min_length=1, max_length=200, description="what to say")


class GiveMoney(Frozen):
    """Give coins to someone."""

    to: str = Field(max_length=40)
    coins: int = Field(ge=1, le=5)
    colour: Colour = Colour.RED


class Everything(Frozen):
    """Has a field of each kind."""

    whole: int
    small: int = Field(gt=-3, lt=3)
    even: int = Field(ge=-10, le=10, multiple_of=2)
    ratio: float = Field(ge=0, lt=1)
    tenth: float = Field(ge=0, le=1, multiple_of=0.1)
    free: float
    yes: bool
    word: Literal["a", 1, None, True]
    colour: Colour
    level: Level
    text: str
    code: str = Field(pattern="^[a-z]{2}[0-9]$", examples=["ab1", "zz9"])
    money: Decimal = Field(ge=0, max_digits=6, decimal_places=2)
    amount: Decimal
    maybe: int | None = None
    either: int | str | list[int]
    pair: tuple[int, Colour]
    several: tuple[Colour, ...] = Field(max_length=3)
    grid: list[Annotated[list[bool], Field(max_length=2)]] = Field(min_length=1, max_length=2)
    gift: Gift
    event: Gift | Loss
    scores: dict[str, float]


ALL = Verbs(Wait, Say, GiveMoney, Everything)
TOWN = Verbs(Wait, Say, GiveMoney)

bounds = st.integers(-1000, 1000)


@st.composite
def whole(draw: st.DrawFn) -> Any:
    low, high = sorted((draw(bounds), draw(bounds)))
    step = draw(st.sampled_from([None, None, 2, 7]))
    high = max(high, low + (step or 0) + 1)
    return Annotated[int, Field(**draw(limits(low, high)), multiple_of=step)]


@st.composite
def limits(draw: st.DrawFn, low: Any, high: Any) -> dict[str, Any]:
    """Keywords for some of the bounds low and high, open or closed."""
    chosen: dict[str, Any] = {}
    if draw(st.booleans()):
        chosen[draw(st.sampled_from(["ge", "gt"]))] = low - 1
    if draw(st.booleans()):
        chosen[draw(st.sampled_from(["le", "lt"]))] = high + 1
    return chosen


@st.composite
def real(draw: st.DrawFn) -> Any:
    low, high = sorted(draw(st.tuples(*[st.floats(-1e6, 1e6)] * 2)))
    return Annotated[float, Field(**draw(limits(low, high)), multiple_of=draw(st.sampled_from([None, None, 0.1, 0.25])))]


@st.composite
def decimal(draw: st.DrawFn) -> Any:
    low, high = sorted(draw(st.tuples(*[st.integers(-50, 50)] * 2)))
    places = draw(st.sampled_from([None, 0, 1, 3]))
    digits = draw(st.sampled_from([None, 6, 10]))
    return Annotated[Decimal, Field(**draw(limits(Decimal(low), Decimal(high))), decimal_places=places, max_digits=digits)]


@st.composite
def text(draw: st.DrawFn) -> Any:
    low = draw(st.integers(0, 5))
    high = draw(st.one_of(st.none(), st.integers(low, low + 30)))
    return Annotated[str, Field(min_length=low or None, max_length=high)]


plain = st.one_of(
    whole(),
    real(),
    text(),
    st.just(bool),
    st.just(Level),
    st.lists(st.sampled_from(["a", "b", "é", 1, 2, True, None, ""]), min_size=1, max_size=4).map(
        lambda xs: Literal[tuple(xs)]  # type: ignore[valid-type]
    ),
)
exotic = st.one_of(decimal(), st.just(Colour), st.sampled_from([Gift, Loss, Gift | Loss, tuple[int, Colour]]))


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    few = st.tuples(st.integers(0, 2), st.one_of(st.none(), st.integers(2, 5)))
    sized = st.tuples(inner, st.booleans(), few)
    return st.one_of(
        sized.map(
            lambda t: Annotated[
                list[t[0]] if t[1] else tuple[t[0], ...],  # type: ignore[valid-type]
                Field(min_length=t[2][0] or None, max_length=t[2][1]),
            ]
        ),
        inner.map(lambda t: t | None),
        inner.map(lambda t: dict[str, t]),  # type: ignore[valid-type]
        st.tuples(inner, inner).map(lambda ts: tuple[ts[0], ts[1]]),  # type: ignore[valid-type]
    )


annotations = st.recursive(
    st.one_of(plain, exotic, st.lists(plain, min_size=2, max_size=3).map(lambda ts: ts[0] | ts[1])),
    nested,
    max_leaves=4,
)
names = st.sampled_from(["to", "text", "n", "items", "where", "model", "x1", "ünder"])


@st.composite
def models(draw: st.DrawFn, name: str = "Act") -> type[BaseModel]:
    fields = draw(st.dictionaries(names, annotations, max_size=4))
    return create_model(name, __base__=Frozen, **{n: (a, ...) for n, a in fields.items()})  # type: ignore[call-overload]


@st.composite
def verb_spaces(draw: st.DrawFn) -> Verbs:
    n = draw(st.integers(1, 3))
    return Verbs(*[draw(models(name)) for name in ["Act", "MoveOn", "HTTPCall"][:n]], seed=draw(st.integers(0, 2**32)))


@st.composite
def typed_spaces(draw: st.DrawFn) -> Typed[BaseModel]:
    return Typed(draw(models()), seed=draw(st.integers(0, 2**32)))
