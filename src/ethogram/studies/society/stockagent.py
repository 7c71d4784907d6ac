"""When AI meets finance: traders on a closed market of two stocks, with loans, reports, rate changes and a public board.

The paper's traders were played by language models; here *coded traders* with stated laws (`policies.coded.traders`: zero
intelligence, fundamentalists, chartists, followers of the board; borrowers who heed rates and who do not) take their place
where a claim is to be tested, so that what the market should show is known; a language model plays a small market beside
them and is reported as what it is. Everything is invented, as in the paper: there is no human record to compare with.

The market is written anew. In the released code orders match at equal prices only, holdings change by the price instead of
the amount, and the forced sale makes money out of nothing: figures of that code are not reproduced, and the paper's are not
known to us. What is tested instead: that the market conserves cash and shares and records every refusal; the classic result
of Gode and Sunder (1993); and that taking away one channel at a time (reports, the board, rate events, loans), on the same
luck, changes what it should.

A channel counts as shifting prices *and* activity where both a measure of prices (volatility, or the distance from value)
and the volume change, in intervals that hold for all twelve registered comparisons together. After a pilot of two runs
(2026-11), before the first full one, two laws were mended: fundamentalists err alike until the next report (errors drawn for
each look made prices bounce by 4 % a day), and chartists need a trend of 2 %, not 0.5 %. No threshold was changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ethogram.measures import Estimate
from ethogram.studies import Claim, Findings, Lab, Paper, Reported, Verdict, fails, holds, not_tested, positive
from ethogram.studies.society._stockagent_audit import audited
from ethogram.studies.society._stockagent_findings import CHANNELS, auctions, audits, channels, facts, rates, wealth
from ethogram.studies.society._stockagent_parts import AUCTIONS, auctioned, traded
from ethogram.studies.society._stockagent_pictures import (
    auction_picture,
    borrowing_picture,
    channel_picture,
    fact_picture,
    price_picture,
    tape_picture,
    wealth_picture,
)
from ethogram.studies.society._stockagent_scene import CODED, CREWS

paper = Paper(
    "When AI Meets Finance (StockAgent): Large Language Model-based Stock Trading in Simulated Real-world Environments",
    "Zhang, Liu, Zhang, Jin et al.",
    "2024",
    "https://arxiv.org/abs/2407.18957",
)
cell = "coded world, prompted policies"
model = "smollm2"
surrogates = (CODED,)
tags = ("market", "order book", "loans", "zero intelligence")

REPORTS, EVENTS = (12, 78, 144, 210), (78, 144)
"""Days of reports; days on which the bank's rates are cut, and raised."""


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    traders: int = Field(default=20, ge=10, description="coded traders of a replication")
    days: int = Field(default=264, ge=79, description="days of a run; the first rate event is on day 78")
    sessions: int = Field(default=3, ge=1, description="sessions of a day")
    seeds: int = Field(default=10, ge=2, description="paired replications of every arm")
    crowd: int = Field(default=50, ge=10, description="traders of the run that is drawn and audited")
    audits: int = Field(default=5, ge=1, description="audited runs of reckless traders")
    auctions: int = Field(default=100, ge=2, description="double auctions of each kind")
    model_traders: int = Field(default=3, ge=0, description="traders whom the language model plays; 0: none")
    model_days: int = Field(default=3, ge=1, description="days that it plays")
    model_sessions: int = Field(default=1, ge=1, description="sessions of a day that it plays")
    mind: Literal["choice", "structured"] = Field(default="choice", description="how the language model is asked")
    processes: int = Field(default=2, ge=1, description="processes for the replications")


presets = {
    "smoke": Config(
        traders=10, days=79, sessions=1, seeds=2, crowd=10, audits=1, auctions=8, model_traders=0, processes=1
    ),
    "laptop": Config(),
    "paper": Config(traders=50, seeds=20, model_traders=50, model_days=264, model_sessions=3, mind="structured"),
}  # fmt: skip


