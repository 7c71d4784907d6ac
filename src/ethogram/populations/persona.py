"""A persona: who an agent is, as typed attributes that a prompt can show.

Whatever a persona says is data, quoted in a prompt: it is cleaned of line breaks and of characters that do not show, and
limited in length, so that it cannot lay out a prompt of its own.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from ethogram.errors import ConfigError

if TYPE_CHECKING:
    import jinja2

__all__ = ["Persona", "Unit", "clean", "shown"]

VALUE_LIMIT = 500
"""The most characters of one attribute that a prompt shows."""
TEXT_LIMIT = 4000
"""The most characters of a rendered persona."""

_JOINERS = {"\u200c", "\u200d"}  # needed to write Persian, Indic scripts and emoji


@dataclass(frozen=True)
class Unit:
    """The unit of an attribute, shown behind its value: `age: Annotated[int, Unit("years")]`."""

    name: str


class Persona(BaseModel):
    """A named agent with free attributes; subclass it for typed ones.

    A subclass declares its attributes as any pydantic model does. A field's `description` is the phrase that introduces the
    value in a prompt (else the field's name), and a `Unit` in its annotation follows the value:

        class Resident(Persona):
            age: Annotated[int, Unit("years")] = Field(ge=0)
            trust: int = Field(description="trust in parliament (0 none to 10 complete)", ge=0, le=10)

        Resident(name="Ann", age=34, trust=7).render()
        # 'Ann. Age: 34 years. Trust in parliament (0 none to 10 complete): 7.'
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    def attributes(self) -> dict[str, Any]:
        """The attributes in order, without the name."""
        return {key: value for key, value in self if key != "name"}

    def render(self, template: str | Path | None = None) -> str:
        """The persona as text for a prompt: short sentences, or what a template makes of it.

        Args:
            template: a jinja2 file. It sees `name` and every attribute by its name (text cleaned), and `about`, the list of
                sentences that would be shown without a template.

        Raises:
            ConfigError: the template is missing, is not jinja2, or uses an attribute that the persona does not have.
        """
        name = clean(self.name)
        if template is None:
            return _shortened(" ".join([f"{name}.", *self.sentences()]), TEXT_LIMIT)
        values = {key: _plain(value) for key, value in self.attributes().items()}
        return _shortened(_rendered(Path(template), {**values, "name": name, "about": self.sentences()}), TEXT_LIMIT)

    def facts(self) -> dict[str, tuple[str, str]]:
        """By attribute, what it is called and its value with its unit, as prompts show them; without empty ones."""
        found = {}
        for key, value in self.attributes().items():
            if value is None or not (text := shown(value)):
                continue
            field = type(self).model_fields.get(key)
            units = [item.name for item in field.metadata if isinstance(item, Unit)] if field else []
            label = clean((field.description if field else None) or key.replace("_", " "))
            found[key] = (label, " ".join([text, *units]))
        return found

    def sentences(self) -> list[str]:
        """One short sentence for each attribute that is not missing or empty: what it is called, its value, and its unit."""
        return [
            f"{label[:1].upper()}{label[1:]}: {text}{'' if text.endswith(('.', '!', '?', '…')) else '.'}"
            for label, text in self.facts().values()
        ]


def clean(text: str, limit: int = VALUE_LIMIT) -> str:
    """`text` on one line: line breaks and other control characters become spaces, invisible ones go, the rest is cut off."""
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cc", "Zl", "Zp", "Zs"):
            kept.append(" ")
        elif category not in ("Cf", "Cs", "Co", "Cn") or character in _JOINERS:
            kept.append(character)
    return _shortened(" ".join("".join(kept).split()), limit)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def shown(value: object) -> str:
    """A value as prompts show it."""
    if isinstance(value, Enum):
        value = value.value
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6g}"
        case list() | tuple():
            return clean(", ".join(shown(item) for item in value))
        case set() | frozenset():
            return clean(", ".join(sorted(shown(item) for item in value)))
        case Mapping():
            return clean(", ".join(f"{clean(str(key))} {shown(item)}" for key, item in value.items()))
        case _:
            return clean(str(value))


def _plain(value: object) -> object:
    """A value as templates see it: numbers and truth values as they are, containers by item, anything else as clean text."""
    if isinstance(value, Enum):
        value = value.value
    match value:
        case None | bool() | int() | float():
            return value
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
        case Mapping():
            return {clean(str(key)): _plain(item) for key, item in value.items()}
        case _:
            return clean(str(value))


def _rendered(path: Path, values: Mapping[str, object]) -> str:
    import jinja2

    try:
        return _template(path, path.stat().st_mtime_ns).render(values).strip()
    except OSError:
        raise ConfigError(f"{path}: there is no such template.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text, as a template must be.") from None
    except jinja2.TemplateSyntaxError as error:
        raise ConfigError(f"{path}, line {error.lineno}: {error.message}.") from None
    except (jinja2.TemplateError, ArithmeticError, TypeError, ValueError) as error:
        message = str(error).rstrip(".")
        raise ConfigError(f"{path} cannot be rendered for {values['name']!r}: {message}.") from None


@lru_cache(maxsize=64)
def _template(path: Path, changed: int) -> jinja2.Template:
    """The template in `path`; `changed` (its time stamp) makes an edited file be read again."""
    import jinja2
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(path.read_text(encoding="utf-8"))
