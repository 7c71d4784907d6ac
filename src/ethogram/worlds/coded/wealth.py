"""An economy of gifts: how chance alone makes rich and poor."""

from __future__ import annotations

from typing import Any

import numpy as np

from ethogram.columns import Columns, column, observe, transfer

__all__ = ["Wealth"]


class Wealth(Columns):
    """Everybody begins with one coin; at every step whoever has a coin gives one to somebody at random.

    Dragulescu & Yakovenko (2000), "Statistical mechanics of money", in its simplest form. Synchronous: all give at once; in
    the long run a share of sqrt(2) - 1 = 41 % has nothing, though nobody differs from anybody else. (Where gifts are made
    one by one it is a half, and wealth is distributed geometrically: schedules matter.)
    """

    wealth = column("int32", 1)

    @transfer("wealth", to="anyone")
    def give(wealth: Any) -> int:
        """A coin, if there is one."""
        return 1 if wealth > 0 else 0

    @observe
    def poor(self) -> float:
        """The share of those who have nothing."""
        return float((self.wealth == 0).mean())

    @observe
    def gini(self) -> float:
        """The Gini coefficient of wealth: 0 where all have the same, towards 1 where one has all."""
        having = np.cumsum(np.bincount(self.wealth) * np.arange(self.wealth.max() + 1))  # of the poorest up to each wealth
        people = np.bincount(self.wealth) / self.n
        return float(1 - (people * (having + np.concatenate([[0], having[:-1]]))).sum() / having[-1])
