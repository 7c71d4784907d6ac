"""Who takes part: personas, populations drawn to known margins, and the networks among them.

A population takes three lines:

population, fit, _ = from_margins({"age": {"young": 0.3, "old": 0.7}, "sex": {"f": 0.51, "m": 0.49}}, 1000, rng=1)
population = population.with_network("friends", homophily(population, {"age": 4.0}, mean_degree=8, rng=1))
population.persona(population.names[0]).render()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ethogram.populations.degrees import configuration, random_regular, rewire
    from ethogram.populations.depths import describe, descriptions
    from ethogram.populations.generators import (
        barabasi_albert,
        cliques,
        complete,
        erdos_renyi,
        followers,
        grid,
        homophily,
        nearest,
        ring,
        stochastic_block,
        watts_strogatz,
    )
    from ethogram.populations.group_sizes import count_groups, lognormal_sizes, power_law_sizes
    from ethogram.populations.grouping import Archetypes, archetypes
    from ethogram.populations.homes import households
    from ethogram.populations.layers import Schools, combine, contacts, layered, schools, workplaces
    from ethogram.populations.margins import Fit
    from ethogram.populations.network import Network
    from ethogram.populations.persona import Persona, Unit, clean
    from ethogram.populations.population import Population
    from ethogram.populations.sampling import Synthesis, from_margins, from_microdata, integerise
    from ethogram.populations.weighting import Mean, Raked, post_stratify, rake

__all__ = [
    "Archetypes",
    "Fit",
    "Mean",
    "Network",
    "Persona",
    "Population",
    "Raked",
    "Schools",
    "Synthesis",
    "Unit",
    "archetypes",
    "barabasi_albert",
    "clean",
    "cliques",
    "combine",
    "complete",
    "configuration",
    "contacts",
    "count_groups",
    "describe",
    "descriptions",
    "erdos_renyi",
    "followers",
    "from_margins",
    "from_microdata",
    "grid",
    "homophily",
    "households",
    "integerise",
    "layered",
    "lognormal_sizes",
    "nearest",
    "post_stratify",
    "power_law_sizes",
    "rake",
    "random_regular",
    "rewire",
    "ring",
    "schools",
    "stochastic_block",
    "watts_strogatz",
    "workplaces",
]

_HOME = {
    "degrees": ("configuration", "random_regular", "rewire"),
    "depths": ("describe", "descriptions"),
    "generators": (
        *("barabasi_albert", "cliques", "complete", "erdos_renyi", "followers", "grid", "homophily", "nearest", "ring"),
        *("stochastic_block", "watts_strogatz"),
    ),
    "group_sizes": ("count_groups", "lognormal_sizes", "power_law_sizes"),
    "grouping": ("Archetypes", "archetypes"),
    "homes": ("households",),
    "layers": ("Schools", "combine", "contacts", "layered", "schools", "workplaces"),
    "margins": ("Fit",),
    "network": ("Network",),
    "persona": ("Persona", "Unit", "clean"),
    "population": ("Population",),
    "sampling": ("Synthesis", "from_margins", "from_microdata", "integerise"),
    "weighting": ("Mean", "Raked", "post_stratify", "rake"),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: polars and pydantic take a while to load."""
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
