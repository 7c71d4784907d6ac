"""Writes a model's loops: one Python module of range kernels, made of the rules and of what the class declares.

A kernel is called as `kernel(begin, end, *arguments)`; the arguments are named by tags (`col:state`, `par:beta`), which the
world resolves before each call. In the text a tag is spelled `col__state`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FunctionType

from ethogram.columns.declare import Aggregate
from ethogram.columns.loops import Kernel, Loop, flagged
from ethogram.columns.model import LUCK, Model
from ethogram.columns.source import arguments_of, is_one_or_none, returns_value, source_of
from ethogram.columns.substeps import Each, Pairs, Relocate, Scatter, Substep, Transfer, Turn, Whole

__all__ = ["Module", "write"]

HEAD = """\
# Written by ethogram.columns for the model {name}, and written anew when the model changes.
import heapq
import math

import numpy as np
from numba import njit

from ethogram.columns.kernels import (
    ONE, PAGE, ZERO, U, below, bit, close_pages, met, number, open_pages, permuted, stream, unit
)

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
    """The loops of an aggregate: all rows' sums; where it is read from a bitmap, that, and the ties of who asks."""
    name = aggregate.name
    rows = Loop(model, f"{name}_rows")
    rows.sums([name])
    rows.add(2, f"{rows.use('all:result')}[at] = sum_{name}")
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
    if isinstance(substep, Whole):
        return
    loop = Loop(model, substep.name)
    rule = f"rule_{substep.name}"
    named = [a for a in arguments_of(substep.rule) if a in model.aggregates]
    if isinstance(substep, Each):
        loop.sums(named)
        result = loop.call(rule, substep.rule)
        loop.luck(2)
        _write_new(loop, [(loop.out(c), c) for c in substep.columns], result)
    elif isinstance(substep, Transfer):
        _write_transfer(loop, substep, rule, named)
    elif isinstance(substep, Scatter):
        loop.sums(named)
        result = loop.call(rule, substep.rule)
        loop.luck(2)
        loop.add(2, f"target, amount = {result}", f"amount = number(amount, {_like(loop, substep.column)})")
        loop.add(2, f"moves = amount != 0 and 0 <= target < {loop.use('n')}")
        loop.add(2, "target = target if moves else 0")
        _write_put(loop)
    elif isinstance(substep, Relocate):
        loop.add(
            2, f"if {loop.call('empty_' + substep.name, substep.empty)}:", f"    {loop.use('all:marks')}[at] = 2", "else:"
        )
        loop.sums(named, 3)
        result = loop.call(rule, substep.rule)
        loop.luck(3)
        loop.add(3, f"all__marks[at] = 1 if {result} else 0")
    elif isinstance(substep, Pairs):
        _write_pairs(loop, substep, rule)
    elif isinstance(substep, Turn):
        _write_turn(loop, substep, rule, named)
    loop.kernel.buffered = tuple(c for c in substep.writes if c in loop.across and not isinstance(substep, Relocate | Turn))
    yield loop


def _write_new(loop: Loop, places: Sequence[tuple[str, str]], result: str) -> None:
    """Put what a rule returns to its places, each with the column that it is of."""
    names = [f"new_{i}" for i in range(len(places))]
    loop.add(2, f"{', '.join(names)} = {result}")
    loop.add(2, *(f"{place} = number({name}, {_like(loop, c)})" for name, (place, c) in zip(names, places, strict=True)))


def _like(loop: Loop, column: str) -> str:
    """A number of a column's kind."""
    return "0.0" if loop.model.columns[column].dtype.kind == "f" else "0"


def _write_transfer(loop: Loop, substep: Transfer, rule: str, named: Sequence[str]) -> None:
    """What leaves a row, and for which other."""
    loop.sums(named)
    loop.mine(substep.column)
    result = loop.call(rule, substep.rule)
    loop.luck(2)
    loop.add(2, f"amount = number({result}, {_like(loop, substep.column)})", "moves = amount != 0")
    if substep.to in loop.model.networks:
        ptr, idx = loop.use(f"ptr:{substep.to}"), loop.use(f"idx:{substep.to}")
        loop.add(
            2, f"ties = {ptr}[at + ONE] - {ptr}[at]", "target = np.int64(at)", "if ties == 0:", "    moves = False", "else:"
        )
        loop.add(3, f"target = np.int64({idx}[U({ptr}[at] + below(key_to, at, ties))])")
    elif substep.to in loop.model.mixings:
        loop.add(2, f"target = met({loop.use('luck:' + substep.to)}, np.int64(at), 0, {loop.use('n')})")
    else:
        loop.add(2, f"target = below(key_to, at, {loop.use('n')})")
    if substep.to not in loop.model.mixings:
        loop.before.append(f"key_to = stream({loop.use('key')}, {len(LUCK)})")
    mine = f"my_{substep.column}"
    loop.add(2, f"{loop.out(substep.column)} = {mine} - amount if moves else {mine}")
    _write_put(loop, not is_one_or_none(substep.rule))


