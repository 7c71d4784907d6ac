"""Experiments: designed ones on anything that runs, arms with paired random numbers, sweeps, tournaments, calibration.

What is written in torch is in `ethogram.experiments.differentiable`.
"""

from ethogram.experiments.arms import Band, Effect, Effects, compare
from ethogram.experiments.cells import CellsFailed
from ethogram.experiments.contrasts import Contrast, anything, difference, interaction, trend
from ethogram.experiments.design import Experiment, OnScene
from ethogram.experiments.executors import Processes, Ray
from ethogram.experiments.forecasts import Forecast, Skill, forecast, hold_out, skill
from ethogram.experiments.gradients import fit_moments
from ethogram.experiments.layouts import Factor, orders, rotations
from ethogram.experiments.likelihood_free import NeuralPosterior, Summaries, abc_smc, learn_summaries, neural_posterior
from ethogram.experiments.planted import Coverage, planted_coverage
from ethogram.experiments.problems import LogUniform, Posterior, Problem, SceneSimulator, Uniform
from ethogram.experiments.reports import Finding, Report
from ethogram.experiments.sweeps import grid, sweep
from ethogram.experiments.tournaments import Tournament, lineups, tournament

__all__ = [
    "Band",
    "CellsFailed",
    "Contrast",
    "Coverage",
    "Effect",
    "Effects",
    "Experiment",
    "Factor",
    "Finding",
    "Forecast",
    "LogUniform",
    "NeuralPosterior",
    "OnScene",
    "Posterior",
    "Problem",
    "Processes",
    "Ray",
    "Report",
    "SceneSimulator",
    "Skill",
    "Summaries",
    "Tournament",
    "Uniform",
    "abc_smc",
    "anything",
    "compare",
    "difference",
    "fit_moments",
    "forecast",
    "grid",
    "hold_out",
    "interaction",
    "learn_summaries",
    "lineups",
    "neural_posterior",
    "orders",
    "planted_coverage",
    "rotations",
    "skill",
    "sweep",
    "tournament",
    "trend",
]
