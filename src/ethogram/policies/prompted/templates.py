"""Prompts: jinja2 files, into which the world's words go as quoted data.

Whatever a template inserts is data, unless it is marked `Trusted`: it is put on one line, its length is limited, and
quotation marks, angle and square brackets are replaced, so that it cannot close its quotation, open a message of the chat
format or lay out a prompt of its own. That holds for every value of every template, so that none can be forgotten.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import jinja2

from ethogram.errors import ConfigError
from ethogram.populations.persona import clean

__all__ = ["LIMIT", "Trusted", "data", "load", "render"]

LIMIT = 400
"""The most characters of one value that a prompt shows."""

_HARMLESS = str.maketrans({'"': "'", "“": "'", "”": "'", "<": "‹", ">": "›", "[": "(", "]": ")", "`": "'"})


class Trusted(str):
    """Text of ethogram's own, which a template shows as it is."""

    __slots__ = ()


def data(value: Any) -> Any:
    """A value as a prompt may show it: text on one line, no quotation marks or brackets, at most `LIMIT` characters."""
    if not isinstance(value, str) or isinstance(value, Trusted):
        return value
    if not value.isprintable():
        value = clean(value, LIMIT)
    if len(value) > LIMIT:
        value = value[: LIMIT - 1] + "…"
    return value.translate(_HARMLESS)


@cache
def environment() -> jinja2.Environment:
    """The environment of all prompts: strict about undefined names, and every value goes through `data`."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "prompts"),
        undefined=jinja2.StrictUndefined,
        finalize=data,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )


@lru_cache(maxsize=256)
def load(source: str | Path) -> jinja2.Template:
    """A template: the name of one that comes with ethogram, or the path of a file. Compiled once.

    Raises:
        ConfigError: there is no such file, or it is not a template.
    """
    try:
        if isinstance(source, str) and not source.endswith(".j2"):
            return environment().get_template(f"{source}.j2")
        return environment().from_string(Path(source).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, jinja2.TemplateNotFound) as error:
        raise ConfigError(f"{source}: this prompt template cannot be read: {error}") from error
    except jinja2.TemplateSyntaxError as error:
        raise ConfigError(f"{source}, line {error.lineno}: this is not a jinja2 template: {error.message}") from error


def render(source: str | Path, /, **values: Any) -> str:
    """The text of a template.

    Raises:
        ConfigError: the template uses a name that is not given.
    """
    try:
        return load(source).render(values).strip()
    except jinja2.UndefinedError as error:
        raise ConfigError(f"prompt template {source}: {error.message}; it is given {', '.join(values)}") from error