def run(config: Config, lab: Lab) -> Findings:
    """Audit the market, run its arms, and measure."""
    findings = Findings()
    common = {"days": config.days, "sessions": config.sessions}
    _audit(findings, config, lab, common)
    lots = [{"auction": name, "seeds": lab.seeds(config.auctions)} for name in AUCTIONS]
    found = dict(zip(AUCTIONS, lab.parts(auctioned, lots, config.processes), strict=True))
    auctions(findings, found)
    findings.figure(
        "auctions", auction_picture(found), "Double auctions of zero-intelligence traders: each dot is an auction. Who may "
        "not buy above value or sell below cost ends up near all gains there are; who may trades everything with everybody.",
    )  # fmt: skip
    _arms(findings, config, lab, common)
    if config.model_traders and lab.model and lab.model not in surrogates:
        from ethogram.studies.society._stockagent_model import play, probe

        probe(findings, lab)
        play(findings, lab, config.model_traders, config.model_days, config.model_sessions, config.mind)
    else:
        findings.note("No language model played in this run.")
    _tell(findings, config)
    return findings


def _audit(findings: Findings, config: Config, lab: Lab, common: dict[str, Any]) -> None:
    """Audit reckless and coded traders after every step."""
    items = [{**common, "traders": 10, "seed": seed, "reckless": True} for seed in lab.seeds(config.audits)]
    items.append({**common, "traders": config.crowd, "seed": lab.seed, "reckless": False})
    *reckless, coded = lab.parts(audited, items, config.processes)
    audits(findings, reckless, [coded])


def _arms(findings: Findings, config: Config, lab: Lab, common: dict[str, Any]) -> None:
    """Run every arm on the same seeds, and the one that is drawn."""
    arms: dict[str, dict[str, Any]] = {"full": {}}
    arms |= {channel: {"without": [channel]} for channel in CHANNELS}
    arms |= {crew: {"crew": crew} for crew in CREWS if crew != "all kinds"}
    arms |= {"blind": {"borrowing": "blind"}, "blind, no events": {"borrowing": "blind", "without": ["rate events"]}}
    plain = {"crew": "all kinds", "borrowing": "sensitive", "without": [], **common}
    seeds = lab.seeds(config.seeds)
    items = [{**plain, **arm, "traders": config.traders, "seed": seed} for arm in arms.values() for seed in seeds]
    items.append({**plain, "traders": config.crowd, "seed": lab.seed, "tape": True})
    *parts, crowd = lab.parts(traded, items, config.processes)
    n = len(seeds)
    runs = {arm: parts[i * n : (i + 1) * n] for i, arm in enumerate(arms)}
    _draw(findings, crowd, config)
    borrowers = {
        ("sensitive", True): runs["full"],
        ("sensitive", False): runs["rate events"],
        ("blind", True): runs["blind"],
        ("blind", False): runs["blind, no events"],
    }
    rates(findings, borrowers, EVENTS)
    findings.figure(
        "borrowing", borrowing_picture(borrowers, EVENTS), "What the coded traders borrow around the rate events, on the "
        "same luck: means over runs and the last 11 days, with standard errors. Blind borrowers take the same loans.",
    )  # fmt: skip
    channels(findings, runs)
    findings.figure(
        "channels", channel_picture(findings), "What each channel does to the market: with it minus without it, relative to "
        "the whole market, with intervals (those of volatility, mispricing and volume hold together).",
    )  # fmt: skip
    crews = {"all kinds": runs["full"], **{crew: runs[crew] for crew in CREWS if crew in runs}}
    facts(findings, crews)
    findings.figure(
        "facts", fact_picture(crews), "Left: how often returns of a size or larger occur, by who trades; dashed: a normal "
        "distribution. Right: whether large moves follow large moves.",
    )  # fmt: skip
    wealth(findings, runs["full"])
    conserved = sum(one["conserved"] for one in [*parts, crowd])
    share = Estimate.exact(conserved / (len(parts) + 1), len(parts) + 1)
    findings.estimate("runs_conserved", share, "Runs of the arms that end with all cash and shares", unit="%")


