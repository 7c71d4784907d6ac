"""Rules as source text: what a user wrote as a plain function becomes a function of a generated module.

A rule may use its arguments, numbers and enumerations of its module (which become part of the text), `math`, `numpy`,
Python's own functions, and functions of its module that keep to the same.
"""

from __future__ import annotations

import ast
import builtins
import copy
import enum
import inspect
import linecache
import math
from collections.abc import Callable
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from ethogram.errors import ConfigError

__all__ = ["arguments_of", "is_one_or_none", "returns_value", "source_of", "where_is"]

MODULES: dict[ModuleType, str] = {math: "math", np: "np"}


def arguments_of(rule: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a rule's arguments; ConfigError where it takes others than plain ones."""
    if not isinstance(rule, FunctionType):
        raise ConfigError(f"a rule must be a plain function or lambda, not {type(rule).__name__}")
    parameters = inspect.signature(rule).parameters.values()
    if bad := [p.name for p in parameters if p.kind is not p.POSITIONAL_OR_KEYWORD or p.default is not p.empty]:
        raise ConfigError(f"{where_is(rule)}: argument {bad[0]!r} must be plain, without * and without a default")
    return tuple(p.name for p in parameters)


def where_is(rule: Callable[..., Any]) -> str:
    """A rule's name and place, for messages."""
    code: CodeType = rule.__code__
    return f"rule {rule.__name__} ({code.co_filename.rpartition('/')[2]}, line {code.co_firstlineno})"


def returns_value(rule: FunctionType) -> bool:
    """Whether a rule returns something (as far as its source is to be had)."""
    node = _node(rule.__code__)
    return node is not None and any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(node))


def is_one_or_none(rule: FunctionType) -> bool:
    """Whether all that a rule returns is 0 or 1, as its text shows: amounts need not be kept then."""
    node = _node(rule.__code__)
    if node is None:
        return False
    returned = (
        [node.body] if isinstance(node, ast.Lambda) else [n.value for n in ast.walk(node) if isinstance(n, ast.Return)]
    )
    return bool(returned) and all(map(_one_or_none, returned))


def _one_or_none(value: ast.expr | None) -> bool:
    if isinstance(value, ast.IfExp):
        return _one_or_none(value.body) and _one_or_none(value.orelse)
    return isinstance(value, ast.Compare) or (isinstance(value, ast.Constant) and value.value in (0, 1))


def source_of(rule: FunctionType, name: str) -> str | None:
    """The rule as the text of a function `name`, after the functions it calls; None where its source is not to be had."""
    texts: dict[FunctionType, tuple[str, str]] = {}
    if _write(rule, name, texts) is None:
        return None
    return "\n".join(text for _, text in texts.values())


def _write(rule: FunctionType, name: str, texts: dict[FunctionType, tuple[str, str]]) -> str | None:
    """Add the text of `rule` to `texts`, after those of the functions it calls; its name there."""
    if rule in texts:
        return texts[rule][0]
    node = _node(rule.__code__)
    if node is None:
        return None
    if isinstance(node, ast.Lambda):
        body: list[ast.stmt] = [ast.Return(node.body)]
    else:
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    freed = _Freed(rule, name, texts)
    body = [freed.visit(copy.deepcopy(statement)) for statement in body]
    if freed.lost:
        return None
    arguments = ", ".join(arguments_of(rule))
    head = f"@njit(error_model='numpy')\ndef {name}({arguments}):\n"
    texts[rule] = name, head + "\n".join(_indented(ast.unparse(ast.fix_missing_locations(s))) for s in body) + "\n"
    return name


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.splitlines())


