"""What a model's class says, collected and checked when the class is made."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import FunctionType
from typing import ClassVar, TypeVar, get_origin

import numpy as np

from ethogram.columns.decisions import Decision
from ethogram.columns.declare import Aggregate, Column, Declared, Grid, Lever, Mixing, Observer, Parameter, Tally, Ties
from ethogram.columns.source import arguments_of, where_is
from ethogram.columns.substeps import ANYONE, Each, Pairs, Relocate, Scatter, Substep, Transfer, Turn, Whole
from ethogram.errors import ConfigError

__all__ = ["Model"]

D = TypeVar("D")
RESERVED = {"u", "u2", "u3", "row", "their_row", "step", "n", "weight", "now", "begin", "end", "key"}
"""Names that mean something in rules, or in the loops around them."""
LUCK = ("u", "u2", "u3")
KINDS = {"float": np.float64, "int": np.int64, "bool": np.bool_}


@dataclass
class Model:
    """The declarations of a model's class, by name and in the order of the class."""

    name: str
    declared: dict[str, Declared] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    """Names that all worlds use."""

    def of(self, kind: type[D]) -> dict[str, D]:
        """The declarations of a kind."""
        return {name: d for name, d in self.declared.items() if isinstance(d, kind)}

    def __post_init__(self) -> None:
        self.columns = self.of(Column)
        self.parameters = self.of(Parameter)
        self.networks = self.of(Ties)
        self.grids = self.of(Grid)
        self.mixings = self.of(Mixing)
        self.neighbourhoods = {**self.networks, **self.grids, **self.mixings}
        self.aggregates = self.of(Aggregate)
        self.substeps = self.of(Substep)
        self.tallies = self.of(Tally)
        self.observers = self.of(Observer)
        self.decisions = self.of(Decision)
        self.levers = {name: bounds for lever in self.of(Lever).values() for name, bounds in lever.bounds.items()}

    @classmethod
    def of_class(cls, owner: type) -> Model:
        """Collect and check the declarations of a class and of those it inherits from."""
        declared: dict[str, Declared] = {}
        for base in reversed(owner.__mro__):
            if base is not owner and "model" in vars(base):
                declared.update(vars(base)["model"].declared)
        for name, parameter in _annotated(owner):
            declared[name] = parameter
            parameter.name = name
            setattr(owner, name, parameter)
        declared.update({name: value for name, value in vars(owner).items() if isinstance(value, Declared)})
        above = [vars(base) for base in owner.__mro__[1:] if "model" not in vars(base)]
        taken = frozenset(name for names in above for name in (*names, *names.get("__annotations__", ()))) - {"state"}
        model = cls(owner.__name__, declared, taken)
        model.check()
        return model

    def check(self) -> None:
        """ConfigError in one sentence, where a declaration does not fit the others."""
        if taken := RESERVED & {*self.columns, *self.parameters, *self.aggregates, *self.neighbourhoods}:
            raise ConfigError(f"{self.name}: {min(taken)!r} has a meaning of its own in rules; choose another name")
        if theirs := [name for name in self.columns if name.startswith("their_")]:
            raise ConfigError(f"{self.name}: {theirs[0]!r} would mean a neighbour's {theirs[0][6:]!r}; choose another name")
        if hidden := [name for name in self.declared if name in self.taken]:
            raise ConfigError(f"{self.name}: {hidden[0]!r} is a part of every world; choose another name")
        if len(self.grids) > 1:
            raise ConfigError(f"{self.name}: {' and '.join(self.grids)} are two grids, and the rows are cells of one")
        for name, mixing in self.mixings.items():
            k = mixing.k
            if isinstance(k, str) and (k not in self.parameters or self.parameters[k].kind != np.int64):
                raise ConfigError(f"{self.name}.{name}: mixing({k!r}) names no whole-number parameter of the model")
            if isinstance(k, int) and k < 1:
                raise ConfigError(f"{self.name}.{name}: mixing({k}) must meet at least one other row")
        for aggregate in self.aggregates.values():
            self._check_aggregate(aggregate)
        for substep in self.substeps.values():
            self._check_substep(substep)
        for name, tally in self.tallies.items():
            if tally.of not in self.columns or self.columns[tally.of].dtype.kind == "f":
                raise ConfigError(f"{self.name}.{name}: tally({tally.of!r}) names no whole-number column of the model")
        for decision in self.decisions.values():
            self._check_decision(decision)
        for name, (low, high) in self.levers.items():
            if name not in self.parameters or self.parameters[name].array or not low <= high:
                raise ConfigError(f"{self.name}: lever {name!r} must be a number parameter, with bounds (low, high)")
        self._check_observed()

    def _check_observed(self) -> None:
        names = [n for names in self.observed().values() for n in names]
        if twice := {n for n in names if names.count(n) > 1} or {"panel"} & set(names):
            raise ConfigError(f"{self.name}: {min(twice)!r} is observed under the same name twice; rename one")

    def observed(self) -> dict[str, tuple[str, ...]]:
        """The names of what is observed, by tally or observer."""
        tallies = {name: tally.names for name, tally in self.tallies.items()}
        return {**tallies, **{name: observer.names or (name,) for name, observer in self.observers.items()}}

    def _check_aggregate(self, aggregate: Aggregate) -> None:
        where = f"{self.name}.{aggregate.name}"
        if aggregate.over not in self.neighbourhoods:
            known = ", ".join(self.neighbourhoods) or "none"
            raise ConfigError(f"{where}: {aggregate.over!r} is no neighbourhood of the model; it has: {known}")
        theirs = {f"their_{name}" for name in self.columns}
        self._known(aggregate.of, {*self.columns, *theirs, *self.parameters, "row", "their_row", "weight"}, where)
        if "weight" in arguments_of(aggregate.of) and aggregate.over not in self.networks:
            raise ConfigError(f"{where}: only ties of a network have a weight")
        if aggregate.where is not None:
            self._known(aggregate.where, {*self.columns, *self.parameters, "row"}, where)

    def _check_substep(self, substep: Substep) -> None:
        where = f"{self.name}.{substep.name}"
        for name in substep.writes:
            if name not in self.columns:
                known = ", ".join(self.columns) or "none"
                raise ConfigError(f"{where} writes {name!r}, which is no column of the model; it has: {known}")
        if twice := [name for name in substep.writes if substep.writes.count(name) > 1]:
            raise ConfigError(f"{where} writes column {twice[0]!r} twice")
        if isinstance(substep, Each | Pairs | Relocate) and not substep.writes:
            raise ConfigError(f"{where} names no column that it writes, as in @{type(substep).__name__.lower()}('state')")
        if isinstance(substep, Whole):
            return
        luck = {"row", "step", "n", *LUCK}
        if isinstance(substep, Pairs):
            theirs = {f"their_{name}" for name in self.columns}
            self._known(substep.rule, {*self.columns, *theirs, *self.parameters, *luck, "their_row"}, where)
        elif isinstance(substep, Turn):
            known = {*self.columns, *self.aggregates, *self.parameters, *self.networks, *luck, "now"}
            self._known(substep.rule, known, where)
            if substep.time is not None and (
                substep.time not in self.columns or self.columns[substep.time].dtype.kind != "f"
            ):
                raise ConfigError(f"{where}: the times of events must be a float column, not {substep.time!r}")
        else:
            self._known(substep.rule, {*self.columns, *self.aggregates, *self.parameters, *luck}, where)
        if isinstance(substep, Transfer | Scatter) and self.columns[substep.column].dtype == np.bool_:
            raise ConfigError(f"{where}: amounts are numbers, but column {substep.column!r} is bool")
        if isinstance(substep, Transfer) and substep.to not in {ANYONE, *self.networks, *self.mixings}:
            raise ConfigError(f"{where}: to={substep.to!r} is neither 'anyone' nor a network or mixing of the model")
        if isinstance(substep, Relocate):
            self._known(substep.empty, {*self.columns, *self.parameters}, where)

    def _check_decision(self, decision: Decision) -> None:
        where = f"{self.name}.{decision.name}"
        if decision.into not in self.columns or self.columns[decision.into].dtype.kind == "f":
            raise ConfigError(f"{where}: into={decision.into!r} is no whole-number column of the model")
        if len(decision.options) < 2 or decision.every < 1:
            raise ConfigError(f"{where}: there must be two options or more to decide between, every 1 step or more")
        numbers = {n for names in self.observed().values() for n in names}
        scalars = {name for name, parameter in self.parameters.items() if not parameter.array}
        if unknown := [name for name in decision.sees if name not in {*self.columns, *numbers, *scalars}]:
            raise ConfigError(f"{where} sees {unknown[0]!r}, which is no column, observed number or parameter of the model")

    def _known(self, rule: FunctionType, known: Iterable[str], where: str) -> None:
        names = set(known)
        for argument in arguments_of(rule):
            if argument not in names:
                listed = ", ".join(sorted(names))
                raise ConfigError(
                    f"{where}: {where_is(rule)} asks for {argument!r}, which is not there; it may name {listed}"
                )


def _annotated(owner: type) -> Iterator[tuple[str, Parameter]]:
    """The parameters of a class: its annotated numbers and arrays."""
    for name, annotation in inspect.get_annotations(owner).items():
        written = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
        if name == "n" or get_origin(annotation) is ClassVar or annotation is ClassVar or "ClassVar" in written:
            continue
        default = vars(owner).get(name)
        if isinstance(default, Declared):
            continue
        where = f"{owner.__name__}.{name}"
        if written in KINDS:
            parameter = Parameter(np.dtype(KINDS[written]), False)
        elif default is None:
            parameter = Parameter(np.dtype(np.float64), True)
        else:
            found = np.array(default)
            if found.dtype.kind not in "biuf":
                raise ConfigError(f"{where}: a parameter is a float, int, bool or an array of numbers, not {annotation}")
            kind = found.dtype if found.ndim else np.dtype({"b": np.bool_, "f": np.float64}.get(found.dtype.kind, np.int64))
            parameter = Parameter(kind, found.ndim > 0)
        parameter.name = name
        parameter.default = None if default is None else parameter.checked(default, owner.__name__)
        yield name, parameter