def _draw(findings: Findings, crowd: dict[str, Any], config: Config) -> None:
    findings.figure(
        "prices", price_picture(crowd, REPORTS, EVENTS), f"The prices of one market of {config.crowd} coded traders, and 20 "
        "times the earnings of a share (dashed); below, the shares traded on each day.",
    )  # fmt: skip
    first, last = max(2, EVENTS[0] - 10), min(config.days, EVENTS[0] + 12)
    jumps = {stock: abs(values[EVENTS[0] - 1] / values[EVENTS[0] - 2] - 1) for stock, values in crowd["values"].items()}
    stock = max(jumps, key=lambda name: jumps[name])
    findings.figure(
        "tape", tape_picture(crowd, stock, first, last), f"Every order for {stock} around day 78, when a report comes out "
        "and rates are cut, at its limit price.",
    )  # fmt: skip
    findings.figure(
        "wealth", wealth_picture(crowd), "Net worth of every trader in the same market by kind, relative to the first day "
        "(logarithmic, cut at 0.05 and 20; bankrupts at the bottom); bold: the median.",
    )  # fmt: skip


def _tell(findings: Findings, config: Config) -> None:
    """The summary, and what the findings stand for."""
    kept = min(findings.get("efficiency", f"{name}, constrained").value for name in AUCTIONS)
    findings.summary = (
        f"Over {config.days} days no cent and no share was made or lost, whether traders kept to their means or not, and "
        f"each of {findings.get('refused').value:.0f} refusals is in the record with its reason."
        if _sound(findings)
        else "The audit of the market found deviations."
    ) + (
        f" Zero-intelligence traders who may not trade at a loss make {kept:.0%} or more of the possible gains. The rate "
        f"events change what rate-sensitive traders borrow by {findings.get('borrowed_change', 'sensitive').value:+.1f} "
        f"million and what rate-blind ones borrow by {findings.get('borrowed_change', 'blind').value:+.1f} million."
    )
    findings.note(
        "The coded traders are stated laws, not people and not language models: that a channel changes their market shows "
        "that the machinery carries and measures it, not that people or models would react so."
    )
    findings.note(
        "Reports carry news of a stock's value and traders know the multiple, so fat tails are largely those of "
        "reports. Bankrupts' shares go to the bank, which does not sell them."
    )


# --- the claims ---

DEVIATIONS = ("cash_off", "shares_off", "accounts_off", "below_zero")
AUDITED = ("reckless traders", "coded traders")


def _sound(findings: Findings) -> bool:
    exact = all(findings.get(name, arm).value == 0 for name in DEVIATIONS for arm in AUDITED)
    return exact and findings.get("runs_conserved").value == 1 and findings.get("refused_logged").value == 1


def _conserved(findings: Findings) -> Verdict:
    steps = sum(findings.get("audit_steps", arm).value for arm in AUDITED)
    worst = {name: max(findings.get(name, arm).value for arm in AUDITED) for name in DEVIATIONS}
    runs = findings.get("runs_conserved")
    said = (
        f"after each of {steps:.0f} steps all cash was the same to within {worst['cash_off']:.0f} cents and all shares to "
        f"within {worst['shares_off']:.0f}; at most {worst['accounts_off']:.0f} accounts of a run differ from the record, "
        f"and {runs.value:.0%} of {runs.n} other runs conserve both"
    )
    return holds(said) if not any(worst.values()) and runs.value == 1 else fails(said)


def _refusals(findings: Findings) -> Verdict:
    logged, wrong = findings.get("refused_logged"), findings.get("refused_wrong")
    if not logged.n:
        return not_tested("nothing was refused")
    said = f"{logged.value:.1%} of {logged.n} refusals are logged with a reason, and {wrong.value:.0f} decisions are wrong"
    return holds(said) if logged.value == 1 and wrong.value == 0 else fails(said)


def _efficient(findings: Findings) -> Verdict:
    found = {name: findings.get("efficiency", f"{name}, constrained") for name in AUCTIONS}
    said = "efficiency is " + "; ".join(f"{name}: {one}" for name, one in found.items())
    return holds(said) if all(one.low > 0.9 for one in found.values()) else fails(said)


def _constraint(findings: Findings) -> Verdict:
    found = {name: findings.get("efficiency_gain", name) for name in AUCTIONS}
    said = "the constraint adds " + "; ".join(f"{name}: {one}" for name, one in found.items())
    return holds(said) if all(one.above for one in found.values()) else fails(said)


