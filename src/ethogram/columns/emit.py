"""Writes a model's loops: one Python module of range kernels, made of the rules and of what the class declares.

A kernel is called as `kernel(begin, end, *arguments)`; the arguments are named by tags (`col:state`, `par:beta`), which the
world resolves before each call. In the text a tag is spelled `col__state`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType

from ethogram.columns.declare import Aggregate
from ethogram.columns.loops import Kernel, Loop, flagged
from ethogram.columns.model import Model
from ethogram.columns.source import arguments_of, source_of
from ethogram.columns.substeps import Each, Relocate, Substep, Whole

__all__ = ["Module", "write"]

HEAD = """\
# Written by ethogram.columns for the model {name}, and written anew when the model changes.
import heapq
import math

import numpy as np
from numba import njit

from ethogram.columns.kernels import ONE, ZERO, U, below, bit, met, permuted, stream, unit

"""
DECORATOR = "@njit(nogil=True, cache=CACHE, error_model='numpy')\n"


@dataclass
class Module:
    """A generated module: its text, its kernels, and the rules whose source is not to be had, by their names in the text."""

    text: str
    kernels: dict[str, Kernel]
    lost: dict[str, FunctionType]


def write(model: Model) -> Module:
    """The module of a model's kernels."""
    rules: dict[str, str] = {}
    lost: dict[str, FunctionType] = {}
    for name, rule in _rules(model):
        text = source_of(rule, name)
        if text is None:
            lost[name] = rule
            text = f"{name} = njit(error_model='numpy')(LOST[{name!r}])\n"
        rules[name] = text
    loops = [loop for a in model.aggregates.values() for loop in _of_aggregate(model, a)]
    loops += [loop for s in model.substeps.values() for loop in _of_substep(model, s)]
    parts = [HEAD.format(name=model.name), *rules.values(), *(DECORATOR + loop.text() for loop in loops)]
    return Module("\n".join(parts), {loop.kernel.name: loop.kernel for loop in loops}, lost)


def _rules(model: Model) -> Iterator[tuple[str, FunctionType]]:
    """All rules of a model, with their names in the text."""
    for name, aggregate in model.aggregates.items():
        yield f"of_{name}", aggregate.of
        if aggregate.where is not None:
            yield f"where_{name}", aggregate.where
    for name, substep in model.substeps.items():
        if not isinstance(substep, Whole):
            yield f"rule_{name}", substep.rule
        if isinstance(substep, Relocate):
            yield f"empty_{name}", substep.empty


def _of_aggregate(model: Model, aggregate: Aggregate) -> Iterator[Loop]:
    """The loops of an aggregate: all rows' sums; where it is read from a bitmap, also the bitmap, and the ties of who asks."""
    name = aggregate.name
    rows = Loop(model, f"{name}_rows")
    rows.sums([name])
    rows.add(2, f"{rows.use('out:result')}[at] = sum_{name}")
    yield rows
    if not flagged(model, aggregate):
        return
    flag = Loop(model, f"{name}_flag")
    theirs = [a.removeprefix("their_") for a in arguments_of(aggregate.of) if a not in model.parameters]
    words, n = flag.use(f"bits:{name}"), flag.use("n")
    test = flag.call(f"of_{name}", aggregate.of, {f"their_{c}": f"{flag.use('col:' + c)}[first + U(i)]" for c in theirs})
    flag.add(2, "word, first = ZERO, at * U(64)", f"for i in range(min(64, {n} - np.int64(first))):")
    flag.add(3, f"hit = ONE if {test} else ZERO", "word |= hit << U(i)", "found += np.int64(hit)")
    flag.add(2, f"{words}[at] = word")
    flag.finds = True
    yield flag
    if aggregate.over in model.networks:
        asks = Loop(model, f"{name}_asks")
        asks.finds = True
        ptr = asks.use(f"ptr:{aggregate.over}")
        condition = "True" if aggregate.where is None else asks.call(f"where_{name}", aggregate.where)
        asks.add(2, f"if {condition}:", f"    found += {ptr}[at + ONE] - {ptr}[at]")
        yield asks


def _of_substep(model: Model, substep: Substep) -> Iterator[Loop]:
    """The loops of a substep."""
    loop = Loop(model, substep.name)
    rule = f"rule_{substep.name}"
    if isinstance(substep, Each):
        loop.sums([a for a in arguments_of(substep.rule) if a in model.aggregates])
        result = loop.call(rule, substep.rule)
        loop.luck(2)
        outs = [f"{loop.use('out:' + c)}[at]" for c in substep.columns]
        loop.add(2, f"{', '.join(outs)} = {result}")
        loop.kernel.buffered = tuple(c for c in substep.columns if c in loop.across)
        yield loop
