"""Scores: what several items measure together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ethogram.questionnaires.items import Choice, Name, Scale

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Score"]


class Score(BaseModel):
    """The mean or sum of items, some of them reversed.

    A reversed item counts as lowest + highest code - its code. Where a respondent has answered fewer than `least` of the
    items there is no score; a sum is the mean of what was answered, times the number of items.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    items: list[Name] = Field(min_length=1)
    reverse: list[Name] = Field(default_factory=list)
    by: Literal["mean", "sum"] = "mean"
    least: int | None = Field(default=None, ge=1)
    """How many items must be answered; None: all."""

    @model_validator(mode="after")
    def _named(self) -> Score:
        if other := sorted(set(self.reverse) - set(self.items)):
            raise ValueError(f"the score {self.name!r} reverses {other[0]!r}, which is not among its items")
        if len(set(self.items)) < len(self.items):
            raise ValueError(f"the score {self.name!r} names an item twice")
        if self.least is not None and self.least > len(self.items):
            raise ValueError(f"the score {self.name!r} asks for {self.least} answers of {len(self.items)} items")
        return self

    def check(self, items: Mapping[str, Any]) -> None:
        """ValueError where an item is not there, or has no single number with bounds."""
        for name in self.items:
            if name not in items:
                raise ValueError(f"the score {self.name!r} names {name!r}, which is no item")
            if not isinstance(items[name], Choice | Scale):
                raise ValueError(f"the score {self.name!r} names {name!r}, but only choices and scales can be scored")

    def column(self, items: Mapping[str, Any]) -> pl.Expr:
        """The score as an expression over the columns of a table of answers."""
        import polars as pl

        parts = []
        for name in self.items:
            low, high = bounds(items[name])
            parts.append(low + high - pl.col(name) if name in self.reverse else pl.col(name))
        answered = pl.sum_horizontal(part.is_not_null() for part in parts)
        mean = pl.mean_horizontal(*parts)
        value = mean if self.by == "mean" else mean * len(parts)
        return pl.when(answered >= (self.least or len(parts))).then(value).alias(self.name)


def bounds(item: Any) -> tuple[float, float]:
    """The lowest and highest code of a choice or scale."""
    if isinstance(item, Scale):
        return float(item.low), float(item.high)
    codes = item.codes or [1.0, float(len(item.options))]
    return min(codes), max(codes)
