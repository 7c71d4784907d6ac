"""Belief audit: what an agent believes beside what it was shown, number by number.

slips = audit({"budget": 400, "won": {"Ana": {}}}, {"budget": 300, "won": {"Ana": {"vase": 100}}})
told = explain(slips)  # "budget: you have 400, but it is 300; won, Ana, vase: you have nothing, but it is 100"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["NOTHING", "Slip", "audit", "explain", "leaves"]

NOTHING = None
"""Stands for what is not there: of this nothing is believed, or there is nothing that could be."""


class Slip(NamedTuple):
    """One point in which a belief differs from the truth."""

    where: tuple[str, ...]
    """The keys that lead to it."""
    believed: Any
    true: Any


def leaves(facts: Mapping[str, Any], at: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """The values of nested mappings, by the keys that lead to each, in order."""
    found: dict[tuple[str, ...], Any] = {}
    for key, value in facts.items():
        found |= leaves(value, (*at, key)) if isinstance(value, Mapping) else {(*at, key): value}
    return found


def audit(believed: Mapping[str, Any], truth: Mapping[str, Any]) -> list[Slip]:
    """Every point in which a belief differs from the truth: a wrong value, one that is missing, and one too many.

    Args:
        believed: nested mappings of values.
        truth: likewise.

    Returns:
        The slips, in the order of the truth; what there is too much of comes last.
    """
    mine, true = leaves(believed), leaves(truth)
    where = [*true, *(at for at in mine if at not in true)]
    return [Slip(at, mine.get(at, NOTHING), true.get(at, NOTHING)) for at in where if _differs(at, mine, true)]


def _differs(at: tuple[str, ...], mine: Mapping[Any, Any], true: Mapping[Any, Any]) -> bool:
    return at not in mine or at not in true or type(mine[at]) is not type(true[at]) or mine[at] != true[at]


def explain(slips: Sequence[Slip]) -> str:
    """The slips in words, to be sent back to who made them."""
    return "; ".join(f"{', '.join(s.where)}: you have {_said(s.believed)}, but it is {_said(s.true)}" for s in slips)


def _said(value: Any) -> str:
    return "nothing" if value is NOTHING else str(value)
