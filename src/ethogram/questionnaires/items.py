"""Items: what a questionnaire asks, what an answer to it may be, and the number or text that stands for it in a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator, model_validator
from typing_extensions import override

__all__ = ["Allocation", "Choice", "Item", "Multiple", "Number", "Open", "Scale"]

NAME = r"[a-z][a-z0-9_]*"
"""What items, arms, blocks and scores may be called: they become columns, and verbs."""
MOST = 200
"""The most options of an item."""
WORDS = 2000
"""The most characters of an answer in a respondent's own words."""

Name = Annotated[str, Field(pattern=f"^{NAME}$", max_length=60)]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Label = Annotated[str, Field(min_length=1, max_length=200)]
Options = Annotated[list[Label], Field(min_length=2, max_length=MOST)]


class _Item(BaseModel):
    """What all items have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: Name
    text: Text
    """The question; `{arm}` and `{item}` stand for a level of an arm and for an earlier answer."""
    shown_if: str | None = Field(default=None, alias="if")
    """A condition on arms and earlier answers, such as `owns_car == "yes" and trips > 3`."""

    def __reduce__(self) -> Any:
        """Pickled as its values: the class of its verb is made anew."""
        return type(self).model_validate, (self.model_dump(by_alias=True),)

    def answer_type(self) -> Any:
        """The type of an answer, with its bounds, as pydantic has it."""
        raise NotImplementedError

    def column(self, answer: Any) -> dict[str, Any]:
        """What stands for an answer, as a JSON value, in a table, by column; None where there is no answer."""
        return {self.name: answer}

    def fault(self, answer: Any) -> str:
        """What is wrong with an answer, as a JSON value, of the right type; empty where nothing is."""
        return ""

    @cached_property
    def verb(self) -> type[BaseModel]:
        """The verb by which the item is answered: it is called as the item, and has the field `answer`."""
        return create_model(
            self.name,
            __config__=ConfigDict(frozen=True, extra="forbid"),
            __doc__="Answer the question.",
            answer=(self.answer_type(), Field(description=self.hint())),
        )

    def hint(self) -> str:
        """What an answer looks like, in a few words."""
        return "your answer"

    def points(self) -> list[str]:
        """The points of a scale as a respondent sees them; empty for other items."""
        return []


def _different(options: Sequence[str]) -> Sequence[str]:
    if len({option.casefold() for option in options}) < len(options):
        raise ValueError("two options are alike")
    return options


class _Listed(_Item):
    """An item with options."""

    options: Options
    shuffled: bool = False
    """Whether each respondent sees the options in an order of its own."""
    last: int = Field(default=0, ge=0)
    """So many options at the end stay there (as `other` and `don't know` do)."""

    @field_validator("options")
    @classmethod
    def _check(cls, options: list[str]) -> list[str]:
        return list(_different(options))


class Choice(_Listed):
    """One of several options. Its code in a table is the option's place, from 1."""

    type: Literal["choice"] = "choice"
    codes: list[float] | None = None
    """Numbers that stand for the options, in place of 1, 2, 3 …"""

    @model_validator(mode="after")
    def _coded(self) -> Choice:
        if self.codes is not None and len(self.codes) != len(self.options):
            raise ValueError(f"there are {len(self.options)} options and {len(self.codes)} codes")
        return self

    @override
    def answer_type(self) -> Any:
        return Literal[tuple(self.options)]

    @override
    def column(self, answer: str | None) -> dict[str, Any]:
        if answer is None:
            return {self.name: None}
        place = self.options.index(answer)
        return {self.name: float(place + 1) if self.codes is None else self.codes[place]}

    @override
    def hint(self) -> str:
        return "one of the options"


class Multiple(_Listed):
    """Any of several options; a table has a column of 0 and 1 for each, `item_1`, `item_2` …"""

    type: Literal["multiple"] = "multiple"
    least: int = Field(default=0, ge=0)
    most: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _bounds(self) -> Multiple:
        if self.least > (self.most or len(self.options)):
            raise ValueError("fewer options may be chosen than must be")
        return self

    @override
    def fault(self, answer: Sequence[str]) -> str:
        return "an option is named twice" if len(set(answer)) < len(answer) else ""

    @override
    def answer_type(self) -> Any:
        most = min(self.most or len(self.options), len(self.options))
        return Annotated[list[Literal[tuple(self.options)]], Field(min_length=self.least, max_length=most)]

    @override
    def column(self, answer: Sequence[str] | None) -> dict[str, Any]:
        return {
            f"{self.name}_{place}": None if answer is None else float(option in answer)
            for place, option in enumerate(self.options, 1)
        }

    @override
    def hint(self) -> str:
        return "a list of the options that apply"


