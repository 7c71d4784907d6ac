"""What is found of a language model in `llm-rationality`, or of the surrogate in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions import Choices
from ethogram.decisions.inverse import CARDS
from ethogram.measures import Estimate, mean
from ethogram.policies.prompted.prompted_gambler import gamble
from ethogram.studies import Findings, Reported
from ethogram.studies.people._llm_rationality_forward import (
    HUMAN,
    RATIONAL,
    TRIES,
    correlations,
    measure,
    rational,
    sampled,
    spearman,
)
from ethogram.studies.people._llm_rationality_inverse import ABSOLUTE, PUBLISHED, inferred, rank_correlations
from ethogram.studies.people._llm_rationality_model import (
    SURROGATE,
    chances,
    cyclic,
    first_named,
    preferred,
    seen,
    strengths,
)

__all__ = ["THOUGHT", "Answers", "arm", "tell_answers", "tell_pairs", "tell_thinking", "tell_tuned", "who"]

Array = NDArray[np.float64]
TEMPERATURE = 0.7
"""At which models are drawn from, as in the paper."""
TEMPERATURES = (0.0, 1.0)
"""Others that are tried."""
THOUGHT = Reported("0.94 with GPT-4 step by step, people 0.48", "third-party notes; the subset is not known", 0.94)


class Answers(NamedTuple):
    """What a model made of some problems in one way of asking."""

    rows: NDArray[np.int64]
    """Of the clear problems."""
    scores: list[list[list[float]]]
    """Shape (rows, orders, 2)."""


def who(name: str) -> str:
    """How a model is called in arms."""
    return "surrogate" if name == SURROGATE else f"model: {name}"


def arm(name: str, framing: str, think: bool) -> str:
    """The arm of a model asked in a way."""
    return f"{who(name)}, {framing}, {'step by step' if think else 'directly'}"


def drawn(
    way: tuple[str, bool], answers: Answers, data: Choices, seeds: Sequence[int], temperature: float = TEMPERATURE
) -> list[Array]:
    """Shares that chose B if a model is drawn from as often as people chose, for each seed; a forecast at its own share."""
    part = data[answers.rows]
    chance = chances(answers.scores, 1.0 if way[0] == "share" else temperature)
    return [sampled(chance, part.people * TRIES, seed, f"{way} {temperature:g}") for seed in seeds]


def tell_answers(
    findings: Findings,
    name: str,
    way: tuple[str, bool],
    answers: Answers,
    data: Choices,
    prospect: Array,
    resamples: int,
    seeds: Sequence[int],
) -> None:
    """How a model's answers go with people and with expected value, and what the order of the gambles does to them."""
    called, part = arm(name, *way), data[answers.rows]
    others = {
        "likelihoods": [chances(answers.scores)],
        "likelihoods with A named first": [chances(answers.scores, orders=1)],
        "PT on the same problems": [
            sampled(prospect[answers.rows], part.people * TRIES, seed, "PT beside") for seed in seeds
        ],
    }
    if way == ("predict", False):
        others |= {f"temperature {t:g}": drawn(way, answers, data, seeds, t) for t in TEMPERATURES}
    columns = {HUMAN: [part.rate], RATIONAL: [rational(part)], called: drawn(way, answers, data, seeds)} | others
    estimate = correlations(columns, part.problem, resamples, seeds[0])
    measure(findings, estimate, called, called, "Spearman (as many choices as people made)")
    for key in others:
        found = estimate(lambda rho, key=key: rho(key, HUMAN), "Spearman")
        findings.estimate("rho_people", found, "Correlation with people's rates", arm=f"{called}; {key}")
    own = estimate(lambda rho: rho(HUMAN, RATIONAL), "Spearman")
    findings.estimate("rho_ev", own, "Correlation with expected value", arm=f"{called}; people on the same problems")
    label = "Order bias: probability of what is named first, 50 % without bias"
    findings.estimate("first_named", mean(first_named(answers.scores)), label, arm=called, unit="%")
    if name == SURROGATE and way == ("predict", False):
        _cancelled(findings, answers, data)


def _cancelled(findings: Findings, answers: Answers, data: Choices) -> None:
    """How far the surrogate's log-odds, averaged over orders, are from its taste, in which there is no bias."""
    errors = []
    for row, scores in zip(answers.rows, answers.scores, strict=True):
        problem = seen(data, int(row))
        odds = float(np.diff(np.mean(scores, 0))[0])
        errors.append(abs(odds - preferred(f"A. {gamble(problem.a)}\nB. {gamble(problem.b)}")))
    worst = Estimate.exact(max(errors), len(errors), "greatest of all problems")
    findings.estimate("order_error", worst, "The bias that averaging over orders leaves", arm=who(SURROGATE), unit="nats")


