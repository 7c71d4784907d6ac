"""The coded narrator: what came to pass in a day, in words, from what is public."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ethogram.war import KINDS, SEVERITIES, Event
from ethogram.worlds.coded.war_game.effects import Amounts

__all__ = ["narrate"]

NOTABLE = ("territory", "population", "gdp")
SHOWN, LENGTH = 12, 1200


def narrate(events: Sequence[Event], before: Mapping[str, Amounts], after: Mapping[str, Amounts]) -> str:
    """The most severe public acts of a day, and who has lost or gained land, people or product; at most 1200 characters.

    Private acts are left out, and so is nothing else that is not seen by all.
    """
    seen = sorted((e for e in events if not e.private), key=lambda e: SEVERITIES.index(KINDS[e.kind].severity))
    lines = [f"{e.actor} to {e.target}: {e.kind}." for e in seen[:SHOWN]]
    if len(seen) > SHOWN:
        lines.append(f"There were {len(seen) - SHOWN} milder acts besides.")
    for name in NOTABLE:
        for nation, amounts in after.items():
            change = amounts[name] - before[nation][name]
            if abs(change) >= 1:
                lines.append(f"The {name} of {nation} {'rose' if change > 0 else 'fell'} to {amounts[name]:.1f}.")
    text = " ".join(lines) or "Nothing happened in public."
    return text if len(text) <= LENGTH else text[: LENGTH - 1] + "…"
