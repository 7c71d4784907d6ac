"""Settings: named values that are checked where they are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from ethogram.discovery import nearest
from ethogram.errors import ConfigError

__all__ = ["Settings"]


class Settings(BaseModel):
    """The base of settings: unchangeable, without unknown names; what is wrong is said in one sentence.

    Raises:
        ConfigError: a name that is not there, or a value that does not fit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(_said(type(self), error)) from None

    @classmethod
    def of(cls, given: BaseModel | Mapping[str, Any] | None, **defaults: Any) -> Self:
        """Settings as they are; or from names and values, with defaults for those that are not given."""
        if isinstance(given, cls):
            return given
        if given is not None and not isinstance(given, Mapping):
            raise ConfigError(f"settings are a {cls.__name__} or names with values, not a {type(given).__name__}")
        return cls(**{**defaults, **(given or {})})


def _said(kind: type[BaseModel], error: ValidationError) -> str:
    """The first thing that is wrong."""
    first, what = error.errors()[0], kind.__name__.removesuffix("Config")
    if not first["loc"]:
        return f"the settings of {what} do not go together: {first['msg'].removeprefix('Value error, ')}"
    name = str(first["loc"][-1])
    if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
        return f"{what} has no setting {name!r}; did you mean {nearest(name, list(kind.model_fields))}?"
    where = ".".join(map(str, first["loc"]))
    return f"the setting {where} of {what} is wrong: {first['msg'][0].lower()}{first['msg'][1:]}, not {first['input']!r}"
