"""Columns: a world whose agents are the rows of columns, and whose rules are compiled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import gymnasium.spaces as gs
import numpy as np
from numpy.typing import NDArray

from ethogram.columns.decisions import Desk
from ethogram.columns.engine import Engine
from ethogram.columns.luck import Luck
from ethogram.columns.model import Model
from ethogram.columns.sizes import free, refuse
from ethogram.columns.threads import Threads
from ethogram.errors import ConfigError
from ethogram.seeds import fresh_seed, generator
from ethogram.world import Agent, Step, World, intervention

if TYPE_CHECKING:
    from ethogram.populations.network import Network
    from ethogram.populations.population import Population

__all__ = ["OBSERVER", "Columns"]

OBSERVER = "observer"
"""The agent that sees the tallies and the numbers of all observers."""
PLACE = ("line", "cell")
"""Where a row of a grid is, in a panel."""


class Columns(World):
    """A population as columns: one number a row and column, changed by compiled rules, one substep after the other.

    A model is a subclass whose body says what there is: columns, parameters (annotated numbers), neighbourhoods, aggregates,
    substeps and observers. See `docs/columns.md`.

    Args:
        n: the number of rows; or (lines, cells a line) of a grid; or a `Population`, whose columns and networks of the
            model's names are taken.
        threads: how many threads run the rules; None: one for each core. Results do not depend on it.
        panel: so many rows, drawn once for all, are observed in full; those of a grid with their `line` and `cell`.
        **named: networks and parameters, by name.

    Raises:
        ConfigError: an argument is unknown, missing or of the wrong kind; or the class does not fit together.
    """

    model: ClassVar[Model]
    n: int = 1000
    """The number of rows; in a class, what is taken where the constructor is given none."""

    population: Population | None
    """What the world was built from, if it was a population."""
    shape: tuple[int, int]
    """Lines and cells a line of the grid; (1, n) where there is none."""
    threads: Threads
    direction: str | None
    """`pull` or `push`: how counts along networks are made; None: whichever is cheaper. The counts are the same."""
    networks: dict[str, Network]
    parameters: dict[str, Any]
    levels: dict[str, tuple[str, ...]]
    """What the values 0, 1, 2 ... of a column are called."""
    coded: dict[str, NDArray[Any]]
    """Columns of the population, as numbers."""
    luck: Luck
    step_number: int
    """The number of the step that comes next, or is under way."""
    state: Any  # pyright: ignore[reportIncompatibleMethodOverride]
    """Free for a column of this name, which models like to have (PettingZoo has an optional method `state`)."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.model = Model.of_class(cls)
        if "metadata" not in vars(cls):
            cls.metadata = {"name": cls.__name__.lower(), "render_modes": []}

    def __init__(
        self,
        n: int | tuple[int, int] | Population | None = None,
        *,
        threads: int | None = None,
        panel: int = 0,
        **named: Any,
    ) -> None:
        if type(self) is Columns:
            raise ConfigError("Columns is what models are subclasses of: write a class with columns and rules")
        self.population, self.shape = _rows(type(self), n)
        self.n = self.shape[0] * self.shape[1]
        self.threads = Threads(threads)
        self.direction = None
        self.networks = {name: self._network(name, named.pop(name, None)) for name in self.model.networks}
        self.parameters = {}
        self._take(named)
        self._begun_with = dict(self.parameters)
        self._data: dict[str, NDArray[Any]] = {}
        if not 0 <= panel <= self.n:
            raise ConfigError(f"{self.model.name}: panel is {panel}, and must be from 0 to the number of rows, {self.n}")
        if panel and self.shape[0] > 1 and (taken := self.model.columns.keys() & set(PLACE)):
            raise ConfigError(f"{self.model.name}: the panel of a grid has a column {min(taken)!r}: call yours otherwise")
        self._panel = np.sort(generator(0, "panel").choice(self.n, panel, replace=False)) if panel else None
        self._engine = Engine(self)
        self.luck = Luck(0)
        self.step_number = 0
        self.levels, self.coded = self._take_population()
        self._desks = [Desk(self, decision) for decision in self.model.decisions.values()]
        self.possible_agents = [OBSERVER, *(agent for desk in self._desks for agent in desk.agents)]
        self.agents = []
        self.observation_spaces = {OBSERVER: self._space()}
        self.action_spaces = {OBSERVER: self._levers()}
        for desk in self._desks:
            seen, done = desk.spaces()
            self.observation_spaces |= dict.fromkeys(desk.agents, seen)
            self.action_spaces |= dict.fromkeys(desk.agents, done)
        refuse(self.model.name, self.memory(), free())

    def start(self, rng: np.random.Generator) -> None:
        """Fill the columns at the beginning of an episode; override it where initial values do not say all."""

    def over(self) -> bool:
        """Whether the episode has ended, asked after every step; override it. Default: it never ends of itself."""
        return False

    def reward(self) -> float:
        """The observer's reward for the step just taken; override it where levers are to be learned."""
        return 0.0

    def column(self, name: str) -> NDArray[Any]:
        """A column's array, shape (n,)."""
        if name not in self._data:
            raise ConfigError(f"{type(self).__name__}: column {name!r} has no values yet; reset the world first")
        return self._data[name]

    def exchange(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        """Put another array in the place of a column; the old one."""
        old, self._data[name] = self._data[name], array
        return old

    def aggregate(self, name: str) -> NDArray[Any]:
        """An aggregate of all rows as things are now, shape (n,): int64 of a count, float64 of a total."""
        return self._engine.aggregate(name)

    def tally(self, name: str) -> dict[str, int]:
        """The counts of a tally as things are now."""
        tally = self.model.tallies[name]
        counts = self._engine.tally(self.column(tally.of), len(tally.names))
        return dict(zip(tally.names, counts.tolist(), strict=True))

    def memory(self) -> dict[str, int]:
        """What a run will take, in bytes by part, networks included, which are there already."""
        return self._engine.memory()

    @property
    def now(self) -> float | None:
        """The number of steps taken."""
        return float(self.step_number)

    @intervention
    def set(self, **parameters: Any) -> None:
        """Set parameters from this step on; the next episode begins with those of the constructor again."""
        self._take(parameters, changing=True)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Begin an episode."""
        seed = fresh_seed() if seed is None else seed
        super().reset(seed)
        self.luck, self.step_number = Luck(seed), 0
        self.parameters = dict(self._begun_with)
        self._fill()
        self.start(generator(seed, "start"))
        return self.observe(), {agent: {} for agent in self.agents}

    def step(self, actions: Mapping[Agent, Any]) -> Step:
        """Carry out what was decided, then run all substeps once."""
        for desk in self._desks:
            if asked := desk.acting():
                desk.decide({agent: actions[agent] for agent in asked if agent in actions})
        if self.model.levers and OBSERVER in actions:
            self._take({name: float(value) for name, value in actions[OBSERVER].items()}, changing=True)
        for substep in self.model.substeps.values():
            self._engine.run(substep)
        self.step_number += 1
        seen, ended, alive = self.observe(), bool(self.over()), list(self.agents)
        rewards = dict.fromkeys(alive, 0.0) | {OBSERVER: float(self.reward())}
        if ended:
            self.agents = []
        return seen, rewards, dict.fromkeys(alive, ended), dict.fromkeys(alive, False), {agent: {} for agent in alive}

    def observe(self) -> dict[Agent, Any]:
        """What the agents see now."""
        numbers = self._observed()
        seen: dict[Agent, Any] = {OBSERVER: numbers}
        for desk in self._desks:
            seen |= desk.observe(numbers)
        return seen

    @property
    def acting(self) -> list[Agent]:
        """The observer, and whom the decisions of this step are for."""
        if not self.agents:
            return []
        return [OBSERVER, *(agent for desk in self._desks for agent in desk.acting())]

    def idle(self, agent: Agent) -> Any:
        """Levers stay as they are, and everybody keeps to what was decided before."""
        if agent in self.model.decisions:
            return self.column(self.model.decisions[agent].into).copy()
        if agent == OBSERVER and self.model.levers:
            return {name: np.array(self.parameters[name], np.float64) for name in self.model.levers}
        return super().idle(agent)

    def state_dict(self) -> dict[str, Any]:
        """Columns, parameters, step and seed."""
        return {
            **super().state_dict(),
            "seed": self.luck.seed,
            "step": self.step_number,
            "parameters": {name: np.copy(v) if isinstance(v, np.ndarray) else v for name, v in self.parameters.items()},
            "columns": {name: array.copy() for name, array in self._data.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back a state that `state_dict` gave."""
        super().load_state_dict(state)
        self.luck, self.step_number = Luck(state["seed"]), state["step"]
        self.parameters = {n: np.copy(v) if isinstance(v, np.ndarray) else v for n, v in state["parameters"].items()}
        self._data = {name: np.array(array) for name, array in state["columns"].items()}
        for desk in self._desks:
            desk.fill_awaited()

    def _take(self, named: Mapping[str, Any], changing: bool = False) -> None:
        """Set parameters; those that are not named keep their default unless others are being changed."""
        model = self.model
        if unknown := named.keys() - model.parameters.keys():
            known = ", ".join([*model.parameters, *([] if changing else model.networks)]) or "none"
            raise ConfigError(f"{model.name} has no parameter {min(unknown)!r}; it has: {known}")
        for name, parameter in model.parameters.items():
            if name in named:
                self.parameters[name] = parameter.checked(named[name], model.name)
            elif not changing and parameter.default is None:
                raise ConfigError(f"{model.name} needs the parameter {name!r}: {model.name}(..., {name}=...)")
            elif not changing:
                self.parameters[name] = parameter.default

    def _network(self, name: str, given: Network | None) -> Network:
        """The network of a name: given, or of the population, or the model's default."""
        model = self.model
        if given is None and self.population is not None:
            given = self.population.networks.get(name)
        if given is None and (default := model.networks[name].default) is not None:
            given = default(self.n)
        if given is None:
            raise ConfigError(f"{model.name} needs the network {name!r}: {model.name}(n, {name}=...)")
        if not hasattr(given, "indptr"):
            raise ConfigError(f"{model.name}: {name!r} must be a Network, not {type(given).__name__}")
        if len(given) != self.n:
            raise ConfigError(f"{model.name}: network {name!r} has {len(given)} nodes, but there are {self.n} rows")
        weighted = [a.name for a in model.aggregates.values() if a.over == name and "weight" in a.of.__code__.co_varnames]
        if weighted and given.weights is None:
            raise ConfigError(f"{model.name}: {weighted[0]!r} asks for the weight of ties, but {name!r} has no weights")
        return given

    def _take_population(self) -> tuple[dict[str, tuple[str, ...]], dict[str, NDArray[Any]]]:
        """The names of levels by column; and the population's columns that the model asks for, as numbers."""
        model = self.model
        levels = {name: column.levels for name, column in model.columns.items() if column.levels}
        wanted = {*model.columns, *(name for decision in model.decisions.values() for name in decision.by)}
        if self.population is None:
            return levels, {}
        from ethogram.columns.people import coded

        return coded(self.population, sorted(wanted), levels, model.name)

    def _fill(self) -> None:
        """Allocate the columns where they are not there yet, and give them their initial values."""
        for name, column in self.model.columns.items():
            if name not in self._data:
                self._data[name] = np.empty(self.n, column.dtype)
            self._data[name][:] = self.coded.get(name, column.initial)

    def _space(self) -> gs.Dict:
        counts = [n for tally in self.model.tallies.values() for n in tally.names]
        numbers = [n for name in self.model.observers for n in self.model.observed()[name]]
        spaces: dict[str, gs.Space[Any]] = {name: gs.Box(0, self.n, (), np.int64) for name in counts}
        spaces |= {name: gs.Box(-np.inf, np.inf, (), np.float64) for name in numbers}
        if not spaces:  # an observation must have something in it
            spaces = {"rows": gs.Box(0, self.n, (), np.int64)}
        if self._panel is not None:
            rows = (len(self._panel),)
            places = {"row": self.n, **(dict(zip(PLACE, self.shape, strict=True)) if self.shape[0] > 1 else {})}
            seen: list[tuple[str, gs.Space[Any]]] = [(name, gs.Box(0, n - 1, rows, np.int64)) for name, n in places.items()]
            seen += [(name, _bounds(column.dtype, rows)) for name, column in self.model.columns.items()]
            spaces["panel"] = gs.Dict(seen)
        return gs.Dict(list(spaces.items()))

    def _levers(self) -> gs.Space[Any]:
        if not self.model.levers:
            return gs.Discrete(1)
        return gs.Dict([(name, gs.Box(low, high, (), np.float64)) for name, (low, high) in self.model.levers.items()])

    def _observed(self) -> dict[str, Any]:
        """What the agent `observer` sees."""
        seen: dict[str, Any] = {}
        for name in self.model.tallies:
            seen |= {key: np.array(value, np.int64) for key, value in self.tally(name).items()}
        for name, observer in self.model.observers.items():
            found = getattr(self, name)()
            numbers = found if observer.names else {name: found}
            if not isinstance(numbers, Mapping) or set(numbers) != set(observer.names or (name,)):
                wanted = f"a dict of {', '.join(observer.names)}" if observer.names else "a number"
                raise ConfigError(f"{self.model.name}.{name} must return {wanted}: an observer of a dict names its keys")
            try:
                seen |= {key: np.array(float(value)) for key, value in numbers.items()}
            except (TypeError, ValueError):
                raise ConfigError(f"{self.model.name}.{name} must return numbers, not {str(found)[:60]}") from None
        seen = seen or {"rows": np.array(self.n, np.int64)}
        if self._panel is not None:
            seen["panel"] = dict[str, Any](row=self._panel.copy())
            if self.shape[0] > 1:
                seen["panel"] |= zip(PLACE, divmod(self._panel, self.shape[1]), strict=True)
            for name in self.model.columns:
                values = self.column(name)
                seen["panel"][name] = (values.view(np.int8) if values.dtype == np.bool_ else values)[self._panel]
        return seen


def _bounds(dtype: np.dtype[Any], shape: tuple[int, ...]) -> gs.Box:
    """The space of some rows of a column."""
    if dtype.kind == "b":
        return gs.Box(0, 1, shape, np.int8)
    if dtype.kind == "f":
        return gs.Box(-np.inf, np.inf, shape, dtype.type)
    return gs.Box(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype.type)


def _rows(model: type[Columns], n: Any) -> tuple[Population | None, tuple[int, int]]:
    """The population, if one is given, and the shape of the grid; (1, n) where there is none."""
    population = n if hasattr(n, "table") and hasattr(n, "networks") else None
    n = model.n if n is None else len(n) if population is not None else n
    gridded = bool(model.model.grids)
    if isinstance(n, tuple | list) and len(n) == 2 and gridded:
        shape = (int(n[0]), int(n[1]))
    elif isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 1:
        side = round(float(n) ** 0.5)
        if gridded and side * side != n:
            raise ConfigError(f"{model.__name__}: {n} cells make no square grid; give its shape, (lines, cells a line)")
        shape = (side, side) if gridded else (1, int(n))
    else:
        wanted = "a number of cells or a shape (lines, cells)" if gridded else "a number of rows from 1, or a Population"
        raise ConfigError(f"{model.__name__}({str(n)[:60]}): the first argument must be {wanted}")
    if gridded and min(shape) < 3:
        raise ConfigError(f"{model.__name__}: a grid has at least 3 lines of 3 cells, not {shape[0]} of {shape[1]}")
    return population, shape
