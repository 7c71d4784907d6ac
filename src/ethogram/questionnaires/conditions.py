"""Conditions: when an item is shown. A small, safe part of Python's expressions over arms and earlier answers."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from ethogram.errors import ConfigError

__all__ = ["Condition"]

COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}
LONGEST = 500


class Condition:
    """An expression of names, numbers, texts and lists with `== != < <= > >= in not and or`, and brackets.

    A comparison with an item that was not answered is false, so that `not (age > 30)` is true of who was not asked.

    Raises:
        ConfigError: the text is no such expression; the message shows what is not allowed.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body if len(text) <= LONGEST else None
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self._tree = None
        if self._tree is None:
            raise ConfigError(f"{_short(text)} is no condition: write one as in age >= 18 and town == 'Oslo'")
        self.names: set[str] = set()
        self._check(self._tree, True)

    def __call__(self, values: Mapping[str, Any]) -> bool:
        """Whether it holds for these arms and answers; a name without a value is unanswered."""
        assert self._tree is not None
        return bool(self._holds(self._tree, values))

    def _check(self, node: ast.expr, truth: bool) -> None:
        """Refuse what is not allowed; `truth` where the part must be true or false."""
        match node:
            case ast.BoolOp(values=parts) if truth:
                for part in parts:
                    self._check(part, True)
            case ast.UnaryOp(op=ast.Not(), operand=part) if truth:
                self._check(part, True)
            case ast.Compare(left=left, ops=ops, comparators=others) if truth and all(type(op) in COMPARE for op in ops):
                for part in (left, *others):
                    self._check(part, False)
            case ast.Name(id=name):
                self.names.add(name)
            case ast.Constant(value=bool() | int() | float() | str()) if not truth:
                pass
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())) if not truth:
                pass
            case ast.List(elts=parts) | ast.Tuple(elts=parts) if not truth:
                for part in parts:
                    self._check(part, False)
            case _:
                raise ConfigError(
                    f"the condition {_short(self.text)} holds {_short(ast.unparse(node))}: only names, numbers, texts and "
                    "lists may be compared, and comparisons joined by and, or, not"
                )

    def _holds(self, node: ast.expr, values: Mapping[str, Any]) -> bool:
        match node:
            case ast.BoolOp(op=ast.And(), values=parts):
                return all(self._holds(part, values) for part in parts)
            case ast.BoolOp(values=parts):
                return any(self._holds(part, values) for part in parts)
            case ast.UnaryOp(operand=part):
                return not self._holds(part, values)
            case ast.Compare(left=left, ops=ops, comparators=others):
                found = [_value(part, values) for part in (left, *others)]
                return all(_compare(op, a, b) for op, a, b in zip(ops, found, found[1:], strict=False))
            case _:
                return bool(_value(node, values))


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Name(id=name):
            return values.get(name)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_value(part, values) for part in parts]
        case _:
            return ast.literal_eval(node)


def _compare(op: ast.cmpop, a: Any, b: Any) -> bool:
    if a is None or b is None:
        return False
    try:
        return bool(COMPARE[type(op)](a, b))
    except TypeError:  # a text and a number
        return isinstance(op, ast.NotEq | ast.NotIn)


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:79] + "…")
