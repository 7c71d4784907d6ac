"""A town: a map of tiles with places and things, a clock, and people who walk, work, talk and sleep."""

from ethogram.worlds.coded.town.people import Fact, Person
from ethogram.worlds.coded.town.world import Town

__all__ = ["Fact", "Person", "Town"]
