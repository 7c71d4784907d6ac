"""Calibration without a likelihood: approximate Bayesian computation, and neural posteriors (package `sbi`).

Both are handed simulations that this module makes, each with a seed of its own, so that they come out the same however many
processes simulate.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.errors import ConfigError, not_installed
from ethogram.experiments.problems import Array, Posterior, Problem, features, lengths, seeds_of
from ethogram.seeds import derive
from ethogram.simulation.rollouts import one_thread

__all__ = ["NeuralPosterior", "Summaries", "abc_smc", "learn_summaries", "neural_posterior"]

BATCH = 100
"""Simulations that ABC asks for at once."""


@dataclass(frozen=True)
class Summaries:
    """Summary statistics learnt from simulations: for each parameter, its expected score given the features.

    Semi-automatic ABC (Fearnhead and Prangle, JRSS B 74:419, 2012): of all statistics with as many numbers as there are
    parameters, these lose least. They are linear in the features and their squares, fitted by ridge regression.
    """

    model: Any
    like: dict[str, int]
    """How many numbers simulations give under each name."""
    simulations: int

    def __call__(self, rows: Array) -> Array:
        """Summaries of features, shape (n, features) → (n, parameters)."""
        return np.asarray(self.model.predict(with_squares(rows)), float).reshape(len(rows), -1)

    def of(self, problem: Problem, observed: Mapping[str, Any]) -> Array:
        """Summaries of what is observed, shape (parameters,); DataError where it is not what simulations give."""
        return self(problem.observed(observed, self.like)[None])[0]


def with_squares(rows: Array) -> Array:
    """Features and their squares, shape (n, 2 features)."""
    return np.hstack([rows, rows**2])


def learn_summaries(problem: Problem, simulations: int = 1000, seed: int = 0) -> Summaries:
    """Learn summaries from simulations at draws from the priors; they serve whatever is observed later.

    Raises:
        ConfigError: the extra `calibrate` is not installed.
        RunError: a simulation failed.
    """
    try:
        from sklearn.linear_model import RidgeCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ModuleNotFoundError as error:
        raise not_installed(error, "calibration") from error
    scores = problem.draw(simulations, derive(seed, "summaries"))
    series = problem.series(problem.parameters(scores), seeds_of(seed, "summaries", simulations))
    found = with_squares(features(series, problem.transform))
    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 4, 15))).fit(found, scores)
    return Summaries(model, lengths(series[0]), simulations)


def abc_smc(
    problem: Problem,
    observed: Mapping[str, Any],
    *,
    simulations: int = 2000,
    particles: int = 200,
    summaries: Summaries | None = None,
    seed: int = 0,
) -> Posterior:
    """The posterior by sequential Monte Carlo ABC (Beaumont et al., Biometrika 96:983, 2009), adjusted by regression.

    Draws whose summaries come close to those observed are kept, moved a little and simulated again, with an ever smaller
    tolerance (the median distance of the last population), until the simulations are used up. What tolerance is left is
    taken out by local linear regression of the parameters on the summaries (Beaumont et al., Genetics 162:2025, 2002).

    Args:
        problem: the simulator and its priors.
        observed: numbers and series by name, as the simulator gives them.
        simulations: how many in all, beside those that the summaries were learnt from.
        particles: draws in a population.
        summaries: what simulations are compared by; None: learnt from half as many simulations again.
        seed: everything random derives from it.

    Raises:
        ConfigError: the extra `calibrate` is not installed, or there are fewer simulations than two populations take.
        RunError: a simulation failed.
    """
    if simulations < 4 * particles:
        raise ConfigError(f"simulations is {simulations}, and must be at least four times the {particles} particles")
    try:
        with quiet():
            import torch
            from sbi.inference import SMCABC
            from torch.distributions import Independent, Normal
    except ModuleNotFoundError as error:
        raise not_installed(error, "calibration by ABC") from error
    from ethogram.nn.training import seeded

    k = len(problem.priors)
    prior = Independent(Normal(torch.zeros(k), torch.ones(k)), 1)
    made = 0
    with problem.working() as working, quiet(), one_thread(), seeded(derive(seed, "abc")):
        learnt = summaries or learn_summaries(working, max(simulations // 2, 200), seed)

        def simulator(scores: Any) -> Any:
            nonlocal made
            rows = np.atleast_2d(scores.numpy())
            found = working.simulate(rows, seeds_of(seed, "abc", len(rows), made))
            made += len(rows)
            return torch.from_numpy(learnt(found).astype(np.float32))

        sampler: Any = SMCABC(simulator, prior, show_progress_bars=False, simulation_batch_size=BATCH)
        adjusted, populations = sampler(
            torch.from_numpy(learnt.of(problem, observed).astype(np.float32)[None]),
            num_particles=particles,
            num_initial_pop=2 * particles,
            num_simulations=simulations,
            epsilon_decay=0.5,
            distance_based_decay=True,
            return_summary=True,
            lra=True,
            lra_with_weights=True,
        )
    weights = np.exp(populations["weights"][-1].numpy().astype(float))
    method = f"ABC-SMC, {len(populations['epsilons'])} populations, regression-adjusted"
    return Posterior(problem, adjusted.numpy().astype(float), weights / weights.sum(), method, made + learnt.simulations)


@dataclass(frozen=True)
class NeuralPosterior:
    """A network that gives the posterior for whatever is observed, without further simulations."""

    problem: Problem
    model: Any
    like: dict[str, int]
    """How many numbers simulations give under each name."""
    simulations: int

    def given(self, observed: Mapping[str, Any], draws: int = 1000, seed: int = 0) -> Posterior:
        """The posterior of what is observed."""
        import torch

        from ethogram.nn.training import seeded

        target = torch.from_numpy(self.problem.observed(observed, self.like)[None].astype(np.float32))
        with quiet(), one_thread(), seeded(derive(seed, "neural posterior")):
            scores = self.model.sample((draws,), x=target, show_progress_bars=False).numpy().astype(float)
        weights = np.full(draws, 1 / draws)
        return Posterior(self.problem, scores, weights, "neural posterior", self.simulations)


def neural_posterior(problem: Problem, *, simulations: int = 1000, seed: int = 0) -> NeuralPosterior:
    """Learn the posterior for all that may be observed, by a masked autoregressive flow (Papamakarios and Murray 2016).

    Args:
        problem: the simulator and its priors.
        simulations: at draws from the priors, that the network is fitted to.
        seed: everything random derives from it.

    Raises:
        ConfigError: the extra `calibrate` is not installed.
        RunError: a simulation failed.
    """
    try:
        with quiet():
            import torch
            from sbi.inference import NPE
            from torch.distributions import Independent, Normal
    except ModuleNotFoundError as error:
        raise not_installed(error, "calibration by a neural posterior") from error
    from ethogram.nn.training import seeded

    scores = problem.draw(simulations, derive(seed, "neural"))
    series = problem.series(problem.parameters(scores), seeds_of(seed, "neural", simulations))
    found = features(series, problem.transform)
    k = len(problem.priors)
    prior = Independent(Normal(torch.zeros(k), torch.ones(k)), 1)
    with quiet(), one_thread(), seeded(derive(seed, "training")):
        trainer = NPE(prior, show_progress_bars=False, tracker=_NoTracker())
        trainer.append_simulations(torch.tensor(scores, dtype=torch.float32), torch.tensor(found, dtype=torch.float32))
        trainer.train()
        model = trainer.build_posterior()
    return NeuralPosterior(problem, model, lengths(series[0]), simulations)


class _NoTracker:
    """Takes what sbi reports of its training, which it would write to `sbi-logs` wherever one happens to be."""

    log_dir: str | None = None

    def _ignore(self, *args: Any, **options: Any) -> None:
        pass

    log_metric = log_metrics = log_params = add_figure = flush = _ignore


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the package's chatter off the terminal; what goes wrong is raised."""
    import io
    import warnings

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
