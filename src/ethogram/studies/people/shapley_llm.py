"""Shapley values of the parts of a prompt: which words does a language model's choice go by, and how many say nothing?

The prompts offer a train and the Swissmetro at prices, durations and departures that people were shown (100 prompts: all
combinations of 5 × 5 × 4 levels, at even quantiles of how the two differ). Two parts say nothing: the number of a form and
the colour of the tickets, of which there are five versions each. All 32 coalitions of the five parts are asked for in both
orders of the options, so the values are exact; absent parts are deleted, and for some prompts also replaced by words that
say nothing. Prompts share levels: intervals resample levels, not prompts.

Beside the language model stand two coded policies which read the same prompts. One is the multinomial logit of the recorded
human choices, so that its attributions are the human ones. The other has a taste for the noise and for what is listed
first, which the measures must expose. The paper's prompts and values were not seen: its flights are trips here.

Framing: stories after the disease problem, of which four parts turn gain into loss, two of them without meaning. For the
coded policies the effect is planted.

What *done* asks for is tested as it stands. Where attributions are called equal to a closed form, it is within 1e-6. A pilot
(2026-11, eight trips and two stories) settled the size (0.6 core-seconds of the embedded model for a prompt in both orders;
the question was put before what is told, and eight stories are asked, not ten) and how programmes are called: as A and B,
they met the letters of the list of options.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ethogram.measures import Estimate
from ethogram.studies import Claim, Findings, Lab, Paper, Reported, Verdict, fails, holds, not_tested, positive
from ethogram.studies.people import _shapley_llm_findings as told
from ethogram.studies.people._shapley_llm_parts import axioms, sampled, scored, survey, trips
from ethogram.studies.people._shapley_llm_policies import BIASED, CODED, LOGIT
from ethogram.studies.people._shapley_llm_prompts import Design

paper = Paper(
    "Explaining Large Language Models Decisions Using Shapley Values",
    "Mohammadi",
    "2024",
    "https://arxiv.org/abs/2404.01332",
)
cell = "coded world (choice questionnaire), prompted policy; coded policies beside"
model = "smollm2"
surrogates = CODED
tags = ("attribution", "prompts", "discrete choice", "framing")


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    sizes: tuple[int, int, int] = Field(default=(5, 5, 4), description="levels of price, time and wait")
    every: tuple[int, int, int] = Field(
        default=(2, 4, 3), description="steps over levels, for prompts that are also asked with neutral words"
    )
    stories: int = Field(default=8, ge=2, description="gambles with lives, told as gain and as loss")
    games: int = Field(default=20, ge=3, description="random games on which the engine is judged")
    draws: tuple[int, ...] = Field(default=(4, 8, 16, 32, 64, 128), min_length=3, description="pairs of orders drawn")
    repeats: int = Field(default=25, ge=2, description="samplings of each game with each number of draws")
    answered: tuple[int, int, int] = Field(
        default=(3, 2, 2), description="levels of the trips that are answered in the world"
    )
    processes: int = Field(default=2, ge=1, description="processes for what is computed apart")


presets = {
    "smoke": Config(
        sizes=(2, 2, 2), every=(1, 1, 2), stories=2, games=4, draws=(4, 16, 64), repeats=10, answered=(2, 1, 1), processes=1
    ),
    "laptop": Config(),
    "paper": Config(sizes=(10, 10, 4), stories=50, games=50, repeats=100),
}


def run(config: Config, lab: Lab) -> Findings:
    """Judge the engine, ask the choosers, attribute."""
    findings = Findings()
    worst = lab.parts(axioms, [{"games": config.games}])[0]
    sampling = {"draws": list(config.draws), "repeats": config.repeats}
    games = [{"game": game, **sampling} for game in range(config.games)]
    told.engine(findings, worst, lab.parts(sampled, games, config.processes), config.draws)
    design = trips(list(config.sizes))
    plays = bool(lab.model) and lab.model not in surrogates
    players = [*CODED, *([lab.model] if plays else [])]
    arms = {player: player if player in CODED else f"model: {player}" for player in players}
    scores = {player: _trips(config, lab, design, player) for player in players}
    for player, arm in arms.items():
        told.noise(findings, arm, scores[player], design.crossed)
        told.beside_people(findings, arm, scores[player], design)
        told.framing(
            findings, arm, _scored(lab, [{"player": player, "removed": "neutral", "stories": config.stories}], 1)[0]
        )
        _answered(config, lab, findings, player, arm)
    told.known(findings, scores, design)
    rows = [n for n, row in enumerate(design.rows) if not any(i % step for i, step in zip(row, config.every, strict=True))]
    some = [[levels[n] for n in rows] for levels in design.crossed]
    for player, arm in arms.items():
        item = {"player": player, "removed": "neutral", "sizes": list(config.sizes), "rows": rows}
        told.rewording(findings, arm, scores[player][rows], _scored(lab, [item], 1)[0], some)
    told.tabulated(findings, {arm: scores[player] for player, arm in arms.items()}, design.crossed)
    told.pictures(findings, list(arms.values()))
    _tell(findings, config, design, arms)
    return findings


def _scored(lab: Lab, items: list[dict[str, Any]], processes: int) -> list[NDArray[np.float64]]:
    return [np.array(one) for one in lab.parts(scored, items, processes)]


def _trips(config: Config, lab: Lab, design: Design, player: str) -> NDArray[np.float64]:
    """The scores of all prompts: the prompts of one price are a part, for they share most of what is asked."""
    shared = {"player": player, "removed": "deleted", "sizes": list(config.sizes)}
    rows = [[n for n, row in enumerate(design.rows) if row[0] == level] for level in range(len(design.price))]
    found = _scored(lab, [{**shared, "rows": some} for some in rows], config.processes if player not in CODED else 1)
    return np.concatenate(found)


def _answered(config: Config, lab: Lab, findings: Findings, player: str, arm: str) -> None:
    """Some trips as a questionnaire in its world, answered once."""
    cache = "" if player in CODED else str((lab.dir / "answers.sqlite").resolve())
    name = f"survey-{arm.replace('model: ', '').replace('/', '-').replace(':', '-').replace('#', '-')}"
    run = lab.simulate(name, survey(player, list(config.answered), cache))
    if run.manifest.status != "complete":
        findings.note(f"The questionnaire was cut short for {arm}: {run.manifest.reason}.")


def _tell(findings: Findings, config: Config, design: Design, arms: dict[str, str]) -> None:
    """The summary, and what the findings stand for."""

    def share(arm: str, condition: str = told.BOTH) -> str:
        one = findings.get("noise_share", f"{arm}, {condition}")
        return f"{one.value:.1%} [{one.low:.1%}, {one.high:.1%}]"

    summary = (
        f"Over {len(design.rows)} prompts the logit of people's choices gives {share(LOGIT)} of all attribution to words "
        f"without meaning, and its biased twin, in which they were planted, {share(BIASED)}."
    )
    for arm in list(arms.values())[len(CODED) :]:
        gap = findings.get("order_gap", arm)
        summary += (
            f" {arm.removeprefix('model: ')} gives them {share(arm)} with both orders of the options averaged, "
            f"{share(arm, told.TRAIN_FIRST)} and {share(arm, told.OTHER_FIRST)} in one order alone; being listed first "
            f"moves the probability of an option by {gap.value:+.2f}."
        )
    findings.summary = summary
    findings.note(
        "The noise is two kinds of words in five versions each, and the options are those of one choice: the share is of "
        "these prompts. A share says how much of all attribution noise gets, not how large it is: see the sizes."
    )
    if len(arms) == len(CODED):
        findings.note("No language model played in this run.")


# --- the claims ---


def _within(found: Estimate, most: float, what: str) -> Verdict:
    said = f"{what} is {found.value:.2g} at most"
    return holds(f"{said}, within {most:g}") if abs(found.value) <= most else fails(f"{said}, beyond {most:g}")


def _axioms(findings: Findings) -> Verdict:
    names = ("efficiency", "efficiency_sampled", "symmetry", "null")
    worst = max((findings.get(f"axiom_{name}") for name in names), key=lambda one: abs(one.value))
    return _within(worst, 1e-6, "the largest violation of efficiency, symmetry or null player")


def _slope(findings: Findings) -> Verdict:
    found = findings.get("slope")
    if not found.bounded:
        return not_tested("too few games for an interval")
    said = f"the slope is {found}"
    inside = found.low >= -0.6 and found.high <= -0.4
    return holds(f"{said}, all within -0.5 ± 0.1") if inside else fails(f"{said}, not all within -0.5 ± 0.1")


def _coded(findings: Findings) -> Verdict:
    found = [findings.get("noise_share", f"{LOGIT}, {condition}") for condition in (told.BOTH, told.TRAIN_FIRST, told.ODDS)]
    worst = max(found, key=lambda one: one.high)
    said = f"noise gets {worst.value:.2%} [{worst.low:.2%}, {worst.high:.2%}] at most over conditions"
    return holds(said) if worst.high < 0.01 else fails(said)


def _price(findings: Findings) -> Verdict:
    worst = max(findings.get("price_error"), findings.get("share_error"), key=lambda one: one.value)
    return _within(worst, 1e-6, f"over {worst.n} prompts the distance from β Δ (log-odds) and from the closed form (P)")


def _exposed(findings: Findings) -> Verdict:
    worst = max(findings.get("planted_error"), findings.get("first_error"), key=lambda one: one.value)
    said = _within(worst, 1e-6, "the distance of attributions from what was planted")
    share = findings.get("noise_share", f"{BIASED}, {told.BOTH}")
    more = share.low > findings.get("noise_share", f"{LOGIT}, {told.BOTH}").high
    reason = f"{said.reason}; noise gets {share.value:.1%} [{share.low:.1%}, {share.high:.1%}]"
    return holds(reason) if said.outcome == "holds" and more else fails(reason)


def _arm(findings: Findings, name: str, condition: str) -> str:
    """The arm of the language model in which a finding was made; that of no model where none played."""
    arms = [one.arm for one in findings.measured if one.name == name and one.arm.startswith("model: ")]
    return next((arm for arm in arms if arm.endswith(f", {condition}")), f"model, {condition}")


def _model(findings: Findings) -> Verdict:
    said, above = [], True
    for condition in (told.BOTH, told.TRAIN_FIRST, told.OTHER_FIRST):
        found = findings.get("noise_share", _arm(findings, "noise_share", condition))
        logit = findings.get("noise_share", f"{LOGIT}, {condition}")
        said.append(f"{condition}: {found.value:.1%} [{found.low:.1%}, {found.high:.1%}], logit {logit.value:.1%}")
        above = above and found.low > logit.high
    reason = f"noise share, n = {found.n} prompts: {'; '.join(said)}"
    return holds(reason) if above else fails(f"{reason}: not all above")


def _frame_noise(findings: Findings) -> Verdict:
    found = findings.get("frame_noise_share", _arm(findings, "frame_noise_share", told.BOTH))
    logit = findings.get("frame_noise_share", f"{LOGIT}, {told.BOTH}")
    share = f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}]"
    said = f"words without meaning get {share} of what frames change, n = {found.n} stories"
    return holds(f"{said}; with the coded policy {logit.value:.1%}") if found.low > logit.high else fails(said)


claims = (
    Claim(
        "engine-axioms",
        "The engine's values are efficient, symmetric, and nothing for a null player, to 1e-6.",
        None,
        _axioms,
    ),
    Claim("sampling-error", "The error of sampled values falls as the root of the number of draws.", None, _slope),
    Claim(
        "logit-ignores-noise",
        "For a coded logit policy less than 1 % of attribution goes to words without meaning.",
        None,
        _coded,
    ),
    Claim("price-is-analytic", "The coded policy's attribution of the price is its analytic effect.", None, _price),
    Claim(
        "bias-exposed",
        "A coded taste for meaningless words and for what is listed first is found as planted.",
        None,
        _exposed,
    ),
    Claim(
        "token-noise",
        "Words without meaning take a larger share of the language model's choices than of the coded policy's, with and "
        "without averaging over orders of the options.",
        Reported("low-information tokens take a disproportionate share", "abstract; values not seen"),
        _model,
    ),
    Claim(
        "price-as-for-people",
        "The language model's attributions of the price go along with those of people's choices.",
        None,
        lambda f: positive(f.get("agreement", _arm(f, "agreement", "price")), "the correlation over prompts"),
    ),
    Claim(
        "framing-gap",
        "The language model takes the gamble more often where the same is told as a loss.",
        Reported("framing effects are examined", "abstract; values not seen"),
        lambda f: positive(f.get("frame_gap", _arm(f, "frame_gap", told.BOTH)), "P(gamble | loss) minus P(gamble | gain)"),
    ),
    Claim(
        "framing-by-noise",
        "A part of what frames change in the model's choices is due to words without meaning.",
        Reported("apparent biases can be artefacts of wording", "abstract"),
        _frame_noise,
    ),
)
