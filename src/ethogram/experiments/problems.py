"""What there is to calibrate: a simulator, what is believed of its parameters before, and simulations of it.

Parameters are reckoned in standard normal scores: score z stands for the value at the prior's quantile Φ(z). So all of them
are unbounded and alike in size while they are searched, and within their bounds whatever the search does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from ethogram.errors import ConfigError, DataError, RunError
from ethogram.experiments.cells import Cell, Measure, Result, numbers
from ethogram.experiments.executors import Executor, executor
from ethogram.experiments.keeping import identity, kept_outcomes
from ethogram.measures import Estimate
from ethogram.measures.estimate import check_level
from ethogram.scene import Scene
from ethogram.seeds import derive, generator
from ethogram.simulation.progress import bar

if TYPE_CHECKING:
    import polars as pl

__all__ = ["LogUniform", "Posterior", "Prior", "Problem", "SceneSimulator", "Simulator", "Uniform"]

Array = np.ndarray[Any, Any]

Simulator = Callable[[dict[str, float], int], "Mapping[str, float | Sequence[float]]"]
"""From parameters by name and a seed to numbers and series by name: what is observed of reality too."""


class Prior(Protocol):
    """What is believed of a parameter before anything is observed."""

    def quantile(self, u: Array) -> Array:
        """The value below which it lies with probability u."""
        ...

    def cdf(self, value: Array) -> Array:
        """The probability that it lies below a value."""
        ...


class Uniform(NamedTuple):
    """Uniform between two bounds."""

    low: float
    high: float

    def quantile(self, u: Array) -> Array:
        """Linear in u."""
        return self.low + (self.high - self.low) * np.asarray(u)

    def cdf(self, value: Array) -> Array:
        """Linear between the bounds."""
        return np.clip((np.asarray(value) - self.low) / (self.high - self.low), 0, 1)


class LogUniform(NamedTuple):
    """Uniform in the logarithm, between two positive bounds: for rates and sizes whose order of magnitude is unknown."""

    low: float
    high: float

    def quantile(self, u: Array) -> Array:
        """Exponential in u."""
        return np.exp(math.log(self.low) + math.log(self.high / self.low) * np.asarray(u))

    def cdf(self, value: Array) -> Array:
        """Linear in the logarithm between the bounds."""
        return np.clip(np.log(np.asarray(value) / self.low) / math.log(self.high / self.low), 0, 1)


@dataclass(frozen=True)
class SceneSimulator:
    """A scene as a simulator: parameters are arguments of the scene, a measure of its run is what is observed.

    Args:
        scene: a function marked `@scene`.
        measure: from a run to numbers and series by name.
        steps: of each run; None: until the world ends it.
        arguments: of the scene, that are not to be calibrated.
    """

    scene: Callable[..., Scene]
    measure: Measure
    steps: int | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, parameters: dict[str, float], seed: int) -> Result:
        """One simulation."""
        return self._cell(parameters, seed).compute()

    @property
    def identity(self) -> dict[str, Any]:
        """What tells it from other simulators."""
        return self._cell({}, 0).recipe

    def _cell(self, parameters: dict[str, float], seed: int) -> Cell:
        return Cell("simulation", self.scene, {**self.arguments, **parameters}, self.measure, seed, self.steps)


@dataclass(frozen=True)
class Simulation:
    """One call of a simulator, as a task."""

    simulator: Simulator
    parameters: dict[str, float]
    seed: int

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """What another process must be able to find."""
        return (self.simulator,)

    @property
    def recipe(self) -> dict[str, Any]:
        """All that the result depends on."""
        return {"simulator": identity(self.simulator), "parameters": self.parameters, "seed": self.seed}

    def compute(self) -> Result:
        """What is observed of it."""
        return numbers(self.simulator(self.parameters, self.seed), "the simulator")


@dataclass(frozen=True)
class Problem:
    """Parameters of a simulator that are to be found from what is observed.

    Args:
        simulator: a function from parameters and seed to series, or a `SceneSimulator`. Where other processes simulate, it
            must be defined at the top of a module.
        priors: by parameter.
        transform: of what is simulated and observed, before the two are compared, as `numpy.sqrt` for counts (which then
            vary alike whatever their size); None: none.
        workers: how many processes simulate; or an executor such as `Ray(…)`. It does not change what comes out.
        to: a folder that keeps what every simulation gave. A calibration that was cut short and is begun again with the same
            seed finds there what it simulated, and soon is where it was. Where something changed that the simulator calls,
            take another folder.

    Raises:
        ConfigError: there are no parameters, or bounds are not in order.
    """

    simulator: Simulator
    priors: Mapping[str, Prior]
    transform: Callable[[Array], Array] | None = None
    workers: int | Executor = 1
    to: str | Path | None = None

    def __post_init__(self) -> None:
        if not self.priors:
            raise ConfigError("a calibration needs parameters: give priors={'beta': Uniform(0, 1)}")
        for name, prior in self.priors.items():
            least = 0 if isinstance(prior, LogUniform) else -math.inf
            if isinstance(prior, Uniform | LogUniform) and not least < prior.low < prior.high < math.inf:
                raise ConfigError(f"the bounds of {name!r} are {prior.low} and {prior.high}, and must be finite and rise")

    @property
    def names(self) -> list[str]:
        """The parameters."""
        return list(self.priors)

    def parameters(self, scores: Array) -> list[dict[str, float]]:
        """The parameters that normal scores, shape (n, parameters), stand for."""
        columns = self.values(scores)
        return [dict(zip(self.priors, map(float, row), strict=True)) for row in columns]

    def values(self, scores: Array) -> Array:
        """The same as an array of shape (n, parameters)."""
        from scipy.special import ndtr

        u = ndtr(np.asarray(scores, float))
        return np.column_stack([prior.quantile(u[:, i]) for i, prior in enumerate(self.priors.values())])

    @contextmanager
    def working(self) -> Iterator[Problem]:
        """The same problem with its processes or cluster started once for all that is simulated in the block."""
        several = executor(self.workers, 2**31)
        with several:
            yield replace(self, workers=several)

    def scores(self, parameters: Mapping[str, float]) -> Array:
        """The normal scores of parameters, shape (parameters,); DataError where one is not within its bounds."""
        from scipy.special import ndtri

        found = ndtri([float(prior.cdf(np.asarray(parameters[name]))) for name, prior in self.priors.items()])
        if not np.isfinite(found).all():
            raise DataError(
                f"parameters must lie within the bounds of their priors, not on or beyond them: {dict(parameters)}"
            )
        return found

    def draw(self, n: int, seed: int) -> Array:
        """Scores of `n` draws from the priors, shape (n, parameters)."""
        return generator(seed, "prior").standard_normal((n, len(self.priors)))

    def simulate(self, scores: Array, seeds: Sequence[int]) -> Array:
        """One simulation for each row of scores, as features, shape (n, features).

        Raises:
            RunError: a simulation failed.
            DataError: simulations give different names or lengths.
        """
        return features(self.series(self.parameters(scores), seeds), self.transform)

    def series(self, parameters: Sequence[dict[str, float]], seeds: Sequence[int]) -> list[Result]:
        """One simulation for each parameters and seed, as numbers and series by name.

        Raises:
            RunError: a simulation failed.
        """
        tasks = [Simulation(self.simulator, p, s) for p, s in zip(parameters, seeds, strict=True)]
        found: list[Result] = [{}] * len(tasks)
        with executor(self.workers, len(tasks)) as running, bar("simulations", len(tasks), None) as advance:
            for at, result, error in kept_outcomes(tasks, running, None if self.to is None else Path(self.to)):
                if error:
                    raise RunError(f"the simulation of {tasks[at].parameters} with seed {tasks[at].seed} failed: {error}")
                found[at] = result
                advance(1)
        return found

    def observed(self, series: Mapping[str, Any], like: Mapping[str, int]) -> Array:
        """What is observed as features, shape (features,).

        Raises:
            DataError: it has other names or lengths than simulations have (`like`, from `lengths`).
        """
        found = numbers(series, "what is observed")
        if lengths(found) != like:
            raise DataError(f"what is observed has the lengths {lengths(found)}, but simulations give {dict(like)}")
        return features([found], self.transform)[0]


def lengths(found: Result) -> dict[str, int]:
    """How many numbers there are under each name, in the order of the names."""
    return {name: np.size(found[name]) for name in sorted(found)}


def features(found: Sequence[Result], transform: Callable[[Array], Array] | None) -> Array:
    """Numbers and series laid out one after the other in the order of their names, a row a simulation.

    Raises:
        DataError: they have different names or lengths.
    """
    shape = lengths(found[0])
    for result in found:
        if (other := lengths(result)) != shape:
            raise DataError(f"simulations must all give the same series, but give lengths {shape} and {other}")
    rows = np.array([np.concatenate([np.atleast_1d(result[name]) for name in shape]) for result in found], float)
    return rows if transform is None else np.asarray(transform(rows), float)


@dataclass(frozen=True)
class Posterior:
    """What is believed of parameters after something was observed: weighted draws."""

    problem: Problem
    scores: Array
    """Normal scores of the draws, shape (draws, parameters)."""
    weights: Array
    """Shape (draws,), adding up to 1."""
    method: str
    simulations: int
    """How many simulations it took."""

    def table(self) -> pl.DataFrame:
        """One row a draw: the parameters, and its weight."""
        import polars as pl

        values = self.problem.values(self.scores)
        return pl.DataFrame({**{name: values[:, i] for i, name in enumerate(self.problem.names)}, "weight": self.weights})

    def estimate(self, name: str, level: float = 0.9) -> Estimate:
        """The median of a parameter and its equal-tailed credible interval; `n` is the effective number of draws."""
        if name not in self.problem.priors:
            raise ConfigError(f"there is no parameter {name!r}: there are {', '.join(self.problem.names)}")
        tail = (1 - check_level(level)) / 2
        at = self.problem.names.index(name)
        quantiles = weighted_quantiles(self.scores[:, at], self.weights, [0.5, tail, 1 - tail])
        u = np.zeros((3, len(self.problem.names)))
        u[:, at] = quantiles
        value, low, high = (float(v) for v in self.problem.values(u)[:, at])
        return Estimate(value, low, high, round(1 / float((self.weights**2).sum())), self.method, level)

    def estimates(self, level: float = 0.9) -> dict[str, Estimate]:
        """`estimate` of each parameter."""
        return {name: self.estimate(name, level) for name in self.problem.names}

    def sample(self, n: int, seed: int = 0) -> list[dict[str, float]]:
        """`n` draws of equal weight, as parameters by name."""
        picks = generator(seed, "posterior").choice(len(self.weights), n, p=self.weights)
        return self.problem.parameters(self.scores[picks])

    def __str__(self) -> str:
        """A line a parameter."""
        return "\n".join(f"{name}: {estimate}" for name, estimate in self.estimates().items())


def weighted_quantiles(x: Array, weights: Array, at: Sequence[float]) -> Array:
    """Quantiles of weighted draws, shape (n,): linear between the middles of the steps of their distribution function."""
    order = np.argsort(x, kind="stable")
    reached = np.cumsum(weights[order]) - weights[order] / 2
    return np.interp(at, reached, x[order])


def seeds_of(seed: int, what: str, n: int, start: int = 0) -> list[int]:
    """Seeds of simulations, numbered from `start`."""
    return [derive(seed, what, i) for i in range(start, start + n)]
