"""Segregation: how mild preferences make divided towns."""

from __future__ import annotations

from typing import Any

import numpy as np

from ethogram.columns import Columns, column, count, grid, observe, relocate

__all__ = ["Segregation"]

EMPTY = 0


class Segregation(Columns):
    """People of two kinds live in the cells of a town, and move where too few of those around are of their kind.

    Schelling (1971), "Dynamic models of segregation", on a torus. Who has fewer than `wanted` of the 8 cells around taken by
    people of the own kind moves to a random empty cell. Synchronous: all look first, then the unhappy move.
    """

    density: float = 0.8
    wanted: int = 3
    kind = column("int8")
    around = grid()
    alike = count("around", of=lambda kind, their_kind: their_kind == kind, where=lambda kind: kind != EMPTY)
    company = count("around", of=lambda their_kind: their_kind != EMPTY, where=lambda kind: kind != EMPTY)
    n = 900

    def start(self, rng: np.random.Generator) -> None:
        """Two kinds of people, equally many, anywhere."""
        people = rng.permutation(self.n)[: round(self.density * self.n)]
        self.kind[people] = 1 + np.arange(len(people)) % 2

    @relocate("kind", empty=lambda kind: kind == EMPTY)
    def unhappy(alike: Any, wanted: int) -> bool:
        """Whether somebody moves."""
        return alike < wanted

    @observe("similar", "unhappy")
    def satisfaction(self) -> dict[str, float]:
        """The mean share of like neighbours, and the share of people who would move."""
        alike, company, people = self.alike, self.company, self.kind != EMPTY
        return {
            "similar": float((alike[people] / np.maximum(company[people], 1)).mean()),
            "unhappy": float((alike[people] < self.wanted).mean()),
        }
