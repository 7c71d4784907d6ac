"""Populations as columns: worlds of 10⁴ to 10⁸ agents, whose rules are compiled.

A model is one class of columns, neighbourhoods and scalar rules; see `Columns` and `docs/columns.md`.
"""

from ethogram.columns.decisions import decision, with_observer
from ethogram.columns.declare import column, count, grid, levers, mixing, network, observe, tally, total
from ethogram.columns.spaces import Asked, Column
from ethogram.columns.substeps import each, pairs, relocate, scatter, transfer, turn, whole
from ethogram.columns.tables import observed, panel
from ethogram.columns.world import OBSERVER, Columns

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