class _Freed(ast.NodeTransformer):
    """Puts values in the place of the names that a rule takes from around it."""

    def __init__(self, rule: FunctionType, name: str, texts: dict[FunctionType, tuple[str, str]]) -> None:
        self.rule, self.name, self.texts = rule, name, texts
        self.own = {*rule.__code__.co_varnames, *rule.__code__.co_cellvars}
        cells = dict(zip(rule.__code__.co_freevars, rule.__closure__ or (), strict=True))
        self.around = {**rule.__globals__, **{n: cell.cell_contents for n, cell in cells.items()}}
        self.lost = False
        """Whether the source of a function that the rule calls is not to be had."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A name: the rule's own, or something from around it."""
        if node.id in self.own:
            return node
        if node.id not in self.around:
            if hasattr(builtins, node.id):
                return node
            raise ConfigError(f"{where_is(self.rule)} uses the unknown name {node.id!r}")
        return self._value(self.around[node.id], node.id)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """`math.exp`, `np.sqrt`, a member of an enumeration, or a number of another module."""
        base = node.value
        if isinstance(base, ast.Name) and base.id not in self.own and base.id in self.around:
            holder = self.around[base.id]
            if isinstance(holder, ModuleType) and holder in MODULES:
                return ast.Attribute(ast.Name(MODULES[holder], ast.Load()), node.attr, ast.Load())
            if isinstance(holder, ModuleType | type) and hasattr(holder, node.attr):
                return self._value(getattr(holder, node.attr), f"{base.id}.{node.attr}")
        return self.generic_visit(node)  # type: ignore[return-value]

    def _value(self, value: Any, called: str) -> ast.expr:
        value = value.value if isinstance(value, enum.Enum) else value
        if isinstance(value, np.generic):
            return _parsed(f"np.{value.dtype.name}({value.item()!r})".replace("inf", "np.inf").replace("nan", "np.nan"))
        if isinstance(value, int | float):
            return _parsed("np.nan") if math.isnan(value) else ast.Constant(value)
        if isinstance(value, tuple) and value and all(isinstance(v, int | float) for v in value):
            return ast.Tuple([ast.Constant(v) for v in value], ast.Load())
        if isinstance(value, ModuleType) and value in MODULES:
            return ast.Name(MODULES[value], ast.Load())
        value = getattr(value, "py_func", value)
        for module, written in MODULES.items():
            if getattr(module, getattr(value, "__name__", ""), None) is value:
                return _parsed(f"{written}.{value.__name__}")
        if isinstance(value, FunctionType):
            found = _write(value, f"{self.name}_{value.__name__}", self.texts)
            self.lost = self.lost or found is None
            return ast.Name(found or "lost", ast.Load())
        raise ConfigError(
            f"{where_is(self.rule)} uses {called!r}, a {type(value).__name__}: of what is around it a rule takes "
            "numbers and functions; make an array a parameter of the model"
        )


def _parsed(expression: str) -> ast.expr:
    return ast.parse(expression, mode="eval").body


@lru_cache(maxsize=64)
def _tree(file: str, text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except SyntaxError:
        return None


def _node(code: CodeType) -> ast.FunctionDef | ast.Lambda | None:
    """The syntax of a function, found in its file by its place."""
    linecache.checkcache(code.co_filename)
    text = "".join(linecache.getlines(code.co_filename))
    tree = _tree(code.co_filename, text) if text else None
    if tree is None:
        return None
    names = code.co_varnames[: code.co_argcount]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name and _first_line(node) == code.co_firstlineno:
            return node
        if not isinstance(node, ast.Lambda) or code.co_name != "<lambda>" or node.lineno != code.co_firstlineno:
            continue
        if tuple(a.arg for a in node.args.args) == names and _holds(node.body, code):
            return node
    return None


def _first_line(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])


def _holds(body: ast.expr, code: CodeType) -> bool:
    """Whether a lambda's instructions come from this expression: several lambdas may stand in one line."""
    spans = [(line, column, last, end) for line, last, column, end in code.co_positions() if end]  # some stand for nothing
    if not spans:
        return False
    first, last = min(s[:2] for s in spans), max(s[2:] for s in spans)
    return first >= (body.lineno, body.col_offset) and last <= (body.end_lineno, body.end_col_offset)  # type: ignore[operator]
