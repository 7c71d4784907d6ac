"""Families of 2×2 games by the payoffs at their equilibria."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ethogram.errors import DataError
from ethogram.measures.equilibria import pure_equilibria

__all__ = ["FAMILIES", "family"]

FAMILIES = ("Win-win", "Biased", "PD Family", "Unfair", "Cyclic", "Second Best", "Tragic")


def family(payoffs: ArrayLike) -> str:
    """The family of an ordinal game, after the topology of Robinson and Goforth (2005) as Bruns (2015) names its families.

    Decided by the equilibria in pure strategies, with payoffs as ranks (4 the best), in this order: *Win-win* where one cell
    is best for both; *Cyclic* where there is no equilibrium; *Biased* where one pays 4 and 3; *Unfair* where one pays 4 and
    2; *Second Best* where one pays 3 and 3; *PD Family* where another cell is better for both; else *Tragic*.

    Args:
        payoffs: shape (2, 2, 2): `payoffs[row][column]` is (player 1's, player 2's).

    Raises:
        DataError: another shape.
    """
    cells = np.asarray(payoffs, float)
    if cells.shape != (2, 2, 2):
        raise DataError(f"a 2×2 game has payoffs of shape (2, 2, 2), not {cells.shape}")
    ranks = np.stack([np.unique(cells[..., i], return_inverse=True)[1].reshape(2, 2) for i in (0, 1)], -1)
    ranks = ranks + 4 - ranks.max((0, 1))  # the best is 4, and ties leave out the lowest ranks
    if (ranks == 4).all(-1).any():
        return "Win-win"
    stable = np.array([ranks[cell] for cell in pure_equilibria(ranks)])
    if not len(stable):
        return "Cyclic"
    pays = {tuple(sorted(cell, reverse=True)) for cell in stable.tolist()}
    for name, pair in (("Biased", (4, 3)), ("Unfair", (4, 2)), ("Second Best", (3, 3))):
        if pair in pays:
            return name
    better = (ranks[None, :, :, :] > stable[:, None, None, :]).all(-1)
    return "PD Family" if better.any() else "Tragic"