class Scale(_Item):
    """A whole number from `low` to `high`, whose ends (or any numbers) have labels."""

    type: Literal["scale"] = "scale"
    low: int = 1
    high: int = 7
    labels: dict[int, Label] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _bounds(self) -> Scale:
        if not 0 < self.high - self.low < MOST:
            raise ValueError(f"a scale from {self.low} to {self.high} has too few or too many points")
        if outside := [point for point in self.labels if not self.low <= point <= self.high]:
            raise ValueError(f"the label of {outside[0]} is outside of {self.low} to {self.high}")
        return self

    @override
    def answer_type(self) -> Any:
        return Annotated[int, Field(ge=self.low, le=self.high)]

    @override
    def column(self, answer: int | None) -> dict[str, Any]:
        return {self.name: None if answer is None else float(answer)}

    @override
    def points(self) -> list[str]:
        """Each as a respondent sees it: `1 (never)`, `2`, …"""
        return [f"{p} ({self.labels[p]})" if p in self.labels else str(p) for p in range(self.low, self.high + 1)]

    @override
    def hint(self) -> str:
        return "from " + " to ".join((self.points()[0], self.points()[-1]))


class Number(_Item):
    """A number, whole where `whole`."""

    type: Literal["number"] = "number"
    low: float | None = None
    high: float | None = None
    whole: bool = False
    unit: str = Field(default="", max_length=40)

    @model_validator(mode="after")
    def _bounds(self) -> Number:
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"there is no number between {self.low:g} and {self.high:g}")
        return self

    @override
    def answer_type(self) -> Any:
        if not self.whole:
            return Annotated[float, Field(ge=self.low, le=self.high)]
        low, high = (None if b is None else r(b) for b, r in ((self.low, math.ceil), (self.high, math.floor)))
        return Annotated[int, Field(ge=low, le=high)]

    @override
    def column(self, answer: float | None) -> dict[str, Any]:
        return {self.name: None if answer is None else float(answer)}

    @override
    def hint(self) -> str:
        low, high = ("" if b is None else f"{b:g}" for b in (self.low, self.high))
        bounds = f"from {low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}" if high else ""
        return " ".join(
            ["a whole number" if self.whole else "a number", bounds, f"in {self.unit}" if self.unit else ""]
        ).strip()


class Allocation(_Listed):
    """A total shared out among options, in whole numbers; a table has a column for each, `item_1`, `item_2` …"""

    type: Literal["allocation"] = "allocation"
    total: int = Field(default=100, ge=1, le=1_000_000)

    @override
    def answer_type(self) -> Any:
        shares: dict[str, Any] = {
            name: (Annotated[int, Field(ge=0, le=self.total)], Field(description=option))
            for name, option in zip(self._fields(), self.options, strict=True)
        }
        return create_model("Shares", __config__=ConfigDict(frozen=True, extra="forbid"), **shares)

    @override
    def fault(self, answer: Mapping[str, int]) -> str:
        given = sum(answer.values())
        return "" if given == self.total else f"the shares sum to {given}, and must sum to {self.total}"

    @override
    def column(self, answer: Mapping[str, int] | None) -> dict[str, Any]:
        return {
            f"{self.name}_{place}": None if answer is None else float(answer[name])
            for place, name in enumerate(self._fields(), 1)
        }

    def _fields(self) -> list[str]:
        return [f"option_{place}" for place in range(1, len(self.options) + 1)]

    @override
    def hint(self) -> str:
        return f"how much of {self.total} goes to each option; together exactly {self.total}"


class Open(_Item):
    """An answer in the respondent's own words."""

    type: Literal["open"] = "open"
    longest: int = Field(default=500, ge=1, le=WORDS)

    @override
    def answer_type(self) -> Any:
        return Annotated[str, Field(min_length=1, max_length=self.longest)]

    @override
    def hint(self) -> str:
        return f"your answer in words, at most {self.longest} characters"


Item: TypeAlias = Annotated[Choice | Multiple | Scale | Number | Allocation | Open, Field(discriminator="type")]
"""Any item; in a file `type` says which."""
