"""Reference data: the real data sets that studies are held beside, found under the folder that `ETHOGRAM_DATA` names.

ethogram ships none of them. Each has a source and a licence, which the error for an absent one names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ethogram.errors import ConfigError, DataError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["REFERENCES", "VARIABLE", "Reference", "cascades", "reference"]

VARIABLE = "ETHOGRAM_DATA"
"""The environment variable that names the folder of all sets."""


class Reference(NamedTuple):
    """A data set from elsewhere."""

    place: str
    """File or folder below the folder of all sets."""
    what: str
    source: str
    licence: str


REFERENCES: dict[str, Reference] = {
    "cascades": Reference(
        "cascades/cascades.csv",
        "true and false news cascades: users reached, depth, times",
        "https://github.com/camel-ai/oasis",
        "Apache-2.0",
    ),
    "repeated-games": Reference(
        "repeated-games",
        "finitely repeated 2x2 games played by language models and people",
        "https://github.com/eliaka/repeatedgames",
        "MIT",
    ),
    "escalation": Reference(
        "escalation",
        "a war game of eight nations played by language models",
        "https://github.com/jprivera44/EscalAItion",
        "MIT by its README",
    ),
    "choices13k": Reference(
        "choices13k",
        "risky choices of people between two gambles",
        "https://github.com/jcpeterson/choices13k",
        "no licence stated: do not redistribute",
    ),
    "preference-learning": Reference(
        "preference-learning",
        "how strongly choices suggest a preference, as people ranked them",
        "https://github.com/alanjern/preferencelearning",
        "no licence stated: do not redistribute",
    ),
    "hbayesdm": Reference(
        "hbayesdm",
        "choices of people between payments now and later (dd_exampleData.txt)",
        "https://github.com/CCS-Lab/hBayesDM, or the package hbayesdm, folder common/extdata",
        "GPL-3.0",
    ),
    "twin-mega-study": Reference(
        "twin-mega-study",
        "answers of people and of their language-model twins in 19 studies",
        "https://github.com/TianyiPeng/Twin-2K-500-Mega-Study",
        "Apache-2.0",
    ),
}
"""The sets that are known, by name."""


def reference(name: str) -> Path:
    """Where a set is.

    Raises:
        ConfigError: no set has that name.
        DataError: the set is not there; the message says where to get it and under which licence.
    """
    if name not in REFERENCES:
        raise ConfigError(f"there is no reference data set {name!r}; there are: {', '.join(REFERENCES)}")
    known, folder = REFERENCES[name], os.environ.get(VARIABLE, "")
    path = Path(folder).expanduser() / known.place
    if not folder or not path.exists():
        where = f"{path} does not exist" if folder else f"the environment variable {VARIABLE} is not set"
        raise DataError(
            f"the reference data set {name!r} ({known.what}) is missing: {where}; get it from {known.source} (licence: "
            f"{known.licence}), put it at {known.place} in a folder, and let {VARIABLE} name that folder"
        )
    return path


CASCADES = {
    "label": bool,
    "source": str,
    "num_users": int,
    "max_depth": int,
    "mean_time": float,
    "median_time": float,
    "max_time": float,
    "topic_category": str,
}


def cascades() -> pl.DataFrame:
    """198 news cascades of Twitter15 and Twitter16 as OASIS released them (Yang et al. 2024), one row each.

    Columns: `label` (the news is true), `source` (twitter15, twitter16), `num_users` (users reached), `max_depth`,
    `mean_time`, `median_time`, `max_time` (of the reached users since the first post; the unit is not stated) and
    `topic_category`. Two rows have times below zero; whoever uses times must leave them out.

    Raises:
        DataError: the set is missing, or its file is not of this form.
    """
    import polars as pl

    path = reference("cascades")
    try:
        frame = pl.read_csv(path)
        return frame.select([pl.col(name).cast(kind) for name, kind in CASCADES.items()])  # type: ignore[arg-type]
    except (OSError, pl.exceptions.PolarsError) as error:
        text = str(error).splitlines()[0]
        raise DataError(f"{path} is not the table of cascades with columns {', '.join(CASCADES)}: {text}") from error
