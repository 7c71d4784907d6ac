"""What the commands print: values in, words and tables out."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from ethogram.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from ethogram.measures import Estimate

__all__ = ["assignments", "console", "interval", "plain", "print_json", "value_of"]


def console(wide: bool = False) -> Console:
    """A console that wraps to the terminal; where there is none, to 100 columns, or 160 for wide tables."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160 if wide else 100, highlight=False)


def print_json(data: Any) -> None:
    """Print JSON for another program."""
    print(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False))


def plain(text: str) -> str:
    """Text from elsewhere without what a terminal would take for a command."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def value_of(text: str) -> Any:
    """A value as given on the command line: JSON where it is JSON (`3`, `true`, `[1, 2]`), else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def assignments(words: list[str], option: str) -> dict[str, Any]:
    """`key=value` words as a mapping; ConfigError where one is not of that form."""
    values = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise ConfigError(f"{option} takes KEY=VALUE, not {word!r}")
        values[key] = value_of(value)
    return values


def interval(estimate: Estimate, unit: str = "") -> str:
    """The interval of an estimate for a reader, or a dash where there is none or where it is the value itself."""
    from ethogram.studies.report.facts import between

    if not estimate.bounded or estimate.low == estimate.high:
        return "–"
    return between(estimate.low, estimate.high, unit)
