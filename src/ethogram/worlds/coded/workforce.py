"""A labour force as columns: every month people decide whether to work, and claims and their number make unemployment.

The mechanism is that of AgentTorch's labour model (Chopra et al. 2025, "On the limits of agency in agent-based models"),
written from a description. Its prices are not among the data that come with it; the benefit paid to a claimant stands in.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ethogram.columns import Columns, column, decision, observe, whole

__all__ = ["AT_WORK", "Workforce"]

AT_WORK = ("20t29", "30t39", "40t49", "50t64")
"""The age bands of which people can be in the labour force."""


class Workforce(Columns):
    """People of working age, of whom each month a share is willing to work; a step is a month.

    Each age band is asked which share of it is willing, in view of the month, of last month's cases and of the benefit that
    a claimant is paid; each person draws. Unemployment in per cent is

        a · log(labour force) + b · log(claims) + c,

    and wages grow by `response` · (normal unemployment - unemployment) a month, limited to ± `limit`.

    The world is built from a population with a column `age` of words, all of them in `AT_WORK`, and from series of months;
    the defaults are of a place in which nothing happens.
    """

    claims: NDArray[np.float64] = np.ones(1)  # beneficiaries of unemployment insurance in each month
    covid: NDArray[np.float64] = np.zeros(1)  # cases in each month, per 100,000 people
    benefit: NDArray[np.float64] = np.zeros(1)  # dollars paid to a beneficiary in each month
    people: float = 1.0  # how many people a row stands for
    a: float = 0.0
    b: float = 0.0
    c: float = 0.0
    normal: float = 5.0  # unemployment, per cent, at which wages stay as they are
    response: float = 0.002  # growth of wages a month for one per cent of unemployment less
    limit: float = 0.01  # of the growth of wages a month, either way
    wage: float = 1.0  # relative to the beginning

    age = column("int8", levels=AT_WORK)
    working = column("int8", 1)
    work = decision(
        options=("work", "do not work"),
        into="working",
        by=("age",),
        sees=("month", "cases", "benefit_paid"),
        question="Would one of these people be willing to work in this month? Cases are of Covid-19, in 100,000 people.",
    )

    @whole
    def wages(self) -> None:
        """Wages answer to unemployment."""
        growth = self.response * (self.normal - self.unemployment())
        self.wage = self.wage * (1 + min(max(growth, -self.limit), self.limit))

    def month_of(self, series: NDArray[np.float64]) -> float:
        """The value of a series in the month that is about to be decided on (the last one there is, after the end)."""
        return float(series[min(self.step_number, len(series) - 1)])

    def unemployment(self) -> float:
        """The unemployment rate of the month under way, in per cent of the labour force."""
        force = self.people * max(1, np.count_nonzero(self.working == 0))
        return self.a * math.log(force) + self.b * math.log(self.month_of(self.claims)) + self.c

    @observe("month", "cases", "benefit_paid", "labour_force", "wages_now")
    def market(self) -> dict[str, float]:
        """What is known before a month begins, and what the last one brought."""
        return {
            "month": float(self.step_number),
            "cases": self.month_of(self.covid),
            "benefit_paid": self.month_of(self.benefit),
            "labour_force": self.people * np.count_nonzero(self.working == 0),
            "wages_now": self.wage,
        }
