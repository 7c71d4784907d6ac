"""Experiments on scenes: arms with paired random numbers, sweeps on many cores, calibration to observed series.

What is written in torch is in `ethogram.experiments.differentiable`.
"""

from ethogram.experiments.arms import Band, Effect, Effects, compare
from ethogram.experiments.cells import CellsFailed
from ethogram.experiments.executors import Processes, Ray
from ethogram.experiments.forecasts import Forecast, Skill, forecast, hold_out, skill
from ethogram.experiments.gradients import fit_moments
from ethogram.experiments.likelihood_free import NeuralPosterior, Summaries, abc_smc, learn_summaries, neural_posterior
from ethogram.experiments.planted import Coverage, planted_coverage
from ethogram.experiments.problems import LogUniform, Posterior, Problem, SceneSimulator, Uniform
from ethogram.experiments.sweeps import grid, sweep

__all__ = [
    "Band",
    "CellsFailed",
    "Coverage",
    "Effect",
    "Effects",
    "Forecast",
    "LogUniform",
    "NeuralPosterior",
    "Posterior",
    "Problem",
    "Processes",
    "Ray",
    "SceneSimulator",
    "Skill",
    "Summaries",
    "Uniform",
    "abc_smc",
    "compare",
    "fit_moments",
    "forecast",
    "grid",
    "hold_out",
    "learn_summaries",
    "neural_posterior",
    "planted_coverage",
    "skill",
    "sweep",
]
