"""The prompts of `shapley-llm`: trips by train or Swissmetro, and gambles with lives, told as gains or as losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions.trips import Trips
from ethogram.errors import DataError
from ethogram.measures.prompt_parts import Part, PartedChoice

__all__ = ["INFORMATIVE", "Design", "Story", "design", "framed", "stories", "trip"]

INFORMATIVE = ("price", "time", "wait")
"""Parts of a trip's prompt that say something."""
SITUATION = (
    "Somebody travels between St. Gallen and Geneva, by train or by Swissmetro, a fast train in a tunnel. "
    "Which one does this person take?{form}{colour}{price}{wait}{time}"
)
NOT_TOLD = "by train not stated, by Swissmetro not stated"
FORMS = ("K-4721", "B-0093", "T-1586", "M-7240", "R-3318")
COLOURS = (("blue", "grey"), ("green", "white"), ("yellow", "red"), ("grey", "green"), ("white", "blue"))
Pair = tuple[float, float]


@dataclass(frozen=True)
class Design:
    """Prompts in all combinations of levels; each level is what train and Swissmetro have, as some person was shown it."""

    price: tuple[Pair, ...]
    """Swiss francs."""
    time: tuple[Pair, ...]
    """Minutes."""
    wait: tuple[Pair, ...]
    """Minutes between departures."""

    @property
    def rows(self) -> list[tuple[int, int, int]]:
        """The levels of price, time and wait of each prompt."""
        return list(product(range(len(self.price)), range(len(self.time)), range(len(self.wait))))

    @property
    def crossed(self) -> list[list[int]]:
        """The level of each prompt, factor by factor, as measures of attribution take it."""
        return [list(levels) for levels in zip(*self.rows, strict=True)]

    def pairs(self) -> NDArray[np.float64]:
        """What prompts say, shape (prompts, 3, 2): price, time and wait, by train and by Swissmetro."""
        return np.array([[self.price[i], self.time[j], self.wait[k]] for i, j, k in self.rows])

    def prompts(self) -> list[PartedChoice]:
        """The prompts, in the order of `rows`; the words without meaning go with the level of the price."""
        return [trip(*pair, variant=i) for pair, (i, _, _) in zip(self.pairs(), self.rows, strict=True)]


def trip(price: Sequence[float], time: Sequence[float], wait: Sequence[float], variant: int = 0) -> PartedChoice:
    """The prompt of one trip; its last two parts, a form's number and the colour of the ticket, are noise."""
    colour = COLOURS[variant % len(COLOURS)]
    said = {
        "price": ("Price", "{:g} francs by train, {:g} francs by Swissmetro", price),
        "time": ("Duration", "{:g} minutes by train, {:g} minutes by Swissmetro", time),
        "wait": ("Departures", "every {:g} minutes by train, every {:g} minutes by Swissmetro", wait),
    }
    parts = {
        name: Part({name: f"\n{head}: {text.format(*values)}."}, {name: f"\n{head}: {NOT_TOLD}."})
        for name, (head, text, values) in said.items()
    }
    form, tickets = FORMS[variant % len(FORMS)], "\nColour of the ticket: {} by train, {} by Swissmetro."
    parts["form"] = Part({"form": f"\nForm {form}."}, {"form": "\nForm not numbered."}, noise=True)
    parts["colour"] = Part(
        {"colour": tickets.format(*colour)}, {"colour": f"\nColour of the ticket: {NOT_TOLD}."}, noise=True
    )
    return PartedChoice(SITUATION, ("train", "Swissmetro"), parts)


def design(trips: Trips, sizes: Sequence[int] = (5, 5, 4)) -> Design:
    """Levels at even quantiles of how train and Swissmetro differ, among people who had both and no yearly pass.

    Raises:
        DataError: too few different levels.
    """
    some = trips[trips.available[:, :2].all(1) & ~trips.free]

    def levels(values: NDArray[np.float64], count: int) -> tuple[Pair, ...]:
        pairs, often = np.unique(values[:, :2], axis=0, return_counts=True)
        order = np.argsort(pairs[:, 1] - pairs[:, 0], kind="stable")
        reached = np.cumsum(often[order]) / often.sum()
        places = sorted({int(np.searchsorted(reached, (i + 0.5) / count)) for i in range(count)})
        if len(places) < count:
            raise DataError(f"the data have no {count} different levels that are spread evenly: ask for fewer")
        return tuple((float(pairs[order[i], 0]), float(pairs[order[i], 1])) for i in places)

    price, time, wait = (levels(v, n) for v, n in zip((some.cost, some.time, some.headway), sizes, strict=True))
    return Design(price, time, wait)


# --- framing ---


@dataclass(frozen=True)
class Story:
    """A threat to people's lives and what could be done about it."""

    people: int
    threat: str

    @property
    def saved(self) -> int:
        """How many the sure option saves: a third."""
        return self.people // 3


def stories(count: int) -> list[Story]:
    """So many stories, after the disease problem of Tversky and Kahneman (1981), whose 600 come first."""
    threats = ("an unusual disease", "a flood", "a fire in a mine", "an earthquake")
    return [Story((600, 60, 1200, 90)[(i + i // 4) % 4], threats[i % 4]) for i in range(count)]


def framed(story: Story) -> PartedChoice:
    """A story whose parts turn it from a gain (none present, `neutral`) into a loss (all present).

    `sure` and `gamble` reword an option from lives saved to lives lost. The other two are noise: how the story begins, and
    what the programmes are called, which differs between the original's versions too (A and B, C and D; not here, where
    these letters would meet those of the list of options).
    """
    n, saved = story.people, story.saved
    parts = {
        "sure": Part({"sure": f"{n - saved} people will die"}, {"sure": f"{saved} people will be saved"}),
        "gamble": Part(
            {"gamble": f"1/3 probability that nobody will die, and 2/3 probability that {n} people will die"},
            {"gamble": f"1/3 probability that {n} people will be saved, and 2/3 probability that nobody will be saved"},
        ),
        "names": Part({"one": "R", "other": "S"}, {"one": "P", "other": "Q"}, noise=True),
        "opening": Part({"opening": "Suppose that"}, {"opening": "Imagine that"}, noise=True),
    }
    question = f"{{opening}} {story.threat} is expected to kill {n} people. Which programme would you choose?"
    return PartedChoice(question, ("Programme {one}: {sure}", "Programme {other}: {gamble}"), parts)
