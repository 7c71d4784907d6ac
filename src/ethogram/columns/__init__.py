"""Populations as columns: worlds of 10⁴ to 10⁸ agents, whose rules are compiled.

A model is one class of columns, neighbourhoods and scalar rules; see `Columns` and `docs/columns.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ethogram.columns.decisions import decision, with_observer
from ethogram.columns.declare import column, count, grid, levers, mixing, network, observe, tally, total
from ethogram.columns.spaces import Column
from ethogram.columns.substeps import each, pairs, relocate, scatter, transfer, turn, whole
from ethogram.columns.tables import observed, panel
from ethogram.columns.world import OBSERVER, Columns

if TYPE_CHECKING:
    from ethogram.columns.asked import Asked

__all__ = [
    "OBSERVER",
    "Asked",
    "Column",
    "Columns",
    "column",
    "count",
    "decision",
    "each",
    "grid",
    "levers",
    "mixing",
    "network",
    "observe",
    "observed",
    "pairs",
    "panel",
    "relocate",
    "scatter",
    "tally",
    "total",
    "transfer",
    "turn",
    "whole",
    "with_observer",
]


def __getattr__(name: str) -> Any:
    """Import `Asked` when it is asked for, and pydantic with it."""
    if name == "Asked":
        from ethogram.columns.asked import Asked

        return Asked
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