def _write_put(loop: Loop, amounts: bool = True) -> None:
    """Append an amount to the page of its destination's block: without a branch, but for where a page is full.

    It is written out, as a function that is handed eight arrays takes five times as long.
    """
    opened = ", ".join(loop.use(f"mail:{what}") for what in ("starts", "first", "owner", "following", "blocks"))
    loop.before.append(f"piece, slots = open_pages(begin, {opened})")
    shift, to, filled = (loop.use(f"mail:{what}") for what in ("shift", "to", "filled"))
    loop.add(2, f"block = U(target) >> {shift}", "slot = slots[block]", f"{to}[slot] = target")
    if amounts:
        loop.add(2, f"{loop.use('mail:amounts')}[slot] = amount")
    loop.add(2, "slot += ONE if moves else ZERO", "if slot % PAGE == ZERO and moves:")
    loop.add(3, f"{filled}[slot // PAGE - ONE] = PAGE", "page = mail__following[piece]")
    loop.add(3, "mail__following[piece] = page + 1", "mail__owner[page] = block", "slot = U(page) * PAGE")
    loop.add(2, "slots[block] = slot")
    loop.after.append(f"close_pages(slots, {filled})")


def _write_pairs(loop: Loop, substep: Pairs, rule: str) -> None:
    """Two rows that meet."""
    order, n = loop.use("order"), loop.use("n")
    loop.head = ["for pair in range(begin, end):"]
    loop.head += [f"    at, other = U(permuted({order}, 2 * pair, {n})), U(permuted({order}, 2 * pair + 1, {n}))"]
    names = [a for a in arguments_of(substep.rule) if a.startswith("their_") and a != "their_row"]
    bound = {name: f"{loop.use('col:' + name.removeprefix('their_'))}[other]" for name in names}
    result = loop.call(rule, substep.rule, {**bound, "their_row": "np.int64(other)"})
    loop.luck(2)
    outs = [(f"{loop.use('col:' + c)}[{whose}]", c) for whose in ("at", "other") for c in substep.columns]
    _write_new(loop, outs, result)


def _write_turn(loop: Loop, substep: Turn, rule: str, named: Sequence[str]) -> None:
    """One row after the other, in a loop that is not shared out."""
    if substep.time is not None:
        _write_events(loop, substep, substep.time, rule, named)
        return
    row = "place" if substep.order == "fixed" else f"permuted({loop.use('order')}, place, {loop.use('n')})"
    loop.head = ["for place in range(begin, end):", f"    row = {row}", "    at = U(row)"]
    result = _turn_of_row(loop, substep, rule, named, f"np.float64({loop.use('step')})")
    loop.luck(2)
    loop.add(2, result)


def _write_events(loop: Loop, substep: Turn, column: str, rule: str, named: Sequence[str]) -> None:
    """Rows in the order of their times, which they may change: a heap in which outdated entries are left to be skipped."""
    time = loop.use(f"col:{column}")
    loop.before += [f"until = {loop.use('step')} + 1.0", "queue = [(0.0, 0) for none in range(0)]", "turns = ZERO"]
    loop.before += ["for row in range(begin, end):", f"    if {time}[row] < until:"]
    loop.before += [f"        queue.append((np.float64({time}[row]), row))", "heapq.heapify(queue)"]
    loop.head = ["while len(queue) > 0:", "    now, row = heapq.heappop(queue)", "    at = U(row)"]
    loop.head += [f"    if {time}[at] != now:", "        continue", f"    {time}[at] = np.inf"]
    result = _turn_of_row(loop, substep, rule, named, "now")
    loop.luck(2, "turns")
    loop.finds = True
    again = returns_value(substep.rule)
    loop.add(2, f"changed = {result}" if again else result, "turns += ONE")
    loop.add(2, f"if not {time}[at] > now:", "    found = row + 1", "    break")
    loop.add(2, f"if {time}[at] < until:", f"    heapq.heappush(queue, (np.float64({time}[at]), row))")
    if again:
        loop.add(2, f"if 0 <= changed < {loop.use('n')} and changed != row and {time}[changed] < until:")
        loop.add(3, f"heapq.heappush(queue, (np.float64({time}[changed]), np.int64(changed)))")


def _turn_of_row(loop: Loop, substep: Turn, rule: str, named: Sequence[str], now: str) -> str:
    """What a row's turn needs, and the call of its rule."""
    loop.sums(named, bitmaps=False)
    arguments = arguments_of(substep.rule)
    bound = {c: loop.use(f"col:{c}") for c in loop.model.columns if c in arguments}
    for name in loop.model.networks:
        if name in arguments:
            ptr, idx = loop.use(f"ptr:{name}"), loop.use(f"idx:{name}")
            bound[name] = f"{idx}[{ptr}[at]:{ptr}[at + ONE]]"
    return loop.call(rule, substep.rule, {**bound, "row": "row", "now": now})
