"""A war game: eight fictional nations decide at once, day by day, what they do to each other."""

from ethogram.worlds.coded.war_game.effects import INVENTED, Effect, read_effects
from ethogram.worlds.coded.war_game.world import SCENARIOS, WarGame

__all__ = ["INVENTED", "SCENARIOS", "Effect", "WarGame", "read_effects"]
