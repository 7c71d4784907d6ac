"""Questionnaires in files: TOML that a person writes, and the instruments that come with ethogram."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ethogram.errors import ConfigError, DataError
from ethogram.questionnaires.questionnaire import Questionnaire

__all__ = ["instrument", "instruments", "load"]

FOLDER = Path(__file__).parent / "instruments"


def load(path: str | Path) -> Questionnaire:
    """A questionnaire from a TOML file (docs/questionnaires.md shows one), or from the JSON of SurveyJS.

    Raises:
        ConfigError: there is no such file.
        DataError: it is no questionnaire; the message says where in the file and why.
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8")
        content = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path} is not TOML: {error}") from None
    except json.JSONDecodeError as error:
        raise DataError(f"{path} is not JSON: {error}") from None
    if path.suffix == ".json":
        from ethogram.questionnaires.surveyjs import from_surveyjs

        return from_surveyjs(content, str(path))
    return parsed(content, str(path))


def parsed(content: Any, where: str) -> Questionnaire:
    """A questionnaire from the values of a file; DataError says what is wrong in it, and where."""
    try:
        return Questionnaire.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise DataError(f"{where}: {f'{place}: ' if place else ''}{reason}{more}") from None


def instruments() -> list[str]:
    """The names of the instruments that come with ethogram."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def instrument(name: str) -> Questionnaire:
    """An instrument that comes with ethogram; ConfigError where there is none of that name."""
    if name not in instruments():
        raise ConfigError(f"there is no instrument {name!r}; there are {', '.join(instruments())}")
    return load(FOLDER / f"{name}.toml")
