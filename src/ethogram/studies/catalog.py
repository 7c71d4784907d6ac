"""The catalogue of all systems, and the results that are committed for them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["FAMILIES", "System", "atlas", "catalog", "find", "own", "results"]

HERE = Path(__file__).parent
FAMILIES = {
    "society": "society",
    "people": "people",
    "imitation": "imitation",
    "dreams": "learned worlds",
}
"""The families and their names for readers."""


class System(NamedTuple):
    """A paper's system, as the catalogue has it."""

    slug: str
    title: str
    family: str
    world: tuple[str, ...]
    policy: tuple[str, ...]
    about: str

    @property
    def cell(self) -> str:
        """Its place in the table of worlds and policies: `coded × prompted`."""
        return " × ".join("+".join(kinds) or "–" for kinds in (self.world, self.policy))


@cache
def catalog() -> tuple[System, ...]:
    """All systems, by family."""
    data = tomllib.loads((HERE / "catalog.toml").read_text("utf-8"))
    return tuple(
        System(s["slug"], s["title"], family, tuple(s["world"]), tuple(s["policy"]), s["about"])
        for family in FAMILIES
        for s in data[family]
    )


@cache
def own() -> tuple[System, ...]:
    """The studies of the project's own, which are no paper's system."""
    data = tomllib.loads((HERE / "catalog.toml").read_text("utf-8"))
    return tuple(
        System(s["slug"], s["title"], s["family"], tuple(s["world"]), tuple(s["policy"]), s["about"]) for s in data["own"]
    )


def results(slug: str) -> list[dict[str, Any]]:
    """The result files committed for a study, by preset and model."""
    return [json.loads(path.read_text("utf-8")) for path in sorted((HERE / "results" / slug).glob("*.json"))]


def find(slug: str) -> System:
    """A system by its slug; ConfigError where there is none of that name."""
    from ethogram.errors import ConfigError
    from ethogram.studies.registry import nearest

    for system in (*catalog(), *own()):
        if system.slug == slug:
            return system
    hint = nearest(slug, [system.slug for system in (*catalog(), *own())])
    raise ConfigError(f"there is no system {slug!r}{hint or '; `ethogram atlas` lists all of them'}")


def state(slug: str, written: Sequence[str]) -> str:
    """Where a system stands: `not yet`, `written, not tested`, or what was tested and what held."""
    found = [phrase(result) for result in results(slug)]
    if found:
        return "; ".join(found)
    return "written, not tested" if slug in written else "not yet"


def phrase(result: dict[str, Any]) -> str:
    """One result in a phrase: `laptop, smollm2: 2 hold, 1 does not, 1 not tested`."""
    outcomes = [verdict["outcome"] for verdict in result["verdicts"].values()]
    counts = {name: outcomes.count(name) for name in ("holds", "does not hold", "not tested")}
    words = {"holds": ("holds", "hold"), "does not hold": ("does not", "do not"), "not tested": ("not tested",) * 2}
    said = [f"{n} {words[name][n > 1]}" for name, n in counts.items() if n]
    scale = ", ".join(part for part in (result["preset"], result["model"]) if part)
    return f"{scale}: {', '.join(said) or 'no claims'}"


def atlas(family: str | None = None) -> list[dict[str, Any]]:
    """All systems with their state, as JSON values, and behind each family's the project's own; of one family where asked.

    Raises:
        ConfigError: there is no such family.
    """
    from ethogram.errors import ConfigError
    from ethogram.studies.registry import names

    if family is not None and family not in FAMILIES:
        raise ConfigError(f"there is no family {family!r}; there are: {', '.join(FAMILIES)}")
    written = names()
    return [
        {**s._asdict(), "cell": s.cell, "state": state(s.slug, written), "results": results(s.slug)}
        for name in FAMILIES
        for s in (*catalog(), *own())
        if s.family == name and family in (None, name)
    ]
