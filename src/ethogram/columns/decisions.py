"""Decisions: where a model asks policies, and how individuals draw from the answer to their group.

A decision with `by` has one agent for each archetype, that is each combination of those columns that people have; it acts
with the shares of the options, from which each individual draws its own. So there are as many calls as archetypes, however
many people there are. A decision without `by` has one agent, whose action is a column: the option of every row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import gymnasium.spaces as gs
import numpy as np
from numpy.typing import NDArray

from ethogram.columns.declare import Declared
from ethogram.columns.spaces import Column, shares_of
from ethogram.errors import ConfigError
from ethogram.policy import Coded, Policy
from ethogram.world import Agent

if TYPE_CHECKING:
    from ethogram.columns.world import Columns

__all__ = ["Decision", "Desk", "decision", "with_observer"]


@dataclass(eq=False)
class Decision(Declared):
    """Something that policies decide for the rows."""

    options: tuple[str, ...]
    into: str
    by: tuple[str, ...]
    sees: tuple[str, ...]
    every: int
    question: str

    def __get__(self, world: Any, owner: type | None = None) -> Any:
        return self


def decision(
    options: Sequence[str],
    into: str,
    by: Sequence[str] = (),
    sees: Sequence[str] = (),
    every: int = 1,
    question: str = "",
) -> Any:
    """A decision that policies make for all rows, before the substeps of a step.

    With `by`, agents are called `name:age=young,area=Queens` for a decision of this name; each observes `Asked` and acts
    with numbers in proportion to the shares of the options (all 0: its people keep what they chose before). Each individual
    draws its option from its group's shares. Without `by` there is one agent of the decision's name. It observes a dict of
    what it `sees`, columns in full, and acts with a `Column` of the numbers of options.

    Args:
        options: what can be chosen; their numbers are 0, 1, 2 ...
        into: the column that holds the number of each row's option.
        by: columns (of the model with `levels`, or of the population's table) that make people alike.
        sees: what those know who are asked: tallies' and observers' numbers, parameters, and columns (a group: their mean).
        every: it is decided at every so many steps, from the first on.
        question: what is to be decided, in words; by default the decision's name.
    """
    return Decision(tuple(options), into, tuple(by), tuple(sees), every, question)


class Desk:
    """One decision of one world: whom it asks, what they see, and what becomes of their answers.

    Args:
        world: the world.
        decision: its decision.
    """

    def __init__(self, world: Columns, decision: Decision) -> None:
        self.world, self.decision = world, decision
        self.name, self.options = decision.name, len(decision.options)
        self._levels = [_levels(world, decision, name) for name in decision.by]
        self._fixed = [name not in world.model.columns for name in decision.by]
        sizes = [len(levels) for levels in self._levels]
        known = [world.coded.get(name) for name in decision.by]
        present = _present(known, sizes)
        self._place = np.full(int(np.prod(sizes)), -1, np.int32)
        """The archetype of each combination of levels; -1 where nobody has it."""
        self._place[present] = np.arange(len(present))
        self._who: list[dict[str, str]] = []
        for code in present:
            levels = np.unravel_index(code, sizes) if sizes else ()
            self._who.append({b: ls[int(i)] for b, ls, i in zip(decision.by, self._levels, levels, strict=True)})
        self.agents = [self._agent(who) for who in self._who] if decision.by else [self.name]
        self._groups: NDArray[np.int32] | None = None
        self._counts = np.zeros(len(self.agents), np.int64)

    def _agent(self, who: Mapping[str, str]) -> Agent:
        return f"{self.name}:{','.join(f'{k}={v}' for k, v in who.items())}"

    def spaces(self) -> tuple[gs.Space[Any], gs.Space[Any]]:
        """The spaces of observations and of actions."""
        if self.decision.by:
            from ethogram.columns.asked import Asked
            from ethogram.spaces import Typed

            return Typed(Asked), gs.Box(0, 1, (self.options,), np.float64)
        model, n = self.world.model, self.world.n
        seen: list[tuple[str, gs.Space[Any]]] = []
        for name in self.decision.sees:
            column = model.columns.get(name)
            seen.append((name, gs.Box(-np.inf, np.inf, (), np.float64) if column is None else Column(n, column.dtype)))
        seen = seen or [("people", gs.Box(0, n, (), np.int64))]
        return gs.Dict(seen), Column(n, model.columns[self.decision.into].dtype, 0, self.options - 1)

    def acting(self) -> list[Agent]:
        """Who is asked before the step that comes next."""
        if self.world.step_number % self.decision.every:
            return []
        if not self.decision.by:
            return self.agents
        self.groups()
        return [agent for agent, people in zip(self.agents, self._counts, strict=True) if people]

    def groups(self) -> NDArray[np.int32]:
        """The archetype of each row, int32, shape (n,)."""
        if self._groups is not None and all(self._fixed):
            return self._groups
        code = np.zeros(self.world.n, np.int32)
        for name, levels, fixed in zip(self.decision.by, self._levels, self._fixed, strict=True):
            values = self.world.coded[name] if fixed else self.world.column(name)
            if not fixed and (values.min() < 0 or values.max() >= len(levels)):
                raise ConfigError(f"{self.world.model.name}.{self.name}: column {name!r} holds a value that has no level")
            code *= len(levels)
            code += values.astype(np.int32, copy=False)
        groups = self._place[code]
        self._counts = np.bincount(groups, minlength=len(self.agents))
        self._groups = groups
        return groups

    def observe(self, numbers: Mapping[str, Any]) -> dict[Agent, Any]:
        """What each agent sees now; `numbers` are those that the observer sees."""
        world, sees = self.world, self.decision.sees
        facts = {
            name: float(numbers[name] if name in numbers else world.parameters[name]) for name in sees if self._fact(name)
        }
        if not self.decision.by:
            seen = {n: np.array(facts[n]) if n in facts else world.column(n).copy() for n in sees}
            return {self.name: seen or {"people": np.array(world.n, np.int64)}}
        from ethogram.columns.asked import Asked

        groups = self.groups()
        means = {}
        for name in sees:
            if name not in facts:
                sums = np.bincount(groups, world.column(name).astype(np.float64), len(self.agents))
                means[name] = sums / np.maximum(self._counts, 1)
        question = self.decision.question or self.name
        return {
            agent: Asked(
                decision=question,
                options=self.decision.options,
                who=who,
                facts={name: float(means[name][i]) if name in means else facts[name] for name in sees},
                people=int(self._counts[i]),
            )
            for i, (agent, who) in enumerate(zip(self.agents, self._who, strict=True))
        }

    def _fact(self, name: str) -> bool:
        return name not in self.world.model.columns

    def fill_awaited(self) -> None:
        """Fill columns that were read from a record with what they are now."""
        space = self.world.observation_spaces[self.agents[0]]
        for name, part in space.spaces.items() if isinstance(space, gs.Dict) else ():
            if isinstance(part, Column):
                for array in part.awaited:
                    array[:] = self.world.column(name)
                part.awaited.clear()
        self._groups = None

    def decide(self, actions: Mapping[Agent, Any]) -> None:
        """Carry out the answers of those who were asked."""
        into = self.world.column(self.decision.into)
        if not self.decision.by:
            if self.name in actions:
                into[:] = actions[self.name]
            return
        bounds = np.full((len(self.agents), self.options), np.nan)
        for i, agent in enumerate(self.agents):
            shares = shares_of(actions[agent], self.options) if agent in actions else None
            if shares is not None:
                bounds[i] = np.cumsum(shares)
                bounds[i, np.flatnonzero(shares)[-1] :] = 1.0
        from ethogram.columns.kernels import choose

        key = self.world.luck.key(self.name, self.world.step_number)
        self.world.threads.run(choose, self.world.threads.even(self.world.n), (into, self.groups(), bounds, key))


def _levels(world: Columns, decision: Decision, name: str) -> Sequence[str]:
    """The names of the values of a column that groups are made by."""
    if name in world.levels:
        return world.levels[name]
    raise ConfigError(
        f"{world.model.name}.{decision.name}: by={name!r} must be a column with levels, column('int8', levels=(...)), or a "
        "column of the population that the world is built from"
    )


def _present(known: Sequence[NDArray[Any] | None], sizes: Sequence[int]) -> NDArray[np.int64]:
    """The combinations of levels that rows have, as numbers; of columns not known before the start, all levels."""
    rows = [k for k in known if k is not None]
    if not rows:
        return np.arange(int(np.prod(sizes)))
    found = np.unique(np.stack(rows), axis=1).T if len(rows) > 1 else np.unique(rows[0])[:, None]
    combos = []
    for combination in found:
        of_rows = iter(combination)
        parts = [[int(next(of_rows))] if k is not None else range(size) for k, size in zip(known, sizes, strict=True)]
        combos += [int(np.ravel_multi_index(c, tuple(sizes))) for c in product(*parts)]
    return np.array(sorted(combos), np.int64)


def with_observer(policies: Policy | Mapping[Agent, Policy]) -> Callable[[Agent], Policy]:
    """Policies for a model's decisions, and one for its observer, which has nothing to decide.

    It is called as in `simulate(world, with_observer(policy))`.

    Args:
        policies: one policy for all decisions, or one for each decision by its name (`work` for all `work:age=...`).

    Raises:
        ConfigError: when it is asked for the policy of a decision that is not there.
    """
    watching = Coded(lambda seen, space: space.start)

    def find(agent: Agent) -> Policy:
        if isinstance(policies, Policy):
            return watching if agent == "observer" else policies
        name = agent.partition(":")[0]
        if name not in policies and name != "observer":
            raise ConfigError(f"decision {name!r} has no policy: add it to the mapping of policies")
        return policies.get(name, watching)

    return find
