"""From scepticism to acceptance: how belief in a false claim spreads among people who meet at random, and when to deny
it.

The paper's people were played by GPT-3.5, whose opinions were read as an epidemic. Here a *coded surrogate* with a
stated law (`policies.coded.opinions`: traits, short and long memory, confirmation bias, denials) takes the model's
place where a claim is to be tested, so that what the machinery should find is known; a language model plays the same
scene beside it and is reported as what it is; and cascades of belief are held beside 198 real ones.

People act *synchronously*: all read what was said up to the day before. In the authors' released code they speak one
after the other, and read whoever has already spoken today, so that a rumour can pass through many people in a day;
what that does is measured with the same luck (`leak_*`).

"Recovered within 10 %" is tested on rates fitted to pooled runs; a schedule counts as efficient where no other beats
it in 95 % of resamples of the seeds; "shuffled traits do not" allows the 5 % that are in error by construction, up to
10 %. After a pilot of single runs (2026-11), before the first full one, the surrogate's law was set so that a claim
rises and wanes within the 15 days; no threshold was changed. After the first full one an error in the analysis was
mended: credulity is now taken from its mean in the run, since shuffling within runs leaves that mean, and the effect
it has, in place (16 % of the shuffles had excluded zero).
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ethogram.errors import ConfigError
from ethogram.measures.cascades import Cascade
from ethogram.studies import Claim, Findings, Lab, Paper, Reported, Verdict, fails, holds, not_tested, positive
from ethogram.studies.society._cascades import beside_reality, like_real
from ethogram.studies.society._fps_findings import EARLY, ablated, frontier, recovery, trait
from ethogram.studies.society._fps_parts import NONE, cascading, contagious, denied, played
from ethogram.studies.society._fps_scene import ABLATIONS, CODED

paper = Paper(
    "From Skepticism to Acceptance: Simulating the Attitude Dynamics Toward Fake News",
    "Liu, Chen, Zhang, Gao, Zhang, Yan",
    "IJCAI 2024",
    "https://arxiv.org/abs/2403.09498",
)
cell = "coded world, prompted policies"
model = "smollm2"
surrogates = (CODED,)
tags = ("fake news", "opinion", "epidemic", "intervention")


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    people: int = Field(default=30, ge=5, description="people of the surrogate's runs")
    days: int = Field(default=15, ge=2, description="days of a run")
    seeds: int = Field(default=30, ge=2, description="paired replications of schedules and ablations")
    starts: tuple[int, ...] = Field(default=(1, 4, 7, 10), description="first days of denials")
    periods: tuple[int, ...] = Field(default=(1, 2, 3, 5, 0), description="days from one denial to the next; 0: only one")
    rates: tuple[tuple[float, float], ...] = Field(
        default=((0.6, 0.2), (0.5, 0.1), (0.8, 0.3)), description="beta and gamma of the SIS law to be recovered"
    )
    sis_people: int = Field(default=150, ge=10, description="people of the SIS runs, a twentieth of whom believe at first")
    sis_days: int = Field(default=20, ge=3, description="days of the SIS runs")
    sis_runs: int = Field(default=20, ge=2, description="runs for each pair of rates")
    crowd: int = Field(default=300, ge=20, description="people of the runs whose cascades are held beside real ones")
    crowds: int = Field(default=20, ge=1, description="how many of those runs")
    model_people: int = Field(default=6, ge=0, description="people whom the language model plays; 0: none")
    model_days: int = Field(default=2, ge=1, description="days that it plays")
    mind: Literal["choice", "structured"] = Field(default="choice", description="how the language model is asked")
    processes: int = Field(default=2, ge=1, description="processes for the replications")


presets = {
    "smoke": Config(
        days=8, seeds=4, starts=(1, 6), periods=(1, 3), rates=((0.6, 0.2),), sis_people=60, sis_days=10, sis_runs=3,
        crowd=60, crowds=2, model_people=0, processes=1,
    ),
    "laptop": Config(),
    "paper": Config(model_people=30, model_days=15, mind="structured"),
}  # fmt: skip


def run(config: Config, lab: Lab) -> Findings:
    """Run the surrogate's experiments, then the model's, and measure."""
    if EARLY[0] not in config.starts or EARLY[1] not in config.periods:
        raise ConfigError("the schedules must have the paper's among them: start on day 1, every 3 days")
    findings, seeds = Findings(), lab.seeds(config.seeds)
    _sis(findings, config, lab)
    common = {"people": config.people, "days": config.days}
    arms = {
        arm: lab.parts(
            played,
            [{"ablation": arm, "seed": seed, "population": i, **common} for i, seed in enumerate(seeds)],
            config.processes,
        )
        for arm in ABLATIONS
    }
    trait(findings, arms["full"], lab.seed)
    ablated(findings, arms)
    schedules = [NONE, *((start, period) for start in config.starts for period in config.periods)]
    items = [{"schedules": schedules, "seed": seed, "population": i, **common} for i, seed in enumerate(seeds)]
    frontier(findings, schedules, lab.parts(denied, items, config.processes), lab.seed)
    crowds = [
        {"people": config.crowd, "days": config.days, "population": i, "seed": seed, "least": 5}
        for i, seed in enumerate(lab.seeds(config.crowds))
    ]
    shapes = [Cascade(*shape) for part in lab.parts(cascading, crowds, config.processes) for shape in part]
    if shapes:
        what = f"belief among {config.crowd} people, trees of at least 5"
        beside_reality(findings, shapes, what, lab.seed)
    if config.model_people and lab.model and lab.model not in surrogates:
        from ethogram.studies.society._fps_model import play, probe

        probe(findings, lab)
        play(findings, lab, config.model_people, config.model_days, config.mind)
    else:
        findings.note("No language model played in this run.")
    _tell(findings, config)
    return findings


def _sis(findings: Findings, config: Config, lab: Lab) -> None:
    """Play the SIS law at each pair of rates, in both orders, and fit it."""
    common = {"people": config.sis_people, "days": config.sis_days, "believers": config.sis_people // 20}
    items = [{"rates": list(pair), "seed": s, **common} for pair in config.rates for s in lab.seeds(config.sis_runs)]
    parts, n = lab.parts(contagious, items, config.processes), config.sis_runs
    recovery(findings, config.rates, config.sis_people, [parts[k * n : (k + 1) * n] for k in range(len(config.rates))])


def _tell(findings: Findings, config: Config) -> None:
    """The summary, and what the findings stand for."""
    none = findings.get("belief_days", "full").value
    early = findings.get("averted", "from day 1, every 3 days").value
    findings.summary = (
        f"Among {config.people} people played by the coded surrogate a claim that two believe comes to "
        f"{findings.get('peak', 'full').value:.0%} at its peak, and to {none:.0f} days of belief in {config.days} days. "
        f"Denying it from the first day, every third day, averts {early:.0f} of them. Speaking one after the other, as "
        f"in the authors' code, adds {findings.get('leak_all').value:.1%} of the people as believers within two days "
        "under the SIS law."
    )
    findings.note(
        "The coded surrogate is a stated law, not a person and not a language model. Its finding an effect of traits, "
        "memories or denials shows that the machinery measures what was put in, not that people or models behave so."
    )


# --- the claims ---


def _recovered(findings: Findings) -> Verdict:
    worst = findings.get("sis_worst")
    said = f"the largest relative error of {worst.n} rates is {worst.value:.1%}"
    return holds(f"{said}, within 10 %") if worst.value <= 0.1 else fails(f"{said}, more than 10 %")


def _shuffled(findings: Findings) -> Verdict:
    share = findings.get("trait_shuffled")
    said = f"{share.value:.1%} of {share.n} shuffles have an interval that excludes zero"
    return holds(f"{said}, at most 10 %") if share.value <= 0.1 else fails(f"{said}, more than 10 %")


def _efficient(findings: Findings) -> Verdict:
    share = findings.get("early_efficient")
    said = f"in {share.value:.1%} of resamples over {share.n} seeds no schedule beats the one from day 1, every 3 days"
    return holds(said) if share.value >= 0.95 else fails(said)


def _parts(findings: Findings) -> Verdict:
    found = {arm: findings.get("belief_days_change", arm) for arm in ABLATIONS if arm != "full"}
    said = "days of belief, " + "; ".join(f"{arm}: {change}" for arm, change in found.items())
    return holds(said) if all(change.above or change.below for change in found.values()) else fails(said)


def _repeats(findings: Findings) -> Verdict:
    same, made = findings.get("model_repeats"), findings.get("model_calls_again")
    said = f"{made.n} calls were answered, {made.value:.0f} of them by the model; the records are "
    return (
        holds(f"{said}the same") if same.value and not made.value else fails(f"{said}{'' if same.value else 'not '}the same")
    )


claims = (
    Claim(
        "rates-recovered",
        "The least-squares SIS fit recovers the rates of a coded SIS law within 10 % (synchronous order).",
        None,
        _recovered,
    ),
    Claim(
        "same-day-leakage",
        "In the released, asynchronous order belief is ahead after two days: people read what was said the same day.",
        None,
        lambda f: positive(f.get("leak_all"), "the share of believers, asynchronous minus synchronous,"),
    ),
    Claim(
        "traits-matter",
        "More credulous people come to believe more often (coded surrogate: agreeable, neurotic, less educated).",
        Reported("agreeableness and neuroticism make susceptible", "a third party's summary"),
        lambda f: positive(f.get("trait_slope"), "the logistic slope of ever believing on credulity"),
    ),
    Claim("shuffled-traits-do-not", "Credulity shuffled among the people of a run explains nothing.", None, _shuffled),
    Claim(
        "early-and-moderate",
        "Denials from the first day, every third day, are beaten by no other schedule in cost and benefit (coded "
        "surrogate).",
        Reported("early and every third day is the best trade-off", "a third party's summary"),
        _efficient,
    ),
    Claim(
        "early-beats-late",
        "Denials every third day avert more when they begin on the first day than when they begin late (coded surrogate).",
        None,
        lambda f: positive(f.get("early_gain"), "days of belief averted, early minus late,"),
    ),
    Claim(
        "daily-is-too-much",
        "A statement averts less when it is one of those that going daily adds to every third day (coded surrogate).",
        None,
        lambda f: positive(f.get("diminishing"), "days averted a statement, every third day minus what daily adds,"),
    ),
    Claim(
        "each-part-matters",
        "Without short memory, long memory, persona or confirmation bias there are more or fewer days of belief "
        "(surrogate).",
        None,
        _parts,
    ),
    Claim(
        "cascades-as-real",
        "Cascades of belief have the depth and the times of real ones, as shares of the whole (coded surrogate).",
        None,
        lambda f: like_real(f, ("depth", "mean_share", "median_share")),
    ),
    Claim(
        "model-repeats",
        "A run of the language model, repeated from the cache, is the same bit by bit, without a call.",
        None,
        _repeats,
    ),
    Claim(
        "politics-fastest",
        "Claims on politics spread fastest.",
        Reported("political claims spread fastest of six topics", "a third party's summary"),
        lambda f: not_tested(
            "the surrogate does not read topics, and it takes a language model that responds to what others say: see "
            "the probe"
        ),
    ),
    Claim(
        "short-memory-varies-words",
        "With short memory posts are more varied than without.",
        Reported("distinct-1/2 0.062/0.155 with, 0.045/0.121 without", "the authors' repository, appendix"),
        lambda f: not_tested("one run of each arm leaves no interval; the figures of the model's runs are reported"),
    ),
)
