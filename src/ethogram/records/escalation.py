"""The released runs of a war game: Rivera et al. (2024), "Escalation Risks from Language Models".

`actions/RUN.csv` has a line for each action and message (columns day, self, other, action), `daily_scores/RUN.json` the
authors' scores of each day. RUN is MODEL_SCENARIO_Anumber, in which the scenario is spelled with various capitals.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from ethogram.errors import DataError
from ethogram.records.reference import reference
from ethogram.war import Deed

__all__ = ["ReleasedRun", "effects_file", "released_run", "released_runs"]

RUN = re.compile(r"(?P<model>.+)_(?P<scenario>[A-Za-z]+)_A(?P<number>\d+)")
SCENARIOS = ("neutral", "invasion", "cyberattack")
COLUMNS = ("day", "self", "other", "action")


class ReleasedRun(NamedTuple):
    """One game."""

    name: str
    model: str
    scenario: str
    """As in `SCENARIOS` of the war game."""
    deeds: list[Deed]
    """In the order of the file."""
    scores: list[dict[str, int]]
    """As released, a day each, in the order of days: `Day`, points by class, `message-count`, `action-count`, `Total`."""


def effects_file(folder: str | Path | None = None) -> Path:
    """The released table of effects; DataError where the reference data are absent."""
    return _folder(folder) / "actions_v8.csv"


def released_runs(folder: str | Path | None = None) -> list[ReleasedRun]:
    """All runs that are there, in the order of their names.

    Args:
        folder: with `actions` and `daily_scores`; None: the reference data set.

    Raises:
        DataError: there are none, or one is not of that form; the message says which and where.
    """
    paths = sorted((_folder(folder) / "actions").glob("*.csv"))
    if not paths:
        raise DataError(f"{_folder(folder) / 'actions'} has no runs of the war game: there must be CSV files in it")
    return [_run(path) for path in paths]


def released_run(name: str, folder: str | Path | None = None) -> ReleasedRun:
    """One run by name, as in `GPT-4_Neutral_A1`."""
    return _run(_folder(folder) / "actions" / f"{name}.csv")


def _folder(folder: str | Path | None) -> Path:
    return reference("escalation") if folder is None else Path(folder)


def _run(path: Path) -> ReleasedRun:
    named = RUN.fullmatch(path.stem)
    scenario = named["scenario"].casefold() if named else ""
    if named is None or scenario not in SCENARIOS:
        raise DataError(f"{path}: the name is not MODEL_SCENARIO_Anumber with a scenario out of {', '.join(SCENARIOS)}")
    scores = path.parent.parent / "daily_scores" / f"{path.stem}.json"
    return ReleasedRun(path.stem, named["model"], scenario, _deeds(path), _scores(scores))


def _deeds(path: Path) -> list[Deed]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: these actions cannot be read: {error}") from error
    found = []
    for line, row in enumerate(rows, 2):
        values = [row.get(column) for column in COLUMNS]
        if any(value is None for value in values) or not str(values[0]).isdecimal():
            raise DataError(f"{path}, line {line}: there must be a whole number as day, and {', '.join(COLUMNS[1:])}")
        day, actor, target, name = map(str, values)
        found.append(Deed(int(day), actor, name, target))
    return found


def _scores(path: Path) -> list[dict[str, int]]:
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        return sorted(({str(k): _whole(v) for k, v in day.items()} for day in data), key=lambda day: day["Day"])
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise DataError(f"{path}: these daily scores cannot be read: {error!r}") from error


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError(f"{value!r} is no whole number")
    return int(value)
