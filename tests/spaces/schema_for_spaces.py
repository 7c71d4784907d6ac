"""A validator of the few JSON Schema keywords that spaces write, by the letter of draft 2020-12; any other is an error."""

from __future__ import annotations

import re
from typing import Any

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "number": (int, float),
}
NOTES = {"description", "default"}


def same(a: Any, b: Any) -> bool:
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def has_type(value: Any, name: str) -> bool:
    if name == "integer":
        return not isinstance(value, bool) and isinstance(value, int | float) and value == int(value)
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def valid(value: Any, schema: Any) -> bool:
    """Whether `value` is valid under `schema`."""
    if isinstance(schema, bool):
        return schema
    return all(keyword(value, key, want, schema) for key, want in schema.items() if key not in NOTES)


def keyword(value: Any, key: str, want: Any, schema: dict[str, Any]) -> bool:
    match key:
        case "type":
            return has_type(value, want)
        case "const":
            return same(value, want)
        case "enum":
            return any(same(value, w) for w in want)
        case "anyOf":
            return any(valid(value, s) for s in want)
        case "minimum":
            return not number(value) or value >= want
        case "maximum":
            return not number(value) or value <= want
        case "exclusiveMinimum":
            return not number(value) or value > want
        case "exclusiveMaximum":
            return not number(value) or value < want
        case "multipleOf":
            return not number(value) or value % want == 0
        case "minLength":
            return not isinstance(value, str) or len(value) >= want
        case "maxLength":
            return not isinstance(value, str) or len(value) <= want
        case "pattern":
            return not isinstance(value, str) or re.search(want, value) is not None
        case "minItems":
            return not isinstance(value, list) or len(value) >= want
        case "maxItems":
            return not isinstance(value, list) or len(value) <= want
        case "prefixItems":
            return not isinstance(value, list) or all(valid(v, s) for v, s in zip(value, want, strict=False))
        case "items":
            return not isinstance(value, list) or all(valid(v, want) for v in value[len(schema.get("prefixItems", [])) :])
        case "properties":
            return not isinstance(value, dict) or all(valid(value[k], s) for k, s in want.items() if k in value)
        case "required":
            return not isinstance(value, dict) or all(k in value for k in want)
        case "additionalProperties":
            return not isinstance(value, dict) or all(
                valid(v, want) for k, v in value.items() if k not in schema.get("properties", {})
            )
        case "propertyNames":
            return not isinstance(value, dict) or all(valid(k, want) for k in value)
        case "minProperties":
            return not isinstance(value, dict) or len(value) >= want
        case "maxProperties":
            return not isinstance(value, dict) or len(value) <= want
    raise AssertionError(f"the schema has the keyword {key!r}, which no test knows")