def tell_thinking(
    findings: Findings,
    name: str,
    direct: Answers,
    thought: Answers,
    data: Choices,
    resamples: int,
    seeds: Sequence[int],
) -> None:
    """What thinking step by step adds to the correlation with expected value, on problems that were asked in both ways."""
    place = {int(row): k for k, row in enumerate(direct.rows)}
    direct = Answers(thought.rows, [direct.scores[place[int(row)]] for row in thought.rows])
    part = data[thought.rows]
    columns = {
        RATIONAL: [rational(part)],
        "direct": drawn(("predict", False), direct, data, seeds),
        "thought": drawn(("predict", True), thought, data, seeds),
    }
    estimate = correlations(columns, part.problem, resamples, seeds[0])
    gain = estimate(lambda rho: rho("thought", RATIONAL) - rho("direct", RATIONAL), "difference of Spearman's")
    label = "Correlation with expected value: step by step minus directly"
    findings.estimate("thinking", gain, label, arm=who(name), paper=THOUGHT)


def tell_tuned(
    findings: Findings,
    rows: NDArray[np.int64],
    tuned: Array,
    untrained: Array,
    data: Choices,
    prospect: Array,
    resamples: int,
    seed: int,
) -> None:
    """How a tuned model predicts problems it was not tuned on, beside prospect theory and itself before: probabilities."""
    part = data[rows]
    columns = {
        HUMAN: [part.rate],
        RATIONAL: [rational(part)],
        "tuned": [tuned],
        "untrained": [untrained],
        "PT": [prospect[rows]],
    }
    estimate = correlations(columns, part.problem, resamples, seed)
    for name in ("tuned", "untrained", "PT"):
        called = name if name == "tuned" else f"tuned; {name} on the same problems"
        measure(findings, estimate, name, called, "Spearman (probabilities, both orders)")
    for rival, called in (("PT", "prospect theory"), ("untrained", "the same model untrained")):
        found = estimate(lambda rho, rival=rival: rho("tuned", HUMAN) - rho(rival, HUMAN), "difference of Spearman's")
        findings.estimate("tuned_gain", found, f"Correlation with people: tuned minus {called}", arm=rival)
    for arm, told in (("tuned", tuned), ("tuned; PT on the same problems", prospect[rows])):
        findings.estimate("tuned_error", mean((told - part.rate) ** 2), "Mean squared error of rates", arm=arm)


def tell_pairs(
    findings: Findings,
    name: str,
    condition: str,
    cards: Sequence[int],
    result: Mapping[str, Any],
    rankings: Mapping[str, Array] | None,
    draws: int,
    resamples: int,
    seed: int,
) -> Array:
    """How a model ranks choices as evidence, by all pairs of them; the strengths, shape (cards,)."""
    called, won = f"{who(name)}, {condition}", np.array(result["won"])
    strength = strengths(won)
    absolute = np.round(inferred(condition, draws, seed).absolute[list(cards)], 9)
    rho = float(spearman(np.column_stack([strength, absolute]))[0, 1])
    label = "Correlation of a model's ranking with that of absolute utility"
    findings.estimate("pairs_law", Estimate.exact(rho, len(cards), "Spearman over choices"), label, arm=called)
    if rankings is not None:
        models = {"model": strength, ABSOLUTE: absolute}
        estimate = rank_correlations(rankings[condition][:, list(cards)], models, resamples, seed)
        label = f"Correlation of ranks with people's, {len(cards)} of {len(CARDS)} choices"
        findings.estimate("pairs_people", estimate("model"), label, arm=called, paper=PUBLISHED)
        findings.estimate("pairs_people", estimate(ABSOLUTE), label, arm=f"{called}; {ABSOLUTE} on the same choices")
    circles, triples = cyclic(won)
    share = Estimate.exact(circles / max(1, triples), triples, "all triples; a coin gives 25 %")
    findings.estimate("cycles", share, "Triples of choices that go round in a circle", arm=called, unit="%")
    label = "Order bias: probability of the choice that is named first, 50 % without bias"
    findings.estimate("pairs_first", mean(result["first"]), label, arm=called, unit="%")
    return strength
