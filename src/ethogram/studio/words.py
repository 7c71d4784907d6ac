"""Actions and observations in few words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["brief", "deed", "lines", "speech"]


_PLAIN = ("activity", "option", "choice")
"""Fields whose names would only be in the way."""


def brief(value: Any, most: int = 120) -> str:
    """A value on one line, cut to `most` characters."""
    if isinstance(value, float):
        text = f"{value:.4g}"
    elif isinstance(value, list) and value and all(isinstance(v, int | float) for v in value):
        text = ", ".join(f"{v:.4g}" for v in value[:12]) + (", …" if len(value) > 12 else "")
    elif isinstance(value, list) and all(isinstance(v, str) for v in value):
        text = ", ".join(value)
    elif isinstance(value, str):
        text = value
    else:
        text = "–" if value is None else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def deed(done: Any, most: int = 160) -> str:
    """An action in words: the verb, then what it was done with."""
    if not isinstance(done, Mapping) or "verb" not in done:
        return brief(done, most)
    said = speech(done)
    parts = {k: v for k, v in done.items() if k != "verb" and v not in ("", None, []) and v != said}
    rest = ", ".join(brief(v, 80) if k in _PLAIN else f"{k} {brief(v, 80)}" for k, v in parts.items())
    words = f"{done['verb']} {rest}".strip() + (f": “{said}”" if said else "")
    return brief(words, most)


def speech(done: Any) -> str:
    """The words spoken or written in an action; empty where there are none."""
    if not isinstance(done, Mapping):
        return ""
    return next(
        (str(done[k]) for k in ("text", "post", "message", "statement") if isinstance(done.get(k), str) and done[k]), ""
    )


def lines(value: Any, name: str = "") -> list[tuple[str, str]]:
    """A value as pairs of name and words, one level deep into mappings."""
    if not isinstance(value, Mapping):
        return [(name, brief(value, 600))]
    found: list[tuple[str, str]] = []
    for key, inner in value.items():
        if inner in ("", None, [], {}):
            continue
        if isinstance(inner, list) and inner and isinstance(inner[0], Mapping):
            found += [(f"{key}" if k == 0 else "", _record(part)) for k, part in enumerate(inner[-12:])]
        else:
            found.append((str(key), _record(inner) if isinstance(inner, Mapping) else brief(inner, 600)))
    return found


def _record(value: Mapping[str, Any]) -> str:
    return brief(", ".join(f"{k}: {brief(v, 200)}" for k, v in value.items() if v not in ("", None, [])), 400) or "none"