def _rates(findings: Findings) -> Verdict:
    moved = {law: findings.get("borrowed_change", law) for law in ("sensitive", "blind")}
    if not all(one.bounded for one in moved.values()):
        return not_tested("too few seeds for an interval")
    said = "; ".join(f"{law}: {one} million" for law, one in moved.items())
    blind, sensitive = moved["blind"], moved["sensitive"]
    right = (sensitive.above or sensitive.below) and not (blind.above or blind.below)
    return holds(said) if right else fails(said)


def _shifts(channel: str) -> Callable[[Findings], Verdict]:
    """Whether a channel changes a measure of prices and the volume."""

    def test(findings: Findings) -> Verdict:
        found = {name: findings.get(f"{name}_change", channel) for name in ("volatility", "mispricing", "volume")}
        moved = {name for name, one in found.items() if one.above or one.below}
        said = "with it minus without it " + "; ".join(f"{name}: {one}" for name, one in found.items())
        return holds(said) if "volume" in moved and len(moved) > 1 else fails(said)

    return test


def _consistent(findings: Findings) -> Verdict:
    kinds = ("value", "trend", "crowd")
    found = {kind: findings.get("consistency", kind) for kind in kinds}
    said = "Cohen's kappa is " + "; ".join(f"{kind}: {one}" for kind, one in found.items())
    return holds(said) if all(one.above for one in found.values()) else fails(said)


SHIFT = Reported("each shifts prices and activity, no figures", "a third party's summary")

claims = (
    Claim("conserved", "Cash and shares are conserved to the cent, whatever traders ask for.", None, _conserved),
    Claim("refusals-logged", "Every refused action is in the record with its reason, and none is refused wrongly.", None,
          _refusals),
    Claim(
        "zero-intelligence",
        "Zero-intelligence traders with a budget constraint make over 90 % of the possible gains in a double auction.",
        Reported("close to 100 %", "Gode and Sunder 1993, abstract", 1.0),
        _efficient,
    ),
    Claim(
        "constraint-matters",
        "On the same seeds, zero-intelligence traders without the constraint make less.",
        Reported("imposing a budget constraint is sufficient", "Gode and Sunder 1993, abstract"),
        _constraint,
    ),
    Claim(
        "rates-move-borrowers",
        "Without the rate events rate-sensitive traders borrow another amount, and rate-blind ones do not.",
        None,
        _rates,
    ),
    Claim("reports-shift", "Reports shift prices and activity (coded traders).", SHIFT, _shifts("reports")),
    Claim("board-shifts", "The board shifts prices and activity (coded traders).", SHIFT, _shifts("board")),
    Claim("rates-shift", "Changes of interest rates shift prices and activity (coded traders).", SHIFT,
          _shifts("rate events")),
    Claim("loans-shift", "Loans shift prices and activity (coded traders).", None, _shifts("loans")),
    Claim(
        "value-anchors-prices",
        "Where half of the traders know the value of a share, prices are closer to it than by zero intelligence alone.",
        None,
        lambda f: positive(f.get("anchored"), "the distance from value, zero intelligence minus half fundamentalists,"),
    ),
    Claim(
        "fat-tails",
        "Daily returns have fatter tails than a normal distribution (coded traders of all kinds).",
        Reported("fat tails in all markets", "Cont 2001, from memory"),
        lambda f: positive(f.get("fact_kurtosis", "all kinds"), "excess kurtosis"),
    ),
    Claim(
        "volume-volatility",
        "Days of large returns are days of large volume (coded traders of all kinds).",
        Reported("volume is correlated with volatility", "Cont 2001, from memory"),
        lambda f: positive(f.get("fact_volume_volatility", "all kinds"), "the correlation of absolute return and volume"),
    ),
    Claim(
        "volatility-clusters",
        "Large moves follow large moves (coded traders of all kinds).",
        Reported("absolute returns are correlated over days", "Cont 2001, from memory"),
        lambda f: positive(f.get("fact_memory", "all kinds"), "the autocorrelation of absolute returns"),
    ),
    Claim("done-as-said", "Coded traders with a view do on the day after what they forecast, more than by chance.", None,
          _consistent),
    Claim(
        "models-differ",
        "Language models differ in their style of trading.",
        Reported("two models differ", "a third party's summary"),
        lambda f: not_tested("it takes two models that read the market: point the study at them, and compare its figures"),
    ),
)  # fmt: skip
